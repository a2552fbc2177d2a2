"""`fit`: the whole training of a network, from data to best weights.

Takes a network, arrays, and how to train. Returns the `History` of the trained network. Row orders, masks and steps
depend on nothing but the seed and the number of the step, so a training that was killed resumes exactly at its last
checkpoint. Never leaves a network behind that is not finite.
"""

from __future__ import annotations

import math
import os
import secrets
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt._suggestions import suggest_keywords
from rosenblatt.distributed.ranks import ROWS, ranks, together
from rosenblatt.distributed.versions import versions
from rosenblatt.nn.graph import Graph
from rosenblatt.nn.inputs import input_arrays, training_arrays
from rosenblatt.nn.losses import check_target
from rosenblatt.nn.objective import SETTINGS, LossGiven, Objective, targets_of
from rosenblatt.nn.optimizers import OPTIMIZERS, Optimizer
from rosenblatt.nn.schedules import SCHEDULES, Schedule
from rosenblatt.training.checkpoint import (
    DEFAULT_EVERY,
    Checkpoints,
    data_digest,
    fingerprint_of,
    network_text,
)
from rosenblatt.training.early_stopping import EarlyStopping
from rosenblatt.training.evaluation import Evaluator, GradientProbe, doubt_of_loss, score_of, what_diverged
from rosenblatt.training.fit_options import check_options, refuse_mixers, refuse_steps
from rosenblatt.training.frozen_features import fit_on_frozen_features
from rosenblatt.training.history import History
from rosenblatt.training.lbfgs import minimize
from rosenblatt.training.learning_rates import LearningRates
from rosenblatt.training.loop import Outcome, TrainingLoop
from rosenblatt.training.progress import epoch_line, show_epochs, shown_iterations
from rosenblatt.training.sharded import SHARDED, on_first_rank, trainer_class
from rosenblatt.training.trainer import DivergenceError, Trainer

if TYPE_CHECKING:
    from rosenblatt.nn.network import Network

__all__ = ["Epoch", "fit"]

Scorer = Callable[["Network", Any, Any], float]


@dataclass(frozen=True)
class Epoch:
    """What a callback receives after each epoch.

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
Options = Mapping[str, Any]
"""The parameters of `fit`, by name."""


@suggest_keywords
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
    seed: int | None = 0,
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
        The network to train in place. Its frozen parameters do not change. If training fails, be it by an error of a
        scorer or a callback, all parameters are as they were before.
    X, y
        Finite data and targets: arrays, or mappings with one for each input or head. Losses of labels take class
        numbers. Arrays of float32 and float64 are read where they lie, also in a memory-mapped file.
    loss : str, callable or Loss, or a mapping with one for each head, optional
        Loss to minimize. The default follows the output activation: cross-entropy for softmax and logistic, Poisson
        for exp, squared error for all others.
    optimizer : str or Optimizer
        "sgd", "adagrad", "rmsprop", "adam", "adamw", "nadam" or an instance. "lbfgs" uses all rows at once, in float64
        and without a learning rate; `epochs` is then the number of iterations.
    learning_rate : float > 0
    schedule : str or Schedule
        How the learning rate changes from step to step; see `rosenblatt.nn.schedules`.
    epochs, batch_size : int >= 1
    sample_weight : array of shape (n_rows,), optional
        Weights of at least 0, of which one is positive.
    validation : tuple of (X, y), optional
        Rows to validate on after each epoch. The history contains their loss.
    scorer : callable, optional
        ``scorer(network, X, y) -> float``, where greater is better, chooses the best epoch instead of the validation
        loss.
    patience : int >= 1, optional
        Stop after this many epochs in a row that are not `min_delta` better than the best one. Epochs are compared by
        the validation, or without one by the training loss.
    min_delta : float >= 0
        The smallest difference that counts as better.
    restore_best : bool
        Whether to end with the weights of the best epoch, if there is a validation set.
    l1, l2 : float >= 0
        Strengths of the penalties: l1 * sum(abs(w)) + l2 / 2 * sum(w**2) of all weights is added to the loss.
    clip_value, clip_norm : float >= 0
        Limits for the magnitude of the gradient's elements and for its Euclidean norm. 0 means no limit.
    ema_decay : float in [0, 1)
        Decay of an exponential moving average of the weights, which is used for validation and after training. 0 means
        no average.
    head_weights : mapping of str to float, optional
        Factors of the heads' losses.
    learning_rate_factors, weight_decay_factors : mapping of str to float, optional
        Factors of the learning rate and of the optimizer's weight decay, by names or patterns of parameters or layers,
        as in ``{"front": 6, "*.biases": 0.1}``. The default decay factor is 1 for weights and 0 for all others.
    anneal_regularization : bool
        Whether dropout rates and weight decay fall to 0 along a cosine in the second half of all epochs (Holzmüller et
        al. 2024, arXiv:2407.04491).
    shuffle : bool
        Whether to shuffle the rows before each epoch.
    seed : int or None
        Seed of row orders, masks and noise. None draws one.
    gradient_statistics : bool
        Whether to record norm, vanishing share and dead neurons of each layer's gradient after each epoch.
    cache_frozen : bool
        Whether to compute the outputs of the frozen layers next to the data, which do not change, only once. Callbacks
        and the scorer then receive the layers behind them, as a network of its own.
    callbacks : sequence of callable
        Each is called with an `Epoch` after each epoch. A true result ends training.
    checkpoint : path, optional
        Folder in which the training is saved. The same call resumes exactly where it stopped, even after the process
        was killed.
    checkpoint_every : int or str
        Number of steps between two checkpoints, or a time such as "30s".
    verbose : bool
        Whether to show each epoch: on a live line in a terminal or a notebook, elsewhere on lines.

    Returns
    -------
    History
        With the columns "loss" and "learning_rate", and with "val_loss" and "val_score" where they are computed.

    Raises
    ------
    DivergenceError
        A `ValueError`: a loss, a weight or a prediction is not finite.
    ValueError
        If an option or the data are not allowed, or no validation score is a number.
    CheckpointError
        If the checkpoint in the folder is of another training.
    KeyboardInterrupt
        After Ctrl-C. The network holds the weights of the last step (with L-BFGS those from before).
    """
    options = {name: value for name, value in locals().items() if name not in ("network", "X", "y")}
    check_options(options)
    options["loss"] = loss if loss is not None else default_loss(network.graph)
    check_data(network, options["loss"], X, y, sample_weight)
    if validation is not None:
        check_data(network, options["loss"], *validation, suffix="_val")
    if options.pop("cache_frozen") and network.frozen:
        return fit_on_frozen_features(fit, network, X, y, options)
    with together():
        return fit_here(network, X, y, options)


def fit_here(network: Network, X: Any, y: Any, o: Options) -> History:
    """Train with checked options, on the ranks that are together."""
    before = network.block.copy()
    run = run_full_batch if o["optimizer"] == "lbfgs" else run_batches
    if ranks().are_together:
        n_rows = {ROWS: str(next(iter(input_arrays(network.graph, X).values())).shape[0])}
        ranks().require_same(n_rows | fingerprint(network, X, y, o) | versions() | steps_between(o))
    try:
        shows = o["verbose"] and ranks().is_first
        with shown_iterations(o["epochs"], epoch_line) if shows else nullcontext(()) as show, ranks().held():
            loop = run(network, X, y, {**o, "show": show})
        require_success(loop, o["optimizer"], o["learning_rate"])
    except Exception:  # also of a scorer or a callback
        network.block[...] = before
        raise
    return loop.history


def steps_between(o: Options) -> dict[str, str]:
    """What decides where ranks speak to each other, besides the settings of a training."""
    given = {name: str(o[name] is not None) for name in ("checkpoint", "scorer")}
    return {**given, "checkpoint_every": repr(o["checkpoint_every"]), "number of callbacks": str(len(o["callbacks"]))}


def require_success(loop: TrainingLoop, optimizer: str | Optimizer, learning_rate: float) -> None:
    """Refuse a training that diverged, or that had no validation score."""
    if not loop.failure:
        return
    if loop.outcome is Outcome.NO_SCORE:
        raise ValueError(f"{loop.failure}. The network is as it was before.")
    rate = f"a smaller learning_rate (now {learning_rate:g}), clip_norm=1, and " if optimizer != "lbfgs" else ""
    advice = f"try {rate}scaled inputs and targets.{doubt_of_loss(loop.trainer, loop.epoch)}"
    raise DivergenceError(f"{loop.failure}: {advice} The network is as it was before.")


def default_loss(graph: Graph) -> dict[str, LossGiven]:
    """The natural loss of each head's output activation."""
    natural = {"softmax": "softmax_cross_entropy", "logistic": "logistic_cross_entropy", "exp": "poisson"}
    return {head: natural.get(str(output), "squared_error") for head, output in graph.output.items()}


def check_data(
    network: Network, loss: Any, X: Any, y: Any, sample_weight: Any = None, *, suffix: str = ""
) -> dict[str, Any]:
    """The arrays that the network trains on, by their names in programs.

    Refuses what `training_arrays` refuses, and targets that a head's loss cannot take.
    """
    graph, losses = network.graph, Objective(loss).losses(network.graph)
    arrays = training_arrays(graph, losses, X, y, sample_weight, suffix, network.dtype)
    for head, name in targets_of(graph).items():
        check_target(losses[head], arrays[name])
    return arrays


def run_batches(network: Network, X: Any, y: Any, o: Options) -> TrainingLoop:
    """Train by mini-batches, continuing from a checkpoint where there is one."""
    optimizer, n_rows = OPTIMIZERS.resolve(o["optimizer"]), next(iter(input_arrays(network.graph, X).values())).shape[0]
    seed = ranks().first(lambda: secrets.randbits(31)) if o["seed"] is None else o["seed"]  # which a checkpoint keeps
    trainer = make_trainer(network, optimizer, o, batch_size=min(o["batch_size"], n_rows), seed=seed)
    trainer.set_data(X, y, o["sample_weight"])
    checkpoints = None
    if o["checkpoint"] is not None:
        checkpoints = Checkpoints(o["checkpoint"], o["checkpoint_every"], fingerprint(network, X, y, o))
    rates = LearningRates(o["learning_rate"], SCHEDULES.resolve(o["schedule"]))
    probe = GradientProbe(network, o["loss"], X, y) if o["gradient_statistics"] else None
    how = {"probe": probe, "shuffle": o["shuffle"], "checkpoints": checkpoints, **watch(network, o)}
    loop = TrainingLoop(trainer, o["epochs"], rule_of(o), rates, **how)
    show_epochs(loop, o["show"])
    try:
        loop.run()
    finally:
        trainer.release_data()
    return loop


def run_full_batch(network: Network, X: Any, y: Any, o: Options) -> TrainingLoop:
    """Train by L-BFGS; `epochs` is the number of iterations."""
    refuse_steps(network, o)
    twin = network.copy(dtype="float64")  # line searches need differences of losses
    trainer = make_trainer(twin, None, o)
    refuse_mixers(network, trainer.objective)
    trainer.set_data(X, y, o["sample_weight"])
    loop = TrainingLoop(trainer, sys.maxsize, rule_of(o), **watch(twin, o))
    show_epochs(loop, o["show"])
    minimize(loop, {"maxiter": o["epochs"], "maxfun": 20 * o["epochs"]})
    with np.errstate(over="ignore"):
        network.parameters[:] = twin.parameters
    if not loop.failure:
        loop.failure = what_diverged(network, trainer.inputs)
    return loop


def make_trainer(network: Network, optimizer: Optimizer | None, o: Options, **how: Any) -> Trainer:
    """The trainer that the options ask for."""
    settings = {name: o[name] for name in SETTINGS}
    weighted = o["sample_weight"] is not None
    return trainer_class()(network, o["loss"], optimizer, weighted=weighted, per_batch=False, **how, **settings)


def rule_of(o: Options) -> EarlyStopping:
    """When to stop."""
    return EarlyStopping(math.inf if o["patience"] is None else o["patience"], o["min_delta"])


def watch(network: Network, o: Options) -> dict[str, Any]:
    """What the loop measures, keeps and calls after each epoch."""

    def adapted(callback: Callback) -> Callable[[TrainingLoop], Any]:
        def call(loop: TrainingLoop) -> Any:
            with loop.averaged():
                return callback(Epoch(loop.epoch, loop.network, loop.history))

        return on_first_rank(call)

    return {
        "measure": validation(network, o),
        "keep_best": o["restore_best"],
        "callbacks": list(map(adapted, o["callbacks"])),
    }


def validation(network: Network, o: Options) -> Callable[[], dict[str, float]] | None:
    """Loss, and score, on the validation set."""
    if o["validation"] is None:
        return None
    X, y = o["validation"]
    evaluator = Evaluator(network, o["loss"], X, y, head_weights=o["head_weights"])

    def measure() -> dict[str, float]:
        row = {"val_loss": evaluator.loss()}
        if o["scorer"] is not None:
            row["val_score"] = ranks().first(lambda: score_of(o["scorer"](network, X, y)))
        return row

    return measure


def fingerprint(network: Network, X: Any, y: Any, o: Options) -> dict[str, str]:
    """What the training is of."""
    names = ("validation", "sample_weight")
    arrays = check_data(network, o["loss"], X, y, o["sample_weight"])
    inputs = {name: arrays.pop(name) for name in network.graph.input_names}
    held_out = None if o["validation"] is None else check_data(network, o["loss"], *o["validation"], suffix="_val")
    data = {"starting weights": network.block, "X": inputs, "sample_weight": arrays.pop("sample_weight", None)}
    settings = {name: value for name, value in o.items() if name not in (*names, *UNCOMPARED)}
    architecture = np.frombuffer(network_text(network.graph).encode(), np.uint8)
    digests = fingerprint_of(settings, {**data, "y": arrays, "validation": held_out})
    digests |= {"network": data_digest(architecture), "frozen": repr(sorted(network.frozen))}
    return digests | (SHARDED if ranks().are_together else {})


UNCOMPARED = ("scorer", "callbacks", "verbose", "show", "checkpoint", "checkpoint_every")
"""Options that may differ when a training is resumed."""
