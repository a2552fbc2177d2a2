"""Checks of the rows: leaks, copies, drift of the last ones, rare classes, too few.

Takes the evidence of a report. Yields a `Check` for what it finds. Never looks at a prediction.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt._suggestions import join_names
from rosenblatt.diagnosis.check_record import Check
from rosenblatt.estimators.tabular.explain.background import hashes_of
from rosenblatt.estimators.tabular.explain.shortened import counted
from rosenblatt.estimators.tabular.scoring import is_on_later_rows
from rosenblatt.tables.drift import ColumnDrift, column_drift, population_stability_index
from rosenblatt.tables.leakage import is_leak
from rosenblatt.tables.reference_distributions import fit_reference
from rosenblatt.tables.score_intervals import wilson
from rosenblatt.tables.table import Column, Table

__all__ = ["copied_rows", "copied_training_rows", "drift_of_the_last_rows", "leaks", "rare_classes", "too_few_rows"]

Array = NDArray[Any]
MIN_SHARE_OF_COPIES = 0.05
MIN_KNOWN = 0.1
"""Share of held-out rows that equal training rows, beyond that of training rows with a copy."""
LAST = 0.1
"""Share of the rows that are compared with those before."""
MIN_ROWS_OF_DRIFT = 200
MUCH = 0.25
"""Population stability index of a column that has changed much, by custom."""
SHARE_OF_COLUMNS = 0.05
"""Of the columns, that must have changed."""
CHANCE = 3
"""How often the index by chance that of a column must be: there are many columns."""
FEW_ROWS, VERY_FEW_ROWS, FEW_GROUPS = 100, 50, 10
RARE, RARE_SHARE, MAX_RARE = 10, 0.02, 50
"""A class is rare with fewer rows, or with a smaller share of them and at most so many."""


def leaks(evidence: Any) -> Iterator[Check]:
    """Columns that alone predict the target, as `fit` found them in the training rows."""
    for kind in evidence.model.preparation_.kinds:
        for note in filter(is_leak, kind.check.split("; ")):
            yield Check(
                "leak",
                "warning",
                f"{note.partition('. Is it known')[0]}.",
                f"Is it known before the target is? If not, train without it: ignore=[{kind.name!r}].",
            )


def copied_training_rows(evidence: Any) -> Iterator[Check]:
    """Rows that repeat in training."""
    model = evidence.model
    n_copies = model.n_rows_ - model.n_distinct_
    if not n_copies or (n_copies < MIN_SHARE_OF_COPIES * model.n_rows_ and not model.divides_copies_):
        return
    share = f"{n_copies:,} of {model.n_rows_:,} training rows are copies of others"
    if model.divides_copies_:
        together = "say which rows belong together by groups=" if model.n_groups_ is None else "put them in one group"
        remedy = f"The score promises too much: remove the copies, or {together}."
        yield Check("copied-rows", "warning", f"{share}, and some were held out while others trained.", remedy)
    else:
        remedy = "If they are one row written twice, remove them; if each was observed, they may stay."
        yield Check("copied-rows", "note", f"{share}; all copies of a row were held out together.", remedy)


def copied_rows(evidence: Any) -> Iterator[Check]:
    """Held-out rows that the model was trained on."""
    rows, given, training = evidence.rows, evidence.given, evidence.training
    if rows is None or rows.what != "held out":
        return
    if training is None:
        model = evidence.model
        n_known, n_seen = model.background_.known_of(given.prepared)
        share = n_known / max(1, n_seen)
        # at most so many rows have a copy by nature, if it is one; and of the rows only some may be told
        natural = min(1.0, max(0.0, 2 * (1 - model.background_.n_distinct / model.n_rows_)))
        certain = wilson(share, n_seen)
        known_more = certain is not None and certain.low - natural > MIN_KNOWN
    else:
        known, counts = np.unique(hashes_of(training.prepared), return_counts=True)
        share = float(np.isin(hashes_of(given.prepared), known).mean())
        known_more = share - float(counts[counts > 1].sum() / counts.sum()) > MIN_KNOWN
    if known_more:
        yield Check(
            "known-rows",
            "warning",
            f"{share:.0%} of the rows that were given equal training rows, so that their score promises too much.",
            "Give rows that the model was not trained on. For the training table itself, give all its rows in their "
            "order: the out-of-fold predictions then score them.",
        )


def drift_of_the_last_rows(evidence: Any) -> Iterator[Check]:
    """The last tenth of the training table is unlike the rest, as where rows are in the order of time."""
    training = evidence.training
    if training is None or training.table.n_rows < MIN_ROWS_OF_DRIFT:
        return
    n = training.table.n_rows
    first = n - int(LAST * n)
    target = np.reshape(training.target.values, (n, -1))[:, 0].astype(np.float64)
    if is_sorted(target):  # the order is not that of time
        return
    drifts = [one for one in column_drifts(evidence.model, training.table, first) if is_much(one)]
    enough = len(drifts) >= max(1.0, SHARE_OF_COLUMNS * len(evidence.model.preparation_.encoders))
    names = [join_names([one.column for one in sorted(drifts, key=lambda one: -one.psi)])] if enough else []
    parts = ["the target", *names] if target_drifts(target, first) else names
    if not parts:
        return
    later = is_on_later_rows(evidence.model.score_on_)
    advice = "If rows follow each other in time, say time=: the score is then that of later rows. If not, it stands."
    advice = "The score is of later rows, and knows of it." if later else advice
    text = f"The last tenth of the training rows is unlike those before in {' and in '.join(parts)}."
    explained = later or evidence.model.n_groups_ is not None or has_blocks(evidence.model, training.table)
    yield Check("drift-of-the-last-rows", "note" if explained else "warning", text, advice)


def has_blocks(model: Any, table: Table) -> bool:
    """Whether rows are ordered by a category: those of each level follow each other."""
    columns = [table.columns[encoder.name] for encoder in model.preparation_.encoders]
    levels = [column.values[~column.missing] for column in columns if column.storage == "text"]
    return any(1 < len(np.unique(codes)) == 1 + np.count_nonzero(np.diff(codes)) for codes in levels)


def column_drifts(model: Any, table: Table, first: int) -> Iterator[ColumnDrift]:
    """Each used column from row `first` on beside those before; columns in rising or falling order are left out."""
    rows = np.arange(table.n_rows)
    for encoder in model.preparation_.encoders:
        column: Column = table.columns[encoder.name]
        if column.storage != "text" and is_sorted(column.values[~np.isnan(column.values)]):
            continue
        before, after = column.take(rows[:first]), column.take(rows[first:])
        yield column_drift(encoder, fit_reference(encoder, before), after)


def is_much(one: ColumnDrift) -> bool:
    """Whether a column has changed by more than custom and chance allow."""
    return one.psi > MUCH and one.psi > CHANCE * one.psi_by_chance


def target_drifts(target: Array, first: int) -> bool:
    """Whether the last targets fall into other bins than those before: classes, or fifths of the numbers."""
    distinct = np.unique(target)
    edges = distinct if len(distinct) <= 20 else np.quantile(target, np.arange(1, 5) / 5)
    bins = np.searchsorted(edges, target)
    counts = [np.bincount(part, minlength=len(edges) + 1) for part in (bins[:first], bins[first:])]
    n_bins = int((counts[0] + counts[1] > 0).sum())
    by_chance = (1 / first + 1 / (len(target) - first)) * (n_bins - 1)  # its mean, for chi-squared
    return population_stability_index(*counts) > max(MUCH, CHANCE * by_chance)


def is_sorted(values: Array) -> bool:
    """Whether numbers rise or fall all the way, and not all are equal."""
    steps = np.diff(values)
    return bool(len(steps) and (steps != 0).any() and ((steps >= 0).all() or (steps <= 0).all()))


def too_few_rows(evidence: Any) -> Iterator[Check]:
    """So few rows or groups that scores and choices are mostly chance."""
    model = evidence.model
    remedy = (
        "Collect more rows. Until then, read scores with their intervals, and prefer a simple model if it is as good."
    )
    if model.n_distinct_ < FEW_ROWS:
        severity: Any = "warning" if model.n_distinct_ < VERY_FEW_ROWS else "note"
        yield Check("too-few-rows", severity, f"There are only {model.n_distinct_:,} different training rows.", remedy)
    if model.n_groups_ is not None and model.n_groups_ < FEW_GROUPS:
        text = f"There are only {model.n_groups_:,} groups: the score of new groups is that of very few."
        yield Check("too-few-groups", "warning", text, "Collect rows of more groups.")
    if evidence.rows is not None and evidence.rows.what == "held out" and len(evidence.rows) < VERY_FEW_ROWS:
        text = f"The model is scored on {counted(len(evidence.rows), 'row')} only: the score is mostly chance."
        yield Check("too-few-scored-rows", "note", text, "Give more labelled rows.")


def rare_classes(evidence: Any) -> Iterator[Check]:
    """Classes with so few training rows that they can hardly be learned, or scored."""
    known = evidence.training
    if known is None or known.target.classes is None:
        return
    counts = np.bincount(known.target.values, minlength=len(known.target.classes))
    limit = max(RARE, min(MAX_RARE, RARE_SHARE * counts.sum()))
    rare = [k for k in np.argsort(counts, kind="stable").tolist() if counts[k] < limit]
    if not rare:
        return
    names = join_names([f"{known.target.classes[k]!s} ({counts[k]:,})" for k in rare])
    yield Check(
        "rare-classes",
        "warning" if counts[rare[0]] < RARE else "note",
        f"Few training rows are of {'class' if len(rare) == 1 else 'the classes'} {names}.",
        "Collect more of them or merge classes. class_weight='balanced' or metric='balanced_error' makes rare classes "
        "count as much as others.",
    )
