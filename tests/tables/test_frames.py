"""Tables and tasks as data frames: what was read is given back."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from rosenblatt.tables.readers.frames import encoded_text_column, text_column
from rosenblatt.tables.readers.reading import read_table
from rosenblatt.tables.table import TableError
from rosenblatt.tables.task import TabularTask

FRAME = pd.DataFrame(
    {
        "number": [1.5, np.nan, -2.0],
        "integer": [3, 4, 2**40],
        "flag": [True, False, True],
        "day": pd.to_datetime(["2024-02-29 00:00", None, "2024-01-01 10:30"]),
        "text": ["a", None, "<b>"],
        "bought": ["yes", "no", "yes"],
    }
)


def test_a_table_is_the_frame_that_was_read() -> None:
    again = read_table(FRAME).to_frame()
    for name in FRAME:
        assert again[name].isna().tolist() == FRAME[name].isna().tolist()
        assert again[name].dropna().tolist() == FRAME[name].dropna().tolist()
    assert str(again["integer"].dtype) == "int64"
    assert again["flag"].dtype == bool


@pytest.mark.parametrize("backend", ["polars", "pyarrow"])
def test_other_libraries_have_the_same_cells(backend) -> None:
    frame = pl.from_pandas(FRAME)
    again = read_table(frame).to_frame(backend)
    given = pl.from_arrow(again) if backend == "pyarrow" else again
    for name in frame.columns:
        expected = frame[name].fill_nan(None) if name == "number" else frame[name]
        got = given[name].fill_nan(None) if name == "number" else given[name]
        assert got.to_list() == expected.to_list()


def test_the_target_of_a_task_is_the_last_column() -> None:
    task = TabularTask.of(FRAME, "bought")
    assert list(task.to_frame()) == ["number", "integer", "flag", "day", "text", "bought"]
    assert task.to_frame()["bought"].tolist() == ["yes", "no", "yes"]
    two = TabularTask.of(FRAME.assign(other=[1.0, 2.0, 3.0], third=[1.0, 0.0, 2.0]), ["other", "third"])
    assert two.to_frame()["other, third 2"].tolist() == [1.0, 0.0, 2.0]


def test_a_column_that_cannot_be_read_is_named_and_shown() -> None:
    task = TabularTask.of({**FRAME, "odd": [{"x": 1}, {}, {}]}, "bought")
    with pytest.raises(TableError, match="'odd' holds dict"):
        task.to_frame()
    assert list(task.inputs.drop(["odd"]).to_frame()) == ["number", "integer", "flag", "day", "text"]
    assert "holds dict values" in task._repr_html_()
    assert "holds dict values" in task.inputs._repr_html_()


@pytest.mark.parametrize("type_", [pa.string(), pa.large_string()])
@pytest.mark.parametrize("cells", [["b", " ", "a", None, "b", "NA", "c", "a"], [None, "x", "x "], ["n/a", None, ""]])
def test_texts_of_pyarrow_are_those_of_a_loop_over_the_cells(cells: list[str | None], type_: pa.DataType) -> None:
    expected = text_column("c", cells)
    cut = pa.chunked_array([cells[:1], cells[1:], []], type_)
    for given in (pa.chunked_array([cells], type_), cut, pa.chunked_array([pa.array(["z", *cells], type_)[1:]])):
        found = encoded_text_column("c", given)
        assert found.levels == expected.levels
        np.testing.assert_array_equal(found.values, expected.values, strict=True)
