"""The picture shows all texts without overlaps; without matplotlib there is an error."""

import itertools
import sys

import pytest

from rosenblatt.logic import XOR_FORMS, plot, threshold_network, variables


@pytest.fixture
def pyplot():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    yield pyplot
    pyplot.close("all")


@pytest.mark.parametrize("network", XOR_FORMS, ids=lambda network: str(network.formula))
def test_texts_are_there_and_do_not_overlap(pyplot, network, tmp_path):
    ax = plot(network)
    texts = [text for text in ax.texts if text.get_text()]
    shown = [text.get_text() for text in texts]
    assert {"A", "B"} <= set(shown)
    assert sum(text[0] == "≥" for text in shown) == network.n_neurons
    signs = [weight for weights in network.weights for weight in weights.ravel() if weight]
    assert shown.count("−1") == sum(weight == -1 for weight in signs)
    assert shown.count("+1") == sum(weight == 1 for weight in signs)
    assert ax.get_title() == str(network.formula)
    ax.figure.savefig(tmp_path / "network.png")
    boxes = [text.get_window_extent() for text in texts]
    assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))


def test_draws_into_given_axes(pyplot):
    ax = pyplot.subplots()[1]
    a, b, c, d = variables("a b c d")
    assert plot(threshold_network(((a ^ b) & ~c) | d), ax) is ax
    assert [text.get_text() for text in ax.texts].count("≥ 1") == 6


def test_a_crowded_layer_has_no_weights_of_one(pyplot):
    names = variables("a b c d e f")
    formula = names[0]
    for name in names[1:]:
        formula = formula ^ name
    shown = [text.get_text() for text in plot(threshold_network(formula)).texts]
    assert shown.count("+1") == 3


def test_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"pip install 'rosenblatt\[plot\]'"):
        plot(XOR_FORMS[0])
