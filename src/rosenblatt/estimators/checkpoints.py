"""What a checkpointed fit of an estimator belongs to, and the folder that it has to itself.

Takes an estimator, digests of its data, and its random numbers. Returns a fingerprint, and the folder's path. Never
reads or writes a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from rosenblatt.training.checkpoint import data_digest, fingerprint_of

__all__ = ["fit_fingerprint", "own_folder"]

UNCOMPARED = (
    "checkpoint",
    "checkpoint_every",
    "verbose",
    "random_state",
    "n_jobs",
    "on_epoch",
    "client",
    "window",
    "memory_limit",
)
"""Parameters that may change between a fit and its resumption."""


def fit_fingerprint(estimator: Any, data: Mapping[str, Any], rng: np.random.RandomState) -> dict[str, str]:
    """The estimator's parameters, digests of `data` (rows and starting weights), and where its random numbers start."""
    parameters = estimator.get_params(deep=False)
    settings = {name: value for name, value in parameters.items() if name not in UNCOMPARED}
    seed = parameters.get("random_state")
    if isinstance(seed, np.random.RandomState):  # as it is now: it may have drawn numbers before
        _, keys, position, *_ = rng.get_state()
        start = data_digest(keys, np.array(position))
    else:
        start = repr(None if seed is None else int(seed))
    return fingerprint_of(settings, data) | {"random_state": start, "estimator": type(estimator).__name__}


def own_folder(estimator: Any, fingerprint: Mapping[str, str]) -> Path:
    """A folder inside that of the estimator, named by the fingerprint.

    The clones of one estimator (candidates of a search, folds of a cross-validation, jobs side by side) have one
    `checkpoint`.
    """
    name = data_digest(np.frombuffer(repr(sorted(fingerprint.items())).encode(), np.uint8))[:16]
    return Path(estimator.checkpoint) / name
