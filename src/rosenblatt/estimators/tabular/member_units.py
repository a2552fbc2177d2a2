"""The units of a member that must not know the targets of others than its own training rows.

Takes targets in the units that all members share, those of the training rows. Returns `MemberUnits`, in which these
rows are standardized. Never lets the mean or the spread of held-out groups, or of later rows, into the member.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt import nn
from rosenblatt.estimators.tabular.architecture import rescale_outputs
from rosenblatt.estimators.tabular.target_scaling import TargetScaler, fit_target_scaler

__all__ = ["MemberUnits", "fit_member_units"]

Array = NDArray[Any]


@dataclass(frozen=True)
class MemberUnits:
    """The units in which a member learns; without a scaler, those that all members share."""

    scaler: TargetScaler | None = None

    def encode(self, targets: Array) -> Array:
        """Targets as the member learns them."""
        return targets if self.scaler is None else self.scaler.encode(targets)

    def decode(self, outputs: Array) -> Array:
        """The member's outputs in the units that all share."""
        return outputs if self.scaler is None else np.asarray(outputs * self.scaler.scale + self.scaler.center)

    def share(self, network: nn.Network) -> nn.Network:
        """Change the network's last layer such that its outputs are in the units that all share; returns the network.

        Where only the scale differs, outputs are exponentials of the last layer, and its biases become larger.
        """
        if self.scaler is not None:
            scale, center = np.array(self.scaler.scale), np.array(self.scaler.center)
            if self.scaler.kind == "mean":
                scale, center = np.ones_like(scale), np.log(scale)
            rescale_outputs(network, scale, center)
        return network


def fit_member_units(targets: Array, kind: str, weights: Array | None, *, robust: bool) -> MemberUnits:
    """Units that are learned from the targets [n, k] of training rows; `kind` and `robust` as in `fit_target_scaler`.

    Targets that are logarithms already have the kind "linear".
    """
    kind = "mean" if kind == "mean" else "linear"
    return MemberUnits(fit_target_scaler(targets.astype(np.float64), kind, weights, robust=robust))
