"""Synchronous successive halving: how many candidates train for how many epochs, and which continue.

Takes numbers of candidates and epochs, and scores. Returns rungs, and the candidates that are promoted (Jamieson and
Talwalkar 2016, arXiv:1502.07943). Never trains anything.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rosenblatt.search.journal import Result

__all__ = ["BRACKET_SIZE", "FACTOR", "MAX_REDUCTION", "Bracket", "Rung", "brackets", "promoted"]

FACTOR = 3
"""One in so many of a rung's candidates continues, for so many times the epochs."""
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
    """Candidates from the number `first` on, which start and are halved together, down to `fewest`."""

    first: int
    rungs: tuple[Rung, ...]
    fewest: int = 1

    @property
    def trials(self) -> list[int]:
        """Numbers of the candidates that it starts with."""
        return list(range(self.first, self.first + self.rungs[0].count))

    def rest(self, first: int) -> Bracket:
        """The same of the candidates from a number on."""
        count = self.first + self.rungs[0].count - first
        rungs = tuple(Rung(left(count, i, self.fewest), rung.epochs) for i, rung in enumerate(self.rungs))
        return Bracket(first, rungs, self.fewest)


def left(count: int, stage: int, fewest: int) -> int:
    """How many of `count` candidates are left after so many promotions."""
    return max(min(fewest, count), int(count // FACTOR**stage))


def rungs(n_trials: int, max_epochs: int, min_epochs: int, fewest: int) -> tuple[Rung, ...]:
    """Rungs whose last one has `max_epochs` and whose first has no less than `min_epochs`, if that is less."""
    stages = 0
    while FACTOR ** (stages + 1) <= n_trials and max_epochs // FACTOR ** (stages + 1) >= min_epochs:
        stages += 1
    numbers = range(stages + 1)
    return tuple(Rung(left(n_trials, i, fewest), max_epochs // FACTOR ** (stages - i)) for i in numbers)


def brackets(
    n_trials: int | None, max_epochs: int, min_epochs: int, endless: bool, fewest: int = 1
) -> Iterator[Bracket]:
    """One bracket of all candidates; if their number is not given, one of `BRACKET_SIZE`, or if `endless` many.

    If `max_epochs` and `min_epochs` are equal, nothing is halved. At least `fewest` candidates reach the last rung.
    """
    first, each = 0, rungs(n_trials or BRACKET_SIZE, max_epochs, min_epochs, fewest)
    while first == 0 or (n_trials is None and endless):
        yield Bracket(first, each, fewest)
        first += each[0].count


def promoted(results: Iterable[Result], rung: Rung, started: int) -> list[int]:
    """The best candidates for the next rung, in the order of their numbers.

    If time ended before all that `started` the rung before had a result, fewer continue.
    """
    done = [result for result in results if result.complete]
    count = rung.count if len(done) >= started else max(1, min(rung.count, math.ceil(len(done) / FACTOR)))
    ranked = sorted((r for r in done if r.scores), key=lambda result: (-result.mean, result.trial))
    return sorted(result.trial for result in ranked[:count])
