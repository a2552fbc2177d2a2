"""`TabularRegressor`: numbers from raw tables.

Goes in: a table and one or several columns of numbers. Comes out: predictions in the targets' own units. How members
are trained is in `rosenblatt.estimators.tabular`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin, _fit_context
from sklearn.metrics import r2_score
from sklearn.model_selection import KFold, ShuffleSplit
from sklearn.utils.validation import check_array

from rosenblatt.estimators.tabular._base import SMALLEST_HELD_OUT, Folds, TabularEstimator
from rosenblatt.estimators.tabular.design import Settings
from rosenblatt.estimators.tabular.members import Problem
from rosenblatt.tables.table import Column
from rosenblatt.tables.targets import fit_target, numbers

__all__ = ["TabularRegressor"]

Array = NDArray[Any]


class TabularRegressor(RegressorMixin, TabularEstimator):  # type: ignore[misc]
    """Numbers from a raw table: numbers, categories, dates, texts, missing cells.

    Several networks are trained side by side on the standardized target, each on all folds of the rows but one, which
    chooses its best epoch; the mean of what they predict, cut to the range of the training targets, is the prediction.

    Parameters
    ----------
    preset : {"fast", "default", "best"}
        How much training is done: a single small network, an ensemble of small ones, or one of larger ones.
    time_budget : float, optional
        Seconds that `fit` may take. Members and epochs are planned to fit into it, and training ends there.
    kinds : mapping of str to {"numeric", "categorical", "ignored"}, optional
        What columns are, where the guess is wrong.
    members : int, optional
        Networks, which is also the number of folds; 1: one network, with a fifth of the rows held out.
    epochs, hidden, learning_rate, dropout, weight_decay, batch_size : optional
        Instead of the preset's: most epochs; neurons of each hidden layer; peak of the learning rate; share of neurons
        that are dropped, and decay of the weights, both in the first half of training; rows of a step.
    random_state : int, RandomState instance or None, default=0
        Of folds, initial weights, row orders and masks. Equal seeds give equal models.
    on_epoch : callable, optional
        Called with an `Epoch` after each epoch of a network, such as ``print``; from other threads, one at a time.

    Attributes
    ----------
    score_ : float
        R2 of the out-of-fold predictions: an honest estimate, if a slightly low one, as single members made them.
    out_of_fold_ : ndarray of shape (n_rows,) or (n_rows, n_targets)
        Predictions of the training rows by members that did not train on them; NaN where all did.
    target_name_ : str or None
        Of the column that is predicted, if it had a name.
    n_features_in_, feature_names_in_
        As in scikit-learn.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from rosenblatt import TabularRegressor
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> model = TabularRegressor(preset="fast").fit(X, y)
    >>> model.predict(X).shape
    (442,)
    """

    _score_name: ClassVar[str] = "R2"
    _presets: ClassVar[Mapping[str, Settings]] = MappingProxyType(
        {
            "fast": Settings(members=1),
            "default": Settings(),
            "best": Settings(hidden=(256, 256, 256), members=8, epochs=128),
        }
    )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> TabularRegressor:
        """Learn from a table.

        Parameters
        ----------
        X : data frame, mapping of arrays, path of a CSV or Parquet file, or array of shape (n_rows, n_columns)
        y : array-like of shape (n_rows,) or (n_rows, n_targets), or str
            A text is the name of the column of X that is to be predicted.
        sample_weight : array-like of shape (n_rows,), optional

        Returns
        -------
        TabularRegressor
            Itself.

        Raises
        ------
        ValueError
            Names the column or the target, and what to do.
        """
        course = self._course()
        table, y = self._read_training(X, y)
        self._require_target(y)
        y = check_array(y, ensure_2d=False, dtype=np.float64, input_name="y")
        self._require_rows(table.n_rows, y)
        targets = y.reshape(len(y), -1)
        self._mean, self._lowest, self._highest = targets.mean(axis=0), targets.min(axis=0), targets.max(axis=0)
        spread = targets.std(axis=0)
        self._scale = np.where(spread > 0, spread, 1.0)
        self._one_target = y.ndim == 1
        self._draw_seed()
        standard = ((targets - self._mean) / self._scale).astype(np.float32)
        problem = Problem(targets.shape[1], "identity", "squared_error", root_mean_square)
        folds = self._folds(len(y), self._settings().members)
        self._ensemble = self._fit_ensemble(table, standard, problem, folds, sample_weight, course)
        self.out_of_fold_ = self._in_units(self._ensemble.out_of_fold(len(y)))
        seen = ~np.isnan(self.out_of_fold_.reshape(len(y), -1)[:, 0])
        weights = None if sample_weight is None else np.asarray(sample_weight)[seen]
        self.score_ = float(r2_score(y[seen], self.out_of_fold_[seen], sample_weight=weights))
        return self

    def _values_of(self, column: Column) -> Array:
        fit_target(column, "regression")
        return numbers(column)

    def predict(self, X: Any) -> Array:
        """The mean of each row's target, shape (n_rows,) or (n_rows, n_targets)."""
        return self._in_units(self._outputs(X))

    def _in_units(self, outputs: Array) -> Array:
        """Standardized outputs in the targets' units, within the range of the training targets."""
        values = np.clip(outputs * self._scale + self._mean, self._lowest, self._highest)
        return np.asarray(values[:, 0] if self._one_target else values)

    def _folds(self, n: int, members: int) -> Folds:
        members = min(members, n)
        splitter = (
            ShuffleSplit(1, test_size=SMALLEST_HELD_OUT, random_state=self._seed)
            if members == 1
            else KFold(members, shuffle=True, random_state=self._seed)
        )
        return [(a.astype(np.int64), b.astype(np.int64)) for a, b in splitter.split(np.empty((n, 1)))]


def root_mean_square(y: Array, prediction: Array, weights: Array | None = None) -> float:
    """The root of the (weighted) mean squared error over rows and targets."""
    return float(np.sqrt(np.average(np.mean(np.square(prediction - y, dtype=np.float64), axis=1), weights=weights)))
