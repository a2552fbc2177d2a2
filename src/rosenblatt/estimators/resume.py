"""Checkpoints of estimators: which state makes a fit go on exactly where it was.

Goes in: an estimator in the middle of `fit`, with its data. Comes out: a checkpoint's state and arrays; and from those,
in another process, the same fit. The data and every parameter that matters belong to the fingerprint.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from rosenblatt.estimators.fit_state import Course, Resumption
from rosenblatt.nn.schedules import PlateauState
from rosenblatt.storage.container import decode_value, encode_value
from rosenblatt.training.checkpoint import Checkpoints, data_digest, setting_text
from rosenblatt.training.history import History

__all__ = ["find_checkpoint", "fit_state", "restore_fit"]

Array = npt.NDArray[Any]
ATTRIBUTES = (
    *("loss_curve_", "t_", "n_iter_", "best_loss_", "best_validation_score_", "validation_scores_"),
    *("_no_improvement_count", "loss_"),
)
UNCOMPARED = ("checkpoint", "checkpoint_every", "verbose", "random_state", "n_jobs")
"""Parameters that may change between a fit and its resumption."""


def find_checkpoint(estimator: Any, data: Mapping[str, Any], rng: np.random.RandomState) -> Resumption:
    """Open the folder of checkpoints; random numbers start as those of the fit that is gone on with."""
    if estimator.checkpoint is None:
        return Resumption()
    checkpoints = open_checkpoints(estimator, estimator.checkpoint, estimator.checkpoint_every, data)
    found = checkpoints.load()
    if found is not None:
        random_state_from(rng, found[0]["random_start"], found[1]["random_start"])
    return Resumption(random_state_to(rng), checkpoints, found)


def open_checkpoints(
    estimator: Any, folder: str | os.PathLike[str], every: Any, data: Mapping[str, Any]
) -> Checkpoints:
    """The folder of a fit, whose fingerprint holds the estimator's parameters and digests of the data."""
    parameters = estimator.get_params(deep=False)
    fingerprint = {n: setting_text(value) for n, value in parameters.items() if n not in UNCOMPARED}
    seed = parameters.get("random_state")
    fingerprint["random_state"] = repr(seed) if seed is None or isinstance(seed, (int, np.integer)) else "a generator"
    fingerprint["estimator"] = type(estimator).__name__
    fingerprint |= {name: data_digest(array) for name, array in data.items()}
    return Checkpoints(folder, every, fingerprint)


def random_state_to(rng: np.random.RandomState) -> tuple[dict[str, Any], Array]:
    """The state of NumPy's RandomState as JSON and an array."""
    name, keys, position, has_gauss, gauss = rng.get_state()
    return {"name": name, "position": position, "has_gauss": has_gauss, "gauss": float(gauss).hex()}, np.array(keys)


def random_state_from(rng: np.random.RandomState, state: Mapping[str, Any], keys: Array) -> None:
    """Set a RandomState to what `random_state_to` was given."""
    gauss = float.fromhex(state["gauss"])
    rng.set_state((state["name"], keys, state["position"], state["has_gauss"], gauss))


def fit_state(estimator: Any, course: Course) -> tuple[dict[str, Any], dict[str, Array]]:
    """State and arrays of a checkpoint; among them the random state from before the fit."""
    counts, arrays = estimator._optimizer.running_trainer.state()
    state = {
        "counts": counts,
        "attributes": {name: encode_value(getattr(estimator, name, None), name) for name in ATTRIBUTES},
        "history": {name: encode_value(values, name) for name, values in estimator.history_.items()},
        "learning_rate": estimator._optimizer.learning_rate,
        "plateau": {name: encode_value(value, name) for name, value in asdict(estimator._optimizer.plateau).items()},
        "finished": course.finished,
    }
    state["random"], arrays["random"] = random_state_to(course.rng)
    assert course.resumption.start is not None
    state["random_start"], arrays["random_start"] = course.resumption.start
    if course.rows is not None:
        arrays["rows"] = np.array(course.rows)
    if course.best is not None:
        arrays["best"] = np.array(course.best)
    return state, arrays


def restore_fit(estimator: Any, course: Course) -> None:
    """Put an estimator that was prepared for the same fit, and its course, where the checkpoint was, if any."""
    if course.resumption.found is None:
        return
    state, arrays = course.resumption.found
    trainer = estimator._optimizer.running_trainer
    trainer.resume_from(state["counts"], arrays)
    for name, value in state["attributes"].items():
        if name in ATTRIBUTES:
            setattr(estimator, name, decode_value(value))
    estimator.history_ = History({name: decode_value(values) for name, values in state["history"].items()})
    estimator._optimizer.learning_rate = state["learning_rate"]
    estimator._optimizer.plateau = PlateauState(**{n: decode_value(v) for n, v in state["plateau"].items()})
    random_state_from(course.rng, state["random"], arrays["random"])
    if course.rows is not None:
        course.rows[:] = arrays["rows"]
    if course.best is not None or "best" in arrays:
        course.best = np.array(arrays["best"])
    course.in_epoch = trainer.position[0] > 0
    course.finished = state["finished"]
