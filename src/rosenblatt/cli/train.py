"""``rosenblatt train``: from a table to a scored model in a file.

Takes a `Request`. Returns nothing: it writes a model file, and on the way shows everything that a user should see.
Never trains before everything that can be wrong was checked, and shows no score before the model is written.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from rosenblatt.cli.destination import WrittenModel
from rosenblatt.cli.display import Display
from rosenblatt.cli.preparation import TrainingRun, begin
from rosenblatt.cli.request import Request
from rosenblatt.cli.results import score_data
from rosenblatt.tables.evaluation import Evaluation

if TYPE_CHECKING:
    from rosenblatt.estimators.tabular.member import MemberEpoch

__all__ = ["KeptModel", "keep", "show", "train"]


def train(request: Request, display: Display) -> None:
    """Read, split, train, score, write, show."""
    work = begin(request, "train", display)
    with display.warnings():
        epochs: list[MemberEpoch] = []
        with display.progress() as show_epoch:
            on_epoch = partial(noted, epochs, show_epoch)
            work.estimator.set_params(on_epoch=on_epoch).fit(work.training, **validation_of(work))
        kept = keep(work, work.estimator, display)
    display.training(training_data(work.estimator, len(epochs)))
    show(work, kept, display)


def noted(epochs: list[MemberEpoch], show: Callable[[MemberEpoch], None], epoch: MemberEpoch) -> None:
    """Keep an epoch, and show it."""
    epochs.append(epoch)
    show(epoch)


def validation_of(work: TrainingRun) -> dict[str, Any]:
    """The validation rows, as `fit` takes them."""
    rows = work.validation
    return {} if rows is None else {"X_val": rows.inputs, "y_val": rows.target.decoded()}


def training_data(model: Any, n_epochs: int) -> dict[str, Any]:
    """How the networks of a fitted model were trained, `n_epochs` of all epochs by this process."""
    ensemble = model.ensemble_
    n_all = sum(len(member.curve) for member in ensemble.members)
    return {
        "networks": len(ensemble.members),
        "architecture": ensemble.architectures,
        "epochs": ensemble.settings.epochs,
        "best_epochs": [member.best_epoch for member in ensemble.members],
        "resumed_epochs": max(0, n_all - n_epochs),
        "interrupted": ensemble.interrupted,
    }


@dataclass(frozen=True)
class KeptModel:
    """A model that was written; `evaluation` is None if Ctrl-C came while it was scored."""

    written: WrittenModel
    evaluation: Evaluation | None
    classes: Any


def keep(work: TrainingRun, model: Any, display: Display) -> KeptModel:
    """Score and write a model. Nothing is shown before it is written, and Ctrl-C ends nothing but the scoring."""
    try:
        evaluation = score(work, model)
    except KeyboardInterrupt:
        evaluation = None
    objection = "Ctrl-C came before the model was scored" if evaluation is None else evaluation.verdict
    written = work.destination.write(model, objection)
    display.wrote(written.name)
    return KeptModel(written, evaluation, getattr(model, "classes_", None))


def score(work: TrainingRun, model: Any) -> Evaluation:
    """The scores of held-out rows, or without them those of the rows that chose the epochs."""
    training, rows = work.training, work.held_out
    if rows is None:
        source = work.validation or training
        seen = np.flatnonzero(~np.isnan(model.out_of_fold_.reshape(len(source.target.values), -1)[:, 0]))
        weights = None if source.weights is None else source.weights[seen]
        target, predictions = source.target.take(seen), model.out_of_fold_[seen]
    else:
        predict = model.predict if training.target.classes is None else model.predict_proba
        target, predictions, weights = rows.target, predict(rows.inputs), rows.weights
    return cast("Evaluation", model.evaluate(training.target, target, predictions, training.weights, weights))


def show(work: TrainingRun, kept: KeptModel, display: Display) -> None:
    """The scores and the file; an error if it is not the file that was asked for."""
    if kept.evaluation is not None:
        display.scores(score_data(kept.evaluation, kept.classes, work.scored, work.measured))
    written = kept.written
    display.file(written.name, written.n_bytes)
    if written.reason:
        raise FileExistsError(f"{written.reason}. The new model is in {written.name}.")
