"""Losses: functions that append a loss for every row to a program.

A loss is ``loss(b, prediction, target) -> value`` of shape [m] or [m, k], built from the ops of the builder ``b``;
what training minimizes is the (weighted) mean over rows of its sum over each row, and its derivative follows. The
losses here that have a natural output activation (softmax, logistic, exp) take the network's raw outputs. Those with
parameters are frozen dataclasses: ``Huber(delta=2.0)`` can be given, compared, printed and stored.

Goes in: a name, a loss, a state. Comes out: the loss's record, its state. What each computes is in
`rosenblatt.nn.losses.classification` and `rosenblatt.nn.losses.regression`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from numpy.typing import ArrayLike

from rosenblatt.ir.program import Builder
from rosenblatt.ir.types import M, Value
from rosenblatt.nn import _registry
from rosenblatt.nn.activations import OUTPUTS
from rosenblatt.nn.losses import base as loss_base
from rosenblatt.nn.losses.base import Loss, LossFunction, NamedLoss, Targets
from rosenblatt.nn.losses.classification import (
    Focal,
    Hinge,
    LogisticCrossEntropy,
    LogisticFocal,
    MulticlassHinge,
    SoftmaxCrossEntropy,
)
from rosenblatt.nn.losses.regression import (
    AbsoluteError,
    Gamma,
    GaussianNLL,
    Huber,
    Poisson,
    Quantile,
    SquaredError,
    Tweedie,
)

__all__ = [
    "LOSSES",
    "AbsoluteError",
    "Focal",
    "Gamma",
    "GaussianNLL",
    "Hinge",
    "Huber",
    "LogisticCrossEntropy",
    "LogisticFocal",
    "Loss",
    "LossFunction",
    "MulticlassHinge",
    "NamedLoss",
    "Poisson",
    "Quantile",
    "SoftmaxCrossEntropy",
    "SquaredError",
    "Targets",
    "Tweedie",
    "check_target",
    "loss_from_state",
    "loss_name",
    "loss_record",
    "loss_to_state",
    "mean_over_rows",
]

_CLASSES: dict[str, type[NamedLoss]] = {
    cls.name: cls
    for cls in (
        *(SoftmaxCrossEntropy, LogisticCrossEntropy, SquaredError, Poisson, Focal, LogisticFocal, Hinge),
        *(MulticlassHinge, AbsoluteError, Huber, Quantile, Gamma, Tweedie, GaussianNLL),
    )
}

LOSSES: Mapping[str, Loss] = MappingProxyType({name: cls().record for name, cls in _CLASSES.items()})
"""Losses by name, with their default parameters."""


def loss_record(given: str | LossFunction | Loss) -> Loss:
    """The record of a loss: by name, of an instance, or of a user's own function (which sees the activated outputs).

    Raises
    ------
    ValueError
        If it is no known name and no callable.
    """
    if isinstance(given, Loss):
        return given
    if isinstance(given, NamedLoss):
        return given.record
    if instance := _registry.class_hint(given):
        raise ValueError(f"loss is the class {instance[:-2]}; give an instance of it, such as {instance}")
    if callable(given):
        return Loss(given, raw=False, outputs=tuple(OUTPUTS))
    if not isinstance(given, str) or given not in LOSSES:
        raise _registry.unknown_name("loss", given, LOSSES, "a function (b, prediction, target) -> value")
    return LOSSES[given]


def loss_name(given: str | LossFunction | Loss) -> str:
    """A name for summaries and messages: "poisson", "huber(delta=2)"."""
    if isinstance(given, str):
        return given
    function = given.function if isinstance(given, Loss) else given
    if isinstance(function, NamedLoss):
        return _registry.describe(function)
    return getattr(function, "__name__", type(function).__name__)


def check_target(loss: str | LossFunction | Loss, y: ArrayLike) -> None:
    """Refuse targets that a loss cannot take.

    Parameters
    ----------
    loss : str, loss or callable
        Of a user's own function nothing is known, and nothing refused.
    y : array_like of shape (n_rows,) or (n_rows, n_targets)
        Class numbers have the shape (n_rows,).

    Raises
    ------
    ValueError
        For targets of another shape or type, and for numbers that are out of range; it names the first row at fault.

    Examples
    --------
    >>> check_target("gamma", [2.0, 0.5, 1.0, -1.0])
    Traceback (most recent call last):
    ValueError: loss 'gamma' needs targets > 0, but the smallest is -1 (row 3)
    """
    record = loss_record(loss)
    if isinstance(record.function, NamedLoss):
        loss_base.check(record.function.name, record, y)


def loss_to_state(loss: str | LossFunction | Loss) -> dict[str, Any]:
    """Name and parameters of a loss, ready for JSON.

    Raises
    ------
    ValueError
        If it is a function of the user's own: files hold no code.
    """
    function = loss_record(loss).function
    if type(function) not in _CLASSES.values():
        raise _registry.not_storable(function)
    return _registry.to_state(function)


def loss_from_state(state: Any) -> NamedLoss:
    """The loss that `loss_to_state` was given.

    Raises
    ------
    ValueError
        If the state has another form or names something unknown.
    """
    restored: NamedLoss = _registry.from_state("a loss", state, _CLASSES)
    return restored


def mean_over_rows(b: Builder, per_row: Value, sample_weight: Value | None, inverse_weight: Value) -> Value:
    """Sum of `per_row` ([m] or [m, k]), weighted by row, times `inverse_weight`: the batch's (weighted) mean."""
    if per_row.shape not in ((M,), (M, *per_row.shape[1:2])):
        raise ValueError(f"a loss must give a value of shape [m] or [m, k], one for each row; it gave {per_row.type}")
    if sample_weight is not None:
        if len(per_row.shape) == 2:
            sample_weight = b.reshape(sample_weight, shape=(M, 1))
        per_row = b.mul(per_row, sample_weight)
    return b.mul(b.sum(per_row), inverse_weight)
