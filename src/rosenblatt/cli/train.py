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
from rosenblatt.cli.scored import ScoredRows
from rosenblatt.distributed import together
from rosenblatt.tables.evaluation import Evaluation
from rosenblatt.tables.streamed_task import StreamedTask

if TYPE_CHECKING:
    from rosenblatt.estimators.tabular.member import MemberEpoch

__all__ = ["KeptModel", "keep", "show", "train"]


def train(request: Request, display: Display) -> None:
    """Read, split, train, score, write, show; of ranks under mpiexec, the first one scores, writes and shows."""
    epochs: list[MemberEpoch] = []
    with together() as ranks, display.warnings():
        work = begin(request, "train", display)
        with display.progress() as show_epoch:
            on_epoch, task = partial(noted, epochs, show_epoch), work.training
            task = task.heard_by(show_epoch.passed) if isinstance(task, StreamedTask) else task
            work.estimator.set_params(on_epoch=on_epoch).fit(task, **validation_of(work))
    if not ranks.is_first:
        return
    with display.warnings():
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

    model: Any
    written: WrittenModel
    evaluation: Evaluation | None


def keep(work: TrainingRun, model: Any, display: Display) -> KeptModel:
    """Score and write a model. Nothing is shown before it is written, and Ctrl-C ends nothing but the scoring."""
    try:
        evaluation = score(work, model)
    except KeyboardInterrupt:
        evaluation = None
    objection = "Ctrl-C came before the model was scored" if evaluation is None else evaluation.verdict
    written = work.destination.write(model, objection)
    display.wrote(written.name)
    return KeptModel(model, written, evaluation)


def score(work: TrainingRun, model: Any) -> Evaluation:
    """The scores of held-out rows, or without them those of the rows that chose the epochs."""
    training, rows = work.training, work.held_out
    known_weights = None if isinstance(training, StreamedTask) else training.weights
    if rows is None:
        source = work.validation or work.in_memory
        seen = np.flatnonzero(~np.isnan(model.out_of_fold_.reshape(len(source.target.values), -1)[:, 0]))
        weights = None if source.weights is None else source.weights[seen]
        target, predictions = source.target.take(seen), model.out_of_fold_[seen]
    else:
        predict = model.predict if training.target.classes is None else model.predict_proba
        target, predictions, weights = rows.target, predict(rows.inputs), rows.weights
    return cast("Evaluation", model.evaluate(training.target, target, predictions, known_weights, weights))


def show(work: TrainingRun, kept: KeptModel, display: Display) -> None:
    """The scores, the report and the file; an error if one of them is not where it was asked for."""
    if kept.evaluation is not None:
        classes = getattr(kept.model, "classes_", None)
        display.scores(score_data(kept.evaluation, classes, work.scored, work.measured))
    written, trouble = kept.written, write_report(work, kept, display)
    display.file(written.name, written.n_bytes)
    if written.reason:
        raise FileExistsError(f"{written.reason}. The new model is in {written.name}.{trouble and f' {trouble}'}")
    if trouble:
        raise ValueError(f"{trouble} The model is in {written.name}.")


def write_report(work: TrainingRun, kept: KeptModel, display: Display) -> str:
    """Write the report that was asked for, if any; a sentence if that failed, because the model is written already."""
    place = work.report_file
    if place is None:
        return ""
    try:
        with display.warnings():
            n_bytes = place.write(report_of(work, kept.model))
    except Exception as error:
        return f"The report {place.path} was not written: {' '.join(str(error).split()).rstrip('.')}."
    display.report(str(place.path), n_bytes)
    return ""


def report_of(work: TrainingRun, model: Any) -> Any:
    """The report on the rows that were held out, or without them on the training rows, which are scored out of fold."""
    task, rows = work.in_memory, work.held_out
    if rows is None and task is not work.training:  # which are not in memory
        rows = ScoredRows.of_task(task)
    if isinstance(work.training, StreamedTask):
        scored = rows or work.validation
        assert scored is not None
        found = model.report(scored.inputs_with_roles(model), scored.target.decoded(), sample_weight=scored.weights)
        found.source = work.source
        return found
    known = ScoredRows.of_task(task)
    training = known.inputs_with_roles(model), known.target.decoded()
    if rows is None:
        found = model.report(*training, sample_weight=known.weights)
    else:
        given = rows.inputs_with_roles(model), rows.target.decoded()
        found = model.report(*given, sample_weight=rows.weights, training=training)
    found.source = work.source
    return found
