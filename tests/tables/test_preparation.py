"""What a tabular network reads: scaling, flags, level numbers, dates; awkward columns; storing."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rosenblatt.tables.kinds import infer_kinds
from rosenblatt.tables.preparation import Preparation, fit_preparation
from rosenblatt.tables.reading import read_table
from rosenblatt.tables.table import TableError, TableWarning

RNG = np.random.default_rng(0)


def fit(columns, **kinds):
    table = read_table(columns)
    return fit_preparation(table, infer_kinds(table, kinds)), table


def test_numbers_are_scaled_by_median_and_quartiles_and_softly_cut():
    x = np.concatenate([RNG.normal(5, 2, 99), [1e9]])
    preparation, table = fit({"x": x, "y": RNG.normal(size=100)})
    low, center, high = np.percentile(x, [25, 50, 75])
    z = (x - center) / (high - low)
    found = preparation.transform(table)
    np.testing.assert_allclose(found.numbers[:, 0], z / np.sqrt(1 + (z / 3) ** 2), rtol=1e-6)
    assert found.numbers.max() <= 3
    assert preparation.numbers == ["x", "y"]
    assert found.flags.shape == (100, 0)
    assert found.codes.shape == (100, 0)


def test_a_number_that_is_mostly_one_value_is_scaled_by_half_its_range():
    x = np.r_[np.zeros(90), np.arange(10.0)]
    preparation, table = fit({"x": x})
    np.testing.assert_allclose(preparation.transform(table).numbers[-1], 2 / np.sqrt(1 + 4 / 9), rtol=1e-6)


def test_missing_numbers_are_the_median_and_flagged():
    x = np.r_[np.nan, np.arange(19.0)]
    preparation, table = fit({"x": x})
    found = preparation.transform(table)
    assert preparation.flags == ["x is missing"]
    assert found.flags[:, 0].tolist() == [1.0] + [0.0] * 19
    assert found.numbers[0, 0] == found.numbers[10, 0] == 0.0


def test_two_levels_are_a_sign_and_missing_ones_zero():
    preparation, _ = fit({"c": ["b", "a", None] * 10, "x": np.arange(30.0) % 7})
    found = preparation.transform(read_table({"c": ["a", "b", None, "new"], "x": [0.0] * 4}))
    assert found.flags[:, 0].tolist() == [-1.0, 1.0, 0.0, 0.0]
    assert preparation.flags == ["c = b"]


def test_booleans_are_a_sign_however_they_are_written():
    preparation, table = fit({"c": [True, False, True] * 10})
    assert preparation.transform(table).flags[:3, 0].tolist() == [1.0, -1.0, 1.0]
    found = preparation.transform(read_table({"c": ["yes", "no", None]})).flags[:, 0]
    assert found.tolist() == [1.0, -1.0, 0.0]


def test_a_few_levels_are_flags_scaled_like_numbers():
    levels = np.repeat(["a", "b", "c"], [60, 30, 10])
    preparation, table = fit({"c": levels})
    found = preparation.transform(table).flags
    for i, level in enumerate("abc"):
        flag = (levels == level).astype(float)
        low, center, high = np.percentile(flag, [25, 50, 75])
        z = (flag - center) / (high - low if high > low else 0.5)
        np.testing.assert_allclose(found[:, i], z / np.sqrt(1 + (z / 3) ** 2), rtol=1e-6)


def test_many_levels_are_numbered_and_single_ones_share_zero():
    levels = [f"l{i}" for i in range(9) for _ in range(3)] + ["once"]
    preparation, table = fit({"c": levels})
    assert preparation.levels == [10]
    codes = preparation.transform(table).codes[:, 0]
    assert codes[:27].reshape(9, 3).std(axis=1).max() == 0
    assert sorted(set(codes[:27])) == list(range(1, 10))
    assert codes[27] == 0
    assert preparation.transform(read_table({"c": ["new", None, "l3"]})).codes[:, 0].tolist() == [0, 0, codes[9]]


def test_a_thousand_levels():
    preparation, table = fit({"c": [f"l{i % 1000}" for i in range(3000)]})
    assert preparation.levels == [1001]
    assert len(set(preparation.transform(table).codes[:, 0])) == 1000


def test_dates_are_days_and_places_in_year_and_week():
    days = np.datetime64("2021-03-01") + np.arange(800).astype("timedelta64[D]")
    preparation, table = fit({"d": days})
    parts = ["sin of year", "cos of year", "sin of week", "cos of week"]
    assert preparation.numbers == ["d", *(f"d, {part}" for part in parts)]
    found = preparation.transform(table).numbers
    np.testing.assert_allclose(found[7:, 3:], found[:-7, 3:], atol=1e-5)
    weekly, _ = fit({"d": np.repeat(days[:5], 10)})
    assert weekly.numbers == ["d"], "five days are less than a week"


def test_constant_columns_and_row_numbers_are_left_out_and_said():
    preparation, _ = fit({"c": np.ones(50), "row": np.arange(50), "x": RNG.normal(size=50)})
    assert preparation.numbers == ["x"]
    assert [kind.kind for kind in preparation.kinds] == ["constant", "identifier", "numeric"]


def test_a_column_that_holds_other_things_now_is_named():
    preparation, _ = fit({"x": RNG.normal(size=30), "d": np.arange(30).astype("datetime64[D]")})
    good = {"x": [1.0], "d": [np.datetime64("2020-01-01")]}
    assert preparation.transform(read_table(good)).numbers.shape[0] == 1
    with pytest.warns(TableWarning, match=r"'x' held numbers in training; now a cell is none .* 'red' in row 1\."):
        assert preparation.transform(read_table(good | {"x": ["red"]})).numbers[0, 0] == 0
    with pytest.warns(TableWarning, match=r"'d' held dates in training; now a cell is none .* 1 in row 1\."):
        assert preparation.transform(read_table(good | {"d": [1.0]})).numbers[0, 1] == 0
    with pytest.warns(TableWarning, match=r"'x' held numbers .* '2020-01-01' in row 1\. column 'd'"):
        preparation.transform(read_table({"x": good["d"], "d": good["x"]}))
    with pytest.raises(TableError, match="lacks 2 of the columns"):
        preparation.transform(read_table({"other": [1.0]}))


def mixed(n, seed):
    rng = np.random.default_rng(seed)
    return {
        "x": np.where(rng.random(n) < 0.2, np.nan, rng.normal(size=n)),
        "few": rng.choice(np.array(["a", "b", "c", None], dtype=object), n),
        "many": rng.choice(np.array([f"l{i}" for i in range(12)], dtype=object), n),
        "flag": rng.random(n) < 0.5,
        "day": np.datetime64("2020-01-01") + rng.integers(0, 1000, n).astype("timedelta64[D]"),
    }


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_rows_are_prepared_one_by_one_and_rules_survive_storing(seed):
    columns = mixed(60, seed)
    preparation, table = fit(columns)
    again = Preparation.from_dict(json.loads(json.dumps(preparation.to_dict())))
    order = np.random.default_rng(seed).permutation(60)
    shuffled = read_table({name: columns[name][order] for name in reversed(columns)})
    whole, other = preparation.transform(table), again.transform(shuffled)
    for name in ("numbers", "flags", "codes"):
        assert np.array_equal(getattr(whole, name)[order], getattr(other, name)), name
        assert np.isfinite(getattr(whole, name)).all()


def test_rules_are_those_of_the_rows_they_were_learned_from():
    columns = mixed(60, 1)
    preparation, _ = fit(columns)
    more = {name: np.concatenate([values, values[:5]]) for name, values in columns.items()}
    more["x"][60:] = 1e6
    before, after = preparation.transform(read_table(columns)), preparation.transform(read_table(more))
    assert np.array_equal(before.numbers, after.numbers[:60])


BROKEN = {
    "no rules": lambda e: e["rules"].clear(),
    "unknown key": lambda e: e["rules"][0].update(other=1),
    "name": lambda e: e["rules"][0].update(name=3),
    "storage": lambda e: e["rules"][0].update(storage="image"),
    "circle": lambda e: e["rules"][-1].update(circles=["moon"]),
    "indicator": lambda e: e["rules"][0].update(indicator=1),
    "center": lambda e: e["rules"][0]["scaling"].update(centers=[float("nan")]),
    "spread": lambda e: e["rules"][0]["scaling"].update(spreads=[-1.0]),
    "lengths": lambda e: e["rules"][0]["scaling"].update(spreads=[1.0, 2.0]),
    "levels": lambda e: e["rules"][1].update(levels=["a", "b", "c", "d"]),
    "twice": lambda e: e["rules"].append(e["rules"][0]),
    "kind": lambda e: e["kinds"][0].pop("detail"),
    "form": lambda e: e.update(version=2),
}


@pytest.mark.parametrize("change", BROKEN)
def test_broken_rules_are_refused(change):
    entry = json.loads(json.dumps(fit(mixed(60, 0))[0].to_dict()))
    Preparation.from_dict(entry)
    BROKEN[change](entry)
    with pytest.raises(ValueError, match=r"column|preparation|scaling"):
        Preparation.from_dict(entry)
