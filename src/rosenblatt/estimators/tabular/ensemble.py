"""Members trained side by side on cross-validation folds, and their calibrated average.

Goes in: data, a problem, settings. Comes out: an `Ensemble`, with a prediction of each row by a member that did not
train on it. How many epochs and members there are is decided here, from the settings and the time that may be spent.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from rosenblatt import nn
from rosenblatt.estimators.tabular.architecture import Settings, feed
from rosenblatt.estimators.tabular.member import Course, Data, Member, Problem, train_member
from rosenblatt.threads import get_num_threads
from rosenblatt.training.trainer import DivergenceError

__all__ = ["Ensemble", "best_temperature", "fit_ensemble", "soften"]

Array = NDArray[Any]
T = TypeVar("T")
Fold = tuple[NDArray[np.int64], NDArray[np.int64]]
Folds = Sequence[Fold]
MIN_EPOCHS = 8
"""A budget that does not allow so many buys fewer members instead."""
TRIAL_EPOCHS, TRIAL_BATCHES, MIN_TRIAL_ROWS = 3, 8, 16
BUSY = 1.2
"""How much longer an epoch takes beside others, with more data than the caches hold."""
LOOK = 0.2
"""Seconds between looks for signals."""
PRIOR_SPREAD = 0.5
"""Standard deviation of a temperature's logarithm, as far as nothing is known."""
CLOSE = 0.9
"""Share of the budget that is planned with; the rest is for what planning cannot know."""


@dataclass(frozen=True)
class Ensemble:
    """Trained members, and what belongs to all of them.

    Attributes
    ----------
    members : tuple of Member
    temperature : float
        Probabilities p become p**(1 / temperature), normalized; 1 for regression.
    settings : Settings
        As they were used, after the time budget had its say.
    interrupted : bool
        Whether Ctrl-C ended the training.
    decode : callable
        From a network's outputs to its predictions.
    """

    members: tuple[Member, ...]
    settings: Settings
    temperature: float = 1.0
    interrupted: bool = False
    decode: Callable[[Array], Array] = np.asarray

    @property
    def networks(self) -> tuple[nn.Network, ...]:
        """The members' networks."""
        return tuple(member.network for member in self.members)

    @property
    def architectures(self) -> str:
        """The different hidden layers of the networks, such as "128-128-128 mish, 512 selu"."""
        found: dict[str, None] = {}
        for network in self.networks:
            mixed = [(node, getattr(node.layer, "activation", None)) for node in network.graph.nodes]
            hidden = [(node.width, a.base) for node, a in mixed if isinstance(a, nn.Parametric)]
            found["-".join(str(width) for width, _ in hidden) + f" {hidden[0][1]}"] = None
        return ", ".join(found)

    def joined(self, others: Sequence[Ensemble]) -> Ensemble:
        """With the members of others for the same problem, which count as its own; not calibrated yet."""
        members = tuple(member for ensemble in (self, *others) for member in ensemble.members)
        return replace(self, members=members, temperature=1.0)

    def predict(self, prepared: Any) -> Array:
        """The mean of the members' predictions, (n_rows, n), float64; each made sharper or softer before."""
        inputs = feed(prepared)
        return average(self.networks, inputs, self.temperature, self.decode)

    def out_of_fold(self, n_rows: int) -> Array:
        """Predictions by members that did not see the row, averaged; NaN where all did. Shape (n_rows, n)."""
        total, count = np.zeros((n_rows, self.members[0].predictions.shape[1])), np.zeros(n_rows)
        for member in self.members:
            total[member.held_out] += soften(member.predictions, self.temperature)
            count[member.held_out] += 1
        with np.errstate(invalid="ignore"):
            return total / count[:, None]


def average(
    networks: Sequence[nn.Network], inputs: dict[str, Any], temperature: float, decode: Callable[[Array], Array]
) -> Array:
    """The mean of what the networks predict, in parallel where there are several."""
    workers = max(1, min(get_num_threads(), len(networks)))
    with ThreadPoolExecutor(workers) as pool:
        outputs = list(pool.map(lambda network: network.predict(inputs), networks))
    return np.asarray(np.mean([soften(np.asarray(decode(p), np.float64), temperature) for p in outputs], axis=0))


def soften(probabilities: Array, temperature: float) -> Array:
    """p**(1 / temperature), each row normalized; as they are for temperature 1."""
    if temperature == 1.0:
        return probabilities
    logits = np.log(np.maximum(probabilities, 1e-12)) / temperature
    logits -= logits.max(axis=1, keepdims=True)
    powers = np.exp(logits)
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def best_temperature(probabilities: Array, labels: Array, weights: Array | None = None) -> float:
    """The temperature in [0.2, 5] with the smallest log loss (Guo et al. 2017, arXiv:1706.04599), given a prior.

    Its logarithm is taken to be near zero (normal, standard deviation 0.5) until some hundred rows say otherwise: with
    few rows, all of them predicted rightly, the sharpest probabilities would be the best.

    Parameters
    ----------
    probabilities : ndarray of shape (n, k)
    labels : ndarray of int, shape (n,)
    """
    from scipy.optimize import minimize_scalar

    rows = np.arange(len(labels))

    def surprise(log_temperature: float) -> float:
        right = soften(probabilities, math.exp(log_temperature))[rows, labels]
        log_loss = np.average(-np.log(np.maximum(right, 1e-12)), weights=weights)
        return float(log_loss + (log_temperature / PRIOR_SPREAD) ** 2 / (2 * len(labels)))

    found = minimize_scalar(surprise, bounds=(math.log(0.2), math.log(5)), method="bounded", options={"xatol": 1e-3})
    return math.exp(float(found.x)) if found.fun < surprise(0.0) else 1.0


def fit_ensemble(
    data: Data, problem: Problem, settings: Settings, folds: Folds, seed: int, course: Course | None = None
) -> Ensemble:
    """Train a member for each fold, as many at once as there are threads.

    Ctrl-C ends the training of all after their present epoch; once an epoch is over, what was learned is kept.

    Parameters
    ----------
    folds : sequence of (training rows, held-out rows)
    seed : int
    course : Course, optional
        Its deadline is that of all members together.

    Raises
    ------
    DivergenceError
        If no member could be trained.
    """
    course = course or Course()
    if math.isfinite(course.deadline):
        course.deadline -= (1 - CLOSE) * max(0.0, course.left())
        settings, folds = within(data, problem, settings, folds, seed, course.deadline)
    course.members = len(folds)

    def train(number: int) -> Member | DivergenceError | None:
        if course.stopped.is_set() or (number > 0 and course.left() <= 0):
            return None
        try:
            return train_member(data, problem, settings, *folds[number], seed * 1000 + number, course, number + 1)
        except DivergenceError as error:
            return error
        except BaseException:
            course.stopped.set()  # the others need not go on
            raise

    results, interrupted = run_all(train, len(folds), course)
    members = tuple(member for member in results if isinstance(member, Member))
    if not members:
        raise next((error for error in results if isinstance(error, DivergenceError)), KeyboardInterrupt())
    return Ensemble(members, settings, interrupted=interrupted, decode=problem.decode)


def run_all(train: Callable[[int], T], n_members: int, course: Course) -> tuple[list[T], bool]:
    """What `train` returns for each number, and whether Ctrl-C cut it short; before the first epoch it is passed on."""
    with ThreadPoolExecutor(max(1, min(get_num_threads(), n_members))) as pool:
        running: list[Future[T]] = []
        try:
            running += [pool.submit(train, number) for number in range(n_members)]
            while wait(running, timeout=LOOK).not_done:  # a Ctrl-C that comes as waiting begins is seen at its end
                pass
            return [future.result() for future in running], False
        except KeyboardInterrupt:
            course.stopped.set()
            if course.n_told == 0:
                raise
            return [future.result() for future in running if future.exception() is None], True


def within(
    data: Data, problem: Problem, settings: Settings, folds: Folds, seed: int, deadline: float
) -> tuple[Settings, Folds]:
    """Settings and folds that can be done until the deadline, by the time that a trial on some rows takes.

    First come fewer epochs, then fewer members, and at last fewer rows.
    """
    rng = np.random.default_rng([seed, 3])
    trial = some_rows(folds[0], TRIAL_BATCHES * settings.batch_size / len(folds[0][0]), rng)
    tried = train_member(data, problem, replace(settings, epochs=TRIAL_EPOCHS), *trial, seed=seed)
    per_epoch = BUSY * tried.epoch_seconds * len(folds[0][0]) / len(trial[0])
    left = max(1e-3, deadline - time.monotonic())
    workers = max(1, min(get_num_threads(), len(folds)))
    for n_folds in range(len(folds), 0, -1):
        epochs = min(settings.epochs, int(left / (-(-n_folds // workers) * per_epoch)))
        if epochs >= min(MIN_EPOCHS, settings.epochs):
            return replace(settings, epochs=epochs, members=n_folds), folds[:n_folds]
    epochs = min(MIN_EPOCHS, settings.epochs)
    fewer = some_rows(folds[0], left / (epochs * per_epoch), rng)
    return replace(settings, epochs=epochs, members=1), [fewer]


def some_rows(fold: Fold, share: float, rng: np.random.Generator) -> Fold:
    """About this share of both parts of a fold, drawn at random, at least a few."""
    training, held_out = (rng.permutation(rows)[: max(MIN_TRIAL_ROWS, int(share * len(rows)))] for rows in fold)
    return training, held_out
