"""`LogisticRegression`: the network without hidden layers.

Goes in: a table and class labels. Comes out: one weight per column (and class), probabilities. Two classes have one
logistic output, more have a softmax. All solvers minimize scikit-learn's objective,

    C * sum_i s_i loss_i + (1 - l1_ratio) / 2 * sum(w**2) + l1_ratio * sum(abs(w)),

with sample times class weights s_i; intercepts are never penalized. It never scales the columns.
"""

from __future__ import annotations

import math
from dataclasses import replace
from numbers import Integral, Real
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.callback import with_callbacks
from sklearn.utils import check_random_state, column_or_1d
from sklearn.utils._param_validation import HasMethods, Interval, Options, StrOptions
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, validate_data

from rosenblatt.estimators.base import FLOATS, DivergenceError, is_sparse, predict_rows, require_finite, rows_of
from rosenblatt.estimators.callbacks import FitTasks, begin_fit
from rosenblatt.estimators.optimizer_state import OptimizerState, rates_of
from rosenblatt.estimators.sgd import ShuffledRows, StochasticSolver, open_checkpoints
from rosenblatt.nn import SGD, Adam, Network, NetworkSpec
from rosenblatt.nn.losses import loss_record
from rosenblatt.training import Trainer

__all__ = ["LogisticRegression"]

Array = npt.NDArray[Any]


def exact(name: str) -> Any:
    """A cross-entropy whose logarithms are not clipped.

    Far from the minimum, where a warm start may be, a clipped loss is flat and its gradient is not: line searches fail.
    From zero weights on the clipped one does, and shares its softmax with its gradient.
    """
    return replace(loss_record(name), function=lambda b, logits, target: getattr(b, name)(logits, target, clip=0.0))


class LogisticRegression(ClassifierMixin, StochasticSolver):  # type: ignore[misc]
    """Logistic regression, binary or multinomial.

    Parameters
    ----------
    penalty : {'l2', 'l1', 'elasticnet'} or None, default='l2'
        Penalty of the weights. With 'lbfgs' an L1 penalty gives exact zeros; with 'sgd' and 'adam', which follow a
        subgradient, it gives small weights.
    C : float > 0, default=1.0
        Inverse strength of the penalty.
    l1_ratio : float in [0, 1], default=0.5
        Share of L1 in 'elasticnet'.
    solver : {'lbfgs', 'sgd', 'adam'}, default='lbfgs'
        'lbfgs' (L-BFGS-B, all rows at once, in float64) is exact; 'sgd' (Nesterov momentum 0.9) and 'adam' train by
        mini-batches for tables of many rows, and divide their learning rate by 5 whenever `n_iter_no_change` epochs
        bring no progress.
    learning_rate_init : float > 0, default=0.001
        First learning rate of 'sgd' and 'adam'.
    batch_size : int or 'auto', default='auto'
        Most rows of a mini-batch, 'auto' meaning 200; all batches of an epoch are equally large, but for rounding.
    max_iter : int, default=100
        Most iterations, or epochs.
    tol : float >= 0, default=1e-4
        For 'lbfgs' the largest entry of the gradient (per row) at the end, else the least progress of an epoch.
    class_weight : dict, 'balanced' or None, default=None
        Factor of each class's sample weights; 'balanced' makes all classes weigh the same.
    fit_intercept : bool, default=True
        Whether to learn an intercept; without one only 'lbfgs' is possible.
    random_state : int, RandomState or None, default=None
        Source of the row orders of 'sgd' and 'adam'. Weights start at zero.
    verbose : bool, default=False
        Print the loss of each epoch or iteration.
    warm_start : bool, default=False
        Let `fit` go on from the present weights.
    n_iter_no_change : int or inf, default=10
        For 'sgd' and 'adam': epochs without progress after which the learning rate is lowered.
    checkpoint : path or None, default=None
        For 'sgd' and 'adam': folder in which the training is saved; the same call of `fit` goes on exactly where it
        was, also after the process was killed. ('lbfgs' begins anew, with the same result.)
    checkpoint_every : int or str, default='30s'
        Steps between two checkpoints, or a time.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
        Weights; a writable view of the network's parameters.
    intercept_ : ndarray of shape (1,) or (n_classes,)
        Intercepts, likewise.
    n_iter_ : int
        Iterations, or epochs, of the last call.
    loss_ : float
        The objective divided by C * sum of the s_i.
    loss_curve_ : list of float
        Loss of each epoch ('sgd', 'adam').
    history_ : History
        Loss and learning rate of each epoch, likewise; `to_frame()`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from rosenblatt import LogisticRegression
    >>> X, y = load_iris(return_X_y=True)
    >>> LogisticRegression(max_iter=1000).fit(X, y).coef_.shape
    (3, 4)
    """

    _parameter_constraints = {
        "penalty": [StrOptions({"l1", "l2", "elasticnet"}), None],
        "C": [Interval(Real, 0, None, closed="right")],
        "l1_ratio": [Interval(Real, 0, 1, closed="both")],
        "solver": [StrOptions({"lbfgs", "sgd", "adam"})],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
        "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "fit_intercept": ["boolean"],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
        "warm_start": ["boolean"],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left"), Options(Real, {np.inf})],
        "checkpoint": [str, HasMethods("__fspath__"), None],
        "checkpoint_every": [Interval(Integral, 1, None, closed="left"), str],
    }
    shuffle = True
    classes_: Array

    def __init__(
        self,
        penalty: str | None = "l2",
        *,
        C: float = 1.0,
        l1_ratio: float = 0.5,
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
        self.penalty = penalty
        self.C = C
        self.l1_ratio = l1_ratio
        self.solver = solver
        self.learning_rate_init = learning_rate_init
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.tol = tol
        self.class_weight = class_weight
        self.fit_intercept = fit_intercept
        self.random_state = random_state
        self.verbose = verbose
        self.warm_start = warm_start
        self.n_iter_no_change = n_iter_no_change
        self.checkpoint = checkpoint
        self.checkpoint_every = checkpoint_every

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
            Numbers without NaN or infinity.
        y : array of shape (n_samples,)
            Labels of at least two classes.
        sample_weight : array of shape (n_samples,), optional
            Non-negative weights.

        Returns
        -------
        self

        Raises
        ------
        DivergenceError
            A `ValueError`: the loss or a weight became infinite or NaN. The estimator is not changed then.
        """
        if self.solver != "lbfgs" and not self.fit_intercept:
            raise ValueError(f"fit_intercept=False needs solver='lbfgs', but solver is {self.solver!r}.")
        before = dict(vars(self))
        warm = self.warm_start and "_network" in before
        start = np.array(self._network.parameters) if warm else None
        X, y = validate_data(self, X, y, accept_sparse=["csr", "csc"], dtype=FLOATS)
        labels = self._encode_target(y, warm)
        weight = self._row_weights(X, y, labels, sample_weight)
        try:
            self._prepare_network(X, start)
            tasks = begin_fit(self, X, y, sample_weight, self.max_iter)
            self._train(rows_of(X), labels, weight, tasks)
            tasks.end_fit()
            require_finite(self._network.parameters, "Try scaled inputs and a smaller C.")
        except DivergenceError:
            self.__dict__ = before
            if start is not None:
                self._network.parameters[:] = start
            raise
        return self

    def _encode_target(self, y: Any, warm: bool) -> Array:
        """Label numbers, int32 of shape (n,)."""
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
        weight: Array = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True, copy=True)
        per_class = np.bincount(labels, weight)
        if np.count_nonzero(per_class) < (len(per_class) if self.class_weight == "balanced" else 1):
            raise ValueError(
                f"sample_weight is zero for all rows of the classes {self.classes_[per_class == 0]}: give them some."
            )
        if self.class_weight is not None:
            weight *= compute_class_weight(self.class_weight, classes=self.classes_, y=y, sample_weight=weight)[labels]
        return weight

    def _prepare_network(self, X: Any, start: Array | None) -> None:
        """A network of zeros, or of the weights to start from."""
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
        """Take weights of the shapes of ``coef_`` and ``intercept_`` for those of a fit without an iteration."""
        rows = np.empty((0, coef.shape[1]), coef.dtype)
        self._prepare_network(rows, np.concatenate([coef.T.ravel(), intercept]))
        self.n_iter_ = 0

    def _penalties(self) -> tuple[float, float]:
        """Strengths (l1, l2) of the two penalties, for losses that are summed over rows."""
        if self.penalty is None or math.isinf(self.C):
            return 0.0, 0.0
        share = {"l1": 1.0, "l2": 0.0}.get(self.penalty, float(self.l1_ratio))
        return share / self.C, (1 - share) / self.C

    def _train(self, X: Any, labels: Array, weight: Array | None, tasks: FitTasks) -> None:
        target = labels if len(self.classes_) > 2 else labels.astype(self._network.dtype).reshape(-1, 1)
        if self.solver == "lbfgs":
            self._run_lbfgs(X, target, weight, tasks)
        else:
            self._run_batches(X, target, weight, tasks)

    def _engine_loss(self) -> str:
        return "softmax_cross_entropy" if len(self.classes_) > 2 else "logistic_cross_entropy"

    def _run_lbfgs(self, X: Any, target: Array, weight: Array | None, tasks: FitTasks) -> None:
        """Full-batch training in float64, whatever the network's dtype."""
        l1, l2 = self._penalties()
        network = Network(self._network.spec, dtype="float64", seed=None)
        network.parameters[:] = self._network.parameters
        loss = exact(self._engine_loss()) if network.parameters.any() else self._engine_loss()
        trainer = Trainer(network, loss, None, l2=l2, batch_size=None, weighted=weight is not None)
        trainer.set_data(X, target, weight)
        options = {"maxiter": self.max_iter, "gtol": self.tol, "ftol": 64 * np.finfo(float).eps, "maxls": 50}
        options["maxfun"] = 50 * self.max_iter
        n_weights, total = network.spec.n_weights, float(X.shape[0] if weight is None else weight.sum())
        fixed = None if self.fit_intercept else slice(n_weights, None)
        found = self._minimize(trainer, options, tasks, fixed=fixed, l1=l1 / total, n_penalized=n_weights)
        self.n_iter_, self.loss_ = found.n_iter, found.loss

    def _run_batches(self, X: Any, target: Array, weight: Array | None, tasks: FitTasks) -> None:
        """Mini-batch training; a batch bears its share of the penalty, so that the minimum is that of all rows."""
        rng = check_random_state(self.random_state)
        checkpoints = open_checkpoints(self, {"X": X, "y": target, "sample_weight": weight}, rng)
        n_rows = X.shape[0]
        n_steps = -(-n_rows // (200 if self.batch_size == "auto" else int(self.batch_size)))
        batch_size = -(-n_rows // n_steps)  # batches of equal size, so that no row weighs more than another
        l1, l2 = (strength * batch_size / n_rows for strength in self._penalties())
        optimizer = SGD(momentum=0.9, nesterov=True) if self.solver == "sgd" else Adam()
        trainer = Trainer(
            self._network,
            self._engine_loss(),
            optimizer,
            l2=l2,
            l1=l1,
            batch_size=batch_size,
            weighted=weight is not None,
        )
        trainer.set_data(X, target, weight)
        self._start_history(first_pass=True, early_stopping=False)
        self._optimizer = OptimizerState(rates_of(self.learning_rate_init, "adaptive"), trainer)
        try:
            loop = self._make_loop(
                tasks, rows=ShuffledRows(np.arange(n_rows), rng, self.shuffle), checkpoints=checkpoints
            )
            loop.run()
            self._note_outcome(loop)
        finally:
            del self._optimizer

    def decision_function(self, X: Any) -> Array:
        """Log-odds of the second class, shape (n_samples,), or the logits, shape (n_samples, n_classes)."""
        network = self._fitted_network()
        X = validate_data(self, X, accept_sparse=["csr", "csc"], dtype=FLOATS, reset=False)
        linear = Network(replace(network.chain, output="identity"), dtype=network.dtype, seed=None)
        linear.parameters[:] = network.parameters
        logits = predict_rows(linear, X)
        return logits.ravel() if len(self.classes_) == 2 else logits

    def predict(self, X: Any) -> Array:
        """The most probable label of each row, shape (n_samples,)."""
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(axis=1)]  # type: ignore[no-any-return]

    def predict_proba(self, X: Any) -> Array:
        """Probability of each class, shape (n_samples, n_classes), in the order of ``classes_``."""
        outputs = self._outputs(X)
        return np.hstack([1 - outputs, outputs]) if outputs.shape[1] == 1 else outputs

    def predict_log_proba(self, X: Any) -> Array:
        """Logarithm of `predict_proba`."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))
