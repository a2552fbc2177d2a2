"""Saving and loading at their doors: wrong names, types and values of their parameters, and models of other kinds."""

from typing import Any

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from rosenblatt import LogisticRegression, Perceptron, TabularClassifier, load, nn, save
from rosenblatt.persistence.save_load import ModelFileError

X = np.random.default_rng(0).normal(size=(40, 2))
Y = (X[:, 0] > 0).astype(int)
MODELS: dict[str, Any] = {
    "Perceptron": Perceptron().fit(X, Y),
    "LogisticRegression": LogisticRegression().fit(X, Y),
    "TabularClassifier": TabularClassifier(members=1, max_iter=1, hidden_layer_sizes=(2,)).fit(X, Y),
    "Network": nn.Network(nn.Dense(1)(nn.input(2))),
    "Pipeline": make_pipeline(StandardScaler(), LogisticRegression()).fit(X, Y),
}


class Dense(nn.Dense):
    """The name of a layer of the library."""


class Mine(nn.Dense):
    """A layer of one's own."""


class Other(nn.Dense):
    """Another that calls itself Mine."""


Other.__name__ = "Mine"

SAVING: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "wrong name": ({"training_prediction": True}, TypeError, "Did you mean 'training_predictions'"),
    "text": ({"training_predictions": "no"}, TypeError, "training_predictions is 'no'; give True or False"),
    "number": ({"training_predictions": 1}, TypeError, "training_predictions is 1; give True or False"),
}
LOADING: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "wrong name": ({"customs": []}, TypeError, "Did you mean 'custom'"),
    "a class alone": ({"custom": Mine}, TypeError, r"give a list of classes of layers, such as custom=\[MyLayer\]"),
    "text": ({"custom": "Mine"}, TypeError, "custom is 'Mine'; give a list of classes of layers"),
    "names": ({"custom": ["Mine"]}, TypeError, "custom holds 'Mine'; give classes below nn.Layer"),
    "a mapping": ({"custom": {"Mine": Mine}}, TypeError, "give a list of classes"),
    "an instance": ({"custom": [Mine(2)]}, TypeError, "custom holds an instance of Mine; give classes"),
    "another class": ({"custom": [int]}, TypeError, "custom holds <class 'int'>; give classes below nn.Layer"),
    "None": ({"custom": None}, TypeError, "custom is None; give a list"),
    "a name of the library": (
        {"custom": [Dense]},
        ValueError,
        "your class Dense has the name of a layer",
    ),
    "one name twice": ({"custom": [Mine, Other]}, ValueError, "custom holds two classes called Mine; rename one"),
}


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize(("options", "error", "message"), SAVING.values(), ids=SAVING)
def test_what_save_refuses_it_refuses_of_all_models(
    model: Any, options: Any, error: Any, message: str, tmp_path: Any
) -> None:
    with pytest.raises(error, match=message):
        save(model, tmp_path / "m", **options)
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize(("options", "error", "message"), LOADING.values(), ids=LOADING)
def test_what_load_refuses_it_refuses_of_all_files(
    model: Any, options: Any, error: Any, message: str, tmp_path: Any
) -> None:
    save(model, tmp_path / "m")
    assert type(load(tmp_path / "m", custom=[Mine])) is type(model)
    with pytest.raises(error, match=message):
        load(tmp_path / "m", **options)


@pytest.mark.parametrize("model", [Perceptron, "text", None, 3, [1], StandardScaler().fit(X)], ids=str)
def test_what_is_no_model_is_refused(model: Any, tmp_path: Any) -> None:
    with pytest.raises(TypeError, match=r"save takes a fitted MLPClassifier, .* nn.Network of rosenblatt, or one of"):
        save(model, tmp_path / "m")


def test_an_absent_class_is_named_with_what_to_pass(tmp_path: Any) -> None:
    save(nn.Network(Mine(2)(nn.input(2))), tmp_path / "m")
    with pytest.raises(ModelFileError, match=r"'Mine', which is no layer of rosenblatt.nn .* custom=\[Mine\]"):
        load(tmp_path / "m")
