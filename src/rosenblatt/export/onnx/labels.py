"""Classes as tensors.

Takes the classes of an estimator. Returns an array of a type that ONNX has. Never changes what two labels have in
common: different labels stay different.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.export.onnx.graph import require_unicode
from rosenblatt.tables.table import level_text

__all__ = ["label_type", "labels_of"]


def labels_of(classes: NDArray[Any]) -> NDArray[Any]:
    """The classes as a tensor: int64, float64, Booleans, or texts for all others (dates in the form 2020-12-31)."""
    kind = classes.dtype.kind
    if kind in "bf":
        return classes.astype(np.bool_ if kind == "b" else np.float64)
    if kind == "i" or (kind == "u" and int(classes.max()) < 2**63):
        return classes.astype(np.int64)
    labels = [level_text(value) for value in classes]
    for label in labels:
        require_unicode(label, "a class is called")
    return np.array(labels, dtype=object)


def label_type(labels: NDArray[Any]) -> str:
    """The element type of such a tensor, as `OnnxGraph` calls it."""
    return "string" if labels.dtype == object else labels.dtype.name
