"""What contributions add up to: a prediction as a function of the outputs of all networks, and its derivative.

Takes raw outputs of the networks of an ensemble, [n_networks, n_rows, n_outputs]. Returns values [n_rows, n_quantities]
and cotangents of the raw outputs. Never runs a network.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax, logsumexp

from rosenblatt.estimators.tabular.explain.ordered_odds import MeanLogOdds
from rosenblatt.estimators.tabular.explain.output_names import output_names, predictions_in_words
from rosenblatt.estimators.tabular.predictions import predictions_of
from rosenblatt.estimators.tabular.target_scaling import TargetScaler
from rosenblatt.tables.encoders import Prepared

__all__ = ["LogOdds", "Quantity", "Units", "quantity_of"]

Array = NDArray[Any]


class Quantity(Protocol):
    """An explained quantity, in words, and the scales in which its values count alike."""

    @property
    def what(self) -> str:
        """The quantity in words."""

    @property
    def outputs(self) -> tuple[str, ...]:
        """Each of its values in words."""

    @property
    def scales(self) -> Array:
        """A scale for each of its values."""

    @property
    def classes(self) -> Array:
        """The number of the class that each row's value is of, if there is one."""

    def values(self, raw: Array, rows: Array) -> Array:
        """The values [m, n_quantities] for raw outputs [n_networks, m, n_outputs] of evaluations of these rows."""

    def cotangents(self, raw: Array, rows: Array) -> list[Array]:
        """For each quantity its derivative by the raw outputs, in their shape."""


@dataclass(frozen=True)
class LogOdds:
    """The log odds of one class for each row against all others, by the ensemble's calibrated mean probabilities."""

    chosen: Array  # [n_rows]
    temperature: float
    what: str = "the log odds of the predicted class"
    outputs: tuple[str, ...] = (what,)

    @property
    def scales(self) -> Array:
        """Log odds have a scale of their own."""
        return np.ones(1)

    @property
    def classes(self) -> Array:
        """The chosen ones."""
        return self.chosen

    def values(self, raw: Array, rows: Array) -> Array:
        """See `Quantity`."""
        mean, _ = self._log_probabilities(raw)
        own, others = self._odds(mean, rows)
        return (own - others)[:, None]

    def cotangents(self, raw: Array, rows: Array) -> list[Array]:
        """See `Quantity`: the chain rule through log, mean, softmax and temperature, in logarithms throughout."""
        mean, single = self._log_probabilities(raw)
        _, others = self._odds(mean, rows)
        slopes = -np.exp(mean - others[:, None])
        slopes[np.arange(len(rows)), self.chosen[rows]] = 1.0
        by_network = slopes * np.exp(single - logsumexp(single, axis=0))
        return [(by_network - np.exp(single) * by_network.sum(axis=2, keepdims=True)) / self.temperature]

    def _log_probabilities(self, raw: Array) -> tuple[Array, Array]:
        """Of the ensemble [m, n_classes], and of each network."""
        single = log_softmax(raw / self.temperature, axis=2)
        return np.asarray(logsumexp(single, axis=0) - np.log(len(raw))), np.asarray(single)

    def _odds(self, mean: Array, rows: Array) -> tuple[Array, Array]:
        """The log probabilities of each row's class, and of all others together."""
        at = np.arange(len(rows)), self.chosen[rows]
        rest = mean.copy()
        rest[at] = -np.inf
        return mean[at], np.asarray(logsumexp(rest, axis=1))


@dataclass(frozen=True)
class Units:
    """The predictions of a regression in the target's units, limited to the range of the training targets."""

    scaler: TargetScaler
    n_outputs: int
    what: str = "the prediction"
    outputs: tuple[str, ...] = ("the prediction",)

    @property
    def scales(self) -> Array:
        """The scale of each target, if there are several."""
        if self.n_outputs == 1:
            return np.ones(1)
        return np.broadcast_to(np.array(self.scaler.scale), self.n_outputs)

    @property
    def classes(self) -> Array:
        """None: values are not of a class."""
        return np.empty(0, np.int64)

    def values(self, raw: Array, rows: Array) -> Array:
        """See `Quantity`."""
        return self.scaler.decode(self._outputs(raw).mean(axis=0))

    def cotangents(self, raw: Array, rows: Array) -> list[Array]:
        """See `Quantity`."""
        outputs = self._outputs(raw)
        slopes = self.scaler.decode_slope(outputs.mean(axis=0)) * (outputs if self._is_exp else 1.0) / len(raw)
        return [np.broadcast_to(slopes * one, raw.shape) for one in np.eye(self.n_outputs)]

    @property
    def _is_exp(self) -> bool:
        """Whether the networks end with an exponential."""
        return self.scaler.kind == "mean"

    def _outputs(self, raw: Array) -> Array:
        raw = raw.astype(np.float64)
        return np.exp(raw) if self._is_exp else raw


def quantity_of(model: Any, prepared: Prepared) -> Quantity:
    """What is explained for these rows: log odds, because they do not saturate as probabilities do, or predictions."""
    n_outputs = model.ensemble_.networks[0].graph.n_outputs
    if not hasattr(model, "classes_"):
        words, of = predictions_in_words(model), f" of {model.target_name_}" if model.target_name_ else ""
        names = "" if model.fitted_parameter("quantiles") is None else f" ({', '.join(output_names(model))})"
        return Units(model.target_scaler_, n_outputs, f"the prediction{of}{names}", words)
    if model.fitted_parameter("ordered") is not False:
        return MeanLogOdds(model.ensemble_.temperature)
    probabilities = predictions_of(model, model.ensemble_.predict(prepared)) * model.decision_weights_
    return LogOdds(probabilities.argmax(axis=1), model.ensemble_.temperature)
