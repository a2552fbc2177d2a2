"""Training on the native core: paths against PyTorch, blocks against one block, sources, interruption, threads."""

import signal
import threading
import time

import numpy as np
import pytest
import scipy.sparse

from rosenblatt import nn
from rosenblatt.ir.ops.random import philox
from rosenblatt.nn import SGD, Adam, Network, NetworkSpec
from rosenblatt.training import Trainer, fit

SPEC = NetworkSpec(6, (9, 4), 3, activation="tanh", output="softmax")
OPTIMIZERS = {"plain": SGD(momentum=0.0), "momentum": SGD(0.9, nesterov=False), "nesterov": SGD(0.9), "adam": Adam()}


def problem(n=70, n_in=6, n_out=3, dtype="float64", seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, n_in)).astype(dtype)
    return X, rng.integers(0, n_out, n).astype(np.int32)


def network(spec=SPEC, dtype="float64", seed=1):
    net = Network(spec, dtype)
    net.parameters[:] = np.random.default_rng(seed).normal(size=net.parameters.size) * 0.5
    return net


def train(net, X, y, optimizer, epochs=3, batch_size=16, rate=0.01, **options):
    weights, order = options.pop("sample_weight", None), options.pop("order", None)
    trainer = Trainer(
        net, "softmax_cross_entropy", optimizer, batch_size=batch_size, weighted=weights is not None, **options
    )
    trainer.set_data(X, y, weights)
    rng = np.random.default_rng(2)
    return [trainer.epoch(rng.permutation(len(y)) if order is None else order, rate) for _ in range(epochs)]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_path_of_parameters_is_pytorchs(name):
    torch = pytest.importorskip("torch", reason="PyTorch is in tools/requirements.txt")
    X, y = problem()
    ours, start = network(), network()
    losses = train(ours, X, y, OPTIMIZERS[name], epochs=25)

    layers = []
    for w, b in zip(start.weights, start.biases, strict=True):
        layer = torch.nn.Linear(*w.shape, dtype=torch.float64)
        layer.weight.data[:], layer.bias.data[:] = torch.tensor(w.T.copy()), torch.tensor(b)
        layers += [layer, torch.nn.Tanh()]
    model = torch.nn.Sequential(*layers[:-1])
    rule = {"adam": lambda p: torch.optim.Adam(p, 0.01, eps=1e-300)}.get(
        name, lambda p: torch.optim.SGD(p, 0.01, momentum=OPTIMIZERS[name].momentum, nesterov=name == "nesterov")
    )
    optimizer, rng, expected = rule(model.parameters()), np.random.default_rng(2), []
    if name == "adam":  # the two place epsilon differently; without it they are one formula
        ours = network()
        losses = train(ours, X, y, Adam(epsilon=1e-300), epochs=25)
    for _ in range(25):
        order, total = rng.permutation(len(y)), 0.0
        for first in range(0, len(y), 16):
            rows = order[first : first + 16]
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(torch.tensor(X[rows])), torch.tensor(y[rows]).long())
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
        expected.append(total / len(y))
    np.testing.assert_allclose(losses, expected, rtol=1e-10)
    for w, b, layer in zip(ours.weights, ours.biases, model[::2], strict=True):
        np.testing.assert_allclose(w, layer.weight.detach().numpy().T, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(b, layer.bias.detach().numpy(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("options", [{}, {"l2": 0.3}, {"l1": 0.1, "l2": 0.1}])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_batch_of_many_blocks_is_one_batch(options, weighted, monkeypatch):
    X, y = problem(3000)
    weights = np.random.default_rng(5).uniform(0.1, 2, 3000) if weighted else None
    spec = NetworkSpec(6, (8,), 3, output="softmax")
    small, large = network(spec), network(spec)
    blocks = train(large, X, y, Adam(), batch_size=2500, sample_weight=weights, **options)  # three blocks, then one
    monkeypatch.setattr("rosenblatt.training.trainer.training_rows", lambda spec: 2500)
    whole = network(spec)
    expected = train(whole, X, y, Adam(), batch_size=2500, sample_weight=weights, **options)
    np.testing.assert_allclose(blocks, expected, rtol=1e-12)
    np.testing.assert_allclose(large.parameters, whole.parameters, rtol=1e-9, atol=1e-12)
    monkeypatch.undo()
    direct = Trainer(small, "softmax_cross_entropy", None, weighted=weighted, **options)
    direct.set_data(X[:900], y[:900], None if weights is None else weights[:900])
    loss, gradient = direct.loss_and_gradient()
    half = Trainer(network(spec), "softmax_cross_entropy", SGD(0.0), batch_size=900, weighted=weighted, **options)
    before = half.network.parameters.copy()
    half.set_data(X[:900], y[:900], None if weights is None else weights[:900])
    assert half.epoch(None, 1.0) == pytest.approx(loss, rel=1e-12)
    np.testing.assert_allclose(before - half.network.parameters, gradient, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("l2", [0.0, 0.3])
def test_a_gradient_is_recomputed_each_time(l2):
    X, y = problem(2600)
    trainer = Trainer(network(), "softmax_cross_entropy", None, l2=l2)
    trainer.set_data(X, y)
    loss, gradient = trainer.loss_and_gradient()
    gradient = gradient.copy()
    again, repeated = trainer.loss_and_gradient()
    assert again == loss
    assert np.array_equal(repeated, gradient)


def test_penalties_are_those_of_the_formula():
    X, y = problem()
    w = network().parameters[: SPEC.n_weights]
    found = {}
    for name, penalty in {"none": {}, "l1": {"l1": 0.3}, "l2": {"l2": 0.3}}.items():
        trainer = Trainer(network(), "softmax_cross_entropy", None, **penalty)
        trainer.set_data(X, y)
        loss, gradient = trainer.loss_and_gradient()
        found[name] = loss, gradient.copy()
    for name, value, slope in (("l1", np.abs(w).sum(), np.sign(w)), ("l2", (w**2).sum() / 2, w)):
        assert found[name][0] - found["none"][0] == pytest.approx(0.3 * value / 70, rel=1e-10)
        difference = found[name][1] - found["none"][1]
        np.testing.assert_allclose(difference[: SPEC.n_weights], 0.3 * slope / 70, rtol=1e-9, atol=1e-14)
        assert not difference[SPEC.n_weights :].any()


def test_a_batch_without_weight_changes_nothing():
    X, y = problem(32)
    weights = np.repeat([0.0, 1.0], 16)
    found, expected = network(), network()
    losses = train(found, X, y, SGD(0.0), epochs=1, sample_weight=weights, order=np.arange(32))
    expected_losses = train(expected, X[16:], y[16:], SGD(0.0), epochs=1, order=np.arange(16))
    assert losses == [pytest.approx(expected_losses[0] / 2)]
    assert np.array_equal(found.parameters, expected.parameters)


def test_a_trainer_continues_where_another_was():
    X, y = problem()
    start = Trainer(network(), "softmax_cross_entropy", Adam(), batch_size=16)
    start.set_data(X, y)
    first = start.epochs(2, 0.01)
    other = Trainer(start.network, "softmax_cross_entropy", Adam(), batch_size=16)
    other.set_data(X, y)
    parameters = other.network.parameters.copy()
    other.continue_from(start)
    assert (other.step_count, other.epoch_count) == (10, 2)
    rest = other.epochs(2, 0.01)
    whole = Trainer(network(), "softmax_cross_entropy", Adam(), batch_size=16)
    whole.set_data(X, y)
    assert first + rest == whole.epochs(4, 0.01)
    assert not np.array_equal(parameters, other.network.parameters)


def test_the_gradient_over_blocks_is_the_mean_of_its_rows():
    X, y = problem(2600)
    spec = NetworkSpec(6, (8,), 3, output="softmax")
    gradients = []
    for rows in (slice(0, 2600), slice(0, 1300), slice(1300, 2600)):
        trainer = Trainer(network(spec), "softmax_cross_entropy", None)
        trainer.set_data(X[rows], y[rows])
        gradients.append(trainer.loss_and_gradient()[1].copy())
    np.testing.assert_allclose(gradients[0], (gradients[1] + gradients[2]) / 2, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("clip", [{"clip_value": 0.01}, {"clip_norm": 0.05}, {"clip_value": 0.02, "clip_norm": 0.03}])
@pytest.mark.parametrize("batch_size", [70, 1030])
def test_gradients_are_clipped_by_value_and_by_norm(clip, batch_size):
    X, y = problem(batch_size)
    plain = Trainer(network(), "softmax_cross_entropy", None)
    plain.set_data(X, y)
    expected = plain.loss_and_gradient()[1].copy()
    if "clip_value" in clip:
        expected = np.clip(expected, -clip["clip_value"], clip["clip_value"])
    if "clip_norm" in clip:
        assert np.linalg.norm(expected) > clip["clip_norm"]
        expected *= clip["clip_norm"] / np.linalg.norm(expected)
    trainer = Trainer(network(), "softmax_cross_entropy", SGD(0.0), batch_size=batch_size, **clip)
    before = trainer.network.parameters.copy()
    trainer.set_data(X, y)
    trainer.epoch(None, 1.0)
    np.testing.assert_allclose(before - trainer.network.parameters, expected, rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("layout", ["C", "F", "strided", "float32", "read-only"])
def test_rows_are_read_where_they_are(layout):
    X, y = problem()
    X = X.astype(np.float32).astype(np.float64)
    given = {
        "C": lambda: X,
        "F": lambda: np.asfortranarray(X),
        "strided": lambda: np.repeat(np.repeat(X, 2, axis=0), 3, axis=1)[::2, ::3],
        "float32": lambda: X.astype(np.float32),
        "read-only": lambda: np.frombuffer(X.tobytes()).reshape(X.shape),
    }[layout]()
    expected, found = network(), network()
    assert train(expected, X, y, Adam()) == train(found, given, y, Adam())
    assert np.array_equal(expected.parameters, found.parameters)
    assert np.array_equal(expected.predict(X), found.predict(given))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sparse_rows_train_like_dense_ones(dtype):
    X, y = problem(dtype=dtype)
    X[np.abs(X) < 0.8] = 0
    sparse_spec = NetworkSpec(6, (9, 4), 3, activation="tanh", output="softmax", sparse_input=True)
    dense, sparse = network(dtype=dtype), network(sparse_spec, dtype)
    tolerance = 1e-4 if dtype == "float32" else 1e-11
    a, b = train(dense, X, y, Adam()), train(sparse, scipy.sparse.csr_array(X), y, Adam())
    np.testing.assert_allclose(a, b, rtol=tolerance)
    np.testing.assert_allclose(dense.predict(X), sparse.predict(scipy.sparse.csr_array(X)), rtol=tolerance * 10)


def test_weights_of_rows_are_repetitions():
    X, y = problem(40)
    repeats = np.random.default_rng(0).integers(0, 4, 40)
    spec = NetworkSpec(6, (5,), 3, output="softmax")
    weighted = Trainer(network(spec), "softmax_cross_entropy", None, l2=0.1, weighted=True)
    weighted.set_data(X, y, repeats.astype(np.float64))
    repeated = Trainer(network(spec), "softmax_cross_entropy", None, l2=0.1)
    repeated.set_data(np.repeat(X, repeats, axis=0), np.repeat(y, repeats))
    (loss, gradient), (expected, expected_gradient) = weighted.loss_and_gradient(), repeated.loss_and_gradient()
    assert loss == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(gradient, expected_gradient, rtol=1e-10, atol=1e-14)


def shuffled(n, seed, epoch):
    """Fisher and Yates' shuffle with the words of the NumPy Philox: the order of one epoch."""
    blocks = np.zeros((n // 4 + 1, 4), np.uint64)
    blocks[:, 0], blocks[:, 2], blocks[:, 3] = np.arange(n // 4 + 1), epoch, 0xFFFFFFFF
    words = philox(blocks, (seed & 0xFFFFFFFF, seed >> 32)).reshape(-1)
    order = np.arange(n)
    for last, word in zip(range(n - 1, -1, -1), words, strict=False):
        other = int(word) * (last + 1) >> 32
        order[[last, other]] = order[[other, last]]
    return order


@pytest.mark.parametrize("seed", [0, 1, 2**40 + 17])
def test_an_epochs_order_depends_on_the_seed_and_its_number_only(seed):
    X, y = problem(101)
    one_by_one, at_once = (
        Trainer(network(), "softmax_cross_entropy", SGD(), batch_size=16, seed=seed) for _ in range(2)
    )
    one_by_one.set_data(X, y)
    at_once.set_data(X, y)
    orders = [shuffled(101, seed, epoch) for epoch in range(6)]
    assert all(sorted(order) == list(range(101)) for order in orders)
    expected = [one_by_one.epoch(order, 0.01) for order in orders]
    assert at_once.epochs(4, 0.01) + at_once.epochs(2, 0.01) == expected
    assert np.array_equal(one_by_one.network.parameters, at_once.network.parameters)
    assert at_once.step_count == 6 * 7


def test_training_is_repeatable_bit_by_bit():
    X, y = problem(dtype="float32")
    first, second = network(dtype="float32"), network(dtype="float32")
    assert train(first, X, y, Adam()) == train(second, X, y, Adam())
    assert np.array_equal(first.parameters, second.parameters)


def test_a_loss_that_is_not_finite_stops_within_a_step():
    X, y = problem(1000)
    net = network()
    trainer = Trainer(net, "softmax_cross_entropy", SGD(), batch_size=100)
    trainer.set_data(X, y)
    X[200] = np.nan  # the array is not copied
    with pytest.raises(ValueError, match="X contains NaN in row 200"):
        trainer.set_data(X, y)
    assert np.isnan(trainer.epoch(None, 0.01))
    assert trainer.step_count == 3


def test_codes_outside_the_classes_are_refused():
    X, y = problem()
    trainer = Trainer(network(), "softmax_cross_entropy", Adam(), batch_size=10)
    y[17] = 3
    with pytest.raises(
        ValueError, match=r"y contains 3 in row 17 \(from 0\); the network has 3 outputs, for the class numbers 0 to 2"
    ):
        trainer.set_data(X, y)


def test_an_order_that_names_unknown_rows_is_refused():
    X, y = problem()
    trainer = Trainer(network(), "softmax_cross_entropy", Adam(), batch_size=10)
    trainer.set_data(X, y)
    for row in (-1, 70):
        with pytest.raises(ValueError, match=f"the order holds row {row}; allowed: 0 to 69"):
            trainer.epoch(np.array([0, row]), 0.1)


def test_wrong_data_are_refused():
    X, y = problem()
    for batch_size in (0, -1):
        with pytest.raises(ValueError, match=f"batch_size is {batch_size}; it must be at least 1"):
            Trainer(network(), "softmax_cross_entropy", Adam(), batch_size=batch_size)
    trainer = Trainer(network(), "softmax_cross_entropy", Adam(), batch_size=10)
    with pytest.raises(ValueError, match="X has 69 rows, but y has 70"):
        trainer.set_data(X[:-1], y)
    with pytest.raises(ValueError, match="weighted=True"):
        trainer.set_data(X, y, np.ones(70))
    with pytest.raises(ValueError, match=r"X has shape \(70, 5\); this network takes \(n_rows, 6\)"):
        trainer.set_data(X[:, :5], y)


def test_broken_sparse_matrices_are_refused():
    spec = NetworkSpec(6, (), 3, output="softmax", sparse_input=True)
    X = scipy.sparse.csr_array(np.eye(6))
    X.indices[3] = 6
    with pytest.raises(ValueError, match="column index 6; allowed: 0 to 5"):
        network(spec).predict(X)
    X = scipy.sparse.csr_array(np.eye(6))
    X.indptr[2] = 5
    with pytest.raises(ValueError, match="row offsets of the sparse matrix must not decrease; they do at row 2"):
        network(spec).predict(X)


def test_ctrl_c_stops_within_a_fifth_of_a_second():
    n = 400_000
    X, y = problem(n, dtype="float32")
    net = network(dtype="float32")
    trainer = Trainer(net, "softmax_cross_entropy", Adam(), batch_size=8)
    trainer.set_data(X, y)
    trainer.epoch(np.arange(80), 1e-3)
    sent = []

    def interrupt():
        sent.append(time.perf_counter())
        signal.raise_signal(signal.SIGINT)

    timer = threading.Timer(0.05, interrupt)
    timer.start()

    def forever():
        until = time.perf_counter() + 60
        while time.perf_counter() < until:
            trainer.epoch(None, 1e-3)

    with pytest.raises(KeyboardInterrupt):
        forever()
    timer.join()
    assert time.perf_counter() - sent[0] < 2  # a second and more of slack for a busy machine
    assert np.isfinite(net.parameters).all()
    trainer.epoch(np.arange(80), 1e-3)  # training continues


def test_the_steps_before_an_interrupt_are_counted():
    X, y = problem(80, dtype="float32")
    trainer = Trainer(network(dtype="float32"), "softmax_cross_entropy", SGD(), batch_size=8)
    trainer.set_data(X, y)
    trainer.epoch(None, 1e-3)
    order = np.resize(np.arange(80), 10_000_000)  # 1,250,000 steps would take seconds
    timer = threading.Timer(0.1, lambda: signal.raise_signal(signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        trainer.epoch(order, 1e-3)
    timer.join()
    assert 10 < trainer.step_count < 1_250_010


def test_ctrl_c_stops_within_a_batch_of_many_blocks():
    X = np.broadcast_to(np.float32(0.5), (4_000_000, 40))
    net = network(NetworkSpec(40, (100,), 3, output="softmax"), "float32")
    trainer = Trainer(net, "softmax_cross_entropy", Adam(), batch_size=None)  # one step would take seconds
    trainer.set_data(X, np.zeros(len(X), np.int32))
    before = trainer.memory[: 3 * net.parameters.nbytes].copy()
    sent = []

    def interrupt():
        sent.append(time.perf_counter())
        signal.raise_signal(signal.SIGINT)

    timer = threading.Timer(0.05, interrupt)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        trainer.epoch(None, 1e-3)
    timer.join()
    assert time.perf_counter() - sent[0] < 0.5
    assert trainer.step_count == 0
    assert np.array_equal(trainer.memory[: len(before)], before)


def test_many_threads_train_and_predict_at_once():
    X, y = problem(600, dtype="float32")
    expected = network(dtype="float32")
    losses = train(expected, X, y, Adam(), epochs=5)
    found, errors = {}, []

    def work(i):
        try:
            net = network(dtype="float32")
            found[i] = (train(net, X, y, Adam(), epochs=5), net.parameters.copy(), expected.predict(X))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    for found_losses, parameters, predictions in found.values():
        assert found_losses == losses
        assert np.array_equal(parameters, expected.parameters)
        assert np.array_equal(predictions, expected.predict(X))


def test_a_session_refuses_a_second_thread():
    X, y = problem(20_000, dtype="float32")
    trainer = Trainer(network(dtype="float32"), "softmax_cross_entropy", Adam(), batch_size=8)
    trainer.set_data(X, y)
    messages = []

    def work():
        for _ in range(50):
            try:
                trainer.epoch(None, 1e-3)
            except RuntimeError as error:
                messages.append(str(error))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert messages
    assert all("running in another thread" in message for message in messages)


def test_none_is_no_source():
    trainer = Trainer(network(), "softmax_cross_entropy", SGD(), batch_size=10)
    with pytest.raises(TypeError, match="sources must be a list of Source objects"):
        trainer._session.train(trainer.memory, [None, None], 10, None, 10, np.zeros(2))


@pytest.mark.parametrize("batch_size", [16, 600])
def test_rates_and_decays_of_single_parameters_are_pytorchs_groups(batch_size):
    """Weights decay by 1 - rate * factor * decay as AdamW does in a group of its own; blocks or one block."""
    torch = pytest.importorskip("torch")
    X, y = problem(n=1200 if batch_size == 600 else 70)
    net = network()
    start = {name: np.array(value) for name, value in net.named_parameters()}
    rates = {"*.biases": 0.1, "hidden1.weights": 3.0}
    decays = {"*.biases": 0.5, "hidden1": 2.0, "output.weights": 0.0}
    theirs = {name: torch.tensor(value, requires_grad=True) for name, value in start.items()}
    decay = {"hidden1.weights": 2.0, "hidden1.biases": 2.0, "output.biases": 0.5}
    groups = [
        {"params": [p], "lr": 0.01 * (0.1 if name.endswith("biases") else 3.0 if name == "hidden1.weights" else 1.0)}
        for name, p in theirs.items()
    ]
    optimizer = torch.optim.Adam(groups, eps=0.0)
    orders = []
    train(
        net,
        X,
        y,
        Adam(epsilon=1e-300, weight_decay=0.3),
        1,
        batch_size,
        learning_rate_factors=rates,
        weight_decay_factors=decays,
    )
    rng = np.random.default_rng(2)
    orders.append(rng.permutation(len(y)))
    for rows in np.array_split(orders[0], range(batch_size, len(y), batch_size)):
        h = torch.tensor(X[rows])
        layers = sorted({name.split(".")[0] for name in start})
        for layer in layers[:-1]:
            h = torch.tanh(h @ theirs[f"{layer}.weights"] + theirs[f"{layer}.biases"])
        z = h @ theirs[f"{layers[-1]}.weights"] + theirs[f"{layers[-1]}.biases"]
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(z, torch.tensor(y[rows]).long()).backward()
        with torch.no_grad():
            for name, p in theirs.items():
                factor = decay.get(name, 0.0 if name == "output.weights" else 0.5 if name.endswith("biases") else 1.0)
                p *= 1 - 0.01 * 0.3 * factor
        optimizer.step()
    for name, value in net.named_parameters():
        np.testing.assert_allclose(value, theirs[name].detach().numpy(), rtol=1e-9, atol=1e-11, err_msg=name)


def test_an_unknown_name_among_rates_is_refused():
    with pytest.raises(ValueError, match="'hiden' matches no layer"):
        Trainer(network(), "softmax_cross_entropy", Adam(), learning_rate_factors={"hiden": 2.0})


def test_fading_scales_decay_and_dropout_step_by_step():
    X, y = problem()
    x = nn.input(6)
    plain = nn.Network(nn.Dense(3)(nn.Dense(9, "tanh")(x)), "float64", output="softmax")
    noisy = nn.Network(nn.Dense(3)(nn.Dropout(0.5)(nn.Dense(9, "tanh")(x))), "float64", output="softmax")
    options = {"batch_size": 10, "anneal_regularization": True, "seed": 3}
    ends = {}
    for label, net, decay, strength in (
        ("none", plain.copy(), 0.0, 0.0),
        ("faded", noisy.copy(), 0.7, 0.0),
        ("half", plain.copy(), 0.8, 0.5),
        ("weak", plain.copy(), 0.4, 1.0),
        ("late", noisy.copy(), 0.0, np.repeat([0.0, 1.0], [6, 1])),
    ):
        trainer = Trainer(net, "softmax_cross_entropy", Adam(weight_decay=decay), **options)
        trainer.set_data(X, y)
        trainer.epochs(1, 0.01, regularization=strength)
        ends[label] = np.array(net.parameters)
    assert np.array_equal(ends["none"], ends["faded"]), "without strength neither masks nor decay do anything"
    np.testing.assert_allclose(ends["half"], ends["weak"], rtol=1e-12)
    assert not np.array_equal(ends["none"], ends["half"])
    assert not np.array_equal(ends["none"], ends["late"]), "only the last step dropped something"


def test_fit_fades_along_half_a_cosine():
    X, y = problem()
    net, by_hand = (nn.Network(nn.Dense(3)(nn.input(6)), "float64", output="softmax") for _ in range(2))
    fit(net, X, y, optimizer=Adam(weight_decay=0.5), epochs=4, batch_size=35, anneal_regularization=True, shuffle=False)
    trainer = Trainer(
        by_hand,
        "softmax_cross_entropy",
        Adam(weight_decay=0.5),
        batch_size=35,
        per_batch=False,
        anneal_regularization=True,
    )
    trainer.set_data(X, y)
    t = np.arange(8) / 8
    strength = [1, 1, 1, 1, *(0.5 + 0.5 * np.cos(np.pi * (2 * t[4:] - 1)))]
    trainer.epochs(4, 1e-3, regularization=np.array(strength), shuffle=False)
    np.testing.assert_allclose(net.parameters, by_hand.parameters, rtol=1e-13)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_epochs": 2**70}, "n_epochs is .* must be an integer"),
        ({"n_epochs": 0}, "n_epochs is 0; it must be an integer"),
        ({"n_epochs": 1.5}, "n_epochs is 1.5; it must be an integer"),
        ({"max_steps": 2**70}, "max_steps is"),
        ({"max_steps": 1.5}, "max_steps is"),
        ({"max_seconds": "x"}, "max_seconds is 'x'"),
        ({"orders": [[0, 1]]}, "orders must be an array of int64"),
        ({"orders": np.zeros(8, np.int64)}, "orders must be an array of int64"),
        ({"orders": np.zeros((1, 8))}, "orders must be an array of int64"),
    ],
)
def test_the_native_core_meets_checked_numbers_only(arguments, message):
    trainer = Trainer(network(), "softmax_cross_entropy", SGD(), batch_size=10)
    X, y = problem(n=40)
    trainer.set_data(X, y)
    with pytest.raises(ValueError, match=message):
        trainer.epochs(**{"n_epochs": 1, "learning_rate": 1e-3, **arguments})


@pytest.mark.parametrize("batch_size", [0, 1.5, "x", True])
def test_batch_sizes_are_checked(batch_size):
    with pytest.raises(ValueError, match=r"batch_size is .*; it must be at least 1, or None for all rows"):
        Trainer(network(), "softmax_cross_entropy", SGD(), batch_size=batch_size)
