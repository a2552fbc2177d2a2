# ruff: noqa: E501 (one case per line)
"""Files of networks that are damaged, cut off or forged: refused, or the same network; never code, never a giant."""

from __future__ import annotations

import copy
import json
import tracemalloc
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from rosenblatt import nn
from rosenblatt.persistence.networks import network_from_state, network_to_state
from rosenblatt.persistence.save_load import ModelFileError, load, model_from_bytes, save
from rosenblatt.storage.container import FORMAT_VERSION, digest, pack, unpack

ROWS = {
    "numbers": np.ones((3, 2), "f4"),
    "colour": np.array([0, 1, 1]),
    "words": sp.csr_matrix(np.eye(3, 2, dtype="f4")),
}


def small() -> nn.Network:
    """A bit of everything, in a few kilobytes."""
    numbers, colour, words = nn.input(2, "numbers"), nn.codes(2, "colour"), nn.input(2, "words", sparse=True)
    shared = nn.Dense(2, nn.PReLU(), weights=nn.Normal(0.5), name="shared")
    h = shared(nn.Concat()(numbers, nn.Embedding(1)(colour), nn.Dense(1, biases=None)(words)))
    h = nn.BatchNorm(name="bn")(h) * shared(nn.Concat()(h, h))
    return nn.Network({"a": h, "b": nn.Dense(2)(h)}, output={"a": "tanh", "b": "softmax"}, seed=1).freeze("bn")


def predictions(network: nn.Network) -> dict[str, bytes]:
    return {head: array.tobytes() for head, array in network.predict(ROWS).items()}


DATA = pack("network", *network_to_state(small()))
EXPECTED = predictions(small())


def refuses(data: bytes) -> bool:
    """Whether the bytes are refused; bytes that are not refused must be the same network."""
    try:
        network = model_from_bytes(data)
    except ModelFileError:
        return True
    assert predictions(network) == EXPECTED
    return False


def test_every_flipped_byte_is_noticed() -> None:
    header = 8 + int.from_bytes(DATA[:8], "little")
    harmless = 0
    for place in range(len(DATA)):
        for mask in (0x01, 0x20, 0xFF):
            refused = refuses(DATA[:place] + bytes([DATA[place] ^ mask]) + DATA[place + 1 :])
            harmless += not refused
            assert refused or place < header, f"byte {place}"
    assert harmless < 60  # blanks that pad the header


def test_every_shortened_file_is_refused() -> None:
    assert all(refuses(DATA[:length]) for length in range(len(DATA)))


def test_random_damage_is_refused() -> None:
    rng = np.random.default_rng(0)
    for _ in range(500):
        damaged = bytearray(DATA)
        start, length = rng.integers(len(DATA)), rng.integers(1, 200)
        damaged[start : start + length] = rng.bytes(length) if rng.random() < 0.5 else damaged[: rng.integers(1, 100)]
        refuses(bytes(damaged))


JUNK: list[Any] = [None, True, 0, 1, -1, 2**70, 0.5, "", "relu", "x\0\ud800", [], [0], [[]], {}, {"float": "nan"}]
JUNK += [{"tuple": [1]}, {"dict": [[1, 2]]}, {"activation": {"name": "prelu", "parameters": {"alpha": 0.5}}}]
JUNK += [{"initializer": {"name": "zeros", "parameters": {}}}, {"optimizer": {"name": "sgd", "parameters": {}}}]


def places(state: Any) -> list[tuple[Any, Any]]:
    """Every place in a nested state, as (container, key)."""
    keys = list(state) if isinstance(state, dict) else range(len(state)) if isinstance(state, list) else []
    return [place for key in keys for place in [(state, key), *places(state[key])]]


def chain() -> nn.Network:
    """A chain with entries for each layer."""
    spec = nn.NetworkSpec(2, (2, 2), 1, ("relu", nn.PReLU()), dropout=(0.1, 0.0), normalization=("batch", None))
    return nn.Network(spec)


def made_of_ops() -> nn.Network:
    """A layer and an activation that are recorded, with learned arrays."""

    def gate(b: Any, x: Any, weights: Any) -> Any:
        return b.tanh(x @ weights).mean(axis=1, keepdims=True) - 0.5

    layer = nn.Apply(gate, 1, learned={"w": ((2, 3), "he_normal")})(nn.input(2))
    return nn.Network(nn.Activate(lambda b, x: x * b.logistic(x))(layer), seed=0)


@pytest.mark.parametrize(
    "make", [pytest.param(small, marks=pytest.mark.long), chain, pytest.param(made_of_ops, marks=pytest.mark.long)]
)
def test_junk_anywhere_with_a_right_checksum_is_refused_or_gives_a_network_that_works(make: Any) -> None:
    state, arrays = network_to_state(make())
    n_refused = n_tried = 0
    for i in range(len(places(state))):
        for junk in JUNK:
            changed = copy.deepcopy(state)
            container, key = places(changed)[i]
            container[key] = junk
            n_tried += 1
            try:
                network = network_from_state(changed, arrays)
            except ModelFileError:
                n_refused += 1
                continue
            again = network_from_state(*network_to_state(network))
            table = ROWS["words" if network.graph.sparse_input else "numbers"]
            data = dict(zip(network.graph.input_names, ROWS.values() if make is small else [table], strict=True))
            np.testing.assert_equal(again.predict(data), network.predict(data))
            assert again.summary()
    assert n_refused > 0.75 * n_tried


def change(*keys: Any) -> Any:
    """A change of one entry of the state: the keys, then the value."""

    def apply(state: Any, arrays: Any) -> None:
        *parents, last, value = keys
        for key in parents:
            state = state[key]
        state[last] = value

    return apply


def node(i: int, *keys: Any) -> Any:
    return change("graph", "nodes", i, *keys)


def field(i: int, *keys: Any) -> Any:
    return change("graph", "layers", i, "fields", *keys)


def array(name: str, value: Any) -> Any:
    return lambda state, arrays: arrays.update({name: value})


def swapped(state: Any, arrays: Any) -> None:
    """The same graph, but its first two nodes in another order."""
    nodes = state["graph"]["nodes"]
    nodes[0], nodes[1] = nodes[1], nodes[0]
    for entry in nodes:
        entry["inputs"] = [{0: 1, 1: 0}.get(i, i) for i in entry["inputs"]]


def two_widths(state: Any, arrays: Any) -> None:
    """The shared layer once of four columns and once of six."""
    state["graph"]["nodes"][8] |= {"inputs": [7, 7, 7], "width": 6}


def data_twice(state: Any, arrays: Any) -> None:
    """One source as two inputs."""
    source, concat = {"class": "Input", "fields": {"name": "x"}}, {"class": "Concat", "fields": {"name": None}}
    data = {"layer": 0, "inputs": [], "kind": "dense", "width": 1}
    nodes = [data, data, {"layer": 1, "inputs": [0, 1], "kind": "dense", "width": 2}]
    heads = [{"name": "a", "node": 2, "output": "identity"}]
    state["graph"] = {"layers": [source, concat], "nodes": nodes, "heads": heads}
    state["frozen"] = []
    arrays.clear()


def nested(depth: int) -> Any:
    value: Any = 0.5
    for _ in range(depth):
        value = {"name": "data_driven", "parameters": {"base": value}}
    return {"initializer": value}


def doubled(state: Any, arrays: Any) -> None:
    """A few lines that ask for 2**300 columns."""
    concat = {"class": "Concat", "fields": {"name": None}}
    nodes = [{"layer": 0, "inputs": [], "kind": "dense", "width": 1}]
    nodes += [{"layer": i, "inputs": [i - 1, i - 1], "kind": "dense", "width": 2**i} for i in range(1, 301)]
    layers = [{"class": "Input", "fields": {"name": "x"}}, *[concat] * 300]
    heads = [{"name": "a", "node": 300, "output": "identity"}]
    state["graph"] = {"layers": layers, "nodes": nodes, "heads": heads}
    state["frozen"] = []
    arrays.clear()


# Layers: 0 numbers, 1 colour, 2 embedding, 3 words, 4 dense, 5 concat, 6 shared, 7 bn, 8 concat_2, 9 multiply, 10 dense_2
# Nodes: 0 numbers, 1 colour, 2 embedding, 3 words, 4 dense, 5 concat, 6 shared, 7 bn, 8 concat_2, 9 shared, 10 multiply
FORGERIES = {
    "unknown layer": (change("graph", "layers", 6, "class", "Lambda"), "layer 6 is a 'Lambda'; known are Add, Multiply, Input, Dense"),
    "a layer from elsewhere": (change("graph", "layers", 6, "class", "os.system"), "layer 6 is a 'os.system'; known are"),
    "a layer that is a list": (change("graph", "layers", 6, "class", ["Dense"]), "layer 6 is a"),
    "an attribute as layer": (change("graph", "layers", 6, "class", "__class__"), "layer 6 is a"),
    "field missing": (lambda s, a: s["graph"]["layers"][6]["fields"].pop("units"), "layer 6, a Dense, lacks one of"),
    "field too many": (field(6, "origin", 1), "layer 6, a Dense, lacks one of the entries .* or has unknown ones"),
    "units of text": (field(6, "units", "2"), "units is '2'; it must be a positive integer"),
    "huge units": (field(6, "units", 10**12), "node 6 is not of the kind and width"),
    "name of a number": (field(6, "name", 3), "the name of layer 6 is not text"),
    "reserved name": (field(6, "name", "y"), "a layer is called 'y'"),
    "unknown activation": (field(6, "activation", "evil"), "activation is 'evil'"),
    "initializer as activation": (field(6, "activation", {"initializer": {"name": "zeros", "parameters": {}}}), "unknown form"),
    "activation as initializer": (field(6, "weights", {"activation": {"name": "relu", "parameters": {}}}), "unknown form"),
    "activation with NaN": (field(6, "activation", {"activation": {"name": "elu", "parameters": {"alpha": {"float": "nan"}}}}), "no valid activation"),
    "unknown initializer": (field(6, "weights", "evil"), "initializer is 'evil'"),
    "deep initializer": (field(6, "weights", nested(300)), "nested too deeply"),
    "deeper initializer": (field(6, "weights", nested(20)), "no valid initializer"),
    "momentum of NaN": (field(7, "momentum", {"float": "nan"}), "momentum is nan"),
    "negative epsilon": (field(7, "epsilon", -1.0), "epsilon is -1.0"),
    "no layers": (change("graph", "layers", []), "the layer of node 0 is not one of the 0 that it can be"),
    "layers of another form": (change("graph", "layers", {"0": 1}), "are not lists"),
    "layer index too large": (node(6, "layer", 11), "the layer of node 6 is not one of the 11"),
    "negative layer index": (node(6, "layer", -1), "the layer of node 6 is not one of the 11"),
    "layer index of a boolean": (node(1, "layer", True), "the layer of node 1 is not one of"),
    "layer index of a fraction": (node(6, "layer", 6.0), "the layer of node 6 is not one of"),
    "an input of itself": (node(6, "inputs", [6]), "an input of node 6 is not one of the 6"),
    "an input of the future": (node(5, "inputs", [0, 9, 4]), "an input of node 5 is not one of the 5"),
    "negative input": (node(6, "inputs", [-1]), "an input of node 6 is not one of the 6"),
    "inputs of another form": (node(6, "inputs", "5"), "the inputs of node 6 are not a list"),
    "no inputs": (node(6, "inputs", []), "node 6 has 0 inputs, which Dense cannot have"),
    "inputs of data": (node(3, "inputs", [0]), "node 3 has 1 inputs, which Input cannot have"),
    "too many inputs": (node(6, "inputs", [5, 5]), "Dense 'shared' takes 1 node; 2 given"),
    "data that nothing reads": (node(5, "inputs", [0, 2, 2]), "unused or out of order|not of the kind"),
    "wrong order": (swapped, "unused or out of order"),
    "layers in another order": (lambda s, a: s["graph"]["layers"].reverse(), "cannot have|takes"),
    "unknown kind": (node(0, "kind", "ragged"), "the kind of node 0 is unknown; known are dense, sparse, codes"),
    "another kind of data": (node(0, "kind", "codes"), "Concat takes dense values, but is given codes ones"),
    "another kind of a layer's node": (node(6, "kind", "sparse"), "node 6 is not of the kind and width"),
    "wrong width of data": (node(0, "width", 3), "node 5 is not of the kind and width"),
    "wrong width": (node(6, "width", 3), "node 6 is not of the kind and width that its layer gives, dense and 2"),
    "width of nothing": (node(0, "width", 0), "the width of node 0 is 0; it must be a positive integer"),
    "huge data": (node(3, "width", 10**15), "'dense.weights' is of shape .2, 1. and should be of shape .10{15}, 1."),
    "huge codes": (node(1, "width", 2**62), "'embedding.table' is of shape .2, 1. and should be"),
    "huge columns": (doubled, r"the layers and heads have \d+ columns together; the most for this file is 2097152"),
    "a shared layer of two widths": (two_widths, "layer 'shared' is applied to nodes of different widths"),
    "data that come in twice": (data_twice, "two inputs of the network have one name"),
    "no heads": (change("graph", "heads", []), "at least one output"),
    "head of no node": (change("graph", "heads", 0, "node", 99), "a head's node is not one of the 12"),
    "head of codes": (change("graph", "heads", 0, "node", 1), "is an input of codes values"),
    "head without a name": (change("graph", "heads", 0, "name", None), "a head's name is not text"),
    "two heads of one name": (change("graph", "heads", 0, "name", "b"), "two heads of one name"),
    "unknown output": (change("graph", "heads", 0, "output", "evil"), "activation is 'evil'"),
    "output of nothing": (change("graph", "heads", 0, "output", None), "activation is None"),
    "neither spec nor graph": (lambda s, a: s.pop("graph"), "not either a spec or a graph"),
    "unknown entry": (change("origin", 1), "the network lacks one of the entries .* or has unknown ones"),
    "another dtype": (change("dtype", "float64"), "the tensors are not of the network's type 'float64'"),
    "unknown dtype": (change("dtype", "int8"), "neither float32 nor float64"),
    "frozen by force": (change("frozen", "bn.gain"), "frozen is not a list of different parameters"),
    "frozen twice": (change("frozen", ["bn.gain", "bn.gain"]), "frozen is not a list of different parameters"),
    "frozen statistics": (change("frozen", ["bn.mean"]), "frozen is not a list of different parameters"),
    "tensor missing": (lambda s, a: a.pop("shared.alpha"), "'shared.alpha' is absent and should be of shape"),
    "statistics missing": (lambda s, a: a.pop("bn.mean"), "'bn.mean' is absent and should be of shape"),
    "tensor too many": (array("evil", np.zeros(1, "f4")), "'evil' is of shape .1,. and should be absent"),
    "tensor of another shape": (array("shared.biases", np.zeros((2, 1), "f4")), "'shared.biases' is of shape .2, 1. and should be of shape .2,."),
    "a scalar": (array("shared.biases", np.zeros((), "f4")), r"'shared.biases' is of shape \(\) and should be"),
    "tensor of another dtype": (array("shared.biases", np.zeros(2)), "the tensors are not of the network's type 'float32'"),
    "tensor of integers": (array("shared.biases", np.zeros(2, "i4")), "of type I32; known are F32, F64"),
    "NaN": (array("shared.biases", np.array([0, np.nan], "f4")), "'shared.biases' holds NaN or infinity"),
    "negative variance": (array("bn.variance", np.array([1, -1], "f4")), "bn.variance has a negative element"),
    "no state": (lambda s, a: s.clear(), "the network lacks one of the entries"),
}  # fmt: skip


def forged(data: bytes, apply: Any) -> bytes:
    """The file with a changed state or arrays and a right checksum: only validation can refuse it."""
    from safetensors.numpy import save as to_bytes

    kind, state, arrays = unpack(data)
    arrays = {name: array.copy() for name, array in arrays.items()}
    apply(state, arrays)
    config = json.dumps({"format": "rosenblatt model", "version": FORMAT_VERSION, "kind": kind, "state": state})
    return to_bytes(arrays, metadata={"rosenblatt": f"{digest(config, arrays)} {config}"})


def test_a_forgery_of_nothing_is_the_same_network() -> None:
    assert not refuses(forged(DATA, lambda state, arrays: None))


@pytest.mark.parametrize(("apply", "message"), FORGERIES.values(), ids=FORGERIES)
def test_a_forged_file_with_a_right_checksum_is_refused(apply: Any, message: str) -> None:
    data = forged(DATA, apply)
    tracemalloc.start()
    with pytest.raises(ModelFileError, match=message):
        model_from_bytes(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4_000_000


def spec(name: str, value: Any) -> Any:
    return change("spec", name, value)


CHAINS = {
    "huge layers": (spec("hidden", {"tuple": [10**12, 2]}), "'hidden1.biases' is of shape .2,. and should be"),
    "huge input": (spec("n_inputs", 2**62), "'hidden1.weights' is of shape"),
    "many layers": (spec("hidden", {"tuple": [1] * 10**5}), "800000 layers, connections and heads; a file of this size may hold 4000"),
    "layers of text": (spec("hidden", "12"), "hidden of the network is not a list of positive integers"),
    "layers of fractions": (spec("hidden", [2.5, 2]), r"a size in hidden is 2\.5; it must be a positive integer"),
    "no inputs": (spec("n_inputs", 0), "n_inputs is 0; it must be a positive integer"),
    "noise of a list": (spec("input_noise", []), r"input_noise is \[\]; it must be a finite number"),
    "noise of NaN": (spec("input_noise", {"float": "nan"}), "input_noise is nan; it must be a finite number"),
    "negative noise": (spec("input_noise", -1.0), "std is -1.0"),
    "dropout of one": (spec("dropout", 1.0), "dropout rate is 1.0"),
    "dropout for other layers": (spec("dropout", {"tuple": [0.1] * 3}), "dropout has 3 entries"),
    "sparse by text": (spec("sparse_input", "yes"), "sparse_input of the network is not true or false"),
    "unknown normalization": (spec("normalization", "evil"), "normalization is 'evil'"),
    "unknown initializer": (spec("weights", "evil"), "initializer is 'evil'"),
    "spec and graph": (change("graph", {}), "not either a spec or a graph"),
    "field missing": (lambda s, a: s["spec"].pop("input_noise"), "the network's spec lacks one of the entries"),
    "negative max norm": (spec("max_norm", -1), "max_norm is -1"),
}  # fmt: skip


@pytest.mark.parametrize(("apply", "message"), CHAINS.values(), ids=CHAINS)
def test_a_forged_chain_is_refused(apply: Any, message: str) -> None:
    data = forged(pack("network", *network_to_state(chain())), apply)
    with pytest.raises(ModelFileError, match=message):
        model_from_bytes(data)


def test_more_layers_than_the_bytes_allow_are_refused_before_any_is_built() -> None:
    n = 20_000
    state, _ = network_to_state(nn.Network(nn.Dropout(0.5)(nn.input(1))))
    graph = state["graph"]
    graph["layers"] += [graph["layers"][1]] * (n - 1)
    graph["nodes"] += [{**graph["nodes"][1], "layer": i + 1, "inputs": [i]} for i in range(1, n)]
    graph["heads"][0]["node"] = n
    with pytest.raises(ModelFileError, match="60003 layers, connections and heads; a file of this size may hold 4000"):
        network_from_state(state, {})


def test_loading_imports_opens_and_executes_nothing_from_the_file(tmp_path: Any, events_of: Any) -> None:
    save(small(), tmp_path / "m")
    load(tmp_path / "m")  # what is imported lazily is imported now
    assert events_of(lambda: load(tmp_path / "m")) == [f"open {tmp_path / 'm'}"]
