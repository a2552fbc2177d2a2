"""scikit-learn's callback protocol (`sklearn.callback`, 1.9) for estimators that train in epochs.

Takes an estimator whose `set_callbacks` was called, or that receives its callbacks from a meta-estimator. Returns the
hooks of a task "fit" with a subtask for each epoch or, for an ensemble, for each member, which has those of its epochs.
Never calls anything if there are no callbacks, and never two hooks of one fit at once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Any

from rosenblatt.nn import Network
from rosenblatt.training.loop import TrainingLoop

__all__ = ["FitTasks", "begin_fit", "has_callbacks"]


def holds_network(network: Network, loop: TrainingLoop) -> dict[str, Any]:
    """The attributes of an estimator that predicts by `network`."""
    return {"_network": network}


@dataclass
class FitTasks:
    """The running fit, or the member of an ensemble, as callbacks see it; without callbacks it does nothing.

    `attributes` says, for a copy of the network and the loop, what an estimator needs to predict by it.
    """

    estimator: Any = None
    context: Any = None
    data: dict[str, Any] | None = None
    epoch: Any = None
    stopped: bool = False  # whether a callback asked to end training
    attributes: Callable[[Network, TrainingLoop], dict[str, Any]] = holds_network
    lock: AbstractContextManager[Any] = field(default_factory=threading.RLock)  # members call from their own threads

    def begin_epoch(self) -> None:
        """Report that an epoch begins, unless one has already begun."""
        if self.context is not None and self.epoch is None:
            with self.lock:
                self.epoch = self.context.subcontext(task_name="epoch")
                self.epoch.call_on_fit_task_begin(estimator=self.estimator, **(self.data or {}))

    def begin_member(
        self, number: int, max_epochs: int, attributes: Callable[[Network, TrainingLoop], dict[str, Any]]
    ) -> FitTasks:
        """Report that the training of a member of an ensemble begins, and return its tasks."""
        if self.context is None:
            return self
        with self.lock:
            context = self.context.subcontext(task_name="member", task_id=number, max_subtasks=max_epochs)
            context.call_on_fit_task_begin(estimator=self.estimator, **(self.data or {}))
        return replace(self, context=context, attributes=attributes)

    def callbacks(self, network: Network) -> list[Callable[[TrainingLoop], bool]]:
        """What a `TrainingLoop` calls after each epoch, for an estimator that holds `network`."""

        def end_epoch(loop: TrainingLoop) -> bool:
            def reconstruction() -> dict[str, Any]:
                twin = network.copy()
                with loop.averaged():
                    twin.block[...] = loop.network.block  # which may be of another float type
                return self.attributes(twin, loop)

            self.begin_epoch()
            with self.lock:
                stop = self.epoch.call_on_fit_task_end(
                    estimator=self.estimator, **(self.data or {}), reconstruction_attributes=reconstruction
                )
            self.epoch = None
            self.stopped = self.stopped or bool(stop)
            return self.stopped

        return [] if self.context is None else [end_epoch]

    def end(self, attributes: Callable[[], dict[str, Any]] = dict) -> None:
        """Report that the training of the fit, or of the member, has ended."""
        if self.context is not None:
            with self.lock:
                self.context.call_on_fit_task_end(
                    estimator=self.estimator, **(self.data or {}), reconstruction_attributes=attributes
                )


def has_callbacks(estimator: Any) -> bool:
    """Whether a callback of scikit-learn hears of the estimator's fits.

    Meta-estimators hand their own to it as if they were set. What they always leave in it, where it is in their fit
    (`_parent_callback_ctx`), is no callback.
    """
    return bool(vars(estimator).get("_skl_callbacks"))


def begin_fit(
    estimator: Any, X: Any, y: Any, sample_weight: Any, max_subtasks: int, *, sequential: bool = True
) -> FitTasks:
    """Report that training begins. Call this in a method that `sklearn.callback.with_callbacks` decorates.

    `max_subtasks` is the largest number of epochs or, if they are not `sequential`, of members.
    """
    if not has_callbacks(estimator):
        return FitTasks()
    context = estimator._init_callback_context(max_subtasks=max_subtasks, sequential_subtasks=sequential)
    metadata = None if sample_weight is None else {"sample_weight": sample_weight}
    data = {"X": X, "y": y, "metadata": metadata}
    context.call_on_fit_task_begin(estimator=estimator, **data)
    return FitTasks(estimator, context, data)
