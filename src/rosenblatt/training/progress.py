"""The progress of a training on one live line, in a terminal or a notebook.

Takes how much is done, and a text. Draws at most ten times a second, so that small networks train as quickly as unseen
ones. Never draws where a line cannot be replaced, in a file or a pipe: the caller writes lines there.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from rosenblatt.training.output import Outlet

if TYPE_CHECKING:
    from rosenblatt.training.loop import TrainingLoop

__all__ = ["LiveLine", "can_replace_lines", "end_live", "epoch_line", "iteration_lines", "live_display", "live_line"]
__all__ += ["live_options", "print_line", "show_epochs", "shown_iterations", "standard_console"]

WIDE, BAR, NARROW_BAR = 112, 24, 10
"""Columns of a terminal that has room for a whole sentence, and columns of the bar."""
SECONDS_BETWEEN = 0.1
_display = threading.Lock()


def can_replace_lines(console: Any) -> bool:
    """Whether a console is a terminal that can move its cursor, or a notebook in which rich can draw."""
    if console.is_jupyter:
        return find_spec("ipywidgets") is not None  # which rich needs there
    return bool(console.is_terminal and not console.is_dumb_terminal)


def standard_console() -> Any:
    """Standard output of now. It counts as a terminal if it is one, whatever the environment says of colours.

    What is drawn on it goes there and nowhere else, also while `sys.stdout` is replaced.
    """
    from rich.console import Console

    out: Any = Outlet(sys.stdout)
    return Console(file=out, highlight=False, force_terminal=None if out.isatty() else False)


def print_line(text: str) -> None:
    """A line, or lines, on standard output; nothing where that cannot be written to."""
    Outlet(sys.stdout).write(f"{text}\n")


@contextmanager
def live_display(console: Any) -> Iterator[bool]:
    """Whether what follows may draw on this console: it can replace lines, and nothing else is drawing.

    Of several trainings at once, the first draws and the others write lines.
    """
    claimed = can_replace_lines(console) and _display.acquire(blocking=False)
    try:
        yield claimed
    finally:
        if claimed:
            _display.release()


def live_options() -> dict[str, Any]:
    """How rich draws: it replaces standard error only if there is one, since it would not restore None."""
    return {"redirect_stderr": sys.stderr is not None}


def end_live(live: Any) -> None:
    """Leave the last state where it is; in a notebook, rich would leave it undrawn and add an empty line."""
    console = live.console
    if console.is_jupyter:
        live.refresh()
        console.quiet = True
    live.stop()
    console.quiet = False


class LiveLine:
    """A line with a text, a bar and the time that is left, which stays at the end. It appears at the first `show`.

    From `start` on, what is printed stands above the line.
    """

    def __init__(self, console: Any) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self.is_wide = console.width >= WIDE
        """Whether there is room for long texts."""
        bar = BarColumn(bar_width=BAR if self.is_wide else NARROW_BAR)
        left = TimeRemainingColumn(compact=not self.is_wide)
        text = TextColumn("{task.description}", markup=False)
        self._progress = Progress(text, bar, left, console=console, **live_options())
        self._task = self._progress.add_task("", total=None)
        self._drawn_at = 0.0
        self._pending: tuple[int, int, Callable[[], str]] | None = None

    def start(self) -> None:
        """Redirect what is printed; the first `show` does it, too."""
        self._progress.start()

    def show(self, done: int, total: int, text: Callable[[], str]) -> None:
        """How much of the total is done; the text is made only if it is drawn, now or at the end."""
        self._pending = done, total, text
        if (now := time.monotonic()) >= self._drawn_at + SECONDS_BETWEEN:
            self._draw()
            self.start()
            self._drawn_at = now

    def close(self) -> None:
        """Draw what is left to draw."""
        self._draw()
        if self._progress.live.is_started:
            end_live(self._progress.live)

    def _draw(self) -> None:
        if self._pending is not None:
            done, total, text = self._pending
            self._progress.update(self._task, completed=done, total=total, description=text())
            self._pending = None


@contextmanager
def live_line(console: Any = None) -> Iterator[LiveLine | None]:
    """A line to show progress on; None where none can be replaced."""
    console = console or standard_console()
    with live_display(console) as may_draw:
        line = LiveLine(console) if may_draw else None
        try:
            yield line
        finally:
            if line is not None:
                line.close()


@contextmanager
def shown_iterations(
    most: int, plain: Callable[[TrainingLoop], str], live: bool = True
) -> Iterator[Sequence[Callable[[TrainingLoop], None]]]:
    """What a `TrainingLoop` of at most so many epochs or iterations calls after each.

    It draws a live line or, where none can be drawn or `live` is false, prints the lines that `plain` makes.
    """
    with live_line() if live else nullcontext() as line:
        if line is None:
            yield [lambda loop: print_line(plain(loop))]
        else:
            yield [lambda loop: line.show(loop.epoch, most, lambda: iteration_text(loop, most))]


def show_epochs(loop: TrainingLoop, show: Sequence[Callable[[TrainingLoop], None]]) -> None:
    """Let a loop call these after each epoch, or after as many short ones as run within a tenth of a second."""
    if not show:
        return
    before = loop.on_epoch

    def on_epoch(row: dict[str, float]) -> None:
        before(row)
        for one in show if loop.outcome is None else ():  # not after a divergence
            one(loop)

    loop.on_epoch, loop.max_seconds_ahead = on_epoch, SECONDS_BETWEEN


def iteration_text(loop: TrainingLoop, most: int) -> str:
    """Where a training is, and its newest numbers."""
    numbers = [f"loss {loop.history['loss'][-1]:.5g}"]
    numbers += [
        f"{title} {loop.history[name][-1]:.5g}"
        for name, title in (("val_loss", "validation loss"), ("val_score", "validation score"))
        if loop.measure is not None and name in loop.history
    ]
    return f"{loop.epoch} of {most}: {', '.join(numbers)}"


def iteration_lines(loop: TrainingLoop) -> str:
    """The lines of scikit-learn's estimators for an epoch or an iteration."""
    line = f"Iteration {loop.epoch}, loss = {loop.history['loss'][-1]:.8f}"
    if loop.measure is not None and "val_score" in loop.history:
        line += f"\nValidation score: {loop.history['val_score'][-1]:f}"
    return line


def epoch_line(loop: TrainingLoop) -> str:
    """A line with all numbers of an epoch."""
    return f"epoch {loop.epoch}: " + ", ".join(f"{name} {column[-1]:.6g}" for name, column in loop.history.items())
