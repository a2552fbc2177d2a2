"""Files that hold more than is allowed are refused before their cells are read."""

import gzip
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rosenblatt.tables import TableError, read_table
from rosenblatt.tables.readers.limits import Limits

WIDE = {f"c{i}": [1.0, 2.0] for i in range(20)}
LONG = pa.table({"a": pa.DictionaryArray.from_arrays(np.arange(500) % 2, ["x" * 10_000, "y"])})


def as_csv(columns):
    """Columns of numbers as CSV."""
    lines = [",".join(columns), *(",".join(map(str, row)) for row in zip(*columns.values(), strict=True)), ""]
    return "\n".join(lines).encode()


def as_parquet(table):
    """A table as Parquet, which keeps each of few texts once."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, store_schema=False)
    return sink.getvalue().to_pybytes()


def as_arrow(table):
    """A table as a stream of Arrow."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


REFUSED = {
    "columns of CSV": (as_csv(WIDE), Limits(n_columns=19), "more than the 19 columns"),
    "columns of JSON": (json.dumps(WIDE).encode(), Limits(n_columns=19), "more than the 19 columns"),
    "columns of Parquet": (as_parquet(pa.table(WIDE)), Limits(n_columns=19), "more than the 19 columns"),
    "columns of Arrow": (as_arrow(pa.table(WIDE)), Limits(n_columns=19), "more than the 19 columns"),
    "a line without end": (b"a," * 10**6, Limits(n_columns=19), "more than the 19 columns"),
    "cells of CSV": (as_csv(WIDE), Limits(n_cells=39), "2 rows and 20 columns; at most 39 cells"),
    "cells of Parquet": (as_parquet(pa.table(WIDE)), Limits(n_cells=39), "2 rows and 20 columns; at most 39 cells"),
    "cells of Arrow": (as_arrow(pa.table(WIDE)), Limits(n_cells=39), "2 rows and 20 columns; at most 39 cells"),
    "cells of JSON": (json.dumps(WIDE).encode(), Limits(n_cells=39), "or 39 cells"),
    "rows of JSON that share no name": (
        "\n".join(f'{{"c{i}": 1}}' for i in range(100)).encode(),
        Limits(n_cells=999),
        "100 rows and 100 columns",
    ),
    "objects of JSON": (b'[{"a": 1' + b"},{" * 1000 + b"}]", Limits(n_objects=1000), "more than the 1,000 objects"),
    "bytes": (as_csv(WIDE), Limits(n_bytes=9), "the file holds more than"),
    "bytes, compressed": (gzip.compress(b"a\n1\n" + b"\n" * 10**6), Limits(n_bytes=1 << 19), "holds more than 0 MB"),
    "texts that Parquet keeps once": (as_parquet(LONG), Limits(n_bytes=1 << 20), "holds more than 1 MB"),
}


@pytest.mark.parametrize(("data", "limits", "message"), REFUSED.values(), ids=REFUSED)
def test_files_beyond_a_limit_are_refused(data, limits, message, tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(data)
    with pytest.raises(TableError, match=message):
        read_table(path, limits=limits)


@pytest.mark.parametrize("data", [as_csv(WIDE), json.dumps(WIDE).encode(), as_parquet(LONG), as_arrow(LONG)])
def test_limits_change_nothing_of_a_table_within_them(data, tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(data)
    limited, free = read_table(path, limits=Limits(1 << 23, 20, 2000, 3000)), read_table(path)
    for name, column in free.columns.items():
        assert (limited[name].storage, limited[name].levels) == (column.storage, column.levels)
        assert limited[name].values.tolist() == column.values.tolist()
        assert limited[name].categorical == column.categorical


def test_a_category_of_arrow_is_read_once_for_all_its_cells():
    chunks = [["b", None, "a"], ["a", "NA", "b"]]
    table = pa.table({"a": pa.chunked_array([pa.array(cells).dictionary_encode() for cells in chunks])})
    column = read_table(table)["a"]
    assert (column.levels, column.values.tolist(), column.categorical) == (("b", "a"), [0, -1, 1, 1, -1, 0], True)
    huge = pa.DictionaryArray.from_arrays(np.zeros(1_000_000, np.int32), ["x" * 1_000_000])
    assert read_table(pa.table({"a": huge}))["a"].values.sum() == 0  # a terabyte, if each cell were read
