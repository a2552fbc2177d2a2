"""Neural networks for tables, at the speed of the processor.

Importing the package loads NumPy and the native core only. The public names below are imported on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from rosenblatt._launch import is_launched
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
    from rosenblatt.persistence.pipelines import VersionWarning
    from rosenblatt.persistence.save_load import ModelFileError, load, load_predictor, save
    from rosenblatt.playground_page import Playground, playground
    from rosenblatt.report import Report
    from rosenblatt.search import MLPSearchCV
    from rosenblatt.tables import TabularTask
    from rosenblatt.threads import engine_info, get_num_threads, set_num_threads

__all__ = [  # noqa: RUF022 (the version last)
    "Builder",
    "Diagnosis",
    "LogisticRegression",
    "MLPClassifier",
    "MLPRegressor",
    "MLPSearchCV",
    "ModelFileError",
    "Network",
    "NetworkSpec",
    "Perceptron",
    "Playground",
    "Report",
    "TabularClassifier",
    "TabularRegressor",
    "TabularTask",
    "VersionWarning",
    "diagnose",
    "distributed",
    "engine_info",
    "get_num_threads",
    "learn",
    "load",
    "load_predictor",
    "logic",
    "nn",
    "playground",
    "plots",
    "remedy",
    "report",
    "save",
    "search",
    "set_num_threads",
    "training",
    "__version__",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "": ("distributed", "logic", "nn", "plots", "report", "search", "training"),
        "diagnosis": ("Diagnosis", "diagnose", "remedy"),
        "estimators": (
            *("LogisticRegression", "MLPClassifier", "MLPRegressor", "Perceptron"),
            *("TabularClassifier", "TabularRegressor", "learn"),
        ),
        "ir.program": ("Builder",),
        "nn": ("Network", "NetworkSpec"),
        "persistence.pipelines": ("VersionWarning",),
        "persistence.save_load": ("ModelFileError", "load", "load_predictor", "save"),
        "playground_page": ("Playground", "playground"),
        "report": ("Report",),
        "search": ("MLPSearchCV",),
        "tables": ("TabularTask",),
        "threads": ("engine_info", "get_num_threads", "set_num_threads"),
    },
)

if is_launched():  # a rank may end at any moment from now on
    import_module("rosenblatt.distributed.endings").watch()
