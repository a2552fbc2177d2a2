"""BLAS has one thread while SciPy minimizes, and as many as before afterwards."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest
from scipy import linalg
from sklearn.datasets import load_iris
from threadpoolctl import ThreadpoolController

from rosenblatt import MLPClassifier
from rosenblatt.threads import one_blas_thread
from rosenblatt.training import lbfgs

assert linalg.det(np.eye(2)) == 1  # loads the libraries


def n_threads():
    return {library["num_threads"] for library in ThreadpoolController().select(user_api="blas").info()}


@pytest.fixture(autouse=True)
def _two_threads():
    with ThreadpoolController().limit(limits=2, user_api="blas"):
        yield


def test_threads_that_overlap_leave_what_was():
    entered, first_left = threading.Event(), threading.Event()

    def second():
        with one_blas_thread():
            entered.set()
            first_left.wait()

    thread = threading.Thread(target=second)
    with one_blas_thread():
        thread.start()
        entered.wait()
        with one_blas_thread():
            assert n_threads() == {1}
        assert n_threads() == {1}
    assert n_threads() == {2}
    first_left.set()
    thread.join()
    assert n_threads() == {2}
    with one_blas_thread():
        assert n_threads() == {1}


def test_fits_see_one_thread(monkeypatch):
    seen, objective_of = [], lbfgs.objective_of

    def watched(trainer, fixed=None):
        inner = objective_of(trainer, fixed)
        return lambda parameters: seen.append(n_threads()) or inner(parameters)

    monkeypatch.setattr(lbfgs, "objective_of", watched)
    MLPClassifier((4,), solver="lbfgs", max_iter=200, random_state=0).fit(*load_iris(return_X_y=True))
    assert len(seen) > 10
    assert all(found == {1} for found in seen)
    assert n_threads() == {2}


LITTLE_MEMORY = """
import resource, sys
import numpy as np
import rosenblatt
rng = np.random.default_rng(0)
X = {f"n{i}": rng.normal(size=300) for i in range(8)} | {"c": rng.choice(list("abc"), 300)}
model = rosenblatt.TabularRegressor(members=2, max_iter=1, hidden_layer_sizes=(8,))
in_use = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (in_use + (int(sys.argv[1]) << 20),) * 2)
try:
    model.fit(X, rng.normal(size=300))
except MemoryError as error:
    print("MemoryError", error)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of the address space are Linux's")
@pytest.mark.parametrize("megabytes", [10, *(pytest.param(size, marks=pytest.mark.long) for size in (40, 80))])
def test_a_tabular_fit_without_memory_for_blas_is_refused(megabytes):
    command = [sys.executable, "-W", "ignore", "-c", LITTLE_MEMORY, str(megabytes)]
    environment = os.environ | {"PYTHONPATH": ":".join(sys.path)}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert "MemoryError less than 96 MB of memory are left" in ended.stdout


SEARCH = """
import resource, sys
import numpy as np
from rosenblatt import MLPClassifier, MLPSearchCV
X = np.random.default_rng(0).normal(size=(100, 3))
search = MLPSearchCV(MLPClassifier((4,), max_iter=3), {"alpha": [0.1, 0.2]}, n_trials=2, cv=2, n_jobs=4)
in_use = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (in_use + (int(sys.argv[1]) << 20),) * 2)
try:
    print("found", search.fit(X, X[:, 0] > 0).best_score_)
except MemoryError as error:
    print("MemoryError", error)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of the address space are Linux's")
@pytest.mark.parametrize(
    ("megabytes", "said"),
    [(11, "MemoryError less than 168 MB of memory are left, which another thread needs"), (300, "found")],
)
def test_a_search_starts_the_threads_that_there_is_room_for(megabytes, said):
    command = [sys.executable, "-W", "ignore", "-c", SEARCH, str(megabytes)]
    environment = os.environ | {"PYTHONPATH": ":".join(sys.path)}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith(said)
