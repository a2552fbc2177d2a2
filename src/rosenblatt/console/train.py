"""``rosenblatt train``: from a table to a scored model in a file.

Goes in: the arguments. Comes out: a model file, and on the way everything that a user should see. It never overwrites a
file that is no model.
"""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rosenblatt.console.display import Display
from rosenblatt.tables.evaluation import evaluate
from rosenblatt.tables.model import TableModel, TableWarning, find_target, read_settings
from rosenblatt.tables.reading import read_table
from rosenblatt.tables.splits import split_rows
from rosenblatt.tables.table import Table, TableError
from rosenblatt.tables.targets import Target, fit_target
from rosenblatt.tables.training import History

__all__ = ["TrainRequest", "train"]

ENDINGS = {
    "converged": "The validation loss stopped falling",
    "all epochs": "All epochs are done (--epochs allows more)",
    "interrupted": "Interrupted: the network so far is kept",
    "diverged": "The loss became infinite (try a smaller --learning-rate)",
}


@dataclass(frozen=True)
class TrainRequest:
    """The arguments of ``rosenblatt train``."""

    file: Path | None = None
    target: str | None = None
    out: Path | None = None
    task: str | None = None
    kinds: dict[str, str] = field(default_factory=dict)
    test_share: float = 0.2
    encoding: str = "utf-8"
    settings: dict[str, Any] = field(default_factory=dict)


def train(request: TrainRequest, display: Display) -> None:
    """Read, split, train, score, write."""
    started = time.perf_counter()
    settings = read_settings(request.settings)
    out = request.out or Path(f"{request.file.stem if request.file else 'digits'}.safetensors")
    require_writable(out)
    if not 0 < request.test_share < 1:
        raise ValueError(f"--test-share is {request.test_share}; it must lie between 0 and 1.")
    table, name = load_table(request)
    column = find_target(table, name)
    target = fit_target(column, request.task)
    display.line(
        "table",
        f"{request.file or 'handwritten digits of scikit-learn'}: {table.n_rows:,} rows, {len(table.columns)} columns",
    )
    display.line("target", describe_target(target))
    labels = target.encode(column) if target.classes else None
    rows, held_out = split_rows(table.n_rows, request.test_share, settings.seed, labels)
    with warnings.catch_warnings(), display.progress(settings.max_epochs) as on_epoch:
        warnings.simplefilter("ignore", TableWarning)  # what they say is shown
        model = TableModel.train(
            table.take(rows),
            name,
            task="classification" if target.classes else "regression",
            kinds=request.kinds,
            on_kinds=display.kinds,
            on_epoch=on_epoch,
            **request.settings,
        )
    display.line("training", describe_training(model.history))
    display.scores(evaluate(model, table.take(held_out), column.take(rows)), target.classes)
    model.save(out)
    display.line("file", f"{out} ({out.stat().st_size / 1000:,.0f} kB), {time.perf_counter() - started:.2f} s in all")


def load_table(request: TrainRequest) -> tuple[Table, str]:
    """The table and the name of its target; without a file, scikit-learn's digits."""
    if request.file is None:
        if request.target is not None:
            raise ValueError("--target needs a FILE; without a file, the digits are learned.")
        return digits(), "digit"
    table = read_table(request.file, encoding=request.encoding)
    if request.target is None:
        columns = list(table.columns)
        raise TableError(
            f"say which column to predict: --target COLUMN. The columns are: {', '.join(map(repr, columns))}."
        )
    return table, request.target


def digits() -> Table:
    """1,797 handwritten digits of 8 x 8 pixels."""
    from sklearn.datasets import load_digits

    data = load_digits()
    pixels = {f"pixel {i // 8} {i % 8}": column for i, column in enumerate(data.data.T)}
    return read_table({**pixels, "digit": data.target})


def require_writable(out: Path) -> None:
    """Find out before training, not after, that the model cannot be written."""
    folder = out.parent
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {folder} to write {out.name} to.")
    if out.is_dir():
        raise IsADirectoryError(f"--out {out} is a folder; give a file name.")
    if out.exists() and not out.is_file():
        raise FileExistsError(f"--out {out} is a device or a pipe; give a file name.")
    if not os.access(folder, os.W_OK):
        raise PermissionError(f"the folder {folder} is not writable; choose another with --out.")
    if out.exists() and not looks_like_model(out):
        raise FileExistsError(f"{out} exists and is no model; choose another name with --out.")


def looks_like_model(path: Path) -> bool:
    """Whether replacing the file replaces a model: an empty file, or a header that names this package."""
    with open(path, "rb") as file:
        first = file.read(4096)
    return not first or b'"__metadata__"' in first


def describe_target(target: Target) -> str:
    """Name, task and classes."""
    if not target.classes:
        return f"{target.name}: regression, mean {target.mean:.6g}, standard deviation {target.scale:.6g}"
    shown = ", ".join(map(str, target.classes[:10])) + (", …" if len(target.classes) > 10 else "")
    return f"{target.name}: {len(target.classes)} classes ({shown})"


def describe_training(history: History) -> str:
    """How it ended, and which epoch's weights are kept."""
    return (
        f"{ENDINGS[history.ended]}. {len(history.epochs)} epochs, {history.seconds:.2f} s; the weights of epoch "
        f"{history.best_epoch} are kept."
    )


def parse_kinds(entries: Sequence[str]) -> dict[str, str]:
    """``COLUMN=KIND`` arguments as a dictionary."""
    kinds = {}
    for entry in entries:
        name, found, kind = entry.rpartition("=")
        if not found or not name:
            raise ValueError(f"--kind {entry!r}: write COLUMN=numeric, COLUMN=categorical or COLUMN=ignored.")
        kinds[name] = kind
    return kinds


def parse_hidden(text: str) -> tuple[int, ...]:
    """``128,64`` as (128, 64); an empty text is a network without hidden layers."""
    try:
        return tuple(int(part) for part in text.split(",") if part.strip())
    except ValueError:
        raise ValueError(f"--hidden {text!r}: write the neurons of each layer, such as 128,64.") from None
