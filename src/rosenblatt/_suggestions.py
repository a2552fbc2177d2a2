"""Suggestions for names that do not exist: the nearest one, and all that are allowed.

Takes a name that a user wrote and the known ones. Returns the end of an error message, or a callable that ends its own.
Never changes what a call with known names does.
"""

from __future__ import annotations

import difflib
import functools
import inspect
import os
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

__all__ = [
    "NETWORKS_PAGE",
    *(
        "article",
        "closest",
        "join_names",
        "missing_file",
        "model_hint",
        "nearest",
        "own_name",
        "suggest_in_methods",
        "suggest_keywords",
    ),
    "suggestion",
    "unknown_parameter",
]

T = TypeVar("T", bound=Callable[..., Any])
C = TypeVar("C", bound=type)
MAX_NAMES_SHOWN = 20
NETWORKS_PAGE = "the page 'Building networks' of the documentation"
"""Where layers, functions and ops are described."""
UNEXPECTED = re.compile(r"got an unexpected keyword argument '(\w+)'")
SYNONYMS = (
    *({"epochs", "epoch", "max_iter", "n_epochs", "max_epochs"}, {"seed", "random_state", "random_seed"}),
    *({"hidden", "hidden_layer_sizes", "hidden_sizes", "layers"}, {"batch_size", "batch", "minibatch_size"}),
    *({"learning_rate", "learning_rate_init", "lr", "eta0", "eta"}, {"solver", "optimizer"}, {"scoring", "scorer"}),
    *({"validation", "validation_data", "X_val", "eval_set", "X_valid"}, {"alpha", "l2", "weight_decay"}),
    *({"patience", "n_iter_no_change"}, {"n_jobs", "n_threads", "threads"}, {"units", "n_units", "out_features"}),
    *({"mul", "multiply", "times"}, {"sub", "subtract", "minus"}, {"div", "divide"}, {"logistic", "sigmoid"}),
    *({"power", "pow"}, {"concat", "concatenate", "cat"}, {"greater", "gt"}, {"less", "lt"}, {"max", "amax"}),
    *({"min", "amin", "minimum"}, {"abs", "absolute", "fabs"}, {"maximum", "fmax"}, {"transpose", "swapaxes"}),
    *({"n_trials", "n_iter", "n_candidates"}, {"space", "param_distributions", "param_grid"}, {"rate", "p"}),
    *({"time", "date", "dates", "timestamp"}, {"groups", "group", "group_id"}),
)
"""Names of the same thing here and in other libraries."""


def article(name: str) -> str:
    """A name of a class behind "a" or "an"."""
    return f"{'an' if name[:1] in 'AEIO' or name.startswith('MLP') else 'a'} {name}"


def closest(name: str, names: Iterable[str], cutoff: float = 0.6) -> list[str]:
    """The names that look most like `name`; several where they are equally close, none beyond `cutoff`."""
    scores = {known: difflib.SequenceMatcher(None, known, name).ratio() for known in names}
    best = max(scores.values(), default=0.0)
    return sorted(known for known, score in scores.items() if score == best >= cutoff)


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The known name that looks most like `name`, whatever the case, or means the same; None if there is none."""
    folded = {candidate.casefold(): candidate for candidate in names}
    near = closest(name.casefold(), folded)
    alike = [word for group in SYNONYMS if name.casefold() in group for word in group if word.casefold() in folded]
    found = alike or near[-1:]
    return folded[found[0].casefold()] if found else None


def suggestion(name: str, names: Iterable[str], what: str = "columns") -> str:
    """The nearest of `names` and all of them, as the end of an error message."""
    known = list(names)
    near = nearest(name, known)
    question = f" Did you mean {near!r}?" if near else ""
    return f"{question} The {what} are: {join_names(known)}."


def own_name(model: Any) -> str:
    """The name of an object's class, if that is one of the library; "" for a subclass, which may predict otherwise."""
    return type(model).__name__ if type(model).__module__.startswith("rosenblatt.") else ""


def model_hint(given: Any) -> str:
    """What to do with an object that is no model, as the end of an error message; "" where nobody knows."""
    if isinstance(given, type):
        return f". {given.__name__} is a class; give a fitted instance of it"
    if isinstance(given, (str, bytes, os.PathLike)):
        return ". A model in a file is read by rosenblatt.load"
    if type(given).__module__ == "rosenblatt.persistence.predictors":
        return ". It only predicts; rosenblatt.load reads the model itself"
    if hasattr(given, "best_estimator_"):
        return ". Give its best_estimator_"
    parents = [cls.__name__ for cls in type(given).__mro__ if cls.__module__.startswith("rosenblatt.")]
    if not parents or own_name(given):
        return ""
    return f". It is a subclass, which may predict otherwise; give {article(parents[0])}"


def missing_file(path: Path) -> str:
    """The error message for a file that is not there, with where a link leads, or the nearest name in its folder."""
    if path.is_symlink():
        return f"{path} is a link to {os.readlink(path)}, which is not there."
    names = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
    near = closest(path.name, names)
    return f"there is no file {path}.{f' Did you mean {near[-1]}?' if near else ''}"


def join_names(names: Sequence[str]) -> str:
    """Names separated by commas; a long list is cut, and the rest is counted."""
    shown = ", ".join(repr(name) for name in names[:MAX_NAMES_SHOWN])
    rest = len(names) - MAX_NAMES_SHOWN
    return f"{shown} and {rest} more" if rest > 0 else shown or "(none)"


def unknown_parameter(owner: str, name: str, known: Iterable[str]) -> str:
    """The error message for a keyword that `owner` does not know."""
    return f"{owner} has no parameter {name!r}.{suggestion(name, known, 'parameters')}"


def suggest_keywords(target: T) -> T:
    """A decorator of a function or class: for an unknown keyword, the `TypeError` ends with the nearest known one."""
    is_class = isinstance(target, type)
    function: Any = target.__init__ if is_class else target

    @functools.wraps(function)
    def call(*args: Any, **parameters: Any) -> Any:
        try:
            return function(*args, **parameters)
        except TypeError as error:
            found = UNEXPECTED.search(str(error))
            known = (
                [name for name in inspect.signature(function).parameters if name not in ("self", "network")]
                if found
                else []
            )
            if found is None or found[1] not in parameters or found[1] in known:
                raise
            method = function.__name__.replace("__init__", "")
            owner = ".".join(filter(None, (type(args[0]).__name__, method))) if "." in function.__qualname__ else method
            raise TypeError(unknown_parameter(owner, found[1], known)) from None

    if is_class:
        setattr(target, "__init__", call)  # noqa: B010 (the type checker allows no assignment)
        return target
    return call  # type: ignore[return-value]


def suggest_in_methods(cls: C) -> C:
    """A decorator of a class: `suggest_keywords` for the public methods that it defines itself.

    Methods of one parameter, such as ``predict(X)``, are left alone: it is rarely named, and calls should be quick.
    """
    for name, method in [*vars(cls).items()]:
        if inspect.isfunction(method) and not name.startswith("_") and len(inspect.signature(method).parameters) > 2:
            setattr(cls, name, suggest_keywords(method))
    return cls
