"""One table, whatever holds it: files, frames of three libraries, dictionaries."""

from __future__ import annotations

import datetime as dt
import gzip
import sys
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rosenblatt.tables import Table, TableError, read_table

CELLS: dict[str, list[Any]] = {
    "age": [31, None, 45],
    "height": [1.5, None, 2.25],
    "town": ["Ulm", None, "Bonn "],
    "member": [True, None, False],
    "born": [dt.date(2020, 1, 1), None, dt.date(2020, 1, 3)],
    "seen": [dt.datetime(2020, 1, 1, 12), None, dt.datetime(2020, 1, 3)],
    "empty": [None, None, None],
    "count": [1, 2, 3],
}
HOLDERS = {
    "pandas": pd.DataFrame,
    "pandas nullable": lambda cells: pd.DataFrame(cells).convert_dtypes(),
    "pandas category": lambda cells: pd.DataFrame(cells).astype({"town": "category"}),
    "polars": pl.DataFrame,
    "polars lazy": lambda cells: pl.DataFrame(cells).lazy(),
    "polars category": lambda cells: pl.DataFrame(cells).with_columns(pl.col("town").cast(pl.Categorical)),
    "pyarrow": pa.table,
    "pyarrow dictionary": lambda cells: pa.table({**cells, "town": pa.array(cells["town"]).dictionary_encode()}),
    "lists": dict,
}


@pytest.mark.parametrize("holder", HOLDERS.values(), ids=HOLDERS)
def test_equal_cells_give_equal_tables(holder: Any) -> None:
    table = read_table(holder(CELLS))
    assert table.n_rows == 3
    assert list(table.columns) == list(CELLS)
    np.testing.assert_array_equal(table["age"].values, [31, np.nan, 45])
    np.testing.assert_array_equal(table["height"].values, [1.5, np.nan, 2.25])
    assert (table["town"].levels, table["town"].values.tolist()) == (("Ulm", "Bonn "), [0, -1, 1])
    assert table["member"].storage == "boolean"
    np.testing.assert_array_equal(table["member"].values, [1, np.nan, 0])
    np.testing.assert_array_equal(table["born"].values, [18262, np.nan, 18264])
    np.testing.assert_array_equal(table["seen"].values, [18262.5, np.nan, 18264])
    assert table["empty"].missing.all()
    assert table["count"].storage == "integer"


@pytest.mark.parametrize("suffix", ["csv", "tsv", "csv.gz", "parquet", "data"])
def test_files_give_what_the_frame_gives(tmp_path: Any, suffix: str) -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": ["x, y", 'say "hi"'], "c": [0.5, np.nan]})
    path = tmp_path / f"table.{suffix}"
    if suffix == "parquet":
        pq.write_table(pa.Table.from_pandas(frame), path)
    else:
        separator = "\t" if suffix == "tsv" else ";" if suffix == "data" else ","
        data = frame.to_csv(index=False, sep=separator).encode()
        path.write_bytes(gzip.compress(data) if suffix.endswith("gz") else data)
    table = read_table(path)
    assert list(table.columns) == ["a", "b", "c"]
    assert table["b"].levels == ("x, y", 'say "hi"')
    np.testing.assert_array_equal(table["c"].values, [0.5, np.nan])


def test_types_are_inferred_from_all_rows(tmp_path: Any) -> None:
    path = tmp_path / "late.csv"
    path.write_text("a,b\n" + "1,2\n" * 400_000 + "oops,0.5\n")
    table = read_table(path)
    assert table["a"].levels == ("1", "oops")
    assert table["b"].values[-1] == 0.5


def test_texts_for_missing_cells_are_the_same_in_files_and_frames(tmp_path: Any) -> None:
    words = ["x", "", "NA", "?", "n/a", "nan", "y"]
    path = tmp_path / "missing.csv"
    path.write_text("a,b\n" + "".join(f"{word},1\n" for word in words))
    for source in (path, {"a": words, "b": [1] * 7}, pl.DataFrame({"a": words})):
        assert read_table(source)["a"].missing.tolist() == [False, True, True, True, True, True, False]


def test_encoding_and_byte_order_mark(tmp_path: Any) -> None:
    path = tmp_path / "umlaut.csv"
    path.write_bytes("ä,b\nö,1\n".encode("latin-1"))
    assert read_table(path, encoding="latin-1")["ä"].levels == ("ö",)
    path.write_bytes(b"\xef\xbb\xbf" + "ä,b\nö,1\n".encode())
    assert read_table(path)["ä"].levels == ("ö",)
    path.write_bytes("ä,b\nö,1\n".encode("utf-16"))
    assert read_table(path, encoding="utf-16")["ä"].levels == ("ö",)


def test_mixed_objects_become_text_and_numbers_stay_numbers() -> None:
    table = read_table({"a": [1, "x", None], "b": [Decimal("1.5"), 2, None], "c": np.array([2**60, 1, 2])})
    assert table["a"].levels == ("1", "x")
    np.testing.assert_array_equal(table["b"].values, [1.5, 2, np.nan])
    assert table["c"].storage == "text"  # float64 could not tell such integers apart


def test_without_pyarrow_the_message_says_what_to_install(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "t.csv").write_text("a\n1\n")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ModuleNotFoundError, match=r"needs pyarrow: pip install 'rosenblatt\[data\]'"):
        read_table(tmp_path / "t.csv")
    assert read_table({"a": [1, 2]}).n_rows == 2


def test_the_right_line_is_named_after_blank_lines_and_breaks_in_cells(tmp_path: Any) -> None:
    path = tmp_path / "ragged.csv"
    path.write_text('a,b\n1,2\n\n"3\n3",4\n5,6,7\n')
    with pytest.raises(TableError, match=r"line 6 has 3 cells where the header has 2: 5,6,7"):
        read_table(path)


def test_rows_and_columns_can_be_chosen() -> None:
    table = read_table(CELLS).take(np.array([2, 0]))
    assert isinstance(table, Table)
    assert table.n_rows == 2
    assert table["age"].values.tolist() == [45, 31]
    assert "age" not in table.drop(["age"]).columns


def test_errors_name_the_rows_of_the_table_that_was_read() -> None:
    column = read_table({"a": range(10)}).take(np.array([7, 2, 5]))["a"].take(np.array([1, 0]))
    assert column.values.tolist() == [2, 7]
    assert column.name_rows(np.array([0, 1])) == "rows 3, 8"
    assert column.name_rows(np.array([1])) == "row 8"


def test_pandas_names_that_are_no_texts_become_texts() -> None:
    frame = pd.DataFrame([[1.0, 2.0], [3.0, 4.0]])
    assert list(read_table(frame).columns) == ["0", "1"]
    np.testing.assert_array_equal(read_table(frame).columns["1"].values, [2.0, 4.0])
    frame.columns = pd.MultiIndex.from_tuples([("a", "b"), ("a", "c")])
    assert list(read_table(frame).columns) == ["('a', 'b')", "('a', 'c')"]


def test_lists_of_numpys_times_are_dates_and_seconds():
    day, second = np.datetime64("2020-01-02T12", "ns"), np.timedelta64(1500, "ms")
    table = read_table({"day": [day, np.datetime64("NaT"), None], "span": [second, np.timedelta64("NaT"), None]})
    assert table["day"].storage == "date"
    np.testing.assert_array_equal(table["day"].values, [18263.5, np.nan, np.nan])
    np.testing.assert_array_equal(table["span"].values, [1.5, np.nan, np.nan])
