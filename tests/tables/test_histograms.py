"""Bars and drawn numbers from counts between edges."""

import numpy as np
import pytest

from rosenblatt.tables.histograms import drawn_numbers, number_histogram, single_values
from rosenblatt.tables.kinds import infer_kinds
from rosenblatt.tables.preparation import fit_preparation
from rosenblatt.tables.readers.reading import read_table


def preparation_of(columns):
    table = read_table(columns)
    return fit_preparation(table, infer_kinds(table)), table


def histogram(columns):
    preparation, _ = preparation_of(columns)
    return [r.histogram(e) for e, r in zip(preparation.encoders, preparation.references, strict=True)]


def test_few_values_have_a_bar_each():
    ((labels, counts),) = histogram({"x": [1, 1, 1, 4, 4, 9, 9, 9, 9, 9] * 3})
    assert (labels, counts) == (["1", "4", "9"], [9, 6, 15])


def test_many_values_have_bars_of_equal_width():
    x = np.random.default_rng(0).normal(size=5000)
    ((labels, counts),) = histogram({"x": x})
    expected, edges = np.histogram(x, 8)
    assert sum(counts) == 5000
    assert [float(label.split(" to ")[0]) for label in labels] == pytest.approx(edges[:-1], rel=1e-3)
    assert np.abs(np.array(counts) - expected).max() < 0.08 * 5000  # only the deciles are known
    assert np.argmax(counts) == np.argmax(expected)


def test_missing_cells_are_no_bar():
    ((_, counts),) = histogram({"x": [1.5, np.nan, 2.5, np.nan, 3.5, 3.5]})
    assert sum(counts) == 4


def test_levels_dates_booleans_and_texts_have_labels():
    rng = np.random.default_rng(0)
    found = histogram(
        {
            "level": [f"level {i}" for i in np.minimum(rng.geometric(0.2, 400), 30)],
            "flag": [True, False, False, False] * 100,
            "day": np.datetime64("2020-01-01") + rng.integers(0, 800, 400),
            "text": [f"word{rng.integers(99)} " * int(n) + f"end{i}" for i, n in enumerate(rng.integers(3, 9, 400))],
        }
    )
    levels, flags, days, texts = found
    assert levels[0][-1] == "all others"
    assert (len(levels[0]), sum(levels[1])) == (11, 400)
    assert flags == (["false", "true"], [300, 100])
    assert days[0][0].startswith("2020-01-0")
    assert all(len(label) == len("2020-01-01 to 2020-01-01") for label in days[0])
    assert sum(texts[1]) == 400
    assert texts[0][-1].endswith("words or more")


def test_rows_are_drawn_as_the_training_rows_were_spread():
    rng = np.random.default_rng(0)
    n = 2000
    columns = {
        "x": np.where(rng.random(n) < 0.25, np.nan, rng.exponential(size=n)),
        "few": rng.choice([1.0, 2.0, 7.0], n, p=[0.5, 0.3, 0.2]),
        "level": rng.choice(["a", "b", "c"], n, p=[0.6, 0.3, 0.1]),
        "flag": rng.random(n) < 0.7,
    }
    preparation, _ = preparation_of(columns)
    drawn = {
        e.name: r.draw(e, np.random.default_rng(1), 4000)
        for e, r in zip(preparation.encoders, preparation.references, strict=True)
    }
    x = drawn["x"].values
    assert np.isnan(x).mean() == pytest.approx(np.isnan(columns["x"]).mean(), abs=0.03)
    assert np.nanmedian(x) == pytest.approx(np.nanmedian(columns["x"]), rel=0.1)
    assert np.nanmin(columns["x"]) <= np.nanmin(x) <= np.nanmax(x) <= np.nanmax(columns["x"])
    assert set(drawn["few"].values) == {1.0, 2.0, 7.0}
    level = np.array(drawn["level"].levels)[drawn["level"].values]
    assert (level == "a").mean() == pytest.approx(0.6, abs=0.05)
    flag = np.array(drawn["flag"].levels)[drawn["flag"].values]
    assert (flag == "true").mean() == pytest.approx(0.7, abs=0.05)


def test_edges_between_single_values_tell_these():
    assert single_values(np.array([1.0, 1.5, 4.0, 6.0])) == [1.0, 2.0, 6.0]
    assert single_values(np.array([1.0, 1.5, 4.0, 7.0])) is None
    assert single_values(np.arange(12.0)) is None


def test_no_numbers_have_no_bars():
    assert number_histogram([0], np.zeros(2), str) == ([], [])
    assert np.isnan(drawn_numbers([0, 5], np.zeros(2), np.random.default_rng(0), 3)).all()
