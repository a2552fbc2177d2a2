"""scikit-learn's callback protocol (`sklearn.callback`, 1.9) for estimators that train in epochs.

Goes in: an estimator whose `set_callbacks` was called, or that a meta-estimator hands its callbacks to. Comes out: the
hooks of a task "fit" with a subtask for each epoch. Without callbacks nothing is called.
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
    """The running fit as callbacks see it.

    Attributes
    ----------
    stopped : bool
        A callback asked for the end of training.
    """

    estimator: Any = None
    context: Any = None
    data: dict[str, Any] | None = None
    epoch: Any = None
    stopped: bool = False

    @property
    def wanted(self) -> bool:
        """Whether there is a callback to tell."""
        return self.context is not None

    def begin_epoch(self) -> None:
        """Tell that an epoch begins, if none has begun."""
        if self.wanted and self.epoch is None:
            self.epoch = self.context.subcontext(task_name="epoch")
            self.epoch.call_on_fit_task_begin(estimator=self.estimator, **(self.data or {}))

    def end_epoch(self, reconstruction: Callable[[], dict[str, Any]]) -> None:
        """Tell that an epoch has ended; `reconstruction` gives the attributes of a finished estimator."""
        if not self.wanted:
            return
        self.begin_epoch()
        stop = self.epoch.call_on_fit_task_end(
            estimator=self.estimator, **(self.data or {}), reconstruction_attributes=reconstruction
        )
        self.epoch = None
        self.stopped = self.stopped or bool(stop)

    def callbacks(self, network: Network) -> list[Callable[[TrainingLoop], bool]]:
        """What a `TrainingLoop` calls after each epoch, for an estimator that holds `network`."""

        def end_epoch(loop: TrainingLoop) -> bool:
            def reconstruction() -> dict[str, Any]:
                twin = network.copy()
                with loop.averaged():
                    twin.block[...] = loop.network.block  # which may be of another float type
                return {"_network": twin}

            self.end_epoch(reconstruction)
            return self.stopped

        return [end_epoch] if self.wanted else []

    def end_fit(self) -> None:
        """Tell that training has ended."""
        if self.wanted:
            self.context.call_on_fit_task_end(
                estimator=self.estimator, **(self.data or {}), reconstruction_attributes={}
            )


def begin_fit(estimator: Any, X: Any, y: Any, sample_weight: Any, max_epochs: int) -> FitTasks:
    """Tell callbacks that training begins; call inside a method decorated by `sklearn.callback.with_callbacks`."""
    if "_skl_callbacks" not in vars(estimator) and "_parent_callback_ctx" not in vars(estimator):
        return FitTasks()
    context = estimator._init_callback_context(max_subtasks=max_epochs)
    metadata = None if sample_weight is None else {"sample_weight": sample_weight}
    data = {"X": X, "y": y, "metadata": metadata}
    context.call_on_fit_task_begin(estimator=estimator, **data)
    return FitTasks(estimator, context, data)
