"""Seconds since a command began.

Takes nothing. Returns seconds, which for the first command of a process count from the creation of the process, so that
they include the start of Python and all imports. Never asks the time of day, which may be set back.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

__all__ = ["CLOCK", "Clock", "process_start"]

IMPORTED = time.monotonic()
START_TIME = 19
"""The place of the time of creation among the fields of /proc/self/stat behind the name."""
MAX_STARTUP = 10.0
"""A process that was older before it came here was something else, such as a shell that ran other commands first."""


def process_start() -> float:
    """When this process was created, by `time.monotonic`; where the system does not tell, when this was imported."""
    try:
        fields = Path("/proc/self/stat").read_bytes().rpartition(b")")[2].split()
        created = int(fields[START_TIME]) / os.sysconf("SC_CLK_TCK")  # seconds since the system was started
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - created
    except (OSError, AttributeError, ValueError, IndexError):
        return IMPORTED
    created_at = time.monotonic() - age
    return min(IMPORTED, created_at) if IMPORTED - created_at < MAX_STARTUP else IMPORTED


class Clock:
    """The first command of a process began with the process, later ones (in tests, in a notebook) with `start`."""

    def __init__(self) -> None:
        self.began = process_start()
        self.is_first = True

    def start(self) -> None:
        """A command begins."""
        self.began = self.began if self.is_first else time.monotonic()
        self.is_first = False

    def seconds(self) -> float:
        """Seconds since the command began."""
        return time.monotonic() - self.began


CLOCK = Clock()
