"""Everything that a report is made of: the model, scored rows, training rows, predictions of other models.

Takes what a user passed to ``model.report``. Returns an `Evidence`, or an error that says what to pass. Never trains
before a section asks for the linear model.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from rosenblatt.diagnosis.linear_baseline import LinearBaseline, linear_baseline
from rosenblatt.estimators import TabularClassifier, TabularRegressor
from rosenblatt.estimators.tabular.explain.background import hashes_of
from rosenblatt.estimators.tabular.explain.importance import Explanation
from rosenblatt.metrics import Metric
from rosenblatt.report.other_models import predictions_of_others
from rosenblatt.report.scored import (
    GivenRows,
    ReportRows,
    given_rows,
    held_out_rows,
    knows_folds,
    out_of_fold_rows,
)
from rosenblatt.tables.drift import thinned
from rosenblatt.tables.encoders import Prepared
from rosenblatt.tables.evaluation import Guess, trivial_guess
from rosenblatt.tables.preparation import Preparation
from rosenblatt.tables.table import Table, TableWarning

__all__ = ["Evidence", "evidence_of", "unheard_warnings"]

Array = NDArray[Any]
MIN_LEARNED = 10
"""Fewest rows that a linear model learns from."""
N_DRAWN = 300
"""Rows that explain predictions where none were given."""
MAX_EXPLAINED, MIN_EXPLAINED, N_REPEATS, MIN_SHUFFLED = 1000, 200, 3, 10
MAX_PRODUCTS = 2e10
"""Of rows, repeats, columns and parameters, when columns are shuffled."""


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
    learned_from : GivenRows or None
        Without the training rows, others that a linear model may learn from.
    """

    model: Any
    rows: ReportRows | None
    training: GivenRows | None
    others: Mapping[str, Array]
    given: GivenRows | None = None
    missing: tuple[str, ...] = ()
    learned_from: GivenRows | None = None

    @property
    def truth(self) -> Array:
        """Targets of the scored rows as metrics take them: labels [n], or numbers [n, k]."""
        assert self.rows is not None
        return self.rows.truth

    def decided(self, metric: Metric, predictions: Array) -> Array:
        """Predictions of the model as the metric takes them: with its decision weights, where it decides on classes."""
        decides = hasattr(self.model, "classes_") and not metric.needs_probabilities
        return np.asarray(predictions * self.model.decision_weights_) if decides else predictions

    def guess(self, metric: Metric) -> Guess:
        """The best constant by the metric: of the training rows, or as the model knows it, or at last of these rows."""
        known, kept = self.training, getattr(self.model, "guesses_", {})
        if known is None and metric.name in kept:
            name, values = kept[metric.name]
            return Guess(name, np.array(values))
        known = known or self.given
        assert known is not None
        found = trivial_guess(known.target, metric, getattr(self.model.goal, "center", "mean"), known.weights)
        return found if self.training is not None else replace(found, name="the best constant for these rows")

    @cached_property
    def prepared(self) -> Prepared | None:
        """The given rows as networks read them."""
        return None if self.given is None else self.given.prepared

    @cached_property
    def sample(self) -> NDArray[np.int64]:
        """Places of rows to explain predictions with: of at most so many of those that were given."""
        given = self.rows or self.given
        n = 0 if given is None else given.table.n_rows
        return np.sort(np.random.default_rng(0).permutation(n)[:MAX_EXPLAINED])

    @cached_property
    def inputs(self) -> Table:
        """These rows; without any, rows that are drawn from the training distributions."""
        given, rows = self.rows or self.given, self.sample
        if given is None:
            return drawn_rows(self.model.preparation_)
        names = [encoder.name for encoder in self.model.preparation_.encoders]
        return Table({name: thinned(given.table.columns[name], rows) for name in names}, len(rows))

    @cached_property
    def explanation(self) -> Explanation:
        """The importance of the columns: by shuffling them in labelled rows or, without these, by gradients.

        So many rows are used that it takes about a second. Gradients stand in where there are too many columns to
        shuffle each.
        """
        model, rows = self.model, self.rows
        size = sum(int(network.parameters.size) for network in model.ensemble_.networks)
        n_rows = int(MAX_PRODUCTS / (size * len(model.preparation_.encoders) * N_REPEATS))
        with unheard_warnings():
            if rows is None or min(len(rows), n_rows) < MIN_SHUFFLED:
                found: Explanation = model.explain(self.inputs, method="gradient", n_rows=MIN_EXPLAINED)
            else:
                options = {"n_rows": min(MAX_EXPLAINED, max(MIN_EXPLAINED, n_rows)), "n_repeats": N_REPEATS}
                found = model.explain(self.inputs, rows.y[self.sample], method="permutation", **options)
        return found

    @cached_property
    def linear(self) -> LinearBaseline | None:
        """A linear model's predictions for the scored rows, none of which it was trained on; None without training."""
        training = self.training or self.learned_from
        if self.rows is None or training is None or self.given is None:
            return None
        found = linear_baseline(self.model, training, None if self.given.are_training else self.given.prepared)
        if found is None:
            return None
        predictions = found.predictions[self.rows.numbers]
        return replace(found, predictions=predictions) if np.isfinite(predictions).all() else None


def evidence_of(model: Any, X: Any, y: Any, sample_weight: Any, training: Any, others: Any) -> Evidence:
    """The arguments of ``model.report``, checked and predicted."""
    require_model(model)
    model = copy.copy(model)  # a later fit is no part of this report
    if X is None:
        for name, value in {"y": y, "sample_weight": sample_weight, "others": others}.items():
            if value is not None:
                raise ValueError(f"{name} was given without X: give the rows that it belongs to.")
    known = None if training is None else given_training(model, training)
    given = None if X is None else given_rows(model, X, y, sample_weight)
    learned_from, missing = None, []
    if known is not None and not known.are_training:
        learned_from, said = unknown_training(model, known, given)
        known, missing = None, [*said]
    given = known if given is None else given
    if given is None:
        return Evidence(model, None, None, {}, None, tuple(missing))
    rows: ReportRows | None = None
    if given.are_training:
        found, known = out_of_fold_rows(model, given), given
        if isinstance(found, str):
            missing.append(f"scores of these rows: {found}")
        else:
            rows = found
            missing += lost_folds(model)
    else:
        rows = held_out_rows(model, given)
    predicted = {} if rows is None else predictions_of_others(model, rows, X, y, others, given.table.n_rows)
    return Evidence(model, rows, known, predicted, given, (*missing, *unweighted(model, known)), learned_from)


@contextmanager
def unheard_warnings() -> Iterator[None]:
    """Nothing is said of the cells of rows that were read before, or that were drawn."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TableWarning)
        yield


def drawn_rows(preparation: Preparation, n: int = N_DRAWN) -> Table:
    """Rows of the columns that the model uses, each drawn from its training distribution apart from the others."""
    rng = np.random.default_rng(0)
    pairs = zip(preparation.encoders, preparation.references, strict=True)
    return Table({encoder.name: reference.draw(encoder, rng, n) for encoder, reference in pairs}, n)


def given_training(model: Any, training: Any) -> GivenRows:
    """The training rows, a table that holds the target or a pair (X, y)."""
    if isinstance(training, tuple) and len(training) != len(("X", "y")):
        raise ValueError(f"training is {len(training)} things; give a table that holds the target, or a pair (X, y).")
    X, y = training if isinstance(training, tuple) else (training, None)
    return given_rows(model, X, y, what="training")


def unknown_training(
    model: Any, training: GivenRows, given: GivenRows | None
) -> tuple[GivenRows | None, tuple[str, ...]]:
    """Of rows that a user calls training rows, but that are not recognized, those that a linear model may learn from.

    They are those that are not scored. A sentence says so.
    """
    text = "training: these are not the rows that the model was trained on, or not all of them, or in another order"
    if given is None:
        return None, (f"{text}; they are left out",)
    rows = np.flatnonzero(~np.isin(hashes_of(training.prepared), hashes_of(given.prepared)))
    if len(rows) < MIN_LEARNED:
        return None, (f"{text}, and they are among the rows that are scored; they are left out",)
    return training.take(model, rows), (
        f"{text}; a linear model learns from those that are not scored, and checks of training rows are left out",
    )


def unweighted(model: Any, training: GivenRows | None) -> tuple[str, ...]:
    """A sentence if training rows have no weights here, but had some in `fit`."""
    if training is None or training.weights is not None or not getattr(model, "weighted_", False):
        return ()
    return (
        "the weights of the training rows, which were given as an array: here all of these rows count equally, unlike "
        "in the scores of fit; give sample_weight with the training rows as X, or train with the name of a column",
    )


def lost_folds(model: Any) -> list[str]:
    """A sentence if a file has kept the out-of-fold predictions, but not which network made them."""
    if knows_folds(model):
        return []
    what = (
        "linear model's folds"
        if hasattr(model, "classes_")
        else "intervals of these rows, and the linear model's folds"
    )
    return [
        f"{what}: the model comes from a file of an older version, which holds the training predictions but not which "
        "rows each network held out; save the fitted model again with training_predictions=True"
    ]


def require_model(model: Any) -> None:
    """Refuse what is no fitted tabular estimator."""
    if not isinstance(model, (TabularClassifier, TabularRegressor)):
        raise TypeError(
            f"a report needs a fitted TabularClassifier or TabularRegressor, not {type(model).__name__}; of a pipeline "
            "take the last step: pipeline[-1].report()."
        )
    check_is_fitted(model, "ensemble_")
