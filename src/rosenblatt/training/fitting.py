"""`fit`: the whole training of a network, from data to best weights.

Goes in: a network, arrays, and how to train. Comes out: the trained network and its `History`. Row orders, masks and
steps depend on the seed and the step's number only, so that a training that was killed goes on exactly where its last
checkpoint was. It never leaves a network behind that is not finite.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.nn.graph import Graph
from rosenblatt.nn.losses import check_target
from rosenblatt.nn.network import Network, feeds
from rosenblatt.nn.objective import LossGiven
from rosenblatt.nn.optimizers import Optimizer, optimizer_named
from rosenblatt.nn.schedules import Plateau, PlateauState, Schedule, schedule_named
from rosenblatt.training.checkpoint import DEFAULT_EVERY, Checkpoints, data_digest, network_text, run_epoch, setting_text
from rosenblatt.training.evaluation import Evaluator, gradient_statistics
from rosenblatt.training.history import History
from rosenblatt.training.trainer import Trainer

__all__ = ["Callback", "DivergenceError", "Epoch", "fit"]

Scorer = Callable[[Network, Any, Any], float]


class DivergenceError(ValueError):
    """Training left the range of floating-point numbers; the network is as it was before the call."""


@dataclass(frozen=True)
class Epoch:
    """What a callback is told after each epoch.

    Attributes
    ----------
    number : int
        Counted from 1.
    network : Network
        As it is now.
    history : History
        This epoch included.
    """

    number: int
    network: Network
    history: History


Callback = Callable[[Epoch], Any]


@dataclass
class Progress:
    """What the loop itself has to remember."""

    epoch: int = 0
    best: float = math.inf
    best_epoch: int = 0
    stalled: int = 0
    finished: str = ""
    plateau: PlateauState = field(default_factory=PlateauState)


def fit(
    network: Network,
    X: Any,
    y: Any,
    *,
    loss: LossGiven | Mapping[str, LossGiven] | None = None,
    optimizer: str | Optimizer = "adam",
    learning_rate: float = 1e-3,
    schedule: str | Schedule = "constant",
    epochs: int = 100,
    batch_size: int = 32,
    sample_weight: NDArray[Any] | None = None,
    validation: tuple[Any, Any] | None = None,
    scorer: Scorer | None = None,
    patience: int | None = None,
    min_delta: float = 0.0,
    restore_best: bool = True,
    l1: float = 0.0,
    l2: float = 0.0,
    clip_value: float = 0.0,
    clip_norm: float = 0.0,
    average: float = 0.0,
    head_weights: Mapping[str, float] | None = None,
    shuffle: bool = True,
    seed: int = 0,
    statistics: bool = False,
    cache_frozen: bool = False,
    callbacks: Sequence[Callback] = (),
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every: int | str = DEFAULT_EVERY,
    verbose: bool = False,
) -> History:
    """Train a network by mini-batches.

    Parameters
    ----------
    network : Network
        Trained in place; frozen parameters stay as they are.
    X, y
        Data and targets: arrays, or mappings with one for each input or head. Class numbers for losses of labels.
    loss : str, callable or Loss, or a mapping with one for each head, optional
        Default: by the output activation, softmax and logistic cross-entropy, Poisson for exp, else squared error.
    optimizer : str or Optimizer
        "sgd", "adagrad", "rmsprop", "adam", "adamw", "nadam" or an instance; or "lbfgs": all rows at once, in float64,
        `epochs` being the number of iterations, without a learning rate.
    learning_rate : float
    schedule : str or Schedule
        How the learning rate goes on; see `rosenblatt.nn.schedules`.
    epochs, batch_size : int
    sample_weight : ndarray of shape (n_rows,), optional
    validation : tuple of (X, y), optional
        Rows that are only looked at: the history gets their loss.
    scorer : callable, optional
        ``scorer(network, X, y) -> float``, greater is better, decides on the best epoch instead of the validation loss.
    patience : int, optional
        Stop after so many epochs that are not `min_delta` better than the best one (validation, or else training).
    restore_best : bool
        With a validation set, end with the weights of the best epoch.
    l1, l2 : float
        Penalties of all weights, added to the loss: l1 * sum(abs(w)) + l2 / 2 * sum(w**2).
    clip_value, clip_norm : float
        Limits of the gradient's elements and of its Euclidean norm; 0: none.
    average : float in [0, 1)
        End with (and validate) averages of the weights, which keep this share of themselves in each step.
    head_weights : mapping of str to float, optional
        Factors of the heads' losses.
    shuffle : bool
        A new order of the rows in each epoch.
    seed : int
        Of row orders, masks and noise.
    statistics : bool
        Record norm, vanishing and dead share of each layer's gradient (`gradient_statistics`) after each epoch.
    cache_frozen : bool
        Compute what does not change, the outputs of the frozen layers next to the data, once.
    callbacks : sequence of callable
        Each is called with an `Epoch` after each epoch; a true result ends training.
    checkpoint : path, optional
        Folder in which the training is saved; the same call goes on where it was, also after the process was killed.
    checkpoint_every : int or str
        Steps, or a time such as "30s".
    verbose : bool
        Print a line for each epoch.

    Returns
    -------
    History
        Columns "loss", "learning_rate", and "val_loss", "val_score" where they are computed.

    Raises
    ------
    DivergenceError
        If a loss is not finite. The network is as it was before.
    CheckpointError
        If the checkpoint in the folder is of another training.
    """
    given = dict(locals())
    options = {name: given[name] for name in OPTION_NAMES}
    if cache_frozen and network.frozen:
        from rosenblatt.training.caching import fit_behind_frozen

        return fit_behind_frozen(network, X, y, validation, given)
    if optimizer == "lbfgs":
        from rosenblatt.training.full_batch import fit_full_batch

        check_options(options)
        return fit_full_batch(network, X, y, loss if loss is not None else default_loss(network.graph), options)
    return _Loop(network, X, y, options).run()


OPTION_NAMES = (
    *("loss", "optimizer", "learning_rate", "schedule", "epochs", "batch_size", "sample_weight", "validation"),
    *("scorer", "patience", "min_delta", "restore_best", "l1", "l2", "clip_value", "clip_norm", "average"),
    *("head_weights", "shuffle", "seed", "statistics", "callbacks", "checkpoint", "checkpoint_every", "verbose"),
)


def default_loss(graph: Graph) -> dict[str, LossGiven]:
    """The natural loss of each head's output activation."""
    natural = {"softmax": "softmax_cross_entropy", "logistic": "logistic_cross_entropy", "exp": "poisson"}
    return {
        head: natural.get(output, "squared_error") if isinstance(output, str) else "squared_error"
        for head, output in graph.output.items()
    }


def check_targets(graph: Graph, loss: LossGiven | Mapping[str, LossGiven], y: Any) -> None:
    """Refuse targets that a head's loss cannot take; what is missing is somebody else's complaint."""
    losses = loss if isinstance(loss, Mapping) else dict.fromkeys(graph.heads, loss)
    targets = y if isinstance(y, Mapping) else dict.fromkeys(graph.heads, y) if len(graph.heads) == 1 else {}
    for head in graph.heads:
        if head in losses and head in targets:
            check_target(losses[head], targets[head])


class _Loop:
    """One training: its data, its trainer and where it stands."""

    def __init__(self, network: Network, X: Any, y: Any, options: Mapping[str, Any]) -> None:
        self.o = options
        self.network, self.X, self.y = network, X, y
        check_options(options)
        self.loss = options["loss"] if options["loss"] is not None else default_loss(network.graph)
        given = options["optimizer"]
        self.optimizer = optimizer_named(given) if isinstance(given, (str, type)) else given
        self.schedule = schedule_named(options["schedule"])
        check_targets(network.graph, self.loss, y)
        self.history, self.at = History(), Progress()
        self.n_rows = next(iter(feeds(network.graph, X).values())).shape[0]
        self.trainer = self._make_trainer()
        self.averaged = network.copy() if options["average"] else network
        self.evaluator = self._make_evaluator()
        self.best: NDArray[Any] | None = None
        self.checkpoints = self._make_checkpoints()

    def _make_trainer(self) -> Trainer:
        o, batch_size = self.o, min(self.o["batch_size"], self.n_rows)
        trainer = Trainer(
            self.network,
            self.loss,
            self.optimizer,
            l2=o["l2"],
            l1=o["l1"],
            per_batch=False,
            batch_size=batch_size,
            weighted=o["sample_weight"] is not None,
            clip_value=o["clip_value"],
            clip_norm=o["clip_norm"],
            head_weights=o["head_weights"],
            average=o["average"],
            seed=o["seed"],
        )
        trainer.set_data(self.X, self.y, o["sample_weight"])
        return trainer

    def _make_evaluator(self) -> Evaluator | None:
        if self.o["validation"] is None:
            return None
        X, y = self.o["validation"]
        return Evaluator(self.averaged, self.loss, X, y, head_weights=self.o["head_weights"])

    def _make_checkpoints(self) -> Checkpoints | None:
        if self.o["checkpoint"] is None:
            return None
        settings = {n: v for n, v in self.o.items() if n not in UNCOMPARED}
        fingerprint = {name: setting_text(value) for name, value in settings.items()}
        start = self.network.block.tobytes()
        architecture = network_text(self.network.graph).encode()
        fingerprint |= {"network": data_digest(np.frombuffer(architecture, np.uint8))}
        fingerprint |= {"initial weights": data_digest(np.frombuffer(start, np.uint8))}
        fingerprint |= {"frozen": repr(sorted(self.network.frozen))}
        fingerprint |= {name: data_digest(*flat(value)) for name, value in {"X": self.X, "y": self.y}.items()}
        fingerprint["validation"] = data_digest(*flat(self.o["validation"]))
        fingerprint["sample_weight"] = data_digest(self.o["sample_weight"])
        return Checkpoints(self.o["checkpoint"], self.o["checkpoint_every"], fingerprint)

    def run(self) -> History:
        before = self.network.block.copy()
        resume = self._load()
        try:
            while self.at.epoch < self.o["epochs"] and not self.at.finished:
                order_left = resume and self.trainer.position[0] > 0
                value = run_epoch(
                    self.trainer,
                    self._rates(),
                    None,
                    shuffle=self.o["shuffle"],
                    resume=order_left,
                    checkpoints=self.checkpoints,
                    snapshot=self.snapshot,
                )
                resume = False
                self._end_epoch(value)
        except BaseException as error:
            if isinstance(error, DivergenceError):
                self.network.block[...] = before
            raise
        self.at.finished = self.at.finished or "all epochs"
        if self.checkpoints is not None:
            self.checkpoints.save(self.trainer.step_count, *self.snapshot())
        self._finish()
        return self.history

    def _rates(self) -> NDArray[np.float64]:
        """Learning rates of all steps of the present epoch."""
        n = self.trainer.steps_per_epoch()
        first = self.at.epoch * n
        rates = self.schedule.rates(self.o["learning_rate"], np.arange(first, first + n), n, n * self.o["epochs"])
        return np.asarray(rates * self.at.plateau.factor, np.float64)

    def _end_epoch(self, value: float) -> None:
        rate = float(self._rates()[-1])
        self.at.epoch += 1
        if not math.isfinite(value):
            raise DivergenceError(
                f"The loss became {value} in epoch {self.at.epoch}: try a smaller learning_rate (now {rate:g}), "
                "clip_norm=1, and scaled inputs. The network is as it was before."
            )
        row = {"loss": value, "learning_rate": rate, **self._validate()}
        if self.o["statistics"]:
            for s in gradient_statistics(self.network, self.loss, self.X, self.y):
                row |= {f"{s.layer}.norm": s.norm, f"{s.layer}.vanishing": s.vanishing, f"{s.layer}.dead": s.dead}
        self.history.append(**row)
        self._judge(row)
        if self.o["verbose"]:
            print(f"epoch {self.at.epoch}: " + ", ".join(f"{name} {number:.6g}" for name, number in row.items()))
        epoch = Epoch(self.at.epoch, self.averaged, self.history)
        answers = [callback(epoch) for callback in self.o["callbacks"]]  # all of them are told
        if any(answers):
            self.at.finished = "a callback"
        if self.checkpoints is not None and self.checkpoints.is_due(self.trainer.step_count):
            self.checkpoints.save(self.trainer.step_count, *self.snapshot())

    def _validate(self) -> dict[str, float]:
        if self.averaged is not self.network:
            self.averaged.block[...] = self.network.block
            self.averaged.parameters[...] = self.trainer.averages()
        if self.evaluator is None:
            return {}
        found = {"val_loss": self.evaluator.loss()}
        if self.o["scorer"] is not None:
            found["val_score"] = float(self.o["scorer"](self.averaged, *self.o["validation"]))
        return found

    def _judge(self, row: Mapping[str, float]) -> None:
        """Whether this was the best epoch, and whether to stop; a plateau lowers the learning rate."""
        value = -row["val_score"] if "val_score" in row else row.get("val_loss", row["loss"])
        if isinstance(self.schedule, Plateau):
            self.at.plateau = self.schedule.after_epoch(self.at.plateau, value)
        improved = value < self.at.best - self.o["min_delta"] or self.at.best == math.inf
        self.at.stalled = 0 if improved else self.at.stalled + 1
        if value < self.at.best or self.at.best == math.inf:
            self.at.best, self.at.best_epoch = value, self.at.epoch
            if self.evaluator is not None and self.o["restore_best"]:
                self.best = self.averaged.block.copy()
        if self.o["patience"] is not None and self.at.stalled >= self.o["patience"]:
            self.at.finished = "patience"

    def _finish(self) -> None:
        """Leave the best, or the averaged, weights in the network."""
        if self.best is not None:
            self.network.block[...] = self.best
        elif self.averaged is not self.network:
            self.network.parameters[...] = self.trainer.averages()
        self.trainer.release_data()
        if not np.isfinite(self.network.block).all():
            raise DivergenceError("A weight became infinite or NaN: try a smaller learning_rate, and scaled inputs.")

    def snapshot(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """All that a checkpoint holds."""
        counts, arrays = self.trainer.state()
        if self.best is not None:
            arrays["best"] = self.best
        columns = {name: [encode_float(v) for v in values] for name, values in self.history.items()}
        progress = {name: encode_float(value) for name, value in asdict(replace(self.at)).items() if name != "plateau"}
        plateau = {name: encode_float(value) for name, value in asdict(self.at.plateau).items()}
        return {"counts": counts, "history": columns, "progress": progress, "plateau": plateau}, arrays

    def _load(self) -> bool:
        """Go on from the checkpoint, if there is one."""
        found = self.checkpoints.load() if self.checkpoints is not None else None
        if found is None:
            return False
        state, arrays = found
        self.trainer.resume_from(state["counts"], arrays)
        self.best = np.array(arrays["best"]) if "best" in arrays else None
        self.history = History({name: [decode_float(v) for v in column] for name, column in state["history"].items()})
        progress = {name: decode_float(value) for name, value in state["progress"].items()}
        plateau = PlateauState(**{name: decode_float(value) for name, value in state["plateau"].items()})
        self.at = Progress(**progress, plateau=plateau)
        return True


UNCOMPARED = (
    "X",
    "y",
    "validation",
    "sample_weight",
    "callbacks",
    "checkpoint",
    "checkpoint_every",
    "verbose",
    "scorer",
)
"""Options that a checkpoint's fingerprint does not hold as text."""


def check_options(o: Mapping[str, Any]) -> None:
    """Refuse numbers out of range.

    Raises
    ------
    ValueError
        Names the option, what was given and what is allowed.
    """
    for name in ("epochs", "batch_size"):
        if not isinstance(o[name], (int, np.integer)) or isinstance(o[name], bool) or o[name] < 1:
            raise ValueError(f"{name} is {o[name]!r}; it must be a positive integer")
    for name in ("l1", "l2", "clip_value", "clip_norm", "min_delta"):
        if not 0 <= o[name] < math.inf:
            raise ValueError(f"{name} is {o[name]!r}; it must be a number of at least 0")
    if not 0 < o["learning_rate"] < math.inf:
        raise ValueError(f"learning_rate is {o['learning_rate']!r}; it must be greater than 0")
    if not 0 <= o["average"] < 1:
        raise ValueError(f"average is {o['average']!r}; it must be in [0, 1)")
    if o["patience"] is not None and o["patience"] < 1:
        raise ValueError(f"patience is {o['patience']!r}; it must be a positive integer, or None")
    if o["validation"] is not None and (not isinstance(o["validation"], tuple) or len(o["validation"]) != 2):
        raise ValueError("validation must be a tuple (X, y)")
    if o["scorer"] is not None and o["validation"] is None:
        raise ValueError("scorer needs validation=(X, y) to score on")


def flat(data: Any) -> list[Any]:
    """The arrays in nested mappings and tuples, in a fixed order."""
    if isinstance(data, Mapping):
        return [array for name in sorted(data) for array in flat(data[name])]
    if isinstance(data, (tuple, list)):
        return [array for item in data for array in flat(item)]
    return [data]


def encode_float(value: Any) -> Any:
    """A number as JSON keeps it exactly: not finite ones as text."""
    return value if not isinstance(value, float) or math.isfinite(value) else f"float {value!r}"


def decode_float(value: Any) -> Any:
    """What `encode_float` was given."""
    return float(value[6:]) if isinstance(value, str) and value.startswith("float ") else value
