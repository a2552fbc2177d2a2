"""A fit as a whole: it is undone if it fails, and timed if it succeeds.

Takes an estimator and the body of its fit. Returns the estimator with `fit_time_`, or as it was. Never trains.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

__all__ = ["unchanged_if_failed"]


@contextmanager
def unchanged_if_failed(estimator: Any, failure: type[BaseException] = Exception) -> Iterator[None]:
    """Restore every attribute of an estimator if the body fails, so that an earlier model is whole.

    Arrays are restored to their contents, since some fits write into them. `failure` is what counts as one: Ctrl-C does
    not, where what was learned is kept. If the body succeeds, `fit_time_` is the number of seconds that it took.
    """
    before, began = dict(vars(estimator)), time.monotonic()
    arrays = {name: value for name, value in before.items() if isinstance(value, np.ndarray) and value.flags.writeable}
    contents = {name: array.copy() for name, array in arrays.items()}
    try:
        yield
    except failure:
        running = {name: value for name, value in vars(estimator).items() if "callback" in name}  # scikit-learn ends it
        estimator.__dict__ = before | running
        for name, content in contents.items():
            arrays[name][...] = content
        raise
    estimator.fit_time_ = time.monotonic() - began
