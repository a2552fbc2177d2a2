"""A comparison of two models in words: a sentence, text for a terminal, and Markdown.

Takes the plain values of a comparison. Returns text. Never computes a score.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from rosenblatt.estimators.tabular.explain.shortened import counted, readable
from rosenblatt.report.markdown import escaped

__all__ = ["shown_facts", "to_markdown", "to_text", "verdict"]

Rows = list[tuple[str, ...]]
Section = tuple[str, Rows, Sequence[str]]
"""A title, a table whose first row is the header, and sentences below it."""
NUMERIC = re.compile(r"[-+]?[\d,.]+(e[-+]\d+)?( to [-+]?[\d,.]+(e[-+]\d+)?)?|none")
"""What is aligned to the right: numbers, and intervals."""
LONG = 2000
"""Signs of a sentence, from which on it is cut in Markdown."""
SENTENCES = ("message", "remedy", "verdict")
PROBABILITIES = ("a_probability", "b_probability")
UNSCALED = ("R2", "D2")
"""Measures of numbers without a unit begin so."""


def verdict(facts: dict[str, Any]) -> str:
    """Which model is better by the first score, or that the rows do not tell."""
    facts = shown_facts(facts)
    score, (a, b) = facts["scores"][0], facts["names"]
    name, rows = score["metric"], "this row" if facts["rows"] == 1 else f"these {facts['rows']:,} rows"
    values = [number(score[key], score, facts) for key in ("a", "b")]
    if facts["disagreement"]["identical"]:
        return f"{a} and {b} predict the same on {rows}: their {name} is {values[0]}."
    interval = "too few rows for an interval of the difference"
    if score["interval"] is not None:
        interval = f"95 % interval of the difference {interval_text(score, facts)}"
    if score["better"] is None:
        return f"{a} and {b} cannot be told apart by {name} on {rows}: {' and '.join(values)} ({interval})."
    values = values if score["better"] == a else values[::-1]
    return f"{score['better']} is better by {name} on {rows}: {' against '.join(values)} ({interval})."


def shown_facts(facts: dict[str, Any]) -> dict[str, Any]:
    """The facts as all forms show them: names of data and of models are short, visible, and on one line."""
    found: dict[str, Any] = readable(facts, sentences=SENTENCES)
    return found


def number(value: Any, score: dict[str, Any], facts: dict[str, Any], sign: str = "") -> str:
    """A score: errors have the target's unit, others are shares."""
    if value is None:
        return "none"
    has_unit = facts["task"] == "regression" and not score["metric"].startswith(UNSCALED)
    return f"{value:{sign}{'.6g' if has_unit else '.4f'}}"


def interval_text(score: dict[str, Any], facts: dict[str, Any]) -> str:
    """Both ends of the interval of a difference."""
    if score["interval"] is None:
        return "none"
    low, high = (number(end, score, facts, "+") for end in score["interval"])
    return f"{low} to {high}"


def sections(facts: dict[str, Any]) -> list[Section]:
    """The comparison as titled tables and sentences; parts without content are left out."""
    found = [scores(facts), disagreements(facts), classes(facts), models(facts), parameters(facts)]
    found += [("To check", [], [f"{check['model']}: {said(check)}" for check in facts["checks"]])]
    return [section for section in found if len(section[1]) > 1 or section[2]]


def said(check: dict[str, Any]) -> str:
    """A check and its remedy."""
    return " ".join(filter(None, (check["message"], check["remedy"])))


def scores(facts: dict[str, Any]) -> Section:
    """Each score of both, and the difference."""
    header = (counted(facts["rows"], "row"), *facts["names"], "difference")
    rows: Rows = [(*header, "95 % interval", "better")]
    for score in facts["scores"]:
        a, b = (number(score[key], score, facts) for key in ("a", "b"))
        difference = number(score["difference"], score, facts, "+")
        rows.append(
            (score["metric"], a, b, difference, interval_text(score, facts), score["better"] or "cannot be told")
        )
    return "Scores", rows, []


def disagreements(facts: dict[str, Any]) -> Section:
    """How many rows the models predict differently, and which."""
    found, (a, b), shown = facts["disagreement"], facts["names"], facts["examples"]
    if found["identical"]:
        return "Disagreements", [], ["Their predictions are the same for each row."]
    if "share" in found:
        text = (
            f"They disagree on {found['rows']:,} of {counted(facts['rows'], 'row')}: only {a} is right on "
            f"{found['only_a_right']:,}, only {b} on {found['only_b_right']:,}. Both are right on "
            f"{counted(found['both_right'], 'row')}, and both wrong on {found['both_wrong']:,}."
        )
        header: tuple[str, ...] = ("true", a, b, f"{a}: P(true)", f"{b}: P(true)")
        cells: list[tuple[str, ...]] = [
            (e["true"], e["a"], e["b"], *(f"{e[key]:.3f}" for key in PROBABILITIES)) for e in shown
        ]
    else:
        text = (
            f"Predictions differ by {found['mean']:.6g} on average and by {found['largest']:.6g} at most. {a} is "
            f"nearer to the truth on {counted(found['a_nearer'], 'row')}, {b} on {found['b_nearer']:,}."
        )
        header, cells = ("true", a, b), [tuple(values(e[key]) for key in ("true", "a", "b")) for e in shown]
    if not shown:
        return "Disagreements", [], [text]
    rows: Rows = [("row", *shown[0].get("id", ()), *header, *shown[0]["cells"])]
    rows += [
        (f"{e['row']:,}", *e.get("id", {}).values(), *own, *e["cells"].values())
        for e, own in zip(shown, cells, strict=True)
    ]
    return "Disagreements", rows, [text]


def values(found: Any) -> str:
    """A number, or several."""
    return ", ".join(f"{one:.6g}" for one in found) if isinstance(found, list) else f"{found:.6g}"


def classes(facts: dict[str, Any]) -> Section:
    """Precision and recall of each class."""
    a, b = facts["names"]
    rows: Rows = [("class", "rows", *(f"{name}: {what}" for what in ("precision", "recall") for name in (a, b)))]
    for one in facts.get("classes", ()):
        shares = [one[key][what] for what in ("precision", "recall") for key in ("a", "b")]
        rows.append((one["class"], f"{one['rows']:,}", *("none" if s is None else f"{s:.3f}" for s in shares)))
    return "Classes", rows, []


def models(facts: dict[str, Any]) -> Section:
    """What each model is, and in which columns they differ."""
    a, b = facts["models"]
    rows: Rows = [("", *facts["names"])]
    for label, key in (("kind", "kind"), ("training rows", "training_rows"), ("columns used", "columns")):
        rows.append((label, *(shown(model[key]) for model in (a, b))))
    for label, key in (("networks", "networks"), ("hidden layers", "architecture"), ("parameters", "parameters")):
        rows.append((label, *(shown(model[key]) for model in (a, b))))
    own = [f"{m['own_score']['metric']} {m['own_score']['value']:.4f} {m['own_score']['measured']}" for m in (a, b)]
    rows += [("in training", *own), ("predictions", *(str(model["predictions"]) for model in (a, b)))]
    columns, (first, second) = facts["columns"], facts["names"]
    texts = [
        f"Only {name} uses {', '.join(map(repr, columns[key]))}."
        for name, key in ((first, "only_a"), (second, "only_b"))
        if columns[key]
    ]
    texts += [f"{kind['name']!r} is {kind['a']} to {first}, and {kind['b']} to {second}." for kind in columns["kinds"]]
    return "Models", rows, texts


def shown(value: Any) -> str:
    """A number with separators, or a text."""
    return f"{value:,}" if isinstance(value, int) else str(value)


def parameters(facts: dict[str, Any]) -> Section:
    """The parameters that differ."""
    rows: Rows = [("parameter", *facts["names"])]
    rows += [(one["name"], *(parameter(one[key]) for key in ("a", "b"))) for one in facts["parameters"]]
    return "Parameters", rows, []


def parameter(value: Any) -> str:
    """The value of a parameter."""
    return (
        f"{value:.3g}"
        if isinstance(value, float)
        else "-".join(map(str, value))
        if isinstance(value, list)
        else str(value)
    )


def title(facts: dict[str, Any]) -> str:
    """What is compared."""
    a, b = facts["names"]
    return f"{a} and {b}: two models of {facts['target'] or 'the target'}"


def to_text(facts: dict[str, Any]) -> str:
    """The comparison as aligned text."""
    facts = shown_facts(facts)
    lines = [title(facts), "", facts["verdict"]]
    for name, rows, texts in sections(facts):
        lines += ["", name.lower(), *(f"  {line}" for line in [*texts, *aligned(rows)])]
    return "\n".join(lines)


def aligned(rows: Rows) -> list[str]:
    """A table as lines of equal columns, numbers to the right."""
    if len(rows) < 2:
        return []
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    aligns = [str.rjust if is_number else str.ljust for is_number in numeric_columns(rows)]
    return [
        "  ".join(align(cell, width) for align, cell, width in zip(aligns, row, widths, strict=True)).rstrip()
        for row in rows
    ]


def numeric_columns(rows: Rows) -> list[bool]:
    """Whether the cells of each column below the header are numbers."""
    return [all(map(NUMERIC.fullmatch, column)) for column in zip(*rows[1:], strict=True)]


def to_markdown(facts: dict[str, Any]) -> str:
    """The comparison in Markdown."""
    facts = shown_facts(facts)
    lines = [f"# {escaped(title(facts), LONG)}", "", escaped(facts["verdict"], LONG)]
    for name, rows, texts in sections(facts):
        lines += ["", f"## {name}", ""]
        bullet = "- " if name == "To check" else ""
        lines += [f"{bullet}{escaped(text, LONG)}" for text in texts]
        if len(rows) > 1:
            header, *body = [f"| {' | '.join(map(escaped, row))} |" for row in rows]
            rule = f"|{'|'.join('--:' if is_number else '---' for is_number in numeric_columns(rows))}|"
            lines += [*([""] if texts else []), header, rule, *body]
    return "\n".join(lines) + "\n"
