"""Losses: values and gradients against closed forms, differences, scikit-learn and PyTorch; extremes; targets."""

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import special
from sklearn._loss import loss as sklearn_loss

from rosenblatt.nn import Adam, Network, NetworkSpec
from rosenblatt.nn.activations import OUTPUTS
from rosenblatt.nn.losses import (
    LOSSES,
    AbsoluteError,
    Focal,
    Gamma,
    GaussianNLL,
    Hinge,
    Huber,
    LogisticCrossEntropy,
    LogisticFocal,
    Loss,
    MulticlassHinge,
    Poisson,
    Quantile,
    SoftmaxCrossEntropy,
    SquaredError,
    Tweedie,
    check_target,
    loss_record,
)
from rosenblatt.nn.registry import name_of
from rosenblatt.training import Trainer

RNG = np.random.default_rng(0)
LOGITS = RNG.normal(0, 2, (40, 4))
LABELS = RNG.integers(0, 4, 40).astype(np.int32)
ZERO_ONE = RNG.integers(0, 2, (40, 4)).astype(float)
REAL = RNG.normal(0, 2, (40, 4))
POSITIVE = np.exp(RNG.normal(size=(40, 4)))
AMOUNTS = POSITIVE * ZERO_ONE
TWO = REAL[:, :2]


def minus_log_softmax(z):
    return special.logsumexp(z, axis=1, keepdims=True) - z


def picked(z):
    return minus_log_softmax(z)[np.arange(len(z)), LABELS[: len(z)]]


def smoothed(z, smoothing):
    return (1 - smoothing) * picked(z) + smoothing * minus_log_softmax(z).mean(axis=1)


def minus_log_p(z, t):
    return np.logaddexp(0, z) - t * z


def focused(cross_entropy, gamma):
    return (1 - np.exp(-cross_entropy)) ** gamma * cross_entropy


def multiclass_hinge(z):
    rows = np.arange(len(z))
    margins = np.maximum(0, 1 - z[rows, LABELS][:, None] + z)
    margins[rows, LABELS] = 0
    return margins.sum(axis=1) / z.shape[1]


def huber(e, delta):
    return np.where(np.abs(e) <= delta, e**2 / 2, delta * (np.abs(e) - delta / 2))


def pinball(z, t, quantiles):
    q, e = np.repeat(quantiles, t.shape[1]), np.tile(t, len(quantiles)) - z
    return np.maximum(q * e, (q - 1) * e)


def tweedie(z, t, p):
    return t ** (2 - p) / ((1 - p) * (2 - p)) - t * np.exp((1 - p) * z) / (1 - p) + np.exp((2 - p) * z) / (2 - p)


def gaussian(z, t):
    mean, log_variance = np.split(z, 2, axis=1)
    return 0.5 * (log_variance + (t - mean) ** 2 / np.exp(log_variance))


# loss, targets, closed form of the loss as a function of the outputs
CASES = [
    (SoftmaxCrossEntropy(), LABELS, picked),
    (SoftmaxCrossEntropy(0.1), LABELS, lambda z: smoothed(z, 0.1)),
    (LogisticCrossEntropy(), ZERO_ONE, lambda z: minus_log_p(z, ZERO_ONE)),
    (LogisticCrossEntropy(0.2), ZERO_ONE, lambda z: minus_log_p(z, 0.8 * ZERO_ONE + 0.1)),
    (Focal(), LABELS, lambda z: focused(picked(z), 2)),
    (Focal(0.0), LABELS, picked),
    (Focal(1), LABELS, lambda z: focused(picked(z), 1)),
    (Focal(0.5), LABELS, lambda z: focused(picked(z), 0.5)),
    (Focal(3.5), LABELS, lambda z: focused(picked(z), 3.5)),
    (LogisticFocal(), ZERO_ONE, lambda z: focused(minus_log_p(z, ZERO_ONE), 2)),
    (LogisticFocal(0.7), ZERO_ONE, lambda z: focused(minus_log_p(z, ZERO_ONE), 0.7)),
    (Hinge(), ZERO_ONE, lambda z: np.maximum(0, 1 - (2 * ZERO_ONE - 1) * z)),
    (MulticlassHinge(), LABELS, multiclass_hinge),
    (SquaredError(), REAL, lambda z: (z - REAL) ** 2 / 2),
    (AbsoluteError(), REAL, lambda z: np.abs(z - REAL)),
    (Huber(), REAL, lambda z: huber(z - REAL, 1.0)),
    (Huber(2.5), REAL, lambda z: huber(z - REAL, 2.5)),
    (Quantile(), REAL, lambda z: pinball(z, REAL, (0.5,))),
    (Quantile((0.9,)), REAL, lambda z: pinball(z, REAL, (0.9,))),
    (Quantile((0.1, 0.8)), TWO, lambda z: pinball(z, TWO, (0.1, 0.8))),
    (Poisson(), AMOUNTS, lambda z: special.xlogy(AMOUNTS, AMOUNTS) - AMOUNTS * z - AMOUNTS + np.exp(z)),
    (Gamma(), POSITIVE, lambda z: z - np.log(POSITIVE) + POSITIVE * np.exp(-z) - 1),
    (Tweedie(), AMOUNTS, lambda z: tweedie(z, AMOUNTS, 1.5)),
    (Tweedie(1.2), AMOUNTS, lambda z: tweedie(z, AMOUNTS, 1.2)),
    (GaussianNLL(), TWO, lambda z: gaussian(z, TWO)),
]
every_case = pytest.mark.parametrize(("loss", "target", "closed_form"), CASES, ids=[name_of(c[0]) for c in CASES])


def test_every_loss_is_tested():
    assert {loss.name for loss, _, _ in CASES} == set(LOSSES)


@every_case
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_values_are_the_closed_forms(loss, target, closed_form, dtype, differentiate):
    value = differentiate(loss, [LOGITS, target], dtype)[0]
    tolerance = {"float32": 1e-5, "float64": 1e-12}[dtype]
    assert_allclose(value, closed_form(LOGITS), rtol=tolerance, atol=tolerance)


@every_case
def test_gradients_are_the_limits_of_differences(loss, target, closed_form, differentiate):
    gradient = differentiate(loss, [LOGITS, target])[1]
    difference, h = np.empty_like(LOGITS), 1e-6
    for column in range(LOGITS.shape[1]):
        step = np.zeros_like(LOGITS)
        step[:, column] = h
        change = (closed_form(LOGITS + step) - closed_form(LOGITS - step)) / (2 * h)
        difference[:, column] = change.reshape(len(LOGITS), -1).sum(axis=1)
    assert_allclose(gradient, difference, rtol=1e-6, atol=1e-7)


@every_case
@pytest.mark.parametrize("size", [30.0, 100.0, 1e3, 1e4])
def test_large_outputs_give_no_nan(loss, target, closed_form, size, differentiate):
    z = np.random.default_rng(1).choice([-size, 0.0, size], LOGITS.shape)
    z[:8] = size * np.array(np.meshgrid([-1, 1], [-1, 1], [-1, 1], [1])).reshape(4, 8).T
    value, gradient = differentiate(loss, [z, target], "float32")[:2]
    assert not np.isnan(value).any()
    assert not np.isnan(gradient).any()
    if "exp" not in loss.record.outputs or loss.record.raw is False:
        assert np.isfinite(value).all()
        assert np.isfinite(gradient).all()
    if loss.name in ("softmax_cross_entropy", "logistic_cross_entropy") and not loss.label_smoothing:
        return  # reported with clipped probabilities, as scikit-learn does
    if loss.name != "gaussian_nll":  # which holds the variance above 1e-6
        with np.errstate(over="ignore", invalid="ignore"):
            right = closed_form(z)
        clear = np.isfinite(right) & (np.abs(right) < 1e37)
        assert_allclose(value[clear], right[clear], rtol=1e-3 if loss.record.outputs == ("exp",) else 1e-5, atol=1e-5)


def test_a_certain_prediction_has_a_finite_gradient_at_every_gamma(differentiate):
    z, label = np.array([[1e4, 0.0], [200.0, 0.0], [20.0, 0.0], [0.0, 1e4]]), np.array([0, 0, 0, 0], np.int32)
    for gamma in (0.01, 0.5, 0.99, 1.0, 1.5, 2.0, 5.0):
        gradient = differentiate(Focal(gamma), [z, label], "float32")[1]
        assert np.isfinite(gradient).all(), gamma
        assert np.abs(gradient[:2]).max() < 1e-6


def test_kinks_have_a_derivative_of_zero(differentiate):
    z = np.array([[1.0], [2.0]])
    assert_array_equal(differentiate(AbsoluteError(), [z, z])[1], 0)
    assert_array_equal(differentiate(Hinge(), [np.array([[1.0], [-1.0]]), np.array([[1.0], [0.0]])])[1], 0)
    scores = np.array([[2.0, 1.0, 0.0]])
    assert_array_equal(differentiate(MulticlassHinge(), [scores, np.array([0], np.int32)])[1], 0)


def test_variances_below_a_millionth_count_as_one(differentiate):
    z, t = np.array([[0.5, -50.0]]), np.array([[0.5]])
    value, gradient, _ = differentiate(GaussianNLL(), [z, t])
    assert_allclose(value, 0.5 * np.log(1e-6))
    assert_array_equal(gradient, 0)


# Oracles ----------------------------------------------------------------------------------------------------------


SKLEARN = [
    (AbsoluteError(), sklearn_loss.AbsoluteError(), REAL),
    (SquaredError(), sklearn_loss.HalfSquaredError(), REAL),
    (Huber(0.7), sklearn_loss.HuberLoss(delta=0.7), REAL),
    (Quantile((0.3,)), sklearn_loss.PinballLoss(quantile=0.3), REAL),
    (Poisson(), sklearn_loss.HalfPoissonLoss(), AMOUNTS),
    (Gamma(), sklearn_loss.HalfGammaLoss(), POSITIVE),
    (Tweedie(), sklearn_loss.HalfTweedieLoss(power=1.5), AMOUNTS),
    (Tweedie(1.9), sklearn_loss.HalfTweedieLoss(power=1.9), AMOUNTS),
    (LogisticCrossEntropy(), sklearn_loss.HalfBinomialLoss(), ZERO_ONE),
]


@pytest.mark.parametrize(("loss", "theirs", "target"), SKLEARN, ids=[name_of(c[0]) for c in SKLEARN])
def test_values_and_gradients_are_scikit_learns(loss, theirs, target, differentiate):
    y, z = target.ravel(), LOGITS.ravel()
    # A whole deviance: with the part that does not depend on the prediction.
    right = theirs.loss(y, z) + theirs.constant_to_optimal_zero(y)
    value, gradient = differentiate(loss, [LOGITS, target])[:2]
    assert_allclose(value.ravel(), right, rtol=1e-11, atol=1e-13)
    assert_allclose(gradient.ravel(), theirs.gradient(y, z), rtol=1e-11, atol=1e-14)


def torch_cases(nn):
    def logistic(smoothing):
        bce = nn.BCEWithLogitsLoss(reduction="none")
        return lambda z, t: bce(z, t * (1 - smoothing) + smoothing / 2)

    nll = nn.GaussianNLLLoss(reduction="none")
    return {
        "softmax_cross_entropy": (SoftmaxCrossEntropy(), LABELS, nn.CrossEntropyLoss(reduction="none")),
        "softmax smoothed": (
            SoftmaxCrossEntropy(0.3), LABELS, nn.CrossEntropyLoss(reduction="none", label_smoothing=0.3)
        ),
        "logistic smoothed": (LogisticCrossEntropy(0.3), ZERO_ONE, logistic(0.3)),
        "multiclass_hinge": (MulticlassHinge(), LABELS, nn.MultiMarginLoss(reduction="none")),
        "absolute": (AbsoluteError(), REAL, nn.L1Loss(reduction="none")),
        "huber": (Huber(0.7), REAL, nn.HuberLoss(reduction="none", delta=0.7)),
        "gaussian_nll": (GaussianNLL(), TWO, lambda z, t: nll(z[:, :2], t, z[:, 2:].exp())),
    }  # fmt: skip


@pytest.mark.parametrize("name", [
    "softmax_cross_entropy", "softmax smoothed", "logistic smoothed", "multiclass_hinge", "absolute", "huber",
    "gaussian_nll",
])  # fmt: skip
def test_values_and_gradients_are_pytorchs(name, differentiate):
    torch = pytest.importorskip("torch")
    loss, target, function = torch_cases(torch.nn)[name]
    z = torch.tensor(LOGITS, requires_grad=True)
    right = function(z, torch.tensor(target.astype(np.int64) if target is LABELS else target))
    right.sum().backward()
    value, gradient = differentiate(loss, [LOGITS, target])[:2]
    assert_allclose(value, right.detach().numpy(), rtol=1e-12, atol=1e-14)
    assert_allclose(gradient, z.grad.numpy(), rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("loss", [c[0] for c in CASES if c[0].outputs_per_target == 1], ids=name_of)
def test_a_network_learns_with_it(loss):
    rng = np.random.default_rng(4)
    X = rng.normal(size=(200, 3)).astype(np.float32)
    n_outputs = 3 if loss.labels else 1
    network = Network(NetworkSpec(3, (16,), n_outputs, output=loss.record.outputs[0]))
    network.parameters[:] = rng.normal(0, 0.3, network.parameters.size)
    y = X[:, 0] + X[:, 1] > 0
    y = y.astype(np.int32) if loss.labels else (y + 1.0 * (loss.targets.high > 1)).astype(np.float32)
    check_target(loss, y)
    trainer = Trainer(network, loss, Adam(), batch_size=20)
    trainer.set_data(X, y)
    losses = [trainer.epoch(None, 0.01) for _ in range(30)]
    assert losses[-1] < 0.7 * losses[0]


# Records ----------------------------------------------------------------------------------------------------------


def test_names_give_the_records_of_the_default_instances():
    for name, kind in LOSSES.items():
        record = loss_record(name)
        assert record == kind().record == loss_record(record)
        assert name_of(record.function) == name
        assert set(record.outputs) <= set(OUTPUTS)
    assert loss_record("softmax_cross_entropy").labels
    assert loss_record("squared_error").mean_of_outputs
    assert loss_record(Huber(3.0)).function == Huber(3.0)
    assert [name for name in LOSSES if loss_record(name).labels] == [
        "softmax_cross_entropy", "focal", "multiclass_hinge",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("loss", "outputs"),
    [
        ("softmax_cross_entropy", "softmax"),
        ("logistic_cross_entropy", "logistic"),
        ("logistic_focal", "logistic"),
        ("hinge", "identity"),
        ("squared_error", "identity"),
        ("tweedie", "exp"),
    ],
)
def test_the_first_output_activation_is_the_natural_one(loss, outputs):
    assert loss_record(loss).outputs[0] == outputs


@pytest.mark.parametrize(("loss", "n"), [("huber", 1), ("gaussian_nll", 2), (Quantile((0.1, 0.5, 0.9)), 3)])
def test_outputs_per_target(loss, n, differentiate):
    record = loss_record(loss)
    assert record.outputs_per_target == n
    value = differentiate(record.function, [RNG.normal(size=(5, 2 * n)), np.ones((5, 2))])[0]
    assert value.shape[0] == 5


@pytest.mark.parametrize(("loss", "n"), [(GaussianNLL(), 2), (Quantile((0.1, 0.9)), 2), (Quantile(), 1)])
def test_a_wrong_number_of_outputs_is_refused(loss, n, differentiate):
    with pytest.raises(ValueError, match=rf"loss '{loss.name}' needs {n} outputs for each target, given outputs f64"):
        differentiate(loss, [np.ones((5, 5)), np.ones((5, 2))])


def test_a_users_function_sees_the_activated_outputs():
    def mine(b, prediction, target):
        return b.sub(prediction, target)

    record = loss_record(mine)
    assert (record.function, record.raw, record.labels, record.outputs) == (mine, False, False, tuple(OUTPUTS))
    assert loss_record(Loss(mine, labels=True)).labels
    assert name_of(mine) == "mine"
    check_target(mine, [np.nan])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            "hubr",
            r"loss is 'hubr'; did you mean 'huber'\? allowed: softmax_cross_entropy, .*, or a function \(b, predict",
        ),
        ("mse", "did you mean 'squared_error'"),
        ("cross_entropy", "did you mean 'softmax_cross_entropy'"),
        (None, "loss is None; allowed"),
        (Huber, r"loss is the class Huber; give an instance of it, such as Huber\(\)"),
    ],
)
def test_unknown_losses_are_refused(given, message):
    with pytest.raises(ValueError, match=message):
        loss_record(given)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Huber(0.0), r"Huber: delta is 0.0; it must be a number in \(0, inf\)"),
        (lambda: Focal(-1.0), r"Focal: gamma is -1.0; it must be a number in \[0, inf\)"),
        (lambda: LogisticFocal(np.nan), "LogisticFocal: gamma is nan"),
        (lambda: SoftmaxCrossEntropy(1.0), r"softmax_cross_entropy: label_smoothing is 1.0; .* in \[0, 1\)"),
        (lambda: LogisticCrossEntropy(-0.1), "logistic_cross_entropy: label_smoothing is -0.1"),
        (lambda: Quantile((0.5, 1.0)), r"Quantile: a quantile is 1.0; it must be a number in \(0, 1\)"),
        (lambda: Quantile(0.5), r"quantiles of quantile are 0.5; give a tuple"),
        (lambda: Quantile(()), "give a tuple"),
        (lambda: Tweedie(2), "power of tweedie is 2; use loss 'gamma'"),
        (lambda: Tweedie(1.0), "power of tweedie is 1.0; use loss 'poisson'"),
        (lambda: Tweedie(3.0), r"Tweedie: power is 3.0; it must be a number in \(1, 2\)"),
    ],
)
def test_impossible_parameters_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


# Targets ----------------------------------------------------------------------------------------------------------


@every_case
def test_the_targets_of_the_other_tests_are_taken(loss, target, closed_form):
    check_target(loss, target)
    check_target(loss, target[:0])


@pytest.mark.parametrize(
    ("loss", "y", "message"),
    [
        ("gamma", [2.0, 0.5, 1, -1], r"^loss 'gamma' needs targets > 0, but the smallest is -1 \(row 3\)$"),
        ("gamma", [True, False], r"needs targets > 0, but the smallest is 0 \(row 1\)"),
        ("poisson", [[1, 2], [3, -0.5]], r"needs targets >= 0, but the smallest is -0.5 \(row 1, column 1\)"),
        (Tweedie(1.1), [[1], [-2]], r"loss 'tweedie' needs targets >= 0, but the smallest is -2 \(row 1\)"),
        ("logistic_cross_entropy", [0, 0.5, 2], r"needs targets in \[0, 1\], but the largest is 2 \(row 2\)"),
        ("hinge", [1, 0, 0.5], r"needs targets that are 0 or 1, but there is 0.5 \(row 2\)"),
        ("hinge", [1, -1], r"needs targets that are 0 or 1, but the smallest is -1 \(row 1\)"),
        ("logistic_focal", [1, 3], "the largest is 3"),
        ("softmax_cross_entropy", [0, 1.5], r"needs class numbers 0, 1, 2, ..., but there is 1.5 \(row 1\)"),
        ("focal", [0, -1], r"needs class numbers 0, 1, 2, ..., but the smallest is -1 \(row 1\)"),
        ("focal", [[0], [1]], r"needs targets of shape \(n_rows,\), but they have the shape \(2, 1\)"),
        ("huber", np.ones((2, 1, 1)), r"needs targets of shape \(n_rows,\) or \(n_rows, n_targets\), but"),
        ("huber", [1, np.nan], r"needs finite targets, but there is nan \(row 1\)"),
        ("gamma", [1, np.inf], r"needs targets > 0, but there is inf \(row 1\)"),
        ("huber", ["a", "b"], "needs finite targets, but the targets have the type <U1"),
    ],
)
def test_targets_that_do_not_fit_are_refused(loss, y, message):
    with pytest.raises(ValueError, match=message):
        check_target(loss, y)


# States -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", [*LOSSES, *(c[0] for c in CASES), Huber(np.float32(0.5))], ids=name_of)
def test_states_come_back_through_json(given):
    state = json.loads(json.dumps(LOSSES.to_state(given)))
    restored = LOSSES.from_state(state)
    assert restored == loss_record(given).function
    assert LOSSES.to_state(restored) == state


def test_functions_and_foreign_states_are_refused():
    def mine(b, prediction, target):
        return prediction

    with pytest.raises(ValueError, match="mine is a function of your own, which cannot be stored"):
        LOSSES.to_state(mine)
    with pytest.raises(ValueError, match="the name in the state of a loss is 'hubre'; did you mean 'huber'"):
        LOSSES.from_state({"name": "hubre", "parameters": {}})
    with pytest.raises(ValueError, match="'huber' has no parameter epsilon; its parameters: delta"):
        LOSSES.from_state({"name": "huber", "parameters": {"epsilon": 1.0}})
