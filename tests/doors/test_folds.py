"""Folds, groups, times and validation rows that do not fit, at the doors that take them."""

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import GroupKFold, KFold, PredefinedSplit

from rosenblatt import MLPClassifier, MLPSearchCV, TabularClassifier, TabularRegressor, diagnose, learn

N = 40
X = np.random.default_rng(0).normal(size=(N, 3))
Y = (X.sum(1) > 0).astype(int)
GROUPS = np.arange(N) // 4
SMALL = {"hidden_layer_sizes": (4,), "max_iter": 2}
FRAME = pd.DataFrame(X, columns=list("abc"))


def tabular(cv=None, **given):
    TabularClassifier(cv=cv, **SMALL).fit(X, Y, **given)


def by_learn(cv=None, **given):
    learn({**FRAME, "y": Y}, "y", task="classification", cv=cv, **SMALL, **given)


def search(cv=3, **given):
    MLPSearchCV(MLPClassifier(**SMALL), {"alpha": [1e-4, 1e-2]}, n_trials=2, cv=cv).fit(X, Y, **given)


def tabular_search(cv=3, **given):
    estimator = TabularClassifier(members=2, **SMALL) if cv == 3 else TabularClassifier(**SMALL)
    MLPSearchCV(estimator, {"dropout": [0.0, 0.1]}, n_trials=2, cv=cv).fit(X, Y, **given)


def diagnosis(cv=3, **given):
    diagnose(MLPClassifier(**SMALL), X, Y, cv=cv, **given)


DOORS = (tabular, by_learn, search, tabular_search, diagnosis)
BAD = {
    "groups and time": ({"groups": GROUPS, "time": GROUPS}, "groups and time are both given"),
    "groups of another length": ({"groups": GROUPS[:5]}, "X has 40 rows, but groups has 5"),
    "one group": ({"groups": np.ones(N)}, "groups is '1' in every row"),
    "missing group": ({"groups": [None, *GROUPS[1:]]}, "groups is missing in row 1 "),
    "no array of groups": ({"groups": 3.5}, r"groups is 3.5; it must be an array of shape \(40,\)"),
    "one time": ({"time": np.ones(N)}, "time is 1 in every row"),
    "infinite time": ({"time": np.r_[np.inf, np.arange(39.0)]}, "time is infinite in row 1 "),
    "texts as time": ({"time": [f"day {i}" for i in range(N)]}, "time must hold dates or numbers"),
    "a splitter that divides groups": ({"groups": GROUPS, "cv": KFold(3)}, "split 0 .* has rows of one group in both"),
    "a splitter back in time": ({"time": np.arange(N), "cv": KFold(3)}, "split 0 .* earlier than some of its training"),
    "a splitter that lacks groups": ({"cv": GroupKFold(3)}, "'groups' parameter should not be None"),
    "rows that are not there": ({"cv": [([0, 1], [50, 51])] * 2}, "must be row numbers from 0 to 39"),
    "rows in both parts": ({"cv": [([0, 1, 2], [2, 3])] * 2}, "held-out rows that are among its training rows"),
    "one fold": ({"cv": 1}, "cv.*1"),
    "a class as cv": ({"cv": KFold}, "cv is <class .*must be a number of folds"),
    "a word as cv": ({"cv": "five"}, "cv.*'five'"),
}


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
@pytest.mark.parametrize("name", BAD)
def test_bad_folds_are_refused(name, door):
    given, words = BAD[name]
    with pytest.raises((ValueError, TypeError), match=words):
        door(**given)


@pytest.mark.parametrize("door", [search, diagnosis], ids=lambda door: door.__name__)
def test_no_column_of_a_matrix_is_named(door):
    with pytest.raises(TypeError, match="groups is the name 'a', but of a matrix no column can be named"):
        door(groups="a")


VALIDATION = {
    "X_val alone": ({"X_val": FRAME}, "X_val and y_val belong together"),
    "y_val alone": ({"y_val": Y}, "X_val and y_val belong together"),
    "another length": ({"X_val": FRAME, "y_val": Y[:5]}, "X_val and y_val: .*40 rows, y has 5"),
    "a column less": ({"X_val": FRAME[["a", "b"]], "y_val": Y}, "X_val and y_val: .* no column 'c'"),
    "no names": ({"X_val": X, "y_val": Y}, "X_val and y_val: X is an array, whose columns have no names"),
    "an unseen class": ({"X_val": FRAME, "y_val": Y + 1}, "X_val and y_val: y holds the class 2 in row"),
    "a name that is not there": ({"X_val": FRAME, "y_val": "z"}, "X_val and y_val: there is no target column 'z'"),
    "no rows": ({"X_val": FRAME[:0], "y_val": Y[:0]}, "X_val"),
    "with cv": ({"X_val": FRAME, "y_val": Y, "cv": 3}, "cv and X_val both say which rows are held out"),
    "with groups": ({"X_val": FRAME, "y_val": Y, "groups": GROUPS}, "groups and X_val both say"),
    "with time": ({"X_val": FRAME, "y_val": Y, "time": GROUPS}, "time and X_val both say"),
}


@pytest.mark.parametrize("name", VALIDATION)
@pytest.mark.parametrize("kind", [TabularClassifier, TabularRegressor])
def test_bad_validation_rows_are_refused(name, kind):
    given, words = VALIDATION[name]
    if name == "an unseen class" and kind is TabularRegressor:
        given, words = {"X_val": FRAME[:1], "y_val": [1.0]}, "X_val has 1 rows, but a score needs at least 2"
    model = kind(cv=given.get("cv"), **SMALL)
    with pytest.raises((ValueError, TypeError), match=words):
        model.fit(FRAME, Y, **{role: value for role, value in given.items() if role != "cv"})
    assert not hasattr(model, "ensemble_")


def test_negative_validation_counts_are_refused():
    with pytest.raises(ValueError, match="loss='poisson' needs targets >= 0, but y_val is -1 in row 2"):
        TabularRegressor(loss="poisson", **SMALL).fit(FRAME, Y, X_val=FRAME[:2], y_val=[0, -1])


def test_members_and_cv_contradict_each_other():
    with pytest.raises(ValueError, match=r"members is 2, but cv is 3, .* leave members out"):
        TabularClassifier(members=2, cv=3, **SMALL).fit(X, Y)


@pytest.mark.parametrize("cv", [[([0, 1], [2, 3])] * 2, PredefinedSplit(np.arange(N) % 2)], ids=["pairs", "predefined"])
def test_row_numbers_are_refused_where_rows_are_left_out(cv):
    y = np.where(np.arange(N) == 1, np.nan, X[:, 0])
    with pytest.raises(ValueError, match="cv numbers the rows, but 1 of them have no target"):
        TabularRegressor(cv=cv, **SMALL).fit(X, y, drop_missing_target=True)
    with pytest.raises(ValueError, match="cv numbers the rows, but 1 of them have no target"):
        learn({**FRAME, "y": y}, "y", cv=cv, drop_missing_target=True, **SMALL)
    assert TabularRegressor(cv=KFold(2), **SMALL).fit(X, y, drop_missing_target=True).n_dropped_ == 1
