"""The op table: all ops that a program can use, by name.

Takes the rows of the families. Returns `OPS`: each row is an `Op` with its shape rule, NumPy reference, samples for
tests and reverse rule. The kernel of the same name in ``cpp/kernels`` computes it (aliases need none). Never runs a
program.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from rosenblatt.ir.ops import elementwise, fused, gather, linear, loss, random, reduce, shape, update
from rosenblatt.ir.ops._record import Op, Sample, normalize_attrs

__all__ = ["OPS", "Op", "Sample", "normalize_attrs"]

_FAMILIES = (linear, fused, elementwise, reduce, shape, gather, loss, random, update)

OPS: Mapping[str, Op] = MappingProxyType({op.name: op for family in _FAMILIES for op in family.RECORDS})
"""All ops by name, read-only."""
