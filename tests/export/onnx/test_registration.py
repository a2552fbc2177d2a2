"""The converters that skl2onnx is given."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tests.export.onnx.running import NUMBERS, TEXTS, UNFINISHED, X, assert_close, runtime

from rosenblatt import LogisticRegression, MLPClassifier, MLPRegressor, Perceptron
from rosenblatt.export import register_skl2onnx

skl2onnx = pytest.importorskip("skl2onnx")
pytestmark = UNFINISHED
LABELS = {
    "texts": TEXTS,
    "two": NUMBERS > 0,
    "floats": NUMBERS * 1.0,
    "wide": NUMBERS.astype(np.uint64) + 2**63,
    "dates": np.array(["2020-01-01", "2021-05-06", "1969-12-31"], "datetime64[D]")[NUMBERS],
}


@pytest.mark.parametrize("y", LABELS.values(), ids=LABELS)
def test_labels_of_all_kinds(y):
    register_skl2onnx()
    model = MLPClassifier((5,), max_iter=5, random_state=0).fit(X, y)
    found = runtime(skl2onnx.to_onnx(model, X[:1], options={"zipmap": False}), {"X": X})
    expected = model.predict(X)
    labels = found["label"].astype(str if found["label"].dtype == object else expected.dtype)
    assert labels.tolist() == expected.astype(labels.dtype).tolist()
    assert_close(found["probabilities"], model.predict_proba(X))


@pytest.mark.parametrize("y", [NUMBERS, NUMBERS > 0], ids=["three", "two"])
@pytest.mark.parametrize(
    "model",
    [
        MLPClassifier((5,), max_iter=20, random_state=0),
        MLPClassifier((5,), max_iter=20, random_state=0, loss="hinge"),
        LogisticRegression(max_iter=20),
        Perceptron(max_iter=5, tol=None),
    ],
    ids=["mlp", "hinge", "logistic", "perceptron"],
)
def test_steps_that_ask_for_scores_get_those_of_the_decision_function(model, y):
    register_skl2onnx()
    calibrated = CalibratedClassifierCV(model, cv=2).fit(X / 20, y)
    found = runtime(skl2onnx.to_onnx(calibrated, X[:1], options={"zipmap": False}), {"X": X / 20})
    assert_close(found["probabilities"], calibrated.predict_proba(X / 20))


def test_numbers():
    register_skl2onnx()
    model = MLPRegressor(loss="gaussian_nll", hidden_layer_sizes=(5,), max_iter=5, random_state=0).fit(X, X[:, :2])
    found = runtime(skl2onnx.to_onnx(model, X[:1]), {"X": X})
    assert list(found) == ["variable"]
    assert_close(found["variable"], model.predict(X))


def test_skl2onnx_knows_the_estimators_once_they_are_registered(tmp_path):
    register_skl2onnx()
    register_skl2onnx()
    pipeline = make_pipeline(StandardScaler(), MLPClassifier((5,), max_iter=5, dtype="float32")).fit(X, TEXTS)
    rows = X.astype(np.float32)
    found = runtime(skl2onnx.to_onnx(pipeline, rows[:1]), {"X": rows})
    assert list(found) == ["output_label", "output_probability"]
    first = pipeline.predict_proba(rows[:1])[0]
    assert found["output_probability"][0] == pytest.approx(dict(zip("abc", first, strict=True)), rel=1e-5)


def test_older_operators_are_refused():
    register_skl2onnx()
    model = LogisticRegression(max_iter=5).fit(X, NUMBERS)
    with pytest.raises(ValueError, match="target_opset=18 or later"):
        skl2onnx.to_onnx(model, X[:1], target_opset=15)
