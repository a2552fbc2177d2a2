"""Groups, times, weights, ids and missing targets: each door that takes tables refuses them in the same words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import rosenblatt
from rosenblatt import TabularClassifier, TabularRegressor
from rosenblatt.tables import TabularTask

N = 40
TABLE: dict[str, Any] = {
    "x": np.random.default_rng(0).normal(size=N),
    "shop": np.array([f"s{i}" for i in np.arange(N) // 4]),
    "day": np.arange(N).astype("datetime64[D]"),
    "w": np.linspace(1, 2, N),
    "y": np.random.default_rng(1).permutation(np.tile([0, 1], N // 2)),
}
KINDS: dict[str, Any] = {"classification": TabularClassifier, "regression": TabularRegressor}
SMALL: dict[str, Any] = {"members": 2, "max_iter": 2, "hidden_layer_sizes": (4,)}


def by_name(table: dict[str, Any], task: str, given: dict[str, Any]) -> Any:
    parameters = {name: given.pop(name) for name in ("ignore", "kinds") if name in given}
    return KINDS[task](**SMALL, **parameters).fit(table, "y", **given)


def beside(table: dict[str, Any], task: str, given: dict[str, Any]) -> Any:
    parameters = {name: given.pop(name) for name in ("ignore", "kinds") if name in given}
    inputs = {name: cells for name, cells in table.items() if name != "y"}
    return KINDS[task](**SMALL, **parameters).fit(inputs, table["y"], **given)


def by_learn(table: dict[str, Any], task: str, given: dict[str, Any]) -> Any:
    return rosenblatt.learn(table, "y", task=task, **SMALL, **given)


def by_task(table: dict[str, Any], task: str, given: dict[str, Any]) -> Any:
    weights = given.pop("sample_weight", None)
    return rosenblatt.learn(TabularTask.of(table, "y", task, weights=weights, **given), **SMALL)


DOORS: dict[str, Callable[..., Any]] = {"fit": by_name, "fit, y beside": beside, "learn": by_learn, "task": by_task}


def spoilt(name: str, value: Any) -> dict[str, Any]:
    cells = TABLE[name].tolist() if name != "day" else list(TABLE[name])
    cells[5] = value
    return {**TABLE, name: cells}


REFUSED: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "a misspelt group": (TABLE, {"groups": "shpo"}, "groups names a column 'shpo' that is not there.*mean 'shop'"),
    "a misspelt time": (TABLE, {"time": "dya"}, "time names a column 'dya' that is not there.*mean 'day'"),
    "a misspelt weight": (TABLE, {"sample_weight": "ww"}, "sample_weight names a column 'ww' that is not there"),
    "a misspelt id": (TABLE, {"id": ["shoop"]}, "id names a column 'shoop' that is not there.*mean 'shop'"),
    "groups too short": (TABLE, {"groups": [1, 2]}, "X has 40 rows, but groups has 2"),
    "times too short": (TABLE, {"time": [1, 2]}, "X has 40 rows, but time has 2"),
    "weights too short": (TABLE, {"sample_weight": [1, 2]}, r"sample_weight has shape \(2,\).*shape \(40,\)"),
    "groups of tuples": (TABLE, {"groups": [(1, 2)] * N}, "^groups must hold numbers, .*, but holds tuple values"),
    "complex times": (TABLE, {"time": np.arange(N) * 1j}, "^time must hold numbers, .*, but holds complex128"),
    "names as groups": (TABLE, {"groups": ["shop", "day"]}, r"groups is \['shop', 'day'\], which names several"),
    "words as weights": (
        TABLE,
        {"sample_weight": "shop"},
        r"sample_weight \(column 'shop'\) must hold numbers, but row 1",
    ),
    "an array as id": (TABLE, {"id": np.arange(N)}, r"id is an array of shape \(40,\); it must be the name"),
    "groups of two axes": (TABLE, {"groups": np.ones((N, 2))}, r"groups has shape \(40, 2\)"),
    "a number as time": (TABLE, {"time": 1.5}, "time is 1.5; it must be an array"),
    "a mapping as groups": (TABLE, {"groups": {"a": 1}}, "groups is {'a': 1}; it must be an array"),
    "an id that is no name": (TABLE, {"id": 1.5}, "id is 1.5; it must be the name of a column, or a list"),
    "groups and time": (TABLE, {"groups": "shop", "time": "day"}, "groups and time are both given"),
    "weights and groups": (TABLE, {"groups": "w", "sample_weight": "w"}, "both name the column 'w'"),
    "a kind for a time": (TABLE, {"time": "day", "kinds": {"day": "text"}}, "'day' is text, but time names it"),
    "a missing group": (spoilt("shop", None), {"groups": "shop"}, r"'shop'\) is missing in row 6 "),
    "a missing time": (spoilt("day", None), {"time": "day"}, r"'day'\) is missing in row 6 "),
    "a missing weight": (spoilt("w", None), {"sample_weight": "w"}, r"'w'\) is missing in row 6 "),
    "a negative weight": (spoilt("w", -2), {"sample_weight": "w"}, r"'w'\) is -2 in row 6 "),
    "weights of zero": ({**TABLE, "w": np.zeros(N)}, {"sample_weight": "w"}, "sample_weight is zero in all rows"),
    "one group": (TABLE, {"groups": ["a"] * N}, "groups is 'a' in every row"),
    "one time": (TABLE, {"time": [3] * N}, "time is 3 in every row"),
    "words as time": (TABLE, {"time": "shop"}, "must hold dates or numbers, but row 1 says 's0'"),
    "a missing target": (spoilt("y", None), {}, "1 of 40 rows.*drop_missing_target=True"),
    "no target at all": ({**TABLE, "y": [None] * N}, {"drop_missing_target": True}, "missing in every row|in any row"),
    "a flag of text": (TABLE, {"drop_missing_target": "no"}, "drop_missing_target is 'no'; it must be True or False"),
}


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
@pytest.mark.parametrize(("table", "given", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_a_role_is_refused(
    door: Callable[..., Any], table: dict[str, Any], given: dict[str, Any], message: str
) -> None:
    for task in KINDS:
        with pytest.raises((ValueError, TypeError), match=message):
            door(table, task, dict(given))


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_ids_that_repeat_are_told(door: Callable[..., Any]) -> None:
    with pytest.warns(UserWarning, match=r"id \('shop'\) repeats: 40 of 40 rows .*say groups='shop'"):
        model = door(TABLE, "classification", {"id": "shop"})
    assert model.id_columns_ == ["shop"]


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_rows_without_a_target_are_dropped_and_counted(door: Callable[..., Any]) -> None:
    model = door(spoilt("y", None), "regression", {"drop_missing_target": True, "groups": "shop"})
    assert (model.n_dropped_, model.n_groups_, len(model.out_of_fold_)) == (1, 10, N - 1)


@pytest.mark.parametrize(
    "given",
    [{"groups": "shop"}, {"time": "day"}, {"sample_weight": "w"}, {"id": "day"}],
    ids=lambda given: next(iter(given)),
)
def test_names_are_refused_for_arrays_and_roles_for_tasks(given: dict[str, str]) -> None:
    role = next(iter(given))
    X = np.column_stack([TABLE["x"], TABLE["w"]])
    with pytest.raises(TypeError, match=rf"{role} is the name .*, but an array's columns have no names"):
        TabularClassifier().fit(X, TABLE["y"], **given)
    task = TabularTask.of(TABLE, "y", "classification")
    for fit in (TabularClassifier().fit, rosenblatt.learn):
        with pytest.raises(ValueError, match=r"a TabularTask holds the target.*groups, time and id"):
            fit(task, **given)


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_an_ignored_column_may_be_the_groups(door: Callable[..., Any]) -> None:
    given = {"groups": "shop", "ignore": ["shop"], "kinds": {"day": "ignored"}}
    assert "shop" not in list(door(TABLE, "classification", given).feature_names_in_)


@pytest.mark.parametrize("factor", [1e300, 1e-300])
def test_weights_count_relative_to_each_other(factor: float) -> None:
    models = [TabularClassifier(**SMALL).fit(TABLE, "y", TABLE["w"] * f) for f in (factor, 0.5 * factor)]
    np.testing.assert_array_equal(*(model.out_of_fold_ for model in models))


LEARNED: dict[str, tuple[Any, dict[str, Any], str]] = {
    "an array as target": (TABLE["y"], {}, "target is an array of shape .*TabularClassifier"),
    "an array as X_val": ("y", {"X_val": np.ones((9, 3))}, "X_val is an array, whose columns have no names"),
    "class weights of numbers": ("x", {"class_weight": "balanced"}, "class_weight is a parameter of TabularClassifier"),
    "group": ("y", {"group": "shop"}, "Did you mean 'groups'"),
    "date": ("y", {"date": "day"}, "Did you mean 'time'.*parameters are: 'groups', 'time'"),
}


@pytest.mark.parametrize(("target", "given", "words"), LEARNED.values(), ids=LEARNED)
def test_learn_refuses_what_it_does_not_take(target: Any, given: dict[str, Any], words: str) -> None:
    with pytest.raises(TypeError, match=words):
        rosenblatt.learn(TABLE, target, **given)
