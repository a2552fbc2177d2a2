"""Summaries of tables, block by block: counted columns teach what the table in memory teaches."""

import json
import re
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from rosenblatt.tables.kinds import infer_kinds
from rosenblatt.tables.preparation import fit_preparation
from rosenblatt.tables.readers.reading import read_table
from rosenblatt.tables.summary import TableSummary
from rosenblatt.tables.table import Table, TableError
from rosenblatt.tables.targets import fit_target

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
    "numbers": st.floats(allow_nan=False, width=32),
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


@settings(max_examples=40, deadline=None)
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
