"""A trainer: a network, what it is trained for, and the data; each call runs whole epochs in native code.

Takes a `Network`, a loss, an optimizer and arrays. Returns losses; the network's parameters are changed in place. Never
decides when to stop, how fast to learn or in which order: its caller says.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt import _core
from rosenblatt._checks import check_count, check_number, check_seed, is_count, refusal
from rosenblatt.ir.compile import aligned_bytes, compile_program
from rosenblatt.ir.planner import layout
from rosenblatt.nn.effects import effects_of, needs_whole_batch
from rosenblatt.nn.inputs import sources_of, training_arrays
from rosenblatt.nn.objective import LossGiven, Objective, blocks_of, factors_by_parameter
from rosenblatt.nn.optimizers import Optimizer
from rosenblatt.nn.program_cache import cached_executable
from rosenblatt.nn.programs import block_programs, block_rows, training_program, training_rows

if TYPE_CHECKING:
    from rosenblatt.nn.network import Network

__all__ = ["DivergenceError", "Trainer"]

Rates = float | NDArray[np.float64]
MAX_ROWS = 2**40  # and epochs, of one call: what the executor allows
STEPS_AT_ONCE = 2**20  # each needs numbers of its own, such as its learning rate, in memory


class DivergenceError(ValueError):
    """Training left the range of floating-point numbers; network and estimator are as they were before the call."""


class Trainer:
    """Trains a network in place.

    Parameters
    ----------
    network : Network
        Its parameters become views into the trainer's memory. Those that are frozen now do not change.
    loss : str, callable or Loss; or a mapping with one for each head
        A name in `rosenblatt.nn.losses.LOSSES`, or a function ``loss(b, prediction, target) -> value`` of shape [m] or
        [m, k].
    optimizer : Optimizer or None
        Without one, only `loss_and_gradient` can be called.
    batch_size : int or None
        Number of rows of one step. None means all rows.
    seed : int
        Seed of the row orders of `epochs`, and of random ops in the program.
    **settings
        Fields of `rosenblatt.nn.objective.Objective`: penalties, limits, `weighted` (`set_data` gets a weight for each
        row), `anneal_regularization` (`epochs` gets its strength). `learning_rate_factors` and `weight_decay_factors`
        may name layers and patterns; of several that match, the last counts.

    Attributes
    ----------
    step_count, epoch_count : int
        Steps and whole epochs so far.
    position : tuple of (int, float)
        Rows of the present epoch that are done, and the sum of their batches' losses; (0, 0.0) between epochs.
    inputs : dict of str to array
        A copy of the first rows of each input.
    whole_epochs : list of float
        Losses of the epochs that the last call completed before it was interrupted.
    """

    def __init__(
        self,
        network: Network,
        loss: LossGiven | Mapping[str, LossGiven],
        optimizer: Optimizer | None = None,
        *,
        batch_size: int | None = 200,
        seed: int = 0,
        **settings: Any,
    ) -> None:
        self.network = network
        for name in ("learning_rate_factors", "weight_decay_factors"):
            settings[name] = factors_by_parameter(network.graph, name, settings.get(name))
        settings["head_weights"] = settings.get("head_weights") or {}
        for head, weight in settings["head_weights"].items():
            check_number(f"head_weights[{head!r}]", weight, 0)
        self.objective = Objective(loss, frozen=network.frozen, **settings)
        self.optimizer = optimizer
        if batch_size is not None and not is_count(batch_size):
            raise refusal("batch_size", batch_size, "at least 1, or None for all rows")
        self.batch_size = None if batch_size is None else min(int(batch_size), MAX_ROWS)
        if optimizer is not None and batch_size == 1:
            self._check_batches(1)
        self.seed = check_seed("seed", seed) or 0
        self.step_count = self.epoch_count = 0
        self.position = (0, 0.0)
        self._losses = self.objective.losses(network.graph)
        self._session: Any
        self._sources, self._n_rows = list[_core.Source](), 0
        self.inputs: dict[str, Any] = {}
        self.whole_epochs: list[float] = []
        self._learned = [block for block in blocks_of(network.graph, self.objective) if not block.frozen]
        if not self._learned:
            raise ValueError("all parameters of the network are frozen: there is nothing to learn; unfreeze some")
        self._build()

    def _build(self) -> None:
        """Build, plan and compile the programs, for memory that they share."""
        graph, dtype = self.network.graph, self.network.dtype.name
        rows = training_rows(self.network.spec)
        large = self.optimizer is not None and (self.batch_size is None or self.batch_size > rows)
        if (one_block := large and needs_whole_batch(graph, self.network.frozen)) and self.batch_size is None:
            raise ValueError("layers that look at all rows of a batch, such as BatchNorm, need a batch_size")
        if self.optimizer is not None and self.batch_size is not None and (one_block or self.batch_size <= rows):
            objective, optimizer, batch_size = self.objective, self.optimizer, self.batch_size
            self.executable = cached_executable(
                lambda: compile_program(training_program(graph, objective, optimizer, dtype), batch_size),
                *("training", self.network.spec, objective, optimizer, dtype, batch_size),
            )
            self._session = _core.Session(self.executable.core)
        else:
            self._build_pair(rows)
        self._bind()

    def _build_pair(self, rows: int) -> slice:
        """The programs that add up gradients over blocks of `rows`, and make the step; where the sums lie, in bytes."""
        block, update = block_programs(self.network.graph, self.objective, self.optimizer, self.network.dtype.name)
        self.executable = compile_program(block, rows)
        offsets, end = layout(block)
        start = offsets[f"{self._learned[0].name}_gradient"]
        self._session = _core.Session(self.executable.core, compile_program(update, 1).core, start, end - start)
        return slice(start, end)

    def _bind(self) -> None:
        """Move the parameters into memory that has room for the state."""
        self.memory = aligned_bytes(self.executable.plan.persistent_bytes)
        self.network.bind_memory(self.memory)
        self._start_state()

    def _start_state(self) -> None:
        """Averages start as the parameters, the optimizer's arrays as it says."""
        for block in self._learned:
            if self.objective.ema_decay:
                parameters = self.network.parameters[block.offset : block.offset + block.size]
                self._leaf(f"{block.name}_average")[...] = parameters
            for name, value in self.optimizer.initial_state.items() if self.optimizer else ():
                self._leaf(f"{block.name}_{name}")[...] = value

    def _leaf(self, name: str) -> NDArray[Any]:
        return self.executable.persistent(self.memory, name)

    def set_data(self, X: Any, y: Any, sample_weight: NDArray[Any] | None = None) -> None:
        """The rows to train on; arrays of a fitting dtype are not copied and must not change while training.

        Parameters
        ----------
        X : ndarray or scipy CSR matrix of shape (n_rows, n_inputs); or a mapping with one for each input
        y : ndarray; or a mapping with one for each head
            Class numbers of shape (n_rows,) for losses of labels, else floats of shape (n_rows, n_outputs).
        sample_weight : ndarray of shape (n_rows,), optional

        Raises
        ------
        ValueError
            If the numbers of rows differ, or weights are given and not expected or the reverse.
        """
        if (sample_weight is not None) != self.objective.weighted:
            raise ValueError("sample_weight must be given exactly if the trainer was made with weighted=True")
        graph = self.network.graph
        arrays = training_arrays(graph, self._losses, X, y, sample_weight, dtype=self.network.dtype)
        self._sources = self._sources_of(arrays)
        self._n_rows = arrays["sample_weight" if sample_weight is not None else graph.input_names[0]].shape[0]
        self.keep_inputs(arrays)

    def keep_inputs(self, arrays: Mapping[str, Any]) -> None:
        """Copy the first rows of each input: the user's arrays may change while the training runs."""
        first = slice(block_rows(self.network.graph))
        self.inputs = {name: arrays[name][first].copy() for name in self.network.graph.input_names}

    def _sources_of(self, arrays: Mapping[str, Any]) -> list[_core.Source]:
        """What the program reads."""
        return sources_of(self.executable, self.network.graph, arrays)

    @property
    def n_rows(self) -> int:
        """Rows of the data."""
        return self._n_rows

    def steps_per_epoch(self, n_rows: int | None = None) -> int:
        """Steps that an epoch of so many rows (default: all of the data) takes."""
        n_rows = n_rows or self._n_rows
        batch_size = max(1, min(self.batch_size or n_rows, n_rows))
        return n_rows // batch_size + (n_rows % batch_size >= self._min_rows(n_rows % batch_size))

    def epochs_at_once(self, n_rows: int) -> int:
        """How many epochs of so many rows one call of `epochs` should run at most."""
        return max(1, STEPS_AT_ONCE // self.steps_per_epoch(n_rows))

    def _min_rows(self, rest: int) -> int:
        """The fewest rows of a step, where the last one of an epoch has `rest`."""
        return 2 if rest == 1 and self._compare_rows else 1

    @functools.cached_property
    def _compare_rows(self) -> list[str]:
        """The layers that compute from all rows of a batch: one row by itself would teach them nothing."""
        graph = self.network.graph
        effects = effects_of(graph, self.objective.frozen)
        return [graph.names[node] for node in graph.nodes if effects[node].needs_whole_batch]

    def _check_batches(self, n_rows: int) -> None:
        """Refuse steps of one row for layers that compare the rows of a batch."""
        if min(self.batch_size or n_rows, n_rows) == 1 and self._compare_rows:
            kind = type(self.network.graph.layers[self._compare_rows[0]]).__name__
            raise ValueError(
                f"layer {self._compare_rows[0]!r} ({kind}) compares the rows of a batch, so it learns nothing from 1 "
                "row a step, the smaller of batch_size and the number of rows; take a batch_size of 2 or more and more "
                "rows, or leave that layer out"
            )

    def epoch(self, order: NDArray[np.int64] | None, learning_rate: Rates) -> float:
        """Train on all rows once and return the mean loss of the batches, each counted by its rows.

        Parameters
        ----------
        order : ndarray of int64, shape (n,), or None
            Row numbers in the order in which they are used. None means all rows in order.
        learning_rate : float, or ndarray of shape (n_steps,)

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
        self,
        n_epochs: int,
        learning_rate: Rates,
        orders: NDArray[np.int64] | None = None,
        *,
        regularization: Rates = 1.0,
        shuffle: bool = True,
        resume: bool = False,
        max_steps: int = 0,
        max_seconds: float = 0.0,
    ) -> list[float]:
        """Train for several epochs without returning to Python.

        A last batch of a single row is left out where a layer compares the rows of a batch, as batch normalization
        does: it would only spoil the running statistics. With shuffled rows each epoch leaves another row out.

        Parameters
        ----------
        n_epochs : int
            At least 1.
        learning_rate : float, or ndarray with one for each step that is left
        orders : ndarray of int64, shape (n_epochs, n), optional
            Row numbers in the order in which they are used.
        regularization : float in [0, 1], or ndarray with one for each step that is left
            Factor of dropout rates and weight decay, for a trainer with ``anneal_regularization=True``.
        shuffle : bool
            Without `orders`, whether to shuffle the rows before each epoch. The order depends on nothing but the
            trainer's seed and the number of the epoch (`epoch_count`).
        resume : bool
            Whether the first epoch continues at `position`, in the order that it had.
        max_steps : int
            Pause after this many steps. A call with `resume` continues at `position`. 0 means no limit.
        max_seconds : float
            Pause at the end of a step after this time. 0 means no limit.

        Returns
        -------
        list of float
            The losses of the completed epochs, as `epoch` defines them; the last one is not finite where a step's was.

        Raises
        ------
        KeyboardInterrupt
            On Ctrl-C, after a whole step. `whole_epochs` has the losses of the completed epochs.
        """
        if self.optimizer is None:
            raise ValueError("this trainer has no optimizer; it can only compute loss_and_gradient")
        check_count("n_epochs", n_epochs, 1, MAX_ROWS)
        check_count("max_steps", max_steps, 0, 2**62)
        check_number("max_seconds", max_seconds, 0)
        if orders is not None and (not isinstance(orders, np.ndarray) or orders.ndim != 2 or orders.dtype != np.int64):
            raise ValueError("orders must be an array of int64 of the shape (n_epochs, n_rows)")
        n_rows = self._n_rows if orders is None else orders.shape[1]
        self._check_batches(n_rows)
        batch_size = max(1, min(self.batch_size or n_rows, n_rows))
        position = self._place_in_order() if resume else (0, 0.0)
        n_steps = n_epochs * self.steps_per_epoch(n_rows) - position[0] // batch_size
        slots = self._slots(learning_rate, regularization, n_steps)
        self.whole_epochs = []
        try:
            losses, done, _ = self._session.train(
                *(self.memory, self._sources, batch_size, orders, n_rows, slots, self.seed, self.step_count, n_epochs),
                *(shuffle and orders is None, self.epoch_count, position, max_steps, max_seconds),
                self._min_rows(n_rows % batch_size),
            )
        except BaseException:  # a handler of a signal may raise anything
            self.whole_epochs = self._session.losses
            self._count(self._session.n_steps, len(self.whole_epochs))
            raise
        self._count(done, len(losses))
        return list(losses)

    def _place_in_order(self) -> tuple[int, float]:
        """The `position` in the order that `epochs` is given."""
        return self.position

    def _count(self, n_steps: int, n_epochs: int) -> None:
        self.step_count += n_steps
        self.epoch_count += n_epochs
        self.position = self._session.position

    def _slots(self, learning_rate: Rates, regularization: Rates, n_steps: int) -> NDArray[np.float64]:
        """The program's slots for all steps, (n_steps, n_slots), or (n_slots,) where none varies."""
        assert self.optimizer is not None
        values = self.optimizer.slot_values(learning_rate, self.step_count, n_steps)
        if self.executable.slots == self.optimizer.slots:
            return values
        columns: dict[str, Any] = {"learning_rate": learning_rate, "regularization": regularization}
        columns |= dict(zip(self.optimizer.slots, np.moveaxis(values, -1, 0), strict=True))
        return np.column_stack([np.broadcast_to(columns[name], (n_steps,)) for name in self.executable.slots])

    def loss_and_gradient(self) -> tuple[float, NDArray[Any]]:
        """Objective and its gradient over all rows at the network's parameters; needs a trainer without optimizer.

        Returns
        -------
        loss : float
        gradient : ndarray of shape (n_parameters,)
            In the order of ``network.parameters``, zero where they are frozen; overwritten by the next call.
        """
        if self.optimizer is not None:
            raise ValueError("loss_and_gradient needs a trainer without optimizer")
        losses, _, _ = self._session.train(self.memory, self._sources, self._n_rows, None, self._n_rows, np.zeros(0))
        if not self.network.frozen:
            first = self.executable.program.leaf(f"{self._learned[0].name}_gradient")
            start = self.executable.plan.places[first.id].offset
            return losses[0], self.memory[start : start + self.network.parameters.nbytes].view(self.network.dtype)
        gradient = np.zeros_like(self.network.parameters)
        for block in self._learned:
            gradient[block.offset : block.offset + block.size] = self._leaf(f"{block.name}_gradient")
        return losses[0], gradient

    def averages(self) -> NDArray[Any]:
        """The averaged parameters, flat; frozen ones as they are."""
        averaged = np.array(self.network.parameters)
        for block in self._learned:
            averaged[block.offset : block.offset + block.size] = self._leaf(f"{block.name}_average")
        return averaged

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Counts, and the arrays that go with them: all that `resume_from` needs."""
        row, loss_sum = self.position
        counts = {"step": self.step_count, "epoch": self.epoch_count, "row": row, "seed": self.seed}
        return counts, {"memory": self.memory.copy(), "loss_sum": np.array([loss_sum])}

    def resume_from(self, counts: Mapping[str, int], arrays: Mapping[str, NDArray[Any]]) -> None:
        """Continue where a trainer of the same program stopped.

        Raises
        ------
        ValueError
            If the arrays have another size, or hold parameters that are not finite. Nothing is changed then.
        """
        if arrays["memory"].shape != self.memory.shape:
            raise ValueError(f"the state has {arrays['memory'].size} bytes; this training needs {self.memory.size}")
        before, self.memory[...] = self.memory.copy(), arrays["memory"]
        if not np.isfinite(self.network.block).all():
            self.memory[...] = before
            raise ValueError("a parameter is not finite")
        self.step_count, self.epoch_count, self.seed = counts["step"], counts["epoch"], counts["seed"]
        self.position = (counts["row"], float(arrays["loss_sum"][0]))

    def release_data(self) -> None:
        """Let go of the user's arrays; `set_data` gives new ones."""
        self._sources, self._n_rows, self.inputs = [], 0, {}

    def continue_from(self, other: Trainer) -> None:
        """Take over momenta and step count of a trainer of the same network with the same optimizer."""
        kept = [leaf.name for region in ("averages", "state") for leaf in self.executable.program.region(region)]
        for name in kept:
            self._leaf(name)[...] = other._leaf(name)
        self.step_count, self.epoch_count = other.step_count, other.epoch_count
