"""Three equivalent forms of A xor B, each wired as it is written: two hidden neurons and one output."""

from __future__ import annotations

from .makers import variables
from .network import ThresholdNetwork
from .wiring import threshold_network

__all__ = ["XOR_FORMS"]

A, B = variables("A B")

XOR_FORMS: tuple[ThresholdNetwork, ...] = (
    threshold_network((A & ~B) | (~A & B)),
    threshold_network((A | B) & ~(A & B)),
    threshold_network((A | B) & (~A | ~B)),
)
"""(A & ~B) | (~A & B); (A | B) & ~(A & B); (A | B) & (~A | ~B)."""
