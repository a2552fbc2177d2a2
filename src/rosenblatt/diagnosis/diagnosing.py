"""`diagnose`: train clones, compare them, name the state.

Takes a model and data. Returns a `Diagnosis`. Never changes the model.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.base import clone

from rosenblatt._checks import check_seed
from rosenblatt._suggestions import suggest_keywords
from rosenblatt.tables.given_folds import roles_of_rows
from rosenblatt.tables.task import score_on

from .checking import check_data, encoded_target, makes_folds, require_network, splits_of
from .effects import measured_remedies
from .evidence import evidence_of
from .report import Diagnosis, Evidence
from .runs import Run
from .states import best_gain, has_gap, may_be_biased, state_of, wrong_training
from .trials import GIVEN, Trial, Trials, longer

__all__ = ["diagnose"]


@suggest_keywords
def diagnose(
    model: Any,
    X: Any,
    y: Any,
    *,
    groups: Any = None,
    time: Any = None,
    cv: Any = None,
    random_state: int | None = 0,
) -> Diagnosis:
    """Find out whether a network overfits, underfits or learns at a wrong rate, and what to do next.

    Clones of the model are trained on splits of the rows, unchanged and on fewer rows. Where that leaves a question
    open, others are trained at other learning rates, with more neurons or with restraint. What helps names the state.
    Then all remedies for this state are tried that are a matter of parameters. The best three of them are trained again
    with other initial weights, on fresh folds unless cv or time gives the splits: this is their measured effect.

    Parameters
    ----------
    model : MLPClassifier or MLPRegressor
        Fitted or not; it is not changed.
    X : array, sparse matrix or data frame of shape (n_rows, n_features)
        At least 20 rows.
    y : array of shape (n_rows,) or (n_rows, n_outputs)
    groups : array-like of shape (n_rows,), optional
        What rows belong to, such as customers: no split divides a group, so that the errors are those of new groups.
    time : array-like of shape (n_rows,), optional
        When rows were made: dates or numbers. Held-out rows are then later than training rows: the earlier half always
        trains, and the later half is held out part by part. Not together with `groups`.
    cv : int, splitter or iterable of (training rows, held-out rows), optional
        At least 2 splits. A number means shuffled folds, stratified for classes. By default there are 5 folds, made
        twice if there are fewer than 200 rows.
    random_state : int or None, default=0
        Seed of the folds and of all trainings, in [0, 2**64): the same number gives the same diagnosis. None draws one.

    Returns
    -------
    Diagnosis

    Raises
    ------
    TypeError
        If the model is not an `MLPClassifier` or `MLPRegressor`.
    ValueError
        If a parameter of the model or random_state is not allowed, if the data are not finite or do not fit together,
        are too few or have a single class, or if cv, groups or time do not fit them.

    Examples
    --------
    >>> from sklearn.datasets import make_moons
    >>> from rosenblatt import MLPClassifier, diagnose
    >>> X, y = make_moons(300, noise=0.1, random_state=0)
    >>> diagnosis = diagnose(MLPClassifier((16,), learning_rate_init=1e-6), X, y)
    >>> diagnosis.state, diagnosis.best.changes
    ('learning rate too low', {'learning_rate_init': 0.001})
    """
    require_network(model, "diagnose")
    seed = check_seed("random_state", random_state)
    X, y = check_data(model, X, y)
    groups, times = roles_of_rows(X.shape[0], groups, time)
    rng = np.random.default_rng(seed)
    # Seeds of folds have 32 bits.
    fold_seed = int(rng.integers(2**31)) if seed is None else seed % 2**32
    splits = splits_of(model, cv, X, y, fold_seed, groups, times)
    seeds = rng.integers(2**31, size=len(splits))
    trials = Trials(clone(model).set_callbacks(), X, y, encoded_target(model, y), splits, seeds)
    runs, evidence = find_evidence(trials)
    state = state_of(evidence)
    if makes_folds(cv):
        splits = splits_of(model, cv, X, y, int(rng.integers(2**31)), groups, times)
    fresh = replace(trials, splits=splits, seeds=rng.integers(2**31, size=len(splits)))
    remedies = measured_remedies(state, trials, runs, fresh)
    return Diagnosis(state, evidence, remedies, clone(model), score_on(groups, times))


def find_evidence(trials: Trials) -> tuple[dict[str, list[Run]], Evidence]:
    """Train what has to be compared. Trials whose question is already answered, or cannot be "yes", are left out."""
    runs = trials.run(trials.learning_curve())
    evidence = evidence_of(trials, runs)
    if may_be_biased(evidence):
        runs |= trials.screen(trials.freedom(), runs[GIVEN])
        evidence = evidence_of(trials, runs)
        if evidence.reached_end and best_gain(evidence, "rate") == 0:
            runs |= trials.screen({"longer": Trial(longer(trials.model))}, runs[GIVEN])
            evidence = evidence_of(trials, runs)
    if not wrong_training(evidence) and has_gap(evidence):
        runs |= trials.run(trials.restraint())
        evidence = evidence_of(trials, runs)
    return runs, evidence
