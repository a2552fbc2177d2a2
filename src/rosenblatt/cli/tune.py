"""``rosenblatt tune``: the defaults or better hyperparameters, and why.

Takes a `Request` and a time. Returns nothing: it writes a model file, and shows what was chosen, the scores of both,
and in which parameters they differ. Never chooses by rows that are held out.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rosenblatt.cli.display import Display
from rosenblatt.cli.layout import counted
from rosenblatt.cli.messages import OPTIONS
from rosenblatt.cli.preparation import TrainingRun, begin
from rosenblatt.cli.request import Request
from rosenblatt.cli.train import keep, show
from rosenblatt.estimators.tabular.parameter_changes import changed_parameters
from rosenblatt.metrics import is_better
from rosenblatt.storage.plain import plain

__all__ = ["SEARCH", "Choice", "tune"]

SEARCH: dict[str, Any] = {"strategy": "halving", "max_epochs": 128, "ensemble": 4}
"""How `tune` uses `MLPSearchCV`: its last stage has twice the epochs of the defaults."""

DEFAULT_SECONDS = 300.0


@dataclass(frozen=True)
class Choice:
    """The model that is kept, out-of-fold scores of both, and the parameters in which the best candidate differs.

    `best_score` and `changes` are None and empty if no candidate was finished; `reason` says why, then.
    """

    model: Any
    score_name: str
    default_score: float
    best_score: float | None = None
    n_candidates: int = 0
    changes: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    reason: str = ""
    is_found: bool = False

    def data(self) -> dict[str, Any]:
        """What ``--json`` writes."""
        return {
            "chosen": "search" if self.is_found else "defaults",
            "reason": self.reason,
            "score_name": self.score_name,
            "defaults": plain(self.default_score),
            "best": plain(self.best_score),
            "candidates": self.n_candidates,
            "changes": {
                OPTIONS.get(name, name): {"defaults": plain(before), "search": plain(after)}
                for name, (before, after) in self.changes.items()
            },
        }


def tune(request: Request, seconds: float | None, candidates: int | None, display: Display) -> None:
    """Read, split, search, score, write, show; the defaults stay unless the search finds better ones, out of fold.

    Without a time and a number of candidates, it searches for five minutes.
    """
    work = begin(request, "tune", display)
    if seconds is None and candidates is None:
        seconds = DEFAULT_SECONDS
    defaults, folder = work.estimator, request.parameters.get("checkpoint")
    with display.warnings():
        with display.progress() as on_epoch:
            defaults.set_params(time_budget=seconds, on_epoch=on_epoch).fit(work.training)
        defaults.set_params(time_budget=None, on_epoch=None, **({} if folder is None else {"checkpoint": None}))
        display.line("defaults", f"{defaults.score_name} {defaults.score_:.4f} out of fold")
        limits: dict[str, Any] = {} if candidates is None else {"n_trials": candidates}
        if seconds is not None:
            limits["time_budget"] = seconds - (time.perf_counter() - work.started)
        choice = choose(work, limits, folder, display)
        kept = keep(work, choice.model, display)
    display.choice(choice.data())
    show(work, kept, display)


def choose(work: TrainingRun, limits: dict[str, Any], folder: Path | None, display: Display) -> Choice:
    """The defaults, or what a search within these limits of `MLPSearchCV` finds if it is better, out of fold."""
    defaults = work.estimator
    kept = Choice(defaults, defaults.score_name, defaults.score_)
    has_time = limits.get("time_budget", 1) > 0
    if defaults.ensemble_.interrupted and has_time:
        display.line("search", "Interrupted before it began; the defaults are kept as they are.")
        return replace(kept, reason="the search was interrupted before it began")
    if not has_time:
        return replace(kept, reason="the defaults took all the time")
    return search(work, kept, limits, folder, display)


def search(work: TrainingRun, kept: Choice, limits: dict[str, Any], folder: Path | None, display: Display) -> Choice:
    """The better of the defaults and of what a search finds, out of fold; its record is in the `folder`, if any."""
    from rosenblatt.search import MLPSearchCV

    defaults = work.estimator
    found = MLPSearchCV(defaults, **{"verbose": 1, "checkpoint": folder, **SEARCH, **limits})
    try:
        tuned = found.fit(work.training, None).best_estimator_
    except KeyboardInterrupt:
        display.line("search", "Interrupted before a candidate was finished; the defaults are kept.")
        return replace(kept, reason="the search was interrupted before a candidate was finished")
    n, best = len(found.cv_results_["params"]), f"{found.best_score_:.4f}"
    display.line("search", f"{counted(n, 'candidate')}, the best {best}, averaged with the next {tuned.score_:.4f}")
    is_found = is_better(tuned.score_, defaults.score_, greater=True)
    reason = f"{tuned.score_:.4f} is {'better' if is_found else 'not better'} than the defaults' {defaults.score_:.4f}"
    return replace(
        kept,
        model=tuned if is_found else defaults,
        best_score=tuned.score_,
        n_candidates=n,
        changes=changed_parameters(defaults, tuned),
        reason=reason,
        is_found=is_found,
    )
