"""A report as Markdown.

Takes the facts of a report. Returns headings, sentences and tables. Never writes HTML: cells are escaped, so that a
name with a bar or a line break stays in its place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from rosenblatt.estimators.tabular.explain.shortened import counted, short
from rosenblatt.report.wording import metric_name

__all__ = ["escaped", "markdown_of", "table"]

MAX_COLUMNS, MAX_IMPORTANT = 50, 15
MAX_CELL = 160
BARS = "▁▂▃▄▅▆▇█"
SPECIAL = re.compile(r"([\\`*<>\[\]|~&]|(?<![^\W_])_|_(?![^\W_]))")
"""What Markdown would take for markup; an underscore within a word is none."""

Facts = Mapping[str, Any]
Section = Callable[[Facts], Iterator[str]]


def markdown_of(facts: Facts) -> str:
    """All parts that there are, the most important ones first."""
    lines = [f"# Report on a {facts['model']['kind']}", "", opening(facts)]
    for heading, section in SECTIONS.items():
        if found := list(section(facts)):
            lines += ["", f"## {heading}", "", *found]
    return "\n".join(lines) + "\n"


def escaped(text: Any, most: int = MAX_CELL) -> str:
    """A text on one line, in which nothing is markup."""
    return SPECIAL.sub(r"\\\1", short(str(text), most))


def number(value: Any) -> str:
    """A number with four digits, or nothing for none."""
    if value is None or isinstance(value, str):
        return "" if value is None else escaped(value)
    if isinstance(value, (list, tuple)):
        return ", ".join(number(one) for one in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{escaped(name)}: {number(one)}" for name, one in value.items())
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], n_texts: int = 1) -> list[str]:
    """Aligned lines of a table; the first `n_texts` columns are texts, the others numbers."""
    widths = [max(3, *(len(row[i]) for row in (heads, *rows))) for i in range(len(heads))]
    texts = [i < n_texts for i in range(len(heads))]

    def line(cells: Sequence[str]) -> str:
        parts = zip(cells, widths, texts, strict=True)
        return (
            "| " + " | ".join(f"{cell:<{width}}" if text else f"{cell:>{width}}" for cell, width, text in parts) + " |"
        )

    rule = [("-" * width) if text else "-" * (width - 1) + ":" for width, text in zip(widths, texts, strict=True)]
    return [line(heads), "| " + " | ".join(rule) + " |", *map(line, rows)]


def opening(facts: Facts) -> str:
    """A sentence on what was learned."""
    model, data = facts["model"], facts["data"]
    target = f" predicts {escaped(model['target'])}" if "target" in model else f" does {model['task']}"
    return f"It{target} from {counted(data['n_columns'], 'column')}, and was trained on {counted(data['rows'], 'row')}."


def checks(facts: Facts) -> Iterator[str]:
    """A line for each check, or that none fired."""
    for check in facts["checks"]:
        message, remedy = (escaped(check[part], 1000) for part in ("message", "remedy"))
        yield f"- **{check['severity']}** `{check['code']}`: {message} {remedy}"
    if not facts["checks"]:
        yield "None of the checks found anything."


def scores(facts: Facts) -> Iterator[str]:
    """A row for each score, beside those of others."""
    entries = facts.get("scores", [])
    others = list(dict.fromkeys(name for entry in entries for name in entry["others"]))
    linear = ["a linear model"] if any(entry["linear"] is not None for entry in entries) else []
    heads = ["metric", "rows", "model", "95 % interval", "guess", *linear, *map(escaped, others)]
    rows = []
    for entry in entries:
        interval = " to ".join(map(number, entry["interval"] or ()))
        rest = [entry["linear"]] if linear else []
        rest += [entry["others"].get(name) for name in others]
        cells = [number(entry["model"]), interval, number(entry["guess"]), *map(number, rest)]
        rows.append([escaped(metric_name(entry)), entry["where"], *cells])
    yield from table(heads, rows, 2) if rows else ()
    for text in dict.fromkeys(f"{metric_name(e)}: the guess is {e['guess_name']}" for e in entries if e["guess_name"]):
        yield from ("", f"{escaped(text)}.")


def data(facts: Facts) -> Iterator[str]:
    """A row for each column."""
    columns = facts["data"]["columns"]
    rows = [
        [
            escaped(column["name"], 40) or '""',
            escaped(column["treatment"]),
            drawn(column.get("distribution", {}).get("counts", [])),
            number(column["missing"]),
        ]
        for column in columns[:MAX_COLUMNS]
    ]
    yield from table(["column", "treatment", "distribution", "missing"], rows, 3)
    if rest := facts["data"]["n_columns"] - len(rows):
        yield from ("", f"And {counted(rest, 'more column')}.")


def drawn(counts: Sequence[int]) -> str:
    """Counts as bars of text."""
    top = max(counts, default=0)
    return "".join(BARS[round((len(BARS) - 1) * count / top)] for count in counts) if top else ""


def entries_of(
    name: str, heads: Mapping[str, str], n_texts: int = 1, most: int = 50
) -> Callable[[Facts], Iterator[str]]:
    """A function that makes a table of a list of dictionaries: the values of the keys of `heads`."""

    def section(facts: Facts) -> Iterator[str]:
        entries = facts.get(name, [])
        entries = entries["bins"] if isinstance(entries, Mapping) else entries
        keys = [key for key in heads if any(key in entry for entry in entries)]
        rows = [[number(entry.get(key)) for key in keys] for entry in entries[:most]]
        yield from table([heads[key] for key in keys], rows, n_texts) if rows else ()
        if (rest := len(entries) - most) > 0:
            yield from ("", f"And {rest:,} more.")

    return section


def importance(facts: Facts) -> Iterator[str]:
    """By what measure, and the most important columns."""
    about = facts.get("importance_of")
    if about is None:
        return
    yield from (
        f"By {escaped(about['method'])}, in {about['rows']:,} of {about['of']}: {escaped(about['quantity'])}.",
        "",
    )
    heads = {"name": "column", "importance": "importance", "error": "error"}
    yield from entries_of("importance", heads, most=MAX_IMPORTANT)(facts)


def networks(facts: Facts) -> Iterator[str]:
    """The networks, and how each was trained."""
    network, training = facts["network"], facts["training"]
    parts = [counted(network["members"], "network"), f"hidden layers {escaped(network['architecture'])}"]
    parts += [f"{network['parameters']:,} parameters"]
    parts += [f"{facts['cost']['operations_per_row']:,} operations for a row"] if "cost" in facts else []
    parts += [f"{facts['file']['bytes']:,} bytes in a file"] if "file" in facts else []
    yield from (", ".join(parts) + ".", "")
    rows = [
        [str(curve["network"]), number(epochs), number(curve["best_epoch"]), number(best_of(curve))]
        for curve, epochs in zip(facts["curves"], training["epochs"], strict=False)
    ]
    yield from table(["network", "epochs", "best epoch", "held-out metric then"], rows)


def best_of(curve: Facts) -> float | None:
    """The held-out metric at the best epoch."""
    value: float | None = curve["held_out"][curve["epochs"].index(curve["best_epoch"])]
    return value


def reproduce(facts: Facts) -> Iterator[str]:
    """The call, the versions, and which data it was."""
    about = facts["reproduce"]
    yield from ("```python", *about["code"].rstrip().split("\n"), "```", "")
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    yield f"Versions: {versions}."
    if "data" in about:
        yield from ("", f"Hash of the {about['data']['rows']:,} training rows: `{about['data']['hash']}`.")


def missing(facts: Facts) -> Iterator[str]:
    """What the report lacks."""
    for text in facts.get("missing", ()):
        yield f"- {escaped(text, 1000)}"


CALIBRATION = {"predicted": "predicted", "observed": "observed", "interval": "95 % interval", "rows": "rows"}
WORST = {
    **{"row": "row", "id": "id", "true": "true", "predicted": "predicted"},
    **{"probability_of_true": "its probability", "cells": "cells"},
}
"""The parts of entries that are shown, and the heads of their columns."""
SECTIONS: dict[str, Section] = {
    "Checks": checks,
    "Scores": scores,
    "Not shown": missing,
    "Classes": entries_of(
        "classes",
        {"class": "class", "rows": "rows", "predicted": "predicted", "precision": "precision", "recall": "recall"},
    ),
    "Calibration": entries_of("calibration", CALIBRATION, n_texts=0),
    "Intervals": entries_of("intervals", {"level": "level", "coverage": "coverage", "width": "mean width"}, n_texts=0),
    "Importance": importance,
    "Worst rows": entries_of("worst", WORST, n_texts=0),
    "Data": data,
    "Networks": networks,
    "Reproduce": reproduce,
}
