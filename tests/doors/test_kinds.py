"""What a cell means, at every door: types of targets, doubtful readings, columns that are left out, small tables."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from tests.doors.doors import DOORS, replace, run, write_csv
from tests.doors.situations import WORKS, Situation, Works, happens, refused, table

import rosenblatt
from rosenblatt.tables.table import TableWarning

LABELS = frozenset({"labels"})
TABLES = frozenset({"tables"})
ESTIMATORS = ("MLPClassifier", "LogisticRegression", "Perceptron", "TabularClassifier")
FILES = ("rosenblatt train", "rosenblatt tune")
BIG = 2**62


def labels(first, second, make=list):
    """The good training with these labels instead of 0 and 1."""
    return lambda training: replace(training, y=make([second if y else first for y in training.y]))


def gives(*expected):
    """Predictions are among these labels."""

    def passes(answer):
        if answer.predictions is None:
            return True
        found = np.asarray(answer.predictions).tolist()
        return {type(one) for one in found} <= {type(one) for one in expected} and set(found) <= set(expected)

    return Works(passes)


def classes(name, first, second, make=list, but=None, doors=None):
    """A row: two labels come back as they are; from a file, as texts."""
    doors = doors or (*ESTIMATORS, "learn", "MLPSearchCV", "diagnose", *FILES)
    texts = gives(str(first), str(second))
    return Situation(
        name,
        labels(first, second, make),
        gives(first, second),
        but=dict.fromkeys(FILES, texts) | (but or {}),
        needs=LABELS,
        tasks=("classification",),
        doors=doors,
    )


BEYOND = refused("64 bits", "texts")


@table(
    classes("large integers", BIG, BIG + 1),
    classes("large integers as an array", BIG, BIG + 1, np.array),
    classes("unsigned integers", 2**64 - 1, 2**64 - 2),
    classes("nullable integers", BIG, BIG + 1, lambda y: pd.Series(y, dtype="Int64")),
    classes(
        "integers beyond 64 bits",
        2**70,
        2**70 + 1,
        but=dict.fromkeys((*ESTIMATORS, "MLPSearchCV", "diagnose"), BEYOND),
    ),
    classes(
        "signs and beyond",
        -1,
        2**63,
        but=dict.fromkeys((*ESTIMATORS, "MLPSearchCV", "diagnose"), BEYOND),
        doors=(*ESTIMATORS, "learn", "MLPSearchCV", "diagnose"),  # NumPy writes them to the file as floats
    ),
    classes("versions", "1.1", "1.10"),
    classes("exponents", "12E4", "120E3"),
    classes("zeros in front", "01", "1", doors=(*ESTIMATORS, "learn", "MLPSearchCV", "diagnose")),
    classes("case", "Yes", "yes"),
    classes("booleans", False, True, but=dict.fromkeys(FILES, WORKS)),
    classes("nullable booleans", False, True, lambda y: pd.Series(y, dtype="boolean"), but=dict.fromkeys(FILES, WORKS)),
    classes("a category of integers", 3, 10, pd.Categorical),
    classes("whole floats", 0.0, 1.0, but=dict.fromkeys(FILES, WORKS)),
    classes("a Polars enum", "b", "a", lambda y: pl.Series(y, dtype=pl.Enum(["b", "a"]))),
)
def test_classes_come_back_as_they_are(situation, door, task, tmp_path):
    happens(situation, door, task, tmp_path)


def two(first, second):
    x = np.random.default_rng(0).normal(size=40)
    return x, [second if positive else first for positive in x > 0]


TYPES = {
    "int8": lambda x, y: pd.DataFrame({"x": x, "y": np.array([5 if one else 3 for one in y], dtype=np.int8)}),
    "category of integers": lambda x, y: pd.DataFrame({"x": x, "y": pd.Categorical([10 if one else 3 for one in y])}),
    "category of floats": lambda x, y: pd.DataFrame({"x": x, "y": pd.Categorical([10.5 if one else 3.0 for one in y])}),
    "category of booleans": lambda x, y: pd.DataFrame({"x": x, "y": pd.Categorical(y)}),
    "category of texts": lambda x, y: pd.DataFrame({"x": x, "y": pd.Categorical(["01" if one else "1" for one in y])}),
    "nullable integers": lambda x, y: pd.DataFrame({"x": x, "y": pd.array([BIG + one for one in y], dtype="Int64")}),
    "nullable booleans": lambda x, y: pd.DataFrame({"x": x, "y": pd.array(y, dtype="boolean")}),
    "nullable texts": lambda x, y: pd.DataFrame({"x": x, "y": pd.array(list(map(str, y)), dtype="string")}),
    "unsigned integers": lambda x, y: pd.DataFrame(
        {"x": x, "y": np.array([2**63 + one for one in y], dtype=np.uint64)}
    ),
    "large decimals": lambda x, y: {"x": x, "y": [Decimal(2**60 + one) for one in y]},
    "dates": lambda x, y: pd.DataFrame({"x": x, "y": [dt.date(2020, 1, 1 + one) for one in y]}),
    "times": lambda x, y: pd.DataFrame({"x": x, "y": pd.to_datetime([dt.datetime(2020, 1, 1, 3 + one) for one in y])}),
    "times in a zone": lambda x, y: pd.DataFrame(
        {"x": x, "y": pd.to_datetime([dt.datetime(2020, 1, 1 + one) for one in y]).tz_localize("Europe/Berlin")}
    ),
    "Polars enum": lambda x, y: pl.DataFrame({"x": x, "y": list(map(str, y))}).with_columns(
        pl.col("y").cast(pl.Enum(["True", "False"]))
    ),
    "Polars dates": lambda x, y: pl.DataFrame({"x": x, "y": [dt.date(2020, 1, 1 + one) for one in y]}),
    "PyArrow dictionary": lambda x, y: pa.table({"x": x, "y": pa.array([7 + one for one in y]).dictionary_encode()}),
}


@pytest.mark.parametrize("make", TYPES.values(), ids=TYPES)
def test_predictions_of_learn_have_the_type_of_the_target(make, tmp_path):
    x, y = two(False, True)
    frame = make(x, y)
    task = "classification" if isinstance(frame["y"][0], dt.date) else None
    model = rosenblatt.learn(frame, "y", task=task, members=1, hidden_layer_sizes=(8,), max_iter=40)
    assert model.score(frame, frame["y"]) > 0.8
    names = np.asarray(model.predict(frame))
    rosenblatt.save(model, tmp_path / "model")
    again = rosenblatt.load(tmp_path / "model")
    np.testing.assert_array_equal(again.predict(frame), names)
    assert again.classes_.dtype == model.classes_.dtype


def test_integers_of_any_size_are_predicted_as_they_are():
    x, y = two(2**70, 2**70 + 1)
    model = rosenblatt.learn({"x": x, "y": y}, "y", members=1, hidden_layer_sizes=(8,), max_iter=40)
    assert model.classes_.tolist() == [2**70, 2**70 + 1]
    assert model.score({"x": x}, y) > 0.8


DOUBTFUL = {
    "counts": (lambda n: np.arange(n) % 8, "TabularClassifier", "8 values, taken for classes", {"task": "regression"}),
    "two whole floats": (
        lambda n: np.arange(n) % 2.0,
        "TabularClassifier",
        "if they are quantities",
        {"task": "regression"},
    ),
    "few floats": (lambda n: np.arange(n) % 5.0, "TabularRegressor", "if they are classes", {"task": "classification"}),
    "letters as numbers": (lambda n: np.arange(n) % 26, "TabularRegressor", "26 values", {"task": "classification"}),
    "numbers as texts": (
        lambda n: list(map(str, np.arange(n) % 8)),
        "TabularClassifier",
        "8 values",
        {"task": "regression"},
    ),
    "case": (
        lambda n: ["Yes", "yes", "NO", "no"] * (n // 4),
        "TabularClassifier",
        "'NO' and 'no'.*write them alike",
        None,
    ),
    "blanks": (lambda n: ["yes", "yes ", "no", "no"] * (n // 4), "TabularClassifier", "'yes' and 'yes '", None),
}


@pytest.mark.parametrize(("make", "kind", "words", "hint"), DOUBTFUL.values(), ids=DOUBTFUL)
def test_a_doubtful_target_is_said_and_the_hint_works(make, kind, words, hint):
    frame = {"x": np.random.default_rng(0).normal(size=160), "y": make(160)}
    small = {"members": 1, "hidden_layer_sizes": (4,), "max_iter": 1}
    with pytest.warns(TableWarning, match=f"target 'y' holds .*{words}"):
        model = rosenblatt.learn(frame, "y", **small)
    assert type(model).__name__ == kind
    assert "to check\n  target 'y' holds" in str(model.report())
    if hint:
        other = rosenblatt.learn(frame, "y", **small, **hint)  # warnings are errors
        assert type(other).__name__ != kind
        assert "to check" not in str(other.report())


@pytest.mark.parametrize("y", [[0, 1], ["a", "b"], [0, 1, 2], [True, False], [0.5, 1.25, 3.75, 8.5]], ids=str)
def test_a_clear_target_is_not_doubted(y):
    frame = {"x": np.random.default_rng(0).normal(size=60), "y": (y * 60)[:60]}
    rosenblatt.learn(frame, "y", members=1, hidden_layer_sizes=(4,), max_iter=1)


def target(change):
    return lambda training: replace(training, y=change(list(training.y)))


CLASSES, NUMBERS = ("classification",), ("regression",)
TABULAR = tuple(name for name, door in DOORS.items() if "tables" in door.takes)


@table(
    Situation("two rows", lambda t: replace(t, X=t.X[[0, 5]], y=t.y[[0, 5]]), WORKS, needs=TABLES, tasks=NUMBERS,
              doors=("TabularRegressor", "learn")),
    Situation("three rows", lambda t: replace(t, X=t.X[:3], y=[0, 1, 0]), WORKS, needs=TABLES, tasks=CLASSES,
              doors=("TabularClassifier", "learn")),
    Situation("a row", lambda t: replace(t, X=t.X[:1], y=t.y[:1]), refused("1 sample|single row"), needs=TABLES,
              tasks=CLASSES, doors=TABULAR),
    Situation("one class", target(lambda y: ["a"] * len(y)), refused("single class", "'a'"), needs=TABLES,
              tasks=CLASSES, doors=TABULAR),
    Situation("an infinite target", target(lambda y: [np.inf, *y[1:]]), refused("(?i)inf", "y|target"), tasks=NUMBERS),
    Situation("huge targets", target(lambda y: [1e300 * one for one in y]), refused("too large"), needs=TABLES,
              tasks=NUMBERS, doors=TABULAR),
    Situation("a missing class", target(lambda y: [None, *map(str, y[1:])]), refused("missing|no value", "row [01]"),
              needs=TABLES, tasks=CLASSES, doors=("learn",)),
    Situation("a class that is called NA", target(lambda y: ["NA" if one else "b" for one in y]),
              refused("missing", "'NA'"), needs=TABLES, tasks=CLASSES, doors=("learn", *FILES)),
    Situation("columns without cells", lambda t: replace(t, X={"x": [None] * len(t.y)}),
              refused("'x' dropped: every cell is missing"), needs=TABLES, doors=TABULAR),
    Situation("constant columns", lambda t: replace(t, X={"x": [3] * len(t.y)}), refused("'x' dropped: always 3"),
              needs=TABLES, doors=TABULAR),
)  # fmt: skip
def test_small_and_empty_tables(situation, door, task, tmp_path):
    happens(situation, door, task, tmp_path)


class Odd:
    """A cell that cannot even be shown."""

    def __str__(self):
        raise RuntimeError("odd")

    __repr__ = __str__


EXTRA = {
    "lists": lambda n: {"extra": [[1, 2]] * n},
    "mappings": lambda n: {"extra": [{"a": 1}] * n},
    "arrays": lambda n: {"extra": [np.zeros(2)] * n},
    "objects": lambda n: {"extra": [Odd()] * n},
    "complex numbers": lambda n: {"extra": np.zeros(n, dtype=complex)},
    "two names": lambda n: {1: np.zeros(n), "1": np.zeros(n)},
}


def ignoring(extra, **options):
    """Extra columns, in training (where the options leave them out) and in what is predicted."""

    def change(training):
        known = {f"x{i}": column for i, column in enumerate(training.X.T)}
        columns = known | extra(len(training.X))
        return replace(training, X=columns if options else known, X_new=columns, options=options)

    return change


FRAMES = ("TabularClassifier", "TabularRegressor", "learn")


@table(
    *(Situation(f"{name} unseen in training", ignoring(extra), WORKS, doors=FRAMES) for name, extra in EXTRA.items()),
    *(
        Situation(
            f"{name} ignored", ignoring(extra, ignore=["extra" if name != "two names" else 1]), WORKS, doors=FRAMES
        )
        for name, extra in EXTRA.items()
    ),
    Situation("kinds say ignored", ignoring(EXTRA["lists"], kinds={"extra": "ignored"}), WORKS, doors=FRAMES),
    Situation(
        "not ignored", ignoring(EXTRA["lists"], kinds={}), refused("'extra' holds list", "ignore="), doors=FRAMES
    ),
    Situation("twice", ignoring(EXTRA["two names"], kinds={}), refused("'1' occurs more", "ignore="), doors=FRAMES),
    Situation(
        "no such column", ignoring(EXTRA["lists"], ignore=["Extra"]), refused("Did you mean 'extra'"), doors=FRAMES
    ),
    Situation(
        "both ways",
        ignoring(EXTRA["lists"], ignore="extra", kinds={"extra": "numeric"}),
        refused("ignore names the column 'extra'"),
        doors=FRAMES,
    ),
)
def test_columns_that_are_not_used(situation, door, task, tmp_path):
    happens(situation, door, task, tmp_path)


def test_columns_of_a_file_are_ignored_by_their_names(tmp_path):
    x, y = two("no", "yes")
    file = write_csv(tmp_path / "table.csv", {"x": x, "id": [f"{2**60 + i}" for i in range(40)], "y": y})
    model, out = str(tmp_path / "model"), str(tmp_path / "out.csv")
    small = ("--members", "1", "--hidden", "4", "--epochs", "2", "--out", model)
    said = run("train", str(file), "--target", "y", "--ignore", "id", *small)
    assert "dropped: you said so" in said
    new = write_csv(tmp_path / "new.csv", {"x": x, "id": ["odd"] * 40})
    run("predict", model, str(new), "--out", out)
    assert rosenblatt.load(model).preparation_.names == {"x"}


NAMES = {
    "an integer": (lambda x, y: pd.DataFrame({0: x, 1: y}), 1),
    "a pair": (lambda x, y: pd.DataFrame({("a", "x"): x, ("a", "y"): y}), ("a", "y")),
    "a list of one": (lambda x, y: {"x": x, "y": y}, ["y"]),
    "None among the columns": (lambda x, y: pd.DataFrame({None: x, "y": y}), "y"),
}


@pytest.mark.parametrize(("make", "name"), NAMES.values(), ids=NAMES)
def test_names_that_are_no_texts(make, name):
    frame = make(*two("no", "yes"))
    model = rosenblatt.learn(frame, name, members=1, hidden_layer_sizes=(8,), max_iter=40)
    assert set(model.predict(frame)) == {"no", "yes"}


def test_several_targets_are_numbers_of_one_model():
    x = np.random.default_rng(0).normal(size=40)
    frame = pd.DataFrame({"x": x, "y": 2 * x + 1, "z": -x, "word": ["a", "b"] * 20})
    small = {"members": 1, "hidden_layer_sizes": (4,), "max_iter": 2, "ignore": ["word"]}
    model = rosenblatt.learn(frame, ["y", "z"], **small)
    assert model.predict(frame).shape == (40, 2)
    assert model.explain(frame, ["y", "z"], n_repeats=1).columns == ("x", "word")
    assert rosenblatt.TabularRegressor(**small).fit(frame, ["y", "z"]).score_ == model.score_
    with pytest.raises(ValueError, match="target 'word' holds no numbers, and several targets must all be"):
        rosenblatt.learn(frame, ["y", "word"])
    with pytest.raises(ValueError, match="no target column 'w'"):
        rosenblatt.learn(frame, ["y", "w"])
    with pytest.raises(ValueError, match="empty list"):
        rosenblatt.learn(frame, [])


def test_a_text_among_numbers_is_no_class():
    x = np.random.default_rng(0).normal(size=60)
    cells = ["unknown", *(f"{i % 29 + 0.5}" for i in range(59))]
    with pytest.raises(ValueError, match=r"'y' holds numbers, but row 1 says 'unknown'.*task='classification'"):
        rosenblatt.learn({"x": x, "y": cells}, "y")
    small = {"members": 1, "hidden_layer_sizes": (4,), "max_iter": 1}
    assert len(rosenblatt.learn({"x": x, "y": cells}, "y", task="classification", **small).classes_) == 30
    assert type(rosenblatt.learn({"x": x[1:], "y": cells[1:]}, "y", **small)).__name__ == "TabularRegressor"
