"""The settings of a run: data, network, training.

Takes an object of the page, as a JSON reader gives it. Returns `Settings`, or raises a `SettingsError` that names the
field. Never raises anything else, and never looks at a row of data: what only the data can tell is checked by
`rosenblatt.playground_page.runs`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from rosenblatt.playground_page.choices import ACTIVATIONS, INITIALIZERS, LOSSES, OPTIMIZERS, SCHEDULES, WITH_MOMENTUM
from rosenblatt.playground_page.data_sets import SOURCES
from rosenblatt.playground_page.features import FEATURES
from rosenblatt.playground_page.given import Given, SettingsError, shown

if TYPE_CHECKING:
    from rosenblatt.playground_page.own_tables import PlaygroundTable

__all__ = ["LIMITS", "LIVE", "DataSettings", "LayerSettings", "OutputSettings", "Settings", "SettingsError"]

LIMITS = {
    **{"layers": 32, "units": 512, "parameters": 1_000_000, "rows": 10_000, "steps": 100_000},
    **{
        "grid": 32,
        "plane": 100,
        "units_shown": 64,
        "points_shown": 1000,
        "classes": 10,
        "batch_size": 10_000,
        "events": 10_000,
    },
}
"""The most of everything; grid and plane are the points along each side of the pictures."""
MAX_SEED = 2**32 - 1
LIVE = ("learning_rate", "batch_size", "l1", "l2")
"""Settings that can be changed while training goes on."""
DATA = ("source", "rows", "noise", "train_share", "seed", "classes", "columns", "target", "others")
LAYER = ("units", "activation", "dropout", "initializer")
FIELDS = (
    *("version", "data", "features", "layers", "output", "loss", "optimizer", "momentum", "learning_rate"),
    *("schedule", "schedule_steps", "l1", "l2", "batch_size", "seed"),
)


@dataclass(frozen=True)
class DataSettings:
    """Where the rows come from.

    Attributes
    ----------
    source : str
        A name in `rosenblatt.playground_page.data_sets.SOURCES`, or "table".
    rows : int
        How many in all, 10 to 10,000; a table may have fewer.
    noise : float in [0, 50]
        Percent; not for tables.
    train_share : float in [0.05, 0.95]
        Share of the rows to train on; the others test.
    seed : int
        Of the points and of what is drawn to train.
    classes : int
        For blobs, rings and spirals: 2 to 6.
    columns : tuple of (str, str)
        For a table: the columns of the plane.
    target : str
        For a table: the column to predict.
    others : {"median", "inputs"}
        For a table: whether all other columns stay out of the network, or are inputs too.
    """

    source: str = "circle"
    rows: int = 500
    noise: float = 0.0
    train_share: float = 0.5
    seed: int = 0
    classes: int = 2
    columns: tuple[str, str] = ("", "")
    target: str = ""
    others: str = "median"

    @classmethod
    def from_json(cls, given: object, table: PlaygroundTable | None) -> Self:
        """Read and check; see `Settings.from_json`."""
        g = Given(given, "data", DATA)
        source = g.choice("source", "circle", [*SOURCES, "table"])
        common: dict[str, Any] = {
            "source": source,
            "rows": g.count("rows", 500, 10, LIMITS["rows"]),
            "noise": g.number("noise", 0.0, 0, 50),
            "train_share": g.number("train_share", 0.5, 0.05, 0.95),
            "seed": g.count("seed", 0, 0, MAX_SEED),
            "classes": g.count("classes", 2, 2, 6),
        }
        if source == "table":
            return cls(**common | {"noise": 0.0, "classes": 2}, **_table_fields(g, table))
        if not SOURCES[source].has_classes:
            common["classes"] = 2
        return cls(**common)

    def to_json(self) -> dict[str, Any]:
        """The fields that count for this source."""
        found: dict[str, Any] = {"source": self.source, "rows": self.rows}
        if self.source == "table":
            found |= {"columns": list(self.columns), "target": self.target, "others": self.others}
        else:
            found["noise"] = self.noise
            found |= {"classes": self.classes} if SOURCES[self.source].has_classes else {}
        return found | {"train_share": self.train_share, "seed": self.seed}


def _table_fields(g: Given, table: PlaygroundTable | None) -> dict[str, Any]:
    """The fields of data from a table, checked against its columns."""
    if table is None:
        raise SettingsError("data.source is 'table', but there is no table: drop a file on the page first.")
    columns, target = g.get("columns"), g.get("target")
    if not isinstance(columns, list | tuple) or len(columns) != 2 or not all(isinstance(c, str) for c in columns):
        raise g.refuse("columns", "a list of the names of two columns")
    if not isinstance(target, str):
        raise g.refuse("target", "the name of a column")
    for name in columns:
        table.require_number(name)
    table.require_target(target)
    if len({*columns, target}) < 3:
        raise SettingsError(
            f"the columns of the plane are {columns[0]!r} and {columns[1]!r}, and the target is {target!r}; choose "
            "three different ones."
        )
    others = g.choice("others", "median", ("median", "inputs"))
    return {"columns": (columns[0], columns[1]), "target": target, "others": others}


@dataclass(frozen=True)
class LayerSettings:
    """A hidden layer: its units, 1 to 512, their activation, the dropout rate in [0, 0.95], how weights start."""

    units: int = 4
    activation: str = "tanh"
    dropout: float = 0.0
    initializer: str = "default"

    @classmethod
    def from_json(cls, given: object, where: str) -> Self:
        """Read and check one entry of "layers"."""
        g = Given(given, where, LAYER)
        return cls(
            g.count("units", 4, 1, LIMITS["units"]),
            g.choice("activation", "tanh", ACTIVATIONS),
            g.number("dropout", 0.0, 0, 0.95),
            g.choice("initializer", "default", INITIALIZERS),
        )

    def to_json(self) -> dict[str, Any]:
        """All fields."""
        return dict(vars(self))


@dataclass(frozen=True)
class OutputSettings:
    """The output layer: how its weights start, and its activation, "default" or with the perceptron rule "step"."""

    initializer: str = "default"
    activation: str = "default"

    @classmethod
    def from_json(cls, given: object) -> Self:
        """Read and check "output"."""
        g = Given(given, "output", ("initializer", "activation"))
        return cls(
            g.choice("initializer", "default", INITIALIZERS), g.choice("activation", "default", ("default", "step"))
        )

    def to_json(self) -> dict[str, Any]:
        """All fields."""
        return dict(vars(self))


@dataclass(frozen=True)
class Settings:
    """All settings of a run; see the fields' names, and `LIMITS`.

    Attributes
    ----------
    data : DataSettings
    features : tuple of str
        Names in `rosenblatt.playground_page.features.FEATURES`.
    layers : tuple of LayerSettings
        The hidden layers, up to 32; may be empty.
    output : OutputSettings
    loss : str
        "default" or a name in `rosenblatt.playground_page.choices.LOSSES` that fits the target.
    optimizer : str
        A name in `rosenblatt.playground_page.choices.OPTIMIZERS`.
    momentum : float in [0, 0.999]
        For "sgd" and "rmsprop".
    learning_rate : float in (0, 1000]
    schedule : str
        A name in `rosenblatt.playground_page.choices.SCHEDULES`.
    schedule_steps : int
        The span of the schedule, in steps.
    l1, l2 : float in [0, 100]
        l1 · Σ |w| + l2 / 2 · Σ w² is added to the loss that training minimizes.
    batch_size : int
        Rows of a step.
    seed : int
        Of the initial weights, the order of the rows, and dropout.
    """

    data: DataSettings = field(default_factory=DataSettings)
    features: tuple[str, ...] = ("x1", "x2")
    layers: tuple[LayerSettings, ...] = (LayerSettings(4), LayerSettings(2))
    output: OutputSettings = field(default_factory=OutputSettings)
    loss: str = "default"
    optimizer: str = "sgd"
    momentum: float = 0.0
    learning_rate: float = 0.03
    schedule: str = "constant"
    schedule_steps: int = 5000
    l1: float = 0.0
    l2: float = 0.0
    batch_size: int = 10
    seed: int = 0

    @classmethod
    def from_json(cls, given: object, table: PlaygroundTable | None = None) -> Self:
        """Read and check what the page sent; fields that are absent have their defaults.

        Parameters
        ----------
        given : object
            As `json.loads` returns it.
        table : PlaygroundTable, optional
            The user's table, for the source "table".

        Raises
        ------
        SettingsError
            For anything that cannot work: the message names the field, what it holds and what is allowed.
        """
        g = Given(given, "", FIELDS)
        if g.get("version", 1) != 1 or isinstance(g.get("version"), bool):
            raise SettingsError(f"version is {shown(g.get('version'))}; this page knows version 1.")
        layers = g.get("layers", [{"units": 4}, {"units": 2}])
        if not isinstance(layers, list | tuple) or len(layers) > LIMITS["layers"]:
            raise g.refuse("layers", f"a list of at most {LIMITS['layers']} layers")
        settings = cls(
            data=DataSettings.from_json(g.get("data", {}), table),
            features=_features(g),
            layers=tuple(LayerSettings.from_json(layer, f"layers[{i}]") for i, layer in enumerate(layers)),
            output=OutputSettings.from_json(g.get("output", {})),
            **_training_fields(g),
        )
        _check_together(settings)
        return settings

    def to_json(self) -> dict[str, Any]:
        """All fields, as `from_json` takes them."""
        nested = {
            "data": self.data.to_json(),
            "features": list(self.features),
            "layers": [layer.to_json() for layer in self.layers],
            "output": self.output.to_json(),
        }
        return {"version": 1} | {name: getattr(self, name) for name in FIELDS if name != "version"} | nested


def _features(g: Given) -> tuple[str, ...]:
    """Names of features, in the order of the catalogue."""
    names = g.get("features", ["x1", "x2"])
    if not isinstance(names, list | tuple) or len(names) > len(FEATURES):
        raise g.refuse("features", f"a list of names, of {', '.join(FEATURES)}")
    chosen = {Given({"features": name}, "", ["features"]).choice("features", None, FEATURES) for name in names}
    if len(chosen) < len(names):
        raise g.refuse("features", "a list of different names")
    return tuple(name for name in FEATURES if name in chosen)


def _training_fields(g: Given) -> dict[str, Any]:
    """All fields that are single values."""
    optimizer = g.choice("optimizer", "sgd", OPTIMIZERS)
    momentum = g.number("momentum", 0.0, 0, 0.999)
    return {
        "loss": g.choice("loss", "default", ["default", *LOSSES]),
        "optimizer": optimizer,
        "momentum": momentum if optimizer in WITH_MOMENTUM else 0.0,
        "schedule": g.choice("schedule", "constant", SCHEDULES),
        "schedule_steps": g.count("schedule_steps", 5000, 1, 10_000_000),
        "seed": g.count("seed", 0, 0, MAX_SEED),
        **live_fields(g, {"learning_rate": 0.03, "l1": 0.0, "l2": 0.0, "batch_size": 10}),
    }


def live_fields(g: Given, present: dict[str, Any]) -> dict[str, Any]:
    """The fields that can change while training goes on; `present` holds what those have that are absent."""
    return {
        "learning_rate": g.number("learning_rate", present["learning_rate"], 0, 1000, above=True),
        "l1": g.number("l1", present["l1"], 0, 100),
        "l2": g.number("l2", present["l2"], 0, 100),
        "batch_size": g.count("batch_size", present["batch_size"], 1, LIMITS["batch_size"]),
    }


def _check_together(settings: Settings) -> None:
    """Refuse fields that do not go together."""
    perceptron = settings.optimizer == "perceptron"
    if settings.output.activation == "step" and not perceptron:
        raise SettingsError(
            "output.activation is 'step', through which no gradient passes; choose the optimizer 'perceptron', or the "
            "default activation."
        )
    if perceptron and settings.layers:
        raise SettingsError(
            "the perceptron rule trains a single neuron: remove the hidden layers, or choose another optimizer."
        )
    if perceptron and settings.loss != "default":
        raise SettingsError("the perceptron rule has a loss of its own: leave the loss at its default.")
    if not settings.features and settings.data.others != "inputs":
        raise SettingsError("features is an empty list; choose at least one.")
