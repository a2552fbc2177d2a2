# ruff: noqa: E501 (one case per line)
"""Targets of all kinds: heavy tails, counts, quantiles and intervals, ordered and imbalanced classes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import metrics

import rosenblatt
from rosenblatt import TabularClassifier, TabularRegressor
from rosenblatt.estimators.tabular.metrics import CLASS_METRICS
from rosenblatt.estimators.tabular.ordinal import cumulative, from_cumulative
from rosenblatt.estimators.tabular.target_scaling import TargetScaler, conformal_quantile, fit_target_scaler
from rosenblatt.estimators.tabular.target_transform import has_heavy_tail

Case = tuple[Any, Any, str]
QUICK: dict[str, Any] = {"hidden_layer_sizes": (32, 32), "members": 3, "max_iter": 24}


def rows(n: int, seed: int = 0) -> tuple[Any, Any]:
    """Two inputs, and the generator for further draws."""
    rng = np.random.default_rng(seed)
    return rng.uniform(-1, 1, (n, 2)), rng


def uneven(n: int, seed: int = 0) -> tuple[Any, Any]:
    """A target whose noise grows with the second input, from 0.05 to 1.05."""
    X, rng = rows(n, seed)
    return X, X[:, 0] + (0.55 + 0.5 * X[:, 1]) * rng.normal(size=n)


# TargetScaler -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["linear", "log", "mean"])
def test_units_go_there_and_back(kind: str) -> None:
    y = np.random.default_rng(0).gamma(2.0, size=(200, 1)) * 1e6
    units = fit_target_scaler(y, kind)
    encoded = units.encode(y)
    assert encoded.dtype == np.float32
    np.testing.assert_allclose(units.decode(encoded), y, rtol=1e-5)
    if kind != "mean":
        assert encoded.mean() == pytest.approx(0, abs=1e-6)
        assert encoded.std() == pytest.approx(1, rel=1e-6)
    assert units.decode(np.array([[1e9], [-1e9]])).ravel().tolist() == [y.max(), y.min()]


def test_the_mean_of_a_logarithm_is_smeared() -> None:
    rng = np.random.default_rng(1)
    y = np.exp(rng.normal(2.0, 0.8, size=(200_000, 1)))
    units = fit_target_scaler(y, "log")
    constant = np.zeros_like(y)  # the mean of the logarithm
    with_smearing = units.with_smearing(y, constant)
    assert with_smearing.factor == pytest.approx(np.exp(0.8**2 / 2), rel=0.01)  # of a lognormal distribution
    assert with_smearing.decode(constant[:1])[0, 0] == pytest.approx(y.mean(), rel=1e-6)


def test_zeros_have_a_logarithm() -> None:
    y = np.array([[0.0], [4.0], [10.0]])
    units = fit_target_scaler(y, "log")
    assert units.offset == 2.0
    np.testing.assert_allclose(units.decode(units.encode(y)), y, atol=1e-5)


@pytest.mark.parametrize("q", [0.05, 0.5, 0.9])
def test_a_conformal_quantile_covers_a_further_one(q: float) -> None:
    rng = np.random.default_rng(2)
    below = [float(rng.normal()) <= conformal_quantile(rng.normal(size=59), q) for _ in range(4000)]
    assert np.mean(below) == pytest.approx(q, abs=0.02)
    assert conformal_quantile(np.arange(9.0), 0.9) == 8.0
    assert conformal_quantile(np.arange(19.0), 0.9) == 17.0


def test_heavy_tails_are_seen() -> None:
    rng = np.random.default_rng(3)
    normal, log_normal = rng.normal(10, 1, (500, 1)), np.exp(rng.normal(size=(500, 1)))
    assert [has_heavy_tail(y) for y in (normal, log_normal, -log_normal, np.zeros((5, 1)))] == [
        False,
        True,
        False,
        False,
    ]


# Regressions -----------------------------------------------------------------------------------------------------


@pytest.mark.long
def test_a_heavy_tail_is_learned_as_a_logarithm_where_that_is_better() -> None:
    X, rng = rows(1200)
    y = np.exp(3 * X[:, 0] + 2 * X[:, 1] + rng.normal(size=1200) * 0.3)
    test = rows(4000, seed=9)[0]
    truth = np.exp(3 * test[:, 0] + 2 * test[:, 1] + 0.3**2 / 2)
    auto, plain = (TabularRegressor(target_transform=t, **QUICK).fit(X, y) for t in ("auto", None))
    assert (auto.target_scaler_.kind, plain.target_scaler_.kind) == ("log", "linear")
    errors = [np.mean((model.predict(test) - truth) ** 2) for model in (auto, plain)]
    assert errors[0] < 0.7 * errors[1]
    assert auto.out_of_fold_.mean() == pytest.approx(y.mean(), rel=0.02)  # with_smearing: not the median
    assert TabularRegressor(**QUICK).fit(X, X[:, 0] + X[:, 1]).target_scaler_.kind == "linear"


def test_counts_are_predicted_as_positive_means() -> None:
    X, rng = rows(2000)
    rate = np.exp(1.5 * X[:, 0] - 1.0)
    y = rng.poisson(rate)
    model = TabularRegressor(loss="poisson", **QUICK).fit(X, y)
    test = rows(4000, seed=9)[0]
    predicted, truth = model.predict(test), np.exp(1.5 * test[:, 0] - 1.0)
    assert (predicted > 0).all()
    assert np.mean((predicted - truth) ** 2) < 0.05 * truth.var()
    assert model.score_ == pytest.approx(metrics.d2_tweedie_score(y, model.out_of_fold_, power=1))
    assert "D2 of the Poisson deviance" in str(model.report())


@pytest.mark.long
def test_the_absolute_error_finds_medians() -> None:
    X, rng = rows(3000)
    y = X[:, 0] + rng.exponential(size=3000)
    test = rows(2000, seed=9)[0]
    medians, means = (
        TabularRegressor(loss=loss, target_transform=None, **QUICK).fit(X, y).predict(test) - test[:, 0]
        for loss in ("absolute_error", "squared_error")
    )
    assert medians.mean() == pytest.approx(np.log(2), abs=0.06)
    assert means.mean() == pytest.approx(1.0, abs=0.06)


def test_quantiles_cover_as_they_say_and_widen_with_the_noise() -> None:
    quantiles = (0.05, 0.25, 0.5, 0.75, 0.95)
    model = TabularRegressor(quantiles=quantiles, **QUICK).fit(*uneven(2000))
    X, y = uneven(6000, seed=9)
    predicted = model.predict(X)
    assert predicted.shape == (6000, 5)
    assert (np.diff(predicted, axis=1) >= 0).all()
    np.testing.assert_allclose((y[:, None] < predicted).mean(axis=0), quantiles, atol=0.03)
    interval = model.predict_interval(X, 0.9)
    np.testing.assert_array_equal(interval, predicted[:, [0, 4]])
    width = interval[:, 1] - interval[:, 0]
    assert width[X[:, 1] > 0.5].mean() > 2.5 * width[X[:, 1] < -0.5].mean()
    assert model.score_ > 0.1


@pytest.mark.parametrize("coverage", [0.5, 0.9])
def test_intervals_of_a_mean_cover_as_they_say(coverage: float) -> None:
    model = TabularRegressor(**QUICK).fit(*uneven(2000))
    X, y = uneven(6000, seed=9)
    low, high = model.predict_interval(X, coverage).T
    assert ((y >= low) & (y <= high)).mean() == pytest.approx(coverage, abs=0.03)


def test_intervals_of_a_logarithm_and_of_several_targets() -> None:
    X, rng = rows(1500)
    y = np.exp(X[:, 0] + rng.normal(size=1500))
    model = TabularRegressor(target_transform="log", **QUICK).fit(X[:1000], y[:1000])
    low, high = model.predict_interval(X[1000:], 0.8).T
    assert ((y[1000:] >= low) & (y[1000:] <= high)).mean() == pytest.approx(0.8, abs=0.06)
    assert np.corrcoef(high - low, model.predict(X[1000:]))[0, 1] > 0.9  # wider where it is larger
    both = TabularRegressor(**QUICK).fit(X[:1000], np.column_stack([X[:1000, 0], y[:1000]]))
    assert both.predict_interval(X[1000:]).shape == (500, 2, 2)


# Classes ---------------------------------------------------------------------------------------------------------


def test_metrics_are_scikit_learns() -> None:
    rng = np.random.default_rng(4)
    for n_classes in (2, 4):
        labels = rng.integers(0, n_classes, 300)
        p = rng.dirichlet(np.ones(n_classes), 300) + 0.5 * np.eye(n_classes)[labels]
        p /= p.sum(axis=1, keepdims=True)
        for weights in (None, rng.random(300)):
            options = {"sample_weight": weights}
            found = {name: metric.metric.measure(labels, p, weights) for name, metric in CLASS_METRICS.items()}
            predicted = p.argmax(axis=1)
            average = "binary" if n_classes == 2 else "macro"
            expected = {
                "error": 1 - metrics.accuracy_score(labels, predicted, **options),
                "log_loss": metrics.log_loss(labels, p, **options),
                "balanced_error": 1 - metrics.balanced_accuracy_score(labels, predicted, **options),
                "f1": 1 - metrics.f1_score(labels, predicted, average=average, **options),
                "auc": 1
                - metrics.roc_auc_score(labels, p[:, 1] if n_classes == 2 else p, multi_class="ovr", **options),
            }
            assert found == pytest.approx(expected, abs=1e-9)


def test_a_metric_without_all_classes_is_still_a_number() -> None:
    p = np.full((5, 3), 1 / 3)
    for metric in CLASS_METRICS.values():
        assert 0 <= metric.metric.measure(np.zeros(5, int), p, None) <= 1.2


def imbalanced(n: int, seed: int = 0) -> tuple[Any, Any]:
    """One in about fifteen rows is of the second class, and no input tells for sure."""
    X, rng = rows(n, seed)
    return X, (rng.random(n) < 1 / (1 + np.exp(4.5 - 4 * X[:, 0]))).astype(int)


@pytest.mark.long
@pytest.mark.parametrize(
    ("metric", "score"), [("f1", metrics.f1_score), ("balanced_error", metrics.balanced_accuracy_score)]
)
def test_rare_classes_are_decided_on_by_the_metric(metric: str, score: Any) -> None:
    X, y = imbalanced(2500)
    test, truth = imbalanced(8000, seed=9)
    tuned, plain = (TabularClassifier(metric=name, **QUICK).fit(X, y) for name in (metric, "error"))
    assert score(truth, tuned.predict(test)) > score(truth, plain.predict(test)) + 0.1
    assert tuned.decision_weights_[1] > 1
    assert plain.decision_weights_.tolist() == [1, 1]
    assert tuned.score_ == pytest.approx(
        score(y, (tuned.out_of_fold_ * tuned.decision_weights_).argmax(axis=1)), abs=1e-9
    )


def test_cumulative_probabilities_become_those_of_classes() -> None:
    above = np.array([[0.9, 0.6, 0.1], [0.3, 0.5, 0.2]])
    np.testing.assert_allclose(from_cumulative(above), [[0.1, 0.3, 0.5, 0.1], [0.7, 0.0, 0.1, 0.2]], atol=1e-12)
    labels = np.array([0, 2, 3])
    assert cumulative(labels, 4).tolist() == [[0, 0, 0], [1, 1, 0], [1, 1, 1]]
    np.testing.assert_array_equal(from_cumulative(cumulative(labels, 4)).argmax(axis=1), labels)


def test_ordered_classes_are_learned_in_their_order() -> None:
    X, rng = rows(1500)
    levels = np.array(["low", "middle", "high", "very high"])
    place = np.digitize(X[:, 0] + 0.3 * rng.normal(size=1500), [-0.5, 0.0, 0.5])
    model = TabularClassifier(ordered=list(levels), **QUICK).fit(X[:1000], levels[place[:1000]])
    assert model.classes_.tolist() == levels.tolist()
    probabilities = model.predict_proba(X[1000:])
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert (probabilities >= 0).all()
    assert np.abs(probabilities.argmax(axis=1) - place[1000:]).mean() < 0.5
    numbers = TabularClassifier(ordered=True, **QUICK).fit(X[:1000], place[:1000] * 10)
    assert numbers.classes_.tolist() == [0, 10, 20, 30]
    assert metrics.log_loss(place[1000:], probabilities) < 1.0


# Files and bad input ---------------------------------------------------------------------------------------------

X60, RNG = rows(60)
Y60 = np.exp(2 * X60[:, 0])
CLASSES = np.where(X60[:, 0] > 0.4, "b", np.where(X60[:, 0] < -0.4, "a", "c"))
KINDS: dict[str, tuple[Any, Any]] = {
    "quantiles": (TabularRegressor(quantiles=[0.1, 0.9]), Y60),
    "log": (TabularRegressor(target_transform="log"), Y60),
    "poisson": (TabularRegressor(loss="poisson"), np.column_stack([Y60, Y60[::-1]])),
    "absolute": (TabularRegressor(loss="absolute_error"), Y60),
    "ordered": (TabularClassifier(ordered=["a", "c", "b"]), CLASSES),
    "ordered numbers": (TabularClassifier(ordered=True, metric="auc"), np.arange(60) % 3),
    "f1": (TabularClassifier(metric="f1"), CLASSES),
}


@pytest.mark.parametrize(("model", "y"), KINDS.values(), ids=KINDS)
def test_all_kinds_come_back_from_a_file(model: Any, y: Any, tmp_path: Path) -> None:
    model = model.set_params(members=2, max_iter=2, hidden_layer_sizes=(8,)).fit(X60, y)
    rosenblatt.save(model, tmp_path / "m")
    again = rosenblatt.load(tmp_path / "m")
    np.testing.assert_array_equal(again.predict(X60), model.predict(X60))
    assert str(again.report()) == str(model.report())
    if isinstance(model, TabularClassifier):
        np.testing.assert_array_equal(again.predict_proba(X60), model.predict_proba(X60))
    else:
        coverage = 0.8
        np.testing.assert_array_equal(again.predict_interval(X60, coverage), model.predict_interval(X60, coverage))


def regressor(**parameters: Any) -> TabularRegressor:
    return TabularRegressor(max_iter=1, members=1, hidden_layer_sizes=(4,), **parameters)


def classifier(**parameters: Any) -> TabularClassifier:
    return TabularClassifier(max_iter=1, members=1, hidden_layer_sizes=(4,), **parameters)


CASES: dict[str, Case] = {
    "no quantiles": (lambda: regressor(quantiles=[]).fit(X60, Y60), ValueError, r"quantiles are \[\]; give rising numbers"),
    "falling quantiles": (lambda: regressor(quantiles=(0.9, 0.1)).fit(X60, Y60), ValueError, r"give rising numbers between 0 and 1, as \(0\.1, 0\.9\)"),
    "a quantile of one": (lambda: regressor(quantiles=(0.5, 1.0)).fit(X60, Y60), ValueError, r"quantiles are \(0\.5, 1\.0\)"),
    "quantiles and a loss": (lambda: regressor(quantiles=(0.5,), loss="poisson").fit(X60, Y60), ValueError, r"their own loss: leave loss='poisson' out"),
    "quantiles of two targets": (lambda: regressor(quantiles=(0.5,)).fit(X60, X60), ValueError, r"y has 2\. Fit one model for each"),
    "negative counts": (lambda: regressor(loss="poisson").fit(X60, Y60 - 1), ValueError, r"loss='poisson' needs targets >= 0, but y is -0\.\d+ in row \d+"),
    "negative logarithm": (lambda: regressor(target_transform="log").fit(X60, -Y60), ValueError, r"target_transform='log' needs targets >= 0"),
    "logarithm of counts": (lambda: regressor(target_transform="log", loss="poisson").fit(X60, Y60), ValueError, r"a loss other than 'poisson'"),
    "no counts": (lambda: regressor(loss="poisson").fit(X60, 0 * Y60), ValueError, r"y is 0 in every row"),
    "unknown loss": (lambda: regressor(loss="poison").fit(X60, Y60), ValueError, r"'loss' parameter of TabularRegressor"),
    "coverage of one": (lambda: regressor().fit(X60, Y60).predict_interval(X60, 1.0), ValueError, r"coverage is 1\.0; it must lie between 0 and 1"),
    "coverage of percents": (lambda: regressor().fit(X60, Y60).predict_interval(X60, 90), ValueError, r"coverage is 90"),
    "other coverage": (lambda: regressor(quantiles=(0.1, 0.9)).fit(X60, Y60).predict_interval(X60, 0.9), ValueError, r"coverage 0\.9 needs the quantiles 0\.05 and 0\.95, but .* \(0\.1, 0\.9\)"),
    "unknown metric": (lambda: classifier(metric="accuracy").fit(X60, CLASSES), ValueError, r"'metric' parameter of TabularClassifier"),
    "order without a class": (lambda: classifier(ordered=["a", "b"]).fit(X60, CLASSES), ValueError, r"ordered is \['a', 'b'\]; it must list each class of y once, which are \['a', 'b', 'c'\]"),
    "order with a class twice": (lambda: classifier(ordered=["a", "b", "c", "a"]).fit(X60, CLASSES), ValueError, r"list each class of y once"),
    "order of unknown classes": (lambda: classifier(ordered=[1, 2, 3]).fit(X60, CLASSES), ValueError, r"ordered is \[1, 2, 3\]"),
}  # fmt: skip


@pytest.mark.parametrize(("attempt", "error", "message"), CASES.values(), ids=CASES)
def test_bad_input(attempt: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"(?s){message}"):
        attempt()


BAD_UNITS: dict[str, Any] = {
    "no fields": {},
    "unknown kind": {"kind": "sqrt"},
    "negative scale": {"scale": [-1.0]},
    "two centers": {"center": [1.0, 2.0]},
    "text": {"lowest": ["x"]},
    "NaN": {"factor": float("nan")},
}


@pytest.mark.parametrize("change", BAD_UNITS.values(), ids=BAD_UNITS)
def test_units_of_a_file_are_checked(change: dict[str, Any]) -> None:
    valid = {"kind": "linear", "center": [0.0], "scale": [1.0], "lowest": [0.0], "highest": [1.0]}
    valid |= {"offset": 0.0, "factor": 1.0, "shifts": []}
    assert TargetScaler.from_dict(valid).scale == (1.0,)
    with pytest.raises(ValueError, match=re.compile("units")):
        TargetScaler.from_dict({**valid, **change} if change else change)


def line_with(outlier=None, n=200):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 2))
    y = X[:, 0] + 0.1 * rng.normal(size=n)
    if outlier is not None:
        y[5] = outlier
    return X, y


@pytest.mark.parametrize("outlier", [1e6, -1e6, 1e100])
@pytest.mark.parametrize("parameters", [{"loss": "absolute_error"}, {"quantiles": (0.1, 0.5, 0.9)}])
def test_one_outlier_does_not_spoil_robust_losses(parameters, outlier):
    X, y = line_with(outlier)
    model = TabularRegressor("fast", max_iter=20, **parameters).fit(X, y)
    found = model.predict(X).reshape(len(X), -1)
    found = found[:, found.shape[1] // 2]
    assert np.abs(found - X[:, 0]).mean() < 0.15


@pytest.mark.parametrize(
    ("values", "center", "scale"),
    [
        (np.r_[np.zeros(199), 1e6], 0, np.r_[np.zeros(199), 1e6].std()),
        (np.r_[np.zeros(80), np.arange(20.0)], 0, 9.1 / 2.563),
        (np.full(9, 7.0), 7, 1),
        (np.arange(101.0), 50, 50 / 1.349),
    ],
)
def test_robust_units_find_a_spread_where_half_of_the_numbers_are_equal(values, center, scale):
    units = fit_target_scaler(values[:, None], robust=True)
    assert units.center == (center,)
    assert units.scale == pytest.approx((scale,), rel=0.1)


@pytest.mark.parametrize("kind", ["linear", "log", "mean"])
@pytest.mark.parametrize("robust", [False, True])
def test_rows_of_weight_zero_do_not_scale_targets(kind, robust):
    y = np.random.default_rng(0).gamma(2.0, size=(50, 1)) + 0.1
    weights = np.random.default_rng(1).integers(1, 4, 50).astype(float)
    spoilt, of_all = np.vstack([y, [[1e6]]]), np.append(weights, 0)
    assert fit_target_scaler(spoilt, kind, of_all, robust=robust) == fit_target_scaler(y, kind, weights, robust=robust)
    repeated = fit_target_scaler(np.repeat(y, weights.astype(int), axis=0), kind, robust=robust)
    found = fit_target_scaler(y, kind, weights, robust=robust)
    assert found.center == pytest.approx(repeated.center, rel=0.1)
    assert found.scale == pytest.approx(repeated.scale, rel=0.1)


def test_conformal_quantiles_take_weights():
    residuals = np.random.default_rng(0).normal(size=40)
    assert conformal_quantile(residuals, 0.9, np.full(40, 3.0)) == conformal_quantile(residuals, 0.9)
    assert conformal_quantile(residuals, 0.1, np.full(40, 3.0)) == conformal_quantile(residuals, 0.1)
    assert conformal_quantile(np.r_[residuals, 100], 0.9, np.r_[np.ones(40), 0]) == conformal_quantile(residuals, 0.9)
    heavy = np.where(residuals == residuals.max(), 100.0, 1.0)
    assert conformal_quantile(residuals, 0.5, heavy) == residuals.max()


@pytest.mark.parametrize("parameters", [{"quantiles": (0.1, 0.9)}, {}])
def test_intervals_are_calibrated_to_the_weighted_rows(parameters):
    rng = np.random.default_rng(0)
    X, wide = rng.normal(size=(600, 2)), np.arange(600) % 2 == 0
    y = rng.normal(size=600) * np.where(wide, 10, 0.1)
    width = [
        np.ptp(TabularRegressor("fast", max_iter=2, **parameters).fit(X, y, w).predict_interval(X, 0.8), axis=1).mean()
        for w in (np.where(wide, 1.0, 1e-6), np.where(wide, 1e-6, 1.0))
    ]
    assert width[0] > 10 * width[1]


def test_targets_that_float64_cannot_scale_are_refused():
    X, y = line_with(1e300)
    with pytest.raises(ValueError, match=r"y is too large for float64: .* Divide"):
        TabularRegressor("fast").fit(X, y)


def test_a_class_without_weight_cannot_be_balanced():
    X, y = line_with()
    labels = np.where(y > 1, "high", np.where(y < 0, "low", "middle"))
    weights = np.where(labels == "high", 0.0, 1.0)
    with pytest.raises(ValueError, match=r"no row with a positive weight has the label 'high'"):
        TabularClassifier("fast", class_weight="balanced").fit(X, labels, weights)
    model = TabularClassifier("fast", max_iter=2).fit(X, labels, weights)
    assert "high" in model.classes_


@pytest.mark.parametrize(("part", "members"), [("training", 1), ("held-out", 1), ("held-out", 5)])
def test_folds_without_weight_are_refused(part, members):
    X, y = line_with()
    model = TabularRegressor(members=members, max_iter=1).fit(X, y)
    held_out = np.isin(np.arange(len(y)), model.ensemble_.members[0].held_out)
    with pytest.raises(ValueError, match=f"weights of all .* {part} rows of network 1 are zero"):
        model.fit(X, y, np.where(held_out, 1.0, 0.0) if part == "training" else np.where(held_out, 0.0, 1.0))


SMALL: list[Any] = [
    *((TabularClassifier, {"metric": metric}) for metric in CLASS_METRICS),
    (TabularClassifier, {"ordered": True}),
    (TabularClassifier, {"class_weight": "balanced"}),
    *((TabularRegressor, {"loss": loss}) for loss in ("squared_error", "absolute_error")),
    (TabularRegressor, {"quantiles": (0.1, 0.9)}),
]


@pytest.mark.parametrize("n", [2, 3, 5])
@pytest.mark.parametrize(("kind", "parameters"), SMALL)
@pytest.mark.parametrize("members", [1, 5])
def test_a_few_rows_can_be_learned_from(kind, parameters, n, members):
    X, noise = rows(n)
    y = np.arange(n) % 2 if kind is TabularClassifier else noise.gamma(2.0, size=n)
    model = kind(members=members, max_iter=2, hidden_layer_sizes=8, **parameters).fit(X, y)
    assert np.isfinite(model.score_)
    assert len(model.predict(X)) == n
    assert "rows of 2 columns" in str(model.report())


@pytest.mark.parametrize(("kind", "parameters"), SMALL[:7])
@pytest.mark.parametrize("members", [1, 3])
def test_a_class_may_have_a_single_row(kind, parameters, members):
    X, y = rows(21)[0], np.array([0] * 20 + [1])
    model = kind(members=members, max_iter=2, hidden_layer_sizes=8, **parameters).fit(X, y)
    assert model.classes_.tolist() == [0, 1]


def test_few_rows_are_blamed_for_a_divergence():
    X, y = rows(3)[0], np.array([0.0, 1, 3])
    with pytest.raises(rosenblatt.training.DivergenceError, match=r"There are only 2 training rows: give more\. Try a"):
        TabularRegressor("fast", max_iter=2, loss="poisson", learning_rate_init=1e30).fit(X, y)


def test_the_smearing_factor_counts_rows_as_their_weights_say():
    rng = np.random.default_rng(0)
    y, outputs, weights = rng.lognormal(size=(40, 1)), rng.normal(size=(40, 1)), rng.integers(0, 4, 40)
    units = fit_target_scaler(y, "log")
    repeated = units.with_smearing(np.repeat(y, weights, axis=0), np.repeat(outputs, weights, axis=0))
    assert units.with_smearing(y, outputs, weights).factor == pytest.approx(repeated.factor)
    X = rng.normal(size=(40, 2))
    model = TabularRegressor(members=2, max_iter=2, hidden_layer_sizes=(4,), target_transform="log")
    assert np.isfinite(model.fit(X, np.exp(X[:, 0] + X[:, 1]), 1.0 + weights).predict(X)).all()
