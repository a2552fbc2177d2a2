"""Whether a launcher of MPI has started this process.

Takes the environment. Returns a bool. Never imports anything of MPI.
"""

from __future__ import annotations

import os

__all__ = ["SIZE_VARIABLES", "is_launched"]

SIZE_VARIABLES = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "MV2_COMM_WORLD_SIZE", "PMIX_RANK")
"""One of them is set by the launchers of MPICH and Intel MPI, Open MPI, MVAPICH, and Slurm with PMIx."""


def is_launched() -> bool:
    """Whether a launcher of MPI has started this process."""
    return any(name in os.environ for name in SIZE_VARIABLES)
