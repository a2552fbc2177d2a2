"""Work on many machines: one network on the ranks of an MPI job.

Takes what ``mpiexec`` says of the job. Returns the ranks that train together. mpi4py is imported on first use.
"""

from rosenblatt._lazy import lazy_names

__all__ = ["Ranks", "alone", "ranks", "together"]

__getattr__, __dir__ = lazy_names(__name__, {"ranks": ["Ranks", "alone", "together"]})
