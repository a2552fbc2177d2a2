"""The functions that activations and losses are made of, over the whole range of floats, at every instruction set."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from scipy import special

from rosenblatt import _core

MAX_ULPS = 2.0


def erf(x):
    """The error function: SciPy's, and in extended precision Kummer's series, of which no term is negative."""
    if x.dtype == np.float64:
        return special.erf(x)
    z = np.minimum(np.abs(x), 7)  # from here on 1 to more digits than any type has
    term = z.copy()
    total = term.copy()
    for n in range(1, 200):
        term = term * (2 * z * z / (2 * n + 1))
        total = total + term
    return np.copysign(np.minimum(total * np.exp(-z * z) * (2 / np.sqrt(np.arctan(x.dtype.type(1)) * 4)), 1), x)


FUNCTIONS = {
    "erf": erf,
    "sin": np.sin,
    "cos": np.cos,
    "exp": np.exp,
    "expm1": np.expm1,
    "log": np.log,
    "log1p": np.log1p,
    "tanh": np.tanh,
    "logistic": lambda x: 1 / (1 + np.exp(-x)),
}
MEASURE = """
import json, sys
sys.path[:0] = [sys.argv[1]]
from test_vector_math import measure
print(json.dumps(measure()))
"""


def every_float(dtype, step):
    """Floats of every sign and exponent, NaNs, infinities and denormals among them: every step-th bit pattern."""
    bits, integer = (32, np.uint32) if dtype == "float32" else (64, np.uint64)
    n = 2**bits // step
    patterns = (np.arange(n, dtype=np.uint64) * np.uint64(step)).astype(integer)
    special = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0, 88.7, -87.3, -103.9, 709.7, -745.1], dtype)
    tiny = np.array([1, 2, 3], integer).view(dtype)
    near = np.nextafter(special, np.array(0, dtype)), np.nextafter(special, np.array(np.inf, dtype))
    return np.concatenate([patterns.view(dtype), special, tiny, -tiny, *near])


def errors(name, dtype, x):
    """Largest error in units in the last place of the exact result, and how many special results are wrong."""
    from rosenblatt.ir.compile import evaluate
    from rosenblatt.ir.program import Builder
    from rosenblatt.ir.types import M

    b = Builder(dtype)
    program = b.build(y=getattr(b, name)(b.input("x", (M,))))
    found = evaluate(program, {"x": x}, len(x))["y"]
    with np.errstate(all="ignore"):
        exact = FUNCTIONS[name](x.astype(np.float64 if dtype == "float32" else np.longdouble))
        rounded = exact.astype(dtype)
        regular = np.isfinite(rounded) & np.isfinite(found)
        ulps = np.abs(found[regular] - exact[regular]) / np.spacing(np.abs(rounded[regular]))
        same = (found == rounded) | (np.isnan(found) & np.isnan(rounded))
        # The largest finite numbers and infinity are neighbours.
        edge = np.abs(np.where(np.isinf(found), rounded, found)) > 0.9999 * np.finfo(dtype).max
    return float(np.max(ulps.astype(float), initial=0)), int(np.sum(~regular & ~same & ~edge))


def measure():
    """Errors of each function and type on the instruction set of this process."""
    found = {}
    for dtype, step in (("float32", 1009), ("float64", 2**64 // 300_007)):
        x = every_float(dtype, step)
        if dtype == "float64":  # most patterns are huge or tiny: add the range where results vary
            x = np.concatenate([x, np.random.default_rng(0).normal(size=200_000) * 20])
        for name in FUNCTIONS:
            found[f"{name} {dtype}"] = errors(name, dtype, x)
    return found


@pytest.mark.long
@pytest.mark.parametrize("level", _core.isa_levels())
def test_functions_are_exact_to_a_few_ulps_over_the_whole_range(level):
    environment = os.environ | {"ROSENBLATT_ISA": level, "PYTHONPATH": ":".join(sys.path)}
    command = [sys.executable, "-c", MEASURE, os.path.dirname(__file__)]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    for name, (ulps, wrong) in json.loads(run.stdout).items():
        assert ulps <= MAX_ULPS, (name, ulps)
        assert wrong == 0, name
