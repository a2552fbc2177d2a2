"""Schedules: closed forms, PyTorch's, purity, wrong settings."""

import signal

import numpy as np
import pytest

from rosenblatt.nn import Network, NetworkSpec
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
)

STEPS = np.arange(200)


@pytest.mark.parametrize("name", SCHEDULES)
def test_rates_depend_on_the_steps_number_only(name):
    schedule = SCHEDULES.resolve(name)
    whole = schedule.rates(0.1, STEPS, 10, 200)
    assert whole.shape == (200,)
    assert whole.dtype == np.float64
    assert (whole >= 0).all()
    assert whole.max() <= 0.1 * (1 + 1e-12)
    for part in (slice(0, 1), slice(37, 91), slice(190, 200)):
        assert np.array_equal(schedule.rates(0.1, STEPS[part], 10, 200), whole[part])


def test_closed_forms():
    rates = Exponential(0.1, 10).rates(2.0, np.array([0, 25, 50, 100]), 10, 200)
    np.testing.assert_allclose(rates, [2.0, 2 * 0.1**0.25, 2 * 0.1**0.5, 0.2])
    np.testing.assert_allclose(Power(2, 1).rates(1.0, np.array([0, 20, 40]), 10, 200), [1, 1 / 2, 1 / 3])
    np.testing.assert_allclose(Power(2, 2).rates(1.0, np.array([0, 5, 40]), 10, 200), [1, 1 / 1.25**2, 1 / 9])
    rates = Piecewise((1, 2.5), (0.5, 0.1)).rates(1.0, np.array([9, 10, 24, 25]), 10, 200)
    np.testing.assert_allclose(rates, [1, 0.5, 0.5, 0.1])
    t = np.array([0, 1 / 15, 3 / 15, 7 / 15])
    np.testing.assert_allclose(CosLog(4).rates(1.0, t * 1500, 10, 1500), 0, atol=1e-12)
    rates = Warmup(1.0, Cosine()).rates(1.0, STEPS, 10, 200)
    assert Warmup(1.0, "cosine") == Warmup(1.0, Cosine())
    np.testing.assert_allclose(rates[:10], np.arange(1, 11) / 10)
    np.testing.assert_allclose(rates[10:], Cosine().rates(1.0, np.arange(190), 10, 190))


@pytest.mark.parametrize("name", SCHEDULES)
def test_rates_have_the_shape_of_the_steps(name):
    schedule, whole = SCHEDULES.resolve(name), SCHEDULES.resolve(name).rates(0.1, STEPS, 10, 200)
    for shape in ((0,), (10, 20)):
        rates = schedule.rates(0.1, STEPS[: np.prod(shape)].reshape(shape), 10, 200)
        assert np.array_equal(rates, whole[: np.prod(shape)].reshape(shape))


@pytest.mark.parametrize("cycles", [1, 3, 22, 49])
def test_each_cycle_of_the_cosine_begins_at_the_base_rate(cycles):
    n = 7 * cycles
    rates = Cosine(0.1, cycles).rates(2.0, np.arange(n + 2), 10, n)
    one = 2 * (0.1 + 0.9 * np.cos(np.pi * np.arange(7) / 14) ** 2)  # half angles
    np.testing.assert_allclose(rates[:n], np.tile(one, cycles), rtol=1e-12)
    np.testing.assert_allclose(rates[n:], 0.2, rtol=1e-12)


def test_one_cycle_rises_to_the_base_rate_and_falls_below_its_start():
    rates = OneCycle(0.5, 0.1, 0.01).rates(2.0, np.arange(21), 10, 20)
    top = 9  # half of 20 steps, counted from 0
    rise, fall = np.sin(np.pi / 2 * np.arange(10) / 9) ** 2, np.cos(np.pi / 2 * np.arange(1, 11) / 10) ** 2
    np.testing.assert_allclose(rates[: top + 1], 0.2 + 1.8 * rise, rtol=1e-12)
    np.testing.assert_allclose(rates[top + 1 : 20], 0.002 + 1.998 * fall, rtol=1e-12)
    assert rates[20] == rates[19], "after the end it stays"
    np.testing.assert_allclose(OneCycle(0.5).rates(2.0, np.arange(2), 1, 2), [2, 2 * 0.04 * 1e-4], rtol=1e-12)


def test_a_plateau_waits_lowers_and_stops_at_its_smallest():
    schedule, state, seen = Plateau(0.1, 1, 0.5, 0.05), PlateauState(), []
    for value in (3.0, 2.6, 2.4, 2.4, 2.0, np.nan, 2.4, 2.4):
        before, state = state, schedule.after_epoch(state, value)
        seen.append((state.best, state.bad_epochs, state.factor))
        assert schedule.after_epoch(before, value) == state, "it depends on nothing else"
    waiting, lowered = [(3.0, 0, 1.0), (3.0, 1, 1.0)], [(2.4, 0, 1.0), (2.4, 1, 1.0), (2.4, 0, 0.1), (2.4, 1, 0.1)]
    assert seen == [*waiting, *lowered, (2.4, 0, 0.05), (2.4, 1, 0.05)]


def test_boundaries_and_factors_may_be_lists():
    assert Piecewise([1, 2], [0.5, 0.1]) == Piecewise((1, 2), (0.5, 0.1))
    assert hash(Piecewise([1, 2], [0.5, 0.1])) == hash(Piecewise((1, 2), (0.5, 0.1)))


def torch_rates(make, n=200):
    torch = pytest.importorskip("torch", reason="PyTorch is in tools/requirements.txt")
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
    torch = pytest.importorskip("torch", reason="PyTorch is in tools/requirements.txt")
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
        (lambda: Exponential(0.1, -1), r"epochs is -1; it must be a number in \(0, inf\)"),
        (lambda: Power("a"), "Power: epochs is 'a'"),
        (lambda: Piecewise((1, 2), (0.1,)), "2 boundaries and 1 factors"),
        (lambda: Piecewise((2, 1), (0.1, 0.2)), "must be positive epochs that increase"),
        (lambda: Piecewise((1,), (0,)), "factors are"),
        (
            lambda: Piecewise((np.nan,), (0.1,)),
            r"Piecewise: boundaries are \(nan,\); they must be a tuple of finite numbers",
        ),
        (
            lambda: Piecewise((1,), (np.nan,)),
            r"Piecewise: factors are \(nan,\); they must be a tuple of finite numbers",
        ),
        (
            lambda: Piecewise((1,), (np.inf,)),
            r"Piecewise: factors are \(inf,\); they must be a tuple of finite numbers",
        ),
        (lambda: Piecewise((1,), ("a",)), "Piecewise: factors are .*; they must be a tuple of finite numbers"),
        (lambda: Piecewise(30, 0.1), "Piecewise: boundaries are 30; they must be a tuple of finite numbers"),
        (lambda: Cosine(2), "final is 2"),
        (lambda: Cosine(cycles=1.5), "Cosine: cycles is 1.5; it must be a whole number"),
        (lambda: Warmup(1, "plateau"), "then is 'plateau'; it must be constant, .* or an instance of a schedule"),
        (lambda: Warmup(1, Plateau()), "or an instance of a schedule other than Plateau"),
        (lambda: Warmup(1, Cosine), "then is <class .*Cosine'>; it must be constant, .* or an instance of a schedule"),
        (lambda: OneCycle(0), "peak is 0"),
        (lambda: CosLog(0), "cycles is 0"),
        (lambda: CosLog(2.5), "CosLog: cycles is 2.5; it must be a whole number"),
        (lambda: Plateau(patience=1.5), "Plateau: patience is 1.5; it must be a whole number"),
        (lambda: Plateau(smallest=5), r"Plateau: smallest is 5; it must be a number in \[0, 1\]"),
        (
            lambda: SCHEDULES.resolve(Cosine),
            r"schedule is the class Cosine; give an instance of it, such as Cosine\(\)",
        ),
        (lambda: Plateau(1.5), "factor is 1.5"),
        (lambda: SCHEDULES.resolve("cosin"), "did you mean 'cosine'"),
        (lambda: SCHEDULES.resolve(3), "schedule is 3; allowed: constant, exponential"),
    ],
)
def test_wrong_settings_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("schedule", ["constant", "cosine", "one_cycle", "warmup"])
@pytest.mark.parametrize("epochs", [10**18, 10**30])
def test_a_training_without_end_is_refused(schedule, epochs):
    network = Network(NetworkSpec(2, (2,), 1))
    with pytest.raises(ValueError, match=r"would have 1000000000000000000\d* steps; at most 2\*\*53 are allowed"):
        network.fit(np.ones((4, 2)), np.ones(4), epochs=epochs, schedule=schedule)


def test_many_epochs_do_not_need_memory_for_all_their_steps():
    network, ended = Network(NetworkSpec(2, (2,), 1)), []
    signal_before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        with pytest.raises(KeyboardInterrupt):
            network.fit(np.ones((4, 2)), np.ones(4), epochs=10**12, schedule="cosine")
        ended.append(True)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal_before)
    assert ended


@pytest.mark.parametrize("epochs", [1e18, 1e308])
def test_a_warmup_may_outlast_the_training(epochs):
    rates = Warmup(epochs).rates(0.1, np.arange(3), 10, 30)
    assert (rates < 1e-15).all()
