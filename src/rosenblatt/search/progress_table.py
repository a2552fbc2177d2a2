"""The best candidates so far, while a search is running.

Takes results as they come. Writes a live table to a terminal, or a line for each new best to a file or a pipe, and
nothing without ``verbose``. Never decides anything.
"""

from __future__ import annotations

import math
import time
from contextlib import ExitStack
from typing import Any, Self

from rich.console import Console
from rich.live import Live
from rich.table import Table

from rosenblatt.search.halving import Bracket
from rosenblatt.search.journal import Result
from rosenblatt.training.progress import end_live, live_display, live_options, standard_console

__all__ = ["ProgressTable"]

N_SHOWN = 5
NUMBER_WIDTH = 7
"""Characters of a number, which long parameters must not cut."""


class ProgressTable:
    """A table of the best candidates; `began` and `end` are by `time.monotonic`, infinite if there is no end."""

    def __init__(self, verbose: int, began: float, end: float, console: Console | None = None) -> None:
        self.verbose, self.began, self.end = bool(verbose), began, end
        self.console = console or standard_console()
        self.found: dict[int, tuple[Result, dict[str, Any]]] = {}
        self.planned, self.trained, self.n_failed = 0, 0, 0
        self.live: Live | None = None
        self._until_end = ExitStack()

    def __enter__(self) -> Self:
        if self.verbose and self._until_end.enter_context(live_display(self.console)):
            self.live = Live(get_renderable=self.table, console=self.console, refresh_per_second=2, **live_options())
            self._until_end.callback(end_live, self.live)
            self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._until_end.close()

    def plan(self, bracket: Bracket, n_folds: int) -> None:
        """Candidates that will be trained."""
        before = (0, *(rung.epochs for rung in bracket.rungs))
        self.planned += sum(r.count * (r.epochs - b) for r, b in zip(bracket.rungs, before, strict=False))

    def add(self, result: Result, params: dict[str, Any]) -> None:
        """Record a result, and show it if it is the best."""
        before = self.found[result.trial][0].epochs if result.trial in self.found else 0
        self.trained += result.epochs - before
        self.n_failed += bool(result.error)
        best = self.best(1)
        self.found[result.trial] = result, params
        if self.verbose and self.live is None and self.best(1) != best:
            self.console.print(self.line(), markup=False, soft_wrap=True)

    def best(self, n: int) -> list[tuple[Result, dict[str, Any]]]:
        """Those with the most epochs first, and among them the best first."""
        scored = [entry for entry in self.found.values() if entry[0].scores]
        return sorted(scored, key=lambda entry: (-entry[0].rung, -entry[0].mean, entry[0].trial))[:n]

    def seconds_left(self) -> float:
        """An estimate from the remaining epochs and the time budget; infinite before anything is known."""
        elapsed = time.monotonic() - self.began
        by_plan = elapsed * (self.planned - self.trained) / self.trained if self.trained else math.inf
        return max(0.0, min(by_plan, self.end - time.monotonic()))

    def title(self) -> str:
        """The progress of the search."""
        failed = f", {self.n_failed} failed" if self.n_failed else ""
        left = self.seconds_left()
        candidates = f"{len(self.found)} candidate{'' if len(self.found) == 1 else 's'}"
        return f"{candidates}{failed}" + (f", about {left:.0f} s left" if left < math.inf else "")

    def line(self) -> str:
        """The best candidate."""
        result, params = self.best(1)[0]
        return f"{self.title()}; best {result.mean:.4f} after {result.epochs} epochs: {format_params(params)}"

    def table(self) -> Table:
        """The best candidates."""
        table = Table(title=self.title(), title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0))
        for name in ("score", "epochs"):
            table.add_column(name, justify="right", no_wrap=True, min_width=NUMBER_WIDTH)
        table.add_column("parameters", overflow="ellipsis", no_wrap=True)
        for result, params in self.best(N_SHOWN):
            table.add_row(f"{result.mean:.4f}", str(result.epochs), format_params(params))
        return table


def format_params(params: dict[str, Any]) -> str:
    """Parameters in a line; if there are none, the estimator is tried as it is."""
    shown = {name: f"{value:.3g}" if isinstance(value, float) else repr(value) for name, value in params.items()}
    return ", ".join(f"{name}={value}" for name, value in shown.items()) or "as it is"
