"""How many threads the engine uses, and what the engine is.

A training step or a prediction is shared among the threads of one team where measurements say that this is quicker.
Results are the same bits whatever their number. Several networks that train at once in threads of a program get one
thread each.
"""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

from rosenblatt import _core

__all__ = ["engine_info", "get_num_threads", "set_num_threads"]

MOST = 128
VARIABLE = "ROSENBLATT_NUM_THREADS"


def set_num_threads(n: int) -> None:
    """Set the number of threads that share the work of one network, from the next call on.

    Parameters
    ----------
    n : int
        1 to 128. With 1 everything runs in the caller's thread.

    Raises
    ------
    TypeError, ValueError
        If n is no integer or not in this range.
    """
    if isinstance(n, bool) or not hasattr(n, "__index__"):
        raise TypeError(f"n is {n!r}; it must be a whole number of threads, 1 to {MOST}")
    if not 1 <= n <= MOST:
        raise ValueError(f"n is {n}; allowed: 1 to {MOST} threads")
    _core.set_num_threads(n)


def get_num_threads() -> int:
    """The number of threads that share the work of one network.

    At first the value of the environment variable ROSENBLATT_NUM_THREADS or, without it, the least of the processors
    that the process may use, its control group's quota, and OMP_NUM_THREADS.
    """
    return _core.get_num_threads()


def engine_info() -> dict[str, Any]:
    """What the native core runs on.

    Returns
    -------
    dict
        "isa": the instruction set whose kernels run ("v2", "v3" and "v4" are the levels of x86-64; the environment
        variable ROSENBLATT_ISA chooses a lower one); "isa_available": those that this processor can run, lowest first;
        "threads": see `get_num_threads`; "processors": how many the process may use.
    """
    return {
        "isa": _core.isa(),
        "isa_available": _core.isa_levels(),
        "threads": _core.get_num_threads(),
        "processors": _processors(),
    }


def _processors() -> int:
    """Processors that the process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _quota(root: Path = Path("/sys/fs/cgroup")) -> float:
    """Processors' worth of time that the control group allows; infinite where nothing is said."""
    try:
        limit, period = (root / "cpu.max").read_text().split()
        return math.inf if limit == "max" else float(limit) / float(period)
    except (OSError, ValueError):
        pass
    try:
        limit = (root / "cpu/cpu.cfs_quota_us").read_text()
        period = (root / "cpu/cpu.cfs_period_us").read_text()
        return float(limit) / float(period) if float(limit) > 0 else math.inf
    except (OSError, ValueError):
        return math.inf


def _default() -> int:
    """The number of threads to begin with, see `get_num_threads`.

    Raises
    ------
    ValueError
        If ROSENBLATT_NUM_THREADS is no number of threads.
    """
    given = os.environ.get(VARIABLE, "").strip()
    if given:
        if not given.isdecimal() or not 1 <= int(given) <= MOST:
            raise ValueError(f"{VARIABLE} is {given!r}; allowed: 1 to {MOST} threads")
        return int(given)
    limits = [float(MOST), float(_processors()), max(1.0, _quota())]
    openmp = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    if openmp.isdecimal() and int(openmp) >= 1:
        limits.append(float(openmp))
    return int(min(limits))


_core.set_num_threads(_default())
