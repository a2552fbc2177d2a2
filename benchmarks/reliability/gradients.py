"""Gradients of random networks: those of differences, and those of PyTorch where it is installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.reliability.attempts import Attempt, Rng, part
from rosenblatt import nn
from rosenblatt.nn.layers.base import Add, Multiply, Node
from rosenblatt.training import Trainer

__all__ = ["Problem", "check_differences", "check_torch", "gradients", "random_problem"]

ACTIVATIONS = ("tanh", "logistic", "softplus", "gelu", "silu", "elu")
LOSSES = {"identity": "squared_error", "softmax": "softmax_cross_entropy", "logistic": "logistic_cross_entropy"}
STEP = 1e-4
DIFFERENCE, TORCH = 1e-5, 1e-11
"""Largest distances from differences, and from PyTorch, relative to the gradient's largest element."""


@dataclass
class Problem:
    """A network, rows for it, and an objective."""

    network: nn.Network
    loss: str
    l2: float
    X: dict[str, NDArray[Any]]
    y: NDArray[Any]

    def trainer(self) -> Trainer:
        """A trainer that computes losses and gradients."""
        trainer = Trainer(self.network, self.loss, None, l2=self.l2)
        trainer.set_data(self.X, self.y)
        return trainer


def random_problem(seed: int) -> Problem:
    """A network with its rows."""
    rng = np.random.default_rng(seed)
    network, output = random_network(rng)
    n_rows, width = int(rng.integers(1, 40)), network.graph.n_outputs
    X: dict[str, Any] = {name: rng.normal(size=(n_rows, w)) for name, w in network.graph.input_widths.items()}
    if "c" in X:
        X["c"] = rng.integers(0, 3, n_rows).astype(np.int32)
    y = rng.integers(0, width, n_rows).astype(np.int32) if output == "softmax" else rng.random((n_rows, 1))
    y = y if output != "logistic" else np.round(y)
    return Problem(network, LOSSES[output], float(rng.choice([0, 0.1])), X, y)


def random_network(rng: Rng) -> tuple[nn.Network, str]:
    """Up to five smooth layers, with branches that are joined again, and codes now and then; and its output."""
    h = nn.input(int(rng.integers(1, 5)), "x")
    if rng.random() < 0.4:
        h = nn.Concat()(h, nn.Embedding(int(rng.integers(1, 4)))(nn.codes(3, "c")))
    for _ in range(rng.integers(1, 6)):
        before = h
        h = nn.Dense(int(rng.integers(1, 7)), str(rng.choice(ACTIVATIONS)))(h)
        kind = rng.integers(6)
        if kind == 0 and h.width > 2:  # two numbers become -1 and 1: a step, whose slope nothing computes well
            h = nn.LayerNorm()(h)
        h = nn.Scale()(h) if kind == 1 else h
        h = nn.Concat()(h, before) if kind == 2 else nn.Dense(before.width)(h) + before if kind == 3 else h
        h = nn.Dense(before.width, "tanh")(h) * before if kind == 4 else h
    output = str(rng.choice(list(LOSSES)))
    width = int(rng.integers(2, 4)) if output == "softmax" else 1
    return nn.Network(nn.Dense(width)(h), "float64", output=output, seed=int(rng.integers(2**31))), output


def check_differences(seed: int) -> None:
    """The slope in a random direction is that of differences, extrapolated to steps of length zero (Richardson).

    The loss may bend within a step, as after the normalization of two units that are almost equal: what the two
    differences are apart is allowed as well.
    """
    problem = random_problem(seed)
    trainer, network = problem.trainer(), problem.network
    start, direction = network.parameters.copy(), np.random.default_rng(seed).normal(size=network.parameters.size)
    gradient = trainer.loss_and_gradient()[1].copy()

    def slope(step: float) -> float:
        sums = []
        for sign in (1, -1):
            network.parameters[...] = start + sign * step * direction
            sums.append(trainer.loss_and_gradient()[0])
        return (sums[0] - sums[1]) / (2 * step)

    shorter, longer = slope(STEP / 2), slope(STEP)
    size = max(np.abs(gradient * direction).sum(), 1e-3) + abs(shorter - longer) / DIFFERENCE
    close("differences", gradient @ direction, (4 * shorter - longer) / 3, DIFFERENCE, size)


def check_torch(seed: int) -> None:
    """Loss and gradient are PyTorch's."""
    problem = random_problem(seed)
    loss, gradient = problem.trainer().loss_and_gradient()
    right_loss, right_gradient = torch_loss_and_gradient(problem)
    close("PyTorch's loss", loss, right_loss, TORCH, max(abs(right_loss), 1.0))
    close("PyTorch", gradient, right_gradient, TORCH, max(np.abs(right_gradient).max(), 0.1))


def close(name: str, found: Any, expected: Any, tolerance: float, size: float) -> None:
    """An error where two results are further apart than `tolerance` times `size`."""
    distance = float(np.max(np.abs(found - expected)))
    if not distance <= tolerance * size:
        raise AssertionError(f"it is {distance:.2g} away from {name}; {tolerance * size:.2g} is allowed")


def torch_loss_and_gradient(problem: Problem) -> tuple[float, NDArray[Any]]:
    """Objective and gradient as PyTorch computes them in float64, in the order of the network's parameters."""
    import torch

    network = problem.network
    leaves = {name: torch.tensor(np.array(value), requires_grad=True) for name, value in network.named_parameters()}
    values: dict[Node, Any] = {}
    for node in network.graph.nodes:
        name = network.graph.names[node]
        inputs = [values[given] for given in node.inputs]
        values[node] = torch_layer(node.layer, name, leaves, inputs) if inputs else torch.tensor(problem.X[name])
    z, y = values[network.graph.heads["prediction"]], torch.tensor(problem.y)
    functions = torch.nn.functional
    losses = {
        "squared_error": lambda: 0.5 * (z - y).square().sum(dim=1).mean(),
        "softmax_cross_entropy": lambda: functions.cross_entropy(z, y.long()),
        "logistic_cross_entropy": lambda: functions.binary_cross_entropy_with_logits(z, y, reduction="sum") / len(y),
    }
    weights = [leaves[p.name] for p in network.graph.parameters if p.spec.section == "weights"]
    penalty = problem.l2 / 2 * sum(w.square().sum() for w in weights) / len(y)
    total = losses[problem.loss]() + penalty
    total.backward()
    parts = [leaves[p.name].grad.numpy().ravel() for p in network.graph.parameters]
    return float(total.detach()), np.concatenate(parts)


def torch_layer(layer: Any, name: str, leaves: dict[str, Any], inputs: list[Any]) -> Any:
    """What a layer computes of its inputs."""
    import torch

    functions, x = torch.nn.functional, inputs[0]
    activations = {"identity": lambda z: z, "logistic": torch.sigmoid, "tanh": torch.tanh}
    if isinstance(layer, nn.Dense):
        z = x @ leaves[f"{name}.weights"] + leaves[f"{name}.biases"]
        kind = str(layer.activation)
        return (activations.get(kind) or getattr(functions, kind))(z)
    kinds = {
        nn.Embedding: lambda: leaves[f"{name}.table"][x.long()],
        nn.Concat: lambda: torch.cat(inputs, dim=1),
        nn.LayerNorm: lambda: functions.layer_norm(
            x, x.shape[1:], leaves[f"{name}.gain"], leaves[f"{name}.shift"], layer.epsilon
        ),
        nn.Scale: lambda: x * leaves[f"{name}.gain"],
        Add: lambda: x + inputs[1],
        Multiply: lambda: x * inputs[1],
    }
    return kinds[type(layer)]()


def check(seed: int) -> None:
    """By differences, and by PyTorch where there is one."""
    check_differences(seed)
    if importlib.util.find_spec("torch") is not None:
        check_torch(seed)


@part("gradients")
def gradients(rng: Rng) -> Iterator[Attempt]:
    """Compare the gradients of each network."""
    while True:
        seed = int(rng.integers(2**31))
        yield Attempt(f"network {seed}", partial(check, seed))
