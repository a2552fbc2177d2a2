"""The network of a run, its trainer, and its twin that shows all layers.

Takes `Settings` and a `Problem`. Returns networks and trainers of `rosenblatt.nn` and `rosenblatt.training`, and the
loss. Never takes a step.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rosenblatt.nn import Graph, Network, NetworkSpec
from rosenblatt.playground_page.choices import INITIALIZERS, LOSSES, PERCEPTRON, LossChoice, optimizer_of
from rosenblatt.playground_page.problems import Problem
from rosenblatt.playground_page.settings import LIMITS, Settings, SettingsError
from rosenblatt.training import Trainer

__all__ = ["frozen_layers", "loss_choice", "loss_of", "make_network", "make_trainer", "showing_all_layers"]
__all__ += ["spec_of", "without_dropout"]


def loss_choice(settings: Settings, problem: Problem) -> tuple[str, LossChoice]:
    """The loss that the settings ask for: its name and what it is; the perceptron's has the name "perceptron"."""
    if settings.optimizer == "perceptron":
        if problem.kind != "binary":
            raise SettingsError(
                "the perceptron rule tells two classes apart; choose data of two, or another optimizer."
            )
        return "perceptron", LossChoice("perceptron criterion", "", PERCEPTRON, "binary", "step")
    fitting = [name for name, choice in LOSSES.items() if choice.kind == problem.kind]
    name = fitting[0] if settings.loss == "default" else settings.loss
    if name not in fitting:
        what = {"binary": "two classes", "multiclass": "several classes", "regression": "a number"}[problem.kind]
        raise SettingsError(f"the loss {name!r} does not fit a target of {what}; choose of {', '.join(fitting)}.")
    return name, LOSSES[name]


def loss_of(settings: Settings, problem: Problem) -> Any:
    """The loss as a trainer takes it."""
    return loss_choice(settings, problem)[1].value


def spec_of(settings: Settings, problem: Problem) -> NetworkSpec:
    """The architecture; a `SettingsError` if it has too many parameters."""
    layers = settings.layers
    names = [*(layer.initializer for layer in layers), settings.output.initializer]
    spec = NetworkSpec(
        len(problem.inputs),
        tuple(layer.units for layer in layers),
        problem.n_outputs,
        activation=tuple(layer.activation for layer in layers),
        output=loss_choice(settings, problem)[1].output,
        dropout=tuple(layer.dropout for layer in layers),
        weights=tuple(INITIALIZERS[name].value for name in names),
    )
    n = sum((n_in + 1) * n_out for n_in, n_out in spec.weight_shapes)
    if n > LIMITS["parameters"]:
        sizes = " × ".join(map(str, spec.layer_sizes))
        raise SettingsError(f"a network of {sizes} has {n:,} parameters; at most {LIMITS['parameters']:,} are allowed.")
    return spec


def frozen_layers(settings: Settings) -> list[str]:
    """Hidden layers that cannot learn, since a step stands between them and the loss."""
    steps = [i for i, layer in enumerate(settings.layers) if layer.activation == "step"]
    return [f"hidden{i + 1}" for i in range(max(steps, default=-1) + 1)]


def make_network(settings: Settings, problem: Problem) -> Network:
    """The network with its first weights."""
    network = Network(spec_of(settings, problem), seed=settings.seed)
    return network.freeze(*frozen_layers(settings))


def make_trainer(network: Network, settings: Settings, problem: Problem) -> Trainer:
    """A trainer with its data, at step 0."""
    trainer = Trainer(
        network,
        loss_of(settings, problem),
        optimizer_of(settings.optimizer, settings.momentum),
        batch_size=min(settings.batch_size, len(problem.train)),
        seed=settings.seed,
        l1=settings.l1,
        l2=settings.l2,
        per_batch=False,
    )
    trainer.set_data(problem.X[problem.train], problem.targets[problem.train])
    return trainer


def showing_all_layers(network: Network) -> Network:
    """A network of the same parameters whose outputs are all hidden layers, and the prediction.

    One pass computes them all. Its parameters are copies, in the same order.
    """
    graph = network.graph
    names = [name for name in graph.layers if name.startswith("hidden") and name.removeprefix("hidden").isdecimal()]
    heads = {name: graph.node(name) for name in names} | dict(graph.heads)
    return network.derive(Graph(heads, dict.fromkeys(names, "identity") | dict(graph.output)))


def without_dropout(network: Network) -> Network:
    """A copy without dropout, for gradients that depend on nothing but the weights."""
    twin = Network(replace(network.chain, dropout=0.0), network.dtype, seed=None)
    twin.frozen = network.frozen
    twin.block[...] = network.block
    return twin
