"""Rows in which one column of the raw table is exchanged: what would be predicted if it were another one's?

Takes prepared rows, and what one column is prepared as in other rows. Returns predictions, many exchanges in one batch.
Never reads or prepares anything twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.random import sample_without_replacement

from rosenblatt.tables.encoders import Prepared
from rosenblatt.tables.preparation import Preparation

__all__ = [
    "ColumnSlices",
    "Substitution",
    "column_slices",
    "part_of",
    "predict_variants",
    "predictions_of",
    "sample_rows",
]

Array = NDArray[Any]
MAX_ROWS, MAX_VALUES = 1 << 16, 1 << 23
"""Of a batch that is predicted at once."""


@dataclass(frozen=True)
class ColumnSlices:
    """Where what was made of one raw column lies in each part of a `Prepared`."""

    name: str
    numbers: slice
    indicators: slice
    codes: slice
    words: slice


@dataclass(frozen=True)
class Substitution:
    """All rows with one column exchanged: for row i the row ``rows[i]`` of `part`, which holds that column only."""

    place: ColumnSlices
    part: Prepared
    rows: NDArray[np.int64]


def column_slices(preparation: Preparation) -> list[ColumnSlices]:
    """Of all columns that are used, in their order."""
    found, at = [], np.zeros(4, np.int64)
    for one in preparation.encoders:
        sizes = np.array([len(one.numbers), len(one.indicators), one.n_codes > 0, one.n_words > 0], np.int64)
        found.append(ColumnSlices(one.name, *(slice(int(a), int(b)) for a, b in zip(at, at + sizes, strict=True))))
        at += sizes
    return found


def part_of(prepared: Prepared, place: ColumnSlices) -> Prepared:
    """One raw column's part."""
    numbers, indicators = prepared.numbers[:, place.numbers], prepared.indicators[:, place.indicators]
    return Prepared(numbers, indicators, prepared.codes[:, place.codes], prepared.words[place.words])


def predict_variants(model: Any, prepared: Prepared, variants: Sequence[Substitution]) -> Iterator[Array]:
    """Predictions of each variant, [n_rows, k]; many are predicted in one batch."""
    n = len(prepared.numbers)
    width = 1 + sum(part.shape[1] for part in (prepared.numbers, prepared.indicators, prepared.codes))
    at_once = max(1, min(MAX_ROWS // n, MAX_VALUES // (n * width)))
    for start in range(0, len(variants), at_once):
        batch = variants[start : start + at_once]
        yield from np.split(predictions_of(model, model.ensemble_.predict(stacked(prepared, batch))), len(batch))


def stacked(prepared: Prepared, variants: Sequence[Substitution]) -> Prepared:
    """The rows of all variants below each other."""
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


def predictions_of(model: Any, outputs: Array) -> Array:
    """Probabilities of the classes, or targets in their units, from what an ensemble gives; [n, k]."""
    if hasattr(model, "classes_"):
        return np.asarray(outputs / outputs.sum(axis=1, keepdims=True))
    return np.asarray(model.target_scaler_.decode(outputs))


def sample_rows(n: int, most: int, rng: Any) -> NDArray[np.int64]:
    """All rows, or as many as `most` of them, drawn without replacement."""
    if n <= most:
        return np.arange(n)
    return np.asarray(sample_without_replacement(n, most, random_state=rng), dtype=np.int64)
