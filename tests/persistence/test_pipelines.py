# ruff: noqa: E501 (one case per line)
"""Pipelines of scikit-learn in files: loaded, they predict the same bits; what is no plain data is refused by name."""

from __future__ import annotations

import copy
import pickle
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor, make_column_selector, make_column_transformer
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import InconsistentVersionWarning, NotFittedError
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfTransformer, TfidfVectorizer
from sklearn.feature_selection import SelectKBest, SelectPercentile, VarianceThreshold, chi2
from sklearn.impute import KNNImputer, MissingIndicator, SimpleImputer
from sklearn.pipeline import FeatureUnion, make_pipeline, make_union
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)

import rosenblatt
from rosenblatt import LogisticRegression, MLPClassifier, MLPRegressor, Perceptron, TabularClassifier, TabularRegressor
from rosenblatt.persistence.models import model_from_parts, model_parts
from rosenblatt.persistence.pipelines import VersionWarning
from rosenblatt.persistence.save_load import ModelFileError
from rosenblatt.persistence.transformers import SCORE_FUNCTIONS, TRANSFORMERS, UFUNCS

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4))
Y = np.array(["no", "yes"])[(X[:, 0] > 0).astype(int)]
GAPS = np.where(RNG.random((60, 4)) < 0.1, np.nan, X)
GAPS[5] = np.nan
CELLS = np.column_stack([RNG.choice(["a", "b", "c"], 60), RNG.choice(["x", "yy"], 60)]).astype(object)
HOLED = CELLS.copy()
HOLED[7, 0], HOLED[8, 1] = None, np.nan
TEXTS = [f"word{i % 5} and word{i % 3}" for i in range(60)]
TABLE = pd.DataFrame({"a": X[:, 0], "b": X[:, 1], "city": CELLS[:, 0], "note": TEXTS, "gap": GAPS[:, 2]})
QUICK: dict[str, Any] = {"hidden_layer_sizes": (3,), "max_iter": 2, "random_state": 0}
BINS = {"n_bins": 3, "quantile_method": "averaged_inverted_cdf"}

STEPS: list[tuple[Any, Any]] = [
    (StandardScaler(), X),
    (StandardScaler(with_mean=False), sp.csr_matrix(X)),
    (StandardScaler(with_std=False), GAPS[:4] * 0 + 1),
    (MinMaxScaler((-1, 2), clip=True), X),
    (MaxAbsScaler(), sp.csr_matrix(X)),
    (RobustScaler(quantile_range=(10, 90)), X),
    (RobustScaler(with_centering=False), sp.csr_matrix(X)),
    (Normalizer("l1"), X),
    (Binarizer(threshold=0.3), sp.csr_matrix(abs(X))),
    (PowerTransformer(), X),
    (PowerTransformer("box-cox", standardize=False), abs(X) + 0.1),
    (QuantileTransformer(n_quantiles=20, output_distribution="normal"), X),
    (PolynomialFeatures((2, 3), interaction_only=True), X),
    (PolynomialFeatures(2), sp.csr_matrix(X)),
    (KBinsDiscretizer(**BINS), X),
    (KBinsDiscretizer(encode="onehot-dense", dtype=np.float32, **BINS), X),
    (KBinsDiscretizer(encode="ordinal", strategy="uniform"), X),
    (OneHotEncoder(), CELLS),
    (OneHotEncoder(drop="if_binary", sparse_output=False, dtype=np.float32), CELLS.astype(str)),
    (OneHotEncoder(handle_unknown="ignore"), HOLED),
    (OneHotEncoder(max_categories=2, handle_unknown="infrequent_if_exist"), CELLS),
    (OneHotEncoder(categories=[["a", "b", "c"], ["x", "yy"]]), CELLS),
    (OneHotEncoder(), (X > 0).astype(int)),
    (OrdinalEncoder(), CELLS),
    (OrdinalEncoder(encoded_missing_value=-1, handle_unknown="use_encoded_value", unknown_value=9), HOLED),
    (OrdinalEncoder(min_frequency=0.4), CELLS),
    (SimpleImputer(), GAPS),
    (SimpleImputer(strategy="median", add_indicator=True), GAPS),
    (SimpleImputer(strategy="constant", fill_value=7.0), GAPS),
    (KNNImputer(n_neighbors=3, add_indicator=True), GAPS),
    (MissingIndicator(), GAPS),
    (PCA(2, whiten=True), X),
    (PCA(0.9), X.astype(np.float32)),
    (TruncatedSVD(2, random_state=0), sp.csr_matrix(X)),
    (SelectKBest(k=2), X),
    (SelectPercentile(chi2, percentile=50), sp.csr_matrix(abs(X))),
    (VarianceThreshold(0.1), np.column_stack([X, np.ones(60)])),
    (CountVectorizer(ngram_range=(1, 2), min_df=2), TEXTS),
    (CountVectorizer(stop_words=["and"], vocabulary=["word1", "word2"]), TEXTS),
    (TfidfVectorizer(sublinear_tf=True, stop_words="english", dtype=np.float32), TEXTS),
    (HashingVectorizer(n_features=32), TEXTS),
    (TfidfTransformer(), sp.csr_matrix(abs(X))),
]


def through_a_file(model: Any, tmp_path: Any) -> Any:
    rosenblatt.save(model, tmp_path / "m.safetensors")
    with warnings.catch_warnings():
        warnings.simplefilter("error", InconsistentVersionWarning)
        return rosenblatt.load(tmp_path / "m.safetensors")


def fitted(model: Any, data: Any = X, y: Any = Y) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(data, y)


def bits(found: Any) -> tuple[Any, ...]:
    """What two results must have in common."""
    if hasattr(found, "tocsr"):
        return ("sparse", found.shape, *(part.tobytes() for part in (found.data, found.indices, found.indptr)))
    return type(found), np.shape(found), np.asarray(found).dtype, np.asarray(found).tobytes()


def test_the_steps_below_are_all_that_files_hold() -> None:
    assert {type(step).__name__ for step, _ in STEPS} == {*TRANSFORMERS}


def test_the_page_on_the_format_lists_them() -> None:
    page = (Path(__file__).parents[2] / "docs" / "file-format.md").read_text(encoding="utf-8")
    listed = page.split("These transformers can be in a file:")[1].split("Others are refused")[0]
    assert re.findall(r"`(\w+)`", listed) == [*TRANSFORMERS]
    assert {*SCORE_FUNCTIONS, *UFUNCS} <= {*re.findall(r"`(\w+)`", page)}


@pytest.mark.parametrize(("step", "data"), STEPS, ids=[str(i) + type(s).__name__ for i, (s, _) in enumerate(STEPS)])
def test_a_step_is_loaded_as_it_was(step: Any, data: Any, tmp_path: Any) -> None:
    labels = Y[: data.shape[0] if hasattr(data, "shape") else len(data)]
    before = fitted(FeatureUnion([("step", step)]), data, labels)
    after = through_a_file(before, tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert bits(after.transform(data)) == bits(before.transform(data))
    one, other = before.transformer_list[0][1], after.transformer_list[0][1]
    assert {*vars(other)} - {"_stop_words_id"} == {*vars(one)} - {"_stop_words_id"}
    assert repr(other) == repr(one)
    fitted(copy.deepcopy(after), data, labels)  # it can be fitted again


@pytest.mark.parametrize(
    ("model", "data", "y"),
    [
        (make_pipeline(StandardScaler(), PCA(2), MLPClassifier(**QUICK)), X, Y),
        (make_pipeline(StandardScaler(), "passthrough", MLPRegressor(**QUICK)), X, X[:, 0]),
        (make_pipeline(TfidfVectorizer(), TruncatedSVD(2, random_state=0), LogisticRegression()), TEXTS, Y),
        (make_pipeline(CountVectorizer(), TfidfTransformer(), Perceptron()), TEXTS, Y),
        (make_pipeline(MaxAbsScaler(), LogisticRegression()), sp.csr_matrix(X), Y),
        (make_pipeline(make_union(StandardScaler(), PCA(2), "passthrough"), MLPClassifier(**QUICK)), X, Y),
        (make_pipeline(SimpleImputer(add_indicator=True), TabularClassifier(members=1, max_iter=2)), GAPS, Y),
        (TransformedTargetRegressor(MLPRegressor(**QUICK), transformer=StandardScaler()), X, X[:, 0]),
        (TransformedTargetRegressor(MLPRegressor(**QUICK), func=np.log1p, inverse_func=np.expm1), X, abs(X[:, 0])),
    ],
    ids=range(9),
)
def test_a_pipeline_predicts_the_same(model: Any, data: Any, y: Any, tmp_path: Any) -> None:
    before = fitted(model, data, y)
    after = through_a_file(before, tmp_path)
    assert bits(after.predict(data)) == bits(before.predict(data))
    for name in ("predict_proba", "decision_function"):
        if hasattr(before, name):
            assert bits(getattr(after, name)(data)) == bits(getattr(before, name)(data))
    assert repr(after) == repr(before)
    rosenblatt.save(after, tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == (tmp_path / "m.safetensors").read_bytes()


def columns(**options: Any) -> ColumnTransformer:
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    steps = [(numbers, ["b", "gap"]), (OneHotEncoder(), ["city"]), (CountVectorizer(), "note"), ("drop", ["note"])]
    return make_column_transformer(*steps, remainder="passthrough", **options)


@pytest.mark.parametrize(
    "make", [columns, lambda: columns(sparse_threshold=1.0), lambda: columns(verbose_feature_names_out=False)]
)
def test_columns_are_found_by_their_names(make: Any, tmp_path: Any) -> None:
    before = fitted(make_pipeline(make(), MLPClassifier(**QUICK)), TABLE)
    after = through_a_file(before, tmp_path)
    moved = TABLE[TABLE.columns[::-1]].assign(new=1)
    assert bits(after.predict_proba(TABLE)) == bits(before.predict_proba(TABLE))
    assert bits(after[0].transform(moved)) == bits(before[0].transform(TABLE))
    assert after[0].get_feature_names_out().tolist() == before[0].get_feature_names_out().tolist()
    assert after[0].output_indices_ == before[0].output_indices_
    assert after.feature_names_in_.tolist() == [*TABLE]
    with pytest.raises(ValueError, match=r"columns are missing: \{'city'\}"):
        after.predict(TABLE.drop(columns="city"))


@pytest.mark.parametrize("selected", [slice(0, 2), [True, True, False, False], np.array([0, 1]), [-4, -3]])
def test_columns_are_found_by_their_places(selected: Any, tmp_path: Any) -> None:
    steps = [("scaled", StandardScaler(), selected), ("kept", "passthrough", [2]), ("none", Normalizer(), [])]
    before = fitted(make_pipeline(ColumnTransformer(steps), LogisticRegression()))
    after = through_a_file(before, tmp_path)
    assert bits(after.decision_function(X)) == bits(before.decision_function(X))
    fitted(after)


def test_data_frames_pass_from_step_to_step(tmp_path: Any) -> None:
    frame = columns(sparse_threshold=0.0)
    frame.set_params(onehotencoder=OneHotEncoder(sparse_output=False), countvectorizer="drop")
    before = fitted(
        make_pipeline(frame, TabularRegressor(members=1, max_iter=2)).set_output(transform="pandas"), TABLE, X[:, 0]
    )
    after = through_a_file(before, tmp_path)
    assert bits(after.predict(TABLE)) == bits(before.predict(TABLE))
    pd.testing.assert_frame_equal(after[0].transform(TABLE), before[0].transform(TABLE))


class Shift(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    def fit(self, X: Any, y: Any = None) -> Any:
        return self

    def transform(self, X: Any) -> Any:
        return X + 1


class MyScaler(StandardScaler):  # type: ignore[misc]
    pass


REFUSED: list[tuple[Any, Any, str]] = [
    (make_pipeline(FunctionTransformer(np.abs), LogisticRegression()), X, "step 'functiontransformer' is a FunctionTransformer, which a model file cannot hold. Allowed are StandardScaler, "),
    (make_pipeline(Shift(), LogisticRegression()), X, "step 'shift' is a Shift"),
    (make_pipeline(MyScaler(), LogisticRegression()), X, "step 'myscaler' is a MyScaler"),
    (make_pipeline(StandardScaler(), RandomForestClassifier(2)), X, "step 'randomforestclassifier' is a RandomForestClassifier"),
    (make_pipeline(CountVectorizer(tokenizer=str.split, token_pattern=None), LogisticRegression()), TEXTS, "parameter 'tokenizer' of step 'countvectorizer', a CountVectorizer, is a function"),
    (make_pipeline(SelectKBest(lambda X, y: np.arange(4.0), k=2), LogisticRegression()), X, "parameter 'score_func' of step 'selectkbest', a SelectKBest, is a function"),
    (make_pipeline(make_column_transformer((StandardScaler(), make_column_selector(dtype_include=float))), LogisticRegression()), TABLE.drop(columns="gap"), "step 'standardscaler' selects its columns by make_column_selector, a function.*Give their names, such as .'a', 'b'."),
    (make_pipeline(make_column_transformer((StandardScaler(), lambda table: ["a", "b"])), LogisticRegression()), TABLE, "selects its columns by function"),
    (TransformedTargetRegressor(MLPRegressor(**QUICK), func=np.sin, inverse_func=np.arcsin, check_inverse=False), X, "parameter 'func' of the model, a TransformedTargetRegressor, is a function"),
]  # fmt: skip


@pytest.mark.parametrize(("model", "data", "message"), REFUSED, ids=range(len(REFUSED)))
def test_what_is_no_plain_data_is_refused_by_name(model: Any, data: Any, message: str, tmp_path: Any) -> None:
    fitted(model, data, X[:, 0] if isinstance(model, TransformedTargetRegressor) else Y)
    with pytest.raises(ModelFileError, match=message):
        rosenblatt.save(model, tmp_path / "m")
    assert not (tmp_path / "m").exists()


def test_what_is_not_fitted_or_no_pipeline_is_refused(tmp_path: Any) -> None:
    for model in (make_pipeline(StandardScaler(), LogisticRegression()), columns(), FeatureUnion([("a", PCA())])):
        with pytest.raises(NotFittedError):
            rosenblatt.save(model, tmp_path / "m")
    with pytest.raises(TypeError, match=r"scikit-learn's Pipeline, ColumnTransformer, .*not .*StandardScaler"):
        rosenblatt.save(fitted(StandardScaler()), tmp_path / "m")


def test_another_minor_version_of_scikit_learn_is_warned_of() -> None:
    _, state, arrays = model_parts(fitted(make_pipeline(StandardScaler(), LogisticRegression())))
    with pytest.warns(
        VersionWarning, match=r"the Pipeline in this file was saved under scikit-learn 1\.2\.9, and this"
    ):
        model_from_parts("pipeline", {**state, "scikit_learn": "1.2.9"}, arrays)
    with pytest.raises(InconsistentVersionWarning):  # warnings are errors here
        model_from_parts("pipeline", {**state, "scikit_learn": None}, arrays)


def change(state: Any, *keys: Any) -> Any:
    """A copy with one entry of the state changed: the keys, then the value."""
    changed = copy.deepcopy(state)
    *path, last, value = keys
    place = changed
    for key in path:
        place = place[key]
    place[last] = value
    return changed


STEP = ("part", "holds", "steps")
FORGED: list[tuple[tuple[Any, ...], str]] = [
    ((*STEP, 0, 1, "transformer", "class", "FunctionTransformer"), "a step is a 'FunctionTransformer'; allowed are"),
    ((*STEP, 0, 1, "transformer", "class", "__import__"), "allowed are"),
    ((*STEP, 0, 1, "transformer", "parameters", "with_mean", "yes"), "with_mean"),
    ((*STEP, 0, 1, "transformer", "fitted", "n_features_in_", 5), "mean_ of a StandardScaler"),
    ((*STEP, 0, 1, "transformer", "fitted", "n_features_in_", 2**40), "must be from 1 to"),
    ((*STEP, 0, 1, "transformer", "fitted", "transform", 1), "lacks one of the entries"),
    ((*STEP, 0, 1, "transformer", "fitted", "mean_", {"tensor": "values/2"}), "used twice"),
    ((*STEP, 0, 1, "transformer", "fitted", "mean_", {"ufunc": "log"}), "mean_ of a StandardScaler"),
    ((*STEP, 0, 1, "transformer", "fitted", "mean_", None), "belongs to no step"),
    ((*STEP, 0, 1, "transformer", "output", "torch"), "known are default"),
    ((*STEP, 1, 1, "transformer", "parameters", "degree", 10**9), "the degree of a PolynomialFeatures"),
    ((*STEP, 1, 1, "transformer", "parameters", "degree", 3), "the degree of a PolynomialFeatures"),
    ((*STEP, 1, 1, "transformer", "parameters", "include_bias", False), "products of a PolynomialFeatures are not"),
    ((*STEP, 1, 0, "standardscaler"), "two of one name"),
    ((*STEP, 1, 1, {"ufunc": "log"}), "neither a transformer nor a model"),
    ((*STEP, 1, 1, {"score_function": "eval"}), "known are chi2"),
    ((*STEP, 2, 1, "model", "place", 1), "0 tensors do not fit the layers"),
    ((*STEP, 2, 1, "model", "kind", "pipeline"), "cannot be a step"),
    ((*STEP, []), "has no steps"),
    (("part", "holds", "class", "GridSearchCV"), "known are Pipeline"),
    (("part", {"model": {}}), "does not hold a pipeline"),
]  # fmt: skip


@pytest.mark.parametrize(("how", "message"), FORGED, ids=range(len(FORGED)))
def test_forged_pipelines_are_refused(how: Any, message: str) -> None:
    model = fitted(make_pipeline(StandardScaler(), PolynomialFeatures(2), LogisticRegression()))
    _, state, arrays = model_parts(model)
    with pytest.raises(ModelFileError, match=message):
        model_from_parts("pipeline", change(state, *how), arrays)


def test_many_wide_steps_are_refused_before_they_are_tried() -> None:
    _, state, arrays = model_parts(fitted(make_pipeline(Normalizer(), LogisticRegression())))
    step = state["part"]["holds"]["steps"][0][1]
    step["transformer"]["fitted"]["n_features_in_"] = 2**21
    state["part"]["holds"]["steps"][:1] = [[f"s{i}", step] for i in range(5)]
    with pytest.raises(ModelFileError, match="the steps have 10485760 columns together; a file may hold"):
        model_from_parts("pipeline", state, arrays)


def test_arrays_that_do_not_belong_are_refused() -> None:
    _, state, arrays = model_parts(fitted(make_pipeline(StandardScaler(), LogisticRegression())))
    for name in arrays:
        with pytest.raises(ModelFileError):
            model_from_parts("pipeline", state, {**arrays, name: arrays[name].reshape(-1)[:-1]})
    with pytest.raises(ModelFileError, match="belongs to no"):
        model_from_parts("pipeline", state, {**arrays, "values/99": np.ones(1)})
    with pytest.raises(ModelFileError, match="belongs to no"):
        model_from_parts("pipeline", state, {**arrays, "models/7/x": np.ones(1)})


def test_a_saved_perceptron_goes_on_as_a_pickled_one(tmp_path: Any) -> None:
    labels = Y.copy()
    labels[:20] = "maybe"
    model = Perceptron(max_iter=3, tol=None).fit(X, labels)
    assert model.mistakes_ is not None
    after, pickled = through_a_file(model, tmp_path), pickle.loads(pickle.dumps(model))
    assert bits(after.decision_function(X)) == bits(model.decision_function(X))
    assert (after.mistakes_, after.converged_, after.get_params()) == (
        model.mistakes_,
        model.converged_,
        model.get_params(),
    )
    for one in (after, pickled):
        one.partial_fit(X, labels)
    np.testing.assert_array_equal(after.coef_, pickled.coef_)
    fresh = through_a_file(Perceptron().fit(X, Y), tmp_path)
    with pytest.raises(AttributeError, match="copied, unpickled or loaded before mistakes_ was read"):
        _ = fresh.mistakes_
    with pytest.raises(NotFittedError):
        rosenblatt.save(Perceptron(), tmp_path / "m")
