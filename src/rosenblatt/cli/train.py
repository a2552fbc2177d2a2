"""``rosenblatt train``: from a table to a scored model in a file.

Takes a `Request`. Returns nothing: it writes a model file, and on the way shows everything that a user should see.
Never trains before everything that can be wrong was checked, and shows no score before the model is written.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from rosenblatt.cli.destination import WrittenModel
from rosenblatt.cli.display import Display
from rosenblatt.cli.messages import in_options
from rosenblatt.cli.preparation import TrainingRun, begin
from rosenblatt.cli.request import Request
from rosenblatt.cli.results import score_data
from rosenblatt.tables.evaluation import Evaluation
from rosenblatt.tables.table import TableWarning

__all__ = ["KeptModel", "keep", "show", "shown_warnings", "train"]


def train(request: Request, display: Display) -> None:
    """Read, split, train, score, write, show."""
    work = begin(request, "train", display)
    with shown_warnings(display):
        with display.progress() as on_epoch:
            work.estimator.set_params(on_epoch=on_epoch).fit(work.training)
        kept = keep(work, work.estimator)
    display.training(training_data(work.estimator))
    show(work, kept, display)


def training_data(model: Any) -> dict[str, Any]:
    """How the networks of a fitted model were trained."""
    ensemble = model.ensemble_
    return {
        "networks": len(ensemble.members),
        "architecture": ensemble.architectures,
        "epochs": ensemble.settings.epochs,
        "best_epochs": [member.best_epoch for member in ensemble.members],
        "interrupted": ensemble.interrupted,
    }


@dataclass(frozen=True)
class KeptModel:
    """A model that was written; `evaluation` is None if Ctrl-C came while it was scored."""

    written: WrittenModel
    evaluation: Evaluation | None
    classes: Any


def keep(work: TrainingRun, model: Any) -> KeptModel:
    """Score and write a model. Nothing is shown before it is written, and Ctrl-C ends nothing but the scoring."""
    try:
        evaluation = score(work, model)
    except KeyboardInterrupt:
        evaluation = None
    objection = "Ctrl-C came before the model was scored" if evaluation is None else evaluation.verdict
    return KeptModel(work.destination.write(model, objection), evaluation, getattr(model, "classes_", None))


def score(work: TrainingRun, model: Any) -> Evaluation:
    """The scores of held-out rows, or without them those of the out-of-fold predictions of training rows."""
    training, held_out = work.training.target, work.held_out
    if held_out is None:
        seen = np.flatnonzero(~np.isnan(model.out_of_fold_.reshape(len(training.values), -1)[:, 0]))
        found = model.evaluate(training, training.take(seen), model.out_of_fold_[seen])
    else:
        predict = model.predict if training.classes is None else model.predict_proba
        found = model.evaluate(training, held_out.target, predict(held_out.inputs))
    return cast("Evaluation", found)


def show(work: TrainingRun, kept: KeptModel, display: Display) -> None:
    """The scores and the file; an error if it is not the file that was asked for."""
    if kept.evaluation is not None:
        display.scores(score_data(kept.evaluation, kept.classes, work.scored))
    written = kept.written
    display.file(written.name, written.n_bytes)
    if written.reason:
        raise FileExistsError(f"{written.reason}. The new model is in {written.name}.")


@contextmanager
def shown_warnings(display: Display) -> Iterator[None]:
    """Warnings for the user become lines, each once; the others are left alone."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for message in dict.fromkeys(str(w.message) for w in caught if w.category in (UserWarning, TableWarning)):
        display.note(in_options(message))
