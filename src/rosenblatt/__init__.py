"""Neural networks for tables, at the speed of the processor.

Importing the package loads NumPy and the native core only; the public names below are resolved on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rosenblatt.estimators import LogisticRegression, MLPClassifier, MLPRegressor, Perceptron
    from rosenblatt.files import load, save
    from rosenblatt.ir.program import Builder
    from rosenblatt.nn import Network, NetworkSpec
    from rosenblatt.threads import engine_info, get_num_threads, set_num_threads

__version__ = "0.1.0"

_HOMES = {
    "Builder": "rosenblatt.ir.program",
    "LogisticRegression": "rosenblatt.estimators",
    "MLPClassifier": "rosenblatt.estimators",
    "MLPRegressor": "rosenblatt.estimators",
    "Network": "rosenblatt.nn",
    "NetworkSpec": "rosenblatt.nn",
    "Perceptron": "rosenblatt.estimators",
    "engine_info": "rosenblatt.threads",
    "get_num_threads": "rosenblatt.threads",
    "load": "rosenblatt.files",
    "save": "rosenblatt.files",
    "set_num_threads": "rosenblatt.threads",
}

__all__ = [  # noqa: RUF022 (the version last)
    "Builder",
    "LogisticRegression",
    "MLPClassifier",
    "MLPRegressor",
    "Network",
    "NetworkSpec",
    "Perceptron",
    "engine_info",
    "get_num_threads",
    "load",
    "logic",
    "nn",
    "plots",
    "save",
    "set_num_threads",
    "training",
    "__version__",
]


_MODULES = ("logic", "nn", "plots", "training")


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"rosenblatt.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'rosenblatt' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
