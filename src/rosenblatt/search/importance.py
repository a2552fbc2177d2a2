"""Which hyperparameters mattered in a search.

Takes `cv_results_`. Returns a number for each parameter: how much worse a forest predicts the score when that parameter
is shuffled (Breiman 2001). Never says what causes what, only what mattered among the candidates that were tried.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt._checks import is_number

__all__ = ["hyperparameter_importance", "within_stage"]

MIN_CANDIDATES = 8
N_TREES, N_REPEATS = 200, 10


def hyperparameter_importance(results: Mapping[str, Any], random_state: int = 0) -> dict[str, float]:
    """Importances of the parameters, the largest first, with sum 1 (or all zero).

    Parameters
    ----------
    results : dict
        ``search.cv_results_``. Only candidates with a score count. Scores of early stages are compared within their
        stage.
    random_state : int

    Raises
    ------
    ValueError
        If fewer than eight candidates have a score.
    """
    from sklearn.ensemble import ExtraTreesRegressor
    from sklearn.inspection import permutation_importance

    scores = np.asarray(results["mean_test_score"], dtype=float)
    known = np.flatnonzero(np.isfinite(scores))
    if len(known) < MIN_CANDIDATES:
        raise ValueError(f"{len(known)} candidates have a score; importances need {MIN_CANDIDATES} or more.")
    target = within_stage(scores[known], np.asarray(results["epochs"])[known])
    names = sorted(name.removeprefix("param_") for name in results if name.startswith("param_"))
    matrix = np.column_stack([as_numbers(results[f"param_{name}"][known]) for name in names])
    forest = ExtraTreesRegressor(N_TREES, min_samples_leaf=2, random_state=random_state).fit(matrix, target)
    found = permutation_importance(forest, matrix, target, n_repeats=N_REPEATS, random_state=random_state)
    means = np.maximum(found.importances_mean, 0.0)
    shares = means / means.sum() if means.sum() > 0 else means
    return {names[i]: float(shares[i]) for i in np.argsort(-shares, kind="stable")}


def within_stage(scores: Any, epochs: Any) -> NDArray[np.float64]:
    """Scores minus the mean score of the candidates with the same number of epochs."""
    found = np.array(scores, dtype=float)
    for stage in np.unique(epochs):
        here = (epochs == stage) & np.isfinite(found)
        found[here] -= found[here].mean() if here.any() else 0.0
    return found


def as_numbers(values: Any) -> NDArray[np.float64]:
    """A parameter's values as numbers: themselves (logarithms if all are positive), or else one number per value."""
    cells = [None if hidden else value for value, hidden in zip(values.data, np.ma.getmaskarray(values), strict=True)]
    present = [cell for cell in cells if cell is not None]
    if all(is_number(cell) for cell in present):
        numbers = np.array([np.nan if cell is None else float(cell) for cell in cells])
        if len(present) and min(present) > 0:
            numbers = np.log(numbers)
        lowest = np.nanmin(numbers) if len(present) else 0.0
        return np.asarray(np.nan_to_num(numbers, nan=float(lowest) - 1.0), dtype=np.float64)
    place = {text: i for i, text in enumerate(sorted({repr(cell) for cell in cells}))}
    return np.array([place[repr(cell)] for cell in cells], dtype=np.float64)
