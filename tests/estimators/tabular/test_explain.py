"""What tabular models use: scikit-learn's inspection and closed forms as oracles, columns and targets of all kinds."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.metrics import f1_score, r2_score

import rosenblatt
from rosenblatt import TabularClassifier, TabularRegressor
from rosenblatt.estimators.tabular.architecture import feed
from rosenblatt.estimators.tabular.explain.column_substitution import Substitution, column_slices, predict_variants
from rosenblatt.tables.encoders import Prepared

pd = pytest.importorskip("pandas")
N = 400


def shop(n=N, seed=0):
    """Columns of all kinds, one of them constant, and a number that depends on some of them."""
    rng = np.random.default_rng(seed)
    age, city = rng.normal(40, 12, n).round(1), rng.integers(0, 30, n)
    colour, member = rng.choice(["red", "green", "blue"], n, p=[0.5, 0.3, 0.2]), rng.random(n) < 0.4
    since = np.datetime64("2020-01-01") + rng.integers(0, 900, n).astype("timedelta64[D]")
    value = 0.08 * (age - 40) + np.where(colour == "red", 1.5, -0.5) + (city % 3 - 1) + member
    age[rng.random(n) < 0.1] = np.nan
    words = rng.choice(["good", "bad", "slow", "quick", "cheap", "dear", "late", "kind"], (n, 6))
    columns = {"age": age, "city": [f"city {c}" for c in city], "colour": colour, "member": member, "since": since}
    frame = pd.DataFrame({**columns, "shop": "here", "remark": [" ".join(row) for row in words]})
    return frame, value


X, VALUE = shop()
Y = np.where(np.median(VALUE) < VALUE, "yes", "no")
KINDS = {"remark": "text"}


@pytest.fixture(scope="module")
def classifier():
    return TabularClassifier(max_iter=12, members=2, kinds=KINDS).fit(X, Y)


@pytest.fixture(scope="module")
def regressor():
    return TabularRegressor(max_iter=20, members=2, kinds=KINDS).fit(X, VALUE)


def by_name(explanation):
    return dict(zip(explanation.columns, explanation.importance, strict=True))


# Permutation -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("most", [N, 150])
def test_with_equal_shuffles_importances_are_scikit_learns(regressor, most):
    found = regressor.explain(X, VALUE, n_repeats=1, n_rows=most, random_state=5)
    theirs = permutation_importance(regressor, X, VALUE, n_repeats=1, max_samples=most, random_state=5)
    assert len(found.rows) == most
    expected = dict(zip(X.columns, theirs.importances_mean, strict=True))
    if most < N:  # theirs is the drop from the score of all rows
        all_rows = regressor.score(X, VALUE)
        expected = {name: drop - all_rows + found.baseline for name, drop in expected.items()}
    ours = by_name(found)
    assert ours.pop("shop") == 0
    assert ours == pytest.approx({name: expected[name] for name in ours}, abs=1e-6)


def test_importances_by_accuracy_and_log_loss_are_scikit_learns(classifier):
    for metric, scoring in (("error", "accuracy"), ("log_loss", "neg_log_loss")):
        ours = classifier.explain(X, Y, metric=metric, n_repeats=1, random_state=3)
        theirs = permutation_importance(classifier, X, Y, n_repeats=1, scoring=scoring, random_state=3)
        expected = dict(zip(X.columns, theirs.importances_mean, strict=True))
        assert by_name(ours) == pytest.approx(expected, abs=1e-6)
    assert classifier.explain(X, Y, metric="error").baseline == pytest.approx(classifier.score(X, Y))
    many = permutation_importance(classifier, X, Y, n_repeats=5, scoring="neg_log_loss", random_state=1)
    found = classifier.explain(X, Y)
    expected = dict(zip(X.columns, many.importances_mean, strict=True))
    assert by_name(found) == pytest.approx(expected, abs=4 * many.importances_std.max())
    assert (np.diff(found.importance[found.order]) <= 0).all()
    assert set(found.ranked[:2]) <= {"age", "colour", "city"}
    assert found.deviation[found.columns.index("shop")] == 0


def test_a_shuffled_column_of_a_linear_target_costs_what_the_closed_form_says():
    rng, weights = np.random.default_rng(0), np.array([3.0, 2.0, 1.0, 0.0])
    rows = rng.uniform(-1, 1, (1000, 4))
    y = rows @ weights
    model = TabularRegressor("fast", max_iter=40).fit(rows, y)
    assert model.score_ > 0.99
    found = by_name(model.explain(rows, y, n_repeats=10))
    # The shuffled column's error is w (x' - x), of variance 2 w^2 var(x).
    expected = 2 * weights**2 * rows.var(axis=0) / y.var()
    assert [found[f"x{j}"] for j in range(4)] == pytest.approx(expected, abs=0.06)


def test_scores_are_of_the_classes_that_are_predicted(classifier):
    model = with_networks(classifier, lambda network: None)
    model.decision_weights_ = np.array([1.0, 5.0])
    assert model.explain(X, Y, metric="error").baseline == pytest.approx(model.score(X, Y))
    found = model.explain(X, Y, metric="f1")
    assert (found.score_name, found.baseline) == ("F1", pytest.approx(f1_score(Y, model.predict(X), pos_label="yes")))
    assert classifier.score(X, Y) != model.score(X, Y)


def test_batches_do_not_matter(classifier, monkeypatch):
    whole = classifier.explain(X, Y, n_repeats=2)
    monkeypatch.setattr("rosenblatt.estimators.tabular.explain.column_substitution.MAX_ROWS", N + 1)
    single = classifier.explain(X, Y, n_repeats=2)
    assert single.columns == whole.columns
    np.testing.assert_allclose(single.importance, whole.importance, atol=1e-12)


# Gradient ----------------------------------------------------------------------------------------------------------


def with_networks(model, change):
    """The model with copies of its networks, in float64 and changed."""
    members = []
    for member in model.ensemble_.members:
        network = member.network.copy("float64")
        change(network)
        members.append(replace(member, network=network))
    twin = object.__new__(type(model))
    twin.__dict__ = {**model.__dict__, "ensemble_": replace(model.ensemble_, members=tuple(members))}
    return twin


def linear(network):
    """Without waves, and with the identity as activation."""
    for name, array in network.named_parameters():
        if name.endswith(".alpha") or name == "waves.mixture":
            array[...] = 0


def raw_prediction(model, prepared):
    outputs = model.ensemble_.predict(prepared)[:, 0]
    return outputs * model.target_scaler_.scale[0]


def test_contributions_to_a_linear_model_add_up_to_its_prediction(regressor):
    model = with_networks(regressor, linear)
    found = model.explain(X, method="gradient")
    prepared = model.preparation_.transform(model._read(X, reset=False))
    predicted = raw_prediction(model, prepared)
    np.testing.assert_allclose(found.contributions.sum(axis=1), predicted - predicted.mean(), atol=1e-6)
    assert found.baseline is None
    np.testing.assert_allclose(found.importance, np.abs(found.contributions).mean(axis=0))
    # One column alone: what is lost if its inputs are the mean ones.
    for place in column_slices(model.preparation_):
        if place.name in ("age", "since", "colour", "member"):
            means = [prepared.numbers[:, place.numbers], prepared.indicators[:, place.indicators]]
            part = Prepared(*(a.mean(axis=0, keepdims=True, dtype=np.float64) for a in means), prepared.codes[:1, :0])
            (moved,) = predict_variants(model, prepared, [Substitution(place, part, np.zeros(N, int))])
            inside = (moved[:, 0] > VALUE.min()) & (moved[:, 0] < VALUE.max())
            inside &= (model.predict(X) > VALUE.min()) & (model.predict(X) < VALUE.max())
            lost = (model.predict(X) - moved[:, 0])[inside]
            ours = found.contributions[inside, found.columns.index(place.name)]
            np.testing.assert_allclose(ours, lost, atol=1e-5)


def test_contributions_are_directional_derivatives_of_the_log_odds(classifier):
    model = with_networks(classifier, lambda network: None)
    model.ensemble_ = replace(model.ensemble_, members=model.ensemble_.members[:1])
    found = model.explain(X, method="gradient")
    prepared = model.preparation_.transform(model._read(X, reset=False))
    prepared = replace(prepared, numbers=prepared.numbers.astype(float), indicators=prepared.indicators.astype(float))
    sign = np.where(model.predict(X) == model.classes_[1], 1, -1)
    for place in column_slices(model.preparation_):
        if place.name not in ("age", "since", "colour", "member"):
            continue

        def log_odds(eps, place=place):
            numbers, indicators = prepared.numbers.copy(), prepared.indicators.copy()
            for part, cut in ((numbers, place.numbers), (indicators, place.indicators)):
                part[:, cut] += eps * (part[:, cut] - part[:, cut].mean(axis=0))
            p = model.ensemble_.predict(replace(prepared, numbers=numbers, indicators=indicators))
            return sign * np.log(p[:, 1] / p[:, 0])

        slopes = (log_odds(1e-7) - log_odds(-1e-7)) / 2e-7  # so small that no activation's kink is near
        ours = found.contributions[:, found.columns.index(place.name)]
        np.testing.assert_allclose(ours, slopes, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("ordered", [False, True])
def test_contributions_to_linear_logits_add_up(ordered):
    rows = np.random.default_rng(1).normal(size=(300, 3))
    y = np.digitize(rows[:, 0] + 0.5 * rows[:, 1], [-0.5, 0.5])
    model = with_networks(TabularClassifier("fast", max_iter=6, ordered=ordered).fit(rows, y), linear)
    model.ensemble_ = replace(model.ensemble_, temperature=1.5)
    found = model.explain(rows, method="gradient").contributions.sum(axis=1)
    inputs = feed(model.preparation_.transform(model._read(rows, reset=False)))
    logits = model.ensemble_.networks[0].truncate_at("head").predict(inputs)
    if ordered:
        expected = logits.mean(axis=1)
        np.testing.assert_allclose(found, expected - expected.mean(), atol=1e-6)
        return
    chosen, logits = model.predict(rows), logits / 1.5
    for k in range(3):
        margin = logits[:, k] - np.delete(logits, k, axis=1).mean(axis=1)
        np.testing.assert_allclose(found[chosen == k], (margin - margin.mean())[chosen == k], atol=1e-6)


def test_both_methods_find_what_the_target_is_made_of(regressor):
    for method in ("permutation", "gradient"):
        found = regressor.explain(X, VALUE, method=method)
        assert set(found.ranked[:3]) == {"age", "city", "colour"}, method
        assert found.baseline == pytest.approx(regressor.score(X, VALUE), abs=1e-6)
        assert (found.deviation >= 0).all()
        assert set(found.columns) == set(X.columns)
        assert by_name(found)["shop"] == 0


def test_a_row_is_explained_alone_as_among_others(classifier, regressor):
    for model in (classifier, regressor):
        found = model.explain(X, method="gradient")
        single = model.explain(X.iloc[:1], method="gradient")
        some = model.explain(X.iloc[[7, 0]].iloc[:, ::-1], method="gradient")
        assert found.columns == single.columns == some.columns == tuple(X.columns)
        assert single.importance.max() > 0.01
        np.testing.assert_allclose(single.contributions[0], found.contributions[0], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(some.contributions[1], found.contributions[0], rtol=1e-5, atol=1e-6)


def test_the_background_is_the_weighted_mean_of_training_rows():
    rng = np.random.default_rng(0)
    rows, weights = rng.normal(size=(80, 2)), rng.integers(0, 3, 80).astype(float)
    model = TabularRegressor("fast", max_iter=2).fit(rows, rows.sum(axis=1), weights)
    prepared = model.preparation_.transform(model._read(rows, reset=False))
    np.testing.assert_allclose(model.background_.numbers, np.average(prepared.numbers, axis=0, weights=weights))


@pytest.mark.parametrize("n", [300, 1500])
def test_rows_that_were_trained_on_are_noted(n):
    rows = np.random.default_rng(0).normal(size=(2 * n, 3))
    y = rows.sum(axis=1)
    model = TabularRegressor("fast", max_iter=1).fit(rows[:n], y[:n])
    assert model.explain(rows[:n], y[:n], n_repeats=1).note.startswith("All of these rows equal rows that the model")
    assert "trained on" in str(model.explain(rows[: n + n // 2], method="gradient", n_rows=5000))
    assert model.explain(rows[n:], y[n:], n_repeats=1).note == ""
    assert model.explain(rows[n // 4 :][:n], method="gradient").note.startswith("About 7")


# Targets and tables of all kinds -----------------------------------------------------------------------------------


def targets():
    """Estimators, with targets of theirs and the name of the score."""
    rng, rows = np.random.default_rng(0), np.random.default_rng(1).normal(size=(240, 3))
    labels = rows[:, 0].argsort().argsort() * 100 // 240
    counts, options = rng.poisson(np.exp(rows[:, 0])).astype(float), {"max_iter": 16, "members": 2}
    noisy = rows[:, 0] + rng.normal(0, 0.2, 240)
    return [
        (TabularRegressor(**options), rows, np.c_[rows[:, 0], 1000 * rows[:, 0]], "R2"),
        (TabularRegressor(quantiles=(0.1, 0.9), **options), rows, noisy, "D2 of the pinball loss"),
        (TabularRegressor(loss="poisson", **options), rows, counts, "D2 of the Poisson deviance"),
        (TabularRegressor(target_transform="log", **options), rows, np.exp(noisy), "R2"),
        (TabularClassifier(ordered=True, **options), rows, np.digitize(noisy, [-0.5, 0.5]), "log loss"),
        (TabularClassifier(**options), rows, labels, "log loss"),
        (TabularClassifier(metric="f1", **options), rows, noisy > 1, "log loss"),
    ]


@pytest.mark.parametrize("case", range(7))
def test_targets_of_all_kinds_are_explained(case):
    model, rows, y, score_name = targets()[case]
    model.fit(rows, y)
    for method in ("permutation", "gradient"):
        found = model.explain(rows, y, method=method)
        assert found.ranked[0] == "x0"
        assert found.importance[0] > 0.03
        assert score_name in found.score_name
    n_outputs = 2 if case < 2 else 1
    assert found.contributions.shape == ((240, 3, 2) if n_outputs == 2 else (240, 3))
    dependence = model.partial_dependence(rows, 0, n_grid=5)
    predict = getattr(model, "predict_proba", model.predict)
    fixed = rows.copy()
    fixed[:, 0] = dependence.grid[2]
    expected = predict(fixed).reshape(240, -1)
    np.testing.assert_allclose(dependence.values[2], expected.mean(axis=0), rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(dependence.spread[2], expected.std(axis=0), rtol=1e-4, atol=1e-6)
    assert len(dependence.outputs) == dependence.values.shape[1] == [2, 2, 1, 1, 3, 100, 2][case]
    assert dependence.column in str(dependence)


def test_targets_of_other_scales_count_alike():
    rows = np.random.default_rng(1).normal(size=(240, 2))
    small = TabularRegressor("fast", max_iter=8).fit(rows, np.c_[rows[:, 0], rows[:, 1]])
    large = TabularRegressor("fast", max_iter=8).fit(rows, np.c_[rows[:, 0], 1024 * rows[:, 1]])
    found, other = (model.explain(rows, method="gradient") for model in (small, large))
    assert by_name(found) == pytest.approx(by_name(other), rel=1e-4)
    assert "in standard deviations of the target" in found.quantity


def test_loaded_models_and_other_frames_give_the_same(classifier, tmp_path):
    path = tmp_path / "model.safetensors"
    rosenblatt.save(classifier, path)
    loaded = rosenblatt.load(path)
    frames = [X, X.to_dict(orient="list")]
    frames += [pytest.importorskip("polars").from_pandas(X)]
    expected = {method: classifier.explain(X, Y, method=method, n_repeats=2) for method in ("permutation", "gradient")}
    for frame in frames:
        for method, own in expected.items():
            found = loaded.explain(frame, Y, method=method, n_repeats=2)
            assert found.columns == own.columns
            assert np.array_equal(found.importance, own.importance)
            assert found.note == own.note != ""
    since = loaded.partial_dependence(frames[-1], "since", n_grid=4)
    assert np.array_equal(since.values, classifier.partial_dependence(X, "since", n_grid=4).values)
    assert loaded.learning_curve() == classifier.learning_curve()


def test_the_target_may_be_a_column(classifier):
    table = {**X.to_dict(orient="list"), "bought": Y.tolist()}
    expected = classifier.explain(X, Y, n_repeats=2)
    assert by_name(classifier.explain(table, "bought", n_repeats=2)) == by_name(expected)
    model = TabularRegressor("fast", max_iter=2, kinds=KINDS).fit({**X.to_dict(orient="list"), "value": VALUE}, "value")
    found = model.explain({**X.to_dict(orient="list"), "value": VALUE}, n_repeats=1)
    assert found.baseline == pytest.approx(r2_score(VALUE, model.predict(X)))


# Partial dependence ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["age", "city", "colour", "member"])
def test_dependence_is_scikit_learns(classifier, regressor, column):
    for model, method in ((classifier, "predict_proba"), (regressor, "auto")):
        ours = model.partial_dependence(X, column, n_grid=5)
        grid = ours.grid == "true" if column == "member" else ours.grid
        theirs = partial_dependence(
            model, X, [column], custom_values={column: grid}, response_method=method, kind="both", method="brute"
        )
        np.testing.assert_allclose(ours.values[:, -1], theirs["average"][0], rtol=1e-5)
        np.testing.assert_allclose(ours.spread[:, -1], theirs["individual"][0].std(axis=0), rtol=1e-4)


def test_grids_are_in_the_columns_units(classifier):
    age = classifier.partial_dependence(X, "age")
    assert (age.kind, len(age.grid)) == ("number", 20)
    assert age.grid.tolist() == sorted(age.grid)
    assert np.isin(age.grid, X["age"]).all()
    assert age.grid[0] == np.quantile(X["age"].dropna(), 0.05, method="inverted_cdf")
    since = classifier.partial_dependence(X, "since", n_grid=3)
    assert since.grid.dtype == "datetime64[D]"
    assert X["since"].min() <= since.grid[0] < since.grid[-1] <= X["since"].max()
    assert classifier.partial_dependence(X, "colour").grid.tolist() == ["red", "green", "blue"], (
        "the most frequent first"
    )
    assert classifier.partial_dependence(X, "member").grid.tolist() == ["false", "true"]
    assert len(classifier.partial_dependence(X, "city").grid) == 20
    few = classifier.partial_dependence(X, "age", n_rows=50)
    assert few.n_rows == 50


def test_grids_may_be_given(classifier, regressor):
    shuffled = regressor.partial_dependence(X, 2, grid=["blue", "red"])
    assert shuffled.column == "colour"
    assert np.array_equal(shuffled.values, regressor.partial_dependence(X, "colour", grid=("red", "blue")).values[::-1])
    dates = [np.datetime64("2021-05-01"), "2021-05-01", "2021-05-01 12:00"]
    since = [regressor.partial_dependence(X, "since", grid=[date]) for date in dates]
    assert since[0].values == since[1].values
    assert str(since[2].grid[0]).startswith("2021-05-01T12:00")
    assert classifier.partial_dependence(X, "member", grid=[True]).grid.tolist() == ["true"]
    remarks = classifier.partial_dependence(X, "remark", grid=["good and quick", "bad"])
    assert (remarks.kind, remarks.values.shape) == ("text", (2, 2))
    assert classifier.partial_dependence(X, "age", grid=50).values.shape == (1, 2)


def test_the_dependence_on_a_linear_targets_column_is_a_line():
    rows = np.random.default_rng(0).uniform(-1, 1, (800, 2))
    model = TabularRegressor(max_iter=40, members=3).fit(rows, 2 * rows[:, 0] + rows[:, 1])
    found = model.partial_dependence(rows, 0, grid=[-0.5, 0.0, 0.5])
    assert found.values[:, 0] == pytest.approx(np.array([-1, 0, 1]) + rows[:, 1].mean(), abs=0.06)
    assert found.spread[:, 0] == pytest.approx(rows[:, 1].std(), abs=0.06)


# What is printed, and learning curves ------------------------------------------------------------------------------


def test_tables_are_aligned(classifier):
    found = classifier.explain(X, Y)
    lines = str(found).splitlines()
    assert lines[0] == "permutation, 400 rows: rise of the log loss when a column is shuffled"
    assert lines[1].startswith(f"log loss {found.baseline:.4f} with all columns")
    assert len({len(line) for line in lines[3:-2]}) == 1
    assert len(lines) == 6 + X.shape[1]
    assert [line.split()[0] for line in lines[4:-2]] == list(found.ranked)
    assert repr(found) == str(found)
    assert "and 5 more" in found.table(2)
    frame = found.to_frame()
    assert list(frame["column"]) == list(found.columns)
    assert found.to_frame("polars")["importance"].to_list() == found.to_dict()["importance"]
    with pytest.raises(ValueError, match="backend is 'excel'; allowed: pandas"):
        found.to_frame("excel")
    dependence = str(classifier.partial_dependence(X, "colour")).splitlines()
    assert dependence[0] == "mean prediction ± standard deviation over 400 rows"
    assert dependence[2].split() == ["colour", "no", "yes"]
    assert dependence[3].startswith("red ")


def test_learning_curves_are_those_of_the_members(classifier):
    curve = classifier.learning_curve()
    members = classifier.ensemble_.members
    assert curve.best_epochs == tuple(member.best_epoch for member in members)
    assert curve.held_out[1][curve.best_epochs[1] - 1] == min(curve.held_out[1])
    assert curve.training_loss[0] == tuple(loss for loss, _ in members[0].curve)
    assert curve.history(1)["held_out"] == list(curve.held_out[1])
    np.testing.assert_allclose(curve.history()["loss"], np.mean(curve.training_loss, axis=0))
    with pytest.raises(ValueError, match="network is 2; there are 2, counted from 0"):
        curve.history(2)


# Refusals ----------------------------------------------------------------------------------------------------------


def test_what_cannot_be_explained_is_named(classifier, regressor):
    for arguments, options, message in (
        ((X, Y), {"method": "shaply"}, r"method is 'shaply'\. Did you mean 'shapley'\? The methods are: 'permutation'"),
        ((X, Y), {"metric": "r2"}, "metric is 'r2'; allowed: 'error', 'log_loss'"),
        ((X,), {}, "method='permutation' needs y"),
        ((X, Y[:-1]), {}, "X has 400 rows, y has 399"),
        ((X, np.where(Y == "no", "never", Y)), {}, "y holds the class 'never' in row .*The classes are: 'no', 'yes'"),
        ((X, Y), {"n_repeats": 0}, "n_repeats is 0; it must be a positive integer"),
        ((X, Y), {"n_rows": 2.5}, "n_rows is 2.5; it must be a positive integer"),
        ((X[:1], Y[:1]), {}, "a single row cannot be shuffled"),
        ((X[:0], Y[:0]), {}, "the table has no rows"),
        ((X.drop(columns="age"), Y), {}, "the table has no column 'age'"),
        ((X, "age"), {}, "y names 'age', which is one of the columns that the model predicts from"),
        ((X, "bougt"), {}, "there is no target column 'bougt'"),
    ):
        with pytest.raises(ValueError, match=message):
            classifier.explain(*arguments, **options)
    with pytest.raises(ValueError, match="y has 2 targets, but the model was fitted to 1"):
        regressor.explain(X, np.c_[VALUE, VALUE])
    with pytest.raises(ValueError, match="metric is 'error', but a regressor has none; it is scored by R2"):
        regressor.explain(X, VALUE, metric="error")
    table = {**X.to_dict(orient="list"), "bought": ["perhaps"] * N}
    with pytest.raises(ValueError, match="target 'bought' has the class 'perhaps' in row 1; training did not see it"):
        classifier.explain(table, "bought")


def test_what_nothing_depends_on_is_named(classifier):
    for column, options, message in (
        ("agee", {}, "there is no column 'agee'. Did you mean 'age'"),
        (7, {}, "there is no column number 7: there are 7, counted from 0"),
        ("shop", {}, "do not depend on column 'shop': the model leaves it out .dropped: always 'here'"),
        ("remark", {}, "'remark' holds free text: give texts as grid"),
        ("age", {"grid": []}, "grid is empty"),
        ("age", {"grid": [3, None]}, "value 2 of grid is missing"),
        ("age", {"grid": [3, "old"]}, "value 2 of grid is 'old'; for column 'age' it must be a number"),
        ("age", {"grid": [np.inf]}, "value 1 of grid is inf; for column 'age' it must be a number"),
        ("age", {"grid": [np.datetime64("2020-01-01")]}, "for column 'age' it must be a number"),
        ("since", {"grid": [3]}, "value 1 of grid is 3; for column 'since' it must be a date"),
        ("member", {"grid": ["perhaps"]}, "for column 'member' it must be true or false"),
        ("colour", {"grid": ["red", "geen"]}, "value 2 of grid is 'geen'.*Did you mean 'green'"),
        ("age", {"n_grid": 0}, "n_grid is 0; it must be a positive integer"),
        ("age", {"n_rows": -1}, "n_rows is -1"),
    ):
        with pytest.raises(ValueError, match=message):
            classifier.partial_dependence(X, column, **options)
    with pytest.raises(ValueError, match="column 'colour' has no value in these rows that training saw"):
        classifier.partial_dependence(X.assign(colour="violet"), "colour")


def test_an_estimator_has_to_be_fitted():
    model = TabularClassifier()
    for call in (lambda: model.explain(X, Y), lambda: model.partial_dependence(X, "age"), model.learning_curve):
        with pytest.raises(NotFittedError):
            call()


def test_an_array_has_no_names():
    rows = np.random.default_rng(0).normal(size=(60, 2))
    model = TabularClassifier("fast", max_iter=2).fit(rows, rows[:, 0] > 0)
    with pytest.raises(TypeError, match="y is the name 'x1', but an array's columns have no names"):
        model.explain(rows, "x1")
    assert model.partial_dependence(rows, "x1").column == model.partial_dependence(rows, 1).column
    assert model.explain(rows, (rows[:, 0] > 0).astype(int)).score_name == "log loss", "1 is True"
