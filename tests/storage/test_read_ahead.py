"""Reading ahead: order, errors, and no thread that is left."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from rosenblatt.storage.read_ahead import ReadAhead


def test_items_come_in_their_order_and_each_iteration_makes_them_again() -> None:
    ahead = ReadAhead(range(100))
    assert [*ahead] == [*ahead] == [*range(100)]
    assert [*ReadAhead([])] == []


def test_the_next_item_is_made_while_one_is_worked_on_and_no_further_one() -> None:
    made, second = list[int](), threading.Event()

    def items() -> Iterator[int]:
        for i in range(4):
            made.append(i)
            if i == 1:
                second.set()
            yield i

    for i in ReadAhead(items()):
        assert second.wait(10)
        assert made == [*range(len(made))]
        assert len(made) <= i + 2
    assert made == [0, 1, 2, 3]


def test_an_error_of_the_iterable_is_raised_after_the_items_before_it() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise OSError("the disk is gone")

    ahead = iter(ReadAhead(items()))
    assert next(ahead) == 1
    with pytest.raises(OSError, match="the disk is gone"):
        next(ahead)


def test_who_stops_early_leaves_no_thread_and_no_open_generator() -> None:
    closed = []

    def items() -> Iterator[int]:
        try:
            yield from range(1000)
        finally:
            closed.append(True)

    before = threading.active_count()
    iteration = iter(ReadAhead(items()))
    assert next(iteration) == 0
    iteration.close()  # type: ignore[attr-defined]
    assert closed == [True]
    assert threading.active_count() == before


def test_the_time_of_making_counts_and_that_of_working_does_not() -> None:
    now = iter(range(100))

    def items() -> Iterator[int]:
        yield from range(3)

    ahead = ReadAhead(items())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rosenblatt.storage.read_ahead.perf_counter", lambda: float(next(now)))
        assert [*ahead] == [0, 1, 2]
    assert ahead.seconds == 4.0  # three items and the end, a tick each
