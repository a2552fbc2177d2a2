"""Predictions for a table of any size, block by block.

Takes a fitted tabular estimator and rows: a table in memory, or a `TableStream`. Returns predictions for blocks of
rows, in the order of the rows, each the same as if all rows were predicted at once. Never holds more than two blocks of
a stream: the one that is predicted, and the next, which a thread reads meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt._suggestions import join_names, suggestion
from rosenblatt.storage.read_ahead import ReadAhead
from rosenblatt.tables.drift import thinned
from rosenblatt.tables.preparation import Preparation, PreparedBlocks
from rosenblatt.tables.readers.reading import is_nameless, read_table
from rosenblatt.tables.readers.streams import BLOCK_ROWS, TableStream, open_stream
from rosenblatt.tables.table import Table, TableError

__all__ = ["BlockPredictor", "PredictedBlock", "PredictedBlocks"]

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class PredictedBlock:
    """Some rows of a table, one after the other, and what is predicted for them.

    Attributes
    ----------
    table : Table
        The columns that the model uses, and those that were kept.
    predictions : ndarray of shape (n_rows,) or (n_rows, n_targets)
        As `predict` gives them.
    probabilities : ndarray of shape (n_rows, n_classes) or None
        As `predict_proba` gives them; None if there are no classes.
    """

    table: Table
    predictions: Array
    probabilities: Array | None = None


class PredictedBlocks:
    """The predictions for a table: iterate over it, as often as you like; each time the table is read anew.

    Attributes
    ----------
    n_rows : int
        Of the whole table.
    reading_seconds : float
        The time that reading took in the iteration so far, most of it while blocks were predicted.
    """

    def __init__(
        self,
        source: Table | TableStream,
        known: Any,
        keep: Collection[str],
        predicted: Callable[[Iterable[Table], int], Iterator[PredictedBlock]],
    ) -> None:
        """`known` has the `names` and the `text_columns` of a model; `predicted` predicts tables of so many rows."""
        names = source.columns if isinstance(source, Table) else dict.fromkeys(source.columns)
        if absent := [name for name in keep if name not in names]:
            raise TableError(f"there is no column {absent[0]!r} to keep.{suggestion(absent[0], names)}")
        self.n_rows = source.n_rows
        self._source, self._known, self._keep, self._predicted = source, known, keep, predicted
        self._blocks: ReadAhead[Table] = ReadAhead(())

    @property
    def reading_seconds(self) -> float:
        return self._blocks.seconds

    def __iter__(self) -> Iterator[PredictedBlock]:
        self._blocks = ReadAhead(blocks_of(self._source, self._known, self._keep))
        return self._predicted(self._blocks, self.n_rows)


class BlockPredictor:
    """A tabular estimator that predicts tables of any size."""

    preparation_: Preparation
    ensemble_: Any
    target_name_: str | None
    window: int
    n_features_in_: int
    _checked_array: Callable[[Any], Array]
    _predicted: Callable[[Array], tuple[Array, Array | None]]

    def predict_blocks(self, X: Any, *, keep: Collection[str] = ()) -> PredictedBlocks:
        """Predictions for a table that need not fit in memory, block by block.

        Memory does not grow with the number of rows. The next block is read while one is predicted. Where rows are
        unlike those of training, one warning for the whole table comes after the last block.

        Parameters
        ----------
        X : table, as in `predict`
            Datasets are read in blocks: a file, a folder or a pattern of Parquet or CSV files, for example.
        keep : collection of str, optional
            Columns that the model does not use, such as the names of the rows, which the blocks have, too; as texts
            where a file of text holds them.

        Returns
        -------
        PredictedBlocks
            Iterate over it: each block has ``table``, ``predictions`` and ``probabilities``.

        Raises
        ------
        TableError
            If the table lacks a column. While blocks are read: if a file is damaged or has changed; it names file, row
            and column.

        Examples
        --------
        >>> import numpy as np
        >>> from rosenblatt import TabularRegressor
        >>> X = np.random.default_rng(0).normal(size=(70_000, 2))
        >>> model = TabularRegressor("fast", max_iter=2).fit(X[:100], X[:100, 0] * X[:100, 1])
        >>> [len(block.predictions) for block in model.predict_blocks(X)]
        [65536, 4464]
        """
        self._require_fitted()
        source = self._opened(X, keep, window=BLOCK_ROWS)
        return PredictedBlocks(source, self.preparation_, keep, self._predicted_blocks)

    def _opened(self, X: Any, keep: Collection[str] = (), *, window: int) -> Table | TableStream:
        """X as a stream if it is a dataset of more rows than `window`."""
        if isinstance(X, TableStream):
            return X
        stream = open_stream(X, text={*self.preparation_.text_columns, *keep}, window=window)
        return self._read_rows(X, keep) if stream is None else stream

    def _require_fitted(self) -> None:
        if "ensemble_" not in vars(self):
            from sklearn.utils.validation import check_is_fitted  # predicting alone needs no scikit-learn

            check_is_fitted(self, "ensemble_")

    def _read_rows(self, X: Any, keep: Collection[str] = ()) -> Table:
        """X as a table, whose columns are called as those of `fit`; columns to `keep` are read, too."""
        if hasattr(X, "tocsr"):
            raise TypeError(f"A sparse matrix was passed, but {type(self).__name__} takes tables; use X.toarray().")
        if is_nameless(X):
            self._require_no_names(X)
            return read_table({f"x{i}": column for i, column in enumerate(self._checked_array(X).T)})
        table = self._read_known(X, keep)
        if not hasattr(self, "feature_names_in_") and not self.preparation_.names <= set(table.columns):
            raise TableError(
                f"X names its columns {join_names(list(table.columns))}, but the model learned from an array of "
                f"{self.n_features_in_} columns without names. Give such an array, or call them 'x0', 'x1', ...."
            )
        return table

    def _require_no_names(self, X: Any) -> None:
        """Refuse an array after a table with names: which of its columns is which would be a guess."""
        if hasattr(self, "feature_names_in_"):
            names, shape = list(self.feature_names_in_), np.shape(X)
            count = f" and are {shape[1]}" if len(shape) == 2 and shape[1] != len(names) else ""
            raise TableError(
                f"X is an array, whose columns have no names{count}, but the model learned from {len(names)} columns "
                f"with names: {join_names(names)}. Give a data frame or a mapping with these names."
            )

    def _read_known(self, X: Any, keep: Collection[str]) -> Table:
        """The columns of X that training used, those to keep, and the target if it is there; others are only named."""
        preparation = self.preparation_
        target = self.target_name_ or ""
        known = {*preparation.names, *keep, target, *target.split(", ")}  # of several targets, too
        return read_table(X, text={*preparation.text_columns, *keep}, reads=known.__contains__)

    def _output_blocks(self, blocks: Iterable[Table], n_rows: int) -> Iterator[tuple[Table, Array]]:
        """Each block with the ensemble's mean outputs, (n_rows, n_outputs)."""
        rows = PreparedBlocks(self.preparation_, n_rows)
        for table in blocks:
            yield table, self.ensemble_.predict(rows.transform(table))
        rows.warn()

    def _predicted_blocks(self, blocks: Iterable[Table], n_rows: int) -> Iterator[PredictedBlock]:
        for table, outputs in self._output_blocks(blocks, n_rows):
            yield PredictedBlock(table, *self._predicted(outputs))

    def _outputs(self, X: Any) -> Array:
        """The ensemble's mean outputs for raw rows, (n_rows, n_outputs)."""
        self._require_fitted()
        source = self._opened(X, window=self.window)
        if isinstance(source, Table):
            return np.asarray(self.ensemble_.predict(self.preparation_.transform(source)))
        blocks = ReadAhead(blocks_of(source, self.preparation_))
        return np.concatenate([outputs for _, outputs in self._output_blocks(blocks, source.n_rows)])


def blocks_of(source: Table | TableStream, known: Any, keep: Collection[str] = ()) -> Iterator[Table]:
    """The columns that a model knows, and those to keep, in blocks; a table without rows is one block."""
    if isinstance(source, TableStream):
        text = {*known.text_columns, *keep, *(source.mixed.intersection(known.names))}
        yield from source.blocks(text=text, reads={*known.names, *keep}.__contains__)
    elif source.n_rows <= BLOCK_ROWS:
        yield source
    else:
        for start in range(0, source.n_rows, BLOCK_ROWS):
            rows = np.arange(start, min(start + BLOCK_ROWS, source.n_rows))
            yield Table({name: thinned(column, rows) for name, column in source.columns.items()}, len(rows))
