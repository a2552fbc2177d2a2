"""One thread for BLAS while SciPy minimizes.

SciPy's L-BFGS calls BLAS for dot products of a few thousand numbers, for which OpenBLAS wakes all of its threads. They
wait for each other, and for those of this library.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["one_blas_thread"]

_lock = threading.Lock()


@functools.cache
def _controller() -> Any:
    """Of NumPy's and SciPy's libraries; looking for them takes milliseconds."""
    import scipy.linalg  # noqa: F401  # it brings a BLAS of its own, which must be loaded to be found
    from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]  # scikit-learn brings it

    return ThreadpoolController()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """BLAS has one thread in the whole process, and then as many as before.

    While one thread is inside, others that enter leave everything as it is: limits that overlap would put back what
    they had found of each other.
    """
    if not _lock.acquire(blocking=False):
        yield
        return
    try:
        with _controller().limit(limits=1, user_api="blas"):
            yield
    finally:
        _lock.release()
