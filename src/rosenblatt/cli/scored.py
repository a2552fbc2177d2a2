"""Rows of a file that are scored: a table with the target of a task or of a model.

Takes a file, and what training knows of columns and target. Returns a `ScoredRows`, or raises a `TableError` that names
the file. Never predicts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rosenblatt._suggestions import suggestion
from rosenblatt.cli.session import named
from rosenblatt.tables.readers.reading import read_table
from rosenblatt.tables.readers.streams import BLOCK_ROWS, TableStream, open_stream
from rosenblatt.tables.roles import Roles, assign_roles
from rosenblatt.tables.table import Column, Table, TableError
from rosenblatt.tables.targets import Target, find_target, labels_of_column, numbers_of_column
from rosenblatt.tables.task import TabularTask

__all__ = ["ScoredRows", "inputs_of_model", "of_model", "read_scored", "rows_of_model"]


@dataclass(frozen=True)
class ScoredRows:
    """Inputs, target and weights of the rows, which the `file` holds.

    Perhaps also what they belong to, as whole numbers, and the columns that name them.
    """

    inputs: Table
    target: Target
    weights: Any = None
    file: str = ""
    groups: Any = None
    ids: Table | None = None

    @classmethod
    def of_task(cls, task: TabularTask) -> ScoredRows:
        """The rows of a task."""
        return cls(task.inputs, task.target, task.weights, groups=task.groups, ids=task.ids)

    def inputs_with_roles(self, model: Any) -> Table:
        """The inputs, and the columns of ids, groups and weights that the model was trained with, if they are known."""
        columns = {**self.inputs.columns, **({} if self.ids is None else self.ids.columns)}
        if (name := model.group_column_) is not None and self.groups is not None:
            columns[name] = Column(name, "integer", np.asarray(self.groups, np.float64))
        if (name := model.weight_column_) is not None and self.weights is not None:
            columns[name] = Column(name, "number", np.asarray(self.weights, np.float64))
        return Table(columns, self.inputs.n_rows)

    def require_columns(self, names: Iterable[str]) -> None:
        """Refuse rows that lack a column which the model will need."""
        for name in names:
            if name not in self.inputs.columns:
                raise TableError(f"{self.file}: there is no column {name!r}.{suggestion(name, self.inputs.columns)}")


def read_scored(
    file: Path,
    encoding: str,
    training: Target,
    texts: Collection[str],
    inputs: Collection[str],
    weight: str | None = None,
    others: Collection[str] = (),
) -> ScoredRows:
    """The rows of a file with the target of training.

    `texts` are the columns of `inputs` that hold texts, and `weight` is the column that says how much each row counts.
    Columns that are named in `others` are read, too, if they are there.
    """
    names = target_names(training)
    written = names if training.classes is not None and training.classes.dtype.kind in "OUT" else []
    reads = {*inputs, *names, *others, weight}.__contains__
    table = read_table(file, encoding=encoding, text={*texts, *written}, reads=reads)
    where = named(file)
    try:
        columns = [find_target(table, name) for name in names]
        if training.classes is not None:
            values: Any = labels_of_column(columns[0], training.classes)
        else:
            values = np.column_stack([numbers_of_column(column) for column in columns])
            values = values[:, 0] if len(columns) == 1 else values
        weights = None if weight is None else weights_of(table, weight)
    except TableError as error:
        raise TableError(f"{where}: {error}") from None
    return ScoredRows(table.drop(names), Target(training.name, values, training.classes), weights, where)


def weights_of(table: Table, name: str) -> Any:
    """The column of weights, checked."""
    _, fields = assign_roles(table, Roles(sample_weight=name))
    return fields["weights"]


def target_names(training: Target) -> Sequence[str]:
    """The columns of the target; several have a name that lists them."""
    several = training.values.ndim > 1 and training.name is not None
    if training.name is None:
        raise TableError("the model learned from an array, whose target has no name; score it in Python.")
    return training.name.split(", ") if several else [training.name]


def inputs_of_model(model: Any, file: Path, encoding: str, others: Collection[str] = ()) -> Table:
    """The columns of a file that a model uses, and `others`, which are read as they are written."""
    known = model.preparation_
    reads = {*known.names, *others}.__contains__
    return read_table(file, encoding=encoding, text={*known.text_columns, *others}, reads=reads)


def rows_of_model(model: Any, file: Path, encoding: str, others: Collection[str] = ()) -> Table | TableStream:
    """The same as a stream, if the file is a dataset of more rows than one block."""
    text = {*model.preparation_.text_columns, *others}
    stream = open_stream(file, encoding=encoding, text=text, window=BLOCK_ROWS)
    return inputs_of_model(model, file, encoding, others) if stream is None else stream


def of_model(
    model: Any, file: Path, encoding: str, weight: str | None = None, others: Collection[str] = ()
) -> ScoredRows:
    """The rows of a file with the target of a model; columns that are named in `others` are read, too."""
    classes, known = getattr(model, "classes_", None), model.preparation_
    n_targets = 1 if classes is not None or model.one_target_ else len(model.target_scaler_.center)
    if classes is None and model.fitted_parameter("quantiles") is not None:
        n_targets = 1
    values = np.empty(0) if n_targets == 1 else np.empty((0, n_targets))
    training = Target(model.target_name_, values, classes)
    texts = {*known.text_columns, *model.id_columns_}
    return read_scored(file, encoding, training, texts, known.names, weight, others)
