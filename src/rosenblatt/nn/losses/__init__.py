"""Losses: functions that append a loss for every row to a program.

A loss is ``loss(b, prediction, target) -> value`` of shape [m] or [m, k], built from the ops of the builder ``b``;
what training minimizes is the (weighted) mean over rows of its sum over each row, and its derivative follows. The
losses here that have a natural output activation (softmax, logistic, exp) take the network's raw outputs. Those with
parameters are frozen dataclasses: ``Huber(delta=2.0)`` can be given, compared, printed and stored.

What each computes is in `rosenblatt.nn.losses.classification` and `rosenblatt.nn.losses.regression`.
"""

import numpy as np
from numpy.typing import ArrayLike

from rosenblatt.nn.activations import OUTPUTS
from rosenblatt.nn.losses import base, classification, regression
from rosenblatt.nn.losses.base import *
from rosenblatt.nn.losses.classification import *
from rosenblatt.nn.losses.regression import *
from rosenblatt.nn.registry import Registry, members_of

LOSSES: Registry[LossFunction] = Registry(
    "loss",
    members_of(NamedLoss, classification, regression),
    "a function (b, prediction, target) -> value",
    lambda given: given if callable(given) else None,
)
"""Losses by name."""

__all__ = ["LOSSES", "check_target", "loss_record"]
__all__ += base.__all__
__all__ += classification.__all__
__all__ += regression.__all__


def loss_record(given: str | LossFunction | Loss) -> Loss:
    """The record of a loss: of a name, an instance, or a user's own function (which sees the activated outputs).

    Parameters
    ----------
    given : str, loss or callable
        A name in `LOSSES`, an instance, or a function ``(b, prediction, target) -> value``.

    Returns
    -------
    Loss
        What training needs to know of it.

    Raises
    ------
    ValueError
        If it is neither a known name nor callable.
    """
    if isinstance(given, Loss):
        return given
    loss = LOSSES.resolve(given)
    return loss.record if isinstance(loss, NamedLoss) else Loss(loss, raw=False, outputs=tuple(OUTPUTS))


def check_target(loss: str | LossFunction | Loss, y: ArrayLike) -> None:
    """Refuse targets that a loss cannot take.

    Parameters
    ----------
    loss : str, loss or callable
        A user's own function takes any targets.
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
    record, array = loss_record(loss), np.asarray(y)
    if not isinstance(record.function, NamedLoss):
        return
    name = record.function.name
    if array.dtype.kind not in "fiub":
        raise ValueError(f"loss {name!r} needs {record.targets}, but the targets have the type {array.dtype}")
    if array.ndim not in ((1,) if record.labels else (1, 2)):
        allowed = "(n_rows,)" if record.labels else "(n_rows,) or (n_rows, n_targets)"
        raise ValueError(f"loss {name!r} needs targets of shape {allowed}, but they have the shape {array.shape}")
    if problem := record.targets.problem(array):
        raise ValueError(f"loss {name!r} needs {record.targets}, but {problem}")
