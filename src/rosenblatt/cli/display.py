"""Tables, progress and scores in the terminal.

Takes what a command found, as plain values of `rosenblatt.cli.results`. Returns nothing: it keeps them for ``--json``
and writes them as text, with a live line where that goes to a terminal and plain lines where it goes to a file or a
pipe. Never decides anything.
"""

from __future__ import annotations

import sys
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.text import Text

from rosenblatt._version import __version__
from rosenblatt.cli.clock import CLOCK
from rosenblatt.cli.layout import aligned, counted, visible, wrapped
from rosenblatt.cli.messages import in_options

if TYPE_CHECKING:
    from rosenblatt.estimators.tabular.progress import LiveProgress, PlainProgress

__all__ = ["Display"]

MAX_COLUMNS_SHOWN = 20
MAX_CLASSES_SHOWN = 12
MAX_IMPORTANT = 50
LABEL_WIDTH = 10
INDENT = 6
PLAIN_WIDTH = 400
"""Nobody resizes a file, so that nothing is cut there."""


class Display:
    """Writes to one console, and keeps what was shown in `data`; `result` is the stream that results are written to."""

    def __init__(self, console: Console | None = None, result: Any = None) -> None:
        self.console = console or Console(highlight=False, soft_wrap=True)
        self.result = result or sys.stdout
        self.data: dict[str, Any] = {"version": __version__}
        self.is_complete, self.written = False, ""
        if console is None and not self.console.is_terminal:
            self.console.width = PLAIN_WIDTH

    def line(self, label: str, text: str) -> None:
        """A label and a sentence, which is wrapped in a terminal."""
        text = visible(text)
        first, *rest = wrapped(text, self.console.width - LABEL_WIDTH) if self.console.is_terminal else [text]
        self.console.print(Text.assemble((f"{label:<{LABEL_WIDTH}}", "bold"), first))
        for more in rest:
            self.console.print(Text(" " * LABEL_WIDTH + more))

    def text(self, text: str = "") -> None:
        """Lines as they are."""
        self.console.print(Text("\n".join(map(visible, text.split("\n")))), soft_wrap=True)

    def sentences(self, text: str) -> None:
        """Lines, of which those that are too long for a terminal go on in the next one."""
        lines = wrapped(text, self.console.width, INDENT) if self.console.is_terminal else [text]
        self.text("\n".join(lines))

    def grid(
        self,
        header: Sequence[str],
        rows: Sequence[Sequence[str]],
        right: Sequence[int] = (),
        cuts: int | None = None,
    ) -> None:
        """A table, its columns `right` aligned to the right, and the column `cuts` cut where lines are too long."""
        first, *lines = aligned([header, *rows], self.console.width, right, cuts)
        self.console.print(Text(first, "bold"), soft_wrap=True)
        for line in lines:
            self.text(line)

    def table(self, source: str, n_rows: int, n_columns: int) -> None:
        """Where the rows come from, and how many there are."""
        self.data["table"] = {"source": source, "rows": n_rows, "columns": n_columns}
        self.line("table", f"{source}: {counted(n_rows, 'row')}, {counted(n_columns, 'column')}")

    def target(self, target: dict[str, Any]) -> None:
        """What is predicted."""
        self.data["target"] = target
        if "classes" in target:
            found = f"{len(target['classes'])} classes ({some(target['classes'])})"
        else:
            found = f"regression, mean {target['mean']:.6g}, standard deviation {target['standard_deviation']:.6g}"
        self.line("target", f"{target['name']}: {found}")

    def roles(self, roles: dict[str, list[str]]) -> None:
        """The columns that are not inputs, by what they are instead."""
        self.data["roles"] = roles
        self.line("roles", "; ".join(f"{role.replace('_', ' ')}: {some(names)}" for role, names in roles.items()))

    def check(self, text: str) -> None:
        """What a user should look at before training."""
        self.data.setdefault("checks", []).append(text)
        self.line("check", text)

    def note(self, text: str) -> None:
        """A warning of the training."""
        self.data.setdefault("notes", []).append(text)
        self.line("note", text)

    @contextmanager
    def warnings(self) -> Iterator[None]:
        """Warnings for the user become notes, each once; the others are left alone."""
        from rosenblatt.tables.table import TableWarning

        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield
        for message in dict.fromkeys(str(w.message) for w in caught if w.category in (UserWarning, TableWarning)):
            self.note(in_options(message))

    def columns(self, columns: Sequence[dict[str, Any]], n_rows: int) -> None:
        """What each column was taken for in the rows to train on; in a wide table, not all that are used."""
        self.data |= {"rows": n_rows, "columns": columns}
        self.text()
        shown = [*columns[:MAX_COLUMNS_SHOWN], *(c for c in columns[MAX_COLUMNS_SHOWN:] if not c["used"])]
        rows = [(c["name"], c["kind"], f"{c['missing']:,}" if c["missing"] else "", c["detail"]) for c in shown]
        self.grid(("column", "kind", "missing", f"of {n_rows:,} rows to train on"), rows, right=(2,), cuts=3)
        if hidden := Counter(c["kind"] for c in columns[MAX_COLUMNS_SHOWN:] if c["used"]):
            self.text("and " + ", ".join(f"{count} more {name}" for name, count in hidden.items()))
        for column in columns:
            if column["check"]:
                self.line("check", column["check"])
        if any(column["kind"] == "identifier" for column in columns):
            self.line("hint", "To keep a dropped column: --kind COLUMN=categorical, or =numeric if it holds numbers")
        self.text()

    def progress(self) -> AbstractContextManager[PlainProgress | LiveProgress]:
        """What to call after each epoch: one live line in a terminal, else lines."""
        from rosenblatt.estimators.tabular.progress import shown_progress

        return shown_progress(self.console, self.text)

    def training(self, training: dict[str, Any]) -> None:
        """How the networks were trained."""
        self.data["training"] = training
        if n_resumed := training["resumed_epochs"]:
            self.line("resumed", f"{counted(n_resumed, 'epoch')} of an earlier process, from the checkpoint")
        n = training["networks"]
        networks = f"{'a network' if n == 1 else f'{n} networks'} ({training['architecture']})"
        how = "Interrupted; what was learned so far is kept: " if training["interrupted"] else ""
        epochs = f"at most {training['epochs']} epochs, the best kept: {some(training['best_epochs'])}"
        self.line("training", f"{how}{networks}, {epochs}")

    def scores(self, scores: dict[str, Any]) -> None:
        """The scores of rows that were not trained on beside those of the guess, then where the errors are."""
        self.data["scores"] = scores
        self.text()
        classes = "confusion" in scores
        digits = [".4f"] + [".4f" if classes else ".6g"] * (len(scores["metrics"]) - 1)  # errors have the target's unit
        rows = [
            (name, number(found["model"], d), number(found["guess"], d))
            for d, (name, found) in zip(digits, scores["metrics"].items(), strict=True)
        ]
        called = scores["scored"] if scores["rows"] != 1 else scores["scored"].replace("rows", "row", 1)
        self.grid((f"{scores['rows']:,} {called}", "model", scores["guess"]), rows, right=(1, 2))
        self.text()
        if scores["measured"]:
            self.line("measured", scores["measured"])
        if scores["verdict"]:
            self.line("verdict", scores["verdict"])
        if classes:
            self.confusion(np.array(scores["confusion"]["counts"]), scores["confusion"]["classes"])
        if "residuals" in scores:
            low, first, middle, third, high = (number(value, ".6g") for value in scores["residuals"].values())
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

    def choice(self, choice: dict[str, Any]) -> None:
        """What a search chose, and why."""
        self.data["search"] = choice
        what = "the best candidates" if choice["chosen"] == "search" else "the defaults"
        why = f"{choice['score_name']} {choice['reason']}" if choice["best"] is not None else choice["reason"]
        self.line("chosen", f"{what}: {why}, out of fold" if choice["best"] is not None else f"{what}: {why}")
        if choice["changes"]:
            self.text()
            rows = [(name, value(c["defaults"]), value(c["search"])) for name, c in choice["changes"].items()]
            self.grid(("differs in", "defaults", "search"), rows)

    def importance(self, found: dict[str, Any]) -> None:
        """How much each column matters."""
        self.data["importance"] = found
        self.line("explain", f"{found['method']}, {counted(found['rows'], 'row')}: {found['quantity']}")
        if found["score"] is not None:
            self.line("score", f"{found['score_name']} {found['score']:.4f} with all columns as they are")
        self.text()
        d = ".6g" if found["score"] is None else ".4f"  # contributions have the target's unit
        rows = [(c["name"], number(c["importance"], d), number(c["deviation"], d)) for c in found["columns"]]
        self.grid(("column", "importance", "deviation"), rows[:MAX_IMPORTANT], right=(1, 2))
        if (rest := len(rows) - MAX_IMPORTANT) > 0:
            self.text(f"and {rest:,} more")
        if found["note"]:
            self.line("note", found["note"])

    def contributions(self, found: dict[str, Any]) -> None:
        """What each column contributes to the prediction of a row."""
        self.data["contributions"] = found
        of_class = f" {found['class']!r}" if found["class"] is not None else ""
        self.line("explain", f"{found['method']}, row {found['row']:,}: {found['quantity']}{of_class}")
        prediction, baseline = numbers(found["prediction"]), numbers(found["baseline"])
        error = number(found["error"], ".2g")
        self.line("sum", f"prediction {prediction} = baseline {baseline} + contributions, to within {error}")
        self.line("effort", found["effort"])
        self.text()
        rows = [(c["name"], numbers(c["contribution"], "+.6g"), c["value"]) for c in found["columns"]]
        self.grid(("column", "contribution", "value"), rows[:MAX_IMPORTANT], right=(1,), cuts=2)

    def drift(self, found: dict[str, Any]) -> None:
        """How unlike the training rows other rows are, one line a column."""
        self.data["drift"] = found
        self.text()
        rows = [
            (
                c["column"],
                share(c["unseen"] if c["out_of_range"] is None else c["out_of_range"]),
                share(c["missing"]),
                share(c["missing_in_training"]),
                number(c["psi"], ".3f"),
                number(c["psi_by_chance"], ".3f"),
                c["example"],
            )
            for c in found["columns"]
        ]
        self.grid(("column", "new", "missing", "before", "PSI", "chance", "example"), rows, range(1, 6), cuts=6)
        self.text()
        self.line("new", "cells of a level, or words, that training never saw, or numbers and dates out of its range")
        self.line("before", "share of missing cells in training")
        self.line("PSI", "population stability index: by custom, much has changed from 0.25 on, if it is above chance")

    def wrote(self, name: str) -> None:
        """A file was written just now; Ctrl-C comes too late for it."""
        self.written = "standard output" if name == "-" else name

    def file(self, name: str, n_bytes: int, what: str = "") -> None:
        """Say which file was written; the command is complete."""
        self.data["file"] = {"path": name, "bytes": n_bytes}
        self.complete()
        size = what or f"{n_bytes / 1000:,.0f} kB"
        self.line("file", f"{self.written} ({size}), {self.data['seconds']:.2f} s in all")

    def report(self, name: str, n_bytes: int) -> None:
        """A report was written beside the model."""
        self.data["report"] = {"path": name, "bytes": n_bytes}
        self.line("report", f"{name} ({n_bytes / 1000:,.0f} kB)")

    def complete(self, **data: Any) -> None:
        """All that ``--json`` writes was found."""
        self.data |= {**data, "seconds": round(CLOCK.seconds(), 3)}
        self.is_complete = True


def number(value: float | None, digits: str) -> str:
    """A number of a result; one that was not finite is None there."""
    return "none" if value is None else f"{value:{digits}}"


def share(found: float | None) -> str:
    """A share in percent."""
    return "none" if found is None else f"{found:.1%}"


def numbers(found: Any, digits: str = ".6g") -> str:
    """A number, or one for each output."""
    return ", ".join(number(one, digits) for one in found) if isinstance(found, list) else number(found, digits)


def value(one: Any) -> str:
    """The value of a parameter."""
    return f"{one:.3g}" if isinstance(one, float) else "-".join(map(str, one)) if isinstance(one, list) else str(one)


def some(values: Sequence[Any], most: int = 10) -> str:
    """The first values, separated by commas."""
    return ", ".join(map(str, values[:most])) + (", …" if len(values) > most else "")
