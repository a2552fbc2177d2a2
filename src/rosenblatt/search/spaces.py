"""What a search may choose from.

Takes a dictionary from parameters to lists, distributions of `scipy.stats` (anything with ``rvs``) or the choices
here. Returns candidates, the same for the same draws. Never looks at an estimator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rosenblatt._checks import is_count
from rosenblatt._suggestions import nearest, suggest_keywords
from rosenblatt.training.checkpoint import setting_text

__all__ = [
    "Conditional",
    "Instance",
    "Layers",
    "LogUniform",
    "OptunaDraws",
    "PerLayer",
    "Random",
    "Space",
    "choice_text",
]


QUANTILES = (1e-9, 1 - 1e-9)
"""Without the ends, which may be infinite."""


class Random:
    """Independent draws."""

    def __init__(self, seed: Sequence[int]) -> None:
        self.rng = np.random.default_rng(seed)

    def index(self, name: str, n: int) -> int:
        """One of 0 to n - 1."""
        return int(self.rng.integers(n))

    def number(self, name: str, low: float, high: float) -> float:
        """A number whose logarithm is uniform between those of the bounds."""
        return float(np.exp(self.rng.uniform(np.log(low), np.log(high))))

    def sample(self, name: str, distribution: Any) -> Any:
        """A value of a distribution of `scipy.stats`."""
        return distribution.rvs(random_state=np.random.RandomState(int(self.rng.integers(2**32))))


class OptunaDraws:
    """Draws that a trial of Optuna decides on."""

    def __init__(self, trial: Any) -> None:
        self.trial = trial

    def index(self, name: str, n: int) -> int:
        """One of 0 to n - 1."""
        return int(self.trial.suggest_categorical(name, list(range(n)))) if n > 1 else 0

    def number(self, name: str, low: float, high: float) -> float:
        """A number whose logarithm matters."""
        return float(self.trial.suggest_float(name, low, high, log=True))

    def sample(self, name: str, distribution: Any) -> Any:
        """A value of a distribution, by its quantile function if it has one."""
        if not hasattr(distribution, "ppf"):
            return Random([self.trial.suggest_int(name, 0, 2**31 - 1)]).sample(name, distribution)
        value = distribution.ppf(self.trial.suggest_float(name, *QUANTILES))
        return int(value) if hasattr(getattr(distribution, "dist", None), "pmf") else value


DrawSource = Random | OptunaDraws
"""Where draws come from; each draw has a name, which is the same for the same choice of another candidate."""


@suggest_keywords
@dataclass(frozen=True)
class LogUniform:
    """Numbers whose logarithm is uniform.

    Parameters
    ----------
    low, high : float
        The range, above zero.
    integer : bool
        Whether numbers are rounded to whole ones.
    """

    low: float
    high: float
    integer: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.low < self.high < np.inf:
            raise ValueError(f"LogUniform({self.low}, {self.high}): low must be above zero and high above low.")

    def draw(self, source: DrawSource, name: str, found: Mapping[str, Any]) -> Any:
        """One number."""
        value = source.number(name, self.low, self.high)
        return max(1, round(value)) if self.integer else value


@suggest_keywords
@dataclass(frozen=True)
class Layers:
    """Sizes of hidden layers, for ``hidden_layer_sizes``.

    Parameters
    ----------
    counts, widths : tuple of int
        Numbers of layers, and sizes of the first one.
    narrowing : bool
        Whether each layer may be half as wide as the one before.
    """

    counts: tuple[int, ...] = (1, 2, 3)
    widths: tuple[int, ...] = (16, 32, 64, 128, 256)
    narrowing: bool = True

    def __post_init__(self) -> None:
        for name in ("counts", "widths"):
            values = getattr(self, name)
            if not values or any(not is_count(v) for v in values):
                raise ValueError(f"Layers: {name} are {values!r}; give positive whole numbers, such as (1, 2).")

    def draw(self, source: DrawSource, name: str, found: Mapping[str, Any]) -> tuple[int, ...]:
        """One architecture."""
        count = self.counts[source.index(f"{name}, number", len(self.counts))]
        width = self.widths[source.index(f"{name}, width", len(self.widths))]
        halve = self.narrowing and source.index(f"{name}, narrowing", 2) == 1
        return tuple(max(1, width >> (i if halve else 0)) for i in range(count))


class Instance:
    """An object whose arguments are drawn: ``Instance(LeakyReLU, alpha=LogUniform(0.01, 0.3))``.

    Parameters
    ----------
    maker : callable
    **arguments : choices
    """

    def __init__(self, maker: Callable[..., Any], **arguments: Any) -> None:
        if not callable(maker):
            raise TypeError(f"Instance({maker!r}): give a class or a function, and choices for its arguments.")
        self.maker, self.arguments = maker, arguments
        for name, choice in arguments.items():
            check_choice(f"{self._name()}, {name}", choice)

    def _name(self) -> str:
        return str(getattr(self.maker, "__name__", type(self.maker).__name__))

    def __repr__(self) -> str:
        return f"Instance({', '.join([self._name(), *(f'{k}={choice_text(v)}' for k, v in self.arguments.items())])})"

    def draw(self, source: DrawSource, name: str, found: Mapping[str, Any]) -> Any:
        """One object."""
        label = f"{name}, {self._name()}"
        return self.maker(**{k: draw(v, source, f"{label} {k}", found) for k, v in self.arguments.items()})


@suggest_keywords
@dataclass(frozen=True)
class PerLayer:
    """A value for each hidden layer, such as dropout.

    Parameters
    ----------
    choice : list or distribution
        What each value is drawn from.
    sizes : str
        The parameter of the space whose entries are the layers.
    """

    choice: Any
    sizes: str = "hidden_layer_sizes"

    def draw(self, source: DrawSource, name: str, found: Mapping[str, Any]) -> list[Any]:
        """One value for each layer."""
        n_layers = np.size(found[self.sizes])
        return [draw(self.choice, source, f"{name}, layer {i + 1}", found) for i in range(n_layers)]


@suggest_keywords
@dataclass(frozen=True)
class Conditional:
    """A parameter that is drawn only if another one has certain values; otherwise it keeps the estimator's value.

    Parameters
    ----------
    parameter : str
        The other parameter, which the space must contain.
    values : sequence
    choice : list or distribution
        What the value is drawn from then.
    """

    parameter: str
    values: Sequence[Any]
    choice: Any


@dataclass(frozen=True)
class Space:
    """Checked choices by parameter: lists, distributions, or choices of this module."""

    choices: Mapping[str, Any]

    @classmethod
    def of(cls, given: Any, known: Sequence[str], fixed: Sequence[str] = ()) -> Space:
        """A space whose parameters are among `known`, and not among those that are `fixed` by the search."""
        if not isinstance(given, Mapping):
            raise TypeError(f"space is a {type(given).__name__}; it must be a dictionary from parameters to choices.")
        if not given:
            raise ValueError("space is empty: there is nothing to choose. Leave it out to use the default space.")
        for name, choice in given.items():
            if name not in known:
                near = nearest(str(name), known)
                raise ValueError(
                    f"space has the parameter {name!r}, which the estimator does not know."
                    + (f" Did you mean {near!r}?" if near else f" It knows: {', '.join(known)}.")
                )
            if name in fixed:
                raise ValueError(f"space has {name!r}, which the search sets itself: leave it out.")
            check_choice(name, choice)
        space = cls(dict(given))
        for name, choice in given.items():
            space.check_conditions(name, choice)
        space.order()
        return space

    def check_conditions(self, name: str, choice: Any) -> None:
        """Refuse a choice that depends on a parameter outside the space, or on values that it never has there."""
        for other in needs(choice):
            if other not in self.choices:
                raise ValueError(f"{name!r} depends on {other!r}, which is not in the space: add it.")
        if not isinstance(choice, Conditional):
            return
        others = self.choices[choice.parameter]
        if is_list(others) and not any(is_choice(v) or v in choice.values for v in others):
            raise ValueError(
                f"{name!r} is drawn when {choice.parameter!r} is one of {choice.values}, but the space only has "
                f"{list(others)}, so it never is."
            )

    def order(self) -> list[str]:
        """Parameters by name, but each one after those that it depends on."""
        done: list[str] = []
        left = sorted(self.choices)
        while left:
            ready = [name for name in left if all(other in done for other in needs(self.choices[name]))]
            if not ready:
                raise ValueError(f"the conditions of {', '.join(map(repr, left))} depend on each other in a circle.")
            done.append(ready[0])
            left.remove(ready[0])
        return done

    def draw(self, source: DrawSource) -> dict[str, Any]:
        """One candidate."""
        found: dict[str, Any] = {}
        for name in self.order():
            choice = self.choices[name]
            if isinstance(choice, Conditional):
                if choice.parameter not in found or found[choice.parameter] not in choice.values:
                    continue
                choice = choice.choice
            found[name] = draw(choice, source, name, found)
        return found

    def __str__(self) -> str:
        return ", ".join(f"{name}: {choice_text(self.choices[name])}" for name in sorted(self.choices))


def is_list(choice: Any) -> bool:
    """Whether a choice lists its values."""
    return isinstance(choice, (list, tuple, np.ndarray))


def is_choice(value: Any) -> bool:
    """Whether values are drawn from it; otherwise it is a value itself."""
    return isinstance(value, (LogUniform, Layers, Instance, PerLayer)) or callable(getattr(value, "rvs", None))


def needs(choice: Any) -> Iterator[str]:
    """The parameters that must be drawn first."""
    if isinstance(choice, Conditional):
        yield choice.parameter
        yield from needs(choice.choice)
    elif isinstance(choice, PerLayer):
        yield choice.sizes
    elif is_list(choice):
        yield from (value.sizes for value in choice if isinstance(value, PerLayer))


def check_choice(name: str, choice: Any) -> None:
    """Refuse a choice from which nothing can be drawn."""
    if isinstance(choice, Conditional):
        if not is_list(choice.values) or not len(choice.values):
            raise ValueError(f"the condition for {name!r} has no values of {choice.parameter!r}: give a tuple of them.")
        if isinstance(choice.choice, Conditional):
            raise TypeError(f"{name!r} has a condition within a condition; it can depend on one parameter only.")
    if isinstance(choice, (Conditional, PerLayer)):
        check_choice(name, choice.choice)
    elif is_list(choice):
        if not len(choice):
            raise ValueError(f"space has no values for {name!r}: give at least one, or leave the parameter out.")
        if any(isinstance(value, Conditional) for value in choice):
            raise TypeError(f"space has a Conditional among the values for {name!r}; put it around the whole list.")
    elif not is_choice(choice):
        raise TypeError(
            f"space has {choice!r} for {name!r}; give a list of values, a distribution of scipy.stats, LogUniform, "
            "Layers, Instance, PerLayer or Conditional."
        )


def draw(choice: Any, source: DrawSource, name: str, found: Mapping[str, Any]) -> Any:
    """One value; numbers are Python's."""
    if is_list(choice):
        at = source.index(name, len(choice))
        value = choice[at]
        return draw(value, source, f"{name}, value {at}", found) if is_choice(value) else plain(value)
    if callable(getattr(choice, "rvs", None)):
        return plain(source.sample(name, choice))
    return choice.draw(source, name, found)


def plain(value: Any) -> Any:
    """A scalar of NumPy as one of Python."""
    return value.item() if isinstance(value, np.generic) else value


def choice_text(choice: Any) -> str:
    """A choice as a text that is the same in every process."""
    if isinstance(choice, Conditional):
        return f"Conditional({choice.parameter!r}, {setting_text(list(choice.values))}, {choice_text(choice.choice)})"
    if isinstance(choice, PerLayer):
        return f"PerLayer({choice_text(choice.choice)}, {choice.sizes!r})"
    if is_list(choice):
        return f"[{', '.join(choice_text(plain(value)) for value in choice)}]"
    if hasattr(choice, "dist") and hasattr(choice, "kwds"):
        return f"{choice.dist.name}({setting_text(choice.args)}, {setting_text(choice.kwds)})"
    return setting_text(choice)
