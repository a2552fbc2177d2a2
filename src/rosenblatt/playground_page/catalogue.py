"""All that can be chosen on the page, with a title and a line of explanation each.

Takes nothing. Returns the `catalogue` of the message "welcome", ready for JSON. Never holds a rule: what is allowed is
checked by `rosenblatt.playground_page.settings`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rosenblatt.playground_page.choices import (
    ACTIVATIONS,
    INITIALIZERS,
    LOSSES,
    OPTIMIZERS,
    SCHEDULES,
    WITH_MOMENTUM,
    Choice,
)
from rosenblatt.playground_page.data_sets import SOURCES
from rosenblatt.playground_page.features import FEATURES
from rosenblatt.playground_page.good_settings import GOOD, good_settings
from rosenblatt.playground_page.settings import LIMITS

__all__ = ["catalogue"]

PENALTIES = [0, 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10]

CONTROLS: dict[str, tuple[str, str]] = {
    "source": ("Data", "What is to be learned."),
    "rows": ("Points", "How many points there are in all, to train and to test; of a table, how many rows are used."),
    "noise": ("Noise", "How far points stray, in percent: what is noise cannot be learned."),
    "train_share": ("Share to train on", "The other points only test what was learned."),
    "classes": ("Classes", "How many kinds of points there are."),
    "data_seed": ("New points", "Draw other points of the same kind."),
    "columns": ("Axes", "The two columns of your table that span the plane."),
    "target": ("Predict", "The column of your table that is to be learned."),
    "others": ("Other columns", "Left out; or inputs too, drawn at their median or most frequent level."),
    "features": ("Features", "What the network sees of each point: more features can do the work of layers."),
    "layers": ("Hidden layers", "Each layer combines what the one before it found."),
    "units": ("Units", "Neurons of this layer: each draws one soft line through its inputs."),
    "activation": ("Activation", "What a neuron makes of its weighted sum; without a curve, layers add nothing."),
    "dropout": ("Dropout", "Share of units that each step leaves out at random: it curbs overfitting."),
    "initializer": ("First weights", "Where weights start; too large, too small or equal ones do not learn."),
    "output": (
        "Output layer",
        "How the weights of the last layer start; its activation follows from what is predicted.",
    ),
    "loss": ("Loss", "How bad a prediction is: training makes its mean small."),
    "optimizer": ("Optimizer", "How gradients become steps."),
    "momentum": ("Momentum", "Share of the last step that is kept: it smooths the way down."),
    "learning_rate": ("Learning rate", "Length of the steps: too long diverges, too short takes forever."),
    "schedule": ("Schedule", "How the learning rate changes on the way."),
    "schedule_steps": ("Span of the schedule", "In how many steps the schedule runs its course."),
    "regularization": ("Regularization", "A price on large weights: L1 makes many of them zero, L2 keeps all small."),
    "l1": ("L1", "Price of the weights' absolute values: many weights become zero."),
    "l2": ("L2", "Price of the weights' squares: all weights stay small."),
    "batch_size": ("Batch size", "Points of one step: few make noisy steps, many make slow ones."),
    "seed": ("Seed", "Fixes the first weights and the order of points: equal seeds, equal runs."),
    "discretize": ("Discretize", "Show the class that is predicted, not its probability."),
    "show_test": ("Test points", "Show the points that the network has not seen."),
    "play": ("Play", "Train, until you press Pause."),
    "step": ("Step", "Train on one batch."),
    "reset": ("Reset", "Back to the first weights."),
    "good_settings": ("Good settings", "Settings that learn these data soon."),
    "copy_script": ("Copy as Python", "Copy a script that repeats this run, to the last bit of its loss, and show it."),
    "save": ("Save", "Keep this run in a file, with all weights."),
    "load": ("Load", "Continue a run from a file."),
    "upload": (
        "Your table",
        "Drop a CSV, JSON, Parquet, Arrow or Feather file, also compressed: it stays on this computer.",
    ),
    "two_runs": ("Two runs", "Compare two settings side by side."),
    "statistics": (
        "Statistics",
        "By layer: gradients, weights, and units that are dead: flat for all rows, so they do not learn.",
    ),
}
"""What the page has to set or to press: a title and a line of explanation."""

VALUES: dict[str, list[float]] = {
    "rows": [100, 200, 500, 1000, 2000, 5000, 10000],
    "noise": [*range(0, 51, 5)],
    "train_share": [i / 10 for i in range(1, 10)],
    "classes": [2, 3, 4, 5, 6],
    "dropout": [0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8],
    "momentum": [0, 0.5, 0.8, 0.9, 0.95, 0.99],
    "learning_rate": [float(f"{m}e{e}") for e in range(-5, 1) for m in (1, 3)] + [10.0],
    "schedule_steps": [500, 1000, 2000, 5000, 10000, 20000, 50000],
    "l1": PENALTIES,
    "l2": PENALTIES,
    "batch_size": [1, 2, 5, 10, 20, 30, 50, 100, 200, 500],
}
"""Proposals for sliders; other values are allowed, too."""
DEFAULT_LOSS = {
    "name": "default",
    "title": "automatic",
    "help": "Log loss for classes, squared error for numbers.",
    "kind": "any",
}


def catalogue() -> dict[str, Any]:
    """All choices, controls, limits and good settings."""
    return {
        "sources": _sources(),
        "features": _entries(FEATURES),
        "activations": _entries(ACTIVATIONS),
        "optimizers": [entry | {"momentum": entry["name"] in WITH_MOMENTUM} for entry in _entries(OPTIMIZERS)],
        "schedules": _entries(SCHEDULES),
        "initializers": _entries(INITIALIZERS),
        "losses": [DEFAULT_LOSS, *(entry | {"kind": LOSSES[entry["name"]].kind} for entry in _entries(LOSSES))],
        "controls": {name: _control(name) for name in CONTROLS},
        "limits": LIMITS,
        "good_settings": {source: good_settings(source) for source in GOOD},
    }


def _entries(choices: Mapping[str, Choice] | Mapping[str, Any]) -> list[dict[str, Any]]:
    """Name, title and help of each."""
    return [{"name": name, "title": choice.title, "help": choice.help} for name, choice in choices.items()]


def _sources() -> list[dict[str, Any]]:
    """The data sets and the user's table; whether the number of classes can be chosen."""
    found = [
        {"name": name, "title": source.title, "task": source.task, "help": source.help, "classes": source.has_classes}
        for name, source in SOURCES.items()
    ]
    table = {"name": "table", "title": "Your table", "task": "any", "help": "A file of yours.", "classes": False}
    return [*found, table]


def _control(name: str) -> dict[str, Any]:
    """Title, line of explanation, and proposed values if there are any."""
    title, line = CONTROLS[name]
    return {"title": title, "help": line} | ({"values": VALUES[name]} if name in VALUES else {})
