"""Targets of a table that is larger than memory: which are kept, and what their scale is."""

import numpy as np
import pytest

from rosenblatt.estimators.tabular.explain.background import Background
from rosenblatt.estimators.tabular.second_pass import RowWeights
from rosenblatt.estimators.tabular.streamed import TargetSample
from rosenblatt.estimators.tabular.target_scaling import fit_target_scaler
from rosenblatt.tables.kinds import infer_kinds
from rosenblatt.tables.preparation import fit_preparation
from rosenblatt.tables.readers.reading import read_table

RNG = np.random.default_rng(0)


def sample_of(targets, weights, size):
    sample = TargetSample(len(targets))
    for start in range(0, len(targets), size):
        rows = slice(start, start + size)
        sample.add(targets[rows], None if weights is None else weights[rows])
    return sample.found()


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("size", [1, 13, 1000])
def test_all_targets_are_kept_while_they_are_few(size, weighted):
    targets, weights = RNG.normal(size=(1000, 2)), RNG.random(1000) if weighted else None
    found, found_weights = sample_of(targets, weights, size)
    np.testing.assert_array_equal(found, targets)
    np.testing.assert_array_equal(found_weights, weights)


@pytest.mark.parametrize("size", [1, 7, 64, 1003])
def test_of_many_targets_evenly_spaced_ones_are_kept_and_the_range_is_exact(size, monkeypatch):
    monkeypatch.setattr("rosenblatt.estimators.tabular.streamed.MAX_TARGETS", 100)
    targets, weights = np.exp(RNG.normal(size=(1003, 2)) * 3), RNG.integers(0, 2, 1003) * 1.0
    targets[[17, 400]] = 0.0, -3.0
    found, found_weights = sample_of(targets, weights, size)
    np.testing.assert_array_equal(found[:100], targets[np.arange(100) * 1003 // 100])
    np.testing.assert_array_equal(found_weights[:100], weights[np.arange(100) * 1003 // 100])
    assert 100 < len(found) <= 112
    for mask, of in ((weights >= 0, found_weights >= 0), (weights > 0, found_weights > 0)):
        np.testing.assert_array_equal(found[of].min(axis=0), targets[mask].min(axis=0))
        np.testing.assert_array_equal(found[of].max(axis=0), targets[mask].max(axis=0))
    assert min(found[found > 0]) == min(targets[targets > 0])
    scaler, exact = (fit_target_scaler(values) for values in (found, targets))
    assert (scaler.lowest, scaler.highest) == (exact.lowest, exact.highest)


def test_labels_are_sampled_evenly(monkeypatch):
    monkeypatch.setattr("rosenblatt.estimators.tabular.streamed.MAX_TARGETS", 100)
    labels = RNG.integers(0, 3, 1000).astype(np.int32)
    found, weights = sample_of(labels, None, 37)
    np.testing.assert_array_equal(found, labels[::10])
    assert weights is None


def test_weights_are_narrowed_alike_in_every_block():
    weights = np.array([0.0, 1e-60, 3e-60])
    by_blocks = [RowWeights(1.0, 3e-60)(np.zeros(1), weights[i : i + 1])[0] for i in range(3)]
    np.testing.assert_allclose(by_blocks, [0, 1 / 3, 1], rtol=1e-6)
    np.testing.assert_array_equal(RowWeights(1.0, 2.0)(np.zeros(2), np.array([0.5, 2.0])), np.float32([0.5, 2]))
    factors = RowWeights(1.0, 4.0, np.array([4.0, 0.5]))
    np.testing.assert_array_equal(factors(np.array([1, 0]), None), np.float32([0.5, 4]))
    assert RowWeights(1.0, 1.0)(np.zeros(2), None) is None


@pytest.mark.parametrize("weighted", [False, True])
def test_the_background_of_parts_is_that_of_the_whole(weighted):
    words = ["old house", "new house", "small flat by the sea", "large flat"]
    table = read_table(
        {
            "x": RNG.normal(size=400),
            "level": RNG.choice(list("abcdefghijklmnop"), 400),
            "text": [f"{words[i % 4]} number {i} in a street" for i in range(400)],
        }
    )
    preparation = fit_preparation(table, infer_kinds(table))
    weights = RNG.random(400) if weighted else None
    whole = Background.of(preparation.transform(table), preparation, weights)
    total, parts = 400.0 if weights is None else float(weights.sum()), None
    for rows in np.array_split(np.arange(400), 7):
        own = None if weights is None else weights[rows]
        part = Background.of(preparation.transform_training(table.take(rows)), preparation, own, total)
        parts = part if parts is None else parts.plus(part)
    for name, array in whole.to_arrays().items():
        np.testing.assert_allclose(parts.to_arrays()[name], array, rtol=1e-6, atol=1e-9)
