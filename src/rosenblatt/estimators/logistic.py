"""`LogisticRegression`: the network without hidden layers.

Takes a table and class labels. Returns one weight per column (and class), and probabilities. With two classes there is
one logistic output, and with more a softmax. All solvers minimize scikit-learn's objective,

    C * sum_i s_i loss_i + (1 - l1_ratio) / 2 * sum(w**2) + l1_ratio * sum(abs(w)),

where s_i is the sample weight times the class weight. Never penalizes intercepts or scales the columns.
"""

from __future__ import annotations

import math
from dataclasses import replace
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.callback import with_callbacks
from sklearn.utils import check_random_state, column_or_1d
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.multiclass import check_classification_targets

from rosenblatt._checks import check_weights
from rosenblatt.estimators.base import (
    DivergenceError,
    check_rows,
    class_weighted,
    divergence_message,
    is_sparse,
    rows_of,
    set_parameters,
    warn_user,
)
from rosenblatt.estimators.callbacks import FitTasks, begin_fit
from rosenblatt.estimators.decoding import probabilities_of
from rosenblatt.estimators.labels import LabelScores
from rosenblatt.estimators.mlp.hyperparameters import MLPParameters
from rosenblatt.estimators.optimizer_state import OptimizerState, SolverRates
from rosenblatt.estimators.sgd import Shown, ShuffledRows, StochasticSolver, open_checkpoints
from rosenblatt.nn import SGD, Adam, Network, NetworkSpec
from rosenblatt.nn.losses import loss_record
from rosenblatt.training import Trainer

__all__ = ["LogisticRegression"]

Array = npt.NDArray[Any]
SHARED = (
    *("learning_rate_init", "batch_size", "max_iter", "tol", "random_state", "verbose", "warm_start"),
    *("n_iter_no_change", "checkpoint", "checkpoint_every"),
)
"""Parameters that may have the same values as those of `MLPClassifier`."""


def exact(name: str) -> Any:
    """A cross-entropy whose logarithms are not clipped.

    A warm start may be far from the minimum. There a clipped loss is flat while its gradient is not, so line searches
    fail. From zero weights the clipped loss works, and it is faster because it shares its softmax with its gradient.
    """
    return replace(loss_record(name), function=lambda b, logits, target: getattr(b, name)(logits, target, clip=0.0))


class LogisticRegression(LabelScores, ClassifierMixin, StochasticSolver):  # type: ignore[misc]
    """Logistic regression, binary or multinomial.

    Parameters
    ----------
    penalty : {'l2', 'l1', 'elasticnet'} or None, default='deprecated'
        Deprecated, as in scikit-learn: ``l1_ratio=0`` means 'l2', ``l1_ratio=1`` 'l1', a number in between
        'elasticnet', and ``C=math.inf`` None. A value has the meaning that it has there, and gives a `FutureWarning`.
    C : float > 0, default=1.0
        Inverse strength of the penalty; infinity means none.
    l1_ratio : float in [0, 1], default=0.0
        Share of the L1 penalty: 0 is L2 alone, 1 is L1 alone. With 'lbfgs' an L1 penalty gives exact zeros. 'sgd' and
        'adam' follow a subgradient, so it only gives small weights.
    solver : {'lbfgs', 'sgd', 'adam'}, default='lbfgs'
        'lbfgs' (L-BFGS-B, all rows at once, in float64) is exact. 'sgd' (Nesterov momentum 0.9) and 'adam' train on
        mini-batches, which suits tables with many rows. They divide their learning rate by 5 after `n_iter_no_change`
        epochs without progress.
    learning_rate_init : float > 0, default=0.001
        Initial learning rate of 'sgd' and 'adam'.
    batch_size : int or 'auto', default='auto'
        Largest number of rows in a mini-batch. 'auto' means 200. All batches of an epoch have the same size, up to
        rounding.
    max_iter : int, default=100
        Largest number of iterations or, for 'sgd' and 'adam', of epochs.
    tol : float >= 0, default=1e-4
        'lbfgs' stops when the largest entry of the gradient (per row) is below it. For 'sgd' and 'adam', smaller
        improvements in an epoch do not count as progress.
    class_weight : dict, 'balanced' or None, default=None
        Factor for the sample weights of each class. 'balanced' gives all classes the same total weight.
    fit_intercept : bool, default=True
        Whether to learn an intercept. Only 'lbfgs' can do without one.
    random_state : int, RandomState or None, default=None
        Source of the row orders of 'sgd' and 'adam'. Weights start at zero.
    verbose : bool, default=False
        Whether to show the loss of each epoch or iteration: on a live line in a terminal or a notebook, elsewhere on
        lines.
    warm_start : bool, default=False
        Whether `fit` continues from the current weights.
    n_iter_no_change : int or inf, default=10
        Number of epochs without progress after which 'sgd' and 'adam' lower their learning rate.
    checkpoint : path or None, default=None
        Folder in which a training by 'sgd' or 'adam' is saved. The same call of `fit` resumes exactly where it stopped,
        even after the process was killed. ('lbfgs' restarts from scratch, with the same result.)
    checkpoint_every : int or str, default='30s'
        Number of steps between two checkpoints, or a time.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
        Weights, as a writable view of the network's parameters.
    intercept_ : ndarray of shape (1,) or (n_classes,)
        Intercepts, as a writable view of the network's parameters.
    n_iter_ : int
        Number of iterations or epochs of the last call.
    fit_time_ : float
        Seconds that the last `fit` took. Files do not hold it.
    loss_ : float
        The minimized objective, divided by C and by the sum of the weights (sample weight times class weight).
    loss_curve_ : list of float
        Loss of each epoch, for 'sgd' and 'adam'.
    history_ : History
        Loss and learning rate of each epoch, for 'sgd' and 'adam'. `to_frame()` gives it as a data frame.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from rosenblatt import LogisticRegression
    >>> X, y = load_iris(return_X_y=True)
    >>> LogisticRegression(max_iter=1000).fit(X, y).coef_.shape
    (3, 4)
    """

    _parameter_constraints = {
        "penalty": [StrOptions({"l1", "l2", "elasticnet", "deprecated"}), None],
        "C": [Interval(Real, 0, None, closed="right")],
        "l1_ratio": [Interval(Real, 0, 1, closed="both")],
        "solver": [StrOptions({"lbfgs", "sgd", "adam"})],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "fit_intercept": ["boolean"],
        **{name: MLPParameters._parameter_constraints[name] for name in SHARED},
    }
    penalty: str | None
    C: float
    l1_ratio: float
    solver: str
    batch_size: int | str
    class_weight: Any
    fit_intercept: bool
    random_state: Any
    warm_start: bool
    shuffle = True
    classes_: Array

    def __init__(
        self,
        penalty: str | None = "deprecated",
        *,
        C: float = 1.0,
        l1_ratio: float = 0.0,
        solver: str = "lbfgs",
        learning_rate_init: float = 0.001,
        batch_size: int | str = "auto",
        max_iter: int = 100,
        tol: float = 1e-4,
        class_weight: Any = None,
        fit_intercept: bool = True,
        random_state: Any = None,
        verbose: bool | int = False,
        warm_start: bool = False,
        n_iter_no_change: float = 10,
        checkpoint: Any = None,
        checkpoint_every: int | str = "30s",
    ) -> None:
        set_parameters(self, locals())

    @property
    def coef_(self) -> Array:
        """Weights, shape (1 or n_classes, n_features): a writable view."""
        return self._parameter("coef_").weights[0].T

    @coef_.setter
    def coef_(self, value: Any) -> None:
        self.coef_[...] = value

    @property
    def intercept_(self) -> Array:
        """Intercepts, shape (1 or n_classes,): a writable view."""
        return self._parameter("intercept_").biases[0]

    @intercept_.setter
    def intercept_(self, value: Any) -> None:
        self.intercept_[...] = value

    def _parameter(self, name: str) -> Network:
        if "_network" not in vars(self):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r} before fit")
        return self._network

    @with_callbacks  # type: ignore[untyped-decorator]
    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> LogisticRegression:
        """Train on X and y.

        Parameters
        ----------
        X : array, sparse matrix or data frame of shape (n_samples, n_features)
            Finite numbers.
        y : array of shape (n_samples,)
            Labels of at least two classes.
        sample_weight : array of shape (n_samples,), optional
            Weights of the rows, at least 0.

        Returns
        -------
        self

        Raises
        ------
        DivergenceError
            If the loss or a weight becomes infinite or NaN. It is a `ValueError`, and the estimator is left unchanged.
        """
        if self.penalty != "deprecated":
            self._warn_of_penalty()
        if self.solver != "lbfgs" and not self.fit_intercept:
            raise ValueError(f"fit_intercept=False needs solver='lbfgs', but solver is {self.solver!r}.")
        warm = self.warm_start and "_network" in vars(self)
        with self._unchanged_if_failed(first_pass=not warm), self._progress() as show:
            start = np.array(self._network.parameters) if warm else None
            X, y = check_rows(self, X, y)
            labels = self.encode_target(y, warm)
            weight = self._row_weights(X, y, labels, sample_weight)
            self._prepare_network(X, start)
            target = labels if len(self.classes_) > 2 else labels.astype(self._network.dtype).reshape(-1, 1)
            tasks = begin_fit(self, X, y, sample_weight, self.max_iter)
            train = self._run_lbfgs if self.solver == "lbfgs" else self._run_batches
            train(rows_of(X), target, weight, tasks, show)
            tasks.end()
            if not np.isfinite(self._network.parameters).all():
                raise DivergenceError(divergence_message("Try scaled inputs and a smaller C."))
        return self

    def _warn_of_penalty(self) -> None:
        """Say what to write instead of `penalty`, and which parameters it overrules."""
        instead = {"l1": "l1_ratio=1", "l2": "l1_ratio=0", None: "C=math.inf"}.get(self.penalty, "l1_ratio alone")
        ignored = {"l1": self.l1_ratio not in (0, 1), "l2": self.l1_ratio != 0, None: self.C != 1}
        overruled = f" It overrules {'C' if self.penalty is None else 'l1_ratio'}." * ignored.get(self.penalty, False)
        warn_user(
            f"penalty={self.penalty!r} is deprecated, as in scikit-learn: write {instead}.{overruled}", FutureWarning
        )

    def encode_target(self, y: Any, warm: bool) -> Array:
        """Label numbers, int32 of shape (n,); records the classes."""
        check_classification_targets(y)
        classes, labels = np.unique(column_or_1d(y, warn=True), return_inverse=True)
        if len(classes) < 2:
            raise ValueError(
                "Classification needs samples of at least two classes, but y has only one class: "
                f"{classes.tolist()[0]!r}."
            )
        if warm and not np.array_equal(classes, self.classes_):
            raise ValueError(f"warm_start needs the classes of the previous fit, {self.classes_}, but y has {classes}.")
        self.classes_ = classes
        return labels.astype(np.int32)

    def _row_weights(self, X: Any, y: Array, labels: Array, sample_weight: Any) -> Array | None:
        """Sample weight times class weight of each row, or None if all are one."""
        if sample_weight is None and self.class_weight is None:
            return None
        weight = check_weights(1.0 if sample_weight is None else sample_weight, X.shape[0])
        return class_weighted(self.class_weight, self.classes_, labels, weight)

    def _prepare_network(self, X: Any, start: Array | None) -> None:
        """Create the network, with the parameters `start` or with zeros."""
        binary = len(self.classes_) == 2
        spec = NetworkSpec(
            n_inputs=X.shape[1],
            hidden=(),
            n_outputs=1 if binary else len(self.classes_),
            output="logistic" if binary else "softmax",
            sparse_input=is_sparse(X),
        )
        if start is not None and start.size != spec.n_weights + spec.n_biases:
            raise ValueError(f"warm_start needs the number of features of the previous fit, but X has {X.shape[1]}.")
        self._network = Network(spec, dtype=X.dtype, seed=None)
        if start is not None:
            self._network.parameters[:] = start

    def _start_from(self, coef: Array, intercept: Array) -> None:
        """Use weights with the shapes of ``coef_`` and ``intercept_``, as if they were fitted in zero iterations."""
        rows = np.empty((0, coef.shape[1]), coef.dtype)
        self._prepare_network(rows, np.concatenate([coef.T.ravel(), intercept]))
        self.n_iter_ = 0

    def _penalties(self) -> tuple[float, float]:
        """Strengths (l1, l2) of the penalties, for a loss that is summed over the rows."""
        if self.penalty is None or math.isinf(self.C):
            return 0.0, 0.0
        share = {"l1": 1.0, "l2": 0.0}.get(self.penalty, float(self.l1_ratio))
        return share / self.C, (1 - share) / self.C

    def network_loss(self) -> str:
        """The loss that the network trains on."""
        return "softmax_cross_entropy" if len(self.classes_) > 2 else "logistic_cross_entropy"

    def _run_lbfgs(self, X: Any, target: Array, weight: Array | None, tasks: FitTasks, show: Shown) -> None:
        """Train on the full batch in float64, whatever the network's dtype."""
        l1, l2 = self._penalties()
        network = Network(self._network.spec, dtype="float64", seed=None)
        network.parameters[:] = self._network.parameters
        loss = exact(self.network_loss()) if network.parameters.any() else self.network_loss()
        trainer = Trainer(network, loss, None, l2=l2, batch_size=None, weighted=weight is not None)
        trainer.set_data(X, target, weight)
        options = {"maxiter": self.max_iter, "gtol": self.tol, "ftol": 64 * np.finfo(float).eps, "maxls": 50}
        options["maxfun"] = 50 * self.max_iter
        n_weights, total = network.spec.n_weights, float(X.shape[0] if weight is None else weight.sum())
        fixed = None if self.fit_intercept else slice(n_weights, None)
        found = self._minimize(trainer, options, tasks, show, fixed=fixed, l1=l1 / total, n_penalized=n_weights)
        self.n_iter_, self.loss_ = found.n_iter, found.loss

    def _run_batches(self, X: Any, target: Array, weight: Array | None, tasks: FitTasks, show: Shown) -> None:
        """Train on mini-batches. Each bears its share of the penalty, so the minimum is that of the full objective."""
        rng = check_random_state(self.random_state)
        data = {"X": X, "y": target, "sample_weight": weight, "starting weights": self._network.block}
        checkpoints = open_checkpoints(self, data, rng)
        n_rows = X.shape[0]
        n_steps = -(-n_rows // (200 if self.batch_size == "auto" else int(self.batch_size)))
        batch_size = -(-n_rows // n_steps)  # batches of equal size, so that no row weighs more than another
        l1, l2 = (strength * batch_size / n_rows for strength in self._penalties())
        optimizer = SGD(momentum=0.9, nesterov=True) if self.solver == "sgd" else Adam()
        trainer = Trainer(
            self._network,
            self.network_loss(),
            optimizer,
            l2=l2,
            l1=l1,
            batch_size=batch_size,
            weighted=weight is not None,
        )
        trainer.set_data(X, target, weight)
        self._start_history(first_pass=True, early_stopping=False)
        self._optimizer = OptimizerState(SolverRates(self.learning_rate_init, mode="adaptive"), trainer)
        try:
            order = ShuffledRows(np.arange(n_rows), rng, self.shuffle)
            loop = self._make_loop(tasks, rows=order, checkpoints=checkpoints, show=show)
            loop.run()
            self._note_outcome(loop)
        finally:
            del self._optimizer

    def decision_function(self, X: Any) -> Array:
        """Log-odds of the second class, shape (n_samples,), or the logits, shape (n_samples, n_classes)."""
        logits = self._logits(X)
        return logits.ravel() if len(self.classes_) == 2 else logits

    def predict(self, X: Any) -> Array:
        """The most probable label of each row, shape (n_samples,)."""
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(axis=1)]  # type: ignore[no-any-return]

    def predict_proba(self, X: Any) -> Array:
        """Probability of each class, shape (n_samples, n_classes), in the order of ``classes_``."""
        return probabilities_of(self._outputs(X))

    def predict_log_proba(self, X: Any) -> Array:
        """Logarithm of `predict_proba`."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))
