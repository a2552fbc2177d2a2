"""Makes the pictures of the documents: ``python docs/pictures.py`` writes docs/*.svg and docs/playground.png.

The README's are a run of `rosenblatt train`, the contributions to the prediction of a penguin (with the package
`palmerpenguins`), and the losses of two libraries; those of docs/pictures.md are what its code draws. The playground's
is its page in Chromium (with the package `playwright`).
"""

import pathlib
import re
import subprocess
import sys
import tempfile
import time

import matplotlib
import numpy as np
import sklearn.neural_network
from matplotlib import pyplot as plt
from rich.console import Console
from rich.text import Text
from sklearn.datasets import load_digits, load_wine

import rosenblatt
from rosenblatt import plots

HERE = pathlib.Path(__file__).resolve().parent
LABEL = re.compile(r"(reading|table|target|training|measured|file) +|column .*|\d+ held-out rows.*|true .*")
"""What the command line shows in bold."""


def terminal() -> None:
    """Train on scikit-learn's wine table and write what the command shows as docs/train.svg."""
    console = Console(record=True, width=100, highlight=False, soft_wrap=True)
    arguments = ["train", "wine.csv", "--target", "cultivar"]
    with tempfile.TemporaryDirectory() as folder:
        frame = load_wine(as_frame=True).frame
        frame["cultivar"] = frame.pop("target").map({0: "Barolo", 1: "Grignolino", 2: "Barbera"})
        frame.to_csv(pathlib.Path(folder, "wine.csv"), index=False)
        command = [sys.executable, "-m", "rosenblatt", *arguments]
        shown = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout
    console.print(f"$ rosenblatt {' '.join(arguments)}")
    for line in shown.splitlines():
        label = LABEL.match(line)
        console.print(Text.assemble((line[: label.end() if label else 0], "bold"), line[label.end() if label else 0 :]))
    console.save_svg(str(HERE / "train.svg"), title="rosenblatt")


def keep(name: str) -> None:
    """Write the current figure."""
    plt.savefig(HERE / f"{name}.svg", metadata={"Date": None}, bbox_inches="tight")
    plt.close("all")


def penguin() -> None:
    """Draw why the README's model takes one penguin for what it is."""
    from palmerpenguins import load_penguins_raw

    penguins = load_penguins_raw()
    model = rosenblatt.learn(penguins, "Sex", groups="Individual ID", drop_missing_target=True)
    plots.plot_contributions(model.explain(penguins[:1], method="shapley"), most=7)
    keep("penguin")


def drop_in() -> None:
    """Draw the loss of scikit-learn's classifier and of ours by seconds; epochs of one training take equal times."""
    X, y = load_digits(return_X_y=True)
    _, axes = plt.subplots(figsize=(6, 2.6), layout="constrained")
    for kind in (sklearn.neural_network.MLPClassifier, rosenblatt.MLPClassifier):
        seconds = []
        for _ in range(3):
            start = time.perf_counter()
            model = kind((50,), max_iter=100, random_state=0).fit(X / 16, y)
            seconds.append(time.perf_counter() - start)
        name = kind.__module__.partition(".")[0].replace("sklearn", "scikit-learn")
        axes.plot(np.linspace(0, np.median(seconds), 101)[1:], model.loss_curve_, label=name)
    axes.set(xlabel="seconds (median of three trainings)", ylabel="loss", yscale="log")
    axes.legend(frameon=False)
    keep("drop_in")


def page() -> None:
    """Run the code of docs/pictures.md, and write each picture that the page shows."""
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


def playground() -> None:
    """Let the playground learn the two spirals in a browser, and write its page as docs/playground.png."""
    sys.path.insert(0, str(HERE.parent))
    from benchmarks.playground_browser import picture

    picture(HERE / "playground.png")


if __name__ == "__main__":
    matplotlib.use("Agg")
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "rosenblatt", "path.simplify_threshold": 0.5})
    terminal()
    penguin()
    drop_in()
    page()
    playground()
