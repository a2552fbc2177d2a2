"""The parameters that scikit-learn does not have: each does what it says, and wrong ones are named."""

import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss, make_scorer, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler, scale

from rosenblatt import nn
from rosenblatt.estimators import DivergenceError, MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

WINE_X, WINE_Y = load_wine(return_X_y=True)
WINE_X = StandardScaler().fit_transform(WINE_X)
DIABETES_X, DIABETES_Y = load_diabetes(return_X_y=True)
DIABETES_X, DIABETES_Y = scale(DIABETES_X), scale(DIABETES_Y)


def wine(**parameters):
    options = {"hidden_layer_sizes": (16, 8), "max_iter": 30, "random_state": 0, **parameters}
    return MLPClassifier(**options).fit(WINE_X, WINE_Y)


def diabetes(**parameters):
    options = {"hidden_layer_sizes": (16,), "max_iter": 60, "random_state": 0, "learning_rate_init": 0.01, **parameters}
    return MLPRegressor(**options).fit(DIABETES_X, DIABETES_Y)


OPTIONS = {
    "dropout": {"dropout": 0.3},
    "dropout by layer": {"dropout": [0.5, 0.0], "input_dropout": 0.1},
    "alpha dropout": {"activation": "selu", "alpha_dropout": True, "dropout": 0.1, "weight_init": "lecun_normal"},
    "input_noise": {"input_noise": 0.2},
    "batch norm": {"normalization": "batch"},
    "layer norm": {"normalization": ["layer", None]},
    "max-norm": {"max_norm": 1.0},
    "l1": {"l1": 0.5},
    "weight decay": {"solver": "adamw", "weight_decay": 0.5},
    "clip": {"clip_value": 0.01, "clip_norm": 0.05},
    "ema_decay": {"ema_decay": 0.95},
    "label smoothing": {"label_smoothing": 0.2},
    "nadam": {"solver": "nadam"},
    "rmsprop": {"solver": nn.RMSProp(momentum=0.9)},
    "adagrad": {"solver": "adagrad", "learning_rate_init": 0.05},
    "prelu": {"activation": "prelu"},
    "activations by layer": {"activation": ["tanh", nn.LeakyReLU(alpha=0.2)]},
    "one cycle": {"learning_rate": "one_cycle", "learning_rate_init": 0.02},
    "plateau": {"learning_rate": nn.Plateau(0.5, patience=3, min_delta=0.02), "learning_rate_init": 0.01},
    "orthogonal": {"weight_init": ["orthogonal", "he_normal", "zeros"], "bias_init": nn.Constant(0.1)},
    "data driven": {"weight_init": "data_driven"},
    "focal": {"loss": "focal"},
    "hinge": {"loss": "hinge", "learning_rate_init": 0.01},
    "own loss": {"loss": lambda b, p, t: b.sum(b.square(b.sub(p, t)), axis=1), "learning_rate_init": 0.01},
    "class weights": {"class_weight": {0: 3.0, 1: 1.0, 2: 1.0}},
}


@pytest.mark.parametrize("name", OPTIONS)
def test_every_option_learns_repeats_and_matters(name):
    options = {"max_iter": 150, **OPTIONS[name]}
    model, again, plain = wine(**options), wine(**options), wine(max_iter=150)
    assert model.score(WINE_X, WINE_Y) > 0.9
    assert np.array_equal(model.network.block, again.network.block), "equal seeds give equal bits"
    assert model.network.block.tolist() != plain.network.block.tolist()
    assert np.array_equal(model.predict(WINE_X[:3]), model.predict(WINE_X)[:3]), "prediction draws nothing"
    assert clone(model).get_params().keys() == model.get_params().keys()


def test_every_layer_has_its_activation():
    model = wine(activation=["tanh", nn.LeakyReLU(alpha=0.2)])
    (w1, w2, w3), (b1, b2, b3) = model.coefs_, model.intercepts_
    h = np.tanh(WINE_X @ w1 + b1) @ w2 + b2
    logits = np.where(h > 0, h, 0.2 * h) @ w3 + b3
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model.predict_proba(WINE_X), p, rtol=1e-10)


def test_class_weights_are_sample_weights():
    weights = np.where(WINE_Y == 1, 2.5, 1.0)
    by_class = wine(class_weight={1: 2.5})
    by_row = MLPClassifier((16, 8), max_iter=30, random_state=0).fit(WINE_X, WINE_Y, weights)
    assert by_class.loss_curve_ == by_row.loss_curve_
    counts = np.bincount(WINE_Y)
    balanced = MLPClassifier((16, 8), max_iter=30, random_state=0).fit(WINE_X, WINE_Y, (178 / 3 / counts)[WINE_Y])
    np.testing.assert_allclose(wine(class_weight="balanced").loss_curve_, balanced.loss_curve_, rtol=1e-12)


def test_any_scorer_decides_when_to_stop_and_which_weights_are_best():
    X, y = load_breast_cancer(return_X_y=True)
    X_train, X_val, y_train, y_val = train_test_split(scale(X), y, random_state=0)
    scorer = make_scorer(log_loss, greater_is_better=False, response_method="predict_proba")
    model = MLPClassifier((32,), random_state=0, learning_rate_init=0.02, scoring=scorer, n_iter_no_change=5)
    model.fit(X_train, y_train, X_val=X_val, y_val=y_val)
    best = max(model.validation_scores_)
    assert -log_loss(y_val, model.predict_proba(X_val)) == pytest.approx(best)
    assert model.n_iter_ < 60
    by_name = MLPClassifier((8,), random_state=0, scoring="roc_auc", early_stopping=True, max_iter=10)
    by_name.fit(X_train, np.where(y_train, "benign", "malignant"))
    assert all(0.5 < s <= 1 for s in by_name.validation_scores_)
    auc = MLPClassifier((8,), random_state=0, scoring="roc_auc", max_iter=9).fit(
        X_train, y_train, X_val=X_val, y_val=y_val
    )
    assert roc_auc_score(y_val, auc.predict_proba(X_val)[:, 1]) == pytest.approx(max(auc.validation_scores_))


def test_the_history_has_every_epoch():
    model = wine(
        early_stopping=True, learning_rate="cosine", gradient_statistics=True, max_iter=12, n_iter_no_change=99
    )
    history = model.history_
    assert history["loss"] == model.loss_curve_
    assert history["val_score"] == model.validation_scores_
    assert len(history["val_loss"]) == 12
    assert history["learning_rate"][0] > history["learning_rate"][-1] > 0
    assert all(n > 0 for n in history["hidden1.norm"])
    frame = history.to_frame()
    assert list(frame["epoch"]) == list(range(1, 13))
    assert list(frame["loss"]) == model.loss_curve_
    assert history.to_frame("polars").shape == frame.shape


def test_a_schedule_gives_the_rates_of_its_formula():
    model = wine(learning_rate=nn.Exponential(0.5, epochs=10), batch_size=50, max_iter=20, n_iter_no_change=99)
    steps = -(-178 // 50)
    expected = 0.001 * 0.5 ** ((np.arange(1, 21) * steps - 1) / steps / 10)
    np.testing.assert_allclose(model.history_["learning_rate"], expected)


def test_a_course_that_was_planned_is_complete_at_its_end():
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        for schedule in ("one_cycle", "cosine", "coslog"):
            wine(learning_rate=schedule, max_iter=3)
        with pytest.raises(ConvergenceWarning, match="Maximum iterations"):
            wine(learning_rate="exponential", max_iter=3)


def test_averages_are_what_is_validated_and_kept():
    model = wine(ema_decay=0.9, early_stopping=True, n_iter_no_change=99)
    plain = wine(early_stopping=True, n_iter_no_change=99)
    assert model.history_["loss"] == plain.history_["loss"], "the averages do not touch the training"
    assert model.history_["val_loss"] != plain.history_["val_loss"]


def test_max_norm_is_for_hidden_neurons_and_l1_shrinks():
    model = wine(max_norm=[0.7, 1.1], max_iter=100)
    for layer, limit in enumerate((0.7, 1.1)):
        assert np.linalg.norm(model.coefs_[layer], axis=0).max() <= limit * (1 + 1e-12)
    small = wine(l1=5.0, max_iter=200)
    assert np.abs(small.coefs_[0]).mean() < 0.5 * np.abs(wine(max_iter=200).coefs_[0]).mean()


def test_penalties_for_each_layer_are_those_of_all_where_they_are_equal():
    same, listed = wine(alpha=0.3, l1=0.01), wine(alpha=[0.3] * 3, l1=(0.01,) * 3)
    np.testing.assert_allclose(same.loss_curve_, listed.loss_curve_, rtol=1e-12)
    np.testing.assert_allclose(same.coefs_[0], listed.coefs_[0], rtol=1e-8, atol=1e-12)
    first = wine(alpha=[20.0, 0.0, 0.0], max_iter=200)
    assert np.abs(first.coefs_[0]).mean() < 0.6 * np.abs(wine(alpha=0, max_iter=200).coefs_[0]).mean()
    by_lbfgs = wine(alpha=[0.5, 0.5, 0.5], solver="lbfgs")
    np.testing.assert_allclose(by_lbfgs.loss_, wine(alpha=0.5, solver="lbfgs").loss_, rtol=1e-9)


def test_quantiles_cover_their_share():
    model = diabetes(loss=nn.Quantile((0.1, 0.5, 0.9)), max_iter=200, n_iter_no_change=200)
    low, middle, high = model.predict(DIABETES_X).T
    assert np.mean(low > DIABETES_Y) == pytest.approx(0.1, abs=0.04)
    assert np.mean(high > DIABETES_Y) == pytest.approx(0.9, abs=0.04)
    assert model.score(DIABETES_X, DIABETES_Y) == pytest.approx(
        1 - ((DIABETES_Y - middle) ** 2).mean() / DIABETES_Y.var()
    )


def test_a_gaussian_learns_where_it_is_sure():
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (1500, 1))
    spread = np.where(X[:, 0] > 0, 1.0, 0.1)
    y = 2 * X[:, 0] + spread * rng.normal(size=1500)
    model = MLPRegressor("gaussian_nll", (32,), random_state=0, learning_rate_init=0.01, max_iter=150).fit(X, y)
    mean, std = model.predict([[-0.5], [0.5]], return_std=True)
    np.testing.assert_allclose(mean, [-1, 1], atol=0.15)
    np.testing.assert_allclose(std, [0.1, 1], rtol=0.2)


@pytest.mark.parametrize("loss", ["absolute", "huber", "quantile", "gaussian_nll", nn.Huber(0.5)])
def test_every_regression_loss_learns(loss):
    assert diabetes(loss=loss, max_iter=150).score(DIABETES_X, DIABETES_Y) > 0.4


@pytest.mark.parametrize("loss", ["poisson", "gamma", "tweedie", nn.Tweedie(1.2)])
def test_losses_with_a_logarithmic_link_predict_positive_amounts(loss):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 3))
    mean = np.exp(1 + 0.5 * X[:, 0] - 0.3 * X[:, 1])
    y = rng.gamma(5, mean / 5)
    model = MLPRegressor(loss, (16,), random_state=0, learning_rate_init=0.01, max_iter=150).fit(X, y)
    assert model.predict(X).min() > 0
    assert np.corrcoef(model.predict(X), mean)[0, 1] > 0.95


def test_hinge_has_no_probabilities():
    model = wine(loss="hinge", max_iter=200, learning_rate_init=0.01)
    assert not hasattr(model, "predict_proba")
    with pytest.raises(AttributeError, match="predict_proba"):
        model.predict_proba(WINE_X)
    binary = MLPClassifier((8,), loss="hinge", random_state=0, max_iter=200, learning_rate_init=0.01)
    labels = np.where(WINE_Y == 0, "a", "b")
    assert binary.fit(WINE_X, labels).score(WINE_X, labels) > 0.95


def test_dropout_narrows_the_gap():
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X / 16, y, train_size=200, random_state=0)
    gaps = []
    for dropout in (0.0, 0.5):
        model = MLPClassifier((200,), dropout=dropout, random_state=0, max_iter=200, learning_rate_init=0.01)
        model.fit(X_train, y_train)
        loss = [log_loss(b, model.predict_proba(a)) for a, b in ((X_train, y_train), (X_test, y_test))]
        gaps.append(loss[1] - loss[0])
    assert gaps[1] < gaps[0]


def test_batch_normalization_predicts_with_running_statistics():
    model = wine(normalization="batch")
    together, alone = model.predict_proba(WINE_X[:20]), np.vstack([model.predict_proba(x[None]) for x in WINE_X[:20]])
    assert np.array_equal(together, alone)
    assert model.network["hidden1_norm.mean"].any()


def test_training_goes_on_with_the_normalizations_that_it_had():
    model = wine(normalization="batch", warm_start=True, max_iter=20)
    before = {name: array.copy() for name, array in model.network.named_parameters()}
    model.set_params(dropout=0.1, max_iter=1, learning_rate_init=1e-9).fit(WINE_X, WINE_Y)
    np.testing.assert_allclose(model.network["hidden1_norm.gain"], before["hidden1_norm.gain"], atol=1e-6)
    assert np.ptp(before["hidden1_norm.gain"]) > 0.01


def test_divergence_is_named():
    with pytest.raises(DivergenceError, match="try a smaller learning_rate_init"):
        diabetes(solver="sgd", learning_rate_init=1e6)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"dropout": [0.1]}, "dropout has 1 entries, .0.1,.; the network has 2 layers"),
        ({"dropout": [0.1, 1.0]}, r"a dropout rate is 1.0; it must be a number in \[0, 1\)"),
        ({"activation": ["relu", "rely"]}, "did you mean 'relu'"),
        ({"normalization": ["batch", "lair"]}, "normalization is 'lair'; allowed: None, 'batch', 'layer'"),
        ({"weight_init": "zeros"}, "layer 'hidden1': all weights of its 16 neurons would start equal"),
        ({"weight_init": ["he_normal"]}, "weight_init has 1 entries"),
        ({"weight_init": "normal"}, "needs std"),
        (
            {"output_activation": "tanh"},
            "output_activation is 'tanh', but with loss='log_loss' .* 'softmax', 'identity'",
        ),
        ({"loss": "hinge", "label_smoothing": 0.1}, "label_smoothing is for loss='log_loss', but loss is 'hinge'"),
        (
            {"solver": "lbfgs", "dropout": 0.5},
            "dropout is 0.5, which solver='lbfgs' does not support: use 'adam' or 'sgd'",
        ),
        ({"solver": "lbfgs", "gradient_statistics": True}, "gradient_statistics is True, which solver="),
        ({"solver": nn.SGD(), "weight_decay": 0.1}, "weight_decay is 0.1, but solver is an optimizer: set it there"),
        ({"scoring": "roc_auc"}, "scoring needs a validation set"),
        ({"scoring": "rok", "early_stopping": True}, "rok"),
        ({"activation": "step"}, "the activation 'step' cannot learn by gradient descent"),
        ({"class_weight": {5: 1.0}}, r"class_weight names 5, but the labels of y are \[0, 1, 2\]"),
        ({"learning_rate": "cosin"}, "Did you mean 'cosine'"),
        ({"solver": "adamm"}, "Did you mean 'adam"),
        ({"loss": "hing"}, "Did you mean 'hinge'"),
        ({"max_norm": -1}, "max_norm"),
        ({"alpha": [0.1]}, "alpha has 1 entries, .0.1,.; the network has 3 layers"),
        ({"alpha": [0.1, -1, 0]}, r"Dense 'hidden2': l2 is -1; it must be a number in \[0, inf\)"),
        ({"ema_decay": 1.0}, "ema_decay"),
        ({"checkpoint": 3}, "checkpoint"),
        (
            {"checkpoint": "c", "checkpoint_every": "3 weeks"},
            "checkpoint_every is '3 weeks'; it must be a positive number of steps",
        ),
    ],
)
def test_wrong_parameters_are_named(parameters, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=message):
        wine(**parameters)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"loss": "gamma"}, "loss='gamma' needs y > 0, but the smallest value is"),
        ({"loss": "poisson", "target_transform": "log"}, "already has a logarithmic link"),
        ({"loss": "quantile", "target_transform": "log"}, "train on np.log"),
        ({"output_activation": "softmax"}, "output_activation is 'softmax', but with loss='squared_error'"),
        ({"loss": "hubert"}, "Did you mean 'huber'"),
    ],
)
def test_wrong_parameters_of_regressors_are_named(parameters, message):
    with pytest.raises(ValueError, match=message):
        diabetes(**parameters)


def test_partial_fit_refuses_what_needs_the_whole_training():
    for parameters in ({"ema_decay": 0.9}, {"checkpoint": "c"}):
        with pytest.raises(ValueError, match=f"partial_fit does not support {next(iter(parameters))}="):
            MLPClassifier(**parameters).partial_fit(WINE_X, WINE_Y, classes=[0, 1, 2])
    with pytest.raises(ValueError, match="return_std needs loss='gaussian_nll', but loss is 'squared_error'"):
        diabetes().predict(DIABETES_X, return_std=True)
