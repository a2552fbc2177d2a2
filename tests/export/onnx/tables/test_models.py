"""Exported tabular models predict what the models predict, from raw columns."""

import json
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
import onnx
import onnxruntime
from tests.export.onnx.tables.runs import Both, as_feed

import rosenblatt
from rosenblatt import TabularClassifier, TabularRegressor
from rosenblatt.export import to_onnx
from rosenblatt.export.onnx.tables.models import tabular_model

RNG = np.random.default_rng(0)
N = 160
FRAME = pd.DataFrame(
    {
        "size": np.where(RNG.random(N) < 0.1, np.nan, RNG.normal(1e5, 1e4, N)),
        "count": RNG.integers(0, 99, N),
        "sign": RNG.choice(["a", "b"], N),
        "few": RNG.choice(["x", "y", "z", None], N),
        "many": RNG.choice([f"level {i}" for i in range(30)], N),
        "flag": RNG.random(N) < 0.5,
        "day": pd.Timestamp("2020-01-01") + pd.to_timedelta(RNG.integers(0, 900, N), unit="D"),
    }
)
CLASS = (FRAME["size"].fillna(0) > 1e5).to_numpy().astype(int) + (FRAME.few == "x").to_numpy()
AMOUNT = np.exp(RNG.normal(size=N)) * (1 + CLASS)
QUICK = {"max_iter": 2, "hidden_layer_sizes": (8,), "members": 2}


def columns_of(frame):
    """A frame's cells as lists, None where they are missing."""
    return {name: [None if pd.isna(cell) else cell for cell in frame[name]] for name in frame}


def check(model, frame=FRAME, **options):
    """Compare both evaluators with the model; the outputs of onnxruntime."""
    proto = tabular_model(model, **options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        predicted = model.predict(frame)
        expected = model.predict_proba(frame) if hasattr(model, "classes_") else predicted.reshape(len(frame), -1)
    runs = Both(proto)(as_feed(proto, columns_of(frame)))
    for outputs in runs:
        *labels, numbers = outputs.values()
        assert numbers.dtype == np.float64
        np.testing.assert_allclose(numbers, expected, rtol=1e-5, atol=2e-6 * np.abs(expected).max())
        if labels:
            np.testing.assert_array_equal(labels[0].astype(str), predicted.astype(str))
    return runs[0]


def changed(frame):
    """Rows with what training did not see."""
    new = frame.iloc[:8].copy().astype({"count": float, "flag": object})
    new.loc[0, ["size", "count"]] = np.inf, np.nan
    new.loc[1, ["few", "many", "flag"]] = "unseen", "unseen", None
    new.loc[2, "day"] = pd.NaT
    new.loc[3, ["size", "count"]] = -1e300, -np.inf
    return new


CLASSES = {
    "texts": (CLASS.astype(str), {}),
    "two": (np.array(["yes", "no"], object)[CLASS % 2], {}),
    "integers": (CLASS * 7 - 3, {"metric": "balanced_error"}),
    "booleans": (CLASS > 0, {"metric": "f1"}),
    "dates": (np.array(["2020-01-01", "2020-01-02", "2021-01-01"], "datetime64[D]")[CLASS], {}),
    "ordered": (CLASS, {"ordered": True}),
    "ordered by name": (np.array(["low", "mid", "top"])[CLASS], {"ordered": ["top", "mid", "low"], "members": 1}),
}


@pytest.mark.parametrize("name", CLASSES)
def test_classes_and_probabilities(name):
    y, parameters = CLASSES[name]
    model = TabularClassifier(**QUICK | parameters).fit(FRAME, y)
    outputs = check(model)
    assert list(outputs) == ["label", "probabilities"]
    kinds = {"integers": "i", "ordered": "i", "booleans": "b"}
    assert outputs["label"].dtype.kind == kinds.get(name, "O")
    check(model, changed(FRAME))


def test_decision_weights_choose_the_label():
    model = TabularClassifier(**QUICK, metric="f1").fit(FRAME, CLASS)
    before = check(model)["label"]
    model.decision_weights_ = np.array([1.0, 1.0, 16.0])
    after = check(model)["label"]
    assert (after == 2).sum() > (before == 2).sum()


REGRESSIONS = {
    "means": (AMOUNT, {}),
    "one member": (AMOUNT - 2, {"members": 1}),
    "logarithms": (AMOUNT, {"target_transform": "log"}),
    "medians": (AMOUNT, {"loss": "absolute_error"}),
    "counts": (RNG.poisson(AMOUNT), {"loss": "poisson"}),
    "quantiles": (AMOUNT, {"quantiles": (0.1, 0.5, 0.9)}),
    "two targets": (np.column_stack([AMOUNT, CLASS - 5.0]), {}),
}


@pytest.mark.parametrize("name", REGRESSIONS)
def test_numbers(name):
    y, parameters = REGRESSIONS[name]
    model = TabularRegressor(**QUICK | parameters).fit(FRAME, y)
    assert list(check(model)) == ["variable"]
    check(model, changed(FRAME))


def test_what_predictions_do_not_need_is_no_input(tmp_path):
    frame = FRAME.assign(customer=[f"c{i % 20}" for i in range(N)], weight=1.0 + CLASS, y=CLASS)
    model = TabularClassifier(**QUICK).fit(frame, "y", "weight", groups="customer")
    check(model, frame)
    assert {one.name for one in tabular_model(model).graph.input} == set(FRAME)
    model = TabularRegressor(**QUICK).fit(FRAME.assign(y=AMOUNT, when=np.arange(N) * 0.5), "y", time="when")
    check(model)


def test_a_model_that_was_trained_block_by_block(tmp_path):
    frame = pd.concat([FRAME.assign(y=CLASS.astype(str))] * 2, ignore_index=True)
    frame.to_parquet(tmp_path / "table.parquet")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = TabularClassifier(**QUICK, window=200).fit(tmp_path / "table.parquet", "y")
    check(model)


def test_the_file_of_a_loaded_model_is_the_same(tmp_path):
    model = TabularClassifier(**QUICK).fit(FRAME, CLASS)
    size = to_onnx(model, tmp_path / "model.onnx")
    data = (tmp_path / "model.onnx").read_bytes()
    assert len(data) == size
    rosenblatt.save(model, tmp_path / "model.rosenblatt")
    to_onnx(rosenblatt.load(tmp_path / "model.rosenblatt"), tmp_path / "again.onnx")
    assert (tmp_path / "again.onnx").read_bytes() == data
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    assert [one.shape for one in session.get_inputs()] == [["rows", 1]] * FRAME.shape[1]
    onnx.checker.check_model(onnx.load(tmp_path / "model.onnx"), full_check=True)


@pytest.mark.parametrize("n_rows", [0, 1])
def test_batches_of_hardly_any_row(n_rows):
    proto = tabular_model(TabularClassifier(**QUICK).fit(FRAME, CLASS))
    feed = {name: cells[:n_rows] for name, cells in as_feed(proto, columns_of(FRAME)).items()}
    for outputs in Both(proto)(feed):
        assert outputs["label"].shape == (n_rows,)
        assert outputs["probabilities"].shape == (n_rows, 3)


def test_arrays_without_names():
    X = FRAME[["size", "count"]].to_numpy()
    model = TabularRegressor(**QUICK).fit(X, AMOUNT)
    proto = tabular_model(model)
    assert [one.name for one in proto.graph.input] == ["x0", "x1"]
    check(model, pd.DataFrame(X, columns=["x0", "x1"]))


def test_a_column_may_be_called_like_an_output():
    frame = FRAME[["size", "sign"]].rename(columns={"size": "label", "sign": "label_"})
    outputs = check(TabularClassifier(**QUICK).fit(frame, CLASS), frame)
    assert list(outputs) == ["label__", "probabilities"]


def test_dates_need_no_operator_that_older_runtimes_lack():
    proto = tabular_model(TabularRegressor(**QUICK).fit(FRAME, AMOUNT))
    inferred = onnx.shape_inference.infer_shapes(proto).graph.value_info
    types = {one.name: one.type.tensor_type.elem_type for one in inferred}
    of = {op: {types[node.input[0]] for node in proto.graph.node if node.op_type == op} for op in ("Sin", "Cos")}
    assert onnx.TensorProto.DOUBLE in of["Sin"]
    assert onnx.TensorProto.DOUBLE not in of["Cos"]  # onnxruntime 1.17 has it in float32 only


def test_dates_as_integers():
    model = TabularRegressor(**QUICK).fit(FRAME, AMOUNT)
    proto = tabular_model(model, dates="integer")
    columns = columns_of(FRAME) | {"day": FRAME["day"].to_numpy("datetime64[us]").view(np.int64)}
    (outputs, _) = Both(proto)(as_feed(proto, columns))
    np.testing.assert_allclose(outputs["variable"][:, 0], model.predict(FRAME), rtol=1e-5)


def test_the_file_says_what_it_takes_and_gives():
    model = TabularClassifier(**QUICK).fit(FRAME.assign(kind=CLASS), "kind")
    facts = {one.key: one.value for one in tabular_model(model).metadata_props}
    assert facts["model"] == "TabularClassifier"
    assert facts["rosenblatt"] == rosenblatt.__version__
    assert json.loads(facts["target"]) == "kind"
    assert json.loads(facts["classes"]) == [0, 1, 2]
    columns = json.loads(facts["columns"])
    assert list(columns) == list(FRAME)
    assert columns["day"]["type"] == "string"
    assert "2020-12-31" in columns["day"]["holds"]
    model = TabularRegressor(**QUICK, quantiles=(0.25, 0.75)).fit(FRAME, AMOUNT)
    facts = {one.key: one.value for one in tabular_model(model).metadata_props}
    assert json.loads(facts["quantiles"]) == [0.25, 0.75]


def test_free_text_is_refused_before_anything_is_written(tmp_path):
    frame = FRAME.assign(note=[f"this sentence says {i} things" for i in range(N)])
    model = TabularClassifier(**QUICK).fit(frame, CLASS)
    with pytest.raises(ValueError, match="free text of column 'note'"):
        to_onnx(model, tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())


def test_what_is_no_model_of_a_table(tmp_path):
    with pytest.raises(NotFittedError):
        to_onnx(TabularClassifier(), tmp_path / "model.onnx")
    model = TabularRegressor(**QUICK).fit(FRAME, AMOUNT)
    with pytest.raises(ValueError, match="dates is 'days'; allowed are 'text' and 'integer'"):
        to_onnx(model, tmp_path / "model.onnx", dates="days")
    assert not list(tmp_path.iterdir())
