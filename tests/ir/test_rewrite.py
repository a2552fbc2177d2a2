"""Rewrites: the fused program gives the same bits as the plain one, and is shorter."""

from collections import Counter

import numpy as np
import pytest

from rosenblatt.ir.autodiff import gradient
from rosenblatt.ir.compile import evaluate
from rosenblatt.ir.program import Builder
from rosenblatt.ir.rewrite import fuse
from rosenblatt.ir.types import M
from rosenblatt.nn import SGD, Adam, NetworkSpec
from rosenblatt.nn.objective import Objective
from rosenblatt.nn.programs import prediction_program, training_program


def ops(program):
    return Counter(instruction.op for instruction in program.instructions)


def same(program, feeds, n_rows):
    """Both forms agree in every output and in every leaf that they leave behind."""
    plain, fused = evaluate(program, feeds, n_rows), evaluate(fuse(program), feeds, n_rows)
    assert plain.keys() == fused.keys()
    for name in plain:
        assert np.array_equal(plain[name], fused[name], equal_nan=True), name


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("sizes", [(5, 2), (10, 50, 3), (7, 33, 129, 4), (3, 1, 1), (300, 20, 2), (4, 600, 18, 1)])
@pytest.mark.parametrize("optimizer", [SGD(), Adam()], ids=["sgd", "adam"])
def test_a_fused_training_step_is_the_plain_one(sizes, optimizer, dtype):
    rng = np.random.default_rng(0)
    spec = NetworkSpec(sizes[0], sizes[1:-1], sizes[-1], output="softmax")
    program = training_program(spec, Objective("softmax_cross_entropy", l2=0.3), optimizer, dtype)
    for n_rows in (0, 1, 13, 64):
        feeds = {
            leaf.value.name: rng.uniform(0.1, 1, leaf.value.type.size(n_rows)).astype(dtype)
            for leaf in program.leaves
            if leaf.region in ("params", "state")
        }
        feeds["weights"] = rng.normal(size=spec.n_weights).astype(dtype)
        feeds |= {
            "x": rng.normal(size=(n_rows, sizes[0])).astype(dtype),
            "y": rng.integers(0, sizes[-1], n_rows),
        }
        feeds |= dict.fromkeys(optimizer.slots, 0.1)
        same(program, feeds, n_rows)


def test_a_training_step_has_nothing_left_to_fuse():
    spec = NetworkSpec(10, (50, 20), 3, output="softmax")
    program = training_program(spec, Objective("softmax_cross_entropy", l2=0.3), Adam(), "float32")
    before, after = ops(program), ops(fuse(program))
    assert after["dense"] == 3
    assert after["matmul_gated"] == 2
    assert not after.keys() & {"relu", "relu_backward"}
    assert before["add"] - after["add"] == 4  # three biases and the penalty's gradient
    assert str(fuse(fuse(program))) == str(fuse(program))


def test_prediction_is_one_instruction_a_layer():
    program = fuse(prediction_program(NetworkSpec(10, (50, 20), 3, output="softmax"), "float32"))
    assert [i.op for i in program.instructions if i.op != "view"] == ["dense", "dense", "dense", "softmax"]


def leaves(b):
    return b.input("x", (M, 3)), b.leaf("params", "w", (3, 4)), b.leaf("params", "bias", (4,))


FEEDS = {
    "x": np.random.default_rng(0).normal(size=(5, 3)),
    "w": np.random.default_rng(1).normal(size=(3, 4)),
    "bias": np.random.default_rng(2).normal(size=4),
    "v": np.zeros((3, 4)),
}


def test_values_that_are_read_elsewhere_stay():
    b = Builder("float64")
    x, w, bias = leaves(b)
    product = b.matmul(x, w)
    z = b.add(product, bias)
    program = b.build(product=product, z=z, h=b.relu(z))
    assert ops(fuse(program)) == {"matmul": 1, "add": 1, "relu": 1}
    same(program, FEEDS, 5)
    b = Builder("float64")
    x, w, bias = leaves(b)
    z = b.add(b.matmul(x, w), bias)
    program = b.build(z=z, h=b.relu(z))
    assert ops(fuse(program)) == {"dense": 1, "relu": 1}
    same(program, FEEDS, 5)


def test_what_only_looks_like_a_bias_stays():
    b = Builder("float64")
    x, w, bias = leaves(b)
    program = b.build(a=b.add(bias, b.matmul(x, w)), c=b.add(b.matmul(x, w), 1.0), d=b.add(b.matmul(x, w), x_row(b, x)))
    assert "dense" not in ops(fuse(program))
    same(program, FEEDS, 5)


def x_row(b, x):
    return b.sum(x, axis=1, keepdims=1)


def test_nothing_moves_behind_an_update():
    b = Builder("float64")
    x, w, bias = leaves(b)
    product = b.matmul(x, w)
    b.emit("sgd_update", w, b.leaf("state", "v", (3, 4)), w, 0.1, 0.9, 0.0, nesterov=0)
    program = b.build(z=b.add(product, bias))
    assert "dense" not in ops(fuse(program))
    same(program, FEEDS, 5)


@pytest.mark.parametrize("updated", ["parameter", "a view of it", "factor", "something else"])
def test_a_penalty_is_taken_before_what_updates_its_operands(updated):
    b = Builder("float64")
    block, scale = b.leaf("params", "block", (6,)), b.leaf("params", "scale", ())
    w = b.view(block, offset=2, shape=(4,))
    velocity, grad = b.leaf("state", "velocity", (4,)), b.leaf("grads", "grad", (4,))
    total = b.add(b.square(grad), b.mul(w, scale))
    target = {"parameter": w, "factor": scale, "something else": b.leaf("params", "other", ())}.get(updated)
    if target is None:
        target = b.view(block, offset=4, shape=(2,))
    b.emit("assign", target, b.fill(value=7.0, shape=target.shape))
    b.emit("sgd_update", w, velocity, total, 0.1, 0.9, 0.0, nesterov=0)
    program = b.build()
    assert ("mul" in ops(fuse(program))) == (updated != "something else")
    feeds = {leaf.value.name: np.random.default_rng(1).normal(size=leaf.value.shape) for leaf in program.leaves}
    same(program, feeds, 1)


@pytest.mark.parametrize("twist", ["none", "other parameter", "decay already", "used twice", "square"])
def test_only_a_penalty_of_the_updated_parameter_becomes_decay(twist):
    b = Builder("float64")
    _, w, _ = leaves(b)
    other = b.leaf("params", "u", (3, 4))
    g = b.square(other)
    factor = b.square(b.constant(0.3))
    scaled = b.mul(w if twist != "other parameter" else other, w if twist == "square" else factor)
    total = b.add(g, scaled)
    decay = 0.5 if twist == "decay already" else 0.0
    b.emit("sgd_update", w, b.leaf("state", "v", (3, 4)), total, 0.1, 0.9, decay, nesterov=1)
    program = b.build(total=total) if twist == "used twice" else b.build()
    assert ("mul" in ops(fuse(program))) == (twist != "none")
    same(program, FEEDS | {"u": np.random.default_rng(3).normal(size=(3, 4))}, 5)


@pytest.mark.parametrize("clip", [0.0, 1e-7])
def test_a_loss_and_its_gradient_share_one_softmax_unless_the_loss_is_exact(clip):
    b = Builder("float64")
    x, y = b.input("x", (M, 5)), b.input("y", (M,), "int32")
    loss = b.softmax_cross_entropy(x, y, clip=clip)
    program = b.build(each=loss, g=gradient(b, b.sum(loss), [x])[0])
    counts = ops(fuse(program))
    assert ("softmax" in counts) == ("picked_cross_entropy_grad" in counts) == (clip > 0)
    rng = np.random.default_rng(0)
    feeds = {"x": rng.normal(size=(9, 5)) * 10, "y": rng.integers(0, 5, 9).astype(np.int32)}
    plain, fused = evaluate(program, feeds, 9), evaluate(fuse(program), feeds, 9)
    assert np.array_equal(plain["each"], fused["each"])
    assert np.array_equal(plain["g"], fused["g"])
