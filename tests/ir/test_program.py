"""Programs: the builder, the check after every construction, the printer, the interpreter."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from rosenblatt.ir import reference
from rosenblatt.ir.autodiff import gradient
from rosenblatt.ir.compile import evaluate
from rosenblatt.ir.program import Builder, check
from rosenblatt.ir.types import Instruction, Leaf, M, Program, ProgramError, Type, Value, format_dim, resolve


def small_program():
    b = Builder("float64")
    x = b.input("x", (M, 3))
    block = b.leaf("params", "block", (8,))
    w = b.view(block, offset=0, shape=(3, 2), name="w")
    bias = b.view(block, offset=6, shape=(2,), name="bias")
    hidden = b.tanh(b.add(b.matmul(x, w), bias), name="hidden")
    return b, b.build(total=b.mul(b.sum(hidden), 2.0), hidden=hidden)


def leaf(region, name, id_=0, shape=(3,)):
    return Leaf(Value(id_, Type("float32", shape), name), region)


# Types and dimensions ---------------------------------------------------------------------------------------------


def test_dimensions_that_depend_on_the_rows():
    assert [format_dim(d) for d in (3, 0, -1, -3)] == ["3", "0", "m", "3m"]
    assert resolve((2, -1, -3), 5) == (2, 5, 15)
    assert str(Type("float64", (M, 3), sparse=True)) == "csr f64[m, 3]"
    assert str(Type("int32", ())) == "i32[]"
    assert Type("float32", (-2, 3)).size(5) == 30


# Builder ---------------------------------------------------------------------------------------------------------


def test_numbers_become_constants_of_the_programs_type_and_equal_ones_are_shared():
    b = Builder("float64")
    x = b.input("x", (M,))
    y = b.mul(b.add(x, 2.0), 2)
    program = b.build(y=y)
    fills = [i for i in program.instructions if i.op == "fill"]
    assert len(fills) == 1
    assert fills[0].output.type == Type("float64", ())


def test_names_of_values_are_unique():
    b = Builder()
    x = b.input("add", (3,))
    names = [b.add(x, x).name, b.add(x, x).name, b.add(x, x, name="mine").name, b.add(x, x, name="mine").name]
    assert len({"add", *names}) == 5
    assert names[2] == "mine"


def test_zeros_of_both_signs_are_two_constants():
    b = Builder("float64")
    one = b.leaf("params", "one", ())
    program = b.build(plus=b.div(one, 0.0), minus=b.div(one, -0.0))
    assert evaluate(program, {"one": 1.0}, 1)["minus"] == -np.inf
    assert evaluate(program, {"one": 1.0}, 1)["plus"] == np.inf


def test_names_of_values_stay_unique_where_a_builder_goes_on():
    b = Builder()
    x = b.input("x", (M, 2))
    first = [b.mul(x, x), b.mul(x, x), b.mul(x, x, name="mul_2"), b.mul(x, x)]
    on = Builder.extend(b.build())
    names = [v.name for v in (*first, on.mul(x, x), on.mul(x, x, name="mul_1"), on.mul(x, x))]
    assert len(set(names)) == 7, names


def test_an_output_may_have_the_name_of_a_leaf():
    b = Builder("float64")
    p = b.leaf("params", "p", ())
    program = b.build(p=b.mul(p, 2.0))
    assert evaluate(program, {"p": 3.0}, 1)["p"] == reference.interpret(program, {"p": 3.0}, 1)["p"] == 6


def test_updates_have_no_output():
    b = Builder()
    w = b.leaf("params", "w", (3,))
    assert b.accumulate(w, b.input("x", (3,))) is None


def test_extending_leaves_the_original_as_it_is():
    _, program = small_program()
    before = str(program)
    b = Builder.extend(program)
    more = b.build(**program.outputs, again=b.neg(program.outputs["total"], name="hidden"))
    assert str(program) == before
    assert len(more.instructions) == len(program.instructions) + 1
    assert len({i.output.name for i in more.instructions}) == len(more.instructions)


def test_leaves_are_found_by_name_and_region():
    _, program = small_program()
    assert program.leaf("x").shape == (M, 3)
    assert [v.name for v in program.region("params")] == ["block"]
    assert program.region("slots") == ()
    with pytest.raises(KeyError, match="no leaf 'y'; there are: x, block"):
        program.leaf("y")


def test_attributes_and_outputs_are_read_only():
    _, program = small_program()
    with pytest.raises(TypeError):
        program.instructions[0].attrs["offset"] = 3
    with pytest.raises(TypeError):
        program.outputs["total"] = program.leaf("x")


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda b: Builder("float16"), "dtype is 'float16'; allowed: float32, float64"),
        (lambda b: b.leaf("registers", "w", (3,)), "leaf 'w': region is 'registers'; allowed: params"),
        (lambda b: b.input("x", (3,)), "leaf 'x': the name is taken"),
        (lambda b: b.leaf("params", "w", (M, 3)), r"cannot depend on the batch's rows"),
        (lambda b: b.emit("convolve", b.input("y", ())), "no op is called 'convolve'. The ops are: 'abs', "),
        (lambda b: b.matmul(b.input("y", (3,)), 2.0), r"matmul\(f32\[3\], f32\[\]\)"),
    ],
)
def test_mistakes_in_building_are_named(act, message):
    b = Builder()
    b.input("x", (3,))
    with pytest.raises(ProgramError, match=message):
        act(b)


def test_unknown_methods_are_attribute_errors():
    with pytest.raises(AttributeError, match="no op is called 'convolve'"):
        Builder().convolve  # noqa: B018
    assert not hasattr(Builder(), "__array__")


# check -----------------------------------------------------------------------------------------------------------

X = leaf("inputs", "x").value
F32 = Type("float32", (3,))
OUT = Value(1, F32, "out")


def program_of(*instructions, leaves=None, **outputs):
    return Program("float32", (Leaf(X, "inputs"),) if leaves is None else leaves, instructions, outputs)


BROKEN = [
    (program_of(Instruction("neg", (OUT,), Value(2, F32, "y"))), r"instruction 0, .*neg\(out\).*'out' is not defined"),
    (program_of(Instruction("neg", (replace(X),), OUT)), "'x' is not defined before it is used"),
    (program_of(Instruction("convolve", (X,), OUT)), "no op is called 'convolve'"),
    (program_of(Instruction("neg", (X, X), OUT)), "instruction 0, .*: takes 1 operands, 2 given"),
    (program_of(Instruction("pack", (), OUT)), "takes at least one operand"),
    (program_of(Instruction("neg", (X,), Value(1, Type("float32", (4,)), "out"))), r"gives f32\[3\], .* says f32\[4\]"),
    (program_of(Instruction("neg", (X,), None)), r"gives f32\[3\], the instruction says None"),
    (program_of(Instruction("sum", (X,), OUT)), "has attributes none; the op's are axis, keepdims"),
    (program_of(Instruction("neg", (X,), OUT, {"axis": 0})), "has attributes axis; the op's are none"),
    (program_of(Instruction("neg", (X,), OUT), Instruction("abs", (X,), OUT)), "instruction 1, .* is defined already"),
    (program_of(Instruction("neg", (X,), Value(0, F32, "y"))), r"value 0 \('x'\) is defined already"),
    (program_of(leaves=(leaf("inputs", "x"), leaf("inputs", "y"))), "leaf 'y': value 0"),
    (program_of(Instruction("assign", (X, X), None)), "updates 'x', which does not persist"),
    (program_of(Instruction("fill", (), OUT, {"value": 1.0, "shape": (4,)})), r"gives f32\[4\]"),
    (program_of(Instruction("fill", (), Value(1, Type("float64", ()), "c"), {"value": 1.0, "shape": ()})), "f64"),
    (program_of(y=OUT), "output 'y': 'out' is not defined"),
]


@pytest.mark.parametrize(("program", "message"), BROKEN)
def test_broken_programs_are_refused(program, message):
    with pytest.raises(ProgramError, match=message):
        check(program)


def test_updates_through_a_view_of_what_persists_are_allowed():
    b = Builder()
    block = b.leaf("params", "block", (6,))
    b.accumulate(b.view(block, offset=1, shape=(3,)), b.input("g", (3,)))
    check(b.build())


def test_other_peoples_values_are_refused():
    b, other = Builder(), Builder()
    foreign = other.input("x", (3,))
    b.input("x", (3,))
    y = b.neg(foreign)
    with pytest.raises(ProgramError, match="'x' is not defined before it is used"):
        b.build(y=y)


# The printer ------------------------------------------------------------------------------------------------------


def test_printed_program_reads_as_documentation():
    _, program = small_program()
    assert str(program).splitlines() == [
        "program float64, m = rows of the batch",
        "  params   block: f64[8]",
        "  inputs   x: f64[m, 3]",
        "     0  w: f64[3, 2] = view(block, offset=0, shape=(3, 2))",
        "     1  bias: f64[2] = view(block, offset=6, shape=(2))",
        "     2  matmul: f64[m, 2] = matmul(x, w, transpose_a=0, transpose_b=0)",
        "     3  add: f64[m, 2] = add(matmul, bias)",
        "     4  hidden: f64[m, 2] = tanh(add)",
        "     5  sum: f64[] = sum(hidden, axis=-1, keepdims=0)",
        "     6  fill: f64[] = fill(value=2, shape=())",
        "     7  mul: f64[] = mul(sum, fill)",
        "  output   total = mul",
        "  output   hidden = hidden",
    ]
    assert repr(program.leaf("x")) == "<x: f64[m, 3]>"


def test_updates_are_printed_without_a_result():
    b = Builder()
    w = b.leaf("params", "w", (3,))
    b.assign(w, b.input("x", (3,)))
    assert "     0  assign(w, x)" in str(b.build()).splitlines()


# The interpreter --------------------------------------------------------------------------------------------------


def test_interpreter_computes_what_numpy_computes():
    _, program = small_program()
    rng = np.random.default_rng(0)
    block = rng.normal(size=8)
    for n_rows in (0, 1, 5):
        x = rng.normal(size=(n_rows, 3))
        found = reference.interpret(program, {"x": x, "block": block}, n_rows)
        hidden = np.tanh(x @ block[:6].reshape(3, 2) + block[6:])
        assert_allclose(found["hidden"], hidden, rtol=1e-14)
        assert_allclose(found["total"], 2 * hidden.sum(), rtol=1e-13)


def test_interpreter_updates_a_copy_through_its_aliases():
    b = Builder("float64")
    block = b.leaf("params", "block", (6,))
    middle = b.view(block, offset=1, shape=(2, 2))
    old = b.mul(middle, 1.0)
    b.accumulate(middle, b.input("g", (2, 2)))
    program = b.build(new=b.mul(block, 10.0), middle=middle, old=old)
    given = np.arange(6.0)
    found = reference.interpret(program, {"block": given, "g": np.full((2, 2), 100.0)}, 1)
    right = [0, 101, 102, 103, 104, 5]
    assert_array_equal(found["block"], right)
    assert_array_equal(found["new"], 10 * np.array(right))
    assert_array_equal(found["middle"], np.reshape(right[1:5], (2, 2)))
    assert_array_equal(found["old"], [[1, 2], [3, 4]])
    assert_array_equal(given, np.arange(6))


def test_interpreter_copies_what_is_no_alias():
    b = Builder("float64")
    w = b.leaf("params", "w", (2, 3))
    before = b.transpose(w, axes=(1, 0))
    b.assign(w, b.input("g", (2, 3)))
    found = reference.interpret(b.build(before=before), {"w": np.zeros((2, 3)), "g": np.ones((2, 3))}, 1)
    assert_array_equal(found["before"], np.zeros((3, 2)))
    assert_array_equal(found["w"], np.ones((2, 3)))


def test_interpreter_works_in_the_programs_type():
    b = Builder("float32")
    program = b.build(y=b.add(b.input("x", (M,)), 1e-9))
    found = reference.interpret(program, {"x": np.ones(2)}, 2)["y"]
    assert found.dtype == np.float32
    assert_array_equal(found, 1)


def test_interpreter_takes_sparse_rows():
    b = Builder("float64")
    program = b.build(y=b.csr_matmul(b.input("x", (M, 3), sparse=True), b.input("w", (3, 2))))
    x, w = np.array([[0.0, 2.0, 0.0], [1.0, 0.0, 3.0]]), np.arange(6.0).reshape(3, 2)
    assert_array_equal(reference.interpret(program, {"x": sparse.csr_array(x), "w": w}, 2)["y"], x @ w)


def test_interpreter_names_what_is_missing_or_misshapen():
    _, program = small_program()
    with pytest.raises(ValueError, match=r"leaf <block: f64\[8\]> is not fed; given: x"):
        reference.interpret(program, {"x": np.zeros((2, 3))}, 2)
    with pytest.raises(ValueError, match=r"fed an array of shape \(3, 3\); with 2 rows it is \(2, 3\)"):
        reference.interpret(program, {"x": np.zeros((3, 3)), "block": np.zeros(8)}, 2)
    with pytest.raises(ValueError, match="tangents are given for z, which"):
        reference.jvp(program, {"x": np.zeros((2, 3)), "block": np.zeros(8)}, {"z": 1.0}, 2)


# Forward mode of a whole program ----------------------------------------------------------------------------------


def test_forward_mode_equals_central_differences():
    _, program = small_program()
    rng = np.random.default_rng(1)
    x, block, direction = rng.normal(size=(5, 3)), rng.normal(size=8), rng.normal(size=8)
    values, derivatives = reference.jvp(program, {"x": x, "block": block}, {"block": direction}, 5)

    def total(step):
        return reference.interpret(program, {"x": x, "block": block + step * direction}, 5)["total"]

    assert_allclose(values["total"], total(0), rtol=1e-15)
    assert_allclose(derivatives["total"], (total(1e-6) - total(-1e-6)) / 2e-6, rtol=1e-8)
    assert derivatives["hidden"].shape == (5, 2)


def test_forward_mode_goes_through_updates():
    b = Builder("float64")
    w, rate = b.leaf("params", "w", (2,)), b.slot("rate")
    velocity = b.leaf("state", "velocity", (2,))
    b.sgd_update(w, velocity, b.mul(w, 3.0), rate, 0.0, 0.0, nesterov=0)
    input_arrays = {"w": [1.0, 2.0], "velocity": [0.0, 0.0], "rate": 0.1}
    values, derivatives = reference.jvp(b.build(), input_arrays, {"rate": 1.0}, 1)
    assert_allclose(values["w"], [0.7, 1.4])
    assert_allclose(derivatives["w"], [-3.0, -6.0])


@pytest.mark.parametrize("activation", ["tanh", "logistic", "softplus", "sin", "square", "exp"])
def test_second_derivatives_by_forward_over_reverse_and_reverse_over_reverse(activation):
    b = Builder("float64")
    x = b.input("x", (M,))
    (first,) = gradient(b, b.sum(getattr(b, activation)(x)), [x])
    (second,) = gradient(b, b.sum(first), [x])
    program = b.build(first=first, second=second)
    point = np.linspace(-2, 2, 7)
    values, derivatives = reference.jvp(program, {"x": point}, {"x": np.ones(7)}, 7)
    assert_allclose(values["second"], derivatives["first"], rtol=1e-12, atol=1e-14)

    def slope(step):
        return reference.interpret(program, {"x": point + step}, 7)["first"]

    assert_allclose(values["second"], (slope(1e-6) - slope(-1e-6)) / 2e-6, rtol=1e-7, atol=1e-8)
