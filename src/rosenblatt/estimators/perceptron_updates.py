"""How many mistakes a perceptron made in each pass over the rows.

Takes what a training of scikit-learn's perceptron started from. Returns counts, or None if other rules than the
perceptron's changed the weights. Never changes an estimator.

scikit-learn does not count, so the passes are repeated one at a time by scikit-learn's own code, with an additional
column that counts the updates and changes nothing else:

    row i contains  u / (size of its update)  with its label's sign, so each update adds u to the column's weight.

u is so small that the column's weight times the column underflows to zero, so every score is that of the training, to
the last bit. The counts are used only if the repetition ends with the weights of the training.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, hstack, issparse
from sklearn.linear_model import Perceptron as SklearnPerceptron

__all__ = ["Training", "count_mistakes"]

Array = npt.NDArray[Any]
MAX_ROWS = 1 << 24
"""The largest number to which float32 can count in steps of 1."""
UNITS = {np.dtype(np.float32): 2.0**-100, np.dtype(np.float64): 2.0**-600}
SIZES = {np.dtype(np.float32): (2.0**-26, 2.0**26), np.dtype(np.float64): (2.0**-100, 2.0**100)}
"""Sizes of updates for which u / size is a normal number, and u**2 / size, times the rows, underflows."""


@dataclass(frozen=True, eq=False)
class Training:
    """What a call of `fit` or `partial_fit` started from, and where it ended.

    The arrays are as scikit-learn validated them. They are the user's own arrays if these needed no conversion.
    """

    settings: dict[str, Any]  # parameters of the estimator
    X: Any
    y: Array
    sample_weight: Array
    class_weight: Array
    classes: Array  # sorted
    random_state: Any  # seed, or the state of the generator before the call
    start: tuple[Array, Array]  # copies of coef_ and intercept_
    end: tuple[Array, Array]
    max_iter: int
    n_passes: int  # of the class that took the most


def count_mistakes(training: Training) -> list[Any] | None:
    """Updates of each pass: a list of int for two classes, otherwise a list of such lists, one for each class.

    Returns None with a penalty, which changes the weights without a mistake, and for more than 16.8 million rows or
    updates of extreme sizes. The counts of a class end with its last pass. Raises an `AttributeError` if the repetition
    does not end with the weights of the training, because the data changed in between.
    """
    if training.settings["penalty"] is not None or training.X.shape[0] > MAX_ROWS:
        return None
    counts = []
    for neuron in binary_trainings(training):
        count = repeat_passes(training, *neuron)
        if count is None:
            return None
        counts.append(count)
    return counts[0] if len(training.classes) == 2 else counts


def replica(training: Training) -> Any:
    """A scikit-learn perceptron in the state in which the training started."""
    seed = training.random_state
    if not isinstance(seed, (int, np.integer)):
        generator = np.random.RandomState()
        generator.set_state(seed)
        seed = generator
    model = SklearnPerceptron(**{**training.settings, "random_state": seed, "verbose": 0})
    model.classes_, model.t_ = training.classes, 1.0
    model.coef_, model.intercept_ = (np.array(part) for part in training.start)
    model._loss_function_ = model._get_loss_function("perceptron")
    model._expanded_class_weight = training.class_weight
    return model


def binary_trainings(training: Training) -> list[tuple[int, int, float, float, Any, Any]]:
    """For each neuron: its class, passes, weights of its class and of the rest, random state, rows set aside."""
    from sklearn.linear_model._base import make_dataset
    from sklearn.linear_model._stochastic_gradient import MAX_INT, fit_binary
    from sklearn.utils import check_random_state

    model, weight = replica(training), training.class_weight
    if len(training.classes) == 2:
        rng = check_random_state(model.random_state)
        sign = signs(training, 1)
        make_dataset(training.X, sign, training.sample_weight, random_state=rng)  # draws a number, like scikit-learn
        aside = model._make_validation_split(sign, sample_mask=training.sample_weight > 0)
        return [(1, training.n_passes, weight[1], weight[0], rng.randint(MAX_INT), aside)]
    aside = model._make_validation_split(training.y, sample_mask=training.sample_weight > 0)
    seeds = check_random_state(model.random_state).randint(MAX_INT, size=len(training.classes))
    neurons = []
    for i, seed in enumerate(seeds):  # scikit-learn only keeps the number of passes of the longest training
        _, _, n_passes = fit_binary(
            model, i, training.X, training.y, model.alpha, "constant", training.max_iter, weight[i], 1.0,
            training.sample_weight, validation_mask=aside, random_state=seed,
        )  # fmt: skip
        rng = check_random_state(seed)
        make_dataset(training.X, signs(training, i), training.sample_weight, random_state=rng)
        neurons.append((i, n_passes, weight[i], 1.0, rng.randint(MAX_INT), aside))
    return neurons


def signs(training: Training, i: int) -> Array:
    """1 for the rows of class i, -1 for the others."""
    return np.where(training.y == training.classes[i], 1, -1).astype(training.X.dtype)


def repeat_passes(
    training: Training, i: int, n_passes: int, own: float, other: float, seed: int, aside: Any
) -> list[int] | None:
    """Number of updates in each pass of the neuron of class i."""
    from sklearn.linear_model._base import make_dataset
    from sklearn.linear_model._stochastic_gradient import _get_plain_sgd_function

    model, sign = replica(training), signs(training, i)
    column = counting_column(training, sign, own, other, model.eta0)
    if column is None:
        return None
    X = with_column(training.X, column)
    dataset, decay = make_dataset(X, sign, training.sample_weight, random_state=0)  # keeps the row order across passes
    place = 0 if len(training.classes) == 2 else i
    weights = np.append(training.start[0][place], 0).astype(X.dtype)
    assert weights.shape == (X.shape[1],)  # the compiled code does not check it
    intercept = training.start[1][place]
    run = _get_plain_sgd_function(input_dtype=weights.dtype)
    unit, counts = UNITS[X.dtype], []
    for _ in range(n_passes):
        weights[-1] = 0
        weights, intercept, *_ = run(
            weights, intercept, None, 0, model._loss_function_, 0, model.alpha, 0.0, dataset, aside, False, None,
            1, 1, -np.inf, int(model.fit_intercept), 0, int(model.shuffle), seed, own, other,
            model._get_learning_rate_type("constant"), model.eta0, 0.5, 0, 1.0, decay, 0,
        )  # fmt: skip
        counts.append(round(float(weights[-1]) / unit))
    coef, intercepts = training.end
    if not np.array_equal(weights[:-1], coef[place]) or intercepts.dtype.type(intercept) != intercepts[place]:
        raise AttributeError(
            "mistakes_ is counted when it is first read, by repeating the passes of fit over X and y. The repetition "
            "ended with other weights, because X or y (or a shared random generator) changed after fit. Fit again, and "
            "read mistakes_ before the data change."
        )
    return counts


def counting_column(training: Training, sign: Array, own: float, other: float, eta0: float) -> Array | None:
    """The unit u divided by the size of each row's update, with its sign, or None if that is not a normal number."""
    size = eta0 * np.where(sign > 0, own, other) * training.sample_weight
    smallest, largest = SIZES[training.X.dtype]
    moves = size > 0
    if not (np.isfinite(size).all() and (size[moves] >= smallest).all() and (size <= largest).all()):
        return None
    column = np.zeros(len(size))
    column[moves] = sign[moves] * UNITS[training.X.dtype] / size[moves]
    return column.astype(training.X.dtype)


def with_column(X: Any, column: Array) -> Any:
    """X with an additional last column. At the end, it does not change the order of any sum of products."""
    if not issparse(X):
        return np.column_stack([X, column])
    return hstack([csr_matrix(X), csr_matrix(column[:, None])], format="csr", dtype=X.dtype)
