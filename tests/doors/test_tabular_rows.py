"""Copies of rows, targets of noise, single rows and few rows, at the doors that take tables."""

import numpy as np
from tests.doors.doors import columns_of, replace
from tests.doors.situations import WORKS, Situation, Works, happens, refused, table

ESTIMATORS = ("TabularClassifier", "TabularRegressor", "learn")
COMMAND = ("rosenblatt train",)
CLASSES = ("classification",)


def report_of(answer):
    return answer.said if answer.model is None else str(answer.model.report())


def copies(training):
    """Each of the first ten rows five times, in a random order, and a number for each row."""
    rows = np.random.default_rng(0).permutation(np.repeat(np.arange(10), 5))
    columns = {**columns_of(training.X[rows]), "row": np.arange(50)}
    return replace(training, X=columns, y=np.asarray(training.y)[rows])


def noise(training):
    """A target that has nothing to do with the columns, four fifths of it "No"."""
    rng = np.random.default_rng(0)
    y = np.where(np.arange(len(training.y)) % 5 == 0, "Yes", "No")
    return replace(training, X=rng.normal(size=training.X.shape), y=rng.permutation(y))


def few(n):
    """A situation with the first rows only, of two classes."""

    def change(training):
        rows = np.argsort(np.argsort(training.y) % (len(training.y) // 2), kind="stable")[:n]
        y = np.arange(n) % 2 if np.asarray(training.y).dtype.kind == "i" else np.asarray(training.y)[rows]
        return replace(training, X=training.X[rows], y=y)

    return change


def named(new):
    """A situation that learns from a mapping of columns, and predicts `new(columns)`."""

    def change(training):
        columns = columns_of(training.X)
        return replace(training, X=columns, X_new=new(columns))

    return change


def row(columns, number=0):
    return {name: column[number] for name, column in columns.items()}


@table(
    Situation("copies", copies, Works(lambda a: "40 rows are copies of others" in report_of(a)), doors=ESTIMATORS),
    Situation(
        "noise",
        noise,
        Works(lambda a: "the model is no better than always 'No'" in report_of(a)),
        but={"rosenblatt train": Works(lambda a: "no better than always" in a.said)},
        tasks=CLASSES,
        doors=(*ESTIMATORS, *COMMAND),
    ),
    Situation("two rows", few(2), WORKS, doors=ESTIMATORS),
    Situation("three rows", few(3), WORKS, doors=ESTIMATORS),
)
def test_rows_that_are_learned_from(situation, door, task, tmp_path):
    happens(situation, door, task, tmp_path)


# `learn` is left out: its door turns what it predicts into columns.
@table(
    Situation("one row", named(row), Works(lambda a: len(a.predictions) == 1), doors=ESTIMATORS[:2]),
    Situation(
        "a list of rows",
        named(lambda columns: [row(columns, i) for i in range(3)]),
        Works(lambda a: len(a.predictions) == 3),
        doors=ESTIMATORS[:2],
    ),
    Situation(
        "a row without a column",
        named(lambda columns: {"x0": 1.0}),
        refused("lacks 2 of the columns", "'x1', 'x2'"),
        doors=ESTIMATORS[:2],
    ),
    Situation(
        "one value among columns",
        named(lambda columns: {**columns, "x0": 1.0}),
        refused("'x0' is a single value, 1.0", "one row"),
        doors=ESTIMATORS[:2],
    ),
    Situation(
        "an array after names",
        named(lambda columns: np.zeros((2, 4))),
        refused("no names and are 4", "3 columns with names: 'x0', 'x1', 'x2'"),
        doors=ESTIMATORS[:2],
    ),
)
def test_rows_that_are_predicted(situation, door, task, tmp_path):
    happens(situation, door, task, tmp_path)
