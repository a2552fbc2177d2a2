"""Tables larger than memory on a Dask cluster: each worker reads the shared files, and trains the same networks."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest

import rosenblatt
from rosenblatt import TabularClassifier, TabularRegressor
from rosenblatt.distributed.dask_jobs import DaskJobs
from rosenblatt.estimators.tabular.shared_rows import SharedRows
from rosenblatt.tables.prepared_file import PreparedFileError
from rosenblatt.tables.table import TableError

distributed = pytest.importorskip("distributed")
pa = pytest.importorskip("pyarrow")
pytest.importorskip("pyarrow.dataset")

N, WINDOW = 4_000, 700
SMALL = {"members": 4, "max_iter": 3, "hidden_layer_sizes": (8,), "batch_size": 64, "window": WINDOW}
OPTIONS = {"processes": True, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0"}


def frame():
    rng = np.random.default_rng(0)
    words = np.array(["red", "green", "blue", "round", "flat", "heavy", "light", "old"])
    number, level = rng.normal(size=N), rng.choice(["north", "south", "east"], N)
    target = number + (level == "north") + rng.normal(size=N)
    return pd.DataFrame(
        {
            "number": np.where(rng.random(N) < 0.1, np.nan, number),
            "level": level,
            "many": [f"level {k}" for k in rng.integers(0, 300, N)],
            "text": [" ".join(rng.choice(words, 5)) for _ in range(N)],
            "weight": rng.integers(0, 4, N) * 0.5,
            "class": np.where(target > 1, "high", np.where(target > 0, "middle", "low")),
            "amount": target,
            "tail": np.exp(2 * target),
        }
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path, rows = tmp_path_factory.mktemp("shared") / "rows", frame()
    for year in (2023, 2024):
        part = path / f"year={year}"
        part.mkdir(parents=True)
        rows.iloc[year - 2023 :: 2].to_parquet(part / "part.parquet", row_group_size=500)
    return path


@pytest.fixture(scope="module")
def client():
    with distributed.LocalCluster(n_workers=2, **OPTIONS) as cluster, distributed.Client(cluster) as client:
        yield client


def saved(model, path):
    rosenblatt.save(model, path)
    return path.read_bytes()


def nameless_files():
    """The files without a name that this process has open."""
    found = set()
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            target = os.readlink(entry)
            if "(deleted)" in target:
                found.add(target)
    return found


def within(seconds, condition):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "this took too long"
        time.sleep(0.05)


def classes(source, **more):
    return TabularClassifier(**SMALL, class_weight="balanced", ignore=["amount", "tail"], **more).fit(
        source, "class", "weight"
    )


def numbers(source, **more):
    return TabularRegressor(**SMALL, ignore=["class", "tail"], **more).fit(source, "amount")


def tail(source, **more):
    return TabularRegressor(**SMALL, ignore=["class", "amount", "weight"], **more).fit(source, "tail")


FITS = {"classes": classes, "numbers": numbers, "trial of the logarithm": tail}


@contextlib.contextmanager
def nothing_stays(client):
    """No file of the workers that was not open before."""
    before = client.run(nameless_files)
    yield
    within(20, lambda: client.run(nameless_files) == before)
    within(10, lambda: not client.who_has() and not client.futures and not any(client.processing().values()))


@pytest.mark.long
@pytest.mark.parametrize("name", FITS)
def test_workers_read_the_table_and_train_the_same_networks(name, client, folder, tmp_path):
    with nothing_stays(client):
        there = FITS[name](folder, client=client)
    assert saved(there, tmp_path / "there") == saved(FITS[name](folder), tmp_path / "here")


@pytest.mark.long
def test_each_worker_prepares_the_rows_once(client, folder, capsys):
    numbers(folder, client=client, verbose=True)
    prepared = [line for line in capsys.readouterr().out.splitlines() if "prepared rows" in line]
    where = [line.split()[1] for line in prepared if line.startswith("worker ")]
    assert sorted(set(where)) == sorted(where)
    assert 1 <= len(where) <= 2


@pytest.mark.long
@pytest.mark.parametrize("backend", ["dask", "loky"])
def test_backends_of_joblib_read_the_table(backend, client, folder, tmp_path, monkeypatch):
    monkeypatch.chdir(folder.parent)
    with joblib.parallel_config(backend=backend, n_jobs=2):
        there = numbers(folder.name)  # a relative path
    assert saved(there, tmp_path / "there") == saved(numbers(folder), tmp_path / "here")


@pytest.mark.long
def test_a_time_budget_is_planned_by_a_trial_on_a_worker(client, folder):
    with nothing_stays(client):
        model = numbers(folder, client=client, time_budget="20s")
    assert 1 <= len(model.ensemble_.members) <= 4


@pytest.mark.long
def test_a_fit_elsewhere_continues_one_that_was_begun_here(client, folder, tmp_path):
    class Stop(Exception):
        pass

    def stop(epoch):
        if epoch.number == 2:
            raise Stop

    kept = {"checkpoint": tmp_path / "kept", "checkpoint_every": 1}
    with pytest.raises(Stop):
        numbers(folder, on_epoch=stop, **kept)
    epochs = []
    with nothing_stays(client):
        there = numbers(folder, client=client, on_epoch=epochs.append, **kept)
    here, rows = numbers(folder), frame().assign(year=2023)
    assert [member.curve for member in there.ensemble_.members] == [member.curve for member in here.ensemble_.members]
    np.testing.assert_array_equal(there.predict(rows), here.predict(rows))
    assert len(epochs) < 12


@pytest.mark.long
def test_ctrl_c_leaves_no_file(client, folder):
    def interrupt(epoch):
        raise KeyboardInterrupt

    with nothing_stays(client), pytest.warns(UserWarning, match="interrupted"):
        numbers(folder, client=client, on_epoch=interrupt)


@pytest.fixture
def before_workers(monkeypatch):
    """What is called when the passes of this process are over, and before a worker begins."""

    def call(change):
        start = DaskJobs.start
        monkeypatch.setattr(DaskJobs, "start", lambda self, *a, **k: (change(), start(self, *a, **k))[1])

    return call


CHANGES = {
    "is gone": lambda path: path.rename(path.with_name("moved")),
    "changed since": lambda path: path.write_bytes(path.read_bytes() + b"more"),
    "written again": lambda path: os.utime(path, (0, 0)),
}


@pytest.mark.long
@pytest.mark.parametrize("said", CHANGES)
def test_a_worker_that_sees_other_files_is_refused(said, client, tmp_path, before_workers):
    rows = tmp_path / "rows.parquet"
    frame().to_parquet(rows)
    before_workers(lambda: CHANGES[said](rows))
    with pytest.raises(TableError, match=rf"worker tcp://\S+ on .*{rows}.*{said}.*a folder that all"):
        numbers(rows, client=client)


@pytest.mark.long
def test_other_bits_on_a_worker_are_refused(client, folder, monkeypatch):
    of = SharedRows.of
    monkeypatch.setattr(SharedRows, "of", lambda *given: replace(of(*given), digest="of other rows"))
    with nothing_stays(client), pytest.raises(TableError, match=r"worker tcp://\S+ on .* prepares .* to other bits"):
        numbers(folder, client=client)


@pytest.mark.long
def test_a_worker_without_space_is_named(client, folder):
    def set_folder(path):
        tempfile.tempdir = path

    client.run(set_folder, "/not/there")
    try:
        with pytest.raises(PreparedFileError, match=r"worker tcp://\S+ on .*'/not/there'"):
            numbers(folder, client=client)
    finally:
        client.run(set_folder, None)


@pytest.mark.long
def test_a_worker_that_is_killed_is_replaced(folder, tmp_path):
    killed = []

    def kill(epoch):
        if not killed:
            killed.append(min(client.run(os.getpid).values()))
            os.kill(killed[0], signal.SIGKILL)

    with distributed.LocalCluster(n_workers=2, **OPTIONS) as cluster, distributed.Client(cluster) as client:
        there = numbers(folder, client=client, on_epoch=kill)
    assert killed
    assert saved(there, tmp_path / "there") == saved(numbers(folder), tmp_path / "here")


@pytest.mark.long
def test_a_client_that_is_killed_leaves_no_file(client, folder):
    program = (
        "import distributed, os, signal, sys\n"
        "from rosenblatt import TabularRegressor\n"
        "client = distributed.Client(sys.argv[1])\n"
        "kill = lambda epoch: os.kill(os.getpid(), signal.SIGKILL)\n"
        "model = TabularRegressor(members=4, window=700, max_iter=10_000, client=client, on_epoch=kill)\n"
        "model.fit(sys.argv[2], 'amount')\n"
    )
    before = client.run(nameless_files)
    arguments = [sys.executable, "-c", program, client.scheduler.address, str(folder)]
    assert subprocess.run(arguments, timeout=120).returncode == -signal.SIGKILL
    assert client.run(nameless_files) != before
    within(60, lambda: client.run(nameless_files) == before)


@pytest.mark.long
def test_memory_of_a_worker_is_shared_by_its_threads(folder, tmp_path):
    options = {**OPTIONS, "threads_per_worker": 3}
    window_of_one = 150_000  # bytes; two networks need more
    with distributed.LocalCluster(n_workers=1, **options) as cluster, distributed.Client(cluster) as client:
        there = numbers(folder, client=client, memory_limit=window_of_one)
        with pytest.raises(ValueError, match="window="):
            numbers(folder, client=client, memory_limit=1000)
    assert saved(there, tmp_path / "there") == saved(numbers(folder, memory_limit=window_of_one), tmp_path / "here")


def in_memory(path):
    return pa.dataset.dataset(pa.Table.from_pandas(frame()))


def with_filter(path):
    return pa.dataset.dataset(path, partitioning="hive").filter(pa.dataset.field("year") > 2000)


def dask_frame(path):
    return pytest.importorskip("dask.dataframe").from_pandas(frame(), npartitions=2)


def arrow_stream(path):
    table = pa.Table.from_pandas(frame())
    return pa.RecordBatchReader.from_batches(table.schema, table.to_batches())


@pytest.mark.parametrize("source", [in_memory, with_filter, dask_frame, arrow_stream])
def test_a_table_of_this_process_alone_is_refused_before_it_is_read(source, folder, capsys):
    with (
        joblib.parallel_config(backend="loky", n_jobs=2),
        pytest.raises(TableError, match="Write it to Parquet in a folder that all of them share"),
    ):
        numbers(source(folder), verbose=True)
    assert not capsys.readouterr().out
