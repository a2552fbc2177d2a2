"""A single thread for BLAS while SciPy minimizes.

SciPy's L-BFGS calls BLAS for dot products of a few thousand numbers. OpenBLAS wakes all its threads for these, which
then wait for each other and for those of this library.

Takes nothing. Returns a context in which BLAS has one thread. Never affects the threads of this library.
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
    """The controller of NumPy's and SciPy's libraries. It is cached because the search for them takes milliseconds."""
    import scipy.linalg  # noqa: F401  # it has its own BLAS, which must be loaded to be found
    from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]  # a dependency of scikit-learn

    return ThreadpoolController()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Limit BLAS to one thread in the whole process, then restore the previous number.

    Entering again from another thread changes nothing: overlapping limits would restore each other's values.
    """
    if not _lock.acquire(blocking=False):
        yield
        return
    try:
        with _controller().limit(limits=1, user_api="blas"):
            yield
    finally:
        _lock.release()
