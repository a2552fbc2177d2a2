"""Tables beyond the window on ranks: each has the rows of its shards, and all have the same model."""

import shutil
import time
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from tests.distributed.rank_threads import on_ranks
from tests.estimators.tabular.test_streamed import frame, held_rows_of, parts

from rosenblatt import TabularClassifier, TabularRegressor
from rosenblatt.distributed.ranks import Ranks
from rosenblatt.estimators.tabular.stored_shards import StoredShards
from rosenblatt.tables.prepared_file import PreparedFile, PreparedFileError
from rosenblatt.training.sharded import dealt
from rosenblatt.training.sharded_windows import ShardedOrders, ShardedWindows

pytest.importorskip("pyarrow")

SMALL = {"members": 2, "max_iter": 3, "hidden_layer_sizes": (8,), "batch_size": 64, "random_state": 0}


@pytest.fixture(scope="module")
def data():
    return frame(1500)


@pytest.fixture
def file(data, tmp_path):
    data.to_parquet(tmp_path / "rows.parquet", row_group_size=300)
    return tmp_path / "rows.parquet"


def bits(model):
    """Everything that was learned, as bytes."""
    members = model.ensemble_.members
    networks = b"".join(member.network.block.tobytes() for member in members)
    return networks, model.out_of_fold_.tobytes(), repr([m.curve for m in members]), model.training_digest_


def fitted(size, make, file, target, **how):
    return on_ranks(size, lambda _: bits(make().fit(file, target, **how)))


@pytest.mark.parametrize(
    ("kind", "target", "how"),
    [
        (TabularClassifier, "class", {}),
        (TabularRegressor, "amount", {"sample_weight": "weight"}),
        (TabularRegressor, ["amount", "other"], {"time": "day"}),
    ],
    ids=["classes", "weights", "units of the rows that train"],
)
@pytest.mark.long
def test_any_number_of_ranks_gives_the_same_model(kind, target, how, file):
    make = lambda: kind(**SMALL, window=500, kinds={"text": "text"})  # noqa: E731
    (expected,) = fitted(1, make, file, target, **how)
    for size in (2, 4, 8):
        assert fitted(size, make, file, target, **how) == [expected] * size


def test_one_window_trains_as_ranks_do_in_memory(file, data):
    """The table has more rows than the window, but those that train are as many."""
    held = held_rows_of(file, "amount", window=1400)
    rest, held_out = parts(data, held)
    assert len(rest) <= 1400 < len(data)
    small = {**SMALL, "members": 1}
    streamed = fitted(2, lambda: TabularRegressor(**small, window=1400), file, "amount")[0]
    model = TabularRegressor(**small)
    inputs, y = held_out.drop(columns="amount"), held_out["amount"]
    in_memory = on_ranks(2, lambda _: bits(model.fit(rest, "amount", X_val=inputs, y_val=y)))[0]
    assert streamed[:3] == in_memory[:3]


@pytest.mark.long
def test_each_rank_writes_its_rows_only(file, monkeypatch):
    sizes = []
    finish = PreparedFile.finish
    monkeypatch.setattr(PreparedFile, "finish", lambda self: sizes.append(self.size_bytes) or finish(self))
    make = lambda: TabularClassifier(**{**SMALL, "members": 1, "max_iter": 1}, window=500)  # noqa: E731
    fitted(1, make, file, "class")
    (whole,) = sizes
    sizes.clear()
    fitted(4, make, file, "class")
    assert len(sizes) == 4
    assert sum(sizes) == whole
    assert max(sizes) < whole / 3


@pytest.mark.long
def test_a_rank_whose_disk_is_slow_is_waited_for(file, monkeypatch):
    """By all others, which pause as it does."""
    make = lambda: TabularClassifier(**{**SMALL, "members": 1, "max_iter": 2}, window=500)  # noqa: E731
    (expected,) = fitted(1, make, file, "class")
    read = StoredShards.read

    def slowly(self, *arguments):
        if self.file.kept.start > 0:
            time.sleep(0.25)
        return read(self, *arguments)

    monkeypatch.setattr(StoredShards, "read", slowly)
    assert fitted(2, make, file, "class") == [expected] * 2


@pytest.mark.long
def test_the_same_fit_goes_on_with_another_number_of_ranks(file, tmp_path):
    options = {**SMALL, "max_iter": 4, "window": 500, "checkpoint_every": 1}
    (expected,) = fitted(1, lambda: TabularClassifier(**options), file, "class")

    class Stopped(Exception):
        pass

    def work(_):
        def stop(epoch):
            if (epoch.member, epoch.number) == (2, 2):
                raise Stopped

        with pytest.raises((Stopped, RuntimeError)):
            TabularClassifier(**options, checkpoint=tmp_path / "kept", on_epoch=stop).fit(file, "class")

    on_ranks(4, work)
    for size in (1, 2, 8):
        kept = shutil.copytree(tmp_path / "kept", tmp_path / f"kept-{size}")
        heard = []
        again = lambda kept=kept, heard=heard: TabularClassifier(**options, checkpoint=kept, on_epoch=heard.append)  # noqa: E731
        assert fitted(size, again, file, "class") == [expected] * size
        assert {(epoch.member, epoch.number) for epoch in heard} <= {
            (2, 2),
            (2, 3),
            (2, 4),
        }  # the second one was not told


@pytest.mark.long
def test_a_time_budget_with_a_trial_on_some_rows(file):
    make = lambda: TabularClassifier(**{**SMALL, "max_iter": None}, time_budget="2s", window=500)  # noqa: E731
    found = fitted(2, make, file, "class")
    assert found[0] == found[1]


def test_another_table_on_a_rank_is_refused(file, data, tmp_path):
    """Also if only rows differ that the rank itself does not have."""
    other = data.copy()
    held = set(held_rows_of(file, "amount", window=500).tolist())
    row = next(row for row in range(50) if row not in held)
    other.loc[row, "amount"] *= 1 + 1e-9
    other.to_parquet(tmp_path / "other.parquet", row_group_size=300)

    def work(found):
        with pytest.raises(ValueError, match=r"rank 1 of 2 would train something else than rank 0; what differs: .*X"):
            TabularRegressor(**SMALL, window=500).fit(tmp_path / "other.parquet" if found.rank else file, "amount")
        return True

    assert all(on_ranks(2, work))


def test_errors_are_those_of_all_ranks(file):
    def too_little(_):
        with pytest.raises(ValueError, match=r"window=500 rows of \d+ bytes on each of 4 ranks need .* memory_limit"):
            TabularClassifier(**SMALL, window=500, memory_limit=1000).fit(file, "class")

    def too_small(_):
        with pytest.raises(ValueError, match=r"window=100 .*; take a window of 400 rows or more"):
            TabularClassifier(**{**SMALL, "batch_size": 200}, window=100).fit(file, "class")

    on_ranks(4, too_little)
    on_ranks(4, too_small)


def test_space_is_asked_for_the_files_of_all_ranks_of_a_machine(file, monkeypatch):
    """A quarter of the rows would fit."""
    asked = []
    monkeypatch.setattr(Ranks, "n_local", property(lambda self: self.size))
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=50_000))

    def work(_):
        with pytest.raises(PreparedFileError, match=r"4 times .* prepared rows need about .* are free") as error:
            TabularClassifier(**SMALL, window=500).fit(file, "class")
        asked.append(str(error.value))

    on_ranks(4, work)
    assert len(asked) == 4


def test_the_memory_of_a_window_is_divided():
    file = SimpleNamespace(n_rows=8000, row_bytes=100.0, kept=slice(0, 1000))
    limit = 2 * 800 * 100 // 8 + 800 * 32
    on_ranks(8, lambda _: StoredShards(file, 800, limit).members_at_once(5))
    with pytest.raises(ValueError, match="memory_limit"):
        on_ranks(1, lambda _: StoredShards(file, 800, limit).members_at_once(5))


# The order ------------------------------------------------------------------------------------------------------------


def epochs_of(orders, n):
    """The file's rows in the order in which some epochs train on them, window by window."""
    found = []
    for _ in range(n):
        orders.draw(1)
        windows = []
        for number in range(orders.windows.count):
            ahead = orders.ranges_ahead() if number else None
            orders.begin(number)
            ranges = orders.ranges(number)
            assert ahead in (None, ranges)
            rows = np.concatenate([np.arange(start, stop) for start, stop in ranges])
            windows.append(rows[orders.order])
        found.append(windows)
    return found


@pytest.mark.parametrize(("n", "window", "batch_size"), [(1003, 130, 7), (640, 640, 50), (999, 400, 32)])
def test_the_order_deals_the_shards_and_takes_each_row_once(n, window, batch_size):
    starts = np.array([n * s // 8 for s in range(9)])
    windows = ShardedWindows.of(tuple(np.diff(starts).tolist()), window, batch_size)
    assert windows.count == -(-n // window)
    assert windows.sizes.max() <= window + 8
    orders = ShardedOrders(windows, np.random.default_rng(0))
    first, second = epochs_of(orders, 2)
    for epoch in (first, second):
        taken = np.concatenate(epoch)
        assert len(taken) == windows.starts[-1] == len(set(taken.tolist()))
        assert len(taken) > n - windows.count * (batch_size + 8)
        for rows in epoch:
            assert len(rows) % batch_size == 0
            np.testing.assert_array_equal(np.searchsorted(starts, rows, side="right") - 1, np.arange(len(rows)) % 8)
    assert not np.array_equal(first[0], second[0])
    if windows.count > 1:  # other rows meet
        assert set(first[0].tolist()) != set(second[0].tolist())


def test_a_window_ends_where_a_shard_has_no_more_rows():
    windows = ShardedWindows.of((5, 4, 5, 5, 5, 5, 5, 5), 100, 1)
    assert windows.starts[-1] == 33  # four rounds, and the first shard once more
    assert len(dealt([np.arange(size) for size in windows.shard_sizes], 33)) == 33


def test_windows_that_cannot_deal_a_batch_are_refused():
    with pytest.raises(ValueError, match=r"window=100 .* 4 rows of one of the 8 shards, .* 34 of a batch; .* of 68"):
        ShardedWindows.of((5, 4, 5, 5, 5, 5, 5, 5), 100, 34)


def test_an_order_of_blocks_that_mixes_shards_is_refused():
    windows = ShardedWindows.of((50,) * 8, 200, 10)
    orders = ShardedOrders(windows, np.random.default_rng(0))
    orders.draw(1)
    orders.begin(0)
    state, arrays = orders.state()
    again = ShardedOrders(windows, np.random.default_rng(1))
    again.restore(state, dict(arrays))
    np.testing.assert_array_equal(again.blocks, orders.blocks)
    with pytest.raises(ValueError, match="mixes those of different shards"):
        again.restore(state, {**arrays, "blocks": arrays["blocks"][::-1].copy()})


@pytest.mark.long
def test_csv_with_rows_less_than_a_block_for_each_shard(tmp_path):
    rng = np.random.default_rng(0)
    pd.DataFrame({"a": rng.normal(size=200), "y": rng.normal(size=200)}).to_csv(tmp_path / "rows.csv", index=False)
    make = lambda: TabularRegressor(**{**SMALL, "batch_size": 8}, window=100)  # noqa: E731
    (expected,) = fitted(1, make, tmp_path / "rows.csv", "y")
    assert fitted(4, make, tmp_path / "rows.csv", "y") == [expected] * 4
