"""`MLPRegressor`: scikit-learn's multilayer perceptron for numbers, on this engine.

Takes a table and numbers. Returns scikit-learn's fitted attributes and predictions. Holds what depends on the target
being numbers: their range and transformation, and the validation score. Never trains: `mlp.base` does.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import RegressorMixin, _fit_context
from sklearn.metrics import r2_score
from sklearn.utils import column_or_1d
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metaestimators import available_if

from rosenblatt._suggestions import suggest_keywords
from rosenblatt.estimators.base import is_sparse, set_parameters
from rosenblatt.estimators.decoding import flat, learns_variance, values_of
from rosenblatt.estimators.labels import weights_of_score
from rosenblatt.estimators.mlp.base import BaseMLP, solver_is_stochastic
from rosenblatt.estimators.mlp.parameters import describe_shared_parameters
from rosenblatt.estimators.mlp.training_data import Score, TrainingData
from rosenblatt.estimators.outputs import finite_outputs
from rosenblatt.nn.losses import Loss, NamedLoss, Quantile, loss_record

__all__ = ["MLPRegressor"]

Array = npt.NDArray[Any]
LOSSES = ("squared_error", "absolute", "huber", "quantile", "poisson", "gamma", "tweedie", "gaussian_nll")


@describe_shared_parameters
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
    {training_parameters}
    target_transform : {'log'} or None, default=None
        'log' trains on log(y), for y > 0, and predicts exp(f(x)) times ``smearing_factor_``. This is the mean of y, not
        its median (Duan 1983, "Smearing estimate"). Not in scikit-learn.
    {network_parameters}

    Attributes
    ----------
    {history_attributes}
    validation_scores_ : list of float or None
        R2 on the validation set, or the score of `scoring`, after each epoch.
    best_validation_score_ : float or None
        Largest of these scores. The fitted model has the weights of that epoch.
    n_iter_ : int
        Number of epochs or iterations of the last call.
    fit_time_ : float
        Seconds that the last call took. Files do not hold it.
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
        "loss": [StrOptions(set(LOSSES)), Loss, callable],
        "target_transform": [StrOptions({"log"}), None],
    }
    target_transform: str | None
    smearing_factor_: Array

    prediction_parameters = (*BaseMLP.prediction_parameters, "target_transform")

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

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """R2 of the predictions. With several quantiles, those closest to the median are scored."""
        sample_weight = weights_of_score(y, sample_weight)
        if not isinstance(loss_record(self.fitted_parameter("loss")).function, Quantile):
            return float(super().score(X, y, sample_weight))
        n_targets = 1 if np.ndim(y) == 1 else np.shape(y)[1]
        prediction = np.asarray(self.predict(X)).reshape(len(X) if not is_sparse(X) else X.shape[0], -1)
        return float(r2_score(y, self.target_estimates(prediction, n_targets), sample_weight=sample_weight))

    @available_if(solver_is_stochastic)  # type: ignore[untyped-decorator]
    @suggest_keywords
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
        outputs, loss = self._outputs(X), self.fitted_parameter("loss")
        values = values_of(
            outputs, loss, self.fitted_parameter("target_transform"), getattr(self, "smearing_factor_", None)
        )
        if not return_std:
            return values
        if not learns_variance(loss):
            raise ValueError(f"return_std needs loss='gaussian_nll', but loss is {loss!r}.")
        return values, flat(np.exp(outputs[:, outputs.shape[1] // 2 :] / 2))

    def target_estimates(self, outputs: Array, n_targets: int) -> Array:
        """The outputs that predict the targets themselves: means, or the quantile closest to the median."""
        loss = loss_record(self.fitted_parameter("loss")).function
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
        loss, transform = self.fitted_parameter("loss"), self.fitted_parameter("target_transform")
        record = loss_record(loss)
        if y.dtype.kind not in "fiub":
            raise ValueError(f"{name} contains {str(y.flat[0])!r}: could not convert string to float.")
        if transform is not None and record.targets.low > -np.inf:
            raise ValueError(f"loss={loss!r} already has a logarithmic link: leave target_transform=None.")
        if transform is not None and (learns_variance(loss) or isinstance(record.function, Quantile)):
            raise ValueError(f"target_transform='log' predicts means, but loss is {loss!r}: train on np.log(y).")
        if (y < record.targets.low).any() or (record.targets.above_low and (y <= record.targets.low).any()):
            sign = ">" if record.targets.above_low else ">="
            raise ValueError(
                f"loss={loss!r} needs {name} {sign} {record.targets.low:g}, but the smallest value is {y.min()}."
            )
        if transform is None:
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
        return self.fitted_parameter("loss")

    def _finish(self, data: TrainingData) -> None:
        if self.target_transform == "log":
            residuals = data.y - data.predictions(self._network)
            ratios = np.exp(residuals.astype(np.float64))
            self.smearing_factor_ = np.average(ratios, axis=0, weights=data.sample_weight)

    def _score_on(self, data: TrainingData) -> Score:
        """R2, averaged over outputs."""

        def r2() -> float:
            outputs = finite_outputs(data.predictions(self._network))
            with np.errstate(over="ignore"):  # far off, it is -inf
                point = self.target_estimates(outputs, data.y.shape[1])
                return float(r2_score(data.y, point, sample_weight=data.sample_weight))

        return r2
