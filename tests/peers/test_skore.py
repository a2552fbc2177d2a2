"""skore's reports take the estimators as they are, on raw tables too."""

from __future__ import annotations

import pytest

skore = pytest.importorskip("skore", reason="skore is not installed")

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from sklearn.datasets import load_iris  # noqa: E402

from rosenblatt import (  # noqa: E402
    LogisticRegression,
    MLPClassifier,
    MLPRegressor,
    MLPSearchCV,
    Perceptron,
    TabularClassifier,
    TabularRegressor,
)

pytestmark = pytest.mark.filterwarnings("ignore")  # those of other libraries

SMALL = {"members": 2, "max_iter": 3, "random_state": 0}
CLASSIFIERS = [
    TabularClassifier("fast", **SMALL),
    MLPClassifier((8,), max_iter=5, random_state=0),
    LogisticRegression(),
    Perceptron(),
    MLPSearchCV(MLPClassifier(max_iter=3), {"alpha": [1e-4, 1e-2]}, n_trials=2, cv=2, n_jobs=1),
]
REGRESSORS = [TabularRegressor("fast", **SMALL), MLPRegressor(hidden_layer_sizes=(8,), max_iter=5, random_state=0)]
X, NUMBERS = load_iris(return_X_y=True, as_frame=True)
LABELS = pd.Series(np.array(["setosa", "versicolor", "virginica"])[NUMBERS], name="species")


def raw_table(n: int = 120) -> tuple[pd.DataFrame, pd.Series]:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "size": rng.normal(size=n),
            "town": rng.choice(["Bern", "Chur", "<b>Zug</b>"], n),
            "day": pd.date_range("2024-01-01", periods=n),
            "hole": np.where(rng.random(n) < 0.2, np.nan, rng.normal(size=n)),
        }
    )
    return table, pd.Series(np.where(table["size"] > 0, "yes", "no"), name="bought")


def report_of(model, X, y):
    return skore.EstimatorReport(model, X_train=X[::2], y_train=y[::2], X_test=X[1::2], y_test=y[1::2])


@pytest.mark.parametrize("model", CLASSIFIERS, ids=lambda model: type(model).__name__)
def test_a_report_of_a_classifier(model) -> None:
    report = report_of(model, X, LABELS)
    own = report.estimator_.score(X[1::2], LABELS[1::2])
    assert report.metrics.accuracy() == pytest.approx(own)
    assert len(report.metrics.summarize().frame())
    assert report.metrics.confusion_matrix() is not None
    assert report.metrics.roc() is not None
    assert report.data.summarize() is not None
    assert type(model).__name__ in report._repr_html_()


@pytest.mark.parametrize("model", REGRESSORS, ids=lambda model: type(model).__name__)
def test_a_report_of_a_regressor(model) -> None:
    report = report_of(model, X, NUMBERS.astype(float))
    assert report.metrics.r2() == pytest.approx(report.estimator_.score(X[1::2], NUMBERS[1::2].astype(float)))
    assert report.metrics.prediction_error() is not None
    assert type(model).__name__ in report._repr_html_()


def test_a_report_of_a_raw_table() -> None:
    table, bought = raw_table()
    report = report_of(TabularClassifier("fast", **SMALL), table, bought)
    assert len(report.metrics.summarize().frame())
    importance = report.inspection.permutation_importance(n_repeats=2, seed=0).frame()
    assert set(importance["feature"]) == set(table.columns)
    assert report.checks.summarize() is not None
    assert "TabularClassifier" in report.to_markdown()


@pytest.mark.parametrize("model", CLASSIFIERS[:2], ids=lambda model: type(model).__name__)
def test_cross_validation_and_a_comparison(model) -> None:
    folds = skore.CrossValidationReport(model, X, LABELS, splitter=3)
    assert len(folds.reports_) == 3
    assert len(folds.metrics.summarize().frame())
    both = skore.ComparisonReport([report_of(model, X, LABELS), report_of(LogisticRegression(), X, LABELS)])
    assert len(both.metrics.summarize().frame())
