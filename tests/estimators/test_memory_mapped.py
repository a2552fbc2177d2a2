"""X in a memory-mapped file: the same bits as from an array, and no copy of it in memory."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
import scipy.sparse
from sklearn.model_selection import train_test_split

from rosenblatt import LogisticRegression, MLPClassifier, MLPRegressor, Perceptron, _checks, nn
from rosenblatt._checks import all_finite, check_finite, check_range, row_blocks
from rosenblatt.estimators.mapped import is_mapped
from rosenblatt.estimators.mlp import training_data
from rosenblatt.estimators.mlp.training_data import TrainingData, split_rows
from rosenblatt.training.checkpoint import data_digest

ROWS, COLUMNS = 500, 7
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def array(dtype="float32", rows=ROWS):
    return np.random.default_rng(0).normal(size=(rows, COLUMNS)).astype(dtype)


def classes(X):
    return (X[:, 0] * X[:, 1] > 0).astype(np.int64)


@pytest.fixture
def mapped(tmp_path):
    """A function that writes an array to a file and maps that, for reading only."""

    def make(values):
        np.save(tmp_path / "X.npy", values)
        return np.load(tmp_path / "X.npy", mmap_mode="r")

    return make


def weights_of(model):
    if isinstance(model, Perceptron):
        return [model.coef_, model.intercept_]
    return [model.network.block, np.array(model.history_["loss"]) if hasattr(model, "history_") else np.zeros(0)]


def require_equal(one, other, X):
    for mine, theirs in zip(weights_of(one), weights_of(other), strict=True):
        assert mine.dtype == theirs.dtype
        np.testing.assert_array_equal(mine, theirs)
    np.testing.assert_array_equal(one.predict(X), other.predict(np.array(X)))


NETWORKS = {
    "plain": MLPClassifier((6,), max_iter=3, random_state=0),
    "early stopping": MLPClassifier((6,), max_iter=3, random_state=0, early_stopping=True),
    "narrower": MLPClassifier((6,), max_iter=3, random_state=0, dtype="float32", early_stopping=True),
    "wider": MLPClassifier((6,), max_iter=3, random_state=0, dtype="float64", class_weight="balanced"),
    "narrower weights": MLPClassifier((6,), max_iter=3, random_state=0, dtype="float32", class_weight={0: 0.3}),
    "from data": MLPClassifier((6,), max_iter=3, random_state=0, dtype="float32", weight_init=nn.DataDriven()),
    "scoring": MLPClassifier((6,), max_iter=3, random_state=0, early_stopping=True, scoring="roc_auc"),
    "gradients": MLPClassifier((6,), max_iter=2, random_state=0, dtype="float32", gradient_statistics=True),
    "lbfgs": MLPClassifier((6,), max_iter=3, random_state=0, solver="lbfgs", dtype="float32"),
    "logistic": LogisticRegression(max_iter=5),
    "logistic adam": LogisticRegression(max_iter=3, solver="adam", random_state=0),
    "perceptron": Perceptron(max_iter=3),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("model", NETWORKS.values(), ids=list(NETWORKS))
def test_a_map_gives_the_bits_of_an_array(model, dtype, mapped):
    from sklearn.base import clone

    X = array(dtype)
    y = classes(X)
    require_equal(clone(model).fit(mapped(X), y), clone(model).fit(X, y), mapped(X))


@pytest.mark.parametrize("how", [{"early_stopping": False}, {"target_transform": "log"}, {"early_stopping": True}])
def test_a_regression(how, mapped):
    X = array("float64")
    y = np.exp(X[:, 0])
    one, other = (
        MLPRegressor(hidden_layer_sizes=(6,), max_iter=3, random_state=0, dtype="float32", **how) for _ in range(2)
    )
    require_equal(one.fit(mapped(X), y), other.fit(X, y), X)


def test_partial_fit_warm_start_and_an_own_validation_set(mapped):
    X = array("float64")
    y, m = classes(X), mapped(X)
    one, other = (MLPClassifier((6,), max_iter=2, random_state=0, dtype="float32", warm_start=True) for _ in range(2))
    for data, model in ((m, one), (X, other)):
        model.fit(data[:200], y[:200], X_val=data[200:], y_val=y[200:])
        model.fit(data, y)
        model.partial_fit(data, y)
    require_equal(one, other, m)


@pytest.mark.parametrize("checkpoint", [False, True])
def test_the_network_itself(checkpoint, mapped, tmp_path):
    X = array()
    y, m = classes(X), mapped(X)

    def fitted(data, name):
        net = nn.Network(nn.Dense(2)(nn.Dense(6, "relu")(nn.input(COLUMNS))), output="softmax")
        how = {"checkpoint": tmp_path / name} if checkpoint else {}
        net.fit(data[:400], y[:400], epochs=3, validation=(data[400:], y[400:]), **how)
        return net

    np.testing.assert_array_equal(fitted(m, "a").block, fitted(X, "b").block)


@pytest.mark.parametrize("offset", [0, 1, 4, 128])
@pytest.mark.parametrize("order", ["C", "F"])
def test_any_offset_and_order_and_nothing_is_written(offset, order, tmp_path):
    X = array()
    path = tmp_path / "X.bin"
    path.write_bytes(b"\0" * offset + X.tobytes(order))
    before = path.read_bytes()
    m = np.memmap(path, np.float32, "r", offset, X.shape, order)
    model = MLPClassifier((6,), max_iter=3, random_state=0)
    require_equal(model.fit(m, classes(X)), MLPClassifier((6,), max_iter=3, random_state=0).fit(X, classes(X)), m)
    assert path.read_bytes() == before


def test_sparse_rows_whose_parts_are_mapped(tmp_path):
    X = scipy.sparse.random(ROWS, 40, 0.2, "csr", np.float32, random_state=0)
    parts = []
    for name in ("data", "indices", "indptr"):
        np.save(tmp_path / f"{name}.npy", getattr(X, name))
        parts.append(np.load(tmp_path / f"{name}.npy", mmap_mode="r"))
    m = scipy.sparse.csr_matrix(tuple(parts), shape=X.shape)
    assert is_mapped(m.data)
    y = np.asarray(X[:, 0].toarray().ravel() > 0).astype(int)
    one, other = (MLPClassifier((6,), max_iter=3, random_state=0, early_stopping=True) for _ in range(2))
    require_equal(one.fit(m, y), other.fit(X, y), X.toarray())


def test_rows_set_aside_are_gathered_with_the_same_bits(monkeypatch):
    """Whether they are copied once or some at a time; the blocks here have 9 rows."""
    for X in (array(), scipy.sparse.csr_matrix(array())):
        y = classes(array())
        weight = np.random.default_rng(1).uniform(0.1, 1, ROWS)
        kinds = [(MLPClassifier, y), (MLPRegressor, array()[:, 0])]
        found = []
        for copied in (1 << 24, 0):
            with monkeypatch.context() as m:
                m.setattr(training_data, "COPIED_BYTES", copied)
                m.setattr("rosenblatt.training.evaluation.BLOCK_BYTES", 9 * COLUMNS * 4)
                models = [
                    kind(hidden_layer_sizes=(6,), max_iter=4, random_state=0, early_stopping=True).fit(X, t, w)
                    for kind, t in kinds
                    for w in (None, weight)
                ]
            found.append([(m.network.block.copy(), m.history_["val_loss"], m.history_["val_score"]) for m in models])
        for one, other in zip(*found, strict=True):
            for mine, theirs in zip(one, other, strict=True):
                np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("share", [0.1, 0.37, 0.5, 0.9])
@pytest.mark.parametrize("rows", [3, 8, 20, 37, 1000])
def test_two_classes_are_split_as_scikit_learn_splits_them(rows, share):
    for seed in range(4):
        y = np.random.RandomState(seed).rand(rows) < 0.4
        mine, theirs = np.random.RandomState(seed), np.random.RandomState(seed)
        data = TrainingData(np.zeros((rows, 1)), y.reshape(-1, 1), None, y)
        try:
            expected = train_test_split(np.arange(rows), random_state=theirs, test_size=share, stratify=y)
        except ValueError as error:
            with pytest.raises(ValueError, match=str(error)[:20]):
                split_rows(data, share, True, mine)
            continue
        if len(expected[1]) < 2:
            with pytest.raises(ValueError, match="too small"):
                split_rows(data, share, True, mine)
            continue
        for one, other in zip(split_rows(data, share, True, mine), expected, strict=True):
            np.testing.assert_array_equal(one, other)
        assert mine.rand() == theirs.rand()


class TestBlocks:
    @pytest.fixture(autouse=True)
    def small_blocks(self, monkeypatch):
        monkeypatch.setattr(_checks, "BLOCK_BYTES", 100)

    @pytest.mark.parametrize("shape", [(), (0,), (0, 5), (1,), (999,), (57, 3), (4, 80), (13, 2, 5)])
    @pytest.mark.parametrize("order", ["C", "F"])
    def test_they_are_the_array(self, shape, order):
        a = np.asarray(np.random.default_rng(0).normal(size=shape), order=order)
        blocks = list(row_blocks(a))
        if a.ndim == 0:
            assert blocks == [(0, a)]
            return
        np.testing.assert_array_equal(np.concatenate([block for _, block in blocks]), a)
        assert [first for first, _ in blocks] == np.cumsum([0, *(len(block) for _, block in blocks)])[:-1].tolist()
        assert all(block.nbytes <= 100 or len(block) == 1 for _, block in blocks)

    @pytest.mark.parametrize("shape", [(), (0,), (999,), (57, 3)])
    @pytest.mark.parametrize("kind", ["<f4", "i8", "U5", "M8[s]", "?"])
    def test_a_digest_does_not_depend_on_them(self, shape, kind):
        a = np.asarray(np.random.default_rng(0).integers(0, 2, size=shape)).astype(kind, order="F")
        whole = np.ascontiguousarray(a)
        hashed = hashlib.blake2b(f"{whole.dtype.str}{whole.shape}{shape}".encode(), digest_size=20)
        hashed.update(whole.tobytes())
        assert data_digest(a) == hashed.hexdigest()

    @pytest.mark.parametrize("place", [(0, 0), (56, 2), (31, 1)])
    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    def test_the_first_bad_number_is_named_wherever_it_is(self, place, bad):
        a = np.ones((57, 3))
        a[place] = bad
        assert not all_finite(a)
        row, column = place
        with pytest.raises(ValueError, match=f"X contains .* in row {row}, column {column} "):
            check_finite("X", a)
        with pytest.raises(ValueError, match=f"row {row}, column {column} "):
            check_finite("X", scipy.sparse.csr_matrix(a))
        a[place] = 1e300
        with pytest.raises(ValueError, match=f"X contains 1e\\+300 in row {row}, column {column} "):
            check_range("X", a, np.float32)

    def test_huge_numbers_whose_sum_overflows_are_finite(self):
        check_finite("X", np.full((57, 3), 1e308))
        check_range("X", np.array([[np.inf, 1.0]]), np.float32)


def test_what_a_map_is(mapped):
    m = mapped(array())
    assert all(map(is_mapped, (m, m[3:], m.T, np.asarray(m), np.asarray(m)[::2], m.view(np.int32))))
    assert not any(map(is_mapped, (array(), m + 1, np.array(m), m[[1, 2]], [[1.0]], None, array()[2:])))


PROGRAM = """
import resource, sys, tempfile, warnings
import numpy as np
from rosenblatt import MLPClassifier, MLPRegressor, LogisticRegression, nn

warnings.simplefilter("ignore")
path, case, bound = sys.argv[1], sys.argv[2], int(sys.argv[3])

def network(columns):
    return nn.Network(nn.Dense(2)(nn.Dense(8, "relu")(nn.input(columns))), output="softmax")

def run(X, y):
    how = {"hidden_layer_sizes": (8,), "max_iter": 1, "random_state": 0}
    with tempfile.TemporaryDirectory() as folder:
        if case == "classifier":
            model = MLPClassifier(**how, early_stopping=True, checkpoint=folder, dtype="float64").fit(X, y)
            model.score(X, y)
            model.predict(np.asarray(X))  # a view, which is no np.memmap
        elif case == "regressor":
            MLPRegressor(**how, early_stopping=True).fit(X, y.astype(float)).predict(X)
        elif case == "validation":
            MLPClassifier(**how).fit(X[:2000], y[:2000], X_val=X, y_val=y)
        elif case == "logistic":
            LogisticRegression(solver="adam", max_iter=1, checkpoint=folder).fit(X, y)
        else:
            net = network(X.shape[1])
            net.fit(X, y, epochs=1, checkpoint=folder, validation=(X, y))
            net.predict(X)

X = np.load(path, mmap_mode="r")
y = (np.arange(len(X)) % 3 == 0).astype(np.int64)
run(np.array(X[:2000]), y[:2000])  # what is loaded, compiled and started once
data = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmData"))
resource.setrlimit(resource.RLIMIT_DATA, (data * 1024 + bound,) * 2)
run(X, y)
"""


def run_limited(path, case, bound):
    command = [sys.executable, "-c", PROGRAM, str(path), case, str(bound)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def write_rows(path, n_bytes, dtype=np.float32):
    """A file of rows with 100 columns."""
    rows = n_bytes // (100 * np.dtype(dtype).itemsize)
    m = np.lib.format.open_memmap(path, "w+", dtype, (rows, 100))
    block = np.random.default_rng(0).normal(size=(1000, 100))
    for first in range(0, rows, 1000):
        m[first : first + 1000] = block[: rows - first]


CASES = ["classifier", "regressor", "validation", "logistic", "network"]
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the anonymous memory of a process")


QUICK = {
    "early stopping": MLPClassifier((4,), max_iter=1, random_state=0, dtype="float64", early_stopping=True),
    "narrower": MLPRegressor(hidden_layer_sizes=(4,), max_iter=1, random_state=0, dtype="float32"),
    "logistic": LogisticRegression(solver="adam", max_iter=1),
    "lbfgs": MLPClassifier((4,), max_iter=1, random_state=0, solver="lbfgs"),
    "perceptron": Perceptron(max_iter=2),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("model", QUICK.values(), ids=list(QUICK))
def test_numpy_allocates_far_less_than_the_map(model, dtype, tmp_path, monkeypatch):
    """NumPy reports what it allocates to tracemalloc: less than 3 MB where X has 16."""
    from sklearn.base import clone

    monkeypatch.setattr(_checks, "BLOCK_BYTES", 1 << 19)
    monkeypatch.setattr("rosenblatt.training.evaluation.BLOCK_BYTES", 1 << 19)
    monkeypatch.setattr(training_data, "COPIED_BYTES", 1 << 19)
    monkeypatch.setattr("rosenblatt.training.lbfgs.reserve_blas_memory", lambda: None)  # it only asks for 100 MB
    write_rows(tmp_path / "X.npy", 16_000_000, dtype)
    X = np.load(tmp_path / "X.npy", mmap_mode="r")
    y = classes(X)
    if hasattr(model, "checkpoint") and getattr(model, "solver", "") != "lbfgs":
        model = clone(model).set_params(checkpoint=tmp_path / "kept")
    peak = peak_of(lambda: clone(model).fit(X, y).predict(np.asarray(X)))
    assert peak < 3_000_000


def peak_of(call):
    """The largest number of bytes that Python and NumPy allocate meanwhile."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@LINUX
@pytest.mark.long
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", CASES)
def test_memory_of_a_large_map(case, dtype, tmp_path):
    """A map of 300 MB, with 60 MB of memory for all that rows need beside X."""
    write_rows(tmp_path / "X.npy", 300_000_000, dtype)
    found = run_limited(tmp_path / "X.npy", case, 60_000_000)
    assert found.returncode == 0, found.stderr


@LINUX
@pytest.mark.long
def test_the_limit_would_notice_a_copy(tmp_path):
    write_rows(tmp_path / "X.npy", 40_000_000)
    found = run_limited(tmp_path / "X.npy", "network", 100_000)
    assert found.returncode != 0
    assert "MemoryError" in found.stderr or "bad_alloc" in found.stderr
