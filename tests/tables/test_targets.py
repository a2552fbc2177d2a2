"""What is predicted: the task that follows from the column, and the way there and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rosenblatt.tables import TableError, read_table
from rosenblatt.tables.splits import split_rows
from rosenblatt.tables.targets import fit_target, labels_of_column, numbers_of_column


def column(values: Any) -> Any:
    return read_table({"y": values})["y"]


CASES = {
    "texts": (["no", "yes", "no"], None, "binary", ("no", "yes")),
    "three texts": (["b", "a", "c"], None, "multiclass", ("a", "b", "c")),
    "booleans": ([True, False, True], None, "binary", (False, True)),
    "few integers": ([2, 0, 1, 2], None, "multiclass", (0, 1, 2)),
    "two integers": ([5, 7, 5], None, "binary", (5, 7)),
    "many integers": (list(range(40)), None, "regression", ()),
    "floats": ([0.0, 1.5, 0.0], None, "regression", ()),
    "two whole floats": ([0.0, 1.0, 0.0], None, "binary", (0.0, 1.0)),
    "floats as classes": ([0.0, 1.0, 0.0], "classification", "binary", (0.0, 1.0)),
    "integers as numbers": ([1, 2, 3], "regression", "regression", ()),
    "numbers as text": (["1", "2", "3.5"], "regression", "regression", ()),
}


@pytest.mark.parametrize(("values", "task", "expected", "classes"), CASES.values(), ids=CASES)
def test_task_and_classes(values: Any, task: Any, expected: str, classes: Any) -> None:
    target = fit_target(column(values), task)
    found = () if target.classes is None else tuple(target.classes.tolist())
    assert (target.task, found) == (expected, classes)
    assert [type(c) for c in found] == [type(c) for c in classes]


@pytest.mark.parametrize("values", [["b", "a", "c"], [True, False, True], [5, 7, 5], [1.5, 2.5, 9.0]])
def test_decoding_undoes_encoding(values: Any) -> None:
    target = fit_target(column(values))
    assert target.decoded().tolist() == values
    assert target.take(np.array([2, 0])).decoded().tolist() == [values[2], values[0]]


def test_labels_of_other_rows_are_those_of_the_classes() -> None:
    classes = fit_target(column(["no", "yes", "no", "1.0"])).classes
    assert labels_of_column(column(["yes", "no", "1.0", "no"]), classes).tolist() == [2, 1, 0, 1]
    with pytest.raises(TableError, match=r"the class 'perhaps' in row 2; training did not see it"):
        labels_of_column(column(["yes", "perhaps"]), classes)
    with pytest.raises(TableError, match=r"missing in row 1 "):
        labels_of_column(column([None, "yes"]), classes)


@pytest.mark.parametrize("seed", range(5))
def test_a_split_holds_each_row_once_and_each_class_in_its_share(seed: int) -> None:
    labels = np.random.default_rng(seed).choice(4, size=203, p=[0.7, 0.2, 0.08, 0.02])
    training, held_out = split_rows(203, 0.25, seed, labels)
    assert sorted([*training, *held_out]) == list(range(203))
    assert len(held_out) == 51
    counts, held = np.bincount(labels), np.bincount(labels[held_out], minlength=4)
    assert (np.abs(held - 0.25 * counts) <= 1).all()
    assert not np.array_equal(held_out, split_rows(203, 0.25, seed + 1, labels)[1])


def test_a_class_of_one_row_stays_in_training() -> None:
    labels = np.array([0] * 10 + [1])
    assert all(10 in split_rows(11, 0.5, seed, labels)[0] for seed in range(20))


def test_no_split_is_empty() -> None:
    assert [len(part) for part in split_rows(2, 0.01, 0)] == [1, 1]
    assert [len(part) for part in split_rows(5, 0.99, 0)] == [1, 4]


def test_numbers_written_as_text_are_a_regression():
    prices = [f"${value:,.2f}" for value in np.linspace(900, 5000, 30)]
    assert fit_target(column(prices)).task == "regression"
    np.testing.assert_allclose(numbers_of_column(column(prices)), np.linspace(900, 5000, 30), atol=0.005)
    assert fit_target(column(["1", "2", "3"] * 9)).classes.tolist() == ["1", "2", "3"]
    message = r"column 'y' holds numbers, but row 32 says 'cheap' \(the first row is 1; 3 such cells of 2 different"
    with pytest.raises(TableError, match=message):
        fit_target(column([*prices, "5", "cheap", "dear", "cheap"]), "regression")


def test_dates_as_classes_are_the_days() -> None:
    days = column(np.array(["2020-01-02", "1999-12-31", "2020-01-02"], dtype="datetime64[D]"))
    target = fit_target(days, "classification")
    assert target.values.tolist() == [1, 0, 1]
    assert labels_of_column(days, target.classes).tolist() == [1, 0, 1]
