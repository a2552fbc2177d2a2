"""Numbers that cannot be trained on, and targets that do not fit: each door names what is at fault and where."""

import numpy as np
from tests.doors.doors import replace, spoil
from tests.doors.situations import WORKS, Situation, happens, refused, table

MATRIX_DOORS = (
    *("MLPClassifier", "MLPRegressor", "LogisticRegression", "Perceptron", "Network.fit", "MLPSearchCV"),
    "diagnose",
)
"""Doors that take a matrix of finite numbers; to the doors of tables, NaN is a missing cell."""
VALIDATION = frozenset({"validation"})
REGRESSION = ("regression",)


def rows(change):
    """A situation's change of X, and of y with it."""
    return lambda training: replace(training, **dict(zip(("X", "y"), change(training.X, training.y), strict=True)))


def validation(change):
    """A situation's change of a validation set that has the training rows."""
    return lambda training: replace(training, validation=change(training.X, training.y))


@table(
    Situation(
        "NaN in X", rows(lambda X, y: (spoil(X, 3, np.nan), y)), refused("X", "NaN", "row 3"), doors=MATRIX_DOORS
    ),
    Situation(
        "infinity in X", rows(lambda X, y: (spoil(X, 3, np.inf), y)), refused("X", "inf", "row 3"), doors=MATRIX_DOORS
    ),
    Situation(
        "NaN in y",
        rows(lambda X, y: (X, spoil(y, 3, np.nan))),
        refused("y", "NaN", "row 3"),
        tasks=REGRESSION,
        doors=MATRIX_DOORS,
    ),
    Situation(
        "infinity in y",
        rows(lambda X, y: (X, spoil(y, 3, -np.inf))),
        refused("y", "-inf", "row 3"),
        tasks=REGRESSION,
        doors=MATRIX_DOORS,
    ),
    Situation("no rows", rows(lambda X, y: (X[:0], y[:0])), refused("0 sample|no rows"), doors=MATRIX_DOORS[:5]),
    Situation("y too short", rows(lambda X, y: (X, y[:9])), refused("40", "9"), doors=MATRIX_DOORS),
    Situation(
        "y with three axes", rows(lambda X, y: (X, y.reshape(-1, 1, 1))), refused("y", "40, 1, 1"), doors=MATRIX_DOORS
    ),
    Situation("y with two columns", rows(lambda X, y: (X, np.c_[y, y + 2])), refused("y"), doors=MATRIX_DOORS[2:5]),
    Situation("lists", rows(lambda X, y: (X.tolist(), y.tolist())), WORKS, doors=MATRIX_DOORS),
    Situation("two rows", rows(lambda X, y: (X[[0, -1]], np.array([0, 1]))), WORKS, doors=MATRIX_DOORS[:5]),
)
def test_rows_and_targets(situation, door, task, tmp_path):
    happens(situation, door, task, tmp_path)


@table(
    Situation("good rows", validation(lambda X, y: (X, y)), WORKS, needs=VALIDATION),
    Situation("lists", validation(lambda X, y: (X.tolist(), y.tolist())), WORKS, needs=VALIDATION),
    Situation("a checkpoint", validation(lambda X, y: (X.tolist(), y.tolist())), WORKS, needs=VALIDATION),
    Situation(
        "NaN in X",
        validation(lambda X, y: (spoil(X, 3, np.nan), y)),
        refused("X_val", "NaN", "row 3, column 0"),
        needs=VALIDATION,
    ),
    Situation(
        "NaN in y",
        validation(lambda X, y: (X, spoil(y, 3, np.nan))),
        refused("y_val", "NaN", "row 3"),
        needs=VALIDATION,
        tasks=REGRESSION,
    ),
    Situation(
        "infinity in y",
        validation(lambda X, y: (X, spoil(y, 3, np.inf))),
        refused("y_val", "inf", "row 3"),
        needs=VALIDATION,
        tasks=REGRESSION,
    ),
    Situation("no rows", validation(lambda X, y: (X[:0], y[:0])), refused("X_val", "0|no rows"), needs=VALIDATION),
    Situation("y too short", validation(lambda X, y: (X, y[:9])), refused("X_val", "40", "9"), needs=VALIDATION),
    Situation(
        "two columns of y", validation(lambda X, y: (X, np.c_[y, y])), refused("y_val", "40, 2"), needs=VALIDATION
    ),
    Situation("other columns", validation(lambda X, y: (X[:, :2], y)), refused("X_val", "2", "3"), needs=VALIDATION),
)
def test_validation_sets(situation, door, task, tmp_path):
    if situation.name == "a checkpoint":
        change = situation.change
        situation = replace(
            situation, change=lambda t: replace(change(t), options={"checkpoint": str(tmp_path / "folder")})
        )
    happens(situation, door, task, tmp_path)


def huge(place):
    """Training in float32, with 1e39 in a place."""

    def change(training):
        if place == "weights":
            return replace(training, weights=spoil(np.ones(len(training.y)), 3, 1e39))
        if place == "y":
            return replace(training, y=spoil(training.y, 3, 1e39))
        spoilt = spoil(training.X, 3, 1e39)
        return replace(training, **{place: (spoilt, training.y) if place == "validation" else spoilt})

    return lambda training: replace(change(training), options={"dtype": "float32"})


FLOAT32 = ("MLPClassifier", "MLPRegressor", "MLPSearchCV", "diagnose")
WORDS = (r"1e\+39", "row 3", "too large for float32", "scale")


@table(
    Situation("X", huge("X"), refused("X", *WORDS), doors=FLOAT32),
    Situation("y", huge("y"), refused("y", *WORDS), tasks=REGRESSION, doors=FLOAT32[:2]),
    Situation("X_new", huge("X_new"), refused("X", *WORDS), doors=FLOAT32[:3]),
    Situation("X_val", huge("validation"), refused("X_val", *WORDS), doors=FLOAT32, needs=VALIDATION),
    Situation("weights", huge("weights"), refused("sample_weight", *WORDS), doors=FLOAT32[:2]),
)
def test_numbers_too_large_for_float32(situation, door, task, tmp_path):
    happens(situation, door, task, tmp_path)
