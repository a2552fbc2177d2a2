"""Members whose rows another process prepares; here threads of this one, to which the work is sent as bytes."""

import pickle
import threading

import numpy as np
import pandas as pd
import pytest

from rosenblatt import TabularRegressor
from rosenblatt.distributed import kept
from rosenblatt.distributed.jobs import Threads
from rosenblatt.estimators.tabular import member_jobs
from rosenblatt.estimators.tabular.second_pass import SecondPass
from rosenblatt.estimators.tabular.stored_rows import StoredRows

cloudpickle = pytest.importorskip("cloudpickle")
pytest.importorskip("pyarrow")
N, WINDOW = 2_000, 500
SMALL = {"members": 4, "max_iter": 2, "hidden_layer_sizes": (8,), "batch_size": 64, "window": WINDOW}


class Elsewhere(Threads):
    """Threads that have nothing of this process."""

    shares_memory = False

    def start(self, work, items, hear, *, timed=False):
        return super().start(pickle.loads(cloudpickle.dumps(work)), items, hear, timed=timed)


@pytest.fixture
def file(tmp_path):
    rng = np.random.default_rng(0)
    number = rng.normal(size=N)
    rows = {"number": number, "level": rng.choice(["a", "b", "c"], N), "y": number + rng.normal(size=N)}
    pd.DataFrame(rows).to_parquet(tmp_path / "rows.parquet")
    return tmp_path / "rows.parquet"


@pytest.fixture
def elsewhere(monkeypatch):
    monkeypatch.setattr("rosenblatt.estimators.tabular.course.jobs_of", lambda client: Elsewhere(3))
    yield
    kept.forget("")
    assert not kept.ENTRIES


def fit(file, **more):
    return TabularRegressor(**SMALL, **more).fit(file, "y")


def test_jobs_prepare_the_rows_once_and_train_the_same_networks(file, elsewhere, monkeypatch):
    written = []
    write = SecondPass.write

    def counted(self, *given, **more):
        written.append(threading.current_thread())
        return write(self, *given, **more)

    monkeypatch.setattr(SecondPass, "write", counted)
    there = fit(file)
    assert len(written) == 2  # here, and there
    monkeypatch.undo()
    here = fit(file)
    rows = pd.read_parquet(file)
    np.testing.assert_array_equal(there.predict(rows), here.predict(rows))
    np.testing.assert_array_equal(there.out_of_fold_, here.out_of_fold_)


@pytest.mark.parametrize("at_once", [1, 2])
def test_no_more_jobs_train_than_memory_allows(at_once, file, elsewhere, monkeypatch):
    train, lock, running, most = member_jobs.train_member, threading.Lock(), [], []
    together = threading.Barrier(at_once)

    def counted(*given):
        with lock:
            running.append(None)
            most.append(len(running))
        together.wait(20)  # so many do train at once
        try:
            return train(*given)
        finally:
            with lock:
                running.pop()

    monkeypatch.setattr(member_jobs, "train_member", counted)
    monkeypatch.setattr(StoredRows, "members_at_once", lambda self, n_members: min(at_once, n_members))
    fit(file)
    assert max(most) == at_once
