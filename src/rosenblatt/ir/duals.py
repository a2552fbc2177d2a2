"""Forward-mode differentiation: arrays of dual numbers ``value + tangent ε`` with ``ε² = 0``.

Takes NumPy code, such as the references of the op table. Returns its value and its derivative in one direction, by the
rules of calculus. Never approximates, and never drops a tangent silently: a NumPy function without a rule raises
TypeError.

At kinks the rules follow the reverse mode: 0 for ``abs`` and ``sign`` at 0; ties in `maximum`, `minimum` and `max` are
shared equally.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

__all__ = ["ERF", "Dual", "jvp", "tangent_of", "value_of"]

ERF: np.ufunc = np.frompyfunc(math.erf, 1, 1)
"""The error function, which NumPy lacks. It returns Python numbers."""


class Dual(NDArrayOperatorsMixin):
    """An array of dual numbers. Operators and NumPy functions propagate the tangent.

    An integer `value` becomes float64. The `tangent` is broadcast to the shape of the value and converted to its dtype.

    Examples
    --------
    >>> x = Dual(3.0, 1.0)
    >>> (x * x).tangent.item()
    6.0
    """

    __hash__ = None  # type: ignore[assignment]
    # Keeps ndarray and scipy.sparse from treating a Dual as an element.
    __array_priority__ = 100.0

    def __init__(self, value: Any, tangent: Any = 0.0) -> None:
        self.value = np.asarray(value)
        if self.value.dtype.kind != "f":
            self.value = self.value.astype(np.float64)
        self.tangent = np.asarray(tangent, self.value.dtype)
        if self.tangent.shape != self.value.shape:
            self.tangent = np.broadcast_to(self.tangent, self.value.shape).copy()

    def __repr__(self) -> str:
        return f"Dual({self.value!r}, {self.tangent!r})"

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape."""
        return self.value.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.value.ndim

    @property
    def size(self) -> int:
        """The number of elements."""
        return self.value.size

    @property
    def dtype(self) -> np.dtype[Any]:
        """The float type."""
        return self.value.dtype

    @property
    def T(self) -> Dual:
        """The array with its axes reversed."""
        return Dual(self.value.T, self.tangent.T)

    def __len__(self) -> int:
        return len(self.value)

    def __getitem__(self, key: Any) -> Dual:
        return Dual(self.value[key], self.tangent[key])

    def __setitem__(self, key: Any, new: Any) -> None:
        self.value[key], self.tangent[key] = value_of(new), tangent_of(new)

    def astype(self, dtype: Any) -> Dual:
        """The array in another float type."""
        return Dual(self.value.astype(dtype), self.tangent.astype(dtype))

    def copy(self) -> Dual:
        """A copy in C order."""
        return Dual(self.value.copy(), self.tangent.copy())

    def sum(self, axis: Any = None, keepdims: bool = False) -> Dual:
        """`numpy.sum`."""
        return Dual(self.value.sum(axis=axis, keepdims=keepdims), self.tangent.sum(axis=axis, keepdims=keepdims))

    def mean(self, axis: Any = None, keepdims: bool = False) -> Dual:
        """`numpy.mean`."""
        return Dual(self.value.mean(axis=axis, keepdims=keepdims), self.tangent.mean(axis=axis, keepdims=keepdims))

    def reshape(self, *shape: Any) -> Dual:
        """`numpy.ndarray.reshape`: views of value and tangent if possible."""
        return Dual(self.value.reshape(*shape), self.tangent.reshape(*shape))

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """Apply a ufunc by `PARTIALS`. Piecewise constant functions return plain arrays."""
        if method == "at" and ufunc is np.add:
            return _add_at(*inputs)
        if method != "__call__" or kwargs:
            return NotImplemented
        values = [value_of(x) for x in inputs]
        if ufunc in STEPS:
            return ufunc(*values)
        if ufunc is np.matmul:
            return _matmul(*inputs)
        if ufunc not in PARTIALS:
            return NotImplemented
        with np.errstate(all="ignore"):
            out = ufunc(*values)
            terms = [
                partial(*values, out) * x.tangent
                for partial, x in zip(PARTIALS[ufunc], inputs, strict=True)
                if isinstance(x, Dual)
            ]
        return Dual(out, sum(terms[1:], terms[0]))

    def __array_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Apply a NumPy function by its rule or, if it is linear, to values and tangents alike."""
        if func in LINEAR:
            return Dual(func(*_map(value_of, args), **kwargs), func(*_map(_linear_operand, args), **kwargs))
        if func not in RULES:
            return NotImplemented
        return RULES[func](*args, **kwargs)


def value_of(x: Any) -> Any:
    """The value of a `Dual`; anything else unchanged."""
    return x.value if isinstance(x, Dual) else x


def tangent_of(x: Any) -> Any:
    """The tangent of a `Dual`; zeros for a constant."""
    return x.tangent if isinstance(x, Dual) else np.zeros(np.shape(x), np.result_type(x))


def jvp(function: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """Value ``f(x)`` and directional derivative ``J(x) t`` of a function of NumPy arrays, or tuples of them.

    `tangents` holds for each primal an array of the same shape; None for int32 arrays and sparse matrices.
    """
    operands = [x if t is None else Dual(x, t) for x, t in zip(primals, tangents, strict=True)]
    result = function(*operands)
    if isinstance(result, tuple):
        return tuple(map(value_of, result)), tuple(map(tangent_of, result))
    return value_of(result), tangent_of(result)


def _linear_operand(x: Any) -> Any:
    """The tangent of a float operand; anything else (an axis, a shape, indices) unchanged."""
    constant = isinstance(x, np.ndarray | np.floating | float) and np.result_type(x).kind == "f"
    return tangent_of(x) if constant or isinstance(x, Dual) else x


def _map(part: Callable[[Any], Any], x: Any) -> Any:
    """`part` of every operand, including those inside tuples and lists."""
    return type(x)(_map(part, item) for item in x) if isinstance(x, tuple | list) else part(x)


# Derivatives of ufuncs: for each input, a function of the inputs and the output ----------------------------------


def _share(wins: np.ufunc) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The partial derivatives of a choice between two numbers; a tie gives each one half."""

    def first(x: Any, y: Any, out: Any) -> Any:
        return (wins(x, y) + 0.5 * np.equal(x, y)).astype(out.dtype)

    return first, lambda x, y, out: 1 - first(x, y, out)


def _power_by_exponent(x: Any, y: Any, out: Any) -> Any:
    return out * np.where(np.greater(x, 0), np.log(np.where(np.greater(x, 0), x, 1)), 0).astype(out.dtype)


PARTIALS: dict[np.ufunc, tuple[Callable[..., Any], ...]] = {
    np.positive: (lambda x, out: 1,),
    np.negative: (lambda x, out: -1,),
    np.absolute: (lambda x, out: np.sign(x),),
    np.exp: (lambda x, out: out,),
    np.log: (lambda x, out: 1 / x,),
    np.log1p: (lambda x, out: 1 / (1 + x),),
    np.expm1: (lambda x, out: out + 1,),
    np.sqrt: (lambda x, out: 0.5 / out,),
    np.square: (lambda x, out: 2 * x,),
    np.reciprocal: (lambda x, out: -out * out,),
    np.tanh: (lambda x, out: 1 - out * out,),
    np.sin: (lambda x, out: np.cos(x),),
    np.cos: (lambda x, out: -np.sin(x),),
    ERF: (lambda x, out: 2 / math.sqrt(math.pi) * np.exp(-np.square(x)),),
    np.add: (lambda x, y, out: 1, lambda x, y, out: 1),
    np.subtract: (lambda x, y, out: 1, lambda x, y, out: -1),
    np.multiply: (lambda x, y, out: y, lambda x, y, out: x),
    np.divide: (lambda x, y, out: 1 / y, lambda x, y, out: -out / y),
    np.power: (lambda x, y, out: y * np.power(x, y - 1.0), _power_by_exponent),
    np.logaddexp: (lambda x, y, out: np.exp(x - out), lambda x, y, out: np.exp(y - out)),
    np.maximum: _share(np.greater),
    np.minimum: _share(np.less),
}

STEPS = frozenset(
    [
        *(np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal),
        *(np.sign, np.isnan, np.isfinite, np.isinf),
    ]
)
"""Functions whose derivative is zero wherever it exists."""


def _matmul(x: Any, y: Any) -> Dual:
    # The operator instead of np.matmul, because one side may be a sparse matrix.
    value = value_of(x) @ value_of(y)
    terms = [x.tangent @ value_of(y)] if isinstance(x, Dual) else []
    terms += [value_of(x) @ y.tangent] if isinstance(y, Dual) else []
    return Dual(value, sum(terms[1:], terms[0]))


def _add_at(target: Any, indices: Any, addend: Any) -> None:
    if not isinstance(target, Dual):
        raise TypeError("np.add.at adds a Dual to a plain array, which would lose its tangent; make the array a Dual")
    np.add.at(target.value, indices, value_of(addend))
    if isinstance(addend, Dual):
        np.add.at(target.tangent, indices, addend.tangent)


# NumPy functions that are not ufuncs -----------------------------------------------------------------------------

LINEAR = frozenset(
    [
        *(np.sum, np.mean, np.reshape, np.ravel, np.broadcast_to, np.transpose, np.squeeze, np.expand_dims),
        *(np.concatenate, np.stack, np.pad, np.take, np.take_along_axis, np.zeros_like),
    ]
)
"""Functions that apply to values and tangents alike (`pad` only with zeros)."""


def _max(x: Dual, axis: Any = None, out: None = None, keepdims: bool = False, **kwargs: Any) -> Dual:
    top = np.max(x.value, axis=axis, keepdims=True, **kwargs)
    winners = np.equal(x.value, top).astype(x.dtype)
    n_winners = winners.sum(axis=axis, keepdims=True)
    tangent = (winners * x.tangent).sum(axis=axis, keepdims=True) / np.where(n_winners == 0, 1, n_winners)
    value = np.max(x.value, axis=axis, keepdims=keepdims, **kwargs)
    return Dual(value, tangent.reshape(np.shape(value)))


def _where(condition: Any, x: Any, y: Any) -> Any:
    chosen = value_of(condition)
    if not isinstance(x, Dual) and not isinstance(y, Dual):
        return np.where(chosen, x, y)
    return Dual(np.where(chosen, value_of(x), value_of(y)), np.where(chosen, tangent_of(x), tangent_of(y)))


def _clip(x: Dual, low: Any, high: Any) -> Dual:
    inside = np.logical_and(x.value > low, x.value < high)
    return Dual(np.clip(x.value, low, high), np.where(inside, x.tangent, 0))


RULES: dict[Callable[..., Any], Callable[..., Any]] = {
    np.max: _max,
    np.where: _where,
    np.clip: _clip,
    np.shape: lambda x: x.shape,
    np.ndim: lambda x: x.ndim,
    np.size: lambda x: x.size,
}
