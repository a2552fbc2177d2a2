"""`TabularRegressor`: numbers from raw tables.

Takes a table and one or several columns of numbers. Returns predictions in the targets' own units. Never trains a
network itself: `ensemble` and `member` do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import check_array

from rosenblatt._checks import narrow_weights
from rosenblatt.estimators.base import check_target_array, set_parameters
from rosenblatt.estimators.tabular.architecture import Settings
from rosenblatt.estimators.tabular.base import TabularEstimator
from rosenblatt.estimators.tabular.ensemble import Fold
from rosenblatt.estimators.tabular.member import FitBudget
from rosenblatt.estimators.tabular.metrics import REGRESSIONS, RegressionLoss, regression_of
from rosenblatt.estimators.tabular.named_scores import named_rows, require_same_rows, weights_for_score
from rosenblatt.estimators.tabular.parameters import CONSTRAINTS, describe_shared_parameters
from rosenblatt.estimators.tabular.predictions import NumberPredictions
from rosenblatt.estimators.tabular.problem import Data, Problem
from rosenblatt.estimators.tabular.target_scaling import TargetScaler, fit_target_scaler
from rosenblatt.estimators.tabular.target_transform import choose_target_transform, has_heavy_tail
from rosenblatt.metrics import quantiles_of
from rosenblatt.tables.streamed_task import StreamedTask
from rosenblatt.tables.targets import Target, check_target_range
from rosenblatt.tables.task import WINDOW, TabularTask

__all__ = ["TabularRegressor"]

Array = NDArray[Any]
N_RESIDUALS = 1001
"""Quantiles of the out-of-fold errors that are kept."""


@describe_shared_parameters
class TabularRegressor(NumberPredictions, RegressorMixin, TabularEstimator):  # type: ignore[misc]
    """Numbers from a raw table: numbers, categories, dates, texts, missing cells.

    Several networks are trained side by side on the standardized target. Each is trained on all folds of the rows but
    one, which chooses its best epoch. The prediction is the mean of theirs, clipped to the range of training targets.

    Parameters
    ----------
    {preset}
    loss : {"squared_error", "absolute_error", "poisson"}
        The loss to minimize. The first predicts means, the second medians. The third predicts means of counts, or of
        other numbers that are never negative and whose variance grows with their mean.
    quantiles : sequence of float, optional
        Rising numbers between 0 and 1. These quantiles are predicted instead of the mean, with a column for each. They
        are calibrated, so that about a share q of new rows lies below quantile q.
    target_transform : {"auto", "log"} or None
        "log" learns the logarithm of the target and predicts means of the target itself. "auto" does so if the target
        has a heavy tail (it is never negative, and its skewness is above 2) and a trial on the first fold is better.
    {shared_parameters}

    Attributes
    ----------
    score_ : float
        R2 of the out-of-fold predictions (for other losses D2, the reduction of the loss relative to the best
        constant). Single members made these predictions, which
        is slightly pessimistic. Without groups or time, the held-out rows also choose the best epoch: with few rows,
        the score is somewhat optimistic. ``score_on_`` says what rows it measures.
    out_of_fold_ : ndarray of shape (n_rows,), (n_rows, n_targets) or (n_rows, n_quantiles)
        Predictions of the training rows by members that did not train on them. NaN if all did. With `X_val` in `fit`,
        those of the validation rows. A loaded model has them only if it was saved with training_predictions=True.
    target_scaler_ : TargetScaler
        It turns targets into what the networks learn, and back.
    residuals_ : ndarray of shape (1001, n_outputs)
        Quantiles of the out-of-fold errors, in the scale that the networks learn.
    one_target_ : bool
        Whether predictions have the shape (n_rows,).
    {shared_attributes}

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from rosenblatt import TabularRegressor
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> model = TabularRegressor(preset="fast").fit(X, y)
    >>> model.predict(X).shape
    (442,)
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **CONSTRAINTS,
        "loss": [StrOptions(set(REGRESSIONS))],
        "quantiles": ["array-like", None],
        "target_transform": [StrOptions({"auto", "log"}), None],
    }
    prediction_parameters = ("loss", "quantiles")
    _presets: ClassVar[Mapping[str, Settings]] = MappingProxyType(
        {
            "fast": Settings(members=1),
            "default": Settings(),
            "best": Settings(hidden=(256, 256, 256), members=8, epochs=128),
        }
    )

    def __init__(
        self,
        preset: str = "default",
        *,
        loss: str = "squared_error",
        quantiles: Any = None,
        target_transform: str | None = "auto",
        time_budget: float | str | None = None,
        kinds: Mapping[Any, str] | None = None,
        ignore: Any = None,
        members: int | None = None,
        cv: Any = None,
        max_iter: int | None = None,
        hidden_layer_sizes: Any = None,
        activation: str | None = None,
        learning_rate_init: float | None = None,
        dropout: float | None = None,
        weight_decay: float | None = None,
        batch_size: int | None = None,
        random_state: Any = 0,
        on_epoch: Callable[[Any], object] | None = None,
        verbose: bool | int = False,
        checkpoint: Any = None,
        checkpoint_every: int | str = "30s",
        window: int = WINDOW,
        memory_limit: int | str | None = None,
        client: Any = None,
    ) -> None:
        set_parameters(self, locals())

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _learn(self, task: TabularTask, budget: FitBudget, validation: tuple[Any, ...] | None) -> None:
        self.one_target_ = task.target.values.ndim == 1 and self.quantiles is None
        if isinstance(task, StreamedTask):
            goal = self._goal(len(task.columns))
            data, table = self._prepare_stream(task, lambda values: values.reshape(len(values), -1), budget, validation)
            targets, weights = table.targets, table.weights
            self._require_positive(goal, targets)
        else:
            targets, weights = task.target.values.reshape(task.inputs.n_rows, -1), task.weights
            check_target_range(targets, "y" if task.target.name is None else f"target {task.target.name!r}")
            goal = self._goal(targets.shape[1])
            self._check_targets(targets, "y")
            self._require_positive(goal, targets)
            data = self._prepare(task, targets, weights, budget, validation)
        n_outputs = targets.shape[1] if self.quantiles is None else len(self.quantiles)
        measure, robust = goal.metric.measure, goal.center != "mean"
        problem = Problem(n_outputs, goal.output, goal.loss, measure, scaling=goal.scaling, robust=robust)
        folds = self._folds(task, data)
        known = targets, None if weights is None else narrow_weights(weights)
        scaler = self._choose_scaler(goal, problem, known, data, folds[0], budget)
        self.target_scaler_ = scaler
        self.ensemble_ = self._fit_ensemble(data.with_targets(scaler.encode), problem, folds, budget)
        if data.validation is None:
            self._finish(goal, scaler, targets, weights)
        else:
            self._finish(goal, scaler, data.held_out.y, data.held_out.weights, (Target(None, targets), weights))

    def _target(self, y: Any, name: str | None) -> Target:
        check_target_array("y", y)
        return Target(name, check_array(y, ensure_2d=False, dtype=np.float64, input_name="y"))

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """R2 of the predictions for X, whose targets are y; rows count as `sample_weight` says.

        Both may be names of columns of X, as in `fit`, and y a list of several.
        """
        if (rows := named_rows(self, X, y, sample_weight)) is not None:
            return float(r2_score(rows.targets, rows.predictions, sample_weight=rows.weights))
        weights, predicted = weights_for_score(X, y, sample_weight), self.predict(X)
        require_same_rows(predicted, y)
        return float(r2_score(y, predicted, sample_weight=weights))

    def _goal(self, n_targets: int) -> RegressionLoss:
        """The loss to minimize; raises a `ValueError` for a number of targets that it does not support."""
        if self.quantiles is not None:
            self._check_quantiles(n_targets)
        goal = regression_of(self.loss, self.quantiles)
        if self.target_transform == "log" and (goal.scaling != "linear" or n_targets > 1):
            raise ValueError("target_transform='log' needs a single target, and a loss other than 'poisson'.")
        return goal

    def _require_positive(self, goal: RegressionLoss, targets: Array) -> None:
        """Refuse targets that are all zero, where their logarithm is learned."""
        if (goal.scaling == "mean" or self.target_transform == "log") and targets.max() == 0:
            raise ValueError("y is 0 in every row: there is nothing to learn.")

    def _check_targets(self, targets: Array, name: str, rows: NDArray[np.int64] | None = None) -> None:
        counts = regression_of(self.loss, self.quantiles).scaling == "mean"
        if (counts or self.target_transform == "log") and targets.min() < 0:
            place = int(np.argmin(targets.min(axis=1)))
            row = place if rows is None else int(rows[place])
            what = "loss='poisson'" if counts else "target_transform='log'"
            raise ValueError(f"{what} needs targets >= 0, but {name} is {targets.min():g} in row {row + 1}.")

    def _check_quantiles(self, n_targets: int) -> None:
        quantiles = tuple(float(q) for q in self.quantiles)
        rising = all(a < b for a, b in pairwise(quantiles))
        if not quantiles or not rising or not (quantiles[0] > 0 and quantiles[-1] < 1):
            raise ValueError(f"quantiles are {self.quantiles!r}; give rising numbers between 0 and 1, as (0.1, 0.9).")
        if self.loss != "squared_error":
            raise ValueError(f"quantiles have their own loss: leave loss={self.loss!r} out.")
        if n_targets > 1:
            raise ValueError(f"quantiles are for one target, but y has {n_targets}. Fit one model for each.")

    def _choose_scaler(
        self,
        goal: RegressionLoss,
        problem: Problem,
        known: tuple[Array, Array | None],
        data: Data,
        fold: Fold,
        budget: FitBudget,
    ) -> TargetScaler:
        """A scaler of the targets, or of their logarithm if the user asked for it or a trial on the fold prefers it.

        `known` are targets and weights of training rows, of all or of so many that their scale is that of all.
        """
        (y, weights), robust = known, goal.center != "mean"
        plain = fit_target_scaler(y, goal.scaling, weights, robust=robust)
        if self.target_transform == "log":
            return fit_target_scaler(y, "log", weights, robust=robust)
        used = y if weights is None else y[weights > 0]
        if data.held_out.y.min() < 0:  # the rows of a validation set may hold what training rows do not
            return plain
        if self.target_transform is None or goal is not REGRESSIONS["squared_error"] or not has_heavy_tail(used):
            return plain
        candidates = (plain, fit_target_scaler(y, "log", weights))
        return choose_target_transform(candidates, data, problem, self.settings, fold, self._seed, budget)

    def _finish(
        self,
        goal: RegressionLoss,
        scaler: TargetScaler,
        targets: Array,
        weights: Array | None,
        training: tuple[Target, Array | None] | None = None,
    ) -> None:
        """Set what out-of-fold predictions determine: shifts or the smearing factor, residuals, the score.

        Targets and weights are those of the training rows, or of validation rows beside those of the `training`.
        """
        outputs = self.ensemble_.out_of_fold(len(targets))
        seen = np.flatnonzero(~np.isnan(outputs[:, 0]))
        all_weights, weights = weights, None if weights is None else weights[seen]
        if (quantiles := self.fitted_parameter("quantiles")) is None:
            scaler = scaler.with_smearing(targets[seen], outputs[seen], weights)
        else:
            scaler = scaler.with_conformal_offsets(targets[seen], outputs[seen], tuple(quantiles), weights)
        self.target_scaler_ = scaler
        residuals = scaler.encode(targets[seen]) - outputs[seen]
        levels = np.linspace(0, 1, N_RESIDUALS).tolist()
        self.residuals_ = np.stack([quantiles_of(column, levels, weights) for column in residuals.T], axis=1)
        decoded = scaler.decode(outputs)
        self.out_of_fold_ = decoded[:, 0] if self.one_target_ else decoded
        self.score_ = goal.score.measure(targets[seen], decoded[seen], weights)
        self._keep_scores(Target(None, targets), seen, all_weights, training)

    def average_with(self, others: Sequence[Any], y: Any, weights: Array | None = None) -> None:
        targets = np.asarray(y, np.float64).reshape(np.shape(y)[0], -1)
        alike = [other for other in others if other.target_scaler_.kind == self.target_scaler_.kind]
        self.ensemble_ = self.ensemble_.joined([other.ensemble_ for other in alike])
        self._finish(self.goal, replace(self.target_scaler_, factor=1.0, shifts=()), targets, weights)

    @property
    def goal(self) -> RegressionLoss:
        return regression_of(self.fitted_parameter("loss"), self.fitted_parameter("quantiles"))

    def _scoring(self) -> dict[str, Any]:
        return {"center": self.goal.center}
