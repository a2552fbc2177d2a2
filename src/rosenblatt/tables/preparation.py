"""From a table to what a tabular network reads: scaled numbers, indicators, level numbers, words.

Takes training rows for `fit_preparation`, any rows for `Preparation.transform`. Returns `Prepared`, the same for the
same cells whatever the frame and the order of its columns. Never changes a cell; what was learned is plain data.

Numbers: (x - median) / interquartile range (half of the range where that is zero), then x / sqrt(1 + (x/3)^2), which
keeps outliers within 3 (Holzmüller et al. 2024, arXiv:2407.04491); infinite ones are 3 and -3. A missing number becomes
the median and sets an indicator. Text is read as in the training rows; a cell that is no number counts as
missing. Categories: one indicator for two levels (-1 or 1), one for each of up to eight, scaled like numbers; more
levels are numbered, for an embedding, and those that occur once share number 0 with missing and unseen ones. Dates: the
day, and cyclic features of the year and the week. Sentences: weighted counts of words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from rosenblatt.tables.drift import ColumnDrift, checked_rows, column_drift, drift_sentence, thinned
from rosenblatt.tables.encoders import Encoder, Mismatch, Prepared, encoder_from_state, fit_encoder
from rosenblatt.tables.joining import concat
from rosenblatt.tables.kinds import ColumnKind
from rosenblatt.tables.reference_distributions import ReferenceDistribution, fit_reference, reference_from_state
from rosenblatt.tables.table import Table, TableError, warn_of_columns

__all__ = ["Preparation", "PreparedBlocks", "fit_preparation"]


@dataclass(frozen=True)
class Preparation:
    """What was learned of the columns, in the order of the training table.

    `encoders` and `references` are those of the used columns, `kinds` those of all.
    """

    encoders: tuple[Encoder, ...]
    kinds: tuple[ColumnKind, ...]
    references: tuple[ReferenceDistribution, ...]

    @cached_property
    def numbers(self) -> list[str]:
        """Names of the scaled numbers."""
        return [name for encoder in self.encoders for name in encoder.numbers]

    @cached_property
    def indicators(self) -> list[str]:
        """Names of the indicators."""
        return [name for encoder in self.encoders for name in encoder.indicators]

    @property
    def n_codes(self) -> list[int]:
        """How many level numbers, including 0, each column of numbered levels has."""
        return [encoder.n_codes for encoder in self.encoders if encoder.n_codes]

    @property
    def n_words(self) -> list[int]:
        """The columns of each matrix of words."""
        return [encoder.n_words for encoder in self.encoders if encoder.n_words]

    @cached_property
    def names(self) -> frozenset[str]:
        """Columns that are used."""
        return frozenset(encoder.name for encoder in self.encoders)

    @property
    def text_columns(self) -> list[str]:
        """Columns whose cells must be read as texts from a file."""
        return [encoder.name for encoder in self.encoders if encoder.reads_text]

    def transform(self, table: Table) -> Prepared:
        """The rows of a table that has all columns that training used; others may be of any type.

        Cells of another kind than in training count as missing. A `TableWarning` names columns with such cells, and
        those whose cells are mostly unlike the training ones; see `drift_sentence`.
        """
        rows = PreparedBlocks(self, table.n_rows)
        prepared = rows.transform(table)
        rows.warn()
        return prepared

    def transform_training(self, table: Table) -> Prepared:
        """Some of the training rows, as `transform` prepares them; they may well be unlike the others."""
        self.require_columns(table)
        return Prepared.side_by_side([encoder.prepare(table.columns[encoder.name], []) for encoder in self.encoders])

    def compare(self, table: Table) -> list[ColumnDrift]:
        """How unlike the training rows those of a table are, in each used column.

        Cells of another kind than in training count as missing; no warning says so.
        """
        self.require_columns(table)
        if not table.n_rows:
            raise TableError("the table has no rows, so there is nothing to compare with the training rows.")
        pairs = zip(self.encoders, self.references, strict=True)
        return [column_drift(encoder, reference, table.columns[encoder.name]) for encoder, reference in pairs]

    def require_columns(self, table: Table) -> None:
        """Refuse a table that lacks a column, or one whose cells could not be read."""
        table.require(encoder.name for encoder in self.encoders)

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON-able data."""
        encoders, references = ([part.to_state() for part in parts] for parts in (self.encoders, self.references))
        return {"encoders": encoders, "kinds": [asdict(kind) for kind in self.kinds], "references": references}

    @classmethod
    def from_dict(cls, entry: Any) -> Preparation:
        """What `to_dict` gave; a `ValueError` for anything else."""
        if not isinstance(entry, dict) or set(entry) != {"encoders", "kinds", "references"}:
            raise ValueError("the preparation is not of the known form")
        encoders, kinds = entry["encoders"], entry["kinds"]
        if not isinstance(encoders, list) or not encoders or not isinstance(kinds, list):
            raise ValueError("the preparation has no encoders")
        types = {"name": str, "kind": str, "n_missing": int, "detail": str, "check": str}
        for kind in kinds:
            if not isinstance(kind, dict) or {key: type(value) for key, value in kind.items()} != types:
                raise ValueError("the kind of a column is not of the known form")
        read = tuple(encoder_from_state(encoder) for encoder in encoders)
        if len({encoder.name for encoder in read}) < len(read):
            raise ValueError("a column has two encoders")
        references = references_from_state(entry["references"], read)
        return cls(read, tuple(ColumnKind(**kind) for kind in kinds), references)


class PreparedBlocks:
    """The blocks of one table of `n_rows` rows, prepared one after the other; what is odd is said once, at the end.

    Each block's columns know the numbers of their rows in the whole table. Kept are counts of odd cells, and the cells
    of at most `MAX_CHECKED` rows.
    """

    def __init__(self, preparation: Preparation, n_rows: int) -> None:
        self.preparation, self.n_rows, self.n_done = preparation, n_rows, 0
        self.mismatches: dict[str, Mismatch] = {}
        self.checked: list[Table] = []

    def transform(self, table: Table) -> Prepared:
        """The rows of the next block, as networks read them."""
        self.preparation.require_columns(table)
        found, parts = list[Mismatch](), []
        for encoder in self.preparation.encoders:
            parts.append(encoder.prepare(table.columns[encoder.name], found))
        for one in found:
            known = self.mismatches.get(one.column)
            self.mismatches[one.column] = one if known is None else known.followed_by(one)
        self._keep_checked(table)
        return Prepared.side_by_side(parts)

    def _keep_checked(self, table: Table) -> None:
        """Keep the cells of the rows that `drift_sentence` looks at."""
        rows = checked_rows(self.n_rows) - self.n_done
        rows = rows[(rows >= 0) & (rows < table.n_rows)]
        self.n_done += table.n_rows
        columns = {encoder.name: table.columns[encoder.name] for encoder in self.preparation.encoders}
        if len(rows) < table.n_rows:
            columns = {name: thinned(column, rows) for name, column in columns.items()}
        self.checked.append(Table(columns, len(rows)))

    def warn(self) -> None:
        """One `TableWarning` for all rows.

        It names columns with cells of another kind, and those whose cells are mostly unlike the training ones; see
        `drift_sentence`.
        """
        checked, sentences = concat(self.checked), list[str]()
        for encoder, reference in zip(self.preparation.encoders, self.preparation.references, strict=True):
            if encoder.name in self.mismatches:
                sentences.append(self.mismatches[encoder.name].sentence)
            else:
                found = drift_sentence(encoder, reference, checked.columns[encoder.name], self.n_rows)
                sentences += [found] if found else []
        warn_of_columns(sentences, "hold such cells")


def fit_preparation(table: Table, kinds: Sequence[ColumnKind]) -> Preparation:
    """Learn encoders and distributions from training rows without the target; `infer_kinds` finds the `kinds`."""
    encoders = tuple(fit_encoder(table.columns[kind.name], kind) for kind in kinds if kind.used)
    references = tuple(fit_reference(encoder, table.columns[encoder.name]) for encoder in encoders)
    return Preparation(encoders, tuple(kinds), references)


def references_from_state(entries: Any, encoders: Sequence[Encoder]) -> tuple[ReferenceDistribution, ...]:
    """The training distribution of each encoder's column; all are of the same number of rows."""
    if not isinstance(entries, list) or len(entries) != len(encoders):
        raise ValueError("there is no training distribution for each encoder")
    found = [reference_from_state(entry, encoder) for entry, encoder in zip(entries, encoders, strict=True)]
    if len({reference.n_rows for reference in found}) > 1:
        raise ValueError("the training distributions are of different numbers of rows")
    return tuple(found)
