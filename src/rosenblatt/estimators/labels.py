"""Class labels in their own type, before NumPy and scikit-learn convert them.

Takes y as a user gives it. Returns an array whose labels are the same, or y itself; never one in which different labels
are equal.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import _num_samples

from rosenblatt._checks import check_weights
from rosenblatt._suggestions import suggest_in_methods

__all__ = ["LabelScores", "kept_targets", "missing_rows", "plain_labels", "refuse_missing", "weights_of_score"]

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
            if lacks_value(label):
                raise ValueError(f"{name} has no value in row {row} (from 0); give it one or leave that row out")


def lacks_value(label: Any) -> bool:
    """Whether an object stands for no label: None, NaN, or what pandas has for a missing value."""
    no_value = label is None or type(label).__name__ in ("NAType", "NaTType")
    return no_value or (isinstance(label, (float, np.generic)) and bool(label != label))


def missing_rows(y: Any) -> npt.NDArray[np.bool_]:
    """True for each row of y, of one target or several, in which a target has no value."""
    missing: Any
    if hasattr(y, "isna"):
        missing = np.asarray(y.isna())
    else:
        values = np.array(y, dtype=object) if isinstance(y, (list, tuple)) else np.asarray(y)
        if values.dtype.kind in "fM":
            missing = np.isnan(values) if values.dtype.kind == "f" else np.isnat(values)
        elif values.dtype.kind == "O" and values.size:
            missing = np.vectorize(lacks_value, otypes=[np.bool_])(values)
        else:
            missing = np.zeros(values.shape, np.bool_)
    return np.asarray(missing.reshape(len(missing), -1).any(axis=1) if missing.ndim else missing)


def kept_targets(y: Any, drop: bool, n_rows: int) -> tuple[Any, npt.NDArray[np.int64] | None]:
    """The target without rows that lack it, in its own type, and the numbers of the rows that are kept.

    These are None where no row lacks the target. Without `drop` such rows are refused: a `ValueError` says how many
    there are, and which is the first.
    """
    missing = missing_rows(y)
    if missing.shape != (n_rows,) or not missing.any():  # another check refuses a wrong length
        return y, None
    rows, kept = np.flatnonzero(missing), np.flatnonzero(~missing)
    if drop and not len(kept):
        raise ValueError("y has no value in any row: there is nothing to learn.")
    if not drop:
        raise ValueError(
            f"y contains NaN, or no value, in {len(rows):,} of {n_rows:,} rows, the first of which is row {rows[0]} "
            "(from 0). Fill it in, remove the rows, or say drop_missing_target=True, which leaves them out."
        )
    if hasattr(y, "iloc"):
        return y.iloc[kept], kept
    return ([y[row] for row in kept] if isinstance(y, (list, tuple)) else np.asarray(y)[kept]), kept


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
