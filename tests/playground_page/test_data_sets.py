"""The page's own data sets: geometry, classes, noise."""

import numpy as np
import pytest

from rosenblatt.playground_page.data_sets import SOURCES
from rosenblatt.playground_page.features import FEATURES, feature_columns


def made(name, n=600, noise=0.0, classes=3):
    source = SOURCES[name]
    return source.make(np.random.default_rng(0), n, noise, *([classes] if source.has_classes else []))


def test_the_classes_are_where_they_should_be():
    points, y = made("circle")
    radius = np.hypot(*points.T)
    assert radius[y == 1].max() <= 2.5
    assert 3.5 <= radius[y == 0].min() <= radius.max() <= 5
    points, y = made("xor")
    np.testing.assert_array_equal(y == 1, points.prod(axis=1) > 0)
    assert np.abs(points).min() >= 0.3
    points, y = made("gauss")
    np.testing.assert_allclose(points[y == 1].mean(axis=0), 2, atol=0.15)
    np.testing.assert_allclose(points[y == 0].var(axis=0), 0.5, atol=0.1)
    points, y = made("spiral")
    np.testing.assert_allclose(points[y == 0], -points[y == 1], atol=1e-12)
    points, y = made("rings")
    radius = np.hypot(*points.T)
    assert radius[y == 0].max() < radius[y == 1].min() < radius[y == 1].max() < radius[y == 2].min()


def test_the_numbers_are_what_they_should_be():
    points, y = made("plane")
    np.testing.assert_allclose(y, points.sum(axis=1) / 10)
    points, y = made("multi_gauss", 20_000)
    for center, sign in (((-4, 2.5), 1), ((0, 2.5), -1), ((4, -2.5), -1), ((0, -2.5), 1)):
        distance = np.hypot(*(points - center).T)
        np.testing.assert_allclose(y[distance < 1.5], sign * (1 - distance[distance < 1.5] / 2))
    assert (y[np.abs(points[:, 1]) > 4.6] == 0).all()


@pytest.mark.parametrize("name", SOURCES)
def test_noise_mixes_and_seeds_repeat(name):
    points, y = made(name)
    assert points.shape == (600, 2)
    again, noisy = made(name), made(name, noise=0.5)
    np.testing.assert_array_equal(again[0], points)
    assert (noisy[0] != points).any() or (noisy[1] != y).any()
    if name not in ("gauss", "blobs"):
        assert np.abs(points).max() <= 6
    if SOURCES[name].max_classes:
        counts = np.bincount(y)
        assert len(counts) == (3 if SOURCES[name].has_classes else 2)
        assert counts.min() > 0.3 * counts.max()


def test_features_are_their_formulas():
    points = made("plane")[0]
    x1, x2 = points.T
    for name, feature in FEATURES.items():
        expected = eval(feature.formula, {"np": np}, {"x1": x1, "x2": x2}).astype(np.float32)
        np.testing.assert_array_equal(feature_columns(points, [name])[:, 0], expected)
    assert feature_columns(points, []).shape == (600, 0)
