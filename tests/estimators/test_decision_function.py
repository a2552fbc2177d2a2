"""`decision_function` of all classifiers, against their probabilities and scikit-learn's tools that need it."""

import numpy as np
import pytest
from scipy.special import expit, softmax
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.ensemble import StackingClassifier
from sklearn.metrics import get_scorer, roc_auc_score
from sklearn.preprocessing import StandardScaler

from rosenblatt import LogisticRegression, MLPClassifier, TabularClassifier

SMALL = {"hidden_layer_sizes": (6,), "max_iter": 20, "solver": "lbfgs", "random_state": 0}
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def data(n_classes):
    X, y = load_breast_cancer(return_X_y=True) if n_classes == 2 else load_iris(return_X_y=True)
    return StandardScaler().fit_transform(X), np.array(["a", "b", "c"])[y]


@pytest.mark.parametrize(
    "make", [lambda: MLPClassifier(**SMALL), lambda: LogisticRegression()], ids=["mlp", "logistic"]
)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_logits_are_those_of_the_probabilities(make, n_classes):
    X, y = data(n_classes)
    model = make().fit(X, y)
    logits = model.decision_function(X)
    assert logits.shape == ((len(X),) if n_classes == 2 else (len(X), 3))
    expected = expit(logits) if n_classes == 2 else softmax(logits, axis=1)
    probabilities = model.predict_proba(X)
    np.testing.assert_allclose(probabilities[:, 1] if n_classes == 2 else probabilities, expected, atol=1e-12)


def test_logits_of_several_labels_and_of_normalized_layers():
    X, y = data(3)
    labels = np.column_stack([y == "a", y != "c"])
    model = MLPClassifier((6,), normalization="batch", max_iter=5, random_state=0).fit(X, labels)
    np.testing.assert_allclose(model.predict_proba(X), expit(model.decision_function(X)), atol=1e-12)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_margins_serve_ranking_calibration_and_stacking(n_classes):
    X, y = data(n_classes)
    model = MLPClassifier((6,), loss="hinge", max_iter=30, learning_rate_init=0.01, random_state=0).fit(X, y)
    margins = model.decision_function(X)
    found = (margins > 0).astype(int) if n_classes == 2 else margins.argmax(axis=1)
    np.testing.assert_array_equal(model.predict(X), model.classes_[found])
    if n_classes == 2:
        assert get_scorer("roc_auc")(model, X, y) == roc_auc_score(y == "b", margins) > 0.95
    calibrated = CalibratedClassifierCV(model, cv=3).fit(X, y)
    assert calibrated.score(X, y) > 0.85
    stacked = StackingClassifier([("mlp", model)], final_estimator=LogisticRegression(), cv=3).fit(X, y)
    assert stacked.score(X, y) > 0.85


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("metric", ["error", "balanced_error"])
def test_a_tabular_classifier_predicts_by_its_decision_function(n_classes, metric):
    X, y = data(n_classes)
    model = TabularClassifier(max_iter=3, members=2, hidden_layer_sizes=(8,), metric=metric).fit(X, y)
    decisions = model.decision_function(X)
    assert decisions.shape == ((len(X),) if n_classes == 2 else (len(X), 3))
    found = (decisions > 0).astype(int) if n_classes == 2 else decisions.argmax(axis=1)
    np.testing.assert_array_equal(model.predict(X), model.classes_[found])
    if n_classes == 2 and metric == "error":
        assert roc_auc_score(y == "b", decisions) == pytest.approx(
            roc_auc_score(y == "b", model.predict_proba(X)[:, 1])
        )
