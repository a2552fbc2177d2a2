"""Formulas: values against Python's own operators, printing, and equivalence."""

import itertools
import pickle

import numpy as np
import pytest

from rosenblatt.logic import at_least, equivalent, majority, threshold_network, truth_function, variables

a, b, c, d = variables("a b c d")
CASES = [
    (a & b, lambda a, b: a and b, "a & b"),
    (a | ~b, lambda a, b: a or not b, "a | ~b"),
    (a ^ b ^ c, lambda a, b, c: a != b != c if False else (a + b + c) % 2 == 1, "a ^ b ^ c"),
    (~(a & b) | c, lambda a, b, c: not (a and b) or c, "~(a & b) | c"),
    ((a | b) & c, lambda a, b, c: (a or b) and c, "(a | b) & c"),
    (majority(a, b, c), lambda a, b, c: a + b + c >= 2, "majority(a, b, c)"),
    (at_least(3, a, b, ~c, d), lambda a, b, c, d: a + b + (not c) + d >= 3, "majority(a, b, ~c, d)"),
    (at_least(2, a, b, c, d), lambda a, b, c, d: a + b + c + d >= 2, "at_least(2, a, b, c, d)"),
    (truth_function(lambda p, q: p != q, "a b") & c, lambda a, b, c: a != b and c, "f(a, b) & c"),
]


@pytest.mark.parametrize(("formula", "function", "text"), CASES, ids=[case[2] for case in CASES])
def test_values_and_text(formula, function, text):
    assert str(formula) == text
    for row in itertools.product((0, 1), repeat=len(formula.names)):
        assert formula(**dict(zip(formula.names, row, strict=True))) == bool(function(*row)), row


def test_text_is_python_code_for_the_same_formula():
    for formula in (~(a | b) ^ (c & d), (a & ~b) | (~a & b), at_least(2, a, b ^ c, d), ~~a):
        names = {"a": a, "b": b, "c": c, "d": d, "at_least": at_least, "majority": majority}
        assert eval(str(formula), names) == formula


def test_formulas_are_values():
    assert (a & b) & c == a & (b & c) == a & b & c
    assert a & b != b & a
    assert len({a ^ b, a ^ b, b ^ a}) == 2
    assert ~~a is a
    assert pickle.loads(pickle.dumps((a & b, (a | c).names))) == (a & b, ("a", "c"))
    with pytest.raises(AttributeError):
        (a & b).parts = ()


def test_variables_keep_the_order_of_their_names():
    assert [v.name for v in variables("x1, y_2 z")] == ["x1", "y_2", "z"]
    assert variables(["u", "v"]) == variables("u v")
    assert ((b & a) | c).names == ("b", "a", "c")


def test_a_truth_function_calls_python_once_per_assignment():
    rows = []
    formula = truth_function(lambda *row: rows.append(row) or False, [f"x{i}" for i in range(5)])
    assert rows == list(itertools.product((False, True), repeat=5))
    assert formula.table == (False,) * 32

    def carry(p, q):
        return np.bool_(p and q)

    assert str(truth_function(carry, "a b")) == "carry(a, b)"


def test_equivalence_compares_all_assignments():
    de_morgan = equivalent(~(a & b), ~a | ~b)
    assert de_morgan
    assert str(de_morgan) == "~(a & b) and ~a | ~b agree on all 4 assignments"
    different = equivalent(a | b, a ^ b)
    assert not different
    assert different.counterexample == {"a": 1, "b": 1}
    assert different.values == (True, False)
    assert "differ on 1 of 4 assignments, first for a=1, b=1: 1 and 0" in str(different)


def test_equivalence_of_different_variables_and_of_networks():
    assert equivalent(a & (b | ~b), a)
    assert equivalent(a, b).n_different == 2
    assert equivalent(threshold_network(b ^ a), a ^ b)
    assert equivalent(a & ~c, threshold_network(a & c)).counterexample == {"a": 1, "c": 0}
