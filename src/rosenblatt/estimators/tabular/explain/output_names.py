"""Names of what a tabular estimator predicts.

Takes a fitted estimator. Returns a name for each of its outputs. Never predicts.
"""

from __future__ import annotations

from typing import Any

__all__ = ["output_names", "predictions_in_words", "target_columns"]


def output_names(model: Any) -> tuple[str, ...]:
    """Names of the classes, the quantiles or the targets; targets without names are numbered from 0, as `output=` is.

    A single target is the "prediction".
    """
    if hasattr(model, "classes_"):
        return tuple(map(str, model.classes_))
    if (quantiles := model.fitted_parameter("quantiles")) is not None:
        return tuple(f"quantile {q:g}" for q in quantiles)
    n = len(model.target_scaler_.center)
    if n == 1:
        return ("prediction",)
    names = tuple(str(model.target_name_ or "").split(", "))  # several targets have one name, which lists theirs
    return names if len(names) == n else tuple(f"output {i}" for i in range(n))


def target_columns(model: Any, n_targets: int | None = None) -> list[str]:
    """The columns that hold what the model predicts; none if it learned from arrays without names.

    `n_targets` is their number in a model that is being fitted.
    """
    if model.target_name_ is None:
        return []
    names = str(model.target_name_).split(", ")  # several targets have one name, which lists theirs
    if len(names) == 1 or hasattr(model, "classes_") or model.fitted_parameter("quantiles") is not None:
        return [str(model.target_name_)]
    return names if len(names) == (n_targets or len(model.target_scaler_.center)) else [str(model.target_name_)]


def predictions_in_words(model: Any) -> tuple[str, ...]:
    """Each output of a regression as a phrase, such as "the prediction of rent, quantile 0.5"."""
    names, target = output_names(model), model.target_name_
    of = f" of {target}" if target else ""
    if len(names) == 1 and model.fitted_parameter("quantiles") is None:
        return (f"the prediction{of}",)
    if of and ", ".join(names) == target:
        return tuple(f"the prediction of {name}" for name in names)
    return tuple(f"the prediction{of}, {name}" for name in names)
