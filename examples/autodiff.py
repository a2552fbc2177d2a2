"""A program, its derivative, and three ways to check it: central differences, dual numbers, and a closed form.

f = x²y + y + 2 at (3, 4) is 42, and its gradient is (24, 10).
"""

from rosenblatt.ir.autodiff import gradient
from rosenblatt.ir.compile import evaluate
from rosenblatt.ir.duals import Dual
from rosenblatt.ir.program import Builder, Program


def f(x, y):
    """The function in plain Python: runs on numbers and on dual numbers."""
    return x * x * y + y + 2


def program_with_gradient() -> Program:
    """The same function as a program, extended by its derivative."""
    b = Builder("float64")
    x, y = b.leaf("params", "x", ()), b.leaf("params", "y", ())
    value = b.add(b.add(b.mul(b.mul(x, x), y), y), 2.0, name="f")
    dx, dy = gradient(b, value, [x, y])
    return b.build(f=value, df_dx=dx, df_dy=dy)


def main() -> tuple[float, float, float]:
    """Print the program and return (f, df/dx, df/dy)."""
    program = program_with_gradient()
    print(program)
    found = evaluate(program, {"x": 3.0, "y": 4.0}, n_rows=1)
    value, dx, dy = (float(found[name]) for name in ("f", "df_dx", "df_dy"))
    h = 1e-6
    print(f"reverse mode         f = {value:g}, gradient = ({dx:g}, {dy:g})")
    print(f"central differences  gradient = ({(f(3 + h, 4) - f(3 - h, 4)) / (2 * h):.6f}, "
          f"{(f(3, 4 + h) - f(3, 4 - h)) / (2 * h):.6f})")  # fmt: skip
    print(f"dual numbers         df/dx = {f(Dual(3.0, 1.0), 4.0).tangent}, df/dy = {f(3.0, Dual(4.0, 1.0)).tangent}")
    return value, dx, dy


if __name__ == "__main__":
    main()
