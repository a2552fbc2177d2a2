"""Tables, progress and scores in the terminal.

Takes kinds, epochs, evaluations. Returns nothing: it writes text to standard output, with a live line where that is a
terminal and plain lines where it is a file or a pipe. Never decides anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from rosenblatt.cli.messages import in_options

if TYPE_CHECKING:
    from rosenblatt.estimators.tabular.member import MemberEpoch
    from rosenblatt.tables.evaluation import Evaluation
    from rosenblatt.tables.kinds import ColumnKind

__all__ = ["Display"]

MAX_COLUMNS_SHOWN = 20
MAX_CLASSES_SHOWN = 12
LABEL_WIDTH = 10
PLAIN_WIDTH = 400


class Display:
    """Writes to one console."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False, soft_wrap=True)
        if console is None and not self.console.is_terminal:
            self.console.width = PLAIN_WIDTH  # nobody resizes a file: cut nothing off

    def line(self, label: str, text: str) -> None:
        """A label and a sentence."""
        self.console.print(Text.assemble((f"{label:<{LABEL_WIDTH}}", "bold"), text))

    def grid(self, header: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> None:
        """A table, its columns `right` aligned to the right."""
        grid = Grid(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
        for place, name in enumerate(header):
            grid.add_column(Text(name), justify="right" if place in right else "left", no_wrap=True)
        for row in rows:
            grid.add_row(*(Text(cell) for cell in row))
        self.console.print(grid, soft_wrap=False, no_wrap=True, crop=False)

    def kinds(self, kinds: Sequence[ColumnKind]) -> None:
        """What each column was taken for; in a wide table, only the first columns and all that are dropped."""
        self.console.print()
        shown = list(kinds[:MAX_COLUMNS_SHOWN]) + [kind for kind in kinds[MAX_COLUMNS_SHOWN:] if not kind.used]
        rows = [(k.name, k.kind, f"{k.n_missing:,}" if k.n_missing else "", in_options(k.detail)) for k in shown]
        self.grid(("column", "kind", "missing", ""), rows, right=(2,))
        hidden = Counter(kind.kind for kind in kinds[MAX_COLUMNS_SHOWN:] if kind.used)
        if hidden:
            self.console.print(Text("and " + ", ".join(f"{count} more {name}" for name, count in hidden.items())))
        for kind in kinds:
            if kind.check:
                self.line("check", in_options(kind.check))
        if any(kind.kind == "identifier" for kind in kinds):
            self.console.print(
                Text("To keep a dropped column: --kind COLUMN=categorical, or =numeric if it holds numbers")
            )
        self.console.print()

    @contextmanager
    def progress(self) -> Iterator[Callable[[MemberEpoch], None]]:
        """A function to call after each epoch: one live line in a terminal, else a line for each finished network."""
        if not self.console.is_terminal:
            yield self.plain_epoch
            return
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(bar_width=24), TimeRemainingColumn())
        with Progress(*columns, console=self.console) as progress:
            task = progress.add_task("network 1", total=None)
            done: dict[int, int] = {}

            def show(epoch: MemberEpoch) -> None:
                done[epoch.member] = epoch.number
                total = epoch.members * epoch.epochs
                progress.update(task, total=total, completed=sum(done.values()), description=str(epoch))

            yield show

    def plain_epoch(self, epoch: MemberEpoch) -> None:
        """The last epoch of each network."""
        if epoch.number == epoch.epochs:
            self.console.print(Text(str(epoch)))

    def scores(self, evaluation: Evaluation, classes: Any, held_out: bool = True) -> None:
        """The score of held-out or out-of-fold rows beside the baseline, then where the errors are."""
        e = evaluation
        self.console.print()
        errors = ".6g" if classes is None else ".4f"  # a log loss has no unit, an error has the target's
        digits = [".4f"] + [errors] * (len(e.scores) - 1)
        rows = [(n, f"{own:{d}}", f"{base:{d}}") for d, (n, (own, base)) in zip(digits, e.scores.items(), strict=True)]
        title = f"{e.n_rows:,} {'held-out' if held_out else 'out-of-fold'} row{'s' if e.n_rows > 1 else ''}"
        self.grid((title, "model", e.guess_name), rows, right=(1, 2))
        self.console.print()
        if e.verdict:
            self.line("verdict", e.verdict)
        if e.confusion is not None:
            self.confusion(e.confusion, [str(name) for name in classes])
        if e.residuals is not None:
            low, first, middle, third, high = (f"{value:.6g}" for value in e.residuals)
            spread = f"half lie between {first} and {third}, 90 % between {low} and {high}; median {middle}"
            self.line("residuals", spread)

    def confusion(self, counts: Any, classes: Sequence[str]) -> None:
        """The matrix or, for many classes, the ten most frequent mistakes."""
        names = [name if len(name) <= 14 else f"{name[:13]}…" for name in classes]
        if len(names) <= MAX_CLASSES_SHOWN:
            rows = [(name, *(f"{count:,}" for count in row)) for name, row in zip(names, counts, strict=True)]
            self.grid(("true \\ predicted", *names), rows, right=range(1, len(names) + 1))
            return
        pairs = sorted(((count, i, j) for (i, j), count in np.ndenumerate(counts) if i != j), reverse=True)
        worst = [(names[i], names[j], f"{count:,}") for count, i, j in pairs[:10] if count]
        self.grid(("true", "predicted", "rows"), worst, right=(2,))
