"""Output that cannot fail, and Ctrl-C that is remembered.

Takes the streams and the signals of the process while a command runs. Returns whether Ctrl-C was pressed, and whether
output was lost. Never lets a closed pipe, a full disk or a narrow encoding end a command whose result is a file.
"""

from __future__ import annotations

import _thread
import atexit
import codecs
import os
import signal
import sys
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from typing import Any

from rosenblatt.distributed.mpi import launched_rank

__all__ = ["Interrupts", "Output", "one_voice", "reason_of", "safe_output", "write_result"]

ESCAPES = "rosenblatt.escapes"
AGAIN = 0.05
"""Seconds after which an interrupt that Python dropped comes again."""


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
    """A text stream that drops what cannot be written, instead of raising.

    `is_lost` says whether it did so, although somebody reads; `is_needed`, whether that is a failure of the command.
    """

    def __init__(self, stream: Any) -> None:
        self.stream, self.is_lost, self.is_needed = stream, False, True
        with suppress(AttributeError, ValueError, OSError):  # not every stream encodes
            stream.reconfigure(errors=ESCAPES)

    def write(self, text: str) -> int:
        """Write, if somebody reads."""
        with self._forgiving():
            self.stream.write(text)
        return len(text)

    def write_result(self, data: bytes | str) -> None:
        """Write all of a text, or of bytes, which a stream of text alone gets as UTF-8; an `OSError` if that fails."""
        try:
            self.stream.flush()
            buffer = getattr(self.stream, "buffer", None)
            if buffer is None or isinstance(data, str):
                self.stream.write(data if isinstance(data, str) else data.decode())
                self.stream.flush()
            else:
                buffer.write(data)
                buffer.flush()
        except (OSError, ValueError) as error:
            self._give_up()
            if not isinstance(error, BrokenPipeError):
                raise OSError(f"the result cannot be written to standard output ({reason_of(error)}).") from None

    def flush(self) -> None:
        """Hand over what was written; a closed stream, which logging may flush at exit, has nothing left."""
        if getattr(self.stream, "closed", False):
            return
        with self._forgiving():
            self.stream.flush()

    @contextmanager
    def _forgiving(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError) as error:  # ValueError: the stream was closed
            self._give_up()
            if not isinstance(error, BrokenPipeError) and sys.stderr is not self:
                self.is_lost = True
                print(f"rosenblatt: the output cannot be written ({reason_of(error)}).", file=sys.stderr)

    def _give_up(self) -> None:
        """Write nothing from now on, nor what is still buffered."""
        with suppress(OSError, ValueError):  # a stream without a descriptor has nothing to be redirected
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, self.stream.fileno())
            os.close(null)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def reason_of(error: Exception) -> str:
    """Why something could not be written."""
    reason = getattr(error, "strerror", None) or str(error)
    return str(reason[:1].lower() + reason[1:])  # it may name a folder


def write_result(stream: Any, data: bytes | str) -> None:
    """Write what was asked for to a stream, which may be an `Output` or any other; an `OSError` if it is lost."""
    (stream if isinstance(stream, Output) else Output(stream)).write_result(data)


@contextmanager
def safe_output() -> Iterator[Output | None]:
    """Make standard output, which this returns, and standard error safe, and flush them at the end."""
    out, err = (None if stream is None else Output(stream) for stream in (sys.stdout, sys.stderr))
    with redirect_stdout(out), redirect_stderr(err):
        try:
            yield out
        finally:
            for stream in (out, err):
                if stream is not None:
                    stream.flush()


@contextmanager
def one_voice() -> Iterator[None]:
    """Of several ranks under mpiexec, let only the first one write to the standard streams."""
    if not launched_rank():
        yield
        return
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        yield


def press() -> None:
    """Press Ctrl-C, from another thread than the main one, which a system call of that one does not hold up."""
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
    else:
        _thread.interrupt_main()


class Interrupts:
    """A context that knows whether Ctrl-C was pressed in it, even if a training then ended with a result.

    Where Python drops exceptions, as in the callbacks of weak references that an import makes, Ctrl-C comes again a
    moment later.
    """

    def __init__(self) -> None:
        self.seen, self.again = False, threading.Timer(AGAIN, press)

    def __enter__(self) -> Interrupts:
        is_main = threading.current_thread() is threading.main_thread()
        self.replaces = is_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        if self.replaces:
            signal.signal(signal.SIGINT, self._note)
            self.hook, sys.unraisablehook = sys.unraisablehook, self._dropped
        return self

    def __exit__(self, *_: object) -> None:
        if self.replaces:
            self.again.cancel()
            sys.unraisablehook = self.hook
            signal.signal(signal.SIGINT, signal.default_int_handler)
            atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)  # the exit code is known by then

    def _dropped(self, what: Any) -> None:
        if not isinstance(what.exc_value, KeyboardInterrupt):
            self.hook(what)
            return
        self.again = threading.Timer(AGAIN, press)
        self.again.daemon = True
        self.again.start()

    def _note(self, *_: object) -> None:
        self.seen = True
        raise KeyboardInterrupt
