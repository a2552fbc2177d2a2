"""What a tabular network reads: scaling, indicators, level numbers, dates; awkward columns; storing."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rosenblatt.tables.kinds import infer_kinds
from rosenblatt.tables.preparation import Preparation, fit_preparation
from rosenblatt.tables.readers.reading import read_table
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
    assert found.indicators.shape == (100, 0)
    assert found.codes.shape == (100, 0)


def test_a_number_that_is_mostly_one_value_is_scaled_by_half_its_range():
    x = np.r_[np.zeros(90), np.arange(10.0)]
    preparation, table = fit({"x": x})
    np.testing.assert_allclose(preparation.transform(table).numbers[-1], 2 / np.sqrt(1 + 4 / 9), rtol=1e-6)


def test_missing_numbers_are_the_median_and_flagged():
    x = np.r_[np.nan, np.arange(19.0)]
    preparation, table = fit({"x": x})
    found = preparation.transform(table)
    assert preparation.indicators == ["x is missing"]
    assert found.indicators[:, 0].tolist() == [1.0] + [0.0] * 19
    assert found.numbers[0, 0] == found.numbers[10, 0] == 0.0


def test_two_levels_are_a_sign_and_missing_ones_zero():
    preparation, _ = fit({"c": ["b", "a", None] * 10, "x": np.arange(30.0) % 7})
    found = preparation.transform(read_table({"c": ["a", "b", None, "new"], "x": [0.0] * 4}))
    assert found.indicators[:, 0].tolist() == [-1.0, 1.0, 0.0, 0.0]
    assert preparation.indicators == ["c = b"]


def test_booleans_are_a_sign_however_they_are_written():
    preparation, table = fit({"c": [True, False, True] * 10})
    assert preparation.transform(table).indicators[:3, 0].tolist() == [1.0, -1.0, 1.0]
    found = preparation.transform(read_table({"c": ["yes", "no", None]})).indicators[:, 0]
    assert found.tolist() == [1.0, -1.0, 0.0]


def test_a_few_levels_are_indicators_scaled_like_numbers():
    levels = np.repeat(["a", "b", "c"], [60, 30, 10])
    preparation, table = fit({"c": levels})
    found = preparation.transform(table).indicators
    for i, level in enumerate("abc"):
        flag = (levels == level).astype(float)
        low, center, high = np.percentile(flag, [25, 50, 75])
        z = (flag - center) / (high - low if high > low else 0.5)
        np.testing.assert_allclose(found[:, i], z / np.sqrt(1 + (z / 3) ** 2), rtol=1e-6)


def test_many_levels_are_numbered_and_single_ones_share_zero():
    levels = [f"l{i}" for i in range(9) for _ in range(3)] + ["once"]
    preparation, table = fit({"c": levels})
    assert preparation.n_codes == [10]
    codes = preparation.transform(table).codes[:, 0]
    assert codes[:27].reshape(9, 3).std(axis=1).max() == 0
    assert sorted(set(codes[:27])) == list(range(1, 10))
    assert codes[27] == 0
    assert preparation.transform(read_table({"c": ["new", None, "l3"]})).codes[:, 0].tolist() == [0, 0, codes[9]]


def test_a_thousand_levels():
    preparation, table = fit({"c": [f"l{i % 1000}" for i in range(3000)]})
    assert preparation.n_codes == [1001]
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
    with pytest.warns(TableWarning, match=r"'x' held numbers in training; now a cell .* 'red' in row 1\."):
        assert preparation.transform(read_table(good | {"x": ["red"]})).numbers[0, 0] == 0
    with pytest.warns(TableWarning, match=r"'d' held dates in training; now a cell .* 1 in row 1\."):
        assert preparation.transform(read_table(good | {"d": [1.0]})).numbers[0, 1] == 0
    with pytest.warns(TableWarning, match=r"'x' held numbers .* '2020-01-01' in row 1\. column 'd'"):
        preparation.transform(read_table({"x": good["d"], "d": good["x"]}))
    with pytest.raises(TableError, match="lacks 2 of the columns"):
        preparation.transform(read_table({"other": [1.0]}))


def test_infinite_numbers_are_cut_to_the_ends_and_change_no_scale():
    x = RNG.normal(5, 2, 100)
    plain, _ = fit({"x": x})
    preparation, _ = fit({"x": np.r_[x, np.inf, -np.inf, np.inf]})
    assert preparation.encoders[0].scaling == plain.encoders[0].scaling
    found = preparation.transform(read_table({"x": [np.inf, -np.inf, 1e300, "inf"]})).numbers[:, 0]
    assert found.tolist() == [3.0, -3.0, 3.0, 3.0]
    assert preparation.indicators == []


def test_text_is_read_as_the_numbers_it_stands_for():
    values = np.r_[RNG.integers(1_000, 10**7, 50), 5]
    plain, table = fit({"x": values / 100})
    german, texts = fit({"x": [f"{v:,.2f} €".translate(str.maketrans(",.", ".,")) for v in values / 100]})
    assert german.encoders[0].scaling == plain.encoders[0].scaling
    assert np.array_equal(german.transform(texts).numbers, plain.transform(table).numbers)
    now = german.transform(read_table({"x": ["1.234,50"]})).numbers
    assert np.array_equal(now, plain.transform(read_table({"x": [1234.5]})).numbers)


@pytest.mark.parametrize("start", ["2020-01-06", "1969-06-02", "0001-01-01"])
def test_the_same_weekday_is_the_same_number(start):
    weeks = np.datetime64(start) + 7 * np.arange(100)
    preparation, _ = fit({"day": np.concatenate([weeks, weeks[:10] + 3])})
    numbers = preparation.transform(read_table({"day": weeks})).numbers
    of_week = numbers[:, [name.endswith("of week") for name in preparation.numbers]]
    assert of_week.shape == (100, 2)
    assert len(np.unique(of_week, axis=0)) == 1
    assert (np.array(preparation.encoders[0].scaling.spreads) > 1e-3).all()


def test_dates_as_text_are_the_dates_of_a_frame():
    days = np.datetime64("2021-03-01") + RNG.integers(0, 800, 60).astype("timedelta64[D]")
    plain, table = fit({"d": days})
    written, texts = fit({"d": [f"{d.month}/{d.day}/{d.year}" for d in days.tolist()]})
    assert written.encoders[0].month_first
    assert written.encoders[0].scaling == plain.encoders[0].scaling
    assert np.array_equal(written.transform(texts).numbers, plain.transform(table).numbers)
    now = written.transform(read_table({"d": ["2/3/2022", "2022-02-03"]})).numbers
    assert np.array_equal(now[0], now[1])


def test_a_few_texts_among_numbers_are_missing_and_flagged():
    preparation, table = fit({"x": [*map(str, range(100, 140)), "unknown", "NA"]})
    assert preparation.encoders[0].texts == ("unknown",)
    assert preparation.transform(table).indicators[:, 0].tolist() == [0.0] * 40 + [1.0, 1.0]
    numbers, _ = fit({"x": [*map(float, range(100, 140)), None, None]})
    assert preparation.encoders[0].scaling == numbers.encoders[0].scaling
    levels, _ = fit({"x": [*map(str, range(100, 140)), "unknown", "NA"] * 3}, x="categorical")
    assert "unknown" in levels.encoders[0].levels


def test_a_category_of_a_frame_stays_one_however_its_levels_look():
    pd = pytest.importorskip("pandas")
    preparation, _ = fit(pd.DataFrame({"c": pd.Categorical([10, 20, 40] * 20)}))
    assert preparation.encoders[0].levels == ("10", "20", "40")
    assert preparation.transform(read_table({"c": [20]})).indicators.shape == (1, 3)
    again, _ = fit(pd.DataFrame({"c": pd.Categorical([10, 20, 40] * 20)}), c="numeric")
    assert again.numbers == ["c"]


def test_notes_ask_only_where_there_is_a_question():
    def notes(cells, **kinds):
        return fit({"c": cells, "x": RNG.normal(size=60)}, **kinds)[0].kinds[0].check

    assert "integers of 3 values" in notes([10115, 20095, 80331] * 20)
    assert notes([10115, 20095, 80331] * 20, c="numeric") == ""
    assert notes([1, 2, 3] * 20) == "", "counts"
    assert notes([10, 20, 30] * 20) == "", "equal steps"
    assert notes([0.5, 7.25, 80.0] * 20) == "", "no integers"
    assert notes(RNG.integers(0, 10**6, 60)) == "", "many values"


def test_dates_as_categories_are_found_again():
    days = np.array(["2020-01-01", "2020-06-01", "2021-01-01"] * 20, dtype="datetime64[D]")
    preparation, table = fit({"d": days, "x": RNG.normal(size=60)}, d="categorical")
    assert preparation.encoders[0].levels == ("2020-01-01", "2020-06-01", "2021-01-01")
    now = read_table({"d": ["2020-06-01", "1999-01-01"], "x": [0.0, 0.0]})
    assert np.array_equal(preparation.transform(now).indicators[0], preparation.transform(table).indicators[1])


def mixed(n, seed):
    rng = np.random.default_rng(seed)
    return {
        "x": np.where(rng.random(n) < 0.2, np.nan, rng.normal(size=n)),
        "few": rng.choice(np.array(["a", "b", "c", None], dtype=object), n),
        "many": rng.choice(np.array([f"l{i}" for i in range(12)], dtype=object), n),
        "flag": rng.random(n) < 0.5,
        "price": np.array([f"${v:,.2f}" if v > 500 else "free" for v in rng.integers(0, 10**5, n)], dtype=object),
        "share": np.array([f"{v} %" for v in rng.integers(0, 100, n)], dtype=object),
        "wide": np.where(rng.random(n) < 0.1, -np.inf, rng.normal(size=n)),
        "since": np.array([f"{d % 28 + 1}/{d % 12 + 1}/2020" for d in rng.integers(0, 1000, n)], dtype=object),
        "day": np.datetime64("2020-01-01") + rng.integers(0, 1000, n).astype("timedelta64[D]"),
    }


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_rows_are_prepared_one_by_one_and_encoders_survive_storing(seed):
    columns = mixed(60, seed)
    preparation, table = fit(columns)
    again = Preparation.from_dict(json.loads(json.dumps(preparation.to_dict())))
    order = np.random.default_rng(seed).permutation(60)
    shuffled = read_table({name: columns[name][order] for name in reversed(columns)})
    whole, other = preparation.transform(table), again.transform(shuffled)
    for name in ("numbers", "indicators", "codes"):
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
    "no encoders": lambda e: e["encoders"].clear(),
    "unknown key": lambda e: e["encoders"][0].update(other=1),
    "name": lambda e: e["encoders"][0].update(name=3),
    "storage": lambda e: e["encoders"][0].update(storage="image"),
    "period": lambda e: e["encoders"][-1].update(periods=["moon"]),
    "has_missing": lambda e: e["encoders"][0].update(has_missing=1),
    "format": lambda e: e["encoders"][0].update(format={"thousands": "x", "decimal": ".", "unit": ""}),
    "format's keys": lambda e: e["encoders"][0].update(format={"thousands": ","}),
    "order of dates": lambda e: e["encoders"][0].update(month_first="yes"),
    "texts": lambda e: e["encoders"][0].update(texts=["a", "a"]),
    "note": lambda e: e["kinds"][0].update(check=None),
    "center": lambda e: e["encoders"][0]["scaling"].update(centers=[float("nan")]),
    "spread": lambda e: e["encoders"][0]["scaling"].update(spreads=[-1.0]),
    "lengths": lambda e: e["encoders"][0]["scaling"].update(spreads=[1.0, 2.0]),
    "levels": lambda e: e["encoders"][1].update(levels=["a", "b", "c", "d"]),
    "twice": lambda e: e["encoders"].append(e["encoders"][0]),
    "kind": lambda e: e["kinds"][0].pop("detail"),
    "form": lambda e: e.update(version=2),
}


@pytest.mark.parametrize("change", BROKEN)
def test_broken_encoders_are_refused(change):
    entry = json.loads(json.dumps(fit(mixed(60, 0))[0].to_dict()))
    Preparation.from_dict(entry)
    BROKEN[change](entry)
    with pytest.raises(ValueError, match=r"column|preparation|scaling"):
        Preparation.from_dict(entry)


def test_no_center_and_no_range_is_shown_as_minus_zero():
    table = read_table({"a": np.array([-1.0, -0.0, -0.0, -0.0, 2.0]), "b": np.array([-0.0, -0.0, 0.5, 1.0, 2.0])})
    kinds = infer_kinds(table)
    preparation = fit_preparation(table, kinds)
    shown = [encoder.describe(kind) for encoder, kind in zip(preparation.encoders, kinds, strict=True)]
    assert shown[0].startswith("number: (0 ±")
    assert "0 to 2" in shown[1]
    assert not any("-0 " in text or "(-0" in text for text in shown)
