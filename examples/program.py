"""A training step as a program (forward pass, loss, derivative and update), and where its values are stored."""

from rosenblatt import Builder
from rosenblatt.ir.autodiff import gradient
from rosenblatt.ir.planner import plan
from rosenblatt.ir.rewrite import eliminate_dead
from rosenblatt.ir.types import M, Program


def training_step() -> Program:
    """Linear regression by gradient descent with momentum."""
    b = Builder("float32")
    x, y = b.input("x", (M, 3)), b.input("y", (M, 1))
    w, velocity = b.leaf("params", "w", (3, 1)), b.leaf("state", "velocity", (3, 1))
    loss = b.mean(b.squared_error(b.matmul(x, w), y))
    (dw,) = gradient(b, loss, [w])
    b.emit("sgd_update", w, velocity, dw, b.slot("learning_rate"), 0.9, 0.0, nesterov=0)
    return eliminate_dead(b.build(loss=loss))


if __name__ == "__main__":
    program = training_step()
    print(program)
    print(plan(program, capacity=32))
