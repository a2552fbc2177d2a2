# ruff: noqa: E501 (one case per line)
"""Model files: what is saved comes back the same; what is damaged or forged is refused."""

from __future__ import annotations

import json
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.datasets import load_diabetes, load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import balanced_accuracy_score, make_scorer

import rosenblatt
from rosenblatt import learn, nn
from rosenblatt.estimators import LogisticRegression, MLPClassifier, MLPRegressor
from rosenblatt.nn.activations import ACTIVATIONS
from rosenblatt.persistence.objects import decode, encode
from rosenblatt.persistence.save_load import ModelFileError, load, model_from_bytes, save
from rosenblatt.search import MLPSearchCV
from rosenblatt.storage.container import FORMAT_VERSION, digest, pack, unpack
from rosenblatt.tables import TableError

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


def tabular(**parameters: Any) -> Any:
    return learn(small_table(), "y", **{"hidden_layer_sizes": (2,), "members": 1, "max_iter": 2, **parameters})


def estimator() -> MLPClassifier:
    """Two classes by one hidden layer of four."""
    X, y = IRIS
    return fitted(MLPClassifier((4,), max_iter=3, random_state=0), X[:100, :2], y[:100])


def multilabel() -> Any:
    X, y = IRIS
    return fitted(MLPClassifier((5,), max_iter=5, random_state=0), X, np.column_stack([y > 0, y > 1]).astype(int))


def layer_by_layer(**parameters: Any) -> MLPClassifier:
    """Something of everything that is given for each layer, and objects wherever they can stand."""
    given: dict[str, Any] = {
        "activation": (nn.LeakyReLU(0.1), "prelu", nn.GELU("tanh")),
        "normalization": ("batch", None, "layer"),
        "dropout": [0.1, 0.0, 0.2],
        "max_norm": (0.0, 3.0, 0.0),
        "weight_init": (nn.Orthogonal(gain=1.5), nn.DataDriven(nn.HeUniform()), "lecun_normal", None),
        "bias_init": nn.Constant(0.1),
        "solver": nn.RMSProp(momentum=0.5),
        "learning_rate": nn.Warmup(2, nn.Piecewise((3.0, 4.0), (0.5, 0.1))),
        "loss": nn.Focal(gamma=1.5),
        "class_weight": {0: 1.0, 1: 2.0, 2: 0.5},
        "scoring": "balanced_accuracy",
        "early_stopping": True,
        "gradient_statistics": True,
        "ema_decay": 0.5,
        "n_iter_no_change": np.inf,
    }
    return MLPClassifier((6, 5, 4), max_iter=6, random_state=0, **{**given, **parameters})


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
    "sparse rows and labels": lambda: fitted(
        MLPClassifier((5,), max_iter=5), sp.csr_matrix(X), sp.csr_matrix(np.column_stack([Y > 0, Y > 1]))
    ),
    "layer by layer": lambda: fitted(layer_by_layer(), X, Y),
    "hinge": lambda: fitted(MLPClassifier((5,), max_iter=5, loss="hinge"), X, NAMES[Y]),
    "hinge, two classes, step": lambda: fitted(
        MLPClassifier((5,), max_iter=5, loss="hinge", output_activation="step"), X, Y > 0
    ),
    "raw logits, two classes": lambda: fitted(MLPClassifier((5,), max_iter=5, output_activation="identity"), X, Y > 1),
    "squared error of classes": lambda: fitted(
        MLPClassifier((5,), max_iter=5, loss=nn.SquaredError(), output_activation="tanh"), X, Y
    ),
    "one class": lambda: fitted(MLPClassifier((5,), max_iter=5), X, np.zeros(len(X))),
    "quantiles of two targets": lambda: fitted(
        MLPRegressor(nn.Quantile((0.1, 0.5, 0.9)), (5,), max_iter=5), X, np.column_stack([Y, -Y])
    ),
    "mean and variance": lambda: fitted(MLPRegressor("gaussian_nll", (5,), max_iter=5), X, Y),
    "mean and variance, two targets": lambda: fitted(
        MLPRegressor(nn.GaussianNLL(), (5,), max_iter=5), X, np.column_stack([Y, -Y])
    ),
    "huber, softplus": lambda: fitted(
        MLPRegressor(nn.Huber(2.0), (5,), max_iter=5, output_activation="softplus"), X, Y
    ),
    "record of a loss": lambda: fitted(MLPRegressor(nn.Tweedie(), [5], ["elu"], max_iter=5, input_noise=0.1), X, Y),
    "a transformation no longer": lambda: fitted(
        fitted(MLPRegressor(max_iter=2, target_transform="log"), X, Y + 1.0).set_params(target_transform=None),
        X,
        X[:, :2],
    ),
    "logistic": lambda: fitted(LogisticRegression(class_weight={0: 1.0, 1: 2.0, 2: 3.0}), X, Y),
    "logistic, two classes": lambda: fitted(LogisticRegression(solver="adam", max_iter=5), X, Y > 0),
}


def assert_same(ours: Any, theirs: Any) -> None:
    """The same bits in the same kind of matrix."""
    assert (type(ours), ours.dtype) == (type(theirs), theirs.dtype)
    np.testing.assert_array_equal(*(a.toarray() if sp.issparse(a) else a for a in (ours, theirs)))


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_an_estimator_comes_back_the_same(make: Any, tmp_path: Path) -> None:
    model = make()
    rosenblatt.save(model, tmp_path / "model.safetensors")
    again = rosenblatt.load(tmp_path / "model.safetensors")
    assert type(again) is type(model)
    assert repr(again) == repr(model)
    data = DIABETES[0] if model.n_features_in_ == 10 else X
    assert_same(again.predict(data), model.predict(data))
    if hasattr(model, "predict_proba"):
        np.testing.assert_array_equal(again.predict_proba(data), model.predict_proba(data))
        assert again.classes_.dtype == model.classes_.dtype
    for name in ("loss_curve_", "best_loss_", "n_iter_", "t_", "validation_scores_"):
        assert getattr(again, name, "none") == getattr(model, name, "none")
    if hasattr(model, "history_"):
        assert repr(again.history_) == repr(model.history_)
        assert list(again.history_) == list(model.history_)
        for name, column in model.history_.items():
            np.testing.assert_array_equal(again.history_[name], column)
    assert again.network.spec == model.network.spec
    for (name, array), (wanted, expected) in zip(
        again.network.named_parameters(), model.network.named_parameters(), strict=True
    ):
        assert name == wanted
        np.testing.assert_array_equal(array, expected)


@pytest.mark.parametrize(
    ("model", "y"),
    [
        (layer_by_layer(), Y),
        (
            layer_by_layer(
                solver=nn.SGD(momentum=0.5, nesterov=False), learning_rate=nn.Plateau(patience=1), loss="log_loss"
            ),
            Y,
        ),
        (MLPRegressor(nn.Quantile((0.2, 0.8)), (5,), max_iter=4, solver=nn.AdamW(weight_decay=0.1), random_state=1), Y),
        (MLPRegressor("gaussian_nll", (5,), max_iter=4, learning_rate=nn.OneCycle(), random_state=1), Y + 0.5),
        (LogisticRegression(solver="adam", max_iter=4, random_state=1), Y),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_loaded_estimator_fits_as_the_stored_one_does(model: Any, y: Any, tmp_path: Path) -> None:
    model = fitted(model, X, y)
    save(model, tmp_path / "m")
    again = fitted(load(tmp_path / "m"), X, y)
    assert again.loss_curve_ == model.loss_curve_
    assert_same(again.predict(X), model.predict(X))
    assert again.score(X, y) == model.score(X, y)


def test_standard_deviations_come_back(tmp_path: Path) -> None:
    model = fitted(MLPRegressor(nn.GaussianNLL(), (5,), max_iter=5, random_state=0), X, np.column_stack([Y, -Y]))
    save(model, tmp_path / "m")
    for ours, theirs in zip(
        load(tmp_path / "m").predict(X, return_std=True), model.predict(X, return_std=True), strict=True
    ):
        assert_same(ours, theirs)


def test_a_factor_of_an_earlier_fit_is_not_stored(tmp_path: Path) -> None:
    save(MODELS["a transformation no longer"](), tmp_path / "m")
    assert not hasattr(load(tmp_path / "m"), "smearing_factor_")


def test_the_path_of_checkpoints_is_not_stored(tmp_path: Path) -> None:
    for folder in (str(tmp_path / "a"), tmp_path / "b"):
        model = MLPClassifier((3,), max_iter=2, checkpoint=folder, checkpoint_every=2, random_state=0)
        save(fitted(model, X, Y), tmp_path / "m")
        again = load(tmp_path / "m")
        assert (again.checkpoint, again.checkpoint_every) == (None, 2)
        assert_same(again.predict_proba(X), model.predict_proba(X))


def test_a_warm_start_goes_on_from_the_loaded_network(tmp_path: Path) -> None:
    model = fitted(layer_by_layer(warm_start=True, early_stopping=False, scoring=None), X, Y)
    save(model, tmp_path / "m")
    again = load(tmp_path / "m")
    means = again.network["hidden1_norm.mean"].copy()
    fitted(again, X, Y)
    assert len(again.loss_curve_) == 2 * len(model.loss_curve_)
    assert (again.network["hidden1_norm.mean"] != means).any()


OBJECTS: list[Any] = [
    *(nn.SGD(momentum=0, nesterov=False), nn.Adam(beta_1=0.5), nn.AdamW(), nn.Nadam(), nn.RMSProp(), nn.AdaGrad()),
    *(nn.Exponential(), nn.Power(2.0), nn.Piecewise([1, 2], [0.5, 0.1]), nn.Plateau(patience=3), nn.Cosine(cycles=2)),
    *(nn.OneCycle(), nn.CosLog(), nn.Warmup(), nn.Warmup(1, nn.Warmup(2, nn.Cosine(0.1)))),
    *(nn.LeakyReLU(0.2), nn.PReLU(), nn.ELU(), nn.CELU(2.0), nn.GELU("tanh"), nn.Step(), ACTIVATIONS["mish"]),
    *(nn.Constant(0.5, force=True), nn.Normal(2.0), nn.DataDriven(nn.Uniform(0.1)), nn.Zeros()),
    *(nn.Quantile((0.1, 0.9)), nn.Huber(2.0), nn.SoftmaxCrossEntropy(0.1), nn.Hinge()),
]


@pytest.mark.parametrize("value", OBJECTS, ids=lambda value: getattr(value, "__name__", repr(value)))
def test_objects_of_the_library_come_back_equal(value: Any) -> None:
    stored = json.loads(json.dumps(encode([value, (value, 1)], "x")))
    ((tag, _),) = stored[0].items()
    again = decode(stored, tag)
    assert again == [value, (value, 1)]
    assert repr(again[0]) == repr(value)
    with pytest.raises(ModelFileError, match="unknown form"):
        decode(stored)


class Mine(nn.SGD):
    """A user's own class."""


def own(b: Any, x: Any) -> Any:
    """A user's own function of more ops than a file may hold."""
    for _ in range(2001):
        x = -x
    return x


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            {"activation": ("relu", own, "relu")},
            r"activation of layer 'hidden2' is a function, own, that cannot be .*holds no code",
        ),
        ({"weight_init": [lambda rng, shape: rng.normal(size=shape)] * 4}, r"parameter 'weight_init' is a function"),
        ({"solver": Mine()}, r"parameter 'solver' is a Mine, which a model file cannot hold"),
        ({"scoring": lambda model, X, y: 0.5}, r"parameter 'scoring' is a function"),
        ({"scoring": make_scorer(balanced_accuracy_score)}, r"parameter 'scoring' is a function"),
    ],
)
def test_what_is_the_users_own_is_refused_by_name(parameters: Any, message: str, tmp_path: Path) -> None:
    model = fitted(layer_by_layer(**parameters), X, Y)
    with pytest.raises(ModelFileError, match=message):
        save(model, tmp_path / "m")
    assert list(tmp_path.iterdir()) == []


def test_a_file_holds_the_parameters_of_the_fit(tmp_path: Path) -> None:
    model = fitted(MLPRegressor(hidden_layer_sizes=(3,), max_iter=2), X, Y)
    expected = model.predict(X)
    model.set_params(loss="gaussian_nll", target_transform="log")
    save(model, tmp_path / "m")
    again = load(tmp_path / "m")
    assert (again.loss, again.target_transform) == ("squared_error", None)
    np.testing.assert_array_equal(again.predict(X), expected)
    np.testing.assert_array_equal(again.set_params(loss="gaussian_nll").predict(X), expected)


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
def test_a_model_of_tables_comes_back_the_same(target: str, tmp_path: Path) -> None:
    table = {**small_table(), "n": np.arange(120) % 3}
    if target == "x":
        table["x"] = np.nan_to_num(table["x"])
    model = learn(table, target, hidden_layer_sizes=(4,), members=2, max_iter=3)
    save(model, tmp_path / "model.safetensors")
    again = load(tmp_path / "model.safetensors")
    assert (again.target_name_, str(again.report())) == (target, str(model.report()))
    np.testing.assert_array_equal(again.predict(table), model.predict(table))


def test_other_libraries_can_read_the_tensors(tmp_path: Path) -> None:
    from safetensors.numpy import load_file

    model = fitted(MLPClassifier((5,), max_iter=5), X, Y)
    save(model, tmp_path / "m.safetensors")
    tensors = load_file(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(tensors["output.weights"], model.coefs_[1])
    np.testing.assert_array_equal(tensors["hidden1.biases"], model.intercepts_[0])


VALUES = [None, True, 3, -1.5, np.inf, "x", (1, (2, "a")), [1.0, None], {0: 1.0, "a": 2}, float("-inf")]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_values_come_back_with_their_type(value: Any) -> None:
    again = decode(json.loads(json.dumps(encode(value, "x"))))
    assert again == value
    assert type(again) is type(value)


def refuses(data: bytes, table: Any, expected: Any) -> bool:
    """Whether the bytes are refused; bytes that are not refused must be the same model."""
    try:
        model = model_from_bytes(data)
    except ModelFileError:
        return True
    np.testing.assert_array_equal(model.predict_proba(table), expected)
    assert model.predict(table).tolist() == model.classes_[expected.argmax(axis=1)].tolist()
    return False


@pytest.fixture(name="valid", scope="module", params=["estimator", "tabular"])
def _valid(request: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, Any, Any]:
    """A small file, rows to predict, and the predictions."""
    path = tmp_path_factory.mktemp("valid") / "m"
    model, rows = (estimator(), IRIS[0][:20, :2]) if request.param == "estimator" else (tabular(), small_table(20))
    save(model, path)
    return path.read_bytes(), rows, model.predict_proba(rows)


def test_every_flipped_byte_is_noticed(valid: Any) -> None:
    data, table, expected = valid
    header = 8 + int.from_bytes(data[:8], "little")
    harmless = 0
    places = range(len(data)) if len(data) < 5000 else range(0, len(data), 7)
    for place in places:
        for mask in (0x01, 0x20, 0xFF):
            refused = refuses(data[:place] + bytes([data[place] ^ mask]) + data[place + 1 :], table, expected)
            harmless += not refused
            assert refused or place < header, f"byte {place}"
    assert harmless < 60  # blanks that pad the header


def test_every_shortened_file_is_refused(valid: Any) -> None:
    data, table, expected = valid
    step = 1 if len(data) < 5000 else 7
    assert all(refuses(data[:length], table, expected) for length in range(0, len(data), step))


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


@pytest.mark.long
def test_junk_anywhere_with_a_right_checksum_is_refused_or_gives_a_model_that_works(valid: Any, tmp_path: Path) -> None:
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
            save(model, tmp_path / "again")
    assert n_refused > 0.8 * n_tried


def forged(path: Path, change: Any) -> None:
    """Rewrite a valid file with a changed configuration and a right checksum: only validation can refuse it."""
    kind, state, arrays = unpack(path.read_bytes())
    arrays = {name: array.copy() for name, array in arrays.items()}
    change(state, arrays)
    path.write_bytes(packed(kind, state, arrays))


def packed(kind: str, state: Any, arrays: Any) -> bytes:
    """What `pack` gives, without its own checks."""
    from safetensors.numpy import save as to_bytes

    config = json.dumps({"format": "rosenblatt model", "version": FORMAT_VERSION, "kind": kind, "state": state})
    return to_bytes(arrays, metadata={"rosenblatt": f"{digest(config, arrays)} {config}"})


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
    return set_in("attributes", "classes_", {"array": items, "dtype": dtype})


def nested(depth: int) -> list[Any]:
    """A list in a list in a list ..."""
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


def set_array(name: str, shape: Any) -> Any:
    """A change of one tensor's shape."""
    return lambda state, arrays: arrays.update({name: np.zeros(shape, np.float32)})


def tagged(tag: str, name: str, **parameters: Any) -> dict[str, Any]:
    """An object of the library as it is stored."""
    return {tag: {"name": name, "parameters": parameters}}


SGD = tagged("optimizer", "sgd", momentum=0.5, nesterov=True, weight_decay=0.0)
NAN_SCHEDULE = tagged("schedule", "piecewise", boundaries={"tuple": [{"float": "nan"}]}, factors={"tuple": [0.5]})
FORGERIES = {
    "another class": (set_in("class", "Perceptron"), "holds a 'Perceptron'"),
    "an attribute as class": (set_in("class", "__builtins__"), "known are"),
    "unknown parameter": (set_in("parameters", "evil", 1), "has no parameter 'evil'"),
    "invalid parameter": (set_in("parameters", "alpha", -1.0), "'alpha' parameter"),
    "unknown attribute": (set_in("attributes", "predict", "x"), "attribute 'predict' is unknown"),
    "attribute of wrong type": (set_in("attributes", "n_iter_", "x"), "attribute 'n_iter_'"),
    "huge layers": (set_in("network", "spec", "hidden", [10**12]), "do not fit the layers"),
    "many layers": (set_in("network", "spec", "hidden", [1] * 10**5), "800000 layers, connections and heads; a file of this size may hold 4000"),
    "negative layers": (set_in("network", "spec", "hidden", [-4]), "a size in hidden is -4; it must be a positive integer"),
    "unknown activation": (set_in("network", "spec", "activation", "evil"), "evil"),
    "unknown output": (set_in("network", "spec", "output", "evil"), "evil"),
    "another output": (set_in("network", "spec", "output", "tanh"), "out_activation_ is not that"),
    "another estimator's network": (set_in("network", {"dtype": "float32", "frozen": []}), "either a spec or"),
    "an object where a number is": (set_in("parameters", "alpha", SGD), "a value has an unknown form"),
    "an optimizer as activation": (set_in("parameters", "activation", SGD), "a value has an unknown form"),
    "unknown optimizer": (set_in("parameters", "solver", tagged("optimizer", "os.system")), "the name in the state of an optimizer is 'os.system'"),
    "invalid optimizer": (set_in("parameters", "solver", tagged("optimizer", "sgd", momentum=7)), "momentum is 7"),
    "optimizer of another form": (set_in("parameters", "solver", {"optimizer": 1}), "the state of an optimizer is 1"),
    "invalid schedule": (set_in("parameters", "learning_rate", tagged("schedule", "piecewise", boundaries=1)), "no valid schedule"),
    "schedule of NaN": (set_in("parameters", "learning_rate", NAN_SCHEDULE), "no valid schedule: the state of a schedule is .*nan"),
    "unknown loss": (set_in("parameters", "loss", tagged("loss", "evil")), "no valid loss: .*'evil'"),
    "history of text": (set_in("attributes", "history_", {"dict": [["loss", ["x"]]]}), "attribute 'history_'"),
    "uneven history": (set_in("attributes", "history_", {"dict": [["a", [1.0]], ["b", []]]}), "attribute 'history_'"),
    "no labels": (lambda state, arrays: state.pop("labels"), "an entry on labels"),
    "labels of another form": (set_in("labels", {"multilabel": 1, "sparse": 0}), "true or false"),
    "several labels": (set_in("labels", {"multilabel": True, "sparse": False}), "classes do not fit"),
    "another dtype": (set_in("network", "dtype", "float32"), "not of the network's type"),
    "features": (set_in("attributes", "n_features_in_", 99), "n_features_in_"),
    "classes": (set_classes([0, 1, 2]), "classes do not fit"),
    "unsorted classes": (set_classes([1, 0]), "sorted"),
    "class objects": (set_classes([[]], "object"), "array of 'object'"),
    "a class too large": (set_classes([0, 300], "int8"), "no int8"),
    "an array of records": (set_classes([0], "i4,i4"), "other values"),
    "tensor missing": (lambda state, arrays: arrays.pop("hidden1.biases"), "do not fit the layers"),
    "tensor too many": (lambda state, arrays: arrays.update(extra=np.zeros(1)), "do not fit the layers"),
    "tensor of another shape": (set_array("hidden1.biases", (4, 1)), "do not fit the layers"),
    "no state": (lambda state, arrays: state.clear(), "lacks"),
    "deep nesting": (set_in("parameters", "alpha", nested(200)), "nested too deeply"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "message"), FORGERIES.values(), ids=FORGERIES)
def test_a_forged_file_with_a_right_checksum_is_refused(change: Any, message: str, tmp_path: Path) -> None:
    save(estimator(), tmp_path / "m")
    forged(tmp_path / "m", change)
    with pytest.raises(ModelFileError, match=message):
        load(tmp_path / "m")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("loss", "gaussian_nll", r"loss='gaussian_nll' has 2 outputs for each target, .* has 1\. Fit again"),
        ("target_transform", "log", r"target_transform needs a smearing_factor_ .* Fit again"),
    ],
)
def test_forged_parameters_that_contradict_the_network_are_refused(
    name: str, value: str, message: str, tmp_path: Path
) -> None:
    save(fitted(MLPRegressor(hidden_layer_sizes=(3,), max_iter=2), X, Y), tmp_path / "m")
    forged(tmp_path / "m", set_in("parameters", name, value))
    with pytest.raises(ModelFileError, match=message):
        load(tmp_path / "m")


def test_nan_in_a_file_with_a_right_checksum_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(packed("estimator", {}, {"weights.0": np.array([[np.nan]], dtype=np.float32)}))
    with pytest.raises(ModelFileError, match=r"'weights.0' holds NaN"):
        load(tmp_path / "m")


def test_a_header_nested_very_deep_is_refused(tmp_path: Path) -> None:
    bomb = b'{"a":' + b"[" * 10**5
    (tmp_path / "m").write_bytes(len(bomb).to_bytes(8, "little") + bomb)
    with pytest.raises(ModelFileError, match="JSON is damaged"):
        load(tmp_path / "m")


def test_loading_imports_opens_and_executes_nothing_from_the_file(tmp_path: Path, events_of: Any) -> None:
    save(tabular(), tmp_path / "m")
    load(tmp_path / "m")  # what is imported lazily is imported now
    assert events_of(lambda: load(tmp_path / "m")) == [f"open {tmp_path / 'm'}"]


def test_a_model_with_nan_is_not_saved(tmp_path: Path) -> None:
    model = fitted(MLPClassifier((5,), max_iter=5), X, Y)
    model.coefs_[0][0, 0] = np.nan
    with pytest.raises(ModelFileError, match=r"holds NaN or infinity in hidden1.weights; such a model is not saved"):
        save(model, tmp_path / "m")
    assert list(tmp_path.iterdir()) == []


def test_only_what_can_be_loaded_is_saved(tmp_path: Path) -> None:
    with pytest.raises(
        TypeError, match=r"save takes a fitted MLPClassifier, .*, not <class 'rosenblatt.*MLPSearchCV'>"
    ):
        save(MLPSearchCV(MLPClassifier()), tmp_path / "m")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "uint64", "float32", "bool"])
def test_classes_keep_their_dtype(dtype: str, tmp_path: Path) -> None:
    model = fitted(MLPClassifier((3,), max_iter=1), X, (Y > 0).astype(dtype))
    save(model, tmp_path / "m")
    again = load(tmp_path / "m")
    assert again.classes_.dtype == model.predict(X).dtype == again.predict(X).dtype == dtype


def test_a_foreign_class_of_the_same_name_is_told_apart(tmp_path: Path) -> None:
    from sklearn.neural_network import MLPClassifier as Other

    with pytest.raises(TypeError, match=r"of rosenblatt, .*, not <class 'sklearn\.neural_network\..*MLPClassifier'>"):
        save(Other(), tmp_path / "m")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_perceptron_of_rows_of_any_float_is_read_again(tmp_path, dtype, n_classes):
    """Of float32 rows and two classes, scikit-learn makes weights of float32 and a threshold of float64."""
    X, y = IRIS[0].astype(dtype), np.minimum(IRIS[1], n_classes - 1)
    model = rosenblatt.Perceptron(random_state=0).fit(X, y)
    save(model, tmp_path / "m")
    found = load(tmp_path / "m")
    np.testing.assert_array_equal(found.decision_function(X), model.decision_function(X))
    assert (found.coef_.dtype, found.intercept_.dtype) == (model.coef_.dtype, model.intercept_.dtype)
