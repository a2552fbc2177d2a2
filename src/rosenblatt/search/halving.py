"""Synchronous successive halving: how many candidates train for how many epochs, and which ones continue.

Takes numbers of candidates and epochs, and scores. Returns rungs, and the candidates that are promoted (Jamieson and
Talwalkar 2016, arXiv:1502.07943). Never trains anything.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from rosenblatt.search.journal import Result

__all__ = ["BRACKET_SIZE", "FACTOR", "MAX_REDUCTION", "Bracket", "Rung", "brackets", "promoted"]

FACTOR = 3
"""A third of a rung's candidates continue, for three times the epochs."""
MAX_REDUCTION = 9
"""The first rung has at least the epochs divided by this, by default: earlier scores say little about the last."""
BRACKET_SIZE = 27
"""Candidates that start together if their number is not given."""


@dataclass(frozen=True)
class Rung:
    """`count` candidates train up to `epochs`."""

    count: int
    epochs: int


@dataclass(frozen=True)
class Bracket:
    """Candidates that start and are halved together, down to `fewest`; `first` is the number of the first one."""

    first: int
    rungs: tuple[Rung, ...]
    fewest: int = 1

    @property
    def trials(self) -> list[int]:
        """Numbers of the candidates that it starts with."""
        return list(range(self.first, self.first + self.rungs[0].count))

    def rest(self, first: int) -> Bracket:
        """The same for its candidates from the number `first` on."""
        count = self.first + self.rungs[0].count - first
        rungs = tuple(Rung(left(count, i, self.fewest), rung.epochs) for i, rung in enumerate(self.rungs))
        return Bracket(first, rungs, self.fewest)


def left(count: int, stage: int, fewest: int) -> int:
    """How many of `count` candidates are left after `stage` promotions."""
    return max(min(fewest, count), int(count // FACTOR**stage))


def brackets(
    n_trials: int | None, max_epochs: int, min_epochs: int, endless: bool, fewest: int = 1
) -> Iterator[Bracket]:
    """One bracket of all candidates. If their number is not given, one of `BRACKET_SIZE`, or many if `endless`.

    The last rung has `max_epochs`, and the first at least `min_epochs`: if these are equal, nothing is halved. At least
    `fewest` candidates reach the last rung.
    """
    count, stages, first = n_trials or BRACKET_SIZE, 0, 0
    while FACTOR ** (stages + 1) <= count and max_epochs // FACTOR ** (stages + 1) >= min_epochs:
        stages += 1
    rungs = (Rung(left(count, i, fewest), max_epochs // FACTOR ** (stages - i)) for i in range(stages + 1))
    bracket = Bracket(first, tuple(rungs), fewest)
    while first == 0 or (n_trials is None and endless):
        yield replace(bracket, first=first)
        first += count


def promoted(results: Iterable[Result], rung: Rung, started: int) -> list[int]:
    """The best candidates for the next rung, in the order of their numbers.

    If time ended before all that `started` the previous rung had a result, fewer continue.
    """
    done = [result for result in results if result.complete]
    count = rung.count if len(done) >= started else max(1, min(rung.count, math.ceil(len(done) / FACTOR)))
    ranked = sorted((r for r in done if r.scores), key=lambda result: (-result.mean, result.trial))
    return sorted(result.trial for result in ranked[:count])
