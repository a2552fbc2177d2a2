"""Column kinds, and the matrix made of them: the oracle is NumPy on the formula of the docstring."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rosenblatt.tables import TableError, read_table
from rosenblatt.tables.encoding import Encoder, fit_encoder
from rosenblatt.tables.kinds import infer_kinds


def fit(cells: Any, kinds: Any = None) -> Encoder:
    table = read_table(cells)
    return fit_encoder(table, infer_kinds(table, kinds))


def kinds_of(cells: Any, overrides: Any = None) -> dict[str, str]:
    return {kind.name: kind.kind for kind in infer_kinds(read_table(cells), overrides)}


N = 60
RNG = np.random.default_rng(0)
MIXED = {
    "size": RNG.normal(size=N),
    "zone": RNG.choice(["a", "b", "c"], N),
    "flag": RNG.random(N) < 0.5,
    "same": np.ones(N),
    "void": np.full(N, np.nan),
    "key": np.arange(N) + 1000,
    "name": np.array([f"person {i}" for i in range(N)]),
    "code": RNG.choice([3, 7, 9], N),
    "written": np.array([f"{i}.5" for i in RNG.integers(0, 5, N)]),
    "day": np.datetime64("2020-01-01") + RNG.integers(0, 300, N),
}


def test_kinds() -> None:
    assert kinds_of(MIXED) == {
        "size": "numeric",
        "zone": "categorical",
        "flag": "boolean",
        "same": "constant",
        "void": "missing",
        "key": "identifier",
        "name": "identifier",
        "code": "numeric",
        "written": "numeric",
        "day": "date",
    }
    said = kinds_of(MIXED, {"key": "numeric", "name": "categorical", "code": "categorical", "size": "ignored"})
    assert (said["key"], said["name"], said["code"], said["size"]) == (
        "numeric",
        "categorical",
        "categorical",
        "ignored",
    )


def test_dropped_columns_say_why() -> None:
    reasons = {kind.name: kind.detail for kind in infer_kinds(read_table(MIXED)) if not kind.used}
    assert reasons == {
        "same": "dropped: always 1",
        "void": "dropped: every cell is missing",
        "key": "dropped: a running number, different in every row",
        "name": "dropped: 60 different texts in 60 rows",
    }


def test_a_number_is_scaled_by_median_and_quartiles_and_clipped_smoothly() -> None:
    x = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 1e9])
    out = fit({"x": x}).transform(read_table({"x": x}))
    z = (x - np.median(x)) / (np.quantile(x, 0.75) - np.quantile(x, 0.25))
    np.testing.assert_allclose(out[:, 0], z / np.sqrt(1 + (z / 3) ** 2), rtol=1e-6)
    assert out.max() <= 3


def test_mostly_equal_numbers_are_marked_where_they_differ() -> None:
    x = np.array([0.0] * 16 + [1.0, 2.0, 3.0, 4.0])
    encoder = fit({"x": x})
    assert encoder.outputs == ["x", "x is not 0"]
    out = encoder.transform(read_table({"x": x}))
    np.testing.assert_array_equal(out[:, 1], x != 0)
    z = x / np.quantile([1, 2, 3, 4], 0.75)
    np.testing.assert_allclose(out[:, 0], z / np.sqrt(1 + (z / 3) ** 2), rtol=1e-6)


def test_piecewise_linear_columns_between_quantiles() -> None:
    x = np.random.default_rng(1).exponential(size=400)
    encoder = fit({"x": x})
    edges = np.quantile(x, np.linspace(0, 1, 9))  # 400 rows allow 8 intervals of 50
    out = encoder.transform(read_table({"x": x}))
    expected = np.clip((x[:, None] - edges[:-1]) / np.diff(edges), 0, 1)
    np.testing.assert_allclose(out[:, 1:], expected, atol=1e-6)


def test_missing_numbers_become_the_median_and_are_marked() -> None:
    encoder = fit({"x": [1.0, 2.0, 6.0, None, 3.0]})
    out = encoder.transform(read_table({"x": [None, 2.5]}))
    assert encoder.outputs == ["x", "x is missing"]
    assert out.tolist() == [[0.0, 1.0], [0.0, 0.0]]


def test_missing_cells_that_training_never_saw_are_the_median() -> None:
    out = fit({"x": [1.0, 2.0, 3.0], "c": ["a", "b", "a"]}).transform(read_table({"x": [None], "c": [None]}))
    assert out.tolist() == [[0.0, 0.0, 0.0]]


def test_categories_are_one_hot_with_rare_unseen_and_missing() -> None:
    encoder = fit({"c": ["a"] * 5 + ["b"] * 4 + ["z"] + [None] * 2})
    assert encoder.outputs == ["c = a", "c = b", "c is rare", "c is missing"]
    out = encoder.transform(read_table({"c": ["a", "b", "z", "unseen", None]}))
    assert out.tolist() == [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 1, 0], [0, 0, 0, 1]]


def test_an_unseen_category_is_all_zeros_if_none_was_rare() -> None:
    encoder = fit({"c": ["a", "b"] * 5})
    assert encoder.transform(read_table({"c": ["q"]})).tolist() == [[0.0, 0.0]]


def test_very_many_levels_share_a_column() -> None:
    cells = {"c": np.repeat([f"level {i:03}" for i in range(150)], 4)}
    assert len(fit(cells).outputs) == 101


@pytest.mark.parametrize("written", [[1, 2, 1], [1.0, 2.0, 1.0], ["1", "2", "1"], ["1.0", "2", "01"]])
def test_a_level_is_the_same_however_it_is_written(written: Any) -> None:
    encoder = fit({"c": ["1", "2", "x"] * 4})
    out = encoder.transform(read_table({"c": written}))
    assert out.tolist() == [[1, 0, 0], [0, 1, 0], [1, 0, 0]]


@pytest.mark.parametrize("written", [[True, False], ["true", "False"], [1, 0], ["yes", "no"]])
def test_a_boolean_is_the_same_however_it_is_written(written: Any) -> None:
    out = fit({"b": [True, False, True]}).transform(read_table({"b": written}))
    np.testing.assert_allclose(out, [[0.9**0.5], [-(0.9**0.5)]], rtol=1e-6)


def test_dates_may_come_as_text() -> None:
    days = np.datetime64("2020-01-01") + np.arange(10) ** 2
    encoder = fit({"d": days})
    np.testing.assert_array_equal(
        encoder.transform(read_table({"d": days.astype(str)})), encoder.transform(read_table({"d": days}))
    )


@pytest.mark.parametrize("holder", [pd.DataFrame, pl.DataFrame, pa.table, dict])
def test_neither_the_frame_nor_the_order_of_columns_matters(holder: Any) -> None:
    encoder = fit(MIXED)
    expected = encoder.transform(read_table(MIXED))
    shuffled = {name: MIXED[name] for name in sorted(MIXED, reverse=True)} | {"extra": np.zeros(N)}
    out = encoder.transform(read_table(holder(shuffled)))
    np.testing.assert_array_equal(out, expected)
    assert (out.dtype, out.flags.c_contiguous) == (np.float32, True)


def test_json_brings_back_the_same_encoder() -> None:
    encoder = fit({**MIXED, "size": np.where(RNG.random(N) < 0.1, np.nan, MIXED["size"])})
    assert Encoder.from_dict(json.loads(json.dumps(encoder.to_dict()))) == encoder


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False)), min_size=2, max_size=30),
    st.lists(st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False)), min_size=1, max_size=5),
)
def test_every_finite_number_is_encoded_as_finite_numbers(training: list[Any], later: list[Any]) -> None:
    cells = {"x": training, "other": [f"level {i % 2}" for i in range(len(training))]}
    numbers = [cell for cell in training if cell is not None]
    if numbers and not np.isfinite(max(numbers) - min(numbers)):
        with pytest.raises(TableError, match="spans more than float64 can hold"):
            fit(cells)
        return
    encoder = fit(cells)
    out = encoder.transform(read_table({"x": later, "other": [None] * len(later)}))
    assert np.isfinite(out).all()
    assert np.abs(out).max(initial=0) <= 3.001
