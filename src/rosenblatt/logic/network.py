"""A layered network of threshold neurons.

Takes small integer (or half-integer) weights, the formula that they are meant to compute, then rows of 0 and 1. Returns
0 or 1 for each row, without rounding errors. Never learns; `soften` makes a trainable network.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .formulas import Formula, require_variables
from .neuron import sum_text
from .truth import assignments, binary_rows, in_words, values_of

__all__ = ["ThresholdNetwork", "WrongNetworkError"]

Array = NDArray[Any]


class WrongNetworkError(ValueError):
    """A network does not compute its formula. The message names the first assignment on which they differ."""


@dataclass(frozen=True, eq=False)
class ThresholdNetwork:
    """Layers of neurons that give 1 where ``inputs @ weights + bias >= 0``, else 0. The last layer has one neuron.

    Parameters
    ----------
    formula : Formula
        The function that the network is meant to compute; `verify` checks it.
    names : tuple of str
        The names of the inputs, in the order of the columns of X.
    weights : sequence of arrays of shape (n_in, n_out)
        Multiples of 1/2, one array per layer.
    biases : sequence of arrays of shape (n_out,)
        Multiples of 1/2, one array per layer. The threshold of a neuron is -bias.
    labels : sequence of sequences of str, optional
        For printing: what each neuron computes.

    Raises
    ------
    ValueError
        If the shapes of the layers do not match, or a number is not a multiple of 1/2.
    """

    formula: Formula
    names: tuple[str, ...]
    weights: tuple[Array, ...]
    biases: tuple[Array, ...]
    labels: tuple[tuple[str, ...], ...] = field(default=())

    def __post_init__(self) -> None:
        weights = tuple(steps(w, f"weights of layer {i + 1}") for i, w in enumerate(self.weights))
        biases = tuple(steps(b, f"biases of layer {i + 1}") for i, b in enumerate(self.biases))
        n, shapes, heights = len(self.names), [w.shape for w in weights], [b.shape for b in biases]
        chained = len(shapes) == len(heights) > 0 and all(len(shape) == 2 for shape in shapes)
        chained = chained and shapes[0][0] == n and shapes[-1][1] == 1
        chained = chained and all(first[1] == second[0] for first, second in pairwise(shapes))
        if not chained or [shape[1:] for shape in shapes] != heights:
            raise ValueError(
                f"weights of shapes {shapes} and biases of shapes {heights} do not form a network of {n} inputs and "
                "one output: layer i needs weights (n_i, n_{i+1}) and biases (n_{i+1},), and the last has one neuron"
            )
        require_variables(self.formula.names, tuple(self.names), "among the network's inputs", complete=False)
        labels = self.labels or tuple(("",) * len(b) for b in biases)
        if [len(layer) for layer in labels] != [len(b) for b in biases]:
            raise ValueError(f"labels are {labels}; there must be one per neuron, {[len(b) for b in biases]}")
        object.__setattr__(self, "names", tuple(self.names))
        object.__setattr__(self, "weights", weights)
        object.__setattr__(self, "biases", biases)
        object.__setattr__(self, "labels", tuple(map(tuple, labels)))

    @property
    def layer_sizes(self) -> tuple[int, ...]:
        """The sizes of all layers, inputs first."""
        return (len(self.names), *map(len, self.biases))

    @property
    def n_neurons(self) -> int:
        """The number of neurons, including those that only pass a value on."""
        return sum(self.layer_sizes[1:])

    def predict(self, X: Any) -> NDArray[np.int64]:
        """The output for each row.

        Parameters
        ----------
        X : array of shape (n_rows, n_inputs)
            0 and 1, or False and True.

        Returns
        -------
        ndarray of int64, shape (n_rows,)
            0 or 1.

        Raises
        ------
        ValueError
            If X does not have this shape or holds other values.
        """
        values = binary_rows(X, self.names)
        for weights, bias in zip(self.weights, self.biases, strict=True):
            values = (values @ weights + bias >= 0).astype(np.int64)
        return values[:, 0]

    def truth_table(self) -> NDArray[np.int64]:
        """All assignments, with the output in the last column: shape (2 ** n_inputs, n_inputs + 1)."""
        rows = assignments(self.names)
        return np.column_stack([rows, self.predict(rows)])

    def verify(self) -> None:
        """Compare the whole truth table with that of the formula.

        Raises
        ------
        WrongNetworkError
            If they differ; the message names the first such assignment.
        """
        rows = assignments(self.names)
        given, expected = self.predict(rows).astype(bool), values_of(self.formula, self.names, rows)
        different = np.flatnonzero(given != expected)
        if different.size:
            at = different[0]
            raise WrongNetworkError(
                f"the network does not compute {self.formula}: for {in_words(self.names, rows[at])} it gives "
                f"{int(given[at])} and the formula {int(expected[at])}; they differ on {different.size} of {len(rows)} "
                "assignments"
            )

    def passes(self, layer: int, neuron: int) -> bool:
        """Whether a neuron only passes one value on to the next layer. Both indices count from 0."""
        column = self.weights[layer][:, neuron]
        return bool(self.biases[layer][neuron] == -1 and (column == 1).sum() == 1 and np.count_nonzero(column) == 1)

    def sources(self, layer: int) -> tuple[str, ...]:
        """The names of a layer's inputs: those of the network, or the neurons of the layer before."""
        if layer == 0:
            return self.names
        if layer == len(self.biases):
            return ("output",)
        return tuple(f"h{layer}.{i + 1}" for i in range(len(self.biases[layer - 1])))

    def summary(self) -> str:
        """The sum and threshold of every neuron, what it computes, and the size of the network."""
        n_passing = sum(self.passes(i, j) for i, bias in enumerate(self.biases) for j in range(len(bias)))
        n_weights = sum(np.count_nonzero(w) for w in self.weights)
        largest = max(float(np.abs(w).max(initial=0)) for w in self.weights)
        return (
            f"{self}\n{len(self.weights)} layers, {self.n_neurons} neurons ({n_passing} of them pass a value on), "
            f"{n_weights} nonzero weights, the largest {largest:g}"
        )

    def __str__(self) -> str:
        lines = []
        for i, (weights, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            for j, name in enumerate(self.sources(i + 1)):
                rule = f"[{sum_text(weights[:, j], self.sources(i))} >= {-bias[j]:g}]"
                lines.append((name, rule, self.labels[i][j]))
        wide, long = max(len(line[0]) for line in lines), max(len(line[1]) for line in lines)
        body = "\n".join(f"  {name:<{wide}} = {rule:<{long}}  {label}".rstrip() for name, rule, label in lines)
        return f"{self.formula} as layers of {' -> '.join(map(str, self.layer_sizes))}\n{body}"

    def __repr__(self) -> str:
        return f"<ThresholdNetwork of {self.formula}: {' -> '.join(map(str, self.layer_sizes))}>"


def steps(given: Any, where: str) -> Array:
    """A read-only array of integers or, if necessary, of multiples of 1/2."""
    array = np.array(given, dtype=np.float64)
    if not (np.isfinite(array).all() and (2 * array == np.rint(2 * array)).all()):
        raise ValueError(f"{where} are {np.asarray(given).tolist()}; they must be multiples of 1/2")
    if (array == np.rint(array)).all():
        array = array.astype(np.int64)
    array.flags.writeable = False
    return array
