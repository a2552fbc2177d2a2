"""Schedules: closed forms, PyTorch's, purity, wrong settings."""

import numpy as np
import pytest

from rosenblatt.nn.schedules import (
    SCHEDULES,
    Cosine,
    CosLog,
    Exponential,
    OneCycle,
    Piecewise,
    Plateau,
    PlateauState,
    Power,
    Warmup,
    schedule_named,
)

STEPS = np.arange(200)


@pytest.mark.parametrize("name", SCHEDULES)
def test_rates_depend_on_the_steps_number_only(name):
    schedule = schedule_named(name)
    whole = schedule.rates(0.1, STEPS, 10, 200)
    assert whole.shape == (200,)
    assert whole.dtype == np.float64
    assert (whole >= 0).all()
    assert whole.max() <= 0.1 * (1 + 1e-12)
    for part in (slice(0, 1), slice(37, 91), slice(190, 200)):
        assert np.array_equal(schedule.rates(0.1, STEPS[part], 10, 200), whole[part])


def test_closed_forms():
    rates = Exponential(0.1, 10).rates(2.0, np.array([0, 50, 100]), 10, 200)
    np.testing.assert_allclose(rates, [2.0, 2 * 0.1**0.5, 0.2])
    np.testing.assert_allclose(Power(2, 1).rates(1.0, np.array([0, 20, 40]), 10, 200), [1, 1 / 2, 1 / 3])
    rates = Piecewise((1, 2.5), (0.5, 0.1)).rates(1.0, np.array([9, 10, 24, 25]), 10, 200)
    np.testing.assert_allclose(rates, [1, 0.5, 0.5, 0.1])
    t = np.array([0, 1 / 15, 3 / 15, 7 / 15])
    np.testing.assert_allclose(CosLog(4).rates(1.0, t * 1500, 10, 1500), 0, atol=1e-12)
    rates = Warmup(1.0, Cosine()).rates(1.0, STEPS, 10, 200)
    np.testing.assert_allclose(rates[:10], np.arange(1, 11) / 10)
    np.testing.assert_allclose(rates[10:], Cosine().rates(1.0, np.arange(190), 10, 190))


def torch_rates(make, n=200):
    torch = pytest.importorskip("torch", reason="PyTorch is a development extra")
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], 0.1)
    scheduler = make(torch.optim.lr_scheduler, optimizer)
    rates = []
    for _ in range(n):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


def test_exponential_cosine_and_one_cycle_are_pytorchs():
    expected = torch_rates(lambda s, o: s.ExponentialLR(o, 0.1 ** (1 / 100)))
    np.testing.assert_allclose(Exponential(0.1, 10).rates(0.1, STEPS, 10, 200), expected, rtol=1e-10)
    expected = torch_rates(lambda s, o: s.CosineAnnealingLR(o, 200, eta_min=0.01))
    np.testing.assert_allclose(Cosine(0.1).rates(0.1, STEPS, 10, 200), expected, rtol=1e-9)
    expected = torch_rates(lambda s, o: s.CosineAnnealingWarmRestarts(o, 50))
    np.testing.assert_allclose(Cosine(cycles=4).rates(0.1, STEPS, 10, 200), expected, rtol=1e-9)
    expected = torch_rates(lambda s, o: s.OneCycleLR(o, 0.1, total_steps=200, final_div_factor=1e4), 199)
    np.testing.assert_allclose(OneCycle().rates(0.1, STEPS, 10, 200)[:199], expected, rtol=1e-9)


def test_a_plateau_is_pytorchs():
    torch = pytest.importorskip("torch", reason="PyTorch is a development extra")
    values = np.abs(np.random.default_rng(0).normal(size=60)) / np.arange(1, 61)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], 1.0)
    theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, factor=0.5, patience=3, threshold=1e-3, threshold_mode="abs", min_lr=0.01
    )
    ours, state, factors, expected = Plateau(0.5, 3, 1e-3, 0.01), PlateauState(), [], []
    for value in values:
        state = ours.after_epoch(state, value)
        theirs.step(value)
        factors.append(state.factor)
        expected.append(optimizer.param_groups[0]["lr"])
    np.testing.assert_allclose(factors, expected)
    assert factors[-1] < 0.1, "the rate fell"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Exponential(0), r"Exponential: factor is 0; it must be a number in \(0, 1\]"),
        (lambda: Exponential(0.1, -1), r"epochs is -1; it must be a number in \(0, infinity\)"),
        (lambda: Power("a"), "Power: epochs is 'a'"),
        (lambda: Piecewise((1, 2), (0.1,)), "2 boundaries and 1 factors"),
        (lambda: Piecewise((2, 1), (0.1, 0.2)), "must be positive epochs that increase"),
        (lambda: Piecewise((1,), (0,)), "factors are"),
        (lambda: Cosine(2), "final is 2"),
        (lambda: Warmup(1, "cosine"), "then is 'cosine'; it must be a schedule"),
        (lambda: OneCycle(0), "peak is 0"),
        (lambda: CosLog(0), "cycles is 0"),
        (lambda: Plateau(1.5), "factor is 1.5"),
        (lambda: schedule_named("cosin"), "Did you mean 'cosine'"),
        (lambda: schedule_named(3), "schedule is 3; allowed: constant, exponential"),
    ],
)
def test_wrong_settings_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
