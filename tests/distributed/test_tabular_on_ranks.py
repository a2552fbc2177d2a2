"""Tabular estimators on ranks: the same model on 1, 2, 4 and 8, whatever happens on the way."""

import numpy as np
import pytest
from sklearn.base import clone
from tests.distributed.rank_threads import on_ranks

from rosenblatt import TabularClassifier, TabularRegressor, learn
from rosenblatt.training.sharded import ShardedTrainer

N = 90
RNG = np.random.default_rng(0)
TABLE = {"a": RNG.normal(size=N), "b": RNG.choice(["x", "y", "z"], N), "c": RNG.normal(size=N)}
GROUPS = RNG.integers(0, 20, N)
LABELS = np.where(TABLE["a"] + (TABLE["b"] == "x") + RNG.normal(size=N) * 0.3 > 0.5, "yes", "no")
NUMBERS = 2 * TABLE["a"] + (TABLE["b"] == "x")
WEIGHTS = RNG.uniform(0.1, 2, N)
SMALL = {"members": 2, "max_iter": 3, "hidden_layer_sizes": (8,), "random_state": 0}


def bits(model):
    """Everything that was learned, as bytes."""
    members = model.ensemble_.members
    networks = b"".join(member.network.block.tobytes() for member in members)
    return networks, model.out_of_fold_.tobytes(), repr([member.curve for member in members])


def fitted(size, model, y=LABELS, **how):
    return on_ranks(size, lambda _: bits(clone(model).fit(TABLE, y, **how)))


@pytest.mark.parametrize(
    ("model", "y", "how"),
    [
        (TabularClassifier(**SMALL), LABELS, {}),
        (TabularRegressor(**SMALL), NUMBERS, {"sample_weight": WEIGHTS}),
        (TabularRegressor(**SMALL), NUMBERS, {"groups": GROUPS}),
        (TabularRegressor(**SMALL), np.exp(3 * RNG.normal(size=N) + TABLE["a"]), {}),
        (TabularClassifier(**SMALL), LABELS, {"X_val": {k: v[:30] for k, v in TABLE.items()}, "y_val": LABELS[:30]}),
    ],
    ids=["classes", "weights", "groups", "trials of a transformed target", "validation"],
)
def test_any_number_of_ranks_gives_the_same_model(model, y, how):
    (expected,) = fitted(1, model, y, **how)
    for size in (2, 4):
        assert fitted(size, model, y, **how) == [expected] * size


def test_a_rank_takes_its_rows_only(monkeypatch):
    """Others scale the initial weights, but none are kept."""
    held = []
    give = ShardedTrainer.set_own_data

    def note(self, starts, X, y, sample_weight=None):
        held.append((len(y), len(X["numbers"]), starts[-1]))
        give(self, starts, X, y, sample_weight)

    monkeypatch.setattr(ShardedTrainer, "set_own_data", note)
    model = TabularClassifier(**{**SMALL, "members": 1, "max_iter": 1})
    how = {"X_val": {name: column[:30] for name, column in TABLE.items()}, "y_val": LABELS[:30]}
    fitted(4, model, **how)
    assert sorted(held) == [(22, 22, N), (22, 22, N), (22, 22, N), (24, 24, N)]


def test_fewer_rows_than_shards():
    model = TabularRegressor(**SMALL)
    table, y = {name: column[:6] for name, column in TABLE.items()}, NUMBERS[:6]
    how = {"X_val": TABLE, "y_val": NUMBERS}
    found = [on_ranks(size, lambda _: bits(clone(model).fit(table, y, **how))) for size in (1, 4)]
    assert found[1] == found[0] * 4


def test_learn_is_a_fit_on_all_ranks():
    found = on_ranks(2, lambda _: bits(learn({**TABLE, "y": LABELS}, "y", **SMALL)))
    assert found[0] == found[1] == fitted(1, TabularClassifier(**SMALL))[0]


class Hooks:
    """A callback of scikit-learn's that notes what it hears."""

    def __init__(self):
        self.heard = []

    def setup(self, estimator, context):
        self.heard.append("setup")

    def teardown(self, estimator, context):
        self.heard.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.heard.append(context.task_name)

    def on_fit_task_end(self, estimator, context):
        return context.task_name == "epoch" and self.heard.count("epoch") == 2


def test_scikit_learns_callbacks_hear_on_rank_0_and_end_all():
    def work(_):
        hooks = Hooks()
        model = TabularClassifier(**SMALL).set_callbacks(hooks).fit(TABLE, LABELS)
        return bits(model), hooks.heard

    (first, heard), (second, nothing) = on_ranks(2, work)
    assert first == second
    assert heard.count("epoch") > 1
    assert "epoch" not in nothing


def test_a_drawn_seed_is_that_of_rank_0():
    found = fitted(2, TabularClassifier(**{**SMALL, "random_state": None}))
    assert found[0] == found[1]


def test_a_time_budget_is_planned_by_rank_0():
    """Every rank has the same epochs and members, however long it takes itself."""
    found = fitted(2, TabularClassifier(**{**SMALL, "max_iter": None}, time_budget="2s"))
    assert found[0] == found[1]


@pytest.mark.filterwarnings("ignore:Training was interrupted")
@pytest.mark.parametrize("by", ["a signal", "the callback"])
def test_an_interrupt_of_one_rank_keeps_the_same_networks_on_all(by):
    def work(found):
        def on_epoch(epoch):
            if epoch.number == 2 and by == "a signal":
                found.interrupt = (2, None)
            elif epoch.number == 2:
                raise KeyboardInterrupt

        model = TabularClassifier(**{**SMALL, "max_iter": 50}, on_epoch=on_epoch).fit(TABLE, LABELS)
        assert model.ensemble_.interrupted
        return bits(model)

    found = on_ranks(4, work)
    assert found == [found[0]] * 4


def test_an_interrupt_before_the_first_epoch_leaves_nothing():
    def work(found):
        if found.rank == 1:
            found.interrupt = (2, None)
        model = TabularClassifier(**SMALL)
        with pytest.raises(KeyboardInterrupt):
            model.fit(TABLE, LABELS)
        return hasattr(model, "ensemble_")

    assert on_ranks(2, work) == [False, False]


def test_the_callback_hears_of_each_epoch_once():
    heard = []
    model = TabularClassifier(**SMALL)
    on_ranks(
        4, lambda _: clone(model).set_params(on_epoch=lambda e: heard.append((e.member, e.number))).fit(TABLE, LABELS)
    )
    assert heard == [(member, number) for member in (1, 2) for number in (1, 2, 3)]


def test_an_error_of_the_callback_is_everybodys():
    def work(_):
        def fail(epoch):
            raise LookupError("in the callback")

        with pytest.raises(LookupError, match="in the callback"):
            TabularClassifier(**SMALL, on_epoch=fail).fit(TABLE, LABELS)
        return True

    assert all(on_ranks(4, work))


def test_a_rank_with_another_table_is_named():
    def work(found):
        table = {**TABLE, "c": TABLE["c"] + (found.rank == 1)}
        with pytest.raises(ValueError, match=r"rank 1 of 2 would train something else than rank 0; what differs: X\."):
            TabularClassifier(**SMALL).fit(table, LABELS)
        with pytest.raises(ValueError, match=r"rank 1 of 2 .* what differs: members\."):
            TabularClassifier(**{**SMALL, "members": 2 + found.rank}).fit(TABLE, LABELS)
        return True

    assert all(on_ranks(2, work))


def test_a_fit_goes_on_with_another_number_of_ranks(tmp_path):
    options = {**SMALL, "max_iter": 6, "checkpoint_every": 1}
    (expected,) = fitted(1, TabularClassifier(**options))

    class Stopped(Exception):
        pass

    def work(_):
        def stop(epoch):
            if (epoch.member, epoch.number) == (2, 3):
                raise Stopped

        with pytest.raises((Stopped, RuntimeError)):
            TabularClassifier(**options, checkpoint=tmp_path, on_epoch=stop).fit(TABLE, LABELS)

    on_ranks(4, work)
    again = TabularClassifier(**options, checkpoint=tmp_path)
    assert fitted(2, again) == [expected] * 2
    assert fitted(1, again) == [expected]


def test_an_ordinary_fit_has_a_checkpoint_of_its_own(tmp_path):
    """Its batches are others, so that it could not continue the one of ranks."""
    model = TabularClassifier(**SMALL, checkpoint=tmp_path)
    fitted(2, model)
    ordinary = bits(clone(model).fit(TABLE, LABELS))
    assert ordinary == bits(TabularClassifier(**SMALL).fit(TABLE, LABELS))
    assert len(list(tmp_path.iterdir())) == 2
