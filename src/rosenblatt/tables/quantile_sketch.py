"""A summary of numbers from which quantiles can be read, of a size that does not grow with their number.

Takes numbers, block by block, in any order. Returns numbers with counts that stand for all of them: the different
numbers themselves while they are few, else a selection whose ranks are wrong by at most a stated share. Never draws at
random, and never takes back what it gave: reading it changes nothing.

While there are at most 2**16 different numbers each is kept with its count. Beyond, numbers lie in levels; one of level
h stands for 2**h rows. A level that holds 20,480 or more is sorted, and every second number moves up one level (the
scheme of Manku, Rajagopalan & Lindsay 1998 and Karnin, Lang & Liberty 2016, doi:10.1109/FOCS.2016.17, without chance).
If the first of each pair is kept, ranks grow by 2**h at most; if the second is kept, they shrink by 2**h at most. The
two take turns, and their number is counted: that is the bound that `error` gives.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from rosenblatt.tables.counted_cells import distinct_counts
from rosenblatt.tables.distinct_sample import DistinctSample
from rosenblatt.tables.row_hashes import hash_column
from rosenblatt.tables.states import arrays_of, require_array, require_counts, require_state

__all__ = ["MAX_EXACT_VALUES", "QuantileSketch"]

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
MAX_EXACT_VALUES = 2**16
"""Up to so many different numbers, all are kept with their counts."""
BATCH = 2**16
"""Numbers that wait until so many can be sorted at once."""
LEVEL = 5 * 2**12
"""A level with so many numbers or more is halved."""
MAX_LEVELS = 63
COUNTED = ("n_missing", "n_lowest", "n_highest", "n_finite")


class QuantileSketch:
    """Numbers with counts that stand for all numbers that were added.

    Up to 2**30 numbers, in whatever order they are added and sketches are merged, `error` stays below 0.001 and the
    memory below 4 MB. NaN and infinite numbers are counted apart.

    Attributes
    ----------
    n_missing, n_lowest, n_highest : int
        How many were NaN, minus infinity and infinity.
    n_finite : int
        How many were finite.
    lowest, highest : float
        The smallest and the largest finite number, exactly; infinity and minus infinity if there is none.
    """

    def __init__(self) -> None:
        self.n_missing = self.n_lowest = self.n_highest = self.n_finite = 0
        self.lowest, self.highest = np.inf, -np.inf
        self.are_whole = True
        self._waiting: list[Floats] = []
        self._n_waiting = 0
        self._known: tuple[Floats, Counts] | None = (np.empty(0), np.empty(0, np.int64))
        self._levels: list[Floats] = []
        self._raised = np.zeros(MAX_LEVELS, np.int64)
        self._lowered = np.zeros(MAX_LEVELS, np.int64)
        self._sample = DistinctSample()

    @property
    def is_exact(self) -> bool:
        """Whether `cells` gives all different numbers with their counts."""
        return self._known is not None

    @property
    def error(self) -> float:
        """By which share of the finite numbers the rank of any number may be wrong; 0 while `is_exact`.

        A rank is how many numbers are at most as large.
        """
        if self.is_exact:
            return 0.0
        weights = 2.0 ** np.arange(MAX_LEVELS)
        ends = 1  # the lowest or highest number takes the place of another
        return float(max(weights @ self._raised, weights @ self._lowered) + ends) / self.n_finite

    @property
    def n_distinct(self) -> int:
        """How many different finite numbers there are: exactly while `is_exact`, else an estimate.

        It rests on the exact counts of 4,096 different numbers, those with the smallest hashes. If all of these occur
        once, it is the number of all finite numbers, so that numbers of which hardly any is repeated (fewer than one in
        a thousand) count as all different; otherwise its standard error is 1.6 %.
        """
        return len(self.cells()[0]) if self.is_exact else self._sample_of_all().estimate(self.n_finite)

    @property
    def n_once(self) -> int:
        """How many finite numbers occur once; an estimate like `n_distinct`."""
        if self.is_exact:
            return int((self.cells()[1] == 1).sum())
        return round(self._sample_of_all().share_of_single * self.n_distinct)

    def _sample_of_all(self) -> DistinctSample:
        sample = self._sample.copy()
        for values in self._waiting:
            sample.add(hash_column(values, 0))
        return sample

    def add(self, values: NDArray[Any]) -> None:
        """Add numbers, shape (n,)."""
        given = np.asarray(values, dtype=np.float64).ravel()
        for start in range(0, len(given), BATCH):
            self._add_batch(given[start : start + BATCH])

    def _add_batch(self, values: Floats) -> None:
        finite = np.isfinite(values)
        if not finite.all():
            self.n_missing += int(np.isnan(values).sum())
            self.n_lowest += int((values == -np.inf).sum())
            self.n_highest += int((values == np.inf).sum())
        values = values[finite]  # a copy, also if all are
        if not len(values):
            return
        self.n_finite += len(values)
        self.lowest, self.highest = min(self.lowest, float(values.min())), max(self.highest, float(values.max()))
        self.are_whole = self.are_whole and bool((values == np.floor(values)).all())
        self._waiting.append(values)
        self._n_waiting += len(values)
        if self._n_waiting >= BATCH:
            self._settle()

    def _settle(self) -> None:
        """Move the numbers that wait to where they belong."""
        if not self._waiting:
            return
        values = np.concatenate(self._waiting)
        self._waiting, self._n_waiting = [], 0
        if self._known is None:
            self._sample.add(hash_column(values, 0))
            self._push(0, values)
            return
        self._know(*distinct_counts(values, None))

    def _know(self, values: Floats, counts: Counts) -> None:
        """Add different numbers, ascending, to those that are known; beyond the limit, give up to know all."""
        assert self._known is not None
        self._known = joined(self._known, (values, counts))
        if len(self._known[0]) > MAX_EXACT_VALUES:
            known, self._known = self._known, None
            self._push_counted(*known)

    def _push_counted(self, values: Floats, counts: Counts) -> None:
        """Numbers with counts, as the sum of powers of two that each count is."""
        self._sample.add(hash_column(values, 0), counts)
        for level in range(int(counts.max(initial=0)).bit_length()):
            self._push(level, values[(counts >> level) & 1 == 1])

    def _push(self, level: int, values: Floats) -> None:
        """Add numbers to a level, and halve it if it is full."""
        while len(self._levels) <= level:
            self._levels.append(np.empty(0))
        values = np.concatenate([self._levels[level], values])
        if len(values) < LEVEL:
            self._levels[level] = values
            return
        values.sort()
        even = len(values) // 2 * 2
        self._levels[level] = values[even:].copy()
        balance = self._raised[level] - self._lowered[level]
        second = balance > 0 or (balance == 0 and level % 2 == 1)
        (self._lowered if second else self._raised)[level] += 1
        self._push(level + 1, values[int(second) : even : 2])

    def merge(self, other: QuantileSketch) -> None:
        """Add all that another sketch has seen; the other stays as it is."""
        for name in ("n_missing", "n_lowest", "n_highest", "n_finite"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.lowest, self.highest = min(self.lowest, other.lowest), max(self.highest, other.highest)
        self.are_whole = self.are_whole and other.are_whole
        if other._known is None and self._known is not None:
            known, self._known = self._known, None
            self._push_counted(*known)
        if other._known is not None:
            (self._push_counted if self._known is None else self._know)(*other._known)
        self._raised, self._lowered = self._raised + other._raised, self._lowered + other._lowered
        self._sample.merge(other._sample)
        for level, values in enumerate(other._levels):
            self._push(level, values)
        self._waiting += other._waiting
        self._n_waiting += other._n_waiting
        if self._n_waiting >= BATCH:
            self._settle()

    def cells(self) -> tuple[Floats, Counts]:
        """Different finite numbers, ascending, and how many rows each stands for; the counts add up to `n_finite`.

        The lowest and the highest number are always among them.
        """
        waiting = distinct_counts(np.concatenate([np.empty(0), *self._waiting]), None)
        if self._known is not None:
            return joined(self._known, waiting)
        parts = [(values, np.full(len(values), 2**level)) for level, values in enumerate(self._levels)]
        values, counts = (np.concatenate(part) for part in zip(*parts, waiting, strict=True))
        values, counts = distinct_counts(values, counts.astype(np.int64))
        return with_ends(values, counts, self.lowest, self.highest)

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """The sketch as JSON-able data and arrays."""
        plain = {name: getattr(self, name) for name in COUNTED}
        sample, sample_arrays = self._sample.to_state()
        plain |= {"are_whole": self.are_whole, "n_levels": len(self._levels), "sample": sample}
        plain |= {"is_exact": self.is_exact}
        known = self._known or (np.empty(0), np.empty(0, np.int64))
        arrays = {"known": known[0], "known_counts": known[1], "raised": self._raised, "lowered": self._lowered}
        arrays |= {"waiting": np.concatenate([np.empty(0), *self._waiting])}
        arrays |= {"ends": np.array([self.lowest, self.highest])}
        arrays |= {f"level_{level}": values for level, values in enumerate(self._levels)}
        return plain, arrays | {f"sample_{name}": array for name, array in sample_arrays.items()}

    @classmethod
    def from_state(cls, plain: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """What `to_state` gave; a `ValueError` for anything else."""
        made = cls()
        for name, number in zip(COUNTED, require_counts(plain, *COUNTED), strict=True):
            setattr(made, name, number)
        (n_levels,) = require_counts(plain, "n_levels")
        valid = type(plain.get("are_whole")) is type(plain.get("is_exact")) is bool and n_levels <= MAX_LEVELS
        require_state(valid, "a sketch")
        made.are_whole = plain["are_whole"]
        known = require_array(arrays, "known", np.float64), require_array(arrays, "known_counts", np.int64)
        made._known = known if plain["is_exact"] else None
        made._levels = [require_array(arrays, f"level_{level}", np.float64) for level in range(n_levels)]
        made._raised, made._lowered = (require_array(arrays, name, np.int64) for name in ("raised", "lowered"))
        waiting = require_array(arrays, "waiting", np.float64)
        made._waiting, made._n_waiting = [waiting] if len(waiting) else [], len(waiting)
        made._sample = DistinctSample.from_state(plain.get("sample") or {}, arrays_of("sample_", arrays))
        ends = require_array(arrays, "ends", np.float64)
        require_state(len(ends) == 2, "the ends of a sketch")
        made.lowest, made.highest = ends.tolist()
        made._require_consistent(known)
        return made

    def _require_consistent(self, known: tuple[Floats, Counts]) -> None:
        """Refuse a state whose numbers are not finite, not in order, or not as many as it says."""
        values, counts = known
        require_state(len(values) == len(counts) and bool((values[1:] > values[:-1]).all()), "the known numbers")
        require_state(self.is_exact or not len(values), "the known numbers")
        kept = np.concatenate([values, *self._waiting, *self._levels])
        inside = (kept >= self.lowest) & (kept <= self.highest) & np.isfinite(kept)
        require_state(bool(inside.all() and (counts > 0).all()), "the numbers of a sketch")
        n = int(counts.sum()) + self._n_waiting + sum(len(part) << level for level, part in enumerate(self._levels))
        require_state(n == self.n_finite, "how many numbers a sketch has seen")
        halved = np.concatenate([self._raised, self._lowered])
        require_state(len(self._raised) == len(self._lowered) == MAX_LEVELS and bool((halved >= 0).all()), "an error")


def joined(known: tuple[Floats, Counts], new: tuple[Floats, Counts]) -> tuple[Floats, Counts]:
    """Different values, ascending, with counts: those of both, where equal values add their counts."""
    values, counts = known[0], known[1].copy()
    places = np.searchsorted(values, new[0])
    is_known = np.append(values, np.nan)[places] == new[0]
    counts[places[is_known]] += new[1][is_known]
    at, added = places[~is_known], new[0][~is_known]
    return np.insert(values, at, added), np.insert(counts, at, new[1][~is_known])


def with_ends(values: Floats, counts: Counts, lowest: float, highest: float) -> tuple[Floats, Counts]:
    """Ascending values with counts, where one row each of the first and the last becomes the lowest and the highest."""
    if values[0] != lowest:
        values, counts = np.append(lowest, values), np.append(1, counts)
        counts[1] -= 1
    if values[-1] != highest:
        values, counts = np.append(values, highest), np.append(counts, 1)
        counts[-2] -= 1
    return values[counts > 0], counts[counts > 0]
