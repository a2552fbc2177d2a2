"""Training by windows: the rows of each, and their order; pauses, failures, damaged checkpoints; no thread is left."""

import os
import signal
import threading
import time

import numpy as np
import pytest

from rosenblatt import nn
from rosenblatt.estimators.tabular.row_orders import Permutations
from rosenblatt.training.checkpoint import CheckpointError, Checkpoints
from rosenblatt.training.early_stopping import BestEpoch
from rosenblatt.training.learning_rates import LearningRates
from rosenblatt.training.loop import Outcome, TrainingLoop
from rosenblatt.training.trainer import Trainer
from rosenblatt.training.windowed_trainer import WindowedTrainer, WindowReader
from rosenblatt.training.windows import WindowOrders, Windows

RNG = np.random.default_rng(0)
N, BATCH = 1003, 16
X = RNG.normal(size=(N, 4)).astype(np.float32)
Y = (X[:, :1] * 2 - X[:, 1:2] + 0.1 * RNG.normal(size=(N, 1))).astype(np.float32)


class Rows:
    """Reads rows of the arrays, and remembers which."""

    def __init__(self, delay=0.0, fail_at=None):
        self.read_ranges, self.delay, self.fail_at = [], delay, fail_at

    def __call__(self, ranges, cancelled):
        self.read_ranges.append(ranges)
        if len(self.read_ranges) == self.fail_at:
            raise OSError("the disk broke")
        deadline = time.monotonic() + self.delay
        while time.monotonic() < deadline and not cancelled():
            time.sleep(0.002)
        rows = np.concatenate([np.arange(*each) for each in ranges])
        return {"x": X[rows]}, Y[rows], None


def trainer_of(kind, dropout=0.2):
    hidden = nn.Dropout(dropout)(nn.Dense(8, "tanh", name="hidden")(nn.input(4, "x")))
    network = nn.Network(nn.Dense(1, name="head")(hidden), seed=3)
    return kind(network, "squared_error", nn.Adam(), batch_size=BATCH, seed=5, anneal_regularization=True)


def windowed(window, rows=None, n=N):
    trainer = trainer_of(WindowedTrainer)
    orders = WindowOrders(Windows(n, window, BATCH), np.random.default_rng(7))
    trainer.set_windows(orders, WindowReader(rows or Rows()), {"x": X[:100]})
    return trainer, orders


def in_memory():
    trainer = trainer_of(Trainer)
    trainer.set_data({"x": X}, Y)
    return trainer, Permutations(N, N // BATCH * BATCH, np.random.default_rng(7))


def loop_of(trainer, orders, epochs=4, **how):
    rates = LearningRates(0.01, nn.CosLog(4))
    measure = lambda: {"val_loss": float(np.mean((trainer.network.predict(X) - Y) ** 2))}  # noqa: E731
    return TrainingLoop(trainer, epochs, BestEpoch(), rates, measure=measure, rows=orders, **how)


def run(trainer, orders, **how):
    loop = loop_of(trainer, orders, **how)
    try:
        assert loop.run() is Outcome.ALL_EPOCHS
    finally:
        trainer.release_data()
    return trainer.network.block.tobytes(), dict(loop.history)


def reading_threads():
    return [thread for thread in threading.enumerate() if "read-ahead" in thread.name]


@pytest.fixture(autouse=True)
def no_thread_is_left():
    yield
    assert not reading_threads()


@pytest.mark.parametrize("window", [N, N + 1, 2**20])
def test_one_window_is_training_in_memory(window):
    rows = Rows()
    assert run(*windowed(window, rows)) == run(*in_memory())
    assert rows.read_ranges == [((0, N),)], "the rows of a single window are read once"


@pytest.mark.parametrize(
    ("n", "window"), [(1003, 100), (1003, 1002), (1000, 250), (1000, 17), (97, 40), (70_000, 1000)]
)
def test_windows_divide_the_rows_of_an_epoch(n, window):
    windows = Windows(n, window, BATCH if window > 40 else 4)
    assert windows.count == -(-n // window)
    assert windows.sizes.tolist() == [
        n * (k + 1) // windows.count - n * k // windows.count for k in range(windows.count)
    ]
    assert windows.sizes.max() <= window
    blocks = np.random.default_rng(1).permutation(windows.n_blocks)
    seen = []
    for k in range(windows.count):
        ranges = windows.ranges(blocks, k)
        rows = np.concatenate([np.arange(start, stop) for start, stop in ranges])
        assert len(rows) == windows.sizes[k]
        assert (np.diff(rows) > 0).all(), "in the order of the file"
        assert all(a[1] < b[0] for a, b in zip(ranges[:-1], ranges[1:], strict=True)), "neighbours are one range"
        seen.append(rows)
    # by the definition: the rows of the blocks one after another, cut at the bounds
    numbers, size = np.arange(n), windows.block_rows
    order = np.concatenate([numbers[block * size : (block + 1) * size] for block in blocks])
    for rows, part in zip(seen, np.split(order, windows.bounds[1:-1]), strict=True):
        np.testing.assert_array_equal(rows, np.sort(part))
    np.testing.assert_array_equal(np.sort(np.concatenate(seen)), np.arange(n))


def test_blocks_are_those_of_the_default_window():
    assert Windows(40_000_000, 2**20, 256).block_rows == 65_536
    assert Windows(40_000_000, 2**24, 256).block_rows == 65_536
    assert Windows(40_000_000, 2**16, 256).block_rows == 4096
    assert Windows(100, 100, 8).block_rows == 100


def test_each_row_is_trained_on_once_in_an_epoch_but_for_the_rests():
    orders = WindowOrders(Windows(N, 200, BATCH), np.random.default_rng(0))
    epochs = []
    for _ in range(3):
        orders.draw(1)
        used = []
        for k in range(orders.windows.count):
            orders.begin(k)
            rows = np.concatenate([np.arange(*each) for each in orders.ranges(k)])
            used.append(rows[orders.order])
        epochs.append(np.concatenate(used))
        assert len(set(epochs[-1].tolist())) == len(epochs[-1]) == orders.n_rows
        assert orders.n_rows == sum(size // BATCH * BATCH for size in orders.windows.sizes.tolist())
    assert not np.array_equal(epochs[0], epochs[1])


def test_windows_are_deterministic_and_read_ahead():
    rows = Rows()
    first, history = run(*windowed(200, rows))
    assert len(rows.read_ranges) in (4 * 6, 4 * 6 + 1), "each window once, and perhaps the first of a next epoch"
    assert run(*windowed(200, Rows(delay=0.01))) == (first, history)
    assert first != run(*windowed(N))[0]
    assert history["loss"][-1] < 0.3 * history["loss"][0]


def test_the_loss_is_the_mean_over_the_rows_of_all_windows():
    trainer, orders = windowed(300)
    whole, whole_orders = windowed(300)
    used = []
    orders.draw(1)
    for network in (trainer.network, whole.network):
        network.block[...] = 0.5
    losses = []
    while not losses:
        losses = trainer.epochs(1, 0.0)
        used.append(trainer.position)
    trainer.release_data()
    assert [row for row, _ in used] == [240, 480, 720, 0]
    assert trainer.epoch_count == 1
    whole_orders.draw(1)
    sums = []
    for k in range(4):
        single = trainer_of(Trainer)
        single.network.block[...] = 0.5
        whole_orders.begin(k)
        rows = np.concatenate([np.arange(*each) for each in whole_orders.ranges(k)])[whole_orders.order]
        single.set_data({"x": X[rows]}, Y[rows])
        single.step_count = 15 * k
        sums.append(single.epoch(None, 0.0))
    whole.release_data()
    np.testing.assert_allclose(losses[0], np.mean(sums), rtol=1e-12)


@pytest.mark.parametrize("window", [N, 300, 130])
def test_a_training_that_pauses_after_any_step_has_the_same_bits(window, tmp_path):
    whole = run(*windowed(window))
    saves = []

    class Every(Checkpoints):
        def save(self, *args):
            super().save(*args)
            saves.append(self.path.read_bytes())

    assert run(*windowed(window), checkpoints=Every(tmp_path / "all", 7, {})) == whole
    (tmp_path / "one").mkdir()
    assert len(saves) > 30
    for number in [*range(0, len(saves), 3), len(saves) - 1]:
        (tmp_path / "one/checkpoint.safetensors").write_bytes(saves[number])
        assert run(*windowed(window), checkpoints=Checkpoints(tmp_path / "one", "1h", {})) == whole


def test_pauses_by_time_do_not_change_the_bits(tmp_path):
    rows = Rows(delay=0.01)
    paused = run(*windowed(150, rows), seconds_left=lambda: 0.003, checkpoints=Checkpoints(tmp_path, "0.001s", {}))
    assert paused == run(*windowed(150))


def test_nothing_is_saved_before_the_first_step_of_an_epoch(tmp_path):
    """Its order is drawn; a training that continued there would draw another."""
    checkpoints = Checkpoints(tmp_path, "0.001s", {})
    trainer, orders = windowed(150, Rows(delay=0.05))
    asked = []

    def seconds_left():
        asked.append(checkpoints.path.exists())
        return 0.002

    run(trainer, orders, seconds_left=seconds_left, checkpoints=checkpoints)
    assert len(asked) > 20
    assert not any(asked[:5])


def test_a_deadline_ends_training_within_the_first_epoch():
    trainer, orders = windowed(150)
    left = iter([1.0] * 3 + [0.0] * 100)
    loop = loop_of(trainer, orders, seconds_left=lambda: next(left))
    assert loop.run() is Outcome.DEADLINE
    trainer.release_data()
    assert loop.epoch == 1
    assert np.isnan(loop.history["loss"][0])
    assert 0 < trainer.step_count < orders.n_rows // BATCH


@pytest.mark.parametrize("fail_at", [1, 2, 5])
def test_what_reading_raises_reaches_the_caller(fail_at):
    trainer, orders = windowed(300, Rows(fail_at=fail_at))
    with pytest.raises(OSError, match="the disk broke"):
        run(trainer, orders)


def test_a_timeout_that_reading_raises_is_not_taken_for_a_pause():
    def read(ranges, cancelled):
        raise TimeoutError("the server is silent")

    trainer, orders = windowed(300, read)
    with pytest.raises(TimeoutError, match="the server is silent"):
        run(trainer, orders, seconds_left=lambda: 10.0)


def test_rows_that_are_no_rows_are_refused_as_always():
    def read(ranges, cancelled):
        inputs, y, weights = Rows()(ranges, cancelled)
        return inputs, np.full_like(y, np.nan), weights

    trainer, orders = windowed(300, read)
    with pytest.raises(ValueError, match="y contains NaN"):
        run(trainer, orders)


def test_a_divergence_ends_training_at_once():
    def read(ranges, cancelled):
        inputs, y, weights = Rows()(ranges, cancelled)
        return inputs, y * np.float32(1e37 if len(rows.read_ranges) else 1), weights

    rows = Rows()
    rows.read_ranges.append(())
    trainer, orders = windowed(300, read)
    loop = loop_of(trainer, orders)
    assert loop.run() is Outcome.DIVERGED
    trainer.release_data()


@pytest.mark.parametrize("window", [N, 300])
def test_ctrl_c_keeps_the_epochs_that_are_over(window, tmp_path):
    trainer, orders = windowed(window)

    def seconds_left():
        if trainer.step_count > 2.5 * orders.n_rows / BATCH:
            raise KeyboardInterrupt
        return 10.0

    loop = loop_of(
        trainer, orders, seconds_left=seconds_left, keep_interrupted=True, checkpoints=Checkpoints(tmp_path, 3, {})
    )
    assert loop.run() is Outcome.INTERRUPTED
    trainer.release_data()
    assert loop.epoch == 2
    assert run(*windowed(window), checkpoints=Checkpoints(tmp_path, "1h", {})) == run(*windowed(window))


@pytest.mark.parametrize("at", [2, 6])
def test_a_signal_of_ctrl_c_ends_training(at):
    """It is sent while a window is read, and arrives while the window before is trained on, or waited for."""

    def read(ranges, cancelled):
        found = rows(ranges, cancelled)
        if len(rows.read_ranges) == at:
            os.kill(os.getpid(), signal.SIGINT)
        return found

    rows = Rows(delay=0.02)
    trainer, orders = windowed(300, read)
    loop = loop_of(trainer, orders, keep_interrupted=True, epochs=1000)
    assert loop.run() is Outcome.INTERRUPTED
    trainer.release_data()
    assert loop.epoch <= 2


def test_ctrl_c_while_rows_are_read_ends_the_thread():
    trainer, orders = windowed(300, Rows(delay=60))

    def seconds_left():
        if reading_threads():
            raise KeyboardInterrupt
        return 0.01

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run(trainer, orders, seconds_left=seconds_left)
    assert time.monotonic() - began < 30


DAMAGES = {
    "another window": lambda state, arrays: state["rows"].update(window=3),
    "no window": lambda state, arrays: state["rows"].update(window=99),
    "no state": lambda state, arrays: state["rows"]["generator"].clear(),
    "rows twice": lambda state, arrays: arrays["order"].__setitem__(0, arrays["order"][1]),
    "rows of another window": lambda state, arrays: arrays["order"].__setitem__(0, 10**6),
    "blocks twice": lambda state, arrays: arrays["blocks"].__setitem__(0, arrays["blocks"][1]),
    "no blocks": lambda state, arrays: arrays.update(blocks=np.empty(0, np.int64)),
    "blocks ahead": lambda state, arrays: arrays.update(next_blocks=np.array(arrays["blocks"])),
    "a row elsewhere": lambda state, arrays: state["counts"].update(row=624, step=1000) or state.update(step=1000),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_checkpoint_is_refused(name, tmp_path):
    class Stop(Exception):
        pass

    class Damaging(Checkpoints):
        def save(self, step, state, arrays):
            state = {**state, "step": step}
            arrays = {key: np.array(array) for key, array in arrays.items()}
            DAMAGES[name](state, arrays)
            super().save(state.pop("step"), state, arrays)
            raise Stop

    with pytest.raises(Stop):
        run(*windowed(300), checkpoints=Damaging(tmp_path, 20, {}))
    trainer, orders = windowed(300)
    before = trainer.network.block.tobytes()
    with pytest.raises(CheckpointError, match="Give another folder"):
        loop_of(trainer, orders, checkpoints=Checkpoints(tmp_path, 20, {}))
    assert trainer.network.block.tobytes() == before
    trainer.release_data()


def test_windows_smaller_than_a_batch_are_refused():
    with pytest.raises(
        ValueError, match=r"window=17 makes windows of 16 rows, fewer than the 32 of a batch; take .* 64"
    ):
        Windows(1000, 17, 32)
    for window in (0, -1, 1.5, "many"):
        with pytest.raises(ValueError, match="window"):
            Windows(1000, window, 1)
