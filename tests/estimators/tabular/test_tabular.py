"""The estimators on raw tables: scikit-learn's checks, raw columns, scores, calibration, budgets, repeatability."""

import signal
import threading
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris, load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, r2_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import rosenblatt
from rosenblatt import TabularClassifier, TabularRegressor
from rosenblatt.estimators.tabular.architecture import feed
from rosenblatt.estimators.tabular.ensemble import Ensemble, best_temperature, with_temperature
from rosenblatt.tables.table import TableError

WEIGHTS = {
    "check_sample_weight_equivalence_on_dense_data": "folds and batches depend on the number of rows, as those of any "
    "network trained by mini-batches"
}


@parametrize_with_checks(
    [TabularClassifier("fast", max_iter=12), TabularRegressor("fast", max_iter=30)],
    expected_failed_checks=lambda estimator: WEIGHTS,
)
def test_scikit_learns_checks(estimator, check):
    check(estimator)


def purchases(n=600, seed=0, missing=0.1):
    """Columns of all kinds and classes that depend on some of them."""
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(seed)
    age, city = rng.normal(40, 12, n), rng.integers(0, 30, n)
    colour, member = rng.choice(["red", "green", "blue"], n), rng.random(n) < 0.4
    since = np.datetime64("2020-01-01") + rng.integers(0, 900, n).astype("timedelta64[D]")
    value = 0.08 * (age - 40) + np.where(colour == "red", 1.5, -0.5) + (city % 3 - 1) + member - 0.5
    age[rng.random(n) < missing] = np.nan
    cities = np.array([f"city {c}" for c in city], dtype=object)
    cities[rng.random(n) < missing] = None
    frame = pd.DataFrame({"age": age, "city": cities, "colour": colour, "member": member, "since": since})
    return frame, np.where(value + rng.normal(0, 0.3, n) > 0, "yes", "no"), value


def test_raw_columns_of_all_kinds_are_learned_from():
    X, y, value = purchases(1200)
    train, test = np.arange(800), np.arange(800, 1200)
    classifier = TabularClassifier(max_iter=40).fit(X.iloc[train], y[train])
    assert set(classifier.classes_) == {"no", "yes"}
    accuracy = np.mean(classifier.predict(X.iloc[test]) == y[test])
    assert accuracy > 0.85, "without the cities 0.8 is the best"
    assert classifier.score_ == pytest.approx(accuracy, abs=0.06)
    regressor = TabularRegressor(max_iter=40).fit(X.iloc[train], value[train])
    assert r2_score(value[test], regressor.predict(X.iloc[test])) > 0.8
    assert regressor.score_ > 0.75


@pytest.mark.long
def test_it_beats_a_linear_model_where_the_world_is_not_linear():
    X, y = load_digits(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X, y, test_size=0.4, random_state=0, stratify=y)
    linear = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)).fit(X, y)
    ours = TabularClassifier(max_iter=24).fit(X, y)
    assert 1 - ours.score(X_test, y_test) < 0.75 * (1 - linear.score(X_test, y_test))


def test_columns_may_come_in_any_order_with_others_between_and_unseen_cells():
    X, y, _ = purchases()
    model = TabularClassifier("fast", max_iter=8).fit(X, y)
    assert np.array_equal(model.predict_proba(X[X.columns[::-1]].assign(new=1)), model.predict_proba(X))
    X.loc[3, ["colour", "city"]] = ["violet", "a new one"]
    X.loc[4, "member"], X.loc[5, "since"] = False, None
    assert np.isfinite(model.predict_proba(X)).all()
    with pytest.raises(TableError, match="no column 'age'"):
        model.predict(X.drop(columns="age"))


def test_frames_of_all_kinds_give_the_same_model():
    pl, pa = pytest.importorskip("polars"), pytest.importorskip("pyarrow")
    X, y, _ = purchases(200)
    expected = TabularClassifier("fast", max_iter=4).fit(X, y).predict_proba(X)
    for other in (pl.from_pandas(X), pa.Table.from_pandas(X), {name: X[name].to_numpy() for name in X}):
        assert np.array_equal(TabularClassifier("fast", max_iter=4).fit(other, y).predict_proba(other), expected)


def test_equal_seeds_give_equal_models_for_any_number_of_threads():
    X, y = load_wine(return_X_y=True)
    before = rosenblatt.get_num_threads()
    try:
        found = []
        for threads in (1, 2, 3):
            rosenblatt.set_num_threads(threads)
            found.append(TabularClassifier(members=3, max_iter=5, random_state=7).fit(X, y).predict_proba(X))
    finally:
        rosenblatt.set_num_threads(before)
    assert np.array_equal(found[0], found[1])
    assert np.array_equal(found[0], found[2])
    other = TabularClassifier(members=3, max_iter=5, random_state=8).fit(X, y).predict_proba(X)
    assert not np.array_equal(found[0], other)


def test_out_of_fold_predictions_know_nothing_of_their_row():
    """Labels at random cannot be predicted; a row that was trained on would be."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(300, 20)), rng.integers(0, 2, 300)
    model = TabularClassifier(members=4, max_iter=60, dropout=0.0, weight_decay=0.0).fit(X, y)
    assert 0.35 < model.score_ < 0.65
    assert model.out_of_fold_.shape == (300, 2)
    assert np.isfinite(model.out_of_fold_).all()


def test_a_single_member_holds_a_fifth_out():
    X, y = load_wine(return_X_y=True)
    model = TabularClassifier("fast", max_iter=5).fit(X, y)
    assert np.isnan(model.out_of_fold_[:, 0]).sum() == 142
    regressor = TabularRegressor("fast", max_iter=5).fit(X[:, :3], X[:, 3])
    assert np.isnan(regressor.out_of_fold_).sum() == 142


@pytest.mark.long
def test_probabilities_are_calibrated():
    """With smoothed labels networks are too careful; the temperature mends it: log loss is that of the best one."""
    X, y = load_breast_cancer(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X, y, test_size=0.4, random_state=1, stratify=y)
    model = TabularClassifier(max_iter=30).fit(X, y)
    assert model.temperature_ < 1
    calibrated = log_loss(y_test, model.predict_proba(X_test))
    model.ensemble_ = replace(model.ensemble_, temperature=1.0)
    assert calibrated < 0.97 * log_loss(y_test, model.predict_proba(X_test))


def test_the_best_temperature_is_found():
    rng = np.random.default_rng(3)
    true = rng.dirichlet(np.ones(4), 4000)
    labels = np.array([rng.choice(4, p=p) for p in true])
    for temperature in (0.5, 1.0, 2.5):
        assert best_temperature(with_temperature(true, 1 / temperature), labels) == pytest.approx(temperature, rel=0.08)
    assert np.allclose(with_temperature(true, 2.0), np.sqrt(true) / np.sqrt(true).sum(axis=1, keepdims=True))


def test_a_few_rows_that_are_all_right_do_not_make_probabilities_sharp():
    """At the found temperature T the slope of n log losses by t = log T balances the prior's, t / 0.5**2."""
    p, few = np.full((100, 2), [0.9, 0.1]), np.full((10, 2), [0.9, 0.1])
    found = [best_temperature(rows, np.zeros(len(rows), int)) for rows in (few, p)]
    for n, temperature in zip((10, 100), found, strict=True):
        wrong = 1 / (1 + 9 ** (1 / temperature))  # the probability of the other class; the log loss is -log(1 - wrong)
        slope = wrong * np.log(9) / temperature
        assert n * slope == pytest.approx(-np.log(temperature) / 0.25, rel=0.02)
    assert 0.2 < found[1] < found[0] < 1


@pytest.mark.parametrize("budget", [0.5, pytest.param(2.0, marks=pytest.mark.long)])
def test_a_time_budget_is_kept_and_gives_a_usable_model(budget):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40_000, 30))
    y = (X[:, 0] > 0).astype(int)
    began = time.monotonic()
    model = TabularClassifier("best", time_budget=budget).fit(X, y)
    # No assertion on time but against a fit that does not look at its budget: it would take a minute.
    assert time.monotonic() - began < 15 * budget + 10
    assert np.isfinite(model.predict_proba(X[:1000])).all()
    if budget > 1:  # on a busy machine half a second may be spent on the way
        assert np.mean(model.predict(X[:1000]) == y[:1000]) > 0.55


def test_weights_of_rows_and_classes_count():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 4))
    y = (X[:, 0] + rng.normal(0, 1.0, 600) > 1.3).astype(int)
    plain, balanced = (TabularClassifier("fast", max_iter=20, class_weight=w).fit(X, y) for w in (None, "balanced"))
    assert balanced.predict(X).mean() > 1.5 * plain.predict(X).mean()
    doubled = np.concatenate([X, X]), np.concatenate([y, 1 - y])
    weights = np.repeat([1.0, 0.0], 600)
    model = TabularClassifier("fast", max_iter=20).fit(*doubled, sample_weight=weights)
    assert np.mean(model.predict(X) == y) > 0.75, "rows without weight contradict and count for nothing"


def test_several_targets_and_their_units():
    X, y = load_diabetes(return_X_y=True)
    both = np.column_stack([y, 1e6 - 1000 * y])
    model = TabularRegressor(max_iter=24).fit(X, both)
    found = model.predict(X)
    assert found.shape == (442, 2)
    assert model.out_of_fold_.shape == (442, 2)
    assert r2_score(both[:, 1], found[:, 1]) > 0.4
    assert found[:, 0].min() >= y.min()
    assert found[:, 1].max() <= 1e6 - 1000 * y.min()


def test_a_target_that_does_not_vary_is_predicted():
    X = np.random.default_rng(0).normal(size=(40, 3))
    assert np.allclose(TabularRegressor("fast", max_iter=3).fit(X, np.full(40, 7.5)).predict(X), 7.5)


def test_classes_of_one_row_and_a_hundred_classes():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 3))
    y = np.minimum(np.arange(400) // 4, 99)
    assert len(TabularClassifier(members=3, max_iter=3).fit(X, y).classes_) == 100
    y = np.r_[["a"] * 199, ["b"] * 200, ["c"]]
    assert TabularClassifier(members=3, max_iter=3).fit(X, y).predict_proba(X).shape == (400, 3)


@pytest.mark.parametrize(
    ("call", "message"),
    {
        "one class": (
            lambda: TabularClassifier().fit([[1.0], [2.0]], [1, 1]),
            "y has a single class, 1; classification needs at least two",
        ),
        "lengths": (lambda: TabularClassifier().fit([[1.0], [2.0]], [1, 0, 1]), "X has 2 rows, y has 3"),
        "hidden_layer_sizes": (
            lambda: TabularClassifier(hidden_layer_sizes=(8, 0)).fit(*load_iris(return_X_y=True)),
            "hidden_layer_sizes: layer 2 is 0; it must be a positive integer",
        ),
        "half a neuron": (
            lambda: TabularClassifier(hidden_layer_sizes=(8.5,)).fit(*load_iris(return_X_y=True)),
            r"hidden_layer_sizes: layer 1 is 8\.5; it must be a positive integer",
        ),
        "hidden is on": (
            lambda: TabularRegressor(hidden_layer_sizes=True).fit(*load_iris(return_X_y=True)),
            "hidden_layer_sizes: layer 1 is True; it must be a positive integer",
        ),
        "no layer": (
            lambda: TabularRegressor(hidden_layer_sizes=()).fit(*load_iris(return_X_y=True)),
            r"hidden_layer_sizes is \(\); give the neurons of at least one layer",
        ),
        "preset": (lambda: TabularClassifier("bset").fit([[1.0]], [1]), "Did you mean 'best'"),
        "sparse weight": (
            lambda: TabularRegressor().fit([[1.0], [2.0]], [1, 2], sample_weight=[-1, 1]),
            "weights must be at least 0",
        ),
        "text as target": (lambda: TabularRegressor().fit([[1.0], [2.0]], ["a", "b"]), "could not convert"),
        "no target": (lambda: TabularRegressor().fit([[1.0], [2.0]], None), "target y is None"),
        "missing target": (lambda: TabularRegressor().fit([[1.0], [2.0]], [np.nan, 1]), "y contains NaN"),
        "kinds": (lambda: TabularClassifier(kinds={"a": "numeric"}).fit({"b": [1, 2]}, [0, 1]), "kinds names a column"),
    }.values(),
)
def test_errors_say_what_to_do(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_inputs_are_compact_and_by_name():
    X, y, _ = purchases(60)
    model = TabularClassifier("fast", max_iter=2).fit(X, y)
    prepared = model.preparation_.transform(model._read(X, reset=False))
    inputs = feed(prepared, np.array([3, 5]))
    assert {name: matrix.shape[0] for name, matrix in inputs.items()} == dict.fromkeys(inputs, 2)
    assert all(matrix.flags["C_CONTIGUOUS"] for matrix in inputs.values())


@pytest.mark.parametrize("preset", ["fast", "default"])
def test_a_stored_model_predicts_the_same_bits(tmp_path, preset):
    X, y, value = purchases(300)
    pairs = (
        (TabularClassifier(preset, max_iter=4, kinds={"member": "categorical"}), y),
        (
            TabularRegressor(preset, max_iter=4),
            np.column_stack([value, -value]),
        ),
    )
    for model, target in pairs:
        model.fit(X, target)
        rosenblatt.save(model, tmp_path / "model.safetensors", training_predictions=True)
        again = rosenblatt.load(tmp_path / "model.safetensors")
        assert again.get_params() == model.get_params()
        assert np.array_equal(again.predict(X), model.predict(X))
        np.testing.assert_array_equal(again.out_of_fold_, model.out_of_fold_)
        assert (again.score_, again.n_features_in_) == (model.score_, model.n_features_in_)
        assert list(again.feature_names_in_) == list(model.feature_names_in_)
        assert again.preparation_ == model.preparation_
        assert again.ensemble_.settings == model.ensemble_.settings
        if isinstance(model, TabularClassifier):
            assert np.array_equal(again.predict_proba(X), model.predict_proba(X))
            assert list(again.classes_) == list(model.classes_)


def test_pickled_and_copied_models_predict_the_same():
    import copy
    import pickle

    X, y = load_iris(return_X_y=True)
    model = TabularClassifier(members=2, max_iter=3).fit(X, y)
    for again in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert np.array_equal(again.predict_proba(X), model.predict_proba(X))


CHANGES = {
    "another class": (("class",), "TabularRegressor"),
    "no rules": (("preparation", "encoders"), []),
    "one rule less": (("preparation", "encoders", 0), None),
    "a level twice": (("preparation", "encoders", 1, "levels"), ["a", "a"]),
    "spread zero": (("preparation", "encoders", 0, "scaling", "spreads"), [0.0]),
    "no members": (("members",), []),
    "no networks": (("networks",), []),
    "a setting": (("settings", "dict", 0, 1), "many"),
    "temperature": (("fitted", "temperature_"), -1.0),
    "preset": (("parameters", "preset"), "bad"),
    "kind": (("preparation", "kinds", 0), {"name": 1}),
    "no scores": (("fitted", "scores_"), {"dict": []}),
    "a score of text": (("fitted", "scores_"), {"dict": [["accuracy", {"tuple": ["high", 0.5]}]]}),
    "a verdict of text": (("fitted", "beats_guess_"), "yes"),
    "no guess": (("fitted", "trivial_guess_"), 3),
    "no different rows": (("fitted", "n_distinct_"), 0),
    "no groups": (("fitted", "n_groups_"), 0),
    "fewer than no rows": (("fitted", "n_dropped_"), -1),
    "ids of numbers": (("fitted", "id_columns_"), [3]),
    "no word on the score": (("fitted", "score_on_"), None),
    "a parameter of the fit": (("fitted", "fitted_parameters_"), {"dict": [["metric", "best"], ["ordered", False]]}),
    "a parameter less": (("fitted", "fitted_parameters_"), {"dict": [["metric", "f1"]]}),
}
BACKGROUNDS = {
    "numbers": lambda array: array[:-1],
    "levels0": lambda array: np.append(array, 0.5),
    "hashes": lambda array: array[::-1],
    "hashes of one axis": lambda array: array[:, None],
}


@pytest.mark.parametrize("part", BACKGROUNDS)
def test_a_changed_background_is_refused(part):
    from rosenblatt.persistence.save_load import ModelFileError
    from rosenblatt.persistence.tabular import tabular_from_state, tabular_state

    X, y, _ = purchases(60)
    state, arrays = tabular_state(TabularClassifier("fast", max_iter=1).fit(X, y))
    name = f"background/{part.split()[0]}"
    with pytest.raises(ModelFileError):
        tabular_from_state(state, {**arrays, name: BACKGROUNDS[part](arrays[name])})
    with pytest.raises(ModelFileError):
        tabular_from_state(state, {key: array for key, array in arrays.items() if key != name})


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_file_is_refused(change):
    from rosenblatt.persistence.save_load import ModelFileError
    from rosenblatt.persistence.tabular import tabular_from_state, tabular_state

    X, y, _ = purchases(60)
    state, arrays = tabular_state(TabularClassifier("fast", max_iter=1).fit(X, y))
    tabular_from_state(state, arrays)
    (*path, last), value = CHANGES[change]
    at = state
    for key in path:
        at = at[key]
    if value is None:
        del at[last]
    else:
        at[last] = value
    with pytest.raises(ModelFileError):
        tabular_from_state(state, arrays)


def test_the_report_says_what_was_done():
    X, y, value = purchases(300)
    X["always"], X["row"] = "same", np.arange(300)
    text = str(TabularClassifier(members=2, max_iter=3).fit(X, y).report())
    for part in ("300 rows of 7 columns", "accuracy 0.", "temperature", "2 networks", "3 epochs"):
        assert part in text
    lines = {line.split()[0]: line for line in text.splitlines() if line.startswith("  ")}
    assert "number" in lines["age"]
    assert "missing" in lines["age"]
    assert "30 levels, embedded" in lines["city"]
    assert "blue, green, red" in lines["colour"]
    assert "date: the day, place in the year, place in the week" in lines["since"]
    assert "left out" in lines["always"]
    assert "left out" in lines["row"]
    assert "R2 " in str(TabularRegressor("fast", max_iter=3).fit(X, value).report())


def test_later_divergence_keeps_the_best_epoch_and_warns() -> None:
    X, y = (part[:40] for part in load_diabetes(return_X_y=True))
    with pytest.warns(
        UserWarning, match=r"diverged in 1 of 1 networks .* Try a smaller learning_rate_init \(now 1e\+38\)"
    ):
        model = TabularRegressor("fast", learning_rate_init=1e38).fit(X, y)  # one step an epoch, the first rate is zero
    assert np.isfinite(model.predict(X)).all()


def test_networks_that_are_kept_are_counted_in_words() -> None:
    settings: Any = None
    kept = [Ensemble((settings,) * n, settings).kept for n in (1, 2)]
    assert kept == ["1 network is kept as it was", "2 networks are kept as they were"]


def test_interrupts_keep_what_was_learned() -> None:
    X, y = load_diabetes(return_X_y=True)
    sent = threading.Event()

    def interrupt(epoch: Any) -> None:
        if sent.is_set():
            time.sleep(0.02)  # the main thread has to notice before the members are done
        elif (epoch.member, epoch.number) == (1, 3):
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)  # type: ignore[arg-type]
            sent.set()

    with pytest.warns(UserWarning, match=r"Training was interrupted: \d networks? (are|is) kept"):
        model = TabularRegressor(max_iter=5000, on_epoch=interrupt).fit(X, y)
    assert all(len(member.curve) < 5000 for member in model.ensemble_.members)
    assert np.isfinite(model.predict(X)).all()


def test_the_target_may_be_named() -> None:
    data = load_diabetes(as_frame=True)
    named, given = TabularRegressor("fast", max_iter=3), TabularRegressor("fast", max_iter=3)
    named.fit(data.frame, "target")
    given.fit(data.data, data.target)
    assert (named.target_name_, given.target_name_) == ("target", "target")
    np.testing.assert_array_equal(named.predict(data.frame), given.predict(data.data))
    model = rosenblatt.learn({"x": np.arange(40.0), "b": np.arange(40) > 20}, "b", preset="fast", max_iter=3)
    assert isinstance(model, TabularClassifier)
    assert model.classes_.tolist() == [False, True]
    assert isinstance(rosenblatt.learn(data.frame, "target", preset="fast", max_iter=1), TabularRegressor)


def test_epochs_are_told() -> None:
    X, y = load_diabetes(return_X_y=True)
    told: list[Any] = []
    model = TabularRegressor(members=2, max_iter=4, on_epoch=told.append).fit(X, y)
    for number, member in enumerate(model.ensemble_.members, start=1):
        mine = [epoch for epoch in told if epoch.member == number]
        assert [(epoch.training_loss, epoch.held_out) for epoch in mine] == member.curve
        assert mine[-1].best == member.best_epoch


def test_the_defaults_are_those_of_the_page():
    settings = TabularRegressor._presets["default"]
    assert settings.hidden == (128, 128, 128)
    assert (settings.members, settings.activation, settings.waves, settings.embedding) == (5, "mish", 8, 8)
    best = TabularRegressor._presets["best"]
    assert (best.hidden, best.members, best.epochs) == ((256, 256, 256), 8, 128)
    assert TabularRegressor._presets["fast"].members == 1


def test_levels_up_to_eight_are_indicators():
    X = {"few": np.arange(90) % 8, "many": np.arange(90) % 9}
    model = TabularRegressor("fast", max_iter=1, kinds=dict.fromkeys(X, "categorical")).fit(X, np.arange(90.0))
    assert len(model.preparation_.indicators) == 8
    assert model.preparation_.n_codes == [10]


@pytest.mark.parametrize(
    ("metric", "first"),
    [
        ("error", "accuracy"),
        ("log_loss", "log loss"),
        ("f1", "F1"),
        ("auc", "area under the ROC curve"),
        ("balanced_error", "balanced accuracy"),
    ],
)
def test_the_metric_that_was_asked_for_stands_first_beside_the_guess(metric, first):
    X, y, _ = purchases(300)
    model = TabularClassifier("fast", max_iter=4, metric=metric).fit(X, y)
    line = str(model.report()).splitlines()[2]
    own, guess = model.scores_[first]
    assert line.startswith(f"{first} {own:.4f}")
    assert line.endswith(f"{model.trivial_guess_}: {guess:.4f}")
    assert model.beats_guess_
    assert "no better" not in str(model.report())


def test_a_model_of_noise_is_said_to_be_no_better_than_a_constant():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(200, 3)), np.where(rng.random(200) < 0.1, "Yes", "No")
    model = TabularClassifier("fast", max_iter=4).fit(X, y)
    assert not model.beats_guess_
    assert "By accuracy, the model is no better than always 'No'." in str(model.report())
    regressor = TabularRegressor("fast", max_iter=4, loss="absolute_error").fit(X, rng.standard_cauchy(200))
    assert "no better than always the median" in str(regressor.report())


@pytest.mark.parametrize(
    ("model", "changes"),
    [
        (TabularClassifier("fast", max_iter=2), {"metric": "f1", "ordered": True}),
        (TabularRegressor("fast", max_iter=2, quantiles=(0.1, 0.9)), {"quantiles": None, "loss": "poisson"}),
        (TabularRegressor("fast", max_iter=2), {"quantiles": (0.1, 0.5, 0.9)}),
    ],
)
def test_parameters_set_after_fit_change_no_prediction(model, changes, tmp_path):
    X, y = load_iris(return_X_y=True)
    X, y = (X, y) if isinstance(model, TabularClassifier) else (X[:, :3], X[:, 3])
    model.fit(X, y)

    def answers(fitted):
        interval = fitted.predict_interval(X, 0.8) if hasattr(fitted, "residuals_") else fitted.predict_proba(X)
        return [fitted.predict(X), interval, fitted.explain(X, y, method="gradient").importance, str(fitted.report())]

    before = answers(model)
    model.set_params(**changes)
    rosenblatt.save(model, tmp_path / "model")
    for found in (answers(model), answers(rosenblatt.load(tmp_path / "model"))):
        for old, new in zip(before, found, strict=True):
            np.testing.assert_array_equal(old, new)


def interrupt(epoch):
    raise RuntimeError("an epoch failed")


@pytest.mark.parametrize(
    "changes", [{"on_epoch": interrupt}, {"learning_rate_init": 1e38}, {"kinds": {"nothing": "text"}}]
)
def test_a_failed_refit_leaves_the_old_model_whole(changes):
    X, y = load_diabetes(return_X_y=True)
    model = TabularRegressor("fast", max_iter=2).fit(X, y)
    before, predictions = dict(vars(model)), model.predict(X)
    model.set_params(**changes)
    with pytest.raises((RuntimeError, ValueError)):
        model.fit(X[:, :4] * 1e3, y * 1e6)
    fitted = {name: value for name, value in vars(model).items() if name.endswith("_")}
    assert all(fitted[name] is before[name] for name in before if name.endswith("_"))
    assert (model.predict(X) == predictions).all()
