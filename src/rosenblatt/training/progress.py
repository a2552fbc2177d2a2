"""The progress of a training on one live line, in a terminal or a notebook.

Takes how much is done, and a text. Draws at most ten times a second, so that small networks train as quickly as unseen
ones. Never draws where a line cannot be replaced, in a file or a pipe: the caller writes lines there.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rosenblatt.training.loop import TrainingLoop

__all__ = ["LiveLine", "can_replace_lines", "live_display", "live_line", "print_epoch", "print_iteration"]
__all__ += ["show_epochs", "shown_iterations", "standard_console"]

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
    """Standard output. It counts as a terminal if it is one, whatever the environment says of colours."""
    from rich.console import Console

    is_terminal = getattr(sys.stdout, "isatty", lambda: False)()
    return Console(highlight=False, force_terminal=None if is_terminal else False)


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
        self._progress = Progress(TextColumn("{task.description}", markup=False), bar, left, console=console)
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
            self._progress.refresh()  # in a notebook, rich would leave the last line undrawn
            self._progress.stop()

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
    most: int, plain: Callable[[TrainingLoop], None], live: bool = True
) -> Iterator[Sequence[Callable[[TrainingLoop], None]]]:
    """What a `TrainingLoop` of at most so many epochs or iterations calls after each: a live line, or else `plain`."""
    if not live:
        yield [plain]
        return
    with live_line() as line:
        if line is None:
            yield [plain]
            return
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


def print_iteration(loop: TrainingLoop) -> None:
    """The lines of scikit-learn's estimators for an epoch or an iteration."""
    print(f"Iteration {loop.epoch}, loss = {loop.history['loss'][-1]:.8f}")
    if loop.measure is not None and "val_score" in loop.history:
        print(f"Validation score: {loop.history['val_score'][-1]:f}")


def print_epoch(loop: TrainingLoop) -> None:
    """A line with all numbers of an epoch."""
    print(f"epoch {loop.epoch}: " + ", ".join(f"{name} {column[-1]:.6g}" for name, column in loop.history.items()))
