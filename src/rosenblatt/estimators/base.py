"""What all network estimators share: parameter checks, inputs, the network they hold, and how they are pickled.

Takes constructor parameters and the user's X. Returns checked parameters, a matrix that the engine can read, and a
pickle without workspaces. Never trains.
"""

from __future__ import annotations

import functools
import inspect
import os
import re
import textwrap
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, ClassVar, TypeVar

import numpy as np
import numpy.typing as npt
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, is_classifier
from sklearn.callback import CallbackSupportMixin
from sklearn.utils._param_validation import InvalidParameterError, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from rosenblatt._checks import all_finite, as_numbers, check_finite, check_number, check_range
from rosenblatt._suggestions import closest, nearest, suggest_in_methods, suggest_keywords, unknown_parameter
from rosenblatt._version import __version__
from rosenblatt._warnings import warn_user
from rosenblatt.estimators.diagram import Diagram
from rosenblatt.estimators.labels import plain_labels, refuse_missing
from rosenblatt.estimators.mapped import is_mapped
from rosenblatt.estimators.outputs import (
    finite_outputs,
    is_sparse,
    predict_rows,
    rows_of,
    without_output_activation,
)
from rosenblatt.estimators.sparse import own_indices
from rosenblatt.estimators.whole_fit import unchanged_if_failed
from rosenblatt.nn import Network
from rosenblatt.training import DivergenceError
from rosenblatt.training.evaluation import score_of

__all__ = [
    "DivergenceError",
    "NetworkEstimator",
    "Searchable",
    "SuggestingMixin",
    "check_rows",
    "check_target_array",
    "class_factors",
    "class_weighted",
    "describe_parameters",
    "divergence_message",
    "is_sparse",
    "predict_rows",
    "require_matrix",
    "rows_of",
    "score_rows",
    "set_parameters",
    "unchanged_if_failed",
    "warn_user",
]

Array = npt.NDArray[Any]
T = TypeVar("T")
VERSION_KEY = "_rosenblatt_version"
FLOATS = (np.float64, np.float32)
NO_WEIGHT = "class_weight times sample_weight is zero in all rows; at least one row must have a positive weight."


def divergence_message(advice: str) -> str:
    """The message of a failed training; its first two sentences are the ones scikit-learn's users search for."""
    return (
        "Solver produced non-finite parameter weights. The input data may contain large values and need to be "
        f"preprocessed. {advice} The estimator is left as it was before this call."
    )


def describe_parameters(**shared: str) -> Callable[[T], T]:
    """A decorator that fills in what the docstrings of several classes share.

    A line of a docstring that consists of a name in braces, such as ``{random_state}``, is replaced by the description
    of that name, which is one or more entries in numpydoc's form. An unknown name raises a `KeyError`.
    """

    def fill(found: re.Match[str]) -> str:
        return textwrap.indent(textwrap.dedent(shared[found[2]]).strip(), found[1])

    def decorate(cls: T) -> T:
        if cls.__doc__:  # python -OO leaves none
            cls.__doc__ = re.sub(r"^( *)\{(\w+)\}$", fill, cls.__doc__, flags=re.MULTILINE)
        return cls

    return decorate


def set_parameters(estimator: Any, given: dict[str, Any]) -> None:
    """Store constructor arguments unchanged, as scikit-learn requires: ``set_parameters(self, locals())``."""
    for name, value in given.items():
        if name not in ("self", "__class__"):
            setattr(estimator, name, value)


class SuggestingMixin:
    """Errors that suggest the nearest name or value of a parameter; names of parameters that are looked up once."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        suggest_in_methods(cls)
        suggest_keywords(cls)

    def set_params(self, **parameters: Any) -> Any:
        """Set parameters by name, as scikit-learn's estimators do; an unknown name gets the nearest one."""
        known = self.parameter_names()
        for name in parameters:
            if name.partition("__")[0] not in known:
                raise ValueError(unknown_parameter(type(self).__name__, name, known))
        return super().set_params(**parameters)  # type: ignore[misc]

    @classmethod
    @functools.cache  # scikit-learn inspects the signature for each clone
    def _get_param_names(cls) -> list[str]:
        return super()._get_param_names()  # type: ignore[misc,no-any-return]

    @classmethod
    def parameter_names(cls) -> list[str]:
        """The names of the constructor's parameters."""
        return cls._get_param_names()

    def check_parameters(self) -> None:
        """Raise a `ValueError` that names the first parameter whose value is not allowed."""
        self._validate_params()

    def _validate_params(self) -> None:
        try:
            super()._validate_params()  # type: ignore[misc]
        except InvalidParameterError as error:
            constraints: dict[str, Any] = self._parameter_constraints  # type: ignore[attr-defined]
            name = str(error).split("'")[1]
            words = [w for c in constraints[name] if isinstance(c, StrOptions) for w in c.options]
            value = getattr(self, name, None)
            near = closest(value.lower(), words, cutoff=0.5) if isinstance(value, str) else []
            if not near:
                raise
            raise InvalidParameterError(f"{error} Did you mean {' or '.join(map(repr, near))}?") from None


class Searchable:
    """What a hyperparameter search needs to know of an estimator; subclasses say where they differ."""

    max_iter: Any

    makes_own_folds: ClassVar[bool] = False
    """Whether ``fit`` trains on folds that it makes itself, and ``score_`` is its out-of-fold score."""
    score_parameters: ClassVar[frozenset[str]] = frozenset()
    """Parameters that decide what ``score_`` is."""
    shared_parameters: ClassVar[tuple[str, ...]] = ()
    """Parameters in which estimators must agree for their networks to be averaged."""

    @property
    def planned_epochs(self) -> int:
        """The epochs that ``fit`` trains for, unless it stops early."""
        return int(self.max_iter)


class NetworkEstimator(SuggestingMixin, Diagram, CallbackSupportMixin, BaseEstimator):  # type: ignore[misc]
    """An estimator that holds a `rosenblatt.nn.Network` in ``_network`` once it is fitted."""

    _network: Network
    documentation_page = "from-scikit-learn"

    def __sklearn_is_fitted__(self) -> bool:
        return "_network" in vars(self)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    @property
    def network(self) -> Network:
        """The fitted `rosenblatt.nn.Network`, whose ``predict(X)`` does not check that X is finite."""
        return self._fitted_network()

    @network.setter
    def network(self, network: Network) -> None:
        self._network = network

    def _fitted_network(self) -> Network:
        if "_network" not in vars(self):
            check_is_fitted(self)
        return self._network

    def _outputs(self, X: Any) -> Array:
        """The network's outputs for X, checked against what fit saw."""
        network = self._fitted_network()
        if self._is_plain(X) and not network.spec.sparse_input:
            return finite_outputs(np.asarray(network.predict(X)))
        return finite_outputs(predict_rows(network, check_rows(self, X, reset=False)))

    def _logits(self, X: Any) -> Array:
        """What the network computes for X before its output activation, shape (n_samples, n_outputs)."""
        network = self._fitted_network()
        X = check_rows(self, X, reset=False)
        return finite_outputs(predict_rows(without_output_activation(network), X))

    def _is_plain(self, X: Any) -> bool:
        """Whether X is a valid array as it is: scikit-learn's own checks take far longer than a prediction."""
        return (
            type(X) is np.ndarray
            and X.dtype in FLOATS
            and X.ndim == 2
            and X.shape[1] == vars(self).get("n_features_in_")
            and X.shape[0] > 0
            and "feature_names_in_" not in vars(self)
            and all_finite(X)
        )

    def summary(self) -> str:
        """A table of the fitted network: every tensor's shape (m = rows of a batch), parameters, memory, operations."""
        return self._fitted_network().summary()

    def __getstate__(self) -> dict[str, Any]:
        """Weights, fitted attributes and version: no trainer, no workspace, no reference to the training data."""
        return {**super().__getstate__(), VERSION_KEY: __version__}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(require_own_version(type(self).__name__, state))


def require_own_version(class_name: str, state: dict[str, Any]) -> dict[str, Any]:
    """The pickled state without its version; warns if another version wrote it."""
    state = dict(state)
    written_by = state.pop(VERSION_KEY, "unknown")
    if written_by != __version__:
        warn_user(
            f"This {class_name} was pickled by rosenblatt {written_by} and is read by {__version__}: pickles are only "
            "promised to work within one version. Use rosenblatt.save and rosenblatt.load to keep models.",
        )
    return state


def check_rows(
    estimator: Any,
    X: Any,
    y: Any = "no_validation",
    suffix: str = "",
    dtype: Any = FLOATS,
    keep_maps: bool = False,
    **how: Any,
) -> Any:
    """X, or X and y, checked by scikit-learn's `validate_data`; bad numbers are refused in our own words.

    `suffix` follows "X" and "y" in messages, as in "X_val". `dtype` is a float type or several, of which X has one
    afterwards; with `keep_maps` an X in a memory-mapped file keeps its own, as converting it would copy it into memory.
    """
    require_matrix(estimator, X)
    X = own_indices(X)
    if y is not None and not isinstance(y, str):
        y = plain_labels(y, f"y{suffix}") if is_classifier(estimator) else y
        with suppress(ValueError, TypeError):  # lists of different lengths, which scikit-learn refuses
            y = y if hasattr(y, "dtype") else np.asarray(y)
        check_target_array(f"y{suffix}", y, is_classifier(estimator))
        check_lengths(X, y, suffix)
    try:
        how = {"accept_sparse": ["csr", "csc"], "ensure_all_finite": False, "dtype": FLOATS, **how}
        checked = validate_data(estimator, X, y, **how)
    except OverflowError:
        raise ValueError(f"X{suffix} contains an integer that is too large for a float: scale it") from None
    except ValueError as error:
        if str(error).startswith("could not convert"):
            as_numbers(f"X{suffix}", X)  # names the text, unless it is one of y
        if not suffix:
            raise
        raise ValueError(f"X{suffix} and y{suffix}: {error}") from None
    X, *others = checked if isinstance(checked, tuple) else (checked,)
    check_finite(f"X{suffix}", X)
    if dtype is not FLOATS:
        check_range(f"X{suffix}", X, dtype)
        X = X if keep_maps and is_mapped(X) else X.astype(dtype, copy=False)
    return (X, *others) if others else X


def check_lengths(X: Any, y: Any, suffix: str) -> None:
    """Refuse X and y of different lengths, with the words that scikit-learn's users search for."""
    n_rows = (*getattr(X, "shape", ()), 0)[0] if hasattr(X, "shape") else len(X) if isinstance(X, (list, tuple)) else 0
    n_targets = y.shape[0] if getattr(y, "ndim", 0) else 0
    if n_rows and n_targets and n_rows != n_targets:
        raise ValueError(
            f"X{suffix} has {n_rows} rows, but y{suffix} has {n_targets} (inconsistent numbers of samples: "
            f"[{n_rows}, {n_targets}]); give one row of each per example"
        )


def check_target_array(name: str, y: Any, of_labels: bool = False) -> None:
    """Refuse a target with too many axes, with NaN or infinity, or, among labels that are objects, a missing one."""
    if getattr(y, "ndim", 1) > 2:
        raise ValueError(f"{name} has shape {y.shape}; it must be (n_rows,) or (n_rows, n_outputs)")
    kind = getattr(getattr(y, "dtype", None), "kind", "")
    if kind in ("m", "M") and not of_labels:
        raise ValueError(f"{name} holds dates or times; convert them to numbers, such as days since a date")
    if kind == "f":
        check_finite(name, y)
    if kind == "O":
        refuse_missing(np.asarray(y), name)


def require_matrix(estimator: Any, X: Any) -> None:
    """Refuse a table that is no matrix: a task, a mapping of columns, the path of a file."""
    is_mapping = isinstance(X, Mapping) and not issparse(X)  # SciPy has a sparse matrix that is one
    if is_mapping or isinstance(X, (str, os.PathLike)) or type(X).__module__.startswith("rosenblatt.tables"):
        raise TypeError(
            f"X is a {type(X).__name__}, but {type(estimator).__name__} takes an array of numbers with a row per "
            "example, and y beside it. TabularClassifier and TabularRegressor take tables of any kind."
        )


def check_class_weight(class_weight: Any, classes: npt.NDArray[Any]) -> None:
    """Refuse a mapping with factors that are not numbers of at least 0, or whose names do not fit the classes.

    As in scikit-learn, a mapping that names all classes may name others too, because a fold may lack a class.
    """
    if not isinstance(class_weight, dict):
        return
    known = classes.tolist()
    unknown = [label for label in class_weight if label not in known]
    if unknown and any(label not in class_weight for label in known):
        near = nearest(str(unknown[0]), map(str, known))
        question = f" Did you mean {near!r}?" if near else ""
        found = ", ".join(map(repr, unknown))
        raise ValueError(f"class_weight names {found}, but the labels of y are {known}.{question}")
    for label, factor in class_weight.items():
        check_number(f"class_weight[{label!r}]", factor, 0)


def class_weighted(class_weight: Any, classes: npt.NDArray[Any], labels: npt.NDArray[Any], sample_weight: Any) -> Array:
    """Weights of the rows times those of their classes; `labels` are numbers of `classes`, `sample_weight` may be None.

    A ValueError if "balanced" has no weight to give to a class, or if no row is left with a positive weight.
    """
    weights = np.ones(len(labels)) if sample_weight is None else np.asarray(sample_weight, np.float64)
    factors = class_factors(class_weight, classes, np.bincount(labels, weights, minlength=len(classes)))
    weighted: Array = weights * factors[labels]
    if not weighted.any():
        raise ValueError(NO_WEIGHT)
    return weighted


def class_factors(class_weight: Any, classes: npt.NDArray[Any], totals: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """What the weights of rows are multiplied with, for each class; `totals` are the sums of the weights of each.

    A ValueError if "balanced" has no weight to give to a class, or if no row would be left with a positive weight.
    """
    check_class_weight(class_weight, classes)
    if class_weight == "balanced" and not totals.all():
        lacking = ", ".join(map(repr, classes[totals == 0].tolist()))
        raise ValueError(
            f"class_weight is 'balanced', but no row with a positive weight has the label {lacking}. Give each class "
            "such a row, or class_weight a dict with a factor for each class."
        )
    if isinstance(class_weight, dict):
        factors = np.array([class_weight.get(label, 1.0) for label in classes.tolist()], np.float64)
    else:
        factors = np.ones(len(classes)) if class_weight is None else totals.sum() / (len(classes) * totals)
    if not (factors * totals).any():
        raise ValueError(NO_WEIGHT)
    return np.asarray(factors, np.float64)


def score_rows(scorer: Callable[..., float], estimator: Any, X: Any, y: Any, sample_weight: Any) -> float:
    """What a scorer says of rows, with their weights if there are any and it takes them."""
    takes_weights = getattr(scorer, "_accept_sample_weight", None)  # of scikit-learn's scorers: does their metric?
    if sample_weight is None or not (
        takes_weights() if takes_weights is not None else "sample_weight" in inspect.signature(scorer).parameters
    ):
        return score_of(scorer(estimator, X, y))
    return score_of(scorer(estimator, X, y, sample_weight=sample_weight))
