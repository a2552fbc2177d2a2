"""What networks are made of: layers, activations, initializers, losses, optimizers, schedules; and the network."""

# Modules are named beside their packages as type checkers do not see through an `__all__` that is added up.

from typing import TYPE_CHECKING, Any

from rosenblatt._suggestions import NETWORKS_PAGE, suggestion
from rosenblatt.nn import activations, initializers, layers, losses, optimizers, schedules
from rosenblatt.nn.activations import *
from rosenblatt.nn.activations.functions import *
from rosenblatt.nn.graph import Graph
from rosenblatt.nn.initializers import *
from rosenblatt.nn.initializers.base import *
from rosenblatt.nn.initializers.functions import *
from rosenblatt.nn.initializers.matrices import *
from rosenblatt.nn.layers import *
from rosenblatt.nn.layers.base import *
from rosenblatt.nn.layers.core import *
from rosenblatt.nn.layers.dropout import *
from rosenblatt.nn.layers.normalization import *
from rosenblatt.nn.layers.periodic import *
from rosenblatt.nn.losses import *
from rosenblatt.nn.losses.base import *
from rosenblatt.nn.losses.classification import *
from rosenblatt.nn.losses.regression import *
from rosenblatt.nn.network import Network
from rosenblatt.nn.optimizers import *
from rosenblatt.nn.optimizers.base import *
from rosenblatt.nn.optimizers.rules import *
from rosenblatt.nn.schedules import *
from rosenblatt.nn.schedules.base import *
from rosenblatt.nn.schedules.rules import *
from rosenblatt.nn.spec import NetworkSpec

__all__ = ["Graph", "Network", "NetworkSpec"]
__all__ += activations.__all__
__all__ += initializers.__all__
__all__ += layers.__all__
__all__ += losses.__all__
__all__ += optimizers.__all__
__all__ += schedules.__all__

if not TYPE_CHECKING:  # so that type checkers still name what is not there

    def __getattr__(name: str) -> Any:
        """Suggest the nearest name for one that does not exist."""
        if name.startswith("_"):
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        hint = suggestion(name, [*layers.LAYERS, *__all__], "layers and other names")
        raise AttributeError(f"rosenblatt.nn has no {name!r}.{hint} See {NETWORKS_PAGE}.")
