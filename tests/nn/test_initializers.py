"""Initializers: variances and bounds against closed forms and PyTorch, orthogonality, scaling by data, states."""

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from rosenblatt.nn.initializers import (
    INITIALIZERS,
    Constant,
    DataDriven,
    GlorotUniform,
    HeNormal,
    LeCunNormal,
    Normal,
    Orthogonal,
    TruncatedNormal,
    Uniform,
    Zeros,
)

NUMBER = {"constant": {"value": 0.5}, "normal": {"std": 0.3}, "uniform": {"bound": 0.2}}
ALL = {name: cls(**NUMBER.get(name, {})) for name, cls in INITIALIZERS.items()}
FANS = (300, 500)


def draw(initializer, shape=FANS, seed=0):
    return initializer(np.random.default_rng(seed), shape)


@pytest.mark.parametrize("name", ALL)
def test_draws_are_float64_and_depend_on_the_generator_alone(name):
    initializer = ALL[name]
    for shape in ((4, 3), (3, 4), (1, 1)):
        drawn = draw(initializer, shape)
        assert (drawn.dtype, drawn.shape, drawn.flags.c_contiguous) == (np.float64, shape, True)
        assert_array_equal(draw(initializer, shape), drawn)
        assert initializer.is_constant == np.array_equal(draw(initializer, (9, 9), 1), draw(initializer, (9, 9)))
    assert initializer.needs_data == (name == "data_driven")


# Standard deviation and bound for 300 inputs and 500 outputs.
NORMAL = {"normal": 0.3, "glorot_normal": (2 / 800) ** 0.5, "he_normal": (2 / 300) ** 0.5, "lecun_normal": 300**-0.5}
UNIFORM = {"uniform": 0.2, "glorot_uniform": (6 / 800) ** 0.5, "he_uniform": (6 / 300) ** 0.5, "lecun_uniform": 0.1}


@pytest.mark.parametrize("name", NORMAL)
def test_normal_initializers_have_the_published_variance(name):
    drawn = draw(ALL[name]).ravel()
    assert_allclose(drawn.std(), NORMAL[name], rtol=0.01)
    assert stats.kstest(drawn / NORMAL[name], "norm").pvalue > 0.01


@pytest.mark.parametrize("name", UNIFORM)
def test_uniform_initializers_have_the_published_bound(name):
    drawn, bound = draw(ALL[name]).ravel(), UNIFORM[name]
    assert 0.999 * bound < np.abs(drawn).max() <= bound
    assert stats.kstest((drawn / bound + 1) / 2, "uniform").pvalue > 0.01


def test_truncated_normal_is_cut_at_two_standard_deviations():
    drawn = draw(TruncatedNormal(3.0)).ravel()
    assert 5.99 < np.abs(drawn).max() <= 6
    assert stats.kstest(drawn / 3, stats.truncnorm(-2, 2).cdf).pvalue > 0.01
    # The variance of a normal number given that it is within two standard deviations.
    factor = 1 - 4 * stats.norm.pdf(2) / (2 * stats.norm.cdf(2) - 1)
    assert_allclose(drawn.var(), 9 * factor, rtol=0.01)


@pytest.mark.parametrize(
    ("name", "theirs", "options"),
    [
        ("glorot_uniform", "xavier_uniform_", {}),
        ("glorot_normal", "xavier_normal_", {}),
        ("he_uniform", "kaiming_uniform_", {"nonlinearity": "relu"}),
        ("he_normal", "kaiming_normal_", {"nonlinearity": "relu"}),
        ("lecun_uniform", "kaiming_uniform_", {"nonlinearity": "linear"}),
        ("lecun_normal", "kaiming_normal_", {"nonlinearity": "linear"}),
        ("truncated_normal", "trunc_normal_", {}),
        ("orthogonal", "orthogonal_", {}),
    ],
)
def test_variances_and_bounds_are_pytorchs(name, theirs, options):
    torch = pytest.importorskip("torch")
    weight = torch.empty(FANS[1], FANS[0], dtype=torch.float64)  # (fan_out, fan_in) there
    getattr(torch.nn.init, theirs)(weight, generator=torch.Generator().manual_seed(0), **options)
    ours, right = draw(ALL[name]), weight.numpy()
    assert_allclose(ours.std(), right.std(), rtol=0.01)
    if "uniform" in name or name == "truncated_normal":
        assert_allclose(np.abs(ours).max(), np.abs(right).max(), rtol=1e-3)


@pytest.mark.parametrize("shape", [(5, 5), (9, 4), (4, 9), (1, 6), (6, 1)])
def test_orthogonal_matrices_are_orthogonal(shape):
    q = draw(Orthogonal(2.5), shape)
    gram = q @ q.T if shape[0] <= shape[1] else q.T @ q
    assert_allclose(gram, 6.25 * np.eye(min(shape)), atol=1e-13)


def test_every_orthogonal_matrix_is_equally_likely():
    rng = np.random.default_rng(0)
    q = np.array([Orthogonal()(rng, (3, 2)) for _ in range(4000)])
    assert_allclose(q.mean(axis=0), 0, atol=0.03)  # a QR decomposition alone makes q[0, 0] negative
    assert_allclose((q**2).mean(axis=0), 1 / 3, atol=0.03)


def test_vectors_take_a_number_and_no_fan():
    for name in ("zeros", "constant", "normal", "uniform", "truncated_normal"):
        assert draw(ALL[name], (7,)).shape == (7,)
    for name in ("glorot_uniform", "he_normal", "orthogonal"):
        with pytest.raises(
            ValueError, match=rf"initializer {name} is for weights .* given the shape \(7,\); for a vec"
        ):
            draw(ALL[name], (7,))


def test_constants():
    assert_array_equal(draw(Zeros(), (2, 3)), np.zeros((2, 3)))
    assert_array_equal(draw(Constant(0.5), (3,)), np.full(3, 0.5))
    assert [name for name, initializer in ALL.items() if initializer.is_constant] == ["constant", "zeros"]
    assert DataDriven(Constant(1.0)).is_constant


# Data -------------------------------------------------------------------------------------------------------------


def test_data_driven_weights_give_unit_variance_on_the_data():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(400, 6)) * [1, 100, 0.01, 3, 5, 1] + 7
    initializer = DataDriven("he_normal")
    assert initializer == DataDriven(HeNormal())
    weight, bias = initializer(rng, (6, 10)), rng.normal(size=10)
    before = weight.copy()
    scaled = initializer.rescale(weight, X @ weight + bias)
    assert_allclose((X @ scaled + bias).std(axis=0), 1)
    assert_array_equal(weight, before)
    assert_allclose(scaled / weight, np.broadcast_to((scaled / weight)[0], weight.shape))  # one factor for each neuron


def test_columns_that_do_not_vary_stay():
    weight = np.arange(6.0).reshape(2, 3) + 1
    equal = np.full(100, 0.1, np.float32)
    equal[::2] = np.nextafter(equal[0], np.float32(1))  # but for rounding
    z = np.column_stack([equal, np.linspace(0, 1, 100), np.zeros(100)]).astype(np.float32)
    scaled = DataDriven().rescale(weight, z)
    assert_array_equal(scaled[:, [0, 2]], weight[:, [0, 2]])
    assert_allclose(scaled[:, 1], weight[:, 1] / z[:, 1].astype(float).std())
    assert_array_equal(DataDriven().rescale(weight, z[:1]), weight)
    assert_array_equal(DataDriven().rescale(weight, z[:0]), weight)


@pytest.mark.parametrize(
    ("weight", "z", "message"),
    [
        (np.ones((2, 3)), np.ones((5, 2)), r"have shape \(2, 3\) and the pre-activations \(5, 2\); they must be"),
        (np.ones(3), np.ones((5, 3)), "they must be"),
        (np.ones((2, 3)), np.array([[1, 2, 3], [1, np.nan, 3.0]]), "pre-activation of neuron 1 is not finite"),
    ],
)
def test_pre_activations_that_do_not_fit_are_refused(weight, z, message):
    with pytest.raises(ValueError, match=message):
        DataDriven().rescale(weight, z)


# Names and states -------------------------------------------------------------------------------------------------


def test_names_instances_and_functions():
    assert INITIALIZERS.resolve("he_normal") == HeNormal()
    assert INITIALIZERS.resolve("data_driven") == DataDriven(LeCunNormal())
    assert INITIALIZERS.resolve(Normal(2.0)) == Normal(2.0) != Normal(1.0)
    mine = INITIALIZERS.resolve(lambda rng, shape: np.ones(shape, np.float32))
    assert draw(mine, (2, 2)).dtype == np.float64
    assert (mine.needs_data, mine.is_constant) == (False, False)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("he_norml", r"initializer is 'he_norml'; did you mean 'he_normal'\? allowed: constant, zeros, normal"),
        ("xavier_uniform", "did you mean 'glorot_uniform'"),
        (None, "initializer is None; allowed: constant, zeros"),
        ("normal", r"initializer 'normal' needs std: write Normal\(std=...\)"),
        (GlorotUniform, r"is the class GlorotUniform; give an instance of it, such as GlorotUniform\(\)"),
    ],
)
def test_unknown_initializers_are_refused(given, message):
    with pytest.raises(ValueError, match=message):
        INITIALIZERS.resolve(given)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Normal(0.0), r"Normal: std is 0.0; it must be a number in \(0, inf\)"),
        (lambda: Uniform(-1), "Uniform: bound is -1"),
        (lambda: TruncatedNormal(np.inf), "TruncatedNormal: std is inf"),
        (lambda: Orthogonal(0), "Orthogonal: gain is 0"),
        (lambda: Constant("a"), "Constant: value is 'a'"),
        (
            lambda: DataDriven("data_driven"),
            r"base of data_driven is 'data_driven'; it must be glorot_normal, .* or an initializer that needs no data",
        ),
        (lambda: DataDriven(DataDriven()), "or an initializer that needs no data"),
        (
            lambda: draw(INITIALIZERS.resolve(lambda rng, shape: np.ones(3)), (3, 1)),
            r"gave the shape \(3,\); asked for",
        ),
        (lambda: draw(INITIALIZERS.resolve(lambda rng, shape: [[np.nan]]), (1, 1)), "gave numbers that are not finite"),
    ],
)
def test_impossible_initializers_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("given", [*ALL.values(), DataDriven(TruncatedNormal(0.5)), DataDriven(Orthogonal(2.0))])
def test_states_come_back_through_json(given):
    state = json.loads(json.dumps(INITIALIZERS.to_state(given)))
    assert INITIALIZERS.from_state(state) == given


def test_functions_and_foreign_states_are_refused():
    def mine(rng, shape):
        return np.ones(shape)

    for given in (mine, DataDriven(INITIALIZERS.resolve(mine))):
        with pytest.raises(ValueError, match="mine is a function of your own, which cannot be stored"):
            INITIALIZERS.to_state(given)
    with pytest.raises(ValueError, match=r"the name in the state of an initializer is 'os\.system'"):
        INITIALIZERS.from_state({"name": "os.system", "parameters": {}})
    with pytest.raises(ValueError, match="'normal' needs std"):
        INITIALIZERS.from_state({"name": "normal", "parameters": {}})
