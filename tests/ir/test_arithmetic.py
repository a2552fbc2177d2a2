"""Operators on values: the ops that they append, results beside NumPy, gradients, and what they refuse."""

from __future__ import annotations

import copy
import operator
import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from rosenblatt.ir import reference
from rosenblatt.ir.autodiff import gradient
from rosenblatt.ir.compile import evaluate
from rosenblatt.ir.program import Builder
from rosenblatt.ir.types import M, ProgramError

RNG = np.random.default_rng(0)
P, T, W = RNG.uniform(0.5, 2, (5, 3)), RNG.uniform(0.5, 2, (5, 3)), RNG.normal(size=(3, 2))

SAME_AS_ON_ARRAYS = {
    "arithmetic": lambda p, t, w: (p + t) * p - t / p,
    "numbers on the right": lambda p, t, w: (p + 2) * 3 - p / 4 - 1,
    "numbers on the left": lambda p, t, w: 2 + 3 * p - (1 - p) + 4 / p,
    "square": lambda p, t, w: (p - t) ** 2,
    "powers": lambda p, t, w: p**3 + p**-0.5 + p**t + 2**p,
    "signs": lambda p, t, w: abs(-p) + abs(p - t),
    "product": lambda p, t, w: (p - t) @ w,
    "broadcast": lambda p, t, w: p * t.mean(axis=0) + p.max(axis=1, keepdims=True) - t.sum(),
    "reductions": lambda p, t, w: p.sum(axis=1) + (p * t).mean(axis=1),
    "slices": lambda p, t, w: p[:, :2] * t[:, 1:] + p[:, -1:],
    "one column": lambda p, t, w: p[:, 0] * t[:, -1],
    "NumPy's numbers": lambda p, t, w: np.float64(2) * p + p * np.float32(3) + np.int64(1),
    "comparisons": lambda p, t, w: (
        32 * (np.float32(1) < p) + (p > t) + 2 * (p < 1.0) + 4 * (p >= t) + 8 * (p <= 1.0) + 16 * (t > 1.0)
    ),
}


@pytest.mark.parametrize("what", SAME_AS_ON_ARRAYS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_operators_are_those_of_arrays(what, dtype):
    b = Builder(dtype)
    values = b.input("p", (M, 3)), b.input("t", (M, 3)), b.leaf("params", "w", (3, 2))
    function = SAME_AS_ON_ARRAYS[what]
    program = b.build(y=function(*values))
    arrays = {"p": P.astype(dtype), "t": T.astype(dtype), "w": W.astype(dtype)}
    expected = np.asarray(function(*arrays.values()), float)
    tolerance = {"rtol": 1e-5, "atol": 1e-6} if dtype == "float32" else {"rtol": 1e-13, "atol": 1e-13}
    for found in (reference.interpret(program, arrays, 5)["y"], evaluate(program, arrays, 5)["y"]):
        assert found.dtype == dtype
        assert_allclose(found, expected, **tolerance)


@pytest.mark.parametrize("what", [name for name in SAME_AS_ON_ARRAYS if name != "comparisons"])
def test_gradients_agree_with_central_differences(what):
    function, direction = SAME_AS_ON_ARRAYS[what], RNG.normal(size=P.shape)
    b = Builder("float64")
    p, t, w = b.leaf("params", "p", P.shape), b.leaf("params", "t", T.shape), b.leaf("params", "w", W.shape)
    total = b.sum(function(p, t, w))
    program = b.build(slope=gradient(b, total, [p])[0])
    slope = evaluate(program, {"p": P, "t": T, "w": W}, 1)["slope"]
    plus, minus = (np.sum(function(P + h * direction, T, W)) for h in (1e-6, -1e-6))
    assert_allclose(np.sum(slope * direction), (plus - minus) / 2e-6, rtol=1e-6)


def test_comparisons_have_no_slope():
    b = Builder("float64")
    p = b.leaf("params", "p", P.shape)
    program = b.build(slope=gradient(b, b.sum((p > 1.0) * p), [p])[0])
    assert_array_equal(evaluate(program, {"p": P}, 1)["slope"], P > 1.0)


def test_operators_append_the_ops_and_nothing_else():
    def by_operators(b, p, t):
        return b.mean(abs((p - t) ** 2 / 2) * (p > t), axis=1)

    def by_ops(b, p, t):
        return b.mean(b.mul(b.abs(b.div(b.square(b.sub(p, t)), 2)), b.greater(p, t)), axis=1)

    programs = []
    for function in (by_operators, by_ops):
        b = Builder()
        programs.append(str(b.build(y=function(b, b.input("p", (M, 3)), b.input("t", (M, 3))))))
    assert programs[0] == programs[1]


def test_a_product_with_a_csr_matrix_is_that_of_scipy():
    b, rows = Builder("float64"), sparse.random(5, 3, 0.5, "csr", random_state=0)
    program = b.build(y=b.input("x", (M, 3), sparse=True) @ b.leaf("params", "w", (3, 2)))
    assert_allclose(evaluate(program, {"x": rows, "w": W}, 5)["y"], rows @ W, rtol=1e-13)


def test_clip_is_that_of_numpy():
    b = Builder("float64")
    program = b.build(y=b.clip(b.input("p", (M, 3)), 0.8, 1.2))
    assert_array_equal(evaluate(program, {"p": P}, 5)["y"], np.clip(P, 0.8, 1.2))


def test_values_stay_keys():
    b = Builder()
    x, y = b.input("x", (M, 3)), b.input("y", (M, 3))
    assert {x: 1, y: 2}[x] == 1
    assert (x == x, x == y, x != y) == (True, False, True)


def test_values_can_be_copied_and_pickled_but_copies_belong_to_no_builder():
    b = Builder()
    program = b.build(y=b.input("x", (M, 3)) * 2)
    for value in (pickle.loads(pickle.dumps(program.outputs["y"])), copy.deepcopy(program.outputs["y"])):
        assert repr(value) == repr(program.outputs["y"])
        with pytest.raises(TypeError, match="is part of a finished program; extend that"):
            value + 1


def value_and_builder():
    b = Builder()
    return b, b.input("x", (M, 3))


REFUSED = {
    "truth": (lambda b, x: 0 < x < 1, TypeError, r"neither true nor false.*b\.where.*\(x > 0\) \* \(x < 1\)"),
    "equality as a mask": (lambda b, x: b.where(x == 0, x, 1.0), ProgramError, r"where: an operand is False.*b\.equal"),
    "array": (
        lambda b, x: x + np.ones(3),
        TypeError,
        r"meets an array of shape \(3,\); operands are values and number",
    ),
    "array on the left": (lambda b, x: np.ones(3) * x, TypeError, "meets an array of shape"),
    "text": (lambda b, x: x + "1", TypeError, "unsupported operand"),
    "text as an operand": (lambda b, x: b.add(x, "one"), ProgramError, "add: an operand is a str; operands are values"),
    "list": (lambda b, x: [1] @ x, TypeError, "unsupported operand"),
    "other builder": (lambda b, x: x + Builder().input("x", (M, 3)), TypeError, "finished program|different builders"),
    "shapes": (lambda b, x: x + b.input("z", (M, 4)), ProgramError, "do not broadcast"),
    "iteration": (lambda b, x: list(x), TypeError, "not iterable"),
    "rows": (lambda b, x: x[0], IndexError, r"axis 0 is the rows of the batch, which cannot be cut"),
    "columns that are not there": (lambda b, x: x[:, 3], IndexError, "index 3 is out of range for axis 1, which has 3"),
    "steps": (lambda b, x: x[:, ::2], IndexError, "steps of 2"),
    "too many indices": (lambda b, x: x[:, 0, 0], IndexError, "2 axes; 3 indices"),
    "axis": (lambda b, x: x.mean(axis=2), ProgramError, "axis is 2"),
    "unknown op": (
        lambda b, x: b.men(x),
        AttributeError,
        r"no op is called 'men'\. Did you mean 'mean'\?.*Building networks",
    ),
    "logic": (lambda b, x: (x > 0) & (x < 1), TypeError, r"c \* d is their and, b\.maximum"),
    "negation": (lambda b, x: ~(x > 0), TypeError, "1 - c not"),
    "inequality as a mask": (lambda b, x: (x != 1) * x, TypeError, r"an operand is True.*b\.equal"),
    "a new axis": (lambda b, x: x[:, None], IndexError, r"an index is None.*b\.reshape"),
    "transposed": (lambda b, x: x.T, AttributeError, r"b\.transpose\(x, axes=\(1, 0\)\)"),
    "keyword": (lambda b, x: x.mean(axes=1), TypeError, "no parameter 'axes'. Did you mean 'axis'"),
    "axis by position": (lambda b, x: b.mean(x, 1), ProgramError, "axis, keepdims are given by name"),
    "rows negated": (lambda b, x: -x.shape[0], ProgramError, "number of rows, m, is used as a number"),
    "other library's op": (lambda b, x: b.multiply(x, x), AttributeError, "Did you mean 'mul'"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_has_no_meaning_is_refused(case):
    call, error, message = REFUSED[case]
    b, x = value_and_builder()
    with pytest.raises(error, match=message):
        call(b, x)


def test_different_builders_are_named():
    (_, x), (_b, y) = kept = value_and_builder(), value_and_builder()
    with pytest.raises(TypeError, match="are of different builders"):
        operator.add(x, y)
    assert len(kept) == 2


def test_a_builder_lists_its_ops():
    assert {"mean", "matmul", "clip", "input"} <= set(dir(Builder()))


def test_the_number_of_rows_stands_in_shapes_and_is_compared():
    b, x = value_and_builder()
    assert x.shape == (M, 3)
    assert (str(x.shape), x.shape[0] == x.shape[0], {M: 1}[x.shape[0]]) == ("(m, 3)", True, 1)
    assert b.reshape(x, shape=(x.shape[0], 1, 3)).shape == (M, 1, 3)
