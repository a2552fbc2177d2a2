"""The first lines of a page: what a model predicts and how well, in words and in a few figures.

Takes the facts of a report. Returns texts. Never judges by anything that the page does not show.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rosenblatt._suggestions import join_names
from rosenblatt.estimators.tabular.explain.shortened import counted
from rosenblatt.report.facts import PARTLY_SEEN
from rosenblatt.report.scored import HELD_OUT, OUT_OF_FOLD
from rosenblatt.report.wording import interval, megabytes, metric_name, number, visible

__all__ = ["cards", "n_columns", "network_pairs", "training_time", "verdict", "what_matters"]

Facts = Mapping[str, Any]
MOST_NAMED = 3
SCORED = {
    HELD_OUT: ("held-out row", ""),
    OUT_OF_FOLD: ("row", ", each predicted by networks that did not train on it"),
    PARTLY_SEEN: ("given row", ", many of which the model was trained on"),
}
"""What the rows of a score are called, and what is said of them."""


def verdict(facts: Facts) -> tuple[str, str]:
    """A heading, and a sentence with the score beside that of the guess."""
    model, data = facts["model"], facts["data"]
    target = model.get("target")
    title = f"A model that predicts {visible(target)}" if target else "A model and what it predicts"
    scores = facts.get("scores")
    if not scores:
        trained = f"It was trained on {counted(data['rows'], 'row')} of {counted(n_columns(facts), 'column')}."
        return title, f"{trained} This report has no score."
    return title, f"{scored(scores[0])} {compared(scores[0])}"


def scored(score: Facts) -> str:
    """The score with its interval."""
    what, explained = SCORED[score["where"]]
    n = score.get("rows")
    where = f"On {what}s" if n is None else f"On {counted(n, what)}"
    reached = f"{where}{explained}, its {metric_name(score)} is {number(score['model'])}"
    between = f" (95 % interval {interval(score['interval'])})" if score.get("interval") else ""
    too_good = ", which is too good" if score["where"] == PARTLY_SEEN else ""
    return f"{reached}{between}{too_good}."


def compared(score: Facts) -> str:
    """Whether the score is better than the guess."""
    name = score.get("guess_name") or "without a model"
    if score.get("guess") is None:
        return ""
    sign = -1 if score.get("greater_is_better") is False else 1
    better = sign * (score["model"] - score["guess"]) > 0
    reaches = f"The trivial guess ({name}) has {number(score['guess'])}"
    return f"{reaches}." if better else f"That is no better than a trivial guess. {reaches}."


def what_matters(facts: Facts) -> str:
    """A sentence on the most important columns, if their importance is more than its error."""
    found = facts.get("importance") or ()
    names = [visible(one["name"]) for one in found if one["importance"] > (one["error"] or 0)][:MOST_NAMED]
    return f"What matters most: {join_names(names)}." if names else ""


def n_columns(facts: Facts) -> int:
    """The number of columns that the model was given."""
    data = facts["data"]
    return int(data.get("n_columns") or len(data["columns"]))


def cards(facts: Facts) -> list[tuple[str, str, str]]:
    """Name, figure and note of each card."""
    found: list[tuple[str, str, str]] = []
    for score in (facts.get("scores") or [])[:1]:
        note = f"{interval(score.get('interval'))}, {score['where']}" if score.get("interval") else score["where"]
        found.append((metric_name(score), number(score["model"]), note))
        found.append(("trivial guess", number(score.get("guess")), score.get("guess_name") or ""))
        if score.get("linear") is not None:
            found.append(("linear model", number(score["linear"]), "on the same rows"))
    found.append(("training rows", number(facts["data"]["rows"]), counted(n_columns(facts), "column")))
    checks = facts.get("checks") or []
    warnings = sum(check["severity"] == "warning" for check in checks)
    found.append(("warnings", number(warnings), f"and {counted(len(checks) - warnings, 'note')}"))
    network = facts.get("network") or {}
    if network.get("members"):
        members = network["members"] if isinstance(network["members"], int) else len(network["members"])
        note = f"{number(network['parameters'])} parameters" if network.get("parameters") else ""
        found.append(("networks", number(members), note))
    if (size := (facts.get("file") or {}).get("bytes")) is not None:
        found.append(("model file", megabytes(size), "safetensors, no code"))
    return found


def network_pairs(facts: Facts) -> dict[str, Any]:
    """The network, its training, its cost and its file, as names and values."""
    parts = [facts.get(part) or {} for part in ("network", "training", "cost")]
    found = {name: value for part in parts for name, value in part.items() if name != "layers" and value is not None}
    if (size := found.pop("parameter_bytes", None)) is not None:
        found["memory of parameters"] = megabytes(size)
    if (size := (facts.get("file") or {}).get("bytes")) is not None:
        found["model file"] = megabytes(size)
    return {name.replace("_", " "): value for name, value in found.items()}


def training_time(model: Any) -> dict[str, str]:
    """How long the training took, and rows a second; nothing of a model whose training is not known."""
    seconds = getattr(model, "fit_time_", None)
    if not seconds:
        return {}
    rows = sum(len(member.curve) * (model.n_rows_ - len(member.held_out)) for member in model.ensemble_.members)
    return {"training took": f"{seconds:.3g} seconds", "rows trained on per second": f"{rows / seconds:,.0f}"}
