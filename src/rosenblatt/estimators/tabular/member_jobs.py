"""Members that are trained in other processes or on other machines, and what they tell meanwhile.

Takes what `train_member` takes. Returns a function that any engine of `rosenblatt.distributed` can send, and items for
it. Never lets a member differ from one that was trained here.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.distributed.jobs import Link
from rosenblatt.estimators.tabular.architecture import Settings
from rosenblatt.estimators.tabular.checkpoints import FitCheckpoints
from rosenblatt.estimators.tabular.member import FitBudget, Member, MemberEpoch, train_member
from rosenblatt.estimators.tabular.problem import Data, Problem
from rosenblatt.estimators.tabular.row_ranges import RowNumbers
from rosenblatt.training.trainer import DivergenceError

__all__ = ["EpochsOfMembers", "MemberItem", "MemberTraining", "PassMessage", "member_items"]

SECONDS_BETWEEN_PASSES = 1.0
"""Time between two messages of how far a pass is."""
Fold = tuple[RowNumbers, NDArray[np.int64]]


@dataclass(frozen=True)
class MemberItem:
    """What is a member's own: number (from 1), rows, seed, and the time that is left when it begins."""

    number: int
    fold: Fold
    seed: int
    seconds_left: float


def member_items(folds: Sequence[Fold], seeds: Sequence[int], budget: FitBudget) -> Iterator[MemberItem | None]:
    """An item for each fold; None for a member that is not trained, because the time is over when it would begin."""
    for number, (fold, seed) in enumerate(zip(folds, seeds, strict=True), start=1):
        yield MemberItem(number, fold, seed, budget.left()) if budget.must_train(number) else None


@dataclass(frozen=True)
class PassMessage:
    """How many rows of a pass elsewhere are behind."""

    what: str
    done: int
    n_rows: int


@dataclass
class FarBudget(FitBudget):
    """The budget of a member elsewhere: its epochs are sent, and its end may come from there."""

    link: Link | None = None
    told_at: float = -math.inf

    def heard(self, what: str, done: int, n_rows: int) -> None:
        """Send how far a pass is, now and then; `KeyboardInterrupt` if the member has to end."""
        assert self.link is not None
        if self.must_end() or self.stopped.is_set():
            raise KeyboardInterrupt
        if done and (done == n_rows or time.monotonic() >= self.told_at + SECONDS_BETWEEN_PASSES):
            self.told_at = time.monotonic()
            self.link.send(PassMessage(f"{self.link.place}: {what}", done, n_rows))

    def tell(self, epoch: MemberEpoch, resumed: bool) -> None:
        """Send the epoch."""
        assert self.link is not None
        self.link.send((epoch, resumed))

    def must_end(self) -> bool:
        """Whether nobody wants the member any more; if it should end with what it has, the budget is stopped."""
        assert self.link is not None
        if self.link.stopped():
            self.stopped.set()
        return self.link.cancelled()


@dataclass(frozen=True)
class MemberTraining:
    """The training of members, to be called with an item of each."""

    data: Data
    problem: Problem
    settings: Settings
    n_members: int
    checkpoints: FitCheckpoints | None = None

    @property
    def keeps(self) -> bool:
        """Whether a file is kept for later jobs."""
        return self.data.shared is not None

    def __call__(self, item: MemberItem | None, link: Link) -> Member | DivergenceError | None:
        """The member, an error if it diverged in its first epoch, or None if it was stopped before its end."""
        if item is None:
            return None
        budget = FarBudget(members=self.n_members, checkpoints=self.checkpoints, link=link)
        budget.deadline, budget.cancelled = budget.deadline_in(item.seconds_left), budget.must_end
        if self.checkpoints is not None:
            self.checkpoints.require_seen()
        try:
            with self._data(budget, link) as data:
                return train_member(data, self.problem, self.settings, *item.fold, item.seed, budget, item.number)
        except DivergenceError as error:
            return error
        except KeyboardInterrupt:
            return None

    @contextmanager
    def _data(self, budget: FitBudget, link: Link) -> Iterator[Data]:
        """The data in this process."""
        if self.data.shared is None:
            yield self.data
            return
        with self.data.shared.opened(link, budget.heard) as stored:
            yield replace(self.data, stored=stored)


@dataclass
class EpochsOfMembers:
    """What is told of members elsewhere: each epoch once, though a lost worker's member begins again."""

    budget: FitBudget
    told: dict[int, int] = field(default_factory=dict)

    def hear(self, number: int, message: Any) -> None:
        """An epoch of a member is over."""
        if isinstance(message, PassMessage):
            self.budget.passed(message.what, message.done, message.n_rows)
            return
        epoch, resumed = message
        if self.budget.stopped.is_set():  # whoever hears of epochs has ended the fit, perhaps
            return
        if epoch.number > self.told.get(epoch.member, 0):
            self.told[epoch.member] = epoch.number
            self.budget.tell(epoch, resumed)
