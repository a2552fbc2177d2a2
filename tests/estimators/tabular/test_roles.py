"""Groups, times, weights, ids and missing targets in `fit` and `learn`: what is held out, and what is said of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import LeaveOneGroupOut

import rosenblatt
from rosenblatt import TabularClassifier, TabularRegressor, learn
from rosenblatt.estimators.tabular.architecture import feed
from rosenblatt.estimators.tabular.held_out import HalfChoices
from rosenblatt.tables import TabularTask, read_table

SMALL: dict[str, Any] = {"members": 3, "hidden_layer_sizes": (16,), "max_iter": 12}
TINY: dict[str, Any] = {"members": 3, "hidden_layer_sizes": (4,), "max_iter": 2}
N, N_GROUPS = 600, 60
RNG = np.random.default_rng(1)
GROUP = np.repeat(np.arange(N_GROUPS), N // N_GROUPS)
X = RNG.normal(size=(N_GROUPS, 4))[GROUP] + RNG.normal(0, 0.02, (N, 4))
BY_GROUP = np.where(RNG.permutation(np.tile([0, 1], N_GROUPS // 2))[GROUP], "yes", "no")
LABEL = np.where(X[:, 0] + RNG.normal(size=N) > 0, "yes", "no")
NAMES = np.array([f"C{g:04}" for g in GROUP])
DAY = pd.date_range("2023-01-01", periods=N, freq="h").to_numpy()
VALUE = X[:, 0] + np.arange(N) / 200 + RNG.normal(size=N)
TABLE: dict[str, Any] = {
    **{f"x{i}": X[:, i] for i in range(4)},
    "customer": NAMES,
    "day": DAY,
    "w": RNG.uniform(0.5, 2, N),
    "label": LABEL,
    "value": VALUE,
}


@pytest.mark.long
def test_labels_at_random_by_group_are_not_predicted_for_new_groups() -> None:
    rng, n_groups = np.random.default_rng(0), 200
    group = np.repeat(np.arange(n_groups), 5)
    X = rng.normal(size=(n_groups, 6))[group] + rng.normal(0, 0.02, (len(group), 6))
    y = rng.permutation(np.tile(["no", "yes"], n_groups // 2))[group]
    settings: dict[str, Any] = {"hidden_layer_sizes": (64,), "batch_size": 32, "dropout": 0.0, "max_iter": 32}
    alone = TabularClassifier(**settings).fit(X, y)
    assert alone.score_ > 0.9
    assert f"accuracy {alone.score_:.4f} on rows not seen in training; always" in str(alone.report())
    model = TabularClassifier(**settings).fit(X, y, groups=[f"C{g:04}" for g in group])
    assert model.score_ < 0.57
    for member in model.ensemble_.members:
        assert not set(group[member.held_out]) & set(np.delete(group, member.held_out))
    assert (model.score_on_, model.n_groups_) == ("on groups not seen in training", n_groups)
    assert f"accuracy {model.score_:.4f} on groups not seen in training; always" in str(model.report())
    assert "200 groups: all rows of a group train together, or are held out" in str(model.report())


EPOCHS = np.random.default_rng(0).normal(size=(20, 30, 1))


def error(y: Any, predictions: Any, weights: Any) -> float:
    return float(np.average((y - predictions[:, 0]) ** 2, weights=weights))


@pytest.mark.parametrize("weights", [None, np.random.default_rng(1).uniform(size=30)])
def test_no_group_chooses_the_epoch_that_it_is_scored_by(weights: Any) -> None:
    """Each half of the groups is predicted by the epoch that the other half finds best."""
    y, of = np.arange(30) % 2, np.repeat(np.arange(10), 3)
    choices = HalfChoices(y, weights, of)
    for predictions in EPOCHS:
        choices.after_epoch(predictions, error)
    first, second = choices.halves
    assert (len(first), len(second), len({*of[first]} & {*of[second]})) == (15, 15, 0)
    for chooser, scored in ((first, second), (second, first)):
        own = None if weights is None else weights[chooser]
        best = np.argmin([error(y[chooser], predictions[chooser], own) for predictions in EPOCHS])
        np.testing.assert_array_equal(choices.predictions[scored], EPOCHS[best][scored])


TOO_SMALL: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "one group": (np.arange(30), None, {"groups": np.zeros(30)}),
    "four groups in a half": (np.arange(30), None, {"groups": np.arange(30) % 9}),
    "weights in four groups": (np.arange(30), np.arange(30) < 4, {"groups": np.arange(30)}),
    "a half of one class": (np.arange(30) == 0, None, {"groups": np.arange(30)}),
    "no groups, as in time": (np.arange(30), None, {}),
}


@pytest.mark.parametrize(("y", "weights", "given"), TOO_SMALL.values(), ids=TOO_SMALL)
def test_halves_that_are_too_small_keep_the_last_epoch(y: Any, weights: Any, given: dict[str, Any]) -> None:
    choices = HalfChoices(y, weights, **given)
    for predictions in EPOCHS:
        choices.after_epoch(predictions, error)
        np.testing.assert_array_equal(choices.predictions, predictions)


def test_one_group_in_each_fold_is_scored_by_a_trained_network() -> None:
    group, y = np.arange(N) % 3, X[:, 0] + X[:, 1]
    settings: dict[str, Any] = {"max_iter": 16, "hidden_layer_sizes": (32,)}
    assert TabularRegressor(cv=LeaveOneGroupOut(), **settings).fit(X, y, groups=group).score_ > 0.95


def test_labels_at_random_are_not_predicted_on_later_rows() -> None:
    scores = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        inputs, label = rng.normal(size=(100, 4)), rng.integers(0, 2, 100)
        scores.append(
            TabularClassifier(max_iter=12, hidden_layer_sizes=(8,)).fit(inputs, label, time=range(100)).score_
        )
    assert np.mean(scores) < 0.6


@pytest.mark.parametrize("parameters", [{}, {"loss": "absolute_error"}, {"loss": "poisson"}], ids=str)
def test_no_network_knows_the_level_of_later_targets(parameters: dict[str, Any]) -> None:
    """The first part of the later half is predicted at the level of the earlier one."""
    y = np.where(np.arange(N) < N // 2, 1, 20) + RNG.uniform(0, 0.1, N)
    model = TabularRegressor(**SMALL, **parameters).fit(X, y, time=DAY)
    first = model.out_of_fold_[N // 2 : N // 2 + N // 6]
    assert abs(first.mean() - 1) < 0.7
    inputs = feed(model.preparation_.transform(read_table({f"x{i}": X[:, i] for i in range(4)})))
    levels = [model.target_scaler_.decode(network.predict(inputs)).mean() for network in model.ensemble_.networks]
    assert levels[-1] < 2 < levels[0]  # the first network has trained on the latest rows


def test_errors_on_later_rows_are_those_of_networks_that_saw_only_earlier_ones() -> None:
    """With a trend, as fits on the earlier rows alone, part by part, say."""
    n, settings = 300, {"max_iter": 12, "hidden_layer_sizes": (16,), "members": 3}
    inputs = np.random.default_rng(1).normal(size=(n, 2))
    y = np.arange(n) / 20 + inputs[:, 0]
    found = TabularRegressor(**settings).fit(inputs, y, time=np.arange(n)).out_of_fold_.ravel()  # type: ignore[arg-type]
    for start in (150, 200, 250):
        part = slice(start, start + 50)
        honest = TabularRegressor(**settings).fit(inputs[:start], y[:start]).predict(inputs[part])  # type: ignore[arg-type]
        errors = [float(np.sqrt(np.mean((p - y[part]) ** 2))) for p in (found[part], honest)]
        assert errors[0] > 0.8 * errors[1], errors


@pytest.mark.parametrize("metric", ["f1", "auc", "balanced_error", "log_loss"])
def test_groups_of_one_class_are_scored_by_every_metric(metric: str) -> None:
    table = {"x": X[:, 0], "y": BY_GROUP, "customer": NAMES}
    model = TabularClassifier(**TINY, metric=metric).fit(table, "y", groups="customer")
    assert np.isfinite(model.score_)
    few = {name: cells[:30] for name, cells in table.items()}  # of three groups
    few["y"] = np.where(np.arange(30) < 10, "no", "yes")
    assert np.isfinite(TabularClassifier(**TINY, metric=metric).fit(few, "y", groups="customer").out_of_fold_).any()


@pytest.mark.parametrize(("name", "kind"), [("label", TabularClassifier), ("value", TabularRegressor)])
@pytest.mark.parametrize("given", [{"groups": "customer"}, {"time": "day"}, {"sample_weight": "w"}])
def test_every_door_gives_the_same_model(name: str, kind: Any, given: dict[str, str]) -> None:
    """A name in `learn`, in `fit` with a name as y, in `fit` with an array as y, and an array."""
    (role, column), others = next(iter(given.items())), {"ignore": ["label" if name == "value" else "value"]}
    models = [
        learn(TABLE, name, **given, **TINY, **others),
        kind(**TINY, **others).fit(TABLE, name, **given),
        kind(**TINY, **others).fit({c: v for c, v in TABLE.items() if c != name}, TABLE[name], **given),
        kind(**TINY, **others).fit({c: v for c, v in TABLE.items() if c != column}, name, **{role: TABLE[column]}),
        learn(TabularTask.of(TABLE, name, **{role.replace("sample_weight", "weights"): column}), **TINY, **others),
    ]
    for model in models:
        assert column not in list(model.feature_names_in_)
        assert model.score_on_ == models[0].score_on_
        np.testing.assert_array_equal(model.out_of_fold_, models[0].out_of_fold_)
    plain = learn({c: v for c, v in TABLE.items() if c != column}, name, **TINY, **others)
    assert not np.array_equal(plain.out_of_fold_, models[0].out_of_fold_)


@pytest.mark.parametrize("metric", ["error", "f1", "auc", "balanced_error", "log_loss"])
def test_members_are_scored_by_later_rows_only(metric: str) -> None:
    order = RNG.permutation(N)  # rows need not be sorted
    model = TabularClassifier(**TINY, metric=metric).fit(X[order], LABEL[order], time=DAY[order])
    for member in model.ensemble_.members:
        assert len(member.held_out)
    earliest = min(DAY[order][member.held_out].min() for member in model.ensemble_.members)
    known = ~np.isnan(model.out_of_fold_[:, 0])
    assert known.sum() == N // 2
    np.testing.assert_array_equal(known, DAY[order] >= earliest)
    assert model.score_on_ == "on later rows"
    assert "on later rows; " in str(model.report())
    if metric == "error":
        right = accuracy_score(LABEL[order][known], model.classes_[model.out_of_fold_[known].argmax(axis=1)])
        assert model.score_ == pytest.approx(right)


@pytest.mark.parametrize(
    "parameters",
    [{}, {"quantiles": (0.05, 0.5, 0.95)}, {"loss": "absolute_error"}, {"target_transform": "log"}],
    ids=["mean", "quantiles", "median", "log"],
)
def test_numbers_are_calibrated_by_later_rows(parameters: dict[str, Any], tmp_path: Any) -> None:
    y = np.exp(VALUE / 2)
    model = TabularRegressor(**SMALL, **parameters).fit(X, y, time=DAY)
    known = ~np.isnan(model.out_of_fold_.reshape(N, -1)[:, 0])
    assert (known.sum(), bool(np.isfinite(model.residuals_).all())) == (N // 2, True)
    if "quantiles" not in parameters and "loss" not in parameters:
        assert model.score_ == pytest.approx(r2_score(y[known], model.out_of_fold_[known]))
    low, high = model.predict_interval(X, 0.9).T
    assert (low <= high).all()
    rosenblatt.save(model, tmp_path / "model")
    loaded = rosenblatt.load(tmp_path / "model")
    assert (str(loaded.report()), loaded.score_on_) == (str(model.report()), "on later rows")


def test_classes_that_only_later_rows_have_are_learned() -> None:
    label = np.where(np.arange(N) < 2 * N // 3, "old", np.where(np.arange(N) % 2, "old", "new"))
    model = TabularClassifier(**TINY, metric="auc").fit(X, label, time=np.arange(N))
    assert model.predict_proba(X).shape == (N, 2)
    assert np.isfinite(model.score_)


def test_a_time_budget_keeps_the_networks_with_the_most_rows() -> None:
    model = TabularClassifier(**{**TINY, "max_iter": 64}, time_budget=0.05).fit(X, LABEL, time=DAY)
    assert model.ensemble_.members[0].held_out.min() >= N - N // 6  # in the last of three parts of the later half
    assert model.score_on_ == "on later rows"


def test_class_weights_and_weights_reach_learn() -> None:
    rare = np.where((np.arange(N) % 10 == 0) & (X[:, 0] > 0), "rare", "common")
    table = {**{f"x{i}": X[:, i] for i in range(4)}, "y": rare, "w": np.ones(N)}
    plain, balanced = (learn(table, "y", sample_weight="w", class_weight=w, **SMALL) for w in (None, "balanced"))
    mean = [np.nanmean(model.out_of_fold_[:, 1]) for model in (plain, balanced)]
    assert mean[1] > 2 * mean[0]
    with pytest.raises(TypeError, match="class_weight"):
        learn(TABLE, "value", class_weight="balanced")


def test_rows_without_a_target_are_counted() -> None:
    label = LABEL.astype(object)
    label[[3, 50, 51]] = None
    with pytest.raises(ValueError, match=r"in rows 4, 51, 52 .*3 of 600 rows.*drop_missing_target=True"):
        learn({**TABLE, "label": label}, "label")
    model = learn({**TABLE, "label": label}, "label", groups="customer", drop_missing_target=True, **TINY)
    assert (model.n_dropped_, len(model.out_of_fold_)) == (3, N - 3)
    assert "3 rows without a target were left out" in str(model.report())
    kept = np.delete(np.arange(N), [3, 50, 51])
    for y in (label, label.tolist(), pd.Series(label)):
        other = TabularClassifier(**TINY).fit(X, y, groups=NAMES, drop_missing_target=True)
        rest = TabularClassifier(**TINY).fit(X[kept], LABEL[kept], groups=NAMES[kept])
        assert (other.n_dropped_, rest.n_dropped_) == (3, 0)
        np.testing.assert_array_equal(other.out_of_fold_, rest.out_of_fold_)


TARGETS: dict[str, Any] = {
    "floats": np.where(np.arange(N) == 7, np.nan, VALUE),
    "nullable": pd.Series(np.arange(N) % 50, dtype="Int64").mask(np.arange(N) == 7),
    "two columns": np.column_stack([VALUE, np.where(np.arange(N) == 7, np.nan, VALUE)]),
    "a frame": pd.DataFrame({"a": np.where(np.arange(N) == 7, np.nan, VALUE), "b": VALUE}),
    "lists": [[float(v), np.nan if i == 7 else 1.0 * i] for i, v in enumerate(VALUE)],
}


@pytest.mark.parametrize("y", TARGETS.values(), ids=TARGETS)
def test_targets_of_every_form_are_dropped_by_row(y: Any) -> None:
    weights = np.ones(N)
    weights[7] = 5
    model = TabularRegressor(**TINY).fit(X, y, weights, drop_missing_target=True)
    assert (model.n_dropped_, len(model.out_of_fold_)) == (1, N - 1)
    with pytest.raises(ValueError, match=r"1 of 600 rows, the first of which is row 7 \(from 0\)"):
        TabularRegressor(**TINY).fit(X, y)


def test_without_any_target_there_is_nothing_to_drop_to() -> None:
    with pytest.raises(ValueError, match="no value in any row"):
        TabularRegressor().fit(X, np.full(N, np.nan), drop_missing_target=True)


def test_ids_are_no_inputs_and_are_kept_in_a_file(tmp_path: Any) -> None:
    model = learn(TABLE, "label", id=["customer", "day"], groups="customer", ignore="value", **TINY)
    assert model.id_columns_ == ["customer", "day"]
    assert list(model.feature_names_in_) == ["x0", "x1", "x2", "x3", "w", "value"]
    rosenblatt.save(model, tmp_path / "model")
    loaded = rosenblatt.load(tmp_path / "model")
    kept = ("id_columns_", "n_groups_", "n_dropped_", "score_on_")
    assert [getattr(loaded, name) for name in kept] == [getattr(model, name) for name in kept]
    with_ids = model.predict(TABLE)
    np.testing.assert_array_equal(with_ids, model.predict({f: TABLE[f] for f in model.feature_names_in_}))
    fitted = TabularClassifier(**TINY).fit(TABLE, "label", id="day", groups="customer")
    assert fitted.id_columns_ == ["day"]


def test_the_report_asks_about_ids_and_dates() -> None:
    table = {name: TABLE[name] for name in ("x0", "x1", "customer", "day", "value")}
    report = str(learn(table, "value", **TINY).report())
    assert "say groups='customer'" in report
    assert "say time='day'" in report
    assert "say time=" not in str(learn(table, "value", groups="customer", **TINY).report())


def test_a_whole_number_names_a_column_for_every_role_and_weights_all_rows_of_an_array() -> None:
    frame = pd.DataFrame({0: X[:, 0], 1: GROUP, 2: TABLE["w"]})
    for given, others in (({"sample_weight": 2}, [1]), ({"groups": 1}, [2])):
        ((role, number),) = given.items()
        named = TabularClassifier(**TINY, ignore=others).fit(frame, LABEL, **given)
        rest = frame.drop(columns=number)
        beside = TabularClassifier(**TINY, ignore=others).fit(rest, LABEL, **{role: frame[number].to_numpy()})
        np.testing.assert_array_equal(named.out_of_fold_, beside.out_of_fold_)
    with pytest.raises(ValueError, match="sample_weight names a column '7' that is not there"):
        TabularClassifier(**TINY).fit(frame, LABEL, sample_weight=7)
    two, ones = (TabularClassifier(**TINY).fit(X, LABEL, sample_weight=w) for w in (2, np.full(N, 2.0)))
    np.testing.assert_array_equal(two.out_of_fold_, ones.out_of_fold_)


@pytest.mark.parametrize(("name", "kind"), [("label", TabularClassifier), ("value", TabularRegressor)])
def test_validation_rows_have_the_weights_of_their_column(name: str, kind: Any) -> None:
    table = pd.DataFrame({"x0": X[:, 0], "w": np.where(np.arange(N) % 2, 1.0, 0.0), name: TABLE[name]})
    first, last = table[:400], table[400:]
    model = kind(**TINY).fit(first, name, sample_weight="w", X_val=last)
    score = accuracy_score if name == "label" else r2_score
    found = model.predict(last.drop(columns=["w", name]))
    assert model.score_ == pytest.approx(score(last[name], found, sample_weight=last["w"]))
    task = TabularTask.of(last, name, weights="w")
    assert kind(**TINY).fit(first, name, sample_weight="w", X_val=task).score_ == model.score_
    with pytest.raises(ValueError, match=r"X_val: sample_weight \(column 'w'\) is -1"):
        kind(**TINY).fit(first, name, sample_weight="w", X_val=last.assign(w=-1.0))
