"""The two halves of a native step: what they compute, and what they refuse."""

import numpy as np
import pytest

from rosenblatt import _core, nn
from rosenblatt.training.trainer import Trainer

X = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
Y = X.sum(axis=1, keepdims=True)
NO_SLOTS = np.zeros(0)


def trainer():
    made = Trainer(nn.Network(nn.NetworkSpec(3, (4,), 1), seed=1), "squared_error", None)
    made.set_data(X, Y)
    return made


def test_halves_add_up_to_the_whole():
    made = trainer()
    session, rows = made._session, np.arange(40)
    loss, gradient = made.loss_and_gradient()
    whole, parts, losses = gradient.copy(), [], []
    for part in (rows[:15], rows[15:]):
        session.gradient(made.memory, made._sources, part, int(part[0]), 1 / 40, NO_SLOTS)
        parts.append(gradient.copy())
        losses.append(session.update(made.memory, 1 / 40, NO_SLOTS))
    np.testing.assert_allclose(parts[0] + parts[1], whole, rtol=1e-5, atol=1e-6)
    assert sum(losses) == pytest.approx(loss, rel=1e-6)


def test_no_rows_leave_a_gradient_of_zero():
    made = trainer()
    _, gradient = made.loss_and_gradient()
    made._session.gradient(made.memory, made._sources, np.arange(0), 0, 1.0, NO_SLOTS)
    assert not gradient.any()


@pytest.mark.parametrize(
    ("rows", "first_row", "slots", "said"),
    [
        ([0, 40], 0, NO_SLOTS, "the order holds row 40; allowed: 0 to 39"),
        ([-1], 0, NO_SLOTS, "the order holds row -1"),
        ([0], -1, NO_SLOTS, "first_row is negative"),
        ([0], 0, np.zeros(1), "one value for each slot"),
    ],
)
def test_what_a_gradient_refuses(rows, first_row, slots, said):
    made = trainer()
    with pytest.raises(ValueError, match=said):
        made._session.gradient(made.memory, made._sources, np.array(rows), first_row, 1.0, slots)


def test_what_an_update_refuses():
    made = trainer()
    with pytest.raises(ValueError, match="one value for each slot"):
        made._session.update(made.memory, 1.0, np.zeros(2))
    with pytest.raises(ValueError, match="bytes, fewer than the program needs"):
        made._session.update(made.memory[:8], 1.0, NO_SLOTS)


def test_a_single_program_has_no_halves():
    made = trainer()
    single = _core.Session(made.executable.core)
    with pytest.raises(ValueError, match="a session without an update has no gradient"):
        single.gradient(made.memory, made._sources, np.arange(2), 0, 1.0, NO_SLOTS)
    with pytest.raises(ValueError, match="a session without an update cannot make a step"):
        single.update(made.memory, 1.0, NO_SLOTS)
