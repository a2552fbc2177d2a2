"""docs/from-scikit-learn.md names every parameter, and the docstrings do as well."""

import doctest
import importlib
import inspect
import re
from pathlib import Path

import pytest
import sklearn.linear_model
import sklearn.neural_network

from rosenblatt.estimators import LogisticRegression, MLPClassifier, MLPRegressor, Perceptron

GUIDE = Path(__file__).parents[2] / "docs" / "from-scikit-learn.md"


def section(title):
    return re.search(rf"^## .*`{title}`.*?(?=^## |\Z)", GUIDE.read_text(encoding="utf-8"), re.M | re.S).group()


@pytest.mark.parametrize("estimator", [MLPClassifier, MLPRegressor, LogisticRegression, Perceptron])
def test_every_parameter_is_documented(estimator):
    guide, docstring = section(estimator.__name__), inspect.getdoc(estimator)
    for name in estimator().get_params():
        assert f"`{name}`" in guide, name
        assert re.search(rf"^(\w+, )*{name}(, \w+)* : ", docstring, re.M), name


@pytest.mark.parametrize("estimator", [MLPClassifier, MLPRegressor, LogisticRegression, Perceptron])
def test_examples_in_docstrings_run(estimator):
    assert doctest.testmod(importlib.import_module(estimator.__module__)).failed == 0


@pytest.mark.parametrize("estimator", [MLPClassifier, MLPRegressor])
def test_new_parameters_are_keyword_only_and_said_to_be_new(estimator):
    theirs = getattr(sklearn.neural_network, estimator.__name__)
    new = set(estimator().get_params()) - set(theirs().get_params())
    for name in new:
        assert inspect.signature(estimator).parameters[name].kind is inspect.Parameter.KEYWORD_ONLY
        assert re.search(rf"\| `{name}` \| new \|", section(estimator.__name__)), name
    ours, reference = (list(inspect.signature(c).parameters) for c in (estimator, theirs))
    assert ours[: len(reference)] == reference


def test_perceptron_has_scikit_learns_parameters():
    assert Perceptron().get_params() == sklearn.linear_model.Perceptron().get_params()
