"""Notes on dates and ids: rows may belong together, or come one after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from rosenblatt.tables import TabularTask

N = 240
RNG = np.random.default_rng(0)
TABLE: dict[str, Any] = {"x": RNG.normal(size=N), "y": RNG.permutation(np.tile(["no", "yes"], N // 2))}
GROUP = RNG.permutation(np.arange(N) // 6)


def note(name: str, cells: Any, **given: Any) -> str:
    return TabularTask.of({**TABLE, name: cells}, "y", **given).kinds[1].check


HINTED: dict[str, tuple[str, Any]] = {
    "codes": ("a", [f"C{g:04}" for g in GROUP]),
    "numbers called an id": ("customerId", 5000 + 7 * GROUP),
    "names of customers": ("customer", [f"{'abcdefgh'[g % 8]} {'klmnopqr'[g // 8]}" for g in GROUP]),
    "digits with zeros": ("a", [f"{g:06}" for g in GROUP]),
    "hexadecimal": ("a", [f"{g * 99991:08x}" for g in GROUP]),
}


@pytest.mark.parametrize(("name", "cells"), HINTED.values(), ids=HINTED)
def test_an_id_of_groups_is_noted_until_it_is_settled(name: str, cells: Any) -> None:
    assert f"40 groups with 6 rows each: if the rows to predict will be of new groups, say groups={name!r}" in note(
        name, cells
    )
    assert TabularTask.of({**TABLE, name: cells}, "y", groups=name).kinds[0].check == ""
    assert "groups=" not in note(name, cells, kinds={name: "categorical"})


PLAIN: dict[str, tuple[str, Any]] = {
    "ages": ("age", 20 + GROUP),
    "few levels": ("a", [f"C{g % 10:04}" for g in GROUP]),
    "many rows each": ("id", np.arange(N) % 4),
    "words": ("town", [f"{'abcdefgh'[g % 8]} {'klmnopqr'[g // 8]}" for g in GROUP]),
    "numbers with decimals": ("customer", GROUP + 0.5),
}


@pytest.mark.parametrize(("name", "cells"), PLAIN.values(), ids=PLAIN)
def test_other_columns_are_not_noted(name: str, cells: Any) -> None:
    assert "groups=" not in note(name, cells)


@pytest.mark.parametrize("as_text", [False, True])
def test_dates_are_noted_unless_the_time_is_given(as_text: bool) -> None:
    days = pd.date_range("2024-01-01", periods=N)
    cells = days.strftime("%Y-%m-%d").tolist() if as_text else days
    assert "column 'day' holds dates: if the rows to predict will be later ones, say time='day'" in note("day", cells)
    task = TabularTask.of({**TABLE, "day": cells, "made": days}, "y", time="day")
    assert [kind.check for kind in task.kinds] == ["", ""]
