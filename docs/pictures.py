"""Makes the pictures of the documents: ``python docs/pictures.py`` writes docs/*.svg.

The README's is a run of `rosenblatt train`; those of docs/pictures.md are what its code draws.
"""

import contextlib
import pathlib
import re
import tempfile

import matplotlib
from matplotlib import pyplot as plt
from rich.console import Console
from sklearn.datasets import load_wine

from rosenblatt import plots
from rosenblatt.cli.display import Display
from rosenblatt.cli.request import Request
from rosenblatt.cli.train import train

HERE = pathlib.Path(__file__).resolve().parent


def terminal() -> None:
    """Train on scikit-learn's wine table and write the terminal's content as docs/train.svg."""
    console = Console(record=True, width=100, highlight=False, soft_wrap=True)
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        table = pathlib.Path("wine.csv")
        frame = load_wine(as_frame=True).frame
        frame["target"] = frame["target"].map({0: "Barolo", 1: "Grignolino", 2: "Barbera"})
        frame.to_csv(table, index=False)
        console.print("$ rosenblatt train wine.csv --target target")
        train(Request(table, "target", pathlib.Path("wine.safetensors")), Display(console))
    console.save_svg(str(HERE / "train.svg"), title="rosenblatt")


def page() -> None:
    """Run the code of docs/pictures.md, and write each picture that the page shows."""
    matplotlib.use("Agg")
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "rosenblatt", "path.simplify_threshold": 0.5})
    text = (HERE / "pictures.md").read_text(encoding="utf-8")
    shown = dict.fromkeys(re.findall(r"\]\((\w+)\.svg\)", text))
    for name in shown:
        original = getattr(plots, f"plot_{name}")

        def draw(*args, _original=original, _name=name, **options):
            display = _original(*args, **options)
            figure = display.ax_.figure
            figure.savefig(HERE / f"{_name}.svg", metadata={"Date": None})
            return display

        setattr(plots, f"plot_{name}", draw)
    names: dict[str, object] = {}
    for snippet in re.findall(r"^```python\n(.*?)^```$", text, re.M | re.S):
        exec(compile(snippet, "pictures.md", "exec"), names)
    plt.close("all")


if __name__ == "__main__":
    terminal()
    page()
