"""The learning-rate range test of `MLPClassifier` and `MLPRegressor`.

Takes an estimator, fitted or not, and raw rows with targets. Returns a `RateRange`. Never changes the estimator, and
never sets a learning rate: a clone is tested, from the initial weights that `fit` would draw.
"""

from __future__ import annotations

from typing import Any

from sklearn.base import clone
from sklearn.utils import check_random_state

from rosenblatt._suggestions import suggest_in_methods
from rosenblatt.training.learning_rate_finder import RateRange, check_range_test, range_test

__all__ = ["RateFinder"]


@suggest_in_methods
class RateFinder:
    """The method of estimators that finds learning rates."""

    def find_learning_rate(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        low: float = 1e-6,
        high: float = 10.0,
        steps: int = 200,
        smoothing: float = 0.95,
    ) -> RateRange:
        """Try learning rates from `low` to `high`, each a constant factor above the previous one (Smith 2015).

        A clone is trained with this estimator's loss, solver and batch size, from the initial weights that `fit` would
        draw. The estimator stays as it is: look at the curve, and set ``learning_rate_init`` yourself.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.
        low, high : float
            The first and the last rate, with 0 < low < high.
        steps : int
            Number of rates, at least 10. Each is used for one batch.
        smoothing : float in [0, 1)
            Share of its previous value that the exponential average of the losses keeps in each step.

        Returns
        -------
        RateRange
            Rates, losses and a suggestion, which `rosenblatt.plots.plot_learning_rates` draws. They end early if the
            smoothed loss exceeds four times its minimum.

        Raises
        ------
        ValueError
            If ``solver="lbfgs"``, which has no learning rate; if a number is out of range, or a parameter or the data
            are what `fit` refuses; or if the loss is not finite within the first 10 steps.

        Examples
        --------
        >>> from sklearn.datasets import load_digits
        >>> from rosenblatt import MLPClassifier
        >>> X, y = load_digits(return_X_y=True)
        >>> found = MLPClassifier((32,), random_state=0).find_learning_rate(X / 16, y)
        >>> 1e-3 < found.suggestion < 1
        True
        """
        check_range_test(low, high, steps, smoothing)
        twin: Any = clone(self)
        twin.check_parameters()
        if twin.solver == "lbfgs":
            raise ValueError("solver='lbfgs' has no learning rate to find: use 'adam' or 'sgd'.")
        trainer = twin.trainer_for(X, y, sample_weight, check_random_state(twin.random_state))
        return range_test(trainer, low=low, high=high, steps=steps, smoothing=smoothing)
