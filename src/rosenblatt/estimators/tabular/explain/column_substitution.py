"""Substitution of one column of the raw table: what would be predicted if its values were those of other rows?

Takes prepared rows, and one prepared column of other rows. Returns predictions, with many substitutions in one batch.
Never reads or prepares anything twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.random import sample_without_replacement

from rosenblatt.estimators.tabular.predictions import predictions_of
from rosenblatt.tables.encoders import Prepared
from rosenblatt.tables.preparation import Preparation

__all__ = [
    *("MAX_ROWS", "MAX_VALUES"),
    "ColumnSlices",
    "Substitution",
    "column_slices",
    "part_of",
    "predict_variants",
    "sample_rows",
]

Array = NDArray[Any]
MAX_ROWS, MAX_VALUES = 1 << 16, 1 << 23
"""Largest numbers of rows and of values that are predicted in one batch."""


@dataclass(frozen=True)
class ColumnSlices:
    """The columns of each part of a `Prepared` that stem from one raw column."""

    name: str
    numbers: slice
    indicators: slice
    codes: slice
    words: slice


@dataclass(frozen=True)
class Substitution:
    """All rows with one column substituted: row i takes row ``rows[i]`` of `part`, which holds that column only."""

    place: ColumnSlices
    part: Prepared
    rows: NDArray[np.int64]


def column_slices(preparation: Preparation) -> list[ColumnSlices]:
    """The slices of all columns that the model uses, in their order."""
    found, at = [], np.zeros(4, np.int64)
    for one in preparation.encoders:
        sizes = np.array([len(one.numbers), len(one.indicators), one.n_codes > 0, one.n_words > 0], np.int64)
        found.append(ColumnSlices(one.name, *(slice(int(a), int(b)) for a, b in zip(at, at + sizes, strict=True))))
        at += sizes
    return found


def part_of(prepared: Prepared, place: ColumnSlices) -> Prepared:
    """The part of `prepared` that stems from one raw column."""
    numbers, indicators = prepared.numbers[:, place.numbers], prepared.indicators[:, place.indicators]
    return Prepared(numbers, indicators, prepared.codes[:, place.codes], prepared.words[place.words])


def predict_variants(model: Any, prepared: Prepared, variants: Sequence[Substitution]) -> Iterator[Array]:
    """The predictions for each variant, [n_rows, k]."""
    n = len(prepared.numbers)
    width = 1 + sum(part.shape[1] for part in (prepared.numbers, prepared.indicators, prepared.codes))
    at_once = max(1, min(MAX_ROWS // n, MAX_VALUES // (n * width)))
    for start in range(0, len(variants), at_once):
        batch = variants[start : start + at_once]
        yield from np.split(predictions_of(model, model.ensemble_.predict(stacked(prepared, batch))), len(batch))


def stacked(prepared: Prepared, variants: Sequence[Substitution]) -> Prepared:
    """The rows of all variants, one variant below the other."""
    from scipy.sparse import vstack

    n = len(prepared.numbers)
    numbers, indicators, codes = (
        np.tile(part, (len(variants), 1)) for part in (prepared.numbers, prepared.indicators, prepared.codes)
    )
    words = [[matrix] * len(variants) for matrix in prepared.words]
    for i, variant in enumerate(variants):
        place, part, rows = variant.place, variant.part, slice(i * n, (i + 1) * n)
        numbers[rows, place.numbers] = part.numbers[variant.rows]
        indicators[rows, place.indicators] = part.indicators[variant.rows]
        codes[rows, place.codes] = part.codes[variant.rows]
        for blocks, matrix in zip(words[place.words], part.words, strict=True):
            blocks[i] = matrix[variant.rows]
    return Prepared(numbers, indicators, codes, tuple(vstack(blocks, format="csr") for blocks in words))


def sample_rows(n: int, most: int, rng: Any) -> NDArray[np.int64]:
    """All rows, or as many as `most` of them, drawn without replacement."""
    if n <= most:
        return np.arange(n)
    return np.asarray(sample_without_replacement(n, most, random_state=rng), dtype=np.int64)
