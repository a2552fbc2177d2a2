"""Two models side by side on the same rows.

Takes two fitted tabular estimators of the same target, and rows that have it. Returns a `Comparison`: text, Markdown,
HTML, or plain data. Never changes a model, and never compares scores of different rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from rosenblatt._suggestions import article
from rosenblatt.estimators import TabularClassifier, TabularRegressor
from rosenblatt.estimators.tabular.explain.shortened import counted
from rosenblatt.estimators.tabular.parameter_changes import changed_parameters
from rosenblatt.report.compared import Compared, Side, compared_facts
from rosenblatt.report.compared_models import checks_of, columns_that_differ, model_facts, rows_of
from rosenblatt.report.compared_text import to_markdown, to_text, verdict
from rosenblatt.report.faces import Faces
from rosenblatt.report.facts import plain
from rosenblatt.report.report import Report

__all__ = ["Comparison", "compare"]


class Comparison(Faces):
    """Two models on the same rows; `compare` makes it. ``print`` shows a text, a notebook a page.

    Attributes
    ----------
    names : tuple of str
        What the models are called.
    reports : tuple of Report
        That of each model on these rows.
    compared : Compared
        The predictions of both and the target.
    """

    def __init__(self, names: tuple[str, str], reports: tuple[Report, Report]) -> None:
        self.names, self.reports = names, reports
        self.compared = aligned(*reports, names)

    @cached_property
    def facts(self) -> dict[str, Any]:
        """The content of all forms as plain data: what `to_dict` returns. It is computed when it is first read."""
        return facts_of(self)

    @property
    def verdict(self) -> str:
        """Which model is better, in one sentence."""
        return str(self.facts["verdict"])

    def to_dict(self) -> dict[str, Any]:
        """The content as texts, whole numbers, finite numbers, lists and dictionaries, as JSON takes them.

        ``"a"`` and ``"b"`` are the first and the second model, whose names are in ``"names"``; a difference is that of
        ``"b"`` minus that of ``"a"``. Rows count from 1. Equal comparisons give equal dictionaries.
        """
        return super().to_dict()

    def __str__(self) -> str:
        return to_text(self.facts)

    def __repr__(self) -> str:
        a, b = self.names
        rows = counted(len(self.compared.truth), "row")
        return f"<Comparison of {a} and {b} on {rows}: print it, or save('comparison.html')>"

    def to_markdown(self) -> str:
        """The content as Markdown, with tables, and without HTML: for a ticket, a chat or a terminal."""
        return to_markdown(self.facts)

    def to_html(self) -> str:
        """The content as one page, which needs no network and no other file (extra ``report``)."""
        from rosenblatt.report.comparison_html import comparison_to_html

        return comparison_to_html(self)


def compare(
    a: Any, b: Any, X: Any, y: Any = None, *, sample_weight: Any = None, names: Sequence[str] = ("A", "B")
) -> Comparison:
    """Compare two models on the same rows.

    Parameters
    ----------
    a, b : fitted TabularClassifier or TabularRegressor
        Models of the same target, perhaps with other columns, kinds and parameters.
    X : table, as in `fit`
        Rows that neither was trained on, with the columns of both. Of training rows, a model's out-of-fold predictions
        are used if it still has them; without these its score is too good, and the comparison says so.
    y : array-like of shape (n_rows,) or (n_rows, n_targets), or name, optional
        The targets, or the column of X that holds them. It may be left out if X has the column that `fit` learned.
    sample_weight : array-like of shape (n_rows,) or name, optional
        How much each row counts in the scores.
    names : sequence of two str
        What the models are called.

    Returns
    -------
    Comparison
        Scores of both with the 95 % interval of their difference (bootstrap of the rows, or of their groups, drawn in
        pairs with a fixed seed), rows on which they disagree, and where columns, parameters and checks differ.

    Raises
    ------
    TypeError
        If one is no tabular estimator.
    ValueError
        If the models predict different targets or classes, or the rows have no target or lack a column.
    """
    names = two_names(names)
    for model in (a, b):
        if not isinstance(model, (TabularClassifier, TabularRegressor)):
            raise TypeError(
                f"compare takes tabular models, but was given {article(type(model).__name__)}. Give its predictions to "
                "model.report(X, y, others={'name': predictions}), or fit a TabularClassifier or TabularRegressor."
            )
        check_is_fitted(model, "ensemble_")
    require_same_goal(a, b, names)
    first, second = (model.report(X, y, sample_weight=sample_weight) for model in (a, b))
    return comparison_of(first, second, names)


def two_names(names: Sequence[str]) -> tuple[str, str]:
    """Two different names."""
    found = tuple(map(str, names)) if not isinstance(names, str) else (names,)
    if len(found) != 2 or found[0] == found[1]:
        raise ValueError(f"names is {names!r}; it must be two different names, such as ('old', 'new').")
    return found


def require_same_goal(a: Any, b: Any, names: tuple[str, str]) -> None:
    """Refuse models whose predictions mean different things."""
    targets = [model.target_name_ for model in (a, b)]
    if None not in targets and targets[0] != targets[1]:
        raise ValueError(
            f"{names[0]} predicts {targets[0]!r}, and {names[1]} predicts {targets[1]!r}: there is nothing to compare. "
            "Compare models of the same target."
        )
    classes = [getattr(model, "classes_", None) for model in (a, b)]
    if (classes[0] is None) != (classes[1] is None):
        which = ["numbers" if found is None else "classes" for found in classes]
        raise ValueError(f"{names[0]} predicts {which[0]}, and {names[1]} predicts {which[1]}: no score fits both.")
    if classes[0] is not None:
        known = [set(map(str, model.classes_)) for model in (a, b)]
        if only := sorted(known[0] ^ known[1]):
            owner = names[0] if only[0] in known[0] else names[1]
            raise ValueError(f"only {owner} knows the class {only[0]!r}. Compare models of the same classes.")
        return
    kinds = [output_kind(model) for model in (a, b)]
    if kinds[0] != kinds[1]:
        raise ValueError(
            f"{names[0]} predicts {kinds[0]}, and {names[1]} predicts {kinds[1]}: no score fits both. Compare models "
            "that predict the same."
        )


def output_kind(model: Any) -> str:
    """What a regression predicts, in words."""
    quantiles = model.fitted_parameter("quantiles")
    if quantiles is not None:
        return f"the quantiles {', '.join(f'{level:g}' for level in quantiles)}"
    n_targets = 1 if model.one_target_ else len(model.target_scaler_.center)
    return "a number" if n_targets == 1 else f"{n_targets} numbers"


def comparison_of(a: Report, b: Report, names: Sequence[str] = ("A", "B")) -> Comparison:
    """The comparison of two reports on the same rows, each with targets; see `compare`."""
    names = two_names(names)
    require_same_goal(a.model, b.model, names)
    return Comparison(names, (a, b))


def facts_of(comparison: Comparison) -> dict[str, Any]:
    """All parts that there are."""
    (a, b), names, compared = comparison.reports, comparison.names, comparison.compared
    facts = {
        "names": list(names),
        "target": a.model.target_name_,
        "task": compared.target.task,
        "rows": len(compared.truth),
        "models": [model_facts(report, name) for report, name in zip((a, b), names, strict=True)],
        **compared_facts(compared),
        "columns": columns_that_differ(a.model, b.model),
        "parameters": [
            {"name": name, "a": old, "b": new} for name, (old, new) in changed_parameters(a.model, b.model).items()
        ],
        "checks": [*checks_of(a, names[0]), *checks_of(b, names[1])],
    }
    facts = plain(facts)
    return {"verdict": verdict(facts), **facts}


def aligned(a: Report, b: Report, names: tuple[str, str]) -> Compared:
    """Both models on the rows that both have predictions for, with the classes in the order of the first."""
    rows = [rows_of(report, name) for report, name in zip((a, b), names, strict=True)]
    _, at_a, at_b = np.intersect1d(rows[0].numbers, rows[1].numbers, assume_unique=True, return_indices=True)
    order: Any = slice(None)
    if hasattr(a.model, "classes_"):
        place = {str(name): label for label, name in enumerate(b.model.classes_)}
        order = [place[str(name)] for name in a.model.classes_]
    first, second = rows
    weights = None if first.weights is None else first.weights[at_a]
    groups = [found.groups[at] for found, at in ((first, at_a), (second, at_b)) if found.groups is not None]
    own = Side(names[0], a.model, first.predictions[at_a], decisions(a.model, slice(None)))
    other = Side(names[1], b.model, second.predictions[at_b][:, order], decisions(b.model, order))
    target, table = first.target.take(at_a), first.table.take(at_a)
    ranked = a.evidence.explanation.ranked
    return Compared(own, other, target, table, ranked, weights, next(iter(groups), None))


def decisions(model: Any, order: Any) -> Any:
    """The factors of the classes in another order, or None."""
    found = getattr(model, "decision_weights_", None)
    return None if found is None else found[order]
