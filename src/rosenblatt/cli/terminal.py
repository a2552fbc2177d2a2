"""Output that cannot fail, and Ctrl-C that is remembered.

Takes the streams and the signals of the process while a command runs. Returns whether Ctrl-C was pressed. Never lets a
closed pipe, a full disk or a narrow encoding end a command whose result is a file.
"""

from __future__ import annotations

import codecs
import os
import signal
import sys
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from typing import Any

__all__ = ["Interrupts", "Output", "safe_output", "write_bytes"]

ESCAPES = "rosenblatt.escapes"


def escaped(error: UnicodeError) -> tuple[str, int]:
    """An error handler for codecs: "²" becomes "2" and "…" becomes "..."; other letters become backslash escapes."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    plain = []
    for sign in error.object[error.start : error.end]:
        alike = unicodedata.normalize("NFKD", sign)
        plain.append(alike if alike.isascii() else sign.encode("ascii", "backslashreplace").decode())
    return "".join(plain), error.end


codecs.register_error(ESCAPES, escaped)


class Output:
    """A text stream that drops what cannot be written, instead of raising."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        with suppress(AttributeError, ValueError, OSError):  # not every stream encodes
            stream.reconfigure(errors=ESCAPES)

    def write(self, text: str) -> int:
        """Write, if somebody reads."""
        with self._forgiving():
            self.stream.write(text)
        return len(text)

    def write_bytes(self, data: bytes) -> None:
        """Write bytes as they are, if somebody reads; a stream of text alone gets them as UTF-8."""
        with self._forgiving():
            self.stream.flush()
            if (buffer := getattr(self.stream, "buffer", None)) is not None:
                buffer.write(data)
                buffer.flush()
            else:
                self.stream.write(data.decode())

    def flush(self) -> None:
        """Hand over what was written."""
        with self._forgiving():
            self.stream.flush()

    @contextmanager
    def _forgiving(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError) as error:  # ValueError: the stream was closed
            with suppress(OSError, ValueError):  # a stream without a descriptor has nothing to be redirected
                null = os.open(os.devnull, os.O_WRONLY)
                os.dup2(null, self.stream.fileno())  # also what is still buffered goes there
                os.close(null)
            if not isinstance(error, BrokenPipeError) and sys.stderr is not self:
                print(f"rosenblatt: the output cannot be written ({error}); the command continues.", file=sys.stderr)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def write_bytes(stream: Any, data: bytes) -> None:
    """Write bytes to a stream, which may be an `Output` or any other."""
    (stream if isinstance(stream, Output) else Output(stream)).write_bytes(data)


@contextmanager
def safe_output() -> Iterator[None]:
    """Make standard output and standard error safe, and flush them at the end."""
    out, err = (None if stream is None else Output(stream) for stream in (sys.stdout, sys.stderr))
    with redirect_stdout(out), redirect_stderr(err):
        try:
            yield
        finally:
            for stream in (out, err):
                if stream is not None:
                    stream.flush()


class Interrupts:
    """A context that knows whether Ctrl-C was pressed in it, even if a training then ended with a result."""

    def __init__(self) -> None:
        self.seen = False

    def __enter__(self) -> Interrupts:
        is_main = threading.current_thread() is threading.main_thread()
        self.replaces = is_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        if self.replaces:
            signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        if self.replaces:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def _note(self, *_: object) -> None:
        self.seen = True
        raise KeyboardInterrupt
