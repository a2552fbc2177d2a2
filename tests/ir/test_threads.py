"""Any number of threads gives the same bits, in single ops and in training; and the team of threads itself."""

import os
import subprocess
import sys
import threading
from functools import partial

import numpy as np
import pytest
import scipy.sparse

import rosenblatt
from rosenblatt import _core
from rosenblatt.ir.compile import evaluate
from rosenblatt.ir.ops import OPS
from rosenblatt.ir.program import Builder
from rosenblatt.ir.types import M
from rosenblatt.nn import SGD, Adam, Nadam, Network, NetworkSpec, RMSProp
from rosenblatt.threads import _quota
from rosenblatt.training import Trainer

TEAMS = (2, 3, 4, 8)


@pytest.fixture(autouse=True)
def restored():
    """Restores the number of threads after each test, and runs in parallel only where that is faster."""
    before = rosenblatt.get_num_threads()
    yield
    rosenblatt.set_num_threads(before)
    _core.share_always(False)


def with_threads(n, function):
    """The result of `function` when everything that can be parallel runs on n threads."""
    rosenblatt.set_num_threads(n)
    _core.share_always(n > 1)
    return function()


def bits(array):
    """The bytes of an array, with all NaNs made equal: their sign means nothing."""
    return np.where(np.isnan(array), np.nan, array).tobytes(), array.shape


@pytest.mark.parametrize("dtype", ["float32", pytest.param("float64", marks=pytest.mark.long)])
@pytest.mark.parametrize("name", sorted(OPS))
def test_an_op_gives_the_same_bits_in_parallel_and_alone(name, dtype, run_kernel):
    for n_rows in (1, 7, 64):
        for sample in OPS[name].samples(np.random.default_rng(n_rows), dtype, n_rows):
            run = partial(run_kernel, OPS[name], sample, dtype)
            alone = with_threads(1, run)
            for n in (2, 3):
                shared = with_threads(n, run)
                for a, b in zip(alone, shared, strict=True):
                    assert bits(a) == bits(b), (sample.label, n)


def test_a_part_may_be_a_single_column():
    b = Builder("float32")
    x = b.input("x", (M, 65))
    program = b.build(sum=b.sum(x, axis=0), mean=b.mean(x, axis=0), max=b.max(x, axis=0))
    input_arrays = {"x": np.random.default_rng(0).normal(size=(100, 65)).astype(np.float32)}
    alone = with_threads(1, lambda: evaluate(program, input_arrays, 100))
    for n in (33, 64, 65, 128):
        shared = with_threads(n, lambda: evaluate(program, input_arrays, 100))
        assert all(np.array_equal(alone[name], shared[name]) for name in alone), n


NETWORKS = {
    "small": (NetworkSpec(10, (50,), 3, output="softmax"), 32, {}),
    "one row a thread": (NetworkSpec(5, (3,), 2, output="softmax"), 3, {}),
    "odd sizes": (NetworkSpec(33, (129, 65), 7, output="softmax"), 77, {"l2": 0.1}),
    "wide": (NetworkSpec(64, (300, 80), 10, output="softmax"), 50, {"clip_norm": 1.0}),
    "tanh": (NetworkSpec(20, (64, 64), 4, activation="tanh", output="softmax"), 64, {"l1": 0.01, "l2": 0.1}),
    "no hidden layer": (NetworkSpec(40, (), 5, output="softmax"), 100, {}),
    "blocks": (NetworkSpec(12, (30,), 3, output="softmax"), 200, {"blocks": 48, "l2": 0.1}),
    "sparse": (NetworkSpec(200, (70,), 3, output="softmax", sparse_input=True), 40, {}),
    "toolbox": (
        NetworkSpec(
            20, (64, 40), 4, "elu", "softmax", dropout=0.2, input_noise=0.1, normalization="batch", max_norm=1.0
        ),
        *(60, {"ema_decay": 0.9, "clip_norm": 1.0}),
    ),
    "layer norm": (NetworkSpec(70, (130,), 3, "prelu", "softmax", normalization="layer", input_dropout=0.1), 33, {}),
    "weighted": (NetworkSpec(9, (40, 40), 3, output="softmax"), 60, {"weighted": True}),
}
QUICK = ("small", "blocks", "sparse")


def trained(spec, batch, dtype, optimizer, options, monkeypatch):
    """The bytes of parameters and optimizer state after 200 steps, the losses, and the predictions."""
    options = dict(options)
    if "blocks" in options:
        rows = options.pop("blocks")
        monkeypatch.setattr("rosenblatt.training.trainer.training_rows", lambda spec: rows)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(4 * batch + batch // 2, spec.n_inputs)).astype(dtype)
    if spec.sparse_input:
        X = scipy.sparse.csr_matrix(X * (X > 1))
    y = rng.integers(0, spec.n_outputs, X.shape[0]).astype(np.int32)
    network = Network(spec, dtype)
    network.parameters[:] = rng.normal(size=network.parameters.size) * 0.1
    trainer = Trainer(network, "softmax_cross_entropy", optimizer, batch_size=batch, **options)
    trainer.set_data(X, y, rng.uniform(size=len(y)).astype(dtype) if options.get("weighted") else None)
    losses = trainer.epochs(40, 0.01)
    assert trainer.step_count == 200
    return trainer.memory.tobytes(), losses, network.predict(X).tobytes()


@pytest.mark.parametrize("dtype", ["float32", pytest.param("float64", marks=pytest.mark.long)])
@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.long) for name in NETWORKS]
)
def test_200_steps_give_the_same_bits_for_any_number_of_threads(name, dtype, monkeypatch):
    spec, batch, options = NETWORKS[name]
    optimizers = {"tanh": SGD(0.9), "sparse": SGD(0.9), "toolbox": Nadam(weight_decay=0.1), "layer norm": RMSProp()}
    optimizer = optimizers.get(name, Adam())
    alone = with_threads(1, lambda: trained(spec, batch, dtype, optimizer, options, monkeypatch))
    for n in TEAMS:
        assert with_threads(n, lambda: trained(spec, batch, dtype, optimizer, options, monkeypatch)) == alone, n


def test_the_tuned_mode_gives_the_same_bits(monkeypatch):
    spec, batch, options = NETWORKS["wide"]
    rosenblatt.set_num_threads(1)
    alone = trained(spec, batch, "float32", Adam(), options, monkeypatch)
    rosenblatt.set_num_threads(2)
    for _ in range(3):
        assert trained(spec, batch, "float32", Adam(), options, monkeypatch) == alone


def test_many_networks_train_in_many_threads(monkeypatch):
    spec, batch, options = NETWORKS["wide"]
    expected = with_threads(1, lambda: trained(spec, batch, "float32", Adam(), options, monkeypatch))
    rosenblatt.set_num_threads(4)
    _core.share_always(True)
    found = []

    def work():
        found.append(trained(spec, batch, "float32", Adam(), options, monkeypatch))

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 6


def test_a_forked_child_has_a_team_of_its_own(monkeypatch):
    spec, batch, options = NETWORKS["wide"]
    expected = with_threads(2, lambda: trained(spec, batch, "float32", Adam(), options, monkeypatch))
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = 0 if trained(spec, batch, "float32", Adam(), options, monkeypatch) == expected else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert trained(spec, batch, "float32", Adam(), options, monkeypatch) == expected


LEAVING = """
import sys, threading, time
import numpy as np
from rosenblatt.nn import Adam, Network, NetworkSpec
from rosenblatt.training import Trainer
trainer = Trainer(Network(NetworkSpec(20, (64,), 3)), "softmax_cross_entropy", Adam(), batch_size=64)
trainer.set_data(np.ones((640, 20), np.float32), np.zeros(640, np.int32))
def trains():
    trainer.epochs(10**5, 1e-3)
def trains_by_epochs():
    while True: trainer.epochs(1, 1e-3)
def predicts():
    while True: trainer.network.predict(np.ones((640, 20), np.float32))
threading.Thread(target=globals()[sys.argv[1]], daemon=True).start()
time.sleep(0.3)
sys.exit(7)
"""


@pytest.mark.parametrize(
    "task", ["trains_by_epochs", *(pytest.param(task, marks=pytest.mark.long) for task in ("trains", "predicts"))]
)
def test_the_interpreter_may_exit_while_a_daemon_thread_runs(task):
    for _ in range(3):
        left = subprocess.run(
            [sys.executable, "-c", LEAVING, task], env=environment_of_tests(), capture_output=True, check=False
        )
        assert (left.returncode, left.stderr) == (7, b"")


FORKING = """
import os, resource, signal, threading
import numpy as np
from rosenblatt.nn import Adam, Network, NetworkSpec
from rosenblatt.training import Trainer
trainer = Trainer(Network(NetworkSpec(20, (64,), 3)), "softmax_cross_entropy", Adam(), batch_size=64)
trainer.set_data(np.ones((640, 20), np.float32), np.zeros(640, np.int32))
trainer.epochs(1, 1e-3)
signal.signal(signal.SIGALRM, signal.default_int_handler)
def forks():
    child = os.fork()
    if child:
        return found.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        trainer.epochs(10**5, 1e-3)
    except KeyboardInterrupt:
        os._exit(5)
found = []
thread = threading.Thread(target=forks)
thread.start()
thread.join()
assert found == [5], found
"""


def test_a_child_that_another_thread_forked_can_be_interrupted():
    ended = subprocess.run(
        [sys.executable, "-c", FORKING], env=environment_of_tests(), capture_output=True, check=False
    )
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize(
    ("n", "message"),
    [
        (0, r"n is 0; it must be an integer in \[1, 128\]"),
        (129, "n is 129; it must be"),
        (-1, "n is -1; it must be"),
        (2.0, r"n is 2\.0; it must be an integer"),
        (True, "n is True"),
    ],
)
def test_an_impossible_number_of_threads_is_refused(n, message):
    before = rosenblatt.get_num_threads()
    with pytest.raises(ValueError, match=message):
        rosenblatt.set_num_threads(n)
    assert rosenblatt.get_num_threads() == before


def environment_of_tests():
    return os.environ | {"PYTHONPATH": ":".join(sys.path)}


def threads_of_a_new_process(**variables):
    kept = {k: v for k, v in environment_of_tests().items() if k not in ("OMP_NUM_THREADS", "ROSENBLATT_NUM_THREADS")}
    environment = kept | variables
    program = "import rosenblatt; print(rosenblatt.engine_info()['threads'])"
    return subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)


def test_the_environment_sets_the_number_of_threads():
    assert threads_of_a_new_process(ROSENBLATT_NUM_THREADS="5").stdout == "5\n"
    assert threads_of_a_new_process(OMP_NUM_THREADS="1").stdout == "1\n"
    assert threads_of_a_new_process(OMP_NUM_THREADS="1", ROSENBLATT_NUM_THREADS="3").stdout == "3\n"
    assert int(threads_of_a_new_process().stdout) <= len(os.sched_getaffinity(0))
    wrong = threads_of_a_new_process(ROSENBLATT_NUM_THREADS="many")
    assert "ROSENBLATT_NUM_THREADS is 'many'; it must be an integer in [1, 128]" in wrong.stderr


def test_the_quota_of_a_control_group_is_read(tmp_path):
    assert _quota(tmp_path) == float("inf")
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu/cpu.cfs_quota_us").write_text("-1\n")
    (tmp_path / "cpu/cpu.cfs_period_us").write_text("100000\n")
    assert _quota(tmp_path) == float("inf")
    (tmp_path / "cpu/cpu.cfs_quota_us").write_text("150000\n")
    assert _quota(tmp_path) == 1.5
    (tmp_path / "cpu.max").write_text("max 100000\n")
    assert _quota(tmp_path) == float("inf")
    (tmp_path / "cpu.max").write_text("250000 100000\n")
    assert _quota(tmp_path) == 2.5


def test_engine_info_tells_what_runs():
    info = rosenblatt.engine_info()
    assert info["isa"] in info["isa_available"]
    assert info["threads"] == rosenblatt.get_num_threads()
    assert info["processors"] >= 1
