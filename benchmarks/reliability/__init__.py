"""Faults on purpose: what is damaged, forged, killed or overflows ends in the documented error, or works.

Each module beside `attempts` and `mutations` holds one part. None trains more than a few steps of tiny networks.
"""

from benchmarks.reliability import checkpoints, disks, diverging, files, gradients, kills, programs, records
from benchmarks.reliability.attempts import PARTS, Attempt, Tally, part, run

__all__ = [
    "PARTS", "Attempt", "Tally", "checkpoints", "disks", "diverging", "files", "gradients", "kills", "part",
    "programs", "records", "run",
]  # fmt: skip
