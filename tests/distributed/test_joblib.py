"""Members in processes of joblib: the same networks, their progress, and an error of one of them."""

import joblib
import numpy as np
import pytest

import rosenblatt
from rosenblatt import TabularClassifier
from rosenblatt.distributed.choice import jobs_of
from rosenblatt.distributed.joblib_jobs import JoblibJobs
from rosenblatt.distributed.jobs import Threads

RNG = np.random.default_rng(0)
X = {"number": RNG.normal(size=400), "colour": RNG.choice(["red", "green"], 400)}
LABELS = (X["number"] + (X["colour"] == "red") > 0.3).astype(int)
OPTIONS = {"members": 3, "max_iter": 3, "hidden_layer_sizes": (8,)}


def saved(model, path):
    rosenblatt.save(model, path)
    return path.read_bytes()


@pytest.mark.long
def test_processes_train_the_same_networks(tmp_path):
    epochs = []
    with joblib.parallel_config(backend="loky", n_jobs=2):
        there = TabularClassifier(**OPTIONS, on_epoch=epochs.append).fit(X, LABELS)
    assert saved(there, tmp_path / "there") == saved(TabularClassifier(**OPTIONS).fit(X, LABELS), tmp_path / "here")
    for member in (1, 2, 3):
        assert [epoch.number for epoch in epochs if epoch.member == member] == [1, 2, 3]


def test_only_a_backend_that_was_asked_for_is_used():
    assert jobs_of() == Threads()
    with joblib.parallel_config(n_jobs=2):
        assert jobs_of() == Threads()
    for backend, expected in {"threading": Threads(), "loky": JoblibJobs()}.items():
        with joblib.parallel_config(backend=backend, n_jobs=2):
            assert jobs_of() == expected
    with joblib.parallel_config(backend="loky", n_jobs=1):
        assert jobs_of() == Threads()
    assert jobs_of(n_jobs=2, by_joblib=True) == JoblibJobs(2)


@pytest.mark.parametrize("as_they_end", [True, False])
def test_results_and_messages_by_number(as_they_end, monkeypatch):
    from joblib._parallel_backends import SequentialBackend

    monkeypatch.setattr(SequentialBackend, "supports_return_generator", as_they_end)
    heard = []
    with joblib.parallel_config(backend="sequential"):
        running = JoblibJobs().start(doubled, iter([1, 2, 3]), lambda number, message: heard.append((number, message)))
        with running:
            while not running.over:
                running.wait()
    assert {number: done.result() for number, done in running.ended.items()} == {0: 2, 1: 4, 2: 6}
    assert heard == [(0, "seen 1"), (1, "seen 2"), (2, "seen 3")]


def doubled(item, link):
    link.send(f"seen {item}")
    return 2 * item
