"""The training predictions of a model that was loaded without them.

Takes nothing. Returns a class attribute that stands in for an attribute of fitted models while they lack it. Never
holds predictions.
"""

from __future__ import annotations

from typing import Any

__all__ = ["LeftOut"]


class LeftOut:
    """Stands in for a fitted attribute that files leave out unless asked; what `fit` sets on the instance hides it."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, model: Any, kind: type | None = None) -> Any:
        if model is None:
            return self
        if "ensemble_" in vars(model):
            raise AttributeError(
                f"this {type(model).__name__} was loaded from a file without its training predictions, so it has no "
                f"{self.name}. Save the fitted model with rosenblatt.save(model, path, training_predictions=True)."
            )
        raise AttributeError(f"this {type(model).__name__} has no {self.name} before it is fitted.")
