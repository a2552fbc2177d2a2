"""`MLPClassifier`: scikit-learn's multilayer perceptron for classes, on this engine.

Takes a table and labels. Returns scikit-learn's fitted attributes, labels and probabilities. Holds what depends on the
target being classes: encoding labels, decoding outputs, the validation score. Never trains: `mlp.base` does.
"""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import column_or_1d
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import _check_partial_fit_first_call, type_of_target, unique_labels

from rosenblatt._suggestions import suggest_keywords
from rosenblatt.estimators.base import class_weighted, set_parameters, unchanged_if_failed
from rosenblatt.estimators.decoding import are_positive, are_probabilities, labels_of, picks_one, probabilities_of
from rosenblatt.estimators.labels import LabelScores, plain_labels
from rosenblatt.estimators.mlp.base import BaseMLP, solver_is_stochastic
from rosenblatt.estimators.mlp.parameters import describe_shared_parameters
from rosenblatt.estimators.mlp.training_data import Score, TrainingData
from rosenblatt.estimators.outputs import finite_outputs
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
LOSSES: dict[str, tuple[Any, Any]] = {
    "log_loss": (SoftmaxCrossEntropy, LogisticCrossEntropy),
    "focal": (Focal, LogisticFocal),
    "hinge": (MulticlassHinge, Hinge),
}
"""For each name, the loss of one label per row, and the loss of each output separately."""


def gives_probabilities(estimator: Any) -> bool:
    """Whether the outputs are probabilities. If not, the error says why, and `getattr` reports it."""
    loss, output = map(estimator.fitted_parameter, ("loss", "output_activation"))
    if not are_probabilities(loss, output):
        raise AttributeError(
            f"loss={loss!r} with output_activation={output!r} gives no probabilities. "
            "Use loss='log_loss', decision_function, or sklearn.calibration.CalibratedClassifierCV."
        )
    return True


@describe_shared_parameters
class MLPClassifier(LabelScores, ClassifierMixin, BaseMLP):  # type: ignore[misc]
    """Multilayer perceptron for classification: binary, multiclass or multilabel.

    Parameters, defaults, attributes and results are those of `sklearn.neural_network.MLPClassifier` 1.9.

    Parameters
    ----------
    {training_parameters}
    {network_parameters}
    loss : {'log_loss', 'focal', 'hinge'}, Loss or callable, default='log_loss'
        Loss to minimize. 'hinge' gives no probabilities. A callable ``loss(b, prediction, target)`` is built from ops
        and receives activated outputs and targets of zeros and ones.
    label_smoothing : float in [0, 1), default=0
        Share of the target that is spread evenly over the classes, for 'log_loss'.
    class_weight : dict, 'balanced' or None, default=None
        Factor for the sample weights of each class. 'balanced' gives all classes the same total weight.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    label_binarizer_ : sklearn.preprocessing.LabelBinarizer
        Translates between labels and outputs.
    {history_attributes}
    validation_scores_ : list of float or None
        Accuracy on the validation set, or the score of `scoring`, after each epoch.
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
        Activation of the output layer: 'logistic' (binary, multilabel) or 'softmax'.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of str
        Names of the columns, if X was a data frame with string names.

    Notes
    -----
    The default loss is the cross-entropy. Its reported values clip probabilities to [eps, 1 - eps].

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
        "loss": [StrOptions(set(LOSSES)), Loss, callable],
        "label_smoothing": [Interval(Real, 0, 1, closed="left")],
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }
    label_smoothing: float
    class_weight: Any
    classes_: Array
    label_binarizer_: Any

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

    @available_if(solver_is_stochastic)  # type: ignore[untyped-decorator]
    @suggest_keywords
    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> MLPClassifier:
        """Train for one epoch, from the current weights and with the optimizer's state from the last call.

        Parameters
        ----------
        X, y, sample_weight
            The same as in `fit`, except that y need not contain all classes.
        classes : array, optional
            All labels that any call will contain. The first call needs them.

        Returns
        -------
        self
        """
        with unchanged_if_failed(self):  # the call after a first one that failed may name other classes
            y = plain_labels(y)
            if _check_partial_fit_first_call(self, classes):
                multilabel = type_of_target(y).startswith("multilabel")
                self.label_binarizer_ = LabelBinarizer().fit(y if multilabel else classes)
            self._fit(X, y, sample_weight, incremental=True)
        return self

    def predict(self, X: Any) -> Any:
        """Label of each row, shape (n_samples,), or zeros and ones, shape (n_samples, n_labels), sparse if y was."""
        outputs = self._outputs(X)
        several, sparse = self.label_binarizer_.y_type_.startswith("multilabel"), self.label_binarizer_.sparse_input_
        return labels_of(outputs, self.classes_, self.out_activation_, several, sparse)

    def target_estimates(self, outputs: Array, n_targets: int) -> Array:
        if self.out_activation_ in ("logistic", "softmax"):
            return outputs
        if self._picks_one():
            return np.asarray(np.eye(n_targets)[outputs.argmax(axis=1)])
        return self._is_positive(outputs).astype(np.float64)

    def _picks_one(self) -> bool:
        """Whether the largest output is the label."""
        several = self.label_binarizer_.y_type_.startswith("multilabel")
        return picks_one(self.out_activation_, len(self.classes_), several)

    def _is_positive(self, outputs: Array) -> Array:
        """Which outputs predict their label."""
        return are_positive(outputs, self.out_activation_)

    def decision_function(self, X: Any) -> Array:
        """What the output layer computes before its activation: logits, or margins with ``loss="hinge"``.

        The shape is (n_samples,) for two classes, whose second is predicted above 0, and (n_samples, n_classes) or
        (n_samples, n_labels) otherwise.
        """
        logits = self._logits(X)
        return logits.ravel() if self.label_binarizer_.y_type_ == "binary" else logits

    @available_if(gives_probabilities)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> Array:
        """Probability of each class, shape (n_samples, n_classes), in the order of ``classes_``."""
        return probabilities_of(self._outputs(X))

    @available_if(gives_probabilities)  # type: ignore[untyped-decorator]
    def predict_log_proba(self, X: Any) -> Array:
        """Logarithm of `predict_proba`."""
        probabilities: Array = self.predict_proba(X)
        with np.errstate(divide="ignore"):
            logarithms: Array = np.log(probabilities, out=probabilities)
            return logarithms

    def encode_target(self, y: Array, incremental: bool) -> Array:
        if y.shape[1:] == (1,):
            y = column_or_1d(y, warn=True)
        if (incremental or self.warm_start) and hasattr(self, "classes_"):
            self._require_known_classes(unique_labels(y))
        elif y.ndim == 2 and type_of_target(y) == "multiclass-multioutput":
            raise ValueError(
                f"y has shape {y.shape} and other values than 0 and 1: Multioutput target data is not supported with "
                "label binarization. Give one label for each row, or a column of zeros and ones for each label."
            )
        else:
            binarizer = LabelBinarizer().fit(y)
            self.label_binarizer_, self.classes_ = binarizer, binarizer.classes_
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
        """Label numbers (n,) for a softmax, otherwise booleans (n, n_outputs)."""
        if self.label_binarizer_.y_type_ == "multiclass":
            labels: Array = np.searchsorted(self.classes_, y).astype(np.int32)
            return labels
        if self.label_binarizer_.y_type_ == "binary" and len(self.classes_) == 2:
            return np.asarray(y == self.classes_[1]).reshape(-1, 1)  # the same as below, with fewer copies
        encoded = np.asarray(self.label_binarizer_.transform(y), dtype=bool)
        return encoded.reshape(len(encoded), -1)

    def _encode_validation_target(self, y: Any) -> Array:
        if y.shape[1:] == (1,):
            y = column_or_1d(y)
        several = self.label_binarizer_.y_type_.startswith("multilabel")
        if y.shape[1:] != ((len(self.classes_),) if several else ()):
            allowed = f"(n_rows, {len(self.classes_)})" if several else "(n_rows,)"
            raise ValueError(f"y_val has shape {y.shape}; with the y of this fit it must be {allowed}")
        unknown = np.setdiff1d(unique_labels(y), self.classes_)
        if len(unknown):
            raise ValueError(f"y_val contains labels that are not in y: {unknown}. y has the labels {self.classes_}.")
        return self._encode(y)

    def _row_weights(self, y: Any, sample_weight: Array | None, dtype: Any) -> Array | None:
        if self.class_weight is None:
            return sample_weight
        if self.label_binarizer_.y_type_.startswith("multilabel"):
            raise ValueError("class_weight needs one label per row, but y has several: pass sample_weight instead.")
        labels = np.searchsorted(self.classes_, column_or_1d(y))
        return class_weighted(self.class_weight, self.classes_, labels, sample_weight).astype(dtype)

    def _output_layer(self, y: Array) -> tuple[str, int]:
        natural, n_outputs = ("softmax", len(self.classes_)) if y.ndim == 1 else ("logistic", y.shape[1])
        record = loss_record(self._loss_for(natural == "softmax"))
        return self._output_for(record, natural if natural in record.outputs else record.outputs[0]), n_outputs

    def network_loss(self) -> Any:
        return self._loss_for(self.label_binarizer_.y_type_ == "multiclass")

    def _loss_for(self, one_label: bool) -> Any:
        """The loss that `loss` names or is."""
        smoothing, given = float(self.label_smoothing), self.fitted_parameter("loss")
        if given != "log_loss" and smoothing:
            raise ValueError(f"label_smoothing is for loss='log_loss', but loss is {given!r}.")
        if not isinstance(given, str):
            return given
        loss = LOSSES[given][0 if one_label else 1]
        return loss(smoothing) if given == "log_loss" else loss()

    def network_target(self, y: Array) -> Array:
        if y.ndim == 1 and not loss_record(self.network_loss()).labels:
            one_hot: Array = np.eye(len(self.classes_), dtype=self._network.dtype)[y]
            return one_hot
        return y

    def _score_on(self, data: TrainingData) -> Score:
        """Accuracy. With several labels, a row counts if all of them are right."""

        def accuracy() -> float:
            outputs = finite_outputs(data.predictions(self._network))
            if data.y.ndim == 1:
                right = outputs.argmax(axis=1) == data.y
            else:  # if there is only one label, it is predicted whatever its output
                right = (self._is_positive(outputs) == data.y).all(axis=1) | (len(self.classes_) == 1)
            return float(np.average(right, weights=data.sample_weight))

        return accuracy

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
