"""Where independent jobs run: what the user asked for.

Takes a client of Dask, or what ``joblib.parallel_config`` has made active. Returns the engine. Never starts a job.
"""

from __future__ import annotations

import sys
from typing import Any

from rosenblatt.distributed.jobs import Jobs, Threads

__all__ = ["jobs_of"]


def jobs_of(
    client: Any = None, local: Jobs | None = None, *, n_jobs: int | None = None, by_joblib: bool = False
) -> Jobs:
    """The engine: a Dask cluster, the active backend of joblib, or the `local` one, by default threads.

    What runs on a worker of Dask already is never spread again.

    Parameters
    ----------
    client : distributed.Client, optional
        Default: that of the active backend, if it is "dask".
    local : Jobs, optional
    n_jobs : int, optional
        The most jobs at once.
    by_joblib : bool
        Whether joblib is used though no backend was made active; processes are its default.

    Raises
    ------
    TypeError, ValueError, ModuleNotFoundError, ClusterError
        For a client that cannot be used, or a cluster that cannot do the work.
    """
    from joblib.parallel import get_active_backend  # type: ignore[import-untyped]

    local = Threads() if local is None else local
    backend, active = get_active_backend(**({} if by_joblib else {"prefer": "threads"}))
    client = client_of(backend) if client is None else client
    if client is not None:
        from rosenblatt.distributed.dask_cluster import is_on_worker
        from rosenblatt.distributed.dask_jobs import DaskJobs

        return local if is_on_worker() else DaskJobs(client, n_jobs)
    shares = getattr(backend, "supports_sharedmem", False) or backend.nesting_level > 0
    if not by_joblib and (shares or backend.effective_n_jobs(n_jobs or active) == 1):
        return local
    from rosenblatt.distributed.joblib_jobs import JoblibJobs

    return JoblibJobs(n_jobs)


def client_of(backend: Any) -> Any:
    """The client of a backend that hands tasks to Dask, else None."""
    client = getattr(backend, "client", None)
    if client is None or "distributed" not in sys.modules:
        return None
    return client if isinstance(client, sys.modules["distributed"].Client) else None
