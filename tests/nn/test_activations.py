"""Activations: values and gradients against closed forms, differences and PyTorch; extremes; names and states."""

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import special

from rosenblatt.ir.autodiff import gradient
from rosenblatt.ir.compile import evaluate
from rosenblatt.ir.program import Builder
from rosenblatt.ir.types import M
from rosenblatt.nn import Adam, Network, NetworkSpec
from rosenblatt.nn.activations import (
    ACTIVATIONS,
    CELU,
    ELU,
    FUNCTIONS,
    GELU,
    OUTPUTS,
    LeakyReLU,
    Parametric,
    PReLU,
    Step,
)
from rosenblatt.nn.registry import name_of
from rosenblatt.training import Trainer

SCALE, ALPHA = 1.0507009873554805, 1.6732632423543772


def elu(x, alpha):
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def gelu_tanh(x):
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


# activation, closed form, places where the first or second derivative jumps
CASES = {
    "identity": ("identity", lambda x: x, ()),
    "step": ("step", lambda x: np.heaviside(x, 1.0), (0,)),
    "logistic": ("logistic", special.expit, ()),
    "tanh": ("tanh", np.tanh, ()),
    "hard_tanh": ("hard_tanh", lambda x: np.clip(x, -1, 1), (-1, 1)),
    "relu": ("relu", lambda x: np.maximum(x, 0), (0,)),
    "relu6": ("relu6", lambda x: np.clip(x, 0, 6), (0, 6)),
    "leaky_relu": ("leaky_relu", lambda x: np.where(x > 0, x, 0.01 * x), (0,)),
    "leaky_relu(0.3)": (LeakyReLU(0.3), lambda x: np.where(x > 0, x, 0.3 * x), (0,)),
    "elu": ("elu", lambda x: elu(x, 1.0), (0,)),
    "elu(0.7)": (ELU(0.7), lambda x: elu(x, 0.7), (0,)),
    "selu": ("selu", lambda x: SCALE * elu(x, ALPHA), (0,)),
    "celu": ("celu", lambda x: elu(x, 1.0), (0,)),
    "celu(2.5)": (CELU(2.5), lambda x: np.where(x > 0, x, 2.5 * np.expm1(np.minimum(x, 0) / 2.5)), (0,)),
    "gelu": ("gelu", lambda x: x * special.ndtr(x), ()),
    "gelu(tanh)": (GELU("tanh"), gelu_tanh, ()),
    "silu": ("silu", lambda x: x * special.expit(x), ()),
    "mish": ("mish", lambda x: x * np.tanh(np.logaddexp(0, x)), ()),
    "softplus": ("softplus", lambda x: np.logaddexp(0, x), ()),
    "softsign": ("softsign", lambda x: x / (1 + np.abs(x)), (0,)),
    "hard_sigmoid": ("hard_sigmoid", lambda x: np.clip(x / 6 + 0.5, 0, 1), (-3, 3)),
    "hard_swish": ("hard_swish", lambda x: x * np.clip(x / 6 + 0.5, 0, 1), (-3, 3)),
}
GRID = np.concatenate([np.linspace(-9, 9, 181), np.random.default_rng(0).normal(0, 3, 60), [1e-9, -1e-9, 1e-4, -1e-4]])
EXTREMES = np.array([0.0, 1e-30, 1.0, 3.0, 10.0, 20.0, 88.0, 89.0, 104.0, 710.0, 1000.0, 3.3e3, 1e4])
EXTREMES = np.concatenate([EXTREMES, -EXTREMES])
every_case = pytest.mark.parametrize("case", CASES)


def test_every_activation_is_tested():
    assert {given for given, _, _ in CASES.values() if isinstance(given, str)} | {"prelu", "parametric"} == set(
        ACTIVATIONS
    )


@every_case
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_values_are_the_closed_forms(case, dtype, differentiate):
    given, closed_form, _ = CASES[case]
    x = GRID.astype(dtype)
    value = differentiate(ACTIVATIONS.resolve(given), [x], dtype)[0]
    assert value.dtype == dtype
    # Relative to the size of what is computed on the way, which where tails cancel is 1.
    tolerance = 8 * np.finfo(dtype).eps
    assert_allclose(value, closed_form(x.astype(np.float64)), rtol=tolerance, atol=2 * tolerance)


@every_case
def test_gradients_are_the_limits_of_differences(case, differentiate):
    given, closed_form, kinks = CASES[case]
    x = GRID[np.all([np.abs(GRID - kink) > 1e-3 for kink in kinks] or [GRID == GRID], axis=0)]
    gradient = differentiate(ACTIVATIONS.resolve(given), [x])[1]
    h = 1e-5
    difference = (closed_form(x + h) - closed_form(x - h)) / (2 * h)
    assert_allclose(gradient, difference, rtol=1e-7, atol=1e-8)


@every_case
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_values_and_gradients_are_finite_at_extremes(case, dtype, differentiate):
    given, closed_form, _ = CASES[case]
    x = EXTREMES.astype(dtype)
    value, gradient = differentiate(ACTIVATIONS.resolve(given), [x], dtype)
    assert np.isfinite(value).all(), x[~np.isfinite(value)]
    assert np.isfinite(gradient).all(), x[~np.isfinite(gradient)]
    with np.errstate(over="ignore"):
        assert_allclose(value, closed_form(x.astype(np.float64)), rtol=1e-5, atol=1e-6)
    far = np.abs(x) > 100
    wide = x.astype(np.float64)
    slope = (closed_form(wide + 0.5) - closed_form(wide - 0.5))[far]
    assert_allclose(gradient[far], slope, rtol=1e-3, atol=1e-3)


@every_case
def test_nan_goes_through(case, differentiate):
    given = CASES[case][0]
    value = differentiate(ACTIVATIONS.resolve(given), [np.array([np.nan, 1.0])], "float32")[0]
    assert np.isnan(value).tolist() == [given != "step", False]


TORCH = {
    "logistic": "sigmoid", "tanh": "tanh", "hard_tanh": "hardtanh", "relu": "relu", "relu6": "relu6",
    "leaky_relu": "leaky_relu", "leaky_relu(0.3)": ("leaky_relu", {"negative_slope": 0.3}), "elu": "elu",
    "elu(0.7)": ("elu", {"alpha": 0.7}), "selu": "selu", "celu": "celu", "celu(2.5)": ("celu", {"alpha": 2.5}),
    "gelu": "gelu", "gelu(tanh)": ("gelu", {"approximate": "tanh"}), "silu": "silu", "mish": "mish",
    "softplus": ("softplus", {"threshold": 1000}), "softsign": "softsign", "hard_sigmoid": "hardsigmoid",
    "hard_swish": "hardswish",
}  # fmt: skip


@pytest.mark.parametrize("case", TORCH)
def test_values_and_gradients_are_pytorchs(case, differentiate):
    torch = pytest.importorskip("torch")
    given, _, kinks = CASES[case]
    name, options = TORCH[case] if isinstance(TORCH[case], tuple) else (TORCH[case], {})
    # At its kinks hard_swish alone has another one-sided derivative than PyTorch's.
    x = np.setdiff1d(GRID, kinks) if case == "hard_swish" else np.concatenate([GRID, np.array(kinks, float), [0.0]])
    theirs = torch.tensor(x, requires_grad=True)
    right = getattr(torch.nn.functional, name)(theirs, **options)
    right.sum().backward()
    value, gradient = differentiate(ACTIVATIONS.resolve(given), [x])
    assert_allclose(value, right.detach().numpy(), rtol=1e-12, atol=1e-14)
    # PyTorch takes 1/6 in float32.
    assert_allclose(gradient, theirs.grad.numpy(), rtol=1e-7 if case == "hard_sigmoid" else 1e-10, atol=1e-13)


def test_prelu_learns_one_slope_for_each_neuron(differentiate):
    x = np.random.default_rng(1).normal(size=(7, 3))
    alpha = np.array([0.25, -0.5, 2.0])
    value, to_x, to_alpha = differentiate(PReLU(), [x], vectors=[alpha])
    assert_allclose(value, np.where(x > 0, x, alpha * x))
    assert_allclose(to_x, np.where(x > 0, 1, np.broadcast_to(alpha, x.shape)))
    assert_allclose(to_alpha, np.minimum(x, 0).sum(axis=0))
    assert PReLU().parameters == {"alpha": 0.25}
    assert PReLU(0.1).parameters == {"alpha": 0.1}


@pytest.mark.parametrize("base", ["relu", "selu", "mish", "silu", "tanh"])
def test_parametric_mixes_its_base_with_the_identity_neuron_by_neuron(differentiate, base):
    x = np.random.default_rng(1).normal(size=(7, 3))
    alpha = np.array([0.25, -0.5, 2.0])
    value, to_x, to_alpha = differentiate(Parametric(base), [x], vectors=[alpha])
    of_base, slope = differentiate(ACTIVATIONS.resolve(base), [x])
    assert_allclose(value, x + alpha * (of_base - x))
    assert_allclose(to_x, 1 + alpha * (slope - 1))
    assert_allclose(to_alpha, (of_base - x).sum(axis=0))
    assert Parametric(base, 0.5).parameters == {"alpha": 0.5}


def test_prelu_is_pytorchs(differentiate):
    torch = pytest.importorskip("torch")
    x, alpha = np.random.default_rng(1).normal(size=(7, 3)), np.array([0.25, -0.5, 2.0])
    theirs = [torch.tensor(a, requires_grad=True) for a in (x, alpha)]
    right = torch.nn.functional.prelu(*theirs)
    right.sum().backward()
    for found, expected in zip(
        differentiate(PReLU(), [x], vectors=[alpha]), (right.detach(), theirs[0].grad, theirs[1].grad), strict=True
    ):
        assert_allclose(found, expected.numpy(), rtol=1e-13)


def test_the_step_passes_no_gradient_and_says_so(differentiate):
    value, gradient = differentiate(Step(), [np.array([-1.0, -0.0, 0.0, 1e-30])])
    assert_array_equal(value, [0, 1, 1, 1])
    assert_array_equal(gradient, 0)
    assert Step().trainable is False
    assert "no gradient passes" in Step.why
    assert [name for name, a in ACTIVATIONS.items() if not getattr(a, "trainable", True)] == ["step"]


def test_relu_is_the_one_op_that_products_are_fused_with():
    b = Builder()
    ACTIVATIONS["relu"](b, b.input("x", (M, 3)))
    assert [i.op for i in b.instructions] == ["relu"]


@pytest.mark.parametrize("name", OUTPUTS)
def test_output_activations_are_the_closed_forms(name, differentiate):
    x = np.random.default_rng(2).normal(0, 2, (9, 4))
    right = {"softmax": lambda x: special.softmax(x, axis=1), "exp": np.exp}.get(name) or CASES[name][1]
    assert_allclose(differentiate(OUTPUTS.resolve(name), [x])[0], right(x), rtol=1e-13)


@pytest.mark.parametrize("case", [case for case in CASES if case != "step"])
def test_a_network_learns_with_it(case):
    rng = np.random.default_rng(4)
    X = rng.normal(size=(200, 3)).astype(np.float32)
    y = (np.abs(X[:, :1]) if case != "identity" else X[:, :1]).astype(np.float32)
    network = Network(NetworkSpec(3, (32, 8), 1, activation=ACTIVATIONS.resolve(CASES[case][0])))
    network.parameters[:] = rng.normal(0, 0.4, network.parameters.size)
    trainer = Trainer(network, "squared_error", Adam(), batch_size=20)
    trainer.set_data(X, y)
    losses = [trainer.epoch(None, 0.01) for _ in range(40)]
    assert losses[-1] < 0.2 * losses[0]


# Names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("relu", "relu"),
        (ACTIVATIONS["silu"], "silu"),
        (Step(), "step"),
        (LeakyReLU(), "leaky_relu"),
        (LeakyReLU(0.1), "leaky_relu(alpha=0.1)"),
        (GELU("tanh"), "gelu(approximate='tanh')"),
        (PReLU(0.3), "prelu(alpha=0.3)"),
        (elu, "elu"),
    ],
)
def test_names(given, name):
    assert name_of(given) == name


def test_a_name_gives_the_default_instance_and_a_function_itself():
    assert ACTIVATIONS.resolve("leaky_relu") == LeakyReLU(0.01)
    assert ACTIVATIONS.resolve("gelu") == GELU()
    assert ACTIVATIONS.resolve(elu) is elu
    assert ACTIVATIONS.resolve(ELU(2.0)) == ELU(2.0) != ELU()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            "rleu",
            r"activation is 'rleu'; did you mean 'relu'\? allowed: identity, logistic, tanh, relu, softplus, .* or a",
        ),
        ("Leaky_Relu", "did you mean 'leaky_relu'"),
        ("sigmoid", "did you mean 'logistic'"),
        ("swish", "did you mean 'silu'"),
        ("qqq", r"activation is 'qqq'; allowed: identity"),
        (3, "activation is 3; allowed: identity"),
        (["relu"], r"activation is \['relu'\]; allowed"),
        (LeakyReLU, r"activation is the class LeakyReLU; give an instance of it, such as LeakyReLU\(\)"),
    ],
)
def test_unknown_names_are_refused_and_the_nearest_suggested(given, message):
    with pytest.raises(ValueError, match=message):
        ACTIVATIONS.resolve(given)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LeakyReLU(np.nan), "LeakyReLU: alpha is nan; it must be a finite number"),
        (lambda: LeakyReLU("0.1"), "LeakyReLU: alpha is '0.1'"),
        (lambda: PReLU(np.inf), "PReLU: alpha is inf"),
        (lambda: Parametric("elu"), "base of parametric is 'elu'; allowed: relu, selu, mish, silu, tanh"),
        (lambda: ELU(None), "ELU: alpha is None"),
        (lambda: CELU(0.0), r"CELU: alpha is 0.0; it must be a number in \(0, inf\)"),
        (lambda: GELU(True), "approximate of gelu is True; allowed: none, tanh"),
    ],
)
def test_impossible_parameters_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


# States -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given",
    [*ACTIVATIONS, *OUTPUTS, LeakyReLU(0.1), PReLU(0.5), Parametric("selu"), CELU(np.float32(0.5)), GELU("tanh")],
)
def test_states_come_back_through_json(given):
    state = json.loads(json.dumps(FUNCTIONS.to_state(given)))
    expected = FUNCTIONS.resolve(given) if isinstance(given, str) else given
    assert FUNCTIONS.from_state(state) == expected
    assert FUNCTIONS.to_state(expected) == state


def test_a_function_of_the_users_own_is_not_stored():
    def relu(b, x):
        return b.relu(x)

    class Mine(LeakyReLU):
        pass

    for mine in (relu, Mine()):
        with pytest.raises(ValueError, match=r"(relu|Mine) is a function of your own, which cannot be stored"):
            FUNCTIONS.to_state(mine)


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ("relu", "the state of an activation is 'relu'; it must be"),
        ({"name": "elu"}, "it must be"),
        ({"name": "elo", "parameters": {}}, "the name in the state of an activation is 'elo'; did you mean 'elu'"),
        ({"name": ["elu"], "parameters": {}}, "the name in the state"),
        ({"name": "elu", "parameters": []}, "the parameters of an activation 'elu' are"),
        ({"name": "elu", "parameters": {"beta": 1.0}}, "'elu' has no parameter beta; its parameters: alpha"),
        ({"name": "elu", "parameters": {"alpha": "1"}}, "ELU: alpha is '1'"),
        ({"name": "relu", "parameters": {"alpha": 1.0}}, "'relu' has no parameter alpha; its parameters: none"),
    ],
)
def test_states_of_another_form_are_refused(state, message):
    with pytest.raises(ValueError, match=message):
        FUNCTIONS.from_state(state)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_elus_derivative_is_right_to_the_last_digits_far_from_zero(dtype):
    b = Builder(dtype)
    x = b.input("x", (M, 1))
    (slope,) = gradient(b, b.sum(ACTIVATIONS.resolve("elu")(b, x)), [x])
    z = np.array([-1.0, -15.0, -40.0, -80.0], dtype).reshape(-1, 1)
    found = evaluate(b.build(slope=slope), {"x": z}, len(z))["slope"]
    np.testing.assert_allclose(found, np.exp(z), rtol=4 * np.finfo(dtype).eps)
