"""Situations: what is brought to the doors, and what must happen at each.

A row of the table is a `Situation`. `everywhere` is what must happen at each door that it concerns; `but` names the
doors where something else must happen, which a comment should justify.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.doors.doors import DOORS, Answer, Door, Training, data


@dataclass(frozen=True)
class Refused:
    """The door refuses with a `ValueError` or `TypeError` whose message has all these words (patterns)."""

    words: tuple[str, ...]

    def check(self, enter: Callable[[], Answer]) -> None:
        with pytest.raises((ValueError, TypeError)) as caught:
            enter()
        message = str(caught.value)
        for word in self.words:
            assert re.search(word, message), f"the message lacks {word!r}: {message}"
        for internal in ("nanobind", "incompatible function arguments", "Traceback", "object has no attribute"):
            assert internal not in message, message


def refused(*words: str) -> Refused:
    return Refused(words)


@dataclass(frozen=True)
class Works:
    """The door trains, and what it gives passes the check."""

    passes: Callable[[Answer], Any] = lambda answer: None

    def check(self, enter: Callable[[], Answer]) -> None:
        verdict = self.passes(enter())
        assert verdict is None or verdict


WORKS = Works()


@dataclass(frozen=True)
class Situation:
    """A row of the table.

    `change` turns a good `Training` of a task into the one of the situation. `needs` are things that a door must take
    for the situation to arise there (see `Door.takes`); `tasks` those that it arises in.
    """

    name: str
    change: Callable[[Training], Training]
    everywhere: Refused | Works
    but: Mapping[str, Refused | Works] = field(default_factory=dict)
    needs: frozenset[str] = frozenset()
    tasks: tuple[str, ...] = ("classification", "regression")
    doors: tuple[str, ...] = tuple(DOORS)


def table(*situations: Situation) -> Any:
    """The parametrization of a test by all pairs of a situation and a door that it concerns."""
    return pytest.mark.parametrize(("situation", "door", "task"), list(pairs(situations)))


def pairs(situations: Iterable[Situation]) -> Iterable[Any]:
    for number, situation in enumerate(situations):
        unknown = {*situation.but, *situation.doors} - set(DOORS)
        assert not unknown, f"{situation.name}: there is no door {unknown}"
        for name in situation.doors:
            door = DOORS[name]
            for task in situation.tasks:
                if task in door.tasks and situation.needs <= door.takes:
                    # A search takes a second: in ordinary tests, one for each table of situations.
                    marks = [pytest.mark.long] * (name == "rosenblatt tune" and number > 0)
                    yield pytest.param(situation, door, task, id=f"{situation.name}-{name}-{task}", marks=marks)


def happens(situation: Situation, door: Door, task: str, folder: Path) -> None:
    """Bring the situation to the door; what must happen happens."""
    expected = situation.but.get(door.name, situation.everywhere)
    expected.check(lambda: door(situation.change(data(task)), task, folder))
