"""Makes the README's picture: ``python docs/pictures.py`` records a run of `rosenblatt train` as docs/train.svg."""

import contextlib
import pathlib
import tempfile

from rich.console import Console
from sklearn.datasets import load_wine

from rosenblatt.cli.arguments import Request
from rosenblatt.cli.display import Display
from rosenblatt.cli.train import train


def main() -> None:
    """Train on scikit-learn's wine table and write the terminal's content as SVG."""
    here = pathlib.Path(__file__).resolve().parent
    console = Console(record=True, width=100, highlight=False, soft_wrap=True)
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        table = pathlib.Path("wine.csv")
        frame = load_wine(as_frame=True).frame
        frame["target"] = frame["target"].map({0: "Barolo", 1: "Grignolino", 2: "Barbera"})
        frame.to_csv(table, index=False)
        console.print("$ rosenblatt train wine.csv --target target")
        request = Request(table, "target", pathlib.Path("wine.safetensors"), None, {}, 0.2, "utf-8", {})
        train(request, Display(console))
    console.save_svg(str(here / "train.svg"), title="rosenblatt")


if __name__ == "__main__":
    main()
