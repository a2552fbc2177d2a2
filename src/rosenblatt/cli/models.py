"""Models of tables that other commands read.

Takes a model file. Returns a fitted tabular estimator, or for predictions anything that was fitted on named columns.
Never takes a model of another type.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from rosenblatt._suggestions import article, missing_file
from rosenblatt.persistence import save_load
from rosenblatt.persistence.save_load import ModelFileError

__all__ = ["load_model", "load_predictor", "load_tabular", "with_threshold"]


def load_model(file: Path) -> Any:
    """What is in a model file; where there is none, the error suggests a name."""
    try:
        return save_load.load(file)
    except FileNotFoundError:
        raise FileNotFoundError(missing_file(file)) from None


def load_tabular(file: Path) -> Any:
    """The tabular estimator in a model file."""
    from rosenblatt.estimators import TabularClassifier, TabularRegressor

    model = load_model(file)
    if not isinstance(model, (TabularClassifier, TabularRegressor)):
        raise ModelFileError(
            f"{file}: it holds {article(type(model).__name__)}, not a tabular model; use rosenblatt.load in Python."
        )
    return model


def load_predictor(file: Path) -> Any:
    """What predicts of the tabular estimator in a model file, or of what else was fitted on named columns."""
    from rosenblatt.persistence.predictors import TablePredictor

    with suppress(ModelFileError, FileNotFoundError):  # the estimator is loaded below, or its error is raised
        found = save_load.load_predictor(file)
        if isinstance(found, TablePredictor):
            return found
    from rosenblatt.persistence.serving import table_model  # imports scikit-learn

    return table_model(load_model(file), str(file))


def with_threshold(model: Any, threshold: float | None) -> Any:
    """The model, which predicts the second of two classes where its probability is above the threshold."""
    if threshold is None:
        return model
    classes = getattr(model, "classes_", ())
    if len(classes) != 2:
        found = f"of {len(classes)} classes" if len(classes) else "of numbers"
        raise ValueError(f"--threshold is for two classes, but the model is one {found}. Leave it out.")
    import numpy as np

    model.decision_weights_ = np.array([threshold, 1 - threshold])  # p > t where p (1 - t) > (1 - p) t
    return model
