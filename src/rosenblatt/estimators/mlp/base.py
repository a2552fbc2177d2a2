"""The part of `MLPClassifier` and `MLPRegressor` that does not depend on the kind of target.

Takes X, an encoded target, weights and perhaps the user's validation set. Returns a fitted network and scikit-learn's
fitted attributes. Draws from NumPy's RandomState in scikit-learn's order (initial weights, validation split, one
shuffle per epoch), so that equal seeds give equal training. Never copies an X whose dtype fits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from functools import partial
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import _fit_context, is_classifier
from sklearn.callback import with_callbacks
from sklearn.metrics import get_scorer
from sklearn.utils import check_random_state

from rosenblatt._checks import check_weights
from rosenblatt.estimators.base import FLOATS, Searchable, check_rows, is_sparse, rows_of, score_rows, warn_user
from rosenblatt.estimators.callbacks import FitTasks, begin_fit
from rosenblatt.estimators.fitted_parameters import FittedParameters
from rosenblatt.estimators.mlp.coefs import LayerParameters
from rosenblatt.estimators.mlp.hyperparameters import WITHOUT_BATCHES, MLPParameters, hidden_sizes, is_listed
from rosenblatt.estimators.mlp.rate_finder import RateFinder
from rosenblatt.estimators.mlp.training_data import (
    Score,
    TrainingData,
    held_out_rows,
    identity_of,
    score_or_nan,
    split_rows,
)
from rosenblatt.estimators.optimizer_state import OptimizerState
from rosenblatt.estimators.sgd import Shown, ShuffledRows, StochasticSolver, open_checkpoints
from rosenblatt.nn import Network
from rosenblatt.nn.initialization import SAMPLE_ROWS
from rosenblatt.nn.losses import Loss
from rosenblatt.nn.objective import NUMBERS
from rosenblatt.training import Trainer
from rosenblatt.training.evaluation import Evaluator, GradientProbe
from rosenblatt.training.loop import TrainingLoop

__all__ = ["BaseMLP", "solver_is_stochastic"]

Array = npt.NDArray[Any]


class BaseMLP(MLPParameters, LayerParameters, FittedParameters, RateFinder, StochasticSolver, Searchable):
    """Fitting and its bookkeeping; the subclasses encode targets and decode predictions."""

    prediction_parameters: ClassVar[tuple[str, ...]] = ("loss", "output_activation")

    @with_callbacks  # type: ignore[untyped-decorator]
    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, X_val: Any = None, y_val: Any = None) -> Self:
        """Train on X and y.

        Parameters
        ----------
        X : array, sparse matrix or data frame of shape (n_samples, n_features)
            Finite numbers. A memory-mapped array of float32 or float64 is read from its file as it is needed, and not
            copied, whatever `dtype` is.
        y : array of shape (n_samples,) or (n_samples, n_outputs)
            Labels or numbers to predict. Several labels per row are columns of zeros and ones.
        sample_weight : array of shape (n_samples,), optional
            Weights of the rows, at least 0.
        X_val, y_val : like X and y, optional
            Your own validation set. It turns early stopping on, and no rows of X are set aside. Not in scikit-learn.

        Returns
        -------
        self

        Raises
        ------
        DivergenceError
            If the loss or a weight becomes infinite or NaN. It is a `ValueError`.
        """
        validation = None if X_val is None and y_val is None else (X_val, y_val)
        self._fit(X, y, sample_weight, validation=validation)
        return self

    def _fit(self, X: Any, y: Any, sample_weight: Any, **how: Any) -> None:
        """Everything that `fit` and `partial_fit` do; if it fails, the estimator is as it was."""
        for _ in self.fit_in_stages(X, y, sample_weight, **how, pause=math.inf):
            raise AssertionError("a fit without a pause has one stage")

    def fit_in_stages(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        validation: tuple[Any, Any] | None = None,
        incremental: bool = False,
        pause: float = 0,
    ) -> Generator[None, float, None]:
        """Train with pauses: before the first epoch, and whenever training reaches the epoch that was sent.

        In a pause the estimator predicts as if training had ended there. L-BFGS has no pauses.
        """
        fitted = "_network" in vars(self) or "_assigned" in vars(self)
        first_pass = not (fitted and (self.warm_start or incremental))
        self._refuse_contradictions(incremental, validation)
        paused, live = 0.0, pause == math.inf and not incremental  # of trainings with pauses, several take turns
        with self._unchanged_if_failed(first_pass), self._progress(live) as show:
            self.keep_parameters()
            data = self._check_data(X, y, sample_weight, incremental, first_pass)
            rng = check_random_state(self.random_state)
            stochastic = self.solver != "lbfgs"  # L-BFGS restarts from scratch
            checkpoints = None
            if stochastic and self.checkpoint is not None:  # before anything is drawn
                checkpoints = open_checkpoints(self, identity_of(data, validation, None if first_pass else self), rng)
            self._prepare_network(data, rng, first_pass)
            tasks = FitTasks() if incremental else begin_fit(self, X, y, sample_weight, self.max_iter)
            if not stochastic:
                self._fit_lbfgs(data, first_pass, tasks, show)
            else:
                self._start_history(first_pass, self.early_stopping or validation is not None)
                rows = np.arange(data.X.shape[0])
                draws_masks = self.input_noise or self.input_dropout or np.any(np.asarray(self.dropout, float))
                mask_seed = int(rng.randint(2**31)) if draws_masks else 0
                rows, held_out = self._hold_out(data, rows, validation, rng)
                order = ShuffledRows(rows, rng, self.shuffle)
                how = {"checkpoints": checkpoints, "show": show}
                loop = self._loop_of(data, held_out, order, mask_seed, tasks, incremental, **how)
                loop.on_pause = lambda: self._finish(data)
                finished = loop.outcome is not None  # by an earlier process
                try:
                    yield from loop.stages(pause)
                finally:
                    loop.trainer.release_data()
                self._note_outcome(loop, warn_at_end=not incremental and not finished)
                paused = loop.paused_seconds
            self._finish(data)
            tasks.end()
        self.fit_time_ -= paused

    def _refuse_contradictions(self, incremental: bool, validation: tuple[Any, Any] | None) -> None:
        if incremental:
            for name, off in (("early_stopping", False), ("ema_decay", 0.0), ("checkpoint", None)):
                if getattr(self, name) != off:
                    raise ValueError(f"partial_fit does not support {name}={getattr(self, name)!r}")
        for name, off in WITHOUT_BATCHES.items() if self.solver == "lbfgs" else ():
            value = getattr(self, name)
            if value != off and not (is_listed(value) and all(v == off for v in value)):
                raise ValueError(f"{name} is {value!r}, which solver='lbfgs' does not support: use 'adam' or 'sgd'.")
        if self.scoring is not None and validation is None and not self.early_stopping:
            raise ValueError(
                "scoring needs a validation set to score: set early_stopping=True, or pass X_val and y_val."
            )
        if validation is None:
            return
        if any(part is None for part in validation):
            raise ValueError("X_val and y_val belong together: give both of them or neither.")
        if self.solver == "lbfgs":
            raise ValueError("solver='lbfgs' does not support early stopping by X_val and y_val; use 'adam' or 'sgd'.")

    def _check_data(self, X: Any, y: Any, sample_weight: Any, incremental: bool, first_pass: bool) -> TrainingData:
        dtype: Any = FLOATS if self.dtype is None else np.dtype(self.dtype)
        if not first_pass:
            dtype = self._fitted_network().dtype
        numeric: dict[str, Any] = {} if is_classifier(self) else {"y_numeric": True}
        keep_maps = self.solver != "lbfgs"  # which computes in float64, whatever the network's type
        X, y = check_rows(self, X, y, multi_output=True, dtype=dtype, keep_maps=keep_maps, reset=first_pass, **numeric)
        dtype = X.dtype if dtype is FLOATS else np.dtype(dtype)
        if sample_weight is not None:
            sample_weight = check_weights(sample_weight, X.shape[0], dtype)
        target = self.encode_target(y, incremental)
        return TrainingData(rows_of(X), target, self._row_weights(y, sample_weight, dtype), y, dtype)

    def _row_weights(self, y: Any, sample_weight: Array | None, dtype: Any) -> Array | None:
        """Weights of the rows, class weights included."""
        return sample_weight

    def _prepare_network(self, data: TrainingData, rng: np.random.RandomState, first_pass: bool) -> None:
        """A new network with initial weights, or the present one if it has the right architecture."""
        output, n_outputs = self._output_layer(data.y)
        units = (data.X.shape[1], *hidden_sizes(self.hidden_layer_sizes), n_outputs)
        spec = self._spec(units, output, is_sparse(data.X))
        if first_pass:
            for name in ("_assigned", "_optimizer"):
                self.__dict__.pop(name, None)
            self._network = Network(spec, dtype=data.dtype, seed=None)
            self._initialize_weights(rng, data.X)
        network = self._fitted_network()
        if network.chain.layer_sizes != units:
            raise ValueError(
                f"the fitted network has layers of {list(network.chain.layer_sizes)} units, but hidden_layer_sizes and "
                f"the data ask for {list(units)}: warm_start and partial_fit continue one architecture."
            )
        if network.spec != spec:  # the same layers, with another activation or sparse after dense input
            self._network = Network(spec, dtype=network.dtype, seed=None)
            mine = dict(self._network.named_parameters())
            for name, values in network.named_parameters():
                if name in mine:
                    mine[name][...] = values
        self.n_layers_, self.n_outputs_, self.out_activation_ = len(units), n_outputs, output

    def _initialize_weights(self, rng: np.random.RandomState, X: Any) -> None:
        """Use the initializers, or draw weights and biases from ±sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio 2010).

        With the logistic activation it is 2 instead of 6, as in scikit-learn.
        """
        if self.weight_init is not None or self.bias_init is not None:
            first = None if is_sparse(X) else X[:SAMPLE_ROWS].astype(self._network.dtype, copy=False)
            self._network.initialize(rng.randint(2**31), first)
            return
        factor = 2.0 if self.activation == "logistic" else 6.0
        for weight, bias in zip(self._network.weights, self._network.biases, strict=True):
            bound = np.sqrt(factor / sum(weight.shape))
            weight[...] = rng.uniform(-bound, bound, weight.shape)
            bias[...] = rng.uniform(-bound, bound, bias.shape)

    def _make_trainer(self, network: Network, weighted: bool, batch_size: int | None, mask_seed: int = 0) -> Trainer:
        given = {name: getattr(self, name) for name in NUMBERS if name != "l2"} | {"l2": self.alpha}
        settings = {name: 0.0 if is_listed(value) else float(value) for name, value in given.items()}
        return Trainer(
            network,
            self.network_loss(),
            self._engine_optimizer(),
            batch_size=batch_size,
            weighted=weighted,
            seed=mask_seed,
            **settings,
        )

    def trainer_for(self, X: Any, y: Any, sample_weight: Any, rng: np.random.RandomState) -> Trainer:
        """A trainer with data, for a new network with initial weights; the estimator holds this network afterwards."""
        data = self._check_data(X, y, sample_weight, incremental=False, first_pass=True)
        self._prepare_network(data, rng, first_pass=True)
        batch_size = min(200 if self.batch_size == "auto" else int(self.batch_size), data.X.shape[0])
        trainer = self._make_trainer(self._network, data.sample_weight is not None, batch_size)
        trainer.set_data(data.X, self.network_target(data.y), data.sample_weight)
        return trainer

    def _fit_lbfgs(self, data: TrainingData, first_pass: bool, tasks: FitTasks, show: Shown) -> None:
        if first_pass:
            self.t_ = 0
        network = self._network.copy("float64")  # line searches compare losses to 1e-9
        trainer = self._make_trainer(network, data.sample_weight is not None, None)
        trainer.set_data(data.X, self.network_target(data.y), data.sample_weight)
        options = {"maxfun": self.max_fun, "maxiter": self.max_iter, "gtol": self.tol}
        found = self._minimize(trainer, options, tasks, show)
        self.n_iter_, self.loss_ = found.n_iter, found.loss

    def _hold_out(
        self, data: TrainingData, rows: Array, validation: tuple[Any, Any] | None, rng: np.random.RandomState
    ) -> tuple[Array, TrainingData | None]:
        """Rows to train on, and what to validate on: the user's set, or rows that are set aside."""
        if validation is not None:
            return rows, self.check_validation_set(*validation)
        if not self.early_stopping:
            return rows, None
        one_label = is_classifier(self) and self.n_outputs_ == 1
        rows, others = split_rows(data, self.validation_fraction, one_label, rng)
        return rows, held_out_rows(data, others)

    def _loop_of(
        self,
        data: TrainingData,
        held_out: TrainingData | None,
        rows: ShuffledRows,
        mask_seed: int,
        tasks: FitTasks,
        incremental: bool,
        **how: Any,
    ) -> TrainingLoop:
        """The loop of this fit, with its data."""
        trainer = self._continued_trainer(data, rows.n_rows, mask_seed, incremental)
        target = self.network_target(data.y)
        trainer.set_data(data.X, target, data.sample_weight)
        in_order = not self.shuffle and rows.n_rows == data.X.shape[0]
        probe = None
        if self.gradient_statistics:
            first = rows.rows[:1000]
            probe = GradientProbe(self._network, self.network_loss(), data.X[first], target[first])
        return self._make_loop(
            tasks,
            incremental=incremental,
            measure=None if held_out is None else self._measure(held_out),
            probe=probe,
            rows=None if in_order else rows,
            **how,
        )

    def _measure(self, data: TrainingData) -> Callable[[], dict[str, float]]:
        """Loss and score on the validation set: the estimator's own score, or that of `scoring`."""
        evaluator, score = self.evaluator(data), self._score_on(data)
        if self.scoring is not None:
            scorer = get_scorer(self.scoring) if isinstance(self.scoring, str) else self.scoring
            score = partial(score_rows, scorer, self, data.matrix(), data.labels, data.sample_weight)

        def measure() -> dict[str, float]:
            self.n_iter_ += 1  # which a scorer may read
            return {**({"val_loss": evaluator.loss()} if evaluator else {}), "val_score": score_or_nan(score)}

        return measure

    def evaluator(self, data: TrainingData) -> Evaluator | None:
        """Measures the loss on checked data; None if they are sparse and the network is not, or the reverse."""
        if self._network.graph.sparse_input != is_sparse(data.X):
            return None
        target = self.network_target(data.y)
        return Evaluator(self._network, self.network_loss(), data.X, target, data.sample_weight, rows=data.rows)

    def _output_for(self, loss: Loss, natural: str) -> str:
        """`output_activation`, if it goes with the loss."""
        if self.output_activation is None:
            return natural
        if self.output_activation not in loss.outputs:
            raise ValueError(
                f"output_activation is {self.output_activation!r}, but with loss={self.loss!r} and this target it can "
                f"be {', '.join(map(repr, loss.outputs))}."
            )
        return self.output_activation

    def network_target(self, y: Array) -> Array:
        """The encoded target as the loss takes it."""
        return y

    def check_validation_set(self, X: Any, y: Any) -> TrainingData:
        """X and y as the fitted network takes them."""
        dtype = self._network.dtype
        X, y = check_rows(self, X, y, "_val", multi_output=True, dtype=dtype, keep_maps=True, reset=False)
        if X.shape[0] < 2 and not is_classifier(self):
            raise ValueError(f"X_val has {X.shape[0]} row, but the R2 score needs at least 2: give more rows.")
        return TrainingData(rows_of(X), self._encode_validation_target(y), None, y)

    def _continued_trainer(self, data: TrainingData, n_rows: int, mask_seed: int, incremental: bool) -> Trainer:
        """A new trainer for `fit`; for `partial_fit` the last one, with its moments and its learning rate."""
        batch_size = 200 if self.batch_size == "auto" else int(self.batch_size)
        if self.batch_size != "auto" and batch_size > n_rows:
            warn_user(f"batch_size={batch_size} is larger than the {n_rows} training rows: it is clipped to them.")
        if not incremental:  # calls of partial_fit may differ in length
            batch_size = min(batch_size, n_rows)
        state: OptimizerState | None = vars(self).get("_optimizer")
        if not incremental or state is None:
            state = OptimizerState(self._learning_rates())
        penalties = (self.alpha, self.l1, self.clip_value, self.clip_norm)
        made_for = (self._network, data.sample_weight is not None, batch_size, penalties, self.network_loss())
        if state.trainer is None or state.made_for != made_for:
            fresh = self._make_trainer(self._network, data.sample_weight is not None, batch_size, mask_seed)
            if state.trainer is not None:
                fresh.continue_from(state.trainer)
            state.trainer, state.made_for = fresh, made_for
        self._optimizer = state
        return state.running_trainer

    def _finish(self, data: TrainingData) -> None:
        """What a subclass computes from the trained network."""

    def encode_target(self, y: Any, incremental: bool) -> Array:
        """A checked target as label numbers (n,) or numbers (n, n_targets); notes the classes."""
        raise NotImplementedError

    def target_estimates(self, outputs: Array, n_targets: int) -> Array:
        """The outputs as predictions of the encoded target, (n, n_targets); of labels probabilities, or 0 and 1."""
        raise NotImplementedError

    def _encode_validation_target(self, y: Any) -> Array:
        raise NotImplementedError

    def _output_layer(self, y: Array) -> tuple[str, int]:
        """Output activation and number of outputs for an encoded target."""
        raise NotImplementedError

    def network_loss(self) -> Any:
        """The loss that the network trains on."""
        raise NotImplementedError

    def _score_on(self, data: TrainingData) -> Score:
        """The validation score as a function of the present weights; NaN if an output is not finite."""
        raise NotImplementedError


def solver_is_stochastic(estimator: Any) -> bool:
    """Whether `partial_fit` exists; if not, the error says why, and `getattr` reports it."""
    if estimator.solver == "lbfgs":
        raise AttributeError(
            "solver='lbfgs' does not support partial_fit (it has no mini-batches): use 'adam' or 'sgd'."
        )
    return True
