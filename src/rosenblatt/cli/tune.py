"""``rosenblatt tune``: the best hyperparameters for a table within a time, and the model that they give.

Takes the arguments. Returns nothing: it writes a model file as `train` does. Never chooses candidates that are worse
than the default settings, out of fold.
"""

from __future__ import annotations

import time
from typing import Any

from rosenblatt.cli.arguments import Request
from rosenblatt.cli.display import Display
from rosenblatt.cli.workflow import begin, finish, shown_warnings
from rosenblatt.metrics import is_better
from rosenblatt.search import MLPSearchCV
from rosenblatt.search.progress_table import format_params

__all__ = ["SEARCH", "tune"]

SEARCH: dict[str, Any] = {"strategy": "halving", "max_epochs": 128, "ensemble": 4}
"""How `MLPSearchCV` is used: its last stage has twice the epochs of the defaults."""


def tune(request: Request, seconds: float, display: Display) -> None:
    """Read, split, search, score, write."""
    work = begin(request, display)
    best = work.estimator
    with shown_warnings(display):
        best.set_params(time_budget=seconds).fit(work.training).set_params(time_budget=None)
    display.line("defaults", f"{best.score_name} {best.score_:.4f} out of fold")
    left = seconds - (time.perf_counter() - work.started)
    if left > 0:
        search = MLPSearchCV(best, time_budget=left, verbose=1, **SEARCH)
        tuned = search.fit(work.training, None).best_estimator_
        n, score = len(search.cv_results_["params"]), f"{search.best_score_:.4f}"
        display.line("search", f"{n} candidates, the best {score}, averaged with the next {tuned.score_:.4f}")
        if is_better(tuned.score_, best.score_, greater=True):
            best = tuned
            display.line("chosen", format_params(search.best_params_))
    finish(work, best, display)
