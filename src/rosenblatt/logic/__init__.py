"""Boolean formulas, networks of threshold neurons, and what a single neuron can and cannot compute.

Takes formulas, or rows of two classes. Returns networks of threshold neurons with small integer weights, proofs that a
single neuron is not enough, and trainable networks that start as such a network. Never reads tables or trains. The
names below are imported on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rosenblatt._lazy import lazy_names

if TYPE_CHECKING:
    from .drawing import plot
    from .equivalence import Equivalence, equivalent
    from .formulas import Formula
    from .makers import at_least, majority, truth_function, variables
    from .network import ThresholdNetwork, WrongNetworkError
    from .neuron import Neuron, NotSeparableError, single_neuron
    from .separability import Certificate, Separability, linear_separability
    from .soft import soften
    from .wiring import threshold_network
    from .xor import XOR_FORMS

__all__ = [
    "XOR_FORMS",
    "Certificate",
    "Equivalence",
    "Formula",
    "Neuron",
    "NotSeparableError",
    "Separability",
    "ThresholdNetwork",
    "WrongNetworkError",
    "at_least",
    "equivalent",
    "linear_separability",
    "majority",
    "plot",
    "single_neuron",
    "soften",
    "threshold_network",
    "truth_function",
    "variables",
]

_HOMES = {
    "XOR_FORMS": "xor",
    "Certificate": "separability",
    "Equivalence": "equivalence",
    "Formula": "formulas",
    "Neuron": "neuron",
    "NotSeparableError": "neuron",
    "Separability": "separability",
    "ThresholdNetwork": "network",
    "WrongNetworkError": "network",
    "at_least": "makers",
    "equivalent": "equivalence",
    "linear_separability": "separability",
    "majority": "makers",
    "plot": "drawing",
    "single_neuron": "neuron",
    "soften": "soft",
    "threshold_network": "wiring",
    "truth_function": "makers",
    "variables": "makers",
}


__getattr__ = lazy_names(__name__, _HOMES)


def __dir__() -> list[str]:
    return sorted(__all__)
