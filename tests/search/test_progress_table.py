"""The table of the best candidates."""

from __future__ import annotations

import io
import math
import time

import pytest
from rich.console import Console

from rosenblatt.search.halving import brackets
from rosenblatt.search.journal import Result
from rosenblatt.search.progress_table import ProgressTable


def board(terminal: bool, verbose: int = 1, end: float = math.inf) -> tuple[ProgressTable, io.StringIO]:
    text = io.StringIO()
    return ProgressTable(
        verbose, time.monotonic() - 10, end, Console(file=text, force_terminal=terminal, width=100)
    ), text


def fill(shown: ProgressTable) -> None:
    shown.plan(next(brackets(9, 9, 1, endless=False)), 3)
    shown.add(Result(0, 0, 1, [0.5]), {"alpha": 0.5})
    shown.add(Result(1, 0, 1, [0.25]), {"alpha": 0.25})
    shown.add(Result(2, 0, 1, [], "failed"), {"alpha": -1.0})
    shown.add(Result(1, 1, 3, [0.375]), {"alpha": 0.25})


def test_a_file_gets_a_line_for_each_new_best() -> None:
    shown, text = board(terminal=False)
    with shown:
        fill(shown)
    first, second = text.getvalue().splitlines()
    assert "best 0.5000 after 1 epochs: alpha=0.5" in first
    assert "3 candidates, 1 failed" in second
    assert "best 0.3750 after 3 epochs: alpha=0.25" in second


def test_a_terminal_gets_a_table_with_the_best_first() -> None:
    shown, text = board(terminal=True)
    with shown:
        fill(shown)
    lines = text.getvalue().splitlines()
    assert [" ".join(line.split()) for line in lines if "alpha" in line][-2:] == [
        "0.3750 3 alpha=0.25",
        "0.5000 1 alpha=0.5",
    ]


def test_long_parameters_leave_room_for_the_numbers() -> None:
    shown, text = board(terminal=True)
    with shown:
        shown.add(Result(0, 0, 12, [0.125]), {"hidden_layer_sizes": tuple(range(100))})
        shown.add(Result(1, 0, 12, [-0.0625]), {})
    lines = [" ".join(line.split()) for line in text.getvalue().splitlines()]
    assert any(line.startswith("0.1250 12 hidden_layer_sizes=(0, 1, 2") for line in lines)
    assert "-0.0625 12 as it is" in lines


def test_without_verbose_nothing_is_written() -> None:
    shown, text = board(terminal=True, verbose=0)
    with shown:
        fill(shown)
    assert text.getvalue() == ""


def test_remaining_time_is_by_epochs_and_by_the_budget() -> None:
    shown, _ = board(terminal=False, verbose=0)
    assert shown.seconds_left() == math.inf
    fill(shown)  # 5 of 9 + 3 * 2 + 1 * 6 epochs in ten seconds
    assert shown.seconds_left() == pytest.approx(10 * 16 / 5, rel=0.05)
    shown.end = time.monotonic() + 4
    assert shown.seconds_left() == pytest.approx(4, abs=0.5)
