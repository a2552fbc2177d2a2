"""A trainer: a network, what it is trained for, and the data; each call runs whole epochs in native code.

Goes in: a `Network`, a loss, an optimizer, arrays. Comes out: the network's parameters, changed in place, and losses.
It decides nothing about when to stop, how fast to learn or in which order: its caller says.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt import _core
from rosenblatt.ir.compile import aligned_bytes, compile_program, source
from rosenblatt.ir.planner import layout
from rosenblatt.nn.losses import LossFunction, loss_record
from rosenblatt.nn.network import Network, training_rows
from rosenblatt.nn.optimizers import Optimizer
from rosenblatt.nn.programs import Objective, block_programs, training_program

__all__ = ["Trainer"]


class Trainer:
    """Trains a network in place.

    Parameters
    ----------
    network : Network
        Its parameters become views into the trainer's memory.
    loss : str or callable
        "softmax_cross_entropy", "logistic_cross_entropy", "squared_error", "poisson", or a function
        ``loss(b, prediction, target) -> value`` of shape [m] or [m, k].
    optimizer : Optimizer or None
        None: only `loss_and_gradient` can be called.
    l2, l1, clip_value, clip_norm : float
        Penalties of the weights and limits of the gradient, as `rosenblatt.nn.programs.Objective` defines them.
    batch_size : int
        Rows of one step; None: all rows.
    weighted : bool
        `set_data` gets a weight for each row.
    seed : int
        Of the row orders of `epochs`, and of random ops in the program.

    Attributes
    ----------
    step_count, epoch_count : int
        Steps and epochs so far.
    whole_epochs : list of float
        Losses of the epochs that the last call completed before it was interrupted; empty if it was not.
    """

    def __init__(
        self,
        network: Network,
        loss: str | LossFunction,
        optimizer: Optimizer | None = None,
        *,
        l2: float = 0.0,
        l1: float = 0.0,
        batch_size: int | None = 200,
        weighted: bool = False,
        clip_value: float = 0.0,
        clip_norm: float = 0.0,
        seed: int = 0,
    ) -> None:
        self.network = network
        self.objective = Objective(loss, l2, l1, weighted, clip_value, clip_norm)
        self.optimizer = optimizer
        if batch_size is not None and batch_size < 1:
            raise ValueError(f"batch_size is {batch_size}; it must be at least 1, or None for all rows")
        self.batch_size = batch_size
        self.seed = seed
        self.step_count = self.epoch_count = 0
        self._labels = loss_record(loss).labels
        self._sources: list[_core.Source] = []
        self._n_rows = 0
        self.whole_epochs: list[float] = []
        self._build()

    def _build(self) -> None:
        """Build, plan and compile the programs; move the parameters into memory that has room for the state."""
        spec, dtype = self.network.spec, self.network.dtype.name
        rows = training_rows(spec)
        if self.optimizer is not None and self.batch_size is not None and self.batch_size <= rows:
            program = training_program(spec, self.objective, self.optimizer, dtype)
            self.executable = compile_program(program, self.batch_size)
            core: tuple[_core.Program, ...] = (self.executable.core,)
            zero = (0, 0)
        else:
            block, update = block_programs(spec, self.objective, self.optimizer, dtype)
            self.executable = compile_program(block, rows)
            core = (self.executable.core, compile_program(update, 1).core)
            offsets, end = layout(block)
            zero = (offsets["weights_gradient"], end - offsets["weights_gradient"])
        self.memory = aligned_bytes(self.executable.plan.persistent_bytes)
        self.network.adopt(self.memory)
        update_core = core[1] if len(core) > 1 else None
        self._session = _core.Session(core[0], update_core, *zero)

    def set_data(self, X: Any, y: NDArray[Any], sample_weight: NDArray[Any] | None = None) -> None:
        """The rows to train on; arrays of a fitting dtype are not copied and must not change while training.

        Parameters
        ----------
        X : ndarray or scipy CSR matrix of shape (n_rows, n_inputs)
        y : ndarray
            Class numbers of shape (n_rows,) for softmax cross-entropy, else floats of shape (n_rows, n_outputs).
        sample_weight : ndarray of shape (n_rows,), optional

        Raises
        ------
        ValueError
            If the numbers of rows differ, or weights are given and not expected or the reverse.
        """
        if (sample_weight is not None) != self.objective.weighted:
            raise ValueError("sample_weight must be given exactly if the trainer was made with weighted=True")
        if not self._labels and y.ndim == 1:
            y = y.reshape(-1, 1)
        arrays = {"x": X, "y": y} if sample_weight is None else {"x": X, "y": y, "sample_weight": sample_weight}
        lengths = {name: array.shape[0] for name, array in arrays.items()}
        if len(set(lengths.values())) != 1:
            raise ValueError(f"the data have different numbers of rows: {lengths}")
        program = self.executable.program
        limit = self.network.spec.n_outputs
        self._sources = [source(program.leaf(name), array, limit) for name, array in arrays.items()]
        self._n_rows = X.shape[0]

    def epoch(self, order: NDArray[np.int64] | None, learning_rate: float) -> float:
        """Train on all rows once and return the mean loss of the batches, each counted by its rows.

        Parameters
        ----------
        order : ndarray of int64, shape (n,), or None
            Row numbers in the order to take them; None: as they are.
        learning_rate : float

        Returns
        -------
        float
            Not finite if a step's loss was not: then training stopped after that step.

        Raises
        ------
        KeyboardInterrupt
            On Ctrl-C, after a whole step; `step_count` says how many there were.
        """
        return self.epochs(1, learning_rate, None if order is None else order[None, :], shuffle=False)[0]

    def epochs(
        self, n_epochs: int, learning_rate: float, orders: NDArray[np.int64] | None = None, *, shuffle: bool = True
    ) -> list[float]:
        """Train for several epochs without returning to Python.

        Parameters
        ----------
        n_epochs : int
            At least 1.
        learning_rate : float
        orders : ndarray of int64, shape (n_epochs, n), optional
            Row numbers in the order to take them.
        shuffle : bool
            Without `orders`: each epoch has an order of its own, which depends on nothing but the trainer's seed and
            the epoch's number (`epoch_count`). False: rows are taken as they are.

        Returns
        -------
        list of float
            The losses of the epochs, as `epoch` defines them; fewer where one was not finite.

        Raises
        ------
        KeyboardInterrupt
            On Ctrl-C, after a whole step; `whole_epochs` has the losses of the epochs that were completed.
        """
        if self.optimizer is None:
            raise ValueError("this trainer has no optimizer; it can only compute loss_and_gradient")
        n_rows = self._n_rows if orders is None else orders.shape[1]
        batch_size = max(1, min(self.batch_size or n_rows, n_rows))
        n_steps = n_epochs * -(-n_rows // batch_size)
        slots = self.optimizer.slot_values(learning_rate, self.step_count, n_steps)
        self.whole_epochs = []
        try:
            losses, done, _ = self._session.train(
                self.memory,
                self._sources,
                batch_size,
                orders,
                n_rows,
                slots,
                self.seed,
                self.step_count,
                n_epochs,
                shuffle and orders is None,
                self.epoch_count,
            )
        except BaseException:  # a handler of a signal may raise anything
            done, losses = self._session.n_steps, self._session.losses
            self.whole_epochs = losses[: done // -(-n_rows // batch_size)]
            self.step_count += done
            self.epoch_count += len(self.whole_epochs)
            raise
        self.step_count += done
        self.epoch_count += len(losses)
        return losses

    def loss_and_gradient(self) -> tuple[float, NDArray[Any]]:
        """Objective and its gradient over all rows at the network's parameters; needs a trainer without optimizer.

        Returns
        -------
        loss : float
        gradient : ndarray of shape (n_parameters,)
            In the order of ``network.parameters``; overwritten by the next call.
        """
        if self.optimizer is not None:
            raise ValueError("loss_and_gradient needs a trainer without optimizer")
        losses, _, _ = self._session.train(self.memory, self._sources, self._n_rows, None, self._n_rows, np.zeros(0))
        start = self.executable.plan.places[self.executable.program.leaf("weights_gradient").id].offset
        n_bytes = self.network.parameters.nbytes
        return losses[0], self.memory[start : start + n_bytes].view(self.network.dtype)

    def release_data(self) -> None:
        """Let go of the user's arrays; `set_data` gives new ones."""
        self._sources, self._n_rows = [], 0

    def continue_from(self, other: Trainer) -> None:
        """Take over momenta and step count of a trainer of the same network with the same optimizer."""
        start = self.network.parameters.nbytes
        end = start * (1 + (0 if self.optimizer is None else len(self.optimizer.state)))
        self.memory[start:end] = other.memory[start:end]
        self.step_count, self.epoch_count = other.step_count, other.epoch_count

    def reset_optimizer(self) -> None:
        """Forget momenta and step count, as if training began here."""
        self.memory[self.network.parameters.nbytes :] = 0
        self.step_count = self.epoch_count = 0

    def snapshot(self) -> NDArray[np.uint8]:
        """A copy of parameters and optimizer state."""
        return self.memory.copy()

    def restore(self, snapshot: NDArray[np.uint8]) -> None:
        """Set parameters and optimizer state back to a `snapshot`."""
        self.memory[...] = snapshot
