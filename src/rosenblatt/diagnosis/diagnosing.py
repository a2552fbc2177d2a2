"""`diagnose`: train clones, compare them, name the state.

Goes in: a model and data. Comes out: a `Diagnosis`. The model is not changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import clone, is_classifier

from .checking import check_data, encoded, require_network, splits_of
from .measures import compare, corrected_se, mean_curve, suspicion
from .remedies import remedies_for
from .report import Comparison, Diagnosis, Evidence
from .runs import Run
from .states import state_of
from .trials import FRACTIONS, RATES, REGULARIZED, Trials, larger, unregularized

__all__ = ["diagnose"]

Array = npt.NDArray[Any]
Runs = dict[str, list[Run]]


def diagnose(model: Any, X: Any, y: Any, *, cv: Any = 5, random_state: int = 0) -> Diagnosis:
    """Find out whether a network overfits, underfits or learns at a wrong rate, and what to do next.

    Clones are trained on each split as the model is, on fewer rows, at other learning rates, with more neurons and
    with L2 penalties; the state is named by what helps.

    Parameters
    ----------
    model : MLPClassifier or MLPRegressor
        Fitted or not; it is not changed.
    X : array, sparse matrix or data frame of shape (n_rows, n_features)
        At least 20 rows.
    y : array of shape (n_rows,) or (n_rows, n_outputs)
    cv : int, splitter or iterable of (training rows, held-out rows), default=5
        At least 2 splits. A number means shuffled folds, stratified for classes.
    random_state : int, default=0
        Of the folds and of all trainings: the same number gives the same diagnosis.

    Returns
    -------
    Diagnosis

    Raises
    ------
    TypeError
        If the model is no network of this package.
    ValueError
        If the data are not finite or do not fit together, are too few, or hold one class only; if cv allows no splits.

    Examples
    --------
    >>> from sklearn.datasets import make_moons
    >>> from rosenblatt import MLPClassifier, diagnose
    >>> X, y = make_moons(300, noise=0.1, random_state=0)
    >>> diagnose(MLPClassifier((16,), learning_rate_init=1e-6), X, y).state
    'learning rate too low'
    """
    require_network(model, "diagnose")
    if isinstance(random_state, bool) or not isinstance(random_state, (int, np.integer)) or random_state < 0:
        raise ValueError(f"random_state is {random_state!r}; allowed: a whole number of at least 0.")
    X, y = check_data(model, X, y)
    splits = splits_of(model, cv, X, y, int(random_state))
    seeds = np.random.default_rng(random_state).integers(2**31, size=len(splits))
    trials = Trials(model, X, y, encoded(model, y), splits, seeds)
    evidence = evidence_of(trials, train_all(trials))
    state = state_of(evidence)
    return Diagnosis(state, evidence, remedies_for(state, model), clone(model))


def train_all(trials: Trials) -> Runs:
    """All trainings of a diagnosis, by name and split."""
    model = trials.model
    named: dict[str, tuple[dict[str, Any], float]] = {"as given": ({}, 1.0)}
    named |= {f"rows x{f:g}": ({}, f) for f in FRACTIONS}
    named |= trials.learning_rates(RATES)
    free = unregularized(model)
    named["larger"] = ({**larger(model)}, 1.0)
    if free:
        named["unregularized"] = (free, 1.0)
        named["larger, unregularized"] = ({**larger(model), **free}, 1.0)
    for alpha in REGULARIZED:
        for fraction in (0.5, 1.0):
            named[f"alpha {alpha:g} on {fraction:g}"] = ({"alpha": alpha}, fraction)
    runs = trials.run(named)
    if any(r.reached_end for r in runs["as given"]):
        runs |= trials.run({"longer": ({"max_iter": 5 * model.max_iter}, 1.0)})
    return runs


def best_epochs(runs: Sequence[Run]) -> Array:
    """The smallest validation error of each run."""
    return np.array([min(r.curves["val_error"], default=r.error) for r in runs])


def reference(runs: Runs) -> tuple[list[Run], Array, Array]:
    """The best L2 penalty, in its best epoch: its runs, their errors, and those of half of the rows."""
    names = {f"alpha {a:g} on 1": f"alpha {a:g} on 0.5" for a in REGULARIZED} | {"as given": "rows x0.5"}
    best = min(names, key=lambda name: float(best_epochs(runs[name]).mean()))
    half = min(names.values(), key=lambda name: float(best_epochs(runs[name]).mean()))
    return runs[best], best_epochs(runs[best]), best_epochs(runs[half])


def evidence_of(trials: Trials, runs: Runs) -> Evidence:
    """Everything that the runs say."""
    given = runs["as given"]
    share = float(np.mean([len(b) / len(a) for a, b in trials.splits]))
    errors, train_errors = (np.array([getattr(r, n) for r in given]) for n in ("error", "train_error"))
    chosen, full, half = reference(runs)
    n_rows = round(float(np.mean([len(a) for a, _ in trials.splits])))
    error, train_error = float(errors.mean()), float(train_errors.mean())
    effective = n_rows * max(0.0, error - train_error) / max(error + train_error, 1e-12)
    others = {n: r for n, r in runs.items() if n != "as given" and not n.startswith(("rows", "alpha"))}
    comparisons = {n: compare(given, r, share) for n, r in others.items()}
    gains = errors - full
    comparisons["regularized"] = Comparison(float(gains.mean()), corrected_se(gains, share), 0.0, 0.0)
    confident, confident_se, suspects = suspicion(chosen, trials.splits, trials.target, is_classifier(trials.model))
    learning = {round(f * n_rows): runs[f"rows x{f:g}"] for f in FRACTIONS} | {n_rows: given}
    curve = mean_curve(given)
    return Evidence(
        curve=curve,
        score=float(curve.score[-1]) if len(curve.score) else float("nan"),
        val_score=float(curve.val_score[-1]) if len(curve.score) else float("nan"),
        train_error=train_error,
        error=error,
        gap=error - train_error,
        gap_se=corrected_se(errors - train_errors, share),
        learning_curve={
            n: (float(np.mean([r.error for r in rs])), corrected_se(np.array([r.error for r in rs]), share))
            for n, rs in learning.items()
        },
        reference_error=float(full.mean()),
        reference_rise=float((half - full).mean()),
        reference_rise_se=corrected_se(half - full, share),
        n_rows=n_rows,
        n_features=int(trials.X.shape[1]),
        n_parameters=given[0].n_parameters,
        effective_parameters=effective,
        first_gradients=tuple(given[0].first_gradients),
        gradients=tuple(given[0].gradients),
        dead={layer: float(np.mean([r.dead.get(layer, 0.0) for r in given])) for layer in given[0].dead},
        diverged=float(np.mean([r.diverged for r in given])),
        reached_end=float(np.mean([r.reached_end for r in given])),
        confident_error=confident,
        confident_error_se=confident_se,
        suspects=suspects,
        trials=comparisons,
    )
