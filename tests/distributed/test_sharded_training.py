"""Training on ranks: equal bits for 1, 2, 4 and 8 of them, and the gradient of the whole batch."""

import contextlib
import os

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from tests.distributed.rank_threads import Post, ThreadCommunicator, on_ranks

from rosenblatt import nn
from rosenblatt.distributed.ranks import Ranks, together_on
from rosenblatt.training import DivergenceError, fit, sharded
from rosenblatt.training.sharded import ShardedTrainer, dealt, predict_together, shard_starts
from rosenblatt.training.trainer import Trainer

N = 203
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 6)).astype(np.float32)
LABELS = (X[:, 0] + X[:, 1] ** 2 > 0.8).astype(int) + (X[:, 2] > 1)
NUMBERS = (X @ RNG.normal(size=6)).astype(np.float32)
WEIGHTS = RNG.uniform(0, 2, N) * (RNG.random(N) > 0.3)


def network(seed=1, n_outputs=3, **options):
    output = "softmax" if n_outputs > 1 else "identity"
    return nn.Network(nn.NetworkSpec(6, (16, 8), n_outputs, output=output, **options), seed=seed)


def trained(size, **options):
    """The bytes of the parameters, and the history, on each of so many ranks."""

    def work(_):
        net = network(dropout=0.2)
        history = fit(net, X, LABELS, **{"epochs": 3, "batch_size": 50, **options})
        return net.block.tobytes(), dict(history)

    return on_ranks(size, work)


def accuracy(net, X, y):
    return float((net.predict(X).argmax(1) == y).mean())


SETTINGS = {
    "plain": {},
    "weights": {"sample_weight": WEIGHTS},
    "odd batches": {"batch_size": 13, "l2": 0.1, "clip_norm": 0.5},
    "all rows, in order": {"batch_size": N, "shuffle": False, "ema_decay": 0.9},
    "validation": {"validation": (X[:60], LABELS[:60]), "patience": 1, "scorer": accuracy},
    "callbacks": {"callbacks": [lambda epoch: epoch.number == 2]},
    "statistics": {"gradient_statistics": True, "schedule": "plateau"},
}


@pytest.mark.parametrize("name", SETTINGS)
def test_any_number_of_ranks_gives_the_same_bits(name):
    (expected,) = trained(1, **SETTINGS[name])
    assert len(expected[1]["loss"]) == (2 if name == "callbacks" else len(expected[1]["loss"]))
    for size in (2, 4, 8):
        for found in trained(size, **SETTINGS[name]):
            assert found == expected


def test_a_rank_reads_its_rows_where_they_lie(monkeypatch):
    read = []
    make = sharded.sources_of

    def sources_of(executable, graph, arrays):
        read.append(arrays["x"])
        return make(executable, graph, arrays)

    monkeypatch.setattr(sharded, "sources_of", sources_of)
    trained(4, epochs=1)
    assert sorted(map(len, read)) == [50, 50, 51, 52]
    assert all(np.shares_memory(rows, X) for rows in read)


@pytest.mark.parametrize("n", [1, 3, 8, 9])
def test_fewer_rows_than_shards(n):
    def work(_):
        net = network()
        fit(net, X[:n], LABELS[:n], epochs=2, batch_size=4)
        return net.block.tobytes()

    (expected,) = on_ranks(1, work)
    for size in (2, 8):
        assert set(on_ranks(size, work)) == {expected}


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("batch_size", [None, N])
def test_the_gradient_is_that_of_the_whole_batch(weights, batch_size):
    """One step of plain gradient descent, or the gradient by itself, beside those of an ordinary trainer.

    The masks are equal, too: those of a row depend on its place in the whole batch.
    """

    def moved(kind):
        spec = nn.NetworkSpec(6, (16, 8), 3, output="softmax", l1=0.01, l2=0.1, dropout=0.3)
        net = nn.Network(spec, "float64", seed=1)
        optimizer = None if batch_size is None else nn.SGD()
        trainer = kind(
            net, "softmax_cross_entropy", optimizer, batch_size=batch_size, weighted=weights is not None, l2=0.3
        )
        trainer.set_data(X.astype(np.float64), LABELS, weights)
        if batch_size is None:
            loss, gradient = trainer.loss_and_gradient()
            return loss, np.array(gradient)
        return trainer.epoch(np.arange(N) if kind is Trainer else own_order, 1.0), np.array(net.parameters)

    starts = shard_starts(N)
    own_order = dealt([np.arange(a, b) for a, b in zip(starts[:-1], starts[1:], strict=True)], N)
    loss, expected = moved(Trainer)
    for got_loss, got in on_ranks(2, lambda _: moved(ShardedTrainer)):
        assert got_loss == pytest.approx(loss, rel=1e-12)
        np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-12)


def test_sparse_inputs_codes_and_several_inputs():
    words = csr_matrix(RNG.random((N, 12)) * (RNG.random((N, 12)) > 0.7), dtype=np.float32)
    towns = RNG.integers(0, 5, N).astype(np.int32)

    def work(_):
        town = nn.Embedding(3)(nn.codes(5, "town"))
        parts = [nn.Dense(4)(nn.input(12, "words", sparse=True)), nn.input(6, "numbers"), town]
        data = {"words": words, "numbers": X, "town": towns}
        net = nn.Network(nn.Dense(3)(nn.Dense(6, "relu")(nn.Concat()(*parts))), output="softmax", seed=2)
        fit(net, data, LABELS, epochs=2, batch_size=32)
        return net.block.tobytes()

    (expected,) = on_ranks(1, work)
    for size in (2, 4):
        assert set(on_ranks(size, work)) == {expected}


def test_orders_depend_on_seed_epoch_and_shard():
    def work(_):
        trainer = ShardedTrainer(network(), "softmax_cross_entropy", nn.Adam(), batch_size=20)
        trainer.set_data(X, LABELS)
        own_order = trainer._session.own_order
        orders = [own_order(s, seed, epoch, True).tolist() for s in (0, 1) for seed in (0, 1) for epoch in (0, 1)]
        assert [sorted(order) for order in orders] == [list(range(26))] * 4 + [list(range(26, 52))] * 4
        return orders

    (orders,) = on_ranks(1, work)
    assert len({tuple(row % 26 for row in order) for order in orders}) == 8


def test_each_epoch_takes_each_row_once():
    """A linear model with a learning rate of 0 sees all rows: the mean loss of an epoch is that of all rows."""

    def work(_):
        net = nn.Network(nn.NetworkSpec(6, (), 1), "float64", seed=1)
        trainer = ShardedTrainer(net, "squared_error", nn.SGD(), batch_size=20, seed=5)
        trainer.set_data(X.astype(np.float64), NUMBERS[:, None])
        losses = trainer.epochs(2, 0.0)
        expected = ((net.predict(X.astype(np.float64)) - NUMBERS[:, None]) ** 2).mean()
        return losses, expected

    for losses, expected in on_ranks(4, work):
        factor = losses[0] / expected
        assert factor == pytest.approx(1.0) or factor == pytest.approx(0.5)
        assert losses[0] == pytest.approx(losses[1], rel=1e-12)


def test_one_message_a_step():
    def work(found):
        net = network()
        trainer = ShardedTrainer(net, "softmax_cross_entropy", nn.Adam(), batch_size=50)
        trainer.set_data(X, LABELS)
        before = found.communicator.n_messages
        trainer.epochs(2, 1e-3)
        return found.communicator.n_messages - before

    assert on_ranks(2, work) == [2 * 5] * 2


def test_layers_that_need_a_whole_batch_are_refused():
    def work(_):
        net = nn.Network(nn.Dense(1)(nn.BatchNorm(name="norm")(nn.Dense(4)(nn.input(6)))), seed=1)
        with pytest.raises(
            ValueError, match=r"layer 'norm' \(BatchNorm\) computes from all rows of a batch.*LayerNorm"
        ):
            fit(net, X, NUMBERS, epochs=1)
        return True

    assert on_ranks(2, work) == [True, True]


def test_an_order_that_does_not_deal_is_refused():
    def work(_):
        trainer = ShardedTrainer(network(), "softmax_cross_entropy", nn.Adam(), batch_size=50)
        trainer.set_data(X, LABELS)
        with pytest.raises(ValueError, match="does not deal those of shard"):
            trainer.epoch(np.arange(N), 1e-3)
        return True

    assert all(on_ranks(2, work))


def test_lbfgs_takes_the_gradient_over_all_rows():
    def work(_):
        net = network(n_outputs=1)
        history = fit(net, X, NUMBERS, optimizer="lbfgs", epochs=5)
        return net.block.tobytes(), tuple(history["loss"])

    (expected,) = on_ranks(1, work)
    alone = network(n_outputs=1)
    loss = fit(alone, X, NUMBERS, optimizer="lbfgs", epochs=5)["loss"]
    assert expected[1] == pytest.approx(loss, rel=1e-6)
    for size in (2, 8):
        assert set(on_ranks(size, work)) == {expected}


def test_all_ranks_diverge_together():
    def work(_):
        net = network(n_outputs=1)
        before = net.block.copy()
        with pytest.raises(DivergenceError, match="The loss became"):
            fit(net, X * 1e15, NUMBERS, learning_rate=1e15, optimizer="sgd", epochs=5)
        assert (net.block == before).all()
        return True

    assert all(on_ranks(4, work))


def test_an_interrupt_of_one_rank_stops_all_after_the_same_step():
    def work(found):
        def interrupt(epoch):
            found.interrupt = (2, None) if found.rank == 0 and epoch.number == 2 else None

        net = network()
        with pytest.raises(KeyboardInterrupt):
            fit(net, X, LABELS, epochs=5, batch_size=50, callbacks=[interrupt])
        return net.block.tobytes()

    assert len(set(on_ranks(4, work))) == 1


def test_a_callback_runs_on_rank_0_and_its_change_and_error_reach_all():
    calls = []

    def work(found):
        def change(epoch):
            calls.append(found.rank)
            epoch.network.block[...] *= 0.5

        def fail(epoch):
            raise LookupError(f"in epoch {epoch.number}")

        net = network()
        fit(net, X, LABELS, epochs=2, callbacks=[change])
        with pytest.raises(LookupError, match="in epoch 1"):
            fit(net, X, LABELS, epochs=2, callbacks=[fail])
        return net.block.tobytes()

    assert len(set(on_ranks(4, work))) == 1
    assert calls == [0, 0]


@pytest.mark.parametrize(
    ("what", "change"),
    [("X", lambda d: d["X"].__setitem__((5, 1), 9.0)), ("y", lambda d: d["y"].__setitem__(5, (d["y"][5] + 1) % 3))],
)
def test_ranks_with_other_data_are_refused_by_name(what, change):
    def work(found):
        data = {"X": X.copy(), "y": LABELS.copy()}
        if found.rank == 3:
            change(data)
        net = network()
        with pytest.raises(
            ValueError, match=f"rank 3 of 4 would train something else than rank 0; what differs: {what}"
        ):
            fit(net, data["X"], data["y"], epochs=1)
        return True

    assert all(on_ranks(4, work))


def test_ranks_with_other_weights_or_settings_are_refused():
    def work(found):
        with pytest.raises(ValueError, match=r"rank 1 of 2 .* what differs: starting weights"):
            fit(network(seed=found.rank), X, LABELS, epochs=1)
        with pytest.raises(ValueError, match=r"rank 1 of 2 .* what differs: learning_rate"):
            fit(network(), X, LABELS, epochs=1, learning_rate=1e-3 * (1 + found.rank))
        return True

    assert all(on_ranks(2, work))


def test_a_drawn_seed_is_that_of_rank_0():
    def work(_):
        net = network()
        fit(net, X, LABELS, epochs=1, seed=None)
        return net.block.tobytes()

    assert len(set(on_ranks(4, work))) == 1


def test_a_checkpoint_goes_on_with_another_number_of_ranks(tmp_path):
    options = {"epochs": 4, "batch_size": 50, "checkpoint_every": 3, "sample_weight": WEIGHTS}
    ((expected, history),) = trained(1, **options)
    for number, (first, second) in enumerate([(1, 8), (8, 2), (2, 1)]):
        folder = tmp_path / str(number)

        class Stopped(Exception):
            pass

        def stop(epoch):
            if epoch.number == 2:
                raise Stopped

        with contextlib.suppress(Stopped):
            trained(first, **options, checkpoint=folder, callbacks=[stop])
        assert os.listdir(folder) == ["checkpoint.safetensors"]
        for found in trained(second, **options, checkpoint=folder, callbacks=[lambda epoch: False]):
            assert found == (expected, history)


def test_an_ordinary_training_refuses_the_checkpoint_of_ranks(tmp_path):
    trained(2, checkpoint=tmp_path)
    with pytest.raises(ValueError, match=r"is of another training.*shards"):
        fit(network(dropout=0.2), X, LABELS, epochs=3, batch_size=50, checkpoint=tmp_path)


def test_time_is_that_of_rank_0():
    """Rank 1 would never pause, rank 0 after the first step."""

    def work(found):
        trainer = ShardedTrainer(network(), "softmax_cross_entropy", nn.Adam(), batch_size=50)
        trainer.set_data(X, LABELS)
        losses = trainer.epochs(2, 1e-3, max_seconds=1e-9 if found.rank == 0 else 0.0)
        return losses, trainer.step_count, trainer.position[0]

    assert on_ranks(2, work) == [([], 1, 50)] * 2


def test_other_threads_train_alone():
    """A pool inside of a rank has no other ranks to speak to."""
    from concurrent.futures import ThreadPoolExecutor

    from rosenblatt.distributed.ranks import ranks

    with together_on(Ranks(ThreadCommunicator(Post(1), 0))), ThreadPoolExecutor(1) as pool:
        assert ranks().are_together
        assert not pool.submit(lambda: ranks().are_together).result()


@pytest.mark.parametrize("n", [1, 15, 16, 1000, 5001])
def test_each_rank_predicts_a_part_of_the_rows(n):
    """Whole blocks, also none; the same bits as by itself, minus zeros included."""
    rows = np.random.default_rng(n).normal(size=(n, 6)).astype(np.float32)
    net = network(n_outputs=1)
    net.parameters[:] *= np.float32(-0.5)
    expected = net.predict(rows)

    def work(found):
        asked = []
        twin = net.copy()
        predict = twin.predict
        twin.predict = lambda inputs: asked.append(len(inputs["x"])) or predict(inputs)
        return predict_together(twin, {"x": rows}).tobytes(), sum(asked)

    found = on_ranks(4, work)
    assert {outputs for outputs, _ in found} == {expected.tobytes()}
    assert sum(n_asked for _, n_asked in found) == n
    if n > 4000:
        assert max(n_asked for _, n_asked in found) < n / 2


def test_shared_rows_keep_their_signs():
    def work(found):
        rows = np.array([-0.0, np.nan, 3.0, -0.0], np.float32)
        own = slice(found.rank * 2, found.rank * 2 + 2)
        mine = rows.copy()
        found.share(mine, own)
        return mine.tobytes() == rows.tobytes()

    assert all(on_ranks(2, work))
