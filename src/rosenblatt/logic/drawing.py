"""A picture of a network of threshold neurons.

Goes in: a `ThresholdNetwork`. Comes out: matplotlib axes. matplotlib is imported on use; no window is opened and no
file written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .network import ThresholdNetwork

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot"]

RADIUS = 0.2
LAYER_DISTANCE = 2.2
MANY_LINES = 24
"""Between two layers: weights of 1 and -1 are shown by the line's color alone."""
POSITIVE, NEGATIVE, CARRIED = "#1f6fb4", "#c23b22", "#9a9a9a"
Places = list[list[tuple[float, float]]]


def plot(network: ThresholdNetwork, ax: Axes | None = None) -> Axes:
    """Draw a network: its inputs by name, each neuron with its threshold, each weight that is not zero on its line.

    Positive weights are blue, negative ones red and dashed; neurons that only pass a value through are grey.

    Parameters
    ----------
    network : ThresholdNetwork
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default new axes of a fitting size.

    Returns
    -------
    matplotlib.axes.Axes
        ``plot(network).figure.savefig("network.png")`` writes it to a file.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    TypeError
        If network is no ThresholdNetwork.
    """
    if not isinstance(network, ThresholdNetwork):
        raise TypeError(f"network is {network!r}, a {type(network).__name__}; plot takes a ThresholdNetwork")
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise ImportError("plot needs matplotlib: pip install 'rosenblatt[plot]'") from error
    sizes = network.layer_sizes
    if ax is None:
        width, height = LAYER_DISTANCE * (len(sizes) - 1) + 1.8, max(max(sizes), 2) * 0.95 + 0.7
        ax = pyplot.subplots(figsize=(1.25 * width, 1.25 * height), layout="constrained")[1]
    places = [[(LAYER_DISTANCE * i, (n - 1) / 2 - j) for j in range(n)] for i, n in enumerate(sizes)]
    for layer in range(len(network.weights)):
        draw_weights(ax, network, layer, places)
    draw_inputs(ax, network, places[0])
    for layer in range(len(network.weights)):
        draw_neurons(ax, network, layer, places[layer + 1])
    ax.set_title(str(network.formula), fontsize=12)
    ax.set_xlim(-0.8, places[-1][0][0] + 0.9)
    ax.set_ylim(-(max(sizes) - 1) / 2 - 0.75, (max(sizes) - 1) / 2 + 0.5)
    ax.set_aspect("equal")
    ax.set_axis_off()
    return ax


def draw_weights(ax: Axes, network: ThresholdNetwork, layer: int, places: Places) -> None:
    """The lines into one layer, each with its weight, which stands the farther to the right the lower the line ends."""
    weights = network.weights[layer]
    crowded = (weights != 0).sum() > MANY_LINES
    for i, (x0, y0) in enumerate(places[layer]):
        for j, (x1, y1) in enumerate(places[layer + 1]):
            weight = weights[i, j]
            if weight == 0:
                continue
            carried = network.passes(layer, j)
            color = CARRIED if carried else POSITIVE if weight > 0 else NEGATIVE
            style = "-" if weight > 0 else (0, (4, 2))
            ax.plot([x0, x1], [y0, y1], color=color, linestyle=style, linewidth=1.6, zorder=1)
            if crowded and abs(weight) == 1:
                continue
            n_ends = len(places[layer + 1])
            share = 0.18 + 0.22 * j / (n_ends - 1) if n_ends > 1 else 0.4
            text = signed("+" if weight > 0 else "", weight)
            ax.text(
                x0 + share * (x1 - x0), y0 + share * (y1 - y0), text, color=color, fontsize=10,
                ha="center", va="center", zorder=2, bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.2},
            )  # fmt: skip


def draw_inputs(ax: Axes, network: ThresholdNetwork, places: list[tuple[float, float]]) -> None:
    """The inputs with their names."""
    for name, place in zip(network.names, places, strict=True):
        circle(ax, place, "#f3f3f3", "#444444")
        ax.text(place[0] - RADIUS - 0.08, place[1], name, fontsize=11, ha="right", va="center")


def draw_neurons(ax: Axes, network: ThresholdNetwork, layer: int, places: list[tuple[float, float]]) -> None:
    """The neurons of one layer, the threshold in each circle, what it computes below."""
    is_output = layer == len(network.weights) - 1
    for j, (x, y) in enumerate(places):
        carried = network.passes(layer, j)
        circle(ax, (x, y), "#ffffff" if carried else "#fff4d6", CARRIED if carried else "#444444")
        ax.text(x, y, signed("≥ ", -network.biases[layer][j]), fontsize=8, ha="center", va="center", zorder=4)
        if is_output:
            ax.annotate(
                "", (x + RADIUS + 0.45, y), (x + RADIUS, y), arrowprops={"arrowstyle": "->", "color": "#444444"}
            )
        elif network.labels[layer][j]:
            ax.text(
                x, y - RADIUS - 0.06, short(network.labels[layer][j]), color="#444444", fontsize=8.5,
                ha="center", va="top", zorder=4, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
            )  # fmt: skip


def circle(ax: Axes, place: tuple[float, float], face: str, edge: str) -> Any:
    """A neuron."""
    from matplotlib.patches import Circle

    return ax.add_patch(Circle(place, RADIUS, facecolor=face, edgecolor=edge, linewidth=1.4, zorder=3))


def signed(prefix: str, value: float) -> str:
    """A number with a true minus sign."""
    return f"{prefix}{value:g}".replace("-", "−")


def short(label: str, most: int = 22) -> str:
    """A label cut to what has room below a neuron."""
    return label if len(label) <= most else label[: most - 1] + "…"
