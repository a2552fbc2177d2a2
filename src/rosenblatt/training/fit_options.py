"""The options of `fit`: which are allowed, and which belong together.

Takes options by name. Returns nothing, or raises an error that names the option and says what is allowed. Never changes
one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rosenblatt._checks import check_count, check_flag, check_number, check_seed, is_count, refusal
from rosenblatt.nn.effects import effects_of, mixers_of
from rosenblatt.nn.objective import NUMBERS, SETTINGS
from rosenblatt.nn.optimizers import OPTIMIZERS
from rosenblatt.training.checkpoint import check_checkpoints

if TYPE_CHECKING:
    from rosenblatt.nn.network import Network
    from rosenblatt.nn.objective import Objective

__all__ = ["check_options", "refuse_mixers", "refuse_steps"]

WITHOUT_STEPS = {
    **{"schedule": "constant", "checkpoint": None, "gradient_statistics": False},
    **{name: None for name, needs_steps in SETTINGS.items() if needs_steps},
}
"""Options that need steps, and their values when off."""


def refuse_steps(network: Network, o: Mapping[str, Any]) -> None:
    """Raise ValueError for options and layers that L-BFGS cannot obey."""
    for name, off in WITHOUT_STEPS.items():
        if o[name] != off and o[name]:
            raise ValueError(f"optimizer='lbfgs' uses all rows at once and has no {name}, but {name} is {o[name]!r}")
    for node, effects in effects_of(network.graph, network.frozen).items():
        if not effects.is_fixed:
            name, kind = network.graph.names[node], type(node.layer).__name__
            raise ValueError(
                f"optimizer='lbfgs' minimizes one fixed function, but layer {name!r} ({kind}) changes "
                "it from step to step: use 'adam', or leave the layer out"
            )


def refuse_mixers(network: Network, objective: Objective) -> None:
    """Raise ValueError for what L-BFGS, which adds up the losses of blocks of rows, would compute block by block."""
    if mixers := mixers_of(network.graph, objective):
        raise ValueError(
            f"{mixers[0]} computes from all rows at once, but optimizer='lbfgs' takes them block by block: use 'adam' "
            "with a batch_size, or a loss of each row by itself"
        )


def check_options(o: Mapping[str, Any]) -> None:
    """Refuse options that are out of range or of another type."""
    for name in ("epochs", "batch_size"):
        check_count(name, o[name])
    for name, high in {**NUMBERS, "min_delta": math.inf}.items():
        check_number(name, o[name], 0, high, below=True)
    check_number("learning_rate", o["learning_rate"], 0, above=True)
    for name in FLAGS:
        check_flag(name, o[name])
    for name in MAPPINGS:
        if o[name] is not None and not isinstance(o[name], Mapping):
            raise refusal(name, o[name], "a mapping of names to numbers, such as {'output': 0.5}, or None")
    if o["patience"] is not None and not is_count(o["patience"]):
        raise refusal("patience", o["patience"], "a positive integer, or None")
    check_seed("seed", o["seed"])
    check_checkpoints(o["checkpoint"], o["checkpoint_every"])
    if not isinstance(o["optimizer"], str) or o["optimizer"] != "lbfgs":
        OPTIMIZERS.resolve(o["optimizer"], also=("lbfgs",))
    if o["validation"] is not None and (not isinstance(o["validation"], (tuple, list)) or len(o["validation"]) != 2):
        raise ValueError("validation must be a pair (X, y)")
    if not isinstance(o["callbacks"], (list, tuple)) or not all(map(callable, o["callbacks"])):
        raise refusal("callbacks", o["callbacks"], "a list of functions, each of which takes an Epoch")
    if o["scorer"] is not None and not callable(o["scorer"]):
        raise ValueError(f"scorer is {o['scorer']!r}; it must be a function scorer(network, X, y) -> float")
    if o["scorer"] is not None and o["validation"] is None:
        raise ValueError("scorer needs validation=(X, y) to score on")


FLAGS = ("anneal_regularization", "cache_frozen", "gradient_statistics", "restore_best", "shuffle", "verbose")
"""Options that are true or false."""
MAPPINGS = ("head_weights", "learning_rate_factors", "weight_decay_factors")
"""Options with a number for each name."""
