"""From the outputs of an ensemble to classes, probabilities, numbers and intervals.

Takes a fitted estimator, or a `rosenblatt.persistence.predictors.TablePredictor`, and rows. Returns predictions, the
same from both. Never trains, and never imports scikit-learn, which predicting does not need.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.estimators.tabular.decisions import interval_columns
from rosenblatt.estimators.tabular.target_scaling import TargetScaler

__all__ = ["ClassPredictions", "NumberPredictions", "predictions_of"]

Array = NDArray[Any]


def predictions_of(model: Any, outputs: Array) -> Array:
    """Probabilities of the classes, or targets in their units, from the outputs of an ensemble; [n, k]."""
    if hasattr(model, "classes_"):
        return np.asarray(outputs / outputs.sum(axis=1, keepdims=True))  # the networks' are float32
    return np.asarray(model.target_scaler_.decode(outputs))


class ClassPredictions:
    """Predictions of classes."""

    classes_: Array
    decision_weights_: Array
    _outputs: Callable[[Any], Array]

    def predict(self, X: Any) -> Array:
        """The class of each row with the largest probability times ``decision_weights_``, shape (n_rows,)."""
        return self._decided(self.predict_proba(X))

    def _decided(self, probabilities: Array) -> Array:
        return np.asarray(self.classes_[(probabilities * self.decision_weights_).argmax(axis=1)])

    def _predicted(self, outputs: Array) -> tuple[Array, Array]:
        """Predictions and probabilities from outputs of the ensemble."""
        probabilities = predictions_of(self, outputs)
        return self._decided(probabilities), probabilities

    def predict_proba(self, X: Any) -> Array:
        """Probabilities of the classes, in the order of ``classes_``; shape (n_rows, n_classes)."""
        return predictions_of(self, self._outputs(X))


class NumberPredictions:
    """Predictions of numbers."""

    target_scaler_: TargetScaler
    residuals_: Array
    one_target_: bool
    fitted_parameter: Callable[[str], Any]
    _outputs: Callable[[Any], Array]

    def predict(self, X: Any) -> Array:
        """The mean of each row's target, or its median or quantiles, depending on the loss.

        Returns
        -------
        ndarray of shape (n_rows,), (n_rows, n_targets) or (n_rows, n_quantiles)
        """
        return self._predicted(self._outputs(X))[0]

    def _predicted(self, outputs: Array) -> tuple[Array, None]:
        """Predictions from outputs of the ensemble, without probabilities."""
        values = predictions_of(self, outputs)
        return np.asarray(values[:, 0] if self.one_target_ else values), None

    def predict_interval(self, X: Any, coverage: float = 0.9) -> Array:
        """An interval that contains the target of a new row with the probability `coverage`.

        For a model with `quantiles`, its ends are two of them, so its width depends on the row. For other models they
        are the prediction plus quantiles of the out-of-fold errors, with the same width for all rows (on the scale of
        the logarithm, if that was learned). Both are calibrated on rows that the members did not see (split conformal
        prediction: Vovk et al. 2005; for quantiles: Romano et al. 2019, arXiv:1905.03222).

        Parameters
        ----------
        X : table, as in `fit`
        coverage : float in (0, 1)
            Probability that the interval contains the target.

        Returns
        -------
        ndarray of shape (n_rows, 2), or (n_rows, n_targets, 2)

        Raises
        ------
        ValueError
            If `coverage` is not between 0 and 1, or `quantiles` does not contain the two that it needs.
        """
        if not 0 < coverage < 1:
            raise ValueError(f"coverage is {coverage}; it must lie between 0 and 1, as 0.9.")
        return self.intervals_around(self._outputs(X), coverage)

    def intervals_around(self, outputs: Array, coverage: float) -> Array:
        """`predict_interval` of rows for which the ensemble gave these outputs, (n_rows, n_outputs)."""
        low = (1 - coverage) / 2
        if (quantiles := self.fitted_parameter("quantiles")) is not None:
            return self.target_scaler_.decode(outputs)[:, interval_columns(coverage, quantiles)]
        last = len(self.residuals_) - 1
        errors = self.residuals_[[math.floor(low * last), math.ceil((1 - low) * last)]]
        plain = replace(self.target_scaler_, factor=1.0)  # quantiles of a logarithm are those of the number
        ends = np.stack([plain.decode(outputs + error) for error in errors], axis=-1)
        return np.asarray(ends[:, 0] if self.one_target_ else ends)
