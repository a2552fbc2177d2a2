"""`fit`: the whole training of a network, from data to best weights.

Goes in: a network, arrays, and how to train. Comes out: the trained network and its `History`. Row orders, masks and
steps depend on the seed and the step's number only, so that a training that was killed goes on exactly where its last
checkpoint was. It never leaves a network behind that is not finite.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.nn.graph import Graph
from rosenblatt.nn.losses import check_target
from rosenblatt.nn.network import Network, input_arrays
from rosenblatt.nn.objective import LossGiven
from rosenblatt.nn.optimizers import Optimizer, optimizer_named
from rosenblatt.nn.schedules import PlateauState, Schedule, schedule_named
from rosenblatt.storage.container import decode_value, encode_value
from rosenblatt.training.checkpoint import (
    DEFAULT_EVERY,
    Checkpoints,
    data_digest,
    network_text,
    run_epoch,
    setting_text,
)
from rosenblatt.training.early_stopping import Callback, Judge, Standing
from rosenblatt.training.evaluation import GradientProbe
from rosenblatt.training.history import History
from rosenblatt.training.trainer import DivergenceError, Trainer

__all__ = ["fit"]

Scorer = Callable[[Network, Any, Any], float]


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
    ema_decay: float = 0.0,
    head_weights: Mapping[str, float] | None = None,
    learning_rate_factors: Mapping[str, float] | None = None,
    weight_decay_factors: Mapping[str, float] | None = None,
    anneal_regularization: bool = False,
    shuffle: bool = True,
    seed: int = 0,
    gradient_statistics: bool = False,
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
    ema_decay : float in [0, 1)
        End with (and validate) averages of the weights, which keep this share of themselves in each step.
    head_weights : mapping of str to float, optional
        Factors of the heads' losses.
    learning_rate_factors, weight_decay_factors : mapping of str to float, optional
        Factors of the learning rate, and of the optimizer's weight decay, of single parameters: by the names, or
        patterns, of parameters or layers, as in ``{"front": 6, "*.biases": 0.1}``. Decay is 1 for weights, 0 for others
        unless said here.
    anneal_regularization : bool
        Dropout rates and weight decay stay as they are in the first half of all epochs, then fall to 0 along a cosine
        (Holzmüller et al. 2024, arXiv:2407.04491).
    shuffle : bool
        A new order of the rows in each epoch.
    seed : int
        Of row orders, masks and noise.
    gradient_statistics : bool
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
    options = {name: value for name, value in locals().items() if name not in ("network", "X", "y", "cache_frozen")}
    check_options(options)
    if cache_frozen and network.frozen:
        from rosenblatt.training.frozen_features import fit_on_frozen_features

        return fit_on_frozen_features(network, X, y, options)
    loss = options["loss"] = loss if loss is not None else default_loss(network.graph)
    check_targets(network.graph, loss, y)
    if optimizer == "lbfgs":
        from rosenblatt.training.lbfgs import fit_full_batch

        return fit_full_batch(network, X, y, options)
    return _Loop(network, X, y, options).run()


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
        self.o, self.network, self.X, self.y = options, network, X, y
        given = options["optimizer"]
        self.optimizer = optimizer_named(given) if isinstance(given, (str, type)) else given
        self.schedule = schedule_named(options["schedule"])
        self.trainer = self._make_trainer()
        self.averaged = network.copy() if options["ema_decay"] else network
        self.judge = Judge(self.averaged, options["loss"], self.schedule, options)
        self.probe = GradientProbe(network, options["loss"], X, y) if options["gradient_statistics"] else None
        self.checkpoints = self._make_checkpoints()

    def _make_trainer(self) -> Trainer:
        o, n_rows = self.o, next(iter(input_arrays(self.network.graph, self.X).values())).shape[0]
        trainer = Trainer(
            self.network,
            o["loss"],
            self.optimizer,
            l2=o["l2"],
            l1=o["l1"],
            per_batch=False,
            batch_size=min(o["batch_size"], n_rows),
            weighted=o["sample_weight"] is not None,
            clip_value=o["clip_value"],
            clip_norm=o["clip_norm"],
            head_weights=o["head_weights"],
            ema_decay=o["ema_decay"],
            learning_rate_factors=o["learning_rate_factors"],
            weight_decay_factors=o["weight_decay_factors"],
            anneal_regularization=o["anneal_regularization"],
            seed=o["seed"],
        )
        trainer.set_data(self.X, self.y, o["sample_weight"])
        return trainer

    def _make_checkpoints(self) -> Checkpoints | None:
        if self.o["checkpoint"] is None:
            return None
        fingerprint = {name: setting_text(value) for name, value in self.o.items() if name not in UNCOMPARED}
        architecture = network_text(self.network.graph).encode()
        fingerprint["network"] = data_digest(np.frombuffer(architecture, np.uint8))
        fingerprint["frozen"] = repr(sorted(self.network.frozen))
        data = {
            "initial weights": self.network.block,
            "X": self.X,
            "y": self.y,
            **{name: self.o[name] for name in ("validation", "sample_weight")},
        }
        fingerprint |= {name: data_digest(*flat(value)) for name, value in data.items()}
        return Checkpoints(self.o["checkpoint"], self.o["checkpoint_every"], fingerprint)

    def run(self) -> History:
        before = self.network.block.copy()
        resume = self._load() and self.trainer.position[0] > 0
        judge = self.judge
        try:
            while judge.history.n_epochs < self.o["epochs"] and not judge.at.finished:
                value = run_epoch(
                    self.trainer,
                    self._rates(),
                    None,
                    regularization=self._strength(),
                    shuffle=self.o["shuffle"],
                    resume=resume,
                    checkpoints=self.checkpoints,
                    snapshot=self.snapshot,
                )
                resume = False
                self._end_epoch(value)
            judge.at.finished = judge.at.finished or "all epochs"
            self._finish()
        except DivergenceError:
            self.network.block[...] = before
            raise
        return judge.history

    def _rates(self) -> NDArray[np.float64]:
        """Learning rates of all steps of the present epoch."""
        n = self.trainer.steps_per_epoch()
        first = self.judge.history.n_epochs * n
        rates = self.schedule.rates(self.o["learning_rate"], np.arange(first, first + n), n, n * self.o["epochs"])
        return np.asarray(rates * self.judge.at.plateau.factor, np.float64)

    def _strength(self) -> NDArray[np.float64] | float:
        """What dropout and decay of all steps of the present epoch are multiplied by."""
        if not self.o["anneal_regularization"]:
            return 1.0
        n = self.trainer.steps_per_epoch()
        first = self.judge.history.n_epochs * n
        return annealing_strength(np.arange(first, first + n) / (n * self.o["epochs"]))

    def _end_epoch(self, loss: float) -> None:
        rate = float(self._rates()[-1])
        if not math.isfinite(loss):
            raise DivergenceError(
                f"The loss became {loss} in epoch {self.judge.history.n_epochs + 1}: try a smaller learning_rate (now "
                f"{rate:g}), clip_norm=1, and scaled inputs. The network is as it was before."
            )
        if self.averaged is not self.network:
            self.averaged.block[...] = self.network.block
            self.averaged.parameters[...] = self.trainer.averages()
        self.judge.end_epoch({"loss": loss, "learning_rate": rate, **(self.probe.row() if self.probe else {})})
        if self.checkpoints is not None and self.checkpoints.is_due(self.trainer.step_count):
            self.checkpoints.save(self.trainer.step_count, *self.snapshot())

    def _finish(self) -> None:
        """Save the whole training, and leave the best, or the averaged, weights in the network."""
        state = self.snapshot()
        if self.judge.best is not None:
            self.network.block[...] = self.judge.best
        elif self.averaged is not self.network:
            self.network.parameters[...] = self.trainer.averages()
        self.trainer.release_data()
        if not np.isfinite(self.network.block).all():
            raise DivergenceError(
                "A weight became infinite or NaN: try a smaller learning_rate, and scaled inputs. The network is as it "
                "was before."
            )
        if self.checkpoints is not None:
            self.checkpoints.save(self.trainer.step_count, *state)

    def snapshot(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """All that a checkpoint holds."""
        counts, arrays = self.trainer.state()
        if self.judge.best is not None:
            arrays["best"] = self.judge.best
        kept = {"history": dict(self.judge.history), "standing": asdict(self.judge.at)}
        return {"counts": counts, **{name: encode_value(value, name) for name, value in kept.items()}}, arrays

    def _load(self) -> bool:
        """Go on from the checkpoint, if there is one."""
        found = self.checkpoints.load() if self.checkpoints is not None else None
        if found is None:
            return False
        state, arrays = found
        self.trainer.resume_from(state["counts"], arrays)
        self.judge.best = np.array(arrays["best"]) if "best" in arrays else None
        self.judge.history = History(decode_value(state["history"]))
        standing = decode_value(state["standing"])
        self.judge.at = Standing(**{**standing, "plateau": PlateauState(**standing["plateau"])})
        return True


def annealing_strength(t: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 up to the share t = 1/2 of all steps, then (1 + cos(pi (2t - 1))) / 2."""
    return np.where(t < 0.5, 1.0, 0.5 * (1 + np.cos(np.pi * (2 * t - 1))))


UNCOMPARED = (
    *("validation", "sample_weight", "scorer", "callbacks", "verbose"),
    *("checkpoint", "checkpoint_every"),
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
    if not 0 <= o["ema_decay"] < 1:
        raise ValueError(f"ema_decay is {o['ema_decay']!r}; it must be in [0, 1)")
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
