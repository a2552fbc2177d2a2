"""Rows between the mean training row and themselves: each raw column has its own share of the way.

Takes a fitted model, prepared rows and shares. Returns raw outputs of all networks, and derivatives by the shares.
Never mixes cells: numbers and indicators are mixed as networks read them, categories and texts as their embeddings.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from rosenblatt.estimators.tabular.architecture import feed
from rosenblatt.estimators.tabular.ensemble import workers_for
from rosenblatt.estimators.tabular.explain.column_substitution import MAX_ROWS, MAX_VALUES, column_slices
from rosenblatt.estimators.tabular.explain.quantities import Quantity
from rosenblatt.tables.encoders import Prepared
from rosenblatt.tables.preparation import Preparation
from rosenblatt.training.frozen_features import part_behind

__all__ = ["Mixtures", "input_values", "parts_of"]

Array = NDArray[Any]
T = TypeVar("T")


def parts_of(prepared: Prepared) -> list[str]:
    """The inputs and layers whose values are side by side where a network begins to mix columns."""
    names = [name for name in ("numbers", "indicators") if getattr(prepared, name).shape[1]]
    names += [f"embedding{i}" for i in range(prepared.codes.shape[1])]
    return names + [f"topics{i}" for i in range(len(prepared.words))]


def input_values(network: Any, inputs: dict[str, Any], name: str) -> Array:
    """The values of one of these parts, [n_rows, width]."""
    if name in inputs:
        return np.asarray(inputs[name])
    part = network.truncate_at(name)
    return np.asarray(part.predict({own: inputs[own] for own in part.graph.input_names}))


def owners(preparation: Preparation, name: str, width: int) -> NDArray[np.int64]:
    """For each value of a part, the number of the column that it stems from, among those that the model uses."""
    found = np.zeros(width, np.int64)
    for j, place in enumerate(column_slices(preparation)):
        if name in ("numbers", "indicators"):
            found[getattr(place, name)] = j
            continue
        kind, own = ("codes", "embedding") if name.startswith("embedding") else ("words", "topics")
        cut = getattr(place, kind)
        if cut.start <= int(name.removeprefix(own)) < cut.stop:
            found[:] = j
    return found


@dataclass(frozen=True)
class Part:
    """An input of what follows: its name there, the mean training row, each row's difference, owners of the values."""

    name: str
    base: Array
    difference: Array
    owner: NDArray[np.int64]

    def mixed(self, rows: Array, shares: Array) -> Array:
        """The mean training row, and the share of the difference from it."""
        return np.asarray(self.base + shares[:, self.owner] * self.difference[rows])


class Mixtures:
    """The networks of a model behind the place where columns are mixed, and what rows have there.

    Attributes
    ----------
    n_rows : int
    n_columns : int
        Columns that the model uses, in the order of `column_slices`.
    width : int
        Values of one row.
    raw : ndarray of shape (n_networks, n_rows, n_outputs)
        Raw outputs of the whole networks for the rows as they are.
    """

    def __init__(self, model: Any, prepared: Prepared) -> None:
        self.n_columns = len(column_slices(model.preparation_))
        inputs, names = feed(prepared), parts_of(prepared)
        self._networks: list[tuple[Any, list[Part]]] = []
        raw = []
        for network in model.ensemble_.networks:
            (head,) = network.graph.heads.values()
            whole = network.truncate_at(network.graph.names[head])
            raw.append(whole.predict({name: inputs[name] for name in whole.graph.input_names}))
            behind, fed = part_behind(whole, [whole.graph.node(name) for name in names])
            parts = []
            for name, own in zip(names, fed, strict=True):
                base = model.background_.base(network, name)
                difference = input_values(network, inputs, name) - base
                parts.append(Part(own, base, difference, owners(model.preparation_, name, len(base))))
            self._networks.append((behind, parts))
        self.raw = np.stack(raw)
        self.n_rows = self.raw.shape[1]
        self.width = sum(len(part.base) for part in self._networks[0][1])

    @property
    def max_evaluations(self) -> int:
        """The rows that are best predicted in one batch."""
        return max(1, min(MAX_ROWS, MAX_VALUES // self.width))

    def values(self, quantity: Quantity, rows: Array, shares: Array) -> Array:
        """The quantity [n, n_rows, n_quantities] for rows by number, with each of n shares ([n] or [n, n_columns])."""
        shares = np.broadcast_to(np.asarray(shares, np.float64).reshape(len(shares), -1), (len(shares), self.n_columns))
        found = []
        for some in np.array_split(shares, min(len(shares), -(-len(shares) * len(rows) // self.max_evaluations))):
            at = np.tile(rows, len(some))
            values = quantity.values(self.outputs(at, np.repeat(some, len(rows), axis=0)), at)
            found.append(values.reshape(len(some), len(rows), -1))
        return np.concatenate(found)

    def outputs(self, rows: Array, shares: Array) -> Array:
        """Raw outputs [n_networks, m, n_outputs] for m rows by number with their shares [m, n_columns]."""

        def predict(entry: tuple[Any, list[Part]], number: int) -> Array:
            network, parts = entry
            return np.asarray(network.predict({part.name: part.mixed(rows, shares) for part in parts}))

        return np.stack(self._each(predict))

    def slopes(self, rows: Array, shares: Array, cotangent: Array) -> Array:
        """Derivatives by the shares [m, n_columns] of the sum of cotangent [n_networks, m, n_outputs] * raw outputs."""

        def differentiate(entry: tuple[Any, list[Part]], number: int) -> Array:
            network, parts = entry
            mixed = {part.name: part.mixed(rows, shares) for part in parts}
            gradients = network.input_gradients(mixed, cotangent[number], at=list(mixed), raw=True)
            found = np.zeros((len(rows), self.n_columns))
            for part in parts:
                moved = gradients[part.name].astype(np.float64) * part.difference[rows]
                found += moved @ np.eye(self.n_columns)[part.owner]
            return found

        return np.asarray(sum(self._each(differentiate)))

    def _each(self, work: Callable[[tuple[Any, list[Part]], int], T]) -> list[T]:
        """What `work` gives for each network."""
        with ThreadPoolExecutor(workers_for(len(self._networks))) as pool:
            return list(pool.map(work, self._networks, range(len(self._networks))))
