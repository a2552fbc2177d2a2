"""Dual numbers: the rules of calculus against central differences, the book's examples, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from rosenblatt.ir import duals
from rosenblatt.ir.duals import Dual, jvp, tangent_of, value_of

# The examples of chapter 9 and appendix D of "Hands-On Machine Learning" ------------------------------------------


def f(x, y):
    return x**2 * y + y + 2


def test_value_and_partial_derivatives_of_a_polynomial():
    by_x, by_y = f(Dual(3, 1), Dual(4, 0)), f(Dual(3, 0), Dual(4, 1))
    assert (by_x.value, by_x.tangent) == (42, 24)
    assert (by_y.value, by_y.tangent) == (42, 10)


def test_product_of_dual_numbers():
    product = Dual(3, 4) * Dual(5, 7)
    assert (product.value, product.tangent) == (15, 41)


def test_derivative_of_a_nested_function():
    assert_allclose(np.sin(Dual(3, 1) ** 2).tangent, 6 * math.cos(9), rtol=1e-15)


def loop(a, b, number):
    z = number(0)
    for i in range(100):
        z = a * np.cos(z + number(i)) + z * np.sin(b - number(i))
    return z


def test_derivative_of_a_loop():
    by_a, by_b = loop(Dual(0.2, 1), 0.3, float), loop(0.2, Dual(0.3, 1), float)
    assert_allclose(by_a.value, -0.2125392, rtol=1e-6)
    step = 1e-30j  # complex steps have no cancellation: exact to the last digits
    exact = [loop(0.2 + step, 0.3, float).imag / 1e-30, loop(0.2, 0.3 + step, float).imag / 1e-30]
    assert_allclose([by_a.tangent, by_b.tangent], exact, rtol=1e-13)


def test_derivative_of_a_loop_in_float32():
    # The printed gradients were computed in float32, whose rounding the loop magnifies to 1e-5.
    f32 = np.float32
    by_a, by_b = loop(Dual(f32(0.2), 1), f32(0.3), f32), loop(f32(0.2), Dual(f32(0.3), 1), f32)
    assert by_a.dtype == np.float32
    assert_allclose([by_a.tangent, by_b.tangent], [-1.1388495, 0.19671397], rtol=2e-5)


# Every rule against central differences ---------------------------------------------------------------------------


def central_difference(function, primals, tangents, step=1e-6):
    ahead = function(*(x + step * t for x, t in zip(primals, tangents, strict=True)))
    behind = function(*(x - step * t for x, t in zip(primals, tangents, strict=True)))
    return (ahead - behind) / (2 * step)


def assert_rule(function, *shapes, low=0.2, high=0.9):
    rng = np.random.default_rng(len(shapes))
    primals = [rng.uniform(low, high, s) for s in shapes]
    tangents = [rng.standard_normal(s) for s in shapes]
    value, tangent = jvp(function, primals, tangents)
    assert_array_equal(value, function(*primals))
    assert_allclose(tangent, central_difference(function, primals, tangents), rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("ufunc", list(duals.PARTIALS), ids=lambda u: u.__name__)
def test_rule_of_a_ufunc(ufunc):
    if ufunc.nin == 1:
        assert_rule(lambda x: ufunc(x).astype(float), (3, 4))  # ERF alone gives Python numbers
    else:
        assert_rule(ufunc, (3, 4), (3, 4))
        assert_rule(ufunc, (3, 1), (4,))
        assert_rule(lambda x: ufunc(x, 0.5), (3,))
        assert_rule(lambda x: ufunc(np.full((2, 3), 0.5), x), (3,))


FUNCTIONS = {
    "sum": lambda x: np.sum(x, axis=0),
    "mean": lambda x: np.mean(x, axis=1, keepdims=True),
    "max": lambda x: np.max(x, axis=1),
    "max of all": lambda x: np.max(x, initial=-np.inf),
    "reshape": lambda x: np.reshape(x, (4, 3)) * np.arange(12.0).reshape(4, 3),
    "ravel": lambda x: np.ravel(x) * np.arange(12.0),
    "transpose": lambda x: np.transpose(x, (1, 0)) * np.arange(3.0),
    "T": lambda x: x.T @ np.ones(3),
    "broadcast_to": lambda x: np.broadcast_to(x, (2, 3, 4)) * np.arange(24.0).reshape(2, 3, 4),
    "concatenate": lambda x: np.concatenate([x, np.ones((3, 2)), 2 * x], axis=1),
    "stack": lambda x: np.stack([x, x * x]),
    "pad": lambda x: np.pad(x, [(1, 2), (0, 0)]),
    "take": lambda x: np.take(x, np.array([2, 0, 2]), axis=0),
    "take_along_axis": lambda x: np.take_along_axis(x, np.array([[1], [0], [3]]), axis=1),
    "index": lambda x: x[np.arange(3), np.array([1, 0, 3])],
    "where": lambda x: np.where(np.greater(x, 0.5), x * x, 3.0),
    "clip": lambda x: np.clip(x, 0.4, 0.6),
    "methods": lambda x: x.sum(axis=0) + x.mean(axis=0) + x.reshape(4, 3).sum(),
    "matmul": lambda x: x @ np.arange(8.0).reshape(4, 2),
    "rmatmul": lambda x: np.arange(6.0).reshape(2, 3) @ x,
    "operators": lambda x: -x / (1 - x) + 2 / x + (+x) - 1 + abs(x - 3) + 2**x + x**x,
    "squeeze": lambda x: np.squeeze(np.expand_dims(x, 0), 0),
}


@pytest.mark.parametrize("name", list(FUNCTIONS))
def test_rule_of_a_function(name):
    assert_rule(FUNCTIONS[name], (3, 4))


def test_product_of_two_dual_matrices():
    assert_rule(lambda x, y: x @ y, (3, 4), (4, 2))


def test_product_with_a_sparse_matrix():
    x = sparse.csr_array(np.eye(3)[[0, 2, 1, 1]])
    assert_rule(lambda w: (w.T @ x.T).T, (3, 2))


def test_rows_are_added_at_their_numbers():
    def scatter(g):
        total = np.zeros_like(g, shape=(4,))
        np.add.at(total, np.array([1, 1, 3]), g)
        return total

    assert_rule(scatter, (3,))


# Kinks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "x", "tangent"),
    [
        (np.absolute, 0.0, 0.0),
        (lambda x: np.maximum(x, 2.0), 2.0, 0.5),
        (lambda x: np.minimum(2.0, x), 2.0, 0.5),
        (lambda x: x**2, 0.0, 0.0),
        (lambda x: x**2, -3.0, -6.0),
        (lambda x: np.power(2.0, x) + np.power(-2.0, x), 2.0, 4 * math.log(2)),
        (np.exp, -np.inf, 0.0),
    ],
)
def test_convention_at_a_kink(function, x, tangent):
    assert_allclose(function(Dual(x, 1.0)).tangent, tangent, rtol=1e-15)


def test_ties_of_a_maximum_share():
    assert_allclose(np.max(Dual([3.0, 3.0, 1.0], [1.0, 5.0, 100.0])).tangent, 3)


# Behaviour as an array -------------------------------------------------------------------------------------------


def test_attributes_and_types():
    x = Dual(np.ones((2, 3), np.float32), 1)
    assert (x.shape, x.ndim, x.size, len(x), x.dtype) == ((2, 3), 2, 6, 2, np.float32)
    assert x.tangent.dtype == np.float32
    assert (x * 2.0 + np.tanh(x) ** 2).tangent.dtype == np.float32
    assert Dual(3).dtype == np.float64
    assert x.astype("float64").tangent.dtype == np.float64
    assert repr(Dual(3.0, 1.0)) == "Dual(array(3.), array(1.))"


def test_comparisons_are_plain_arrays():
    assert_array_equal(Dual([1.0, 2.0], 1) > 1.5, [False, True])
    assert_array_equal(np.sign(Dual([-1.0, 2.0], 1)), [-1, 1])


def test_assignment_carries_the_tangent():
    x = Dual(np.zeros(3), np.ones(3))
    x[1:] = Dual([5.0, 6.0], [7.0, 8.0])
    x[0] = 4.0
    assert_array_equal(x.value, [4, 5, 6])
    assert_array_equal(x.tangent, [0, 7, 8])


def test_parts_of_constants():
    assert value_of(3.0) == 3
    assert_array_equal(tangent_of(np.ones(2)), np.zeros(2))


def test_jvp_of_several_results_and_constant_operands():
    values, tangents = jvp(lambda x, i: (x[i], np.ones(2)), [np.arange(3.0), np.array([2, 0])], [np.ones(3), None])
    assert_array_equal(values[0], [2, 0])
    assert_array_equal(tangents[0], [1, 1])
    assert_array_equal(tangents[1], [0, 0])


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.sort(x),
        lambda x: np.arctan2(x, x),
        lambda x: np.add.reduce(x),
        lambda x: np.add(x, x, out=np.zeros(2)),
        lambda x: np.add.at(np.zeros(2), [0], x),
        lambda x: {x: 1},
    ],
    ids=["function", "ufunc", "method", "out", "plain target", "hash"],
)
def test_what_would_lose_the_tangent_is_refused(call):
    with pytest.raises(TypeError):
        call(Dual([1.0, 2.0], 1.0))
