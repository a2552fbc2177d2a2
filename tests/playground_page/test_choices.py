"""What can be chosen by name."""

import numpy as np
import pytest

from rosenblatt import nn
from rosenblatt.playground_page.choices import (
    ACTIVATIONS,
    INITIALIZERS,
    LOSSES,
    OPTIMIZERS,
    SCHEDULES,
    code_of,
    optimizer_of,
)

SOURCE_OF = {"binary": "circle", "multiclass": "blobs", "regression": "plane"}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_trains(run_of, name):
    run = run_of({"layers": [{"activation": name}]})
    run.advance(20, 0)
    assert np.isfinite(run.losses).all()


@pytest.mark.parametrize("name", INITIALIZERS)
def test_every_initializer_starts_a_network(run_of, name):
    run = run_of({"layers": [{"initializer": name}] * 2, "output": {"initializer": name}})
    first = run.network.weights[1]
    assert (np.ptp(first) == 0) == (name in ("equal", "zeros"))
    run.advance(5, 0)


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_falls(run_of, name):
    source = SOURCE_OF[LOSSES[name].kind]
    run = run_of(
        {"data": {"source": source, "classes": 3}, "loss": name, "layers": [{"units": 6}], "learning_rate": 0.1}
    )
    before = run.losses[0]
    run.advance(1500, 0)
    assert run.losses[0] < 0.5 * before
    assert run.state()["test_score"] > 0.85


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_schedule_gives_rates(run_of, name):
    run = run_of({"schedule": name, "schedule_steps": 100})
    rates = []
    for _ in range(10):
        rates.append(run.present_learning_rate)
        run.advance(10, 0)
    assert (np.ptp(rates) == 0) == (name == "constant")
    assert 0 < min(rates) <= max(rates) <= 0.03


def test_code_makes_the_same_again():
    values = [choice.value for choices in (INITIALIZERS, SCHEDULES, OPTIMIZERS) for choice in choices.values()]
    values += [optimizer_of("sgd", 0.5), optimizer_of("rmsprop", 0.9), "it's", 'a "b" \\n', 0.1, None]
    for value in values:
        assert eval(code_of(value), {"nn": nn}) == value
    assert code_of(nn.Cosine()) == "nn.Cosine()"
    assert code_of("tanh") == '"tanh"'
