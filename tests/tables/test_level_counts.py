"""Levels with counts: all of them up to a bound, then a sample in which the frequent ones are for certain."""

import json
from decimal import Decimal

import numpy as np
import pytest

from rosenblatt.tables.joining import with_level_values
from rosenblatt.tables.level_counts import LevelCounts, own_values
from rosenblatt.tables.table import Column

RNG = np.random.default_rng(0)
FREQUENT = 20
CODES = np.where(RNG.random(40_000) < 0.5, RNG.integers(0, FREQUENT, 40_000), RNG.integers(FREQUENT, 10_000, 40_000))
TEXTS = [f"level {code}" for code in range(10_000)]
ROWS = np.arange(len(CODES))


def counts_of(rows, most=2**18, most_bytes=2**25):
    counts = LevelCounts(most, most_bytes)
    for part in np.array_split(rows, max(1, len(rows) // 3000)):
        counts.add(TEXTS, CODES[part], part)
    return counts


def test_few_levels_are_counted_in_the_order_of_their_first_rows():
    found = counts_of(RNG.permutation(ROWS)).levels()
    distinct, first, counts = np.unique(CODES, return_index=True, return_counts=True)
    order = np.argsort(first)
    assert found.unlisted is None
    assert list(found.texts) == [TEXTS[code] for code in distinct[order]]
    np.testing.assert_array_equal(found.rows, first[order])
    np.testing.assert_array_equal(found.counts, counts[order])


@pytest.mark.parametrize(("most", "most_bytes"), [(1000, 2**25), (2**18, 10_000)])
def test_of_many_levels_the_frequent_ones_stay(most, most_bytes):
    found = counts_of(ROWS, most, most_bytes).levels()
    counts = np.bincount(CODES)
    assert 500 < len(found.texts) <= min(most, 1100)
    assert sum(map(len, found.texts)) <= most_bytes
    kept = {text: int(n) for text, n in zip(found.texts, found.counts, strict=True)}
    for code in range(FREQUENT):
        assert 0.9 * counts[code] < kept[TEXTS[code]] <= counts[code]
    assert all(n <= counts[int(text.split()[1])] for text, n in kept.items())
    assert sum(kept.values()) + found.unlisted.n_rows == len(ROWS)
    assert found.unlisted.n_distinct == pytest.approx((counts > 0).sum(), rel=0.06)
    assert found.unlisted.n_once == pytest.approx((counts == 1).sum(), rel=0.2)
    assert len(found.unlisted.hashes) == 500


def test_which_levels_stay_depends_on_no_order():
    whole = counts_of(ROWS, 1000).levels()
    parts = [counts_of(part, 1000) for part in np.split(RNG.permutation(ROWS), [5, 700, 20_000])]
    for order in ([0, 1, 2, 3], [3, 1, 0, 2]):
        merged = LevelCounts(1000)
        for i in order:
            merged.merge(parts[i])
        found = merged.levels()
        assert set(found.texts) == set(whole.texts)
        assert found.unlisted.n_distinct == whole.unlisted.n_distinct
        assert found.unlisted.n_once == whole.unlisted.n_once
        assert found.unlisted.hashes == whole.unlisted.hashes


def test_reading_changes_nothing():
    read, unread = LevelCounts(1000), LevelCounts(1000)
    for part in np.array_split(ROWS, 50):
        for counts in (read, unread):
            counts.add(TEXTS, CODES[part], part)
        read.levels()
    assert read.levels().texts == unread.levels().texts
    np.testing.assert_array_equal(read.levels().counts, unread.levels().counts)


def test_identifiers_are_known_to_differ():
    counts = LevelCounts(1000)
    texts = [f"AB-{i:07d}" for i in range(20_000)]
    for part in np.split(np.arange(20_000), 10):
        counts.add([texts[i] for i in part], np.arange(2000), part)
    assert counts.levels().unlisted.n_distinct == counts.levels().unlisted.n_once == 20_000


@pytest.mark.parametrize("most", [1000, 2**18])
def test_counts_that_are_sent_go_on_as_those_at_home(most):
    home = counts_of(ROWS[:20_000], most)
    plain, arrays = home.to_state()
    sent = LevelCounts.from_state(json.loads(json.dumps(plain)), arrays)
    for counts in (home, sent):
        counts.add(TEXTS, CODES[20_000:], ROWS[20_000:])
    assert sent.levels().texts == home.levels().texts
    assert sent.levels().unlisted == home.levels().unlisted
    np.testing.assert_array_equal(sent.levels().counts, home.levels().counts)


VALUES = [
    np.array([1, 2, 2**60]),
    np.array([2**63, 2**64 - 1], np.uint64),
    np.array([0.1, np.inf]),
    np.array([True, False]),
    np.array(["2020-01-01", "2021-02-03"], "datetime64[D]"),
    np.array(["2020-01-01T00:00:01", "2021-02-03"], "datetime64[us]"),
    np.array([2**70, Decimal("0.1"), 1.5, "\udc80"], object),
]


@pytest.mark.parametrize("values", VALUES, ids=lambda values: str(values.dtype))
def test_levels_keep_their_own_type(values):
    counts = LevelCounts()
    counts.add([str(value) for value in values], np.arange(len(values)), np.arange(len(values)), own_values(values))
    plain, arrays = counts.to_state()
    sent = LevelCounts.from_state(json.loads(json.dumps(plain)), arrays)
    column = Column("x", "text", np.arange(len(values), dtype=np.int32), sent.levels().texts)
    found = with_level_values(column, sent.levels().values).level_values
    assert found.dtype == values.dtype
    assert found.tolist() == (sorted(values.tolist()) if values.dtype.kind == "b" else values.tolist())


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("counts", np.array([1, 0])),
        ("counts", np.array([1])),
        ("counts", np.array([9, 9])),
        ("lengths", np.array([1, 2])),
        ("lengths", np.array([-1, 3])),
        ("text", np.frombuffer(b"aa", np.uint8)),
        ("text", np.frombuffer(b"a\xff", np.uint8)),
        ("rows", None),
        ("values", ["a"]),
        ("values", [["int", "1"], ["code", "print()"]]),
        ("limit", -1),
        ("limit", 5),
        ("n_rows", "2"),
    ],
)
def test_a_state_that_does_not_fit_together_is_refused(name, part):
    counts = LevelCounts()
    counts.add(["a", "b"], np.arange(2), np.arange(2))
    plain, arrays = counts.to_state()
    assert LevelCounts.from_state(plain, arrays).levels().texts == ("a", "b")
    changed = {name: part} if name in arrays else {}
    with pytest.raises(ValueError, match="the state of a summary is not of the known form"):
        LevelCounts.from_state(plain | ({} if changed else {name: part}), arrays | changed)
