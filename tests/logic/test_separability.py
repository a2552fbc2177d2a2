"""A single neuron, or the proof that there is none, against brute force and closed forms."""

import contextlib
import itertools
import pickle
from fractions import Fraction

import numpy as np
import pytest

from rosenblatt.logic import (
    Certificate,
    NotSeparableError,
    at_least,
    linear_separability,
    majority,
    single_neuron,
    truth_function,
    variables,
)

a, b, c, d = variables("a b c d")
ROWS = {n: list(itertools.product((0, 1), repeat=n)) for n in (2, 3)}


def functions(n):
    """All Boolean functions of n inputs, as tables."""
    return itertools.product((False, True), repeat=2**n)


def formula_of(table):
    n = len(table).bit_length() - 1
    values = dict(zip(itertools.product((False, True), repeat=n), table, strict=True))
    return truth_function(lambda *row: values[row], [f"x{i}" for i in range(n)])


def brute_force(table):
    """Whether a neuron with weights from -2 to 2, which are enough for 2 or 3 inputs, computes the table."""
    n = len(table).bit_length() - 1
    for weights in itertools.product(range(-2, 3), repeat=n):
        sums = [sum(w * x for w, x in zip(weights, row, strict=True)) for row in ROWS[n]]
        true = [s for s, value in zip(sums, table, strict=True) if value]
        false = [s for s, value in zip(sums, table, strict=True) if not value]
        if not true or not false or min(true) > max(false):
            return True
    return False


@pytest.mark.parametrize(("n", "n_separable"), [(2, 14), (3, 104)])
def test_all_functions_of_few_inputs(n, n_separable):
    """14 of 16 and 104 of 256 are threshold functions (OEIS A000609)."""
    found = 0
    for table in functions(n):
        try:
            neuron = single_neuron(formula_of(table))
        except NotSeparableError as error:
            assert not brute_force(table)
            check_exactly(error.certificate, table, ROWS[n])
            continue
        assert brute_force(table)
        assert neuron.weights.dtype == np.int64
        assert neuron.predict(ROWS[n]).tolist() == list(map(int, table))
        found += 1
    assert found == n_separable


def check_exactly(certificate, table, rows):
    """Check the certificate in exact fractions against the table."""
    sides = []
    for kind, wanted in (("true", True), ("false", False)):
        numbers = getattr(certificate, f"{kind}_rows").tolist()
        weights = [Fraction(w).limit_denominator(64) for w in getattr(certificate, f"{kind}_weights")]
        assert all(table[i] is wanted for i in numbers)
        assert min(weights) > 0
        assert sum(weights) == 1
        sides.append([sum(w * rows[i][k] for w, i in zip(weights, numbers, strict=True)) for k in range(len(rows[0]))])
    assert sides[0] == sides[1]
    certificate.verify()


def test_weights_of_known_neurons():
    for formula, weights, threshold in (
        (a & b, [1, 1], 2),
        (a | b, [1, 1], 1),
        (a & ~b, [1, -1], 1),
        (majority(a, b, c), [1, 1, 1], 2),
        (at_least(3, a, b, c, d), [1, 1, 1, 1], 3),
        (a | (b & c), [2, 1, 1], 2),
    ):
        neuron = single_neuron(formula)
        assert (neuron.weights.tolist(), neuron.threshold) == (weights, threshold)
    assert str(single_neuron(a & ~b)) == "a & ~b = [a - b >= 1]"


def test_exclusive_or_has_the_classical_proof():
    with pytest.raises(NotSeparableError) as caught:
        single_neuron(a ^ b)
    certificate = caught.value.certificate
    assert str(caught.value).startswith(
        "no single neuron computes a ^ b: the midpoint of the true points (0, 1) and (1, 0) is also the midpoint of "
        "the false points (0, 0) and (1, 1): both are (0.5, 0.5)"
    )
    np.testing.assert_allclose(certificate.point, [0.5, 0.5])
    assert isinstance(caught.value, ValueError)
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"true_weights": np.array([0.6, 0.4])}, "two means differ by"),
        ({"true_weights": np.array([0.5, 0.6])}, "true points .* must sum to 1"),
        ({"false_weights": np.array([1.5, -0.5])}, "false points .* not be negative"),
        ({"false_points": np.array([[0.0, 0.0], [1.0, 0.9]])}, "two means differ by"),
    ],
)
def test_an_invalid_certificate_is_detected(change, message):
    with pytest.raises(NotSeparableError) as caught:
        single_neuron(a ^ b)
    with pytest.raises(ValueError, match=message):
        Certificate(**{**vars(caught.value.certificate), **change}).verify()


@pytest.mark.parametrize("seed", range(12))
def test_random_rows(seed):
    """Rows that are separable by construction, until one of them moves between the others."""
    rng = np.random.default_rng(seed)
    n_features = int(rng.integers(1, 7))
    X = rng.normal(size=(60, n_features)) * 10.0 ** rng.integers(-3, 4, n_features) + rng.normal() * 5
    w = rng.normal(size=n_features) / X.std(axis=0)
    scores = (X - X.mean(axis=0)) @ w
    y = scores > 0
    verdict = linear_separability(X, y)
    assert verdict
    assert ((X @ verdict.weights + verdict.intercept > 0) == y).all()
    distances = np.abs(X @ verdict.weights + verdict.intercept) / np.linalg.norm(verdict.weights)
    assert verdict.margin == pytest.approx(distances.min())
    assert verdict.certificate is None
    X[0], y[0] = X[y].mean(axis=0), False
    verdict = linear_separability(X, y)
    assert not verdict
    assert verdict.weights is None
    certificate = verdict.certificate
    certificate.verify()
    np.testing.assert_array_equal(X[certificate.true_rows], certificate.true_points)
    assert y[certificate.true_rows].all()
    assert not y[certificate.false_rows].any()
    assert len(certificate.true_rows) + len(certificate.false_rows) <= n_features + 2


def test_the_same_row_in_both_classes():
    verdict = linear_separability([[1.0, 2.0], [1.0, 2.0], [5.0, 1.0]], ["no", "yes", "yes"])
    assert str(verdict) == (
        "'no' and 'yes' are not linearly separable: one of the rows of 'yes', (1, 2) is also one of the rows of 'no', "
        "(1, 2): both are (1, 2)"
    )


def test_margin_of_two_points_is_half_their_distance_along_the_widest_column():
    verdict = linear_separability([[0.0], [3.0]], [0, 1])
    assert verdict.margin == pytest.approx(1.5)
    assert verdict.intercept / verdict.weights[0] == pytest.approx(-1.5)
    assert str(verdict) == "0 and 1 are linearly separable, with a margin of 1.5"


def test_a_tiny_but_real_gap_is_found():
    X = np.array([[0.0], [1.0], [1.0 + 1e-8], [2.0]])
    assert linear_separability(X, [0, 0, 1, 1])
    assert not linear_separability(X, [0, 1, 0, 1])


@pytest.mark.parametrize("gap", 10.0 ** -np.arange(6, 15))
def test_separable_rows_are_never_called_inseparable_beyond_the_tolerance(gap):
    X = np.array([[0.0, 3.0], [1.0, 0.0], [1.0 + gap, 0.0], [2.0, 1.0]])
    verdict = None
    with contextlib.suppress(ArithmeticError):
        verdict = linear_separability(X, [0, 0, 1, 1])
    if gap > 1e-9:
        assert verdict
    else:
        assert verdict is None or verdict or gap < 1e-11


def test_a_row_on_the_line_between_others():
    X = np.array([[0.0, 0.0], [1.0, 1.0], [1 / 3, 1 / 3 + 1e-17]])
    verdict = linear_separability(X, [0, 0, 1])
    assert not verdict
    assert verdict.certificate.gap < 1e-15
