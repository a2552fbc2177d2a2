"""The ops of programs as ONNX operators: one rule for each op, and why some have none.

Takes the work, an instruction and its operands' tensors. Returns the tensor of the result. Where runtimes compute a
function less exactly than 1e-6, or treat NaN in another way than NumPy does, a rule is made of operators that they
agree on. Never looks at what an instruction is part of.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np
from numpy.polynomial import chebyshev

from rosenblatt.export.onnx.graph import OnnxGraph
from rosenblatt.export.onnx.work import Work
from rosenblatt.ir.types import Instruction

__all__ = ["REFUSED", "TRANSLATIONS", "double_cosine"]

Rule = Callable[..., str]
"""``rule(work, instruction, *operands) -> tensor``."""


def direct(op: str) -> Rule:
    """An operator that means the same."""
    return lambda w, i, *x: w.add(op, *x)


# One operand -----------------------------------------------------------------------------------------------------


def relu(w: Work, i: Instruction, x: str) -> str:
    """max(x, 0); NaN stays NaN, which runtimes do not agree on for their own Relu."""
    return w.add("Where", w.add("Less", x, w.number(0)), w.number(0), x)


def logistic(w: Work, i: Instruction, x: str) -> str:
    """1 / (1 + exp(-x)), exact for small results, too, where runtimes' own Sigmoid is not."""
    return w.add("Div", w.number(1), w.add("Add", w.add("Exp", w.add("Neg", x)), w.number(1)))


def log1p(w: Work, i: Instruction, x: str) -> str:
    """log(1 + x) with the digits of small x: x log(u) / (u - 1), u = 1 + x (Kahan)."""
    u = w.add("Add", x, w.number(1))
    less_one, log = w.add("Sub", u, w.number(1)), w.add("Log", u)
    scaled = w.add("Mul", log, w.add("Div", x, less_one))
    is_small = w.add("Equal", u, w.number(1))
    is_large = w.add("Greater", x, w.number(1))
    return w.add("Where", is_small, x, w.add("Where", is_large, log, scaled))


def expm1(w: Work, i: Instruction, x: str) -> str:
    """exp(x) - 1 with the digits of small x: (u - 1) x / log(u), u = exp(x) (Kahan)."""
    u = w.add("Exp", x)
    less_one = w.add("Sub", u, w.number(1))
    scaled = w.add("Mul", less_one, w.add("Div", x, w.add("Log", u)))
    is_small = w.add("Equal", u, w.number(1))
    is_large = w.add("Greater", w.add("Abs", x), w.number(1))
    return w.add("Where", is_small, x, w.add("Where", is_large, less_one, scaled))


def softplus(w: Work, i: Instruction, x: str) -> str:
    """log(1 + exp(x)) as max(x, 0) + log1p(exp(-|x|))."""
    small = log1p(w, i, w.add("Exp", w.add("Neg", w.add("Abs", x))))
    return w.add("Add", relu(w, i, x), small)


def tanh_softplus(w: Work, x: str) -> str:
    """tanh(log(1 + exp(x))): e (e + 2) / (e (e + 2) + 2) with e = exp(x), and 1 beyond 20."""
    is_large = w.add("Greater", x, w.number(20))
    e = w.add("Exp", w.add("Where", is_large, w.number(20), x))
    n = w.add("Mul", e, w.add("Add", e, w.number(2)))
    return w.add("Where", is_large, w.number(1), w.add("Div", n, w.add("Add", n, w.number(2))))


def mish(w: Work, i: Instruction, x: str) -> str:
    """The product x tanh(softplus(x))."""
    return w.add("Mul", x, tanh_softplus(w, x))


def mish_slope(w: Work, i: Instruction, x: str) -> str:
    """The derivative of mish: w + x s (1 - w²), w = tanh(softplus(x)), s = logistic(x)."""
    t, s = tanh_softplus(w, x), logistic(w, i, x)
    rest = w.add("Sub", w.number(1), w.add("Mul", t, t))
    return w.add("Add", t, w.add("Mul", w.add("Mul", x, s), rest))


def erf(w: Work, i: Instruction, x: str) -> str:
    """The error function; in double precision, which runtimes' own Erf lacks, 1 - erfc, or a series below 1/2."""
    if w.dtype == "float32":
        return w.add("Erf", x)
    size = w.add("Abs", x)
    t = w.add("Div", w.number(2), w.add("Add", size, w.number(2)))
    exponent = polynomial(w, w.add("Sub", w.add("Mul", t, w.number(2)), w.number(1)), tail_coefficients())
    tail = w.add("Mul", t, w.add("Exp", w.add("Sub", exponent, w.add("Mul", x, x))))
    far = w.add("Mul", w.add("Sign", x), w.add("Sub", w.number(1), tail))
    terms = [2 / math.sqrt(math.pi) * (-1) ** n / (math.factorial(n) * (2 * n + 1)) for n in range(14)]
    near = w.add("Mul", x, polynomial(w, w.add("Mul", x, x), terms))
    return w.add("Where", w.add("Less", size, w.number(0.5)), near, far)


@functools.cache
def tail_coefficients() -> tuple[float, ...]:
    """The polynomial p in u = 2 t - 1, t = 2 / (2 + x), with erfc(x) = t exp(p - x²) for x >= 0.

    It goes through the true values at Chebyshev's points, which are computed from SciPy's erfcx.
    """
    from scipy.special import erfcx

    u = chebyshev.chebpts1(29)
    t = (u + 1) / 2
    through = chebyshev.chebfit(u, np.log(erfcx(2 / t - 2) / t), 28)
    return tuple(float(c) for c in chebyshev.cheb2poly(through))


def polynomial(w: Work, x: str, coefficients: Sequence[float]) -> str:
    """The sum of coefficients[n] xⁿ, by Horner's rule."""
    result = w.number(coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        result = w.add("Add", w.add("Mul", result, x), w.number(coefficient))
    return result


def cos(w: Work, i: Instruction, x: str) -> str:
    """The cosine."""
    return w.add("Cos", x) if w.dtype == "float32" else double_cosine(w.graph, x)


def double_cosine(graph: OnnxGraph, x: str) -> str:
    """The cosine in double precision, which older runtimes lack: 1 - 2 sin²(x / 2)."""
    one, two = graph.constant(np.float64(1)), graph.constant(np.float64(2))
    half = graph.add("Sin", graph.add("Div", x, two))
    return graph.add("Sub", one, graph.add("Mul", two, graph.add("Mul", half, half)))


def square(w: Work, i: Instruction, x: str) -> str:
    """The product of x with itself."""
    return w.add("Mul", x, x)


def softmax(w: Work, i: Instruction, x: str) -> str:
    """exp(x) over its sum along the last axis."""
    return w.add("Softmax", x, axis=-1)


UNARY: dict[str, Rule] = {
    "neg": direct("Neg"),
    "abs": direct("Abs"),
    "sign": direct("Sign"),
    "exp": direct("Exp"),
    "log": direct("Log"),
    "log1p": log1p,
    "expm1": expm1,
    "sqrt": direct("Sqrt"),
    "square": square,
    "tanh": direct("Tanh"),
    "logistic": logistic,
    "softplus": softplus,
    "erf": erf,
    "relu": relu,
    "mish": mish,
    "mish_slope": mish_slope,
    "sin": direct("Sin"),
    "cos": cos,
    "softmax": softmax,
}


# Two operands and more -------------------------------------------------------------------------------------------


def comparison(op: str) -> Rule:
    """A comparison, as zeros and ones."""
    return lambda w, i, x, y: w.zeros_and_ones(w.add(op, x, y))


def where(w: Work, i: Instruction, condition: str, x: str, y: str) -> str:
    """Choose x where the condition is not zero, else y."""
    return w.add("Where", w.truth(condition), x, y)


def relu_backward(w: Work, i: Instruction, g: str, out: str) -> str:
    """Choose g where out > 0, else 0."""
    return w.add("Where", w.add("Greater", out, w.number(0)), g, w.number(0))


def tanh_backward(w: Work, i: Instruction, g: str, out: str) -> str:
    """The product g (1 - out²)."""
    return w.add("Mul", g, w.add("Sub", w.number(1), w.add("Mul", out, out)))


def logistic_backward(w: Work, i: Instruction, g: str, out: str) -> str:
    """The product g out (1 - out)."""
    return w.add("Mul", w.add("Mul", g, out), w.add("Sub", w.number(1), out))


def squared_error(w: Work, i: Instruction, x: str, y: str) -> str:
    """(x - y)²."""
    return square(w, i, w.add("Sub", x, y))


SEVERAL: dict[str, Rule] = {
    "add": direct("Add"),
    "sub": direct("Sub"),
    "mul": direct("Mul"),
    "div": direct("Div"),
    "maximum": direct("Max"),
    "minimum": direct("Min"),
    "power": direct("Pow"),
    "equal": comparison("Equal"),
    "less": comparison("Less"),
    "less_equal": comparison("LessOrEqual"),
    "greater": comparison("Greater"),
    "greater_equal": comparison("GreaterOrEqual"),
    "where": where,
    "relu_backward": relu_backward,
    "tanh_backward": tanh_backward,
    "logistic_backward": logistic_backward,
    "squared_error": squared_error,
}


# Products --------------------------------------------------------------------------------------------------------


def matmul(w: Work, i: Instruction, x: str, y: str) -> str:
    """The product of two matrices, each transposed or not."""
    x = w.add("Transpose", x, perm=[1, 0]) if i.attrs["transpose_a"] else x
    y = w.add("Transpose", y, perm=[1, 0]) if i.attrs["transpose_b"] else y
    return w.add("MatMul", x, y)


def dense(w: Work, i: Instruction, x: str, weights: str, bias: str) -> str:
    """The sum x W + b, and its ReLU."""
    z = w.add("Add", w.add("MatMul", x, weights), bias)
    return relu(w, i, z) if i.attrs["relu"] else z


def matmul_gated(w: Work, i: Instruction, x: str, y: str, gate: str) -> str:
    """A product where the gate is positive, else 0."""
    return relu_backward(w, i, matmul(w, i, x, y), gate)


PRODUCTS: dict[str, Rule] = {
    "matmul": matmul,
    "csr_matmul": direct("MatMul"),
    "dense": dense,
    "matmul_gated": matmul_gated,
}


# Reductions and shapes -------------------------------------------------------------------------------------------


def axes_of(w: Work, i: Instruction) -> tuple[str, ...]:
    """The axes that an instruction reduces, as an operand; none: all of them."""
    axis = i.attrs["axis"]
    assert isinstance(axis, int)
    return () if axis == -1 else (w.integers(axis),)


def reduction(op: str) -> Rule:
    """A reduction of one axis, or of all."""
    return lambda w, i, x: w.add(op, x, *axes_of(w, i), keepdims=i.attrs["keepdims"])


def largest(w: Work, i: Instruction, x: str) -> str:
    """The largest element, or NaN if there is one, which runtimes' own ReduceMax leaves out."""
    top = reduction("ReduceMax")
    n_missing = reduction("ReduceSum")(w, i, w.zeros_and_ones(w.add("IsNaN", x)))
    return w.add("Where", w.add("Greater", n_missing, w.number(0)), w.number(math.nan), top(w, i, x))


def sum_squares(w: Work, i: Instruction, x: str) -> str:
    """The sum of all squares."""
    return w.add("ReduceSum", w.add("Mul", x, x), keepdims=0)


def fill(w: Work, i: Instruction) -> str:
    """A value, repeated."""
    value, shape = i.attrs["value"], i.attrs["shape"]
    assert isinstance(shape, tuple)
    return w.add("ConstantOfShape", w.shape(shape), value=np.asarray([value], w.dtype))


def broadcast_to(w: Work, i: Instruction, x: str) -> str:
    """A value, repeated along axes that it lacks or that have the size 1."""
    shape, own = i.attrs["shape"], i.inputs[0].type.shape
    assert isinstance(shape, tuple)
    new = len(shape) - len(own)
    same = [axis >= new and own[axis - new] == dim for axis, dim in enumerate(shape)]
    return w.add("Expand", x, w.shape([1 if kept else dim for dim, kept in zip(shape, same, strict=True)]))


def reshape(w: Work, i: Instruction, x: str) -> str:
    """The same elements in another shape."""
    shape = i.attrs["shape"]
    assert isinstance(shape, tuple)
    return w.reshaped(x, shape)


def view(w: Work, i: Instruction, x: str) -> str:
    """Elements of a block, in a shape."""
    shape, start = i.attrs["shape"], i.attrs["offset"]
    assert isinstance(shape, tuple)
    assert isinstance(start, int)
    part = w.add("Slice", x, w.integers(start), w.integers(start + math.prod(shape)), w.integers(0))
    return w.reshaped(part, shape)


def pack(w: Work, i: Instruction, *xs: str) -> str:
    """All elements of all operands, one after the other."""
    return w.add(
        "Concat", *(w.reshaped(x, (math.prod(v.type.shape),)) for x, v in zip(xs, i.inputs, strict=True)), axis=0
    )


def concat(w: Work, i: Instruction, *xs: str) -> str:
    """Operands side by side."""
    return w.add("Concat", *xs, axis=i.attrs["axis"])


def part_of_axis(w: Work, i: Instruction, x: str) -> str:
    """Some neighbours along one axis."""
    axis, start, stop = (int(i.attrs[name]) for name in ("axis", "start", "stop"))  # type: ignore[arg-type]
    return w.add("Slice", x, w.integers(start), w.integers(stop), w.integers(axis))


def pad(w: Work, i: Instruction, x: str) -> str:
    """Zeros before and after an axis."""
    axis, before, after = (int(i.attrs[name]) for name in ("axis", "before", "after"))  # type: ignore[arg-type]
    rank = len(i.inputs[0].type.shape)
    sizes = [0] * (2 * rank)
    sizes[axis], sizes[rank + axis] = before, after
    return w.add("Pad", x, w.integers(*sizes), w.number(0))


def transpose(w: Work, i: Instruction, x: str) -> str:
    """Axes in another order."""
    axes = i.attrs["axes"]
    return w.add("Transpose", x, perm=axes) if axes else x


def gather_rows(w: Work, i: Instruction, table: str, indices: str) -> str:
    """Rows of a table by their numbers."""
    return w.add("Gather", table, indices, axis=0)


def one_hot(w: Work, i: Instruction, labels: str) -> str:
    """A one in the column of the label, zeros else."""
    n = i.attrs["n"]
    assert isinstance(n, int)
    columns = w.integers(*range(n))
    return w.zeros_and_ones(w.add("Equal", w.add("Unsqueeze", labels, w.integers(1)), columns))


SHAPES: dict[str, Rule] = {
    "sum": reduction("ReduceSum"),
    "mean": reduction("ReduceMean"),
    "max": largest,
    "sum_squares": sum_squares,
    "broadcast_to": broadcast_to,
    "fill": fill,
    "reshape": reshape,
    "view": view,
    "pack": pack,
    "concat": concat,
    "slice": part_of_axis,
    "pad": pad,
    "transpose": transpose,
    "gather_rows": gather_rows,
    "one_hot": one_hot,
}

TRANSLATIONS: Mapping[str, Rule] = MappingProxyType({**UNARY, **SEVERAL, **PRODUCTS, **SHAPES})
"""The rule of each op that predictions are made of."""

RANDOM, TRAINING = "it draws random numbers", "it is for training, and no prediction needs it"
REFUSED: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("dropout_mask", "normal_noise"), RANDOM),
        **dict.fromkeys(("sgd_update", "adam_update", "rms_update", "blend", "accumulate", "assign"), TRAINING),
        **dict.fromkeys(("softmax_cross_entropy", "softmax_cross_entropy_grad", "picked_cross_entropy"), TRAINING),
        **dict.fromkeys(("picked_cross_entropy_grad", "softmax_cross_entropy_soft", "poisson_loss"), TRAINING),
        **dict.fromkeys(("softmax_cross_entropy_soft_grad", "logistic_cross_entropy"), TRAINING),
        **dict.fromkeys(("logistic_cross_entropy_grad", "scatter_add_rows", "csr_matmul_transposed"), TRAINING),
    }
)
"""Why an op has no rule."""
