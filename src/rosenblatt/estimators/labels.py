"""Class labels in their own type, before NumPy and scikit-learn convert them.

Takes y as a user gives it. Returns an array whose labels are the same, or y itself; never one in which different labels
are equal.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import numpy as np
from sklearn.utils.validation import _num_samples

from rosenblatt._checks import check_weights
from rosenblatt._suggestions import suggest_in_methods

__all__ = ["LabelScores", "plain_labels", "refuse_missing", "weights_of_score"]

MIN_SIGNED, MAX_SIGNED, MAX_UNSIGNED = -(2**63), 2**63 - 1, 2**64 - 1


def plain_labels(y: Any, name: str = "y") -> Any:
    """Nullable integers and booleans, integers of Python and dates as arrays of their own type; all else as it is.

    A `ValueError` refuses integers that no type of 64 bits holds, and decimal numbers: scikit-learn knows neither.
    """
    nullable = getattr(getattr(y, "dtype", None), "numpy_dtype", None)  # pandas' Int64 and boolean become floats
    if isinstance(nullable, np.dtype) and hasattr(y, "isna") and getattr(y, "ndim", 1) == 1:
        refuse_missing(y, name)
        return y.to_numpy(dtype=nullable)
    if getattr(getattr(y, "dtype", None), "tz", None) is not None and hasattr(y, "dt"):  # NumPy has no zones
        return y.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()
    if getattr(getattr(y, "dtype", None), "kind", "") == "O" or isinstance(y, (list, tuple)):
        labels = list(y)
        refuse_missing(labels, name)
        if labels and all(isinstance(label, bool) for label in labels):
            return np.array(labels, dtype=np.bool_)
        if labels and all(isinstance(label, (int, np.integer)) for label in labels):
            return integer_labels(labels, name)
        if labels and all(isinstance(label, date) for label in labels):
            is_time = any(isinstance(label, datetime) for label in labels)
            return y if is_time else np.array(labels, dtype="datetime64[D]")
        wrong = next((i for i, label in enumerate(labels) if type(label).__name__ == "Decimal"), None)
        if wrong is not None:
            raise ValueError(advice(name, "decimal numbers", labels[wrong], wrong))
    return y


def refuse_missing(y: Any, name: str) -> None:
    """Refuse a target of objects that lacks one; the message names the row."""
    for row, labels in enumerate(y):
        for label in labels.ravel() if isinstance(labels, np.ndarray) else [labels]:
            no_value = label is None or type(label).__name__ in ("NAType", "NaTType")
            if no_value or (isinstance(label, (float, np.generic)) and label != label):
                raise ValueError(f"{name} has no value in row {row} (from 0); give it one or leave that row out")


@suggest_in_methods
class LabelScores:
    """The score of a classifier, for labels of all types that it learns."""

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The accuracy of the predictions for X, whose labels are y; rows count as `sample_weight` says."""
        y = plain_labels(y)
        return float(super().score(X, y, weights_of_score(y, sample_weight)))  # type: ignore[misc]


def weights_of_score(y: Any, sample_weight: Any) -> Any:
    """Weights of rows that are scored, checked as those of rows to train on; None without any."""
    return None if sample_weight is None else check_weights(sample_weight, _num_samples(y))


def integer_labels(labels: list[Any], name: str) -> Any:
    """Integers as int64 or, if one is too large for it, as uint64."""
    low, high = int(min(labels)), int(max(labels))
    if low >= MIN_SIGNED and high <= MAX_SIGNED:
        return np.array(labels, dtype=np.int64)
    if low >= 0 and high <= MAX_UNSIGNED:
        return np.array(labels, dtype=np.uint64)
    large = next(i for i, label in enumerate(labels) if not MIN_SIGNED <= int(label) <= MAX_SIGNED)
    raise ValueError(advice(name, "integers that do not all fit 64 bits", labels[large], large))


def advice(name: str, what: str, label: Any, row: int) -> str:
    """The refusal of labels."""
    how = f"{name} = list(map(str, {name}))"
    return f"{name} has {what}, such as {label!r} in row {row} (from 0). Give such labels as texts: {how}."
