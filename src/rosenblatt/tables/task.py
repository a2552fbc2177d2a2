"""A table with its target: what is to be learned from what.

Takes a table, the name of a column, and what the user knows of columns and rows. Returns a `TabularTask`, which the
command line shows and estimators fit. Never changes a cell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib import import_module
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from rosenblatt._checks import check_count, check_flag, check_weights
from rosenblatt._frames import Framed
from rosenblatt._html import paragraph, view
from rosenblatt._html import table as html_table
from rosenblatt.tables.kinds import ColumnKind, column_overrides, infer_kinds
from rosenblatt.tables.leakage import annotate_leakage
from rosenblatt.tables.readers.cells import present_levels
from rosenblatt.tables.readers.reading import read_table
from rosenblatt.tables.readers.streams import TableStream, is_on_disk, open_stream
from rosenblatt.tables.roles import Roles, assign_roles
from rosenblatt.tables.row_hints import annotate_row_hints
from rosenblatt.tables.splits import copies_of, first_rows, split_rows
from rosenblatt.tables.table import Column, Table, TableError, warn_of_columns
from rosenblatt.tables.targets import (
    MAX_INTEGER_CLASSES,
    Target,
    find_target,
    fit_target,
    fit_targets,
    rows_with_target,
)

__all__ = ["ALL_ROWS", "MIN_ROWS", "MIN_WINDOW", "WINDOW", "TabularTask", "may_be_classes", "mixed_numbers"]
__all__ += ["require_rows", "score_on"]

MIN_ROWS = 2
"""Fewest rows to learn from."""
WINDOW, MIN_WINDOW = 2**20, 100
"""Datasets of more rows are not read into memory, unless the user sets another window; and the smallest window."""
ALL_ROWS = 2**62
"""A window that holds every table."""


@dataclass(frozen=True, eq=False)
class TabularTask(Framed):
    """Rows to learn from.

    Attributes
    ----------
    inputs : Table
        Without the target.
    target : Target
    overrides : mapping of str to {"numeric", "categorical", "text", "ignored"}
        Kinds of columns that the user knows better.
    weights : ndarray of shape (n_rows,) or None
    groups : ndarray of int64, shape (n_rows,), or None
        Rows of one group belong together: no split separates them, so that scores are those of new groups.
    times : ndarray of shape (n_rows,) or None
        When each row was made, as a number. Splits then train on earlier rows, and score by later ones.
    ids : Table or None
        The columns that name the rows. They are no inputs.
    n_dropped : int
        Number of rows that were left out because they have no target.
    group_column : str or None
        Name of the column of the groups, if they were given by a name.
    weight_column : str or None
        Name of the column of the weights, likewise.
    """

    inputs: Table
    target: Target
    overrides: Mapping[str, str] = field(default_factory=dict)
    weights: NDArray[Any] | None = None
    groups: NDArray[np.int64] | None = None
    times: NDArray[Any] | None = None
    ids: Table | None = None
    n_dropped: int = 0
    group_column: str | None = None
    weight_column: str | None = None

    def __post_init__(self) -> None:
        n_rows, n_targets = self.inputs.n_rows, len(self.target.values)
        if n_rows != n_targets:
            raise TableError(f"inputs has {n_rows} rows, but target has {n_targets}: each row needs a target.")
        if self.weights is not None:
            object.__setattr__(self, "weights", check_weights(self.weights, n_rows))
        Roles(groups=self.groups, time=self.times)  # not both
        for name, kinds in (("groups", "iu"), ("times", "iuf")):
            if (given := getattr(self, name)) is not None:
                object.__setattr__(self, name, check_row_numbers(name, given, kinds, n_rows))
        if self.ids is not None and self.ids.n_rows != n_rows:
            raise TableError(f"inputs has {n_rows} rows, but ids has {self.ids.n_rows}.")

    @classmethod
    def of(
        cls,
        table: Any,
        target: Any,
        task: str | None = None,
        kinds: Mapping[Any, str] | None = None,
        weights: Any = None,
        ignore: Iterable[Any] | str | None = None,
        encoding: str = "utf-8",
        *,
        groups: Any = None,
        time: Any = None,
        id: Any = None,
        drop_missing_target: bool = False,
        window: int = WINDOW,
        hold_out: bool = True,
        heard: Callable[[str, int, int], object] | None = None,
        opened: Callable[[TableStream], object] | None = None,
    ) -> TabularTask:
        """The task to predict a column of a table from the others.

        Parameters
        ----------
        table : whatever `read_table` or `open_stream` takes
        target : str or list of str
            Name of the column, or of several columns of numbers. Other names, such as 3, are turned into texts.
        task : {"classification", "binary", "multiclass", "regression"}, optional
            Default: what the column holds decides; see `fit_target`.
        kinds : mapping of str to {"numeric", "categorical", "text", "ignored"}, optional
            What columns are, where the guess is wrong.
        weights : array-like of shape (n_rows,) or name of a column, optional
            A column that is named here, or for one of the next roles, is no input.
        ignore : list of str, optional
            Columns to leave out, which may be of any type: short for the kind "ignored".
        encoding : str
            Of a text file.
        groups : array-like of shape (n_rows,) or name of a column, optional
            What rows belong to, such as customers: strings, numbers or dates, none missing.
        time : array-like of shape (n_rows,) or name of a column, optional
            When rows were made: dates or numbers, none missing. Not together with groups.
        id : name or list of names of columns, optional
            Columns that name the rows, as written in a text file.
        drop_missing_target : bool
            Whether rows without a target are left out, and counted in `n_dropped`. By default they are refused.
        window : int
            A dataset of more rows is not read into memory: the task is a `StreamedTask`.
        hold_out : bool
            Whether the fit of such a task holds out rows of it.
        heard : callable, optional
            ``heard(what, done, all)`` is called after each block of a pass over such a dataset.
        opened : callable, optional
            Called with such a dataset before its first pass; it may refuse it.

        Raises
        ------
        TableError
            For a table, a target or a role that cannot be used.
        """
        names = list(dict.fromkeys(map(str, target))) if isinstance(target, list) else [str(target)]
        overrides = column_overrides(kinds, ignore)
        if given := [name for name in names if name in overrides]:
            raise TableError(
                f"kinds or ignore names the target {given[0]!r}; they only say what other columns are. Leave it out."
            )
        roles = Roles(weights, groups, time, id)
        overrides = roles.overrides(names, overrides)
        texts = {name for name, kind in overrides.items() if kind in ("categorical", "text")} | set(roles.ids)
        drop = check_flag("drop_missing_target", drop_missing_target)
        if not names:
            raise TableError("target is an empty list; name the column to predict.")
        check_count("window", window, MIN_WINDOW)
        stream = open_stream(table, encoding=encoding, text=texts, window=window)
        texts |= set() if stream is None else mixed_numbers(stream, overrides)
        if stream is not None and stream.n_rows > window:
            if opened is not None:
                opened(stream)
            how: dict[str, Any] = {"drop_missing": drop, "hold_out": hold_out}
            return streamed(stream, names, task, overrides, roles, texts, heard, **how)
        source = table
        table = read_table(source, encoding=encoding, text=texts) if stream is None else stream.table(text=texts)
        if is_on_disk(source) and task != "regression" and may_be_classes(table.columns.get(names[0]), task):
            table = with_written_target(table, names[0], read_table(source, encoding=encoding, text=names))
        columns = [find_target(table, name) for name in names]
        if set(table.columns) <= {*names, *roles.columns}:
            others = f" and those of {', '.join(sorted({*roles.columns.values()}))}" if roles.columns else ""
            raise TableError(f"the table has no column but the target {', '.join(map(repr, names))}{others}.")
        require_rows(table.n_rows)
        rows = rows_with_target(columns, drop)
        inputs, fields = assign_roles(table.drop(names), roles, rows)
        require_rows(inputs.n_rows)
        columns = columns if rows is None else [column.take(rows) for column in columns]
        found = fit_target(columns[0], task) if len(columns) == 1 else fit_targets(columns, task)
        return cls(inputs, found, overrides, **fields, n_dropped=table.n_rows - inputs.n_rows)

    @cached_property
    def kinds(self) -> tuple[ColumnKind, ...]:
        """The kind of each column of `inputs`, with notes.

        A `TableWarning` says what else the target may be, and names columns that leak it.
        """
        warn_of_columns([f"{self.target.check}."] if self.target.check else [], "")
        kinds, y, table = self._inferred, self.target.values, self.inputs
        if self.copies is not None:  # their targets are known from each other, not from a column
            rows = first_rows(self.copies)
            y, table = y[rows], table.take(rows)
        if y.size == len(y):
            kinds = annotate_leakage(table, kinds, y.ravel(), self.target.classes is not None)
        if self.groups is None and self.times is None:
            kinds = annotate_row_hints(self.inputs, kinds, self.overrides)
        return tuple(kinds)

    @cached_property
    def _inferred(self) -> list[ColumnKind]:
        return infer_kinds(self.inputs, self.overrides)

    @cached_property
    def copies(self) -> NDArray[np.int64] | None:
        """Groups of rows that are equal in all used columns, which every split keeps together; None without copies."""
        used = (self.inputs.columns[kind.name].values for kind in self._inferred if kind.used)
        return copies_of(used, self.inputs.n_rows)

    @cached_property
    def together(self) -> NDArray[np.int64] | None:
        """Groups of rows that no split separates: `groups` or, without them, copies; None if there are none.

        Where the user says what belongs together, copies in two groups do not join these: a few of them could make one
        group of all.
        """
        return self.copies if self.groups is None else self.groups

    @property
    def id_columns(self) -> list[str]:
        """Names of the columns of `ids`."""
        return [] if self.ids is None else list(self.ids.columns)

    def frame_columns(self) -> dict[str, Any]:
        """The inputs and, last, the target; several targets are a column each."""
        decoded = self.target.decoded()
        name = self.target.name or "target"
        several = {f"{name} {i}": column for i, column in enumerate(decoded.T, start=1)} if decoded.ndim > 1 else {}
        return self.inputs.frame_columns() | (several or {name: decoded})

    def _repr_html_(self) -> str:
        given = ("weights", "groups", "times", "ids")
        roles = [name for name in given if getattr(self, name) is not None]
        notes = [f"with {', '.join(roles)}"] if roles else []
        notes += [f"{self.n_dropped:,} rows without a target were left out"] if self.n_dropped else []
        notes += [self.described_rows] if self.described_rows else []
        title = f"{self.target.task} of {self.target.name or 'the target'}: {self.inputs.n_rows:,} rows"
        above = [*map(paragraph, [*notes, self.target.check])]
        try:
            kinds = self._inferred
        except TableError as error:  # a column that cannot be read, which is seen as such among the inputs
            return view(title, *above, paragraph(str(error))) + self.inputs._repr_html_()
        rows = [(kind.name or '""', kind.kind, kind.n_missing, kind.detail, kind.check) for kind in kinds]
        return view(title, *above, html_table(("column", "kind", "missing", "seen", "to check"), rows))

    @property
    def described_rows(self) -> str:
        """Which rows tell what a column is, where these are not all."""
        return ""

    @property
    def score_on(self) -> str:
        """What a score of held-out rows measures, such as "on later rows"."""
        return score_on(self.groups, self.times)

    def take(self, rows: NDArray[np.int64]) -> TabularTask:
        """The task with these rows only; kinds are inferred from them."""
        arrays = {"weights": self.weights, "groups": self.groups, "times": self.times}
        taken: dict[str, Any] = {name: None if array is None else array[rows] for name, array in arrays.items()}
        taken["ids"] = None if self.ids is None else self.ids.take(rows)
        return replace(self, inputs=self.inputs.take(rows), target=self.target.take(rows), **taken)

    def split(self, share: float, seed: int) -> tuple[TabularTask, TabularTask]:
        """Rows to train on and this share of rows to hold out.

        Each class gives its share; copies, and the rows of a group, stay together. With times the latest rows are held
        out.
        """
        labels = None if self.target.classes is None else self.target.values
        training, held_out = split_rows(self.inputs.n_rows, share, seed, labels, self.together, self.times)
        return self.take(training), self.take(held_out)


def score_on(groups: Any, times: Any) -> str:
    """What a score measures if rows are held out by groups or by times, or by neither, where these are None."""
    if times is not None:
        return "on later rows"
    return "on rows not seen in training" if groups is None else "on groups not seen in training"


def check_row_numbers(name: str, given: Any, kinds: str, n_rows: int) -> NDArray[Any]:
    """An array of finite numbers, one for each row, whose type is one of `kinds`."""
    array = np.asarray(given)
    if array.shape != (n_rows,) or array.dtype.kind not in kinds or not np.isfinite(array).all():
        what = "integers" if kinds == "iu" else "finite numbers"
        raise TableError(
            f"{name} is an array of {array.dtype} with shape {array.shape}; it must hold {what}, one for each of the "
            f"{n_rows} rows. TabularTask.of makes them from cells of any type."
        )
    return array.astype(np.int64) if kinds == "iu" else array


def streamed(
    stream: TableStream,
    names: list[str],
    task: str | None,
    overrides: Mapping[str, str],
    roles: Roles,
    texts: Iterable[str],
    heard: Callable[[str, int, int], object] | None,
    **how: Any,
) -> TabularTask:
    """The task of a table that is larger than memory."""
    kind = import_module("rosenblatt.tables.streamed_task")  # of a subclass, which is imported on use
    if heard is not None:
        how["heard"] = heard
    return cast("TabularTask", kind.streamed_task(stream, names, task, overrides, roles, frozenset(texts), **how))


def mixed_numbers(stream: TableStream, overrides: Mapping[str, str]) -> set[str]:
    """Columns that the user calls numeric, and which only some files hold as numbers: they are read from texts."""
    return {name for name, kind in overrides.items() if kind == "numeric" and name in stream.mixed}


def may_be_classes(column: Column | None, task: str | None) -> bool:
    """Whether a column of decimal numbers may hold classes: it does if `task` says so, else if it has few values."""
    if column is None or column.storage != "number" or column.problem:
        return False
    return task is not None or len(np.unique(column.values[~column.missing])) <= MAX_INTEGER_CLASSES


def with_written_target(table: Table, name: str, written: Table) -> Table:
    """The table, with the target as text if a file writes equal numbers in different ways, such as 1.1 and 1.10."""
    column, texts = table.columns[name], written.columns[name]
    merges = texts.storage == "text" and len(present_levels(texts)) > len(np.unique(column.values[~column.missing]))
    return Table({**table.columns, name: texts}, table.n_rows) if merges else table


def require_rows(n_rows: int) -> None:
    """Refuse a table from which nothing can be learned."""
    if n_rows < MIN_ROWS:
        raise TableError(f"there is {n_rows} sample, a single row to learn from; at least {MIN_ROWS} are needed.")
