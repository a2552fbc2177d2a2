"""The formulas of docs/file-format.md, computed with NumPy from what a file holds, give the predictions of a model."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from safetensors import safe_open
from sklearn.utils import murmurhash3_32

import rosenblatt
from rosenblatt import TabularClassifier, TabularRegressor

PERIODS = {"year": 365.2425, "week": 7.0}
BASES: dict[str, Any] = {
    "mish": lambda z: z * np.tanh(np.logaddexp(0, z)),
    "selu": lambda z: 1.0507009873554805 * np.where(z > 0, z, 1.6732632423543772 * np.expm1(np.minimum(z, 0))),
}
RNG = np.random.default_rng(0)
N = 150
TABLE = pd.DataFrame(
    {
        "number": np.where(RNG.random(N) < 0.1, np.nan, RNG.normal(size=N) * 100),
        "two": RNG.choice(["x", "y"], N),
        "few": RNG.choice(list("pqr"), N),
        "many": RNG.choice(list("abcdefghijkl"), N),
        "day": pd.date_range("2020-01-01", periods=N, freq="5D"),
        "text": [" ".join(RNG.choice(["Some", "words", "naïve", "of", "x"], 6)) + f" and {i}number" for i in range(N)],
    }
)
Y = TABLE["number"].fillna(0).to_numpy() + 50 * (TABLE["two"] == "x") + RNG.normal(size=N)


def softly_cut(x: Any, scaling: Any) -> Any:
    z = np.nan_to_num((x - np.array(scaling["centers"])) / np.array(scaling["spreads"]))
    return z / np.sqrt(1 + (z / 3) ** 2)


def number_inputs(cells: Any, encoder: Any) -> list[tuple[str, Any]]:
    x = cells.to_numpy().astype("datetime64[D]").astype(float) if encoder["storage"] == "date" else cells.to_numpy()
    angles = [2 * np.pi * (x % PERIODS[name]) / PERIODS[name] for name in encoder["periods"]]
    columns = np.column_stack([x, *(f(a) for a in angles for f in (np.sin, np.cos))])
    missing = [("indicators", np.isnan(x)[:, None])] * encoder["has_missing"]
    return [("numbers", softly_cut(columns, encoder["scaling"])), *missing]


def level_inputs(cells: Any, encoder: Any) -> tuple[str, Any]:
    codes = np.array([encoder["levels"].index(cell) + 1 if cell in encoder["levels"] else 0 for cell in cells])
    if len(encoder["levels"]) == 2:
        return "indicators", np.array([0, -1, 1])[codes][:, None]
    if encoder["scaling"] is None:
        return "codes", codes
    indicators = codes[:, None] == np.arange(1, len(encoder["levels"]) + 1)
    return "indicators", softly_cut(indicators.astype(float), encoder["scaling"])


def word_inputs(cells: Any, encoder: Any) -> tuple[str, Any]:
    counts = np.zeros((len(cells), 4096))
    for row, text in enumerate(cells):
        for word in re.findall(r"\b\w\w+\b", text.lower()):
            counts[row, abs(murmurhash3_32(word.encode(), 0)) % 4096] += 1
    weighted = np.sqrt(counts) * np.array(encoder["idf"])
    return "words", weighted / np.maximum(np.linalg.norm(weighted, axis=1, keepdims=True), 1e-300)


def inputs_of(table: Any, encoders: Any) -> dict[str, Any]:
    found: list[tuple[str, Any]] = []
    for encoder in encoders:
        cells = table[encoder["name"]]
        if encoder["class"] == "NumericEncoder":
            found += number_inputs(cells, encoder)
        else:
            found.append((level_inputs if encoder["class"] == "CategoricalEncoder" else word_inputs)(cells, encoder))
    joined = {kind: np.hstack([x for k, x in found if k == kind]) for kind in ("numbers", "indicators")}
    several = {kind: [x for k, x in found if k == kind] for kind in ("codes", "words")}
    return joined | {f"{kind}{i}": x for kind, parts in several.items() for i, x in enumerate(parts)}


def periodic(x: Any, own: Any) -> Any:
    waves = np.cos(x[:, None] * own["frequencies"] + own["phases"])
    columns = [
        (waves * mixture).sum(axis=1) + shift for mixture, shift in zip(own["mixture"], own["shifts"], strict=True)
    ]
    return np.hstack([*columns, x])


def dense(x: Any, own: Any, activation: Any) -> Any:
    z = x @ own["weights"] + own["biases"]
    if "alpha" not in own:
        return z
    base = BASES[activation["activation"]["parameters"]["base"]](z)
    return own["alpha"] * base + (1 - own["alpha"]) * z


def value_of(layer: Any, given: list[Any], own: Any, inputs: Any) -> Any:
    known = {
        "Input": lambda: inputs[layer["fields"]["name"]],
        "Periodic": lambda: periodic(given[0], own),
        "Embedding": lambda: own["table"][given[0]],
        "Concat": lambda: np.hstack(given),
        "Scale": lambda: given[0] * own["gain"],
        "Dropout": lambda: given[0],
        "Dense": lambda: dense(given[0], own, layer["fields"]["activation"]),
    }
    return known[layer["class"]]()


def outputs_of(graph: Any, tensors: Any, inputs: Any) -> Any:
    values: list[Any] = []
    for node in graph["nodes"]:
        layer = graph["layers"][node["layer"]]
        prefix = layer["fields"]["name"] + "."
        own = {key.removeprefix(prefix): x for key, x in tensors.items() if key.startswith(prefix)}
        values.append(value_of(layer, [values[i] for i in node["inputs"]], own, inputs))
    return values[graph["heads"][0]["node"]]


def computed(file: Any) -> tuple[Any, list[Any]]:
    """The state of a file, and the outputs of each of its networks for the table."""
    with safe_open(file, "numpy") as opened:
        state = json.loads(opened.metadata()["rosenblatt"].partition(" ")[2])["state"]
        tensors = {key: opened.get_tensor(key) for key in opened.keys()}  # noqa: SIM118
    inputs = inputs_of(TABLE, state["preparation"]["encoders"])
    parts = [{k.removeprefix(f"{i}/"): x for k, x in tensors.items() if k.startswith(f"{i}/")} for i in range(2)]
    nets = zip(state["networks"], parts, strict=True)
    return state | {"tensors": tensors}, [outputs_of(net["graph"], part, inputs) for net, part in nets]


@pytest.mark.parametrize("transform", ["linear", "log"])
def test_a_regressor(transform: str, tmp_path: Any) -> None:
    to, y = (None, Y) if transform == "linear" else ("log", np.exp(Y / 40))
    model = TabularRegressor(members=2, max_iter=3, target_transform=to, random_state=0).fit(TABLE, y)
    rosenblatt.save(model, tmp_path / "m")
    state, outputs = computed(tmp_path / "m")
    scaler = state["target_scaler"]
    assert scaler["kind"] == transform
    values = np.mean(outputs, axis=0)[:, 0] * scaler["scale"][0] + scaler["center"][0]
    if transform == "log":
        values = np.exp(np.minimum(values, np.log(scaler["highest"][0] + scaler["offset"]) + 1))
        values = values * scaler["factor"] - scaler["offset"]
    values = np.clip(values, scaler["lowest"], scaler["highest"])
    np.testing.assert_allclose(values, model.predict(TABLE), rtol=1e-3, atol=1e-3 * y.std())


def test_a_classifier(tmp_path: Any) -> None:
    model = TabularClassifier(members=2, max_iter=3, random_state=0).fit(TABLE, np.digitize(Y, [-50, 50]))
    rosenblatt.save(model, tmp_path / "m")
    state, outputs = computed(tmp_path / "m")
    chances = [np.exp(out) / np.exp(out).sum(axis=1, keepdims=True) for out in outputs]
    powers = [p ** (1 / state["fitted"]["temperature_"]) for p in chances]
    mean = np.mean([p / p.sum(axis=1, keepdims=True) for p in powers], axis=0)
    np.testing.assert_allclose(mean, model.predict_proba(TABLE), atol=1e-3)
    assert state["fitted"]["temperature_"] != 1
    np.testing.assert_array_equal(state["tensors"]["decision_weights"], model.decision_weights_)
