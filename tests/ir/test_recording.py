"""Recordings: they do what the recorded function does, say where they apply, and refuse what is more than ops."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from rosenblatt.ir.compile import evaluate
from rosenblatt.ir.program import Builder
from rosenblatt.ir.recording import Recording, Step, record
from rosenblatt.ir.types import M, ProgramError, Type

WIDE = Type("float32", (M, 3))
CALLS = itertools.count()


def pinball(b, p, t):
    """A loss with constants, of which -0.0 must stay what it is."""
    error = t - p
    return b.maximum(error * 0.9, error * (0.9 - 1)) + b.mean(error, axis=1, keepdims=True) * -0.0


def all_axes(b, x):
    return x - b.mean(x) + x.sum(axis=-1, keepdims=True) * x.max()


def of_width(b, x):
    return x / x.shape[1]


def program(function, dtype, *types):
    b = Builder(dtype)
    values = [b.input(f"x{i}", t.shape, t.dtype) for i, t in enumerate(types)]
    return b.build(result=function(b, *values))


@pytest.mark.parametrize(("function", "n"), [(pinball, 2), (all_axes, 1), (of_width, 1)])
def test_a_recording_appends_what_the_function_appends(function, n):
    recording = record(function, "float32", [WIDE] * n)
    assert str(program(recording, "float32", *[WIDE] * n)) == str(program(function, "float32", *[WIDE] * n))
    assert record(recording, "float32", [WIDE] * n) == recording
    assert hash(recording) == hash(record(function, "float32", [WIDE] * n))


def test_a_recording_holds_for_other_widths_and_types_if_the_function_does_the_same_there():
    recording, other = record(pinball, "float32", [WIDE] * 2), Type("float64", (M, 5))
    assert recording.general
    assert str(program(recording, "float64", other, other)) == str(program(pinball, "float64", other, other))
    fixed = record(of_width, "float32", [WIDE])
    assert not fixed.general
    with pytest.raises(ProgramError, match=r"of_width was recorded for operands f32\[m, 3\] and applies to no others"):
        program(fixed, "float64", other)


def test_ops_that_nothing_reads_are_not_recorded():
    def wasteful(b, x):
        b.exp(x)
        return x * x

    assert record(wasteful, "float32", [WIDE]).steps == (Step("mul", (0, 0)),)


def test_equal_constants_are_shared():
    def twice(b, x):
        return x * b.fill(value=2.0, shape=()) + b.fill(value=2.0, shape=()) * b.fill(value=2.0, shape=(3,))

    recording = record(twice, "float32", [WIDE])
    assert [step.op for step in recording.steps].count("fill") == 2
    assert record(recording, "float32", [WIDE]) == recording


def test_numbers_of_the_function_are_kept_as_they_were():
    factor = [2.0]
    recording = record(lambda b, x: x * factor[0], "float64", [Type("float64", (M, 3))])
    factor[0] = 3.0
    x = np.arange(6.0).reshape(2, 3)
    assert_array_equal(evaluate(program(recording, "float64", Type("float64", (M, 3))), {"x0": x}, 2)["result"], 2 * x)


def test_a_recording_shows_its_ops():
    recording = record(pinball, "float32", [WIDE] * 2)
    assert repr(recording) == "<pinball, recorded: 10 ops>"
    assert "maximum(mul, mul_1)" in str(recording)


def with_leaf(b, x):
    return x * b.leaf("params", "own", (3,))


REFUSED = {
    "other ops each time": (lambda b, x: x * next(CALLS), "appends other ops each time"),
    "no value": (lambda b, x: 3.0, "gave 3.0, no value of the builder"),
    "its own parameter": (with_leaf, r"declares <own: f32\[3\]>; it may only use its operands"),
    "an update": (lambda b, x: (b.accumulate(b.leaf("params", "own", (3,)), 1.0), x)[1], "accumulate|declares"),
    "another builder's value": (lambda b, x: Builder().input("x", (M, 3)), "not defined"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_more_than_ops_of_operands_is_refused(case):
    function, message = REFUSED[case]
    with pytest.raises(ProgramError, match=message):
        record(function, "float32", [WIDE])


def test_random_numbers_are_no_function_of_operands():
    def noisy(b, key, x):
        return x + b.normal_noise(key, shape=(M, 3), stream=0)

    with pytest.raises(ProgramError, match="normal_noise does more than compute a result from operands"):
        record(noisy, "float32", [Type("int32", (4,)), WIDE])


def test_operands_of_another_kind_are_refused():
    recording = record(all_axes, "float32", [WIDE])
    with pytest.raises(ProgramError, match=r"all_axes was recorded for operands f32\[m, 3\]; given f32\[m\]"):
        program(recording, "float32", Type("float32", (M,)))
    assert isinstance(recording, Recording)
