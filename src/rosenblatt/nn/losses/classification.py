"""Losses of classifiers.

Takes raw outputs, class numbers or targets of 0 and 1. Returns a loss for each row, [m], or for each output,
[m, k]. Finite for logits up to 1e4 in magnitude, and so are the gradients. At the kink of a hinge the derivative is 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rosenblatt._checks import check_fields, check_number
from rosenblatt.ir.program import Builder
from rosenblatt.ir.types import Value
from rosenblatt.nn.losses.base import CLASSES, ZERO_OR_ONE, NamedLoss, Targets

__all__ = ["Focal", "Hinge", "LogisticCrossEntropy", "LogisticFocal", "MulticlassHinge", "SoftmaxCrossEntropy"]


def _clip(b: Builder) -> float:
    """Where probabilities are clipped in reported losses: the machine epsilon, as scikit-learn does."""
    return float(np.finfo(b.dtype).eps)


class _OfClasses(NamedLoss):
    """A loss of one class number per row."""

    labels: ClassVar[bool] = True
    outputs: ClassVar[tuple[str, ...]] = ("softmax", "identity")
    targets: ClassVar[Targets] = CLASSES


@dataclass(frozen=True)
class SoftmaxCrossEntropy(_OfClasses):
    """-log softmax(logits)[label], shape [m].

    Parameters
    ----------
    label_smoothing : float
        ε in [0, 1): the target is 1 - ε for the right class, plus ε / k for each of the k (Szegedy et al., 2016), as
        in PyTorch's CrossEntropyLoss.
    """

    name: ClassVar[str] = "softmax_cross_entropy"
    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        _check_smoothing(self.name, self.label_smoothing)

    def __call__(self, b: Builder, prediction: Value, target: Value) -> Value:
        """Append it."""
        if not self.label_smoothing:
            return b.softmax_cross_entropy(prediction, target, clip=_clip(b))
        n = prediction.shape[1]
        right = b.mul(b.one_hot(target, n=n), 1 - self.label_smoothing)
        return b.softmax_cross_entropy_soft(prediction, b.add(right, self.label_smoothing / n))


@dataclass(frozen=True)
class LogisticCrossEntropy(NamedLoss):
    """-t log p - (1 - t) log(1 - p) with p = logistic(logits), shape [m, k].

    Parameters
    ----------
    label_smoothing : float
        ε in [0, 1): the target t becomes t (1 - ε) + ε / 2.
    """

    name: ClassVar[str] = "logistic_cross_entropy"
    outputs: ClassVar[tuple[str, ...]] = ("logistic", "identity")
    targets: ClassVar[Targets] = Targets(0.0, 1.0)
    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        _check_smoothing(self.name, self.label_smoothing)

    def __call__(self, b: Builder, prediction: Value, target: Value) -> Value:
        """Append it."""
        if not self.label_smoothing:
            return b.logistic_cross_entropy(prediction, target, clip=_clip(b))
        smooth = b.add(b.mul(target, 1 - self.label_smoothing), self.label_smoothing / 2)
        return b.logistic_cross_entropy(prediction, smooth)


def _check_smoothing(name: str, smoothing: float) -> None:
    check_number("label_smoothing", smoothing, 0, 1, below=True, where=name)


@dataclass(frozen=True)
class Focal(_OfClasses):
    """-(1 - p)^gamma log p with p = softmax(logits)[label], shape [m] (Lin et al., 2017).

    Rows that are right with certainty count less than in the cross-entropy; gamma = 0 is the cross-entropy.

    Parameters
    ----------
    gamma : float
        0 or more.
    """

    name: ClassVar[str] = "focal"
    gamma: float = 2.0

    def __post_init__(self) -> None:
        check_fields(self, "gamma", low=0)

    def __call__(self, b: Builder, prediction: Value, target: Value) -> Value:
        """Append it."""
        return _focused(b, b.softmax_cross_entropy(prediction, target), self.gamma)


@dataclass(frozen=True)
class LogisticFocal(NamedLoss):
    """`Focal` for targets 0 and 1, with p = logistic(logits) or 1 - that, shape [m, k].

    Parameters
    ----------
    gamma : float
        0 or more.
    """

    name: ClassVar[str] = "logistic_focal"
    outputs: ClassVar[tuple[str, ...]] = ("logistic", "identity")
    targets: ClassVar[Targets] = ZERO_OR_ONE
    gamma: float = 2.0

    def __post_init__(self) -> None:
        check_fields(self, "gamma", low=0)

    def __call__(self, b: Builder, prediction: Value, target: Value) -> Value:
        """Append it."""
        return _focused(b, b.logistic_cross_entropy(prediction, target), self.gamma)


def _focused(b: Builder, cross_entropy: Value, gamma: float) -> Value:
    """(1 - p)^gamma times the cross-entropy -log p."""
    if gamma == 0:
        return cross_entropy
    wrong = b.neg(b.expm1(b.neg(cross_entropy)))  # 1 - p, with all its digits
    if gamma == 2:
        factor = b.square(wrong)
    else:
        # The derivative of a power below 1 is infinite at 0, and would meet a factor 0.
        factor = wrong if gamma == 1 else b.power(b.add(wrong, float(np.finfo(b.dtype).tiny)), gamma)
    return b.mul(factor, cross_entropy)


@dataclass(frozen=True)
class Hinge(NamedLoss):
    """max(0, 1 - (2t - 1) z) of a score z and a target t of 0 or 1, shape [m, k]."""

    name: ClassVar[str] = "hinge"
    outputs: ClassVar[tuple[str, ...]] = ("identity", "step")
    targets: ClassVar[Targets] = ZERO_OR_ONE

    def __call__(self, b: Builder, prediction: Value, target: Value) -> Value:
        """Append it."""
        sign = b.sub(b.mul(target, 2.0), 1.0)
        return b.relu(b.sub(1.0, b.mul(sign, prediction)))


@dataclass(frozen=True)
class MulticlassHinge(_OfClasses):
    """Mean over the k classes of max(0, 1 - z[label] + z), the label left out; shape [m].

    Weston and Watkins (1999), PyTorch's MultiMarginLoss: the sum over wrong classes is divided by k, not by k - 1.
    """

    name: ClassVar[str] = "multiclass_hinge"
    outputs: ClassVar[tuple[str, ...]] = ("identity",)

    def __call__(self, b: Builder, prediction: Value, target: Value) -> Value:
        """Append it."""
        n = prediction.shape[1]
        right = b.one_hot(target, n=n)
        score = b.sum(b.mul(right, prediction), axis=1, keepdims=1)
        short = b.relu(b.add(b.sub(prediction, score), b.sub(1.0, right)))  # of the right class relu(0)
        return b.mul(b.sum(short, axis=1), 1 / n)
