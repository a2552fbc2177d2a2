"""Metadata routing of scikit-learn: groups and weights reach each estimator, alone, in pipelines and in searches.

As in scikit-learn's own tests, what arrives is compared with a call that passes it directly.
"""

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from rosenblatt import (
    LogisticRegression,
    MLPClassifier,
    MLPRegressor,
    MLPSearchCV,
    Perceptron,
    TabularClassifier,
    TabularRegressor,
)

N = 48
RNG = np.random.default_rng(0)
X, GROUPS, WEIGHTS = RNG.normal(size=(N, 3)), np.arange(N) // 4, RNG.random(N)
Y = (X.sum(axis=1) > 0).astype(int)
SMALL = {"hidden_layer_sizes": (4,), "max_iter": 2, "random_state": 0}
FOLDS = GroupKFold(3)
ESTIMATORS = [
    MLPClassifier(**SMALL, batch_size=16),
    MLPRegressor(**SMALL, batch_size=16),
    LogisticRegression(max_iter=50),
    Perceptron(max_iter=5, random_state=0),
    TabularClassifier(members=2, **SMALL),
    TabularRegressor(members=2, **SMALL),
    MLPSearchCV(MLPClassifier(**SMALL, batch_size=8), {"alpha": [1e-4, 1e-2]}, n_trials=2, cv=2),
]
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def takes_groups(estimator):
    return isinstance(estimator, (TabularClassifier, TabularRegressor, MLPSearchCV))


def expected_scores(estimator, X=X):
    """Scores of the folds by direct calls."""
    scores = []
    for train, test in FOLDS.split(X, Y, GROUPS):
        given = {"groups": GROUPS[train]} if takes_groups(estimator) else {}
        model = clone(estimator).fit(X[train], Y[train], sample_weight=WEIGHTS[train], **given)
        scores.append(model.score(X[test], Y[test], sample_weight=WEIGHTS[test]))
    return scores


def asking(estimator):
    """The estimator with requests for all that it takes."""
    given = {"groups": True} if takes_groups(estimator) else {}
    return clone(estimator).set_fit_request(sample_weight=True, **given).set_score_request(sample_weight=True)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda estimator: type(estimator).__name__)
def test_groups_and_weights_arrive(estimator):
    given = {"groups": GROUPS, "sample_weight": WEIGHTS}
    with config_context(enable_metadata_routing=True):
        scores = cross_val_score(asking(estimator), X, Y, cv=FOLDS, params=given)
        assert scores.tolist() == expected_scores(estimator)
        unscaled = StandardScaler(with_mean=False, with_std=False).set_fit_request(sample_weight=False)
        pipeline = make_pipeline(unscaled, asking(estimator))
        assert cross_val_score(pipeline, X, Y, cv=FOLDS, params=given).tolist() == scores.tolist()
        name = f"{type(estimator).__name__.lower()}__" + ("tol" if "tol" in estimator.get_params() else "random_state")
        grid = GridSearchCV(pipeline, {name: [pipeline.get_params()[name]]}, cv=FOLDS).fit(X, Y, **given)
        assert grid.best_score_ == pytest.approx(np.mean(scores))
        best = grid.best_estimator_[-1]
    if isinstance(best, (TabularClassifier, TabularRegressor)):
        assert best.n_groups_ == 12


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda estimator: type(estimator).__name__)
def test_what_is_not_asked_for_is_refused(estimator):
    with config_context(enable_metadata_routing=True), pytest.raises(UnsetMetadataPassedError, match="sample_weight"):
        cross_val_score(estimator, X, Y, params={"sample_weight": WEIGHTS})


@pytest.mark.parametrize("estimator", ESTIMATORS[::2], ids=lambda estimator: type(estimator).__name__)
def test_without_routing_groups_make_the_outer_folds(estimator):
    scores = cross_val_score(estimator, X, Y, groups=GROUPS, cv=FOLDS)
    pairs = list(FOLDS.split(X, Y, GROUPS))
    assert scores.tolist() == cross_val_score(estimator, X, Y, cv=pairs).tolist()
