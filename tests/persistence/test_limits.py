# ruff: noqa: E501 (one case per line)
"""What a file may ask for: little memory and time for few bytes, and predictions that are finite."""

from __future__ import annotations

import json
import tracemalloc
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save as to_bytes

import rosenblatt
from rosenblatt import learn, nn
from rosenblatt.estimators import LogisticRegression, MLPClassifier, MLPRegressor
from rosenblatt.persistence.estimators import estimator_state
from rosenblatt.persistence.networks import network_to_state
from rosenblatt.persistence.save_load import ModelFileError, model_from_bytes
from rosenblatt.persistence.tabular import tabular_state
from rosenblatt.storage.container import FORMAT_VERSION, digest

X = np.random.default_rng(0).normal(size=(60, 3))
Y = (X[:, 0] > 0).astype(int) + (X[:, 1] > 1)
INPUT = {"class": "Input", "fields": {"name": "x"}}
ADD = {"class": "Add", "fields": {"name": None}}
DROPOUT = {"class": "Dropout", "fields": {"name": None, "rate": 0.5}}


def forged(kind: str, state: Any, arrays: Any) -> bytes:
    """A file with a right checksum."""
    config = json.dumps({"format": "rosenblatt model", "version": FORMAT_VERSION, "kind": kind, "state": state})
    return bytes(to_bytes(arrays, metadata={"rosenblatt": f"{digest(config, arrays)} {config}"}))


def node(width: int, *inputs: int, layer: int = 0) -> dict[str, Any]:
    return {"layer": layer, "inputs": list(inputs), "kind": "dense", "width": width}


def graph(layers: list[Any], nodes: list[Any], heads: list[int]) -> bytes:
    """A network without parameters."""
    entries = [{"name": f"h{i}", "node": number, "output": "identity"} for i, number in enumerate(heads)]
    state = {"dtype": "float32", "frozen": [], "graph": {"layers": layers, "nodes": nodes, "heads": entries}}
    return forged("network", state, {})


def shared_often() -> bytes:
    """A layer of a million weights, applied a hundred times."""
    again = nn.Dense(1000, name="again")
    value = again(nn.Dense(1000)(nn.input(1)))
    for _ in range(3):
        value = again(value)
    state, arrays = network_to_state(nn.Network(value, seed=None))
    nodes = state["graph"]["nodes"]
    nodes += [{**nodes[-1], "inputs": [len(nodes) - 1 + i]} for i in range(100)]
    state["graph"]["heads"][0]["node"] = len(nodes) - 1
    return forged("network", state, arrays)


AMPLIFYING: dict[str, tuple[Callable[[], bytes], str]] = {
    "a hundred wide heads": (lambda: graph([INPUT], [node(2**24)], [0] * 100), "columns together; the most"),
    "heads that share a node": (lambda: graph([INPUT], [node(2**19)], [0] * 30), "columns together; the most"),
    "a wide head": (lambda: graph([INPUT], [node(2**20)], [0]), "predicting takes 67108864 bytes of memory; the most"),
    "a node of many inputs": (lambda: graph([INPUT, ADD], [node(1), node(1, *[0] * 9**5, layer=1)], [1]), "connections"),
    "many heads": (lambda: graph([INPUT], [node(1)], [0] * 9000), "9002 layers, connections and heads; a file of this"),
    "many nodes": (lambda: graph([INPUT, *[DROPOUT] * 2000], [node(1), *[node(1, i, layer=i + 1) for i in range(2000)]], [2000]), "6003 layers, conn"),
    "layers shared often": (shared_often, "a row takes .* products"),
}  # fmt: skip


@pytest.mark.parametrize(("make", "message"), AMPLIFYING.values(), ids=AMPLIFYING)
def test_a_network_costs_what_its_bytes_allow(make: Callable[[], bytes], message: str) -> None:
    data = make()
    tracemalloc.start()
    with pytest.raises(ModelFileError, match=message):
        model_from_bytes(data)
    assert tracemalloc.get_traced_memory()[1] < 2 * len(data) + (64 << 20)
    tracemalloc.stop()


def test_a_model_of_many_labels_loads_without_a_matrix_of_labels_by_labels(tmp_path: Path) -> None:
    labels = (np.random.default_rng(1).random((60, 2000)) > 0.5).astype(int)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = MLPClassifier((2,), max_iter=1).fit(X, labels)
    rosenblatt.save(model, tmp_path / "m")
    tracemalloc.start()
    again = rosenblatt.load(tmp_path / "m")
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()
    assert np.array_equal(again.predict(X), model.predict(X))
    assert vars(again.label_binarizer_).keys() == vars(model.label_binarizer_).keys()


def test_a_large_model_is_not_refused_for_its_size(tmp_path: Path) -> None:
    names = [f"c{i}" for i in range(100)]
    merged = nn.Concat()(*[nn.Embedding(4)(nn.codes(50, name=name)) for name in names], nn.input(40_000, "x"))
    network = nn.Network(nn.Dense(20)(nn.Dense(32)(merged)), output="softmax")
    rosenblatt.save(network, tmp_path / "m")
    rows = {"x": np.ones((1, 40_000)), **dict.fromkeys(names, np.ones(1, np.int32))}
    assert np.array_equal(rosenblatt.load(tmp_path / "m").predict(rows), network.predict(rows))


def fitted(estimator: Any, y: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return estimator.fit(X, y)


def of_estimator(model: Any, change: Callable[[Any, Any], None]) -> bytes:
    state, arrays = estimator_state(model)
    arrays = {name: array.copy() for name, array in arrays.items()}
    change(state, arrays)
    return forged("estimator", state, arrays)


def of_table(y: Any, change: Callable[[Any, Any], None], **parameters: Any) -> bytes:
    table = {"a": X[:, 0], "b": ["one two", "three"] * 30, "y": y}
    given = {"hidden_layer_sizes": (2,), "members": 1, "max_iter": 2, "kinds": {"b": "text"}, **parameters}
    state, arrays = tabular_state(learn(table, "y", **given))
    state = json.loads(json.dumps(state))
    arrays = {name: np.array(array) for name, array in arrays.items()}
    change(state, arrays)
    return forged("tabular estimator", state, arrays)


def log_regressor() -> Any:
    return fitted(MLPRegressor(hidden_layer_sizes=(2,), max_iter=2, target_transform="log"), np.exp(X[:, 0]))


def put(*keys: Any) -> Callable[[Any, Any], None]:
    def change(state: Any, arrays: Any) -> None:
        *parents, last, value = keys
        for key in parents:
            state = state[key]
        state[last] = value

    return change


def fill(name: str, value: float) -> Callable[[Any, Any], None]:
    return lambda state, arrays: arrays[name].fill(value)


def encoder(kind: str, name: str, value: Any) -> Callable[[Any, Any], None]:
    def change(state: Any, arrays: Any) -> None:
        (found,) = [entry for entry in state["preparation"]["encoders"] if entry["class"] == kind]
        found[name] = value

    return change


Q = {"quantiles": (0.1, 0.9)}
NOT_FINITE: dict[str, tuple[Callable[[], bytes], str]] = {
    "huge weights": (lambda: of_estimator(log_regressor(), fill("hidden1.weights", 1e308)), "output 'prediction' is not finite"),
    "a huge bias before exp": (lambda: of_estimator(log_regressor(), fill("output.biases", 1e4)), "predict gives infinite numbers"),
    "a factor of zero": (lambda: of_estimator(log_regressor(), put("attributes", "smearing_factor_", {"array": [0.0], "dtype": "float64"})), "one positive number"),
    "tables: weights": (lambda: of_table(Y, lambda s, a: [x.fill(1e38) for n, x in a.items() if n.endswith(".weights")]), "not finite"),
    "tables: temperature": (lambda: of_table(Y, put("fitted", "temperature_", 1e-300)), "'temperature_' is 1e-300"),
    "tables: decisions": (lambda: of_table(Y, fill("decision_weights", 1e300)), "decision weight"),
    "tables: words": (lambda: of_table(Y, encoder("TextEncoder", "idf", [1e300] * 4096)), "how rare words are"),
    "tables: best epoch": (lambda: of_table(Y, put("members", 0, "dict", 1, ["best_epoch", 99])), "best epoch of a member is 99"),
    "tables: no epochs": (lambda: of_table(Y, put("members", 0, "dict", 0, ["curve", []])), "but it was trained for 0"),
    "tables: names": (lambda: of_table(Y, put("fitted", "n_features_in_", 7)), "one name per column"),
    "tables: a kind of another column": (lambda: of_table(Y, put("preparation", "kinds", 0, "name", "x")), "not those of"),
    "tables: a prepared column of another name": (lambda: of_table(Y, encoder("TextEncoder", "name", "x")), "not those of"),
    "tables: a score of text": (lambda: of_table(Y, put("fitted", "score_", "x")), "'score_' is x"),
    "tables: settings": (lambda: of_table(Y, put("settings", "dict", 7, ["weight_decay", -1.0])), "weight_decay|setting"),
    "tables: quantiles": (lambda: of_table(X[:, 1], put("parameters", "quantiles", {"tuple": [1e308, 0.9]}), **Q), "a quantile is 1e.308"),
    "tables: limits": (lambda: of_table(X[:, 1], put("target_scaler", "lowest", [1e308])), "units of the targets are out of range"),
    "tables: a factor": (lambda: of_table(X[:, 1], put("target_scaler", "factor", -1.0)), "units of the targets are out of range"),
}  # fmt: skip


@pytest.mark.parametrize(("make", "message"), NOT_FINITE.values(), ids=NOT_FINITE)
def test_a_model_that_would_not_predict_is_refused(make: Callable[[], bytes], message: str) -> None:
    with pytest.raises(ModelFileError, match=message):
        model_from_bytes(make())


def test_a_network_that_divides_by_zero_is_refused(tmp_path: Path) -> None:
    network = nn.Network(nn.Dense(1)(nn.BatchNorm(epsilon=0.0, name="norm")(nn.input(2))))
    network["norm.variance"][:] = 0.0
    with pytest.raises(ModelFileError, match="output 'prediction' is not finite for a row of ordinary numbers"):
        rosenblatt.save(network, tmp_path / "m")


def test_a_regression_of_counts_may_overflow_where_its_numbers_never_are(tmp_path: Path) -> None:
    network = nn.Network(nn.Dense(1, name="d")(nn.input(2)), output="exp")
    network["d.weights"][:] = 1e5  # as rows of 1e-5 would give them
    rosenblatt.save(network, tmp_path / "m")
    assert np.isfinite(rosenblatt.load(tmp_path / "m").predict(np.full((1, 2), 1e-5))).all()


def test_too_little_memory_is_said_with_the_file_and_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from rosenblatt.persistence import save_load

    def exhausted(data: bytes, **kinds: Any) -> Any:
        raise MemoryError

    rosenblatt.save(fitted(LogisticRegression(), Y), tmp_path / "m")
    monkeypatch.setattr(save_load, "unpack", exhausted)
    with pytest.raises(MemoryError, match=r"m: there is too little memory to load this file of .* MB; it takes about"):
        rosenblatt.load(tmp_path / "m")


def test_a_checkpoint_is_no_model(tmp_path: Path) -> None:
    nn.Network(nn.Dense(1)(nn.input(3))).fit(X, X[:, 0], epochs=1, checkpoint=tmp_path)
    with pytest.raises(ModelFileError, match="this holds a 'checkpoint', not a rosenblatt model"):
        rosenblatt.load(tmp_path / "checkpoint.safetensors")
