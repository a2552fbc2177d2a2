"""Writing a file so that a crash, a full disk or an interrupt leaves either the old file or the new one.

Takes a path and the bytes. Returns the file, on the disk and not only in memory. Never leaves a temporary file behind,
and never touches the old file before the new one is complete.
"""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

__all__ = ["read_regular", "write_atomically"]


def write_atomically(path: str | os.PathLike[str], data: bytes) -> None:
    """Write `data` to `path`: temporary file in the same folder, fsync, rename, fsync of the folder.

    Raises
    ------
    OSError
        If the folder does not exist or is not writable, the disk is full, or `path` is a folder or a device. What was
        at `path` before is still there, unless only the last step (fsync of the folder) failed: then the new file is.
    """
    target = Path(os.path.realpath(path))  # a symbolic link keeps pointing to the file
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, "this is a folder; give a file name", str(path))
    if target.exists() and not target.is_file():  # a rename would put a file in the place of a device or a pipe
        raise OSError(errno.EINVAL, "this is not a regular file; give another name", str(path))
    if not target.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "there is no such folder", str(target.parent))
    descriptor, temporary = tempfile.mkstemp(prefix=f".{target.name[:100]}.", suffix=".tmp", dir=target.parent)
    try:
        try:
            write_all(descriptor, data)
            os.chmod(temporary, permissions(target))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(temporary, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    sync_folder(target.parent)


def write_all(descriptor: int, data: bytes) -> None:
    """Write all bytes, however few the system takes at a time."""
    rest = memoryview(data)
    while rest:
        written = os.write(descriptor, rest)
        if written == 0:
            raise OSError(errno.ENOSPC, "no bytes could be written")
        rest = rest[written:]


def permissions(target: Path) -> int:
    """Those of the file that is replaced, else those of any new file."""
    if target.exists():
        return stat.S_IMODE(target.stat().st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def sync_folder(folder: Path) -> None:
    """Make the rename itself durable, where the file system can."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF):
            raise
    finally:
        os.close(descriptor)


def read_regular(path: str | os.PathLike[str]) -> bytes:
    """All bytes of a regular file; pipes and devices, which may never end, are refused."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, "this is a folder; give a file name", str(path))
        if not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, "this is not a regular file", str(path))
        with open(descriptor, "rb", closefd=False) as file:
            return file.read()
    finally:
        os.close(descriptor)
