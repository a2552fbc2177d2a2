"""Tables in blocks: the same cells as `read_table` gives of the whole, whatever holds them."""

import gzip
import os
import random
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from rosenblatt.tables import Table, TableError, TabularTask, read_table
from rosenblatt.tables.joining import concat
from rosenblatt.tables.readers import delimited_chunks, parts, table_stream
from rosenblatt.tables.readers.limits import Limits
from rosenblatt.tables.readers.streams import BLOCK_ROWS, open_stream

N = 300


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Blocks of 128 rows and pieces of 3,000 bytes, so that small tables have several."""
    for module in (parts, table_stream):
        monkeypatch.setattr(module, "BLOCK_ROWS", 128)
    monkeypatch.setattr(delimited_chunks, "PIECE_BYTES", 3_000)


def of_all_types(n=N):
    """A table of PyArrow with columns that are what they are only as a whole."""
    days = [date(2020, 1, 1) + timedelta(days=k % 500) for k in range(n)]
    return pa.table(
        {
            "number": np.where(np.arange(n) % 5, np.random.default_rng(0).normal(size=n), np.nan),
            "integer": pa.array([None if k < 140 else k % 7 for k in range(n)]),
            "large": pa.array([k if k < n - 5 else 2**60 + k % 2 for k in range(n)]),
            "unsigned": pa.array([k if k < n - 1 else 2**63 + 1 for k in range(n)], pa.uint64()),
            "boolean": pa.array([None if k % 7 == 0 or k > 200 else bool(k % 2) for k in range(n)]),
            "date": pa.array([None if k % 9 == 0 else day for k, day in enumerate(days)]),
            "time": pa.array(days).cast(pa.timestamp("us")),
            "text": pa.array([f"{k % 9} " if k % 4 else "NA" for k in range(n)]),
            "late": pa.array([None] * (n - 3) + ["x", "y", None]),
            "category": pa.array([f"v{(n - k) % 9}" if k % 5 else None for k in range(n)]).dictionary_encode(),
            "late category": pa.array([None] * (n - 1) + ["x"]).dictionary_encode(),
            "category of integers": pa.array([(n - k) // 9 for k in range(n)]).dictionary_encode(),
            "short decimal": pa.array([Decimal(k) / 100 for k in range(n)], pa.decimal128(10, 2)),
            "long decimal": pa.array(
                [Decimal(k) / 100 if k < n - 1 else Decimal("12345678901234567.89") for k in range(n)],
                pa.decimal128(20, 2),
            ),
            "bytes": pa.array([b"a" if k < n - 1 else b"\xff" for k in range(n)]),
            "nested": pa.array([[k] for k in range(n)]),
            "none": pa.nulls(n),
        }
    )


def assert_same(found, expected):
    """All that two tables hold is equal, bit for bit."""
    assert (list(found.columns), found.n_rows) == (list(expected.columns), expected.n_rows)
    for name, column in found.columns.items():
        other = expected.columns[name]
        assert column.storage == other.storage, name
        assert (column.levels, column.categorical) == (other.levels, other.categorical), name
        np.testing.assert_array_equal(column.values, other.values, err_msg=name)
        assert column.values.dtype == other.values.dtype, name
        assert (column.problem, column.rows) == (other.problem, other.rows), name
        assert (column.level_values is None) == (other.level_values is None), name
        if column.level_values is not None:
            assert column.level_values.dtype == other.level_values.dtype, name
            np.testing.assert_array_equal(column.level_values, other.level_values, err_msg=name)


def assert_streams(stream, expected):
    """Blocks are of equal rows, know their place, hold the same in all, and make up the expected table, twice."""
    for _ in range(2):
        blocks = list(stream.blocks())
        assert [block.n_rows for block in blocks[:-1]] == [128] * (len(blocks) - 1)
        assert 0 < blocks[-1].n_rows <= 128
        for name in stream.columns:
            rows = np.concatenate([block[name].rows for block in blocks])
            np.testing.assert_array_equal(rows, np.arange(stream.n_rows))
            assert len({(block[name].storage, block[name].categorical) for block in blocks}) == 1
        whole = concat(blocks)
        columns = {name: replace(column, rows=None) for name, column in whole.columns.items()}
        assert_same(Table(columns, whole.n_rows), expected)
    assert_same(stream.table(), expected)
    assert stream.n_rows == expected.n_rows


def parquet(path, table, **options):
    """The path of a Parquet file of a table, with folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, **options)
    return path


def csv(path, text):
    """The path of a file with a text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, newline="")
    return path


class OnlyStream:
    """An object that gives a stream of Arrow, and nothing else."""

    def __init__(self, table):
        self.table = table

    def __arrow_c_stream__(self, requested_schema=None):
        return self.table.to_reader(max_chunksize=97).__arrow_c_stream__(requested_schema)


def test_blocks_have_65536_rows():
    assert BLOCK_ROWS == 65_536


@pytest.mark.parametrize("statistics", [True, False])
def test_parquet(tmp_path, statistics):
    path = parquet(tmp_path / "t.parquet", of_all_types(), row_group_size=150, write_statistics=statistics)
    assert_streams(open_stream(path, window=N - 1), read_table(path))
    assert open_stream(path, window=N) is None


@pytest.mark.parametrize("kind", ["file", "stream", "compressed"])
def test_arrow(tmp_path, kind):
    path = tmp_path / "t.feather"
    if kind == "stream":
        with pa.ipc.new_stream(path, of_all_types().schema) as writer:
            writer.write_table(of_all_types(), max_chunksize=200)
    else:
        pyarrow.feather.write_feather(
            of_all_types(), path, compression="lz4" if kind == "compressed" else "uncompressed"
        )
    assert_streams(open_stream(path, window=10), read_table(path))
    assert open_stream(path, window=N) is None


CELLS = (
    lambda r: str(r.randint(-5, 99)),
    lambda r: f"{r.random():.3f}",
    lambda r: r.choice(["true", "False"]),
    lambda r: f"20{r.randint(10, 30)}-0{r.randint(1, 9)}-1{r.randint(0, 9)}",
    lambda r: f"2020-01-01 1{r.randint(0, 9)}:00",
    lambda r: f"2020-01-01 1{r.randint(0, 9)}:00:00.5",
    lambda r: r.choice(["2020-01-01T10:00:00Z", "2020-01-01T10:00:00.5Z"]),
    lambda r: r.choice(["a", "b", "ü"]),
    lambda r: r.choice(['"q,""x"" \n y"', '7" pipe', '"5"']),
    lambda r: r.choice(["", "NA", " NA "]),
    *(lambda r, cell=cell: cell for cell in ("1500-01-01", "10:30", "007", "-07", "0x1F", "+5", "1e5", "inf", "")),
    *(lambda r, cell=cell: cell for cell in ("12345678901234567890", "9007199254740995", "9999999999999999.5")),
)
"""What cells may look like: each column of the next test draws some of these."""


def random_csv(seed):
    """A CSV file of a few columns, most of which change what they hold at some row; and its encoding."""
    r = random.Random(seed)
    n, m, end = r.randint(1, 60), r.randint(2, 5), r.choice(["\n", "\r\n", "\r"])
    columns = []
    for _ in range(m):
        kinds, late = r.sample(CELLS, r.choice([1, 1, 2, 2, 3])), r.random() < 0.5
        change = n - r.randint(1, 3)
        columns.append([(kinds[0] if late and row < change else r.choice(kinds))(r) for row in range(n)])
    lines = [",".join(f"c{i}" for i in range(m)), *(",".join(row) for row in zip(*columns, strict=True))]
    text = ("# comment" + end) * (seed % 3 == 0) + end.join(lines) + r.choice(["", end, end * 2])
    return text, r.choice(["utf-8", "utf-8-sig", "latin-1", "utf-16"]), r.choice([64, 100, 200])


@pytest.mark.parametrize(
    "seeds", [range(12), pytest.param(range(12, 1000), marks=pytest.mark.long)], ids=["few", "many"]
)
def test_csv_of_any_cells_is_read_as_a_whole(tmp_path, monkeypatch, seeds):
    path = tmp_path / "t.csv"
    for seed in seeds:
        text, encoding, piece = random_csv(seed)
        monkeypatch.setattr(delimited_chunks, "PIECE_BYTES", piece)
        path.write_bytes(text.encode(encoding))
        stream = open_stream(path, encoding=encoding, window=0)
        assert_same(stream.table(), read_table(path, encoding=encoding))
        assert_same(stream.table(text=["c0"]), read_table(path, encoding=encoding, text=["c0"]))
        stream = open_stream(path, encoding=encoding, text=["c1"], window=0)
        assert_same(stream.table(), read_table(path, encoding=encoding, text=["c1"]))


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_one_late_text_makes_a_column_of_text(tmp_path, ending):
    text = "a;b\n" + "".join(f"{k};{k / 2}\n" for k in range(N)) + "x;1\n"
    path = tmp_path / f"t.csv{ending}"
    path.write_bytes(gzip.compress(text.encode()) if ending else text.encode())
    stream = open_stream(path, window=N)
    assert {block["a"].storage for block in stream.blocks()} == {"text"}
    assert_streams(stream, read_table(path))
    assert open_stream(path, window=N + 2) is None


def test_reads_and_text(tmp_path):
    table = of_all_types()
    path = parquet(tmp_path / "t.parquet", table)
    reads = {"text", "large"}.__contains__
    assert_same(open_stream(path, window=0).table(reads=reads), read_table(path, reads=reads))
    assert_same(open_stream(path, window=0).table(reads=lambda name: False), read_table(path, reads=lambda name: False))
    assert_same(open_stream(path, window=0).table(text=["large"]), read_table(path, text=["large"]))


def test_columns_of_one_name(tmp_path):
    path = parquet(tmp_path / "t.parquet", pa.table([[1.0] * N, ["x"] * N, [2.0] * N], names=["a", "b", "a"]))
    assert_streams(open_stream(path, window=0), read_table(path))
    path = csv(tmp_path / "t.csv", "a,b,a\n" + "1,x,2\n" * N)
    assert_streams(open_stream(path, window=0), read_table(path))


def test_folders_of_parquet_files_name_columns_as_pyarrow_has_it(tmp_path):
    table, folder = of_all_types(), tmp_path / "d"
    for k, (year, kind) in enumerate([("2024", "a%20b"), ("2025", "__HIVE_DEFAULT_PARTITION__"), ("2026", "7")]):
        parquet(folder / f"year={year}" / f"kind={kind}" / "x.parquet", table.slice(k * 100, 100))
    parquet(folder / "year=2027" / "kind=7" / "empty.parquet", table.slice(0, 0))
    csv(folder / "_log" / "x.csv", "a\n1\n")
    csv(folder / ".hidden", "")
    expected = read_table(ds.dataset(folder, partitioning="hive").to_table())
    assert_streams(open_stream(folder), expected)
    assert_same(read_table(folder), expected)
    assert_same(read_table(str(folder / "*" / "*" / "*.parquet")), expected)
    assert_streams(open_stream(ds.dataset(folder, partitioning="hive")), expected)
    large = ds.dataset(folder, partitioning="hive").filter(ds.field("large") > 150)
    assert_same(read_table(large), read_table(large.to_table()))


def test_folders_of_csv_files(tmp_path):
    head, rows = "a,b,c\n", [f"{k},{k / 4 if k > 120 else k},{'NA' if k < 150 else 2000 + k}-01-01\n" for k in range(N)]
    csv(tmp_path / "d" / "part=1" / "x.csv", head + "".join(rows[:110]).replace("NA-01-01", "NA"))
    (tmp_path / "d" / "part=2").mkdir()
    later = "".join(rows[110:]).replace("NA-01-01", "NA")
    (tmp_path / "d" / "part=2" / "x.csv.gz").write_bytes(gzip.compress((head + later).encode()))
    csv(tmp_path / "d" / "part=3" / "only-a-header.csv", "b,a,c\n")
    lines = [line[:-1].replace("NA-01-01", "NA") + f",{1 if k < 110 else 2}\n" for k, line in enumerate(rows)]
    whole = csv(tmp_path / "whole.csv", "a,b,c,part\n" + "".join(lines))
    assert_streams(open_stream(tmp_path / "d"), read_table(whole))


def test_types_are_united_as_pyarrow_does(tmp_path):
    tables = [
        pa.table(
            {"a": pa.array([1, 2], pa.int32()), "b": [1, None], "c": pa.nulls(2), "d": pa.array([1, 2], pa.int8())}
        ),
        pa.table({"a": pa.array([2**40, 3]), "b": [0.5, 2.0], "c": ["x", None], "d": pa.array([1, 2], pa.int64())}),
    ]
    for k, table in enumerate(tables):
        parquet(tmp_path / "d" / f"{k}.parquet", table)
    expected = read_table(pa.concat_tables(tables, promote_options="permissive"))
    assert_streams(open_stream(tmp_path / "d"), expected)


def test_streams_of_arrow_are_read_more_than_once():
    table = of_all_types()
    for source in (table.to_reader(), OnlyStream(table)):
        stream = open_stream(source)
        assert_streams(stream, read_table(table))
        assert (
            stream.identity() == open_stream(table.to_reader(max_chunksize=97)).identity() or source is not OnlyStream
        )
    assert_same(read_table(OnlyStream(table)), read_table(table))


def test_lazy_frames_of_polars():
    frame = pl.DataFrame(of_all_types().drop_columns(["category of integers"]))
    assert_streams(open_stream(frame.lazy()), read_table(frame))


def test_relations_of_duckdb():
    duckdb = pytest.importorskip("duckdb", reason="DuckDB is not installed")
    relation = duckdb.sql(
        "select range a, range::varchar b, range % 2 = 0 c, date '2020-01-01' + range::int d, range::decimal(10,2) e "
        f"from range({N})"
    )
    assert_streams(open_stream(relation), read_table(relation.to_arrow_table()))


@pytest.mark.parametrize(
    "names", [["large", "late"], pytest.param([], marks=pytest.mark.long)], ids=["some types", "all types"]
)
def test_data_frames_of_dask(names):
    frames = pytest.importorskip("dask.dataframe", reason="Dask's data frames are not installed")
    table = of_all_types().drop_columns(["bytes", "nested", "none"])
    frame = table.select(names or table.column_names).to_pandas()
    lazy = frames.from_pandas(frame, npartitions=3)
    assert_streams(open_stream(lazy), read_table(lazy.compute()))
    some = lazy[lazy["large"] > 150]  # the first partitions are empty
    assert_streams(open_stream(some), read_table(some.compute()))
    assert open_stream(lazy).identity() == open_stream(lazy).identity() != open_stream(some).identity()
    with pytest.raises(TableError, match="the Dask data frame has no rows in its 3 parts, only the columns '"):
        open_stream(lazy[lazy["large"] < 0])


@pytest.mark.parametrize(
    "source",
    [pd.DataFrame({"a": [1]}), pl.DataFrame({"a": [1]}), pa.table({"a": [1]}), {"a": [1]}, [[1]], np.ones((2, 2))],
    ids=["pandas", "Polars", "PyArrow", "mapping", "list", "array"],
)
def test_what_is_in_memory_is_no_stream(source):
    assert open_stream(source, window=0) is None


def test_other_files_are_no_streams(tmp_path):
    assert open_stream("-") is open_stream(tmp_path / "none.csv") is None
    assert open_stream(csv(tmp_path / "t.json", '[{"a": 1}]'), window=0) is None
    assert open_stream(csv(tmp_path / "t.parquet", "a\n1\n"), window=0) is None


def test_a_task_of_a_folder(tmp_path):
    csv(tmp_path / "d" / "1.csv", "a,zip\n" + "1.5,01\n2.5,02\n" * 20)
    csv(tmp_path / "d" / "2.csv", "a,zip\n" + "3.5,03\n" * 20)
    task = TabularTask.of(tmp_path / "d", "zip", task="classification")
    assert task.target.classes.tolist() == ["01", "02", "03"]
    assert task.inputs.n_rows == 60


def folder(tmp_path, **texts):
    """A folder of CSV files."""
    for name, text in texts.items():
        csv(tmp_path / "d" / f"{name}.csv", text)
    return tmp_path / "d"


ROWS = "a,b\n" + "1,2\n" * N
REFUSED = {
    "a column less": ({"x": ROWS, "y": "a\n1\n"}, r"y\.csv lacks the column 'b', which .*x\.csv has"),
    "a column more": ({"x": "a\n1\n", "y": ROWS}, r"y\.csv has the column 'b', which .*x\.csv lacks"),
    "no rows": ({"x": "a,b\n", "y": "a,b\n"}, r"d has no rows in its 2 parts, only the columns 'a', 'b'"),
    "an empty file": ({"x": ROWS, "y": ""}, r"y\.csv: the file is empty"),
    "a ragged row": (
        {"x": ROWS, "y": ROWS + "1,2,3\n"},
        r"y\.csv: line 302 has 3 cells where the header has 2: 1,2,3",
    ),
    "an open quote": (
        {"x": ROWS + '"1,2\n'},
        r'x\.csv: the quote that opens a cell in line 302 \("1,2\) is never closed',
    ),
    "a zero byte": ({"x": ROWS + "1,\0\n"}, r"x\.csv: .* zero bytes, the first in line 302"),
    "JSON": ({"x": ROWS, "y": '[{"a": 1}]'}, r"y\.csv is not read with other files: .* Move it, or give a pattern"),
    "a spreadsheet": ({"x": ROWS, "y": "\x89HDF"}, r"y\.csv: it is an HDF5 file"),
}


@pytest.mark.parametrize(("texts", "message"), REFUSED.values(), ids=REFUSED)
def test_files_that_are_no_table_together(tmp_path, texts, message):
    for name, text in texts.items():
        csv(tmp_path / "d" / f"{name}.csv", "").write_bytes(text.encode("latin-1"))
    for door in (open_stream, read_table):
        with pytest.raises(TableError, match=message):
            door(tmp_path / "d")


@pytest.mark.parametrize(
    ("cell", "words"), [("q", r"text \(string\) in .*y\.csv\. Write it in one way"), ("2020-01-01", "a date")]
)
def test_a_column_of_other_cells_in_one_file_is_refused_where_it_is_needed(tmp_path, cell, words):
    texts = folder(tmp_path, x=ROWS, y=f"a,b\n1,{cell}\n")
    for table in (open_stream(texts).table(), read_table(texts)):
        assert table["a"].values.tolist() == [1.0] * (N + 1)
        with pytest.raises(TableError, match=rf"column 'b' is numeric \(int64\) in .*x\.csv, but {words}"):
            table["b"].require_readable()
    as_text = open_stream(texts).table(text=["b"])["b"]
    assert [as_text.levels[code] for code in as_text.values] == ["2"] * N + [cell]


def test_parquet_files_with_cells_of_two_kinds_advise_what_works(tmp_path):
    parquet(tmp_path / "d" / "1.parquet", pa.table({"a": [1, 2], "b": [1.0, 2.0]}))
    parquet(tmp_path / "d" / "2.parquet", pa.table({"a": [1, 2], "b": ["q", "r"]}))
    problem = read_table(tmp_path / "d")["b"].problem
    assert problem.endswith("Write it in one way in all files, or leave it out: ignore=['b'].")


def test_bytes_that_are_no_text_are_named(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"a,b\r\n" + b"1,\xc3\xb6\r\n" * N + b"2,\xf6\n")
    message = rf"t\.csv: line 302 holds the byte 0xf6 \(offset {5 + 6 * N + 2}\), which is not valid utf-8"
    for read in (read_table, lambda path: open_stream(path, window=0)):
        with pytest.raises(TableError, match=message):
            read(path)


def test_a_row_that_never_ends(tmp_path, monkeypatch):
    monkeypatch.setattr(delimited_chunks, "MAX_ROW_BYTES", 1000)
    monkeypatch.setattr(delimited_chunks, "PIECE_BYTES", 500)
    for text in ('a,b\n1,2\n"3,4\n' + "5,6\n" * 1000, 'a,b\n1,2\n3,"' + "5,6\n" * 1000 + '"\n'):
        path = csv(tmp_path / "t.csv", text)
        with pytest.raises(TableError, match=r"row that begins in line 3 is longer than 0 MB; perhaps a quote"):
            open_stream(path, window=0)


def test_folders_that_are_none(tmp_path):
    with pytest.raises(IsADirectoryError, match="is a folder; give a CSV or Parquet file, or a folder of such files"):
        open_stream(tmp_path)
    with pytest.raises(TableError, match=r"no file matches the pattern .*part-\*\.csv"):
        read_table(tmp_path / "part-*.csv")
    csv(tmp_path / "x.csv", ROWS)
    parquet(tmp_path / "y.parquet", pa.table({"a": [1], "b": [2]}))
    with pytest.raises(TableError, match=r"of several kinds: .*x\.csv is CSV and .*y\.parquet is Parquet.*pattern"):
        open_stream(tmp_path)
    (tmp_path / "z").symlink_to(tmp_path)  # a circle
    assert open_stream(tmp_path / "*.csv").n_rows == N


def test_folders_that_name_other_columns(tmp_path):
    parquet(tmp_path / "year=1" / "x.parquet", pa.table({"a": [1]}))
    parquet(tmp_path / "x.parquet", pa.table({"a": [1]}))
    with pytest.raises(TableError, match=r"x\.parquet (lacks|has) the column 'year'"):
        open_stream(tmp_path)


@pytest.mark.parametrize("damage", ["cut", "overwritten"])
@pytest.mark.parametrize("kind", ["parquet", "feather"])
def test_damaged_files_are_named(tmp_path, kind, damage):
    good = parquet(tmp_path / "d" / "a.parquet", of_all_types())
    if kind == "feather":
        good.unlink()
        pyarrow.feather.write_feather(of_all_types(), good.with_suffix(".feather"))
        good = good.with_suffix(".feather")
    data = good.read_bytes()
    bad = good.with_name(f"b.{kind}")
    middle = len(data) // 3
    bad.write_bytes(data[:-100] if damage == "cut" else data[:8] + b"\xff" * middle + data[8 + middle :])
    with pytest.raises(TableError, match=rf"b\.{kind}: this is not a readable .* damaged or incomplete"):
        open_stream(tmp_path / "d").table()


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_files_that_change_are_refused(tmp_path, kind):
    def write(n):
        table = pa.table({"a": np.arange(n), "b": np.arange(n)})
        return csv(path, "a,b\n" + "1,2\n" * n) if kind == "csv" else parquet(path, table)

    path = tmp_path / f"t.{kind}"
    stream = open_stream(write(N), window=0)
    blocks = stream.blocks()
    next(blocks)
    write(N + 1)
    with pytest.raises(TableError, match=rf"t\.{kind} changed since it was opened: it had [\d,]+ bytes and has"):
        next(blocks)  # before further blocks are given
    with pytest.raises(TableError, match="changed since it was opened"):
        stream.require_unchanged()
    with pytest.raises(TableError, match="changed since it was opened"):
        stream.table()
    path.unlink()
    with pytest.raises(TableError, match=rf"t\.{kind} is gone"):
        next(stream.blocks())


@pytest.mark.parametrize("kind", ["parquet", "dataset", "arrow", "csv"])
def test_a_file_that_is_removed_between_blocks_is_said_to_be_gone(tmp_path, kind):
    folder = tmp_path / "d"
    folder.mkdir()
    for place in range(3):
        table, path = pa.table({"a": np.arange(N), "b": np.arange(N)}), folder / f"{place}.part"
        if kind == "csv":
            csv(path, "a,b\n" + "1,2\n" * N)
        elif kind == "arrow":
            pyarrow.feather.write_feather(table, path, compression="uncompressed")
        else:
            parquet(path, table)
    blocks = open_stream(ds.dataset(folder) if kind == "dataset" else folder).blocks()
    next(blocks)
    (folder / "2.part").unlink()
    with pytest.raises(TableError, match=r"2\.part is gone: it was removed or renamed since it was opened"):
        list(blocks)


def test_a_file_that_may_not_be_read_any_more_is_named(tmp_path, monkeypatch):
    stream = open_stream(parquet(tmp_path / "t.parquet", pa.table({"a": np.arange(N)})), window=0)

    def refuse(self):
        raise PermissionError(13, "Permission denied", str(self.path))

    monkeypatch.setattr(parts.ParquetPart, "open", refuse)
    with pytest.raises(TableError, match=r"t\.parquet cannot be read any more: Permission denied\. .* begin again"):
        list(stream.blocks())


def test_a_reader_that_was_read_before_is_refused_with_a_way_out():
    table = pa.table({"a": [1, 2], "b": [3, 4]})
    reader = table.to_reader()
    assert open_stream(reader).n_rows == 2
    with pytest.raises(TableError, match=r"RecordBatchReader gives no rows, .*'a', 'b'.* make it anew, or write its"):
        open_stream(reader)


def test_what_a_generator_of_batches_raised_is_said():
    class Source:
        def __arrow_c_stream__(self, requested_schema=None):
            def batches():
                yield pa.record_batch({"a": [1, 2]})
                raise LookupError("the database went away")

            reader = pa.RecordBatchReader.from_batches(pa.schema([("a", pa.int64())]), batches())
            return reader.__arrow_c_stream__()

    with pytest.raises(TableError, match=r"the Source broke off: .*the database went away'?\.$"):
        open_stream(Source())


def test_a_file_that_is_written_again_is_another(tmp_path):
    path = parquet(tmp_path / "t.parquet", pa.table({"a": np.arange(N)}))
    stream = open_stream(path, window=0)
    found = path.stat()
    expected = {"path": str(path), "size": found.st_size, "mtime_ns": found.st_mtime_ns}
    assert stream.identity() == {"n_rows": N, "files": [expected]}
    os.utime(path, ns=(1, 1))
    with pytest.raises(TableError, match="it was written again"):
        stream.require_unchanged()


def test_a_stream_that_breaks_off_is_named():
    def batches():
        yield pa.record_batch({"a": [1]})
        raise ValueError("the wire is cut")

    with pytest.raises(TableError, match=r"the RecordBatchReader broke off: .*the wire is cut"):
        open_stream(pa.RecordBatchReader.from_batches(pa.schema([("a", pa.int64())]), batches()))


def test_partitions_that_differ_are_named():
    dask = pytest.importorskip("dask", reason="Dask is not installed")
    frames = pytest.importorskip("dask.dataframe", reason="Dask's data frames are not installed")
    parts = [pd.DataFrame({"a": pd.Series(cells, dtype=object)}) for cells in ([1, 2], ["x", "y"])]
    with dask.config.set({"dataframe.convert-string": False}):
        lazy = frames.from_map(lambda place: parts[place], [0, 1], meta=parts[0])
    with pytest.raises(TableError, match="'a' holds texts in partition 1 of the Dask data frame, but numbers before"):
        open_stream(lazy)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (Limits(n_columns=1), "more than the 1 columns"),
        (Limits(n_cells=N), "at most 300 cells"),
        (Limits(n_bytes=1000), "holds more than 0 MB"),
    ],
    ids=["columns", "cells", "bytes"],
)
def test_limits_hold(tmp_path, limits, message):
    path = csv(tmp_path / "d" / "t.csv", ROWS).parent
    with pytest.raises(TableError, match=message):
        read_table(path, limits=limits)


def test_concat_refuses_what_does_not_fit_together():
    one, other = read_table({"a": [1, 2]}), read_table({"a": ["x"]})
    with pytest.raises(TableError, match=r"column 'a' holds cells of the kind 'integer' in one .* 'text' in another"):
        concat([one, other])
    with pytest.raises(TableError, match="differ in their columns: 'a', 'b'"):
        concat([one, read_table({"b": [1]})])
    with pytest.raises(TableError, match="no tables"):
        concat([])


def test_concat_keeps_rows_and_levels():
    whole = read_table({"a": ["x", "y", None, "z", "x"], "b": [1.0, 2.0, 3.0, 4.0, 5.0]})
    rows = [np.array([3, 4]), np.array([0, 2])]
    found = concat([whole.take(rows[0]), read_table({"a": ["z"], "b": [9.0]}), whole.take(rows[1])])
    assert [found["a"].levels[code] if code >= 0 else None for code in found["a"].values] == ["z", "x", "z", "x", None]
    assert found["b"].values.tolist() == [4.0, 5.0, 9.0, 1.0, 3.0]
