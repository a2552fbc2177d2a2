"""Arithmetic on values of a program, as on arrays: ``(p - t) ** 2``, ``abs(p)``, ``p > 0``, ``p.mean(axis=1)``.

Takes values and numbers. Returns values: each operator appends the op that this table names, and nothing else, to the
builder that made its operand. Never computes a number.

``==`` and ``!=`` compare identities, because values are keys of dictionaries: ``b.equal(x, y)`` compares elements.
"""

from __future__ import annotations

import numbers
import operator
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from rosenblatt._suggestions import NETWORKS_PAGE, nearest, suggest_keywords

if TYPE_CHECKING:
    from rosenblatt.ir.program import Builder
    from rosenblatt.ir.types import Type

__all__ = ["Arithmetic"]


def _unary(op: str) -> Callable[[Arithmetic], Any]:
    return lambda x: x.append(op, x)


def _binary(op: str) -> Callable[[Arithmetic, Any], Any]:
    return lambda x, y: x.combine(op, x, y)


def _reflected(op: str) -> Callable[[Arithmetic, Any], Any]:
    return lambda x, y: x.combine(op, y, x)


class Arithmetic:
    """The operators of `rosenblatt.ir.types.Value`.

    An operand is a value of the same builder or a number. Shapes broadcast as in NumPy. Comparisons give 1 and 0, in
    the operands' float type, and have no derivative.
    """

    type: Type
    shape: tuple[int, ...]
    owner: weakref.ref[Builder] | None

    __neg__, __abs__ = _unary("neg"), _unary("abs")
    __add__, __radd__ = _binary("add"), _reflected("add")
    __sub__, __rsub__ = _binary("sub"), _reflected("sub")
    __mul__, __rmul__ = _binary("mul"), _reflected("mul")
    __truediv__, __rtruediv__ = _binary("div"), _reflected("div")
    __lt__, __le__ = _binary("less"), _binary("less_equal")
    __gt__, __ge__ = _binary("greater"), _binary("greater_equal")
    __rpow__ = _reflected("power")

    def __matmul__(self, other: Any) -> Any:
        """``x @ w`` is the op matmul, of a CSR matrix csr_matmul."""
        return self.combine("csr_matmul" if self.type.sparse else "matmul", self, other)

    def __pow__(self, exponent: Any) -> Any:
        """``x ** 2`` is the op square, every other exponent the op power."""
        is_two = isinstance(exponent, numbers.Real) and exponent == 2
        return self.append("square", self) if is_two else self.combine("power", self, exponent)

    def __getitem__(self, key: Any) -> Any:
        """Slices of columns, such as ``p[:, 0:2]``; a whole number drops its axis."""
        keys = key if isinstance(key, tuple) else (key,)
        if len(keys) > len(self.shape):
            raise IndexError(f"{self!r} has {len(self.shape)} axes; {len(keys)} indices are given")
        found: Any = self
        for axis, part in enumerate(keys):
            found = _sliced(found, axis, part)
        kept = [axis for axis in range(len(self.shape)) if axis >= len(keys) or isinstance(keys[axis], slice)]
        if len(kept) == len(self.shape):
            return found
        return self.append("reshape", found, shape=tuple(found.shape[axis] for axis in kept))

    __iter__ = None

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        """Operators of NumPy's numbers and arrays with values, and nothing else that NumPy has."""
        op = {"add": "add", "subtract": "sub", "multiply": "mul", "divide": "div", "power": "power", "matmul": "matmul"}
        op |= {name: name for name in ("less", "less_equal", "greater", "greater_equal")}
        if ufunc.__name__ in op and method == "__call__" and not options:
            return self.combine(
                op[ufunc.__name__], *(x.item() if np.shape(x) == () and x is not self else x for x in inputs)
            )
        raise TypeError(
            f"NumPy cannot apply {ufunc.__name__} to {self!r}, a value of a program.{_advice(self, ufunc.__name__)}"
        )

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            if name.startswith("_") or "name" not in vars(self):
                raise AttributeError(name)
            raise AttributeError(f"values have no {name!r}.{_advice(self, name)}")

    def _refuse_logic(self, *_: Any) -> Any:
        raise TypeError(
            "values have no & | ^ ~: of conditions, c * d is their and, b.maximum(c, d) their or, 1 - c not"
        )

    __and__ = __rand__ = __or__ = __ror__ = __xor__ = __rxor__ = __invert__ = _refuse_logic

    def __bool__(self) -> bool:
        raise TypeError(
            f"{self!r} is neither true nor false: its numbers are known only when the program runs. Choose with "
            "b.where(condition, x, y); write 0 < x < 1 as (x > 0) * (x < 1)"
        )

    @suggest_keywords
    def sum(self, axis: int | None = None, keepdims: bool = False) -> Any:
        """The sum along an axis; None: of all elements."""
        return self.append("sum", self, axis=axis, keepdims=keepdims)

    @suggest_keywords
    def mean(self, axis: int | None = None, keepdims: bool = False) -> Any:
        """The mean along an axis; None: of all elements."""
        return self.append("mean", self, axis=axis, keepdims=keepdims)

    @suggest_keywords
    def max(self, axis: int | None = None, keepdims: bool = False) -> Any:
        """The maximum along an axis; None: of all elements."""
        return self.append("max", self, axis=axis, keepdims=keepdims)

    @property
    def builder(self) -> Builder:
        """The builder that made the value, while it exists.

        Raises
        ------
        TypeError
            If it is gone, or a transformation made the value.
        """
        b = None if self.owner is None else self.owner()
        if b is None:
            raise TypeError(f"{self!r} is part of a finished program; extend that and use the ops: b.add(x, y)")
        return b

    def append(self, op: str, *operands: Any, **attrs: Any) -> Any:
        """Append `op` to the builder that made the value."""
        return self.builder.emit(op, *operands, **attrs)

    def combine(self, op: str, x: Any, y: Any) -> Any:
        """Append `op` of a value and another operand; NotImplemented if that is neither a value nor a number."""
        b = self.builder
        for operand in (x, y):
            if isinstance(operand, Arithmetic):
                if operand.builder is not b:
                    raise TypeError(f"{operand!r} and {self!r} are of different builders; an op takes those of one")
            elif hasattr(operand, "__array__") and np.ndim(operand) > 0:
                raise TypeError(
                    f"{self!r} meets an array of shape {np.shape(operand)}; operands are values and numbers. Declare "
                    "the array as an input or a parameter of the program"
                )
            elif isinstance(operand, (bool, np.bool_)):
                raise TypeError(
                    f"{op}: an operand is {operand}; x == y and x != y compare identities, b.equal(x, y) and "
                    "1 - b.equal(x, y) elements"
                )
            elif not isinstance(operand, numbers.Real):
                return NotImplemented
        return b.emit(op, x, y)


def _advice(x: Arithmetic, name: str) -> str:
    """What to write for an attribute of arrays, or a function of NumPy, that values do not have."""
    if name in ("T", "swapaxes"):
        return " Write b.transpose(x, axes=(1, 0))."
    b = None if x.owner is None else x.owner()
    op = nearest(name, b.op_names) if b is not None else None
    return f" Write b.{op}(...)." if op else f" See {NETWORKS_PAGE}."


def _sliced(x: Any, axis: int, part: Any) -> Any:
    """One axis of `x` cut to a slice, or to one place, whose axis stays."""
    length = x.shape[axis]
    if isinstance(part, slice) and part == slice(None):
        return x
    if length < 0:
        raise IndexError(f"{x!r}: axis {axis} is the rows of the batch, which cannot be cut; write x[:, 0:1]")
    if not isinstance(part, slice):
        if not hasattr(part, "__index__"):
            raise IndexError(
                f"{x!r}: an index is {part!r}; slices of columns and whole numbers are allowed; b.reshape adds an axis"
            )
        place = operator.index(part)
        if not -length <= place < length:
            raise IndexError(f"{x!r}: index {place} is out of range for axis {axis}, which has {length}")
        part = slice(place % length, place % length + 1)
    start, stop, step = part.indices(length)
    if step != 1:
        raise IndexError(f"{x!r}: a slice has steps of {step}; only neighbours can be cut out")
    return x.append("slice", x, axis=axis, start=start, stop=max(start, stop))
