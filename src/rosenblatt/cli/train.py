"""``rosenblatt train``: from a table to a scored model in a file.

Takes the arguments. Returns nothing: it writes a model file, and on the way shows everything that a user should see.
Never overwrites a file that is no model.
"""

from __future__ import annotations

from typing import Any

from rosenblatt.cli.arguments import Request
from rosenblatt.cli.display import Display
from rosenblatt.cli.workflow import begin, finish, shown_warnings

__all__ = ["train"]


def train(request: Request, display: Display) -> None:
    """Read, split, train, score, write."""
    work = begin(request, display)
    with shown_warnings(display), display.progress() as on_epoch:
        work.estimator.set_params(on_epoch=on_epoch).fit(work.training)
    display.line("training", describe_training(work.estimator))
    finish(work, work.estimator, display)


def describe_training(model: Any) -> str:
    """Networks, epochs, and how it ended."""
    ensemble = model.ensemble_
    members = ensemble.members
    best = ", ".join(str(member.best_epoch) for member in members[:10]) + (", …" if len(members) > 10 else "")
    networks = "a network" if len(members) == 1 else f"{len(members)} networks"
    how = "Interrupted; what was learned so far is kept: " if ensemble.interrupted else ""
    return (
        f"{how}{networks} ({ensemble.architectures}), at most {ensemble.settings.epochs} epochs, the best kept: {best}"
    )
