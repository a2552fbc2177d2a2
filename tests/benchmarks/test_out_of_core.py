"""The table, the sampler and the tasks of `benchmarks.out_of_core`, on few rows."""

from __future__ import annotations

import os
import sys
import tempfile

import numpy as np
import pytest

pq = pytest.importorskip("pyarrow.parquet", reason="the table consists of Parquet files")

from benchmarks import large_table, out_of_core, processes  # noqa: E402
from benchmarks.large_table import LEVELS, TARGET, as_matrix, column_kinds, make_table, matrices  # noqa: E402
from benchmarks.out_of_core_tasks import area_under_curve, peer_scored, reading  # noqa: E402

COLUMNS = 20
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="/proc and posix_fadvise are Linux's")


@pytest.fixture
def small(monkeypatch):
    """Blocks and files of few rows."""
    monkeypatch.setattr(large_table, "BLOCK", 200)
    monkeypatch.setattr(large_table, "ROWS_PER_FILE", 800)
    monkeypatch.setattr(large_table, "BLOCKS_PER_GROUP", 2)


def rows_in(files):
    import pyarrow as pa

    return pa.concat_tables(pq.read_table(path) for path in files).unify_dictionaries()


def test_a_table_is_the_beginning_of_every_longer_one(small, tmp_path):
    few, many = make_table(tmp_path / "few", 1100, COLUMNS), make_table(tmp_path / "many", 3000, COLUMNS)
    assert [pq.read_metadata(path).num_rows for path in few] == [400, 400, 300]
    assert [pq.read_metadata(path).num_rows for path in many] == [800, 800, 800, 600]
    assert rows_in(few).equals(rows_in(many).slice(0, 1100))
    assert pq.read_metadata(many[0]).num_row_groups == 2


def test_it_is_written_once_and_never_half(small, tmp_path, monkeypatch):
    files = make_table(tmp_path, 1100, COLUMNS)
    before = [path.stat().st_mtime_ns for path in files]
    files[1].unlink()
    monkeypatch.setattr(large_table, "arrow_table", lambda *given: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        make_table(tmp_path, 1100, COLUMNS)
    assert not files[1].exists()
    monkeypatch.undo()
    assert [path.stat().st_mtime_ns for path in (files[0], files[2])] == [before[0], before[2]]


@pytest.mark.parametrize("columns", [8, 12, 20, 40])
def test_columns_have_the_types_that_are_said(small, tmp_path, columns):
    kinds = column_kinds(columns)
    assert len(kinds) == columns
    schema = pq.read_schema(make_table(tmp_path, 200, columns)[0])
    arrow = {"category": "dictionary<values=string, indices=int32, ordered=0>", "float32": "float", "float64": "double"}
    assert {name: str(schema.field(name).type) for name in kinds} == {n: arrow.get(k, k) for n, k in kinds.items()}
    assert schema.names == [*kinds, TARGET]


def test_too_few_columns_are_refused():
    with pytest.raises(ValueError, match="columns is 7; the target depends on 8"):
        column_kinds(7)


def test_the_signal_is_strong_and_a_linear_model_misses_most_of_it():
    made = {name: values[:5000] for name, values in large_table.block(3, COLUMNS).items()}
    y = made[TARGET]
    X = np.column_stack([(v - v.mean()) / v.std() for name, v in made.items() if name not in (*LEVELS, TARGET)])
    linear = area_under_curve(y, X @ np.linalg.lstsq(X, y - y.mean())[0])
    assert linear < 0.8 < 0.85 < area_under_curve(y, large_table.log_odds(made)) < 0.95


def test_matrices_hold_level_numbers_whatever_their_order_in_the_file(small, tmp_path):
    [path, *_] = make_table(tmp_path, 200, COLUMNS)
    (X, y), *_ = matrices([path])
    expected = large_table.block(0, COLUMNS)
    np.testing.assert_array_equal(y, expected[TARGET])
    for column, name in zip(X.T, column_kinds(COLUMNS), strict=True):
        np.testing.assert_array_equal(column, expected[name].astype(np.float32))
    frame = pq.read_table(path).to_pandas()
    for name in LEVELS:
        frame[name] = frame[name].cat.set_categories(sorted(frame[name].unique(), reverse=True))
    import pyarrow as pa

    np.testing.assert_array_equal(as_matrix(pa.Table.from_pandas(frame, preserve_index=False))[0], X)


def test_lightgbm_gets_each_row_by_its_number(small, tmp_path):
    pytest.importorskip("lightgbm", reason="the benchmark of peers needs it")
    from benchmarks.parquet_sequence import parquet_sequence

    files = make_table(tmp_path, 1100, COLUMNS)
    whole = np.concatenate([X for X, _ in matrices(files)])
    rows = parquet_sequence(files)
    assert len(rows) == 1100
    for first, last in ((0, 1100), (150, 850), (399, 401), (0, 1), (1099, 1100), (700, 700 + 50)):
        np.testing.assert_array_equal(rows[first:last], whole[first:last])
    np.testing.assert_array_equal(np.stack([rows[i] for i in (3, 399, 400, 1099)]), whole[[3, 399, 400, 1099]])


def test_peers_are_scored_and_rows_are_read(small, tmp_path):
    files = make_table(tmp_path, 1100, COLUMNS)
    X, y = (np.concatenate(parts) for parts in zip(*matrices(files), strict=True))
    whole = tmp_path / "whole.parquet"
    pq.write_table(rows_in(files), whole, row_group_size=300)
    assert peer_scored({"test": whole}, lambda X: X[:, 5]) == {"auc": area_under_curve(y, X[:, 5])}
    assert reading({"files": [str(path) for path in files]})["rows"] == 1100


@LINUX
class TestProcesses:
    def test_memory_of_its_own_is_counted_and_pages_of_files_are_not(self, tmp_path):
        path = tmp_path / "pages"
        path.write_bytes(b"1" * 80_000_000)
        program = """
import mmap, sys, time
with open(sys.argv[1], "rb") as file:
    pages = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    sum(pages[::4096])
    time.sleep(0.2)
    print("begin", flush=True)
    own = bytearray(b"1") * 60_000_000
    time.sleep(0.3)
    del own
    print("end", flush=True)
"""
        run = processes.watch([sys.executable, "-c", program, str(path)])
        assert run.status == 0, run.errors
        assert [line for _, line in run.lines] == ["begin", "end"]
        assert run.peak("begin") < 50 < 60 < run.peak() < 120
        assert run.time_of("begin") < run.time_of("end") <= run.seconds

    def test_files_without_a_name_are_seen_as_they_grow(self):
        program = """
import tempfile, time
time.sleep(0.2)
with tempfile.TemporaryFile() as file:
    for _ in range(4):
        file.write(bytes(1000)); file.flush(); time.sleep(0.15)
    time.sleep(0.4)
"""
        run = processes.watch([sys.executable, "-c", program])
        start, end = run.writing()
        assert start < end < run.seconds
        assert run.unnamed[0][1] == 0
        assert max(n for _, n in run.unnamed) == 4000

    def test_what_fails_is_shown(self):
        with pytest.raises(RuntimeError, match=r"(?s)the task nothing ended with status 1.*KeyError: 'nothing'"):
            processes.run_task("nothing")

    def test_a_file_can_be_read_from_the_disk_and_from_the_cache(self, tmp_path):
        path = tmp_path / "file"
        path.write_bytes(os.urandom(1_000_000))
        assert processes.read_rate([path], cached=False) > 0
        assert "cores, " in str(processes.machine([path]))
        with tempfile.TemporaryFile() as file:
            file.write(b"here")
            file.flush()
            assert processes.unnamed_files()[file.fileno()] == 4
            processes.drop_cached(file.fileno())
            file.seek(0)
            assert file.read() == b"here"

    def test_times_of_epochs_and_passes(self):
        lines = [
            (1.0, "begin"),
            (4.0, "epoch 1"),
            (5.0, "epoch 2"),
            (7.0, "epoch 3"),
            (8.5, "epoch 4"),
            (9.0, "fitted"),
        ]
        run = processes.Run(lines=lines, unnamed=[(1.5, 0), (2.0, 10), (2.5, 20), (3.0, 20)], seconds=9.0)
        assert out_of_core.epoch_seconds(run) == 1.5
        assert out_of_core.per_row(run, 1000) == 1.5e6
        assert out_of_core.phases(run) == "pass one 1.0 s, pass two 0.5 s, each of 4 epochs 1.5 s, all 8.0 s"
