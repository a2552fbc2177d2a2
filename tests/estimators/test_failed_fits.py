"""Failed fits leave the earlier model whole; diverged models are refused; parameters set later change no model."""

import itertools
import pickle
import warnings

import numpy as np
import pytest
from benchmarks.reliability.diverging import DOORS, Settings, check_fit

from rosenblatt import LogisticRegression, MLPClassifier, MLPRegressor, MLPSearchCV, Perceptron, nn
from rosenblatt.estimators import DivergenceError
from rosenblatt.estimators.outputs import OutputError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3))
LABELS = (X[:, 0] > 0).astype(int)
THREE = np.arange(60) % 3
NUMBERS = np.abs(X @ [1.0, 2.0, 3.0]) + 1
HOLED = X.copy()
HOLED[3, 1] = np.nan
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def classifier(**parameters):
    return MLPClassifier(**{"hidden_layer_sizes": (4,), "max_iter": 3, "random_state": 0, **parameters})


def regressor(**parameters):
    return MLPRegressor(**{"hidden_layer_sizes": (4,), "max_iter": 3, "random_state": 0, **parameters})


MODELS = {
    "classifier": classifier(),
    "classifier, warm": classifier(warm_start=True),
    "classifier, lbfgs": classifier(solver="lbfgs"),
    "classifier, early stopping": classifier(early_stopping=True),
    "logistic": LogisticRegression(),
    "logistic, sgd": LogisticRegression(solver="sgd", max_iter=9, warm_start=True),
    "perceptron": Perceptron(),
    "perceptron, warm": Perceptron(warm_start=True),
    "search": MLPSearchCV(classifier(), {"alpha": [0.1, 0.01]}, cv=2, n_trials=2),
}
BAD_FITS = {
    "NaN": lambda m: m.fit(HOLED, LABELS),
    "too few labels": lambda m: m.fit(X[:, :2], LABELS[:9]),
    "no labels": lambda m: m.fit(X[:, :2], None),
    "texts": lambda m: m.fit(np.full((60, 2), "a"), LABELS),
}


@pytest.mark.parametrize("bad", BAD_FITS.values(), ids=BAD_FITS)
@pytest.mark.parametrize("name", MODELS)
def test_a_failed_fit_leaves_the_model_whole(name, bad):
    model = pickle.loads(pickle.dumps(MODELS[name])).fit(X, LABELS)
    before, predictions = set(vars(model)), model.predict(X)
    with pytest.raises(ValueError, match=r"."):
        bad(model)
    np.testing.assert_array_equal(model.predict(X), predictions)
    assert set(vars(model)) == before


@pytest.mark.parametrize("model", [classifier(), Perceptron()], ids=str)
def test_a_failed_partial_fit_leaves_the_model_whole(model):
    twin = pickle.loads(pickle.dumps(model))
    with pytest.raises(ValueError, match="X contains NaN in row 3, column 1"):
        model.partial_fit(HOLED, LABELS + 1, classes=[1, 2])
    for step in range(3):  # the first call that works names the classes, and moments of the optimizer go on
        for one in (model, twin):
            one.partial_fit(X, LABELS, **({"classes": [0, 1]} if step == 0 else {}))
        with pytest.raises(ValueError, match="X contains NaN in row 3, column 1"):
            model.partial_fit(HOLED, LABELS)
    for mine, other in zip(model.coefs_ if hasattr(model, "coefs_") else [model.coef_],
                           twin.coefs_ if hasattr(twin, "coefs_") else [twin.coef_], strict=True):  # fmt: skip
        np.testing.assert_array_equal(mine, other)


def test_bad_weights_of_a_perceptron_are_refused_in_the_words_of_all():
    for weight, message in ((-np.ones(60), "at least 0"), (0 * LABELS, "zero in all rows"), (HOLED[:, 1], "NaN")):
        for fit in (Perceptron().fit, Perceptron(warm_start=True).fit):
            with pytest.raises(ValueError, match=message):
                fit(X, LABELS, sample_weight=weight)
        with pytest.raises(ValueError, match=message):
            Perceptron().partial_fit(X, LABELS, classes=[0, 1], sample_weight=weight)


def predictions_diverge(monkeypatch):
    """Steps with huge, finite weights: nothing shows the divergence but a prediction."""
    from rosenblatt.training import loop

    end = loop.TrainingLoop.end_epoch

    def exploding(self, row, cut=False):
        self.network.parameters[...] = 1e30
        end(self, row, cut)

    monkeypatch.setattr(loop.TrainingLoop, "end_epoch", exploding)


@pytest.mark.parametrize("fit", [
    lambda f: classifier(dtype="float32", checkpoint=f).fit(X, THREE),
    lambda f: classifier(dtype="float32", hidden_layer_sizes=(4, 4)).partial_fit(X, THREE, classes=[0, 1, 2]),
    lambda f: regressor(dtype="float32", hidden_layer_sizes=(4, 4), checkpoint=f).fit(X, NUMBERS),
    lambda f: LogisticRegression(solver="adam", max_iter=2, checkpoint=f).fit((1e10 * X).astype("f4"), THREE),
    lambda f: nn.Network(nn.NetworkSpec(3, (4, 4), 1)).fit(X, NUMBERS, epochs=2, checkpoint=f),
    lambda f: nn.Network(nn.NetworkSpec(3, (4, 4), 1)).fit(X, NUMBERS, epochs=2, ema_decay=0.5, checkpoint=f),
], ids=["classifier", "partial_fit", "regressor", "logistic", "network", "averages"])  # fmt: skip
def test_infinite_predictions_are_a_divergence(fit, tmp_path, monkeypatch):
    predictions_diverge(monkeypatch)
    with pytest.raises(DivergenceError, match=r"became (infinite|inf|nan|NaN)"):
        fit(tmp_path / "folder")
    assert list(tmp_path.rglob("checkpoint.safetensors")) == []


def test_huge_learning_rates_never_give_a_model_that_predicts_nan():
    outcomes = []
    for door, solver, rate in itertools.product(DOORS.values(), ("adamw", "sgd", "nadam"), (1e5, 1e15, 1e25)):
        try:
            check_fit(door, Settings(solver, rate, (8, 8, 8), "float32", 20, 1))
            outcomes.append("finite")
        except DivergenceError:
            outcomes.append("diverged")
    assert set(outcomes) == {"finite", "diverged"}


def test_a_search_counts_a_diverged_candidate_as_failed():
    space = {"learning_rate_init": [1e30, 1e-3]}
    search = MLPSearchCV(classifier(dtype="float32", max_iter=2), space, cv=2, n_trials=2, strategy="random")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search.fit(X, LABELS)
    assert search.best_params_ == {"learning_rate_init": 1e-3}


def test_an_output_that_is_no_number_is_never_a_class():
    model = classifier(dtype="float32").fit(X, LABELS)
    model.coefs_[0][...] = 3e38
    with pytest.raises(OutputError, match=r"output for row 1 \(from 0\) of X is (nan|inf).* too large for float32"):
        model.predict([[0.0, 0, 0], [1e5, -1e5, 1e5]])


CHANGES = {
    "variance, later": (regressor(), NUMBERS, {"loss": "gaussian_nll"}, "predict"),
    "variance no more": (regressor(loss="gaussian_nll"), NUMBERS, {"loss": "squared_error"}, "predict"),
    "quantiles no more": (regressor(loss="quantile"), NUMBERS, {"loss": "poisson"}, "predict"),
    "logarithm, later": (regressor(), NUMBERS, {"target_transform": "log"}, "predict"),
    "logarithm no more": (regressor(target_transform="log"), NUMBERS, {"target_transform": None}, "predict"),
    "hinge, later": (classifier(), LABELS, {"loss": "hinge"}, "predict_proba"),
    "hinge no more": (classifier(loss="hinge"), LABELS, {"loss": "log_loss"}, "predict"),
    "another output": (classifier(), LABELS, {"output_activation": "identity"}, "predict_proba"),
    "another network": (
        classifier(),
        LABELS,
        {"hidden_layer_sizes": (9,), "activation": "tanh", "dtype": "float32", "solver": "lbfgs", "dropout": 0.5},
        "predict_proba",
    ),
    "logistic": (LogisticRegression(), LABELS, {"C": 3.0, "fit_intercept": False, "penalty": None}, "predict_proba"),
    "perceptron": (Perceptron(), LABELS, {"fit_intercept": False, "penalty": "l1"}, "predict"),
}


@pytest.mark.parametrize(("model", "y", "change", "method"), CHANGES.values(), ids=CHANGES)
def test_parameters_set_after_fit_change_no_prediction(model, y, change, method):
    expected, score = getattr(model.fit(X, y), method)(X), model.score(X, y)
    model.set_params(**change)
    for one in (model, pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(getattr(one, method)(X), expected)
        assert one.score(X, y) == score


def test_a_loss_set_between_calls_of_partial_fit_is_trained_on():
    model, same = regressor(), regressor()
    for one in (model, same):
        one.partial_fit(X, NUMBERS)
    assert model.set_params(loss="absolute").partial_fit(X, NUMBERS).loss_ != same.partial_fit(X, NUMBERS).loss_


@pytest.mark.parametrize(("labels", "row"), [(["a", None] * 30, 1), ([0.0, 1.0, np.nan] * 20, 2)])
@pytest.mark.parametrize("model", [classifier(), LogisticRegression(), Perceptron()], ids=str)
def test_a_missing_label_is_named_by_its_row(model, labels, row):
    with pytest.raises(ValueError, match=rf"^y .*in row {row} \(from 0\)"):
        model.fit(X, np.array(labels, dtype=object))


def test_a_single_row_of_a_class_cannot_be_set_aside():
    with pytest.raises(ValueError, match=r"y has only 1 row of the class 'rare'.* pass X_val and y_val"):
        classifier(early_stopping=True).fit(X, np.array(["rare"] + ["often"] * 59))


@pytest.mark.parametrize("given", [None, "good", np.zeros(2)])
def test_a_scorer_that_gives_no_number_is_named(given):
    with pytest.raises(ValueError, match=r"the scorer returned .* it must return a number"):
        classifier(scoring=lambda *_: given).fit(X, LABELS, X_val=X, y_val=LABELS)
    with pytest.raises(ValueError, match=r"the scorer returned .* it must return a number"):
        nn.Network(nn.NetworkSpec(3, (4,), 1)).fit(X, NUMBERS, validation=(X, NUMBERS), scorer=lambda *_: given)


@pytest.mark.parametrize("restore_best", [True, False])
def test_no_score_in_any_epoch_is_an_error(restore_best):
    network = nn.Network(nn.NetworkSpec(3, (4,), 1))
    before = network.block.copy()
    how = {"validation": (X, NUMBERS), "scorer": lambda *_: np.nan, "epochs": 3, "restore_best": restore_best}
    with pytest.raises(ValueError, match="not a number after any epoch"):
        network.fit(X, NUMBERS, **how)
    np.testing.assert_array_equal(network.block, before)


def test_a_score_that_is_nan_at_first_is_never_the_best():
    scores = iter([np.nan, 0.1, np.nan, 0.7, 0.2, np.nan])
    blocks = []
    network = nn.Network(nn.NetworkSpec(3, (4,), 1))
    how = {"validation": (X, NUMBERS), "scorer": lambda *_: next(scores), "epochs": 6}
    network.fit(X, NUMBERS, callbacks=[lambda epoch: blocks.append(epoch.network.block.copy())], **how)
    np.testing.assert_array_equal(network.block, blocks[3])


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_an_error_of_a_callback_or_scorer_leaves_the_network_whole(optimizer):
    def fail(*_):
        raise RuntimeError("my own error")

    network = nn.Network(nn.NetworkSpec(3, (4,), 1))
    before = network.block.copy()
    for how in ({"callbacks": [fail]}, {"scorer": fail, "validation": (X, NUMBERS)}):
        with pytest.raises(RuntimeError, match="my own error"):
            network.fit(X, NUMBERS, optimizer=optimizer, epochs=3, **how)
        np.testing.assert_array_equal(network.block, before)
