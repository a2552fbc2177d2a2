"""From a table to what a tabular network reads: scaled numbers, flags, level numbers.

Goes in: training rows for `fit_preparation`, any rows for `Preparation.transform`. Comes out: `Prepared`, the same for
the same cells whatever the frame and the order of its columns. What was learned is plain data.

Numbers: (x - median) / interquartile range (half of the range where that is zero), then x / sqrt(1 + (x/3)^2), which
keeps outliers within 3 (Holzmüller et al. 2024, arXiv:2407.04491); infinite ones are 3 and -3. A missing number becomes
the median and sets a flag. Text is read as the training rows' texts were; a cell that is no number counts as missing.
Categories: one flag for two levels (-1 or 1), one for each of up to eight, scaled like numbers; more levels are
numbered, for an embedding, and those that occur once share number 0 with missing and unseen ones. Dates: the day, and
where on the circles of the year and the week it lies.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.tables.cells import PLURALS, read_levels, read_texts
from rosenblatt.tables.kinds import ColumnKind, date_text, level_column
from rosenblatt.tables.numerals import NumberFormat
from rosenblatt.tables.table import Column, Table, TableError, TableWarning, join_names, suggestion

__all__ = ["CategoryRule", "NumberRule", "Preparation", "Prepared", "fit_preparation"]

Array = NDArray[Any]
CLIP = 3.0
MOST_FLAGS = 8
"""A category of more levels is embedded."""
FEWEST_ROWS_OF_LEVEL = 2
MOST_MISFITS = 5
"""So many columns are named in a warning."""
PLAIN = NumberFormat()
CIRCLES = {"year": 365.2425, "week": 7.0}
"""Periods of dates in days."""


@dataclass(frozen=True)
class Prepared:
    """Rows as a network reads them.

    Attributes
    ----------
    numbers : ndarray of float32, shape (n_rows, n_numbers)
    flags : ndarray of float32, shape (n_rows, n_flags)
    codes : ndarray of int32, shape (n_rows, n_coded)
        0 is for missing, rare and unseen levels.
    """

    numbers: Array
    flags: Array
    codes: Array


@dataclass(frozen=True)
class Scaling:
    """Centers and spreads of columns of numbers, by which they are scaled and softly cut to (-3, 3)."""

    centers: tuple[float, ...]
    spreads: tuple[float, ...]

    @classmethod
    def of(cls, values: Array) -> Scaling:
        """Learned from the finite cells of [n, k], center 0 where there are none; without variation the spread is 1."""
        centers, spreads = [], []
        for column in np.asarray(values, dtype=np.float64).T:
            finite = column[np.isfinite(column)]
            low, center, high = np.percentile(finite if len(finite) else np.zeros(1), [25, 50, 75])
            half = (finite.max() - finite.min()) / 2 if len(finite) else 0.0
            spread = high - low if high > low else half if half > 0 else 1.0
            centers.append(float(center))
            spreads.append(max(float(spread), 1e-290))
        return cls(tuple(centers), tuple(spreads))

    def __call__(self, values: Array) -> Array:
        """Scaled float32; missing cells become 0."""
        with np.errstate(over="ignore"):  # what overflows is cut
            scaled = (values - np.array(self.centers)) / np.array(self.spreads)
        scaled = np.clip(np.nan_to_num(scaled, nan=0.0), -1e100, 1e100)
        return np.asarray(scaled / np.sqrt(1.0 + np.square(scaled / CLIP)), dtype=np.float32)


@dataclass(frozen=True)
class NumberRule:
    """A column of numbers or dates: scaled columns, and a flag if cells were missing in training.

    Text is read by `format`, or as dates by `month_first`; those of `texts` are known to count as missing.
    """

    name: str
    storage: str
    circles: tuple[str, ...]
    scaling: Scaling
    indicator: bool
    format: NumberFormat = PLAIN
    month_first: bool = False
    texts: tuple[str, ...] = ()

    @property
    def numbers(self) -> list[str]:
        """Names of the columns that it makes."""
        return [self.name, *(f"{self.name}, {part} of {circle}" for circle in self.circles for part in ("sin", "cos"))]

    @property
    def flags(self) -> list[str]:
        """Names of the flags that it makes."""
        return [f"{self.name} is missing"] * self.indicator

    def apply(self, column: Column, misfits: list[str]) -> tuple[Array, Array]:
        """Numbers and flags of the rows; cells that are neither numbers nor missing are told to `misfits`."""
        values = self.read(column)
        tell_misfits(column, values, PLURALS[self.storage], self.texts, misfits)
        return self.scaling(parts_of(values, self.circles)), np.isnan(values)[:, None] * np.ones(int(self.indicator))

    def read(self, column: Column) -> NDArray[np.float64]:
        """The cells as float64, NaN where they are missing or nothing of that kind."""
        if column.storage == "text":
            values = read_levels(column.levels, self.storage, self.format, self.month_first)
            return np.asarray(np.append(values, np.nan)[column.values])
        if (column.storage == "date") != (self.storage == "date"):
            return np.full(len(column.values), np.nan)
        return np.asarray(column.values, dtype=np.float64)


@dataclass(frozen=True)
class CategoryRule:
    """A column of levels: a sign for two, flags for a few, else level numbers.

    `scaling` is that of the flags; None where levels are numbered (or two, as -1 and 1).
    """

    name: str
    storage: str
    levels: tuple[str, ...]
    scaling: Scaling | None

    @property
    def coded(self) -> bool:
        """Whether levels are numbered."""
        return self.scaling is None and len(self.levels) != 2

    @property
    def flags(self) -> list[str]:
        """Names of the flags that it makes."""
        if self.coded:
            return []
        if self.scaling is None:
            return [f"{self.name} = {self.levels[1]}"]
        return [f"{self.name} = {level}" for level in self.levels]

    def codes(self, column: Column, misfits: list[str]) -> NDArray[np.int32]:
        """The number of each row's level, from 1; 0 for others. Cells that are no booleans are told to `misfits`."""
        if self.storage == "boolean":
            values = read_booleans(column)
            tell_misfits(column, values, PLURALS["boolean"], (), misfits)
            return np.where(np.isnan(values), 0, np.nan_to_num(values) + 1).astype(np.int32)
        texts = level_column(column)
        place = {level: i for i, level in enumerate(self.levels, start=1)}
        lookup = np.array([place.get(level, 0) for level in texts.levels] + [0], dtype=np.int32)
        return np.asarray(lookup[texts.values])

    def apply(self, column: Column, misfits: list[str]) -> Array:
        """Flags of the rows, [n, n_flags]."""
        codes = self.codes(column, misfits)
        if self.scaling is None:
            return np.array([0.0, -1.0, 1.0], dtype=np.float32)[codes][:, None]
        return self.scaling((codes[:, None] == np.arange(1, len(self.levels) + 1)).astype(np.float64))


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

    rules: tuple[NumberRule | CategoryRule, ...]
    kinds: tuple[ColumnKind, ...]

    @cached_property
    def numbers(self) -> list[str]:
        """Names of the scaled numbers."""
        return [name for rule in self.rules if isinstance(rule, NumberRule) for name in rule.numbers]

    @cached_property
    def flags(self) -> list[str]:
        """Names of the flags."""
        return list(chain.from_iterable(rule.flags for rule in self.rules))

    @cached_property
    def coded(self) -> list[CategoryRule]:
        """The rules of numbered levels."""
        return [rule for rule in self.rules if isinstance(rule, CategoryRule) and rule.coded]

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
            if (rule.storage == "text" if isinstance(rule, CategoryRule) else rule.format.thousands == ".")
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
        misfits: list[str] = []
        numbers = np.empty((table.n_rows, len(self.numbers)), dtype=np.float32)
        flags = np.empty((table.n_rows, len(self.flags)), dtype=np.float32)
        n, f = 0, 0
        for rule in self.rules:
            column = table.columns[rule.name]
            if isinstance(rule, NumberRule):
                n_next, f_next = n + len(rule.numbers), f + len(rule.flags)
                numbers[:, n:n_next], flags[:, f:f_next] = rule.apply(column, misfits)
                n, f = n_next, f_next
            elif not rule.coded:
                flags[:, f : f + len(rule.flags)] = rule.apply(column, misfits)
                f += len(rule.flags)
        codes = [rule.codes(table.columns[rule.name], misfits) for rule in self.coded]
        warn_of(misfits)
        return Prepared(numbers, flags, np.array(codes, dtype=np.int32).reshape(len(codes), table.n_rows).T)

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


def fit_rule(column: Column, kind: ColumnKind) -> NumberRule | CategoryRule:
    """Learn one column's rule."""
    if column.storage == "boolean":
        return CategoryRule(column.name, "boolean", ("false", "true"), None)
    if kind.kind == "categorical":
        return fit_categories(level_column(column))
    storage = "date" if kind.kind == "date" else "number"
    rule = NumberRule(column.name, storage, (), Scaling((0.0,), (1.0,)), False)
    reading = read_texts(column, storage) if column.storage == "text" else None
    if reading is not None:
        rule = replace(rule, format=reading.format, month_first=reading.order.month_first, texts=reading.others)
    values = rule.read(column)
    finite = values[np.isfinite(values)]
    if len(finite) and not math.isfinite(float(finite.max()) - float(finite.min())):
        span = f"{finite.min():g} to {finite.max():g}"
        raise TableError(f"column {column.name!r} spans more than float64 can hold: {span}. Take its logarithm.")
    circles = tuple(name for name, days in CIRCLES.items() if storage == "date" and varies(finite, days))
    scaling = Scaling.of(parts_of(values, circles))
    return replace(rule, circles=circles, scaling=scaling, indicator=bool(np.isnan(values).any()))


def fit_categories(column: Column) -> CategoryRule:
    """Signs, flags or numbers, by how many levels there are."""
    counts = np.bincount(column.values[column.values >= 0], minlength=len(column.levels))
    seen = sorted(level for level, count in zip(column.levels, counts, strict=True) if count)
    if len(seen) == 2:
        return CategoryRule(column.name, "text", tuple(seen), None)
    if len(seen) <= MOST_FLAGS:
        rule = CategoryRule(column.name, "text", tuple(seen), Scaling((0.0,) * len(seen), (1.0,) * len(seen)))
        flags = rule.codes(column, [])[:, None] == np.arange(1, len(seen) + 1)
        return replace(rule, scaling=Scaling.of(flags.astype(np.float64)))
    frequent = {level for level, count in zip(column.levels, counts, strict=True) if count >= FEWEST_ROWS_OF_LEVEL}
    kept = sorted(frequent) if len(frequent) > 2 else seen
    return CategoryRule(column.name, "text", tuple(kept), None)


def read_booleans(column: Column) -> NDArray[np.float64]:
    """The cells as 0 and 1, NaN where they are missing or neither."""
    if column.storage == "text":
        values = read_levels(column.levels, "boolean", NumberFormat(), False)
        return np.asarray(np.append(values, np.nan)[column.values])
    return np.where((column.values == 0) | (column.values == 1), column.values, np.nan)


def tell_misfits(
    column: Column, values: NDArray[np.float64], plural: str, known: Sequence[str], misfits: list[str]
) -> None:
    """A sentence on the cells that are present but could not be read, other than the texts that training knew."""
    wrong = np.isnan(values) & ~column.missing
    if known and column.storage == "text":
        wrong &= ~np.append(np.isin(column.levels, known), False)[column.values]
    rows = np.flatnonzero(wrong)
    if not len(rows):
        return
    cell = column.values[rows[0]]
    example = repr(column.levels[int(cell)]) if column.storage == "text" else f"{cell:g}"
    if column.storage == "date":
        example = repr(date_text(cell))
    count = "a cell is" if len(rows) == 1 else f"{len(rows)} cells are"
    misfits.append(
        f"column {column.name!r} held {plural} in training; now {count} none and counted as missing, such as "
        f"{example} in {column.name_rows(rows[:1])}."
    )


def warn_of(misfits: Sequence[str]) -> None:
    """One warning for all columns (the first of many) that hold cells of another kind than in training."""
    if misfits:
        rest = len(misfits) - MOST_MISFITS
        more = [f"{rest} more columns hold such cells."] if rest > 0 else []
        warnings.warn(" ".join([*misfits[:MOST_MISFITS], *more]), TableWarning, stacklevel=4)


def parts_of(values: NDArray[np.float64], circles: Sequence[str]) -> NDArray[np.float64]:
    """The values themselves, and sine and cosine of where they lie on circles of so many days; [n, 1 + 2 circles]."""
    angles = [2 * np.pi * values / CIRCLES[name] for name in circles]
    return np.column_stack([values, *chain.from_iterable((np.sin(a), np.cos(a)) for a in angles)])


def varies(days: NDArray[np.float64], period: float) -> bool:
    """Whether dates cover at least one such period, at more than one place in it."""
    return bool(days.max() - days.min() >= period and len(np.unique(np.floor(days % period))) > 1)


# Stored ----------------------------------------------------------------------------------------------------------


def rule_to_dict(rule: NumberRule | CategoryRule) -> dict[str, Any]:
    """A rule as JSON-able data."""
    return asdict(rule)


def rule_from_dict(entry: Any) -> NumberRule | CategoryRule:
    """The rule that `rule_to_dict` was given.

    Raises
    ------
    ValueError
        If the entry is not of that form.
    """
    names = {kind: {field.name for field in fields(kind)} for kind in (NumberRule, CategoryRule)}
    if not isinstance(entry, dict) or set(entry) not in names.values() or not isinstance(entry["name"], str):
        raise ValueError("a column's rule is not of the known form")
    name, storage, scaling = entry["name"], entry["storage"], scaling_from_dict(entry["scaling"])
    if set(entry) == names[NumberRule]:
        circles = texts_of(entry["circles"], name)
        known = storage in ("number", "date") and set(circles) <= set(CIRCLES) and type(entry["indicator"]) is bool
        if not known or scaling is None or len(scaling.centers) != 1 + 2 * len(circles):
            raise ValueError(f"the rule of column {name!r} does not fit together")
        written = entry["format"]
        if not isinstance(written, dict) or set(written) != {"thousands", "decimal", "currency"}:
            raise ValueError(f"the rule of column {name!r} does not say how numbers are written")
        number_format, texts = NumberFormat(**written), texts_of(entry["texts"], name)
        if type(entry["month_first"]) is not bool:
            raise ValueError(f"the rule of column {name!r} does not say how dates are written")
        return NumberRule(
            name, storage, circles, scaling, entry["indicator"], number_format, entry["month_first"], texts
        )
    levels = texts_of(entry["levels"], name)
    if storage not in ("text", "boolean") or not levels or (storage == "boolean" and len(levels) != 2):
        raise ValueError(f"the rule of column {name!r} does not fit together")
    if scaling is not None and len(scaling.centers) != len(levels):
        raise ValueError(f"the rule of column {name!r} does not scale each level")
    return CategoryRule(name, storage, levels, scaling)


def scaling_from_dict(entry: Any) -> Scaling | None:
    """Centers and spreads, or None."""
    if entry is None:
        return None
    if not isinstance(entry, dict) or set(entry) != {"centers", "spreads"}:
        raise ValueError("a column's scaling is not of the known form")
    columns = [entry["centers"], entry["spreads"]]
    numbers = all(
        isinstance(c, (list, tuple)) and all(type(x) is float and math.isfinite(x) for x in c) for c in columns
    )
    if not numbers or len(columns[0]) != len(columns[1]) or not all(x > 0 for x in columns[1]):
        raise ValueError("a column's scaling does not hold finite centers and positive spreads")
    return Scaling(tuple(columns[0]), tuple(columns[1]))


def texts_of(entry: Any, name: str) -> tuple[str, ...]:
    """Different texts."""
    valid = isinstance(entry, (list, tuple)) and all(isinstance(text, str) for text in entry)
    if not valid or len(set(entry)) < len(entry):
        raise ValueError(f"the rule of column {name!r} does not list different texts")
    return tuple(entry)
