"""Descriptions of parameters that several estimators share stand once, and help() shows them whole."""

import inspect
import pydoc
import re

import pytest

from rosenblatt.estimators import TabularClassifier, TabularRegressor
from rosenblatt.estimators.base import describe_parameters


@pytest.mark.parametrize("estimator", [TabularClassifier, TabularRegressor])
def test_shared_parameters_and_attributes_are_described_in_help(estimator):
    text = pydoc.render_doc(estimator, renderer=pydoc.plaintext)
    for name in estimator().get_params():
        assert re.search(rf"^ \|  (\w+, )*{name}(, \w+)* : ", text, re.M), name
    fitted = estimator("fast", max_iter=1).fit([[0.0], [1.0], [2.0], [3.0]], [0, 1, 0, 1])
    for name in vars(fitted):
        if name.endswith("_"):
            assert re.search(rf"^ \|  (\w+, )*{name}(, \w+)*( : |$)", text, re.M), name
    assert not re.search(r"^ \|  \{\w+\}$", text, re.M)


def test_what_is_shared_stands_once_and_is_indented_as_its_place():
    shared = describe_parameters(
        seed="""
            seed : int
                Of rows.
        """
    )

    @shared
    class Documented:
        """First.

        Parameters
        ----------
        {seed}
        """

    assert inspect.getdoc(Documented) == "First.\n\nParameters\n----------\nseed : int\n    Of rows."
    with pytest.raises(KeyError, match="seeds"):
        shared(type("Wrong", (), {"__doc__": "    {seeds}"}))
