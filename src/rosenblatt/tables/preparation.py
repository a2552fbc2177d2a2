"""From a table to what a tabular network reads: scaled numbers, flags, level numbers.

Goes in: training rows for `fit_preparation`, any rows for `Preparation.transform`. Comes out: `Prepared`, the same for
the same cells whatever the frame and the order of its columns. What was learned is plain data.

Numbers: (x - median) / interquartile range (half of the range where that is zero), then x / sqrt(1 + (x/3)^2), which
keeps outliers within 3 (Holzmüller et al. 2024, arXiv:2407.04491); infinite ones are 3 and -3. A missing number becomes
the median and sets a flag. Text is read as the training rows' texts were; a cell that is no number counts as missing.
Categories: one flag for two levels (-1 or 1), one for each of up to eight, scaled like numbers; more levels are
numbered, for an embedding, and those that occur once share number 0 with missing and unseen ones. Dates: the day, and
where on the circles of the year and the week it lies. Sentences: weighted counts of words. `rules` has the details.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt._warnings import warn_user
from rosenblatt.tables.encoders import CategoricalEncoder, NumericEncoder, Rule, TextEncoder, fit_rule
from rosenblatt.tables.kinds import ColumnKind
from rosenblatt.tables.stored_rules import rule_from_dict, rule_to_dict
from rosenblatt.tables.table import Table, TableError, TableWarning, join_names, suggestion

__all__ = ["Preparation", "Prepared", "fit_preparation"]

Array = NDArray[Any]
MAX_MISFITS = 5
"""So many columns are named in a warning."""


@dataclass(frozen=True)
class Prepared:
    """Rows as a network reads them.

    Attributes
    ----------
    numbers : ndarray of float32, shape (n_rows, n_numbers)
    flags : ndarray of float32, shape (n_rows, n_flags)
    codes : ndarray of int32, shape (n_rows, n_coded)
        0 is for missing, rare and unseen levels.
    words : tuple of CSR matrices of float32, shape (n_rows, N_WORDS)
    """

    numbers: Array
    flags: Array
    codes: Array
    words: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Preparation:
    """The rules of all used columns, and what is said about every column.

    Attributes
    ----------
    rules : tuple of rules
        In the order of the training table.
    kinds : tuple of ColumnKind
        Of all columns, those that are left out included.
    """

    rules: tuple[Rule, ...]
    kinds: tuple[ColumnKind, ...]

    @cached_property
    def numbers(self) -> list[str]:
        """Names of the scaled numbers."""
        return [name for rule in self.rules for name in rule.numbers]

    @cached_property
    def flags(self) -> list[str]:
        """Names of the flags."""
        return [name for rule in self.rules for name in rule.flags]

    @cached_property
    def coded(self) -> list[CategoricalEncoder]:
        """The rules of numbered levels."""
        return [rule for rule in self.rules if isinstance(rule, CategoricalEncoder) and rule.coded]

    @cached_property
    def texts(self) -> list[TextEncoder]:
        """The rules of columns of sentences."""
        return [rule for rule in self.rules if isinstance(rule, TextEncoder)]

    @property
    def levels(self) -> list[int]:
        """How many level numbers each coded column has, 0 included."""
        return [len(rule.levels) + 1 for rule in self.coded]

    @property
    def text_columns(self) -> list[str]:
        """Columns whose cells a file's reader must not take for numbers: "1.234" may be 1234 here, or a level."""
        return [
            rule.name
            for rule in self.rules
            if isinstance(rule, TextEncoder)
            or (rule.storage == "text" if isinstance(rule, CategoricalEncoder) else rule.format.thousands == ".")
        ]

    def transform(self, table: Table) -> Prepared:
        """The rows of a table that has all columns of the training table; others are ignored.

        Cells of another kind than in training count as missing, with a `TableWarning` that names them.

        Raises
        ------
        TableError
            For a missing column.
        """
        self._require_columns(table)
        type_mismatches: list[str] = []
        numbers = np.empty((table.n_rows, len(self.numbers)), dtype=np.float32)
        flags = np.empty((table.n_rows, len(self.flags)), dtype=np.float32)
        n, f = 0, 0
        for rule in self.rules:
            column = table.columns[rule.name]
            if isinstance(rule, NumericEncoder):
                n_next, f_next = n + len(rule.numbers), f + len(rule.flags)
                numbers[:, n:n_next], flags[:, f:f_next] = rule.apply(column, type_mismatches)
                n, f = n_next, f_next
            elif isinstance(rule, CategoricalEncoder) and not rule.coded:
                flags[:, f : f + len(rule.flags)] = rule.apply(column, type_mismatches)
                f += len(rule.flags)
        codes = [rule.codes(table.columns[rule.name], type_mismatches) for rule in self.coded]
        warn_mismatches(type_mismatches)
        words = tuple(rule.apply(table.columns[rule.name]) for rule in self.texts)
        return Prepared(numbers, flags, np.array(codes, dtype=np.int32).reshape(len(codes), table.n_rows).T, words)

    def to_dict(self) -> dict[str, Any]:
        """The rules, and what is said of the columns, as JSON-able data."""
        return {"rules": [rule_to_dict(rule) for rule in self.rules], "kinds": [asdict(kind) for kind in self.kinds]}

    @classmethod
    def from_dict(cls, entry: Any) -> Preparation:
        """What `to_dict` gave.

        Raises
        ------
        ValueError
            If the entry is not of that form.
        """
        if not isinstance(entry, dict) or set(entry) != {"rules", "kinds"}:
            raise ValueError("the preparation is not of the known form")
        rules, kinds = entry["rules"], entry["kinds"]
        if not isinstance(rules, list) or not rules or not isinstance(kinds, list):
            raise ValueError("the preparation has no rules")
        types = {"name": str, "kind": str, "n_missing": int, "detail": str, "check": str}
        for kind in kinds:
            if not isinstance(kind, dict) or {key: type(value) for key, value in kind.items()} != types:
                raise ValueError("the kind of a column is not of the known form")
        read = tuple(rule_from_dict(rule) for rule in rules)
        if len({rule.name for rule in read}) < len(read):
            raise ValueError("a column has two rules")
        return cls(read, tuple(ColumnKind(**kind) for kind in kinds))

    def _require_columns(self, table: Table) -> None:
        absent = [rule.name for rule in self.rules if rule.name not in table.columns]
        if len(absent) == 1:
            raise TableError(f"the table has no column {absent[0]!r}.{suggestion(absent[0], table.columns)}")
        if absent:
            raise TableError(
                f"the table lacks {len(absent)} of the columns that training used: {join_names(absent)}. It has: "
                f"{join_names(list(table.columns))}."
            )


def fit_preparation(table: Table, kinds: Sequence[ColumnKind]) -> Preparation:
    """Learn the rules from training rows.

    Parameters
    ----------
    table : Table
        The training rows, without the target.
    kinds : sequence of ColumnKind
        As `infer_kinds` finds them.
    """
    rules = tuple(fit_rule(table.columns[kind.name], kind) for kind in kinds if kind.used)
    return Preparation(rules, tuple(kinds))


def warn_mismatches(type_mismatches: Sequence[str]) -> None:
    """One warning for all columns (the first of many) that hold cells of another kind than in training."""
    if type_mismatches:
        rest = len(type_mismatches) - MAX_MISFITS
        more = [f"{rest} more columns hold such cells."] if rest > 0 else []
        warn_user(" ".join([*type_mismatches[:MAX_MISFITS], *more]), TableWarning)
