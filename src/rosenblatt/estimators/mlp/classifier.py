"""`MLPClassifier`: scikit-learn's multilayer perceptron for classes, on this engine.

Goes in: a table and labels. Comes out: scikit-learn's fitted attributes, labels and probabilities. Here is only what
depends on the target being classes: encoding labels, decoding outputs, the validation score. Training is in `_mlp`.
"""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.callback import with_callbacks
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import column_or_1d
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import _check_partial_fit_first_call, type_of_target, unique_labels

from rosenblatt.estimators.base import predict_rows
from rosenblatt.estimators.mlp.base import BaseMLP, Score, TrainingData, solver_is_stochastic
from rosenblatt.estimators.mlp.hyperparameters import set_parameters
from rosenblatt.nn.losses import (
    Focal,
    Hinge,
    LogisticCrossEntropy,
    LogisticFocal,
    Loss,
    MulticlassHinge,
    SoftmaxCrossEntropy,
    loss_record,
)

__all__ = ["MLPClassifier"]

Array = npt.NDArray[Any]


def gives_probabilities(estimator: Any) -> bool:
    """Whether the outputs are probabilities; the error is what `getattr` reports."""
    if estimator.loss == "hinge" or estimator.output_activation not in (None, "logistic", "softmax"):
        raise AttributeError(
            f"loss={estimator.loss!r} with output_activation={estimator.output_activation!r} gives no probabilities: "
            "use loss='log_loss', or sklearn.calibration.CalibratedClassifierCV."
        )
    return True


class MLPClassifier(ClassifierMixin, BaseMLP):  # type: ignore[misc]
    """Multilayer perceptron for classes: binary, multiclass or multilabel.

    Parameters, defaults, attributes and results are those of `sklearn.neural_network.MLPClassifier` 1.9.

    Parameters
    ----------
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
    loss : {'log_loss', 'focal', 'hinge'}, Loss or callable, default='log_loss'
        'hinge' gives no probabilities. A callable ``loss(b, prediction, target)`` is built from ops and sees activated
        outputs and targets of zeros and ones.
    label_smoothing : float in [0, 1), default=0
        Share of the target that is spread evenly over the classes ('log_loss').
    class_weight : dict, 'balanced' or None, default=None
        Factor of each class's sample weights; 'balanced' makes all classes weigh the same.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
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
        Accuracy on the validation set after each epoch.
    best_validation_score_ : float or None
        Largest of them, whose weights are kept.
    n_iter_ : int
        Epochs or iterations of the last call.
    t_ : int
        Training samples seen, counted once per epoch.
    n_layers_, n_outputs_ : int
        Layers including input and output; units of the output layer.
    out_activation_ : str
        'logistic' (binary, multilabel) or 'softmax'.
    n_features_in_ : int
        Columns of X.
    feature_names_in_ : ndarray of str
        Names of the columns, if X was a data frame with string names.

    Notes
    -----
    The loss is the cross-entropy, with probabilities clipped to [eps, 1 - eps] in the reported values.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from rosenblatt import MLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> MLPClassifier(max_iter=1000, random_state=0).fit(X, y).predict(X[:2])
    array([0, 0])
    """

    _parameter_constraints = {
        **BaseMLP._parameter_constraints,
        "loss": [StrOptions({"log_loss", "focal", "hinge"}), Loss, callable],
        "label_smoothing": [Interval(Real, 0, 1, closed="left")],
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }
    label_smoothing: float
    class_weight: Any
    classes_: Array
    _label_binarizer: Any

    def __init__(
        self,
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
        loss: Any = "log_loss",
        label_smoothing: float = 0.0,
        class_weight: Any = None,
    ) -> None:
        set_parameters(self, locals())

    @with_callbacks  # type: ignore[untyped-decorator]
    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, X_val: Any = None, y_val: Any = None) -> MLPClassifier:
        """Train on X and y.

        Parameters
        ----------
        X : array, sparse matrix or data frame of shape (n_samples, n_features)
            Numbers without NaN or infinity.
        y : array of shape (n_samples,), or (n_samples, n_labels) of zeros and ones
            Labels.
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

    @available_if(solver_is_stochastic)  # type: ignore[untyped-decorator]
    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> MLPClassifier:
        """Train for one epoch, from the present weights and with the optimizer as the last call left it.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`; y need not hold all classes.
        classes : array, optional
            All labels that will ever come; needed in the first call.

        Returns
        -------
        self
        """
        if _check_partial_fit_first_call(self, classes):
            multilabel = type_of_target(y).startswith("multilabel")
            self._label_binarizer = LabelBinarizer().fit(y if multilabel else classes)
        self._fit(X, y, sample_weight, incremental=True)
        return self

    def predict(self, X: Any) -> Any:
        """Label of each row, shape (n_samples,), or zeros and ones of shape (n_samples, n_labels), sparse as y was."""
        outputs = self._outputs(X)
        if self._picks_one():
            return self.classes_[outputs.argmax(axis=1)]
        if self._label_binarizer.y_type_ == "binary" and len(self.classes_) == 2:
            return self.classes_[self._is_positive(outputs.ravel()).astype(np.intp)]
        positive = self._is_positive(outputs).astype(outputs.dtype)
        return self._label_binarizer.inverse_transform(positive.ravel() if self.n_outputs_ == 1 else positive)

    def _picks_one(self) -> bool:
        """Whether the largest output is the label."""
        return self.out_activation_ == "softmax" or self._label_binarizer.y_type_ == "multiclass"

    def _is_positive(self, outputs: Array) -> Array:
        """Which outputs stand for the label that they are of."""
        return outputs > (0.5 if self.out_activation_ in ("logistic", "softmax", "step") else 0.0)

    @available_if(gives_probabilities)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> Array:
        """Probability of each class, shape (n_samples, n_classes), in the order of ``classes_``."""
        outputs = self._outputs(X)
        return outputs if self.n_outputs_ > 1 else np.hstack([1 - outputs, outputs])

    @available_if(gives_probabilities)  # type: ignore[untyped-decorator]
    def predict_log_proba(self, X: Any) -> Array:
        """Logarithm of `predict_proba`."""
        probabilities: Array = self.predict_proba(X)
        with np.errstate(divide="ignore"):
            logarithms: Array = np.log(probabilities, out=probabilities)
            return logarithms

    def _encode_target(self, y: Array, incremental: bool) -> Array:
        if y.shape[1:] == (1,):
            y = column_or_1d(y, warn=True)
        goes_on = (incremental or self.warm_start) and hasattr(self, "classes_")
        if goes_on:
            self._require_known_classes(unique_labels(y))
        else:
            binarizer = LabelBinarizer().fit(y)
            self._label_binarizer, self.classes_ = binarizer, binarizer.classes_
        return self._encode(y)

    def _require_known_classes(self, classes: Array) -> None:
        if self.warm_start and set(classes) != set(self.classes_):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous call to fit. Previously "
                f"got {self.classes_}, `y` has {classes}"
            )
        unknown = np.setdiff1d(classes, self.classes_)
        if len(unknown):
            raise ValueError(
                f"y has labels that are not in classes_: {unknown}. classes_ is {self.classes_}; pass all labels as "
                "`classes` in the first call of partial_fit, or call fit."
            )

    def _encode(self, y: Any) -> Array:
        """Label numbers (n,) for a softmax, else booleans (n, n_outputs)."""
        if self._label_binarizer.y_type_ == "multiclass":
            labels: Array = np.searchsorted(self.classes_, y).astype(np.int32)
            return labels
        if self._label_binarizer.y_type_ == "binary" and len(self.classes_) == 2:
            return np.asarray(y == self.classes_[1]).reshape(-1, 1)  # as below, without its many copies
        encoded = np.asarray(self._label_binarizer.transform(y), dtype=bool)
        return encoded.reshape(len(encoded), -1)

    def _encode_validation_target(self, y: Any) -> Array:
        if y.shape[1:] == (1,):
            y = column_or_1d(y)
        unknown = np.setdiff1d(unique_labels(y), self.classes_)
        if len(unknown):
            raise ValueError(f"y_val has labels that y has not: {unknown}. The labels of y are {self.classes_}.")
        return self._encode(y)

    def _row_weights(self, X: Any, y: Any, sample_weight: Array | None) -> Array | None:
        if self.class_weight is None:
            return sample_weight
        if self._label_binarizer.y_type_.startswith("multilabel"):
            raise ValueError("class_weight is for one label a row, but y has several: give sample_weight instead.")
        labels = column_or_1d(y)
        known = self.classes_.tolist()
        unknown = [c for c in self.class_weight if c not in known] if isinstance(self.class_weight, dict) else []
        if unknown:
            raise ValueError(f"class_weight names {', '.join(map(repr, unknown))}, but the labels of y are {known}.")
        weights = compute_class_weight(self.class_weight, classes=self.classes_, y=labels, sample_weight=sample_weight)
        weight = weights[np.searchsorted(self.classes_, labels)].astype(X.dtype)
        return weight if sample_weight is None else weight * sample_weight  # type: ignore[no-any-return]

    def _output_layer(self, y: Array) -> tuple[str, int]:
        natural, n_outputs = ("softmax", len(self.classes_)) if y.ndim == 1 else ("logistic", y.shape[1])
        record = loss_record(self._loss_for(natural == "softmax"))
        return self._output_for(record, natural if natural in record.outputs else record.outputs[0]), n_outputs

    def _engine_loss(self) -> Any:
        return self._loss_for(self._label_binarizer.y_type_ == "multiclass")

    def _loss_for(self, one_label: bool) -> Any:
        """The loss that `loss` means, for one label of several, or for each output by itself."""
        smoothing = float(self.label_smoothing)
        if self.loss != "log_loss" and smoothing:
            raise ValueError(f"label_smoothing is for loss='log_loss', but loss is {self.loss!r}.")
        if self.loss == "log_loss":
            return SoftmaxCrossEntropy(smoothing) if one_label else LogisticCrossEntropy(smoothing)
        if self.loss == "focal":
            return Focal() if one_label else LogisticFocal()
        if self.loss == "hinge":
            return MulticlassHinge() if one_label else Hinge()
        return self.loss

    def _engine_target(self, y: Array) -> Array:
        if y.ndim == 1 and not loss_record(self._engine_loss()).labels:
            one_hot: Array = np.eye(len(self.classes_), dtype=self._network.dtype)[y]
            return one_hot
        return y

    def _score_on(self, data: TrainingData) -> Score:
        """Accuracy; of whole rows for several labels."""

        def accuracy() -> float:
            outputs = predict_rows(self._network, data.X)
            if not np.isfinite(outputs).all():
                return float("nan")
            if data.y.ndim == 1:
                right = outputs.argmax(axis=1) == data.y
            else:  # the only label that there is wins whatever its output
                right = (self._is_positive(outputs) == data.y).all(axis=1) | (len(self.classes_) == 1)
            return float(np.average(right, weights=data.sample_weight))

        return accuracy

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
