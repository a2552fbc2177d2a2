"""From the outputs of a network to labels, probabilities and numbers.

Takes the outputs of one of the network estimators, and what it learned. Returns predictions. Never imports
scikit-learn, which predicting does not need.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from rosenblatt.nn.losses import GaussianNLL

__all__ = [
    *("are_positive", "are_probabilities", "flat", "labels_of", "learns_variance", "picks_one", "probabilities_of"),
    "values_of",
]

Array = npt.NDArray[Any]


def probabilities_of(outputs: Array) -> Array:
    """A column for each class; a single column of outputs holds the probabilities of the second of two classes."""
    return outputs if outputs.shape[1] > 1 else np.hstack([1 - outputs, outputs])


def are_probabilities(loss: Any, output_activation: Any) -> bool:
    """Whether a classifier with these parameters gives probabilities."""
    return loss != "hinge" and output_activation in (None, "logistic", "softmax")


def picks_one(activation: str, n_classes: int, multilabel: bool) -> bool:
    """Whether the largest output is the label."""
    return activation == "softmax" or (n_classes > 2 and not multilabel)


def are_positive(outputs: Array, activation: str) -> Array:
    """Which outputs predict their label."""
    return outputs > (0.5 if activation in ("logistic", "softmax", "step") else 0.0)


def labels_of(outputs: Array, classes: Array, activation: str, multilabel: bool, sparse: bool = False) -> Any:
    """The label of each row, (n_rows,); where a row may have several labels, zeros and ones, (n_rows, n_labels).

    These are in a CSR matrix if the model learned from a `sparse` one.
    """
    if picks_one(activation, len(classes), multilabel):
        return np.asarray(classes[outputs.argmax(axis=1)])
    positive = are_positive(outputs, activation)
    if multilabel:
        if not sparse:
            return positive.astype(np.int64)
        from scipy.sparse import csr_matrix  # takes longer to import than all of the engine

        return csr_matrix(positive.astype(np.int64))
    if len(classes) == 1:
        return np.repeat(classes, len(outputs))
    return np.asarray(classes[positive.ravel().astype(np.intp)])


def learns_variance(loss: Any) -> bool:
    """Whether the second half of the outputs are logarithms of variances."""
    return isinstance(loss, GaussianNLL) or (isinstance(loss, str) and loss == "gaussian_nll")


def values_of(outputs: Array, loss: Any, target_transform: str | None, smearing_factor: Array | None) -> Array:
    """The numbers that are predicted, (n_rows,) or (n_rows, n_outputs); the factor is that of a learned logarithm."""
    if learns_variance(loss):
        outputs = outputs[:, : outputs.shape[1] // 2]
    if target_transform == "log":
        outputs = (np.exp(outputs) * smearing_factor).astype(outputs.dtype)
    return flat(outputs)


def flat(outputs: Array) -> Array:
    """The outputs, with a single column as a vector."""
    return outputs.ravel() if outputs.shape[1] == 1 else outputs
