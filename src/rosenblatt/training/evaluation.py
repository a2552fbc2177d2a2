"""The loss of a network on validation rows, and statistics of its gradients.

Takes a network, a loss and data. Returns the mean loss, and statistics of the gradient by layer. Never changes the
network.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt import _core
from rosenblatt._checks import BLOCK_BYTES
from rosenblatt.distributed.ranks import ranks
from rosenblatt.ir.compile import NO_SLOTS, compile_program
from rosenblatt.nn.inputs import input_arrays, sources_of, training_arrays
from rosenblatt.nn.objective import LossGiven, Objective
from rosenblatt.nn.own_functions import is_users
from rosenblatt.nn.programs import block_rows, evaluation_program
from rosenblatt.nn.registry import name_of
from rosenblatt.training.trainer import Trainer

if TYPE_CHECKING:
    from rosenblatt.nn.network import Network

__all__ = [
    *("Evaluator", "GradientProbe", "LayerGradient", "doubt_of_loss", "gathered", "gradient_statistics"),
    *("score_of", "what_diverged"),
]


def score_of(result: Any) -> float:
    """What a scorer returned, as a number; it may be NaN, which is never the best."""
    try:
        return float(result)
    except (TypeError, ValueError):
        raise ValueError(
            f"the scorer returned {result!r}; it must return a number, of which greater is better"
        ) from None


def what_diverged(network: Network, data: Mapping[str, Any]) -> str:
    """What is not finite: a weight, or a prediction for the first rows of checked inputs; empty if nothing is.

    At most one block of rows is predicted. Finite weights that are huge predict NaN.
    """
    if not np.isfinite(network.block).all():
        return "A weight became infinite or NaN"
    rows = block_rows(network.graph)
    made = network.predict({name: array[:rows] for name, array in data.items()})
    finite = all(np.isfinite(out).all() for out in (made.values() if isinstance(made, dict) else [made]))
    return "" if finite else "A prediction became infinite or NaN"


def doubt_of_loss(trainer: Trainer, epochs: int) -> str:
    """What to look at first if training failed within the first of so many epochs; empty unless the loss is a user's.

    Then a smaller learning rate may not help: the formula itself may be to blame.
    """
    losses = trainer.objective.losses(trainer.network.graph).values()
    own = [name_of(loss.function) for loss in losses if is_users(loss.function)]
    if not own or epochs > 1:
        return ""
    return (
        f" The loss {own[0]!r} is your own: it, or its slope, may be NaN or infinite for finite predictions, as the "
        "log or a root of a negative number is, or a division by zero, also in the branch that b.where does not take."
    )


def gathered(X: Any, rows: NDArray[np.int64]) -> Iterator[tuple[slice, Any]]:
    """Rows of an array or CSR matrix by their numbers, some MB at a time, each block with its places in `rows`."""
    numbers = X.data if hasattr(X, "tocsr") else X
    step = max(1, BLOCK_BYTES * X.shape[0] // max(1, numbers.nbytes))
    for first in range(0, len(rows), step):
        where = slice(first, min(first + step, len(rows)))
        yield where, X[rows[where]]


class Evaluator:
    """The mean loss of a network on given rows, in prediction mode: without dropout, and with running statistics.

    Parameters
    ----------
    network : Network
        The network to evaluate. Later changes of its parameters are taken into account.
    loss : str, callable, Loss, or a mapping with one for each head
    X, y, sample_weight
        The same as in `rosenblatt.training.Trainer.set_data`.
    head_weights : mapping of str to float, optional
        Factor of each head's loss. Heads that are not named have the factor 1.
    rows : ndarray of int64, optional
        Numbers of the rows of X that are evaluated; y and sample_weight are those of these rows. A few rows at a time
        are copied.
    """

    def __init__(
        self,
        network: Network,
        loss: LossGiven | Mapping[str, LossGiven],
        X: Any,
        y: Any,
        sample_weight: NDArray[Any] | None = None,
        head_weights: Mapping[str, float] | None = None,
        rows: NDArray[np.int64] | None = None,
    ) -> None:
        self.network = network
        objective = Objective(loss, head_weights=head_weights or {})
        program = evaluation_program(network.graph, objective, network.dtype.name)
        block = block_rows(network.graph)
        self._executable = compile_program(program, block)
        losses = objective.losses(network.graph)
        self._arrays = functools.partial(training_arrays, network.graph, losses, suffix="_val", dtype=network.dtype)
        self._session = _core.Session(self._executable.core)
        self._ranks = ranks()
        self._gathered = None if rows is None else (X, y, rows)
        if rows is not None:
            self.weight, self.n_rows = sample_weight, len(rows)
            return
        arrays = self._arrays(X, y, sample_weight)
        self.weight, self.n_rows = arrays.pop("sample_weight", None), next(iter(arrays.values())).shape[0]
        self._own = self._ranks.part(self.n_rows, block)  # each of them computes the losses of some rows
        if self._ranks.size > 1:
            arrays = {name: array[self._own] for name, array in arrays.items()}
        self._sources = sources_of(self._executable, network.graph, arrays)

    def loss(self) -> float:
        """The (weighted) mean loss over the rows, with the network's current parameters."""
        losses = np.empty(self.n_rows, self.network.dtype)
        for where, sources in self._parts():
            part = losses[where]
            self._session.forward(self.network.memory, sources, len(part), NO_SLOTS, [part])
        if self._gathered is None:
            self._ranks.share(losses, self._own)
        return float(np.average(losses.astype(np.float64), weights=self.weight))

    def _parts(self) -> Iterator[tuple[slice, list[_core.Source]]]:
        """Those of this rank at once where they lie as they are, otherwise all rows, some at a time."""
        if self._gathered is None:
            yield self._own, self._sources
            return
        X, y, rows = self._gathered
        for where, block in gathered(X, rows):
            yield where, sources_of(self._executable, self.network.graph, self._arrays(block, y[where]))


@dataclass(frozen=True)
class LayerGradient:
    """Statistics of the gradient of the loss with respect to the weights of one layer.

    Attributes
    ----------
    layer : str
    norm : float
        Euclidean norm of the gradient.
    vanishing : float
        Share of the gradient's elements whose magnitude is below the threshold.
    dead : float
        Share of neurons whose weights all have a gradient of zero over the rows.
    """

    layer: str
    norm: float
    vanishing: float
    dead: float


class GradientProbe:
    """Computes statistics of a network's gradient on the first rows of a data set, as often as they are needed.

    Parameters
    ----------
    network : Network
        The network to examine. Later changes of its parameters are taken into account.
    loss, X, y
        The same as for training.
    max_rows : int
        Number of rows to use at most. Only the first rows are used.
    """

    def __init__(
        self, network: Network, loss: LossGiven | Mapping[str, LossGiven], X: Any, y: Any, max_rows: int = 1000
    ) -> None:
        self.network, self._twin = network, network.copy()
        self._trainer = Trainer(self._twin, loss, None)
        self._trainer.set_data(_first(input_arrays(network.graph, X), max_rows), _first(y, max_rows))

    def statistics(self, threshold: float = 1e-6) -> list[LayerGradient]:
        """Statistics of each layer with weights that are not frozen, with the network's current parameters."""
        self._twin.block[...] = self.network.block
        _, gradient = self._trainer.loss_and_gradient()
        found = []
        for p in self._twin.graph.parameters:
            if p.spec.name != "weights" or p.name in self._twin.frozen:
                continue
            g = np.abs(gradient[p.offset : p.offset + p.size].reshape(p.spec.shape).astype(np.float64))
            dead = float((g == 0).all(axis=0).mean())
            found.append(LayerGradient(p.layer, float(np.sqrt((g**2).sum())), float((g < threshold).mean()), dead))
        return found

    def row(self) -> dict[str, float]:
        """The statistics as columns of a history: "hidden1.norm", "hidden1.vanishing", "hidden1.dead", ..."""
        names = ("norm", "vanishing", "dead")
        return {f"{s.layer}.{name}": getattr(s, name) for s in self.statistics() for name in names}


def gradient_statistics(
    network: Network,
    loss: LossGiven | Mapping[str, LossGiven],
    X: Any,
    y: Any,
    *,
    threshold: float = 1e-6,
    max_rows: int = 1000,
) -> list[LayerGradient]:
    """Statistics of the gradient that reaches the weights of each layer.

    Parameters
    ----------
    network : Network
        The network to examine. It is not changed.
    loss, X, y
        The same as for training.
    threshold : float
        Elements with a magnitude below this count as vanishing.
    max_rows : int
        Number of rows to use at most. Only the first rows are used.

    Returns
    -------
    list of LayerGradient
        An entry for each layer with weights that are not frozen, from the input to the output.
    """
    return GradientProbe(network, loss, X, y, max_rows).statistics(threshold)


def _first(data: Any, n: int) -> Any:
    return {name: array[:n] for name, array in data.items()} if isinstance(data, Mapping) else data[:n]
