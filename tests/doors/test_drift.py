"""Rows that a model is asked to compare with its training rows, and what it refuses, at the doors that take tables."""

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from tests.doors.doors import columns_of, replace
from tests.doors.situations import Situation, Works, happens, refused, table

import rosenblatt

ESTIMATORS = ("TabularClassifier", "TabularRegressor", "learn")
GOOD = {f"x{i}": np.linspace(-1, 1, 5) for i in range(3)}


def named(training):
    return replace(training, X=columns_of(training.X))


def refuses(rows, *words, n=None):
    """Whether `drift` refuses these rows, or its table so many columns, in these words."""

    def passes(answer):
        refused(*words).check(lambda: answer.model.drift(rows).table(*([] if n is None else [n])))

    return Works(passes)


@table(
    *(
        Situation(f"drift of {name}", named, refuses(rows, *words), doors=ESTIMATORS)
        for name, rows, words in (
            ("an array after names", np.zeros((2, 3)), ("no names", "3 columns with names: 'x0', 'x1', 'x2'")),
            ("rows without a column", {**GOOD, "x1": None, "x2": GOOD["x2"]}, ("'x1'",)),
            ("a column too few", {"x0": GOOD["x0"], "x1": GOOD["x1"]}, ("no column 'x2'",)),
            ("columns of other names", {"a": [1.0], "b": [2.0]}, ("lacks 3 of the columns", "It has: 'a', 'b'")),
            ("no rows", {name: column[:0] for name, column in GOOD.items()}, ("no rows",)),
            ("lengths that differ", {**GOOD, "x1": [1.0]}, ("x1",)),
            ("cells that are lists", {**GOOD, "x1": [[1], [2], [3], [4], [5]]}, ("'x1'",)),
            ("nothing", None, ("None",)),
            ("a number", 3, ("int",)),
        )
    ),
    *(
        Situation(f"drift's table of {n!r} columns", named, refuses(GOOD, r"\bn\b", n=n), doors=ESTIMATORS)
        for n in (0, -1, 2.5, "3", True)
    ),
    Situation(
        "drift of arrays of another width", lambda t: t, refuses(np.zeros((2, 4)), "4 features"), doors=ESTIMATORS[:2]
    ),
)
def test_rows_that_are_compared(situation, door, task, tmp_path):
    happens(situation, door, task, tmp_path)


@pytest.mark.parametrize("kind", ["TabularClassifier", "TabularRegressor"])
def test_a_model_that_is_not_fitted_compares_nothing(kind):
    with pytest.raises(NotFittedError):
        getattr(rosenblatt, kind)().drift(GOOD)
