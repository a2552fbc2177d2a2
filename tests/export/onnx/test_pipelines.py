"""Pipelines in ONNX: what their last step gives, behind the other steps."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest
from sklearn.compose import make_column_transformer
from sklearn.exceptions import NotFittedError
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, StandardScaler
from tests.export.onnx.running import NUMBERS, RUNS, TEXTS, UNFINISHED, X, assert_close, runtime

from rosenblatt import LogisticRegression, MLPClassifier, MLPRegressor, Perceptron
from rosenblatt.export import to_onnx
from rosenblatt.export.onnx.exporting import onnx_model

pytest.importorskip("skl2onnx")
pytestmark = UNFINISHED


def classifier(**options):
    return MLPClassifier((5,), max_iter=5, random_state=0, **options)


def regressor(**options):
    return MLPRegressor(hidden_layer_sizes=(5,), max_iter=5, random_state=0, **options)


LAST = {
    "classes": (classifier(), TEXTS),
    "two classes": (classifier(), NUMBERS > 0),
    "floats": (classifier(), NUMBERS * 1.0),
    "wide integers": (classifier(), NUMBERS.astype(np.uint64) + 2**63),
    "dates": (classifier(), np.array(["2020-01-01", "2021-05-06", "1969-12-31"], "datetime64[D]")[NUMBERS]),
    "labels": (classifier(), np.eye(3, dtype=int)[NUMBERS]),
    "margins": (classifier(loss="hinge"), NUMBERS > 0),
    "logistic": (LogisticRegression(max_iter=5), NUMBERS),
    "numbers": (regressor(), X[:, :2]),
    "deviations": (regressor(loss="gaussian_nll"), X[:, :2]),
    "perceptron": (Perceptron(max_iter=5, tol=None), NUMBERS > 0),
}


def agree(pipeline, rows):
    """Check that both programs give, for a pipeline, what the model of its last step gives for prepared rows."""
    model, last = onnx_model(pipeline), onnx_model(pipeline[-1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        prepared = pipeline[:-1].transform(rows) if len(pipeline) > 1 else rows
        predicted = pipeline.predict(rows)
    expected = runtime(last, {"X": np.asarray(prepared, rows.dtype)})
    for program, run in RUNS.items():
        found = run(model, {"X": rows})
        assert list(found) == list(expected)
        for name, values in found.items():
            if name == "label":
                assert values.dtype == expected[name].dtype
                assert values.astype(str).tolist() == predicted.astype(str).tolist()
            else:
                assert_close(values, expected[name], f"{program}, {name}")
    return model, expected


@pytest.mark.parametrize(("last", "y"), LAST.values(), ids=LAST)
def test_a_pipeline_gives_what_its_last_step_gives(last, y):
    pipeline = make_pipeline(MinMaxScaler((-1, 1)), StandardScaler(), last).fit(X, y)
    model, _ = agree(pipeline, X * 1.5)
    facts = {p.key: p.value for p in model.metadata_props}
    assert facts["model"] == "Pipeline"
    assert ("classes" in facts) == hasattr(last, "classes_")


def test_the_file_names_the_columns_of_the_first_step():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["a", "b", "c", "ü"])
    model = onnx_model(make_pipeline(StandardScaler(), LogisticRegression(max_iter=5)).fit(frame, TEXTS))
    facts = {p.key: json.loads(p.value) for p in model.metadata_props if p.key in ("columns", "classes")}
    assert facts == {"columns": ["a", "b", "c", "ü"], "classes": ["a", "b", "c"]}


def test_steps_that_do_nothing_and_pipelines_within_pipelines():
    agree(make_pipeline("passthrough", StandardScaler(), None, classifier()).fit(X, TEXTS), X)
    agree(make_pipeline("passthrough", classifier()).fit(X, TEXTS), X)
    agree(make_pipeline(make_pipeline(StandardScaler(), MinMaxScaler()), classifier()).fit(X, TEXTS), X)
    inner = make_pipeline(StandardScaler(), make_pipeline(MinMaxScaler(), classifier()))
    found = runtime(onnx_model(inner.fit(X, TEXTS)), {"X": X})
    assert_close(found["probabilities"], inner.predict_proba(X))


def test_a_subclass_which_may_predict_otherwise_is_refused():
    class Mine(MLPClassifier):
        def __init__(self, hidden_layer_sizes=(4,), *, max_iter=3, random_state=0):
            super().__init__(hidden_layer_sizes, max_iter=max_iter, random_state=random_state)

    with pytest.raises(TypeError, match=r"not with .*Mine.*\. It is a subclass, .*; give an MLPClassifier\."):
        onnx_model(make_pipeline(StandardScaler(), Mine()).fit(X, TEXTS))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_missing_cells_are_filled_in_either_precision(dtype):
    rows = X.astype(dtype)
    rows[::7, 1] = rows[3, 2] = np.nan
    rows += dtype == "float64" and 1e9  # so that float32 would lose its digits
    agree(make_pipeline(SimpleImputer(), StandardScaler(), classifier(dtype=dtype)).fit(rows, TEXTS), rows)
    parts = make_column_transformer((SimpleImputer(strategy="median"), [1, 2]), remainder=StandardScaler())
    agree(make_pipeline(parts, StandardScaler(), classifier(dtype=dtype)).fit(rows, TEXTS), rows)


def test_columns_that_an_imputer_drops():
    rows = X.copy()
    rows[:, 1] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        agree(make_pipeline(SimpleImputer(), classifier()).fit(rows, TEXTS), rows)


def test_imputers_that_do_more_are_refused(tmp_path):
    rows = np.where(X > 40, np.nan, X)
    pipeline = make_pipeline(SimpleImputer(add_indicator=True), classifier()).fit(rows, TEXTS)
    with pytest.raises(ValueError, match="SimpleImputer has indicators"):
        to_onnx(pipeline, tmp_path / "m.onnx")
    assert not (tmp_path / "m.onnx").exists()


def test_columns_that_go_different_ways():
    scaled = make_column_transformer((StandardScaler(), [0, 1]), remainder="passthrough")
    pipeline = make_pipeline(scaled, LogisticRegression(max_iter=5)).fit(X, NUMBERS)
    found = runtime(onnx_model(pipeline), {"X": X})
    assert_close(found["probabilities"], pipeline.predict_proba(X))


def test_a_step_that_skl2onnx_cannot_convert_is_refused(tmp_path):
    pipeline = make_pipeline(FunctionTransformer(np.tanh), LogisticRegression(max_iter=5)).fit(X, NUMBERS)
    with pytest.raises(ValueError, match="skl2onnx cannot convert this pipeline"):
        to_onnx(pipeline, tmp_path / "m.onnx")
    assert not (tmp_path / "m.onnx").exists()


def test_a_pipeline_that_ends_with_another_estimator_is_refused():
    with pytest.raises(TypeError, match="ends with one of rosenblatt's estimators of arrays, not with"):
        onnx_model(make_pipeline(StandardScaler()).fit(X))


def test_a_pipeline_that_is_not_fitted():
    with pytest.raises(NotFittedError):
        onnx_model(make_pipeline(StandardScaler(), LogisticRegression()))
