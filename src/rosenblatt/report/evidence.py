"""Everything that a report is made of: the model, scored rows, training rows, predictions of other models.

Takes what a user passed to ``model.report``. Returns an `Evidence`, or an error that says what to pass. Never trains
before a section asks for the linear model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from rosenblatt.diagnosis.linear_baseline import LinearBaseline, linear_baseline
from rosenblatt.estimators import TabularClassifier, TabularRegressor
from rosenblatt.report.other_models import predictions_of_others
from rosenblatt.report.scored import GivenRows, ReportRows, given_rows, held_out_rows, out_of_fold_rows

__all__ = ["Evidence", "evidence_of"]

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Evidence:
    """What a report is made of.

    Attributes
    ----------
    model : fitted TabularClassifier or TabularRegressor
    rows : ReportRows or None
        Rows that score the model.
    training : GivenRows or None
        The rows that it was trained on.
    others : dict of str to ndarray
        Predictions of other models for `rows`, as those of the model; or labels [n_rows] of those without
        probabilities.
    given : GivenRows or None
        The rows as the user gave them; some of the training rows may not be scored.
    missing : tuple of str
        What the report lacks, and why.
    """

    model: Any
    rows: ReportRows | None
    training: GivenRows | None
    others: Mapping[str, Array]
    given: GivenRows | None = None
    missing: tuple[str, ...] = ()

    @cached_property
    def linear(self) -> LinearBaseline | None:
        """A linear model's predictions for the scored rows, none of which it was trained on; None without training."""
        if self.rows is None or self.training is None or self.given is None:
            return None
        found = linear_baseline(self.model, self.training, None if self.given.are_training else self.given.prepared)
        if found is None:
            return None
        predictions = found.predictions[self.rows.numbers]
        return replace(found, predictions=predictions) if np.isfinite(predictions).all() else None


def evidence_of(model: Any, X: Any, y: Any, sample_weight: Any, training: Any, others: Any) -> Evidence:
    """The arguments of ``model.report``, checked and predicted."""
    require_model(model)
    if X is None:
        for name, value in {"y": y, "sample_weight": sample_weight, "others": others}.items():
            if value is not None:
                raise ValueError(f"{name} was given without X: give the rows that it belongs to.")
        known = None if training is None else given_training(model, training)
        return Evidence(model, None, known, {}, known, () if known is None else unknown_rows(known))
    given = given_rows(model, X, y, sample_weight)
    if given.are_training:
        found = out_of_fold_rows(model, given)
        missing = (f"scores of these rows: {found}",) if isinstance(found, str) else ()
        rows = None if isinstance(found, str) else found
        predicted = {} if rows is None else predictions_of_others(model, rows, X, y, others, given.table.n_rows)
        return Evidence(model, rows, given, predicted, given, missing)
    rows, known = held_out_rows(model, given), None if training is None else given_training(model, training)
    predicted = predictions_of_others(model, rows, X, y, others, given.table.n_rows)
    return Evidence(model, rows, known, predicted, given, () if known is None else unknown_rows(known))


def given_training(model: Any, training: Any) -> GivenRows:
    """The training rows, a table that holds the target or a pair (X, y)."""
    pair = isinstance(training, tuple) and len(training) == 2
    X, y = training if pair else (training, None)
    return given_rows(model, X, y, what="training")


def unknown_rows(given: GivenRows) -> tuple[str, ...]:
    """A sentence if rows that a user calls training rows are none, as far as can be told."""
    if given.are_training:
        return ()
    return ("training: these are not the rows that the model was trained on, or not in their order",)


def require_model(model: Any) -> None:
    """Refuse what is no fitted tabular estimator."""
    if not isinstance(model, (TabularClassifier, TabularRegressor)):
        raise TypeError(
            f"a report needs a fitted TabularClassifier or TabularRegressor, not {type(model).__name__}; of a pipeline "
            "take the last step: pipeline[-1].report()."
        )
    check_is_fitted(model, "ensemble_")
