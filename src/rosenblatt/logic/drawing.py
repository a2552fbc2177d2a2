"""A picture of a network of threshold neurons.

Takes a `ThresholdNetwork`. Returns matplotlib axes. Never opens a window or writes a file. matplotlib is imported on
first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rosenblatt._extras import needed

from .formulas import require_kind
from .network import ThresholdNetwork

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot"]

RADIUS = 0.2
LAYER_DISTANCE = 2.2
MANY_LINES = 24
"""With more lines between two layers, weights of 1 and -1 are shown by the color of the line alone."""
MAX_LETTERS = 22
POSITIVE, NEGATIVE, PASSED = "#1f6fb4", "#c23b22", "#9a9a9a"
Positions = list[list[tuple[float, float]]]


def plot(network: ThresholdNetwork, ax: Axes | None = None) -> Axes:
    """Draw a network: the names of its inputs, the threshold of each neuron, and each nonzero weight on a line.

    Positive weights are blue, negative ones red and dashed. Neurons that only pass a value on are grey.

    Parameters
    ----------
    network : ThresholdNetwork
    ax : matplotlib.axes.Axes, optional
        Where to draw. By default, new axes of a suitable size.

    Returns
    -------
    matplotlib.axes.Axes
        ``plot(network).figure.savefig("network.png")`` writes them to a file.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    TypeError
        If network is not a ThresholdNetwork.
    """
    require_kind("network", network, ThresholdNetwork, "plot takes a ThresholdNetwork")
    with needed("plot needs", "matplotlib", extra="plot"):
        from matplotlib import pyplot
    sizes = network.layer_sizes
    if ax is None:
        width, height = LAYER_DISTANCE * (len(sizes) - 1) + 1.8, max(max(sizes), 2) * 0.95 + 0.7
        ax = pyplot.subplots(figsize=(1.25 * width, 1.25 * height), layout="constrained")[1]
    positions = [[(LAYER_DISTANCE * i, (n - 1) / 2 - j) for j in range(n)] for i, n in enumerate(sizes)]
    for layer in range(len(network.weights)):
        draw_weights(ax, network, layer, positions)
    for name, (x, y) in zip(network.names, positions[0], strict=True):
        circle(ax, (x, y), "#f3f3f3", "#444444")
        ax.text(x - RADIUS - 0.08, y, name, fontsize=11, ha="right", va="center")
    for layer in range(len(network.weights)):
        draw_neurons(ax, network, layer, positions[layer + 1])
    ax.set_title(str(network.formula), fontsize=12)
    ax.set_xlim(-0.8, positions[-1][0][0] + 0.9)
    ax.set_ylim(-(max(sizes) - 1) / 2 - 0.75, (max(sizes) - 1) / 2 + 0.5)
    ax.set_aspect("equal")
    ax.set_axis_off()
    return ax


def draw_weights(ax: Axes, network: ThresholdNetwork, layer: int, positions: Positions) -> None:
    """The lines into one layer, each with its weight: the lower a line ends, the farther right its weight is."""
    weights = network.weights[layer]
    crowded = (weights != 0).sum() > MANY_LINES
    for i, (x0, y0) in enumerate(positions[layer]):
        for j, (x1, y1) in enumerate(positions[layer + 1]):
            weight = weights[i, j]
            if weight == 0:
                continue
            passed = network.passes(layer, j)
            color = PASSED if passed else POSITIVE if weight > 0 else NEGATIVE
            style = "-" if weight > 0 else (0, (4, 2))
            ax.plot([x0, x1], [y0, y1], color=color, linestyle=style, linewidth=1.6, zorder=1)
            if crowded and abs(weight) == 1:
                continue
            n_ends = len(positions[layer + 1])
            share = 0.18 + 0.22 * j / (n_ends - 1) if n_ends > 1 else 0.4
            text = signed("+" if weight > 0 else "", weight)
            ax.text(
                x0 + share * (x1 - x0), y0 + share * (y1 - y0), text, color=color, fontsize=10,
                ha="center", va="center", zorder=2, bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.2},
            )  # fmt: skip


def draw_neurons(ax: Axes, network: ThresholdNetwork, layer: int, positions: list[tuple[float, float]]) -> None:
    """The neurons of one layer: the threshold in the circle, and below it what the neuron computes."""
    is_output = layer == len(network.weights) - 1
    for j, (x, y) in enumerate(positions):
        passed = network.passes(layer, j)
        circle(ax, (x, y), "#ffffff" if passed else "#fff4d6", PASSED if passed else "#444444")
        ax.text(x, y, signed("≥ ", -network.biases[layer][j]), fontsize=8, ha="center", va="center", zorder=4)
        if is_output:
            ax.annotate(
                "", (x + RADIUS + 0.45, y), (x + RADIUS, y), arrowprops={"arrowstyle": "->", "color": "#444444"}
            )
        elif label := network.labels[layer][j]:
            shown = label if len(label) <= MAX_LETTERS else label[: MAX_LETTERS - 1] + "…"
            ax.text(
                x, y - RADIUS - 0.06, shown, color="#444444", fontsize=8.5, ha="center", va="top", zorder=4,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
            )  # fmt: skip


def circle(ax: Axes, position: tuple[float, float], face: str, edge: str) -> Any:
    """Add the circle of an input or a neuron."""
    from matplotlib.patches import Circle

    return ax.add_patch(Circle(position, RADIUS, facecolor=face, edgecolor=edge, linewidth=1.4, zorder=3))


def signed(prefix: str, value: float) -> str:
    """A number with a true minus sign."""
    return f"{prefix}{value:g}".replace("-", "−")
