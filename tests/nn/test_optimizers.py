"""Optimizers: the published rules in NumPy, PyTorch's paths over 100 steps, resumption, wrong settings."""

import numpy as np
import pytest

from rosenblatt.nn import SGD, AdaGrad, Adam, AdamW, Nadam, NetworkSpec, RMSProp
from rosenblatt.nn.network import Network
from rosenblatt.nn.optimizers import OPTIMIZERS
from rosenblatt.training import Trainer

SPEC = NetworkSpec(4, (7,), 2, activation="tanh")
RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(64, 4)), RNG.normal(size=(64, 2))

# name: (ours, how PyTorch spells it)
CASES = {
    "sgd": (SGD(0.0), ("SGD", {})),
    "momentum": (SGD(0.9, nesterov=False), ("SGD", {"momentum": 0.9})),
    "nesterov": (SGD(0.9), ("SGD", {"momentum": 0.9, "nesterov": True})),
    "adagrad": (AdaGrad(), ("Adagrad", {})),
    "adagrad decayed": (
        AdaGrad(1e-8, 0.1, 0.05),
        ("Adagrad", {"eps": 1e-8, "initial_accumulator_value": 0.1, "lr_decay": 0.05}),
    ),
    "rmsprop": (RMSProp(), ("RMSprop", {})),
    "rmsprop momentum": (RMSProp(0.9, 0.8, 1e-7), ("RMSprop", {"alpha": 0.9, "momentum": 0.8, "eps": 1e-7})),
    "adam": (Adam(epsilon=1e-300), ("Adam", {"eps": 1e-300})),
    "adamw": (AdamW(), ("AdamW", {"weight_decay": 0.01})),
    "adamw strong": (AdamW(0.8, 0.9, 1e-6, 0.5), ("AdamW", {"betas": (0.8, 0.9), "eps": 1e-6, "weight_decay": 0.5})),
    "nadam": (Nadam(), ("NAdam", {})),
    "nadam decayed": (
        Nadam(0.8, 0.95, weight_decay=0.1),
        ("NAdam", {"betas": (0.8, 0.95), "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ),
}


def our_path(optimizer, rates, batch_size=64, stops=(), n_steps=100):
    net = Network(SPEC, "float64")
    start = net.parameters.copy()
    trainer = Trainer(net, "squared_error", optimizer, batch_size=batch_size)
    trainer.set_data(X, Y)
    if np.ndim(rates):
        for first, last in zip((0, *stops), (*stops, len(rates)), strict=True):
            trainer.epochs(last - first, rates[first:last], shuffle=False)
    else:
        trainer.epochs(n_steps, rates, shuffle=False)
    return start, net.parameters.copy()


def torch_path(start, name, settings, rates):
    torch = pytest.importorskip("torch", reason="PyTorch is in tools/requirements.txt")
    net = Network(SPEC, "float64")
    net.parameters[:] = start
    weights = [torch.nn.Parameter(torch.tensor(w.copy())) for w in net.weights]
    biases = [torch.nn.Parameter(torch.tensor(b.copy())) for b in net.biases]
    decays = settings.get("weight_decay", 0)
    groups = [{"params": weights}, {"params": biases, **({"weight_decay": 0.0} if decays else {})}]
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)  # NAdam keeps a product in this type
    optimizer = getattr(torch.optim, name)(groups, lr=1.0, **settings)
    for rate in rates:
        for group in optimizer.param_groups:
            group["lr"] = float(rate)
        optimizer.zero_grad()
        out = torch.tanh(torch.tensor(X) @ weights[0] + biases[0]) @ weights[1] + biases[1]
        (((out - torch.tensor(Y)) ** 2).sum(1).mean() / 2).backward()
        optimizer.step()
    torch.set_default_dtype(before)
    return np.concatenate([p.detach().numpy().ravel() for p in (*weights, *biases)])


@pytest.mark.parametrize("name", CASES)
def test_100_steps_are_pytorchs(name):
    ours, (theirs, settings) = CASES[name]
    rate = 0.001 if theirs == "RMSprop" else 0.02
    start, end = our_path(ours, rate)
    expected = torch_path(start, theirs, settings, [rate] * 100)
    assert np.abs(expected - start).max() > 0.05, "the path leads somewhere"
    np.testing.assert_allclose(end, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", [name for name in CASES if name not in ("momentum", "nesterov")])
def test_100_steps_with_varying_rates_are_pytorchs(name):
    ours, (theirs, settings) = CASES[name]
    rates = np.geomspace(0.02, 0.001, 100) * (0.1 if theirs == "RMSprop" else 1)
    start, end = our_path(ours, rates)
    np.testing.assert_allclose(end, torch_path(start, theirs, settings, rates), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_a_path_in_parts_is_the_same(name):
    rates = np.geomspace(0.02, 0.001, 100)
    whole, parts = our_path(CASES[name][0], rates), our_path(CASES[name][0], rates, stops=(1, 37, 90))
    assert np.array_equal(whole[1], parts[1])


@pytest.mark.parametrize("name", CASES)
def test_slot_values_depend_on_the_steps_number_only(name):
    optimizer, rates = CASES[name][0], np.geomspace(0.1, 0.01, 40_000)
    whole = optimizer.slot_values(rates, 0, 40_000)
    for first in (0, 1, 4000, 37_000, 39_000):  # the correction of Adam's bias ends after 37 412 steps
        part = optimizer.slot_values(rates[first : first + 1000], first, 1000)
        assert np.array_equal(whole[first : first + 1000], part)


def sgd_steps(o, rates, grad, w, decayed):
    """Sutskever et al. (2013): the velocity holds the rate."""
    v = np.zeros_like(w)
    for rate in rates:
        g = grad(w)
        v = o.momentum * v - rate * g
        w = w + (o.momentum * v - rate * g if o.nesterov else v)
    return w


def adagrad_steps(o, rates, grad, w, decayed):
    """Duchi et al. (2011)."""
    s = np.full_like(w, o.initial_accumulator)
    for i, rate in enumerate(rates):
        g = grad(w)
        s = s + g**2
        w = w - rate / (1 + i * o.rate_decay) * g / (np.sqrt(s) + o.epsilon)
    return w


def rmsprop_steps(o, rates, grad, w, decayed):
    """Tieleman and Hinton (2012)."""
    s, v = np.zeros_like(w), np.zeros_like(w)
    for rate in rates:
        g = grad(w)
        s = o.decay * s + (1 - o.decay) * g**2
        v = o.momentum * v + g / (np.sqrt(s) + o.epsilon)
        w = w - rate * v
    return w


def adam_steps(o, rates, grad, w, decayed):
    """Kingma and Ba (2015), in the order of its section 2, where epsilon comes before the correction."""
    m, v = np.zeros_like(w), np.zeros_like(w)
    for t, rate in enumerate(rates, 1):
        g = grad(w)
        m = o.beta_1 * m + (1 - o.beta_1) * g
        v = o.beta_2 * v + (1 - o.beta_2) * g**2
        w = w - rate * np.sqrt(1 - o.beta_2**t) / (1 - o.beta_1**t) * m / (np.sqrt(v) + o.epsilon)
    return w


def adamw_steps(o, rates, grad, w, decayed):
    """Loshchilov and Hutter (2019), algorithm 2."""
    m, v = np.zeros_like(w), np.zeros_like(w)
    for t, rate in enumerate(rates, 1):
        g = grad(w)
        m = o.beta_1 * m + (1 - o.beta_1) * g
        v = o.beta_2 * v + (1 - o.beta_2) * g**2
        step = m / (1 - o.beta_1**t) / (np.sqrt(v / (1 - o.beta_2**t)) + o.epsilon)
        w = w - rate * (step + o.weight_decay * decayed * w)
    return w


def nadam_steps(o, rates, grad, w, decayed):
    """Dozat (2016), with the momentum's schedule of its section 2."""
    m, v, product = np.zeros_like(w), np.zeros_like(w), 1.0
    for t, rate in enumerate(rates, 1):
        g = grad(w)
        mu, mu_next = (o.beta_1 * (1 - 0.5 * 0.96 ** (k * o.momentum_decay)) for k in (t, t + 1))
        product *= mu
        m = o.beta_1 * m + (1 - o.beta_1) * g
        v = o.beta_2 * v + (1 - o.beta_2) * g**2
        ahead = mu_next * m / (1 - product * mu_next) + (1 - mu) * g / (1 - product)
        step = ahead / (np.sqrt(v / (1 - o.beta_2**t)) + o.epsilon)
        w = w - rate * (step + o.weight_decay * decayed * w)
    return w


RULES = {
    **{SGD: sgd_steps, AdaGrad: adagrad_steps, RMSProp: rmsprop_steps},
    **{Adam: adam_steps, AdamW: adamw_steps, Nadam: nadam_steps},
}


def gradient(w):
    """Of half the mean squared error of tanh(X a + b) c + d, by hand."""
    a, c, b, d = np.split(w, [28, 42, 49])
    a, c = a.reshape(4, 7), c.reshape(7, 2)
    hidden = np.tanh(X @ a + b)
    error = (hidden @ c + d - Y) / len(X)
    inner = (error @ c.T) * (1 - hidden**2)
    return np.concatenate([(X.T @ inner).ravel(), (hidden.T @ error).ravel(), inner.sum(0), error.sum(0)])


@pytest.mark.parametrize("name", CASES)
def test_100_steps_with_varying_rates_are_the_published_rules(name):
    optimizer, rates = CASES[name][0], np.geomspace(0.02, 0.001, 100)
    start, end = our_path(optimizer, rates)
    decayed = (np.arange(start.size) < 42).astype(float)  # weights come first; biases do not decay
    expected = RULES[type(optimizer)](optimizer, rates, gradient, start, decayed)
    assert np.abs(expected - start).max() > 0.01, "the path leads somewhere"
    np.testing.assert_allclose(end, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_a_constant_rate_is_as_many_equal_rates(name):
    optimizer = CASES[name][0]
    for first_step in (0, 300, 100_000):
        one = optimizer.slot_values(0.1, first_step, 5)
        many = optimizer.slot_values(np.full(5, 0.1), first_step, 5)
        assert many.shape == (5, len(optimizer.slots))
        assert np.array_equal(np.broadcast_to(one, many.shape), many)


def test_names_give_the_documented_settings():
    assert {name: type(OPTIMIZERS.resolve(name)) for name in OPTIMIZERS} == OPTIMIZERS
    assert {name: OPTIMIZERS.resolve(name).weight_decay for name in OPTIMIZERS} == {
        **dict.fromkeys(OPTIMIZERS, 0.0),
        "adamw": 0.01,
    }
    assert OPTIMIZERS.create("nadam", momentum_decay=0.1) == Nadam(0.9, 0.999, 1e-8, 0.0, 0.1)
    assert OPTIMIZERS.create("adagrad") == AdaGrad(1e-10, 0.0, 0.0)
    assert OPTIMIZERS.create("rmsprop") == RMSProp(0.99, 0.0, 1e-8)


@pytest.mark.parametrize("optimizer", [Adam(), AdamW()])
def test_the_correction_of_the_bias_ends(optimizer):
    assert optimizer.slot_values(0.1, 0, 5).shape == (5, 3)
    assert np.array_equal(optimizer.slot_values(0.1, 37_500, 5), [0.1, 0, 1])


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_large_batches_take_the_same_steps(name, monkeypatch):
    optimizer = OPTIMIZERS.create(name, weight_decay=0.1)
    expected = our_path(optimizer, 0.01, n_steps=30)[1]  # later Nadam doubles differences with every step
    monkeypatch.setattr("rosenblatt.training.trainer.training_rows", lambda spec: 16)
    np.testing.assert_allclose(our_path(optimizer, 0.01, n_steps=30)[1], expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SGD(1.5), r"SGD: momentum is 1.5; it must be a number in \[0, 1\]"),
        (lambda: SGD(np.nan), "SGD: momentum is nan"),
        (lambda: SGD(nesterov="no"), "SGD: nesterov is 'no'; it must be True or False"),
        (lambda: SGD(nesterov=2), "SGD: nesterov is 2; it must be True or False"),
        (lambda: SGD(weight_decay=-1), "weight_decay is -1"),
        (lambda: RMSProp(decay=1), r"RMSProp: decay is 1; it must be a number in \[0, 1\)"),
        (lambda: AdaGrad(epsilon=0), r"AdaGrad: epsilon is 0; it must be a number in \(0, inf\)"),
        (lambda: Adam(beta_1=True), "beta_1 is True"),
        (lambda: Nadam(momentum_decay="x"), "momentum_decay is 'x'"),
        (lambda: OPTIMIZERS.create("adamm"), "did you mean 'adam"),
        (
            lambda: OPTIMIZERS.create("Adam"),
            r"optimizer is 'Adam'; did you mean 'adam'\? allowed: sgd, .*, or an instance",
        ),
        (lambda: OPTIMIZERS.resolve(Adam), r"optimizer is the class Adam; give an instance of it, such as Adam\(\)"),
        (lambda: OPTIMIZERS.resolve([]), r"optimizer is \[\]; allowed: sgd, adagrad"),
        (
            lambda: OPTIMIZERS.create("sgd", beta_1=0.1),
            "optimizer 'sgd' has no parameter beta_1; its parameters: momentum, nesterov",
        ),
    ],
)
def test_wrong_settings_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
