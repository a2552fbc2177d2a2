"""`TabularClassifier`: classes from raw tables.

Takes a table and a column of classes. Returns calibrated probabilities. Never trains a network itself: `ensemble` and
`member` do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils import assert_all_finite
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from rosenblatt import nn
from rosenblatt.estimators.base import class_weighted, set_parameters
from rosenblatt.estimators.labels import plain_labels, refuse_missing
from rosenblatt.estimators.tabular.architecture import Settings
from rosenblatt.estimators.tabular.base import TabularEstimator
from rosenblatt.estimators.tabular.decisions import best_decisions
from rosenblatt.estimators.tabular.ensemble import Ensemble, best_temperature
from rosenblatt.estimators.tabular.member import FitBudget
from rosenblatt.estimators.tabular.metrics import CLASS_METRICS, ClassMetric
from rosenblatt.estimators.tabular.named_scores import named_rows, require_same_rows, weights_for_score
from rosenblatt.estimators.tabular.ordinal import cumulative, from_cumulative
from rosenblatt.estimators.tabular.parameters import CONSTRAINTS, describe_shared_parameters
from rosenblatt.estimators.tabular.predictions import ClassPredictions
from rosenblatt.estimators.tabular.problem import Problem
from rosenblatt.tables.streamed_task import StreamedTask
from rosenblatt.tables.targets import Target, doubts_of_classes
from rosenblatt.tables.task import WINDOW, TabularTask

__all__ = ["TabularClassifier"]

Array = NDArray[Any]
DEFAULT = Settings(activation="selu", dropout=0.15, label_smoothing=0.05, learning_rate=0.12, batch_size=256)


@describe_shared_parameters
class TabularClassifier(ClassPredictions, ClassifierMixin, TabularEstimator):  # type: ignore[misc]
    """Classes from a raw table: numbers, categories, dates, texts, missing cells.

    Several networks are trained side by side. Each is trained on all folds of the rows but one, which chooses its best
    epoch. The prediction is the mean of their probabilities, calibrated on rows that the networks did not see.

    Parameters
    ----------
    {preset}
    metric : {"error", "log_loss", "balanced_error", "f1", "auc"}
        What the best epoch is chosen by. "balanced_error" (the mean of the classes' error rates) and "f1" (that of the
        second of two classes, or the mean of several classes) are for imbalanced data. For these two, the probabilities
        are multiplied by factors that are best out of fold before a class is chosen.
    ordered : bool or sequence of classes, default=False
        Whether the classes have an order: that of numbers or letters, or the given one. Then the networks learn for
        each class whether a row lies above it.
    class_weight : dict or "balanced", optional
        Weights of the classes in the loss.
    {shared_parameters}

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted or in the given order.
    score_ : float
        Accuracy of the out-of-fold predictions (for the metrics "balanced_error", "f1" and "auc": balanced accuracy,
        F1 and area under the ROC curve). Single members made these predictions, which
        is slightly pessimistic. Without groups or time, the held-out rows also choose the best epoch: with few rows,
        the score is somewhat optimistic. ``score_on_`` says what rows it measures.
    out_of_fold_ : ndarray of shape (n_rows, n_classes)
        Probabilities of the training rows by members that did not train on them. NaN if all did. With `X_val` in `fit`,
        those of the validation rows. A loaded model has them only if it was saved with training_predictions=True.
    temperature_ : float
        Temperature that calibrates the probabilities. Above 1 it makes them softer.
    decision_weights_ : ndarray of shape (n_classes,)
        Factors of the probabilities when a class is chosen. All are 1 unless the metric needs others.
    {shared_attributes}

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from rosenblatt import TabularClassifier
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> model = TabularClassifier(preset="fast").fit(X, y)
    >>> model.predict_proba(X).shape
    (150, 3)
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **CONSTRAINTS,
        "metric": [StrOptions(set(CLASS_METRICS))],
        "ordered": ["boolean", "array-like"],
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }
    prediction_parameters = ("metric", "ordered")
    _presets: ClassVar[Mapping[str, Settings]] = MappingProxyType(
        {
            "fast": replace(DEFAULT, members=1),
            "default": DEFAULT,
            "best": replace(DEFAULT, hidden=(256, 256, 256), members=8, epochs=128),
        }
    )

    def __init__(
        self,
        preset: str = "default",
        *,
        metric: str = "error",
        ordered: Any = False,
        class_weight: Any = None,
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

    def _learn(self, task: TabularTask, budget: FitBudget, validation: tuple[Any, ...] | None) -> None:
        self.classes_, place = self._in_order(task.target)
        if isinstance(task, StreamedTask):
            data, table = self._prepare_stream(task, place.__getitem__, budget, validation)
            labels, own_weights = table.targets, table.weights
        else:
            labels, own_weights = place[task.target.values], task.weights
            weights = own_weights
            if self.class_weight is not None:
                weights = class_weighted(self.class_weight, self.classes_, labels, weights)
            data = self._prepare(task, labels, weights, budget, validation)
        held_out = data.held_out.y
        if self.ordered is not False:
            data = data.with_targets(lambda y: cumulative(y, len(self.classes_)))
        self.temperature_, self.decision_weights_ = 1.0, np.ones(len(self.classes_))
        ensemble = self._fit_ensemble(data, self._problem(), self._folds(task, data, labels), budget)
        if data.validation is None:
            self._finish(ensemble, labels, own_weights)
        else:
            self._finish(ensemble, held_out, data.held_out.weights, (Target(None, labels, self.classes_), own_weights))

    def _target(self, y: Any, name: str | None) -> Target:
        y = column_or_1d(plain_labels(y), warn=True)
        assert_all_finite(y, input_name="y")
        check_classification_targets(y)
        classes, labels = np.unique(y, return_inverse=True)
        if len(classes) < 2:
            raise ValueError(f"y has a single class, {classes.tolist()[0]!r}; classification needs at least two.")
        return Target(name, labels, classes, doubts_of_classes(name, classes))

    def _in_order(self, target: Target) -> tuple[Array, Array]:
        """The classes in the user's order, and the place of each class of the target in this order (int32)."""
        assert target.classes is not None
        if not np.iterable(self.ordered):
            return target.classes, np.arange(len(target.classes), dtype=np.int32)
        given, known = list(self.ordered), target.classes.tolist()
        if len(set(given)) < len(given) or set(given) != set(known):
            raise ValueError(f"ordered is {given}; it must list each class of y once, which are {known}.")
        rank = np.array([given.index(name) for name in known], dtype=np.int32)
        return target.classes[np.argsort(rank)], rank

    def _problem(self) -> Problem:
        """A softmax over the classes or, if they are ordered, whether a row lies above each class but the last."""
        n_classes, metric = len(self.classes_), self.goal.metric
        if self.ordered is False:
            loss = nn.SoftmaxCrossEntropy(self.settings.label_smoothing)
            return Problem(n_classes, "softmax", loss, metric.measure)

        def measure(above: Array, probabilities: Array, weights: Array | None = None) -> float:
            return metric.measure(above.sum(axis=1).astype(np.int64), probabilities, weights)

        return Problem(n_classes - 1, "logistic", nn.LogisticCrossEntropy(), measure, from_cumulative)

    def _finish(
        self,
        ensemble: Ensemble,
        labels: Array,
        weights: Array | None,
        training: tuple[Target, Array | None] | None = None,
    ) -> None:
        """Set what out-of-fold probabilities determine: calibration, decision weights and score.

        Labels and weights are those of the training rows, or of validation rows beside those of the `training`.
        """
        raw, target, all_weights = ensemble.out_of_fold(len(labels)), Target(None, labels, self.classes_), weights
        seen = np.flatnonzero(~np.isnan(raw[:, 0]))
        weights = None if weights is None else weights[seen]
        self.ensemble_ = replace(ensemble, temperature=best_temperature(raw[seen], labels[seen], weights))
        self.temperature_ = self.ensemble_.temperature
        self.out_of_fold_ = self.ensemble_.out_of_fold(len(labels))
        chosen, known, labels = self.goal, self.out_of_fold_[seen], labels[seen]
        self.decision_weights_ = np.ones(len(self.classes_))
        if chosen.decides:
            self.decision_weights_ = best_decisions(chosen.metric, labels, known, weights)
        self.score_ = chosen.score.measure(labels, known * self.decision_weights_, weights)
        self._keep_scores(target, seen, all_weights, training)

    def average_with(self, others: Sequence[Any], y: Any, weights: Array | None = None) -> None:
        label = {name: i for i, name in enumerate(self.classes_.tolist())}
        labels = np.array([label[name] for name in np.ravel(y).tolist()], np.int32)
        self._finish(self.ensemble_.joined([other.ensemble_ for other in others]), labels, weights)

    @property
    def goal(self) -> ClassMetric:
        return CLASS_METRICS[self.fitted_parameter("metric")]

    def _scoring(self) -> dict[str, Any]:
        return {"decision_weights": self.decision_weights_}

    def _own_order(self, target: Target) -> Target:
        assert target.classes is not None
        place = {name: label for label, name in enumerate(self.classes_.tolist())}
        rank = np.array([place[name] for name in target.classes.tolist()])
        return replace(target, values=rank[target.values], classes=self.classes_)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The accuracy of the predictions for X, whose classes are y; rows count as `sample_weight` says.

        Both may be names of columns of X, as in `fit`.
        """
        if (rows := named_rows(self, X, y, sample_weight)) is not None:
            hits = (rows.targets >= 0) & (self.classes_[rows.targets] == rows.predictions)
            return float(np.average(hits, weights=rows.weights))
        sample_weight = weights_for_score(X, y, sample_weight)
        if getattr(getattr(y, "dtype", None), "kind", "O") == "O":
            refuse_missing(list(y), "y")
        predicted = self.predict(X)
        require_same_rows(predicted, y)
        with suppress(ValueError):
            return float(accuracy_score(plain_labels(y), predicted, sample_weight=sample_weight))
        # scikit-learn compares neither integers beyond 64 bits nor decimal numbers
        right = [found == known for found, known in zip(predicted, y, strict=True)]
        return float(np.average(right, weights=sample_weight))

    def decision_function(self, X: Any) -> Array:
        """Logarithms of probability times ``decision_weights_``, whose largest `predict` takes.

        The shape is (n_rows, n_classes), or (n_rows,) for two classes: that of the second minus that of the first.
        """
        weighted = np.log(np.maximum(self.predict_proba(X), np.finfo(np.float64).tiny) * self.decision_weights_)
        return weighted[:, 1] - weighted[:, 0] if weighted.shape[1] == 2 else np.asarray(weighted)
