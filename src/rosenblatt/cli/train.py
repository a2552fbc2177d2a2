"""``rosenblatt train``: from a table to a scored model in a file.

Goes in: the arguments. Comes out: a model file, and on the way everything that a user should see. It never overwrites a
file that is no model.
"""

from __future__ import annotations

import os
import re
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from rosenblatt.cli.display import Display
from rosenblatt.estimators import TabularClassifier, TabularRegressor
from rosenblatt.persistence.save_load import save
from rosenblatt.tables.evaluation import Evaluation, evaluate
from rosenblatt.tables.kinds import infer_kinds
from rosenblatt.tables.readers.reading import read_table
from rosenblatt.tables.splits import Rows, split_rows
from rosenblatt.tables.table import Column, Table, TableError, TableWarning
from rosenblatt.tables.targets import Target, find_target, fit_target

__all__ = ["TrainRequest", "Work", "begin", "finish", "shown_warnings", "train"]

UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}
"""Seconds."""


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
    parameters: dict[str, Any] = field(default_factory=dict)
    """Of the estimator."""


@dataclass(frozen=True)
class Work:
    """A table that was read and checked, an unfitted estimator, and where the model goes.

    Attributes
    ----------
    out : Path
    table : Table
    target : Target
    rows : ndarray of int64
        To train on.
    held_out : ndarray of int64 or None
        To score; None where out-of-fold predictions are scored.
    estimator : TabularClassifier or TabularRegressor
    """

    out: Path
    table: Table
    target: Target
    rows: Rows
    held_out: Rows | None
    estimator: Any

    @property
    def training(self) -> Table:
        """The rows to train on."""
        return self.table.take(self.rows)


def train(request: TrainRequest, display: Display) -> None:
    """Read, split, train, score, write."""
    started = time.perf_counter()
    work = begin(request, display)
    with shown_warnings(display), display.progress() as on_epoch:
        work.estimator.set_params(on_epoch=on_epoch).fit(work.training, work.target.name)
    display.line("training", describe_training(work.estimator))
    finish(work, work.estimator, display, started)


def begin(request: TrainRequest, display: Display) -> Work:
    """Read the table, find the target, split the rows; whatever is wrong is said before anything is trained."""
    out = request.out or Path(f"{request.file.stem if request.file else 'digits'}.safetensors")
    require_writable(out)
    if not 0 <= request.test_share < 1:
        raise ValueError(f"--test-share is {request.test_share}; it must be at least 0 and below 1.")
    table, name = load_table(request)
    column = find_target(table, name)
    target = fit_target(column, request.task)
    estimator = new_estimator(target, {**request.parameters, "kinds": request.kinds})
    source = request.file or "handwritten digits of scikit-learn"
    display.line("table", f"{source}: {table.n_rows:,} rows, {len(table.columns)} columns")
    display.line("target", describe_target(target))
    rows, held_out = split(request, target, column)
    display.kinds(infer_kinds(table.take(rows).drop([name]), request.kinds))
    return Work(out, table, target, rows, held_out, estimator)


def finish(work: Work, model: Any, display: Display, started: float) -> None:
    """Score, write; `started` is the `time.perf_counter` of the beginning."""
    display.scores(score(model, work), work.target.classes, work.held_out is not None)
    save(model, work.out)
    size, seconds = work.out.stat().st_size / 1000, time.perf_counter() - started
    display.line("file", f"{work.out} ({size:,.0f} kB), {seconds:.2f} s in all")


@contextmanager
def shown_warnings(display: Display) -> Iterator[None]:
    """Warnings for the user become lines, each once; the others are left alone."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for message in dict.fromkeys(
        str(entry.message) for entry in caught if entry.category in (UserWarning, TableWarning)
    ):
        display.line("note", message)


def split(request: TrainRequest, target: Target, column: Column) -> tuple[Rows, Rows | None]:
    """Rows to train on, and rows to score; None where the share of these is zero."""
    n_rows, seed = len(column.values), request.parameters.get("random_state", 0)
    if request.test_share == 0:
        return np.arange(n_rows), None
    return split_rows(n_rows, request.test_share, seed, target.encode(column) if target.classes else None)


def new_estimator(target: Target, parameters: dict[str, Any]) -> Any:
    """Unfitted, for the target; wrong parameters are found before anything is shown."""
    kind = TabularClassifier if target.classes else TabularRegressor
    for name in parameters:
        if name not in kind.parameter_names():
            raise ValueError(f"--{name} is for classes, but the target {target.name!r} is a number. Leave it out.")
    model = kind(**parameters)
    model.check_parameters()
    return model


def score(model: Any, work: Work) -> Evaluation:
    """Held-out rows against the model's predictions; without such rows, the training rows against out-of-fold ones."""
    target = work.target
    column = work.table.columns[target.name]
    training = column.take(work.rows)
    if work.held_out is not None:
        truth, held = column.take(work.held_out), work.table.take(work.held_out)
        return evaluate(target, truth, model.predict_proba(held) if target.classes else model.predict(held), training)
    seen = np.flatnonzero(~np.isnan(model.out_of_fold_.reshape(len(work.rows), -1)[:, 0]))
    return evaluate(target, training.take(seen), model.out_of_fold_[seen], training)


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


def describe_training(model: Any) -> str:
    """Networks, epochs, and how it ended."""
    ensemble = model.ensemble_
    members = ensemble.members
    best = ", ".join(str(member.best_epoch) for member in members[:10]) + (", …" if len(members) > 10 else "")
    networks = "a network" if len(members) == 1 else f"{len(members)} networks"
    how = "Interrupted; what was learned so far is kept: " if ensemble.interrupted else ""
    return (
        f"{how}{networks} ({ensemble.architectures}), at most {ensemble.settings.epochs} epochs, the best kept: {best}"
    )


def parse_kinds(entries: Sequence[str]) -> dict[str, str]:
    """``COLUMN=KIND`` arguments as a dictionary."""
    kinds = {}
    for entry in entries:
        name, found, kind = entry.rpartition("=")
        if not found or not name:
            raise ValueError(f"--kind {entry!r}: write COLUMN=numeric, =categorical, =text or =ignored.")
        kinds[name] = kind
    return kinds


def parse_time(text: str | None) -> float | None:
    """``90``, ``90s``, ``5m`` or ``1h`` in seconds."""
    if text is None:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?([smh]?)", text.strip())
    if found is None or float(found[1]) == 0:
        raise ValueError(f"--time {text!r}: write seconds, minutes or hours, such as 90s, 5m or 1h.")
    return float(found[1]) * UNITS[found[2]]


def parse_hidden(text: str | None) -> tuple[int, ...] | None:
    """``128,64`` as (128, 64); None is the preset's."""
    try:
        return None if text is None else tuple(int(part) for part in text.split(",") if part.strip())
    except ValueError:
        raise ValueError(f"--hidden {text!r}: write the neurons of each layer, such as 128,64.") from None
