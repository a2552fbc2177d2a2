"""The commands: their help, their options, and where their work is done.

Takes a namespace of options. Returns nothing: it starts the work in another module, which is imported only then, after
the first line was shown. Never computes anything itself.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import cleandoc
from typing import Any

import typer

from rosenblatt.cli import arguments as of
from rosenblatt.cli.parameters import Parameter, takes
from rosenblatt.cli.session import is_standard, session
from rosenblatt.distributed import together
from rosenblatt.distributed.mpi import launched_size

__all__ = ["add_commands"]

Command = Callable[..., None]
COMMANDS: dict[str, tuple[Command, str]] = {}
"""Each command, and the example that ends its help."""
FEWER_ROWS = "Try fewer rows."
SMALLER = {
    "train": "Try fewer rows, or smaller --hidden layers.",
    **dict.fromkeys(("tune", "evaluate", "explain", "drift", "report"), FEWER_ROWS),
}
"""What helps a command that has too little memory; predicting, inspecting and exporting take what the model takes."""


def command(*parameters: Parameter, example: str) -> Callable[[Callable[[Any], None]], Command]:
    """A decorator: the function becomes a command with these parameters, and those that all commands have."""

    def decorate(function: Callable[[Any], None]) -> Command:
        work = function if function.__name__ == "train" else in_one_process(function)
        found = takes(*parameters, *of.COMMON)(with_advice(work))
        COMMANDS[function.__name__] = found, example
        return found

    return decorate


def with_advice(function: Callable[[Any], None]) -> Callable[[Any], None]:
    """A command whose `MemoryError` has a note: what can be made smaller there."""

    @wraps(function)
    def advised(given: Any) -> None:
        try:
            function(given)
        except MemoryError as error:
            if (advice := SMALLER.get(function.__name__)) is not None:
                error.add_note(advice)
            raise

    return advised


def in_one_process(function: Callable[[Any], None]) -> Callable[[Any], None]:
    """A command that ranks under mpiexec would all do, and write to the same files: an error if there are several."""

    @wraps(function)
    def checked(given: Any) -> None:
        if (size := launched_size()) > 1:
            raise ValueError(
                f"rosenblatt {function.__name__} runs in one process, but {size} were started: leave mpiexec out. "
                "Only rosenblatt train works on several ranks."
            )
        function(given)

    return checked


def begin_ranks(given: Any) -> None:
    """Begin MPI under mpiexec, before anything else can fail on one rank; an error for what ranks cannot do."""
    if launched_size() > 1 and any(is_standard(path) for path in (given.file, given.test, given.validation)):
        raise ValueError(
            f"{launched_size()} ranks were started, and mpiexec gives standard input (-) to the first one only, but "
            "all of them read the table: give the name of a file."
        )
    with together():
        pass


def add_commands(app: typer.Typer) -> None:
    """Make all commands of this module those of `app`."""
    for name, (function, example) in COMMANDS.items():
        app.command(name, help=paragraphs(function.__doc__ or ""), epilog=f"Example:\n\n{example}")(function)


def paragraphs(text: str) -> str:
    """A docstring with a line for each paragraph, because the help keeps the ends of lines."""
    return "\n\n".join(" ".join(part.split()) for part in cleandoc(text).split("\n\n"))


@command(
    of.TABLE,
    *of.DATA,
    *of.TRAINING,
    of.VALIDATION,
    of.CHECKPOINT,
    *of.MEMORY,
    *of.SCORING,
    of.OUT_MODEL,
    of.FORCE,
    of.KEEP_PREDICTIONS,
    of.REPORT,
    example="rosenblatt train houses.csv --target price --id house\n\n"
    "rosenblatt train 'sales/*.parquet' --target price --window 500000 --checkpoint saved",
)
def train(given: Any) -> None:
    """Learn to predict a column of a table.

    The networks are scored on rows that they did not see, beside the best guess without a model, and written to a file.

    A table of more rows than --window is read in blocks, and may be larger than memory. Its rows are prepared in a
    temporary file, in the folder of --checkpoint or else in that of the variable TMPDIR, which needs space for them.
    """
    begin_ranks(given)
    with session(given, reads=given.file or "handwritten digits of scikit-learn") as display:
        from rosenblatt.cli import train as work
        from rosenblatt.cli.request import request_of

        work.train(request_of(given), display)


@command(
    of.TABLE,
    *of.DATA,
    *of.SEARCH,
    of.CHECKPOINT,
    *of.SCORING,
    of.OUT_MODEL,
    of.FORCE,
    of.KEEP_PREDICTIONS,
    of.REPORT,
    example="rosenblatt tune houses.csv --target price --time 10m --out tuned.safetensors",
)
def tune(given: Any) -> None:
    """Search the hyperparameters for a table.

    The defaults are trained first. They stay unless the search finds better ones by the scores of rows that the
    networks did not see, and the output says which were chosen, and why.
    """
    with session(given, reads=given.file or "handwritten digits of scikit-learn") as display:
        from rosenblatt.cli import tune as work
        from rosenblatt.cli.request import request_of

        work.tune(request_of(given, without=("time",)), given.time, given.candidates, display)


@command(
    of.ANY_MODEL,
    of.SCORED_FILE,
    of.PREDICT_OUT,
    of.THRESHOLD,
    of.ENCODING,
    example="rosenblatt predict houses.safetensors new.csv --out predictions.csv",
)
def predict(given: Any) -> None:
    """Predict the target of each row of a table.

    The output has a row for each row of the table, in its order: the columns that name the rows, the prediction, and
    for classes the probability of each.

    The table may be larger than memory: it is read in blocks, and each is written when it is predicted.
    """
    with session(given, reads=given.file) as display:
        from rosenblatt.cli import predict as work

        work.predict(given, display)


@command(
    of.MODEL,
    of.SCORED_FILE,
    of.WEIGHT,
    of.THRESHOLD,
    of.ENCODING,
    example="rosenblatt evaluate houses.safetensors sold_this_year.csv",
)
def evaluate(given: Any) -> None:
    """Score a model on a table that has the target.

    Each score stands beside that of the best guess without a model, which is the same for all rows. Rows that the model
    was not trained on show how good it is.
    """
    with session(given, reads=given.file) as display:
        from rosenblatt.cli import evaluate as work

        work.evaluate(given, display)


@command(
    of.MODEL,
    of.SCORED_FILE,
    *of.EXPLAINING,
    of.ENCODING,
    example="rosenblatt explain houses.safetensors sold_this_year.csv --row 1",
)
def explain(given: Any) -> None:
    """Say how much each column matters to a model.

    Each column is shuffled among the rows of the table, which has the target: the more the score suffers, the more the
    column matters. With --row, it says what each column contributes to the prediction of that row.
    """
    with session(given, reads=given.file) as display:
        from rosenblatt.cli import explain as work

        work.explain(given, display)


@command(of.MODEL, of.SCORED_FILE, of.ENCODING, example="rosenblatt drift houses.safetensors new.csv")
def drift(given: Any) -> None:
    """Compare a table with the rows that a model was trained on.

    For each column it shows unseen levels, cells outside the range of training, missing cells then and now, and the
    population stability index, the most suspicious column first. The target is not needed.
    """
    with session(given, reads=given.file) as display:
        from rosenblatt.cli import drift as work

        work.drift(given, display)


@command(of.ANY_MODEL, example="rosenblatt inspect houses.safetensors")
def inspect(given: Any) -> None:
    """Show what is in a model file.

    It shows the target, the columns, the score, and the shapes, parameters, memory and operations of a network for m
    rows.
    """
    with session(given, reads=given.model) as display:
        from rosenblatt.cli import inspect as work

        work.inspect(given.model, display)


@command(of.MODEL, *of.REPORTED, example="rosenblatt report houses.safetensors sold_this_year.csv --out report.html")
def report(given: Any) -> None:
    """Show all that is known of a model, or compare two.

    With a table that has the target, the report has scores with intervals, errors, the importance of columns and checks
    with remedies. Two models are compared on the same rows. As .html it is one page that needs nothing but a browser.
    """
    with session(given, reads=given.model, shows=given.out is None) as display:
        from rosenblatt.cli import report as work

        work.report(given, display)


@command(of.ANY_MODEL, *of.EXPORTED, example="rosenblatt export houses.safetensors --out houses.onnx")
def export(given: Any) -> None:
    """Write a model for other programs: as an ONNX model, or as C.

    The ending of --out decides. ONNX models (.onnx) run in any ONNX runtime, and writing them needs the extra: pip
    install 'rosenblatt[onnx]'. Files in C (.c, .h) need a C99 compiler and nothing else.
    """
    with session(given, reads=given.model) as display:
        from rosenblatt.cli import export as work

        work.export(given, display)


@command(of.SHOWN_TABLE, *of.SERVER, of.ENCODING, example="rosenblatt playground flats.csv --target high")
def playground(given: Any) -> None:
    """Open a page on which a network learns while one watches.

    Without a file it learns built-in problems. The page is served by this process until Ctrl-C; its address, which is
    printed, holds a secret that no other page knows. It needs the extra: pip install 'rosenblatt[playground]'.
    """
    with session(given, reads=given.file) as display:
        from rosenblatt.cli import playground as work

        work.playground(given, display)
