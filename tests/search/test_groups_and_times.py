"""Searches that honour groups, times and splitters of scikit-learn, in their folds and in their records."""

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import GroupKFold, KFold, LeaveOneGroupOut, PredefinedSplit, ShuffleSplit, TimeSeriesSplit

from rosenblatt import MLPClassifier, MLPSearchCV, TabularClassifier, TabularRegressor
from rosenblatt.search.data import SearchData
from rosenblatt.search.journal import RecordError

N = 90
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 3))
X[:, 0] = np.arange(N)  # names the row
Y = RNG.integers(0, 2, N)
GROUPS, TIMES = RNG.permutation(np.arange(N) // 6), RNG.permutation(N)
SMALL = {"hidden_layer_sizes": (4,), "max_iter": 2}
FRAME = pd.DataFrame(X, columns=list("abc")).assign(shop=GROUPS, y=Y, w=np.linspace(1, 2, N))


def folds(cv, **roles):
    """Row numbers of the folds of a search over MLPs."""
    data = SearchData(MLPClassifier(), X, Y, cv, None, **roles)
    return [(fold.X[:, 0].astype(int), fold.X_test[:, 0].astype(int)) for fold in data.folds]


def search(estimator, **options):
    space = {"dropout": [0.0, 0.1]} if estimator.makes_own_folds else {"alpha": [1e-4, 1e-2]}
    return MLPSearchCV(estimator, space, **{"n_trials": 2, "strategy": "random", **options})


def test_no_fold_divides_a_group():
    found = folds(4, groups=GROUPS)
    assert len(found) == 4
    assert all(not set(GROUPS[a]) & set(GROUPS[b]) for a, b in found)
    assert sorted(np.concatenate([b for _, b in found])) == list(range(N))
    assert len(folds(40, groups=GROUPS)) == 15  # no more than groups


def test_folds_validate_on_later_rows():
    found = folds(4, time=TIMES)
    assert len(found) == 4
    assert all(TIMES[a].max() < TIMES[b].min() for a, b in found)


@pytest.mark.parametrize(
    ("cv", "roles"),
    [
        (GroupKFold(3), {"groups": GROUPS}),
        (LeaveOneGroupOut(), {"groups": GROUPS // 5}),
        (PredefinedSplit(np.repeat([-1, 0, 1], 30)), {}),
        (TimeSeriesSplit(3), {"time": np.arange(N) * 2}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_splitters_make_the_folds(cv, roles):
    found = folds(cv, **roles)
    for (a, b), (c, d) in zip(found, cv.split(X, Y, roles.get("groups")), strict=True):
        assert np.array_equal(a, c)
        assert np.array_equal(b, d)


def test_without_roles_folds_are_those_of_scikit_learn():
    (a, b), *others = folds(KFold(3))
    assert len(others) == 2
    assert b.tolist() == list(range(30))
    assert a.tolist() == list(range(30, N))


# Tabular estimators --------------------------------------------------------------------------------------------------


def held_out(model):
    return [member.held_out for member in model.ensemble_.members]


def test_a_splitter_replaces_the_folds_of_members():
    found = search(TabularClassifier(**SMALL), cv=GroupKFold(3)).fit(X, Y, groups=GROUPS)
    expected = [b for _, b in GroupKFold(3).split(X, Y, GROUPS)]
    assert all(np.array_equal(a, b) for a, b in zip(held_out(found.best_estimator_), expected, strict=True))
    assert found.best_score_ == found.best_estimator_.score_
    assert found.best_estimator_.score_on_ == found.score_on_ == "on groups not seen in training"


@pytest.mark.parametrize("strategy", ["random", "halving"])
def test_all_candidates_have_the_same_random_folds(strategy):
    cv = ShuffleSplit(2, random_state=None)
    found = search(TabularClassifier(**SMALL), cv=cv, ensemble=2, strategy=strategy, n_trials=3).fit(X, Y)
    rows = {tuple(rows) for rows in held_out(found.best_estimator_)}
    assert len(rows) == 2


@pytest.mark.parametrize("backend", ["threads", "joblib"])
def test_columns_of_a_table_are_named(backend):
    model = TabularRegressor(members=2, **SMALL)
    by_name = search(model, backend=backend).fit(FRAME, "y", "w", groups="shop")
    arrays = FRAME["w"].to_numpy(), FRAME["shop"].to_numpy()
    by_array = search(model).fit(FRAME[["a", "b", "c"]], FRAME["y"], arrays[0], groups=arrays[1])
    assert list(by_name.best_estimator_.feature_names_in_) == ["a", "b", "c"]
    assert by_name.best_score_ == by_array.best_score_
    assert all(not set(GROUPS[rows]) & set(np.delete(GROUPS, rows)) for rows in held_out(by_name.best_estimator_))
    assert len(by_name.predict(FRAME)) == N


def test_times_reach_the_members():
    found = search(TabularClassifier(members=2, **SMALL), scoring="accuracy").fit(X, Y, time=TIMES)
    best = found.best_estimator_
    assert best.score_on_ == found.score_on_ == "on later rows"
    assert np.isnan(best.out_of_fold_[TIMES < 40]).all()
    assert found.best_score_ == pytest.approx(best.score_)


def test_a_record_belongs_to_its_groups_times_and_folds(tmp_path):
    for estimator in (TabularClassifier(**SMALL), MLPClassifier(**SMALL)):
        path = tmp_path / f"{type(estimator).__name__}.jsonl"
        for options, roles in [({}, {"groups": GROUPS}), ({}, {"groups": GROUPS}), ({}, {}), ({}, {"time": TIMES})]:
            again = search(estimator, checkpoint=path, cv=3, **options)
            if roles.get("groups") is GROUPS:
                again.fit(X, Y, **roles)
                continue
            with pytest.raises(RecordError, match="belongs to another search"):
                again.fit(X, Y, **roles)
    path = tmp_path / "folds.jsonl"
    search(TabularClassifier(**SMALL), checkpoint=path, cv=KFold(2)).fit(X, Y)
    with pytest.raises(RecordError, match="belongs to another search"):
        search(TabularClassifier(**SMALL), checkpoint=path, cv=KFold(2, shuffle=True, random_state=0)).fit(X, Y)


def test_the_score_takes_weights():
    found = search(MLPClassifier(**SMALL), cv=2).fit(X, Y)
    assert found.score_on_ == "on rows not seen in training"
    right = (found.predict(X) == Y).astype(float)
    assert found.score(X, Y, right) == 1.0
    assert found.score(X, Y) == pytest.approx(right.mean())
