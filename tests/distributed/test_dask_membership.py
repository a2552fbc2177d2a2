"""Workers that join, stop or leave while a Dask cluster is used, a client that is closed, and what is left behind."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from types import SimpleNamespace

import numpy as np
import pytest

import rosenblatt
from rosenblatt import MLPClassifier, MLPSearchCV, TabularClassifier
from rosenblatt.distributed import dask_cluster, dask_jobs
from rosenblatt.distributed.dask_cluster import ClusterError
from rosenblatt.distributed.dask_jobs import DaskJobs
from rosenblatt.distributed.dask_members import Members

distributed = pytest.importorskip("distributed")

RNG = np.random.default_rng(0)
X = {"number": RNG.normal(size=1_500), "colour": RNG.choice(["red", "green", "blue"], 1_500)}
LABELS = ((X["number"] + (X["colour"] == "red")) > 0.3).astype(int)
SMALL = {"members": 3, "max_iter": 60, "hidden_layer_sizes": (8,), "batch_size": 64}
OPTIONS = {"processes": True, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0"}
OTHER_VERSION = """
from rosenblatt import _version

_version.__version__ = "0.0.7"
"""


@contextlib.contextmanager
def own_cluster(n_workers=2):
    with (
        distributed.LocalCluster(n_workers=n_workers, **OPTIONS) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


class FakeCluster:
    """What is asked of a client: workers by address with what they say, or None for one that says nothing."""

    def __init__(self, **workers):
        self.workers, self.asked, self.status = workers, [], "running"
        self.scheduler = SimpleNamespace(ncores=None, address="tcp://scheduler")

    def sync(self, function, **options):
        return asyncio.run(function()) if function else dict.fromkeys(self.workers, 2)

    async def run(self, function, workers, on_error):
        self.asked += workers
        while self.workers[workers[0]] is None:
            await asyncio.sleep(0.01)
        return {workers[0]: self.workers[workers[0]]}


FIT = dask_cluster.describer()()
UNFIT = {**FIT, "rosenblatt": "0.0.7"}


def test_a_worker_that_does_not_answer_is_named(monkeypatch):
    monkeypatch.setattr(dask_cluster, "ANSWER_SECONDS", 0.1)
    words = r"worker silent does not answer: .*waited 0\.1 seconds.*stopped.*restart it"
    with pytest.raises(ClusterError, match=words):
        Members(FakeCluster(one=FIT, silent=None))


def test_a_worker_that_cannot_do_the_work_gets_none_if_it_joins_later():
    cluster = FakeCluster(one=FIT)
    members = Members(cluster)
    assert members.threads() == {"one": 2}
    assert members.allowed() is None
    cluster.workers["other"] = UNFIT
    with pytest.warns(UserWarning, match=r"worker other has rosenblatt 0\.0\.7, .*pip install.*gets no work"):
        assert members.threads() == {"one": 2}
    assert members.allowed() == ["one"]
    assert members.may_have_refused(None)
    assert not members.may_have_refused(["one"])
    cluster.workers["third"] = FIT
    assert members.threads() == {"one": 2, "third": 2}
    assert members.allowed() == ["one", "third"]
    assert cluster.asked == ["one", "other", "third"]  # each of them once


def test_a_worker_that_was_mended_is_asked_again():
    cluster = FakeCluster(one=FIT)
    members = Members(cluster)
    cluster.workers["other"] = UNFIT
    with pytest.warns(UserWarning, match="gets no work"):
        members.threads()
    del cluster.workers["other"]
    assert members.threads() == {"one": 2}
    cluster.workers["other"] = FIT  # under the same address
    assert members.threads() == {"one": 2, "other": 2}
    assert members.allowed() is None


def test_a_worker_that_leaves_while_it_is_asked_is_none():
    class Leaving(FakeCluster):
        async def run(self, function, workers, on_error):
            self.workers.pop("leaving", None)
            return {address: FIT if address == "one" else OSError("closed") for address in workers}

    assert Members(Leaving(one=FIT, leaving=FIT)).threads() == {"one": 2}


@pytest.mark.parametrize("status", ["closing", "closed"])
def test_a_client_that_was_closed_is_named(status):
    cluster = FakeCluster(one=FIT)
    cluster.status = status
    with pytest.raises(ClusterError, match=r"the client was closed before the work was done.*`checkpoint`"):
        dask_cluster.require_open(cluster)
    cluster.sync = lambda *args, **options: (_ for _ in ()).throw(RuntimeError("closed loop"))
    with pytest.raises(ClusterError, match="the client was closed before"):
        dask_cluster.count_threads(cluster)


@contextlib.contextmanager
def another_worker(client, path, script):
    """A worker in a process of its own, which runs a script when it begins."""
    path.write_text(script)
    options = ["--no-nanny", "--nthreads", "1", "--no-dashboard", "--preload", str(path)]
    command = [sys.executable, "-m", "distributed.cli.dask_worker", client.scheduler.address, *options]
    n_workers = len(client.nthreads())
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, cwd=path.parent) as process:
        try:
            within(30, lambda: len(client.nthreads()) > n_workers)
            yield
        finally:
            process.kill()


def within(seconds, condition):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "this took too long"
        time.sleep(0.02)


def nothing_is_left(client):
    within(10, lambda: not client.who_has() and not client.futures and not any(client.processing().values()))


def saved(model, path):
    rosenblatt.save(model, path)
    return path.read_bytes()


@pytest.mark.long
@pytest.mark.parametrize("looks", [True, False])
def test_a_fit_goes_on_beside_a_worker_with_another_version(looks, tmp_path, monkeypatch):
    """Which is found when it joins, or only when a job has failed there."""
    start, longer = DaskJobs.start, {**SMALL, "members": 5, "max_iter": 600}  # so that the other one gets a job, too
    with own_cluster(1) as client, contextlib.ExitStack() as joined:

        def start_beside_another(self, *args, **options):
            joined.enter_context(another_worker(client, tmp_path / "other.py", OTHER_VERSION))
            running = start(self, *args, **options)
            running.looked_at = running.looked_at if looks else float("inf")
            return running

        monkeypatch.setattr(DaskJobs, "start", start_beside_another)
        with pytest.warns(UserWarning, match=r"has rosenblatt 0\.0\.7, but it is .* here.*gets no work"):
            there = TabularClassifier(**longer, client=client).fit(X, LABELS)
        nothing_is_left(client)
    assert saved(there, tmp_path / "there") == saved(TabularClassifier(**longer).fit(X, LABELS), tmp_path / "here")


@pytest.mark.long
def test_if_only_other_versions_are_left_the_error_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(dask_jobs, "GONE_SECONDS", 4.0)
    with own_cluster(1) as client, contextlib.ExitStack() as joined, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        begun = []

        def hear(epoch):
            if not begun:
                begun.append(True)
                joined.enter_context(another_worker(client, tmp_path / "other.py", OTHER_VERSION))
                client.cluster.scale(0)

        model = TabularClassifier(**{**SMALL, "max_iter": 10**6}, client=client, on_epoch=hear)
        with pytest.raises(ClusterError, match=r"been gone for 4 seconds.*has rosenblatt 0\.0\.7.*pip install"):
            model.fit(X, LABELS)
        within(10, lambda: not client.futures)


@pytest.mark.long
def test_a_stopped_worker_does_not_delay_a_fit_for_long(monkeypatch):
    monkeypatch.setattr(dask_cluster, "ANSWER_SECONDS", 2.0)
    with own_cluster(2) as client:
        address, process = sorted(client.run(os.getpid).items())[0]
        os.kill(process, signal.SIGSTOP)
        try:
            began = time.monotonic()
            with pytest.raises(ClusterError, match=f"worker {address} does not answer: .*waited 2.0 seconds"):
                TabularClassifier(**SMALL, client=client).fit(X, LABELS)
            assert time.monotonic() - began < 20
        finally:
            os.kill(process, signal.SIGCONT)
        nothing_is_left(client)


@pytest.mark.long
def test_nothing_is_left_after_all_workers_were_replaced(tmp_path):
    with own_cluster() as client:
        later = threading.Timer(5, client.cluster.scale, (1,))

        def hear(epoch):
            if epoch.number == 3 and later.ident is None:
                client.cluster.scale(0)
                later.start()

        there = TabularClassifier(**SMALL, client=client, on_epoch=hear).fit(X, LABELS)
        nothing_is_left(client)
        assert later.ident is not None
    assert saved(there, tmp_path / "there") == saved(TabularClassifier(**SMALL).fit(X, LABELS), tmp_path / "here")


@pytest.mark.long
@pytest.mark.parametrize("what", ["fit", "search"])
def test_the_error_says_that_the_client_was_closed(what):
    with distributed.LocalCluster(n_workers=1, **OPTIONS) as cluster:
        client = distributed.Client(cluster)
        threading.Timer(2, client.close).start()
        model, rows = TabularClassifier(**{**SMALL, "max_iter": 10**6}, client=client), X
        if what == "search":
            network, rows = MLPClassifier((8,), max_iter=10**6, tol=0, n_iter_no_change=10**6), X["number"][:, None]
            options = {"n_trials": 2, "cv": 3, "strategy": "random", "client": client}
            model = MLPSearchCV(network, {"alpha": [0.1, 0.2]}, **options)
        with pytest.raises(ClusterError, match="the client was closed before the work was done"):
            model.fit(rows, LABELS)
