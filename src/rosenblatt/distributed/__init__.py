"""Work on several threads, processes and machines: independent jobs, and one network on the ranks of an MPI job.

Takes jobs, or what ``mpiexec`` says of the job. Returns results, or the ranks that train together. Dask and mpi4py are
imported on first use.
"""

from rosenblatt._lazy import lazy_names

__all__ = ["Ranks", "alone", "ranks", "together"]

__getattr__, __dir__ = lazy_names(__name__, {"ranks": ["Ranks", "alone", "together"]})
