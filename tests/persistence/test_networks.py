# ruff: noqa: E501 (one case per line)
"""Networks as plain data: whatever graph is stored comes back with the same names, the same arrays, the same bits."""

from __future__ import annotations

import itertools
import json
import pickle
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from rosenblatt import nn
from rosenblatt.nn.activations import ACTIVATIONS, OUTPUTS
from rosenblatt.persistence.networks import network_from_state, network_to_state
from rosenblatt.persistence.save_load import ModelFileError, load, model_from_bytes, save
from rosenblatt.storage.container import pack

ACTIVATE = st.one_of(
    st.sampled_from([name for name in ACTIVATIONS if name != "step"]),
    st.sampled_from(
        [nn.LeakyReLU(0.3), nn.PReLU(0.1), nn.GELU("tanh"), nn.Step(), ACTIVATIONS["relu"], OUTPUTS["softmax"]]
    ),
)
DRAW = st.sampled_from(["auto", "orthogonal", nn.Normal(0.5), nn.DataDriven(nn.HeUniform()), nn.TruncatedNormal(0.2)])
BIASES = st.sampled_from(["zeros", None, nn.Constant(0.25)])
NAMES = st.sampled_from([None, None, "h", "a b", "é.1", "weights.x", "dense"])
WIDTHS = st.integers(1, 5)


@st.composite
def layers(draw: Any) -> nn.Layer:
    """A layer that takes one dense node."""
    name = draw(NAMES)
    return draw(
        st.sampled_from(
            [
                nn.Dense(
                    draw(WIDTHS), draw(ACTIVATE), weights=draw(DRAW), biases=draw(BIASES), l2=0.5, max_norm=3, name=name
                ),
                nn.Dense(draw(WIDTHS), draw(ACTIVATE), name=name),
                nn.Activate(draw(ACTIVATE), name=name),
                nn.Dropout(0.25, name=name),
                nn.AlphaDropout(0.1, name=name),
                nn.GaussianNoise(0.5, name=name),
                nn.BatchNorm(0.8, 1e-3, name=name),
                nn.LayerNorm(name=name),
                nn.Scale(name=name),
                nn.Periodic(2, n_frequencies=3, name=name),
            ]
        )
    )


@st.composite
def networks(draw: Any) -> nn.Network:
    """Any graph: several inputs of all kinds, shared layers, branches that meet, several heads."""
    nodes = [draw(first_layer(i)) for i in range(draw(st.integers(1, 3)))]
    used: list[tuple[nn.Layer, int]] = []
    for _ in range(draw(st.integers(0, 8))):
        node = draw(st.sampled_from(nodes))
        same = [other for other in nodes if other.width == node.width]
        fitting = [layer for layer, width in used if width == node.width]
        kind = draw(st.sampled_from(["layer", "layer", "shared", "concat", "add", "multiply"]))
        if kind == "shared" and fitting:
            nodes.append(draw(st.sampled_from(fitting))(node))
        elif kind == "concat":
            nodes.append(nn.Concat(name=draw(NAMES))(node, draw(st.sampled_from(nodes))))
        elif kind in ("add", "multiply"):
            combine = nn.Add() if kind == "add" else nn.Multiply(name=draw(NAMES))
            nodes.append(combine(node, draw(st.sampled_from(same)), node))
        else:
            used.append((draw(layers()), node.width))
            nodes.append(used[-1][0](node))
    chosen = draw(st.lists(st.sampled_from(nodes), min_size=1, max_size=3, unique=True))
    outputs = {f"out{i}": draw(st.sampled_from([*OUTPUTS, nn.Step(), ACTIVATIONS["tanh"]])) for i in range(len(chosen))}
    heads = dict(zip(outputs, chosen, strict=True))
    network = nn.Network(heads, draw(st.sampled_from(["float32", "float64"])), output=outputs, seed=None)
    fill(network, draw(st.integers(0, 99)))
    names = [p.name for p in network.graph.parameters]
    network.frozen = frozenset(draw(st.sets(st.sampled_from(names)))) if names else frozenset()
    return network


@st.composite
def first_layer(draw: Any, i: int) -> nn.Node:
    """An input, and what makes dense values of it."""
    kind, width = draw(st.sampled_from(["dense", "sparse", "codes"])), draw(WIDTHS)
    if kind == "codes":
        return nn.Embedding(draw(WIDTHS), weights=draw(DRAW), name=draw(NAMES))(nn.codes(width, f"in{i}"))
    if kind == "sparse":
        return nn.Dense(draw(WIDTHS), name=draw(NAMES))(
            nn.input(width, draw(st.sampled_from(["x", "in"])), sparse=True)
        )
    return nn.input(width, draw(st.sampled_from(["x", f"in{i}"])))


@st.composite
def chains(draw: Any) -> nn.Network:
    """A `NetworkSpec` with everything for each layer, or one for all."""
    n = draw(st.integers(0, 3))

    def each(values: Any, count: int = n) -> Any:
        return draw(st.one_of(values, st.tuples(*[values] * count)))

    sparse = draw(st.booleans())
    spec = nn.NetworkSpec(
        draw(WIDTHS),
        tuple(draw(st.lists(WIDTHS, min_size=n, max_size=n))),
        draw(WIDTHS),
        activation=each(ACTIVATE),
        output=draw(st.sampled_from(list(OUTPUTS))),
        sparse_input=sparse,
        dropout=each(st.sampled_from([0.0, 0.5])),
        input_dropout=0.0 if sparse else 0.1,
        alpha_dropout=draw(st.booleans()),
        input_noise=0.0 if sparse else draw(st.sampled_from([0.0, 0.5])),
        normalization=each(st.sampled_from([None, "batch", "layer"])),
        norm_momentum=0.75,
        weights=each(st.one_of(st.none(), DRAW), n + 1),
        biases=each(st.sampled_from([None, "zeros", nn.Normal(0.1)]), n + 1),
        max_norm=each(st.sampled_from([0, 2.5])),
    )
    network = nn.Network(spec, draw(st.sampled_from(["float32", "float64"])), seed=None)
    fill(network, draw(st.integers(0, 99)))
    return network


def fill(network: nn.Network, seed: int) -> None:
    """Numbers that tell every element from every other; variances positive."""
    rng = np.random.default_rng(seed)
    for name, array in network.named_parameters():
        array[...] = rng.uniform(0.1, 2, array.shape) if name.endswith(".variance") else rng.normal(size=array.shape)


def rows(network: nn.Network, n: int = 7) -> dict[str, Any]:
    """Data for every input."""
    rng, data = np.random.default_rng(1), {}
    for name, node in zip(network.graph.input_names, network.graph.inputs, strict=True):
        table = rng.normal(size=(n, node.width)).astype(network.dtype)
        if node.kind == "codes":
            data[name] = rng.integers(0, node.width, n)
        else:
            data[name] = sp.csr_matrix(table * (table > 0)) if node.kind == "sparse" else table
    return data


def outputs(network: nn.Network) -> dict[str, Any]:
    """Predictions by head, as bytes: NaN equals NaN."""
    with np.errstate(all="ignore"):
        found = network.predict(rows(network))
    return {head: array.tobytes() for head, array in (found if isinstance(found, dict) else {"": found}).items()}


def assert_same(again: nn.Network, network: nn.Network) -> None:
    """Names, arrays, bits of predictions, summary, and the state itself."""
    assert [name for name, _ in again.named_parameters()] == [name for name, _ in network.named_parameters()]
    assert list(again.graph.layers) == list(network.graph.layers)
    assert again.graph.input_names == network.graph.input_names
    assert again.dtype == network.dtype
    assert again.frozen == network.frozen
    for (_, ours), (_, theirs) in zip(again.named_parameters(), network.named_parameters(), strict=True):
        assert ours.tobytes() == theirs.tobytes()
        assert not np.shares_memory(ours, theirs)
    assert outputs(again) == outputs(network)
    assert again.summary() == network.summary()
    assert repr(again) == repr(network)
    assert network_to_state(again)[0] == network_to_state(network)[0]


@settings(max_examples=60, deadline=None)
@given(networks())
def test_any_graph_comes_back_the_same(network: nn.Network) -> None:
    assert_same(model_from_bytes(pack("network", *network_to_state(network))), network)


@settings(max_examples=40, deadline=None)
@given(chains())
def test_any_chain_comes_back_the_same(network: nn.Network) -> None:
    again = model_from_bytes(pack("network", *network_to_state(network)))
    assert again.spec == network.spec
    assert_same(again, network)


def two_inputs() -> nn.Network:
    """Shared layers, statistics, a learned activation, two heads; trained, partly frozen."""
    numbers, colour, words = nn.input(4, "numbers"), nn.codes(3, "colour"), nn.input(6, "words", sparse=True)
    shared = nn.Dense(5, nn.PReLU(), name="shared")
    h = nn.Concat()(numbers, nn.Embedding(2)(colour), nn.Dense(2, name="words_in")(words))
    h = nn.BatchNorm(name="bn")(nn.Dense(5, "tanh")(h))
    h = shared(h) + nn.Dropout(0.2)(shared(nn.LayerNorm()(h)))
    heads = {"price": nn.Dense(1)(h), "kind": nn.Dense(3, name="kind")(h)}
    network = nn.Network(heads, output={"price": "softplus", "kind": "softmax"}, seed=3)
    X = rows(network, 40)
    y = {"price": np.arange(40.0)[:, None] / 20, "kind": np.arange(40) % 3}
    network.freeze("embedding", "shared.alpha").fit(
        X, y, loss={"price": "squared_error", "kind": "softmax_cross_entropy"}, epochs=3
    )
    return network


def test_a_trained_network_comes_back_from_a_file_and_trains_on(tmp_path: Any) -> None:
    network = two_inputs()
    save(network, tmp_path / "net.safetensors")
    again = load(tmp_path / "net.safetensors")
    assert_same(again, network)
    assert np.any(again["bn.mean"] != 0)
    assert again.frozen == {"embedding.table", "shared.alpha"}
    X, y = rows(network, 40), {"price": np.ones((40, 1)), "kind": np.zeros(40, int)}
    losses = {"price": "squared_error", "kind": "softmax_cross_entropy"}
    histories = [net.fit(X, y, loss=losses, epochs=4, seed=5) for net in (network, again)]
    assert histories[0]["loss"] == histories[1]["loss"]
    assert_same(again, network)


def test_layers_that_are_shared_stay_shared() -> None:
    network = two_inputs()
    again = network_from_state(*network_to_state(network))
    nodes = [node for node in again.graph.nodes if again.graph.names[node] == "shared"]
    assert len(nodes) == 2
    assert nodes[0].layer is nodes[1].layer


def test_parts_of_other_networks_are_stored_with_their_present_parameters() -> None:
    part = nn.Network(nn.Dense(3, "relu", name="part")(nn.input(4)), seed=1)
    whole = nn.Network(nn.Dense(2, name="head")(part(nn.input(4))), seed=2)
    again = network_from_state(*network_to_state(whole))
    assert_same(again, whole)
    assert all(node.origin is None for node in again.graph.nodes)


def test_other_libraries_find_the_arrays_by_name(tmp_path: Any) -> None:
    from safetensors.numpy import load_file

    network = two_inputs()
    save(network, tmp_path / "net.safetensors")
    tensors = load_file(tmp_path / "net.safetensors")
    assert set(tensors) == {name for name, _ in network.named_parameters()}
    np.testing.assert_array_equal(tensors["bn.variance"], network["bn.variance"])


def test_a_network_of_thresholds_can_be_stored_and_summed_up() -> None:
    network = nn.Network(nn.Dense(1, "step")(nn.Dense(2, "step")(nn.input(2))), output="step")
    assert "Adam step" not in network.summary()
    assert_same(network_from_state(*network_to_state(network)), network)


@settings(max_examples=10, deadline=None)
@given(networks())
def test_networks_of_layers_of_the_library_can_be_pickled(network: nn.Network) -> None:
    again = pickle.loads(pickle.dumps(network))
    assert outputs(again) == outputs(network)
    assert network_to_state(again)[0] == network_to_state(network)[0]


def test_the_state_is_json() -> None:
    state, arrays = network_to_state(two_inputs())
    assert_same(network_from_state(json.loads(json.dumps(state)), arrays), two_inputs())


class Mine(nn.Dense):
    """A layer of the user's own."""


CALLS = itertools.count()


def own(b: Any, *values: Any) -> Any:
    """An activation of the user's own whose ops depend on more than its operands."""
    return values[0] * next(CALLS)


X4 = nn.input(4)
REFUSED = {
    "function as layer": (lambda: nn.Apply(own, name="f")(X4), r"function of layer 'f' is a function, own, that cannot be stored as ops: own appends other ops .*holds no code"),
    "own layer": (lambda: Mine(2, name="m")(X4), r"layer 'm' is a Mine, a class of your own, .*holds no code"),
    "own activation": (lambda: nn.Dense(2, own, name="h")(X4), r"activation of layer 'h' is a function, own, that cannot"),
    "own initializer": (lambda: nn.Dense(2, weights=lambda r, s: np.ones(s) * r.random(), name="h")(X4), r"weights of layer 'h' is a function"),
    "own lone activation": (lambda: nn.Activate(own)(X4), r"activation of layer 'activate' is a function"),
    "too wide": (lambda: nn.Dropout(0.5, name="d")(nn.input(1 << 25)), r"the layers and heads have 100663296 columns together; the most for this file is 2097152"),
}  # fmt: skip


@pytest.mark.parametrize(("build", "message"), REFUSED.values(), ids=REFUSED)
def test_what_a_file_cannot_hold_is_refused_by_name(build: Any, message: str, tmp_path: Any) -> None:
    with pytest.raises(ModelFileError, match=message):
        save(nn.Network(build()), tmp_path / "m")
    assert list(tmp_path.iterdir()) == []


def test_an_output_of_the_users_own_is_refused() -> None:
    with pytest.raises(ModelFileError, match=r"the output activation of head 'prediction' is a function"):
        network_to_state(nn.Network(X4, output=own))
    with pytest.raises(ModelFileError, match=r"activation of layer 'hidden1' is a function, own"):
        network_to_state(nn.Network(nn.NetworkSpec(4, (3,), 2, activation=own)))


def test_a_network_with_nan_is_not_saved(tmp_path: Any) -> None:
    network = two_inputs()
    network["bn.mean"][1] = np.nan
    with pytest.raises(ModelFileError, match=r"holds NaN or infinity in bn\.mean"):
        save(network, tmp_path / "m")
    assert list(tmp_path.iterdir()) == []
