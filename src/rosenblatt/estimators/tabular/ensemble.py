"""Members trained side by side on cross-validation folds, and their calibrated average.

Takes data, a problem and settings. Returns an `Ensemble` with out-of-fold predictions, whose numbers of epochs and
members follow from the settings and the time budget. Never trains a member on the rows that score it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt import nn
from rosenblatt.distributed.jobs import Done, Hear, Jobs, Work
from rosenblatt.distributed.ranks import ranks
from rosenblatt.estimators.tabular.architecture import Settings, feed
from rosenblatt.estimators.tabular.member import FitBudget, Member, check_fold_weights, train_member
from rosenblatt.estimators.tabular.member_jobs import EpochsOfMembers, MemberTraining, member_items
from rosenblatt.estimators.tabular.problem import Data, Problem
from rosenblatt.estimators.tabular.row_ranges import RowNumbers, some_of
from rosenblatt.threads import get_num_threads
from rosenblatt.training.trainer import DivergenceError

__all__ = ["Ensemble", "best_temperature", "fit_ensemble", "with_temperature"]

Array = NDArray[Any]
Fold = tuple[RowNumbers, NDArray[np.int64]]
Folds = Sequence[Fold]
MIN_EPOCHS = 8
"""A time budget that does not allow so many epochs reduces the members instead."""
TRIAL_EPOCHS, TRIAL_BATCHES, MIN_TRIAL_ROWS = 3, 8, 16
CONTENTION = 1.2
"""How much longer an epoch takes beside others, with more data than the caches hold."""
PRIOR_SPREAD = 0.5
"""Standard deviation of the prior of a temperature's logarithm."""
BUDGET_FRACTION = 0.9
"""Share of the time budget that is planned with; the rest is a reserve."""


@dataclass(frozen=True)
class Ensemble:
    """Trained members, and what they share."""

    members: tuple[Member, ...]
    settings: Settings  # as adapted to the time budget
    temperature: float = 1.0  # of the members' probabilities, see `with_temperature`; 1 for regression
    interrupted: bool = False  # whether Ctrl-C ended the training
    decode: Callable[[Array], Array] = np.asarray  # from a network's outputs to its predictions

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

    def summary(self) -> str:
        """How the networks were trained, and how they are combined, in a few lines."""
        n, best = len(self.members), ", ".join(str(member.best_epoch) for member in self.members)
        size = sum(network.parameters.size for network in self.networks)
        mean = f"the mean of {n} networks" if n > 1 else "that of the network"
        calibrated = f", at temperature {self.temperature:.3f}" if self.temperature != 1 else ""
        return "\n".join(
            [
                f"ensemble     {n} network{'s' if n > 1 else ''}, {size:,} parameters in all",
                f"training     at most {self.settings.epochs} epochs; those kept, by held-out rows: {best}",
                f"prediction   {mean}{calibrated}",
            ]
        )

    def joined(self, others: Sequence[Ensemble]) -> Ensemble:
        """The ensemble with the members of others for the same problem; it is not calibrated yet.

        Raises
        ------
        ValueError
            If one was loaded: files do not say which rows its members held out.
        """
        if any(not len(member.held_out) for ensemble in (self, *others) for member in ensemble.members):
            raise ValueError(
                "a model that was loaded from a file cannot be averaged with others, because files do not hold the "
                "training predictions of each network; average the models before they are saved."
            )
        members = tuple(member for ensemble in (self, *others) for member in ensemble.members)
        return replace(self, members=members, temperature=1.0)

    def predict(self, prepared: Any) -> Array:
        """The mean of the members' predictions after their temperature was applied, (n_rows, n), float64."""
        inputs = feed(prepared)
        with ThreadPoolExecutor(workers_for(len(self.members))) as pool:
            outputs = list(pool.map(lambda network: network.predict(inputs), self.networks))
        decoded = (np.asarray(self.decode(out), np.float64) for out in outputs)
        return np.asarray(np.mean([with_temperature(p, self.temperature) for p in decoded], axis=0))

    def out_of_fold(self, n_rows: int) -> Array:
        """The mean prediction of the members that did not train on a row, (n_rows, n); NaN where all of them did."""
        total, count = np.zeros((n_rows, self.members[0].predictions.shape[1])), np.zeros(n_rows)
        for member in self.members:
            total[member.held_out] += with_temperature(member.predictions, self.temperature)
            count[member.held_out] += 1
        with np.errstate(invalid="ignore"):
            return total / count[:, None]


def workers_for(n_members: int) -> int:
    """The threads that work on so many members."""
    return max(1, min(get_num_threads(), n_members))


def with_temperature(probabilities: Array, temperature: float) -> Array:
    """p**(1 / temperature), with each row normalized; temperature 1 changes nothing."""
    if temperature == 1.0:
        return probabilities
    logits = np.log(np.maximum(probabilities, 1e-12)) / temperature
    logits -= logits.max(axis=1, keepdims=True)
    powers = np.exp(logits)
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def best_temperature(probabilities: Array, labels: Array, weights: Array | None = None) -> float:
    """The temperature in [0.2, 5] with the smallest log loss (Guo et al. 2017, arXiv:1706.04599), given a prior.

    The prior of its logarithm is normal, with mean 0 and standard deviation 0.5. Without it, a few rows that are all
    predicted correctly would ask for the sharpest probabilities.
    """
    from scipy.optimize import minimize_scalar

    rows = np.arange(len(labels))
    n = len(labels) if weights is None else np.count_nonzero(weights)

    def surprise(log_temperature: float) -> float:
        right = with_temperature(probabilities, math.exp(log_temperature))[rows, labels]
        log_loss = np.average(-np.log(np.maximum(right, 1e-12)), weights=weights)
        return float(log_loss + (log_temperature / PRIOR_SPREAD) ** 2 / (2 * n))

    found = minimize_scalar(surprise, bounds=(math.log(0.2), math.log(5)), method="bounded", options={"xatol": 1e-3})
    return math.exp(float(found.x)) if found.fun < surprise(0.0) else 1.0


def fit_ensemble(
    data: Data, problem: Problem, settings: Settings, folds: Folds, seed: int, budget: FitBudget | None = None
) -> Ensemble:
    """Train a member on each fold (training rows, held-out rows), as many at once as there are threads and memory.

    Ctrl-C ends the training of all members at once. The networks that have an epoch behind them are kept; if there is
    none, `KeyboardInterrupt` is raised. It is always raised if ``budget.cancelled()`` becomes true. Raises
    `DivergenceError` if all members diverged in their first epoch.
    """
    budget = budget or FitBudget()
    for number, fold in enumerate(folds, start=1):  # before any of them is trained
        check_fold_weights(data, fold, number)
    if math.isfinite(budget.deadline):
        settings, folds = plan(data, problem, settings, folds, seed, budget)
    budget.members = len(folds)

    results, interrupted = train_all(
        data, problem, settings, folds, [seed * 1000 + i for i in range(len(folds))], budget
    )
    if budget.checkpoints is not None:
        budget.checkpoints.note(budget.left(), at_once=True)
    if budget.cancelled():
        raise KeyboardInterrupt
    members = tuple(member for member in results if isinstance(member, Member))
    if not members:
        raise next((error for error in results if isinstance(error, DivergenceError)), KeyboardInterrupt())
    return Ensemble(members, settings, interrupted=interrupted, decode=problem.decode)


def train_all(
    data: Data, problem: Problem, settings: Settings, folds: Folds, seeds: Sequence[int], budget: FitBudget
) -> tuple[list[Any], bool]:
    """A member for each fold, or a `DivergenceError`, or None if it was not trained; and whether Ctrl-C ended this."""
    if not budget.jobs.shares_memory:
        kept = None if budget.checkpoints is None else budget.checkpoints.for_others()
        sent = replace(data, stored=None)  # each process has a file of its own
        work = MemberTraining(sent, problem, settings, budget.members, kept)
        return run_all(work, member_items(folds, seeds, budget), EpochsOfMembers(budget).hear, budget, budget.jobs)

    def train(i: int, link: object) -> Member | DivergenceError | None:
        if not budget.must_train(i + 1):
            return None
        try:
            return train_member(data, problem, settings, *folds[i], seeds[i], budget, i + 1)
        except DivergenceError as error:
            return error
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt) and budget.stopped.is_set():
                return None  # in its first epoch; why all have to end is known elsewhere
            budget.stopped.set()  # the results of the others would be lost
            raise

    jobs = budget.jobs.at_most(data.members_at_once(len(folds)))
    results, interrupted = run_all(train, range(len(folds)), lambda number, message: None, budget, jobs)
    ranks().until(budget.left)  # an interrupt of one rank that came last is one of all
    return results, interrupted


def run_all(work: Work, items: Iterable[Any], hear: Hear, budget: FitBudget, jobs: Jobs) -> tuple[list[Any], bool]:
    """The results of all jobs, and whether Ctrl-C ended them; it is raised if no epoch was over."""
    with jobs.start(work, items, hear, timed=math.isfinite(budget.deadline)) as running:
        try:
            while not running.over and not (budget.cancelled() and not jobs.shares_memory):
                ended = running.wait()
                if not jobs.shares_memory:  # where a thread fails, it tells the others
                    _ = [done.result() for done in ended]
            return [done.result() for done in in_order(running.ended)], budget.stopped.is_set()
        except KeyboardInterrupt:
            budget.stopped.set()
            if budget.n_epochs == 0:
                raise
            running.stop()
            while not running.over:
                running.wait()
            return [done.value for done in in_order(running.ended) if done.error is None], True


def in_order(ended: dict[int, Done]) -> list[Done]:
    """Jobs that have ended, by their numbers."""
    return [ended[number] for number in sorted(ended)]


def plan(
    data: Data, problem: Problem, settings: Settings, folds: Folds, seed: int, budget: FitBudget
) -> tuple[Settings, Folds]:
    """What the time allows, as `within` finds it, or as a checkpoint has kept it from an earlier process."""
    kept = budget.checkpoints
    if kept is not None and (known := kept.planned(settings, folds)) is not None:
        return known
    budget.deadline -= (1 - BUDGET_FRACTION) * max(0.0, budget.left())
    planned, chosen = within(data, problem, settings, folds, seed, budget)
    if kept is not None:
        kept.keep_plan(planned, chosen, folds, budget.left())
    return planned, chosen


def within(
    data: Data, problem: Problem, settings: Settings, folds: Folds, seed: int, budget: FitBudget
) -> tuple[Settings, Folds]:
    """Settings and folds that fit before the budget's deadline, as a timed trial on some rows predicts.

    Epochs are reduced first, then members, then rows.
    """
    rng = np.random.default_rng([seed, 3])
    trial = some_rows(folds[0], TRIAL_BATCHES * settings.batch_size / len(folds[0][0]), rng)
    tried = timed_trial(data, problem, replace(settings, epochs=TRIAL_EPOCHS), trial, seed, budget)
    found = ranks()
    per_epoch = found.first(lambda: CONTENTION * tried.epoch_seconds * len(folds[0][0]) / len(trial[0]))
    left = found.first(lambda: max(1e-3, budget.left()))
    workers = budget.jobs.at_most(data.members_at_once(len(folds))).width(len(folds))
    for n_folds in range(len(folds), 0, -1):
        epochs = min(settings.epochs, int(left / (-(-n_folds // workers) * per_epoch)))
        if epochs >= min(MIN_EPOCHS, settings.epochs):
            members = settings.members if n_folds == len(folds) else n_folds
            return replace(settings, epochs=epochs, members=members), folds[:n_folds]
    epochs = min(MIN_EPOCHS, settings.epochs)
    fewer = some_rows(folds[0], left / (epochs * per_epoch), rng)
    return replace(settings, epochs=epochs, members=1), [fewer]


def timed_trial(data: Data, problem: Problem, settings: Settings, fold: Fold, seed: int, budget: FitBudget) -> Member:
    """A member that is only trained for its `epoch_seconds`, where the others will be trained."""
    own = FitBudget(cancelled=budget.cancelled, jobs=budget.jobs)
    if budget.jobs.shares_memory:  # in this thread
        return train_member(data, problem, settings, *fold, seed, own)
    (tried,), interrupted = train_all(data, problem, settings, [fold], [seed], own)
    if interrupted or tried is None:
        raise KeyboardInterrupt
    if isinstance(tried, DivergenceError):
        raise tried
    assert isinstance(tried, Member)
    return tried


def some_rows(fold: Fold, share: float, rng: np.random.Generator) -> Fold:
    """About this share of both parts of a fold, at least 16 rows each, drawn at random."""
    training, held_out = (some_of(rows, max(MIN_TRIAL_ROWS, int(share * len(rows))), rng) for rows in fold)
    return training, held_out
