"""`MLPRegressor`: scikit-learn's multilayer perceptron for numbers, on this engine.

Takes a table and numbers. Returns scikit-learn's fitted attributes and predictions. Holds what depends on the target
being numbers: their range and transformation, and the validation score. Never trains: `mlp.base` does.
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
    """The outputs, with a single column as a vector."""
    return outputs.ravel() if outputs.shape[1] == 1 else outputs


class MLPRegressor(RegressorMixin, BaseMLP):  # type: ignore[misc]
    """Multilayer perceptron for regression, with one or several numbers per row.

    Parameters, defaults, attributes and results are those of `sklearn.neural_network.MLPRegressor` 1.9.

    Parameters
    ----------
    loss : str, Loss or callable, default='squared_error'
        'squared_error' is half the squared difference. 'poisson', 'gamma' and 'tweedie' are half the deviance, with a
        logarithmic link, for y >= 0 ('gamma': > 0). 'absolute', 'huber' and 'quantile' are less sensitive to outliers.
        'gaussian_nll' learns a standard deviation for each row. Instances such as
        ``rosenblatt.nn.Quantile((0.1, 0.5, 0.9))`` have parameters. A callable ``loss(b, prediction, target)`` builds a
        value of shape [m] or [m, k] from the ops of the builder `b` (see `rosenblatt.Builder`) and is differentiated
        automatically. scikit-learn has only 'squared_error' and 'poisson'.
    hidden_layer_sizes : int or sequence of int, default=(100,)
        Number of units of each hidden layer. ``()`` means no hidden layer.
    activation : str or callable, or one for each hidden layer, default='relu'
        Activation of the hidden layers: a name in `rosenblatt.nn.activations.ACTIVATIONS`, or an instance such as
        ``rosenblatt.nn.LeakyReLU(alpha=0.1)``. A callable ``f(b, x)`` builds it from the ops of the builder `b` (see
        `rosenblatt.Builder`) and is differentiated automatically.
    solver : {'adam', 'sgd', 'lbfgs', 'adamw', 'nadam', 'rmsprop', 'adagrad'} or Optimizer, default='adam'
        'lbfgs' (L-BFGS-B) uses all rows at once, in float64. The others train on mini-batches. An instance such as
        ``rosenblatt.nn.RMSProp(momentum=0.9)`` has its own parameters.
    alpha : float >= 0, or one for each layer and the output layer, default=0.0001
        Strength of the L2 penalty: alpha / 2 * sum(weights**2) / (rows of the batch) is added to the loss.
    batch_size : int or 'auto', default='auto'
        Number of rows in a mini-batch. 'auto' means min(200, number of rows).
    learning_rate : {'constant', 'invscaling', 'adaptive'}, name of a schedule or Schedule, default='constant'
        Schedules (see `rosenblatt.nn.schedules`) change the rate in each step, for every solver that trains on
        mini-batches. Two modes affect 'sgd' only: 'invscaling' sets the rate to
        learning_rate_init / (samples seen + 1)**power_t after each epoch, and 'adaptive' divides it by 5 after
        `n_iter_no_change` epochs without progress, down to 1e-6.
    learning_rate_init : float > 0, default=0.001
        Learning rate in the first epoch.
    power_t : float >= 0, default=0.5
        Exponent of 'invscaling'.
    max_iter : int, default=200
        Largest number of epochs or, for 'lbfgs', of iterations.
    shuffle : bool, default=True
        Whether to draw a new row order for each epoch.
    random_state : int, RandomState or None, default=None
        Source of the initial weights, the validation split and the row orders, which are drawn in this order.
    tol : float >= 0, default=1e-4
        Smaller improvements do not count as progress. 'lbfgs' stops when the largest entry of the gradient is below it.
    verbose : bool, default=False
        Whether to print the loss of each epoch.
    warm_start : bool, default=False
        Whether `fit` continues from the current weights.
    momentum : float in [0, 1], default=0.9
        Momentum of 'sgd'.
    nesterovs_momentum : bool, default=True
        Whether 'sgd' uses Nesterov's momentum, if momentum > 0.
    early_stopping : bool, default=False
        Whether to set `validation_fraction` of the rows aside, stop when their score stalls, and keep the best weights.
    validation_fraction : float in [0, 1), default=0.1
        Share of the rows that `early_stopping` sets aside.
    beta_1, beta_2 : float in [0, 1), default=0.9 and 0.999
        Decay rates of Adam's moments.
    epsilon : float > 0, default=1e-8
        Number that is added to Adam's denominator.
    n_iter_no_change : int or inf, default=10
        Number of epochs without progress after which training ends.
    max_fun : int, default=15000
        Largest number of loss evaluations for 'lbfgs'.
    dtype : {'float32', 'float64'} or None, default=None
        Float type to compute in. None takes that of X (float64 for integers). Not in scikit-learn.
    target_transform : {'log'} or None, default=None
        'log' trains on log(y), for y > 0, and predicts exp(f(x)) times ``smearing_factor_``. This is the mean of y, not
        its median (Duan 1983, "Smearing estimate"). Not in scikit-learn.
    output_activation : str or None, default=None
        Activation of the output layer, which the loss must allow. None takes the natural one of the loss.
    weight_init, bias_init : str, Initializer or None; or a sequence with one for each layer; default=None
        Initial values (see `rosenblatt.nn.initializers`). If both are None, they are drawn as in scikit-learn. If only
        one is given, weights are drawn by Glorot's rule and biases are zero.
    l1 : float >= 0, or one for each layer and the output layer, default=0
        Strength of the L1 penalty: l1 * sum(abs(weights)) / (rows of the batch) is added to the loss.
    weight_decay : float >= 0, default=0
        Decoupled weight decay: before each step, weights are multiplied by 1 - learning rate * weight_decay (AdamW).
    max_norm : float >= 0, or one for each hidden layer, default=0
        Largest Euclidean norm of a neuron's weights, which are scaled down to it after each step. 0 means no limit.
    dropout : float in [0, 1), or one for each hidden layer, default=0
        Share of a layer's outputs that are set to zero in a training step. The others are scaled by 1 / (1 - dropout).
    input_dropout : float in [0, 1), default=0
        Dropout share for the columns of X.
    alpha_dropout : bool, default=False
        Whether dropout is alpha dropout, which preserves mean and variance after SELU.
    input_noise : float >= 0, default=0
        Standard deviation of the normal noise that is added to X in training.
    normalization : {'batch', 'layer'} or None, or one for each hidden layer, default=None
        Batch or layer normalization before the activation.
    norm_momentum : float in [0, 1), default=0.9
        Share of their previous values that the running statistics of batch normalization keep in each step.
    clip_value, clip_norm : float >= 0, default=0
        Limits for the magnitude of the gradient's elements and for its Euclidean norm. 0 means no limit.
    ema_decay : float in [0, 1), default=0
        Decay of an exponential moving average of the weights, which is used for validation and after training. 0 means
        no average.
    scoring : str, callable or None, default=None
        scikit-learn scorer for the validation set. None means accuracy for classes and R2 for numbers.
    gradient_statistics : bool, default=False
        Whether to record norm, vanishing share and dead neurons of each layer's gradient in ``history_``, by epoch.
    checkpoint : path or None, default=None
        Folder in which the training is saved. The same call of `fit` resumes exactly where it stopped, even after the
        process was killed. ('lbfgs' restarts from scratch, with the same result.)
    checkpoint_every : int or str, default='30s'
        Number of steps between two checkpoints, or a time.

    Attributes
    ----------
    coefs_, intercepts_ : list of ndarray
        Weights (n_in, n_out) and biases (n_out,) of each layer, as writable views of the network's parameters.
        `predict` uses what is written to them or assigned in their place.
    loss_ : float
        Loss of the last epoch or iteration, including penalties.
    loss_curve_ : list of float
        Loss of each epoch, for solvers that train on mini-batches.
    history_ : History
        Columns with the loss, learning_rate, val_loss, val_score and gradient statistics of each epoch. `to_frame()`
        gives them as a data frame.
    best_loss_ : float or None
        Smallest loss, or None with a validation set.
    validation_scores_ : list of float or None
        R2 on the validation set, or the score of `scoring`, after each epoch.
    best_validation_score_ : float or None
        Largest of these scores. The fitted model has the weights of that epoch.
    n_iter_ : int
        Number of epochs or iterations of the last call.
    t_ : int
        Number of training samples seen, where a sample counts once per epoch.
    n_layers_, n_outputs_ : int
        Number of layers, including input and output, and number of units of the output layer.
    out_activation_ : str
        Activation of the output layer: 'identity', or 'exp' for losses with a logarithmic link.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of str
        Names of the columns, if X was a data frame with string names.
    smearing_factor_ : ndarray of shape (n_outputs,)
        (Weighted) mean of exp(log(y) - f(x)) over the rows that were passed to `fit`. It exists only with
        ``target_transform='log'``; the validation scores are then those of log(y).

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
            Finite numbers.
        y : array of shape (n_samples,) or (n_samples, n_outputs)
            Numbers to predict.
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
        self._fit(X, y, sample_weight, validation)
        return self

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """R2 of the predictions. With several quantiles, those closest to the median are scored."""
        if not isinstance(loss_record(self.loss).function, Quantile):
            return float(super().score(X, y, sample_weight))
        n_targets = 1 if np.ndim(y) == 1 else np.shape(y)[1]
        prediction = np.asarray(self.predict(X)).reshape(len(X) if not is_sparse(X) else X.shape[0], -1)
        return float(r2_score(y, self.target_estimates(prediction, n_targets), sample_weight=sample_weight))

    @available_if(solver_is_stochastic)  # type: ignore[untyped-decorator]
    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> MLPRegressor:
        """Train for one epoch, from the current weights and with the optimizer's state from the last call.

        Parameters
        ----------
        X, y, sample_weight
            The same as in `fit`.

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
        """Predict the target of each row.

        Parameters
        ----------
        X : array, sparse matrix or data frame of shape (n_samples, n_features)
        return_std : bool
            Whether to return the standard deviation of each value as well, which loss='gaussian_nll' learns.

        Returns
        -------
        values : ndarray of shape (n_samples,) or (n_samples, n_targets)
            Predictions. With several quantiles the shape is (n_samples, n_quantiles * n_targets).
        std : ndarray of that shape
            Standard deviations, only with `return_std`.
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

    def target_estimates(self, outputs: Array, n_targets: int) -> Array:
        """The outputs that predict the targets themselves: means, or the quantile closest to the median."""
        loss = loss_record(self.loss).function
        if isinstance(loss, Quantile):
            middle = int(np.argmin(np.abs(np.array(loss.quantiles) - 0.5)))
            return outputs[:, middle * n_targets : (middle + 1) * n_targets]
        return outputs[:, :n_targets]

    def encode_target(self, y: Array, incremental: bool) -> Array:
        if y.shape[1:] == (1,):
            y = column_or_1d(y, warn=True)
        return self._transform_target(y.reshape(len(y), -1), "y")

    def _encode_validation_target(self, y: Any) -> Array:
        return self._transform_target(y.reshape(len(y), -1), "y_val")

    def _transform_target(self, y: Array, name: str) -> Array:
        record = loss_record(self.loss)
        if y.dtype.kind not in "fiub":
            raise ValueError(f"{name} contains {str(y.flat[0])!r}: could not convert string to float.")
        if self.target_transform is not None and record.targets.low > -np.inf:
            raise ValueError(f"loss={self.loss!r} already has a logarithmic link: leave target_transform=None.")
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

    def network_loss(self) -> Any:
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
                point = self.target_estimates(outputs, data.y.shape[1])
                return float(r2_score(data.y, point, sample_weight=data.sample_weight))

        return r2
