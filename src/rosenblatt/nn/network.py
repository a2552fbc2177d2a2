"""A dense network: an architecture, its parameters in one block, and prediction.

Goes in: a `NetworkSpec`, then rows of data. Comes out: predictions. Training is not here: see
`rosenblatt.training.Trainer`, which works on the same parameters.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from rosenblatt import _core
from rosenblatt.ir.compile import NO_SLOTS, Executable, aligned_bytes, compile_program, source
from rosenblatt.nn.programs import NetworkSpec, prediction_program

__all__ = ["Network", "NetworkSpec", "block_rows", "training_rows"]

BLOCK_VALUES = 1 << 17  # values of all layers in one block: with float32, half a typical second-level cache
MANY_WEIGHTS = 1 << 19  # more than such a cache holds
MOST_VALUES = 1 << 24


def block_rows(spec: NetworkSpec) -> int:
    """Rows of one block, so that a block's values stay in the cache: 16 to 1,024, a multiple of 16."""
    dense_width = sum(spec.layer_sizes[1:]) + (0 if spec.sparse_input else spec.n_inputs)
    return min(1024, max(16, BLOCK_VALUES // dense_width // 16 * 16))


def training_rows(spec: NetworkSpec) -> int:
    """Rows of one block in training: at least 256 or, where it is costly to add up gradients over blocks, 512."""
    enough = 512 if spec.n_weights >= MANY_WEIGHTS else 256
    return max(block_rows(spec), min(enough, MOST_VALUES // sum(spec.layer_sizes) // 16 * 16))


class Network:
    """A dense network with all parameters in one contiguous block: weights first, then biases.

    Parameters
    ----------
    spec : NetworkSpec
    dtype : {"float32", "float64"}
        What it computes in.

    Attributes
    ----------
    weights : list of ndarray of shape (n_in, n_out)
        Writable views, one for each layer; `predict` sees what is written at once.
    biases : list of ndarray of shape (n_out,)
        Likewise.
    parameters : ndarray of shape (n_parameters,)
        All of them, flat.
    """

    def __init__(self, spec: NetworkSpec, dtype: DTypeLike = "float32") -> None:
        self.spec = spec
        self.dtype = np.dtype(dtype)
        if self.dtype not in (np.float32, np.float64):
            raise ValueError(f"dtype is {self.dtype}; allowed: float32, float64")
        self._n_parameters = spec.n_weights + spec.n_biases
        self._executable: Executable | None = None
        self._idle: list[_core.Session] = []
        self.parameters: NDArray[Any] = np.zeros(self._n_parameters, self.dtype)
        self.adopt(aligned_bytes(self._n_parameters * self.dtype.itemsize))

    def adopt(self, memory: NDArray[np.uint8]) -> None:
        """Move the parameters to the start of `memory`, which belongs to a trainer from then on."""
        parameters = memory[: self._n_parameters * self.dtype.itemsize].view(self.dtype)
        parameters[...] = self.parameters
        self.memory, self.parameters = memory, parameters
        self.weights: list[NDArray[Any]] = []
        self.biases: list[NDArray[Any]] = []
        at, bias_at = 0, self.spec.n_weights
        for n_in, n_out in self.spec.weight_shapes:
            self.weights.append(parameters[at : at + n_in * n_out].reshape(n_in, n_out))
            self.biases.append(parameters[bias_at : bias_at + n_out])
            at, bias_at = at + n_in * n_out, bias_at + n_out

    @property
    def executable(self) -> Executable:
        """The prediction program in the executor's form, compiled on first use."""
        if self._executable is None:
            program = prediction_program(self.spec, self.dtype.name)
            self._executable = compile_program(program, block_rows(self.spec))
        return self._executable

    def predict(self, X: Any) -> NDArray[Any]:
        """The outputs for each row.

        Any number of threads may call it at once. A row's outputs do not depend on the other rows.

        Parameters
        ----------
        X : ndarray or scipy CSR matrix of shape (n_rows, n_inputs)

        Returns
        -------
        ndarray of shape (n_rows, n_outputs)
            Of the network's dtype.

        Raises
        ------
        ValueError
            If X has another number of columns or axes.
        """
        if not self.spec.sparse_input:
            X = np.asarray(X)
        if len(X.shape) != 2 or X.shape[1] != self.spec.n_inputs:
            raise ValueError(f"X has shape {X.shape}; this network takes (n_rows, {self.spec.n_inputs})")
        executable = self.executable
        out = np.empty((X.shape[0], self.spec.n_outputs), self.dtype)
        rows = source(executable.program.leaf("x"), X)
        try:
            session = self._idle.pop()  # popping and appending are atomic: each call owns its session
        except IndexError:
            session = _core.Session(executable.core)
        session.forward(self.memory, [rows], X.shape[0], NO_SLOTS, [out])
        self._idle.append(session)
        return out

    def summary(self) -> str:
        """A table of the network: every tensor's shape (m = rows of the batch), parameters, memory and operations."""
        from rosenblatt.nn.summary import summarize

        return summarize(self)

    def __getstate__(self) -> dict[str, Any]:
        return {"spec": self.spec, "dtype": self.dtype, "parameters": self.parameters.copy()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["spec"], state["dtype"])  # type: ignore[misc]
        self.parameters[...] = state["parameters"]

    def __repr__(self) -> str:
        return f"Network({self.spec}, dtype={self.dtype.name!r})"
