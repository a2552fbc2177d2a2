"""The command line.

Takes arguments. Returns an exit code; what the commands do is in the other modules of `rosenblatt.cli`. Never shows a
traceback for a user's error: that is one line on standard error and exit code 2. After Ctrl-C the exit code is 130,
also if a model was kept. If nobody reads the output, as in ``| head -1``, the command does its work and ends with 0.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from rosenblatt._checks import parse_duration
from rosenblatt._version import __version__
from rosenblatt.cli import arguments
from rosenblatt.cli.arguments import Encoding, File, Force, Ignore, Kinds, Metric, Out, Request, Target, Task, TestShare
from rosenblatt.cli.messages import in_options
from rosenblatt.cli.terminal import Interrupts, safe_output

__all__ = ["app", "main"]

FAILED = 2
"""Exit code after an error of the user's, or if a model was not written where it was asked for."""
INTERRUPTED = 130
"""Exit code after Ctrl-C, by convention 128 + SIGINT."""
NOTHING_WRITTEN = "interrupted; nothing was written."

app = typer.Typer(
    name="rosenblatt",
    help="Neural networks for tables, at the speed of the processor.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def print_version(wanted: bool) -> None:
    """Print the version and stop."""
    if wanted:
        typer.echo(f"rosenblatt {__version__}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Neural networks for tables, at the speed of the processor."""


@app.command()
def train(
    file: File = None,
    target: Target = None,
    out: Out = None,
    task: Task = None,
    kind: Kinds = None,
    ignore: Ignore = None,
    preset: Annotated[str, typer.Option(help="fast, default or best: how much training is done.")] = "default",
    time: Annotated[str | None, typer.Option(help="Time limit of training: 90s, 5m, 1h.")] = None,
    members: Annotated[int | None, typer.Option(help="How many networks are trained and averaged.")] = None,
    hidden: Annotated[str | None, typer.Option(help="Neurons of each hidden layer, such as 128,64.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Epochs of each network; the best is kept.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="The highest learning rate.")] = None,
    metric: Metric = None,
    test_share: TestShare = 0.2,
    seed: Annotated[int, typer.Option(help="Seed of splits, initial weights and row orders.")] = 0,
    encoding: Encoding = "utf-8",
    force: Force = False,
) -> None:
    """Learn to predict a column of a table, score the network on held-out rows, and write it to a file."""
    given: dict[str, Any] = {
        "preset": preset,
        "time_budget": None if time is None else parse_duration("--time", time),
        "members": members,
        "hidden_layer_sizes": None if hidden is None else arguments.parse_hidden(hidden),
        "max_iter": epochs,
        "learning_rate_init": learning_rate,
        "metric": metric,
        "random_state": seed,
    }
    parameters = {name: value for name, value in given.items() if value is not None}
    kinds = arguments.parse_kinds(kind, ignore)
    request = Request(file, target, out, task, kinds, test_share, encoding, parameters, force)
    from rosenblatt.cli import train as command
    from rosenblatt.cli.display import Display

    command.train(request, Display())


@app.command()
def tune(
    file: File = None,
    target: Target = None,
    time: Annotated[str, typer.Option(help="How long to search: 90s, 5m, 1h.")] = "5m",
    out: Out = None,
    task: Task = None,
    kind: Kinds = None,
    ignore: Ignore = None,
    metric: Metric = None,
    test_share: TestShare = 0.2,
    seed: Annotated[int, typer.Option(help="Seed of splits, candidates, initial weights and row orders.")] = 0,
    encoding: Encoding = "utf-8",
    force: Force = False,
) -> None:
    """Search the hyperparameters for a table, and write the best model to a file."""
    seconds = parse_duration("--time", time)
    parameters = {"random_state": seed} | ({} if metric is None else {"metric": metric})
    kinds = arguments.parse_kinds(kind, ignore)
    request = Request(file, target, out, task, kinds, test_share, encoding, parameters, force)
    from rosenblatt.cli import train as command
    from rosenblatt.cli.display import Display

    command.tune(request, seconds, Display())


@app.command()
def predict(
    model: Annotated[Path, typer.Argument(help="A file that train wrote.")],
    file: Annotated[
        Path, typer.Argument(help="A table (CSV, JSON, Parquet, ...) with the columns that were trained on.")
    ],
    out: Annotated[Path, typer.Option(help="Where to write predictions and probabilities: .csv or .parquet.")],
    encoding: Encoding = "utf-8",
) -> None:
    """Predict the target of each row of a table."""
    from rosenblatt.cli import predict as command
    from rosenblatt.cli.display import Display

    command.predict(model, file, out, encoding, Display())


@app.command()
def inspect(model: Annotated[Path, typer.Argument(help="A model file.")]) -> None:
    """Show a model or network: target, columns, tensor shapes for m rows, parameters, memory, operations."""
    from rosenblatt.cli import predict as command
    from rosenblatt.cli.display import Display

    command.inspect(model, Display())


def main() -> None:
    """Run the command line; the entry point ``rosenblatt``."""
    with safe_output(), Interrupts() as interrupts:
        code, message = run()
        if interrupts.seen:
            code = INTERRUPTED
        if message:
            print(f"rosenblatt: {in_options(message)}", file=sys.stderr)
    sys.exit(code)


def run() -> tuple[int, str]:
    """Run the command that the arguments name; its exit code, and what to say if it failed."""
    try:
        code: Any = app(standalone_mode=False)
        code = code if isinstance(code, int) else 0
        return code, NOTHING_WRITTEN if code == INTERRUPTED else ""  # the argument parser's answer to Ctrl-C
    except KeyboardInterrupt:
        return INTERRUPTED, NOTHING_WRITTEN
    except MemoryError as error:
        details = describe(error) or "no details"
        return FAILED, f"not enough memory ({details}). Try fewer rows, or smaller --hidden layers."
    except (ValueError, OSError, ImportError) as error:
        return FAILED, describe(error)
    except Exception as error:
        if type(error).__name__ == "Abort":  # how some versions of the argument parser report Ctrl-C
            return INTERRUPTED, NOTHING_WRITTEN
        if not hasattr(error, "format_message"):  # only the argument parser's errors have it
            raise
        message = (
            refused_option(error) or error.format_message()
        )  # without one, no command was given: the help was shown
        return FAILED, f"{message} (rosenblatt --help explains)" if message else ""


def refused_option(error: Exception) -> str:
    """An option whose text is no number, in the words of the library's own checks; "" for another error.

    Only some versions of the argument parser keep the text that was given; the others say it themselves.
    """
    cause: Any = error.__cause__
    found = cause.errors()[0] if hasattr(cause, "errors") else {}
    allowed = {"int": "an integer", "float": "a number"}.get(str(found.get("type", "")).partition("_")[0])
    return f"{error.param.opts[0]} is {found['input']!r}; it must be {allowed}." if allowed else ""  # type: ignore[attr-defined]


def describe(error: Exception) -> str:
    """The error in one line; the system's errors without their number."""
    if isinstance(error, OSError) and error.strerror:
        return f"{f'{error.filename}: ' if error.filename else ''}{error.strerror.lower()}"
    return " ".join(str(error).split())
