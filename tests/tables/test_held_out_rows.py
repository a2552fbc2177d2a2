"""Which rows of a table beyond memory are held out; the oracles sort the hashes of all rows at once."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rosenblatt.tables.held_out_rows import (
    MAX_HELD_OUT,
    GroupChoice,
    GroupCounts,
    HashChoice,
    LaterChoice,
    begin_choice,
    repeats_by_nature,
    rows_wanted,
    settled,
    start_of_latest,
)
from rosenblatt.tables.readers.reading import read_table
from rosenblatt.tables.row_hashes import hash_cells, hash_numbers, hash_rows
from rosenblatt.tables.splits import split_rows
from rosenblatt.tables.table import Column, Table, TableError

RNG = np.random.default_rng(0)


def table(n, n_different=None):
    different = RNG.permutation(n if n_different is None else np.arange(n) % n_different)
    words = np.array([f"word {i}" for i in range(n)], object)
    columns = {"number": different * 1.5, "text": words[different], "odd": different % 2 == 1}
    return read_table(columns)


def blocks(whole, size):
    for start in range(0, whole.n_rows, size):
        yield whole.take(np.arange(start, min(start + size, whole.n_rows)))


def held_of(whole, size, names=("number", "text", "odd")):
    """The rows that are held out, block by block, as a pass finds them."""
    choice = begin_choice(whole.n_rows, names)
    hashes = np.concatenate([choice.hashes_of(block) for block in blocks(whole, size)])
    below = hashes < np.uint64(choice.limit)
    choice = settled(choice, hashes[below], whole.n_rows)
    return np.concatenate([choice.holds(block) for block in blocks(whole, size)])


def test_the_rows_with_the_smallest_hashes_are_held_out():
    whole = table(5000)
    hashes = hash_rows(whole, ["number", "text", "odd"])
    smallest = np.zeros(5000, bool)
    smallest[np.argsort(hashes)[:1000]] = True
    for size in (70, 1024, 5000):
        np.testing.assert_array_equal(held_of(whole, size), smallest)
    np.testing.assert_array_equal(held_of(whole.take(np.arange(200)), 1), held_of(whole.take(np.arange(200)), 200))


def test_copies_are_on_one_side():
    whole = table(4000, 500)
    held = held_of(whole, 333)
    numbers = whole["number"].values
    assert not np.intersect1d(numbers[held], numbers[~held]).size
    assert 700 <= held.sum() <= 800  # eight copies of each row: the last ones that do not fit train


@pytest.mark.parametrize(("n_rows", "wanted"), [(0, 0), (4, 0), (5, 1), (1001, 200), (10**7, MAX_HELD_OUT)])
def test_a_fifth_of_the_rows_is_held_out_at_most(n_rows, wanted):
    assert rows_wanted(n_rows) == wanted


def test_the_first_limit_is_hardly_ever_too_low_or_far_too_high():
    for n_rows in (500, 10**4, 10**6, 4 * 10**7):
        limit = begin_choice(n_rows).limit / 2**64
        wanted = rows_wanted(n_rows)
        assert 3.9 * np.sqrt(wanted) < limit * n_rows - wanted < 4.1 * np.sqrt(wanted) + 5
    assert begin_choice(6).limit == 2**63


def test_rows_that_repeat_by_nature_are_found_and_told_apart_by_their_numbers():
    whole = read_table({"a": RNG.integers(0, 2, 3000), "b": RNG.integers(0, 2, 3000)})
    choice = begin_choice(3000, ("a", "b"))
    hashes = choice.hashes_of(whole)
    assert repeats_by_nature(choice, hashes[hashes < np.uint64(choice.limit)], 3000)
    by_number = begin_choice(3000)
    found = by_number.hashes_of(whole)
    below = found[found < np.uint64(by_number.limit)]
    assert not repeats_by_nature(by_number, below, 3000)
    held = settled(by_number, below, 3000).holds(whole)
    np.testing.assert_array_equal(np.flatnonzero(held), np.sort(np.argsort(hash_numbers(np.arange(3000)))[:600]))
    assert not repeats_by_nature(choice, np.arange(choice.limit * 3000 >> 64, dtype=np.uint64), 3000)
    assert repeats_by_nature(choice, np.arange(10**4, dtype=np.uint64), 3000)


def test_a_hash_is_that_of_the_value_wherever_and_however_it_is_stored():
    texts = Column("c", "text", np.array([1, 0, -1, 1], np.int32), ("b", "a"))
    others = Column("c", "text", np.array([0, 2, -1, 0], np.int32), ("a", "z", "b"), np.arange(7, 11))
    np.testing.assert_array_equal(hash_cells(texts), hash_cells(others))
    whole, decimal = (Column("c", kind, np.array([0.0, 3, np.nan])) for kind in ("integer", "number"))
    np.testing.assert_array_equal(hash_cells(whole), hash_cells(decimal))
    assert hash_cells(Column("c", "number", np.array([-0.0])))[0] == hash_cells(whole)[0]
    assert hash_cells(texts)[2] == hash_cells(whole)[2]
    other = Column("d", "integer", whole.values)
    assert len({*hash_cells(texts).tolist(), *hash_cells(whole).tolist(), *hash_cells(other)[:1].tolist()}) == 6
    row = Table({"a": whole, "b": Column("b", "number", np.array([1.0, 2, 3]))}, 3)
    np.testing.assert_array_equal(hash_rows(row, ["a", "b"]), hash_rows(row, ["b", "a"]))


def test_hashes_are_uniform():
    whole = table(20_000)
    for hashes in (hash_rows(whole, ["text"]), hash_rows(whole, ["number", "odd"]), hash_numbers(np.arange(20_000))):
        counts = np.bincount((hashes >> np.uint64(60)).astype(int), minlength=16)
        assert ((counts - 1250) ** 2 / 1250).sum() < 45  # chi squared of 15 degrees: 0.9999


# Groups ---------------------------------------------------------------------------------------------------------------


def counted(hashes, size):
    counts = GroupCounts()
    for start in range(0, len(hashes), size):
        counts.add(hashes[start : start + size])
    return counts


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 60), min_size=2, max_size=40), st.integers(1, 500))
def test_groups_are_held_out_in_the_order_of_their_hashes_as_long_as_they_fit(sizes, block):
    codes = RNG.permutation(np.repeat(np.arange(len(sizes)), sizes))
    whole = read_table({"g": codes})
    hashes = hash_cells(whole["g"])
    found = counted(hashes, block)
    held = found.choice("g").holds(whole)
    left, expected = len(codes) // 5, []
    for group in sorted(set(codes.tolist()), key=lambda g: hashes[codes == g][0]):
        if sizes[group] <= left:
            expected.append(group)
            left -= sizes[group]
    if not expected:
        assert len(set(codes[held].tolist())) == 1
        assert held.sum() == min(sizes)
    else:
        assert set(codes[held].tolist()) == set(expected)
    assert not set(codes[held].tolist()) & set(codes[~held].tolist())
    assert found.n_groups == len(sizes)


def test_a_group_with_most_rows_trains():
    for name in "abcdefgh":  # one of them has the smallest hash
        groups = np.array([name] * 800 + [f"{i} of {name}" for i in range(200)], object)
        held = counted(hash_cells(read_table({"g": groups})["g"]), 64).choice("g").holds(read_table({"g": groups}))
        assert held.sum() == 200
        assert not held[:800].any()


def test_the_counts_of_groups_with_small_hashes_are_exact_however_many_there_are(monkeypatch):
    monkeypatch.setattr("rosenblatt.tables.held_out_rows.MAX_COUNTED", 100)
    hashes = hash_numbers(RNG.integers(0, 3000, 20_000))
    found = counted(hashes, 777)
    distinct, counts = np.unique(hashes, return_counts=True)
    np.testing.assert_array_equal(found.hashes, distinct[:100])
    np.testing.assert_array_equal(found.counts, counts[:100])
    assert abs(found.n_groups / len(distinct) - 1) < 0.3


def test_groups_of_which_none_fits_into_memory_are_refused(monkeypatch):
    monkeypatch.setattr("rosenblatt.tables.held_out_rows.MAX_LATEST", 10)
    counts = counted(hash_numbers(np.arange(60) % 2), 60)
    with pytest.raises(TableError, match=r"'shop'\) has 2 values, the rarest of which has 30 rows: too many"):
        counts.choice("shop")


# Time -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_times", [2, 5, 60, 10**6])
def test_the_latest_rows_are_those_that_a_split_in_memory_holds_out(n_times):
    times = RNG.integers(0, n_times, 2000).astype(float)
    distinct, counts = np.unique(times, return_counts=True)
    since = start_of_latest(distinct, counts, "time")
    choice = LaterChoice(lambda block: block["t"].values, since)
    expected = split_rows(2000, 0.2, 0, times=times)[1]
    np.testing.assert_array_equal(np.flatnonzero(choice.holds(read_table({"t": times}))), expected)


def test_latest_rows_that_do_not_fit_into_memory(monkeypatch):
    monkeypatch.setattr("rosenblatt.tables.held_out_rows.MAX_LATEST", 100)
    times = np.arange(5.0)
    assert start_of_latest(times, np.array([1000, 500, 150, 60, 30]), "time") == 3
    with pytest.raises(TableError, match=r"the latest time is that of 101 rows: too many to hold out"):
        start_of_latest(times, np.array([1000, 500, 150, 60, 101]), "time")
    with pytest.raises(TableError, match="no row is later than another"):
        start_of_latest(np.zeros(1), np.ones(1, np.int64), "time")


def test_equal_rows_have_equal_hashes_by_every_choice():
    whole = read_table({"g": ["x", "y", "x"], "t": [1.0, 2.0, 1.0]})
    choices = [HashChoice(9, ("g",)), GroupChoice("g", np.empty(0, np.uint64)), LaterChoice(lambda b: b["t"].values, 2)]
    for choice in choices:
        first, second, third = choice.hashes_of(whole).tolist()
        assert first == third != second
    numbers = HashChoice(9).hashes_of(whole).tolist()
    assert len(set(numbers)) == 3
    assert HashChoice(9).hashes_of(whole.take(np.array([2]))).tolist() == numbers[2:]
