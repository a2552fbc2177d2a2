"""How much memory is free, and sizes of memory that people write.

Takes the machine, or a size such as "2GB". Returns bytes, or raises a `ValueError` that says what is allowed, or a
`MemoryError` that says how much is missing. Gives unused memory back. Never takes memory, and never imports more than
the standard library.
"""

from __future__ import annotations

import ctypes
import os
import re
import sys
from pathlib import Path
from typing import Any

from rosenblatt._checks import is_number, refusal

__all__ = ["enough_text", "free_memory", "give_back", "memory_size", "require_memory", "size_text"]

SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(?:([KMGT])(I?))?B?", re.IGNORECASE)
POWERS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}
LARGEST = 2**63 - 1
MEMINFO = Path("/proc/meminfo")
CGROUPS, OWN_CGROUP = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")
FILES = (
    ("memory.max", "memory.current", "inactive_file"),  # version 2
    ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),  # version 1
)
"""Limit, use, and the part of the use that the system gives back when it is needed (in memory.stat)."""
WORTH_A_LOOK = 2**28
"""Bytes below which nobody asks how many are free."""
UNKNOWN_SHARE = 0.5
"""Share of all memory that counts as free where the system does not say."""


def memory_size(name: str, value: Any) -> int:
    """A size in bytes: a positive number of bytes, or a text such as "500MB", "2GB", "1.5 GiB" or "4096".

    kB, MB, GB and TB are powers of 1000; KiB, MiB, GiB and TiB those of 1024. Upper and lower case are the same. Raises
    a `ValueError` that calls the value `name` for anything else.
    """
    found = SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is not None:
        size = float(found[1]) * (1024 if found[3] else 1000) ** POWERS[(found[2] or "").upper()]
    else:
        size = float(value) if is_number(value) else 0.0
    if not 1 <= size <= LARGEST:
        raise refusal(name, value, "a positive number of bytes, or a size such as '500MB', '2GB' or '1.5GiB'")
    return int(size)


def size_text(n_bytes: float) -> str:
    """A number of bytes as people write it, such as "1.5 GB"."""
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if n_bytes >= 0.9995 * size:
            return f"{n_bytes / size:.3g} {unit}"
    return f"{int(n_bytes)} bytes"


def enough_text(n_bytes: int) -> str:
    """A size as people write it that `memory_size` reads as at least so many bytes, and hardly more."""
    if n_bytes < 1000:
        return str(n_bytes)
    size = n_bytes
    while memory_size("the size", text := size_text(size)) < n_bytes:
        size += max(1, n_bytes // 1000)
    return text


def free_memory() -> int:
    """Bytes that this process may still take: what the machine has available, or less if its control group says so."""
    free = _free_of_machine()
    for limit, used, reclaimable in FILES:
        for folder in _groups():
            free = min(free, _free_of_group(folder, limit, used, reclaimable, free))
    return max(0, free)


def require_memory(n_bytes: int, what: str, advice: str) -> None:
    """A `MemoryError` if `what` takes more bytes than are free.

    Linux grants more than there is, and ends the process that uses it.
    """
    if n_bytes >= WORTH_A_LOOK and n_bytes > (free := free_memory()):
        raise MemoryError(f"{what} takes {size_text(n_bytes)} of memory, and {size_text(free)} are free: {advice}")


def _free_of_machine() -> int:
    """Bytes that new programs can take without swapping, where the system says so."""
    try:
        for line in MEMINFO.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    return int(UNKNOWN_SHARE * _all_memory())


def _all_memory() -> int:
    """Bytes of the machine's memory; 2 GB where the system does not say."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return 2 * 10**9


def _groups() -> list[Path]:
    """The folders of the control group that limits memory, and of those that it is in."""
    folders = [CGROUPS, CGROUPS / "memory"]
    try:
        for line in OWN_CGROUP.read_text().splitlines():
            number, controllers, path = line.split(":", 2)
            root = CGROUPS if number == "0" else CGROUPS / "memory"
            if number == "0" or "memory" in controllers.split(","):
                own = root / path.lstrip("/")
                folders += [own, *(parent for parent in own.parents if parent.is_relative_to(root))]
    except (OSError, ValueError):
        pass
    return list(dict.fromkeys(folders))


def _free_of_group(folder: Path, limit: str, used: str, reclaimable: str, otherwise: int) -> int:
    """Bytes that a control group leaves; `otherwise` where it sets no limit."""
    try:
        most = int((folder / limit).read_text())
        now = int((folder / used).read_text())
    except (OSError, ValueError):  # "max", or no such group
        return otherwise
    try:
        stat = dict(line.split(maxsplit=1) for line in (folder / "memory.stat").read_text().splitlines())
        now -= int(stat.get(reclaimable, 0))
    except (OSError, ValueError):
        pass
    return most - max(0, now)


def give_back() -> None:
    """Give memory that is freed, but kept for later use, back to the system, as far as it can be.

    After a pass over a large table, the allocators of glibc and of PyArrow would otherwise keep hundreds of megabytes.
    """
    if (pyarrow := sys.modules.get("pyarrow")) is not None:
        pyarrow.default_memory_pool().release_unused()
    if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)) is not None:
        trim(0)  # glibc's; other libraries have none
