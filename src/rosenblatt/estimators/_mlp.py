"""The part of `MLPClassifier` and `MLPRegressor` that does not depend on the kind of target.

Goes in: X, an encoded target, weights and perhaps the user's validation set. Comes out: a fitted network and
scikit-learn's fitted attributes. It draws from NumPy's RandomState in scikit-learn's order (initial weights, validation
split, one shuffle per epoch), so that equal seeds give equal training. It never copies X when its dtype fits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import is_classifier
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, Options, StrOptions
from sklearn.utils.validation import _check_sample_weight, validate_data

from rosenblatt.nn import SGD, Adam, Network, NetworkSpec, Optimizer
from rosenblatt.training import Trainer

from ._base import FLOATS, DivergenceError, is_sparse, require_finite, rows_of, warn_user
from ._lbfgs import minimize_loss
from ._parameters import LayerParameters
from ._stochastic import OptimizerState, StochasticSolver

__all__ = ["BaseMLP", "Score", "TrainingData", "solver_is_stochastic"]

Array = npt.NDArray[Any]
Score = Callable[[], float]


@dataclass(frozen=True)
class TrainingData:
    """X as checked, the target as the trainer wants it (labels (n,) or floats (n, k)), and sample weights or None."""

    X: Any
    y: Array
    sample_weight: Array | None


class BaseMLP(LayerParameters, StochasticSolver):
    """Fitting and its bookkeeping; the subclasses encode targets and decode predictions."""

    _parameter_constraints = {
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
        "activation": [StrOptions({"identity", "logistic", "tanh", "relu"}), callable],
        "solver": [StrOptions({"lbfgs", "sgd", "adam"})],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "learning_rate": [StrOptions({"constant", "invscaling", "adaptive"})],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
        "power_t": [Interval(Real, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "shuffle": ["boolean"],
        "random_state": ["random_state"],
        "tol": [Interval(Real, 0, None, closed="left")],
        "verbose": ["verbose"],
        "warm_start": ["boolean"],
        "momentum": [Interval(Real, 0, 1, closed="both")],
        "nesterovs_momentum": ["boolean"],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="left")],
        "beta_1": [Interval(Real, 0, 1, closed="left")],
        "beta_2": [Interval(Real, 0, 1, closed="left")],
        "epsilon": [Interval(Real, 0, None, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left"), Options(Real, {np.inf})],
        "max_fun": [Interval(Integral, 1, None, closed="left")],
        "dtype": [StrOptions({"float32", "float64"}), Options(type, {np.float32, np.float64}), np.dtype, None],
    }

    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        validation: tuple[Any, Any] | None = None,
        incremental: bool = False,
    ) -> None:
        """Everything `fit` and `partial_fit` do; a divergence leaves the estimator as it was."""
        first_pass = "_network" not in vars(self) and "_assigned" not in vars(self)
        first_pass = first_pass or (not self.warm_start and not incremental)
        self._refuse_contradictions(incremental, validation)
        with self._unchanged_if_diverged(first_pass):
            data = self._check_data(X, y, sample_weight, incremental, first_pass)
            rng = check_random_state(self.random_state)
            self._prepare_network(data, rng, first_pass)
            if self.solver == "lbfgs":
                self._fit_lbfgs(data, first_pass)
            else:
                self._fit_stochastic(data, rng, validation, first_pass, incremental)
            require_finite(self._network.parameters, "Try a smaller learning_rate_init and scaled inputs.")
            self._finish(data)

    def _refuse_contradictions(self, incremental: bool, validation: tuple[Any, Any] | None) -> None:
        if incremental and self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True")
        if validation is None:
            return
        if any(part is None for part in validation):
            raise ValueError("X_val and y_val belong together: give both of them or neither.")
        if self.solver == "lbfgs":
            raise ValueError("X_val and y_val serve early stopping, which solver='lbfgs' has not: use 'adam' or 'sgd'.")

    @contextmanager
    def _unchanged_if_diverged(self, first_pass: bool) -> Iterator[None]:
        """Put every attribute and weight back if training diverges, so that no NaN model is left behind."""
        before = dict(vars(self))
        kept = None if first_pass else np.array(self._fitted_network().parameters)
        try:
            yield
        except DivergenceError:
            self.__dict__ = before
            if kept is not None:
                self._fitted_network().parameters[:] = kept
                self.__dict__.pop("_optimizer", None)  # its moments may hold NaN
            raise

    def _check_data(self, X: Any, y: Any, sample_weight: Any, incremental: bool, first_pass: bool) -> TrainingData:
        dtype: Any = FLOATS if self.dtype is None else np.dtype(self.dtype)
        if not first_pass:
            dtype = self._fitted_network().dtype
        numeric = {} if is_classifier(self) else {"y_numeric": True}
        X, y = validate_data(
            self, X, y, accept_sparse=["csr", "csc"], multi_output=True, dtype=dtype, reset=first_pass, **numeric
        )
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, X, dtype=X.dtype, ensure_non_negative=True)
        return TrainingData(rows_of(X), self._encode_target(y, incremental), sample_weight)

    def _prepare_network(self, data: TrainingData, rng: np.random.RandomState, first_pass: bool) -> None:
        """A new network with initial weights, or the present one if it has the right architecture."""
        output, n_outputs = self._output_layer(data.y)
        units = (data.X.shape[1], *hidden_sizes(self.hidden_layer_sizes), n_outputs)
        spec = self._spec(units, output, is_sparse(data.X))
        if first_pass:
            for name in ("_assigned", "_optimizer"):
                self.__dict__.pop(name, None)
            self._network = Network(spec, dtype=data.X.dtype)
            self._initialize_weights(rng)
        network = self._fitted_network()
        if network.spec.layer_sizes != units:
            raise ValueError(
                f"the fitted network has layers of {list(network.spec.layer_sizes)} units, but hidden_layer_sizes and "
                f"the data ask for {list(units)}: warm_start and partial_fit continue one architecture."
            )
        if network.spec != spec:  # the same layers, with another activation or sparse after dense input
            self._network = Network(spec, dtype=network.dtype)
            self._network.parameters[:] = network.parameters
        self.n_layers_, self.n_outputs_, self.out_activation_ = len(units), n_outputs, output

    def _spec(self, units: Sequence[int], output: str, sparse: bool) -> NetworkSpec:
        return NetworkSpec(
            n_inputs=int(units[0]),
            hidden=tuple(int(u) for u in units[1:-1]),
            n_outputs=int(units[-1]),
            activation=self.activation,
            output=output,
            sparse_input=sparse,
        )

    def _initialize_weights(self, rng: np.random.RandomState) -> None:
        """Uniform in ±sqrt(6 / (fan_in + fan_out)), biases too (Glorot and Bengio 2010); 2 for the logistic."""
        factor = 2.0 if self.activation == "logistic" else 6.0
        for weight, bias in zip(self._network.weights, self._network.biases, strict=True):
            bound = np.sqrt(factor / sum(weight.shape))
            weight[...] = rng.uniform(-bound, bound, weight.shape)
            bias[...] = rng.uniform(-bound, bound, bias.shape)

    def _make_trainer(self, network: Network, weighted: bool, batch_size: int | None) -> Trainer:
        optimizer: Optimizer | None = None
        if self.solver == "sgd":
            optimizer = SGD(momentum=float(self.momentum), nesterov=bool(self.nesterovs_momentum))
        elif self.solver == "adam":
            optimizer = Adam(beta_1=float(self.beta_1), beta_2=float(self.beta_2), epsilon=float(self.epsilon))
        return Trainer(
            network, self._engine_loss(), optimizer, l2=float(self.alpha), batch_size=batch_size, weighted=weighted
        )

    def _fit_lbfgs(self, data: TrainingData, first_pass: bool) -> None:
        if first_pass:
            self.t_ = 0
        network = self._network
        if network.dtype != np.float64:  # line searches compare losses to 1e-9
            network = Network(network.spec, dtype="float64")
            network.parameters[:] = self._network.parameters
        trainer = self._make_trainer(network, data.sample_weight is not None, None)
        trainer.set_data(data.X, data.y, data.sample_weight)
        options = {"maxfun": self.max_fun, "maxiter": self.max_iter, "gtol": self.tol}
        outcome = minimize_loss(trainer, options, verbose=bool(self.verbose))
        self._network.parameters[:] = network.parameters
        self.n_iter_, self.loss_ = outcome.n_iter, outcome.loss

    def _fit_stochastic(
        self,
        data: TrainingData,
        rng: np.random.RandomState,
        validation: tuple[Any, Any] | None,
        first_pass: bool,
        incremental: bool,
    ) -> None:
        self._start_history(first_pass, self.early_stopping or validation is not None)
        rows: Array = np.arange(data.X.shape[0])
        score: Score | None = None
        if validation is not None:
            score = self._score_on(self._check_validation_set(*validation))
        elif self.early_stopping:
            rows, held_out = self._split(data, rng)
            weight = None if data.sample_weight is None else data.sample_weight[held_out]
            score = self._score_on(TrainingData(data.X[held_out], data.y[held_out], weight))
        trainer = self._continued_trainer(data, len(rows), incremental)
        trainer.set_data(data.X, data.y, data.sample_weight)
        natural_order = not self.shuffle and len(rows) == data.X.shape[0]
        try:
            self._run_epochs(None if natural_order else rows, len(rows), rng, score, incremental)
        finally:
            trainer.release_data()

    def _split(self, data: TrainingData, rng: np.random.RandomState) -> tuple[Array, Array]:
        """Row numbers for training and validation, drawn as scikit-learn draws them."""
        stratify = data.y.astype(bool) if is_classifier(self) and self.n_outputs_ == 1 else None
        rows = np.arange(data.X.shape[0])
        train, held_out = train_test_split(
            rows, random_state=rng, test_size=self.validation_fraction, stratify=stratify
        )
        if len(held_out) < 2:
            raise ValueError(
                f"The validation set is too small: {len(held_out)} of {len(rows)} rows. Raise validation_fraction (now "
                f"{self.validation_fraction}), give more rows, or pass X_val and y_val."
            )
        return train, held_out

    def _check_validation_set(self, X: Any, y: Any) -> TrainingData:
        X, y = validate_data(
            self, X, y, accept_sparse=["csr", "csc"], multi_output=True, dtype=self._network.dtype, reset=False
        )
        if X.shape[0] < 2 and not is_classifier(self):
            raise ValueError(f"X_val has {X.shape[0]} row, but the R2 score needs at least 2: give more rows.")
        return TrainingData(rows_of(X), self._encode_validation_target(y), None)

    def _continued_trainer(self, data: TrainingData, n_rows: int, incremental: bool) -> Trainer:
        """A fresh trainer for `fit`; for `partial_fit` the last one, with its moments and its learning rate."""
        batch_size = self._batch_size(n_rows, incremental)
        state: OptimizerState | None = vars(self).get("_optimizer")
        if not incremental or state is None:
            mode = self.learning_rate if self.solver == "sgd" else "constant"
            state = OptimizerState(None, self.learning_rate_init, mode, self.power_t)
        made_for = (self._network, data.sample_weight is not None, batch_size, self.alpha)
        if state.trainer is None or state.made_for != made_for:
            fresh = self._make_trainer(self._network, data.sample_weight is not None, batch_size)
            state.replace_trainer(fresh, made_for)
        self._optimizer = state
        return self._optimizer.running_trainer

    def _batch_size(self, n_rows: int, incremental: bool) -> int:
        """Rows of a step; for `partial_fit`, whose calls may differ in length, the number that was asked for."""
        wanted = 200 if self.batch_size == "auto" else int(self.batch_size)
        if self.batch_size != "auto" and wanted > n_rows:
            warn_user(f"batch_size={wanted} is larger than the {n_rows} training rows: it is clipped to them.")
        return wanted if incremental else min(wanted, n_rows)

    def _finish(self, data: TrainingData) -> None:
        """What a subclass computes from the trained network."""

    def _encode_target(self, y: Any, incremental: bool) -> Array:
        raise NotImplementedError

    def _encode_validation_target(self, y: Any) -> Array:
        raise NotImplementedError

    def _output_layer(self, y: Array) -> tuple[str, int]:
        """Output activation and number of outputs for an encoded target."""
        raise NotImplementedError

    def _engine_loss(self) -> Any:
        raise NotImplementedError

    def _score_on(self, data: TrainingData) -> Score:
        """The validation score as a function of the present weights; NaN if an output is not finite."""
        raise NotImplementedError


def solver_is_stochastic(estimator: Any) -> bool:
    """Whether `partial_fit` exists; the error is what `getattr` reports."""
    if estimator.solver == "lbfgs":
        raise AttributeError("partial_fit needs mini-batches, which solver='lbfgs' has not: use 'adam' or 'sgd'.")
    return True


def hidden_sizes(sizes: Any) -> list[int]:
    """``hidden_layer_sizes`` as a list of positive integers."""
    listed = list(sizes) if np.iterable(sizes) else [sizes]
    if not all(isinstance(s, Integral) and not isinstance(s, bool) for s in listed):
        raise ValueError(f"hidden_layer_sizes must be integers, got {listed}.")
    if any(s <= 0 for s in listed):
        raise ValueError(f"hidden_layer_sizes must be > 0, got {listed}.")
    return [int(s) for s in listed]
