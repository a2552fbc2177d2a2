"""What rows and columns are besides inputs: weights, groups, times, ids.

Takes a table without its target, and for each role an array or the name of a column. Returns the columns that are left
as inputs, and the fields of a `TabularTask`. Never leaves a column that was named for a role among the inputs, and
never guesses the group, the time or the weight of a row.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt._checks import check_weights
from rosenblatt._suggestions import suggestion
from rosenblatt.tables.kinds import doubtful_order, parse_levels
from rosenblatt.tables.readers.cells import read_cells, read_texts
from rosenblatt.tables.readers.reading import is_nameless, read_table
from rosenblatt.tables.table import Column, Table, TableError, level_column, warn_of_columns

__all__ = ["Roles", "assign_roles", "group_column", "is_name", "time_column", "time_reader", "weights_in"]

Array = NDArray[Any]
Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Roles:
    """What a user gives for each role.

    Attributes
    ----------
    sample_weight, groups, time : array-like of shape (n_rows,), name of a column, or None
    id : name or list of names of columns, or None
    """

    sample_weight: Any = None
    groups: Any = None
    time: Any = None
    id: Any = None

    def __post_init__(self) -> None:
        if self.groups is not None and self.time is not None:
            raise ValueError(
                "groups and time are both given, but rows are held out either by groups or by time. Give groups if new "
                "rows will be of new groups, and time if they will be later ones."
            )

    @property
    def any_given(self) -> bool:
        """Whether there is a role at all."""
        return any(value is not None for value in (self.sample_weight, self.groups, self.time, self.id))

    @property
    def ids(self) -> list[str]:
        """The names of the id columns."""
        given = [] if self.id is None else [self.id] if is_name(self.id) else self.id
        if not (isinstance(given, (list, tuple)) and all(is_name(name) for name in given)):
            raise TypeError(f"id is {shown(self.id)}; it must be the name of a column, or a list of names.")
        return list(dict.fromkeys(map(str, given)))

    @property
    def names(self) -> dict[str, str]:
        """The column of each role that is given by name, but for ids."""
        given = {"sample_weight": self.sample_weight, "groups": self.groups, "time": self.time}
        return {role: str(value) for role, value in given.items() if is_name(value)}

    @property
    def columns(self) -> dict[str, str]:
        """The role of each column that is named, which is then no input."""
        return dict.fromkeys(self.ids, "id") | {name: role for role, name in self.names.items()}

    def of_array(self) -> Roles:
        """The roles for an array, whose columns have no names: a whole number as weight is that of all rows."""
        weight = self.sample_weight
        return self if isinstance(weight, str) or not is_name(weight) else replace(self, sample_weight=float(weight))

    def require_names(self, X: Any) -> None:
        """Refuse names for the columns of an array."""
        for name, role in self.columns.items():
            if is_nameless(X):
                raise TypeError(
                    f"{role} is the name {name!r}, but an array's columns have no names; give {role} as an array too."
                )

    def overrides(self, targets: Collection[str], kinds: Mapping[str, str]) -> dict[str, str]:
        """The kinds of columns without those that have a role; a `TableError` where these contradict each other."""
        others = {name: role for role, name in self.names.items() if role != "sample_weight"}
        others |= dict.fromkeys(self.ids, "id")
        if (weights := self.names.get("sample_weight")) in others:
            raise TableError(
                f"sample_weight and {others[weights]} both name the column {weights!r}. Name one for each."
            )
        for name, role in self.columns.items():
            if name in targets:
                raise TableError(f"{role} names the target {name!r}; a column has one role. Leave {role} out.")
            if kinds.get(name, "ignored") != "ignored":
                raise TableError(
                    f"kinds says that {name!r} is {kinds[name]}, but {role} names it, so that it is no input. To use "
                    f"it as both, give {role} as an array."
                )
        return {name: kind for name, kind in kinds.items() if name not in self.columns}


def is_name(given: Any) -> bool:
    """Whether it is the name of a column: a text, or a whole number such as 3."""
    return isinstance(given, str) or (isinstance(given, Integral) and not isinstance(given, bool))


def shown(given: Any) -> str:
    """What was given, on one line."""
    shape = getattr(given, "shape", ())
    return f"an array of shape {shape}" if shape else f"{' '.join(repr(given).split()):.60}"


def assign_roles(table: Table, given: Roles, rows: Rows | None = None) -> tuple[Table, dict[str, Any]]:
    """The inputs, and the fields of a `TabularTask` that say what rows are.

    Parameters
    ----------
    table : Table
        Without the target.
    given : Roles
        Arrays have a value for each row of the table.
    rows : ndarray of int64, optional
        The rows to keep, where others have no target. Cells of the others are not looked at.

    Raises
    ------
    ValueError
        It names the role, and the column or the row. Groups, times and weights are refused where a cell is missing;
        groups and times also where all are equal.
    """
    kept = np.arange(table.n_rows) if rows is None else rows
    found = {role: role_column(role, getattr(given, role), table) for role in ("groups", "time", "sample_weight")}
    groups, times, weights = (None if column is None else column.take(kept) for column in found.values())
    ids = {name: named_column("id", name, table) for name in given.ids}
    fields: dict[str, Any] = {
        "groups": None if groups is None else codes_of(groups, given.names.get("groups")),
        "group_column": given.names.get("groups"),
        "weight_column": given.names.get("sample_weight"),
        "times": None if times is None else times_of(times, given.names.get("time")),
        "weights": weights_of(weights, given.sample_weight, table.n_rows, kept),
        "ids": Table(ids, table.n_rows).take(kept) if ids else None,
    }
    if ids and groups is None and times is None:
        warn_of_repeats(fields["ids"])
    inputs = table.drop(given.columns)
    return inputs if rows is None else inputs.take(rows), fields


# Columns ------------------------------------------------------------------------------------------------------------


def role_column(role: str, given: Any, table: Table) -> Column | None:
    """The values of a role as a column as long as the table; None if none are given, and for an array of weights."""
    if is_name(given):
        return named_column(role, str(given), table)
    if given is None or role == "sample_weight":
        return None
    expected = f"it must be an array of shape ({table.n_rows},), or the name of a column."
    if not hasattr(given, "__iter__") or isinstance(given, (Mapping, set, frozenset, bytes)):
        raise TypeError(f"{role} is {shown(given)}; {expected}")
    if getattr(given, "ndim", 1) != 1:
        raise ValueError(f"{role} has shape {np.shape(given)}; {expected}")
    cells = given if hasattr(given, "__len__") else list(given)
    if isinstance(given, (list, tuple)) and given and all(isinstance(n, str) and n in table.columns for n in given):
        raise TypeError(f"{role} is {shown(given)}, which names several columns; it takes one. Join them into one.")
    if len(cells) != table.n_rows:
        raise ValueError(f"X has {table.n_rows} rows, but {role} has {len(cells)}; {expected}")
    column = read_table({role: cells})[role]
    if column.problem:
        raise TableError(
            f"{role} must hold numbers, dates or texts, one for each row, but {without_place(column.problem)}"
        )
    return column


def without_place(problem: str) -> str:
    """What is wrong with the cells of a column, without its name and the advice to leave it out."""
    return problem.split(". ")[0].partition("' ")[2] + "."


def named_column(role: str, name: str, table: Table) -> Column:
    """The column that a role names."""
    if name not in table.columns:
        raise TableError(f"{role} names a column {name!r} that is not there.{suggestion(name, table.columns)}")
    table.columns[name].require_readable()
    return table.columns[name]


def label_of(role: str, name: str | None) -> str:
    """How a message calls a role's values: ``groups`` for an array, ``groups (column 'shop')`` for a column."""
    return role if name is None else f"{role} (column {name!r})"


def require_cells(column: Column, label: str, advice: str) -> None:
    """Refuse missing cells."""
    missing = np.flatnonzero(column.missing)
    if len(missing):
        raise TableError(f"{label} is missing in {column.name_rows(missing)} (the first row is 1). {advice}")


def group_column(table: Table, name: str) -> Column:
    """The column of the groups, in which no cell may be missing."""
    column = named_column("groups", name, table)
    require_groups(column, name)
    return column


def require_groups(column: Column, name: str | None) -> None:
    """Refuse rows without a group."""
    advice = "Fill it in, with a value of its own for a row that belongs to no other, or leave the rows out."
    require_cells(column, label_of("groups", name), advice)


def codes_of(column: Column, name: str | None) -> Rows:
    """The group of each row, numbered from 0 in the order of their values."""
    label = label_of("groups", name)
    require_groups(column, name)
    levels = level_column(column)
    distinct, codes = np.unique(levels.values, return_inverse=True)
    if len(distinct) == 1:
        raise TableError(
            f"{label} is {levels.levels[distinct[0]]!r} in every row: of a single group, nothing can be held out. "
            "Leave groups out."
        )
    if len(distinct) == len(codes):
        warn_of_columns([f"{label} differs in every row, so that it keeps no rows together."], "")
    return codes.astype(np.int64)


def times_of(column: Column, name: str | None) -> NDArray[np.float64]:
    """The time of each row as a number: dates as days since 1970-01-01, also where they are written as text."""
    label = label_of("time", name)
    require_times(column, label)
    values = time_reader(column, label)(column)
    require_finite_times(column, values, label)
    if values.min() == values.max():
        cell = level_column(column).levels[0] if column.storage != "text" else column.levels[int(column.values[0])]
        raise TableError(f"{label} is {cell} in every row: no row is later than another. Leave time out.")
    return values


def time_column(table: Table, name: str) -> Column:
    """The column of the times, in which no cell may be missing or infinite."""
    column, label = named_column("time", name, table), label_of("time", name)
    require_times(column, label)
    if column.storage != "text":
        require_finite_times(column, column.values, label)
    return column


def require_times(column: Column, label: str) -> None:
    """Refuse rows without a time, and times that are Booleans."""
    require_cells(column, label, "Fill it in, or leave the rows out.")
    if column.storage == "boolean":
        raise TableError(f"{label} holds Booleans; it must hold dates or numbers.")


def require_finite_times(column: Column, values: Array, label: str) -> None:
    """Refuse infinite times."""
    if np.isinf(values).any():
        where = column.name_rows(np.flatnonzero(np.isinf(values)))
        raise TableError(f"{label} is infinite in {where} (the first row is 1). Put a date or a finite number there.")


def time_reader(column: Column, label: str) -> Callable[[Column], NDArray[np.float64]]:
    """What reads the times of this column, or of other rows of it, as numbers; texts are dates or else numbers."""
    if column.storage != "text":
        return lambda of: np.asarray(of.values, np.float64)
    dates, numbers = read_texts(column, "date"), read_texts(column, "number")
    if dates is not None and not dates.others:
        if note := doubtful_order(column, dates):
            warn_of_columns([f"{label}: {note}."], "")
        month_first = dates.order.month_first
        return lambda of: read_cells(of, "date", month_first=month_first)
    if numbers is not None and not numbers.others:
        number_format = numbers.format
        return lambda of: read_cells(of, "number", number_format)
    found = dates or numbers
    wrong = np.flatnonzero(found.is_other(column)) if found is not None else np.arange(len(column.values))
    text, where = column.levels[int(column.values[wrong[0]])], column.name_rows(wrong[:1])
    raise TableError(f"{label} must hold dates or numbers, but {where} says {text!r} (the first row is 1).")


def weights_of(column: Column | None, given: Any, n_rows: int, kept: Rows) -> NDArray[Any] | None:
    """The weights of the rows that are kept, from a column or an array."""
    if column is None:
        return None if given is None else check_weights(check_weights(given, n_rows)[kept], len(kept))
    return check_weights(weight_numbers(column), len(kept))


def weights_in(table: Table, name: str) -> NDArray[np.float64]:
    """The weights in a column of some rows, all of which may be zero."""
    return weight_numbers(named_column("sample_weight", name, table))


def weight_numbers(column: Column) -> NDArray[np.float64]:
    """Cells as weights: finite numbers of at least 0."""
    label = label_of("sample_weight", column.name)
    if column.storage == "date":
        raise TableError(f"{label} holds dates; weights are numbers of at least 0.")
    require_cells(column, label, "Fill it in: weights are numbers of at least 0.")
    try:
        numbers = parse_levels(column, "A weight is a number of at least 0.") if column.storage == "text" else column
    except TableError as error:
        raise TableError(f"{label} must hold numbers, but {str(error).partition(', but ')[2] or error}") from None
    wrong = np.flatnonzero((numbers.values < 0) | np.isinf(numbers.values))
    if len(wrong):
        where = f"{column.name_rows(wrong[:1])} (the first row is 1)"
        raise TableError(f"{label} is {numbers.values[wrong[0]]:g} in {where}; weights are finite and at least 0.")
    return np.asarray(numbers.values, np.float64)


def warn_of_repeats(ids: Table, of_what: str = "rows") -> None:
    """Warn of ids that occur in several rows, which may belong together; `of_what` says which rows these are."""
    codes = np.column_stack([level_column(column).values for column in ids.columns.values()])
    known = np.flatnonzero((codes >= 0).all(axis=1))
    _, place, counts = np.unique(codes[known], axis=0, return_inverse=True, return_counts=True)
    if not len(known) or counts.max() == 1:
        return
    n_repeated = int(counts[counts > 1].sum())
    most = int(np.argmax(counts))
    example = next(iter(ids.columns.values()))
    rows = example.name_rows(known[np.flatnonzero(place.ravel() == most)])
    names = ", ".join(map(repr, ids.columns))
    how = f"say groups={next(iter(ids.columns))!r}" if len(ids.columns) == 1 else "give their groups by groups="
    warn_of_columns(
        [
            f"id ({names}) repeats: {n_repeated:,} of {len(codes):,} {of_what} share theirs with others, such as "
            f"{rows}. If such rows belong together, {how}, so that the score is that of rows whose group was not "
            "trained on."
        ],
        "",
    )
