"""Families of named things: activations, initializers, losses, optimizers, schedules, layers.

Takes the modules that hold a family. Returns its `Registry`: members by name, their states as JSON, such as
``{"name": "elu", "parameters": {"alpha": 1.0}}``, and a `ValueError` that says what is allowed. Never imports or runs
what a state says: only what the registry holds is made.
"""

from __future__ import annotations

import numbers
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from types import ModuleType
from typing import Any, Generic, TypeVar

import numpy as np

from rosenblatt._suggestions import NETWORKS_PAGE, closest, suggest_keywords

__all__ = ["Registry", "members_of", "name_of"]

T = TypeVar("T")

SYNONYMS = {
    **{"sigmoid": "logistic", "swish": "silu", "linear": "identity", "none": "identity", "heaviside": "step"},
    **{"mse": "squared_error", "l2": "squared_error", "mae": "absolute", "l1": "absolute", "pinball": "quantile"},
    **{"cross_entropy": "softmax_cross_entropy", "bce": "logistic_cross_entropy", "log_loss": "softmax_cross_entropy"},
    **{"xavier_normal": "glorot_normal", "xavier_uniform": "glorot_uniform", "lsuv": "data_driven"},
    **{"kaiming_normal": "he_normal", "kaiming_uniform": "he_uniform"},
}
"""What other libraries call things."""


def members_of(base: type | None, *modules: ModuleType) -> dict[str, Any]:
    """The classes below `base` that the modules define under public names; None: all their classes and functions.

    The name of a member is its attribute `name`, else what Python calls it. Order is that of the files. Constructors
    answer an unknown keyword with the nearest one from then on.
    """
    members = {
        getattr(member, "name", None) or member.__name__: member
        for module in modules
        for public, member in vars(module).items()
        if not public.startswith("_")
        and getattr(member, "__module__", None) == module.__name__
        and (callable(member) if base is None else isinstance(member, type) and issubclass(member, base))
        and member is not base
    }
    for member in members.values():
        if isinstance(member, type) and "__init__" in vars(member):
            suggest_keywords(member)
    return members


class Registry(Mapping[str, Any], Generic[T]):
    """A family by name: a mapping of names to dataclasses (or functions, which are their own only instance).

    Messages call a member `kind`, and name the `alternative` that `resolve` also takes: `adapt` turns it into an
    instance, and anything else into None.
    """

    def __init__(
        self,
        kind: str,
        members: Mapping[str, Any],
        alternative: str = "an instance",
        adapt: Callable[[Any], T | None] = lambda given: None,
    ) -> None:
        self.kind, self.alternative, self._members, self._adapt = kind, alternative, dict(members), adapt
        self._defaults: dict[str, T] = {}  # members with their defaults, which never change

    def __getitem__(self, name: str) -> Any:
        return self._members[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    def select(self, *names: str) -> Registry[T]:
        """The part of the family with these names."""
        return Registry(self.kind, {name: self[name] for name in names}, self.alternative, self._adapt)

    def resolve(self, given: Any, also: Sequence[str] = ()) -> T:
        """The member that `given` names, with its defaults, or is; otherwise a ValueError suggests the closest names.

        `also` are other names that the caller allows; the message lists them, too.
        """
        if isinstance(given, str) and given in self._members:
            if given not in self._defaults:
                self._defaults[given] = self.create(given)
            return self._defaults[given]
        if isinstance(given, type):
            name = given.__name__
            raise ValueError(f"{self.kind} is the class {name}; give an instance of it, such as {name}()")
        made = None if isinstance(given, str) else self._adapt(given)
        if made is None:
            raise self._unknown(self.kind, given, self.alternative, also)
        return made

    def create(self, name: str, **parameters: Any) -> T:
        """The member called `name`; a ValueError if there is none, or a parameter is missing, unknown or invalid."""
        if name not in self:
            raise self._unknown(self.kind, name, self.alternative)
        member: Any = self[name]
        known = {f.name: f for f in fields(member)} if isinstance(member, type) else {}
        if unknown := [p for p in parameters if p not in known]:
            allowed = ", ".join(known) or "none"
            raise ValueError(f"{self.kind} {name!r} has no parameter {', '.join(unknown)}; its parameters: {allowed}")
        required = [p for p, f in known.items() if f.default is MISSING and f.default_factory is MISSING]
        if missing := [p for p in required if p not in parameters]:
            hint = f"{member.__name__}({missing[0]}=...)"
            raise ValueError(f"{self.kind} {name!r} needs {', '.join(missing)}: write {hint}")
        made: T = member(**parameters) if isinstance(member, type) else member
        return made

    def to_state(self, given: Any) -> dict[str, Any]:
        """Name and parameters of a member, ready for JSON; a ValueError for a user's own, as files hold no code."""
        instance: Any = self.resolve(given) if isinstance(given, str) else getattr(given, "function", given)
        for name, member in self.items():
            if member is instance:
                return {"name": name, "parameters": {}}
            if member is type(instance):
                parameters = {f.name: self._stored(getattr(instance, f.name)) for f in fields(member)}
                return {"name": name, "parameters": parameters}
        raise ValueError(
            f"{getattr(instance, '__name__', type(instance).__name__)} is a function of your own, which cannot be "
            "stored, as files hold no code; store what is named in the library, and give your function again after "
            "loading"
        )

    def _stored(self, value: Any) -> Any:
        if isinstance(value, np.generic):
            value = value.item()
        if isinstance(value, (str, bool, int, float)):
            return value
        return [self._stored(item) for item in value] if isinstance(value, tuple) else self.to_state(value)

    def from_state(self, state: Any) -> T:
        """What `to_state` was given; a ValueError if the state has another form or names something unknown."""
        what = f"{'an' if self.kind[0] in 'aeiou' else 'a'} {self.kind}"
        if not isinstance(state, Mapping) or set(state) != {"name", "parameters"}:
            raise ValueError(f'the state of {what} is {state!r}; it must be {{"name": ..., "parameters": {{...}}}}')
        name, parameters = state["name"], state["parameters"]
        if not isinstance(name, str) or name not in self:
            raise self._unknown(f"the name in the state of {what}", name, "those of a later version of the library")
        if not isinstance(parameters, Mapping):
            raise ValueError(f"the parameters of {what} {name!r} are {parameters!r}; they must be a mapping")
        return self.create(name, **{key: self._restored(value) for key, value in parameters.items()})

    def _restored(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return self.from_state(value)
        return tuple(map(self._restored, value)) if isinstance(value, list) else value

    def _unknown(self, what: str, given: Any, alternative: str, also: Sequence[str] = ()) -> ValueError:
        asked, names = given.lower() if isinstance(given, str) else "", [*self, *also]
        near = [s for s in [SYNONYMS.get(asked)] if s in self] or closest(asked, names)
        near = near or [name for name in names if asked and name.startswith(f"{asked}_")]
        suggestion = f"did you mean {' or '.join(map(repr, near))}? " if near else ""
        allowed = f"{', '.join(names)}, or {alternative}"
        return ValueError(f"{what} is {given!r}; {suggestion}allowed: {allowed} (see {NETWORKS_PAGE})")


def name_of(given: Any) -> str:
    """A name for summaries and messages: "relu", "leaky_relu(alpha=0.1)", where parameters are not their defaults."""
    if isinstance(given, str):
        return given
    if not is_dataclass(given) or "name" not in vars(type(given)):
        return getattr(given, "__name__", type(given).__name__)
    values = {f.name: (getattr(given, f.name), f.default) for f in fields(given)}
    changed = [f"{name}={_shown(value)}" for name, (value, default) in values.items() if value != default]
    name = str(vars(type(given))["name"])
    return f"{name}({', '.join(changed)})" if changed else name


def _shown(value: Any) -> str:
    if isinstance(value, numbers.Real):
        return f"{value:g}"
    return name_of(value) if is_dataclass(value) else repr(value)
