"""What all commands do before and after their work: threads, where messages go, and the JSON object.

Takes the options that all commands have. Returns a `Display`. With ``--json`` or ``--out -``, standard output gets the
result alone, and whatever else is written, also by libraries, goes to standard error.
"""

from __future__ import annotations

import io
import json
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import TYPE_CHECKING, Any

from rosenblatt.cli.terminal import Output, write_result

if TYPE_CHECKING:
    from rosenblatt.cli.display import Display

__all__ = ["STANDARD", "Interrupted", "is_standard", "named", "session"]

STANDARD = "-"
"""The name of standard input and standard output."""


class Interrupted(Exception):
    """Ctrl-C after something was written, which the message says."""


def is_standard(path: Any) -> bool:
    """Whether a path stands for standard input or output."""
    return str(path) == STANDARD


def named(path: Any) -> str:
    """What a path is called in sentences."""
    return "standard input" if is_standard(path) else str(path)


@contextmanager
def session(given: Any, reads: Any, shows: bool = False) -> Iterator[Display]:
    """The display of a command; `reads` is the file that it begins with, if any, which the first line names.

    `shows` is whether a command whose result may go to a file shows it instead.
    """
    out = sys.stdout
    check_streams(given)
    needs_output = shows_result(given) or (shows and not given.quiet)
    if isinstance(out, Output):
        out.is_needed = needs_output
    elif out is None and needs_output:
        raise ValueError("standard output is closed, so that the result cannot be written there.")
    if given.threads is not None:
        from rosenblatt.threads import set_num_threads

        set_num_threads(given.threads)
    from rosenblatt.cli.display import Display

    apart = given.json or is_standard(getattr(given, "out", None))
    with redirect_stdout(io.StringIO() if given.quiet else sys.stderr if apart else out):
        display = Display(result=out)
        if reads is not None:
            display.line("reading", named(reads))
        try:
            with version_notes(display):
                yield display
        except KeyboardInterrupt:
            if display.written:
                raise Interrupted(f"interrupted; {display.written} was written.") from None
            raise
        finally:
            if given.json and display.is_complete:
                write_result(out, json.dumps(display.data, ensure_ascii=False, allow_nan=False) + "\n")


def shows_result(given: Any) -> bool:
    """Whether the command's result goes to standard output, and not to a file."""
    has_file = hasattr(given, "out") and not is_standard(given.out)
    return given.json or not (has_file or (given.quiet and not is_standard(getattr(given, "out", None))))


@contextmanager
def version_notes(display: Display) -> Iterator[None]:
    """Warnings that a file is of another version become notes."""
    with warnings.catch_warnings():
        show = warnings.showwarning

        def note(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
            if category.__name__ == "VersionWarning":
                display.note(str(message))
            else:
                show(message, category, *where, **more)

        warnings.showwarning = note
        yield


def check_streams(given: Any) -> None:
    """Refuse to read standard input twice, and to write two things to standard output."""
    if is_standard(getattr(given, "model", None)):
        raise ValueError("models are not read from standard input (-); give the name of a file.")
    names = ("file", "data", "training", "test", "validation")
    inputs = ["file" for path in getattr(given, "others", None) or () if is_standard(path)]
    inputs += [name for name in names if is_standard(getattr(given, name, None))]
    if len(inputs) > 1:
        raise ValueError(f"standard input (-) is read once, but {' and '.join(inputs)} are to be read from it.")
    if given.json and is_standard(getattr(given, "out", None)):
        raise ValueError("--json and --out - both write to standard output; leave one of them out.")
