"""Contributions to single predictions: Shapley's definition, integrals by SciPy and linear models as oracles."""

from dataclasses import replace
from itertools import permutations
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.integrate import trapezoid
from tests.estimators.tabular.test_explain import linear, with_networks

import rosenblatt
from rosenblatt import TabularClassifier, TabularRegressor
from rosenblatt.estimators.tabular.explain.integrated_gradients import integrated_gradients
from rosenblatt.estimators.tabular.explain.ordered_odds import MeanLogOdds
from rosenblatt.estimators.tabular.target_scaling import TargetScaler

METHODS = ("integrated_gradients", "shapley")
RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(160, 4))
TREND = ROWS[:, 0] * ROWS[:, 1] + ROWS[:, 2] + RNG.normal(0, 0.1, 160)
MIXED = {
    "size": ROWS[:, 0],
    "colour": RNG.choice(["red", "green", "blue"], 160),
    "town": [f"town {i}" for i in RNG.integers(0, 30, 160)],
    "day": np.datetime64("2020-01-01") + RNG.integers(0, 90, 160).astype("timedelta64[D]"),
    "note": [" ".join(RNG.choice(["good", "bad", "slow", "late", "dear"], 5)) for _ in range(160)],
    "always": np.ones(160),
}
LABELS = np.where(ROWS[:, 0] + (MIXED["colour"] == "red") > 0.3, "yes", "no")


@pytest.fixture(scope="module")
def classifier():
    return TabularClassifier("fast", max_iter=6, members=2).fit(ROWS, np.where(TREND > 0, "yes", "no"))


@pytest.fixture(scope="module")
def mixed():
    return TabularClassifier("fast", max_iter=4, members=2, kinds={"note": "text"}).fit(MIXED, LABELS)


def log_odds_of(model, prepared, numbers, chosen):
    """The log odds of the class number `chosen` for prepared numbers of one row, or of several."""
    numbers = np.atleast_2d(numbers)
    p = model.ensemble_.predict(replace(prepared, numbers=numbers, indicators=np.empty((len(numbers), 0))))
    return np.log(p[:, chosen]) - np.log(p.sum(axis=1) - p[:, chosen])


def test_shapley_values_are_the_means_over_all_orders(classifier):
    model = with_networks(classifier, lambda network: None)
    prepared = model.preparation_.transform(model._read(ROWS[:3], reset=False))
    found = model.explain(ROWS[:3], method="shapley")
    assert "exact, from all 16 combinations of 4 columns" in found.effort
    assert found.standard_error is None
    for i, chosen in enumerate(model.predict_proba(ROWS[:3]).argmax(axis=1)):
        expected = np.zeros(4)
        for order in permutations(range(4)):
            numbers = model.background_.numbers.copy()
            (before,) = log_odds_of(model, prepared, numbers, chosen)
            for j in order:
                numbers[j] = prepared.numbers[i, j]
                (after,) = log_odds_of(model, prepared, numbers, chosen)
                expected[j] += (after - before) / 24
                before = after
        np.testing.assert_allclose(found.contributions[i], expected, atol=1e-6)
        assert found.baseline[i] == pytest.approx(log_odds_of(model, prepared, model.background_.numbers, chosen)[0])


def test_integrated_gradients_are_integrals(classifier):
    model = with_networks(classifier, lambda network: None)
    prepared = model.preparation_.transform(model._read(ROWS[:1], reset=False))
    found, start = model.explain(ROWS[:1], method="integrated_gradients"), model.background_.numbers
    chosen, way = model.predict_proba(ROWS[:1])[0].argmax(), prepared.numbers[0] - start
    shares = np.linspace(0, 1, 501)
    for j in range(4):
        high, low = (start + shares[:, None] * way + eps * np.eye(4)[j] for eps in (1e-5, -1e-5))
        rises = [log_odds_of(model, prepared, numbers, chosen) for numbers in (high, low)]
        expected = trapezoid((rises[0] - rises[1]) / 2e-5 * way[j], shares)
        assert found.contributions[0, j] == pytest.approx(expected, abs=2e-3 * np.abs(found.contributions).sum())


class Powers:
    """One row of one column, in place of mixtures: the quantity is a power of the column's share."""

    n_rows, n_columns, max_evaluations, raw = 1, 1, 7, np.ones((1, 1, 1))

    def __init__(self, power):
        self.power = power

    def outputs(self, rows, shares):
        return shares[None] ** self.power

    def values(self, quantity, rows, shares):
        return np.asarray(shares).reshape(1, 1, 1) ** self.power

    def slopes(self, rows, shares, cotangent):
        return self.power * shares ** (self.power - 1)


def test_steps_are_doubled_until_the_sum_is_right():
    quantity = SimpleNamespace(values=lambda raw, rows: raw[0], cotangents=lambda raw, rows: [np.ones(raw.shape)])
    contributions, steps = integrated_gradients(Powers(4), quantity)
    assert contributions.ravel() == pytest.approx([1.0], abs=1e-12), "Simpson's rule is exact for cubic derivatives"
    assert steps.tolist() == [8]
    contributions, steps = integrated_gradients(Powers(40), quantity)
    assert contributions.ravel() == pytest.approx([1.0], abs=1e-3)
    assert contributions.ravel() != pytest.approx([1.0], abs=1e-9)
    assert steps.tolist() == [64]


@pytest.mark.parametrize("method", METHODS)
def test_contributions_to_a_linear_model_are_its_gradients(method):
    fitted = TabularRegressor("fast", max_iter=4).fit(MIXED, ROWS[:, 0] + (MIXED["colour"] == "red"))
    model = with_networks(fitted, linear)
    model.target_scaler_ = replace(model.target_scaler_, lowest=(-1e9,), highest=(1e9,))
    found = model.explain(MIXED, method=method)
    np.testing.assert_allclose(found.contributions, model.explain(MIXED, method="gradient").contributions, atol=1e-6)
    assert found.importance[-1] == 0
    assert found.importance.max() > 0.1


def targets():
    """Estimators, rows and targets of all kinds."""
    counts, options = RNG.poisson(np.exp(ROWS[:, 0])).astype(float), {"preset": "fast", "max_iter": 4}
    classes = np.digitize(TREND, [-0.5, 0.5])
    return [
        (TabularRegressor(**options), ROWS, TREND),
        (TabularRegressor(**options), ROWS, np.c_[TREND, 1000 * ROWS[:, 0]]),
        (TabularRegressor(quantiles=(0.1, 0.9), **options), ROWS, TREND),
        (TabularRegressor(loss="poisson", **options), ROWS, counts),
        (TabularRegressor(target_transform="log", **options), MIXED, np.exp(TREND)),
        (TabularClassifier(ordered=True, **options), MIXED, classes),
        (TabularClassifier(members=2, **options), MIXED, classes),
    ]


@pytest.mark.parametrize("case", range(7))
def test_they_add_up_to_the_prediction(case):
    model, X, y = targets()[case]
    model.fit(X, y)
    for method in METHODS:
        found = model.explain(X, method=method, n_rows=40)
        some = {name: np.asarray(column)[found.rows] for name, column in X.items()} if X is MIXED else X[found.rows]
        if case < 5:
            np.testing.assert_allclose(found.predictions, model.predict(some), rtol=1e-5, atol=1e-5)
        elif case == 5:
            above = 1 - np.cumsum(model.predict_proba(some), axis=1)[:, :-1]
            np.testing.assert_allclose(found.predictions, np.log(above / (1 - above)).mean(axis=1), atol=2e-3)
        else:
            p = model.predict_proba(some).max(axis=1)
            np.testing.assert_allclose(found.predictions, np.log(p / (1 - p)), atol=1e-4)
            assert found.classes == tuple(map(str, model.predict(some)))
        gap = np.abs(found.baseline + found.contributions.sum(axis=1) - found.predictions).reshape(40, -1).max(axis=1)
        assert np.array_equal(found.error, gap)
        sizes = np.abs(found.contributions).sum(axis=1).reshape(40, -1).max(axis=1)
        tolerance = 5e-2 if case == 5 else 1e-3  # its temperature is 5, which makes corners sharp
        assert (found.error < tolerance * sizes + 1e-5 * np.abs(found.predictions).reshape(40, -1).max(axis=1)).all()
        assert found.contributions.shape == (40, len(found.columns), *found.predictions.shape[1:])
        assert "contributions add up to prediction - baseline to within" in str(found)


def test_odds_of_ordered_classes_have_these_derivatives():
    raw, rng = RNG.normal(size=(3, 20, 4)), np.random.default_rng(1)
    odds, step = MeanLogOdds(1.7), 1e-6 * rng.normal(size=raw.shape)
    rise = (odds.values(raw + step, np.arange(20)) - odds.values(raw - step, np.arange(20)))[:, 0]
    expected = (odds.cotangents(raw, np.arange(20))[0] * 2 * step).sum(axis=(0, 2))
    np.testing.assert_allclose(rise, expected, rtol=1e-3, atol=1e-12)


def test_random_orders_estimate_what_all_orders_give(mixed, monkeypatch):
    exact = mixed.explain(MIXED, method="shapley", n_rows=30)
    monkeypatch.setattr("rosenblatt.estimators.tabular.explain.contributions.EXACT_COLUMNS", 2)
    found = mixed.explain(MIXED, method="shapley", n_rows=30)
    assert found.effort == "25 random orders, each forwards and backwards"
    error = found.standard_error[:, :-1]  # the last column is constant
    assert (error > 0).all()
    off = (found.contributions - exact.contributions)[:, :-1] / error
    assert np.abs(off).max() < 6
    assert 0.5 < off.std() < 1.5
    assert found.error.max() < 1e-6, "each order adds up"
    more = mixed.explain(MIXED, method="shapley", n_rows=30, n_repeats=100)
    assert 0.3 < np.median(more.standard_error[:, :-1] / error) < 0.7
    one = mixed.explain(MIXED, method="shapley", n_rows=30, n_repeats=1)
    assert np.isnan(one.standard_error[:, :-1]).all()


@pytest.mark.long
@pytest.mark.parametrize("exact", [True, False])
def test_a_row_is_explained_alone_as_among_others(mixed, exact, monkeypatch, tmp_path):
    monkeypatch.setattr("rosenblatt.estimators.tabular.explain.contributions.EXACT_COLUMNS", 8 if exact else 0)
    monkeypatch.setattr("rosenblatt.estimators.tabular.explain.contributions.ROWS_AT_ONCE", 7)
    rosenblatt.save(mixed, tmp_path / "model.safetensors")
    loaded = rosenblatt.load(tmp_path / "model.safetensors")
    first = {name: column[:20] for name, column in MIXED.items()}
    row = {name: column[13] for name, column in MIXED.items()}
    for method in METHODS:
        found, alone = mixed.explain(first, method=method), loaded.explain(row, method=method)
        np.testing.assert_allclose(alone.contributions[0], found.contributions[13], rtol=1e-5, atol=1e-6)
        assert alone.cells[0] == found.cells[13]


@pytest.mark.long
def test_batches_do_not_matter(mixed, monkeypatch):
    whole = {method: mixed.explain(MIXED, method=method, n_rows=20).contributions for method in METHODS}
    monkeypatch.setattr("rosenblatt.estimators.tabular.explain.mixtures.MAX_ROWS", 50)
    for method, expected in whole.items():
        found = mixed.explain(MIXED, method=method, n_rows=20).contributions
        np.testing.assert_allclose(found, expected, atol=1e-12)


def test_one_row_is_shown_as_a_sum(mixed):
    found = mixed.explain({name: column[:1] for name, column in MIXED.items()}, method="shapley")
    lines = str(found).split("\n")
    chance = mixed.predict_proba({name: column[:1] for name, column in MIXED.items()}).max()
    assert lines[0] == f"shapley, row 0: the log odds of the predicted class {found.classes[0]!r}"
    assert f"(probability {chance:.3f}) = baseline {found.baseline[0]:.4g} + contributions, to within" in lines[1]
    assert lines[3].split() == ["column", "value", "contribution"]
    assert [line.split()[0] for line in lines[4:]] == [found.columns[j] for j in found.ranked_in(0)]
    assert np.array_equal(found.ranked_in(0), np.argsort(-np.abs(found.contributions[0]), kind="stable"))
    colour = next(line for line in lines if line.startswith("colour"))
    assert colour.split() == ["colour", MIXED["colour"][0], f"{found.contributions[0, 1]:+.4g}"]
    assert f"size    {MIXED['size'][0]:.6g} " in str(found)
    assert "always  (left out)" in str(found)
    assert "and 4 more, of " in found.row_table(0, 2)


def test_rows_are_named_by_their_numbers_in_x(mixed):
    found = mixed.explain(MIXED, method="shapley", n_rows=10)
    at = int(found.rows[4])
    assert found.place_of(at) == 4
    assert found.row_table(at).startswith(f"shapley, row {at}:")
    other = next(i for i in range(160) if i not in found.rows)
    with pytest.raises(ValueError, match=f"row is {other}, which is not among the 10 explained rows"):
        found.row_table(other)


@pytest.mark.parametrize("kind", ["linear", "log", "mean"])
def test_the_slope_of_decoding_is_its_derivative(kind):
    scaler = TargetScaler(kind, (0.5,), (2.0,), (0.1,), (9.0,), offset=0.25, factor=1.1, shifts=(0.05,))
    outputs = np.linspace(-3, 8, 40)[:, None]
    slopes = (scaler.decode(outputs + 1e-6) - scaler.decode(outputs - 1e-6)) / 2e-6
    np.testing.assert_allclose(scaler.decode_slope(outputs), slopes, rtol=1e-5, atol=1e-8)
    assert (slopes == 0).any()
    assert (slopes > 0).any()


def test_names_stay_on_one_line():
    X = {"two\nlines": ROWS[:, 0], "": ROWS[:, 1], "n" * 50: RNG.choice(["a\nb", "c"], 160)}
    model = TabularRegressor("fast", max_iter=2).fit(X, TREND)
    tables = model.explain(X, method="gradient").table(), model.explain(X, method="shapley").row_table(0)
    for text in tables:
        rows = [line.split("  ")[0] for line in text.split("\n\n")[1].splitlines()]
        assert sorted(rows) == sorted(["column", "two\\nlines", '""', "n" * 39 + "…"])
    assert str(model.partial_dependence(X, "n" * 50)).split("\n\n")[1].splitlines()[2].startswith("a\\nb ")
    assert str(model.partial_dependence(X, "")).split("\n\n")[1].startswith('"" ')


def test_words_fit_their_numbers():
    model = TabularRegressor("fast", max_iter=1).fit(np.c_[ROWS, ROWS, ROWS], TREND)
    rows = np.c_[ROWS, ROWS, ROWS]
    once = str(model.explain(rows[:1], method="shapley", n_repeats=1))
    assert "(1 random order, forwards and backwards)" in once
    assert "standard error" not in once
    found = model.explain(rows, method="integrated_gradients")
    assert all(effort.removesuffix(" steps").replace(",", "").isdigit() for effort in found.efforts)
    assert f"({found.efforts[7]})" in found.row_table(7)
    assert "1 network with" in str(model.report())
    assert "epoch,  the best" in str(model.report())
