"""Weights, groups, times and ids: from arrays and from columns, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from rosenblatt.tables import TableError, TabularTask, read_table
from rosenblatt.tables.roles import Roles, assign_roles
from rosenblatt.tables.table import TableWarning

N = 60
RNG = np.random.default_rng(0)
SHOP = np.array([f"shop {i}" for i in np.arange(N) // 6])
DAY = pd.date_range("2024-03-01", periods=N).to_numpy()[RNG.permutation(N)]
TABLE: dict[str, Any] = {
    "x": RNG.normal(size=N),
    "shop": SHOP,
    "day": DAY,
    "w": RNG.uniform(1, 2, N),
    "ticket": np.arange(1000, 1000 + N),
    "y": np.tile(["no", "yes"], N // 2),
}


def spoilt(name: str, row: int, value: Any) -> dict[str, Any]:
    cells = list(TABLE[name])
    cells[row] = value
    return {**TABLE, name: cells}


def test_a_named_column_is_no_input_and_says_what_the_array_says() -> None:
    named = TabularTask.of(TABLE, "y", weights="w", groups="shop", id="ticket")
    arrays = TabularTask.of(TABLE, "y", weights=TABLE["w"], groups=SHOP)
    assert list(named.inputs.columns) == ["x", "day"]
    assert list(arrays.inputs.columns) == ["x", "shop", "day", "w", "ticket"]
    np.testing.assert_array_equal(named.groups, np.unique(SHOP, return_inverse=True)[1])
    np.testing.assert_array_equal(named.groups, arrays.groups)
    np.testing.assert_array_equal(named.weights, arrays.weights)
    assert named.ids is not None
    assert named.ids["ticket"].values.tolist() == TABLE["ticket"].tolist()


@pytest.mark.parametrize(
    "groups",
    [
        SHOP.tolist(),
        SHOP.astype(object),
        pd.Series(SHOP, index=range(5, 5 + N)),
        np.arange(N) // 6,
        DAY[np.arange(N) // 6],
    ],
    ids=["list", "objects", "series", "integers", "dates"],
)
def test_groups_of_any_type_keep_the_same_rows_together(groups: Any) -> None:
    found = TabularTask.of(TABLE, "y", groups=groups).groups
    assert found is not None
    same = found[:, None] == found[None, :]
    np.testing.assert_array_equal(same, SHOP[:, None] == SHOP[None, :])


@pytest.mark.parametrize(
    "time",
    [
        DAY,
        DAY.astype(str),
        pd.Series(DAY),
        [str(day)[:10] for day in DAY],
        pd.DatetimeIndex(DAY).strftime("%d %b %Y"),
        DAY.astype("int64").tolist(),
    ],
    ids=["dates", "texts", "series", "short texts", "written months", "integers"],
)
def test_times_of_any_type_have_the_order_of_the_dates(time: Any) -> None:
    found = TabularTask.of(TABLE, "y", time=time).times
    assert found is not None
    np.testing.assert_array_equal(np.argsort(found), np.argsort(DAY))


def test_rows_without_a_target_take_all_roles_with_them() -> None:
    table = spoilt("y", 7, None)
    table["y"][30] = None
    table["shop"] = np.where(np.arange(N) == 30, None, SHOP)  # which is then not looked at
    task = TabularTask.of(table, "y", weights="w", groups="shop", id="ticket", drop_missing_target=True)
    kept = np.delete(np.arange(N), [7, 30])
    assert (task.n_dropped, task.inputs.n_rows, task.target.values.shape) == (2, N - 2, (N - 2,))
    assert task.weights is not None
    assert task.groups is not None
    assert task.ids is not None
    np.testing.assert_array_equal(task.weights, TABLE["w"][kept])
    np.testing.assert_array_equal(task.groups, np.unique(SHOP[kept], return_inverse=True)[1])
    assert task.ids["ticket"].values.tolist() == TABLE["ticket"][kept].tolist()
    taken = task.take(np.array([7, 3]))
    assert taken.ids is not None
    assert taken.ids["ticket"].values.tolist() == [1008, 1003]
    np.testing.assert_array_equal(taken.groups, task.groups[[7, 3]])


def test_several_targets_are_dropped_where_one_is_missing() -> None:
    table = {"x": TABLE["x"], "a": TABLE["w"].copy(), "b": TABLE["x"] + 1}
    table["a"][2] = table["b"][5] = np.nan
    task = TabularTask.of(table, ["a", "b"], drop_missing_target=True)
    assert (task.n_dropped, task.target.values.shape) == (2, (N - 2, 2))
    with pytest.raises(TableError, match=r"'a' is missing in row 3 .*1 of 60 rows.*drop_missing_target=True"):
        TabularTask.of(table, ["a", "b"])


def test_ids_are_kept_as_a_file_writes_them(tmp_path: Any) -> None:
    file = tmp_path / "table.csv"
    lines = [f"{i:03}.10,{i % 5},{i % 2}" for i in range(30)]
    file.write_text("\n".join(["ticket,x,y", *lines]))
    ids = TabularTask.of(file, "y", id="ticket").ids
    assert ids is not None
    assert ids["ticket"].levels[:2] == ("000.10", "001.10")


def test_copies_in_two_groups_do_not_join_them() -> None:
    x = np.arange(N) * 1.0
    x[[0, 59]] = -1.0  # copies in two groups
    task = TabularTask.of({"x": x, "y": TABLE["y"]}, "y", groups=SHOP)
    assert task.copies is not None
    assert task.together is task.groups
    for part in task.split(0.3, 0):
        assert part.groups is not None
    training, held_out = task.split(0.3, 0)
    assert not {*training.groups} & {*held_out.groups}  # type: ignore[misc]


def test_the_latest_rows_are_held_out() -> None:
    task = TabularTask.of(TABLE, "y", time="day")
    training, held_out = task.split(0.25, 0)
    assert training.times is not None
    assert held_out.times is not None
    assert (len(held_out.times), training.times.max() < held_out.times.min()) == (15, True)


def test_what_a_score_measures_is_said() -> None:
    found = [TabularTask.of(TABLE, "y", **given).score_on for given in ({}, {"groups": "shop"}, {"time": "day"})]
    assert found == ["on rows not seen in training", "on groups not seen in training", "on later rows"]


def test_a_column_to_ignore_may_have_a_role() -> None:
    assert "shop" not in TabularTask.of(TABLE, "y", ignore=["shop", "day"], groups="shop").inputs.columns


REFUSED: dict[str, tuple[Any, dict[str, Any], str]] = {
    "no such column": (TABLE, {"groups": "shpo"}, r"groups names a column 'shpo'.*mean 'shop'"),
    "no such id": (TABLE, {"id": ["x", "tickte"]}, r"id names a column 'tickte'.*mean 'ticket'"),
    "id of arrays": (TABLE, {"id": np.arange(N)}, r"id is .*name of a column, or a list"),
    "the target as group": (TABLE, {"groups": "y"}, r"groups names the target 'y'"),
    "the target as id": (TABLE, {"id": "y"}, r"id names the target 'y'"),
    "two roles": (TABLE, {"groups": "w", "weights": "w"}, r"sample_weight and groups both name the column 'w'"),
    "weights as id": (TABLE, {"id": "w", "weights": "w"}, r"sample_weight and id both name the column 'w'"),
    "a kind": (TABLE, {"time": "day", "kinds": {"day": "text"}}, r"kinds says that 'day' is text, but time"),
    "groups and time": (TABLE, {"groups": "shop", "time": "day"}, r"groups and time are both given"),
    "too short": (TABLE, {"groups": SHOP[1:]}, r"X has 60 rows, but groups has 59"),
    "a matrix": (TABLE, {"time": np.ones((N, 1))}, r"time has shape \(60, 1\).*shape \(60,\)"),
    "a number": (TABLE, {"time": 3.5}, r"time is 3.5; it must be an array of shape \(60,\), or the name"),
    "a set": (TABLE, {"groups": {*SHOP}}, r"groups is .*it must be an array"),
    "no group": (spoilt("shop", 4, None), {"groups": "shop"}, r"groups \(column 'shop'\) is missing in row 5 "),
    "no time": (spoilt("day", 4, None), {"time": "day"}, r"time \(column 'day'\) is missing in row 5 "),
    "no group in an array": (TABLE, {"groups": [None, *SHOP[1:]]}, r"groups is missing in row 1 "),
    "one group": (TABLE, {"groups": ["a"] * N}, r"groups is 'a' in every row"),
    "one time": (TABLE, {"time": ["2024-01-01"] * N}, r"time is 2024-01-01 in every row"),
    "one number as time": (TABLE, {"time": np.full(N, 5)}, r"time is 5 in every row"),
    "an endless time": (TABLE, {"time": np.append(np.arange(N - 1.0), np.inf)}, r"time is infinite in row 60 "),
    "words as time": (TABLE, {"time": ["soon", *DAY.astype(str)[1:]]}, r"dates or numbers, but row 1 says 'soon'"),
    "words alone as time": (TABLE, {"time": "shop"}, r"dates or numbers, but row 1 says 'shop 0'"),
    "Booleans as time": (TABLE, {"time": np.arange(N) > 5}, r"time holds Booleans"),
    "a negative weight": (spoilt("w", 9, -1), {"weights": "w"}, r"'w'\) is -1 in row 10 "),
    "an endless weight": (spoilt("w", 9, np.inf), {"weights": "w"}, r"'w'\) is inf in row 10 "),
    "no weight": (spoilt("w", 9, None), {"weights": "w"}, r"sample_weight \(column 'w'\) is missing in row 10 "),
    "words as weights": (TABLE, {"weights": "shop"}, r"'shop'\) must hold numbers, but row 1 says 'shop 0'"),
    "dates as weights": (TABLE, {"weights": "day"}, r"'day'\) holds dates; weights are numbers"),
    "weights of zero": ({**TABLE, "w": np.zeros(N)}, {"weights": "w"}, r"sample_weight is zero in all rows"),
    "no input": (
        {"y": TABLE["y"], "w": TABLE["w"]},
        {"weights": "w"},
        r"no column but the target 'y' and those of sam",
    ),
    "no target": ({**TABLE, "y": [None] * N}, {"drop_missing_target": True}, r"'y' is missing in every row"),
    "no target, kept": (spoilt("y", 9, None), {}, r"'y' is missing in row 10 .*drop_missing_target=True"),
    "neither yes nor no": (
        TABLE,
        {"drop_missing_target": "yes"},
        r"drop_missing_target is 'yes'; it must be True or F",
    ),
}


@pytest.mark.parametrize(("table", "given", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_a_role_is_refused(table: Any, given: dict[str, Any], message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        TabularTask.of(table, "y", **given)


FORGED: dict[str, tuple[dict[str, Any], str]] = {
    "groups of another length": ({"groups": np.arange(3)}, r"groups is an array of int64 with shape \(3,\)"),
    "groups of text": ({"groups": SHOP}, "it must hold integers, one for each of the 60 rows"),
    "times of text": ({"times": SHOP}, "it must hold finite numbers"),
    "times without a value": ({"times": np.full(N, np.nan)}, "it must hold finite numbers"),
    "both": ({"times": np.arange(N), "groups": np.arange(N)}, "groups and time are both given"),
    "ids of another length": ({"ids": read_table({"a": [1, 2]})}, "inputs has 60 rows, but ids has 2"),
}


@pytest.mark.parametrize(("fields", "message"), FORGED.values(), ids=FORGED)
def test_a_task_checks_its_fields(fields: dict[str, Any], message: str) -> None:
    task = TabularTask.of(TABLE, "y")
    with pytest.raises(ValueError, match=message):
        TabularTask(task.inputs, task.target, **fields)


def test_ids_that_repeat_are_told_with_what_to_do() -> None:
    with pytest.warns(
        TableWarning, match=r"id \('shop'\) repeats: 60 of 60 rows .* rows 1, 2, 3, 4, 5, .*say groups='shop'"
    ):
        TabularTask.of(TABLE, "y", id="shop")
    with pytest.warns(TableWarning, match=r"give their groups by groups="):
        TabularTask.of({**TABLE, "part": np.arange(N) % 3}, "y", id=["shop", "part"])
    TabularTask.of(TABLE, "y", id="shop", groups="shop")
    TabularTask.of({**TABLE, "part": np.arange(N)}, "y", id=["shop", "part"])
    TabularTask.of(spoilt("ticket", 3, None), "y", id="ticket")


def test_groups_of_one_row_each_and_dates_of_doubtful_order_are_told() -> None:
    with pytest.warns(TableWarning, match=r"groups \(column 'ticket'\) differs in every row"):
        TabularTask.of(TABLE, "y", groups="ticket")
    days = [f"{1 + i % 12:02}/{1 + i % 11:02}/2024" for i in range(N)]
    with pytest.warns(TableWarning, match=r"time: .*the day is taken to come first"):
        TabularTask.of(TABLE, "y", time=days)


def test_the_resolver_leaves_a_table_without_roles_as_it_is() -> None:
    table = read_table(TABLE)
    inputs, fields = assign_roles(table, Roles())
    assert inputs.columns == table.columns
    assert all(value is None for value in fields.values())
