"""Outputs of a network for dense or sparse rows, also before its output activation, and those that are not finite.

Takes a network and finite rows. Returns its outputs, or raises an error that names the row. Never imports scikit-learn,
which predicting does not need.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from rosenblatt.nn.network import Network

__all__ = ["OutputError", "finite_outputs", "is_sparse", "predict_rows", "rows_of", "without_output_activation"]

Array = npt.NDArray[Any]
DENSE_BLOCK = 1024
"""Rows made dense at a time when a network with dense input predicts from a sparse matrix."""


class OutputError(ValueError):
    """A network's output for finite numbers is NaN or infinite: they, or its weights, are too large."""


def is_sparse(X: Any) -> bool:
    """Whether X is a SciPy sparse matrix or array."""
    return hasattr(X, "tocsr")


def rows_of(X: Any) -> Any:
    """X with rows that can be read one by one: dense as it is, CSC as CSR."""
    return X.tocsr() if is_sparse(X) else X


def predict_rows(network: Network, X: Any) -> Array:
    """The network's outputs for X, whichever of X and the network is sparse."""
    X = rows_of(X)
    if network.spec.sparse_input and not is_sparse(X):
        from scipy.sparse import csr_matrix  # takes longer to import than all of the engine

        return np.asarray(network.predict(csr_matrix(X)))
    if network.spec.sparse_input or not is_sparse(X):
        return np.asarray(network.predict(X))
    blocks = [X[i : i + DENSE_BLOCK].toarray() for i in range(0, X.shape[0], DENSE_BLOCK)]
    return np.concatenate([network.predict(block) for block in blocks])


def without_output_activation(network: Network) -> Network:
    """A copy of a chain of layers that gives what the output layer computes before its activation."""
    linear = Network(replace(network.chain, output="identity"), dtype=network.dtype, seed=None)
    linear.block[...] = network.block
    return linear


def finite_outputs(outputs: Array) -> Array:
    """The outputs of a network for finite rows; an `OutputError` names the first row whose outputs are not finite."""
    finite = np.isfinite(outputs)
    if finite.all():
        return outputs
    row = int(np.argmin(finite.all(axis=1)))
    raise OutputError(
        f"the network's output for row {row} (from 0) of X is {outputs[row][~finite[row]][0]:g}: the "
        f"numbers of that row, or the weights, are too large for {outputs.dtype}. Scale X as in training, or use "
        "dtype='float64'."
    )
