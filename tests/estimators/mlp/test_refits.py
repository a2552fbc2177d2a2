"""What a refused or repeated `fit` leaves, and what scorers see."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_wine
from sklearn.exceptions import ConvergenceWarning

from rosenblatt import LogisticRegression, MLPClassifier, nn
from rosenblatt.training import fit

X, Y = load_wine(return_X_y=True)
X = (X - X.mean(0)) / X.std(0)
NAMES = np.array(["a", "b", "c"])[Y]


@pytest.mark.parametrize("model", [MLPClassifier((4,), solver="lbfgs", random_state=0), LogisticRegression()], ids=str)
@pytest.mark.parametrize(
    "bad",
    [lambda: ((X, np.char.add(NAMES, "2")), {"sample_weight": -np.ones(len(X))}), lambda: ((X[:, :3], NAMES[:5]), {})],
)
def test_a_fit_that_is_refused_leaves_the_model_whole(model, bad) -> None:
    model.fit(X, NAMES)
    before = model.predict(X)
    arguments, options = bad()
    with pytest.raises(ValueError, match=r"at least 0|inconsistent numbers"):
        model.fit(*arguments, **options)
    np.testing.assert_array_equal(model.predict(X), before)


@pytest.mark.parametrize("estimator", [MLPClassifier, LogisticRegression])
def test_class_weights_are_named(estimator) -> None:
    with pytest.raises(ValueError, match=r"class_weight\['a'\] is -1; it must be a number in \[0, inf\)"):
        estimator(class_weight={"a": -1, "b": 1, "c": 1}).fit(X, NAMES)
    with pytest.raises(ValueError, match=r"class_weight names 'z', but the labels of y are \['a', 'b', 'c'\]"):
        estimator(class_weight={"z": 1}).fit(X, NAMES)


@pytest.mark.filterwarnings("ignore:Maximum iterations")
def test_a_scorer_sees_the_number_of_its_epoch() -> None:
    seen = []
    MLPClassifier(
        (3,), early_stopping=True, max_iter=4, scoring=lambda m, *_: seen.append(m.n_iter_) or 0.5 + 0.1 * m.n_iter_
    ).fit(X, Y)
    assert seen == [1, 2, 3, 4]


def test_validation_rows_without_weight_are_named() -> None:
    weight = np.zeros(len(X))
    weight[:5] = 1
    with pytest.raises(ValueError, match="zero in all 18 rows that early_stopping set aside"):
        MLPClassifier((3,), early_stopping=True, random_state=0).fit(X, Y, sample_weight=weight)


def test_a_finished_checkpoint_does_not_warn_again(tmp_path) -> None:
    model = MLPClassifier((3,), max_iter=3, random_state=0, checkpoint=tmp_path)
    with pytest.warns(ConvergenceWarning):
        model.fit(X, Y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(X, Y)
    assert model.n_iter_ == 3


def test_options_of_fit_that_are_no_functions_or_negative_are_named() -> None:
    net, data = nn.Network(nn.NetworkSpec(13, (4,), 3, output="softmax"), dtype="float64"), (X, Y)
    for options, message in (
        ({"callbacks": print}, "callbacks is .*; it must be a list"),
        ({"scorer": "accuracy", "validation": data}, "scorer is 'accuracy'; it must be a function"),
        ({"head_weights": {"prediction": -1}}, r"head_weights\['prediction'\] is -1"),
        ({"learning_rate_factors": {"hidden1": "a"}}, r"learning_rate_factors\['hidden1'\] is 'a'"),
    ):
        with pytest.raises(ValueError, match=message):
            fit(net, *data, **options)
    assert fit(net, *data, epochs=1, sample_weight=[1.0] * len(X)).n_epochs == 1
