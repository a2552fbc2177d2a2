"""Sparse matrices whose index arrays nobody else can change.

Takes a matrix of the user's. Returns one that shares its values. Never leaves indices unchecked.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["own_indices"]


def own_indices(X: Any) -> Any:
    """A CSR or CSC matrix with copies of the index arrays, which are checked; anything else as it is.

    SciPy and native code read without looking where indices point. A callback or another thread may change the user's
    arrays after they were checked; it cannot change these. A `ValueError` says what is wrong with the indices.
    """
    if getattr(X, "format", "") not in ("csr", "csc") or not hasattr(X, "indptr"):
        return X
    indices, starts, shape = np.array(X.indices), np.array(X.indptr), X.shape
    try:
        made = type(X)((X.data, indices, starts), shape=shape)
        made.check_format(full_check=True)
    except (ValueError, IndexError) as error:
        raise ValueError(f"X is not a valid sparse matrix: {error}") from None
    return made
