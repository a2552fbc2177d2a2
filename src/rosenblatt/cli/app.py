"""The command line.

Takes arguments. Returns an exit code; what the commands do is in the other modules of `rosenblatt.cli`. Never shows a
traceback for a user's error: that is one line on standard error and exit code 2. After Ctrl-C the exit code is 130,
also if a model was kept. If nobody reads the output, as in ``| head -1``, the command does its work and ends with 0.
"""

from __future__ import annotations

import signal
import sys
from typing import Annotated, Any

import typer

from rosenblatt._version import __version__
from rosenblatt.cli.clock import CLOCK
from rosenblatt.cli.commands import add_commands
from rosenblatt.cli.layout import visible
from rosenblatt.cli.messages import in_options
from rosenblatt.cli.session import Interrupted
from rosenblatt.cli.terminal import Interrupts, one_voice, reason_of, safe_output
from rosenblatt.distributed.endings import end_job

__all__ = ["app", "main"]

FAILED = 2
"""Exit code after an error of the user's, or if a model was not written where it was asked for."""
INTERRUPTED = 130
"""Exit code after Ctrl-C, by convention 128 + SIGINT."""
EXTRA = "Got unexpected extra argument"
"""How the argument parser begins where a shell replaced a pattern by names, for example."""
NOTHING_WRITTEN = "interrupted; nothing was written."
EXIT_CODES = (
    "Exit codes: 0 if the work is done; 2 after an error, which is one line on standard error; 130 after Ctrl-C, also "
    "if what was learned until then is kept."
)
EXAMPLE = "rosenblatt train houses.csv --target price"

app = typer.Typer(
    name="rosenblatt",
    help="Neural networks for tables, at the speed of the processor.",
    no_args_is_help=True,
    rich_markup_mode="markdown",  # in which brackets, as of an extra, are kept
    pretty_exceptions_enable=False,
)


def print_version(wanted: bool) -> None:
    """Print the version and stop."""
    if wanted:
        typer.echo(f"rosenblatt {__version__}")
        raise typer.Exit


@app.callback(epilog=f"Example:\n\n{EXAMPLE}\n\n{EXIT_CODES}")
def common(
    version: Annotated[
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Neural networks for tables, at the speed of the processor.

    Each command has a help of its own: rosenblatt train --help.
    """


add_commands(app)


def main() -> None:
    """Run the command line; the entry point ``rosenblatt``."""
    CLOCK.start()
    with one_voice(), Interrupts() as interrupts, safe_output() as out:
        code, message = run()
        if interrupts.seen:
            code = INTERRUPTED
        if code == INTERRUPTED:
            forget_interrupt()
        if message:
            print(f"rosenblatt: {visible(in_options(message))}", file=sys.stderr)
    if code == INTERRUPTED:
        end_job(signal.SIGINT, NOTHING_WRITTEN)
    sys.exit(FAILED if not code and out is not None and out.is_lost and out.is_needed else code)


def forget_interrupt() -> None:
    """Let the process end with its exit code.

    Where Ctrl-C came while Python ran source text, as it does for the named tuples of modules that are imported, it
    would end itself by the signal instead, until other source text has run.
    """
    exec("")


def run() -> tuple[int, str]:
    """Run the command that the arguments name; its exit code, and what to say if it failed."""
    try:
        code: Any = app(prog_name="rosenblatt", standalone_mode=False)
        code = code if isinstance(code, int) else 0
        return code, NOTHING_WRITTEN if code == INTERRUPTED else ""  # the argument parser's answer to Ctrl-C
    except KeyboardInterrupt:
        return INTERRUPTED, NOTHING_WRITTEN
    except Interrupted as error:
        return INTERRUPTED, str(error)
    except MemoryError as error:
        details = describe(error).rstrip(".") or "no details"
        return FAILED, " ".join([f"not enough memory ({details}).", *getattr(error, "__notes__", ())])
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
        if message.startswith(EXTRA):
            message += ". A pattern such as 'part-*.csv' needs quotes, or the shell puts the names of its files there"
        called = getattr(getattr(error, "ctx", None), "command_path", "rosenblatt")
        return FAILED, f"{message} ({called} --help explains)" if message else ""


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
        return f"{f'{error.filename}: ' if error.filename else ''}{reason_of(error)}"
    return " ".join(str(error).split())
