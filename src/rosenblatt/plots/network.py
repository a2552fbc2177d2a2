"""A network as a picture: neurons in columns, weights as lines; or, for any graph, layers as boxes.

Goes in: a fitted model or a `rosenblatt.nn.Network`. Comes out: a `NetworkDisplay`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rosenblatt.nn.activations import name_of
from rosenblatt.nn.graph import Node
from rosenblatt.nn.network import Network
from rosenblatt.nn.spec import NetworkSpec, each_layer
from rosenblatt.plots.style import COLOURS, axes

__all__ = ["NetworkDisplay", "plot_network"]


@dataclass
class NetworkDisplay:
    """A drawn network.

    Attributes
    ----------
    network : Network
    most_neurons : int
        Larger layers show their first and last neurons.
    ax_, figure_ : matplotlib objects, after `plot`
    """

    network: Network
    most_neurons: int = 12
    ax_: Any = field(default=None, init=False)
    figure_: Any = field(default=None, init=False)

    def plot(self, ax: Any = None) -> NetworkDisplay:
        """Draw on `ax`, or on a new figure."""
        spec = self.network.spec
        if isinstance(spec, NetworkSpec):
            ax = axes(ax, 2.0 + 1.8 * len(spec.layer_sizes), 4.8)
            self._draw_neurons(ax, spec)
        else:
            depth = max(_levels(self.network).values()) + 1
            ax = axes(ax, 5.0, 0.9 + 0.75 * depth)
            self._draw_layers(ax)
        ax.set_axis_off()
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _shown(self, size: int) -> list[int]:
        """Which neurons of a layer are drawn."""
        if size <= self.most_neurons:
            return list(range(size))
        half = self.most_neurons // 2
        return [*range(half), *range(size - half, size)]

    def _places(self, size: int) -> dict[int, float]:
        """Height of each neuron that is drawn; a gap stands for those that are not."""
        shown = self._shown(size)
        steps = np.arange(len(shown), dtype=float)
        if len(shown) < size:
            steps[len(shown) // 2 :] += 1.0
        return dict(zip(shown, (steps.max() / 2 - steps).tolist(), strict=True))

    def _draw_neurons(self, ax: Any, spec: NetworkSpec) -> None:
        from matplotlib.collections import LineCollection

        places = [self._places(size) for size in spec.layer_sizes]
        largest = max(float(np.abs(w).max()) for w in self.network.weights) or 1.0
        for layer, w in enumerate(self.network.weights):
            pairs = [(i, j) for i in places[layer] for j in places[layer + 1]]
            lines = [[(layer, places[layer][i]), (layer + 1, places[layer + 1][j])] for i, j in pairs]
            strength = [float(w[i, j]) / largest for i, j in pairs]
            colours = [COLOURS[1] if s < 0 else COLOURS[0] for s in strength]
            widths = [0.2 + 2.2 * abs(s) for s in strength]
            alphas = [0.08 + 0.75 * abs(s) for s in strength]
            ax.add_collection(LineCollection(lines, colors=colours, linewidths=widths, alpha=alphas, zorder=1))
        activations = ["", *each_layer("activation", spec.activation, len(spec.hidden)), spec.output]
        bottom = min(min(p.values()) for p in places) - 1.0
        for layer, (size, place) in enumerate(zip(spec.layer_sizes, places, strict=True)):
            ax.scatter([layer] * len(place), list(place.values()), s=110, color="white", edgecolor="0.25", zorder=2)
            if len(place) < size:
                ax.text(layer, 0, "⋮", ha="center", va="center", fontsize=14)
            kind = "input" if layer == 0 else "output" if layer == len(places) - 1 else f"hidden {layer}"
            text = f"{kind}\n{size}" + (f"\n{name_of(activations[layer])}" if layer else "")
            ax.text(layer, bottom, text, ha="center", va="top", fontsize=9)
        ax.set_xlim(-0.4, len(places) - 0.6)
        ax.set_ylim(bottom - 1.8, max(max(p.values()) for p in places) + 0.8)

    def _draw_layers(self, ax: Any) -> None:
        graph, level = self.network.graph, _levels(self.network)
        rows: dict[int, list[Node]] = {}
        for node in graph.nodes:
            rows.setdefault(level[node], []).append(node)
        place = {n: ((i + 0.5) / len(row), -depth) for depth, row in rows.items() for i, n in enumerate(row)}
        heads = {node: head for head, node in graph.heads.items()}
        for node in graph.nodes:
            x, y = place[node]
            for source in node.inputs:
                start = place[source]
                bend = 0.45 if level[node] - level[source] > 1 else 0.0
                style = {"arrowstyle": "-|>", "color": "0.45", "shrinkA": 13, "shrinkB": 13,
                         "connectionstyle": f"arc3,rad={bend}"}  # fmt: skip
                ax.annotate("", (x, y), start, arrowprops=style)
            frozen = any(p.name in self.network.frozen for p in graph.parameters if p.layer == graph.names[node])
            text = f"{graph.names[node]}: {type(node.layer).__name__}"
            activation = getattr(node.layer, "activation", None)
            text += f", {name_of(activation)}" if activation not in (None, "identity") else ""
            text = text if node.inputs else graph.names[node]
            text += f"\n{node.width} levels" if node.kind == "codes" else f"\n[m, {node.width}]"
            text += f" → {name_of(graph.output[heads[node]])}" if node in heads else ""
            box = {"boxstyle": "round,pad=0.35", "facecolor": "#DDE8F2" if frozen else "white", "edgecolor": "0.4"}
            ax.text(x, y, text, ha="center", va="center", fontsize=8.5, bbox=box)
        ax.set_xlim(-0.05, 1.05)
        ax.set_ylim(-max(rows) - 0.6, 0.6)


def _levels(network: Network) -> dict[Node, int]:
    """Longest way of each node from an input."""
    level: dict[Node, int] = {}
    for node in network.graph.nodes:
        level[node] = 1 + max((level[n] for n in node.inputs), default=-1)
    return level


def plot_network(model: Any, *, most_neurons: int = 12, ax: Any = None) -> NetworkDisplay:
    """Draw a network: blue lines are positive weights, orange ones negative, wider where they are larger.

    A network that was built from layers by hand is drawn layer by layer; frozen layers are shaded.

    Parameters
    ----------
    model : fitted estimator, or Network
    most_neurons : int
        Of a layer; larger ones are drawn with a gap.
    ax : matplotlib Axes, optional

    Returns
    -------
    NetworkDisplay
    """
    network = model if isinstance(model, Network) else model.network
    if most_neurons < 2:
        raise ValueError(f"most_neurons is {most_neurons}; it must be at least 2")
    return NetworkDisplay(network, most_neurons).plot(ax)
