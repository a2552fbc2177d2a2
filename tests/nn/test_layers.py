"""Hand-built networks: every layer against PyTorch or NumPy, sharing, joining, freezing, names."""

import numpy as np
import pytest

from rosenblatt import nn
from rosenblatt.ir.compile import evaluate
from rosenblatt.ir.program import Builder
from rosenblatt.nn.program_builder import ProgramBuilder
from rosenblatt.training import Trainer

RNG = np.random.default_rng(0)
X = RNG.normal(size=(48, 5))
Y = RNG.normal(size=(48, 2))


def pair(build, torch_build, dtype="float64"):
    """Our network and PyTorch's, which gets the same parameters."""
    torch = pytest.importorskip("torch", reason="PyTorch is in tools/requirements.txt")
    torch.manual_seed(0)
    net = nn.Network(build(nn.input(5)), dtype)
    model = torch_build(torch).double()
    return torch, net, model


def set_linear(net, name, layer):
    layer.weight.data[:] = pytest.importorskip("torch").tensor(net[f"{name}.weights"].T.copy())
    layer.bias.data[:] = pytest.importorskip("torch").tensor(net[f"{name}.biases"])


def steps(net, torch, model, forward, n=20, rate=0.05):
    """Losses of both over some full-batch steps of plain gradient descent."""
    trainer = Trainer(net, "squared_error", nn.SGD(momentum=0.0), batch_size=48)
    trainer.set_data(X, Y)
    ours, theirs = [], []
    optimizer = torch.optim.SGD(model.parameters(), rate)
    for _ in range(n):
        ours.append(trainer.epoch(None, rate))
        optimizer.zero_grad()
        loss = ((forward(torch.tensor(X)) - torch.tensor(Y)) ** 2).sum(1).mean() / 2
        loss.backward()
        optimizer.step()
        theirs.append(loss.item() / 2)  # ours reports the mean over outputs
    return ours, theirs


@pytest.mark.long
def test_batch_normalization_is_pytorchs_in_training_and_in_prediction():
    def build(x):
        h = nn.Activate("relu")(nn.BatchNorm(0.8, name="bn")(nn.Dense(7, name="a")(x)))
        return nn.Dense(2, name="b")(h)

    torch, net, model = pair(
        build,
        lambda t: t.nn.Sequential(t.nn.Linear(5, 7), t.nn.BatchNorm1d(7, momentum=0.2), t.nn.ReLU(), t.nn.Linear(7, 2)),
    )
    set_linear(net, "a", model[0])
    set_linear(net, "b", model[3])
    ours, theirs = steps(net, torch, model, model)
    np.testing.assert_allclose(ours, theirs, rtol=1e-10)
    np.testing.assert_allclose(net["bn.mean"], model[1].running_mean.numpy(), rtol=1e-10)
    np.testing.assert_allclose(net["bn.variance"], model[1].running_var.numpy(), rtol=1e-10)
    model.eval()
    np.testing.assert_allclose(net.predict(X), model(torch.tensor(X)).detach().numpy(), rtol=1e-9)


def test_layer_normalization_residual_and_shared_layers_are_pytorchs():
    shared = nn.Dense(5, "tanh", name="shared")

    def build(x):
        h = x + shared(x)
        return nn.Dense(2, name="out")(nn.LayerNorm(name="norm")(shared(h) * h))

    torch, net, model = pair(
        build, lambda t: t.nn.ModuleList([t.nn.Linear(5, 5), t.nn.LayerNorm(5), t.nn.Linear(5, 2)])
    )
    set_linear(net, "shared", model[0])
    set_linear(net, "out", model[2])

    def forward(x):
        h = x + torch.tanh(model[0](x))
        return model[2](model[1](torch.tanh(model[0](h)) * h))

    ours, theirs = steps(net, torch, model, forward)
    np.testing.assert_allclose(ours, theirs, rtol=1e-10)
    np.testing.assert_allclose(net["norm.gain"], model[1].weight.detach().numpy(), rtol=1e-9)
    assert [p.name for p in net.graph.parameters].count("shared.weights") == 1


def test_embeddings_and_several_inputs_are_pytorchs():
    torch = pytest.importorskip("torch", reason="PyTorch is in tools/requirements.txt")
    codes = RNG.integers(0, 4, 48)
    numbers, city = nn.input(5, "numbers"), nn.codes(4, "city")
    joined = nn.Concat()(numbers, nn.Embedding(3, name="e")(city))
    net = nn.Network(nn.Dense(2, name="out")(joined), "float64")
    embedding, linear = torch.nn.Embedding(4, 3).double(), torch.nn.Linear(8, 2).double()
    embedding.weight.data[:] = torch.tensor(net["e.table"])
    set_linear(net, "out", linear)
    data = {"numbers": X, "city": codes}
    trainer = Trainer(net, "squared_error", nn.SGD(momentum=0.0), batch_size=48)
    trainer.set_data(data, Y)
    optimizer = torch.optim.SGD([*embedding.parameters(), *linear.parameters()], 0.1)
    for _ in range(10):
        trainer.epoch(None, 0.1)
        optimizer.zero_grad()
        out = linear(torch.cat([torch.tensor(X), embedding(torch.tensor(codes))], 1))
        (((out - torch.tensor(Y)) ** 2).sum(1).mean() / 2).backward()
        optimizer.step()
    np.testing.assert_allclose(net["e.table"], embedding.weight.detach().numpy(), rtol=1e-10)
    out = linear(torch.cat([torch.tensor(X), embedding(torch.tensor(codes))], 1)).detach().numpy()
    np.testing.assert_allclose(net.predict([X, codes]), out, rtol=1e-10)
    with pytest.raises(ValueError, match="the network has the inputs numbers, city; give X as a mapping"):
        net.predict(X)


def test_several_heads_learn_together():
    x = nn.input(5)
    h = nn.Dense(16, "tanh", name="body")(x)
    net = nn.Network({"number": nn.Dense(2)(h), "kind": nn.Dense(3)(h)}, "float64", output={"kind": "softmax"})
    kinds = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)
    target = {"number": X[:, :2] * 2, "kind": kinds}
    history = net.fit(X, target, epochs=200, learning_rate=0.02, batch_size=16, head_weights={"number": 0.5})
    assert history["loss"][-1] < 0.1 * history["loss"][0]
    out = net.predict(X)
    assert set(out) == {"number", "kind"}
    assert (out["kind"].argmax(1) == kinds).mean() > 0.95
    with pytest.raises(ValueError, match="the network has the heads number, kind; give y as a mapping"):
        net.fit(X, kinds)


def test_dropout_and_noise_depend_on_seed_and_step_only():
    def build(seed):
        x = nn.GaussianNoise(0.1)(nn.input(5))
        net = nn.Network(nn.Dense(2)(nn.Dropout(0.5)(nn.Dense(32, "relu")(x))), seed=3)
        return net.fit(X, Y, epochs=5, batch_size=16, seed=seed), net

    first, second, other = build(0), build(0), build(1)
    assert first[0]["loss"] == second[0]["loss"] != other[0]["loss"]
    assert np.array_equal(first[1].parameters, second[1].parameters)


@pytest.mark.parametrize("layer", [nn.Dropout(0.4), nn.AlphaDropout(0.4), nn.GaussianNoise(0.5)])
def test_dropout_keeps_the_mean_and_alpha_dropout_the_variance_too(layer):
    data = np.random.default_rng(1).normal(size=(4000, 50))
    graph = nn.Network(layer(nn.input(50))).graph
    work = ProgramBuilder(Builder("float64"), graph)
    program = work.b.build(**work.heads(training=True))
    found = evaluate(program, {"x": data}, 4000, seed=5)["prediction"]
    assert abs(found.mean()) < 0.01
    variance = {"Dropout": 1 / 0.6, "AlphaDropout": 1.0, "GaussianNoise": 1.25}[type(layer).__name__]
    assert found.var() == pytest.approx(variance, rel=0.02)
    if not isinstance(layer, nn.GaussianNoise):
        _, counts = np.unique(found.round(12), return_counts=True)
        assert counts.max() / found.size == pytest.approx(0.4, abs=0.01), "the share that was dropped"
    again = evaluate(program, {"x": data}, 4000, seed=5)["prediction"]
    other = evaluate(program, {"x": data}, 4000, seed=5, step=1)["prediction"]
    assert np.array_equal(found, again)
    assert not np.array_equal(found, other)


def test_networks_are_cut_reused_and_joined():
    x = nn.input(5)
    net = nn.Network(
        nn.Dense(2, name="out")(nn.Dense(8, "relu", name="h2")(nn.Dense(6, "relu", name="h1")(x))), "float64"
    )
    lower = net.truncate_at("h1")
    expected = np.maximum(X @ net["h1.weights"] + net["h1.biases"], 0)
    np.testing.assert_allclose(lower.predict(X), expected)
    new = nn.Network(nn.Dense(3, name="new")(lower(nn.input(5))), "float64", seed=9)
    assert np.array_equal(new["h1.weights"], net["h1.weights"])
    lower["h1.weights"][...] = 0  # copies, not views
    assert new["h1.weights"].any()
    twin = net.copy()
    both = nn.Network(nn.Concat()(net(nn.input(5, "a")), twin(nn.input(5, "b"))), "float64")
    assert both.predict({"a": X, "b": X}).shape == (48, 4)
    assert len(both.graph.parameters) == 6, "one network applied twice shares its layers"


def test_frozen_parameters_stay_and_their_outputs_can_be_cached():
    def build():
        x = nn.input(5)
        h = nn.Dense(8, "relu", name="h2")(nn.BatchNorm(name="bn")(nn.Dense(6, "relu", name="h1")(x)))
        return nn.Network(nn.Dense(2, name="out")(h), "float64", seed=4)

    plain, cached = build().freeze("h1", "bn"), build().freeze("h1", "bn")
    before = plain["h1.weights"].copy()
    options = {"epochs": 6, "batch_size": 16, "learning_rate": 0.01, "validation": (X[:20], Y[:20])}
    first = plain.fit(X, Y, **options)
    second = cached.fit(X, Y, cache_frozen=True, **options)
    assert np.array_equal(plain["h1.weights"], before)
    assert np.array_equal(plain["bn.mean"], np.zeros(6)), "a frozen normalization keeps its statistics"
    np.testing.assert_allclose(first["loss"], second["loss"], rtol=1e-12)
    np.testing.assert_allclose(plain["out.weights"], cached["out.weights"], rtol=1e-10)
    plain.unfreeze("h1.*").fit(X, Y, epochs=1)
    assert not np.array_equal(plain["h1.weights"], before)
    with pytest.raises(
        ValueError, match=r"'h9' matches no layer and no parameter\. The names are: 'h1', 'h1\.weights'"
    ):
        plain.freeze("h9")
    with pytest.raises(ValueError, match="all parameters of the network are frozen"):
        plain.freeze("*").fit(X, Y)


def test_a_step_cannot_be_learned_through_unless_what_is_before_it_is_frozen():
    net = nn.Network(nn.Dense(2)(nn.Dense(8, "step", name="gate")(nn.input(5))))
    assert set(np.unique(net.truncate_at("gate").predict(X))) <= {0.0, 1.0}
    with pytest.raises(ValueError, match="layer 'gate': the activation 'step' cannot learn by gradient descent"):
        net.fit(X, Y)
    with pytest.raises(ValueError, match="the perceptron rule; or freeze the layers up to this one"):
        net.fit(X, Y)
    net.freeze("gate").fit(X, Y, epochs=2)


def test_max_norm_bounds_each_neurons_weights():
    net = nn.Network(nn.Dense(2)(nn.Dense(8, "relu", name="h", max_norm=0.5)(nn.input(5))))
    net.fit(X, Y, epochs=20, learning_rate=0.1)
    norms = np.linalg.norm(net["h.weights"], axis=0)
    assert norms.max() <= 0.5 + 1e-6
    assert norms.max() > 0.45


def test_penalties_of_a_layer_are_those_of_the_formula():
    net = nn.Network(nn.Dense(2, name="o", l1=0.3, l2=0.7)(nn.input(5)), "float64")
    plain = nn.Network(nn.Dense(2, name="o")(nn.input(5)), "float64")
    losses = []
    for each in (net, plain):
        trainer = Trainer(each, "squared_error", None, per_batch=False)
        trainer.set_data(X, Y)
        losses.append(trainer.loss_and_gradient())
    w = net["o.weights"]
    assert losses[0][0] - losses[1][0] == pytest.approx(0.3 * np.abs(w).sum() + 0.35 * (w**2).sum())
    extra = (losses[0][1] - losses[1][1])[: w.size].reshape(w.shape)
    np.testing.assert_allclose(extra, 0.3 * np.sign(w) + 0.7 * w, rtol=1e-10)


def test_averages_of_weights_are_those_of_the_formula():
    net, plain = (nn.Network(nn.Dense(2, name="o")(nn.input(5)), "float64") for _ in range(2))
    average = plain.parameters.copy()
    for _ in range(12):
        plain.fit(X, Y, epochs=1, batch_size=48, optimizer=nn.SGD(0.0), learning_rate=0.1, shuffle=False)
        average = 0.8 * average + 0.2 * plain.parameters
    net.fit(X, Y, epochs=12, batch_size=48, optimizer=nn.SGD(0.0), learning_rate=0.1, shuffle=False, ema_decay=0.8)
    np.testing.assert_allclose(net.parameters, average, rtol=1e-10)


def test_hidden_weights_that_are_all_equal_are_refused():
    x = nn.input(5)
    with pytest.raises(ValueError, match=r"layer 'h': all weights of its 4 neurons would start equal .* stay equal"):
        nn.Network(nn.Dense(2)(nn.Dense(4, "relu", name="h", weights="zeros")(x)))
    forced = nn.Dense(4, "tanh", name="h", weights=nn.Constant(0.1, force=True))
    net = nn.Network(nn.Dense(1, weights=nn.Constant(0.3))(forced(x)), "float64")
    net.fit(X, Y[:, :1], epochs=5)
    assert np.ptp(net["h.weights"], axis=1).max() < 1e-12, "equal neurons stay equal"


def test_equal_neurons_are_told_apart_by_the_weights_behind_them():
    with pytest.raises(ValueError, match="Unless the weights behind them differ"):
        nn.Network(nn.Dense(1)(nn.Dense(4, "tanh", weights="zeros")(nn.input(5))))
    forced = nn.Dense(4, "tanh", name="h", weights=nn.Constant(0.1, force=True))
    net = nn.Network(nn.Dense(1)(forced(nn.input(5))), "float64")
    net.fit(X, Y[:, :1], epochs=5)
    assert np.ptp(net["h.weights"], axis=1).max() > 1e-3


def test_data_driven_weights_give_unit_variance_on_the_data():
    h = nn.Dense(9, "relu", name="a", weights="data_driven")(nn.input(5))
    net = nn.Network(nn.Dense(4, name="b", weights="data_driven")(h), "float64")
    net.initialize(0, X * 40 + 3)
    hidden = (X * 40 + 3) @ net["a.weights"]
    np.testing.assert_allclose(hidden.std(axis=0), 1, rtol=1e-9)
    np.testing.assert_allclose((np.maximum(hidden, 0) @ net["b.weights"]).std(axis=0), 1, rtol=1e-9)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda x: nn.Dense(0), "units is 0; it must be a positive integer"),
        (lambda x: nn.Dense(3, max_norm=-1, name="h"), r"Dense 'h': max_norm is -1; it must be a number in \[0, inf\)"),
        (lambda x: nn.Dropout(1.0), r"Dropout: rate is 1.0; it must be a number in \[0, 1\)"),
        (lambda x: nn.Dense(3)("x"), "takes nodes"),
        (lambda x: nn.Add()(x, nn.Dense(3)(x)), r"Add takes nodes of one width; given widths \[5, 3\]"),
        (lambda x: nn.Concat()(x), "Concat takes two nodes or more; 1 given"),
        (lambda x: nn.Embedding(3)(x), "Embedding takes one column of codes"),
        (lambda x: nn.Dense(3)(nn.codes(4, "c")), "takes dense values, but is given codes ones"),
        (lambda x: nn.Network({}), "at least one output"),
        (lambda x: nn.Network({"a": 3}), "head 'a' is 3; it must be a node"),
        (lambda x: nn.Network(nn.Dense(3)(x), output={"b": "softmax"}), "the heads are prediction"),
        (lambda x: nn.Network(x, output=nn.PReLU()), "output activation of head 'prediction' is prelu, which learns"),
        (lambda x: nn.Network(nn.Dense(3, name="y")(x)), "a layer is called 'y'"),
        (
            lambda x: nn.Network(nn.Dense(3)(x)).truncate_at("z"),
            r"no layer is called 'z'\. The layers are: 'x', 'dense'",
        ),
        (lambda x: nn.Network(nn.Dense(3)(x))["z"], "no parameter is called 'z'"),
        (lambda x: nn.Network(nn.Dense(3)(x)).fit(X, Y, epochs=0), "epochs is 0; it must be a positive integer"),
        (lambda x: nn.Network(nn.Dense(3)(x)).fit(X, Y, scorer=len), "scorer needs validation"),
        (
            lambda x: nn.Network(nn.Dense(2)(x)).fit(X, Y, head_weights={"a": 2.0}),
            "head_weights names a; the heads are",
        ),
        (
            lambda x: nn.Network(nn.Dense(3)(x)).fit(X, Y, ema_decay=1),
            r"ema_decay is 1; it must be a number in \[0, 1\)",
        ),
    ],
)
def test_mistakes_are_named(build, message):
    with pytest.raises((ValueError, TypeError, KeyError), match=message):
        build(nn.input(5))


def test_the_summary_of_a_graph_names_layers_and_arrays():
    x = nn.input(5)
    h = nn.BatchNorm(name="bn")(nn.Dense(4, "relu", name="h")(x))
    text = nn.Network(nn.Dense(2, name="out")(h + nn.Dense(4, name="skip")(x)), output="softmax").freeze("h").summary()
    for line in ("relu(dense(x))", "weights (frozen)", "mean (statistics)", "add(bn, skip)", "softmax(out)", "[m, 4]"):
        assert line in text


def test_lbfgs_reaches_the_minimum_of_least_squares():
    net = nn.Network(nn.Dense(2, name="o")(nn.input(5)))
    history = net.fit(X, Y, optimizer="lbfgs", epochs=200)
    expected, residual, *_ = np.linalg.lstsq(np.column_stack([X, np.ones(48)]), Y, rcond=None)
    np.testing.assert_allclose(net["o.weights"], expected[:-1], atol=1e-4)
    assert history["loss"][-1] == pytest.approx(residual.sum() / 48 / 2 / 2, rel=1e-6)
    half = nn.Network(nn.Dense(2, name="o")(nn.input(5)))
    half = half.fit(X, Y, optimizer="lbfgs", callbacks=[lambda epoch: epoch.number == 2])
    assert half["loss"] == history["loss"][:2]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ema_decay": 0.9}, "has no ema_decay"),
        ({"schedule": "cosine"}, "has no schedule"),
        ({"l1": 1.0}, "has no l1"),
    ],
)
def test_lbfgs_refuses_what_needs_steps(options, message):
    with pytest.raises(ValueError, match=message):
        nn.Network(nn.Dense(2)(nn.input(5))).fit(X, Y, optimizer="lbfgs", **options)
    with pytest.raises(ValueError, match=r"layer 'dropout' \(Dropout\) changes it from step to step"):
        nn.Network(nn.Dense(2)(nn.Dropout(0.1)(nn.input(5)))).fit(X, Y, optimizer="lbfgs")


def test_an_optimizers_class_is_no_optimizer():
    with pytest.raises(ValueError, match=r"optimizer is the class Adam; give an instance of it, such as Adam\(\)"):
        nn.Network(nn.Dense(2)(nn.input(5))).fit(X, Y, optimizer=nn.Adam)


def test_periodic_is_its_formula_and_its_gradient_pytorchs():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(7, 4)), rng.normal(size=(7, 12))
    net = nn.Network(nn.Periodic(2, n_frequencies=5, frequency_std=0.5, name="p")(nn.input(4)), "float64")
    names = ("frequencies", "phases", "mixture", "shifts")
    w, phase, mixture, shifts = (torch.tensor(np.array(net[f"p.{name}"]), requires_grad=True) for name in names)
    waves = torch.cos(torch.tensor(x)[:, None, :] * w + phase)
    units = torch.einsum("mkn,ukn->mun", waves, mixture) + shifts
    right = torch.cat([units.reshape(7, 8), torch.tensor(x)], dim=1)
    np.testing.assert_allclose(net.predict(x), right.detach().numpy(), rtol=1e-12)
    (0.5 * (right - torch.tensor(y)).square().sum(dim=1).mean()).backward()
    trainer = Trainer(net, "squared_error", per_batch=False)
    trainer.set_data(x, y)
    _, gradient = trainer.loss_and_gradient()
    expected = [p.grad.numpy().ravel() for p in (w, phase, mixture, shifts)]
    np.testing.assert_allclose(gradient, np.concatenate(expected), rtol=1e-9)


def test_scale_multiplies_columns_and_starts_at_one():
    x = np.random.default_rng(0).normal(size=(5, 3))
    net = nn.Network(nn.Scale(name="front")(nn.input(3)), "float64")
    assert np.array_equal(net.predict(x), x)
    net["front.gain"] = [1.0, 0.0, -2.0]
    np.testing.assert_allclose(net.predict(x), x * [1, 0, -2])
