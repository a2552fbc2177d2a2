"""The estimators among others: data frames, metadata routing, clone, copies, joblib, searches, pipelines."""

import copy
import warnings

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import sklearn
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_wine
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import (
    check_dataframe_column_names_consistency,
    check_inplace_ensure_writeable,
    check_param_validation,
)

from rosenblatt.estimators import LogisticRegression, MLPClassifier, MLPRegressor, Perceptron

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = load_wine(return_X_y=True)
X = StandardScaler().fit_transform(X)
NAMES = [f"column {i}" for i in range(X.shape[1])]
COLUMNS = {name: X[:, i] for i, name in enumerate(NAMES)}
FRAMES = {"pandas": pd.DataFrame, "polars": pl.DataFrame, "pyarrow": pa.table}
TARGETS = {"pandas": pd.Series, "polars": pl.Series, "pyarrow": pa.array}
ESTIMATORS = [
    MLPClassifier((5,), random_state=0, max_iter=10),
    MLPClassifier((5,), solver="lbfgs", random_state=0, max_iter=10),
    MLPRegressor(hidden_layer_sizes=(5,), random_state=0, max_iter=10),
    LogisticRegression(),
    Perceptron(),
]


def name_of(value):
    return type(value).__name__ if hasattr(value, "fit") else str(value)


def first_weights(model):
    return model.coefs_[0] if hasattr(model, "coefs_") else model.coef_


@pytest.mark.parametrize("library", FRAMES)
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=name_of)
class TestFrames:
    def test_same_as_arrays(self, estimator, library):
        frame, target = FRAMES[library](COLUMNS), TARGETS[library](Y)
        model = clone(estimator).fit(frame, target)
        assert model.feature_names_in_.tolist() == NAMES
        assert model.n_features_in_ == len(NAMES)
        expected = clone(estimator).fit(X, Y).predict(X)
        np.testing.assert_array_equal(model.predict(frame), expected)

    def test_other_columns_are_refused(self, estimator, library):
        frame = FRAMES[library](COLUMNS)
        model = clone(estimator).fit(frame, Y)
        swapped = FRAMES[library]({name: COLUMNS[name] for name in reversed(NAMES)})
        with pytest.raises(ValueError, match="feature names should match"):
            model.predict(swapped)


@pytest.mark.parametrize("library", FRAMES)
def test_own_validation_set_as_frames(library):
    frame = FRAMES[library]
    half = {k: v[::2] for k, v in COLUMNS.items()}, {k: v[1::2] for k, v in COLUMNS.items()}
    model = MLPClassifier((5,), max_iter=5)
    model.fit(frame(half[0]), Y[::2], X_val=frame(half[1]), y_val=TARGETS[library](Y[1::2]))
    assert len(model.validation_scores_) == 5


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=name_of)
class TestProtocols:
    @pytest.mark.parametrize(
        "check", [check_dataframe_column_names_consistency, check_param_validation, check_inplace_ensure_writeable]
    )
    def test_checks_that_are_not_yielded(self, estimator, check):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            check(type(estimator).__name__, estimator)

    def test_clone_is_unfitted_and_deepcopy_is_not(self, estimator):
        model = clone(estimator).fit(X, Y)
        assert clone(model).get_params() == estimator.get_params()
        assert not hasattr(clone(model), "n_iter_")
        np.testing.assert_array_equal(copy.deepcopy(model).predict(X), model.predict(X))

    @pytest.mark.parametrize("backend", ["threading", "loky"])
    def test_joblib(self, estimator, backend):
        model = clone(estimator).fit(X, Y)
        parts = joblib.Parallel(n_jobs=2, backend=backend)(
            joblib.delayed(model.predict)(X[i : i + 60]) for i in (0, 60, 120)
        )
        np.testing.assert_array_equal(np.concatenate(parts), model.predict(X))

    def test_fits_in_threads_are_independent(self, estimator):
        fits = joblib.Parallel(n_jobs=4, backend="threading")(
            joblib.delayed(clone(estimator).fit)(X, Y) for _ in range(8)
        )
        expected = clone(estimator).fit(X, Y).predict(X)
        for model in fits:
            np.testing.assert_array_equal(model.predict(X), expected)

    def test_grid_search_in_a_pipeline(self, estimator):
        search = GridSearchCV(
            make_pipeline(StandardScaler(), clone(estimator)), {"standardscaler__with_mean": [True, False]}, cv=2
        )
        search.fit(pd.DataFrame(COLUMNS), Y)
        assert np.isfinite(search.best_score_)

    def test_sample_weight_is_routed(self, estimator):
        weight = np.where(np.arange(len(Y)) % 3, 1.0, 1e-9)
        with sklearn.config_context(enable_metadata_routing=True):
            routed = clone(estimator).set_fit_request(sample_weight=True).set_score_request(sample_weight=False)
            scores = cross_validate(routed, X, Y, params={"sample_weight": weight}, return_estimator=True, cv=2)
        unweighted = cross_validate(clone(estimator), X, Y, return_estimator=True, cv=2)
        assert (first_weights(scores["estimator"][0]) != first_weights(unweighted["estimator"][0])).any()


def test_validation_set_is_routed():
    with sklearn.config_context(enable_metadata_routing=True):
        model = MLPClassifier((5,), max_iter=4).set_fit_request(X_val=True, y_val=True)
        pipeline = make_pipeline(StandardScaler(), model, transform_input=["X_val"])
        pipeline.fit(X, Y, X_val=X[:40], y_val=Y[:40])
    assert len(pipeline[-1].validation_scores_) == 4


def test_set_output_reaches_the_classifier():
    columns = ColumnTransformer([("scaled", StandardScaler(), NAMES)], verbose_feature_names_out=False)
    pipeline = make_pipeline(columns, MLPClassifier((5,), max_iter=3)).set_output(transform="pandas")
    pipeline.fit(pd.DataFrame(COLUMNS), Y)
    assert pipeline[-1].feature_names_in_.tolist() == NAMES


def test_inside_a_meta_estimator():
    labels = np.column_stack([Y == 0, Y == 1])
    model = MultiOutputClassifier(MLPClassifier((5,), max_iter=3, random_state=0)).fit(X, labels)
    assert model.predict(X).shape == labels.shape


def test_fitted_attributes_are_scikit_learns():
    from sklearn import neural_network

    for ours, theirs in ((MLPClassifier, neural_network.MLPClassifier), (MLPRegressor, neural_network.MLPRegressor)):
        for settings in ({}, {"early_stopping": True}):
            a, b = ours(max_iter=2, **settings).fit(X, Y), theirs(max_iter=2, **settings).fit(X, Y)
            names = {n for n in dir(b) if n.endswith("_") and not n.startswith("_")}
            assert names <= {n for n in dir(a) if n.endswith("_") and hasattr(a, n)}
            defaults = theirs().get_params()
            assert defaults == {name: ours().get_params()[name] for name in defaults}
