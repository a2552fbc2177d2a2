"""Batch normalization and dropout
===============================

The digits 0 to 4 with five hidden layers of 100 ELU neurons: the effect of batch normalization and dropout.

All variants train with Adam and the same schedule, and stop early: after some epochs without a smaller validation loss,
the weights of the best epoch are restored. The validation images choose the variant; the test images are used last.
"""

from __future__ import annotations

import time

import numpy as np
from _data import Split, digits, is_full
from _deep import accuracy
from _pictures import bars, show

from rosenblatt import nn

VARIANTS = {
    "plain": {},
    "dropout": {"dropout": 0.1, "input_dropout": 0.1},
    "batch_norm": {"normalization": "batch"},
    "batch_norm_dropout": {"normalization": "batch", "dropout": 0.1, "input_dropout": 0.1},
    "batch_norm_noisy_inputs": {"normalization": "batch", "input_noise": 0.3, "input_dropout": 0.2},
}
NOISY = VARIANTS["batch_norm_noisy_inputs"]


def network(n_inputs: int, seed: int = 0, **settings: object) -> nn.Network:
    """Five layers of 100 neurons with He initialization, and a softmax for five digits."""
    spec = nn.NetworkSpec(n_inputs, (100,) * 5, 5, "elu", "softmax", weights="he_normal", **settings)
    return nn.Network(spec, seed=seed)


def train(net: nn.Network, data: Split, full: bool, seed: int = 0) -> list[float]:
    """Train in place; return the validation loss of each epoch."""
    history = net.fit(
        data.X, data.y, validation=(data.X_val, data.y_val), optimizer="adam", learning_rate=0.01,
        schedule="one_cycle", epochs=40, patience=20, batch_size=200 if full else 50, seed=seed,
    )  # fmt: skip
    return history["val_loss"]


def run(settings: dict[str, object], data: Split, full: bool, seed: int) -> dict[str, float]:
    """The accuracies, the validation losses of the first and the best epoch, and the time of one training."""
    net, start = network(data.X.shape[1], seed, **settings), time.perf_counter()
    losses = train(net, data, full, seed)
    return {
        "seconds": time.perf_counter() - start,
        "first_loss": losses[0],
        "best_loss": min(losses),
        "best_epoch": losses.index(min(losses)) + 1,
        "validation": accuracy(net, data.X_val, data.y_val),
        "test": accuracy(net, data.X_test, data.y_test),
    }


def main(full: bool = False) -> dict[str, float]:
    """Print one row per variant, averaged over three seeds; return all figures and those of the chosen variant."""
    data, figures = digits(full).only(range(5)), {}
    for name, settings in VARIANTS.items():
        runs = [run(settings, data, full, seed) for seed in range(3)]
        mean = {key: float(np.mean([r[key] for r in runs])) for key in runs[0]}
        print(f"{name:24}" + "  ".join(f"{key} {value:.4g}" for key, value in mean.items()))
        figures |= {f"{name}.{key}": value for key, value in mean.items()}
    chosen = min(VARIANTS, key=lambda name: figures[f"{name}.best_loss"])
    print(f"chosen by validation loss: {chosen}; test accuracy {figures[f'{chosen}.test']:.2%}")
    losses = {name: figures[f"{name}.best_loss"] for name in VARIANTS}
    show(bars, losses, xlabel="smallest validation loss, mean of three seeds")
    return figures | {"chosen.test": figures[f"{chosen}.test"]}


if __name__ == "__main__":
    main(is_full())
