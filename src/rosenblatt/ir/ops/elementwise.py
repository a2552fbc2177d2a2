"""Ops that work element by element, with NumPy's broadcasting.

Takes float operands. Returns a float result of the broadcast shape; comparisons give 0 and 1. NaN propagates as in
NumPy. Never sums: the cotangent of a broadcast operand has the shape of the result.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from rosenblatt.ir.duals import ERF
from rosenblatt.ir.ops._record import Op, Sample, Vjp
from rosenblatt.ir.ops._rules import Shape, draw, each, elementwise, full, make_sample, same_shape, uniform
from rosenblatt.ir.types import M, Value, resolve

if TYPE_CHECKING:
    from rosenblatt.ir.program import Builder

Reference = Callable[..., Any]
Cotangents = tuple["Value | None", ...]

SHAPES: tuple[Shape, ...] = ((), (1,), (0,), (37,), (M,), (M, 5), (M, 64), (3, 2 * M), (2, M, 3), (2, 3, M, 1))
PAIRS: tuple[tuple[Shape, Shape], ...] = (
    ((), ()),
    ((37,), (37,)),
    ((M, 5), (M, 5)),
    ((2, M, 3, 2), (2, M, 3, 2)),
    ((M, 5), ()),
    ((), (M, 5)),
    ((1,), (37,)),
    ((M, 5), (5,)),
    ((19,), (M, 19)),
    ((M, 5), (M, 1)),
    ((M, 1), (1, 7)),
    ((1, M), (M, 1)),
    ((M, 1, 3), (4, 1)),
    ((2, 1, 3, 1), (1, 5, 1, M)),
    ((M, 64), (64,)),
)
SPECIAL = (0.0, -0.0, 1.0, -1.0, 1e-30, -1e-30, 20.0, -20.0, 95.0, -95.0, 1000.0, -1000.0, np.inf, -np.inf, np.nan)


# One operand -----------------------------------------------------------------------------------------------------


def _unary_samples(
    low: float, high: float, special: tuple[float, ...], rng: np.random.Generator, dtype: str, n_rows: int
) -> Iterator[Sample]:
    for shape in SHAPES:
        real = resolve(shape, n_rows)
        array = draw(rng, dtype, real, 0.1, high) if low < 0 else uniform(rng, dtype, real, low, high)
        yield make_sample([array], [shape], n_rows)
    yield make_sample([np.array(special, dtype)], [(len(special),)], n_rows, "special values", smooth=False)


def _unary(
    name: str,
    reference: Reference,
    vjp: Callable[[Builder, Value, Value, Value], Value] | None,
    low: float = -1.0,
    high: float = 2.0,
    special: tuple[float, ...] = SPECIAL,
) -> Op:
    """A function of one operand; smooth samples have magnitudes up to `high`, and are at least `low` if that is > 0."""
    rule: Vjp | None = None if vjp is None else lambda b, g, out, x: (vjp(b, g, out, x),)
    differentiable = () if vjp is None else (0,)
    samples = partial(_unary_samples, low, high, special)
    return Op(name, 1, elementwise, reference, samples, rule, differentiable=differentiable, in_place=(0,))


def logistic(x: Any) -> Any:
    """``1 / (1 + exp(-x))`` without overflow, right to the last digits for either sign."""
    return np.exp(-np.logaddexp(0, -x))


def erf(x: Any) -> Any:
    """The error function, 2 / sqrt(pi) times the integral of exp(-t²) from 0 to x."""
    found = ERF(x)
    return found.astype(x.dtype) if hasattr(found, "astype") else np.asarray(found, x.dtype)


def _erf_vjp(b: Builder, g: Value, out: Value, x: Value) -> Value:
    return b.mul(g, b.mul(b.exp(b.neg(b.square(x))), 2 / math.sqrt(math.pi)))


def mish(x: Any) -> Any:
    """Mish: x · tanh(softplus(x)) (Misra, 2019)."""
    return x * np.tanh(np.logaddexp(0, x))


def mish_slope(x: Any) -> Any:
    """The derivative of `mish`: w + x s (1 - w²), with w = tanh(softplus(x)) and s = logistic(x)."""
    w = np.tanh(np.logaddexp(0, x))
    return w + x * logistic(x) * (1 - w * w)


def _mish_slope_vjp(b: Builder, g: Value, out: Value, x: Value) -> Value:
    # (1 - w²) s (2 + x (1 - s) - 2 x s w)
    w, s = b.tanh(b.softplus(x)), b.logistic(x)
    share = b.mul(b.sub(1.0, b.square(w)), s)
    inner = b.add(b.mul(x, b.sub(b.sub(1.0, s), b.mul(b.mul(s, w), 2.0))), 2.0)
    return b.mul(g, b.mul(share, inner))


UNARY = (
    _unary("neg", np.negative, lambda b, g, out, x: b.neg(g)),
    _unary("abs", np.absolute, lambda b, g, out, x: b.mul(g, b.sign(x))),
    _unary("sign", np.sign, None),
    _unary("exp", np.exp, lambda b, g, out, x: b.mul(g, out)),
    _unary("log", np.log, lambda b, g, out, x: b.div(g, x), low=0.01, high=9.0),
    _unary("log1p", np.log1p, lambda b, g, out, x: b.div(g, b.add(x, 1.0)), high=0.9),
    # Not out + 1, which has no digits left, and then is zero, where out is near -1.
    _unary("expm1", np.expm1, lambda b, g, out, x: b.mul(g, b.exp(x))),
    _unary("sqrt", np.sqrt, lambda b, g, out, x: b.div(b.mul(g, 0.5), out), low=0.01, high=9.0),
    _unary("square", np.square, lambda b, g, out, x: b.mul(b.mul(g, 2.0), x)),
    _unary("tanh", np.tanh, lambda b, g, out, x: b.tanh_backward(full(b, g, out), out)),
    _unary("logistic", logistic, lambda b, g, out, x: b.logistic_backward(full(b, g, out), out)),
    _unary("softplus", lambda x: np.logaddexp(0, x), lambda b, g, out, x: b.mul(g, b.logistic(x))),
    _unary("erf", erf, _erf_vjp),
    _unary("relu", lambda x: np.maximum(x, 0), lambda b, g, out, x: b.relu_backward(full(b, g, out), out)),
    _unary("mish", mish, lambda b, g, out, x: b.mul(g, b.mish_slope(x))),
    _unary("mish_slope", mish_slope, _mish_slope_vjp, special=SPECIAL[:-3]),
    _unary("sin", np.sin, lambda b, g, out, x: b.mul(g, b.cos(x)), special=(0.0, -0.0, 3.0, -50.0, np.inf, np.nan)),
    _unary("cos", np.cos, lambda b, g, out, x: b.neg(b.mul(g, b.sin(x))), special=(0.0, 3.0, -50.0, np.inf, np.nan)),
)


# Two operands ----------------------------------------------------------------------------------------------------


def _binary_samples(low: float | None, rng: np.random.Generator, dtype: str, n_rows: int) -> Iterator[Sample]:
    for pair in PAIRS:
        real = [resolve(shape, n_rows) for shape in pair]
        first = draw(rng, dtype, real[0]) if low is None else uniform(rng, dtype, real[0], low, 2.0)
        yield make_sample([first, draw(rng, dtype, real[1])], pair, n_rows)
    # Every pairing of a few values: ties, zeros of both signs, infinities, NaN.
    values = np.array([0.0, -0.0, 0.5, 1.0, -1.0, 2.0, 3.0, np.inf, -np.inf, np.nan], dtype)
    a, c = (np.ascontiguousarray(x).ravel() for x in np.meshgrid(values, values))
    yield make_sample([a, c], [(100,), (100,)], n_rows, "special values", smooth=False)
    yield make_sample([values, values], [(10,), (10,)], n_rows, "ties", smooth=False)


def _binary(
    name: str,
    reference: Reference,
    vjp: Callable[[Builder, Value, Value, Value, Value], Cotangents] | None,
    low: float | None = None,
) -> Op:
    """A broadcasting function of two operands; `low` > 0 keeps the first one positive in smooth samples."""
    differentiable = () if vjp is None else (0, 1)
    samples = partial(_binary_samples, low)
    return Op(name, 2, elementwise, reference, samples, vjp, differentiable=differentiable, in_place=(0, 1))


def _comparison(name: str, function: Reference) -> Op:
    return _binary(name, lambda x, y: function(x, y).astype(x.dtype), None)


def _div_vjp(b: Builder, g: Value, out: Value, x: Value, y: Value) -> Cotangents:
    scaled = b.div(g, y)
    return scaled, b.neg(b.mul(scaled, out))


def _choice_vjp(wins: str) -> Callable[[Builder, Value, Value, Value, Value], Cotangents]:
    """Reverse rule of maximum (`wins` is "greater") and minimum ("less"): a tie gives half to each."""

    def vjp(b: Builder, g: Value, out: Value, x: Value, y: Value) -> Cotangents:
        share = b.emit(wins, x, y)
        assert share is not None
        to_x = b.mul(g, b.add(share, b.mul(b.equal(x, y), 0.5)))
        return to_x, b.sub(g, to_x)

    return vjp


def _power_vjp(b: Builder, g: Value, out: Value, x: Value, y: Value) -> Cotangents:
    to_base = b.mul(g, b.mul(y, b.power(x, b.sub(y, 1.0))))
    # A negative base has no derivative with respect to the exponent; base 0 is the limit for positive exponents.
    log_base = b.where(b.greater(x, 0.0), b.log(x), 0.0)
    return to_base, b.mul(g, b.mul(out, log_base))


BINARY = (
    _binary("add", np.add, lambda b, g, out, x, y: (g, g)),
    _binary("sub", np.subtract, lambda b, g, out, x, y: (g, b.neg(g))),
    _binary("mul", np.multiply, lambda b, g, out, x, y: (b.mul(g, y), b.mul(g, x))),
    _binary("div", np.divide, _div_vjp),
    _binary("maximum", np.maximum, _choice_vjp("greater")),
    _binary("minimum", np.minimum, _choice_vjp("less")),
    _binary("power", np.power, _power_vjp, low=0.1),
    _comparison("equal", np.equal),
    _comparison("less", np.less),
    _comparison("less_equal", np.less_equal),
    _comparison("greater", np.greater),
    _comparison("greater_equal", np.greater_equal),
)


# Derivatives of activations in terms of their output, in one pass ------------------------------------------------


def _backward_samples(rng: np.random.Generator, dtype: str, n_rows: int) -> Iterator[Sample]:
    yield from each(rng, dtype, n_rows, *((shape, shape) for shape in SHAPES))
    yield make_sample(
        [np.array([1.0, -2.0, 3.0, 4.0], dtype), np.array([0.0, -0.0, 1.0, -1.0], dtype)],
        [(4,), (4,)],
        n_rows,
        "special values",
        smooth=False,
    )


def _backward(name: str, reference: Reference, vjp: Vjp, differentiable: tuple[int, ...]) -> Op:
    """``name(g, out)``: the cotangent of an activation's input; both operands have one shape."""
    return Op(name, 2, same_shape, reference, _backward_samples, vjp, differentiable=differentiable, in_place=(0, 1))


def _relu_backward_vjp(b: Builder, u: Value, result: Value, g: Value, out: Value) -> Cotangents:
    return b.relu_backward(full(b, u, out), out), None


def _tanh_backward_vjp(b: Builder, u: Value, result: Value, g: Value, out: Value) -> Cotangents:
    u = full(b, u, out)
    return b.tanh_backward(u, out), b.mul(b.mul(b.mul(u, g), out), -2.0)


def _logistic_backward_vjp(b: Builder, u: Value, result: Value, g: Value, out: Value) -> Cotangents:
    u = full(b, u, out)
    return b.logistic_backward(u, out), b.mul(b.mul(u, g), b.sub(1.0, b.mul(out, 2.0)))


BACKWARD = (
    _backward("relu_backward", lambda g, out: np.where(np.greater(out, 0), g, 0), _relu_backward_vjp, (0,)),
    _backward("tanh_backward", lambda g, out: g * (1 - out * out), _tanh_backward_vjp, (0, 1)),
    _backward("logistic_backward", lambda g, out: g * out * (1 - out), _logistic_backward_vjp, (0, 1)),
)


# Three operands --------------------------------------------------------------------------------------------------


def _where_samples(rng: np.random.Generator, dtype: str, n_rows: int) -> Iterator[Sample]:
    cases: tuple[tuple[Shape, Shape, Shape], ...] = (
        ((), (), ()),
        ((37,), (37,), (37,)),
        ((M, 5), (M, 5), (M, 5)),
        ((M, 1), (M, 5), ()),
        ((M, 5), (), ()),
        ((5,), (M, 1), (M, 5)),
        ((M, 1, 2), (4, 1), (1, 1, 2)),
        ((2, 1, 1, 1), (M, 1, 1), (3, 5)),
    )
    for shapes in cases:
        arrays = [draw(rng, dtype, resolve(s, n_rows)) for s in shapes]
        arrays[0] = np.asarray(arrays[0] * (arrays[0] > 0), dtype)
        yield make_sample(arrays, shapes, n_rows)
    condition = np.array([0.0, -0.0, 1.0, np.nan, -1e-30], dtype)
    branches = [np.full(5, np.nan, dtype), np.arange(5, dtype=dtype)]
    yield make_sample([condition, *branches], [(5,)] * 3, n_rows, "special values", smooth=False)


WHERE = Op(
    "where",
    3,
    elementwise,
    lambda condition, x, y: np.where(np.not_equal(condition, 0), x, y),
    _where_samples,
    lambda b, g, out, condition, x, y: (None, b.where(condition, g, 0.0), b.where(condition, 0.0, g)),
    differentiable=(1, 2),
    in_place=(1, 2),
)

RECORDS = (*UNARY, *BINARY, *BACKWARD, WHERE)
