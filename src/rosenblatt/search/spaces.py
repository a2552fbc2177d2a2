"""What a search may choose from.

Goes in: a dictionary from parameters to lists, distributions of `scipy.stats` (anything with ``rvs``) or the ones here.
Comes out: candidates, the same for the same seed. It knows no estimator but in `default_space`.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Layers", "LogUniform", "Space", "When", "default_space"]


@dataclass(frozen=True)
class LogUniform:
    """Numbers whose logarithm is uniform.

    Parameters
    ----------
    low, high : float
        Above zero.
    integer : bool
        Rounded to whole numbers.
    """

    low: float
    high: float
    integer: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.low < self.high < np.inf:
            raise ValueError(f"LogUniform({self.low}, {self.high}): low must be above zero and high above low.")

    def draw(self, rng: np.random.Generator) -> Any:
        """One number."""
        value = float(np.exp(rng.uniform(np.log(self.low), np.log(self.high))))
        return max(1, round(value)) if self.integer else value


@dataclass(frozen=True)
class Layers:
    """Sizes of hidden layers, for ``hidden_layer_sizes``: how many, and one of `widths` for the first.

    Parameters
    ----------
    counts, widths : tuple of int
    narrowing : bool
        Whether each layer may be half as wide as the one before.
    """

    counts: tuple[int, ...] = (1, 2, 3)
    widths: tuple[int, ...] = (16, 32, 64, 128, 256)
    narrowing: bool = True

    def __post_init__(self) -> None:
        for name in ("counts", "widths"):
            values = getattr(self, name)
            if not values or any(not isinstance(v, int) or v < 1 for v in values):
                raise ValueError(f"Layers: {name} are {values!r}; give positive whole numbers, such as (1, 2).")

    def draw(self, rng: np.random.Generator) -> tuple[int, ...]:
        """One architecture."""
        count, width = int(rng.choice(self.counts)), int(rng.choice(self.widths))
        halve = self.narrowing and bool(rng.random() < 0.5)
        return tuple(max(1, width >> (i if halve else 0)) for i in range(count))


@dataclass(frozen=True)
class When:
    """A parameter that is drawn only if another one has certain values; else it keeps the estimator's own.

    Parameters
    ----------
    parameter : str
        The other one, which the space must hold.
    values : tuple
    choice : list or distribution
        What is drawn from then.
    """

    parameter: str
    values: tuple[Any, ...]
    choice: Any


@dataclass(frozen=True)
class Space:
    """Checked choices.

    Parameters
    ----------
    choices : mapping of str to list, distribution, `LogUniform`, `Layers` or `When`
    """

    choices: Mapping[str, Any]

    @classmethod
    def of(cls, given: Any, known: Sequence[str]) -> Space:
        """A space whose parameters are among `known`.

        Raises
        ------
        ValueError, TypeError
            Names the parameter, and what is allowed.
        """
        if not isinstance(given, Mapping):
            raise TypeError(f"space is a {type(given).__name__}; it must be a dictionary from parameters to choices.")
        if not given:
            raise ValueError("space is empty: there is nothing to choose. Leave it out for the default space.")
        for name, choice in given.items():
            if name not in known:
                near = difflib.get_close_matches(str(name), known, n=1)
                raise ValueError(
                    f"space has the parameter {name!r}, which the estimator does not know."
                    + (f" Did you mean {near[0]!r}?" if near else f" It knows: {', '.join(known)}.")
                )
            check_choice(name, choice)
        space = cls(dict(given))
        for name, choice in given.items():
            if isinstance(choice, When):
                space._check_condition(name, choice)
        space.order()
        return space

    def _check_condition(self, name: str, choice: When) -> None:
        """A condition must be on a parameter of the space that can have one of the values."""
        if choice.parameter not in self.choices:
            raise ValueError(f"{name!r} depends on {choice.parameter!r}, which is not in the space. Put it there.")
        other = self.choices[choice.parameter]
        if is_list(other) and not any(value in choice.values for value in other):
            raise ValueError(
                f"{name!r} is drawn when {choice.parameter!r} is one of {choice.values}, but the space only has "
                f"{list(other)}: it never is."
            )

    def order(self) -> list[str]:
        """Parameters by name, those that depend on others after them."""
        done: list[str] = []
        left = sorted(self.choices)
        while left:
            ready = [n for n in left if not isinstance(c := self.choices[n], When) or c.parameter in done]
            if not ready:
                raise ValueError(f"the conditions of {', '.join(map(repr, left))} depend on each other in a circle.")
            done.append(ready[0])
            left.remove(ready[0])
        return done

    def draw(self, rng: np.random.Generator) -> dict[str, Any]:
        """One candidate."""
        found: dict[str, Any] = {}
        for name in self.order():
            choice = self.choices[name]
            if isinstance(choice, When):
                if found.get(choice.parameter) not in choice.values:
                    continue
                choice = choice.choice
            found[name] = draw(choice, rng)
        return found


def is_list(choice: Any) -> bool:
    """Whether a choice names its values."""
    return isinstance(choice, (list, tuple, np.ndarray))


def check_choice(name: str, choice: Any) -> None:
    """Refuse what nothing can be drawn from."""
    if isinstance(choice, When):
        if not is_list(choice.values) or not len(choice.values):
            raise ValueError(f"the condition of {name!r} has no values of {choice.parameter!r}: give a tuple of them.")
        check_choice(name, choice.choice)
    elif is_list(choice):
        if not len(choice):
            raise ValueError(f"space has no values for {name!r}: give at least one, or leave the parameter out.")
    elif not hasattr(choice, "draw") and not callable(getattr(choice, "rvs", None)):
        raise TypeError(
            f"space has {choice!r} for {name!r}; give a list of values, a distribution of scipy.stats, LogUniform, "
            "Layers or When."
        )


def draw(choice: Any, rng: np.random.Generator) -> Any:
    """One value, as a plain Python object where it is a number."""
    if is_list(choice):
        return plain(choice[int(rng.integers(len(choice)))])
    if hasattr(choice, "draw"):
        return choice.draw(rng)
    return plain(choice.rvs(random_state=np.random.RandomState(int(rng.integers(2**32)))))


def plain(value: Any) -> Any:
    """NumPy's scalars as Python's."""
    return value.item() if isinstance(value, np.generic) else value


def default_space(estimator: Any) -> dict[str, Any]:
    """What is searched when nothing is said: every hyperparameter of a network that matters.

    Parameters
    ----------
    estimator : MLPClassifier, MLPRegressor, TabularClassifier or TabularRegressor
    """
    if type(estimator).__name__.startswith("Tabular"):
        widths = [(128, 128, 128), (256, 256, 256), (64, 64, 64), (256, 256), (512,)]
        peak = 0.12 if type(estimator).__name__ == "TabularClassifier" else 0.4
        return {
            "hidden": widths,
            "learning_rate": LogUniform(peak / 4, peak * 2),
            "dropout": [0.0, 0.05, 0.1, 0.15, 0.3],
            "weight_decay": LogUniform(0.002, 0.1),
            "batch_size": [64, 128, 256],
        }
    return {
        "hidden_layer_sizes": Layers(),
        "activation": ["relu", "tanh", "selu", "elu", "silu", "mish"],
        "weight_init": When("activation", ("relu", "elu", "silu", "mish"), [None, "he_normal"]),
        "solver": ["adam", "nadam", "sgd"],
        "momentum": When("solver", ("sgd",), [0.8, 0.9, 0.95]),
        "learning_rate_init": LogUniform(3e-4, 3e-2),
        "learning_rate": ["constant", "one_cycle"],
        "batch_size": [32, 64, 128],
        "alpha": LogUniform(1e-6, 1e-1),
        "l1": [0.0, 0.0, 1e-5, 1e-4],
        "max_norm": [0.0, 0.0, 2.0, 4.0],
        "dropout": [0.0, 0.0, 0.1, 0.2, 0.4],
        "clip_norm": [0.0, 1.0],
    }
