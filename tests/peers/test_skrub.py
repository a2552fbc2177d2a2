"""skrub's pipelines take the estimators, and its reports what they read and give."""

from __future__ import annotations

import pytest

skrub = pytest.importorskip("skrub", reason="skrub is not installed")

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import polars as pl  # noqa: E402
from sklearn.base import is_classifier  # noqa: E402

import rosenblatt  # noqa: E402
from rosenblatt import (  # noqa: E402
    LogisticRegression,
    MLPClassifier,
    MLPRegressor,
    MLPSearchCV,
    Perceptron,
    TabularClassifier,
    TabularRegressor,
)
from rosenblatt.tables.task import TabularTask  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")  # those of other libraries

SMALL = {"members": 2, "max_iter": 3, "random_state": 0}
SEARCH = MLPSearchCV(MLPClassifier(max_iter=3), {"alpha": [1e-4, 1e-2]}, n_trials=2, cv=2, n_jobs=1)
MODELS = [
    TabularClassifier("fast", **SMALL),
    TabularRegressor("fast", **SMALL),
    MLPClassifier((8,), max_iter=5, random_state=0),
    MLPRegressor(hidden_layer_sizes=(8,), max_iter=5, random_state=0),
    LogisticRegression(),
    Perceptron(),
    SEARCH,
]
N = 120
RNG = np.random.default_rng(0)
TABLE = pd.DataFrame(
    {
        "size": RNG.normal(size=N),
        "town": RNG.choice(["Bern", "Chur", "<b>Zug</b>"], N),
        "day": pd.date_range("2024-01-01", periods=N),
        "written": pd.date_range("2024-01-01", periods=N).astype(str),
        "grade": pd.Categorical(RNG.choice(list("abc"), N)),
        "note": [f"word{i} and others {i % 7}" for i in range(N)],
        "flag": RNG.integers(0, 2, N).astype(bool),
        "hole": np.where(RNG.random(N) < 0.2, np.nan, RNG.normal(size=N)),
        "gap": [None if i % 3 == 0 else "x" for i in range(N)],
    }
)
BOUGHT = pd.Series(np.where(TABLE["size"] + TABLE["flag"] > 0.4, "yes", "no"), name="bought")
PRICE = (TABLE["size"] * 2 + TABLE["flag"]).rename("price")
FRAMES = {"pandas": lambda frame: frame, "polars": pl.from_pandas}


@pytest.mark.parametrize("backend", FRAMES)
@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_a_tabular_pipeline_ends_with_the_estimator(model, backend) -> None:
    X, y = FRAMES[backend](TABLE), FRAMES[backend](BOUGHT if is_classifier(model) else PRICE)
    pipeline = skrub.tabular_pipeline(model).fit(X, y)
    assert len(pipeline.predict(X)) == N
    assert np.isfinite(pipeline.score(X, y))
    html = pipeline._repr_html_()
    assert "TableVectorizer" in html
    assert type(model).__name__ in html


def test_data_ops_end_with_a_tabular_estimator() -> None:
    plan = skrub.X(TABLE).skb.apply(TabularClassifier("fast", **SMALL), y=skrub.y(BOUGHT))
    learner = plan.skb.make_learner(fitted=True)
    assert len(learner.predict({"X": TABLE})) == N


@pytest.mark.parametrize("backend", FRAMES)
def test_a_table_report_of_what_the_estimators_take(backend) -> None:
    task = TabularTask.of(FRAMES[backend](TABLE.assign(bought=BOUGHT)), "bought")
    for frame in (task.to_frame(backend), task.inputs.to_frame(backend)):
        report = skrub.TableReport(frame, verbose=0)
        assert all(name in report.html() for name in TABLE.columns)


def test_a_table_report_of_what_the_estimators_give() -> None:
    model = TabularClassifier("fast", **SMALL).fit(TABLE, BOUGHT)
    search = rosenblatt.MLPSearchCV(MLPClassifier(max_iter=3), {"alpha": [1e-4, 1e-2]}, n_trials=2, cv=2)
    found = search.fit(TABLE[["size"]], BOUGHT)
    for frame in (
        model.drift(TABLE).to_frame(),
        model.explain(TABLE, BOUGHT).to_frame(),
        model.history_.to_frame(),
        found.results_frame(),
    ):
        assert skrub.TableReport(frame, verbose=0).html()
