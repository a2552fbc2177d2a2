"""The linear model beside a network: scikit-learn's, and never trained on a row that it predicts."""

import time

import numpy as np
import pytest
from scipy.sparse import issparse
from sklearn.linear_model import LogisticRegression, Ridge

from rosenblatt import TabularClassifier, TabularRegressor
from rosenblatt.diagnosis import linear_baseline as module
from rosenblatt.diagnosis.linear_baseline import linear_baseline, linear_inputs
from rosenblatt.report.scored import given_rows

QUICK = {"max_iter": 1, "hidden_layer_sizes": (8,)}


def numbers(n=90, seed=0, k=4):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, k))
    return X, X[:, 0] - X[:, 1] + 0.3 * rng.normal(size=n)


def seen_rows(monkeypatch):
    """The rows that linear models were trained on, by the value of their first input, and those that they predict."""
    fits = []
    fitted = module.fitted

    def watch(model, X, training, rows):
        fits.append(set(rows.tolist()))
        return fitted(model, X, training, rows)

    monkeypatch.setattr(module, "fitted", watch)
    return fits


def test_held_out_rows_are_predicted_by_one_model_of_the_training_rows(monkeypatch):
    X, y = numbers()
    model = TabularRegressor("fast", **QUICK).fit(X, y)
    training, others = given_rows(model, X, y), given_rows(model, *numbers(seed=1))
    found = linear_baseline(model, training, others.prepared)
    inputs, rows = (np.hstack([p.numbers, p.indicators]) for p in (training.prepared, others.prepared))
    expected = np.clip(Ridge().fit(inputs, y).predict(rows), y.min(), y.max())
    assert found.predictions[:, 0] == pytest.approx(expected, abs=1e-5)
    assert (found.name, found.n_rows) == ("Ridge", 90)


def test_training_rows_are_predicted_in_the_folds_of_the_networks(monkeypatch):
    X, y = numbers()
    model = TabularClassifier(members=3, **QUICK).fit(X, y > 0)
    fits, training = seen_rows(monkeypatch), given_rows(model, X, y > 0)
    found = linear_baseline(model, training, None).predictions
    held = [set(member.held_out.tolist()) for member in model.ensemble_.members]
    assert fits == [set(range(90)) - rows for rows in held]
    inputs = np.hstack([training.prepared.numbers, training.prepared.indicators])
    for rows in (sorted(rows) for rows in held):
        others = np.setdiff1d(np.arange(90), rows)
        expected = LogisticRegression(max_iter=200).fit(inputs[others], y[others] > 0).predict_proba(inputs[rows])
        assert found[rows] == pytest.approx(expected, abs=1e-4)


def test_of_rows_in_time_it_learns_from_earlier_ones_only(monkeypatch):
    X, y = numbers()
    time = np.random.default_rng(3).permutation(90)
    model = TabularRegressor(members=3, **QUICK).fit(X, y, time=time)
    fits, training = seen_rows(monkeypatch), given_rows(model, X, y)
    found = linear_baseline(model, training, None).predictions[:, 0]
    for learned, member in zip(fits, model.ensemble_.members, strict=True):
        assert time[sorted(learned)].max() < time[member.held_out].min()
        assert np.isfinite(found[member.held_out]).all()


def test_a_loaded_models_training_rows_have_five_folds_with_copies_together(monkeypatch, tmp_path):
    import rosenblatt

    X, y = numbers()
    X, y = np.vstack([X, X]), np.concatenate([y, y])
    model = TabularRegressor("fast", **QUICK).fit(X, y)
    rosenblatt.save(model, tmp_path / "model.safetensors")
    model = rosenblatt.load(tmp_path / "model.safetensors")
    fits = seen_rows(monkeypatch)
    assert np.isfinite(linear_baseline(model, given_rows(model, X, y), None).predictions).all()
    assert len(fits) == 5
    assert all({(row + 90) % 180 for row in rows} == rows for rows in fits)


def test_levels_and_words_are_inputs():
    rng = np.random.default_rng(0)
    level = rng.choice([f"l{i}" for i in range(40)], 600)
    X = {"level": level, "text": [f"{'good' if i % 2 else 'bad'} w{i} word number{i % 60}" for i in range(600)]}
    y = (np.array([int(one[1:]) for one in level]) % 2) ^ (np.arange(600) % 2)
    model = TabularClassifier("fast", **QUICK).fit(X, np.arange(600) % 2)
    given = given_rows(model, X, np.arange(600) % 2)
    assert issparse(linear_inputs(given.prepared, model.preparation_))
    found = linear_baseline(model, given, given.prepared).predictions
    assert (found.argmax(axis=1) == np.arange(600) % 2).mean() > 0.95
    assert y.any()


def test_quantiles_are_those_of_the_errors_and_counts_are_poissons():
    X, y = numbers(400)
    model = TabularRegressor("fast", quantiles=(0.1, 0.5, 0.9), **QUICK).fit(X, y)
    given = given_rows(model, X, y)
    found = linear_baseline(model, given, given.prepared).predictions
    assert ((y[:, None] < found).mean(axis=0)) == pytest.approx([0.1, 0.5, 0.9], abs=0.02)
    counts = np.random.default_rng(0).poisson(np.exp(X[:, 0]))
    model = TabularRegressor("fast", loss="poisson", **QUICK).fit(X, counts)
    given = given_rows(model, X, counts)
    found = linear_baseline(model, given, given.prepared)
    assert found.name == "PoissonRegressor"
    assert found.predictions.min() > 0


def test_many_rows_are_limited_and_weights_count():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(12_000, 5))
    y = (X[:, 0] + 0.5 * rng.normal(size=12_000) > 0).astype(int)
    model = TabularClassifier("fast", batch_size=4096, **QUICK).fit(X, y)
    given = given_rows(model, X, y)
    start = time.perf_counter()
    found = linear_baseline(model, given, given.prepared)
    assert found.n_rows == 10_000
    assert time.perf_counter() - start < 3
    X, y = numbers(300)
    model, weights = TabularRegressor("fast", **QUICK).fit(X, y), np.where(np.arange(300) < 150, 1.0, 1e-9)
    given = given_rows(model, X, np.where(np.arange(300) < 150, y, y + 100), weights)
    assert linear_baseline(model, given, given.prepared).predictions.mean() < 20
