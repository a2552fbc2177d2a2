"""The checkpoints of an ensemble: a file for what all members share, and one for each member.

Takes a folder, a fingerprint of data and settings, and what the fit has decided. Returns what an earlier process had
decided in the same fit: the seed, the plan for a time budget, the seconds that were left. Never trains, and never keeps
more of a member than its own training needs.
"""

from __future__ import annotations

import math
import os
import platform
import time
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt._checks import MAX_COUNT, check_count, check_number, check_seed
from rosenblatt.distributed.ranks import ranks
from rosenblatt.estimators.tabular.architecture import Settings
from rosenblatt.estimators.tabular.row_ranges import RowNumbers, rows_from_array, rows_to_array
from rosenblatt.storage.container import require_keys
from rosenblatt.tables.table import Table
from rosenblatt.training.checkpoint import FILE, CheckpointError, Checkpoints, data_digest

__all__ = ["FitCheckpoints", "table_digest"]

Fold = tuple[RowNumbers, NDArray[np.int64]]
NOTE_SECONDS = 1.0
"""Time between two notes of the seconds that are left."""


def table_digest(table: Table) -> str:
    """A hash of a table: names, kinds and cells of its columns."""
    columns = table.columns.items()
    said = [f"{name!r} {c.storage} {c.levels!r} {data_digest(c.values)}" for name, c in columns]
    return data_digest(np.frombuffer("\n".join(said).encode(), np.uint8))


class FitCheckpoints:
    """What a fit keeps in its own folder, so that another process continues it.

    Parameters
    ----------
    folder : path
        Made if it does not exist. Each member, and each trial before the members, has a folder inside.
    every : int or str
        Steps of a member between two of its checkpoints, or a time.
    fingerprint : mapping of str to str
        What the fit is of, part by part; that of another fit is refused.

    Attributes
    ----------
    seed : int or None
        The seed of the fit, which an earlier process drew.
    seconds_left : float or None
        What was left of a time budget when this was last noted.
    is_copy : bool
        Whether this is one that another process was given, which keeps members only.
    """

    def __init__(self, folder: str | os.PathLike[str], every: int | str, fingerprint: Mapping[str, str]) -> None:
        self.folder, self.every, self.fingerprint = Path(folder), every, fingerprint
        self.file = Checkpoints(folder, every, fingerprint)
        self.seed: int | None = None
        self.seconds_left: float | None = None
        self.is_copy = False
        self._plan: dict[str, int] | None = None
        self._rows: dict[str, NDArray[Any]] = {}
        self._noted = -math.inf
        if self.file.found is not None:
            with self.file.restoring():
                self._read(*self.file.found)

    def _read(self, state: Mapping[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
        """The state of an earlier process, checked; the plan is compared with the folds when it is used."""
        require_keys(state, {"seed", "seconds_left", "plan", "step", "fingerprint"}, what="the state of the fit")
        self.seed = check_seed("seed", state["seed"])
        if state["seconds_left"] is not None:
            self.seconds_left = check_number("seconds_left", state["seconds_left"])
        if state["plan"] is not None:
            require_keys(state["plan"], {"epochs", "members"}, what="the plan of the fit")
            for name, value in state["plan"].items():
                check_count(name, value, 1, MAX_COUNT)
        self._plan, self._rows = state["plan"], arrays

    def _save(self) -> None:
        state = {"seed": self.seed, "seconds_left": self.seconds_left, "plan": self._plan}
        self.file.save(0, state, self._rows)
        self._noted = time.monotonic()

    def keep_seed(self, seed: int) -> int:
        """Keep the seed of the fit; returns that of an earlier process if there was one."""
        if self.seed is None:
            self.seed = seed
            self._save()
        return self.seed

    def note(self, seconds_left: float, *, at_once: bool = False) -> None:
        """Keep what is left of the time budget, if there is one: at once, or at most once a second."""
        if (
            not self.is_copy
            and math.isfinite(seconds_left)
            and (at_once or time.monotonic() >= self._noted + NOTE_SECONDS)
        ):
            self.seconds_left = seconds_left
            self._save()

    def keep_plan(self, settings: Settings, folds: Sequence[Fold], given: Sequence[Fold], seconds_left: float) -> None:
        """Keep what a time budget allows: epochs, members and, where they are fewer than `given`, the rows."""
        self._plan = {"epochs": settings.epochs, "members": len(folds)}
        if folds[0] is not given[0]:
            self._rows = {"training": rows_to_array(folds[0][0]), "held_out": folds[0][1]}
        self.seconds_left = seconds_left
        self._save()

    def planned(self, settings: Settings, folds: Sequence[Fold]) -> tuple[Settings, Sequence[Fold]] | None:
        """Settings and folds as an earlier process planned them; None if there was none.

        Raises
        ------
        CheckpointError
            For a plan that is not one of this fit.
        """
        if self._plan is None:
            return None
        with self.file.restoring():
            epochs = check_count("epochs", self._plan["epochs"], 1, settings.epochs)
            members = check_count("members", self._plan["members"], 1, len(folds))
            chosen = [self._fewer_rows(folds[0])] if self._rows else folds[:members]
        return replace(settings, epochs=epochs, members=members), chosen

    def _fewer_rows(self, fold: Fold) -> Fold:
        """The rows of the plan, if they are some of the fold's."""
        training, held_out = fold
        held_out = np.asarray(rows_from_array(self._rows["held_out"], held_out))
        return rows_from_array(self._rows["training"], training), held_out

    def member(self, number: int, identity: Mapping[str, str]) -> Checkpoints:
        """The checkpoints of the member `number`, counted from 1."""
        return Checkpoints(self._folder_of(number), self.every, identity)

    def for_others(self) -> FitCheckpoints:
        """These checkpoints for another process, which trains members: it leaves what they share alone."""
        twin = copy(self)
        twin.folder, twin.is_copy = Path(os.path.abspath(self.folder)), True
        twin.file, twin._rows = replace(self.file, folder=twin.folder), {}
        return twin

    def require_seen(self) -> None:
        """Refuse to keep a member in a folder that is not the one of the process where the fit was called.

        Raises
        ------
        CheckpointError
            It names the machine and the folder.
        """
        if not (self.folder / FILE).exists():
            raise CheckpointError(
                f"checkpoint {str(self.folder)!r} is not to be seen from the machine {platform.node()!r}, which trains "
                "a network: give a folder on a file system that all workers share, or leave checkpoint out."
            )

    def has_member(self, number: int) -> bool:
        """Whether an earlier process began the member."""
        return ranks().first((self._folder_of(number) / FILE).exists)

    def _folder_of(self, number: int) -> Path:
        return self.folder / f"member-{number}"

    def part(self, name: str) -> FitCheckpoints:
        """The checkpoints of another ensemble that the fit trains, such as one for a trial."""
        return FitCheckpoints(self.folder / name, self.every, {**self.fingerprint, "part": name})
