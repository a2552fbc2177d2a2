"""What the scored rows show: classes, thresholds, calibration, coverage of intervals, the worst rows.

Takes the evidence. Returns dictionaries and lists; None without rows, or where the task has no such part. Rows count by
their weights, except where a key is called "rows" or "predicted": these are numbers of rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.estimators.tabular.explain.shortened import short_name
from rosenblatt.metrics import MIN_PROBABILITY
from rosenblatt.report.evidence import Evidence
from rosenblatt.report.examples import examples_of
from rosenblatt.report.scored import ReportRows
from rosenblatt.tables.score_intervals import wilson

__all__ = ["calibration", "classes", "coverages", "intervals", "n_bins", "threshold", "worst"]

Array = NDArray[Any]
MAX_CLASSES = 50
N_BINS, ROWS_OF_A_BIN = 10, 20
THRESHOLDS = np.round(np.linspace(0, 1, 101), 2)
N_QUANTILES = 16
"""Parts of the rows of each class that thresholds divide, besides the even ones, between which no row may be."""
LEVELS = (0.5, 0.8, 0.9, 0.95)
MAX_WORST = 10


def classes(evidence: Evidence) -> list[dict[str, Any]] | None:
    """For each class how many rows are of it, how many are predicted, and precision and recall."""
    rows, model = evidence.rows, evidence.model
    if rows is None or rows.target.classes is None:
        return None
    n, truth = len(model.classes_), rows.target.values
    found = (rows.predictions * model.decision_weights_).argmax(axis=1)
    numbers = [np.bincount(labels, minlength=n) for labels in (truth, found)]
    true, claimed = (np.bincount(labels, rows.weights, n) for labels in (truth, found))
    hits = np.bincount(truth, (truth == found) * (1.0 if rows.weights is None else rows.weights), n)
    entries = []
    for k in np.sort(np.argsort(-numbers[0], kind="stable")[:MAX_CLASSES]):
        entry = {"class": short_name(str(model.classes_[k])), "rows": numbers[0][k], "predicted": numbers[1][k]}
        shares = {"precision": (hits[k], claimed[k]), "recall": (hits[k], true[k])}
        entries.append(entry | {name: part / whole if whole else None for name, (part, whole) in shares.items()})
    return entries


def threshold(evidence: Evidence) -> list[dict[str, Any]] | None:
    """For two classes: rows by truth and decision, if the second class is predicted above a probability.

    Rows with weights are sums of these.
    """
    rows = evidence.rows
    if rows is None or rows.target.classes is None or len(rows.target.classes) != 2:
        return None
    weights = np.ones(len(rows), np.int64) if rows.weights is None else rows.weights
    positive = rows.target.values == 1
    parts = [(rows.predictions[of, 1], weights[of]) for of in (positive, ~positive)]
    steps = thresholds(evidence.model, [p for p, _ in parts])
    missed, spared = (up_to(steps, *part) for part in parts)
    n, m = (part[1].sum() for part in parts)
    numbers = zip(steps, n - missed, m - spared, missed, spared, strict=True)
    return [dict(zip(("threshold", "tp", "fp", "fn", "tn"), entry, strict=True)) for entry in numbers]


def thresholds(model: Any, of_classes: list[Array]) -> Array:
    """Even steps, that by which the model decides, and quantiles of the probabilities that each class got."""
    first, second = np.asarray(model.decision_weights_, np.float64)
    shares = np.linspace(0, 1, N_QUANTILES + 1)
    among = [value for p in of_classes if len(p) for value in np.quantile(p, shares, method="higher")]
    return np.unique([*THRESHOLDS, *(float(f"{value:.4g}") for value in (*among, first / (first + second)))])


def up_to(steps: Array, p: Array, weights: Array) -> Array:
    """The weight of the rows with a probability up to each step."""
    order = np.argsort(p, kind="stable")
    sums = np.concatenate([[0], np.cumsum(weights[order])])
    return np.asarray(sums[np.searchsorted(p[order], steps, side="right")])


def calibration(evidence: Evidence) -> dict[str, Any] | None:
    """How often rows with a predicted probability are of the class, in at most ten groups of rows of equal size."""
    rows = evidence.rows
    if rows is None or rows.target.classes is None:
        return None
    names = rows.target.classes
    if len(names) == 2:
        p, right, what = rows.predictions[:, 1], rows.target.values == 1, f"class {short_name(str(names[1]))}"
    else:
        p, right = rows.predictions.max(axis=1), rows.target.values == rows.predictions.argmax(axis=1)
        what = "the predicted class"
    order = np.argsort(p, kind="stable")
    order = order if rows.weights is None else order[rows.weights[order] > 0]
    bins, total, error = [], 0.0, 0.0
    for part in filter(len, np.array_split(order, n_bins(len(order)))):
        w = np.ones(len(part)) if rows.weights is None else rows.weights[part]
        bins.append(group_of(p[part], right[part], w))
        total, error = total + w.sum(), error + abs(bins[-1]["predicted"] - bins[-1]["observed"]) * w.sum()
    return {"of": what, "bins": bins, "expected_error": error / total}


def n_bins(n_rows: int) -> int:
    """How many groups of rows show the calibration: fewer where each would have few rows."""
    return max(2, min(N_BINS, n_rows // ROWS_OF_A_BIN))


def group_of(p: Array, right: Array, weights: Array) -> dict[str, Any]:
    """The mean prediction of rows, the share that is right, its interval if they count equally, and their number."""
    share = float(np.average(right, weights=weights))
    entry: dict[str, Any] = {"predicted": np.average(p, weights=weights), "observed": share, "rows": len(p)}
    interval = wilson(share, len(p)) if np.ptp(weights) == 0 else None
    return entry | {"interval": None if interval is None else [interval.low, interval.high]}


def intervals(evidence: Evidence) -> list[dict[str, Any]] | None:
    """For numbers: the share of targets in `predict_interval`, for several levels, and the intervals' mean width."""
    rows = evidence.rows
    return (
        None if rows is None or rows.target.classes is not None or rows.outputs is None else coverages(evidence, rows)
    )


def coverages(evidence: Evidence, rows: ReportRows) -> list[dict[str, Any]]:
    """Coverage by level; of a model of quantiles, of those pairs that it has."""
    model, truth = evidence.model, rows.truth
    found = []
    for level in levels_of(model):
        ends = model.intervals_around(rows.outputs, level).reshape(len(rows), -1, 2)
        inside = ((truth >= ends[:, :, 0]) & (truth <= ends[:, :, 1])).mean(axis=1)
        widths = (ends[:, :, 1] - ends[:, :, 0]).mean(axis=1)
        means = (np.average(part, weights=rows.weights) for part in (inside, widths))
        found.append({"level": level, **dict(zip(("coverage", "width"), means, strict=True)), "rows": len(rows)})
    return found


def levels_of(model: Any) -> list[float]:
    """The coverages that the model has intervals for."""
    quantiles = model.fitted_parameter("quantiles")
    if quantiles is None:
        return list(LEVELS)
    known = {round(float(q), 6) for q in quantiles}
    return sorted(round(1 - 2 * q, 6) for q in known if q < 1 / 2 and round(1 - q, 6) in known)


def worst(evidence: Evidence) -> list[dict[str, Any]] | None:
    """The rows that the model is most wrong about; "row" counts the rows of the table that was read from 1."""
    rows = evidence.rows
    if rows is None:
        return None
    if rows.target.classes is not None:
        return worst_classes(evidence, rows)
    truth, predictions = rows.truth, rows.predictions
    middle = predictions if truth.shape == predictions.shape else predictions[:, [predictions.shape[1] // 2]]
    spread = np.where((scale := truth.std(axis=0)) > 0, scale, 1.0)
    badness = (np.abs(truth - middle) / spread).max(axis=1)
    found, entries = counting(rows, np.argsort(-badness, kind="stable")), []
    for i, example in zip(found, examples(evidence, rows, found), strict=True):
        true, predicted = (part[i, 0] if truth.shape[1] == 1 else part[i] for part in (truth, middle))
        entries.append({"row": example["row"], "true": true, "predicted": predicted, "error": true - predicted})
        entries[-1] |= example
    return entries


def examples(evidence: Evidence, rows: ReportRows, places: Array) -> list[dict[str, Any]]:
    """The number, the ids and the most important cells of rows."""
    return examples_of(evidence.model, rows.table, places, evidence.explanation.ranked)


def counting(rows: ReportRows, order: NDArray[np.int64]) -> NDArray[np.int64]:
    """The first of these rows, without those of weight 0."""
    return (order if rows.weights is None else order[rows.weights[order] > 0])[:MAX_WORST]


def worst_classes(evidence: Evidence, rows: ReportRows) -> list[dict[str, Any]]:
    """The rows whose class had the smallest probability."""
    names, labels = evidence.model.classes_, rows.target.values
    right = rows.predictions[np.arange(len(rows)), labels]
    found = (rows.predictions * evidence.model.decision_weights_).argmax(axis=1)
    chosen, entries = counting(rows, np.argsort(right, kind="stable")), []
    for i, example in zip(chosen, examples(evidence, rows, chosen), strict=True):
        true, predicted = (short_name(str(names[k])) for k in (labels[i], found[i]))
        loss = -np.log(max(right[i], MIN_PROBABILITY))
        entry = {"row": example["row"], "true": true, "predicted": predicted, "probability_of_true": right[i]}
        entries.append({**entry, "log_loss": loss, **example})
    return entries
