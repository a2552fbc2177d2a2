"""Activations side by side
========================

All activations side by side: range, mean output, values, derivatives, and how often the derivative is zero.

The derivatives are those of training, computed by reverse-mode differentiation. A neuron whose derivative is zero does
not learn. With the step function it is always zero, with ReLU half of the time, and with ELU never, except by rounding.
`--picture activations.svg` draws the functions and their derivatives.
"""

import numpy as np
from _data import is_full
from _pictures import show

from rosenblatt.nn.activations import ACTIVATIONS
from rosenblatt.plots import plot_activations
from rosenblatt.plots.activations import activation_values

POINTS = np.array([-2.0, 0.0, 2.0])


def describe(name: str, normal: np.ndarray) -> dict[str, float]:
    """The figures of an activation; `normal` are draws from N(0, 1)."""
    wide, _ = activation_values(name, np.linspace(-1e4, 1e4, 200_001))
    wide[np.abs(wide) >= 100] *= np.inf
    values, slopes = activation_values(name, normal)
    found = {"lowest": wide.min(), "highest": wide.max(), "mean": values.mean(), "zero slope": np.mean(slopes == 0)}
    for z, value, slope in zip(POINTS, *activation_values(name, POINTS), strict=True):
        found |= {f"f({z:g})": value, f"f'({z:g})": slope}
    return found


def end_of_slope(name: str, direction: int) -> float:
    """The first integer in a direction at which the derivative is exactly zero in 64-bit arithmetic."""
    z = direction * np.arange(1000.0)
    return float(z[np.argmax(activation_values(name, z)[1] == 0)])


def main(full: bool = False) -> dict[str, float]:
    """The mean output and the share of zero derivatives of each activation; in full mode from more draws."""
    normal = np.random.default_rng(0).normal(size=2_000_000 if full else 50_000)
    table = {name: describe(name, normal) for name in ACTIVATIONS}
    print(" " * 12 + "".join(f"{column:>11}" for column in table["relu"]))
    for name, row in table.items():
        print(f"{name:<12}" + "".join(f"{value:>11.3g}" for value in row.values()))
    ends = {"logistic ends": end_of_slope("logistic", 1), "elu ends": end_of_slope("elu", -1)}
    print(f"never zero in theory, but rounded to zero: the derivative of the logistic at {ends['logistic ends']:g}, "
          f"that of ELU at {ends['elu ends']:g}")  # fmt: skip
    show(plot_activations)
    return {
        f"{name} {column}": float(row[column]) for name, row in table.items() for column in ("mean", "zero slope")
    } | ends


if __name__ == "__main__":
    main(is_full())
