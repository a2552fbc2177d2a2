"""scikit-learn's callback protocol (`sklearn.callback`, 1.9) for estimators that train in epochs.

Takes an estimator whose `set_callbacks` was called, or that receives its callbacks from a meta-estimator. Returns the
hooks of a task "fit" with a subtask for each epoch. Never calls anything if there are no callbacks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rosenblatt.nn import Network
from rosenblatt.training.loop import TrainingLoop

__all__ = ["FitTasks", "begin_fit"]


@dataclass
class FitTasks:
    """The running fit as callbacks see it; without callbacks it does nothing."""

    estimator: Any = None
    context: Any = None
    data: dict[str, Any] | None = None
    epoch: Any = None
    stopped: bool = False  # whether a callback asked to end training

    def begin_epoch(self) -> None:
        """Report that an epoch begins, unless one has already begun."""
        if self.context is not None and self.epoch is None:
            self.epoch = self.context.subcontext(task_name="epoch")
            self.epoch.call_on_fit_task_begin(estimator=self.estimator, **(self.data or {}))

    def callbacks(self, network: Network) -> list[Callable[[TrainingLoop], bool]]:
        """What a `TrainingLoop` calls after each epoch, for an estimator that holds `network`."""

        def end_epoch(loop: TrainingLoop) -> bool:
            def reconstruction() -> dict[str, Any]:
                twin = network.copy()
                with loop.averaged():
                    twin.block[...] = loop.network.block  # which may be of another float type
                return {"_network": twin}

            self.begin_epoch()
            stop = self.epoch.call_on_fit_task_end(
                estimator=self.estimator, **(self.data or {}), reconstruction_attributes=reconstruction
            )
            self.epoch = None
            self.stopped = self.stopped or bool(stop)
            return self.stopped

        return [] if self.context is None else [end_epoch]

    def end_fit(self) -> None:
        """Report that training has ended."""
        if self.context is not None:
            self.context.call_on_fit_task_end(
                estimator=self.estimator, **(self.data or {}), reconstruction_attributes={}
            )


def begin_fit(estimator: Any, X: Any, y: Any, sample_weight: Any, max_epochs: int) -> FitTasks:
    """Report that training begins. Call this in a method that `sklearn.callback.with_callbacks` decorates."""
    if "_skl_callbacks" not in vars(estimator) and "_parent_callback_ctx" not in vars(estimator):
        return FitTasks()
    context = estimator._init_callback_context(max_subtasks=max_epochs)
    metadata = None if sample_weight is None else {"sample_weight": sample_weight}
    data = {"X": X, "y": y, "metadata": metadata}
    context.call_on_fit_task_begin(estimator=estimator, **data)
    return FitTasks(estimator, context, data)
