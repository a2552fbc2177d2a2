"""Formulas wired as threshold networks: whole truth tables, sizes and printing."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rosenblatt.logic import (
    XOR_FORMS,
    ThresholdNetwork,
    WrongNetworkError,
    at_least,
    equivalent,
    majority,
    threshold_network,
    truth_function,
    variables,
)

a, b, c, d, e = NAMES = variables("a b c d e")


def heaviside_network(network, x):
    """The output for one row by the definition of a threshold neuron, without the library."""
    for weights, bias in zip(network.weights, network.biases, strict=True):
        sums = [sum(x[i] * weights[i, j] for i in range(len(x))) + bias[j] for j in range(len(bias))]
        x = [1 if total >= 0 else 0 for total in sums]
    return x[0]


@pytest.mark.parametrize(
    ("formula", "sizes"),
    [
        (a & b & c, (3, 1)),
        (a | b | ~c, (3, 1)),
        (~a, (1, 1)),
        (a, (1, 1)),
        (majority(*NAMES), (5, 1)),
        (at_least(2, a, ~b, c), (3, 1)),
        (a | (b & c), (3, 1)),
        ((a | b) & (a | c), (3, 1)),
        (a & ~a, (1, 1)),
        (a ^ b, (2, 2, 1)),
        (~(a ^ b), (2, 2, 1)),
        (a ^ b ^ c ^ d, (4, 4, 1)),
        ((a & b) | (c & d), (4, 2, 1)),
        (majority(a ^ b, c, d), (4, 4, 1)),
        (truth_function(lambda p, q, r: (p and not q) or r, "a b c"), (3, 1)),
        (truth_function(lambda *bits: sum(bits) in (1, 3), "a b c d"), (4, 4, 1)),
    ],
    ids=str,
)
def test_small_networks(formula, sizes):
    network = threshold_network(formula)
    assert network.layer_sizes == sizes
    assert all(w.dtype == np.int64 for w in (*network.weights, *network.biases))
    for *row, output in network.truth_table().tolist():
        expected = formula(**dict(zip(formula.names, row, strict=True)))
        assert output == expected == heaviside_network(network, row)


def formulas():
    literals = st.sampled_from(NAMES)

    def combine(inner):
        several = st.lists(inner, min_size=1, max_size=4)
        return st.one_of(
            st.tuples(inner, inner).map(lambda p: p[0] & p[1]),
            st.tuples(inner, inner).map(lambda p: p[0] | p[1]),
            st.tuples(inner, inner).map(lambda p: p[0] ^ p[1]),
            inner.map(lambda f: ~f),
            several.map(lambda fs: majority(*fs)),
            several.map(lambda fs: at_least(len(fs), *fs)),
        )

    return st.recursive(literals, combine, max_leaves=9)


@settings(max_examples=150, deadline=None)
@given(formulas())
def test_any_formula_is_computed_on_every_assignment(formula):
    network = threshold_network(formula)
    table = network.truth_table()
    assert len(table) == 2 ** len(formula.names)
    for *row, output in table.tolist():
        assert output == formula(**dict(zip(formula.names, row, strict=True)))


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 5).flatmap(lambda n: st.lists(st.booleans(), min_size=2**n, max_size=2**n)))
def test_any_truth_table_is_computed(table):
    n = len(table).bit_length() - 1
    rows = itertools.product((False, True), repeat=n)
    values = dict(zip(rows, table, strict=True))
    network = threshold_network(truth_function(lambda *row: values[row], [f"x{i}" for i in range(n)]))
    assert network.truth_table()[:, -1].tolist() == table
    assert len(network.weights) <= 2


def test_twelve_inputs():
    names = [f"x{i}" for i in range(12)]
    formula = truth_function(lambda *bits: bits[0] != (sum(bits[1:]) % 3 == 0), names)
    threshold_network(formula).verify()
    heavy = truth_function(lambda *bits: sum(bit * (i + 1) for i, bit in enumerate(bits)) > 40, names)
    assert threshold_network(heavy).layer_sizes == (12, 1)


def test_three_forms_of_exclusive_or():
    texts = [str(network.formula) for network in XOR_FORMS]
    assert texts == ["(A & ~B) | (~A & B)", "(A | B) & ~(A & B)", "(A | B) & (~A | ~B)"]
    for network in XOR_FORMS:
        assert network.layer_sizes == (2, 2, 1)
        assert network.truth_table().tolist() == [[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]]
    for one, other in itertools.combinations(XOR_FORMS, 2):
        assert equivalent(one, other)
        assert any((u != v).any() for u, v in zip(one.weights + one.biases, other.weights + other.biases, strict=True))


def test_inputs_fix_the_columns():
    network = threshold_network(a & ~b, inputs="c b a")
    assert network.names == ("c", "b", "a")
    assert network.predict([[0, 0, 1], [1, 1, 1], [1, 0, 0]]).tolist() == [1, 0, 0]
    assert network.predict(np.array([[False, False, True]])).tolist() == [1]
    assert network.predict(np.zeros((0, 3))).tolist() == []


def test_values_are_passed_on_between_layers():
    network = threshold_network(((a ^ b) & ~c) | d)
    passing = [network.passes(i, j) for i, bias in enumerate(network.biases) for j in range(len(bias))]
    assert sum(passing) == 3
    assert "(3 of them pass a value on)" in network.summary()
    network.verify()


def test_verify_names_the_first_difference():
    wrong = ThresholdNetwork(a | b, ("a", "b"), ([[1], [1]],), ([-2],))
    with pytest.raises(WrongNetworkError, match=r"a \| b: for a=0, b=1 it gives 0 and the formula 1; .* 2 of 4"):
        wrong.verify()


def test_weights_are_multiples_of_one_half():
    network = ThresholdNetwork(a & b, ("a", "b"), ([[0.5], [0.5]],), ([-1],))
    network.verify()
    assert network.weights[0].dtype == np.float64
    with pytest.raises(ValueError, match="multiples of 1/2"):
        ThresholdNetwork(a & b, ("a", "b"), ([[0.3], [0.5]],), ([-1],))


def test_a_network_cannot_be_changed():
    network = threshold_network(a & b)
    with pytest.raises(ValueError, match="read-only"):
        network.weights[0][0, 0] = 5
    with pytest.raises(AttributeError):
        network.names = ()


def test_printing():
    assert str(XOR_FORMS[1]) == (
        "(A | B) & ~(A & B) as layers of 2 -> 2 -> 1\n"
        "  h1.1   = [A + B >= 1]        A | B\n"
        "  h1.2   = [A + B >= 2]        A & B\n"
        "  output = [h1.1 - h1.2 >= 1]  (A | B) & ~(A & B)"
    )
    assert XOR_FORMS[1].summary().endswith("6 nonzero weights, the largest 1")
    assert "[2 a - b + c >= 2]" in str(threshold_network(a & (~b | c)))


def test_importing_needs_no_solver():
    import subprocess
    import sys

    code = (
        "import sys, rosenblatt.logic as l; l.variables('a b'); print('scipy' in sys.modules, 'sklearn' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "False"]
