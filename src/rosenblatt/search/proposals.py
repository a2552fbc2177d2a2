"""Which candidates are tried: drawn at random, or proposed by Optuna from what was found.

Goes in: a space, a seed, results. Comes out: candidates by number. Results are told in the order of candidates, wave by
wave, so that a seeded search is the same for any number of threads.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from rosenblatt.search.journal import Result
from rosenblatt.search.spaces import Layers, LogUniform, Space, When, draw, is_list, plain

__all__ = ["Proposals", "proposals_of"]

WAVE = 8
"""Candidates that are proposed before results are told."""


class Proposals:
    """Candidates drawn independently."""

    def __init__(self, space: Space, n_trials: int, seed: int) -> None:
        self.space, self.n_trials, self.seed = space, n_trials, seed

    def waves(self, alive: list[int] | None) -> Iterator[list[int]]:
        """Numbers of the candidates to train next; `alive` are those that were promoted."""
        yield list(range(self.n_trials)) if alive is None else alive

    def candidate(self, number: int) -> dict[str, Any]:
        """Its parameters."""
        return self.space.draw(np.random.default_rng([self.seed, number]))

    def tell(self, results: list[tuple[int, Result]]) -> None:
        """What was found."""


class Optuna(Proposals):
    """Candidates by a tree-structured Parzen estimator (Bergstra et al. 2011)."""

    def __init__(self, space: Space, n_trials: int, seed: int) -> None:
        super().__init__(space, n_trials, seed)
        try:
            import optuna  # type: ignore[import-not-found,unused-ignore]
        except ModuleNotFoundError:
            raise ModuleNotFoundError(
                "strategy='tpe' needs Optuna: pip install 'rosenblatt[tune]'", name="optuna"
            ) from None
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=min(10, max(2, n_trials // 4)))
        self.study = optuna.create_study(direction="maximize", sampler=sampler)
        self.asked: dict[int, Any] = {}
        self.failed = optuna.trial.TrialState.FAIL

    def waves(self, alive: list[int] | None) -> Iterator[list[int]]:
        for first in range(0, self.n_trials, WAVE):
            yield list(range(first, min(first + WAVE, self.n_trials)))

    def candidate(self, number: int) -> dict[str, Any]:
        trial = self.asked[number] = self.study.ask()
        found: dict[str, Any] = {}
        for name in self.space.order():
            choice = self.space.choices[name]
            if isinstance(choice, When):
                if found.get(choice.parameter) not in choice.values:
                    continue
                choice = choice.choice
            found[name] = suggest(trial, name, choice)
        return found

    def tell(self, results: list[tuple[int, Result]]) -> None:
        for number, result in results:
            if number in self.asked:
                trial = self.asked.pop(number)
                if result.scores:
                    self.study.tell(trial, result.mean)
                else:
                    self.study.tell(trial, state=self.failed)


def suggest(trial: Any, name: str, choice: Any) -> Any:
    """One value; of distributions of scipy.stats by their quantiles."""
    if is_list(choice):
        return plain(choice[trial.suggest_categorical(name, list(range(len(choice))))])
    if isinstance(choice, LogUniform):
        value = trial.suggest_float(name, choice.low, choice.high, log=True)
        return max(1, round(value)) if choice.integer else value
    if isinstance(choice, Layers):
        count = trial.suggest_categorical(f"{name}, number", list(choice.counts))
        width = trial.suggest_categorical(f"{name}, width", list(choice.widths))
        halve = choice.narrowing and trial.suggest_categorical(f"{name}, narrowing", [False, True])
        return tuple(max(1, width >> (i if halve else 0)) for i in range(count))
    if hasattr(choice, "ppf"):
        return plain(choice.ppf(trial.suggest_float(name, 0.0, 1.0)))
    return draw(choice, np.random.default_rng(trial.suggest_int(name, 0, 2**31 - 1)))


def proposals_of(strategy: str, space: Space, n_trials: int, seed: int) -> Proposals:
    """The source of candidates for a strategy."""
    return (Optuna if strategy == "tpe" else Proposals)(space, n_trials, seed)
