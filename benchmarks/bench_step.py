"""One training step of small networks beside PyTorch eager: ``python -m benchmarks.bench_step``.

Work of a step: gather a reshuffled mini-batch, forward, softmax cross-entropy, backward, Adam, in float32. The figure
is the marginal time of a step: whole epochs of many steps, so that start-up does not count; peers alternate, and the
best and the median of the repetitions are printed. PyTorch is measured with one thread, where it is fastest here.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np

from rosenblatt import _core
from rosenblatt.nn import Adam, Network, NetworkSpec
from rosenblatt.training import Trainer

CASES = (((10, 50, 3), 32), ((57, 100, 50, 2), 64), ((784, 300, 100, 10), 50))
N_BATCHES = 100


def data(sizes: tuple[int, ...], batch: int) -> tuple[np.ndarray, np.ndarray]:
    """Random rows and labels for `N_BATCHES` batches."""
    rng = np.random.default_rng(0)
    n = batch * N_BATCHES
    return rng.normal(size=(n, sizes[0])).astype(np.float32), rng.integers(0, sizes[-1], n).astype(np.int32)


def ours(sizes: tuple[int, ...], batch: int) -> Callable[[], None]:
    """One epoch of `N_BATCHES` steps on the engine."""
    X, y = data(sizes, batch)
    network = Network(NetworkSpec(sizes[0], sizes[1:-1], sizes[-1], output="softmax"), "float32")
    rng = np.random.default_rng(0)
    network.parameters[:] = rng.normal(size=network.parameters.size) * 0.1
    trainer = Trainer(network, "softmax_cross_entropy", Adam(), batch_size=batch)
    trainer.set_data(X, y)

    def epoch() -> None:
        trainer.epoch(rng.permutation(len(X)), 1e-3)

    return epoch


def pytorch(sizes: tuple[int, ...], batch: int) -> Callable[[], None]:
    """The same epoch in PyTorch eager."""
    import torch

    torch.set_num_threads(1)
    X, y = (torch.from_numpy(array) for array in data(sizes, batch))
    y = y.long()
    layers: list[torch.nn.Module] = []
    for n_in, n_out in zip(sizes[:-1], sizes[1:], strict=True):
        layers += [torch.nn.Linear(n_in, n_out), torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    loss_function = torch.nn.CrossEntropyLoss()

    def epoch() -> None:
        order = torch.randperm(len(X))
        for first in range(0, len(X), batch):
            rows = order[first : first + batch]
            optimizer.zero_grad()
            loss_function(model(X[rows]), y[rows]).backward()
            optimizer.step()

    return epoch


def microseconds_a_step(epoch: Callable[[], None], seconds: float) -> float:
    """Mean time of a step over about `seconds`."""
    n, start = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - start) < seconds:
        epoch()
        n += N_BATCHES
    return elapsed / n * 1e6


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    print(f"instruction set: {_core.isa()}; µs a step, best (median) of {repeats}")
    print(f"{'network':<20} {'batch':>5} {'rosenblatt':>18} {'PyTorch eager':>18} {'ratio of bests':>15}")
    for sizes, batch in CASES:
        epochs = (ours(sizes, batch), pytorch(sizes, batch))
        for epoch in epochs:
            epoch()
        times: tuple[list[float], list[float]] = ([], [])
        for _ in range(repeats):
            for epoch, record in zip(epochs, times, strict=True):
                record.append(microseconds_a_step(epoch, 0.3))
        cells = [f"{min(t):.1f} ({statistics.median(t):.1f})" for t in times]
        ratio = min(times[1]) / min(times[0])
        print(f"{'-'.join(map(str, sizes)):<20} {batch:>5} {cells[0]:>18} {cells[1]:>18} {ratio:>15.1f}")


if __name__ == "__main__":
    main()
