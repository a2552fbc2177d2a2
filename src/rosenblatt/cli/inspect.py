"""``rosenblatt inspect``: what is in a model file.

Takes a model file. Returns nothing: it shows columns and network of a model, inputs, outputs and layers of a network,
or the steps of a pipeline. Never changes the model.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rosenblatt.cli.display import Display
from rosenblatt.cli.messages import in_options
from rosenblatt.cli.models import load_model
from rosenblatt.cli.results import column_data
from rosenblatt.estimators import TabularClassifier, TabularRegressor
from rosenblatt.nn.layers.base import Node
from rosenblatt.nn.network import Network
from rosenblatt.nn.registry import name_of
from rosenblatt.persistence.serving import describe_steps
from rosenblatt.storage.plain import plain

__all__ = ["inspect"]


def inspect(model_file: Path, display: Display) -> None:
    """Load and show."""
    model = load_model(model_file)
    display.data |= {"command": "inspect", "model": str(model_file), "kind": type(model).__name__}
    show(model, display)
    display.complete()


def show(model: Any, display: Display) -> None:
    """What a model is; of a pipeline, each step, and then its last one."""
    if isinstance(model, (TabularClassifier, TabularRegressor)):
        display.data |= tabular_data(model)
        display.sentences("\n".join(map(in_options, str(model.report()).split("\n"))))
        display.text(f"\nthe first network\n{model.ensemble_.networks[0].summary()}")
    elif isinstance(model, Network):
        show_network(model, display)
        display.text(str(model.summary()))
    elif steps := getattr(model, "steps", ()):
        display.data["steps"] = [{"name": name, "kind": type(step).__name__} for name, step in steps]
        for line in describe_steps(model):
            display.line("step", line)
        show(steps[-1][1], display)
    else:
        display.line("model", on_one_line(model))
        if hasattr(model, "summary"):
            display.text(str(model.summary()))


def on_one_line(model: Any) -> str:
    """The constructor's call."""
    return " ".join(repr(model).split())


def tabular_data(model: Any) -> dict[str, Any]:
    """What ``--json`` says of a model of tables."""
    ensemble, classes = model.ensemble_, getattr(model, "classes_", None)
    return {
        "target": model.target_name_,
        "classes": plain(classes),
        "rows": model.n_rows_,
        "columns": column_data(model.preparation_.kinds),
        "metrics": {name: {"model": plain(own), "guess": plain(guess)} for name, (own, guess) in model.scores_.items()},
        "guess": model.trivial_guess_,
        "networks": len(ensemble.members),
        "architecture": ensemble.architectures,
        "parameters": sum(int(network.parameters.size) for network in ensemble.networks),
    }


def show_network(network: Network, display: Display) -> None:
    """Inputs, outputs and layers of a network."""
    graph = network.graph
    inputs = [f"{graph.names[node]} ({input_text(node)})" for node in graph.inputs]
    outputs = [f"{head} ({name_of(graph.output[head])}, {node.width:,})" for head, node in graph.heads.items()]
    found = {"layers": len(graph.layers), "type": network.dtype.name, "inputs": inputs, "outputs": outputs}
    display.data |= {**found, "parameters": int(network.parameters.size)}
    display.line("network", f"{len(graph.layers)} layers, inputs included; {network.dtype.name}")
    display.line("inputs", ", ".join(inputs))
    display.line("outputs", ", ".join(outputs))


def input_text(node: Node) -> str:
    """What an input takes."""
    return f"codes of {node.width:,} levels" if node.kind == "codes" else f"{node.kind}, {node.width:,} columns"
