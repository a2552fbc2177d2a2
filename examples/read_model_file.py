"""Read a model file with safetensors, JSON and NumPy alone, and predict with what it holds.

The library trains and saves two models. Then a few functions, which know nothing but `docs/file-format.md`, check the
checksum, rebuild the text, and compute the predictions of the network. They agree with the library's.
"""

import hashlib
import json
import tempfile
from pathlib import Path

import numpy as np
from safetensors import safe_open
from sklearn.datasets import load_iris

import rosenblatt

ACTIVATIONS = {
    "identity": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "tanh": np.tanh,
    "logistic": lambda x: 1 / (1 + np.exp(-x)),
    "softmax": lambda x: (
        np.exp(x - x.max(axis=1, keepdims=True)) / np.exp(x - x.max(axis=1, keepdims=True)).sum(1)[:, None]
    ),
}


def read(path):
    """Kind, state and tensors of a model file, whose checksum must fit."""
    with safe_open(path, "numpy") as file:
        checksum, _, text = file.metadata()["rosenblatt"].partition(" ")
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (it is no mapping)
    found = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        array = tensors[name]
        found.update(f"\n{name!r} {array.dtype.str} {array.shape}\n".encode())
        found.update(array.tobytes())
    if found.hexdigest() != checksum:
        raise ValueError(f"{path} was changed")
    config = json.loads(text)
    return config["kind"], plain(config["state"], tensors), tensors


def plain(value, tensors):
    """A value without the forms that stand for what JSON lacks."""
    if isinstance(value, list):
        return [plain(item, tensors) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) > 1 and set(value) != {"array", "dtype"}:
        return {key: plain(item, tensors) for key, item in value.items()}
    match value:
        case {"float": text}:
            return float(text)
        case {"tuple": items} | {"array": items} | {"dates": items}:
            return plain(items, tensors)
        case {"dict": pairs}:
            return {key: plain(item, tensors) for key, item in pairs}
        case {"texts": number}:
            ends = tensors[f"texts/{number}/ends"].tolist()
            whole = tensors[f"texts/{number}/bytes"].tobytes()
            return [whole[a:b].decode() for a, b in zip([0, *ends], ends, strict=False)]
        case {"records": columns}:
            lists = [plain(column, tensors) for column in columns.values()]
            return [dict(zip(columns, row, strict=True)) for row in zip(*lists, strict=True)]
    return {key: plain(item, tensors) for key, item in value.items()}


def outputs(network, tensors, X):
    """What a chain of dense layers predicts for rows."""
    spec = network["spec"]
    hidden = spec["activation"]
    activations = [hidden] * len(spec["hidden"]) if isinstance(hidden, str) else hidden
    layers = [*(f"hidden{i}" for i in range(1, len(activations) + 1)), "output"]
    for layer, activation in zip(layers, [*activations, spec["output"]], strict=True):
        X = ACTIVATIONS[activation](X @ tensors[f"{layer}.weights"] + tensors[f"{layer}.biases"])
    return X


def main():
    """The largest difference between probabilities by NumPy and by the library."""
    X, y = load_iris(return_X_y=True)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "iris.safetensors"
        model = rosenblatt.MLPClassifier((16, 8), activation="tanh", solver="lbfgs", alpha=1.0, random_state=0)
        rosenblatt.save(model.fit(X, names), path)
        kind, state, tensors = read(path)
        found, classes = outputs(state["network"], tensors, X), np.array(state["attributes"]["classes_"])
        difference = np.abs(found - model.predict_proba(X)).max()
        print(f"{path.name}: {kind}, {state['class']}, {sum(array.size for array in tensors.values())} parameters")
        print(f"largest difference of a probability: {difference:.1e}")
        print(
            f"the same classes in all {len(X)} rows: {bool((classes[found.argmax(axis=1)] == model.predict(X)).all())}"
        )
        describe_table(Path(folder) / "table.safetensors", X, names)
    return difference


def describe_table(path, X, names):
    """Save a tabular model and print what its file says of columns and networks."""
    table = {"length": X[:, 0], "width": X[:, 1], "size": np.where(X[:, 2] > 0, "large", "small")}
    rosenblatt.save(rosenblatt.TabularClassifier("fast", max_iter=8).fit(table, names), path)
    kind, state, tensors = read(path)
    print(f"{path.name}: {kind}, {state['class']}, trained on {state['fitted']['n_rows_']} rows")
    for column in state["preparation"]["kinds"]:
        print(f"  {column['name']}: {column['kind']}, {column['detail']}")
    for number, network in enumerate(state["networks"]):
        own = [name for name in tensors if name.startswith(f"{number}/")]
        print(f"  network {number}: {len(network['graph']['layers'])} layers, {len(own)} tensors")


if __name__ == "__main__":
    main()
