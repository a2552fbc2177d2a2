"""After each epoch or iteration: how good the network is, whether that was the best one, and whether to stop.

Goes in: the network as it is and the row of numbers that the training knows. Comes out: a row of the history, and a
standing. It does not train, and it does not put weights back: whoever trains does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from rosenblatt.nn.network import Network
from rosenblatt.nn.objective import LossGiven
from rosenblatt.nn.schedules import Plateau, PlateauState, Schedule
from rosenblatt.training.evaluation import Evaluator
from rosenblatt.training.history import History

__all__ = ["Callback", "Epoch", "Judge", "Standing"]


@dataclass(frozen=True)
class Epoch:
    """What a callback is told after each epoch.

    Attributes
    ----------
    number : int
        Counted from 1.
    network : Network
        As it is now.
    history : History
        This epoch included.
    """

    number: int
    network: Network
    history: History


Callback = Callable[[Epoch], Any]


@dataclass
class Standing:
    """Best value so far (lower is better), epochs without progress since, why training ended, and the plateau."""

    best: float = math.inf
    stalled: int = 0
    finished: str = ""
    plateau: PlateauState = field(default_factory=PlateauState)


class Judge:
    """Validates `network`, keeps the history and the best weights, and asks the callbacks.

    Parameters
    ----------
    network : Network
        The one that is validated.
    loss : as for `rosenblatt.training.fit`
    schedule : Schedule or None
        Told, where it depends on results.
    options : mapping
        Those of `rosenblatt.training.fit`.
    """

    def __init__(
        self,
        network: Network,
        loss: LossGiven | Mapping[str, LossGiven],
        schedule: Schedule | None,
        options: Mapping[str, Any],
    ) -> None:
        self.network, self.schedule, self.o = network, schedule, options
        self.history, self.at = History(), Standing()
        self.best: NDArray[Any] | None = None
        self.evaluator: Evaluator | None = None
        if options["validation"] is not None:
            X, y = options["validation"]
            self.evaluator = Evaluator(network, loss, X, y, head_weights=options["head_weights"])

    def end_epoch(self, row: dict[str, float]) -> None:
        """Complete the row, take it into the history, and decide."""
        if self.evaluator is not None:
            row["val_loss"] = self.evaluator.loss()
            if self.o["scorer"] is not None:
                row["val_score"] = float(self.o["scorer"](self.network, *self.o["validation"]))
        self.history.append(**row)
        self._compare(-row["val_score"] if "val_score" in row else row.get("val_loss", row["loss"]))
        number = self.history.n_epochs
        if self.o["verbose"]:
            print(f"epoch {number}: " + ", ".join(f"{name} {value:.6g}" for name, value in row.items()))
        answers = [callback(Epoch(number, self.network, self.history)) for callback in self.o["callbacks"]]
        if any(answers):  # only now, when all of them were told
            self.at.finished = "a callback"

    def _compare(self, value: float) -> None:
        """Count progress; a plateau lowers the learning rate."""
        if isinstance(self.schedule, Plateau):
            self.at.plateau = self.schedule.after_epoch(self.at.plateau, value)
        first = self.at.best == math.inf
        self.at.stalled = 0 if first or value < self.at.best - self.o["min_delta"] else self.at.stalled + 1
        if first or value < self.at.best:
            self.at.best = value
            if self.evaluator is not None and self.o["restore_best"]:
                self.best = self.network.block.copy()
        if self.o["patience"] is not None and self.at.stalled >= self.o["patience"]:
            self.at.finished = "patience"
