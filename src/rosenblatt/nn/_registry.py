"""What activations, initializers and losses have in common: a name, a few parameters, and a form that can be stored.

Goes in: names, frozen dataclasses with a class attribute ``name``, states. Comes out: texts, states, instances, or a
`ValueError` that says what is allowed. A state is JSON: ``{"name": "elu", "parameters": {"alpha": 1.0}}``. It never
imports or runs what a state says: only names in the given table are made.
"""

from __future__ import annotations

import difflib
import math
import numbers
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any

__all__ = [
    *("check_number", "describe", "from_state", "create", "did_you_mean", "not_storable", "class_hint", "to_state"),
    "unknown_name",
]


SYNONYMS = {
    **{"sigmoid": "logistic", "swish": "silu", "linear": "identity", "none": "identity", "heaviside": "step"},
    **{"mse": "squared_error", "l2": "squared_error", "mae": "absolute", "l1": "absolute", "pinball": "quantile"},
    **{"cross_entropy": "softmax_cross_entropy", "bce": "logistic_cross_entropy", "log_loss": "softmax_cross_entropy"},
    **{"xavier_normal": "glorot_normal", "xavier_uniform": "glorot_uniform", "lsuv": "data_driven"},
    **{"kaiming_normal": "he_normal", "kaiming_uniform": "he_uniform"},
}
"""What other libraries call things."""


def unknown_name(what: str, given: Any, allowed: Iterable[str], alternative: str) -> ValueError:
    """The error for a name that is not in a table; it suggests the did_you_mean one."""
    names, asked = list(allowed), given.lower() if isinstance(given, str) else ""
    near = [SYNONYMS.get(asked, "")] if SYNONYMS.get(asked) in names else difflib.get_close_matches(asked, names, 1)
    suggestion = f"did you mean {near[0]!r}? " if near else ""
    return ValueError(f"{what} is {given!r}; {suggestion}allowed: {', '.join(names)}, or {alternative}")


def did_you_mean(given: Any, allowed: Iterable[str]) -> str:
    """A question to end an error with, after a space: the name most like `given`, or how to make an instance."""
    if isinstance(given, type):
        return f" Write {class_hint(given)}, an instance, instead of the class."
    near = difflib.get_close_matches(given.lower(), list(allowed), 1) if isinstance(given, str) else []
    return f" Did you mean {near[0]!r}?" if near else ""


def not_storable(given: Any) -> ValueError:
    """The error for a user's own function that should be stored."""
    name = getattr(given, "__name__", type(given).__name__)
    return ValueError(
        f"{name} is a function of your own, which cannot be stored, as files hold no code; "
        "store what is named in the library, and give your function again after loading"
    )


def check_number(
    where: str, value: Any, low: float = -math.inf, high: float = math.inf, *, above: bool = False, below: bool = False
) -> None:
    """Refuse a parameter that is no finite number in [low, high]; `above` and `below` exclude the limits."""
    is_number = isinstance(value, numbers.Real) and not isinstance(value, bool) and math.isfinite(value)
    if is_number and low <= value <= high and not (above and value == low) and not (below and value == high):
        return
    limits = [f"{'>' if above else '>='} {low:g}"] if low > -math.inf else []
    limits += [f"{'<' if below else '<='} {high:g}"] if high < math.inf else []
    raise ValueError(f"{where} is {value!r}; it must be a finite number{' ' if limits else ''}{' and '.join(limits)}")


def class_hint(given: Any) -> str | None:
    """What to write instead of a class, where an instance is wanted: ``ELU()``; None for everything else."""
    return f"{given.__name__}()" if isinstance(given, type) else None


def describe(instance: Any) -> str:
    """The name, with the parameters that are not their defaults: "leaky_relu(alpha=0.1)"."""
    changed = []
    for field in fields(instance):
        value = getattr(instance, field.name)
        if field.default is MISSING or value != field.default:
            changed.append(f"{field.name}={describe(value) if hasattr(value, 'name') else _show(value)}")
    return f"{instance.name}({', '.join(changed)})" if changed else str(instance.name)


def _show(value: Any) -> str:
    return f"{value:g}" if isinstance(value, numbers.Real) else repr(value)


def to_state(instance: Any) -> dict[str, Any]:
    """Name and parameters of a named dataclass, ready for JSON."""
    return {"name": instance.name, "parameters": {f.name: _store(getattr(instance, f.name)) for f in fields(instance)}}


def _store(value: Any) -> Any:
    if isinstance(value, (str, bool)):
        return value
    if isinstance(value, tuple):
        return [_store(item) for item in value]
    if isinstance(value, numbers.Real):
        return float(value)
    if not is_dataclass(value):
        raise not_storable(value)
    return to_state(value)


def create(what: str, name: str, kind: Any, parameters: Mapping[str, Any]) -> Any:
    """An instance of the dataclass `kind`, or `kind` itself if it is a function; wrong parameters are named."""
    known = {f.name: f.default is MISSING for f in fields(kind)} if isinstance(kind, type) else {}
    unknown = [p for p in parameters if p not in known]
    missing = [p for p, required in known.items() if required and p not in parameters]
    if unknown:
        allowed = ", ".join(known) or "none"
        raise ValueError(f"{what} {name!r} has no parameter {', '.join(unknown)}; its parameters: {allowed}")
    if missing:
        raise ValueError(f"{what} {name!r} needs {', '.join(missing)}: write {kind.__name__}({missing[0]}=...)")
    return kind(**parameters) if isinstance(kind, type) else kind


def from_state(what: str, state: Any, kinds: Mapping[str, Any]) -> Any:
    """What `to_state` was given.

    Raises
    ------
    ValueError
        If the state has another form, or names something that is not in `kinds`.
    """
    if not isinstance(state, Mapping) or set(state) != {"name", "parameters"}:
        raise ValueError(f'the state of {what} is {state!r}; it must be {{"name": ..., "parameters": {{...}}}}')
    name, parameters = state["name"], state["parameters"]
    if not isinstance(name, str) or name not in kinds:
        raise unknown_name(f"the name in the state of {what}", name, kinds, "those of a later version of the library")
    if not isinstance(parameters, Mapping):
        raise ValueError(f"the parameters of {what} {name!r} are {parameters!r}; they must be a mapping")
    restored = {
        key: from_state(what, value, kinds) if isinstance(value, Mapping) else _tuple(value)
        for key, value in parameters.items()
    }
    return create(what, name, kinds[name], restored)


def _tuple(value: Any) -> Any:
    return tuple(map(_tuple, value)) if isinstance(value, list) else value
