"""What a search found, in scikit-learn's form.

Takes results and candidates. Returns the columns of `cv_results_`, and a data frame. Never ranks a failure first.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rosenblatt._extras import needed
from rosenblatt._html import table, view
from rosenblatt.search.journal import Result

__all__ = ["SearchResults", "results_frame", "results_table"]


class SearchResults(dict[str, Any]):
    """`cv_results_`: a dictionary of columns, which a notebook shows as a table, the best candidate first."""

    def _repr_html_(self) -> str:
        names = [name.removeprefix("param_") for name in self if name.startswith("param_")]
        heads = ["rank", "mean score", "deviation", *names, "epochs", "seconds", "error"]
        columns = [self.get(name, []) for name in SHOWN]
        cells = [*columns[:3], *(self[f"param_{name}"] for name in names), *columns[3:]]
        rows = [[cell if isinstance(cell, str) else plain(cell) for cell in row] for row in zip(*cells, strict=False)]
        rows.sort(key=lambda row: int(row[0]))
        return view(f"{len(rows):,} candidates", table(heads, rows, sortable=True))


SHOWN = ("rank_test_score", "mean_test_score", "std_test_score", "epochs", "seconds", "error")


def plain(value: Any) -> str:
    """A number to five digits, nothing where a candidate lacks a parameter, and anything else as it is written."""
    if value is np.ma.masked:
        return ""
    return f"{value:.5g}" if isinstance(value, (float, np.floating)) else str(value)


def results_table(results: Sequence[Result], params: Sequence[dict[str, Any]], n_folds: int) -> SearchResults:
    """`cv_results_`: one entry for each result; `params` are those of the same candidates."""
    columns = SearchResults({"params": list(params)})
    for name in sorted({name for one in params for name in one}):
        values = np.empty(len(results), dtype=object)
        values[:] = [one.get(name) for one in params]
        columns[f"param_{name}"] = np.ma.MaskedArray(values, [name not in one for one in params])
    scores = np.array([result.scores or [math.nan] * n_folds for result in results], dtype=float)
    columns |= {f"split{k}_test_score": scores[:, k] for k in range(n_folds)}
    columns |= {"mean_test_score": scores.mean(axis=1), "std_test_score": scores.std(axis=1)}
    order = sorted(range(len(results)), key=lambda i: results[i].standing, reverse=True)
    ranks = np.empty(len(results), dtype=np.int32)
    ranks[order] = np.arange(1, len(results) + 1)
    columns["rank_test_score"] = ranks
    for name in ("rung", "epochs", "seconds", "complete", "error"):
        columns[name] = np.array([getattr(result, name) for result in results])
    return columns


def results_frame(table: Mapping[str, Any]) -> Any:
    """`cv_results_` as a pandas data frame, the best first."""
    with needed("results_frame needs", "pandas"):
        import pandas as pd  # type: ignore[import-untyped]
    return pd.DataFrame(dict(table)).sort_values("rank_test_score", kind="stable").reset_index(drop=True)
