"""Transfer learning
=================

Transfer learning: a network trained on the digits 0 to 4 is reused for 5 to 9, with only 100 images of each.

The variants freeze all reused layers, train the top two, or train all; one network starts from random weights.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from _data import digits, is_full
from _deep import accuracy, copy_parameters, few
from _pictures import bars, show
from digits_0_4 import NOISY, network, train

from rosenblatt import nn


@dataclass(frozen=True)
class Reuse:
    """How many layers are reused, which of them are frozen, and how the network is trained."""

    layers: int = 5
    frozen: tuple[str, ...] = ()
    pretrained: bool = True
    noise: bool = True  # noise differs in every step, so nothing behind it can be cached
    cached: bool = False


RUNS = {
    "frozen": Reuse(frozen=("hidden*",), noise=False),
    "frozen_cached": Reuse(frozen=("hidden*",), noise=False, cached=True),
    "frozen_four_layers": Reuse(layers=4, frozen=("hidden*",), noise=False),
    "top_two": Reuse(frozen=("hidden[123]*",)),
    "all": Reuse(),
    "scratch": Reuse(pretrained=False),
}
SETTINGS = {"learning_rate": 0.004, "schedule": "one_cycle", "epochs": 60, "batch_size": 20}


def build(base: nn.Network, n_inputs: int, how: Reuse, seed: int) -> nn.Network:
    """The first layers of `base` with a new softmax on top."""
    x = nn.input(n_inputs)
    noisy = nn.Dropout(0.2)(nn.GaussianNoise(0.3)(x)) if how.noise else x
    hidden = base.truncate_at(f"hidden{how.layers}_activation")(noisy)
    return nn.Network(nn.Dense(5, name="output")(hidden), output="softmax", seed=seed).freeze(*how.frozen)


def main(full: bool = False) -> dict[str, float]:
    """Train on 0 to 4, reuse for 5 to 9; print one row per variant, averaged over three seeds; return the figures."""
    data, figures = digits(full), {}
    lower, upper, n_inputs = data.only(range(5)), data.only(range(5, 10)), data.X.shape[1]
    noisy = network(n_inputs, **NOISY)
    train(noisy, lower, full)
    few_rows, validation = few(upper.X, upper.y, 100 if full else 20), few(upper.X_val, upper.y_val, 30)
    for name, how in RUNS.items():
        runs = []
        for seed in range(3):
            base = network(n_inputs, seed, normalization="batch")  # without noise and dropout on its inputs
            if how.pretrained:
                copy_parameters(noisy, base)
            net, start = build(base, n_inputs, how, seed), time.perf_counter()
            net.fit(*few_rows, validation=validation, cache_frozen=how.cached, seed=seed, **SETTINGS)
            seconds = (time.perf_counter() - start) / SETTINGS["epochs"]
            runs.append((accuracy(net, *validation), accuracy(net, upper.X_test, upper.y_test), seconds))
        found, test, seconds = map(float, np.mean(runs, axis=0))
        figures |= {f"{name}.validation": found, f"{name}.test": test, f"{name}.epoch_seconds": seconds}
        print(f"{name:20}validation {found:.2%}  test {test:.2%}  {seconds * 1000:.2f} ms an epoch")
    show(bars, {name: figures[f"{name}.test"] for name in RUNS}, xlabel="test accuracy on the digits 5 to 9")
    return figures | {"caching_speedup": figures["frozen.epoch_seconds"] / figures["frozen_cached.epoch_seconds"]}


if __name__ == "__main__":
    main(is_full())
