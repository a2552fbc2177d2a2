"""Pipelines in ONNX: the converters that skl2onnx is given."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.compose import make_column_transformer
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, StandardScaler
from tests.export.onnx.running import RUNS, assert_close, runtime

from rosenblatt import LogisticRegression, MLPClassifier, MLPRegressor, Perceptron
from rosenblatt.export import register_skl2onnx, to_onnx
from rosenblatt.export.onnx.exporting import onnx_model

skl2onnx = pytest.importorskip("skl2onnx")
pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:Maximum number of iteration"),
]
RNG = np.random.default_rng(0)
X = RNG.normal(3, 20, size=(80, 4))
NUMBERS = (X[:, 0] > 0).astype(int) + (X[:, 1] > 5)
TEXTS = np.array(["a", "b", "c"])[NUMBERS]
LAST = {
    "classes": (MLPClassifier((5,), max_iter=5, random_state=0), TEXTS),
    "two classes": (MLPClassifier((5,), max_iter=5, random_state=0), NUMBERS > 0),
    "labels": (MLPClassifier((5,), max_iter=5, random_state=0), np.eye(3, dtype=int)[NUMBERS]),
    "logistic": (LogisticRegression(max_iter=5), NUMBERS),
    "numbers": (MLPRegressor(hidden_layer_sizes=(5,), max_iter=5, random_state=0), X[:, :2]),
    "perceptron": (Perceptron(max_iter=5, tol=None), NUMBERS > 0),
}


@pytest.mark.parametrize(("last", "y"), LAST.values(), ids=LAST)
def test_pipelines_are_converted_whole(last, y):
    pipeline = make_pipeline(MinMaxScaler((-1, 1)), StandardScaler(), last).fit(X, y)
    rows = X * 1.5
    model = onnx_model(pipeline)
    for program, run in RUNS.items():
        found = run(model, {"X": rows})
        if "variable" in found:
            assert_close(found["variable"], pipeline.predict(rows), program)
            continue
        assert found["label"].tolist() == pipeline.predict(rows).tolist(), program
        if hasattr(pipeline, "predict_proba"):
            assert_close(found["probabilities"], pipeline.predict_proba(rows), program)
        else:
            assert_close(found["probabilities"][:, 1], pipeline.decision_function(rows), program)


def test_skl2onnx_knows_the_estimators_once_they_are_registered(tmp_path):
    register_skl2onnx()
    register_skl2onnx()
    pipeline = make_pipeline(StandardScaler(), MLPClassifier((5,), max_iter=5, dtype="float32")).fit(X, TEXTS)
    rows = X.astype(np.float32)
    found = runtime(skl2onnx.to_onnx(pipeline, rows[:1]), {"X": rows})
    assert list(found) == ["output_label", "output_probability"]
    first = pipeline.predict_proba(rows[:1])[0]
    assert found["output_probability"][0] == pytest.approx(dict(zip("abc", first, strict=True)), rel=1e-5)


def test_columns_that_go_different_ways():
    register_skl2onnx()
    scaled = make_column_transformer((StandardScaler(), [0, 1]), remainder="passthrough")
    pipeline = make_pipeline(scaled, LogisticRegression(max_iter=5)).fit(X, NUMBERS)
    found = runtime(onnx_model(pipeline), {"X": X})
    assert_close(found["probabilities"], pipeline.predict_proba(X))


def test_a_step_that_skl2onnx_cannot_convert_is_refused(tmp_path):
    pipeline = make_pipeline(FunctionTransformer(np.tanh), LogisticRegression(max_iter=5)).fit(X, NUMBERS)
    with pytest.raises(ValueError, match="skl2onnx cannot convert this pipeline"):
        to_onnx(pipeline, tmp_path / "m.onnx")
    assert not (tmp_path / "m.onnx").exists()


def test_a_pipeline_that_is_not_fitted():
    with pytest.raises(NotFittedError):
        onnx_model(make_pipeline(StandardScaler(), LogisticRegression()))


def test_older_operators_are_refused():
    register_skl2onnx()
    model = LogisticRegression(max_iter=5).fit(X, NUMBERS)
    with pytest.raises(ValueError, match="target_opset=18 or later"):
        skl2onnx.to_onnx(model, X[:1], target_opset=15)
