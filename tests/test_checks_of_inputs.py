"""Checks of what users pass: what is accepted, and the words of what is refused."""

import math

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from rosenblatt import _checks as c

NO_TIMES = (0, -1, True, math.inf, "0s", "-1s", "1d", None, "3 days", "")
TIMES = [(90, 90), (0.5, 0.5), ("90", 90), ("90s", 90), ("1.5 m", 90), ("1h", 3600)]


class Layer:
    def __init__(self, rate, name=None):
        self.rate, self.name = rate, name


class Named:
    name = "of the class"
    __slots__ = ("rate",)

    def __init__(self, rate):
        self.rate = rate


X = np.arange(6.0).reshape(3, 2)
HOLED = X.copy()
HOLED[1, 1] = np.nan


@pytest.mark.parametrize(
    ("check", "message"),
    [
        (
            lambda: c.check_number("rate", 1.5, 0, 1, below=True, where="Dropout"),
            r"Dropout: rate is 1\.5; it must be a number in \[0, 1\)",
        ),
        (lambda: c.check_number("rate", 1, 0, 1, below=True), r"in \[0, 1\)"),
        (lambda: c.check_number("rate", 0, 0, 1, above=True), r"rate is 0; it must be a number in \(0, 1\]"),
        (lambda: c.check_number("rate", -1, 0), r"rate is -1; it must be a number in \[0, inf\)"),
        (lambda: c.check_number("rate", math.inf, 0), r"rate is inf; it must be a number in \[0, inf\)"),
        (lambda: c.check_number("rate", math.nan), "rate is nan; it must be a finite number"),
        (lambda: c.check_number("rate", True), "rate is True; it must be a finite number"),
        (lambda: c.check_number("rate", "1"), "rate is '1'; it must be a finite number"),
        (
            lambda: c.check_number("cycles", 1.5, 1, 32, whole=True),
            r"cycles is 1\.5; it must be a whole number in \[1, 32\]",
        ),
        (
            lambda: c.check_fields(Layer(2), "rate", low=0, high=1),
            r"^Layer: rate is 2; it must be a number in \[0, 1\]",
        ),
        (lambda: c.check_fields(Layer(2, "h"), "rate", low=0, high=1), r"^Layer 'h': rate is 2"),
        (lambda: c.check_fields(Named(2), "rate", low=0, high=1), r"^Named: rate is 2"),
        (lambda: c.check_counts(Layer(0, "h"), "rate"), r"^Layer 'h': rate is 0; it must be a positive integer"),
        (lambda: c.check_count("n", 2.0), r"^n is 2\.0; it must be a positive integer"),
        (lambda: c.check_count("n", True), "^n is True; it must be a positive integer"),
        (lambda: c.check_count("n", 4, 1, 3), r"^n is 4; it must be an integer in \[1, 3\]"),
        (lambda: c.check_count("n", -1, 0), r"^n is -1; it must be an integer in \[0, inf\)"),
        (
            lambda: c.parse_duration("--time", "soon"),
            "^--time is 'soon'; it must be a positive number of seconds, or a time such as '90s'",
        ),
        *((lambda t=t: c.parse_duration("time", t), "^time is ") for t in NO_TIMES),
        *(
            (lambda t=t: c.parse_duration("every", t, unitless="steps"), "a positive number of steps, or")
            for t in (5, 1.5, "5", "x")
        ),
        (
            lambda: c.check_seed("random_state", -1),
            r"random_state is -1; it must be an integer in \[0, 2\*\*64\), or None",
        ),
        (lambda: c.check_seed("random_state", 2**64), "random_state is 18446744073709551616"),
        (lambda: c.check_seed("random_state", True), "random_state is True"),
        (lambda: c.check_same_rows(X=X, y=[1, 2]), "X has 3 rows, but y has 2; give one row of each per example"),
        (lambda: c.check_same_rows(X=X, y=3), "y is a single value"),
        (lambda: c.check_finite("X", HOLED), r"X contains NaN in row 1, column 1 \(from 0\)"),
        (lambda: c.check_finite("X", csr_matrix(HOLED)), r"X contains NaN in row 1, column 1 \(from 0\)"),
        (lambda: c.check_finite("y", [1.0, -math.inf]), r"y contains -inf in row 1 \(from 0\)"),
        (
            lambda: c.check_weights([1, 2], 3),
            r"sample_weight has shape \(2,\); it must have one weight per row, shape \(3,\)",
        ),
        (lambda: c.check_weights([[1], [2]], 2), r"sample_weight has shape \(2, 1\)"),
        (lambda: c.check_weights([1, math.nan], 2), "sample_weight contains NaN in row 1"),
        (
            lambda: c.check_weights([1, -0.5], 2),
            r"sample_weight is -0\.5 in row 1 \(from 0\); weights must be at least 0",
        ),
        (lambda: c.check_weights([0, 0], 2), "sample_weight is zero in all rows"),
    ],
)
def test_what_is_refused_says_what_is_allowed(check, message):
    with pytest.raises(ValueError, match=message):
        check()


def test_what_is_allowed_comes_back():
    assert c.check_number("rate", np.float32(0.5), 0, 1) == 0.5
    assert type(c.check_count("n", np.int64(3))) is int
    assert c.check_number("cycles", 3.0, 1, whole=True) == 3
    c.check_fields(Layer(0.5), "rate", low=0, high=1, below=True)
    assert [c.check_seed("seed", s) for s in (None, 0, np.int64(7), 2**64 - 1)] == [None, 0, 7, 2**64 - 1]
    assert c.check_same_rows(X=csr_matrix(X), y=[1, 2, 3], sample_weight=None) == 3
    c.check_finite("X", csr_matrix(X))
    c.check_finite("y", ["text", "more"])
    weights = c.check_weights([0, 1, 2], 3, np.float32)
    assert weights.dtype == np.float32
    assert weights.tolist() == [0, 1, 2]


@pytest.mark.parametrize(("given", "seconds"), TIMES)
def test_durations_are_read_in_seconds(given, seconds):
    assert c.parse_duration("time", given) == seconds
    if str(given)[-1].isalpha():
        assert c.parse_duration("every", given, unitless="steps") == seconds
