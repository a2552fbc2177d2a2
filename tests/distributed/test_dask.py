"""Members, folds and candidates on a real Dask cluster: the same bits, lost workers, Ctrl-C, progress, refusals."""

import asyncio
import contextlib
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import joblib
import numpy as np
import pytest
from sklearn.base import clone

import rosenblatt
from rosenblatt import MLPClassifier, MLPSearchCV, TabularClassifier, TabularRegressor
from rosenblatt.distributed import dask_cluster, dask_jobs
from rosenblatt.distributed.dask_cluster import ClusterError
from rosenblatt.distributed.dask_jobs import DaskJobs

distributed = pytest.importorskip("distributed")

RNG = np.random.default_rng(0)
N = 1_500
X = {
    "number": RNG.normal(size=N),
    "colour": RNG.choice(["red", "green", "blue"], N),
    "words": [" ".join(RNG.choice(["one", "two", "three", "four", "five", "six"], 5)) + f" {i}" for i in range(N)],
}
LABELS = ((X["number"] + (X["colour"] == "red")) > 0.3).astype(int)
NUMBERS = X["number"] + (X["colour"] == "blue") + RNG.normal(size=N)
SMALL = {"members": 3, "max_iter": 3, "hidden_layer_sizes": (8,), "batch_size": 64}
LONG = {**SMALL, "max_iter": 1500, "members": 2}
FEW = {name: column[:300] for name, column in X.items()}
OPTIONS = {"processes": True, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0"}


@pytest.fixture(scope="module")
def client():
    with distributed.LocalCluster(n_workers=2, **OPTIONS) as cluster, distributed.Client(cluster) as client:
        yield client


@contextlib.contextmanager
def own_cluster(n_workers=2, **options):
    """A cluster that a test may break."""
    with (
        distributed.LocalCluster(n_workers=n_workers, **OPTIONS, **options) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def saved(model, path):
    rosenblatt.save(model, path)
    return path.read_bytes()


def within(seconds, condition):
    """Wait until the condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "this took too long"
        time.sleep(0.02)


def nothing_is_left(client):
    within(10, lambda: not client.who_has() and not client.futures and not any(client.processing().values()))


FITS = {
    "classes": lambda **more: TabularClassifier(**SMALL, **more).fit(X, LABELS),
    "ordered classes": lambda **more: TabularClassifier(**SMALL, ordered=True, metric="f1", **more).fit(X, LABELS),
    "numbers": lambda **more: TabularRegressor(**SMALL, **more).fit(X, NUMBERS, np.arange(1, N + 1)),
    "trial of the logarithm": lambda **more: TabularRegressor(**SMALL, **more).fit(X, np.exp(2 * NUMBERS)),
    "groups": lambda **more: TabularRegressor(**SMALL, **more).fit(X, NUMBERS, groups=np.arange(N) % 20),
    "validation rows": lambda **more: TabularClassifier(**SMALL, **more).fit(X, LABELS, X_val=FEW, y_val=LABELS[:300]),
}


@pytest.mark.long
@pytest.mark.parametrize("name", FITS)
def test_a_cluster_trains_the_same_networks(name, client, tmp_path):
    here, there = FITS[name](), FITS[name](client=client)
    assert saved(there, tmp_path / "there") == saved(here, tmp_path / "here")
    np.testing.assert_array_equal(there.out_of_fold_, here.out_of_fold_)
    nothing_is_left(client)


@pytest.mark.long
def test_the_active_backend_is_used(client, monkeypatch, tmp_path):
    runs = []
    start = DaskJobs.start
    monkeypatch.setattr(DaskJobs, "start", lambda self, *a, **k: runs.append(self.client) or start(self, *a, **k))
    with joblib.parallel_config(backend="dask"):
        there = FITS["classes"]()
    assert runs == [client]
    assert saved(there, tmp_path / "there") == saved(FITS["classes"](), tmp_path / "here")
    assert runs == [client]  # none outside


@pytest.mark.long
@pytest.mark.parametrize("strategy", ["halving", "random"])
@pytest.mark.parametrize("way", ["client", "backend"])
def test_a_cluster_finds_the_same_candidates(strategy, way, client):
    space = {"alpha": [1e-4, 1e-1], "hidden_layer_sizes": [(8,), (16,)]}
    options = {"n_trials": 4, "cv": 3, "strategy": strategy, "max_epochs": 6, "min_epochs": 2, "random_state": 0}
    rows, labels = np.stack([X["number"], NUMBERS], axis=1)[:600], LABELS[:600]
    estimator = MLPClassifier(random_state=0, batch_size=50)
    here = MLPSearchCV(estimator, space, **options).fit(rows, labels)
    with joblib.parallel_config(backend="dask") if way == "backend" else contextlib.nullcontext():
        given = {"client": client} if way == "client" else {}
        there = MLPSearchCV(estimator, space, **options, **given).fit(rows, labels)
    assert there.cv_results_["params"] == here.cv_results_["params"]
    for name in ("mean_test_score", "epochs", "rung"):
        np.testing.assert_array_equal(there.cv_results_[name], here.cv_results_[name])
    np.testing.assert_array_equal(there.predict_proba(rows), here.predict_proba(rows))
    nothing_is_left(client)


@pytest.mark.long
def test_a_cluster_searches_tabular_estimators(client):
    space, options = {"dropout": [0.0, 0.2]}, {"n_trials": 2, "strategy": "random"}
    here = MLPSearchCV(TabularClassifier(**SMALL), space, **options).fit(FEW, LABELS[:300])
    there = MLPSearchCV(TabularClassifier(**SMALL), space, client=client, **options).fit(FEW, LABELS[:300])
    np.testing.assert_array_equal(there.cv_results_["mean_test_score"], here.cv_results_["mean_test_score"])
    np.testing.assert_array_equal(there.predict_proba(FEW), here.predict_proba(FEW))
    assert there.best_estimator_.client is None
    nothing_is_left(client)


@pytest.mark.long
def test_data_are_sent_once_to_a_worker(client):
    jobs = DaskJobs(client)
    table = np.arange(100_000.0)
    with jobs, jobs.start(lambda item, link: float(table[item]), range(8), lambda *message: None) as running:
        before = len(jobs.shared)
        while not running.over:
            running.wait()
        holders = {key: who for key, who in client.who_has().items() if "rosenblatt-data" in key}
        large = [key for key in holders if client.futures[key].status == "finished"]
        assert [done.value for _, done in sorted(running.ended.items())] == list(range(8))
        assert (before, len(jobs.shared)) == (0, 2)  # the array, and the function around it
        assert len(large) == 2
        assert sum(client.nbytes(large).values()) < 1.01 * table.nbytes  # no second copy, in no job
    nothing_is_left(client)


@pytest.mark.long
def test_progress_comes_back_in_order(client, capsys):
    epochs, threads = [], set()

    def hear(epoch):
        epochs.append((epoch.member, epoch.number))
        threads.add(threading.get_ident())

    here = []
    FITS["classes"](on_epoch=lambda epoch: here.append(epoch))
    FITS["classes"](client=client, on_epoch=hear, verbose=1)
    assert sorted(epochs) == sorted((epoch.member, epoch.number) for epoch in here)
    for member in (1, 2, 3):
        assert [number for of, number in epochs if of == member] == [1, 2, 3]
    assert len(threads) == 1
    assert capsys.readouterr().out.count("epoch   3 of 3") == 3


@pytest.mark.long
def test_an_error_in_a_callback_ends_the_fit(client):
    def fail(epoch):
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        TabularClassifier(**LONG, on_epoch=fail, client=client).fit(X, LABELS)
    nothing_is_left(client)


@pytest.mark.long
def test_an_interrupt_keeps_the_networks_as_they_are(client):
    def interrupt(epoch):
        if epoch.number >= 3:
            raise KeyboardInterrupt

    with pytest.warns(UserWarning, match="Training was interrupted: [12] networks?"):
        model = TabularClassifier(**LONG, on_epoch=interrupt, client=client).fit(X, LABELS)
    assert all(1 <= len(member.curve) < 1500 for member in model.ensemble_.members)
    assert FITS["classes"](client=client).n_iter_ == 3  # the cluster is usable
    nothing_is_left(client)


@pytest.mark.long
def test_a_time_budget_counts_here(client):
    began = time.monotonic()
    model = TabularClassifier(**{**LONG, "max_iter": 100_000}, time_budget=2, client=client).fit(X, LABELS)
    assert time.monotonic() - began < 30
    assert len(model.ensemble_.members) >= 1
    nothing_is_left(client)


@pytest.mark.long
def test_workers_write_checkpoints(client, tmp_path):
    options = {**SMALL, "checkpoint": tmp_path / "kept", "checkpoint_every": 3}
    there = TabularClassifier(**options, client=client).fit(X, LABELS)
    assert len([*tmp_path.glob("kept/*/member-*/checkpoint.safetensors")]) == 3
    again = TabularClassifier(**options).fit(X, LABELS)  # which the client does not change
    plain = TabularClassifier(**SMALL, checkpoint_every=3).fit(X, LABELS)
    assert saved(again, tmp_path / "a") == saved(there, tmp_path / "b") == saved(plain, tmp_path / "c")


@pytest.mark.long
def test_a_folder_that_workers_do_not_see_is_refused(client, tmp_path, monkeypatch):
    from rosenblatt.estimators.tabular.checkpoints import FitCheckpoints

    given = FitCheckpoints.for_others

    def elsewhere(self):
        twin = given(self)
        twin.folder = tmp_path / "not here"
        return twin

    monkeypatch.setattr(FitCheckpoints, "for_others", elsewhere)
    with pytest.raises(ValueError, match=r"not here' is not to be seen from the machine .* all workers share"):
        TabularClassifier(**SMALL, client=client, checkpoint=tmp_path / "kept").fit(X, LABELS)


@pytest.mark.long
def test_clones_share_the_client_and_files_hold_none(client, tmp_path):
    model = TabularClassifier(**SMALL, client=client)
    assert clone(model).client is client
    assert clone(MLPSearchCV(model, client=client)).client is clone(MLPSearchCV(model)).estimator.client is client
    fitted = model.fit(FEW, LABELS[:300])
    assert pickle.loads(pickle.dumps(fitted)).client is None
    rosenblatt.save(fitted, tmp_path / "model")
    assert rosenblatt.load(tmp_path / "model").client is None
    assert fitted.client is client


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ("tcp://10.0.0.1:8786", TypeError, r"type str.*give distributed.Client\('tcp://10.0.0.1:8786'\)"),
        (3, TypeError, "type int, which is no client of a Dask cluster"),
    ],
)
def test_what_is_no_client_is_refused(given, error, words):
    for model in (TabularClassifier(client=given), TabularRegressor(client=given), MLPSearchCV(client=given)):
        with pytest.raises(error, match=words):
            model.fit(np.stack([X["number"], NUMBERS], axis=1)[:100], LABELS[:100])


@pytest.mark.long
def test_a_closed_client_is_refused(client):
    other = distributed.Client(client.scheduler.address, set_as_default=False)
    other.close()
    with pytest.raises(ValueError, match="client is closed: give one that is connected"):
        TabularClassifier(client=other).fit(FEW, LABELS[:300])


def test_without_dask_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'rosenblatt\[dask\]'"):
        TabularClassifier(client=object()).fit(FEW, LABELS[:300])


@pytest.mark.long
def test_callbacks_of_scikit_learn_are_refused(client):
    from sklearn.callback import ProgressBar

    model = TabularClassifier(**SMALL, client=client).set_callbacks(ProgressBar())
    with pytest.raises(ValueError, match=r"callbacks of scikit-learn .* leave client out, or use `on_epoch`"):
        model.fit(FEW, LABELS[:300])


def client_of_workers(other):
    """What is asked of a client, where the second worker has something else installed."""
    known = dask_cluster.describer()()

    async def run(function, workers, on_error):
        return {address: known if address == "tcp://one" else {**known, **other} for address in workers}

    def sync(function, **options):
        return asyncio.run(function()) if function else dict.fromkeys(("tcp://one", "tcp://two"), 1)

    return SimpleNamespace(scheduler=SimpleNamespace(ncores=None), sync=sync, run=run)


def set_on_one(client, function, *args):
    """Change something on one worker; its address."""
    address = sorted(client.nthreads())[0]
    client.run(function, *args, workers=[address])
    return address


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("rosenblatt", r"has rosenblatt 0\.0\.7, but it is .* here: both must be the same\. pip install rosenblatt=="),
        ("Python", r"has Python 2\.7, but it is .* here: both must be the same"),
    ],
)
def test_other_versions_are_refused(name, words):
    other = {name: {"rosenblatt": "0.0.7", "Python": "2.7"}[name]}
    with pytest.raises(ClusterError, match=f"worker tcp://two {words}"):
        dask_cluster.check_workers(client_of_workers(other))


@pytest.mark.parametrize(("name", "value"), [("NumPy", "1.9"), ("the instruction set", "v1")])
def test_what_may_change_the_last_bits_is_a_warning(name, value):
    with pytest.warns(UserWarning, match=f"{name} is .* here, but tcp://two has {value}: results can differ"):
        dask_cluster.check_workers(client_of_workers({name: value}))


@pytest.mark.long
def test_a_worker_without_the_package_is_named(client):
    def hide(hidden):
        import sys

        for name in [name for name in sys.modules if name.split(".")[0] == "rosenblatt"] if hidden else []:
            sys.modules["was_" + name] = sys.modules.pop(name)
        if hidden:
            sys.modules["rosenblatt"] = None
        else:
            del sys.modules["rosenblatt"]
            for name in [name for name in sys.modules if name.startswith("was_rosenblatt")]:
                sys.modules[name[4:]] = sys.modules.pop(name)

    address = set_on_one(client, hide, True)
    try:
        with pytest.raises(ClusterError, match=f"worker {address} does not have rosenblatt .*pip install rosenblatt=="):
            TabularClassifier(client=client).fit(FEW, LABELS[:300])
    finally:
        set_on_one(client, hide, False)
    nothing_is_left(client)


@pytest.mark.long
def test_a_cluster_without_workers_is_refused(monkeypatch):
    monkeypatch.setattr(dask_cluster, "WORKERS_SECONDS", 0.5)
    with own_cluster(0) as client:
        words = r"the cluster has no workers \(waited 0.5 seconds\): start some, for example by `dask worker tcp"
        with pytest.raises(ClusterError, match=words):
            TabularClassifier(client=client).fit(FEW, LABELS[:300])


@pytest.mark.long
def test_a_job_uses_the_threads_of_its_worker(client):
    with DaskJobs(client) as jobs, jobs.start(threads_there, range(2), lambda *message: None) as running:
        while not running.over:
            running.wait()
    assert [done.result() for done in running.ended.values()] == [1, 1]


def threads_there(item, link):
    return rosenblatt.get_num_threads()


threads_there.__module__ = "__main__"  # sent by value: workers do not have the tests


def worker_that_trains(client):
    """The process of the worker that runs a job."""
    busy = [address for address, keys in client.processing().items() if keys]
    return client.run(os.getpid, workers=busy[:1])[busy[0]]


@pytest.mark.long
def test_the_member_of_a_killed_worker_is_trained_again(tmp_path):
    options = {**LONG, "max_iter": 60}
    here = TabularClassifier(**options).fit(X, LABELS)
    killed, epochs = [], []

    with own_cluster() as client:

        def hear(epoch):
            epochs.append((epoch.member, epoch.number))
            if epoch.number == 3 and not killed:
                killed.append(worker_that_trains(client))
                os.kill(killed[0], signal.SIGKILL)

        there = TabularClassifier(**options, client=client, on_epoch=hear).fit(X, LABELS)
        nothing_is_left(client)
    assert killed
    assert saved(there, tmp_path / "there") == saved(here, tmp_path / "here")
    assert sorted(epochs) == [(member, number) for member in (1, 2) for number in range(1, 61)]


@pytest.mark.long
def test_an_error_says_that_all_workers_are_gone(monkeypatch):
    monkeypatch.setattr(dask_jobs, "GONE_SECONDS", 3.0)
    closed = []
    with own_cluster() as client:

        def hear(epoch):
            if not closed:
                closed.append(True)
                client.cluster.scale(0)

        began = time.monotonic()
        with pytest.raises(
            ClusterError, match="all workers of the Dask cluster have been gone for 3 seconds, with 2 jobs"
        ):
            TabularClassifier(**{**LONG, "max_iter": 10**6}, client=client, on_epoch=hear).fit(X, LABELS)
        assert time.monotonic() - began < 60


@pytest.mark.long
def test_an_error_says_that_the_scheduler_is_gone():
    cluster = distributed.LocalCluster(n_workers=1, **OPTIONS)
    client = distributed.Client(cluster, timeout=2)
    closed = []

    def hear(epoch):
        if not closed:
            closed.append(True)
            cluster.close()

    began = time.monotonic()
    model = TabularClassifier(**{**LONG, "max_iter": 10**6}, client=client, on_epoch=hear)
    with pytest.raises(ClusterError, match="the scheduler"):
        model.fit(X, LABELS)
    assert time.monotonic() - began < 90
    client.close()


INTERRUPTED = """
import sys, threading
import numpy as np
from distributed import Client
from rosenblatt import TabularClassifier

rng = np.random.default_rng(0)
X, y = rng.normal(size=(4000, 6)), rng.integers(2, size=4000)

def hear(epoch):
    print("epoch", epoch.number, flush=True)

with Client(sys.argv[1]) as client:
    model = TabularClassifier(members=2, max_iter=10**6, hidden_layer_sizes=(8,), client=client, on_epoch=hear)
    try:
        model.fit(X, y)
    except KeyboardInterrupt:
        print("nothing", flush=True)
    else:
        print("kept", len(model.ensemble_.members), flush=True)
"""


@pytest.mark.long
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_the_end_of_the_client_ends_the_jobs(client, end):
    command = [sys.executable, "-W", "ignore", "-c", INTERRUPTED, client.scheduler.address]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as here:
        assert next(here.stdout).startswith("epoch")
        here.send_signal(end)
        rest = [line for line in here.stdout if not line.startswith("epoch")]
    assert rest in ([["kept 1\n"], ["kept 2\n"]] if end == signal.SIGINT else [[]])
    nothing_is_left(client)
    within(10, lambda: not any(client.run(running_jobs).values()))  # no thread trains on
    assert FITS["classes"](client=client).n_iter_ == 3


def running_jobs():
    from rosenblatt.distributed.dask_worker import Limit

    return Limit.jobs


running_jobs.__module__ = "__main__"
