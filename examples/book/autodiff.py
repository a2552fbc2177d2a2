"""Derivatives of a program
========================

A program, its derivative, and three ways to check it: central differences, dual numbers, and a closed form.

f = x²y + y + 2 is 42 at (3, 4), and its gradient is (24, 10). A derivative is a program like any other and can be
differentiated again: the Hessian is [[8, 6], [6, 0]]. Others are sin(x²), whose slope at 3 is 6 cos 9, and a loop.
"""

from collections.abc import Callable

from rosenblatt.ir.autodiff import gradient
from rosenblatt.ir.compile import evaluate
from rosenblatt.ir.duals import Dual
from rosenblatt.ir.program import Builder
from rosenblatt.ir.types import Program, Value


def f(x, y):
    """The function in plain Python. It runs on numbers and on dual numbers."""
    return x * x * y + y + 2


def polynomial(b: Builder, x: Value, y: Value) -> Value:
    """The same function from ops, each of which becomes an instruction of the program."""
    return b.add(b.add(b.mul(b.mul(x, x), y), y), 2.0, name="f")


def loop(b: Builder, x: Value, y: Value) -> Value:
    """Start from z = 0 and repeat z ← x cos(z + i) + z sin(y - i) for i = 0 to 99."""
    z = b.fill(value=0.0, shape=())
    for i in range(100):
        z = b.add(b.mul(x, b.cos(b.add(z, float(i)))), b.mul(z, b.sin(b.sub(y, float(i)))))
    return z


def program_with_gradient(function: Callable[[Builder, Value, Value], Value], twice: bool = False) -> Program:
    """A function as a program, extended by its derivatives and, if `twice`, by their derivatives."""
    b = Builder("float64")
    x, y = b.leaf("params", "x", ()), b.leaf("params", "y", ())
    value = function(b, x, y)
    dx, dy = gradient(b, value, [x, y])
    outputs = {"f": value, "df_dx": dx, "df_dy": dy}
    for name, first in (("dx", dx), ("dy", dy)) if twice else ():
        outputs[f"{name}_dx"], outputs[f"{name}_dy"] = gradient(b, first, [x, y])
    return b.build(**outputs)


def at(x: float, y: float, program: Program) -> dict[str, float]:
    """The outputs of a program at a point."""
    found = evaluate(program, {"x": x, "y": y}, n_rows=1)
    return {name: float(found[name]) for name in program.outputs}


def fixtures() -> dict[str, float]:
    """The book's other figures: the Hessian, a forward difference, sin(x²) at 3, the loop at (0.2, 0.3)."""
    hessian = at(3, 4, program_with_gradient(polynomial, twice=True))
    sine = at(3, 0, program_with_gradient(lambda b, x, y: b.sin(b.square(x))))
    recurrence = at(0.2, 0.3, program_with_gradient(loop))
    figures = {f"hessian {name}": hessian[name] for name in ("dx_dx", "dx_dy", "dy_dx", "dy_dy")}
    figures |= {"forward difference": (f(3 + 1e-4, 4) - f(3, 4)) / 1e-4, "slope of sin(x²)": sine["df_dx"]}
    return figures | {f"loop {name}": value for name, value in recurrence.items()}


def main() -> tuple[float, float, float]:
    """Print the program and all figures; return (f, df/dx, df/dy)."""
    print(program := program_with_gradient(polynomial))
    (value, dx, dy), h = at(3, 4, program).values(), 1e-6
    print(f"reverse mode         f = {value:g}, gradient = ({dx:g}, {dy:g})")
    print(f"central differences  gradient = ({(f(3 + h, 4) - f(3 - h, 4)) / (2 * h):.6f}, "
          f"{(f(3, 4 + h) - f(3, 4 - h)) / (2 * h):.6f})")  # fmt: skip
    print(f"dual numbers         df/dx = {f(Dual(3.0, 1.0), 4.0).tangent}, df/dy = {f(3.0, Dual(4.0, 1.0)).tangent}")
    print(*(f"{name:<20} {number:.8g}" for name, number in fixtures().items()), sep="\n")
    return value, dx, dy


if __name__ == "__main__":
    main()
