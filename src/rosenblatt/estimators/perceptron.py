"""`Perceptron`: Rosenblatt's learning rule for one threshold unit per class.

Goes in: a table and class labels. Comes out: a linear classifier without probabilities. The rule itself is that of
`sklearn.linear_model.Perceptron`, which this class extends: a well-kept implementation needs no second one. It never
builds a network.
"""

from __future__ import annotations

from typing import Any, NoReturn

from sklearn.linear_model import Perceptron as SklearnPerceptron

from ._base import VERSION_KEY, SuggestingMixin, current_version, require_own_version

__all__ = ["Perceptron"]

NO_PROBABILITIES = (
    "Perceptron has no {name}: its rule corrects mistakes and minimizes no log loss, so that the distance from its "
    "boundary says nothing about probability. Use LogisticRegression, or sklearn.calibration.CalibratedClassifierCV."
)


class Perceptron(SuggestingMixin, SklearnPerceptron):  # type: ignore[misc]
    """The classical perceptron: weights move by eta0 * x whenever a row is misclassified.

    Several classes are learned one against the rest. It has `partial_fit` and `decision_function`, but no
    probabilities.

    Parameters
    ----------
    penalty : {'l2', 'l1', 'elasticnet'} or None, default=None
        Penalty on the weights.
    alpha : float >= 0, default=0.0001
        Strength of the penalty.
    l1_ratio : float in [0, 1], default=0.15
        Share of L1 in 'elasticnet'.
    fit_intercept : bool, default=True
        Whether to learn a threshold.
    max_iter : int, default=1000
        Most passes over the rows of `fit`.
    tol : float or None, default=1e-3
        Stop when the loss of `n_iter_no_change` passes is not this much below the best one; None never stops early.
    shuffle : bool, default=True
        Draw a new row order for each pass.
    verbose : int, default=0
        Print the progress of each pass.
    eta0 : float > 0, default=1
        Size of a correction.
    n_jobs : int or None, default=None
        Processors for the classes.
    random_state : int, RandomState or None, default=0
        Source of the row orders.
    early_stopping : bool, default=False
        Set `validation_fraction` of the rows aside and stop when their score stalls.
    validation_fraction : float in (0, 1), default=0.1
        Share of the rows set aside by `early_stopping`.
    n_iter_no_change : int, default=5
        Passes without progress that end training.
    class_weight : dict, 'balanced' or None, default=None
        Weights of the classes.
    warm_start : bool, default=False
        Let `fit` go on from the present weights.

    Attributes
    ----------
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
        Weights.
    intercept_ : ndarray of shape (1,) or (n_classes,)
        Thresholds.
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    n_iter_, t_ : int
        Passes over the rows; weight updates plus one.

    References
    ----------
    F. Rosenblatt (1958), "The perceptron: a probabilistic model for information storage and organization in the brain".

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from rosenblatt import Perceptron
    >>> X, y = load_digits(return_X_y=True)
    >>> Perceptron().fit(X, y).score(X, y) > 0.9
    True
    """

    @property
    def predict_proba(self) -> NoReturn:
        """Refused: a perceptron has no probabilities."""
        raise AttributeError(NO_PROBABILITIES.format(name="predict_proba"))

    @property
    def predict_log_proba(self) -> NoReturn:
        """Refused: a perceptron has no probabilities."""
        raise AttributeError(NO_PROBABILITIES.format(name="predict_log_proba"))

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), VERSION_KEY: current_version()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(require_own_version(type(self).__name__, state))
