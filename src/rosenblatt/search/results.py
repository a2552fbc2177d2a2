"""What a search found, in scikit-learn's form.

Takes results and candidates. Returns the columns of `cv_results_`, and a data frame. Never ranks a failure first.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rosenblatt.search.journal import Result

__all__ = ["results_frame", "results_table"]


def results_table(results: Sequence[Result], params: Sequence[dict[str, Any]], n_folds: int) -> dict[str, Any]:
    """`cv_results_`: one entry for each result; `params` are those of the same candidates."""
    table: dict[str, Any] = {"params": list(params)}
    for name in sorted({name for one in params for name in one}):
        values = np.empty(len(results), dtype=object)
        values[:] = [one.get(name) for one in params]
        table[f"param_{name}"] = np.ma.MaskedArray(values, [name not in one for one in params])
    scores = np.array([result.scores or [math.nan] * n_folds for result in results], dtype=float)
    table |= {f"split{k}_test_score": scores[:, k] for k in range(n_folds)}
    table |= {"mean_test_score": scores.mean(axis=1), "std_test_score": scores.std(axis=1)}
    order = sorted(range(len(results)), key=lambda i: results[i].standing, reverse=True)
    ranks = np.empty(len(results), dtype=np.int32)
    ranks[order] = np.arange(1, len(results) + 1)
    table["rank_test_score"] = ranks
    for name in ("rung", "epochs", "seconds", "complete", "error"):
        table[name] = np.array([getattr(result, name) for result in results])
    return table


def results_frame(table: Mapping[str, Any]) -> Any:
    """`cv_results_` as a pandas data frame, the best first."""
    try:
        import pandas as pd  # type: ignore[import-untyped]
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "results_frame needs pandas: pip install 'rosenblatt[data]', or only pandas", name="pandas"
        ) from None
    return pd.DataFrame(dict(table)).sort_values("rank_test_score", kind="stable").reset_index(drop=True)
