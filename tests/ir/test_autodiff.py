"""The derivative of a program against central differences, forward mode, closed forms and PyTorch."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rosenblatt.ir.autodiff import gradient
from rosenblatt.ir.compile import evaluate
from rosenblatt.ir.program import Builder
from rosenblatt.ir.reference import interpret
from rosenblatt.ir.rewrite import eliminate_dead
from rosenblatt.ir.types import M, ProgramError
from rosenblatt.nn import NetworkSpec
from rosenblatt.nn.objective import Objective
from rosenblatt.nn.programs import block_programs


def run(b, feeds, n_rows=1, **outputs):
    return evaluate(eliminate_dead(b.build(**outputs)), feeds, n_rows)


def scalar(b, name):
    return b.leaf("params", name, ())


def test_gradient_of_the_books_polynomial():
    b = Builder("float64")
    x, y = scalar(b, "x"), scalar(b, "y")
    f = b.add(b.add(b.mul(b.square(x), y), y), 2.0)
    dx, dy = gradient(b, f, [x, y])
    found = run(b, {"x": 3.0, "y": 4.0}, f=f, dx=dx, dy=dy)
    assert (found["f"], found["dx"], found["dy"]) == (42.0, 24.0, 10.0)


def test_second_derivatives_of_the_books_polynomial():
    b = Builder("float64")
    x, y = scalar(b, "x"), scalar(b, "y")
    f = b.add(b.add(b.mul(b.mul(x, x), y), y), 2.0)
    dx, dy = gradient(b, f, [x, y])
    (dxx, dxy), (dyx, dyy) = gradient(b, dx, [x, y]), gradient(b, dy, [x, y])
    found = run(b, {"x": 3.0, "y": 4.0}, dxx=dxx, dxy=dxy, dyx=dyx, dyy=dyy)
    assert [float(found[k]) for k in ("dxx", "dxy", "dyx", "dyy")] == [8.0, 6.0, 6.0, 0.0]


def test_derivative_of_sin_of_square():
    b = Builder("float64")
    x = scalar(b, "x")
    (dx,) = gradient(b, b.sin(b.square(x)), [x])
    assert run(b, {"x": 3.0}, dx=dx)["dx"] == pytest.approx(6 * np.cos(9.0), rel=1e-15)


def test_a_long_chain_of_reuse():
    b = Builder("float64")
    a, c, z = scalar(b, "a"), scalar(b, "b"), None
    z = b.mul(a, 0.0)
    for i in range(100):
        z = b.add(b.mul(a, b.cos(b.add(z, float(i)))), b.mul(z, b.sin(b.sub(c, float(i)))))
    da, dc = gradient(b, z, [a, c])
    found = run(b, {"a": 0.2, "b": 0.3}, z=z, da=da, dc=dc)
    assert float(found["z"]) == pytest.approx(-0.21253923284754916, abs=1e-12)
    assert float(found["da"]) == pytest.approx(-1.1388596824, abs=1e-9)
    assert float(found["dc"]) == pytest.approx(0.1967160325, abs=1e-9)


def test_independent_values_have_zero_gradients():
    b = Builder("float64")
    x, y = scalar(b, "x"), b.leaf("params", "y", (3,))
    _, dy = gradient(b, b.square(x), [x, y])
    assert run(b, {"x": 1.0, "y": np.ones(3)}, dy=dy)["dy"].tolist() == [0.0, 0.0, 0.0]


def test_views_of_one_block_are_packed_even_where_they_overlap_or_leave_gaps():
    b = Builder("float64")
    block = b.leaf("params", "block", (6,))
    first, second = b.view(block, offset=0, shape=(2, 2)), b.view(block, offset=2, shape=(3,))
    f = b.add(b.sum(b.square(first)), b.sum(b.mul(second, 10.0)))
    (g,) = gradient(b, f, [block])
    assert "pack" in {i.op for i in b.instructions}
    assert run(b, {"block": np.arange(6.0)}, g=g)["g"].tolist() == [0.0, 2.0, 14.0, 16.0, 10.0, 0.0]


@pytest.mark.parametrize("shape", [(), (1,), (4,), (1, 1), (1, 4), (3, 1), (2, 1, 4), (2, 3, 1), (1, 3, 4), (2, 1, 1)])
def test_a_gradient_is_summed_over_the_axes_that_were_broadcast(shape):
    b = Builder("float64")
    x, y = b.leaf("params", "x", shape), b.leaf("params", "y", (2, 3, 4))
    dx, dy = gradient(b, b.sum(b.mul(x, y)), [x, y])
    feeds = {"x": np.random.default_rng(0).normal(size=shape), "y": np.arange(24.0).reshape(2, 3, 4)}
    found = run(b, feeds, dx=dx, dy=dy)
    kept = (1,) * (3 - len(shape)) + shape
    axes = tuple(i for i, n in enumerate(kept) if n == 1)
    np.testing.assert_allclose(found["dx"], feeds["y"].sum(axis=axes, keepdims=True).reshape(shape), rtol=1e-14)
    np.testing.assert_array_equal(found["dy"], np.broadcast_to(feeds["x"], (2, 3, 4)))


def test_a_vector_needs_a_cotangent():
    b = Builder("float64")
    x = b.leaf("params", "x", (3,))
    with pytest.raises(ProgramError, match="give a cotangent, or sum it to a scalar first"):
        gradient(b, b.square(x), [x])
    g = b.leaf("params", "g", (3,))
    (dx,) = gradient(b, b.square(x), [x], g)
    assert run(b, {"x": [1, 2, 3], "g": [1, 10, 100]}, dx=dx)["dx"].tolist() == [2.0, 40.0, 600.0]


SMOOTH = ("tanh", "logistic", "softplus", "sin", "cos", "identity")
HEADS = (("softmax", "softmax_cross_entropy"), ("logistic", "logistic_cross_entropy"),
         ("identity", "squared_error"), ("exp", "poisson"))  # fmt: skip


def network_case(seed, depth, activation, head, l2, l1):
    """A random network with data: its block programs, and feeds for the first of them."""
    rng = np.random.default_rng(seed)
    n_in, n_out = int(rng.integers(1, 6)), int(rng.integers(2, 5))
    hidden = tuple(int(n) for n in rng.integers(1, 7, depth))
    output, loss = head
    chosen = activation if activation in ("tanh", "logistic", "identity") else lambda b, x: getattr(b, activation)(x)
    spec = NetworkSpec(n_in, hidden, n_out, activation=chosen, output=output)
    objective = Objective(loss, l2=l2, l1=l1, weighted=bool(rng.integers(2)))
    n_rows = int(rng.integers(1, 8))
    y = rng.integers(0, n_out, n_rows) if loss == "softmax_cross_entropy" else rng.uniform(0.1, 0.9, (n_rows, n_out))
    feeds = {"x": rng.normal(size=(n_rows, n_in)), "y": y, "sample_weight": rng.uniform(0.5, 2, n_rows)}
    feeds["weights"] = 0.5 * rng.normal(size=spec.n_weights)
    feeds["biases"] = 0.5 * rng.normal(size=spec.n_biases)
    return spec, objective, feeds, n_rows


def objective_and_gradient(spec, objective, feeds, n_rows):
    """Loss and gradient of the blocked pair of programs."""
    block, update = block_programs(spec, objective, None, "float64")
    zeros = {"weights_gradient": np.zeros(spec.n_weights), "biases_gradient": np.zeros(spec.n_biases), "loss_sum": 0.0}
    weight = feeds["sample_weight"].sum() if objective.weighted else n_rows
    found = dict(feeds, **evaluate(block, {**feeds, **zeros}, n_rows))
    found |= interpret(update, {**found, "inverse_weight": 1 / weight}, 1)
    return float(found["loss"]), np.concatenate([found["weights_gradient"], found["biases_gradient"]])


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    depth=st.integers(0, 3),
    activation=st.sampled_from(SMOOTH),
    head=st.sampled_from(HEADS),
    l2=st.sampled_from([0.0, 0.3]),
    l1=st.sampled_from([0.0, 0.2]),
)
def test_gradients_of_whole_networks_against_central_differences(seed, depth, activation, head, l2, l1):
    spec, objective, feeds, n_rows = network_case(seed, depth, activation, head, l2, l1)
    loss, found = objective_and_gradient(spec, objective, feeds, n_rows)
    rng = np.random.default_rng(seed)
    direction = rng.normal(size=found.size) / np.sqrt(found.size)
    epsilon = 1e-5

    def shifted(t):
        moved = dict(feeds)
        moved["weights"] = feeds["weights"] + t * direction[: spec.n_weights]
        moved["biases"] = feeds["biases"] + t * direction[spec.n_weights :]
        return objective_and_gradient(spec, objective, moved, n_rows)[0]

    if l1 and np.abs(feeds["weights"]).min() < 1e-3:
        return  # a kink of the penalty may lie between the two points
    slope = (shifted(epsilon) - shifted(-epsilon)) / (2 * epsilon)
    factor = spec.n_outputs if objective.loss == "squared_error" else 1  # reported as the mean over outputs
    if factor > 1 and (l1 or l2):
        return  # the reported loss is then no multiple of what is minimized
    assert found @ direction == pytest.approx(slope * factor, rel=1e-6, abs=1e-6 * max(1, abs(loss)))


@pytest.mark.parametrize("head", HEADS, ids=[loss for _, loss in HEADS])
@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic", "identity"])
def test_gradients_of_whole_networks_against_pytorch(activation, head):
    torch = pytest.importorskip("torch", reason="PyTorch is in tools/requirements.txt")
    output, loss = head
    rng = np.random.default_rng(0)
    spec = NetworkSpec(7, (11, 5), 3, activation=activation, output=output)
    n_rows = 13
    y = rng.integers(0, 3, n_rows) if loss == "softmax_cross_entropy" else rng.uniform(0.1, 0.9, (n_rows, 3))
    feeds = {"x": rng.normal(size=(n_rows, 7)), "y": y}
    feeds["weights"], feeds["biases"] = (
        0.4 * rng.normal(size=spec.n_weights),
        rng.normal(size=spec.n_biases),
    )
    value, found = objective_and_gradient(spec, Objective(loss, l2=0.1), feeds, n_rows)

    w = torch.tensor(feeds["weights"], requires_grad=True)
    bias = torch.tensor(feeds["biases"], requires_grad=True)
    h, at, bias_at = torch.tensor(feeds["x"]), 0, 0
    for i, (n_in, n_out) in enumerate(spec.weight_shapes):
        h = h @ w[at : at + n_in * n_out].reshape(n_in, n_out) + bias[bias_at : bias_at + n_out]
        at, bias_at = at + n_in * n_out, bias_at + n_out
        if i < 2:
            h = {"relu": torch.relu, "tanh": torch.tanh, "logistic": torch.sigmoid, "identity": lambda z: z}[
                activation
            ](h)
    functional, target = torch.nn.functional, torch.tensor(y)
    data = {
        "softmax_cross_entropy": lambda: functional.cross_entropy(h, target, reduction="sum"),
        "logistic_cross_entropy": lambda: functional.binary_cross_entropy_with_logits(h, target, reduction="sum"),
        "squared_error": lambda: 0.5 * ((h - target) ** 2).sum(),
        "poisson": lambda: (target * torch.log(target) - target * h - target + torch.exp(h)).sum(),
    }[loss]()
    penalty = 0.05 * (w**2).sum()
    ((data + penalty) / n_rows).backward()
    reported = (data / (3 if loss == "squared_error" else 1) + penalty) / n_rows
    assert value == pytest.approx(reported.item(), rel=1e-12)
    expected = np.concatenate([w.grad.numpy(), bias.grad.numpy()])
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-13)


def test_dead_instructions_go():
    b = Builder("float32")
    x, w = b.input("x", (M, 3)), b.leaf("params", "w", (3, 2))
    y = b.sum(b.square(b.matmul(x, w)))
    (dw,) = gradient(b, y, [w])
    with_all, without = b.build(dw=dw), eliminate_dead(b.build(dw=dw))
    assert len(without.instructions) < len(with_all.instructions)
    feeds = {"x": np.ones((4, 3), np.float32), "w": np.ones((3, 2), np.float32)}
    assert np.array_equal(evaluate(with_all, feeds, 4)["dw"], evaluate(without, feeds, 4)["dw"])
