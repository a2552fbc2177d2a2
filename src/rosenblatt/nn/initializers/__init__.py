"""Initializers: where parameters start.

An initializer is ``initializer(rng, shape) -> float64 array``: a frozen dataclass that can be compared, printed and
stored. A user's own function of that form can stand wherever a name can. `DataDriven` also looks at data: who
initializes a network with it calls `DataDriven.rescale` layer by layer.
"""

from typing import Any

from rosenblatt.nn.initializers import base, functions, matrices
from rosenblatt.nn.initializers.base import *
from rosenblatt.nn.initializers.base import OwnInitializer
from rosenblatt.nn.initializers.functions import *
from rosenblatt.nn.initializers.matrices import *
from rosenblatt.nn.registry import Registry, members_of


def _adapt(given: Any) -> Initializer | None:
    if isinstance(given, Initializer):
        return given
    return OwnInitializer(given) if callable(given) else None


INITIALIZERS: Registry[Initializer] = Registry(
    "initializer", members_of(Initializer, functions, matrices), "a function (rng, shape) -> array", _adapt
)
"""Initializers by name. Normal, Uniform and Constant need a number, so they cannot be given by name alone."""

__all__ = ["INITIALIZERS"]
__all__ += base.__all__
__all__ += functions.__all__
__all__ += matrices.__all__
