"""A stream for another process: pickled, opened by the same cells from another folder, or refused."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from rosenblatt.tables.readers.streams import open_stream
from rosenblatt.tables.table import TableError

pa = pytest.importorskip("pyarrow")
import pyarrow.csv  # noqa: E402
import pyarrow.dataset as ds  # noqa: E402
import pyarrow.feather  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402

N = 1_000
ROWS = pa.table({"number": np.arange(N) / 7, "text": [f"0{i % 10}" for i in range(N)]})


def arrow_stream(path):
    with pa.ipc.new_stream(path, ROWS.schema) as writer:
        writer.write_table(ROWS, max_chunksize=300)


WRITERS = {
    "rows.parquet": lambda path: pq.write_table(ROWS, path, row_group_size=300),
    "rows.feather": lambda path: pyarrow.feather.write_feather(ROWS, path),
    "rows.arrows": arrow_stream,
    "rows.csv": lambda path: pyarrow.csv.write_csv(ROWS, path),
    "year=2024/rows.parquet": lambda path: pq.write_table(ROWS, path),
}


def parquet_dataset():
    return ds.dataset("year=2024", partitioning="hive")


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A working folder with files, which the other process does not have."""
    monkeypatch.chdir(tmp_path)
    Path("year=2024").mkdir()
    for name, write in WRITERS.items():
        write(name)
    return tmp_path


SOURCES = {
    **{name: lambda name=name: name for name in list(WRITERS)[:4]},
    "a folder": lambda: "year=2024",
    "a pattern": lambda: "rows.par*",
    "a dataset": parquet_dataset,
}


def cells(stream):
    table = stream.table(text=["text"])
    return {name: (column.storage, column.levels, column.values.tolist()) for name, column in table.columns.items()}


@pytest.mark.parametrize("name", SOURCES)
def test_another_process_reads_the_same_cells(name, here, tmp_path_factory, monkeypatch):
    stream = open_stream(SOURCES[name](), window=100)
    sent, known = pickle.dumps(stream.elsewhere()), cells(stream)
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    found = pickle.loads(sent)
    assert cells(found) == known
    assert found.n_rows == stream.n_rows


@pytest.mark.parametrize("name", WRITERS)
def test_another_process_refuses_a_file_that_changed(name, here):
    stream = pickle.loads(pickle.dumps(open_stream(name, window=100).elsewhere()))
    Path(name).write_bytes(Path(name).read_bytes() + b"\n")
    with pytest.raises(TableError, match=f"{here / name} changed since it was opened"):
        next(stream.blocks())
    Path(name).unlink()
    with pytest.raises(TableError, match=f"{here / name} is gone"):
        next(stream.blocks())


REFUSED = {
    "in memory": lambda: ds.dataset(ROWS),
    "with a filter": lambda: ds.dataset("rows.parquet").filter(ds.field("number") > 1),
    "several datasets": lambda: ds.dataset([ds.dataset("rows.parquet"), ds.dataset("year=2024")]),
    "a stream": lambda: pa.RecordBatchReader.from_batches(ROWS.schema, ROWS.to_batches()),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_only_this_process_has_is_refused(name, here):
    with pytest.raises(TableError, match="Write it to Parquet in a folder that all of them share"):
        open_stream(REFUSED[name](), window=100).elsewhere()
