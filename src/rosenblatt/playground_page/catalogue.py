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

RATES = [*(m * 10.0**e for e in range(-5, 1) for m in (1, 3)), 10.0]
PENALTIES = [0, 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10]

CONTROLS: dict[str, dict[str, Any]] = {
    "source": {"title": "Data", "help": "What is to be learned."},
    "rows": {"title": "Points", "help": "How many points there are in all.", "values": [100, 200, 500, 1000, 2000, 5000, 10000]},
    "noise": {"title": "Noise", "help": "How far points stray, in percent: what is noise cannot be learned.", "values": [*range(0, 51, 5)]},
    "train_share": {"title": "Share to train on", "help": "The other points only test what was learned.", "values": [i / 10 for i in range(1, 10)]},
    "classes": {"title": "Classes", "help": "How many kinds of points there are.", "values": [2, 3, 4, 5, 6]},
    "data_seed": {"title": "New points", "help": "Draw other points of the same kind."},
    "columns": {"title": "Axes", "help": "The two columns of your table that span the plane."},
    "target": {"title": "Predict", "help": "The column of your table that is to be learned."},
    "others": {"title": "Other columns", "help": "Left out; or inputs too, drawn at their median or most frequent level."},
    "features": {"title": "Features", "help": "What the network sees of each point: more features can do the work of layers."},
    "layers": {"title": "Hidden layers", "help": "Each layer combines what the one before it found."},
    "units": {"title": "Units", "help": "Neurons of this layer: each draws one soft line through its inputs."},
    "activation": {"title": "Activation", "help": "What a neuron makes of its weighted sum; without a curve layers add nothing."},
    "dropout": {"title": "Dropout", "help": "Share of units that are left out at random in each step: it curbs overfitting.", "values": [0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]},
    "initializer": {"title": "First weights", "help": "Where weights start; too large, too small or equal ones do not learn."},
    "output": {"title": "Output", "help": "How the weights of the last layer start."},
    "loss": {"title": "Loss", "help": "How bad a prediction is: training makes its mean small."},
    "optimizer": {"title": "Optimizer", "help": "How gradients become steps."},
    "momentum": {"title": "Momentum", "help": "Share of the last step that is kept: it smooths the way down.", "values": [0, 0.5, 0.8, 0.9, 0.95, 0.99]},
    "learning_rate": {"title": "Learning rate", "help": "Length of the steps: too long diverges, too short takes forever.", "values": RATES},
    "schedule": {"title": "Schedule", "help": "How the learning rate changes on the way."},
    "schedule_steps": {"title": "Span of the schedule", "help": "In how many steps the schedule runs its course.", "values": [500, 1000, 2000, 5000, 10000, 20000, 50000]},
    "regularization": {"title": "Regularization", "help": "A price on large weights: L1 makes many of them zero, L2 keeps all small."},
    "l1": {"title": "L1", "help": "Price of the weights' absolute values: many weights become zero.", "values": PENALTIES},
    "l2": {"title": "L2", "help": "Price of the weights' squares: all weights stay small.", "values": PENALTIES},
    "batch_size": {"title": "Batch size", "help": "Points of one step: few make noisy steps, many make slow ones.", "values": [1, 2, 5, 10, 20, 30, 50, 100, 200, 500]},
    "seed": {"title": "Seed", "help": "Number that fixes first weights and the order of points: equal seeds, equal runs."},
    "discretize": {"title": "Discretize", "help": "Show the class that is predicted, not its probability."},
    "show_test": {"title": "Test points", "help": "Show the points that the network has not seen."},
    "play": {"title": "Play", "help": "Train until you pause."},
    "step": {"title": "Step", "help": "Train on one batch."},
    "reset": {"title": "Reset", "help": "Back to the first weights."},
    "good_settings": {"title": "Good settings", "help": "Settings that learn these data soon."},
    "copy_script": {"title": "Copy as Python", "help": "A script that repeats this run and ends with the same loss, to the last bit."},
    "save": {"title": "Save", "help": "Keep this run in a file, with all weights."},
    "load": {"title": "Load", "help": "Continue a run from a file."},
    "upload": {"title": "Your table", "help": "Drop a CSV file: it stays on this computer."},
    "two_runs": {"title": "Two runs", "help": "Compare two settings side by side."},
    "statistics": {"title": "Statistics", "help": "Gradients by layer, dead units and the weights' distribution."},
}  # fmt: skip
"""What the page has to set or to press; `values` are proposals for a slider, others are allowed too."""


def catalogue() -> dict[str, Any]:
    """All choices, controls, limits and good settings."""
    sources = [
        {"name": name, "title": s.title, "task": s.task, "help": s.help, "classes": s.has_classes}
        for name, s in SOURCES.items()
    ]
    sources.append(
        {"name": "table", "title": "Your table", "task": "any", "help": "A CSV file of yours.", "classes": False}
    )
    return {
        "sources": sources,
        "features": _entries(FEATURES),
        "activations": _entries(ACTIVATIONS),
        "optimizers": [entry | {"momentum": entry["name"] in WITH_MOMENTUM} for entry in _entries(OPTIMIZERS)],
        "schedules": _entries(SCHEDULES),
        "initializers": _entries(INITIALIZERS),
        "losses": [DEFAULT_LOSS, *(entry | {"kind": LOSSES[entry["name"]].kind} for entry in _entries(LOSSES))],
        "controls": CONTROLS,
        "limits": LIMITS,
        "good_settings": {source: good_settings(source) for source in GOOD},
    }


DEFAULT_LOSS = {
    "name": "default",
    "title": "automatic",
    "help": "Log loss for classes, squared error for numbers.",
    "kind": "any",
}


def _entries(choices: Mapping[str, Choice] | Mapping[str, Any]) -> list[dict[str, Any]]:
    """Name, title and help of each."""
    return [{"name": name, "title": choice.title, "help": choice.help} for name, choice in choices.items()]
