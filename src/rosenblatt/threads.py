"""The number of threads that the engine and BLAS use, and information about the engine.

Takes a number of threads. Returns settings and properties of the engine. Never changes a result: any number of threads
gives the same bits. A training step or a prediction runs on several threads if measurements show that this is faster.
Networks that train at the same time in threads of one program get one thread each.
"""

from __future__ import annotations

import functools
import math
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt import _core
from rosenblatt._checks import check_count

__all__ = [
    *("engine_info", "get_num_threads", "matrix_product", "one_blas_thread", "reserve_blas_memory"),
    *("set_num_threads", "share_processors", "threads_with_room"),
]

MAX_THREADS = 128
VARIABLE = "ROSENBLATT_NUM_THREADS"
BLAS_LOCK = threading.Lock()
PRODUCT_LOCK = threading.Lock()
ROOM = 96 << 20
"""Bytes of address space that must be free: the work memory of OpenBLAS, which is 32 MB, and that of a new thread."""
THREAD_ROOM = 72 << 20
"""Those of each further thread: the stack and the heap that the C library reserves for it."""
_n_with_room = 0
"""Threads at a time for which there was room."""


def set_num_threads(n: int) -> None:
    """Set the number of threads that share the work of one network, starting with the next call.

    Parameters
    ----------
    n : int
        1 to 128. With 1, everything runs in the calling thread.

    Raises
    ------
    ValueError
        If n is not an integer in this range.
    """
    _core.set_num_threads(check_count("n", n, 1, MAX_THREADS))


def get_num_threads() -> int:
    """The number of threads that share the work of one network.

    The default is the environment variable ROSENBLATT_NUM_THREADS or, if that is not set, the smallest of the number of
    processors that the process may use, the quota of its control group, and OMP_NUM_THREADS.
    """
    return _core.get_num_threads()


def share_processors(n_processes: int) -> None:
    """Take one of so many equal shares of the default number of threads, unless another number was set by the user."""
    if not os.environ.get(VARIABLE) and _core.get_num_threads() == _default():
        _core.set_num_threads(max(1, _default() // n_processes))


def engine_info() -> dict[str, Any]:
    """Properties of the native core and of the machine.

    Returns
    -------
    dict
        "isa": the instruction set of the kernels in use ("v2", "v3" and "v4" are the levels of x86-64, of which the
        environment variable ROSENBLATT_ISA selects a lower one; "neon" is that of aarch64; "base" that of any other
        processor). "isa_available": the instruction sets that this processor can run, lowest first. "threads": see
        `get_num_threads`. "processors": the number that the process may use.
    """
    return {
        "isa": _core.isa(),
        "isa_available": _core.isa_levels(),
        "threads": _core.get_num_threads(),
        "processors": _processors(),
    }


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Limit BLAS to one thread in the whole process, then restore the previous number.

    SciPy's L-BFGS calls BLAS for dot products of a few thousand numbers. OpenBLAS wakes all its threads for these,
    which then wait for each other and for those of the engine. Entering again from another thread changes nothing:
    overlapping limits would restore each other's values.
    """
    if not BLAS_LOCK.acquire(blocking=False):
        yield
        return
    try:
        with _blas_controller().limit(limits=1, user_api="blas"):
            yield
    finally:
        BLAS_LOCK.release()


def reserve_blas_memory() -> None:
    """Let BLAS take its work memory while a lack of it can still be reported.

    OpenBLAS takes it at its first product, keeps it, and ends the process if there is none.

    Raises
    ------
    MemoryError
        If little memory is left.
    """
    _check_room()
    with PRODUCT_LOCK:
        _first_product()


def matrix_product(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    """``a @ b`` by one thread of BLAS, since their number changes the last bits on some processors.

    There is one at a time in the whole process: each product that runs by itself needs work memory of its own.
    """
    with PRODUCT_LOCK:
        _first_product()
        with one_blas_thread():
            return np.asarray(a @ b)


def _check_room() -> None:
    """Refuse to begin with little memory."""
    try:
        np.empty(ROOM, np.uint8)
    except MemoryError:
        raise MemoryError(
            f"less than {ROOM >> 20} MB of memory are left, which the products of matrices need; close other "
            "programs, or raise the limit of this process (ulimit -v)"
        ) from None


def threads_with_room(n: int) -> int:
    """Of `n` threads that are to be started, as many as there is memory for.

    Where memory ends while a thread first uses a library, the C library ends the process. What it has reserved for
    threads that are over serves others.

    Raises
    ------
    MemoryError
        If there is not enough for one.
    """
    global _n_with_room
    for more in range(n - _n_with_room, 0, -1):
        try:
            np.empty(ROOM + more * THREAD_ROOM, np.uint8)  # which is not touched, and costs nothing
        except MemoryError:
            continue
        _n_with_room += more
        break
    if _n_with_room == 0:
        raise MemoryError(
            f"less than {(ROOM + THREAD_ROOM) >> 20} MB of memory are left, which another thread needs; close other "
            "programs, or raise the limit of this process (ulimit -v)"
        )
    return min(n, _n_with_room)


@functools.cache
def _first_product() -> None:
    """A product that is too large for the routines that need no work memory."""
    _check_room()
    square = np.ones((256, 256))
    np.matmul(square, square)


@functools.cache
def _blas_controller() -> Any:
    """The controller of NumPy's and SciPy's BLAS. It is cached because the search for them takes milliseconds."""
    import scipy.linalg  # noqa: F401  # it has its own BLAS, which must be loaded to be found
    from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]  # a dependency of scikit-learn

    return ThreadpoolController()


def _processors() -> int:
    """The number of processors that the process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _quota(root: Path = Path("/sys/fs/cgroup")) -> float:
    """The number of processors that the control group allows; infinite if it sets no quota."""
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
    """The default number of threads; see `get_num_threads`. An invalid ROSENBLATT_NUM_THREADS is a `ValueError`."""
    given = os.environ.get(VARIABLE, "").strip()
    if given:
        if not given.isdecimal() or not 1 <= int(given) <= MAX_THREADS:
            raise ValueError(f"{VARIABLE} is {given!r}; it must be an integer in [1, {MAX_THREADS}]")
        return int(given)
    limits = [float(MAX_THREADS), float(_processors()), max(1.0, _quota())]
    openmp = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    if openmp.isdecimal() and int(openmp) >= 1:
        limits.append(float(openmp))
    return int(min(limits))


_core.set_num_threads(_default())
_core.set_main_thread(threading.main_thread().ident or 0)
if hasattr(os, "register_at_fork"):  # the thread that forks is the main thread of the child
    os.register_at_fork(after_in_child=lambda: _core.set_main_thread(threading.get_ident()))
