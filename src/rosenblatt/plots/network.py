"""A plot of a network, with neurons in columns and weights as lines or, for a general graph, with layers as boxes.

Takes a fitted model or a `rosenblatt.nn.Network`. Returns a `NetworkDisplay`. Never changes the network.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from rosenblatt._checks import check_count
from rosenblatt._suggestions import suggest_keywords
from rosenblatt.estimators.tabular.base import TabularEstimator
from rosenblatt.nn.layers.base import Node
from rosenblatt.nn.network import Network
from rosenblatt.nn.registry import name_of
from rosenblatt.nn.spec import NetworkSpec, each_layer
from rosenblatt.plots.given import unlike
from rosenblatt.plots.style import COLOURS, BaseDisplay, axes, height_of, legend_above, shade, width_of

__all__ = ["NetworkDisplay", "plot_network"]

INCHES_PER_LETTER = 0.072  # at 8.5 points, on average
ASIDE = 0.3
"""Bend of an arrow over several rows from a box that already stands beside those it passes."""


@dataclass
class NetworkDisplay(BaseDisplay):
    """A plot of a network.

    Attributes
    ----------
    network : Network
    most_neurons : int
        Largest number of neurons that are drawn for a layer. Larger layers show their first and last neurons.
    ax_, figure_ : matplotlib objects, after `plot`
    """

    network: Network
    most_neurons: int = 12

    @classmethod
    def from_estimator(cls, model: Any, *, most_neurons: int = 12, ax: Any = None) -> NetworkDisplay:
        """Draw the network of a fitted estimator (see `plot_network`)."""
        check_count("most_neurons", most_neurons, 2)
        return cls(network_of(model), most_neurons).plot(ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw on `ax`, or on a new figure."""
        spec = self.network.spec
        if isinstance(spec, NetworkSpec):
            highest = min(max(spec.layer_sizes), self.most_neurons + 1)
            ax = axes(ax, 1.0 + 1.8 * len(spec.layer_sizes), 1.4 + 0.34 * highest)
            self._draw_neurons(ax, spec)
        else:
            ax = draw_layers(ax, self.network)
        ax.set_axis_off()
        return self.drawn_on(ax)

    def _places(self, size: int) -> dict[int, float]:
        """Height of each neuron that is drawn, with a gap in place of those that are not."""
        half = self.most_neurons // 2
        shown = [*range(size)] if size <= self.most_neurons else [*range(half), *range(size - half, size)]
        steps = np.arange(len(shown), dtype=float)
        if len(shown) < size:
            steps[half:] += 1.0
        return dict(zip(shown, (steps.max() / 2 - steps).tolist(), strict=True))

    def _draw_neurons(self, ax: Any, spec: NetworkSpec) -> None:
        from matplotlib.collections import LineCollection
        from matplotlib.lines import Line2D

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
        dense = [*(f"hidden{i + 1}" for i in range(len(spec.hidden))), "output"]
        frozen = [False, *(f"{name}.weights" in self.network.frozen for name in dense)]
        bottom, top = min(min(p.values()) for p in places), max(max(p.values()) for p in places)
        step = 72 * 0.65 * height_of(ax) / (top - bottom + 1)  # points from neuron to neuron
        diameter = min(10.5, 0.75 * step)
        for layer, (size, place) in enumerate(zip(spec.layer_sizes, places, strict=True)):
            fill = fill_of(frozen[layer])
            ax.scatter(
                [layer] * len(place), list(place.values()), s=diameter**2, color=fill, edgecolor=shade(0.75), zorder=2
            )
            if len(place) < size:
                ax.text(layer, 0, "⋮", ha="center", va="center", fontsize=min(14, 1.2 * step))
            words = [*layer_lines(spec, layer), *(["frozen"] if frozen[layer] else [])]
            below = {"textcoords": "offset points", "ha": "center", "va": "top", "fontsize": 9}
            ax.annotate("\n".join(words), (layer, bottom), (0, -14), **below)
        signs = zip(("positive weight", "negative weight"), COLOURS, strict=False)
        handles = [Line2D([], [], color=colour, label=label) for label, colour in signs]
        legend_above(ax, handles)
        ax.set_xlim(-0.4, len(places) - 0.6)
        ax.set_ylim(bottom - 0.5, top + 0.5)


def fill_of(frozen: bool) -> Any:
    """The fill of a layer: paper, and for a frozen one a bluish grey."""
    red, green, blue = shade(0.0)
    return (0.85 * red + 0.03, 0.85 * green + 0.07, 0.85 * blue + 0.12) if frozen else (red, green, blue)


def layer_lines(spec: NetworkSpec, layer: int) -> list[str]:
    """The text below a column of neurons: kind, size, activation, and what lies between it and the next layer."""
    n, last = len(spec.hidden), len(spec.hidden) + 1
    if layer == last:
        return ["output", str(spec.n_outputs), name_of(spec.output)]
    if layer == 0:
        notes = [f"noise {spec.input_noise:g}"] if spec.input_noise else []
        notes += [f"dropout {spec.input_dropout:g}"] if spec.input_dropout else []
        return ["input", str(spec.n_inputs), *notes]
    kind, rate = (each_layer(name, getattr(spec, name), n)[layer - 1] for name in ("normalization", "dropout"))
    notes = [*([f"{kind} norm"] if kind else []), name_of(each_layer("activation", spec.activation, n)[layer - 1])]
    return [f"hidden {layer}", str(spec.hidden[layer - 1]), *notes, *([f"dropout {rate:g}"] if rate else [])]


def draw_layers(ax: Any, network: Network) -> Any:
    """Draw layers as boxes on `ax` or a new figure, with layers of one depth side by side. Returns the Axes."""
    graph = network.graph
    level: dict[Node, int] = {}
    """Length of the longest path from an input."""
    for node in graph.nodes:
        level[node] = 1 + max((level[n] for n in node.inputs), default=-1)
    rows: dict[int, list[Node]] = {}
    for node in graph.nodes:
        rows.setdefault(level[node], []).append(node)
    texts = {node: box_text(network, node) for node in graph.nodes}
    cell = max(INCHES_PER_LETTER * len(line) for text in texts.values() for line in text.split("\n")) + 0.4
    skips = any(level[n] - level[s] > 1 for n in graph.nodes for s in n.inputs)
    width = cell * max(len(row) for row in rows.values()) + (0.8 if skips else 0.0)
    size = max(width, 2.4), 0.3 + 0.75 * len(rows)
    font = 8.5 if ax is None else 8.5 * min(1.0, width_of(ax) / size[0], ax.figure.get_figheight() / size[1])
    ax = axes(ax, *size)
    place = {n: (cell * (i - (len(row) - 1) / 2), -0.75 * d) for d, row in rows.items() for i, n in enumerate(row)}
    boxes = {}
    for node, (x, y) in place.items():
        box = {"boxstyle": "round,pad=0.35", "facecolor": fill_of(is_frozen(network, node)),
               "edgecolor": shade(0.6)}  # fmt: skip
        boxes[node] = ax.text(x, y, texts[node], ha="center", va="center", fontsize=font, bbox=box).get_bbox_patch()
    for node in graph.nodes:
        for source in node.inputs:
            gap = level[node] - level[source]
            aside = place[source][0] - place[node][0]
            rad = bend(gap, cell) if abs(aside) < cell / 4 else min(ASIDE, bend(gap, cell)) * (-1 if aside > 0 else 1)
            style = {"arrowstyle": "-|>", "color": shade(0.55), "patchA": boxes[source], "patchB": boxes[node],
                     "shrinkA": 0, "shrinkB": 1, "connectionstyle": f"arc3,rad={rad}"}  # fmt: skip
            ax.annotate("", place[node], place[source], arrowprops=style)
    ax.set_xlim(-max(width, 2.4) / 2, max(width, 2.4) / 2)
    ax.set_ylim(-0.75 * max(rows) - 0.4, 0.4)
    return ax


def bend(gap: int, cell: float) -> float:
    """How much to bend an arrow over `gap` rows, so that it passes boxes that are as wide as a cell.

    The arc is a parabola. At the share t of its way, its height is 2 t (1 - t) rad times its length.
    """
    if gap == 1:
        return 0.0
    share = (1 - 0.25) / gap  # where the arrow passes the corner of the first box
    return max(0.25, (cell / 2) / (2 * share * (1 - share) * 0.75 * gap))


def box_text(network: Network, node: Node) -> str:
    """Name, kind and activation of a layer, and below them its shape and the head that it computes."""
    graph, kind = network.graph, type(node.layer).__name__
    name = graph.names[node]
    activation, rate = getattr(node.layer, "activation", None), getattr(node.layer, "rate", None)
    what = [] if not node.inputs or name.rstrip("_0123456789") == kind.lower() else [kind]
    what += [f"{rate:g}"] if isinstance(rate, float) else []
    what += [name_of(activation)] if activation not in (None, "identity") else []
    text = f"{name}: {', '.join(what)}" if what else name
    text += f"\n{node.width} levels" if node.kind == "codes" else f"\n[m, {node.width}]"
    for head, output in graph.heads.items():
        if output is node:
            words = [head] if len(graph.heads) > 1 else []
            words += [name_of(graph.output[head])] if graph.output[head] != "identity" else []
            text += f" → {', '.join(words)}" if words else ""
    return text


def is_frozen(network: Network, node: Node) -> bool:
    """Whether any parameter of the layer is frozen."""
    name = network.graph.names[node]
    return any(p.name in network.frozen for p in network.graph.parameters_of(network.graph.node(name)))


def network_of(model: Any) -> Network:
    """The network itself, that of an estimator, or the first one of a tabular estimator."""
    if isinstance(model, Network):
        return model
    if hasattr(type(model), "network"):
        model = model.network
    elif isinstance(model, TabularEstimator):
        check_is_fitted(model, "ensemble_")
        model = model.ensemble_.networks[0]
    if not isinstance(model, Network):
        raise unlike("plot_network", model, "a Network, or a fitted estimator that has one")
    return model


@suggest_keywords
def plot_network(model: Any, *, most_neurons: int = 12, ax: Any = None) -> NetworkDisplay:
    """Draw a network. Blue lines are positive weights, orange lines negative ones, and larger weights are wider.

    A network that was built from layers is drawn layer by layer. Frozen layers are shaded.

    Parameters
    ----------
    model : fitted estimator of the MLP or tabular pair, or Network
        Of a tabular estimator, the network of the first member is drawn.
    most_neurons : int
        Largest number of neurons that are drawn for a layer. Larger layers are drawn with a gap.
    ax : matplotlib Axes, optional

    Returns
    -------
    NetworkDisplay

    Raises
    ------
    TypeError
        If the model has no network.
    ValueError
        If most_neurons is below 2.
    NotFittedError
        If the estimator is not fitted.
    """
    return NetworkDisplay.from_estimator(model, most_neurons=most_neurons, ax=ax)
