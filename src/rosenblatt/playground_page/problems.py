"""What a run learns: points, inputs, targets, and which rows train.

Takes `Settings` and the user's table if the data come from it. Returns a `Problem`. Never trains.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.playground_page.data_sets import SOURCES
from rosenblatt.playground_page.features import feature_columns
from rosenblatt.playground_page.own_tables import PlaygroundTable
from rosenblatt.playground_page.settings import LIMITS, DataSettings, Settings, SettingsError
from rosenblatt.playground_page.table_columns import TableColumn

__all__ = ["Axis", "Problem"]

Array = NDArray[Any]


@dataclass(frozen=True)
class Axis:
    """An axis of the plane: its name and limits in the data's units, and what the network's coordinate is.

    The coordinate is (value - `center`) / `spread`. `kind` is "number", "boolean" or "date" (days since 1970-01-01).
    """

    name: str
    low: float
    high: float
    center: float = 0.0
    spread: float = 1.0
    kind: str = "number"


@dataclass(frozen=True)
class Problem:
    """Rows to learn from.

    Attributes
    ----------
    points : ndarray of float64, shape (n_rows, 2)
        In the data's units.
    X : ndarray of float32, shape (n_rows, n_inputs)
    y : ndarray, shape (n_rows,)
        Class numbers, or what a network is to give, of mean 0 and standard deviation 1 if the data are a table.
    train, test : ndarray of int64
        Row numbers.
    axes : tuple of (Axis, Axis)
    inputs : tuple of str
        A name for each input of the network.
    features : tuple of str
        The inputs that depend on the plane; they come first.
    classes : tuple of str or None
        None for a number.
    rest : ndarray of float32
        The inputs behind the features, as they are on the plane: medians and most frequent levels.
    target_center, target_spread : float
        A target in the data's units is `target_center` + `target_spread` · y.
    note : str
    """

    points: Array
    X: Array
    y: Array
    train: Array
    test: Array
    axes: tuple[Axis, Axis]
    inputs: tuple[str, ...]
    features: tuple[str, ...]
    classes: tuple[str, ...] | None
    rest: Array = field(default_factory=lambda: np.empty(0, np.float32))
    target_center: float = 0.0
    target_spread: float = 1.0
    note: str = ""

    @classmethod
    def of(cls, settings: Settings, table: PlaygroundTable | None) -> Problem:
        """The rows that the settings ask for."""
        if settings.data.source != "table":
            return _generated(settings)
        if table is None:
            raise SettingsError("the data come from a table, but there is none: drop a file on the page first.")
        return _of_table(settings, table)

    @property
    def kind(self) -> str:
        """binary, multiclass or regression."""
        if self.classes is None:
            return "regression"
        return "binary" if len(self.classes) == 2 else "multiclass"

    @property
    def n_outputs(self) -> int:
        """Outputs of the network: one for each of three or more classes, else one."""
        return len(self.classes) if self.classes is not None and len(self.classes) > 2 else 1

    @property
    def targets(self) -> Array:
        """The target as the loss takes it: class numbers for several classes, else numbers."""
        return self.y if self.kind == "multiclass" else self.y.astype(np.float32)

    def grid(self, n: int) -> Array:
        """Inputs of the network at n × n points of the plane, from the bottom left corner row by row, as float32."""
        sides = [np.linspace(axis.low, axis.high, n) for axis in self.axes]
        x1, x2 = np.meshgrid(*sides)
        points = self.coordinates(np.column_stack([x1.ravel(), x2.ravel()]))
        return np.hstack([feature_columns(points, self.features), np.tile(self.rest, (n * n, 1))])

    def coordinates(self, points: Array) -> Array:
        """Points in the network's coordinates."""
        return (points - [axis.center for axis in self.axes]) / [axis.spread for axis in self.axes]

    def digest(self) -> str:
        """A short hash of all rows, by which a saved run knows its data again."""
        found = hashlib.sha256()
        for array in (self.X, self.y, self.train, self.test):
            found.update(np.ascontiguousarray(array).tobytes())
        return found.hexdigest()[:16]

    def describe(self) -> dict[str, Any]:
        """The `data` part of the page's "configured"."""
        values = self.target_center + self.target_spread * self.y if self.classes is None else self.y
        rows = np.column_stack([self.points, values])
        used = np.concatenate([self.train, self.test])
        shown = LIMITS["points_shown"]
        return {
            "axes": [{"name": axis.name, "low": axis.low, "high": axis.high, "kind": axis.kind} for axis in self.axes],
            "classes": None if self.classes is None else list(self.classes),
            "train": rows[self.train[:shown]].tolist(),
            "test": rows[self.test[:shown]].tolist(),
            "n_train": len(self.train),
            "n_test": len(self.test),
            "target_range": [float(values[used].min()), float(values[used].max())],
            "note": self.note,
        }


def split(rng: np.random.Generator, rows: Array, n_rows: int, train_share: float) -> tuple[Array, Array]:
    """Draw up to `n_rows` of `rows`, and split them: row numbers to train, and to test."""
    order = rng.permutation(rows)[:n_rows]
    n_train = min(max(1, round(train_share * len(order))), len(order) - 1)
    return order[:n_train], order[n_train:]


def _generated(settings: Settings) -> Problem:
    """Points of one of the page's own data sets."""
    data = settings.data
    source, rng = SOURCES[data.source], np.random.default_rng(data.seed)
    options = (data.classes,) if source.has_classes else ()
    points, y = source.make(rng, data.rows, data.noise / 100, *options)
    train, test = split(rng, np.arange(data.rows), data.rows, data.train_share)
    return Problem(
        points=points,
        X=feature_columns(points, settings.features),
        y=y,
        train=train,
        test=test,
        axes=(Axis("x1", -6.0, 6.0), Axis("x2", -6.0, 6.0)),
        inputs=settings.features,
        features=settings.features,
        classes=tuple(map(str, range(max(2, data.classes)))) if source.max_classes else None,
    )


def _of_table(settings: Settings, table: PlaygroundTable) -> Problem:
    """Rows of the user's table."""
    data, rng = settings.data, np.random.default_rng(settings.data.seed)
    target, rows = table.target(data.target), table.rows_with(data.target)
    points = np.column_stack([table.numbers(name) for name in data.columns])
    train, test = split(rng, rows, data.rows, data.train_share)
    axes = tuple(_axis(table.columns[name], points[:, i], train) for i, name in enumerate(data.columns))
    y = np.zeros(table.table.n_rows, target.values.dtype)
    y[rows] = target.values
    center, spread = (0.0, 1.0) if target.classes is not None else _moments(data.target, y[train])
    others, labels, typical = np.empty((len(y), 0)), list[str](), np.empty(0)
    if data.others == "inputs":
        others, typical, labels = table.inputs(table.others(data.columns, data.target))
    names = table.class_names(data.target)
    scaled = (points - [axis.center for axis in axes]) / [axis.spread for axis in axes]
    return Problem(
        points=points,
        X=np.hstack([feature_columns(scaled, settings.features), others.astype(np.float32)]),
        y=y if names is not None else (y - center) / spread,
        train=train,
        test=test,
        axes=(axes[0], axes[1]),
        inputs=(*settings.features, *labels),
        features=settings.features,
        classes=None if names is None else tuple(names),
        rest=typical.astype(np.float32),
        target_center=center,
        target_spread=spread,
        note=_note(table, data, len(rows)),
    )


def _moments(name: str, values: Array) -> tuple[float, float]:
    """Mean and standard deviation of the rows to train on; refuses a column without variation there."""
    center, spread = float(values.mean()), float(values.std())
    if not spread > 1e-12 * abs(center):
        raise SettingsError(
            f"column {name!r} has the same value in all rows to train on; choose another, or more rows."
        )
    return center, spread


def _axis(column: TableColumn, values: Array, train: Array) -> Axis:
    """The axis of a column: scaled by the rows to train on, and wide enough to show all rows."""
    center, spread = _moments(column.name, values[train])
    low, high = float(values.min()), float(values.max())
    margin = 0.05 * (high - low)
    return Axis(column.name, low - margin, high + margin, center, spread, column.kind)


def _note(table: PlaygroundTable, data: DataSettings, n_present: int) -> str:
    """What a user should know of the rows, in sentences."""
    sentences = list[str]()
    if n_present < table.table.n_rows:
        gone = table.table.n_rows - n_present
        sentences.append(f"{gone:,} row{'s' * (gone > 1)} without a target {'are' if gone > 1 else 'is'} left out.")
    if data.rows < n_present:
        sentences.append(f"{data.rows:,} of {n_present:,} rows are used, to train or to test: “Points” says how many.")
    if table.targets.get(data.target) == "regression":
        sentences.append("The loss is that of a target scaled to mean 0 and standard deviation 1.")
    return " ".join(sentences)
