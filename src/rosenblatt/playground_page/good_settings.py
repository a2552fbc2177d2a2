"""Settings that learn each data set soon.

Takes the name of a data set, or what a table suggests. Returns settings as the page sends them. Never trains.
"""

from __future__ import annotations

from typing import Any

__all__ = ["good_settings"]

GOOD: dict[str, dict[str, Any]] = {
    "circle": {"units": [6], "activation": "tanh", "rate": 0.01},
    "xor": {"units": [6], "activation": "tanh", "rate": 0.01},
    "gauss": {"units": [3], "activation": "tanh", "rate": 0.01},
    "spiral": {"units": [24, 24], "activation": "silu", "rate": 0.01},
    "plane": {"units": [4], "activation": "tanh", "rate": 0.01},
    "multi_gauss": {"units": [32, 32, 16], "activation": "tanh", "rate": 0.01, "rows": 1000},
    "moons": {"units": [12], "activation": "relu", "rate": 0.01},
    "blobs": {"units": [12], "activation": "relu", "rate": 0.01, "classes": 4},
    "rings": {"units": [24, 12], "activation": "relu", "rate": 0.01, "classes": 3},
    "spirals": {"units": [24, 24], "activation": "silu", "rate": 0.01, "classes": 3},
    "table": {"units": [16, 16], "activation": "silu", "rate": 0.003, "rows": 2000, "l2": 0.01, "steps": 1000},
}
"""What differs; all take Adam along a cosine in batches of 32, for 3,000 steps. A table has a price on weights."""


def good_settings(source: str) -> dict[str, Any]:
    """Settings for a data set; those for "table" lack the columns, which the page fills in."""
    chosen = GOOD[source]
    data = {"source": source, "rows": chosen.get("rows", 500), "train_share": 0.5, "seed": 0}
    if source != "table":
        data["noise"] = 0
    if "classes" in chosen:
        data["classes"] = chosen["classes"]
    layer = {"activation": chosen["activation"], "dropout": 0.0, "initializer": "default"}
    return {
        "version": 1,
        "data": data,
        "features": ["x1", "x2"],
        "layers": [{"units": units} | layer for units in chosen["units"]],
        "output": {"initializer": "default", "activation": "default"},
        "loss": "default",
        "optimizer": "adam",
        "momentum": 0.0,
        "learning_rate": chosen["rate"],
        "schedule": "cosine",
        "schedule_steps": chosen.get("steps", 3000),
        "l1": 0.0,
        "l2": chosen.get("l2", 0.0),
        "batch_size": 32,
        "seed": 0,
    }
