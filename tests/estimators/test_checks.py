"""scikit-learn's estimator checks, for all estimators."""

import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.estimator_checks import parametrize_with_checks

from rosenblatt.estimators import LogisticRegression, MLPClassifier, MLPRegressor, Perceptron

SAMPLE_WEIGHT = "the order of corrections matters to a perceptron; scikit-learn excuses its own as well"
EXPECTED = {
    "Perceptron": {
        "check_sample_weight_equivalence_on_dense_data": SAMPLE_WEIGHT,
        "check_sample_weight_equivalence_on_sparse_data": SAMPLE_WEIGHT,
    }
}
ESTIMATORS = [MLPClassifier(max_iter=100), MLPRegressor(max_iter=100), LogisticRegression(), Perceptron(max_iter=5)]
VARIANTS = [
    MLPClassifier(solver="lbfgs", hidden_layer_sizes=(8,)),
    MLPRegressor(solver="lbfgs", hidden_layer_sizes=(8,)),
    LogisticRegression(l1_ratio=1, class_weight="balanced", tol=1e-9),
    LogisticRegression(solver="adam", learning_rate_init=0.1),
]
pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning"),
]


@parametrize_with_checks(
    ESTIMATORS, expected_failed_checks=lambda estimator: EXPECTED.get(type(estimator).__name__, {}), xfail_strict=True
)
def test_scikit_learn_check(estimator, check):
    check(estimator)


@pytest.mark.long
@parametrize_with_checks(VARIANTS)
def test_scikit_learn_check_of_a_variant(estimator, check):
    check(estimator)


def test_convergence_warning_is_scikit_learns():
    with pytest.warns(ConvergenceWarning, match="Raise max_iter"):
        MLPRegressor(max_iter=1, n_iter_no_change=5).fit([[0.0], [1.0]], [0.0, 1.0])


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_every_parameter_has_a_constraint(estimator):
    assert set(estimator.get_params()) - set(estimator._parameter_constraints) == set()
