"""Model files: what is saved comes back the same; what is damaged or forged is refused."""

from __future__ import annotations

import json
import sys
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_iris
from sklearn.exceptions import ConvergenceWarning

import rosenblatt
from rosenblatt.estimators import LogisticRegression, MLPClassifier, MLPRegressor, Perceptron
from rosenblatt.files import ModelFileError, load, model_from_bytes, save
from rosenblatt.storage.container import decode_value, digest, encode_value, pack, unpack
from rosenblatt.tables import TableError
from rosenblatt.tables.model import TableModel

IRIS = load_iris(return_X_y=True)
DIABETES = load_diabetes(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])


def fitted(estimator: Any, X: Any, y: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return estimator.fit(X, y)


def small_table(n: int = 120) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=n)
    return {
        "x": np.where(rng.random(n) < 0.1, np.nan, x),
        "c": rng.choice(["a", "b", "é"], n),
        "y": np.where(x > 0, "hi", "lo"),
    }


def table_model(**settings: Any) -> TableModel:
    return TableModel.train(small_table(), "y", **{"hidden": (4,), "max_epochs": 3, **settings})


def multilabel() -> Any:
    X, y = IRIS
    return fitted(MLPClassifier((5,), max_iter=5, random_state=0), X, np.column_stack([y > 0, y > 1]).astype(int))


X, Y = IRIS
MODELS = {
    "binary": lambda: fitted(MLPClassifier((5,), max_iter=5, random_state=0), X, Y > 0),
    "multiclass text": lambda: fitted(MLPClassifier((5, 3), max_iter=5, random_state=0), X, NAMES[Y]),
    "multiclass objects": lambda: fitted(MLPClassifier((5,), max_iter=5), X, NAMES[Y].astype(object)),
    "multilabel": multilabel,
    "float32, no hidden layer": lambda: fitted(MLPClassifier((), max_iter=5), X.astype(np.float32), Y),
    "early stopping": lambda: fitted(MLPClassifier((5,), max_iter=5, early_stopping=True), X, Y),
    "lbfgs": lambda: fitted(MLPClassifier((5,), max_iter=5, solver="lbfgs", activation="tanh"), X, Y),
    "regressor": lambda: fitted(MLPRegressor(hidden_layer_sizes=(5,), max_iter=5), *DIABETES),
    "two outputs": lambda: fitted(MLPRegressor(hidden_layer_sizes=5, max_iter=5), X, np.column_stack([Y, -Y])),
    "poisson": lambda: fitted(MLPRegressor("poisson", (5,), max_iter=5), X, Y),
    "log target": lambda: fitted(MLPRegressor(hidden_layer_sizes=(5,), max_iter=5, target_transform="log"), X, Y + 1.0),
    "logistic": lambda: fitted(LogisticRegression(class_weight={0: 1.0, 1: 2.0, 2: 3.0}), X, Y),
    "logistic, two classes": lambda: fitted(LogisticRegression(solver="adam", max_iter=5), X, Y > 0),
}


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_an_estimator_comes_back_the_same(make: Any, tmp_path: Path) -> None:
    model = make()
    rosenblatt.save(model, tmp_path / "model.safetensors")
    again = rosenblatt.load(tmp_path / "model.safetensors")
    assert type(again) is type(model)
    assert repr(again) == repr(model)
    data = DIABETES[0] if model.n_features_in_ == 10 else X
    np.testing.assert_array_equal(again.predict(data), model.predict(data))
    if hasattr(model, "predict_proba"):
        np.testing.assert_array_equal(again.predict_proba(data), model.predict_proba(data))
        assert again.classes_.dtype == model.classes_.dtype
    for name in ("loss_curve_", "best_loss_", "n_iter_", "t_", "validation_scores_"):
        assert getattr(again, name, "none") == getattr(model, name, "none")


def test_a_loaded_estimator_can_be_trained_on(tmp_path: Path) -> None:
    model = fitted(MLPClassifier((5,), max_iter=5, random_state=0), X, Y)
    save(model, tmp_path / "m")
    again = load(tmp_path / "m").partial_fit(X, Y)
    assert again.loss_ < model.loss_


def test_feature_names_come_back(tmp_path: Path) -> None:
    frame = load_iris(as_frame=True)
    model = fitted(LogisticRegression(), frame.data, frame.target)
    save(model, tmp_path / "m")
    again = load(tmp_path / "m")
    assert again.feature_names_in_.tolist() == list(frame.data.columns)
    np.testing.assert_array_equal(again.predict(frame.data), model.predict(frame.data))


@pytest.mark.parametrize("target", ["y", "x", "n"])
def test_a_table_model_comes_back_the_same(target: str, tmp_path: Path) -> None:
    table = {**small_table(), "n": np.arange(120) % 3}
    if target == "x":
        table["x"] = np.nan_to_num(table["x"])
    model = TableModel.train(table, target, hidden=(4,), max_epochs=3)
    model.save(tmp_path / "model.safetensors")
    again = TableModel.load(tmp_path / "model.safetensors")
    assert (again.target, again.encoder, again.summary()) == (model.target, model.encoder, model.summary())
    np.testing.assert_array_equal(again.predict(table), model.predict(table))


def test_other_libraries_can_read_the_tensors(tmp_path: Path) -> None:
    from safetensors.numpy import load_file

    model = fitted(MLPClassifier((5,), max_iter=5), X, Y)
    save(model, tmp_path / "m.safetensors")
    tensors = load_file(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(tensors["weights.1"], model.coefs_[1])
    np.testing.assert_array_equal(tensors["biases.0"], model.intercepts_[0])


VALUES = [None, True, 3, -1.5, np.inf, "x", (1, (2, "a")), [1.0, None], {0: 1.0, "a": 2}, float("-inf")]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_values_come_back_with_their_type(value: Any) -> None:
    again = decode_value(json.loads(json.dumps(encode_value(value, "x"))))
    assert again == value
    assert type(again) is type(value)


def refuses(data: bytes, table: Any, expected: Any) -> bool:
    """Whether the bytes are refused; bytes that are not refused must be the same model."""
    try:
        model = model_from_bytes(data)
    except ModelFileError:
        return True
    np.testing.assert_array_equal(model.predict_proba(table), expected)
    assert model.predict(table).tolist() == [model.target.classes[i] for i in expected.argmax(axis=1)]
    return False


@pytest.fixture(name="valid", scope="module")
def _valid(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, Any, Any]:
    """A small file, rows to predict, and the predictions."""
    model, path, table = table_model(hidden=(2,)), tmp_path_factory.mktemp("valid") / "m", small_table(20)
    model.save(path)
    return path.read_bytes(), table, model.predict_proba(table)


def test_every_flipped_byte_is_noticed(valid: Any) -> None:
    data, table, expected = valid
    header = 8 + int.from_bytes(data[:8], "little")
    harmless = 0
    for place in range(len(data)):
        for mask in (0x01, 0x20, 0xFF):
            refused = refuses(data[:place] + bytes([data[place] ^ mask]) + data[place + 1 :], table, expected)
            harmless += not refused
            assert refused or place < header, f"byte {place}"
    assert harmless < 60  # blanks that pad the header


def test_every_shortened_file_is_refused(valid: Any) -> None:
    data, table, expected = valid
    assert all(refuses(data[:length], table, expected) for length in range(len(data)))


def test_random_damage_is_refused(valid: Any) -> None:
    data, table, expected = valid
    rng = np.random.default_rng(0)
    for _ in range(1000):
        damaged = bytearray(data)
        start, length = rng.integers(len(data)), rng.integers(1, 200)
        replacement = rng.bytes(length) if rng.random() < 0.5 else damaged[: rng.integers(1, 100)]
        damaged[start : start + length] = replacement
        refuses(bytes(damaged), table, expected)


JUNK: list[Any] = [None, True, 0, -1, 3, 2**70, 0.5, 1e308, "", "relu", "x\0\ud800", [], [1], [[]], {}, {"a": 1}]
JUNK += [{"float": "nan"}, {"float": "x"}, {"tuple": [1]}, {"array": [1, 2], "dtype": "int64"}]
JUNK += [{"dict": [[1, 2]]}, {"dict": [1]}]


def nodes(state: Any) -> list[tuple[Any, Any]]:
    """Every place in a nested state, as (container, key)."""
    keys = list(state) if isinstance(state, dict) else range(len(state)) if isinstance(state, list) else []
    return [place for key in keys for place in [(state, key), *nodes(state[key])]]


def test_junk_anywhere_with_a_right_checksum_is_refused_or_gives_a_model_that_works(valid: Any) -> None:
    data, table, _ = valid
    n_places, n_refused, n_tried = len(nodes(unpack(data)[1])), 0, 0
    for i in range(n_places):
        for junk in JUNK:
            kind, state, arrays = unpack(data)
            container, key = nodes(state)[i]
            container[key] = junk
            n_tried += 1
            try:
                model = model_from_bytes(pack(kind, state, arrays))
            except ModelFileError:
                n_refused += 1
                continue
            with suppress(TableError):  # another column name, or text where numbers were
                assert model.predict(table).shape == (20,)
            pack(kind, *model.to_state())  # it can be saved again
    assert n_refused > 0.8 * n_tried


def forged(path: Path, change: Any) -> None:
    """Rewrite a valid file with a changed configuration and a right checksum: only validation can refuse it."""
    kind, state, arrays = unpack(path.read_bytes())
    arrays = {name: array.copy() for name, array in arrays.items()}
    change(state, arrays)
    path.write_bytes(pack(kind, state, arrays))


def set_in(*keys: Any) -> Any:
    """A change of one entry of the state."""

    def change(state: Any, arrays: Any) -> None:
        *parents, last, value = keys
        for key in parents:
            state = state[key]
        state[last] = value

    return change


def set_classes(items: list[Any], dtype: str = "int64") -> Any:
    """Other classes than the estimator's."""
    return set_in("estimator", "attributes", "classes_", {"array": items, "dtype": dtype})


def nested(depth: int) -> list[Any]:
    """A list in a list in a list ..."""
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


def set_array(name: str, shape: Any) -> Any:
    """A change of one tensor's shape."""
    return lambda state, arrays: arrays.update({name: np.zeros(shape, np.float32)})


REGRESSION = {"name": "y", "task": "regression", "classes": [], "mean": 0.0, "scale": 1.0}
FORGERIES = {
    "another class": (set_in("estimator", "class", "Perceptron"), "holds a 'Perceptron'"),
    "an attribute as class": (set_in("estimator", "class", "__builtins__"), "known are"),
    "unknown parameter": (set_in("estimator", "parameters", "evil", 1), "unexpected keyword argument 'evil'"),
    "invalid parameter": (set_in("estimator", "parameters", "alpha", -1.0), "'alpha' parameter"),
    "unknown attribute": (set_in("estimator", "attributes", "predict", "x"), "attribute 'predict' is unknown"),
    "attribute of wrong type": (set_in("estimator", "attributes", "n_iter_", "x"), "attribute 'n_iter_'"),
    "huge layers": (set_in("estimator", "network", "layers", [10**12, 10**12, 1]), "do not fit the layers"),
    "negative layers": (set_in("estimator", "network", "layers", [-4, 4, 1]), "positive integers"),
    "unknown activation": (set_in("estimator", "network", "activation", "evil"), "evil"),
    "unknown output": (set_in("estimator", "network", "output", "evil"), "out_activation_|evil"),
    "another dtype": (set_in("estimator", "network", "dtype", "float64"), "not of the network's type"),
    "features": (set_in("estimator", "attributes", "n_features_in_", 99), "n_features_in_"),
    "classes": (set_classes([0, 1, 2]), "classes do not fit"),
    "unsorted classes": (set_classes([1, 0]), "sorted"),
    "other classes": (set_classes([3, 4]), "not 0, 1, 2"),
    "class objects": (set_classes([[]], "object"), "array of 'object'"),
    "a class too large": (set_classes([0, 300], "int8"), "no int8"),
    "an array of records": (set_classes([0], "i4,i4"), "other values"),
    "encoder missing": (set_in("encoder", None), "not a list of columns"),
    "encoder column missing": (lambda state, arrays: state["encoder"].pop(), "the network takes"),
    "zero spread": (set_in("encoder", 0, "spread", 0.0), "no valid center, spread and edges"),
    "text as center": (set_in("encoder", 0, "center", "x"), "no valid center, spread and edges"),
    "levels twice": (set_in("encoder", 1, "levels", ["a", "a", "b"]), "no valid list of levels"),
    "two equal columns": (lambda state, arrays: state["encoder"].append(state["encoder"][0]), "occurs twice"),
    "no classes": (set_in("target", "classes", []), "do not fit its task"),
    "unknown task": (set_in("target", "task", "evil"), "no valid name, task"),
    "task of another kind": (set_in("target", REGRESSION), "MLPRegressor"),
    "tensor missing": (lambda state, arrays: arrays.pop("biases.0"), "do not fit the layers"),
    "tensor too many": (lambda state, arrays: arrays.update(extra=np.zeros(1)), "do not fit the layers"),
    "tensor of another shape": (set_array("biases.0", (4, 1)), "do not fit the layers"),
    "no state": (lambda state, arrays: state.clear(), "does not hold a target"),
    "deep nesting": (set_in("estimator", "parameters", "alpha", nested(200)), "nested too deeply"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "message"), FORGERIES.values(), ids=FORGERIES)
def test_a_forged_file_with_a_right_checksum_is_refused(change: Any, message: str, tmp_path: Path) -> None:
    table_model().save(tmp_path / "m")
    forged(tmp_path / "m", change)
    with pytest.raises(ModelFileError, match=message):
        load(tmp_path / "m")


def test_nan_in_a_file_with_a_right_checksum_is_refused(tmp_path: Path) -> None:
    from safetensors.numpy import save as to_bytes

    arrays = {"weights.0": np.array([[np.nan]], dtype=np.float32)}
    config = json.dumps({"format": "rosenblatt model", "version": 1, "kind": "estimator", "state": {}})
    (tmp_path / "m").write_bytes(to_bytes(arrays, metadata={"rosenblatt": f"{digest(config, arrays)} {config}"}))
    with pytest.raises(ModelFileError, match=r"'weights.0' holds NaN"):
        load(tmp_path / "m")


def test_a_header_nested_a_million_deep_is_refused(tmp_path: Path) -> None:
    bomb = b'{"a":' + b"[" * 10**6
    (tmp_path / "m").write_bytes(len(bomb).to_bytes(8, "little") + bomb)
    with pytest.raises(ModelFileError, match="JSON is damaged"):
        load(tmp_path / "m")


def test_loading_imports_opens_and_executes_nothing_from_the_file(tmp_path: Path) -> None:
    table_model().save(tmp_path / "m")
    load(tmp_path / "m")  # what is imported lazily is imported now
    events: list[str] = []
    watching = True

    def watch(event: str, arguments: Any) -> None:
        forbidden = ("exec", "compile", "import", "open", "pickle.find_class", "marshal.loads", "subprocess.Popen")
        if watching and event in forbidden and not (event == "open" and isinstance(arguments[0], int)):
            events.append(f"{event} {arguments[0]}")

    sys.addaudithook(watch)
    load(tmp_path / "m")
    watching = False
    assert events == [f"open {tmp_path / 'm'}"]


def test_a_model_with_nan_is_not_saved(tmp_path: Path) -> None:
    model = fitted(MLPClassifier((5,), max_iter=5), X, Y)
    model.coefs_[0][0, 0] = np.nan
    with pytest.raises(ModelFileError, match=r"holds NaN or infinity in weights.0; such a model is not saved"):
        save(model, tmp_path / "m")
    assert list(tmp_path.iterdir()) == []


def test_only_what_can_be_loaded_is_saved(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"save takes a fitted TableModel, .*, not <class 'rosenblatt.*Perceptron'>"):
        save(fitted(Perceptron(), X, Y), tmp_path / "m")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "uint64", "float32", "bool"])
def test_classes_keep_their_dtype(dtype: str, tmp_path: Path) -> None:
    model = fitted(MLPClassifier((3,), max_iter=1), X, (Y > 0).astype(dtype))
    save(model, tmp_path / "m")
    again = load(tmp_path / "m")
    assert again.classes_.dtype == model.predict(X).dtype == again.predict(X).dtype == dtype


def test_a_foreign_class_of_the_same_name_is_told_apart(tmp_path: Path) -> None:
    from sklearn.neural_network import MLPClassifier as Other

    with pytest.raises(TypeError, match=r"of rosenblatt, not <class 'sklearn\.neural_network\..*MLPClassifier'>"):
        save(Other(), tmp_path / "m")
