"""What the networks of an ensemble learn, and from which rows.

Takes a prepared table, in memory or in a file, with its targets. Returns the rows that a member asks for. Never trains.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.distributed.communicator import SHARDS
from rosenblatt.distributed.ranks import ranks
from rosenblatt.estimators.tabular.architecture import feed
from rosenblatt.estimators.tabular.member_units import MemberUnits, fit_member_units
from rosenblatt.estimators.tabular.row_ranges import RowNumbers, RowRanges
from rosenblatt.estimators.tabular.shared_rows import SharedRows
from rosenblatt.estimators.tabular.stored_rows import StoredRows
from rosenblatt.estimators.tabular.training_rows import MemoryRows, RowsOfFile, RowsOfShards, TrainingRows

__all__ = ["Data", "Problem", "Rows"]

Array = NDArray[Any]
Rows = tuple[dict[str, Any], Array, Array | None]
"""Inputs, targets and weights of some rows."""
Metric = Callable[[Array, Array, Array | None], float]
"""``metric(target, prediction, weights)``: the smaller the better."""


@dataclass(frozen=True)
class Problem:
    """What the networks of an ensemble learn."""

    n_outputs: int
    output: str  # activation
    loss: Any
    metric: Metric  # chooses the best epoch
    decode: Callable[[Array], Array] = np.asarray  # from outputs to predictions
    scaling: str | None = None  # how numbers are standardized, see `fit_target_scaler`; None for classes
    robust: bool = False  # likewise

    def units_of(self, data: Data, training: TrainingRows) -> MemberUnits:
        """The units of a member that trains on the rows: its own where others are of other groups, or later."""
        if self.scaling is None or (data.groups is None and data.times is None):
            return MemberUnits()
        y, weights = training.targets()
        return fit_member_units(y, self.scaling, weights, robust=self.robust)


@dataclass(frozen=True)
class Data:
    """A prepared table, its targets (labels int32 [n] or float32 [n, k]) and weights of the rows.

    With `validation`, a table of its own, held-out rows are rows of that. With `groups`, rows of which belong together,
    or `times`, no row chooses the epoch that it is scored by. With `stored`, training rows are those of a file, and
    `prepared` and `y` are not used (see `of_file`); groups and times are those of the held-out rows then, and `shared`
    says how other processes get such a file.
    """

    preparation: Any
    prepared: Any
    y: Array
    weights: Array | None = None
    validation: Data | None = None
    groups: Array | None = None
    times: Array | None = None
    stored: StoredRows | None = None
    shared: SharedRows | None = None

    @classmethod
    def of_file(cls, preparation: Any, stored: StoredRows, validation: Data, shared: SharedRows | None = None) -> Data:
        """Training rows in a file, and held-out rows in memory. Training sides of folds are `RowRanges`."""
        return cls(preparation, None, np.empty(0), None, validation, stored=stored, shared=shared)

    @property
    def weighted(self) -> bool:
        """Whether training rows have weights."""
        return self.weights is not None if self.stored is None else self.stored.weighted

    @property
    def held_out(self) -> Data:
        """The table whose rows are held out."""
        return self.validation or self

    def with_targets(self, change: Callable[[Array], Array]) -> Data:
        """The data with other targets, which a function makes of the present ones."""
        validation = None if self.validation is None else self.validation.with_targets(change)
        if self.stored is not None:
            shared = None if self.shared is None else self.shared.with_targets(change)
            return replace(self, stored=self.stored.with_targets(change), shared=shared, validation=validation)
        return replace(self, y=change(self.y), validation=validation)

    def members_at_once(self, n_members: int) -> int:
        """How many of so many members may train at once, as far as memory is concerned."""
        return n_members if self.stored is None else self.stored.members_at_once(n_members)

    def any_weight(self, rows: RowNumbers) -> bool:
        """Whether one of some rows has a weight other than zero; true without weights."""
        if isinstance(rows, RowRanges):
            assert self.stored is not None
            return self.stored.any_weight(rows)
        return self.weights is None or bool(self.weights[rows].any())

    def training_rows(self, rows: RowNumbers) -> TrainingRows:
        """Rows that a member trains on."""
        if isinstance(rows, RowRanges):
            assert self.stored is not None
            return RowsOfFile.of(self.stored, rows)
        if ranks().are_together and len(rows) >= SHARDS:
            return RowsOfShards(self, rows)
        return MemoryRows(self.take(rows))

    def take(self, rows: NDArray[np.int64]) -> Rows:
        """Inputs, targets and weights of some rows."""
        weights = None if self.weights is None else np.ascontiguousarray(self.weights[rows])
        return feed(self.prepared, rows), np.ascontiguousarray(self.y[rows]), weights
