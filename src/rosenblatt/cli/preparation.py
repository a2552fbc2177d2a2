"""What comes before training: options are checked, the table is read and split, and what was found is shown.

Takes a `Request`. Returns a `TrainingRun`: rows to learn from, rows to score, an unfitted estimator, and where the
model goes. Never trains.
"""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rosenblatt._suggestions import missing_file
from rosenblatt.cli.destination import Destination, StandardOutput, destination_of
from rosenblatt.cli.display import Display
from rosenblatt.cli.messages import OPTIONS, in_options
from rosenblatt.cli.report_file import ReportFile
from rosenblatt.cli.request import ROLES, Request
from rosenblatt.cli.results import column_data, target_data
from rosenblatt.cli.scored import ScoredRows, read_scored
from rosenblatt.cli.session import is_standard
from rosenblatt.estimators import TabularClassifier, TabularRegressor
from rosenblatt.tables.kinds import ColumnKind
from rosenblatt.tables.readers.folders import is_pattern
from rosenblatt.tables.readers.reading import read_table
from rosenblatt.tables.streamed_task import StreamedTask
from rosenblatt.tables.table import TableError, TableWarning
from rosenblatt.tables.targets import Target
from rosenblatt.tables.task import ALL_ROWS, MIN_ROWS, WINDOW, TabularTask

__all__ = ["TrainingRun", "begin"]

TEST_SHARE = 0.2
"""The share of rows that is scored if the user says nothing."""
KINDS_OF_ESTIMATORS = (TabularClassifier, TabularRegressor)


@dataclass(frozen=True)
class TrainingRun:
    """A task that was read and checked, an unfitted estimator, and where the model goes.

    `held_out` are the rows to score, which `scored` names and `measured` judges; where it is None, out-of-fold
    predictions are scored, or those of `validation` rows. The run `started` when `time.perf_counter` was this.
    A report goes to the `report_file`, if one was asked for, and names the `source` of the rows.
    """

    destination: Destination | StandardOutput
    training: TabularTask
    held_out: ScoredRows | None
    validation: ScoredRows | None
    scored: str
    measured: str
    estimator: Any
    started: float
    report_file: ReportFile | None = None
    source: str = ""

    @property
    def in_memory(self) -> TabularTask:
        """The training rows or, if these are not in memory, those that the training holds out."""
        task = self.training
        return task.held_out if isinstance(task, StreamedTask) and task.held_out is not None else task


def begin(request: Request, command: str, display: Display) -> TrainingRun:
    """Check the options, read the table, find the target, split the rows, show what was found."""
    started = time.perf_counter()
    out = request.out or Path(f"{stem(request.file)}.safetensors")
    destination = destination_of(out, command, request.force, request.keep_predictions, display.result)
    report_file = report_file_of(request, out)
    check_options(request)
    task = read_task(request, display, in_memory=command == "tune")
    destination.require_place(task)
    estimator = new_estimator(task.target, {**request.parameters, "kinds": kinds_of_inputs(request)})
    training, held_out, scored = split(request, task)
    validation = None if request.validation is None else read_rows(request, task, request.validation)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TableWarning)  # the notes say the same
        kinds = kinds_of(training, task)
    display.data["command"] = command
    show_task(request, task, display)
    display.columns(column_data(kinds), training.inputs.n_rows)
    for rows in (held_out, validation):
        if rows is not None and rows.file:
            rows.require_columns([kind.name for kind in kinds if kind.used])
    measured = "" if request.test is not None else task.score_on
    if held_out is None and validation is not None:
        scored, measured = f"rows of {validation.file}", "on the validation rows"
    source = "" if request.file is None or is_standard(request.file) else request.file.name
    found = (destination, training, held_out, validation, scored, measured, estimator, started)
    return TrainingRun(*found, report_file, source)


def report_file_of(request: Request, out: Path) -> ReportFile | None:
    """Where the report goes; an error before anything is read if it cannot be written."""
    if request.report is None:
        return None
    if request.report.absolute() == out.absolute():
        raise ValueError(f"--report and --out both name {out}; give two names.")
    return ReportFile(request.report, "--report", request.file, request.test, request.validation, out)


def kinds_of(training: TabularTask, task: TabularTask) -> tuple[ColumnKind, ...]:
    """What the columns are in the rows to train on; an error says if there are few of these."""
    try:
        return training.kinds
    except TableError as error:
        n_rows, n_all = training.inputs.n_rows, task.inputs.n_rows
        if n_rows >= n_all / 2:
            raise
        raise TableError(f"{error} Only {n_rows:,} of {n_all:,} rows train; try a smaller --test-share.") from None


def split(request: Request, task: TabularTask) -> tuple[TabularTask, ScoredRows | None, str]:
    """The rows to train on, those to score, and what the latter are called."""
    if request.test is not None:
        rows = read_rows(request, task, request.test)
        return task, rows, f"rows of {rows.file}"
    if isinstance(task, StreamedTask):
        if request.test_share:
            raise TableError(
                f"--test-share says how many rows are scored, but {task.stream.name} is read block by block, since it "
                f"has {task.stream.n_rows:,} rows: the score is that of rows which its training holds out anyway. "
                f"Leave --test-share out, give --test FILE, or --window {task.stream.n_rows}, with which it is read "
                "into memory."
            )
        return task, None, "held-out rows"
    share = TEST_SHARE if request.test_share is None else request.test_share
    if not share:
        return task, None, "out-of-fold rows"
    if task.inputs.n_rows <= MIN_ROWS:
        raise TableError(f"{task.inputs.n_rows} rows are too few to hold some out: add rows, or --test-share 0.")
    training, held_out = task.split(share, request.parameters.get("random_state", 0))
    return training, ScoredRows.of_task(held_out), "held-out rows"


def read_rows(request: Request, task: TabularTask, file: Path) -> ScoredRows:
    """The rows of another file with the columns and the target of the task."""
    texts = [name for name, column in task.inputs.columns.items() if column.storage == "text"]
    weight = request.roles.get("weights")
    return read_scored(file, request.encoding, task.target, texts, task.inputs.columns, weight)


def show_task(request: Request, task: TabularTask, display: Display) -> None:
    """Where the rows come from, the target, and what a user should look at."""
    source = "handwritten digits of scikit-learn" if request.file is None else str(request.file)
    source = "standard input" if is_standard(source) else source
    roles = roles_of(request)
    n_columns = len(task.inputs.columns) + 1 + len({name for names in roles.values() for name in names})
    n_rows = task.stream.n_rows if isinstance(task, StreamedTask) else task.inputs.n_rows + task.n_dropped
    display.table(source, n_rows, n_columns)
    display.target(target_data(task.target))
    if roles:
        display.roles(roles)
    if task.n_dropped:
        rows = "1 row without a target is" if task.n_dropped == 1 else f"{task.n_dropped:,} rows without a target are"
        display.check(f"{rows} left out")
    if task.copies is not None:
        n_copies = task.inputs.n_rows - int(task.copies.max()) - 1
        copies = "1 row is a copy of another" if n_copies == 1 else f"{n_copies:,} rows are copies of others"
        together = task.groups is None and task.times is None
        display.check(copies + (": copies train or are held out together" if together else ""))
    if task.target.check:
        display.check(in_options(task.target.check))


def roles_of(request: Request) -> dict[str, list[str]]:
    """The columns that are no inputs, by the option that names them."""
    given = {option: request.roles[name] for option, name in ROLES.items() if name in request.roles}
    return {option: [one] if isinstance(one, str) else one for option, one in given.items() if one is not True}


def kinds_of_inputs(request: Request) -> dict[str, str]:
    """The kinds that were given, but for columns that are no inputs anyway."""
    others = {name for names in roles_of(request).values() for name in names}
    return {name: kind for name, kind in request.kinds.items() if name not in others}


def check_options(request: Request) -> None:
    """Refuse options before anything is read."""
    if request.file is None and request.target is not None:
        raise ValueError("--target needs a FILE; without a file, the digits are learned.")
    for file in (request.test, request.validation):
        if file is not None and not (is_standard(file) or file.exists() or is_pattern(file)):
            raise FileNotFoundError(missing_file(file))
    for kind in KINDS_OF_ESTIMATORS:
        known = {name: value for name, value in request.parameters.items() if name in kind.parameter_names()}
        kind(**known).check_parameters()


def new_estimator(target: Target, parameters: dict[str, Any]) -> Any:
    """Unfitted, for the target."""
    is_class = target.classes is not None
    kind = TabularClassifier if is_class else TabularRegressor
    other, found = ("numbers", "has classes") if is_class else ("classes", "is a number")
    for name in parameters:
        if name not in kind.parameter_names():
            raise ValueError(f"{OPTIONS[name]} is for {other}, but the target {target.name!r} {found}. Leave it out.")
    return kind(**(with_classes(target, parameters) if is_class else parameters))


def with_classes(target: Target, parameters: dict[str, Any]) -> dict[str, Any]:
    """The parameters that name classes by text, with the classes themselves."""
    assert target.classes is not None
    classes = {str(name): name for name in target.classes.tolist()}
    found = dict(parameters)
    if isinstance(order := parameters.get("ordered"), tuple):
        found["ordered"] = [classes.get(name, name) for name in order]
    if isinstance(weights := parameters.get("class_weight"), dict):
        found["class_weight"] = {classes.get(name, name): weight for name, weight in weights.items()}
    return found


def stem(file: Path | None) -> str:
    """What a model is called if nothing else is said."""
    return "digits" if file is None else "stdin" if is_standard(file) else file.stem


def read_task(request: Request, display: Display, *, in_memory: bool) -> TabularTask:
    """The table with its target; without a file, scikit-learn's 1,797 handwritten digits of 8 x 8 pixels.

    A table of more rows than the window is only read into memory if it has to be.
    """
    if request.file is None:
        from sklearn.datasets import load_digits

        data = load_digits()
        pixels = {f"pixel {i // 8} {i % 8}": column for i, column in enumerate(data.data.T)}
        columns = {**pixels, "digit": data.target}
        return TabularTask.of(columns, "digit", request.task or "classification", request.kinds, **request.roles)
    if request.target is None:
        names = ", ".join(map(repr, read_table(request.file, encoding=request.encoding).columns))
        raise TableError(f"say which column to predict: --target COLUMN. The columns are: {names}.")
    given = {"encoding": request.encoding, **request.roles}
    given |= {"window": ALL_ROWS if in_memory else request.parameters.get("window", WINDOW)}
    given |= {"hold_out": request.validation is None}
    with display.progress() as progress:
        given["heard"] = progress.passed
        return TabularTask.of(request.file, request.target, request.task, request.kinds, **given)
