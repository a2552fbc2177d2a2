"""Neural networks for tables, at the speed of the processor.

Importing the package loads NumPy and the native core only. The public names below are imported on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rosenblatt._lazy import lazy_names
from rosenblatt._version import __version__

if TYPE_CHECKING:
    from rosenblatt.diagnosis import Diagnosis, diagnose, remedy
    from rosenblatt.estimators import (
        LogisticRegression,
        MLPClassifier,
        MLPRegressor,
        Perceptron,
        TabularClassifier,
        TabularRegressor,
        learn,
    )
    from rosenblatt.ir.program import Builder
    from rosenblatt.nn import Network, NetworkSpec
    from rosenblatt.persistence.save_load import load, save
    from rosenblatt.search import MLPSearchCV
    from rosenblatt.threads import engine_info, get_num_threads, set_num_threads

_HOMES = {
    **dict.fromkeys(("logic", "nn", "plots", "search", "training"), ""),
    "Builder": "ir.program",
    "Diagnosis": "diagnosis",
    "diagnose": "diagnosis",
    "remedy": "diagnosis",
    "LogisticRegression": "estimators",
    "MLPClassifier": "estimators",
    "MLPRegressor": "estimators",
    "MLPSearchCV": "search",
    "Network": "nn",
    "NetworkSpec": "nn",
    "Perceptron": "estimators",
    "TabularClassifier": "estimators",
    "TabularRegressor": "estimators",
    "engine_info": "threads",
    "get_num_threads": "threads",
    "learn": "estimators",
    "load": "persistence.save_load",
    "save": "persistence.save_load",
    "set_num_threads": "threads",
}

__all__ = [  # noqa: RUF022 (the version last)
    "Builder",
    "Diagnosis",
    "LogisticRegression",
    "MLPClassifier",
    "MLPRegressor",
    "MLPSearchCV",
    "Network",
    "NetworkSpec",
    "Perceptron",
    "TabularClassifier",
    "TabularRegressor",
    "diagnose",
    "engine_info",
    "get_num_threads",
    "learn",
    "load",
    "logic",
    "nn",
    "plots",
    "remedy",
    "save",
    "search",
    "set_num_threads",
    "training",
    "__version__",
]


__getattr__ = lazy_names(__name__, _HOMES)


def __dir__() -> list[str]:
    return sorted(__all__)
