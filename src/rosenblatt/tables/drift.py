"""How unlike the training rows other rows are, column by column.

Takes a column, its encoder and its training distribution. Returns a `ColumnDrift`, or a sentence for a warning. Never
says why rows differ, and never looks at the target.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.tables.encoders import Encoder
from rosenblatt.tables.reference_distributions import ReferenceDistribution
from rosenblatt.tables.table import Column

__all__ = ["MAX_CHECKED", "MIN_CELLS", "ColumnDrift", "column_drift", "drift_sentence", "population_stability_index"]
__all__ += ["checked_rows", "thinned"]

Floats = NDArray[np.float64]
MIN_CELLS = 20
"""Predictions warn of no column with fewer cells, then or in training: a few odd cells say little."""
MOST_UNLIKE = 0.5
"""They warn if more than this share of the cells that should be like training is not."""
MOST_MISSING = 0.5
"""They warn if the share of missing cells is larger than in training by more than this."""
MAX_CHECKED = 1000
"""They look at so many rows, one of each part of the table."""
SMOOTHING = 0.5
"""Added to the count of each bin."""
CHANCE = 0.95
"""The share of samples whose index is at most `psi_by_chance`, if nothing has changed."""


@dataclass(frozen=True)
class ColumnDrift:
    """How unlike the training rows other rows are in one column.

    Attributes
    ----------
    column : str
    kind : {"number", "date", "category", "boolean", "text"}
    unseen : float or None
        The share of present cells whose level training never saw; for texts, of words. None for numbers and dates.
    out_of_range : float or None
        The share of present cells below the lowest or above the highest one of training. None for other kinds.
    expected : float
        What `unseen` or `out_of_range` would be for more rows like those of training: levels that occur once divided by
        rows (Good 1953), or 2 / (rows + 1).
    missing, missing_in_training : float
        The shares of missing cells.
    psi : float
        The population stability index; see `population_stability_index`.
    psi_by_chance : float
        What 95 % of samples of so many rows would stay below if nothing had changed.
    example : str
        An unseen level or word, or a cell out of range. Empty if there is none.
    """

    column: str
    kind: str
    unseen: float | None
    out_of_range: float | None
    expected: float
    missing: float
    missing_in_training: float
    psi: float
    psi_by_chance: float
    example: str

    @property
    def suspicion(self) -> float:
        """By what columns are ranked: the largest excess of a share or of the index over what is to be expected."""
        share = self.unseen if self.out_of_range is None else self.out_of_range
        excess = (share or 0.0) - self.expected
        return max(excess, abs(self.missing - self.missing_in_training), self.psi - self.psi_by_chance)


def population_stability_index(training: NDArray[Any], now: NDArray[Any]) -> float:
    """How different two distributions over bins are, from 0 for equal ones.

    It is the sum over the bins of (q - p) ln(q / p), where p and q are the shares of training rows and of other rows
    (Siddiqi 2006, *Credit Risk Scorecards*; as a divergence: Jeffreys 1946). Bins that are empty in both are left out.
    To each count of the others half a row is added, so that none is 0: p = (count + 0.5) / (rows + bins / 2). By
    custom, little has changed below 0.1, and much from 0.25 on.

    Parameters
    ----------
    training, now : ndarray of shape (n_bins,)
        Rows in each bin.
    """
    used = (training > 0) | (now > 0)
    p, q = (counts[used] + SMOOTHING for counts in (np.asarray(training), np.asarray(now)))
    p, q = p / p.sum(), q / q.sum()
    return float(((q - p) * np.log(q / p)).sum())


def index_by_chance(training: NDArray[Any], now: NDArray[Any]) -> float:
    """The 95 % quantile of the index of two samples of one distribution.

    The index is nearly (1/n + 1/m) times a chi-square variable with bins - 1 degrees of freedom, for samples of n and m
    rows (Yurdakul and Naranjo 2020, *Journal of Risk Model Validation* 14(4)).
    """
    from scipy.special import chdtri

    n_bins = int(((training > 0) | (now > 0)).sum())
    if n_bins < 2:
        return 0.0
    return float((1 / training.sum() + 1 / now.sum()) * chdtri(n_bins - 1, 1 - CHANCE))


def column_drift(encoder: Encoder, reference: ReferenceDistribution, column: Column) -> ColumnDrift:
    """A column of at least one row beside that of training; cells of another kind than then count as missing."""
    cells, training = reference.bin_cells(encoder, column), np.array(reference.counts)
    unlike = np.flatnonzero(cells.unlike)
    in_range = reference.measures_range
    return ColumnDrift(
        encoder.name,
        encoder.cell_kind,
        None if in_range else cells.share_unlike,
        cells.share_unlike if in_range else None,
        reference.expected,
        float(cells.counts[-1] / cells.counts.sum()),
        reference.missing,
        population_stability_index(training, cells.counts),
        index_by_chance(training, cells.counts),
        reference.example(encoder, column, int(unlike[0])) if len(unlike) else "",
    )


def drift_sentence(encoder: Encoder, reference: ReferenceDistribution, checked: Column, n_rows: int) -> str:
    """What a prediction for `n_rows` rows warns of in a column, or nothing; `checked` are its cells in `checked_rows`.

    A sentence is made if both the column and the training rows have at least `MIN_CELLS` cells that are present, and
    more than `expected` + (1 - `expected`) `MOST_UNLIKE` of them are out of range or levels that training never saw; or
    if the share of missing cells is larger than in training by more than `MOST_MISSING`.
    """
    if n_rows < MIN_CELLS or reference.n_rows < MIN_CELLS:
        return ""
    cells = reference.bin_cells(encoder, checked)
    n_looked = "" if n_rows <= MAX_CHECKED else f" in {MAX_CHECKED:,} rows of {n_rows:,}"
    missing = float(cells.counts[-1] / cells.counts.sum())
    if missing > reference.missing + MOST_MISSING:
        return (
            f"column {checked.name!r}: {missing:.0%} of the cells{n_looked} are missing, but only "
            f"{reference.missing:.0%} were in training."
        )
    n_present = min(int(cells.counts[:-1].sum()), sum(reference.counts[:-1]))
    share, expected = cells.share_unlike, reference.expected
    if n_present < MIN_CELLS or share <= expected + (1 - expected) * MOST_UNLIKE:
        return ""
    row = np.flatnonzero(cells.unlike)[:1]
    example = f"such as {reference.example(encoder, checked, int(row[0]))} in {checked.name_rows(row)}"
    values = f"{share:.0%} of the {'words' if encoder.n_words else 'cells'}{n_looked}"
    return f"column {checked.name!r}: {values} {reference.describe_unlike(encoder)}, {example}."


def checked_rows(n_rows: int) -> NDArray[np.int64]:
    """The rows of a table of `n_rows` that predictions look at: all of a small one, else `MAX_CHECKED`."""
    return np.arange(n_rows) if n_rows <= MAX_CHECKED else spread_rows(n_rows)


def spread_rows(n_rows: int) -> NDArray[np.int64]:
    """A row of each of `MAX_CHECKED` equal parts, the same for equal tables.

    Within its part it is drawn at random: every so-many-th row may be of one sort, such as one hour of the day.
    """
    edges = np.arange(MAX_CHECKED + 1) * n_rows // MAX_CHECKED
    return np.random.default_rng(0).integers(edges[:-1], edges[1:])


def thinned(column: Column, rows: NDArray[np.int64]) -> Column:
    """The column with these rows only, and of its levels those that are left in them."""
    taken = column.take(rows)
    if column.storage != "text":
        return taken
    left, codes = np.unique(taken.values, return_inverse=True)
    n_missing = int((left < 0).sum())  # 0 or 1
    kept = left[n_missing:]
    values = None if column.level_values is None else column.level_values[kept]
    levels = tuple(column.levels[code] for code in kept.tolist())
    return replace(taken, values=(codes - n_missing).astype(np.int32), levels=levels, level_values=values)
