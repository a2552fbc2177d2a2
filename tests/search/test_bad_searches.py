# ruff: noqa: E501 (one case per line)
"""Searches that cannot be made, and their messages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold
from sklearn.neural_network import MLPClassifier as Foreign

from rosenblatt import MLPClassifier, MLPSearchCV, TabularClassifier
from rosenblatt.nn import LeakyReLU
from rosenblatt.search import Conditional, Instance, Layers, LogUniform, PerLayer

X, Y = load_iris(return_X_y=True)


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def fit(space: Any = None, X: Any = X, y: Any = Y, **options: Any) -> MLPSearchCV:
    given: dict[str, Any] = {"n_trials": 2, "cv": 2, **options}
    estimator = given.pop("estimator", MLPClassifier(max_iter=2, random_state=0))
    return MLPSearchCV(estimator, {"alpha": [1e-4, 1e-2]} if space is None else space, **given).fit(X, y)


def raising(estimator: Any, X: Any, y: Any) -> float:
    raise RuntimeError("no score today")


def file(content: bytes) -> Path:
    Path("record").write_bytes(content)
    return Path("record")


def other() -> Path:
    fit(checkpoint="record")
    return Path("record")


Case = tuple[Callable[[], Any], type[Exception], str]
CASES: dict[str, Case] = {
    "an ensemble of networks": (lambda: fit(ensemble=3), ValueError, r"ensemble is 3, but MLPClassifier is one network: leave it out"),
    "an ensemble of none": (lambda: fit(ensemble=0), ValueError, r"'ensemble' parameter of MLPSearchCV must be an int"),
    "no split": (lambda: fit(cv=[]), ValueError, r"cv is \[\], which gives no split"),
    "a measure in the space": (lambda: fit({"metric": ["auc", "error"]}, estimator=TabularClassifier(max_iter=1), cv=5), ValueError, r"space has 'metric', which changes what a candidate's score measures"),
    "members out of range": (lambda: fit({"members": [1000]}, estimator=TabularClassifier(max_iter=1), cv=5), ValueError, r"All 2 candidates failed.*'members' parameter"),
    "empty space": (lambda: fit({}), ValueError, r"space is empty: there is nothing to choose\. Leave it out"),
    "space as list": (lambda: fit([{"alpha": [1]}]), ValueError, r"'space' parameter of MLPSearchCV must be"),
    "unknown parameter": (lambda: fit({"alhpa": [1]}), ValueError, r"has the parameter 'alhpa', which the estimator does not know\. Did you mean 'alpha'\?"),
    "quite unknown parameter": (lambda: fit({"zzzz": [1]}), ValueError, r"'zzzz'.* It knows: activation, alpha"),
    "no values": (lambda: fit({"alpha": []}), ValueError, r"no values for 'alpha': give at least one"),
    "a number as choice": (lambda: fit({"alpha": 0.1}), TypeError, r"space has 0\.1 for 'alpha'; give a list of values"),
    "a text as choice": (lambda: fit({"solver": "adam"}), TypeError, r"space has 'adam' for 'solver'"),
    "log of zero": (lambda: LogUniform(0.0, 1.0), ValueError, r"low must be above zero"),
    "bounds the wrong way": (lambda: LogUniform(1.0, 0.1), ValueError, r"high above low"),
    "infinite bound": (lambda: LogUniform(1.0, np.inf), ValueError, r"LogUniform\(1\.0, inf\)"),
    "no layers": (lambda: Layers(()), ValueError, r"counts are \(\); give positive whole numbers"),
    "negative width": (lambda: Layers((1,), (-4,)), ValueError, r"widths are \(-4,\)"),
    "condition on nothing": (lambda: fit({"momentum": Conditional("solver", ("sgd",), [0.9])}), ValueError, r"'momentum' depends on 'solver', which is not in the space"),
    "condition that never holds": (lambda: fit({"solver": ["adam"], "momentum": Conditional("solver", ("sgd",), [0.9])}), ValueError, r"drawn when 'solver' is one of \('sgd',\), but the space only has \['adam'\], so it never is"),
    "conditions in a circle": (lambda: fit({"alpha": Conditional("l1", (0,), [1]), "l1": Conditional("alpha", (1,), [0])}), ValueError, r"'alpha', 'l1' depend on each other in a circle"),
    "condition without values": (lambda: fit({"solver": ["sgd"], "momentum": Conditional("solver", (), [0.9])}), ValueError, r"condition for 'momentum' has no values of 'solver'"),
    "condition with an empty choice": (lambda: fit({"solver": ["sgd"], "momentum": Conditional("solver", ("sgd",), [])}), ValueError, r"no values for 'momentum'"),
    "layers without sizes": (lambda: fit({"dropout": PerLayer([0.0])}), ValueError, r"'dropout' depends on 'hidden_layer_sizes', which is not in the space"),
    "no values for a layer": (lambda: fit({"dropout": PerLayer([])}), ValueError, r"no values for 'dropout'"),
    "a condition among values": (lambda: fit({"solver": ["sgd"], "momentum": [Conditional("solver", ("sgd",), [0.9])]}), TypeError, r"a Conditional among the values for 'momentum'; put it around"),
    "a condition in a condition": (lambda: fit({"solver": ["sgd"], "momentum": Conditional("solver", ("sgd",), Conditional("solver", ("sgd",), [1]))}), TypeError, r"'momentum' has a condition within a condition"),
    "made by a number": (lambda: Instance(3), TypeError, r"Instance\(3\): give a class or a function"),
    "made of nothing": (lambda: Instance(LeakyReLU, alpha=[]), ValueError, r"no values for 'LeakyReLU, alpha'"),
    "made with an unknown argument": (lambda: fit({"activation": [Instance(LeakyReLU, beta=[1.0])]}), ValueError, r"All 2 candidates failed\. .*TypeError: .*LeakyReLU has no parameter .beta."),
    "epochs in the space": (lambda: fit({"max_iter": [3, 5]}), ValueError, r"space has 'max_iter', which the search sets itself"),
    "an estimator with checkpoints": (lambda: fit(estimator=MLPClassifier(checkpoint="here")), ValueError, r"the estimator has checkpoint='here', which candidates cannot share"),
    "an estimator that continues": (lambda: fit(estimator=MLPClassifier(warm_start=True)), ValueError, r"warm_start=True, which candidates cannot share"),
    "folds of the search and the estimator": (lambda: fit({"dropout": [0.1]}, estimator=TabularClassifier(cv=3), cv=KFold(3)), ValueError, r"both the search and the estimator have cv: leave one of them out"),
    "folds to search": (lambda: fit({"cv": [2, 3]}, estimator=TabularClassifier()), ValueError, r"cv"),
    "an unknown backend": (lambda: fit(backend="threading"), ValueError, r"'backend' parameter of MLPSearchCV"),
    "a number as record": (lambda: fit(checkpoint=3), ValueError, r"'checkpoint' parameter of MLPSearchCV"),
    "a record with entries of something else": (lambda: fit(checkpoint=file(b'{"format": "rosenblatt search", "digest": "x"}\n{"b": 1}\n')), ValueError, r"record, line 1: this version of rosenblatt does not read it"),
    "no trials": (lambda: fit(n_trials=0), ValueError, r"'n_trials' parameter of MLPSearchCV must be an int in the range \[1, inf\)"),
    "no time": (lambda: fit(time_budget=0.0), ValueError, r"'time_budget' parameter of MLPSearchCV"),
    "negative time": (lambda: fit(time_budget=-5), ValueError, r"'time_budget' parameter of MLPSearchCV"),
    "no epochs": (lambda: fit(max_epochs=0), ValueError, r"'max_epochs' parameter of MLPSearchCV"),
    "no epochs at first": (lambda: fit(min_epochs=0), ValueError, r"'min_epochs' parameter of MLPSearchCV"),
    "no threads": (lambda: fit(n_jobs=0), ValueError, r"'n_jobs' parameter of MLPSearchCV"),
    "unknown strategy": (lambda: fit(strategy="grid"), ValueError, r"'strategy' parameter of MLPSearchCV must be a str among"),
    "unknown scorer": (lambda: fit(scoring="acuracy"), ValueError, r"'scoring'|acuracy"),
    "a scorer that raises": (lambda: fit(scoring=raising), ValueError, r"All 2 candidates failed\. .*RuntimeError: no score today"),
    "a scorer that gives NaN": (lambda: fit(scoring=lambda e, X, y: float("nan")), ValueError, r"All 2 candidates failed\. .*the score is nan"),
    "invalid values": (lambda: fit({"alpha": [-1.0]}), ValueError, r"All 2 candidates failed\. alpha=-1: InvalidParameterError: The 'alpha' parameter"),
    "one fold": (lambda: fit(cv=1), ValueError, r"n_splits|at least one train/test split"),
    "more folds than rows of a class": (lambda: fit(cv=60), ValueError, r"n_splits=60"),
    "another estimator": (lambda: fit(estimator=Ridge()), TypeError, r"estimator is a Ridge; MLPSearchCV takes MLPClassifier"),
    "scikit-learn's network": (lambda: fit(estimator=Foreign()), TypeError, r"MLPSearchCV takes MLPClassifier, .* of rosenblatt\."),
    "the class itself": (lambda: fit(estimator=MLPClassifier), ValueError, r"'estimator' parameter of MLPSearchCV"),
    "rows do not fit": (lambda: fit(y=Y[:-1]), ValueError, r"inconsistent numbers of samples"),
    "no target": (lambda: fit(y=None), ValueError, r"requires y to be passed"),
    "NaN": (lambda: fit(X=np.where(X > 7, np.nan, X)), ValueError, r"^X contains NaN in row \d+, column \d"),
    "a record of another search": (lambda: fit(checkpoint=other(), random_state=3), ValueError, r"record belongs to another search: data, space"),
    "a record of other data": (lambda: fit(X=X + 1, checkpoint=other()), ValueError, r"record belongs to another search"),
    "another file as record": (lambda: fit(checkpoint=file(b"a,b\n1,2\n")), ValueError, r"record is not a record of a search; choose another name"),
    "JSON of something else": (lambda: fit(checkpoint=file(b'{"a": 1}\n')), ValueError, r"not a record of a search"),
    "a record in no folder": (lambda: fit(checkpoint="no/record"), FileNotFoundError, r"there is no such folder: .*no"),
    "predicting before fitting": (lambda: MLPSearchCV().predict(X), NotFittedError, r"not fitted"),
    "predicting without refit": (lambda: fit(refit=False).predict(X), NotFittedError, r"not fitted"),
}  # fmt: skip


@pytest.mark.parametrize(("run_trial", "error", "message"), CASES.values(), ids=CASES)
def test_bad_search(run_trial: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"(?s){message}"):
        run_trial()


def test_what_is_recorded_survives_a_refusal() -> None:
    fit(checkpoint="record")
    before = Path("record").read_bytes()
    with pytest.raises(ValueError, match="another search"):
        fit(checkpoint="record", random_state=1)
    assert Path("record").read_bytes() == before
