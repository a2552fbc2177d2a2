"""The training loop: stopping rules, pauses, deadlines, and epochs that run one by one or many at once."""

import itertools
import math

import numpy as np
import pytest
from sklearn.datasets import load_wine

from rosenblatt import MLPClassifier, nn
from rosenblatt.training import Trainer, fit
from rosenblatt.training.early_stopping import BestEpoch, EarlyStopping, Tolerance
from rosenblatt.training.learning_rates import LearningRates
from rosenblatt.training.loop import Outcome, TrainingLoop

X, Y = load_wine(return_X_y=True)
X = ((X - X.mean(0)) / X.std(0)).astype(np.float32)


def network() -> nn.Network:
    return nn.Network(nn.NetworkSpec(13, (8,), 3, output="softmax"), seed=0)


def loop(max_epochs: int = 12, average: float = 0.0, copies: int = 1, **options) -> TrainingLoop:
    trainer = Trainer(network(), "softmax_cross_entropy", nn.Adam(), batch_size=32, ema_decay=average)
    trainer.set_data(np.repeat(X, copies, axis=0), np.repeat(Y, copies))
    rates = LearningRates(0.01, nn.ConstantRate())
    return TrainingLoop(trainer, max_epochs, EarlyStopping(), rates, shuffle=True, **options)


def stops_after(rule: EarlyStopping, values: list[float]) -> tuple[int, list[int]]:
    """The epoch in which the rule stops (0: it does not), and all that were the best so far, counted from 1."""
    best = []
    for number, value in enumerate(values, 1):
        if rule.after_epoch(value):
            best.append(number)
        if rule.should_stop():
            return number, best
    return 0, best


@pytest.mark.parametrize(
    ("rule", "values", "expected"),
    [
        (EarlyStopping(2), [3, 2, 2, 2, 1], (4, [1, 2])),
        (EarlyStopping(2, 0.5), [3, 2.9, 2.8, 2.7], (3, [1, 2, 3])),
        (EarlyStopping(), [3, 4, 5, 6], (0, [1])),
        (EarlyStopping(2), [math.nan, 3, math.nan, 2], (0, [2, 4])),
        (EarlyStopping(2), [math.nan, math.nan, 1], (2, [])),
        (BestEpoch(), [3, 2, 2, math.nan, 2.5], (0, [1, 2, 3])),
        (Tolerance(2, 0.1), [3, 3, 3, 3], (4, [1])),
        (Tolerance(2, 0.0), [3, 3, 3, 3, 3], (0, [1])),
        (Tolerance(1, 0.0), [math.nan, math.nan, 3], (2, [])),
    ],
)
def test_rules(rule: EarlyStopping, values: list[float], expected: tuple[int, list[int]]) -> None:
    assert stops_after(rule, values) == expected


def test_a_rule_that_postpones_the_end_starts_to_count_again() -> None:
    answers = iter([False, True])
    assert stops_after(Tolerance(1, 0.0, at_plateau=lambda: next(answers)), [1, 2, 2, 2, 2, 2]) == (5, [1])


@pytest.mark.parametrize("rule", [EarlyStopping(4), Tolerance(4, 0.0)])
def test_a_decision_is_never_announced_too_late(rule: EarlyStopping) -> None:
    rule.after_epoch(0.0)
    ahead = rule.epochs_until_decision()
    for _ in range(int(ahead) - 1):
        rule.after_epoch(1.0)
        assert not rule.should_stop()
    rule.after_epoch(1.0)
    assert rule.should_stop()


def test_epochs_at_once_give_the_bits_of_epochs_one_by_one() -> None:
    at_once, one_by_one = loop(), loop(callbacks=[lambda _: False])
    assert at_once.run() is one_by_one.run() is Outcome.ALL_EPOCHS
    assert np.array_equal(at_once.network.block, one_by_one.network.block)
    assert dict(at_once.history) == dict(one_by_one.history)


@pytest.mark.parametrize("average", [0.0, 0.9])
def test_pauses_show_the_network_as_if_training_had_ended(average: float) -> None:
    seen = []
    paused = loop(average=average, on_pause=lambda: seen.append(paused.network.parameters.copy()))
    stages = paused.stages(pause=0)
    next(stages)
    for epoch in (3, 7):
        stages.send(epoch)
    with pytest.raises(StopIteration):
        stages.send(math.inf)
    for epochs, parameters in zip((3, 7), seen[1:], strict=True):
        short = loop(epochs, average=average)
        short.run()
        np.testing.assert_array_equal(parameters, short.network.parameters)
    whole = loop(average=average)
    whole.run()
    np.testing.assert_array_equal(paused.network.parameters, whole.network.parameters)


def test_a_deadline_ends_training_after_an_epoch() -> None:
    left = itertools.chain([9.0] * 20, itertools.repeat(0.0))
    timed = loop(1000, seconds_left=lambda: next(left))
    assert timed.run() is Outcome.DEADLINE
    assert 1 <= timed.epoch < 20
    assert timed.history.n_epochs == timed.epoch


def test_a_deadline_that_is_over_allows_a_part_of_the_first_epoch() -> None:
    timed = loop(copies=5000, measure=lambda: {"val_loss": 1.0}, seconds_left=lambda: -1.0)
    assert timed.run() is Outcome.DEADLINE
    assert (timed.epoch, timed.best is not None) == (1, True)
    assert np.isnan(timed.history["loss"]).all()


def test_the_best_epoch_is_kept_and_nan_is_never_best() -> None:
    values = iter([math.nan, 3.0, 1.0, 2.0, math.nan])
    kept, copies = loop(5, measure=lambda: {"val_loss": next(values)}), []
    kept.callbacks = [lambda now: copies.append(now.network.block.copy())]
    assert kept.run() is Outcome.ALL_EPOCHS
    np.testing.assert_array_equal(kept.network.block, copies[2])


def test_no_score_at_all_is_an_error_that_leaves_everything_as_it_was() -> None:
    net, scorer = network(), lambda *given: math.nan
    before = net.block.copy()
    with pytest.raises(ValueError, match="not a number after any epoch: check the validation rows"):
        fit(net, X, Y, validation=(X, Y), scorer=scorer, epochs=3)
    np.testing.assert_array_equal(net.block, before)
    model = MLPClassifier((4,), early_stopping=True, scoring=scorer, max_iter=3)
    with pytest.raises(ValueError, match="not a number after any epoch"):
        model.fit(X, Y)
    assert not hasattr(model, "coefs_")


def test_every_callback_is_told_before_one_ends_training() -> None:
    told = []
    ended = loop(callbacks=[lambda now: told.append(now.epoch) or now.epoch == 2, lambda now: told.append(-now.epoch)])
    assert ended.run() is Outcome.CALLBACK
    assert told == [1, -1, 2, -2]
