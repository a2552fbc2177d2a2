"""What ``rosenblatt train`` and ``rosenblatt tune`` share: from the arguments to a task, from a model to its file.

Takes a `Request`. Returns a `Work`, and writes a model file. Never overwrites a file that is no model; says whatever is
wrong before anything is trained.
"""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rosenblatt.cli.arguments import Request
from rosenblatt.cli.display import Display
from rosenblatt.estimators import TabularClassifier, TabularRegressor
from rosenblatt.persistence.save_load import save
from rosenblatt.tables.evaluation import Evaluation, evaluate
from rosenblatt.tables.readers.reading import read_table
from rosenblatt.tables.table import Table, TableError, TableWarning
from rosenblatt.tables.targets import Target
from rosenblatt.tables.task import TabularTask

__all__ = ["Work", "begin", "finish", "shown_warnings"]


@dataclass(frozen=True)
class Work:
    """A task that was read and checked, an unfitted estimator, and where the model goes.

    Attributes
    ----------
    out : Path
    training : TabularTask
    held_out : TabularTask or None
        To score; None where out-of-fold predictions are scored.
    estimator : TabularClassifier or TabularRegressor
    started : float
        By `time.perf_counter`.
    """

    out: Path
    training: TabularTask
    held_out: TabularTask | None
    estimator: Any
    started: float


def begin(request: Request, display: Display) -> Work:
    """Read the table, find the target, split the rows, show what was found."""
    started = time.perf_counter()
    out = request.out or Path(f"{request.file.stem if request.file else 'digits'}.safetensors")
    require_writable(out)
    if not 0 <= request.test_share < 1:
        raise ValueError(f"--test-share is {request.test_share}; it must be at least 0 and below 1.")
    task = read_task(request)
    estimator = new_estimator(task.target, {**request.parameters, "kinds": request.kinds})
    seed = request.parameters.get("random_state", 0)
    training, held_out = task.split(request.test_share, seed) if request.test_share else (task, None)
    source = request.file or "handwritten digits of scikit-learn"
    display.line("table", f"{source}: {task.inputs.n_rows:,} rows, {len(task.inputs.columns) + 1} columns")
    display.line("target", describe_target(task.target))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TableWarning)  # the notes say the same
        display.kinds(training.kinds)
    return Work(out, training, held_out, estimator, started)


def finish(work: Work, model: Any, display: Display) -> None:
    """Score and write."""
    display.scores(score(model, work), work.training.target.classes, work.held_out is not None)
    save(model, work.out)
    size, seconds = work.out.stat().st_size / 1000, time.perf_counter() - work.started
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


def new_estimator(target: Target, parameters: dict[str, Any]) -> Any:
    """Unfitted, for the target; wrong parameters are found before anything is shown."""
    kind = TabularRegressor if target.classes is None else TabularClassifier
    for name in parameters:
        if name not in kind.parameter_names():
            raise ValueError(f"--{name} is for classes, but the target {target.name!r} is a number. Leave it out.")
    model = kind(**parameters)
    model.check_parameters()
    return model


def score(model: Any, work: Work) -> Evaluation:
    """Held-out rows against the model's predictions; without such rows, the training rows against out-of-fold ones."""
    training, held_out = work.training.target, work.held_out
    if held_out is None:
        seen = np.flatnonzero(~np.isnan(model.out_of_fold_.reshape(len(training.values), -1)[:, 0]))
        return evaluate(training, training.take(seen), model.out_of_fold_[seen])
    predict = model.predict if training.classes is None else model.predict_proba
    return evaluate(training, held_out.target, predict(held_out.inputs))


def read_task(request: Request) -> TabularTask:
    """The table with its target; without a file, scikit-learn's digits."""
    if request.file is None:
        if request.target is not None:
            raise ValueError("--target needs a FILE; without a file, the digits are learned.")
        return TabularTask.of(digits(), "digit", request.task, request.kinds)
    table = read_table(request.file, encoding=request.encoding)
    if request.target is None:
        columns = ", ".join(map(repr, table.columns))
        raise TableError(f"say which column to predict: --target COLUMN. The columns are: {columns}.")
    return TabularTask.of(table, request.target, request.task, request.kinds)


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
    if target.classes is None:
        mean, deviation = target.values.mean(), target.values.std()
        return f"{target.name}: regression, mean {mean:.6g}, standard deviation {deviation:.6g}"
    shown = ", ".join(map(str, target.classes[:10])) + (", …" if len(target.classes) > 10 else "")
    return f"{target.name}: {len(target.classes)} classes ({shown})"
