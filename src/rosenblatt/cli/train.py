"""``rosenblatt train`` and ``rosenblatt tune``: from a table to a scored model in a file.

Takes the arguments. Returns nothing: it writes a model file, and on the way shows everything that a user should see.
Never trains before everything that can be wrong was checked, and shows no score before the model is written.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from rosenblatt.cli.arguments import Request, check_choice, check_encoding
from rosenblatt.cli.destination import Destination
from rosenblatt.cli.display import Display
from rosenblatt.cli.messages import in_options
from rosenblatt.estimators import TabularClassifier, TabularRegressor
from rosenblatt.metrics import is_better
from rosenblatt.tables.evaluation import Evaluation
from rosenblatt.tables.readers.reading import read_table
from rosenblatt.tables.table import TableError, TableWarning
from rosenblatt.tables.targets import TASKS, Target
from rosenblatt.tables.task import MIN_ROWS, TabularTask

__all__ = ["SEARCH", "train", "tune"]

SEARCH: dict[str, Any] = {"strategy": "halving", "max_epochs": 128, "ensemble": 4}
"""How `tune` uses `MLPSearchCV`: its last stage has twice the epochs of the defaults."""


@dataclass(frozen=True)
class TrainingRun:
    """A task that was read and checked, an unfitted estimator, and where the model goes.

    `held_out` are the rows to score; where it is None, out-of-fold predictions are scored.
    """

    destination: Destination
    training: TabularTask
    held_out: TabularTask | None
    estimator: Any
    started: float


def train(request: Request, display: Display) -> None:
    """Read, split, train, score, write, show."""
    work = begin(request, "train", display)
    with shown_warnings(display):
        with display.progress() as on_epoch:
            work.estimator.set_params(on_epoch=on_epoch).fit(work.training)
        kept = keep(work, work.estimator)
    ensemble = work.estimator.ensemble_
    members = ensemble.members
    best = ", ".join(str(member.best_epoch) for member in members[:10]) + (", …" if len(members) > 10 else "")
    networks = "a network" if len(members) == 1 else f"{len(members)} networks"
    how = "Interrupted; what was learned so far is kept: " if ensemble.interrupted else ""
    epochs = f"at most {ensemble.settings.epochs} epochs, the best kept: {best}"
    display.line("training", f"{how}{networks} ({ensemble.architectures}), {epochs}")
    show(work, kept, display)


def tune(request: Request, seconds: float, display: Display) -> None:
    """Read, split, search, score, write, show; the defaults stay unless the search finds better ones, out of fold."""
    work = begin(request, "tune", display)
    best, chosen = work.estimator, ""
    with shown_warnings(display):
        best.set_params(time_budget=seconds).fit(work.training).set_params(time_budget=None)
        display.line("defaults", f"{best.score_name} {best.score_:.4f} out of fold")
        left = seconds - (time.perf_counter() - work.started)
        if best.ensemble_.interrupted:
            display.line("search", "Interrupted before it began; the defaults are kept as they are.")
        elif left > 0:
            best, chosen = search(work, left, display)
        kept = keep(work, best)
    if chosen:
        display.line("chosen", chosen)
    show(work, kept, display)


def search(work: TrainingRun, seconds: float, display: Display) -> tuple[Any, str]:
    """The better of the defaults and of what a search finds, out of fold; the parameters that were found, if so."""
    from rosenblatt.search import MLPSearchCV
    from rosenblatt.search.progress_table import format_params

    defaults = work.estimator
    found = MLPSearchCV(defaults, time_budget=seconds, verbose=1, **SEARCH)
    try:
        tuned = found.fit(work.training, None).best_estimator_
    except KeyboardInterrupt:
        display.line("search", "Interrupted before a candidate was finished; the defaults are kept.")
        return defaults, ""
    n, score = len(found.cv_results_["params"]), f"{found.best_score_:.4f}"
    display.line("search", f"{n} candidates, the best {score}, averaged with the next {tuned.score_:.4f}")
    if is_better(tuned.score_, defaults.score_, greater=True):
        return tuned, format_params(found.best_params_)
    return defaults, ""


def begin(request: Request, command: str, display: Display) -> TrainingRun:
    """Check the options, read the table, find the target, split the rows, show what was found."""
    started = time.perf_counter()
    destination = Destination(request.out or Path(f"{stem(request.file)}.safetensors"), command, request.force)
    check_options(request)
    task = read_task(request)
    destination.require_room(task)
    destination.require_same_origin(task)
    estimator = new_estimator(task.target, {**request.parameters, "kinds": request.kinds})
    seed = request.parameters.get("random_state", 0)
    if request.test_share and task.inputs.n_rows <= MIN_ROWS:
        raise TableError(f"{task.inputs.n_rows} rows are too few to hold some out: add rows, or --test-share 0.")
    training, held_out = task.split(request.test_share, seed) if request.test_share else (task, None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TableWarning)  # the notes say the same
        kinds = training.kinds
    source = request.file or "handwritten digits of scikit-learn"
    source = "standard input" if str(source) == "-" else source
    display.line("table", f"{source}: {task.inputs.n_rows:,} rows, {len(task.inputs.columns) + 1} columns")
    classes, values = task.target.classes, task.target.values
    if classes is None:
        found = f"regression, mean {values.mean():.6g}, standard deviation {values.std():.6g}"
    else:
        shown = ", ".join(map(str, classes[:10])) + (", …" if len(classes) > 10 else "")
        found = f"{len(classes)} classes ({shown})"
    display.line("target", f"{task.target.name}: {found}")
    if task.copies is not None:
        n_copies = task.inputs.n_rows - int(task.copies.max()) - 1
        display.line("check", f"{n_copies:,} rows are copies of others, which train or are held out together")
    if task.target.check:
        display.line("check", in_options(task.target.check))
    display.kinds(kinds)
    return TrainingRun(destination, training, held_out, estimator, started)


@dataclass(frozen=True)
class KeptModel:
    """A model that was written to `path`; `reason` says why to this one, if another was asked for.

    `evaluation` is None if Ctrl-C came while it was scored.
    """

    path: Path
    reason: str
    evaluation: Evaluation | None
    classes: Any


def keep(work: TrainingRun, model: Any) -> KeptModel:
    """Score and write a model. Nothing is shown before it is written, and Ctrl-C ends nothing but the scoring."""
    try:
        evaluation = score(work, model)
    except KeyboardInterrupt:
        evaluation = None
    objection = "Ctrl-C came before the model was scored" if evaluation is None else evaluation.verdict
    path, reason = work.destination.write(model, objection)
    return KeptModel(path, reason, evaluation, getattr(model, "classes_", None))


def score(work: TrainingRun, model: Any) -> Evaluation:
    """The scores of held-out rows, or without them those of the out-of-fold predictions of training rows."""
    training, held_out = work.training.target, work.held_out
    if held_out is None:
        seen = np.flatnonzero(~np.isnan(model.out_of_fold_.reshape(len(training.values), -1)[:, 0]))
        found = model.evaluate(training, training.take(seen), model.out_of_fold_[seen])
    else:
        predict = model.predict if training.classes is None else model.predict_proba
        found = model.evaluate(training, held_out.target, predict(held_out.inputs))
    return cast("Evaluation", found)


def show(work: TrainingRun, kept: KeptModel, display: Display) -> None:
    """The scores and the file; an error if it is not the file that was asked for."""
    if kept.evaluation is not None:
        display.scores(kept.evaluation, kept.classes, work.held_out is not None)
    size, seconds = kept.path.stat().st_size / 1000, time.perf_counter() - work.started
    display.line("file", f"{kept.path} ({size:,.0f} kB), {seconds:.2f} s in all")
    if kept.reason:
        raise FileExistsError(f"{kept.reason}. The new model is in {kept.path}.")


@contextmanager
def shown_warnings(display: Display) -> Iterator[None]:
    """Warnings for the user become lines, each once; the others are left alone."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for message in dict.fromkeys(str(w.message) for w in caught if w.category in (UserWarning, TableWarning)):
        display.line("note", in_options(message))


def check_options(request: Request) -> None:
    """Refuse options before anything is read."""
    if not 0 <= request.test_share < 1:
        raise ValueError(f"--test-share is {request.test_share}; it must be at least 0 and below 1.")
    if request.task is not None:
        check_choice("--task", request.task, ("classification", *TASKS))
    check_encoding(request.encoding)
    if request.file is None and request.target is not None:
        raise ValueError("--target needs a FILE; without a file, the digits are learned.")
    TabularClassifier(**request.parameters).check_parameters()  # those of regression are among its parameters


def new_estimator(target: Target, parameters: dict[str, Any]) -> Any:
    """Unfitted, for the target."""
    kind = TabularRegressor if target.classes is None else TabularClassifier
    for name in parameters:
        if name not in kind.parameter_names():
            raise ValueError(f"--{name} is for classes, but the target {target.name!r} is a number. Leave it out.")
    return kind(**parameters)


def stem(file: Path | None) -> str:
    """What a model is called if nothing else is said."""
    return "digits" if file is None else "stdin" if str(file) == "-" else file.stem


def read_task(request: Request) -> TabularTask:
    """The table with its target; without a file, scikit-learn's 1,797 handwritten digits of 8 x 8 pixels."""
    if request.file is None:
        from sklearn.datasets import load_digits

        data = load_digits()
        pixels = {f"pixel {i // 8} {i % 8}": column for i, column in enumerate(data.data.T)}
        return TabularTask.of(
            {**pixels, "digit": data.target}, "digit", request.task or "classification", request.kinds
        )
    if request.target is None:
        columns = ", ".join(map(repr, read_table(request.file, encoding=request.encoding).columns))
        raise TableError(f"say which column to predict: --target COLUMN. The columns are: {columns}.")
    return TabularTask.of(request.file, request.target, request.task, request.kinds, encoding=request.encoding)
