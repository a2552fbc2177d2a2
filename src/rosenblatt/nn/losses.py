"""Losses: functions that append a loss for every row to a program.

A loss is ``loss(b, prediction, target) -> value`` of shape [m] or [m, k], built from the ops of the builder ``b``;
what training minimizes is the (weighted) mean over rows of its sum over each row, and its derivative follows. The
losses here that have a natural output activation (softmax, logistic, exp) take the network's raw outputs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from rosenblatt.ir.program import Builder, M, Value

__all__ = ["LOSSES", "Loss", "LossFunction", "loss_record"]

LossFunction = Callable[[Builder, Value, Value], Value]


@dataclass(frozen=True)
class Loss:
    """A loss with what training needs to know about it.

    Attributes
    ----------
    function : callable
        ``function(b, prediction, target)``, see the module.
    labels : bool
        Targets are class numbers, int32[m]; otherwise floats, [m, k].
    raw : bool
        Takes the outputs before the output activation.
    mean_of_outputs : bool
        The reported value is divided by the number of outputs; the gradient is not (scikit-learn's squared error).
    """

    function: LossFunction
    labels: bool = False
    raw: bool = True
    mean_of_outputs: bool = False


def _clip(b: Builder) -> float:
    """Where probabilities are clipped in reported losses: the machine epsilon, as scikit-learn does."""
    return float(np.finfo(b.dtype).eps)


def softmax_cross_entropy(b: Builder, logits: Value, labels: Value) -> Value:
    """-log softmax(logits)[label], shape [m]."""
    return b.softmax_cross_entropy(logits, labels, clip=_clip(b))


def logistic_cross_entropy(b: Builder, logits: Value, target: Value) -> Value:
    """-t log p - (1 - t) log(1 - p) with p = logistic(logits), shape [m, k]."""
    return b.logistic_cross_entropy(logits, target, clip=_clip(b))


def squared_error(b: Builder, prediction: Value, target: Value) -> Value:
    """Half the squared difference, shape [m, k]."""
    return b.mul(b.squared_error(prediction, target), 0.5)


def poisson(b: Builder, log_mean: Value, target: Value) -> Value:
    """Half the Poisson deviance, t log(t / p) - t + p with p = exp(log_mean), shape [m, k]."""
    return b.poisson_loss(log_mean, target)


LOSSES = MappingProxyType(
    {
        "softmax_cross_entropy": Loss(softmax_cross_entropy, labels=True),
        "logistic_cross_entropy": Loss(logistic_cross_entropy),
        "squared_error": Loss(squared_error, mean_of_outputs=True),
        "poisson": Loss(poisson),
    }
)


def loss_record(given: str | LossFunction | Loss) -> Loss:
    """The record of a loss: by name, as it is, or of a user's own function (which sees the activated outputs).

    Raises
    ------
    ValueError
        If it is no known name and no callable.
    """
    if isinstance(given, Loss):
        return given
    if callable(given):
        return Loss(given, raw=False)
    if given not in LOSSES:
        raise ValueError(
            f"loss is {given!r}; allowed: {', '.join(LOSSES)}, or a function (b, prediction, target) -> value"
        )
    return LOSSES[given]


def mean_over_rows(b: Builder, per_row: Value, sample_weight: Value | None, inverse_weight: Value) -> Value:
    """Sum of `per_row` ([m] or [m, k]), weighted by row, times `inverse_weight`: the batch's (weighted) mean."""
    if per_row.shape not in ((M,), (M, *per_row.shape[1:2])):
        raise ValueError(f"a loss must give a value of shape [m] or [m, k], one for each row; it gave {per_row.type}")
    if sample_weight is not None:
        if len(per_row.shape) == 2:
            sample_weight = b.reshape(sample_weight, shape=(M, 1))
        per_row = b.mul(per_row, sample_weight)
    return b.mul(b.sum(per_row), inverse_weight)
