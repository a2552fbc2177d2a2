"""Handwritten digits
==================

Handwritten digits with a multilayer perceptron, with learning curves and a training that is interrupted and resumed.

Without options, the data are scikit-learn's small digits. `--full` is MNIST with hidden layers of 300 and 100 neurons;
`--full --best` trains a larger network for longer. Three networks are trained, the first of them in two parts. The
settings were chosen on the validation images, and each training ends with the weights of its best epoch there. With
`--folder NAME` checkpoints are kept, and the same command resumes where it was stopped.
"""

import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from _data import Split, argument, digits, is_full
from _deep import accuracy
from _interruption import InterruptAfter, Interruption
from _pictures import curves, show

from rosenblatt import Network, NetworkSpec
from rosenblatt.training import History

FAST: dict[str, Any] = {"hidden": (300, 100), "dropout": 0.3, "input_dropout": 0.1, "normalization": "batch"}
BEST: dict[str, Any] = {"hidden": (1024, 512, 256), "dropout": 0.3, "input_noise": 0.3, "normalization": "batch"}
FAST_EPOCHS, BEST_EPOCHS = 10, 60


def train(data: Split, best: bool, seed: int, **options: Any) -> tuple[Network, History]:
    """A trained network and the history of its training."""
    architecture = BEST if best else FAST
    net = Network(NetworkSpec(data.X.shape[1], n_outputs=10, output="softmax", **architecture), seed=seed)
    history = net.fit(
        data.X, data.y, optimizer="adamw", learning_rate=3e-3, schedule="one_cycle", seed=seed, scorer=accuracy,
        epochs=BEST_EPOCHS if best else FAST_EPOCHS, batch_size=200 if len(data.X) > 10_000 else 20,
        validation=(data.X_val, data.y_val), **options,
    )  # fmt: skip
    return net, history


def print_curves(history: History) -> None:
    """Print the learning curves."""
    print("epoch  training loss  validation loss  validation accuracy")
    for epoch in range(history.n_epochs):
        loss, val_loss, score = (history[column][epoch] for column in ("loss", "val_loss", "val_score"))
        print(f"{epoch + 1:>5}  {loss:>13.4f}  {val_loss:>15.4f}  {score:>19.2%}")


def main(full: bool = False, best: bool = False, folder: str | None = None) -> dict[str, float]:
    """Test accuracies and seconds of training and, unless `best`, whether the interruption changed nothing."""
    data, scores, seconds, networks = digits(full), [], [], []
    with tempfile.TemporaryDirectory() as temporary:
        for seed in range(3):
            start, saved = time.perf_counter(), {"checkpoint": Path(folder or temporary) / str(seed)}
            if seed == 0:
                with suppress(Interruption):
                    train(data, best, seed, callbacks=[InterruptAfter(5)], **saved, checkpoint_every=500)
            net, history = train(data, best, seed, **saved, checkpoint_every=500)
            seconds.append(time.perf_counter() - start)
            scores.append(accuracy(net, data.X_test, data.y_test))
            networks.append(net)
            if seed == 0:
                print_curves(history)
                show(curves, {name: history[name] for name in ("loss", "val_loss")}, ylabel="loss")
            print(f"seed {seed}: test accuracy {scores[-1]:.2%} after {seconds[-1]:.2f} s of training")
    figures = {"median": float(np.median(scores)), "mean": float(np.mean(scores)), "seconds": float(np.median(seconds))}
    if not best:
        whole, _ = train(data, best, 0)
        figures["resumed_exactly"] = float(np.array_equal(whole.block, networks[0].block))
    print(*(f"{name} {value:.4f}" for name, value in figures.items()), sep="\n")
    return figures


if __name__ == "__main__":
    main(is_full(), "--best" in sys.argv, argument("folder"))
