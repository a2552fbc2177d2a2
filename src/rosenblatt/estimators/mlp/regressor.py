"""`MLPRegressor`: scikit-learn's multilayer perceptron for numbers, on this engine.

Goes in: a table and numbers. Comes out: scikit-learn's fitted attributes and predictions. Here is only what depends on
the target being numbers: their range and transformation, and the validation score. Training is in `_mlp`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import RegressorMixin, _fit_context
from sklearn.callback import with_callbacks
from sklearn.metrics import r2_score
from sklearn.utils import column_or_1d
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metaestimators import available_if

from rosenblatt.estimators.base import is_sparse, predict_rows
from rosenblatt.estimators.mlp.base import BaseMLP, Score, TrainingData, solver_is_stochastic
from rosenblatt.estimators.mlp.hyperparameters import set_parameters
from rosenblatt.nn.losses import GaussianNLL, Loss, NamedLoss, Quantile, loss_record

__all__ = ["MLPRegressor"]

Array = npt.NDArray[Any]


REGRESSION_LOSSES = (
    "squared_error",
    "absolute",
    "huber",
    "quantile",
    "poisson",
    "gamma",
    "tweedie",
    "gaussian_nll",
)


def flat(outputs: Array) -> Array:
    """A single column as a vector."""
    return outputs.ravel() if outputs.shape[1] == 1 else outputs


class MLPRegressor(RegressorMixin, BaseMLP):  # type: ignore[misc]
    """Multilayer perceptron for numbers, one or several per row.

    Parameters, defaults, attributes and results are those of `sklearn.neural_network.MLPRegressor` 1.9.

    Parameters
    ----------
    loss : str, Loss or callable, default='squared_error'
        'squared_error' is half the squared difference; 'poisson', 'gamma' and 'tweedie' half the deviance, with a
        logarithmic link, for y >= 0 ('gamma': > 0); 'absolute', 'huber' and 'quantile' mind outliers less;
        'gaussian_nll' learns a standard deviation for each row. Instances such as
        ``rosenblatt.nn.Quantile((0.1, 0.5, 0.9))`` have parameters. A callable ``loss(b, prediction, target)`` builds a
        value of shape [m] or [m, k] from the ops of the builder `b`, see
        `rosenblatt.Builder`; its gradient follows. Of these, scikit-learn has 'squared_error' and 'poisson'.
    hidden_layer_sizes : int or sequence of int, default=(100,)
        Units of each hidden layer; ``()`` for none.
    activation : str or callable, or one for each hidden layer, default='relu'
        Activation of the hidden layers: a name in `rosenblatt.nn.activations.ACTIVATIONS`, or an instance such as
        ``rosenblatt.nn.LeakyReLU(alpha=0.1)``. A callable ``f(b, x)`` builds it from the ops of the builder `b`, see
        `rosenblatt.Builder`; its derivative follows.
    solver : {'adam', 'sgd', 'lbfgs', 'adamw', 'nadam', 'rmsprop', 'adagrad'} or Optimizer, default='adam'
        'lbfgs' (L-BFGS-B) uses all rows at once, in float64; the others train by mini-batches. An instance such as
        ``rosenblatt.nn.RMSProp(momentum=0.9)`` has parameters of its own.
    alpha : float >= 0, or one for each layer and the output layer, default=0.0001
        L2 penalty: alpha / 2 * sum(weights**2) / (rows of the batch) is added to the loss.
    batch_size : int or 'auto', default='auto'
        Rows of a mini-batch; 'auto' is min(200, number of rows).
    learning_rate : {'constant', 'invscaling', 'adaptive'}, name of a schedule or Schedule, default='constant'
        Schedules (see `rosenblatt.nn.schedules`) vary the rate of every solver, step by step. For 'sgd' only:
        'invscaling', learning_rate_init / (samples seen + 1)**power_t after each epoch; and 'adaptive', a fifth
        whenever `n_iter_no_change` epochs bring no progress, until 1e-6.
    learning_rate_init : float > 0, default=0.001
        Learning rate of the first epoch.
    power_t : float >= 0, default=0.5
        Exponent of 'invscaling'.
    max_iter : int, default=200
        Most epochs ('adam', 'sgd') or iterations ('lbfgs').
    shuffle : bool, default=True
        Draw a new row order for each epoch.
    random_state : int, RandomState or None, default=None
        Source of initial weights, validation split and row orders, in this order.
    tol : float >= 0, default=1e-4
        Progress smaller than this does not count; for 'lbfgs' the gradient's largest entry at the end.
    verbose : bool, default=False
        Print the loss of each epoch.
    warm_start : bool, default=False
        Let `fit` go on from the present weights.
    momentum : float in [0, 1], default=0.9
        For 'sgd'.
    nesterovs_momentum : bool, default=True
        For 'sgd' with momentum > 0.
    early_stopping : bool, default=False
        Set `validation_fraction` of the rows aside, stop when their score stalls, and keep the best weights.
    validation_fraction : float in [0, 1), default=0.1
        Share of the rows set aside by `early_stopping`.
    beta_1, beta_2 : float in [0, 1), default=0.9 and 0.999
        Decay rates of Adam's moments.
    epsilon : float > 0, default=1e-8
        Added to Adam's denominator.
    n_iter_no_change : int or inf, default=10
        Epochs without progress that end training.
    max_fun : int, default=15000
        Most loss evaluations of 'lbfgs'.
    dtype : {'float32', 'float64'} or None, default=None
        Float type to compute in; None takes that of X (float64 for integers). Not in scikit-learn.
    target_transform : {'log'} or None, default=None
        'log' trains on log(y), for y > 0, and predicts exp(f(x)) times ``smearing_factor_``: the mean of y, not its
        median (Duan 1983, "Smearing estimate"). Not in scikit-learn.
    output_activation : str or None, default=None
        Activation of the output layer; None takes the natural one of the loss. Others must be allowed with the loss.
    weight_init, bias_init : str, Initializer or None; or a sequence with one for each layer; default=None
        Initial values, see `rosenblatt.nn.initializers`; None draws both as scikit-learn does. With either given, the
        other is by default Glorot's, or zero.
    l1 : float >= 0, or one for each layer and the output layer, default=0
        L1 penalty: l1 * sum(abs(weights)) / (rows of the batch) is added to the loss.
    weight_decay : float >= 0, default=0
        Decoupled decay: before each step weights are multiplied by 1 - learning rate * weight_decay (AdamW).
    max_norm : float >= 0, or one for each hidden layer, default=0
        After each step the weights of a neuron are scaled down to this Euclidean norm; 0 does not.
    dropout : float in [0, 1), or one for each hidden layer, default=0
        Share of a layer's outputs that are zero in a training step; the others are scaled by 1 / (1 - dropout).
    input_dropout : float in [0, 1), default=0
        The same for the columns of X.
    alpha_dropout : bool, default=False
        Dropout that keeps mean and variance behind SELU.
    input_noise : float >= 0, default=0
        Standard deviation of normal noise added to X in training.
    normalization : {'batch', 'layer'} or None, or one for each hidden layer, default=None
        Batch or layer normalization before the activation.
    norm_momentum : float in [0, 1), default=0.9
        Of the running statistics of batch normalization.
    clip_value, clip_norm : float >= 0, default=0
        Largest magnitude of the gradient's elements, and its largest Euclidean norm; 0 does not clip.
    ema_decay : float in [0, 1), default=0
        Validate and end with averages of the weights, which keep this share of themselves in each step.
    scoring : str, callable or None, default=None
        scikit-learn scorer for the validation set; None is accuracy (classes) or R2.
    gradient_statistics : bool, default=False
        Record norm, vanishing share and dead neurons of each layer's gradient in ``history_`` after each epoch.
    checkpoint : path or None, default=None
        Folder in which the training is saved; the same call of `fit` goes on exactly where it was, also after the
        process was killed. ('lbfgs' begins anew, with the same result.)
    checkpoint_every : int or str, default='30s'
        Steps between two checkpoints, or a time.

    Attributes
    ----------
    coefs_, intercepts_ : list of ndarray
        Weights (n_in, n_out) and biases (n_out,) of each layer: writable views of the network's parameters. What is
        written to them, or assigned in their place, is what `predict` uses.
    loss_ : float
        Loss of the last epoch or iteration, penalty included.
    loss_curve_ : list of float
        Loss of each epoch ('adam', 'sgd').
    history_ : History
        A column for each of loss, learning_rate, val_loss, val_score and the gradient statistics; `to_frame()`.
    best_loss_ : float or None
        Smallest loss; None with a validation set.
    validation_scores_ : list of float or None
        R2 on the validation set after each epoch.
    best_validation_score_ : float or None
        Largest of them, whose weights are kept.
    n_iter_ : int
        Epochs or iterations of the last call.
    t_ : int
        Training samples seen, counted once per epoch.
    n_layers_, n_outputs_ : int
        Layers including input and output; units of the output layer.
    out_activation_ : str
        'identity', or 'exp' for the Poisson loss.
    n_features_in_ : int
        Columns of X.
    feature_names_in_ : ndarray of str
        Names of the columns, if X was a data frame with string names.
    smearing_factor_ : ndarray of shape (n_outputs,)
        (Weighted) mean of exp(log(y) - f(x)) over the rows given to fit; only with ``target_transform='log'``. The
        validation scores are then those of log(y).

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from rosenblatt import MLPRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = MLPRegressor(hidden_layer_sizes=(10,), solver="lbfgs", tol=0.05, random_state=0)
    >>> model.fit(X, y / 100).predict(X[:2]).shape
    (2,)
    """

    _parameter_constraints = {
        **BaseMLP._parameter_constraints,
        "loss": [StrOptions(set(REGRESSION_LOSSES)), Loss, callable],
        "target_transform": [StrOptions({"log"}), None],
    }
    target_transform: str | None
    smearing_factor_: Array

    def __init__(
        self,
        loss: Any = "squared_error",
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        solver: str = "adam",
        alpha: Any = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool | int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        dtype: Any = None,
        target_transform: str | None = None,
        output_activation: str | None = None,
        weight_init: Any = None,
        bias_init: Any = None,
        l1: Any = 0.0,
        weight_decay: float = 0.0,
        max_norm: Any = 0.0,
        dropout: Any = 0.0,
        input_dropout: float = 0.0,
        alpha_dropout: bool = False,
        input_noise: float = 0.0,
        normalization: Any = None,
        norm_momentum: float = 0.9,
        clip_value: float = 0.0,
        clip_norm: float = 0.0,
        ema_decay: float = 0.0,
        scoring: Any = None,
        gradient_statistics: bool = False,
        checkpoint: Any = None,
        checkpoint_every: int | str = "30s",
    ) -> None:
        set_parameters(self, locals())

    @with_callbacks  # type: ignore[untyped-decorator]
    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, X_val: Any = None, y_val: Any = None) -> MLPRegressor:
        """Train on X and y.

        Parameters
        ----------
        X : array, sparse matrix or data frame of shape (n_samples, n_features)
            Numbers without NaN or infinity.
        y : array of shape (n_samples,) or (n_samples, n_outputs)
            Numbers.
        sample_weight : array of shape (n_samples,), optional
            Non-negative weights.
        X_val, y_val : like X and y, optional
            Your own validation set: turns early stopping on, and no rows of X are set aside. Not in scikit-learn.

        Returns
        -------
        self

        Raises
        ------
        DivergenceError
            A `ValueError`: the loss or a weight became infinite or NaN.
        """
        validation = None if X_val is None and y_val is None else (X_val, y_val)
        self._fit(X, y, sample_weight, validation)
        return self

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """R2 of the predictions; of those next to the median where there are several quantiles."""
        if not isinstance(loss_record(self.loss).function, Quantile):
            return float(super().score(X, y, sample_weight))
        n_targets = 1 if np.ndim(y) == 1 else np.shape(y)[1]
        prediction = np.asarray(self.predict(X)).reshape(len(X) if not is_sparse(X) else X.shape[0], -1)
        return float(r2_score(y, self._point(prediction, n_targets), sample_weight=sample_weight))

    @available_if(solver_is_stochastic)  # type: ignore[untyped-decorator]
    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> MLPRegressor:
        """Train for one epoch, from the present weights and with the optimizer as the last call left it.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.

        Returns
        -------
        self
        """
        if self.target_transform is not None:
            raise ValueError(
                "partial_fit does not support target_transform='log': its smearing factor needs all rows at once. "
                "Train on np.log(y) instead."
            )
        self._fit(X, y, sample_weight, incremental=True)
        return self

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """Predicted values.

        Parameters
        ----------
        X : array, sparse matrix or data frame of shape (n_samples, n_features)
        return_std : bool
            Also return the standard deviation of each value, which loss='gaussian_nll' learns.

        Returns
        -------
        values : ndarray of shape (n_samples,) or (n_samples, n_targets)
            With several quantiles a column for each, (n_samples, n_quantiles * n_targets).
        std : ndarray of that shape
            Only with `return_std`.
        """
        outputs = self._outputs(X)
        if self._learns_variance():
            k = outputs.shape[1] // 2
            outputs, log_variance = outputs[:, :k], outputs[:, k:]
        if return_std:
            if not self._learns_variance():
                raise ValueError(f"return_std needs loss='gaussian_nll', but loss is {self.loss!r}.")
            return flat(outputs), flat(np.exp(log_variance / 2))
        if self.target_transform == "log":
            outputs = (np.exp(outputs) * self.smearing_factor_).astype(outputs.dtype)
        return flat(outputs)

    def _learns_variance(self) -> bool:
        return self.loss == "gaussian_nll" or isinstance(self.loss, GaussianNLL)

    def _point(self, outputs: Array, n_targets: int) -> Array:
        """The outputs that stand for the targets themselves: means, or the quantile next to the median."""
        loss = loss_record(self.loss).function
        if isinstance(loss, Quantile):
            middle = int(np.argmin(np.abs(np.array(loss.quantiles) - 0.5)))
            return outputs[:, middle * n_targets : (middle + 1) * n_targets]
        return outputs[:, :n_targets]

    def _encode_target(self, y: Array, incremental: bool) -> Array:
        if y.shape[1:] == (1,):
            y = column_or_1d(y, warn=True)
        return self._transform_target(y.reshape(len(y), -1), "y")

    def _encode_validation_target(self, y: Any) -> Array:
        return self._transform_target(y.reshape(len(y), -1), "y_val")

    def _transform_target(self, y: Array, name: str) -> Array:
        record = loss_record(self.loss)
        if y.dtype.kind not in "fiub":
            raise ValueError(f"{name} holds {str(y.flat[0])!r}, no number: could not convert string to float.")
        if self.target_transform is not None and record.targets.low > -np.inf:
            raise ValueError(f"loss={self.loss!r} has a logarithmic link of its own: leave target_transform=None.")
        if self.target_transform is not None and (self._learns_variance() or isinstance(record.function, Quantile)):
            raise ValueError(f"target_transform='log' predicts means, but loss is {self.loss!r}: train on np.log(y).")
        if (y < record.targets.low).any() or (record.targets.above_low and (y <= record.targets.low).any()):
            sign = ">" if record.targets.above_low else ">="
            raise ValueError(
                f"loss={self.loss!r} needs {name} {sign} {record.targets.low:g}, but the smallest value is {y.min()}."
            )
        if self.target_transform is None:
            return y
        if (y <= 0).any():
            raise ValueError(
                f"target_transform='log' needs {name} > 0, but {int((y <= 0).sum())} values are not; the smallest is "
                f"{y.min()}. Leave target_transform=None, or use loss='poisson' for counts."
            )
        return np.log(y)

    def _output_layer(self, y: Array) -> tuple[str, int]:
        record = loss_record(self.loss)
        natural = "identity" if callable(self.loss) and not isinstance(self.loss, NamedLoss) else record.outputs[0]
        return self._output_for(record, natural), y.shape[1] * record.outputs_per_target

    def _engine_loss(self) -> Any:
        return self.loss

    def _finish(self, data: TrainingData) -> None:
        if self.target_transform == "log":
            residuals = data.y - predict_rows(self._network, data.X)
            ratios = np.exp(residuals.astype(np.float64))
            self.smearing_factor_ = np.average(ratios, axis=0, weights=data.sample_weight)

    def _score_on(self, data: TrainingData) -> Score:
        """R2, averaged over outputs."""

        def r2() -> float:
            outputs = predict_rows(self._network, data.X)
            if not np.isfinite(outputs).all():
                return float("nan")
            with np.errstate(over="ignore"):  # far off, it is -inf
                point = self._point(outputs, data.y.shape[1])
                return float(r2_score(data.y, point, sample_weight=data.sample_weight))

        return r2
