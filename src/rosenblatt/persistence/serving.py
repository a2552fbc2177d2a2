"""Models that predict from tables in files: tabular estimators as they are, others by the names of their columns.

Takes a loaded model. Returns an object that predicts from a `Table`, as tabular estimators do; or lines that describe
the model. Never fits anything.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier, is_regressor
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import FeatureUnion, Pipeline

from rosenblatt._extras import needed
from rosenblatt._suggestions import article
from rosenblatt.estimators import TabularClassifier, TabularRegressor
from rosenblatt.estimators.tabular.predicted_blocks import PredictedBlock, PredictedBlocks
from rosenblatt.storage.container import ModelFileError
from rosenblatt.tables.readers.streams import TableStream
from rosenblatt.tables.table import Column, Table, dates_of

__all__ = ["TableModel", "describe_steps", "table_model"]


@dataclass(frozen=True)
class KnownColumns:
    """Names of the columns that a model reads, and which of them must stay texts, such as codes with leading zeros."""

    names: list[str]
    text_columns: set[str]


class TableModel:
    """A classifier or regressor that was fitted on named columns, behind the interface of tabular estimators.

    Attributes
    ----------
    preparation_ : KnownColumns
    target_name_ : None
    id_columns_ : empty list
    classes_ : ndarray
        Of a classifier.
    decision_weights_ : ndarray of shape (n_classes,) or None
        If set, the class with the largest probability times its weight is predicted.
    """

    def __init__(self, model: Any) -> None:
        self.model, self.target_name_ = model, None
        self.id_columns_: list[str] = []
        self.decision_weights_: NDArray[Any] | None = None
        names = [str(name) for name in model.feature_names_in_]
        self.preparation_ = KnownColumns(names, {name for name in texts_of(model, names) if name in names})
        if is_classifier(model):
            self.classes_ = model.classes_
            if hasattr(model, "predict_proba"):
                self.predict_proba = lambda table: model.predict_proba(self.frame(table))

    def predict(self, table: Table) -> NDArray[Any]:
        """Predictions for the rows of a table."""
        if self.decision_weights_ is None:
            return np.asarray(self.model.predict(self.frame(table)))
        weighted = self.model.predict_proba(self.frame(table)) * self.decision_weights_
        return np.asarray(self.classes_[weighted.argmax(axis=1)])

    def predict_blocks(self, source: Table | TableStream, *, keep: Collection[str] = ()) -> PredictedBlocks:
        """Predictions block by block, as `TabularClassifier.predict_blocks` gives them."""
        return PredictedBlocks(source, self.preparation_, keep, self._predicted_blocks)

    def _predicted_blocks(self, blocks: Iterable[Table], n_rows: int) -> Iterator[PredictedBlock]:
        for table in blocks:
            probabilities = getattr(self, "predict_proba", None)
            yield PredictedBlock(table, self.predict(table), probabilities and probabilities(table))

    def frame(self, table: Table) -> Any:
        """The model's columns of a table, in their order, as a pandas data frame.

        Raises
        ------
        TableError
            If a column is absent, or cannot be read.
        ModuleNotFoundError
            If pandas is not installed, by which scikit-learn finds columns by their names.
        """
        with needed("finding the columns of a pipeline by name needs", "pandas"):
            import pandas as pd  # type: ignore[import-untyped]
        table.require(self.preparation_.names)
        return pd.DataFrame({name: cells_of(table[name]) for name in self.preparation_.names})


def table_model(model: Any, what: str) -> Any:
    """The model, or a `TableModel` around it; `what` it is from begins the message of an error.

    Raises
    ------
    ModelFileError
        If it is not a classifier or regressor, or was fitted on columns without names.
    """
    if isinstance(model, (TabularClassifier, TabularRegressor)):
        return model
    kind = type(model).__name__
    if not hasattr(model, "get_params") or not (is_classifier(model) or is_regressor(model)):
        raise ModelFileError(f"{what}: it holds {article(kind)}, not a tabular model; use rosenblatt.load in Python.")
    if not hasattr(model, "feature_names_in_"):
        raise ModelFileError(
            f"{what}: it holds {article(kind)} that was fitted on columns without names, so those of a table cannot be "
            "found. Fit it on a data frame, or use rosenblatt.load in Python."
        )
    return TableModel(model)


def cells_of(column: Column) -> NDArray[Any]:
    """The cells of a column as a data frame has them: numbers, dates or texts, with NaN where they are missing."""
    missing = column.missing
    if column.storage == "text":
        levels = np.array([*column.levels, np.nan], object)
        return np.asarray(levels[column.values])  # the code -1 of a missing cell is the last
    if column.storage == "date":
        dates = np.full(len(missing), np.datetime64("NaT"), "datetime64[us]")
        dates[~missing] = dates_of(column.values[~missing])
        return dates
    if missing.any() or column.storage == "number":
        return column.values
    return column.values.astype(np.bool_ if column.storage == "boolean" else np.int64)


def texts_of(part: Any, names: list[str]) -> Iterator[str]:
    """The columns that are learned as texts: by vectorizers, or by encoders whose categories are texts."""
    if isinstance(part, Pipeline):
        for _, step in part.steps:
            yield from texts_of(step, names)
    elif isinstance(part, FeatureUnion):
        for _, step in part.transformer_list:
            yield from texts_of(step, names)
    elif isinstance(part, ColumnTransformer):
        places = vars(part)["_transformer_to_input_indices"]
        own = [str(name) for name in part.feature_names_in_]
        for name, step, _ in part.transformers_:
            yield from texts_of(step, [own[place] for place in places[name]])
    elif hasattr(part, "vocabulary_") or type(part).__name__ == "HashingVectorizer":
        yield from names
    elif hasattr(part, "categories_") and len(part.categories_) == len(names):
        for name, levels in zip(names, part.categories_, strict=True):
            if any(isinstance(level, str) for level in levels):
                yield name


def describe_steps(model: Any, indent: str = "") -> Iterator[str]:
    """A line for each step of a pipeline, with its columns; those inside other steps are further to the right."""
    for name, step, columns in steps_in(model):
        taken = f" of {column_text(columns)}" if columns is not None else ""
        inner = [*steps_in(step)]
        shown = step if isinstance(step, str) else type(step).__name__ if inner else " ".join(repr(step).split())
        yield f"{indent}{name}: {shown}{taken}"
        yield from describe_steps(step, indent + "  ")


def steps_in(model: Any) -> list[tuple[str, Any, Any]]:
    """Names, steps and columns of a pipeline's parts; none of another object."""
    if isinstance(model, ColumnTransformer):
        return [*model.transformers_]
    if isinstance(model, Pipeline):
        return [(name, step, None) for name, step in model.steps]
    if isinstance(model, FeatureUnion):
        return [(name, step, None) for name, step in model.transformer_list]
    if hasattr(model, "regressor_"):
        return [("target", model.transformer_, None), ("regressor", model.regressor_, None)]
    return []


def column_text(columns: Any) -> str:
    """Columns in words, a few of many."""
    if isinstance(columns, (str, int)):
        return f"column {columns!r}"
    if isinstance(columns, slice):
        return f"columns {columns.start} to {columns.stop}"
    listed = [*columns]
    if all(isinstance(column, (bool, np.bool_)) for column in listed):
        listed = [place for place, taken in enumerate(listed) if taken]
    more = f" and {len(listed) - 5} more" if len(listed) > 5 else ""
    return f"{', '.join(map(str, listed[:5])) or 'no columns'}{more}"
