"""From the units of a regression's targets to what its networks learn, and back.

Takes training targets. Returns a `TargetScaler`, whose numbers turn targets into float32 with mean 0 and standard
deviation 1, and outputs back. Never learns from inputs: `with_smearing` and `with_conformal_offsets` are given
out-of-fold predictions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.metrics import quantiles_of

__all__ = ["TargetScaler", "conformal_quantile", "fit_target_scaler"]

Array = NDArray[Any]
KINDS = ("linear", "log", "mean")
SPANS = ((0.25, 1.349), (0.1, 2.563), (0.05, 3.290), (0.01, 4.653))
"""How far the quantiles q and 1 - q of a normal distribution are apart, in standard deviations."""
FARTHEST = 1e4
"""Spreads of the farthest target that is learned. Only robust scaling gets there: each of n numbers is at most the root
of n standard deviations from their mean."""


@dataclass(frozen=True)
class TargetScaler:
    """How targets are scaled; the tuples have a number for each target (`shifts`: for each output, or none)."""

    kind: str  # "linear": (y - center) / scale; "log": the same for log(y + offset); "mean": y / scale
    center: tuple[float, ...]
    scale: tuple[float, ...]
    lowest: tuple[float, ...]  # training target; predictions are clipped to this range
    highest: tuple[float, ...]
    offset: float = 0.0
    factor: float = 1.0  # turns exp(mean of the logarithm) into the mean (Duan 1983, "Smearing estimate")
    shifts: tuple[float, ...] = ()  # added to the outputs

    def encode(self, targets: Array) -> NDArray[np.float32]:
        """Targets [n, k] as networks learn them; robustly scaled ones are limited to `FARTHEST`."""
        values = np.log(targets + self.offset) if self.kind == "log" else targets
        with np.errstate(over="ignore"):
            values = (values - self.center) / self.scale
        return (values if self.kind == "mean" else np.clip(values, -FARTHEST, FARTHEST)).astype(np.float32)

    def decode(self, outputs: Array) -> NDArray[np.float64]:
        """The networks' outputs [n, k] in the units of the targets, clipped to their range."""
        return np.asarray(np.clip(self._unlimited(outputs), self.lowest, self.highest))

    def decode_slope(self, outputs: Array) -> NDArray[np.float64]:
        """The derivative of `decode` by the outputs [n, k]: 0 beyond the range of the training targets."""
        values = self._unlimited(outputs)
        slopes = np.broadcast_to(np.array(self.scale), values.shape)
        if self.kind == "log":
            slopes = slopes * (values + self.offset)
        return np.where((values < self.lowest) | (values > self.highest), 0.0, slopes)

    def _unlimited(self, outputs: Array) -> NDArray[np.float64]:
        """The outputs [n, k] in the units of the targets."""
        values = np.asarray(outputs, np.float64) + (self.shifts or 0.0)
        values = values * self.scale + self.center
        if self.kind == "log":
            values = np.exp(np.minimum(values, math.log(self.highest[0] + self.offset) + 1.0))
            values = values * self.factor - self.offset
        return np.asarray(values)

    def with_smearing(self, targets: Array, outputs: Array, weights: Array | None = None) -> TargetScaler:
        """The scaler with the factor that gives predictions the mean of the targets; only logarithms need it."""
        if self.kind != "log":
            return self
        medians = np.exp(np.asarray(outputs, np.float64) * self.scale + self.center)
        means = [np.average(values.ravel(), weights=weights) for values in (targets + self.offset, medians)]
        ratio = means[0] / means[1]
        return replace(self, factor=float(ratio) if math.isfinite(ratio) else 1.0)

    def with_conformal_offsets(
        self, targets: Array, outputs: Array, quantiles: tuple[float, ...], weights: Array | None = None
    ) -> TargetScaler:
        """The scaler with shifts after which each output is exceeded as often as its quantile says (Romano 2019)."""
        residuals = self.encode(targets).astype(np.float64) - outputs
        found = (conformal_quantile(column, q, weights) for column, q in zip(residuals.T, quantiles, strict=True))
        return replace(self, shifts=tuple(found))

    @classmethod
    def from_dict(cls, entry: Any) -> TargetScaler:
        """The scaler that ``dataclasses.asdict`` turned into `entry`; raises a `ValueError` for anything else."""
        if not isinstance(entry, dict) or set(entry) != {field.name for field in fields(cls)}:
            raise ValueError("the units of the targets are not of the known form")
        given: dict[str, Any] = {key: tuple(x) if isinstance(x, list) else x for key, x in entry.items()}
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


def fit_target_scaler(
    targets: Array, kind: str = "linear", weights: Array | None = None, *, robust: bool = False
) -> TargetScaler:
    """A scaler of this kind for targets [n, k]; `robust` takes median and quantiles for mean and standard deviation.

    "log" takes one target that is never negative. If zeros occur, half of the smallest positive value is added. Rows of
    weight 0 count for nothing.
    """
    values, offset = targets, 0.0
    if kind == "log":
        offset = float(targets[targets > 0].min()) / 2 if targets.min() == 0 else 0.0
        values = np.log(targets + offset)
    if weights is not None:
        kept = weights > 0
        targets, values, weights = targets[kept], values[kept], weights[kept]
    if robust:
        center, spread = robust_units(values, weights)
    elif weights is None:
        center, spread = values.mean(axis=0), values.std(axis=0)
    else:
        center = np.average(values, axis=0, weights=weights)
        spread = np.sqrt(np.average((values - center) ** 2, axis=0, weights=weights))
    if kind == "mean":
        center, spread = np.zeros_like(center), center
    scale = np.where(spread > 0, spread, 1.0)
    lowest, highest = targets.min(axis=0), targets.max(axis=0)
    edges = [tuple(float(x) for x in part) for part in (center, scale, lowest, highest)]
    return TargetScaler(kind, edges[0], edges[1], edges[2], edges[3], offset)


def robust_units(values: Array, weights: Array | None) -> tuple[Array, Array]:
    """Medians and spreads of columns: of the central half, of more where it is constant, at last of all."""
    center = np.concatenate([quantiles_of(column, (0.5,), weights) for column in values.T])
    spread = np.zeros(len(center))
    for tail, width in SPANS:
        ends = np.array([quantiles_of(column, (tail, 1 - tail), weights) for column in values.T])
        spread = np.where(spread > 0, spread, (ends[:, 1] - ends[:, 0]) / width)
    return center, np.where(spread > 0, spread, values.std(axis=0))


def conformal_quantile(residuals: Array, q: float, weights: Array | None = None) -> float:
    """The quantile that a new residual does not exceed with probability of at least q (of at most q for q < 1/2).

    It is the ceil((n + 1) q)-th smallest of n residuals, mirrored for q < 1/2 (Vovk et al. 2005). With weights, it is
    the smallest that a share q of all weight does not exceed, where the new row has the mean weight (Tibshirani et al.
    2019, arXiv:1904.06019).
    """
    if q < 0.5:
        return -conformal_quantile(-residuals, 1 - q, weights)
    if weights is not None:
        residuals, weights = residuals[weights > 0], weights[weights > 0]
    n = len(residuals)
    if weights is None:
        place = min(n, math.ceil((n + 1) * q - 1e-9)) - 1
        return float(np.partition(residuals, place)[place])
    order = np.argsort(residuals, kind="stable")
    reached = np.cumsum(weights[order], dtype=np.float64)
    wanted = q * (reached[-1] + reached[-1] / n) * (1 - 1e-12)
    return float(residuals[order[min(n - 1, int(np.searchsorted(reached, wanted)))]])
