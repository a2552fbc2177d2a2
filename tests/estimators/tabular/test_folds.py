"""Folds of the members: by number, group, time, splitter; and validation rows of the user's own."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeaveOneGroupOut,
    PredefinedSplit,
    RepeatedKFold,
    ShuffleSplit,
    StratifiedGroupKFold,
    StratifiedKFold,
    StratifiedShuffleSplit,
    TimeSeriesSplit,
)

from rosenblatt import TabularClassifier, TabularRegressor, learn, load, save
from rosenblatt.estimators.tabular.folds import member_folds
from rosenblatt.tables.table import TableWarning
from rosenblatt.tables.task import TabularTask

RNG = np.random.default_rng(0)
N = 120
X = pd.DataFrame(RNG.normal(size=(N, 3)), columns=list("abc"))
Y = np.where(X.a + X.b > 0, "yes", "no")
LABELS = (Y == "yes").astype(int)
GROUPS = RNG.permutation(np.arange(N) // 10)
TIMES = RNG.permutation(N)
SMALL = {"hidden_layer_sizes": (4,), "max_iter": 2}


def same(folds, expected):
    return all(
        np.array_equal(a, b)
        for fold, pair in zip(folds, expected, strict=True)
        for a, b in zip(fold, pair, strict=True)
    )


# Numbers of rows ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("labels", [None, LABELS])
def test_without_groups_and_times_folds_are_those_that_they_have_always_been(labels):
    many, one = (KFold, ShuffleSplit) if labels is None else (StratifiedKFold, StratifiedShuffleSplit)
    nothing = np.zeros((N, 1))
    expected = many(4, shuffle=True, random_state=7).split(nothing, labels)
    assert same(member_folds(N, 4, 7, labels), expected)
    expected = one(1, test_size=0.2, random_state=7).split(nothing, labels)
    assert same(member_folds(N, 1, 7, labels), expected)
    assert same(member_folds(N, 9, 7, labels, cv=4), member_folds(N, 4, 7, labels))


@pytest.mark.parametrize("n_members", [1, 4])
def test_groups_are_held_out_as_a_whole(n_members):
    folds = member_folds(N, n_members, 0, LABELS, GROUPS)
    assert len(folds) == n_members
    assert all(not set(GROUPS[a]) & set(GROUPS[b]) and len(a) + len(b) == N for a, b in folds)


@pytest.mark.parametrize("n_members", [1, 4])
def test_members_hold_out_later_rows_the_first_the_latest(n_members):
    folds = member_folds(N, n_members, 0, LABELS, None, TIMES)
    assert all(TIMES[a].max() < TIMES[b].min() for a, b in folds)
    latest = [TIMES[b].max() for _, b in folds]
    assert latest == sorted(latest, reverse=True)
    assert latest[0] == TIMES.max()


def test_with_validation_rows_all_others_train():
    assert same(member_folds(5, 2, 0, validation=3), [(np.arange(5), np.arange(3))] * 2)


@pytest.mark.parametrize(
    ("cv", "words"), [(101, r"cv is 101; it must be an integer in \[2, 100\]"), (KFold(N), "120 splits")]
)
def test_no_more_than_100_networks_are_trained(cv, words):
    with pytest.raises(ValueError, match=words):
        member_folds(N, 4, 0, cv=cv)


# Estimators --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cv", "roles"),
    [
        (StratifiedKFold(3), {}),
        (RepeatedKFold(n_splits=2, n_repeats=2, random_state=0), {}),
        (PredefinedSplit(np.r_[np.full(60, -1), np.repeat([0, 1], 30)]), {}),
        ([(np.arange(60), np.arange(50) + 60), (np.arange(N) < 90, np.arange(N) >= 100)], {}),
        (TimeSeriesSplit(2), {}),
        (TimeSeriesSplit(2), {"time": TIMES}),
        (GroupKFold(3), {"groups": GROUPS}),
        (StratifiedGroupKFold(3), {"groups": GROUPS}),
        (LeaveOneGroupOut(), {"groups": GROUPS // 5}),
    ],
    ids=lambda value: type(value).__name__ if value != {} else "",
)
def test_any_splitter_makes_the_folds(cv, roles):
    model = TabularClassifier(cv=cv, **SMALL).fit(X, Y, **roles)
    order = np.argsort(roles["time"]) if "time" in roles else np.arange(N)
    pairs = cv.split(X, LABELS, roles.get("groups")) if hasattr(cv, "split") else cv
    expected = [np.sort(order[np.arange(N)[held_out]]) for _, held_out in pairs]
    assert same([[member.held_out] for member in model.ensemble_.members], [[rows] for rows in expected])
    total, count = np.zeros((N, 2)), np.zeros((N, 1))
    for member in model.ensemble_.members:
        logits = np.log(np.maximum(member.predictions, 1e-12)) / model.temperature_
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        total[member.held_out] += powers / powers.sum(axis=1, keepdims=True)
        count[member.held_out] += 1
    seen = count[:, 0] > 0
    assert np.allclose(model.out_of_fold_[seen], total[seen] / count[seen])
    assert np.isnan(model.out_of_fold_[~seen]).all()
    assert model.score_ == pytest.approx(np.mean(model.classes_[model.out_of_fold_[seen].argmax(axis=1)] == Y[seen]))


def test_a_number_of_folds_is_a_number_of_members():
    by_cv, by_members = (TabularRegressor(**k, **SMALL).fit(X, X.a * X.b) for k in ({"cv": 3}, {"members": 3}))
    assert np.array_equal(by_cv.out_of_fold_, by_members.out_of_fold_)
    assert np.array_equal(by_cv.predict(X), by_members.predict(X))
    assert by_cv.ensemble_.settings == by_members.ensemble_.settings


def test_labels_by_group_are_not_predicted_for_new_groups():
    rng = np.random.default_rng(0)
    group = rng.permutation(np.repeat(np.arange(60), 10))
    rows = rng.normal(size=(60, 4))[group] + 0.01 * rng.normal(size=(600, 4))
    labels = rng.integers(0, 2, 60)[group]
    model = TabularClassifier(members=3, hidden_layer_sizes=(64,), max_iter=40)
    assert model.fit(rows, labels).score_ > 0.8
    assert model.fit(rows, labels, groups=group).score_ < 0.65


def test_a_model_with_folds_of_the_users_is_saved_without_them(tmp_path):
    model = TabularClassifier(cv=KFold(2), **SMALL).fit(X, Y)
    save(model, tmp_path / "model.safetensors")
    again = load(tmp_path / "model.safetensors")
    assert np.array_equal(again.predict_proba(X), model.predict_proba(X))
    assert again.cv is None
    assert str(again.report()) == str(model.report())


# Validation rows ---------------------------------------------------------------------------------------------------

TRAIN, VAL = X[:80], X[80:]
TABLE = X.assign(y=Y, z=X.a**2 + 1)


def ways():
    """The same validation rows, given in different ways."""
    yield TRAIN, Y[:80], {"X_val": VAL, "y_val": Y[80:]}
    named = TABLE.drop(columns="z")
    yield named[:80], "y", {"X_val": named[80:]}
    yield named[:80], "y", {"X_val": VAL, "y_val": list(Y[80:])}
    yield named[:80], "y", {"X_val": named[80:].rename(columns={"y": "outcome"}), "y_val": "outcome"}
    whole = TabularTask.of(named, "y")
    training, held_out = whole.take(np.arange(80)), whole.take(np.arange(80, N))
    yield training, None, {"X_val": held_out}
    yield training, None, {"X_val": named[80:].to_dict("list")}


def test_all_rows_train_and_validation_rows_score():
    models = [TabularClassifier(members=2, **SMALL).fit(table, y, **given) for table, y, given in ways()]
    first = models[0]
    assert first.out_of_fold_.shape == (40, 2)
    assert np.allclose(first.out_of_fold_, first.predict_proba(VAL))
    assert first.score_ == first.score(VAL, Y[80:])
    assert first.score_on_ == "on the validation rows"
    assert first.n_rows_ == 80
    assert "trained on 80 rows" in str(first.report())
    a, b = (member.network.block for member in first.ensemble_.members)
    assert not np.array_equal(a, b)
    for other in models[1:]:
        assert np.array_equal(other.out_of_fold_, first.out_of_fold_)
    by_learn = learn(TABLE.drop(columns="z")[:80], "y", X_val=TABLE.drop(columns="z")[80:], members=2, **SMALL)
    assert np.array_equal(by_learn.out_of_fold_, first.out_of_fold_)


def test_validation_rows_do_not_change_how_columns_are_encoded():
    model = TabularRegressor(members=2, target_transform=None, **SMALL)
    plain, validated = clone(model).fit(TRAIN, TABLE.z[:80]), clone(model)
    with pytest.warns(TableWarning, match="column 'a': .* outside the training range"):
        validated.fit(TRAIN, TABLE.z[:80], X_val=VAL * 100, y_val=TABLE.z[80:] * 100)
    assert validated.preparation_.to_dict() == plain.preparation_.to_dict()
    assert validated.target_scaler_.center == plain.target_scaler_.center
    assert validated.out_of_fold_.shape == (40,)


@pytest.mark.parametrize(
    "options",
    [{}, {"loss": "poisson"}, {"loss": "absolute_error"}, {"quantiles": (0.1, 0.9)}, {"target_transform": "log"}],
)
def test_numbers_are_validated_by_each_loss(options):
    model = TabularRegressor(members=2, **options, **SMALL)
    model.fit(TRAIN, TABLE.z[:80], np.linspace(1, 2, 80), X_val=VAL, y_val=TABLE.z[80:])
    assert len(model.out_of_fold_) == 40
    if not options:
        assert model.score_ == pytest.approx(model.score(VAL, TABLE.z[80:]))


def test_several_targets_and_ordered_classes_are_validated():
    two = TabularRegressor(members=2, **SMALL).fit(TABLE[["c", "a", "z"]][:80], ["a", "z"], X_val=TABLE[80:])
    assert two.out_of_fold_.shape == (40, 2)
    ordered = TabularClassifier(members=2, ordered=["yes", "no"], class_weight="balanced", **SMALL)
    ordered.fit(TRAIN, Y[:80], X_val=VAL, y_val=Y[80:])
    assert ordered.score_ == ordered.score(VAL, Y[80:])


def test_a_logarithm_is_not_tried_where_validation_targets_are_negative():
    heavy = np.exp(3 * X.a[:80])
    model = TabularRegressor(members=2, **SMALL).fit(TRAIN, heavy, X_val=VAL, y_val=-np.ones(40) * np.arange(40))
    assert model.target_scaler_.kind != "log"


@pytest.mark.parametrize(
    ("cv", "words"), [(None, "all copies of a row train together"), (KFold(2), "some are held out while")]
)
def test_the_report_says_whether_copies_stay_together(cv, words):
    twice = pd.concat([X[:60], X[:60]])
    model = TabularClassifier(cv=cv, **SMALL).fit(twice, np.r_[Y[:60], Y[:60]])
    assert words in " ".join(str(model.report()).split())
    assert model.divides_copies_ == (cv is not None)
