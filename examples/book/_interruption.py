"""Interrupts a training, as if the power had failed."""

from __future__ import annotations

from typing import Any


class Interruption(Exception):
    """Ends a training. Nothing in the library catches it."""


class InterruptAfter:
    """A callback that raises after some epochs, for `Network.fit` and (by scikit-learn's protocol) for estimators."""

    def __init__(self, epochs: int) -> None:
        self.epochs = self.left = epochs

    def __call__(self, epoch: Any) -> None:
        """Count an epoch of a network."""
        self.left -= 1
        if self.left == 0:
            raise Interruption(f"after {self.epochs} epochs")

    def setup(self, estimator: Any, context: Any) -> None:
        """Nothing to prepare."""

    def on_fit_task_begin(self, estimator: Any, context: Any, **data: Any) -> None:
        """Nothing to do."""

    def on_fit_task_end(self, estimator: Any, context: Any, **data: Any) -> None:
        """Count an epoch of an estimator."""
        self(context)

    def teardown(self, estimator: Any, context: Any) -> None:
        """Nothing to clean up."""
