"""Members that train on rows of a file: the same bits as in memory with one window; several windows; memory; kills."""

import os
import random
import re
import subprocess
import sys
import textwrap
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import rosenblatt
from rosenblatt import nn
from rosenblatt.estimators.tabular import ensemble as ensembles
from rosenblatt.estimators.tabular.architecture import Settings
from rosenblatt.estimators.tabular.checkpoints import FitCheckpoints
from rosenblatt.estimators.tabular.ensemble import fit_ensemble, some_rows, within
from rosenblatt.estimators.tabular.member import FitBudget, train_member
from rosenblatt.estimators.tabular.ordinal import cumulative
from rosenblatt.estimators.tabular.problem import Data, Problem
from rosenblatt.estimators.tabular.row_ranges import RowRanges, rows_from_array, rows_to_array
from rosenblatt.estimators.tabular.stored_rows import StoredRows, members_at_once, window_bytes
from rosenblatt.estimators.tabular.target_scaling import fit_target_scaler
from rosenblatt.estimators.tabular.target_transform import choose_target_transform
from rosenblatt.memory import memory_size
from rosenblatt.metrics import ERROR, ROOT_MEAN_SQUARE
from rosenblatt.tables.encoders import Prepared
from rosenblatt.tables.kinds import infer_kinds
from rosenblatt.tables.preparation import fit_preparation
from rosenblatt.tables.prepared_file import PreparedFile, RowLayout
from rosenblatt.tables.readers.reading import read_table
from rosenblatt.training.checkpoint import CheckpointError

RNG = np.random.default_rng(0)
N, N_TRAINING = 700, 600
LEVELS = [f"level {i}" for i in range(12)]
WORDS = ["one", "two", "three", "four", "five", "six"]
TABLE = {
    "number": np.where(RNG.uniform(size=N) < 0.1, np.nan, RNG.normal(size=N)),
    "other": RNG.normal(size=N),
    "colour": RNG.choice(["red", "green", "blue"], N),
    "level": RNG.choice(LEVELS, N),
    "text": [" ".join(RNG.choice(WORDS, 5)) + f" {i}" for i in range(N)],
}
SIGNAL = np.nan_to_num(TABLE["number"]) + (TABLE["colour"] == "red") - TABLE["other"]
LABELS = np.digitize(SIGNAL, [-0.5, 1.0]).astype(np.int32)
NUMBERS = np.exp(SIGNAL)[:, None] * [1.0, 3.0]
WEIGHTS = RNG.uniform(0.5, 2.0, N).astype(np.float32)
SETTINGS = Settings(hidden=(16, 8), epochs=3, batch_size=32)
CLASSES = Problem(3, "softmax", nn.SoftmaxCrossEntropy(0.0), ERROR.measure)
ORDERED = Problem(2, "logistic", nn.LogisticCrossEntropy(), lambda y, p, w=None: float(np.mean((y - p) ** 2)))
REGRESSION = Problem(2, "identity", "squared_error", ROOT_MEAN_SQUARE.measure, scaling="linear")


def prepared_table():
    table = read_table(TABLE)
    preparation = fit_preparation(table, infer_kinds(table, {"text": "text", "level": "categorical"}))
    assert preparation.numbers
    assert preparation.indicators
    assert preparation.n_codes
    assert preparation.n_words
    return table, preparation


SOURCE, PREPARATION = prepared_table()
HELD_OUT = np.arange(N - N_TRAINING)


def in_memory(y, weights=None):
    parts = []
    for rows in (np.arange(N_TRAINING), np.arange(N_TRAINING, N)):
        own = None if weights is None else weights[rows]
        parts.append(Data(PREPARATION, PREPARATION.transform(SOURCE.take(rows)), y[rows], own))
    return replace(parts[0], validation=parts[1])


def stored(data, window, memory_limit=None, blocks=(250, 300, 50)):
    layout = RowLayout.of(data.prepared, data.y, data.weights)
    file, start = PreparedFile.create(None, layout, N_TRAINING), 0
    for n in blocks:
        rows = np.arange(start, start := start + n)
        prepared = PREPARATION.transform(SOURCE.take(rows))
        file.append(prepared, data.y[rows], None if data.weights is None else data.weights[rows])
    return Data.of_file(PREPARATION, StoredRows(file.finish(), window, memory_limit), data.validation)


@pytest.fixture
def store():
    """A function that stores data; their files are closed in the end."""
    files = []

    def make(*given, **how):
        data = stored(*given, **how)
        files.append(data.stored.file)
        return data

    yield make
    for file in files:
        file.close()
    assert not [thread for thread in threading.enumerate() if "read-ahead" in thread.name]


SCALER = fit_target_scaler(NUMBERS[:N_TRAINING])
CASES = {
    "classes": (LABELS, None, CLASSES, lambda data: data),
    "classes with weights": (LABELS, WEIGHTS, CLASSES, lambda data: data),
    "ordered classes": (LABELS, None, ORDERED, lambda data: data.with_targets(lambda y: cumulative(y, 3))),
    "numbers": (NUMBERS, None, REGRESSION, lambda data: data.with_targets(SCALER.encode)),
    "numbers of held-out groups": (NUMBERS, WEIGHTS, REGRESSION, lambda data: replace(data, groups=HELD_OUT // 5)),
    "numbers with weights": (NUMBERS, WEIGHTS, REGRESSION, lambda data: data.with_targets(SCALER.encode)),
}


def bits(member):
    return member.network.block.tobytes(), member.predictions.tobytes(), member.curve, member.best_epoch


@pytest.mark.parametrize("name", CASES)
def test_one_window_gives_the_bits_of_training_in_memory(name, store):
    y, weights, problem, change = CASES[name]
    data = in_memory(y, weights)
    whole = train_member(change(data), problem, SETTINGS, np.arange(N_TRAINING), HELD_OUT, 5)
    for window in (N_TRAINING, 10**6):
        disk = change(store(data, window))
        assert bits(train_member(disk, problem, SETTINGS, disk.stored.rows, HELD_OUT, 5)) == bits(whole)
    cut = change(store(data, 150))
    assert bits(train_member(cut, problem, SETTINGS, cut.stored.rows, HELD_OUT, 5)) != bits(whole)


@pytest.mark.parametrize("name", ["classes with weights", "numbers"])
def test_several_windows_have_the_same_bits_for_any_number_of_threads(name, store):
    y, weights, problem, change = CASES[name]
    data, before = in_memory(y, weights), rosenblatt.get_num_threads()
    found = []
    try:
        for n_threads, blocks in ((1, (600,)), (2, (1, 599)), (4, (300, 300))):
            rosenblatt.set_num_threads(n_threads)
            disk = change(store(data, 150, blocks=blocks))
            members = fit_ensemble(disk, problem, SETTINGS, [(disk.stored.rows, HELD_OUT)] * 2, 5).members
            found.append([bits(member) for member in members])
    finally:
        rosenblatt.set_num_threads(before)
    assert found[0] == found[1] == found[2]
    assert found[0][0] != found[0][1], "members differ"


def test_an_ensemble_of_stored_rows_is_that_of_rows_in_memory(store):
    data = in_memory(LABELS)
    disk = store(data, N_TRAINING)
    a = fit_ensemble(data, CLASSES, SETTINGS, [(np.arange(N_TRAINING), HELD_OUT)] * 2, 5)
    b = fit_ensemble(disk, CLASSES, SETTINGS, [(disk.stored.rows, HELD_OUT)] * 2, 5)
    assert [bits(member) for member in a.members] == [bits(member) for member in b.members]


def test_the_choice_of_a_target_transform_trains_on_stored_rows(store):
    data = in_memory(NUMBERS[:, :1])
    candidates = [fit_target_scaler(data.y, kind) for kind in ("linear", "log")]
    problem, budget = replace(REGRESSION, n_outputs=1), FitBudget()
    disk = store(data, 200)
    fold = disk.stored.rows, HELD_OUT
    assert choose_target_transform(candidates, disk, problem, SETTINGS, fold, 0, budget).kind == "log"


def test_weights_that_are_all_zero_are_refused(store):
    data = in_memory(LABELS, WEIGHTS * (np.arange(N) >= N_TRAINING))
    with pytest.raises(ValueError, match="weights of all 600 training rows of network 1 are zero"):
        fit_ensemble(disk := store(data, 200), CLASSES, SETTINGS, [(disk.stored.rows, HELD_OUT)], 5)
    last = WEIGHTS * (np.arange(N) >= N_TRAINING - 1)
    rows = store(in_memory(LABELS, last), 200).stored
    assert rows.any_weight(rows.rows)
    assert not rows.any_weight(rows.rows.first(N_TRAINING - 1))


def test_a_failing_disk_ends_all_members(store):
    disk = store(in_memory(LABELS), 150)
    os.ftruncate(disk.stored.file._files[0].fileno(), 590 * disk.stored.file.layout.row_bytes)
    with pytest.raises(OSError, match="cannot be read: the file is shorter"):
        fit_ensemble(disk, CLASSES, SETTINGS, [(disk.stored.rows, HELD_OUT)] * 3, 5)


def test_ctrl_c_keeps_members_and_ends_threads(store):
    disk = store(in_memory(LABELS), 150)

    def interrupt(epoch):
        if epoch.number == 2:
            raise KeyboardInterrupt

    budget = FitBudget(on_epoch=interrupt)
    found = fit_ensemble(disk, CLASSES, replace(SETTINGS, epochs=500), [(disk.stored.rows, HELD_OUT)] * 2, 5, budget)
    assert found.interrupted
    assert all(len(member.curve) <= 500 for member in found.members)


def test_a_time_budget_is_planned_by_a_trial_on_stored_rows(store):
    disk = store(in_memory(LABELS), 200)
    fold = disk.stored.rows, HELD_OUT
    planned, folds = within(disk, CLASSES, SETTINGS, [fold] * 2, 0, FitBudget(deadline=time.monotonic() + 100))
    assert planned.epochs == SETTINGS.epochs
    assert folds == [fold] * 2
    planned, ((training, held_out),) = within(disk, CLASSES, SETTINGS, [fold], 0, FitBudget(deadline=time.monotonic()))
    assert isinstance(training, RowRanges)
    assert 16 <= len(training) < N_TRAINING
    train_member(disk, CLASSES, planned, training, held_out, 0)


def test_a_plan_of_fewer_rows_is_kept_in_the_checkpoint(store, tmp_path, monkeypatch):
    disk = store(in_memory(LABELS), 200)
    fold, settings = (disk.stored.rows, HELD_OUT), replace(SETTINGS, epochs=2)
    fewer = some_rows(fold, 0.3, np.random.default_rng(0))
    monkeypatch.setattr(ensembles, "within", lambda *given: (replace(settings, members=1), [fewer]))

    def fit():
        budget = FitBudget(deadline=time.monotonic() + 100)
        budget.resume(FitCheckpoints(tmp_path, 2, {}))
        return fit_ensemble(disk, CLASSES, settings, [fold], 5, budget).members

    first = fit()
    monkeypatch.setattr(ensembles, "within", None)
    assert [bits(member) for member in fit()] == [bits(member) for member in first]


def test_checkpoints_of_other_rows_or_windows_are_refused(store, tmp_path, monkeypatch):
    monkeypatch.setattr("rosenblatt.estimators.tabular.training_rows.INITIAL_ROWS", 100)

    def fit(data, window=150, rows=None, change=lambda data: data):
        disk = change(store(data, window))
        budget = FitBudget(checkpoints=FitCheckpoints(tmp_path, 2, {}))
        return train_member(disk, CLASSES, SETTINGS, rows or disk.stored.rows, HELD_OUT, 5, budget)

    data = in_memory(LABELS)
    first = bits(fit(data))
    assert bits(fit(data)) == first
    changed = LABELS.copy()
    changed[N_TRAINING - 1] = (changed[N_TRAINING - 1] + 1) % 3
    other_targets = lambda data: replace(data, stored=data.stored.with_targets(lambda y: (y + 1) % 3))  # noqa: E731
    for how in (
        {"data": in_memory(changed)},
        {"data": data, "window": 160},
        {"data": data, "rows": RowRanges(((0, 500),))},
        {"data": data, "change": other_targets},
    ):
        with pytest.raises(CheckpointError, match=r"of another training\. What differs: rows \("):
            fit(**how)


def test_ranges_of_rows():
    rows = RowRanges(((10, 20), (30, 35), (50, 60)))
    numbers = np.concatenate([np.arange(*each) for each in rows.ranges])
    assert len(rows) == 25
    for places in ([(0, 25)], [(0, 1)], [(8, 17)], [(3, 12), (14, 25)], [(10, 15)], []):
        wanted = np.concatenate([np.empty(0, int), *(numbers[a:b] for a, b in places)])
        found = [np.arange(*each) for each in rows.part(places).ranges]
        np.testing.assert_array_equal(np.concatenate([np.empty(0, int), *found]), wanted)
    assert rows.first(12).ranges == ((10, 20), (30, 32))
    assert rows.first(99) == rows == rows.sample(25, RNG)


@pytest.mark.parametrize(("n", "wanted"), [(10**8, 1000), (10**8, 3_000_000), (600, 16), (600, 599), (40, 20)])
def test_a_sample_of_rows_is_from_many_places(n, wanted):
    sample = RowRanges.all_of(n).sample(wanted, np.random.default_rng(0))
    assert 0.9 * wanted <= len(sample) <= wanted
    assert len(sample.ranges) >= min(10, wanted // 3)
    starts = np.array(sample.ranges).ravel()
    assert (np.diff(starts) >= 0).all()
    assert starts.max() <= n
    assert wanted > n / 2 or starts.max() > 0.7 * n


@pytest.mark.parametrize(
    "array",
    [
        [[0, 5], [4, 8]],
        [[5, 5]],
        [[8, 9], [0, 3]],
        [[0, 101]],
        [[-1, 4]],
        [0, 5],
        [[0.0, 5.0]],
        [[0, 5, 6]],
        [[1], [2]],
    ],
)
def test_ranges_that_are_not_of_the_rows_are_refused(array):
    known = RowRanges(((0, 100),))
    with pytest.raises(ValueError, match="not rows of the first fold"):
        rows_from_array(np.array(array), known)
    sample = known.sample(40, RNG)
    assert rows_from_array(rows_to_array(sample), known) == sample


def test_members_at_once_fit_into_the_memory():
    each = window_bytes(100, 1000)
    assert each == 1000 * (2 * 100 + 32)
    assert [members_at_once(100, 1000, n * each) for n in (1, 3)] == [1, 3]
    assert members_at_once(100, 1000, 2 * each - 1) == 1
    said = (
        "window=1000000 rows of 100 bytes need 232 MB of memory, of which a network holds 2 windows; memory_limit "
        "leaves 100 MB for them: say window=431034 (or less) or memory_limit='232 MB' (or more)."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(said)}$"):
        members_at_once(100, 1_000_000, 10**8)
    assert members_at_once(100, 431_034, 10**8) == 1
    with pytest.raises(ValueError, match=r"say memory_limit='2.32 kB' \(or more\)\.$"):
        members_at_once(100, 10, 10)


def test_an_advised_window_is_one_that_training_allows():
    with pytest.raises(ValueError, match=r"say window=431 \(or less, but at least 256\) or memory_limit='232 kB'"):
        members_at_once(100, 1000, 100_000, smallest=256)
    with pytest.raises(ValueError, match=r": say memory_limit='232 kB' \(or more\), or window=512") as caught:
        members_at_once(100, 1000, 100_000, smallest=512)
    limit = memory_size("memory_limit", re.findall(r"memory_limit='(.*?)'", str(caught.value))[-1])
    assert members_at_once(100, 512, limit, smallest=512) == 1


def test_the_advice_of_a_fit_can_be_followed(tmp_path):
    pd, _ = pytest.importorskip("pandas"), pytest.importorskip("pyarrow")
    rng = np.random.default_rng(0)
    frame = {f"x{i}": rng.normal(size=3000) for i in range(4)}
    pd.DataFrame({**frame, "y": sum(frame.values())}).to_parquet(tmp_path / "rows.parquet")
    small = {"members": 1, "max_iter": 1, "hidden_layer_sizes": 4, "batch_size": 256}
    with pytest.raises(ValueError, match="of memory, of which") as caught:
        rosenblatt.TabularRegressor(**small, window=1000, memory_limit=5000).fit(tmp_path / "rows.parquet", "y")
    said = re.search(r"window=512, the smallest that can be, and memory_limit='(.*?)'", str(caught.value))
    rosenblatt.TabularRegressor(**small, window=512, memory_limit=said[1]).fit(tmp_path / "rows.parquet", "y")


def test_memory_limits_the_members_that_train_at_once(store, monkeypatch):
    data, running, most = in_memory(LABELS), [], []
    original = ensembles.train_member

    def counted(*given):
        running.append(1)
        most.append(len(running))
        try:
            return original(*given)
        finally:
            running.pop()

    monkeypatch.setattr(ensembles, "train_member", counted)
    before = rosenblatt.get_num_threads()
    try:
        rosenblatt.set_num_threads(4)
        row_bytes = (disk := store(data, 150)).stored.file.row_bytes
        for n in (1, 3):
            most.clear()
            limited = store(data, 150, n * window_bytes(row_bytes, 150))
            assert limited.members_at_once(4) == n
            fit_ensemble(limited, CLASSES, replace(SETTINGS, epochs=1), [(disk.stored.rows, HELD_OUT)] * 4, 5)
            assert max(most) <= n
    finally:
        rosenblatt.set_num_threads(before)
    with pytest.raises(ValueError, match=r"window=150 rows of .*say window="):
        store(data, 150, 1000).members_at_once(1)


def train_in(folder, epochs, every="1h"):
    """What a process does that is killed: it writes the file, and continues two members where they were."""
    data = stored(in_memory(LABELS, WEIGHTS), 150)
    with data.stored.file:
        budget = FitBudget(checkpoints=None if folder is None else FitCheckpoints(folder, every, {}))
        folds, settings = [(data.stored.rows, HELD_OUT)] * 2, replace(SETTINGS, epochs=epochs)
        return [bits(member) for member in fit_ensemble(data, CLASSES, settings, folds, 5, budget).members]


def kill_training_in(folder, epochs, after):
    """Start `train_in` in another process, and kill it so many seconds after its first checkpoint."""
    script = """
        import sys, time
        import test_stored_rows as tests
        tests.train_in(sys.argv[1], int(sys.argv[2]), "0.01s")
        time.sleep(1000)
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(folder), str(epochs)]
    with subprocess.Popen(command, cwd=Path(__file__).parent) as process:
        while process.poll() is None and not list(folder.glob("member-*/*.safetensors")):
            time.sleep(0.005)
        time.sleep(after)
        assert process.poll() is None, "it failed"
        process.kill()


@pytest.mark.long
def test_a_training_that_was_killed_ends_with_the_same_bits(tmp_path):
    kill_training_in(tmp_path, 20, 0.0)
    assert train_in(tmp_path, 20) == train_in(None, 20)


@pytest.mark.long
def test_a_training_that_was_killed_many_times_ends_with_the_same_bits(tmp_path):
    whole, picker = train_in(None, 300), random.Random(0)
    for number in range(4):
        for _ in range(3):
            kill_training_in(tmp_path / str(number), 300, picker.uniform(0, 0.5))
        assert train_in(tmp_path / str(number), 300) == whole


def anonymous_bytes():
    with open("/proc/self/status") as lines:
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith("RssAnon"))


def memory_of_training(n_rows, window):
    """The most that the process takes beside what it had before, and what is said that windows take."""
    numbers = np.random.default_rng(0).normal(size=(65_536, 20)).astype(np.float32)
    block, y, start = Prepared.of(len(numbers), numbers=numbers), numbers[:, :1].copy(), 0
    preparation = SimpleNamespace(numbers=["x"] * 20, indicators=[], n_codes=[], n_words=[])
    most, ended = [0], threading.Event()

    def watch():
        while not ended.wait(0.002):
            most[0] = max(most[0], anonymous_bytes())

    with PreparedFile.create(None, RowLayout.of(block, y, None), n_rows) as file:
        while start < n_rows:
            file.append(block, y)
            start += len(y)
        data = Data.of_file(preparation, StoredRows(file.finish(), window), Data(preparation, block, y))
        before, watcher = anonymous_bytes(), threading.Thread(target=watch)
        watcher.start()
        problem, settings = replace(REGRESSION, n_outputs=1), replace(SETTINGS, epochs=2, batch_size=1024, waves=0)
        train_member(data, problem, settings, data.stored.rows, np.arange(1000), 0)
        ended.set()
        watcher.join()
        return most[0] - before, window_bytes(file.row_bytes, window)


@pytest.mark.long
@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="the system does not say what a process takes")
def test_memory_depends_on_the_window_and_not_on_the_rows():
    memory_of_training(2**18, 2**17)  # what is loaded once
    room = 24 << 20  # buffers, the network, and what the allocator keeps
    for window in (2**17, 2**19):
        few, said = memory_of_training(2**20, window)
        many, _ = memory_of_training(2**22, window)
        assert many < few + room
        assert many < said + room
