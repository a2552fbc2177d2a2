"""The versions that results depend on, to the bit.

Takes nothing. Returns texts by name, which the ranks of a training compare. Never imports more than NumPy.
"""

from __future__ import annotations

import platform
import sys

import numpy as np

from rosenblatt import _core
from rosenblatt._version import __version__

__all__ = ["versions"]


def versions() -> dict[str, str]:
    """Versions of this package, Python and NumPy, and the instruction set of the kernels in use."""
    return {
        "version of rosenblatt": __version__,
        "version of Python": ".".join(map(str, sys.version_info[:2])),
        "version of NumPy": np.__version__,
        "processor": platform.machine(),
        "instruction set (ROSENBLATT_ISA selects one)": _core.isa(),
    }
