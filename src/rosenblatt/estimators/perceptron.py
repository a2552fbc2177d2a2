"""`Perceptron`: Rosenblatt's learning rule for one threshold unit per class.

Takes a table and class labels. Returns a linear classifier without probabilities, the number of its mistakes, and on
request a logistic regression that starts from its weights. Never trains by itself: the rule is that of
`sklearn.linear_model.Perceptron`, which this class extends, because a well-kept implementation needs no second one.
"""

from __future__ import annotations

import math
from typing import Any, NoReturn

import numpy as np
from sklearn.linear_model import Perceptron as SklearnPerceptron
from sklearn.utils import check_random_state, column_or_1d
from sklearn.utils.validation import check_is_fitted, validate_data

from rosenblatt._checks import check_weights
from rosenblatt._version import __version__
from rosenblatt.estimators.base import (
    VERSION_KEY,
    SuggestingMixin,
    check_rows,
    class_weighted,
    require_own_version,
    unchanged_if_failed,
)
from rosenblatt.estimators.diagram import Diagram
from rosenblatt.estimators.labels import LabelScores, plain_labels
from rosenblatt.estimators.logistic import LogisticRegression
from rosenblatt.estimators.outputs import finite_outputs
from rosenblatt.estimators.perceptron_progress import shown_passes
from rosenblatt.estimators.perceptron_updates import Training, count_mistakes
from rosenblatt.estimators.sparse import own_indices

__all__ = ["Perceptron"]

NO_PROBABILITIES = (
    "Perceptron has no {name}: its rule corrects mistakes and does not minimize the log loss, so the distance from its "
    "boundary says nothing about probability. Use LogisticRegression, which to_logistic() starts from these weights, "
    "or sklearn.calibration.CalibratedClassifierCV."
)


class Perceptron(LabelScores, SuggestingMixin, Diagram, SklearnPerceptron):  # type: ignore[misc]
    """The classical perceptron: weights change by eta0 * x whenever a row is misclassified.

    With more than two classes, each class is learned against the rest. The perceptron has `partial_fit` and
    `decision_function`, but no probabilities.

    Parameters
    ----------
    penalty : {'l2', 'l1', 'elasticnet'} or None, default=None
        Penalty on the weights.
    alpha : float >= 0, default=0.0001
        Strength of the penalty.
    l1_ratio : float in [0, 1], default=0.15
        Share of the L1 penalty in 'elasticnet'.
    fit_intercept : bool, default=True
        Whether to learn a threshold.
    max_iter : int, default=1000
        Largest number of passes over the rows in `fit`.
    tol : float or None, default=1e-3
        Training stops when the loss has not been this much below the best one for `n_iter_no_change` passes. With None
        it never stops early.
    shuffle : bool, default=True
        Whether to draw a new row order for each pass.
    verbose : int, default=0
        Whether to show the progress of each pass: on a live line in a terminal or a notebook, elsewhere on lines.
    eta0 : float > 0, default=1
        Size of a correction.
    n_jobs : int or None, default=None
        Number of processors that train the classes in parallel.
    random_state : int, RandomState or None, default=0
        Source of the row orders.
    early_stopping : bool, default=False
        Whether to set `validation_fraction` of the rows aside and stop when their score stalls.
    validation_fraction : float in (0, 1), default=0.1
        Share of the rows that `early_stopping` sets aside.
    n_iter_no_change : int, default=5
        Number of passes without progress after which training ends.
    class_weight : dict, 'balanced' or None, default=None
        Weights of the classes.
    warm_start : bool, default=False
        Whether `fit` continues from the current weights.

    Attributes
    ----------
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
        Weights.
    intercept_ : ndarray of shape (1,) or (n_classes,)
        Thresholds.
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    n_iter_, t_ : int
        Number of passes over the rows, and number of rows seen plus one.
    fit_time_ : float
        Seconds that the last call took. Files do not hold it.
    mistakes_ : list of int, or list of lists of int, or None
        Number of updates in each pass of the last `fit` or `partial_fit`. For two classes it is one list. For more
        classes there is a list for each class, which ends with that class's last pass. The exact numbers are counted
        when they are first read, by repeating the passes; until then the estimator keeps a reference to X and y. It is
        None with a penalty, which changes weights without mistakes, for more than 16.8 million rows, and for updates
        whose size (eta0 times weight) is above 2**26 or below 2**-26 (2**100 and 2**-100 in float64). A pickle contains
        it if it was read before. Rows with weight 0, and those that `early_stopping` sets aside, make no mistakes.
    converged_ : bool or None
        Whether each neuron made a pass without a mistake, which proves that its class is linearly separable from the
        rest. It is None if `mistakes_` is.

    References
    ----------
    F. Rosenblatt (1958), "The perceptron: a probabilistic model for information storage and organization in the brain".
    A. Novikoff (1962), "On convergence proofs on perceptrons": on separable rows the mistakes are finite.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from rosenblatt import Perceptron
    >>> X, y = load_digits(return_X_y=True)
    >>> Perceptron().fit(X, y).score(X, y) > 0.9
    True
    """

    documentation_page = "from-scikit-learn"
    computed_on_demand = frozenset({"mistakes_", "converged_"})
    _training: Training
    _mistakes: list[Any] | None

    @property
    def mistakes_(self) -> list[Any] | None:
        """Number of updates in each pass of the last `fit` or `partial_fit`. The class documents the details."""
        check_is_fitted(self)
        if "_mistakes" not in vars(self):
            if "_training" not in vars(self):
                raise AttributeError(
                    "mistakes_ cannot be counted without the training data: this Perceptron was copied, unpickled or "
                    "loaded before mistakes_ was read, or its last fit failed. Fit again, and read mistakes_ first."
                )
            self._mistakes = count_mistakes(self._training)
            self.__dict__.pop("_training", None)
        return self._mistakes

    @property
    def counted_mistakes(self) -> list[Any] | None:
        """What `mistakes_` was when it was read; None if it was not. A file holds it."""
        return vars(self).get("_mistakes")

    @counted_mistakes.setter
    def counted_mistakes(self, counts: list[Any]) -> None:
        self._mistakes = counts

    @property
    def converged_(self) -> bool | None:
        """Whether each neuron made a pass without a mistake. The class documents the details."""
        counts = self.mistakes_
        if counts is None:
            return None
        return all(0 in one for one in (counts if len(self.classes_) > 2 else [counts]))

    def fit(self, X: Any, y: Any, coef_init: Any = None, intercept_init: Any = None, sample_weight: Any = None) -> Any:
        """Train until no pass brings progress; see `sklearn.linear_model.Perceptron.fit`.

        Parameters
        ----------
        X : array or sparse matrix of shape (n_samples, n_features)
            Finite numbers.
        y : array of shape (n_samples,)
            Labels.
        coef_init, intercept_init : array, optional
            Weights and thresholds to start from, shaped as `coef_` and `intercept_`.
        sample_weight : array of shape (n_samples,), optional
            Weights of the rows, at least 0.

        Returns
        -------
        self
            If the call is refused, the perceptron is left as it was.
        """
        X, y = own_indices(X), plain_labels(y)
        with unchanged_if_failed(self, BaseException):
            weights = self._check_data(X, y, sample_weight, reset=True)
            if isinstance(self.class_weight, dict) or self.class_weight == "balanced":
                classes, labels = np.unique(column_or_1d(y), return_inverse=True)
                class_weighted(self.class_weight, classes, labels, weights)
            return super().fit(X, y, coef_init, intercept_init, weights)

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Any:
        """Make one pass over the rows; see `sklearn.linear_model.Perceptron.partial_fit`.

        Parameters
        ----------
        X, y
            The same as in `fit`.
        classes : array, optional
            All labels that any call will contain. The first call needs them.
        sample_weight
            The same as in `fit`.

        Returns
        -------
        self
        """
        X, y = own_indices(X), plain_labels(y)
        with unchanged_if_failed(self, BaseException):
            weights = self._check_data(X, y, sample_weight, reset=not hasattr(self, "coef_"))
            return super().partial_fit(X, y, classes, weights)

    def decision_function(self, X: Any) -> Any:
        """Distances from the boundaries times the lengths of the weights, shape (n_samples,) or (n_samples, n_classes).

        Raises
        ------
        OutputError
            If one is not finite, because the numbers of its row are too large.
        """
        with np.errstate(all="ignore"):
            margins = np.asarray(super().decision_function(own_indices(X)))
        return finite_outputs(margins.reshape(len(margins), -1)).reshape(margins.shape)

    def _check_data(self, X: Any, y: Any, sample_weight: Any, reset: bool) -> Any:
        """Refuse bad rows, targets and weights in the words of the other estimators; the weights, or None."""
        self.check_parameters()
        rows = check_rows(self, X, y, reset=reset)[0]
        return None if sample_weight is None else check_weights(sample_weight, rows.shape[0])

    def _fit_binary(self, X: Any, y: Any, **options: Any) -> None:
        self._fit_and_note(super()._fit_binary, X, y, options)

    def _fit_multiclass(self, X: Any, y: Any, **options: Any) -> None:
        self._fit_and_note(super()._fit_multiclass, X, y, options)

    def _fit_and_note(self, fit: Any, X: Any, y: Any, options: dict[str, Any]) -> None:
        """Let scikit-learn train, and record what `mistakes_` needs to repeat the training."""
        for name in ("_training", "_mistakes"):
            self.__dict__.pop(name, None)
        seed, start = self.random_state, self._copy_of_weights()
        if not isinstance(seed, (int, np.integer)):
            seed = check_random_state(seed).get_state()
        with shown_passes(self.verbose, options["max_iter"]):
            fit(X, y, **options)
        self._training = Training(
            self.get_params(deep=False), X, y, options["sample_weight"], self._expanded_class_weight, self.classes_,
            seed, start, self._copy_of_weights(), options["max_iter"], self.n_iter_,
        )  # fmt: skip

    def _copy_of_weights(self) -> tuple[Any, Any]:
        """Copies of coef_ and intercept_. While scikit-learn trains two classes, its coef_ is flat."""
        return self.coef_.reshape(len(self.intercept_), -1).copy(), self.intercept_.copy()

    def explain_convergence(self, X: Any, y: Any) -> str:
        """Say whether training converged, and whether it can: whether X and y are linearly separable.

        A linear program decides this for each neuron. For many rows it takes far longer than training.

        Parameters
        ----------
        X : array or sparse matrix of shape (n_samples, n_features)
        y : array of shape (n_samples,)
            Labels of these rows. All fitted classes must occur.

        Returns
        -------
        str
            A line about the training, then a line for each neuron with its margin or the rows that prove that there is
            none.

        Raises
        ------
        ValueError
            If the labels in y differ from those in `fit`, or the columns of X do.
        ArithmeticError
            If rounding does not allow a verdict (see `rosenblatt.logic.linear_separability`).
        """
        from rosenblatt.logic import linear_separability

        check_is_fitted(self)
        X, y = validate_data(self, X, y, accept_sparse="csr", reset=False)
        X = X.toarray() if hasattr(X, "toarray") else X
        labels = np.unique(y)
        if not np.array_equal(labels, self.classes_):
            raise ValueError(
                f"y has the labels {labels.tolist()}; explain_convergence needs all labels of fit and no others: "
                f"{self.classes_.tolist()}"
            )
        lines = [self._training_in_words()]
        if len(self.classes_) == 2:
            return "\n".join([*lines, f"{linear_separability(X, y)}."])
        for label in self.classes_.tolist():
            verdict = linear_separability(X, np.where(y == label, f"{label}", f"not {label}"))
            lines.append(f"{verdict}.")
        return "\n".join(lines)

    def _training_in_words(self) -> str:
        """A sentence with the number of passes, and whether one of them made no mistake."""
        counts = self.mistakes_
        if counts is None:
            return f"Training took {self.n_iter_} passes. Their mistakes were not counted (because of a penalty, say)."
        if self.converged_:
            return f"Training converged: within {self.n_iter_} passes each neuron made one without a mistake."
        last = ", ".join(str(one[-1]) for one in (counts if len(self.classes_) > 2 else [counts]))
        return f"Training did not converge in {self.n_iter_} passes; mistakes in the last pass: {last}."

    def to_logistic(self, **parameters: Any) -> LogisticRegression:
        """A logistic regression that has these weights, and continues from them when it is fitted.

        With two classes it has one logistic output, and with more a softmax. Its `predict` gives the same labels as the
        perceptron's. Its probabilities are meaningful only after its `fit`, which minimizes the log loss.

        Parameters
        ----------
        **parameters
            Parameters of `LogisticRegression`. The defaults are ``warm_start=True``, ``C=math.inf`` unless a penalty is
            given (because a perceptron's weights can have any size), and the perceptron's `class_weight`,
            `fit_intercept` and `random_state`.

        Returns
        -------
        LogisticRegression
            A fitted model with ``n_iter_ = 0``.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the perceptron is not fitted.
        TypeError
            If LogisticRegression has no such parameter.
        """
        check_is_fitted(self)
        shared = {name: getattr(self, name) for name in ("class_weight", "fit_intercept", "random_state")}
        unlimited = {} if {"penalty", "l1_ratio"} & set(parameters) else {"C": math.inf}
        model = LogisticRegression(**{**unlimited, "warm_start": True, **shared, **parameters})
        model.check_parameters()
        for name in ("classes_", "n_features_in_", "feature_names_in_"):
            if hasattr(self, name):
                setattr(model, name, getattr(self, name))
        model._start_from(self.coef_, self.intercept_)
        return model

    @property
    def predict_proba(self) -> NoReturn:
        """Refused: a perceptron has no probabilities."""
        raise AttributeError(NO_PROBABILITIES.format(name="predict_proba"))

    @property
    def predict_log_proba(self) -> NoReturn:
        """Refused: a perceptron has no probabilities."""
        raise AttributeError(NO_PROBABILITIES.format(name="predict_log_proba"))

    def __getstate__(self) -> dict[str, Any]:
        """Everything but the reference to the training data."""
        state = {**super().__getstate__(), VERSION_KEY: __version__}
        state.pop("_training", None)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(require_own_version(type(self).__name__, state))
