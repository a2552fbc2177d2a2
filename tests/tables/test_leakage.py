"""Columns that leak the target."""

import numpy as np
import pytest
from scipy.stats import rankdata
from sklearn import datasets

from rosenblatt.tables.leakage import find_leaking_columns, ranked
from rosenblatt.tables.readers.reading import read_table

RNG = np.random.default_rng(0)
N = 4000
NOISE = RNG.normal(size=N)
LABELS = (NOISE + RNG.normal(size=N) > 0).astype(np.int32)
AMOUNT = 3 * NOISE + RNG.normal(size=N)

CLASSES = {
    "another name of the class": np.where(LABELS, "closed", "open"),
    "its number": LABELS * 7.0 + 3,
    "missing in one class": np.where(LABELS == 1, NOISE, np.nan),
    "many levels of one class each": np.array([f"{'ab'[label]}{i % 50}" for i, label in enumerate(LABELS)]),
    "two intervals": np.where(LABELS == 1, 10, 0) + RNG.random(N),
}
NUMBERS = {
    "itself": AMOUNT,
    "in another unit, with heavy tails": np.exp(2 * AMOUNT),
    "reversed": -AMOUNT,
    "a fine grid": np.round(AMOUNT, 2).astype(str).astype(object),
}


@pytest.mark.parametrize("name", CLASSES)
def test_a_column_that_tells_the_class_is_found(name):
    found = find_leaking_columns(read_table({"noise": NOISE, name: CLASSES[name]}), LABELS, True)
    assert [suspect for suspect, _ in found] == [name]
    assert "predicts the class of" in found[0][1]


@pytest.mark.parametrize("name", ["itself", "in another unit, with heavy tails", "reversed"])
def test_a_column_that_tells_a_number_is_found(name):
    y = np.column_stack([RNG.normal(size=N), AMOUNT])
    found = find_leaking_columns(read_table({"noise": NOISE, name: NUMBERS[name]}), y, False)
    assert [suspect for suspect, _ in found] == [name]


def test_levels_that_tell_a_number_are_found():
    levels = RNG.integers(0, 40, N)
    value = RNG.normal(size=40)[levels] + RNG.normal(0, 1e-3, N)
    table = read_table({"level": np.array([f"l{i}" for i in levels]), "noise": NOISE})
    assert [name for name, _ in find_leaking_columns(table, value, False)] == ["level"]


def test_a_rare_class_needs_more_than_the_frequent_one():
    rare = (RNG.random(N) < 0.004).astype(np.int32)
    assert find_leaking_columns(read_table({"noise": NOISE, "rare": rare}), rare, True) == [], "too few rows tell"
    rows = np.random.default_rng(1).normal(size=5000)
    for n_rare in range(18, 28):  # of 2,500 scored rows 99.5 % are of the frequent class, and ten or more are not
        few = np.zeros(5000, dtype=np.int32)
        few[:: 5000 // n_rare] = 1
        assert find_leaking_columns(read_table({"noise": rows}), few, True) == []
    rare = (RNG.random(N) < 0.02).astype(np.int32)
    assert [name for name, _ in find_leaking_columns(read_table({"noise": NOISE, "rare": rare}), rare, True)] == [
        "rare"
    ]


def test_close_is_not_enough():
    close = np.where(RNG.random(N) < 0.02, 1 - LABELS, LABELS)
    assert find_leaking_columns(read_table({"close": close}), LABELS, True) == []
    assert find_leaking_columns(read_table({"close": AMOUNT + RNG.normal(0, 0.1, N)}), AMOUNT, False) == []
    assert find_leaking_columns(read_table({"few": LABELS[:60]}), LABELS[:60], True) == [], "60 rows prove nothing"


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "digits", "diabetes", "linnerud"])
def test_it_says_nothing_of_the_tables_that_scikit_learn_ships(name):
    X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    table = read_table({f"x{i}": column for i, column in enumerate(X.T)})
    assert find_leaking_columns(table, y, name not in ("diabetes", "linnerud")) == []


def test_rows_are_mixed_before_they_are_halved():
    order = np.argsort(LABELS, kind="stable")
    table = read_table({"class": CLASSES["its number"][order], "noise": NOISE[order]})
    assert [name for name, _ in find_leaking_columns(table, LABELS[order], True)] == ["class"]


def test_ranks_are_scipys():
    values = RNG.integers(0, 5, (3, 50)).astype(float)
    np.testing.assert_array_equal(ranked(values), [rankdata(row) for row in values])
