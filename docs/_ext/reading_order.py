"""The order of the examples in the galleries, and the options with which they run there.

Takes the path of an example. Returns a key to sort by. Never runs anything.
"""

from pathlib import Path
from typing import Any

CHAPTERS = (
    *("autodiff", "moons", "xor", "perceptron_vs_logistic", "activations", "shapes_10_50_3", "spam", "housing"),
    *("vanishing", "overfitting", "mnist", "symmetry", "elu_vs_relu", "digits_0_4", "transfer", "pairs"),
)
"""The book's exercises, from chapter 9 to 11."""
STEPS = ("load", "fit", "evaluate", "explain", "improve", "save", "serve", "monitor", "report")
"""From a table to a model in use."""


class ReadingOrder:
    """Sorts the examples of a folder; one that is in no list comes last."""

    def __init__(self, src_dir: str) -> None:
        pass

    def __call__(self, filename: str) -> tuple[int, str]:
        names = (*CHAPTERS, *STEPS)
        name = Path(filename).stem
        return (names.index(name) if name in names else len(names), name)

    def __repr__(self) -> str:
        return "<reading order>"


def draw_pictures(gallery_conf: Any, script_vars: Any) -> list[str]:
    """The options of every example: leave the pictures open, so that the gallery finds them."""
    return ["--picture"]
