"""``rosenblatt train`` and ``rosenblatt tune``: from a table to a scored model in a file.

Takes the arguments. Returns nothing: it writes a model file, and on the way shows everything that a user should see.
Never overwrites a file that is no model, and reports whatever is wrong before it trains.
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
from rosenblatt.metrics import is_better
from rosenblatt.persistence.save_load import save
from rosenblatt.tables.readers.reading import read_table
from rosenblatt.tables.table import TableError, TableWarning
from rosenblatt.tables.targets import Target
from rosenblatt.tables.task import TabularTask

__all__ = ["SEARCH", "train", "tune"]

SEARCH: dict[str, Any] = {"strategy": "halving", "max_epochs": 128, "ensemble": 4}
"""How `tune` uses `MLPSearchCV`: its last stage has twice the epochs of the defaults."""


@dataclass(frozen=True)
class TrainingRun:
    """A task that was read and checked, an unfitted estimator, and where the model goes.

    `held_out` are the rows to score; where it is None, out-of-fold predictions are scored.
    """

    out: Path
    training: TabularTask
    held_out: TabularTask | None
    estimator: Any
    started: float


def train(request: Request, display: Display) -> None:
    """Read, split, train, score, write."""
    work = begin(request, display)
    with shown_warnings(display), display.progress() as on_epoch:
        work.estimator.set_params(on_epoch=on_epoch).fit(work.training)
    ensemble = work.estimator.ensemble_
    members = ensemble.members
    best = ", ".join(str(member.best_epoch) for member in members[:10]) + (", …" if len(members) > 10 else "")
    networks = "a network" if len(members) == 1 else f"{len(members)} networks"
    how = "Interrupted; what was learned so far is kept: " if ensemble.interrupted else ""
    epochs = f"at most {ensemble.settings.epochs} epochs, the best kept: {best}"
    display.line("training", f"{how}{networks} ({ensemble.architectures}), {epochs}")
    finish(work, work.estimator, display)


def tune(request: Request, seconds: float, display: Display) -> None:
    """Read, split, search, score, write; the defaults stay unless the search finds better ones, out of fold."""
    from rosenblatt.search import MLPSearchCV
    from rosenblatt.search.progress_table import format_params

    work = begin(request, display)
    best = work.estimator
    with shown_warnings(display):
        best.set_params(time_budget=seconds).fit(work.training).set_params(time_budget=None)
    display.line("defaults", f"{best.score_name} {best.score_:.4f} out of fold")
    left = seconds - (time.perf_counter() - work.started)
    if left > 0:
        search = MLPSearchCV(best, time_budget=left, verbose=1, **SEARCH)
        tuned = search.fit(work.training, None).best_estimator_
        n, score = len(search.cv_results_["params"]), f"{search.best_score_:.4f}"
        display.line("search", f"{n} candidates, the best {score}, averaged with the next {tuned.score_:.4f}")
        if is_better(tuned.score_, best.score_, greater=True):
            best = tuned
            display.line("chosen", format_params(search.best_params_))
    finish(work, best, display)


def begin(request: Request, display: Display) -> TrainingRun:
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
    classes, values = task.target.classes, task.target.values
    if classes is None:
        found = f"regression, mean {values.mean():.6g}, standard deviation {values.std():.6g}"
    else:
        shown = ", ".join(map(str, classes[:10])) + (", …" if len(classes) > 10 else "")
        found = f"{len(classes)} classes ({shown})"
    display.line("target", f"{task.target.name}: {found}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TableWarning)  # the notes say the same
        display.kinds(training.kinds)
    return TrainingRun(out, training, held_out, estimator, started)


def finish(work: TrainingRun, model: Any, display: Display) -> None:
    """Score held-out rows, or without them the out-of-fold predictions of training rows; write."""
    training, held_out = work.training.target, work.held_out
    if held_out is None:
        seen = np.flatnonzero(~np.isnan(model.out_of_fold_.reshape(len(training.values), -1)[:, 0]))
        evaluation = model.evaluate(training, training.take(seen), model.out_of_fold_[seen])
    else:
        predict = model.predict if training.classes is None else model.predict_proba
        evaluation = model.evaluate(training, held_out.target, predict(held_out.inputs))
    display.scores(evaluation, training.classes, held_out is not None)
    save(model, work.out)
    size, seconds = work.out.stat().st_size / 1000, time.perf_counter() - work.started
    display.line("file", f"{work.out} ({size:,.0f} kB), {seconds:.2f} s in all")


@contextmanager
def shown_warnings(display: Display) -> Iterator[None]:
    """Warnings for the user become lines, each once; the others are left alone."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for message in dict.fromkeys(str(w.message) for w in caught if w.category in (UserWarning, TableWarning)):
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


def read_task(request: Request) -> TabularTask:
    """The table with its target; without a file, scikit-learn's 1,797 handwritten digits of 8 x 8 pixels."""
    if request.file is None:
        if request.target is not None:
            raise ValueError("--target needs a FILE; without a file, the digits are learned.")
        from sklearn.datasets import load_digits

        data = load_digits()
        pixels = {f"pixel {i // 8} {i % 8}": column for i, column in enumerate(data.data.T)}
        return TabularTask.of({**pixels, "digit": data.target}, "digit", request.task, request.kinds)
    table = read_table(request.file, encoding=request.encoding)
    if request.target is None:
        columns = ", ".join(map(repr, table.columns))
        raise TableError(f"say which column to predict: --target COLUMN. The columns are: {columns}.")
    return TabularTask.of(table, request.target, request.task, request.kinds)


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
    if out.exists():
        with open(out, "rb") as file:
            first = file.read(4096)
        if first and b'"__metadata__"' not in first:  # an empty file may be replaced, and one with a model's header
            raise FileExistsError(f"{out} exists and is no model; choose another name with --out.")
