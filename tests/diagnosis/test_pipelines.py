"""Pipelines are diagnosed as their networks are, and their steps never see the rows that score them."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import make_column_transformer
from sklearn.datasets import make_moons
from sklearn.feature_selection import SelectKBest
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from rosenblatt import MLPClassifier, MLPRegressor, diagnose, remedy
from rosenblatt.diagnosis.steps import Steps

X, Y = make_moons(80, noise=0.2, random_state=0)
SLOW = MLPClassifier((4,), learning_rate_init=1e-6, max_iter=8)


@pytest.mark.parametrize("steps", [(), ("passthrough",), (FunctionTransformer(),)], ids=len)
def test_a_pipeline_without_effect_is_diagnosed_as_its_network(steps):
    alone, found = diagnose(SLOW, X, Y, cv=3), diagnose(make_pipeline(*steps, SLOW), X, Y, cv=3)
    assert str(found) == str(alone)
    after = remedy(found)
    assert isinstance(after, Pipeline)
    assert after[-1].get_params() == remedy(alone).get_params()
    with pytest.raises(ValueError, match="this model is the remedy of a diagnosis"):
        remedy(after)


class Watching(TransformerMixin, BaseEstimator):
    """Notes the rows that it is fitted on."""

    seen = []

    def fit(self, X, y=None):
        self.seen.append((set(X[:, -1].astype(int)), len(y)))
        self.fitted_ = True
        return self

    def transform(self, X):
        return X[:, :-1]


def test_steps_are_fitted_on_training_rows_only(monkeypatch):
    monkeypatch.setattr(Watching, "seen", [])
    rows = np.arange(80)
    splits = [(rows[:40], rows[40:]), (rows[40:], rows[:40])]
    diagnose(make_pipeline(Watching(), SLOW), np.column_stack([X, rows]), Y, cv=splits)
    (everything, _), *seen = Watching.seen
    assert len(everything) == 80  # only to look at what the network would be given
    assert len(seen) >= 6  # two splits, three shares of their rows
    assert all(len(found) == n_labels <= 40 for found, n_labels in seen)
    assert all(found <= set(rows[:40]) or found <= set(rows[40:]) for found, _ in seen)


@pytest.mark.long
def test_a_selection_that_saw_all_rows_would_look_better():
    rng = np.random.default_rng(0)
    noise, y = rng.normal(size=(60, 2000)), np.arange(60) % 2
    network = MLPClassifier((8,), learning_rate_init=0.01, max_iter=30)
    honest = diagnose(make_pipeline(SelectKBest(k=20), network), noise, y, cv=3)
    leaking = diagnose(network, SelectKBest(k=20).fit_transform(noise, y), y, cv=3)
    assert honest.evidence.val_score < 0.65 < 0.8 < leaking.evidence.val_score


def test_tables_and_remedies_of_pipelines():
    table = pd.DataFrame({"a": 1000 * X[:, 0], "b": X[:, 1], "c": list("xyzw") * 20})
    columns = make_column_transformer((StandardScaler(), ["a", "b"]), (OneHotEncoder(handle_unknown="ignore"), ["c"]))
    model = make_pipeline(columns, make_pipeline(MLPRegressor(hidden_layer_sizes=(8, 4), max_iter=8)))
    found = diagnose(model, table, X.sum(axis=1), cv=3)
    assert found.evidence.n_features == 6
    assert isinstance(remedy(found)[0].transformers[0][1], StandardScaler)
    once = remedy(model)
    twice = remedy(once)
    assert once[-1][-1].hidden_layer_sizes == (8,)
    assert twice[-1][-1].hidden_layer_sizes != (8,)
    assert model[-1][-1].hidden_layer_sizes == (8, 4)


def test_a_category_that_a_split_lacks_is_named():
    cells = np.array(["a"] * 79 + ["rare"])[:, None]
    with pytest.raises(
        ValueError, match=r"steps before the network, fitted on .* rows of a split.*handle_unknown='ignore'"
    ):
        diagnose(make_pipeline(OneHotEncoder(), SLOW), cells, Y, cv=3)


def test_rows_are_transformed_once_for_equal_training_rows():
    steps = Steps(Pipeline([("scale", StandardScaler())]), SLOW, X, Y)
    first = steps.fitted_on(np.arange(40))
    assert steps.fitted_on(np.arange(40)) is first
    np.testing.assert_allclose(first[:40].mean(axis=0), 0, atol=1e-6)
    assert abs(first.mean()) > 1e-3
