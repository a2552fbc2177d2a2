"""Is my network overfitting, and what do I do next?

Takes an `MLPClassifier` or `MLPRegressor`, or a pipeline that ends with one, fitted or not, and data. Returns a
`Diagnosis` that names the state, the evidence for it and remedies in order; and from it, or from a model, the next
model to try. Never changes the given model: everything is measured on clones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rosenblatt._lazy import lazy_names

if TYPE_CHECKING:
    from .diagnosing import diagnose
    from .remedies import remedy
    from .report import Comparison, Curve, Diagnosis, Effect, Evidence, Remedy

__all__ = ["Comparison", "Curve", "Diagnosis", "Effect", "Evidence", "Remedy", "diagnose", "remedy"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "diagnosing": ("diagnose",),
        "remedies": ("remedy",),
        "report": ("Comparison", "Curve", "Diagnosis", "Effect", "Evidence", "Remedy"),
    },
)
