"""Between the units of a regression's targets and what its networks learn.

Takes training targets. Returns a `TargetScaler`: plain numbers that turn targets into float32 with mean 0 and deviation
1, and outputs back. Never learns from inputs; what out-of-fold predictions tell is put in by `with_smearing` and
`with_conformal_offsets`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["TargetScaler", "conformal_quantile", "fit_target_scaler"]

Array = NDArray[Any]
KINDS = ("linear", "log", "mean")


@dataclass(frozen=True)
class TargetScaler:
    """How targets are scaled.

    Attributes
    ----------
    kind : {"linear", "log", "mean"}
        (y - center) / scale; the same of log(y + offset); y / scale.
    center, scale, lowest, highest : tuple of float, one for each target
        Predictions lie between the lowest and the highest training target.
    offset : float
        Added to targets before the logarithm.
    factor : float
        By which exp(mean of the logarithm) is multiplied to give the mean (Duan 1983, "Smearing estimate").
    shifts : tuple of float
        Added to each output; empty: none.
    """

    kind: str
    center: tuple[float, ...]
    scale: tuple[float, ...]
    lowest: tuple[float, ...]
    highest: tuple[float, ...]
    offset: float = 0.0
    factor: float = 1.0
    shifts: tuple[float, ...] = ()

    def encode(self, targets: Array) -> NDArray[np.float32]:
        """Targets [n, k] as networks learn them."""
        values = np.log(targets + self.offset) if self.kind == "log" else targets
        return ((values - self.center) / self.scale).astype(np.float32)

    def decode(self, outputs: Array) -> NDArray[np.float64]:
        """Outputs [n, k] of networks in the units of the targets, within their range."""
        values = np.asarray(outputs, np.float64) + (self.shifts or 0.0)
        values = values * self.scale + self.center
        if self.kind == "log":
            values = np.exp(np.minimum(values, math.log(self.highest[0] + self.offset) + 1.0))
            values = values * self.factor - self.offset
        return np.asarray(np.clip(values, self.lowest, self.highest))

    def with_smearing(self, targets: Array, outputs: Array, weights: Array | None = None) -> TargetScaler:
        """With the factor by which predictions have the mean that the targets have; only logarithms need it."""
        if self.kind != "log":
            return self
        medians = np.exp(np.asarray(outputs, np.float64) * self.scale + self.center)
        ratio = np.average(targets + self.offset, weights=weights) / np.average(medians, weights=weights)
        return replace(self, factor=float(ratio) if math.isfinite(ratio) else 1.0)

    def with_conformal_offsets(self, targets: Array, outputs: Array, quantiles: tuple[float, ...]) -> TargetScaler:
        """With shifts by which each output is exceeded as often as its quantile says (Romano et al. 2019)."""
        residuals = self.encode(targets).astype(np.float64) - outputs
        found = (conformal_quantile(column, q) for column, q in zip(residuals.T, quantiles, strict=True))
        return replace(self, shifts=tuple(found))

    @classmethod
    def from_dict(cls, entry: Any) -> TargetScaler:
        """What ``dataclasses.asdict`` gave.

        Raises
        ------
        ValueError
            If the entry is not of that form.
        """
        if not isinstance(entry, dict) or set(entry) != {field.name for field in fields(cls)}:
            raise ValueError("the units of the targets are not of the known form")
        given: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()
        }
        numbers = [given["offset"], given["factor"]]
        for name in ("center", "scale", "lowest", "highest", "shifts"):
            if not isinstance(given[name], tuple):
                raise ValueError(f"the units have no valid {name}")
            numbers += given[name]
        if not all(type(x) is float and math.isfinite(x) for x in numbers) or given["kind"] not in KINDS:
            raise ValueError("the units of the targets do not hold finite numbers")
        widths = {len(given[name]) for name in ("center", "scale", "lowest", "highest")}
        if len(widths) != 1 or not all(x > 0 for x in given["scale"]) or (given["kind"] == "log" and widths != {1}):
            raise ValueError("the units of the targets do not fit together")
        return cls(**given)


def fit_target_scaler(targets: Array, kind: str = "linear") -> TargetScaler:
    """Centers and scales of targets [n, k].

    Parameters
    ----------
    kind : {"linear", "log", "mean"}
        "log" takes one target that is nowhere negative; zeros are counted as half of the smallest positive value.
    """
    lowest, highest = targets.min(axis=0), targets.max(axis=0)
    offset = 0.0
    values = targets
    if kind == "log":
        offset = float(targets[targets > 0].min()) / 2 if lowest.min() == 0 else 0.0
        values = np.log(targets + offset)
    center, spread = values.mean(axis=0), values.std(axis=0)
    if kind == "mean":
        center, spread = np.zeros_like(center), values.mean(axis=0)
    scale = np.where(spread > 0, spread, 1.0)
    edges = [tuple(float(x) for x in part) for part in (center, scale, lowest, highest)]
    return TargetScaler(kind, edges[0], edges[1], edges[2], edges[3], offset)


def conformal_quantile(residuals: Array, q: float) -> float:
    """The quantile that a further residual does not exceed with probability of at least q (of at most q for q < 1/2).

    The ceil((n + 1) q)-th smallest of n residuals, and mirrored for small q (Vovk et al. 2005).
    """
    n = len(residuals)
    if q < 0.5:
        return -conformal_quantile(-residuals, 1 - q)
    place = min(n, math.ceil((n + 1) * q - 1e-9)) - 1
    return float(np.partition(residuals, place)[place])
