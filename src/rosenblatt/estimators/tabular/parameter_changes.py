"""In which parameters two fitted tabular estimators differ.

Takes fitted estimators. Returns names with both values. Never compares what was learned.
"""

from __future__ import annotations

from typing import Any

from rosenblatt.estimators.tabular.parameters import OVERRIDES
from rosenblatt.storage.plain import plain

__all__ = ["changed_parameters"]

NO_CHOICE = ("client", "members", "on_epoch", "random_state", "time_budget")
"""Parameters that say nothing about what was chosen; "networks" counts those of all candidates that are averaged."""


def changed_parameters(a: Any, b: Any) -> dict[str, tuple[Any, Any]]:
    """What differs, each with both values: parameters, the settings that they leave as they are, number of networks.

    Where the estimators are of two classes, only the parameters that both have are compared.
    """
    found = [parameters_of(a), parameters_of(b)]
    return {
        name: (found[0][name], found[1][name])
        for name in found[0]
        if name in found[1] and plain(found[0][name]) != plain(found[1][name])
    }


def parameters_of(model: Any) -> dict[str, Any]:
    """Parameters of a fitted estimator, with the preset's settings where a parameter leaves these as they are."""
    settings = {name: getattr(model.ensemble_.settings, setting) for name, setting in OVERRIDES.items()}
    found = {**model.get_params(), **settings}
    chosen = {name: value for name, value in found.items() if name not in NO_CHOICE}
    return {**chosen, "networks": len(model.ensemble_.members)}
