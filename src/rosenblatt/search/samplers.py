"""Which candidates are tried: drawn at random, or proposed by Optuna from what was found.

Takes a space, a seed, and results. Returns candidates by number. Never depends on the number of threads: results are
reported in the order of candidates, wave by wave.
"""

from __future__ import annotations

from typing import Any

from rosenblatt._extras import needed
from rosenblatt.search.journal import Result
from rosenblatt.search.spaces import OptunaDraws, Random, Space
from rosenblatt.training.checkpoint import setting_text

__all__ = ["OptunaSampler", "Sampler"]

WAVE_SIZE = 8
"""Candidates that are proposed before results are reported."""
N_STARTUP_TRIALS = 10
MAX_REDRAWS = 20


class Sampler:
    """Candidates drawn at random. One that was drawn before is replaced, within a limited number of tries.

    With `include_default`, the first candidate is the estimator as it is, with nothing drawn.
    """

    independent = True
    """Whether candidates do not depend on what was found."""

    def __init__(self, space: Space, seed: int, include_default: bool = False) -> None:
        self.space, self.seed, self.include_default = space, seed, include_default
        self.drawn: set[str] = set()
        self.candidates: list[dict[str, Any]] = []
        """Parameters of each candidate, by number."""
        self.undrawn: dict[int, str] = {}
        """Why a candidate could not be drawn."""

    def waves(self, trials: list[int]) -> list[list[int]]:
        """The candidates in the groups that train before results are reported."""
        return [trials]

    def draw_to(self, trial: int) -> None:
        """Draw the candidates up to this number, as far as they are not drawn yet."""
        while len(self.candidates) <= trial:
            number = len(self.candidates)
            is_default = number == 0 and self.include_default
            try:
                self.candidates.append({} if is_default else self.sample_distinct(number))
            except Exception as error:  # of what the user's space calls
                self.undrawn[number] = f"{type(error).__name__}: {error}"
                self.candidates.append({})

    def sample_distinct(self, number: int) -> dict[str, Any]:
        """A candidate that equals no other, if the space has one left."""
        for redraw in range(MAX_REDRAWS):
            found = self.space.draw(Random([self.seed, number, redraw]))
            if (text := setting_text(found)) not in self.drawn:
                break
        self.drawn.add(text)
        return found

    def tell(self, results: list[Result]) -> None:
        """Record what was found, in the order of numbers."""


class OptunaSampler(Sampler):
    """Candidates by a tree-structured Parzen estimator (Bergstra et al. 2011).

    A search that resumes from a record draws and reports again: the state follows from the seed and the results.
    """

    independent = False

    def __init__(self, space: Space, seed: int, include_default: bool = False) -> None:
        super().__init__(space, seed, include_default)
        with needed("strategy='tpe' needs", "optuna", extra="tune"):
            import optuna  # type: ignore[import-not-found,unused-ignore]
        sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=N_STARTUP_TRIALS)
        level = optuna.logging.get_verbosity()
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        try:
            self.study = optuna.create_study(direction="maximize", sampler=sampler)
        finally:
            optuna.logging.set_verbosity(level)
        self.asked: dict[int, Any] = {}
        self.failed = optuna.trial.TrialState.FAIL

    def waves(self, trials: list[int]) -> list[list[int]]:
        """Groups of eight, whatever the number of threads."""
        return [trials[i : i + WAVE_SIZE] for i in range(0, len(trials), WAVE_SIZE)]

    def sample_distinct(self, number: int) -> dict[str, Any]:
        """What the sampler proposes."""
        trial = self.asked[number] = self.study.ask()
        return self.space.draw(OptunaDraws(trial))

    def tell(self, results: list[Result]) -> None:
        """Report scores, and which candidates failed."""
        for result in results:
            trial = self.asked.pop(result.trial, None)
            if trial is not None:
                given = {"values": result.mean} if result.scores else {"state": self.failed}
                self.study.tell(trial, **given)
