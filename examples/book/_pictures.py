"""Pictures of what the examples found, drawn only on demand.

`--picture FILE` writes the picture of an example; `--picture` alone leaves it open, as the gallery of the documentation
wants it. Without it nothing is drawn, and matplotlib is not needed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from _data import argument


def show(draw: Callable[..., Any], *values: Any, **options: Any) -> None:
    """Call a function that draws one figure, if a picture is wanted."""
    if "--picture" not in sys.argv[1:]:
        return
    draw(*values, **options)
    if (path := argument("picture")) is not None and not path.startswith("--"):
        import matplotlib.pyplot as plt

        plt.savefig(path)


def new_axes(**labels: Any) -> Any:
    """Empty axes with these labels."""
    import matplotlib.pyplot as plt

    _, ax = plt.subplots(layout="constrained")
    ax.set(**labels)
    return ax


def curves(lines: Mapping[str, Sequence[float]], **labels: Any) -> None:
    """One line for each name, over 1, 2, 3, ...; `yscale="log"` is a label as well."""
    ax = new_axes(**{"xlabel": "epoch"} | labels)
    for name, values in lines.items():
        ax.plot(range(1, len(values) + 1), values, label=name.replace("_", " "))
    ax.legend()


def bars(values: Mapping[str, float], **labels: Any) -> None:
    """One bar for each name, the first on top."""
    ax = new_axes(**labels)
    names = [name.replace("_", " ") for name in values]
    ax.bar_label(ax.barh(names, list(values.values())), fmt="{:.3g}", padding=3)
    ax.invert_yaxis()
    ax.margins(x=0.12)


def points(sets: Mapping[str, Any], **labels: Any) -> None:
    """The columns of each array of shape (2, n) as points in a plane."""
    ax = new_axes(**labels)
    for (name, xy), marker in zip(sets.items(), "osD^v<>", strict=False):
        ax.scatter(*xy, label=name.replace("_", " "), marker=marker, alpha=0.7)
    ax.legend()


def heat_map(values: Any, rows: Sequence[Any], columns: Sequence[Any], **labels: Any) -> None:
    """A table of numbers as colours."""
    ax = new_axes(**labels)
    ax.figure.colorbar(ax.imshow(values, cmap="cividis"))
    ax.set(xticks=range(len(columns)), xticklabels=columns, yticks=range(len(rows)), yticklabels=rows)
