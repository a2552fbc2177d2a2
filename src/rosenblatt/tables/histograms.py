"""Numbers as they were spread over training rows: bars to draw, and numbers to draw at random.

Takes counts of rows between edges. Returns labels with counts, or numbers. Never sees a row: within a bin, numbers are
taken to be spread evenly.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["drawn_numbers", "number_histogram", "single_values"]

Floats = NDArray[np.float64]
N_BARS = 8
MAX_SINGLE = 10
"""Most different values that have a bin each."""
ROUNDING = 1e-7


def number_histogram(counts: Sequence[int], ends: Floats, write: Callable[[float], str]) -> tuple[list[str], list[int]]:
    """Labels and counts: single values where bins are of such, else eight intervals of equal width.

    Parameters
    ----------
    counts : sequence of int, length n_bins
    ends : ndarray of shape (n_bins + 1,)
        The lowest number, the edges between bins, and the highest number.
    write : callable
        A number as text.
    """
    if not sum(counts):
        return [], []
    values = single_values(ends)
    if values is not None:
        return [write(value) for value in values], list(counts)
    steps = np.arange(N_BARS + 1) / N_BARS
    wanted = ends[0] * (1 - steps) + ends[-1] * steps
    reached = np.interp(wanted, ends, np.concatenate([[0], np.cumsum(counts)])).round().astype(int)
    texts = [write(float(end)) for end in wanted]
    return [f"{a} to {b}" for a, b in pairwise(texts)], np.diff(reached).tolist()


def single_values(ends: Floats) -> list[float] | None:
    """The values in each bin if it has only one, as edges then lie midway between these; else None."""
    lowest, highest = float(ends[0]), float(ends[-1])
    if len(ends) - 1 > MAX_SINGLE:
        return None
    values = [lowest]
    for edge in ends[1:-1].tolist():
        values.append(edge + (edge - values[-1]))
    close = abs(values[-1] - highest) <= ROUNDING * max(abs(highest), highest - lowest)
    return [*values[:-1], highest] if close else None


def drawn_numbers(counts: Sequence[int], ends: Floats, rng: Any, n: int) -> Floats:
    """So many numbers, NaN with the share of the last of `counts`, which is that of missing cells."""
    total = np.array(counts, np.float64)
    chosen = rng.choice(len(counts), size=n, p=total / total.sum())
    place, single = rng.random(n), single_values(ends)
    low, high = (np.append(part, np.nan) for part in (ends[:-1], ends[1:]))
    if single is not None:
        return np.asarray(np.append(single, np.nan)[chosen], np.float64)
    return np.asarray(low[chosen] * (1 - place) + high[chosen] * place)
