"""``rosenblatt tune``: the best hyperparameters for a table within a time, and the model that they give.

Goes in: the arguments. Comes out: a model file as `train` writes it. The default settings are a candidate, too.
"""

from __future__ import annotations

import re
import time
import warnings
from pathlib import Path

from rosenblatt.console.display import Display
from rosenblatt.console.train import TrainRequest, load_table, new_estimator, require_writable, score, split
from rosenblatt.files import save
from rosenblatt.search import MLPSearchCV
from rosenblatt.tables.targets import find_target, fit_target

__all__ = ["parse_time", "tune"]

MOST_TRIALS = 1000
UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}


def parse_time(text: str) -> float:
    """``90``, ``90s``, ``5m`` or ``1h`` in seconds."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?([smh]?)", text.strip())
    if found is None or float(found[1]) == 0:
        raise ValueError(f"--time {text!r}: write seconds, minutes or hours, such as 90s, 5m or 1h.")
    return float(found[1]) * UNITS[found[2]]


def tune(request: TrainRequest, seconds: float, display: Display) -> None:
    """Read, split, search, score, write."""
    started = time.monotonic()
    out = request.out or Path(f"{request.file.stem if request.file else 'digits'}.safetensors")
    require_writable(out)
    table, name = load_table(request)
    column = find_target(table, name)
    target = fit_target(column, request.task)
    estimator = new_estimator(target, {**request.parameters, "kinds": request.kinds})
    rows, held_out = split(request, target, column)
    training = table.take(rows)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        best = estimator.set_params(time_budget=seconds).fit(training, name).set_params(time_budget=None)
        display.line("defaults", f"{best._score_name()} {best.score_:.4f} out of fold")
        left = seconds - (time.monotonic() - started)
        if left > 0:
            search = MLPSearchCV(estimator, n_trials=MOST_TRIALS, strategy="random", time_budget=left, verbose=1)
            search.fit(training.drop([name]), best._values_of(training.columns[name]))
            tried = search.best_estimator_
            display.line("search", f"{len(search.cv_results_['params'])} candidates, the best {search.best_score_:.4f}")
            if tried.score_ > best.score_:
                tried.target_name_ = name
                best = tried
                display.line("chosen", ", ".join(f"{key}={value}" for key, value in search.best_params_.items()))
    display.scores(score(best, target, table, rows, held_out), target.classes, held_out is not None)
    save(best, out)
    display.line("file", f"{out} ({out.stat().st_size / 1000:,.0f} kB), {time.monotonic() - started:.0f} s in all")
