"""Summaries of tables, block by block: counted columns teach what the table in memory teaches."""

import json
import re
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rosenblatt.tables import column_summary
from rosenblatt.tables.kinds import infer_kinds
from rosenblatt.tables.level_counts import LevelCounts
from rosenblatt.tables.preparation import Preparation, fit_preparation
from rosenblatt.tables.readers.reading import read_table
from rosenblatt.tables.readers.streams import BLOCK_ROWS, open_stream
from rosenblatt.tables.summary import TableSummary
from rosenblatt.tables.table import Table, TableError
from rosenblatt.tables.targets import fit_target, fit_targets

RNG = np.random.default_rng(0)


def blocks_of(table, sizes):
    ends = np.unique(np.clip(np.cumsum([0, *sizes, table.n_rows]), 0, table.n_rows))
    return [table.take(np.arange(a, b)) for a, b in zip(ends[:-1], ends[1:], strict=True)]


def summarized(table, sizes=(), levels=()):
    summary = TableSummary(levels)
    for block in blocks_of(table, sizes):
        summary.add(block)
    return summary


def outcome(function, *arguments):
    """What a function returns, or the error that it raises."""
    try:
        return function(*arguments)
    except TableError as error:
        return str(error)


def without_later_rows(message):
    """A message that names the first of the rows only, as a counted column does."""
    return re.sub(r"rows? (\d+).*?\(the first row is 1[^)]*\)", r"row \1", message)


def learned(table, overrides):
    kinds = infer_kinds(table, overrides)
    return json.dumps(fit_preparation(table, kinds).to_dict())


def target_facts(target):
    if isinstance(target, str):
        return target
    classes = None if target.classes is None else (target.classes.dtype, target.classes.tolist())
    return target.task, classes, target.check, target.formats, target.n_rows


DAYS = st.integers(-40000, 40000).map(lambda days: date(2000, 1, 1) + timedelta(days))
WORDS = st.lists(st.sampled_from(["the", "a", "cat", "sat", "on", "mat", "never"]), min_size=1, max_size=6)
CELLS = {
    "numbers": st.floats(allow_nan=False, width=32).map(lambda x: x + 0.0),  # which zero is lowest is chance
    "few numbers": st.sampled_from([0.5, 1.5, -2.0, 0.0, 1e300, float("inf")]),
    "integers": st.integers(-50, 50),
    "many integers": st.integers(-(2**53), 2**53),
    "large integers": st.sampled_from([2**60, 2**60 + 1, 3, 2**63]),
    "decimals": st.sampled_from([Decimal("0.1"), Decimal("1.10"), Decimal("12345678901234567.89")]),
    "booleans": st.booleans(),
    "dates": DAYS,
    "levels": st.sampled_from(["a", "b", "A ", "d", "e", "f", "g", "h", "i", "j"]),
    "two levels": st.sampled_from(["yes", "no"]),
    "codes": st.sampled_from(["01067", "10115", "80331"]),
    "numbers as text": st.integers(0, 4000).map(lambda cents: f"{cents // 100}.{cents % 100:02d} €"),
    "decimal commas": st.sampled_from(["1.234,5", "7,25", "1.000", "12", "k.A."]),
    "dates as text": DAYS.map(lambda day: f"{day:%d/%m/%Y}"),
    "texts": WORDS.map(" ".join),
    "names": st.text("abc", min_size=1, max_size=4),
    "surrogates": st.sampled_from(["\udc80", "é", "e\u0301"]),
}


@st.composite
def columns(draw):
    kind = draw(st.sampled_from(sorted(CELLS)))
    cell, n = CELLS[kind], draw(st.integers(2, 60))
    cell = st.one_of(cell, cell, cell, st.none()) if draw(st.booleans()) else cell
    cells = draw(st.lists(cell, min_size=n, max_size=n))
    repeats = draw(st.integers(1, 3))
    return (cells * repeats)[: max(2, n * repeats - draw(st.integers(0, n - 1)))]


@settings(max_examples=25, deadline=None)
@given(columns(), st.lists(st.integers(1, 40), max_size=4), st.sampled_from([None, "numeric", "categorical", "text"]))
def test_a_counted_column_teaches_what_the_column_teaches(cells, sizes, wanted):
    table = read_table({"x": cells, "row": np.arange(len(cells)) % 7})
    counted = summarized(table, sizes).counted()
    overrides = {} if wanted is None else {"x": wanted}
    assert outcome(learned, counted, overrides) == outcome(learned, table, overrides)
    by_level = summarized(table, sizes, levels=["x"]).counted()
    assert outcome(learned, by_level, overrides) == outcome(learned, table, overrides)


@settings(max_examples=40, deadline=None)
@given(columns(), st.lists(st.integers(1, 40), max_size=4), st.sampled_from([None, "classification", "regression"]))
def test_a_counted_column_is_the_same_target(cells, sizes, task):
    column = read_table({"x": cells}).columns["x"]
    summary = summarized(Table({"x": column}, len(cells)), sizes)
    counted = summary.counted().columns["x"]
    expected, found = outcome(fit_target, column, task), outcome(fit_target, counted, task)
    if isinstance(expected, str):
        assert without_later_rows(found) == without_later_rows(expected)
        return
    assert target_facts(found) == target_facts(expected)
    np.testing.assert_array_equal(found.read([column]), expected.values)
    np.testing.assert_array_equal(np.sort(np.repeat(found.values, found.counts)), np.sort(expected.values))


@settings(max_examples=25, deadline=None)
@given(columns(), st.lists(st.integers(1, 40), max_size=4), st.sampled_from([None, "categorical"]))
def test_a_counted_category_teaches_what_the_category_teaches(cells, sizes, wanted):
    pandas = pytest.importorskip("pandas")
    try:
        series = pandas.Series(cells).astype("category")
    except (TypeError, UnicodeEncodeError):  # pandas holds no such categories
        return
    table = read_table(pandas.DataFrame({"x": series, "row": np.arange(len(cells)) % 7}))
    overrides = {} if wanted is None else {"x": wanted}
    counted = summarized(table, sizes).counted()
    assert outcome(learned, counted, overrides) == outcome(learned, table, overrides)
    expected, found = (outcome(fit_target, part["x"], "classification") for part in (table, counted))
    assert isinstance(found, str) or target_facts(found) == target_facts(expected)


@settings(max_examples=30, deadline=None)
@given(columns(), columns(), st.lists(st.integers(1, 40), min_size=1, max_size=4), st.permutations(range(5)))
def test_summaries_merge_in_any_order_and_survive_being_sent(x, y, sizes, order):
    n = min(len(x), len(y))
    table = read_table({"x": x[:n], "y": y[:n]})
    whole = summarized(table)
    parts = [summarized(block) for block in blocks_of(table, sizes)]
    merged = TableSummary()
    for i in order:
        if i < len(parts):
            plain, arrays = parts[i].to_state()
            merged.merge(TableSummary.from_state(json.loads(json.dumps(plain)), arrays))
    assert merged.n_rows == whole.n_rows == n
    for name, column in whole.counted().columns.items():
        found = merged.counted().columns[name]
        assert (found.levels, found.storage, found.categorical) == (column.levels, column.storage, column.categorical)
        for part in ("values", "counts", "rows", "level_values"):
            np.testing.assert_array_equal(getattr(found, part), getattr(column, part))


def many_levels(n=40_000):
    """Two columns of too many different texts for a small bound, and one of numbers for the sketch."""
    frequent, rare = RNG.integers(0, 30, n), RNG.integers(30, 15_000, n)
    codes = np.where(RNG.random(n) < 0.7, frequent, rare)
    texts = {"level": [f"level {code}" for code in codes], "id": [f"id {i}" for i in range(n)]}
    return read_table({**texts, "x": codes + 0.5})


@pytest.fixture
def small_bound(monkeypatch):
    """Summaries that keep 2,000 levels of a column."""
    monkeypatch.setattr(column_summary, "LevelCounts", lambda: LevelCounts(most=2000))


def test_of_too_many_levels_the_frequent_ones_are_learned(small_bound):
    table = many_levels()
    counted = summarized(table, [10_000] * 3, levels=["x"]).counted()
    assert {column.n_rows for column in counted.columns.values()} == {table.n_rows} == {counted.n_rows}
    with pytest.raises(ValueError, match="no column is left"):
        infer_kinds(counted.drop(["level", "x"]))
    kinds = {kind.name: kind for kind in infer_kinds(counted, {"x": "categorical"})}
    assert kinds["id"].detail == "dropped: 40000 different texts in 40000 rows"
    assert kinds["level"].kind == kinds["x"].kind == "categorical"
    preparation = fit_preparation(counted, list(kinds.values()))
    everything = fit_preparation(table, infer_kinds(table, {"x": "categorical"}))
    assert {f"level {code}" for code in range(30)} <= set(preparation.encoders[0].levels)
    assert {f"{code}.5" for code in range(30)} <= set(preparation.encoders[1].levels)
    for reference, exact in zip(preparation.references, everything.references, strict=True):
        assert reference.n_rows == exact.n_rows
        assert reference.expected == pytest.approx(exact.expected, rel=0.2)
    assert Preparation.from_dict(json.loads(json.dumps(preparation.to_dict()))) == preparation


def test_levels_that_were_not_kept_do_not_count_as_new(small_bound):
    table = many_levels()
    counted = summarized(table, [10_000] * 3).counted().drop(["id", "x"])
    preparation = fit_preparation(counted, infer_kinds(counted))
    (same,) = preparation.compare(table)
    assert same.unseen <= 0.02
    (new,) = preparation.compare(read_table({"level": [f"new {i}" for i in range(20_000)]}))
    assert new.unseen == pytest.approx(1, abs=0.3)


def test_too_many_numbers_to_know_all_are_still_a_quantity_or_an_identifier():
    n = 100_000
    rows = RNG.permutation(n)
    table = read_table({"row": rows, "x": RNG.standard_normal(n), "some": RNG.integers(0, 10**9, n) // 10 * 10})
    counted = summarized(table, [30_000] * 3).counted()
    summary = summarized(table, [30_000] * 3)
    assert 0 < summary.errors["x"] < 0.001
    kinds = infer_kinds(counted)
    assert [kind.kind for kind in kinds] == ["identifier", "numeric", "numeric"]
    preparation = fit_preparation(counted, kinds)
    exact = fit_preparation(table, infer_kinds(table))
    for found, expected in zip(preparation.encoders, exact.encoders, strict=True):
        np.testing.assert_allclose(found.scaling.spreads, expected.scaling.spreads, rtol=0.01)
    for found, expected in zip(preparation.references, exact.references, strict=True):
        assert (found.n_rows, found.lowest, found.highest) == (n, expected.lowest, expected.highest)
        np.testing.assert_allclose(found.counts, expected.counts, atol=0.002 * n)
    with pytest.raises(ValueError, match=r"the numbers of column 'x' must be counted as levels"):
        fit_preparation(counted, infer_kinds(counted, {"x": "categorical"}))


def test_a_target_of_too_many_classes_is_refused(small_bound):
    column = summarized(many_levels()).counted().columns["level"]
    with pytest.raises(TableError, match=r"target 'level' has about .* classes, more than are counted"):
        fit_target(column)


def test_several_targets_are_read_block_by_block():
    table = read_table({"a": np.arange(60) / 4, "b": [f"1.{i:03d},5" for i in range(60)]})
    columns = list(summarized(table, [20, 20]).counted().columns.values())
    target = fit_targets(columns)
    assert (target.name, target.task) == ("a, b", "regression")
    block = [column.take(np.arange(3)) for column in table.columns.values()]
    assert target.read(block).tolist() == [[0.0, 1000.5], [0.25, 1001.5], [0.5, 1002.5]]
    assert target.read([block[0], read_table({"b": ["1.000"] * 3}).columns["b"]])[:, 1].tolist() == [1000.0] * 3


def test_errors_name_the_first_row():
    table = read_table({"y": [*np.arange(40.0), np.nan, 3.0, np.nan], "z": [1.5, np.inf, 2.0] * 14 + [np.inf]})
    counted = summarized(table, [10]).counted()
    with pytest.raises(TableError, match=r"'y' is missing in rows 41, \.\.\. \(2 in all\) \(the first row is 1"):
        fit_target(counted.columns["y"])
    with pytest.raises(TableError, match=r"'z' is infinite in rows 2, \.\.\. \(15 in all\)"):
        fit_target(counted.columns["z"])


def test_blocks_of_other_columns_or_kinds_are_refused():
    summary = summarized(read_table({"a": [1.5, 2.5], "b": ["x", "y"]}))
    with pytest.raises(TableError, match="a part of the table has the columns 'a'; the parts before have 'a', 'b'"):
        summary.add(read_table({"a": [1.5]}))
    with pytest.raises(TableError, match="column 'b' holds numbers in rows from 3 on, but texts in others"):
        summary.add(read_table({"a": [1.5], "b": [3]}))
    with pytest.raises(TableError, match="column 'b' holds numbers in rows from 1 on, but texts in others"):
        summary.merge(summarized(read_table({"a": [1.5], "b": [3]})))
    with pytest.raises(ValueError, match="do not count the same columns as levels"):
        summary.merge(TableSummary(["a"]))


def test_columns_that_are_left_out_may_hold_anything():
    blocks = [{"a": [1.5, 2.5], "b": ["x", None]}, {"a": [3.5, 4.5], "b": [1, 2]}]
    summary = TableSummary(ignored=["b"])
    for block in blocks:
        summary.add(read_table(block))
    sent = TableSummary.from_state(*summary.to_state())
    sent.merge(TableSummary(ignored=["b"]))
    whole = read_table({name: [cell for block in blocks for cell in block[name]] for name in "ab"})
    assert infer_kinds(sent.counted(), {"b": "ignored"}) == infer_kinds(whole, {"b": "ignored"})


def test_blocks_without_cells_and_columns_that_cannot_be_read():
    blocks = [{"a": [None, None], "b": [1, 2]}, {"a": ["x", "y"], "b": [None, None]}, {"a": [None, "x"], "b": [1.5, 2]}]
    summary = TableSummary()
    for block in blocks:
        summary.add(read_table(block))
    whole = read_table({name: [cell for block in blocks for cell in block[name]] for name in "ab"})
    assert infer_kinds(summary.counted()) == infer_kinds(whole)
    assert summary.counted().columns["a"].rows.tolist() == [2, 3, 0]
    unread = summarized(read_table({"a": [1.5, 2.5], "c": [[1], [2]]}))
    assert [kind.kind for kind in infer_kinds(unread.counted(), {"c": "ignored"})] == ["numeric", "ignored"]
    with pytest.raises(TableError, match="column 'c' holds list values"):
        infer_kinds(unread.counted())


@pytest.mark.parametrize(
    "change",
    [{"n_rows": 5}, {"columns": [{}]}, {"uses": {"a": "levels"}}, {"uses": 3}, {"n_rows": -1}, {"columns": None}],
)
def test_a_state_that_does_not_fit_together_is_refused(change):
    plain, arrays = summarized(read_table({"a": [1.5, 2.5], "b": ["x", "y"]})).to_state()
    assert TableSummary.from_state(plain, arrays).counted().n_rows == 2
    with pytest.raises(ValueError, match="the state of a summary is not of the known form"):
        TableSummary.from_state(plain | change, arrays)


def test_what_is_said_of_counted_columns_counts_rows():
    prices = [f"{i}.50" for i in range(300)]
    columns = {
        "infinite": [np.inf, -np.inf, np.inf, *np.arange(17.0)] * 15,
        "few codes": [1, 5, 7, 100] * 75,
        "truth": [True, False, True] * 100,
        "typing errors": [*prices[:290], *["cheap", "dear"] * 5],
    }
    table = read_table(columns)
    counted = summarized(table, [70, 70]).counted()
    assert learned(counted, {}) == learned(table, {})
    details = " ".join(f"{kind.detail} {kind.check}" for kind in infer_kinds(counted))
    for said in ("45 infinite", "integers of 4 values", "66.7% true", "'cheap' and 'dear' in 10 rows"):
        assert said in details
    for name in ("few codes", "truth"):
        assert target_facts(fit_target(counted[name])) == target_facts(fit_target(table[name]))


@pytest.mark.parametrize("n_wrong", [5, 30])
def test_cells_that_are_no_numbers_are_named_by_their_first_row(n_wrong):
    words = [f"word {i % n_wrong}" for i in range(200)]
    table = read_table({"x": [*(f"{i},5" for i in range(60)), *words, *(f"{i},5" for i in range(40))]})
    counted = summarized(table, [64, 100]).counted()
    expected, found = (outcome(infer_kinds, part, {"x": "numeric"}) for part in (table, counted))
    assert found == expected
    assert ("row 61 says 'word 0'" in str(found)) == (n_wrong == 30)


def test_a_target_of_numbers_that_may_be_classes_is_asked_about():
    table = read_table({"y": [0.0, 1.0, 2.0] * 30})
    counted = summarized(table, [40]).counted()
    assert fit_target(counted["y"]).check == fit_target(table["y"]).check != ""


@pytest.mark.long
@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_the_blocks_of_a_file_teach_what_the_file_teaches(form, tmp_path):
    arrow = pytest.importorskip("pyarrow")
    csv, parquet = pytest.importorskip("pyarrow.csv"), pytest.importorskip("pyarrow.parquet")
    n = BLOCK_ROWS + 5000
    columns = {
        "number": RNG.integers(0, 9999, n) / 8,
        "integer": arrow.array([None if i % 50 == 0 else i % 77 for i in range(n)]),
        "row": np.arange(n),
        "category": arrow.array(RNG.choice(["b", "a", "c"], n)).dictionary_encode(),
        "coded": arrow.array(RNG.integers(0, 12, n)).dictionary_encode(),
        "truth": RNG.random(n) < 0.5,
        "day": np.datetime64("2020-01-01") + RNG.integers(0, 2000, n),
        "price": arrow.array([f"{i % 3000},5" for i in range(n)]),
        "large": arrow.array(2**60 + RNG.integers(0, 50, n)),
        "words": arrow.array([f"the cat {i % 90} sat on {i % 7}" for i in range(n)]),
    }
    path = tmp_path / f"rows.{form}"
    (parquet.write_table if form == "parquet" else csv.write_csv)(arrow.table(columns), path)
    overrides = {"integer": "categorical"}
    stream = open_stream(path, window=1000, text=["integer"])
    summary = TableSummary(["integer"])
    for block in stream.blocks(text=["integer"]):
        summary.add(block)
    assert learned(summary.counted(), overrides) == learned(read_table(path, text=["integer"]), overrides)
