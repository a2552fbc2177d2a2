"""Boolean formulas, networks of threshold neurons, and what a single neuron can and cannot compute.

Takes formulas, or rows of two classes. Returns networks of threshold neurons with small integer weights, proofs that a
single neuron is not enough, and trainable networks that start as such a network. Never reads tables or trains. The
names below are imported on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rosenblatt._lazy import lazy_names

if TYPE_CHECKING:
    from .drawing import plot as plot
    from .equivalence import Equivalence as Equivalence
    from .equivalence import equivalent as equivalent
    from .formulas import Formula as Formula
    from .makers import at_least as at_least
    from .makers import majority as majority
    from .makers import truth_function as truth_function
    from .makers import variables as variables
    from .network import ThresholdNetwork as ThresholdNetwork
    from .network import WrongNetworkError as WrongNetworkError
    from .neuron import Neuron as Neuron
    from .neuron import NotSeparableError as NotSeparableError
    from .neuron import single_neuron as single_neuron
    from .separability import Certificate as Certificate
    from .separability import Separability as Separability
    from .separability import linear_separability as linear_separability
    from .soft import soften as soften
    from .wiring import threshold_network as threshold_network
    from .xor import XOR_FORMS as XOR_FORMS

_NAMES = {
    "drawing": ("plot",),
    "equivalence": ("Equivalence", "equivalent"),
    "formulas": ("Formula",),
    "makers": ("at_least", "majority", "truth_function", "variables"),
    "network": ("ThresholdNetwork", "WrongNetworkError"),
    "neuron": ("Neuron", "NotSeparableError", "single_neuron"),
    "separability": ("Certificate", "Separability", "linear_separability"),
    "soft": ("soften",),
    "wiring": ("threshold_network",),
    "xor": ("XOR_FORMS",),
}
__all__ = [name for names in _NAMES.values() for name in names]
__getattr__, __dir__ = lazy_names(__name__, _NAMES)
