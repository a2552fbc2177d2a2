"""Writing a file so that a crash, a full disk or an interrupt leaves either the old file or the new one.

Takes a path and the bytes, at once or in parts. Returns the file, on the disk and not only in memory. Removes what a
killed process left behind, never leaves a temporary file itself, and never touches the old file before the new one is
complete.
"""

from __future__ import annotations

import errno
import io
import os
import shutil
import socket
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from rosenblatt.memory import size_text

__all__ = ["DurableFile", "append_durably", "atomic_file", "errors_naming", "read_regular", "write_atomically"]

ADVICE = "Make room there, or name a file on a larger disk"


@contextmanager
def errors_naming(path: str | os.PathLike[str], *, only: bool = False) -> Iterator[None]:
    """System calls on descriptors, such as write and fsync, know no name: their errors get that of the file.

    With `only`, so do errors that name another file, such as a temporary one. The error for a full disk says how much
    is free, and what to do.
    """
    try:
        yield
    except OSError as error:
        is_full = error.errno in (errno.ENOSPC, errno.EDQUOT) and ADVICE not in str(error.strerror)
        if error.errno is None or (error.filename is not None and not is_full and not only):
            raise
        what = f"{error.strerror}{space_left(path)}" if is_full else error.strerror
        raise OSError(error.errno, what, os.fspath(path)) from None


def space_left(path: str | os.PathLike[str]) -> str:
    """What is free in the folder of a file for which there is no space, and what to do."""
    folder, free = Path(os.path.realpath(path)).parent, ""
    with suppress(OSError):
        free = f"; {size_text(shutil.disk_usage(folder).free)} are free in {folder}"
    return f"{free}. {ADVICE}"


class DurableFile(io.RawIOBase):
    """A file to write to from its beginning to its end; errors call it `name`, whatever it is called meanwhile."""

    def __init__(self, descriptor: int, name: str | os.PathLike[str]) -> None:
        super().__init__()
        self.descriptor, self.called, self.n_bytes = descriptor, name, 0

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, data: Any) -> int:
        """Write all of the bytes; returns how many they are."""
        whole = memoryview(data).cast("B")
        with errors_naming(self.called):
            write_all(self.descriptor, whole)
        self.n_bytes += len(whole)
        return len(whole)

    def tell(self) -> int:
        """The bytes that were written."""
        return self.n_bytes


def write_atomically(path: str | os.PathLike[str], data: bytes, *, replace: bool = True) -> None:
    """Write `data` to `path`: see `atomic_file`, whose errors it raises."""
    with atomic_file(path, replace=replace) as file:
        file.write(data)


@contextmanager
def atomic_file(path: str | os.PathLike[str], *, replace: bool = True) -> Iterator[DurableFile]:
    """A file that is at `path` when the block ends: temporary file in the same folder, fsync, rename, fsync of it.

    If the block ends with an exception, Ctrl-C included, the temporary file is removed, and nothing has changed.

    Raises
    ------
    FileExistsError
        Without `replace`, if there is a file at the end of the block, such as one that was written meanwhile.
    OSError
        If the folder does not exist or is not writable, the disk is full, or `path` is a folder or a device. It names
        the file. What was at `path` before is still there, unless only the last step (fsync of the folder) failed: then
        the new file is.
    """
    target = replaceable(path)
    remove_stale(target)
    prefix = f"{family(target)}{os.getpid()}-"
    with errors_naming(path, only=True):
        descriptor, temporary = tempfile.mkstemp(prefix=prefix, suffix=SUFFIX, dir=target.parent)
    try:
        try:
            yield DurableFile(descriptor, path)
            with errors_naming(path, only=True):
                os.chmod(temporary, permissions(target))
                os.fsync(descriptor)
        finally:
            with errors_naming(path):
                os.close(descriptor)
        with errors_naming(path, only=True):
            (os.replace if replace else move_to_free)(temporary, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    with errors_naming(path, only=True):
        sync_folder(target.parent)


def replaceable(path: str | os.PathLike[str]) -> Path:
    """The file that a path leads to, which need not exist; an `OSError` if it is a folder or a device."""
    target = Path(os.path.realpath(path))  # a symbolic link keeps pointing to the file
    if target.is_dir():
        raise IsADirectoryError(f"{os.fspath(path)} is a folder; give a file name")
    if target.exists() and not target.is_file():  # a rename would put a file in the place of a device or a pipe
        raise OSError(errno.EINVAL, "this is not a regular file; give another name", str(path))
    if not target.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "there is no such folder", str(target.parent))
    return target


def move_to_free(source: str, target: Path) -> None:
    """Rename a file to a name that is free; of several processes that do so at once, one succeeds."""
    try:
        os.link(source, target)  # unlike a rename, it replaces nothing
    except FileExistsError:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), os.fspath(target)) from None
    except OSError:  # a file system without hard links
        os.rename(source, target)
    else:
        os.unlink(source)


SUFFIX = ".tmp"


def family(target: Path) -> str:
    """How the names of this machine's temporary files for `target` begin; then come process, a dash, random letters."""
    return f".{target.name[:100]}.{socket.gethostname()[:60]}-".replace(os.sep, "_")


def remove_stale(target: Path) -> None:
    """Remove the temporary files for `target` whose process, on this machine, was killed while it wrote."""
    start = family(target)
    with suppress(OSError), os.scandir(target.parent) as entries:
        for entry in entries:
            if entry.name.startswith(start) and entry.name.endswith(SUFFIX):
                process = entry.name[len(start) :].partition("-")[0]
                if process.isascii() and process.isdigit() and not is_running(int(process)):
                    with suppress(OSError):
                        os.unlink(entry.path)


def is_running(process: int) -> bool:
    """Whether there is such a process; where that cannot be asked without harm, it counts as running."""
    if os.name == "nt" or not 0 < process < 2**31:
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # of another user
        return True
    return True


def append_durably(path: str | os.PathLike[str], data: bytes | bytearray, *, sync: bool = True) -> None:
    """Append `data` to a file, with `sync` onto the disk; if that fails, the file is as it was.

    Raises
    ------
    OSError
        It names the file.
    """
    with errors_naming(path):
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
        try:
            size = os.fstat(descriptor).st_size
            try:
                write_all(descriptor, data)
                if sync:
                    os.fsync(descriptor)
            except BaseException:  # the next entry must not follow half of this one
                with suppress(OSError):
                    os.ftruncate(descriptor, size)
                raise
        finally:
            os.close(descriptor)


def write_all(descriptor: int, data: bytes | bytearray | memoryview) -> None:
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
    with errors_naming(path):
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        try:
            mode = os.fstat(descriptor).st_mode
            if stat.S_ISDIR(mode):
                raise IsADirectoryError(f"{os.fspath(path)} is a folder; give a file name")
            if not stat.S_ISREG(mode):
                raise OSError(errno.EINVAL, "this is not a regular file", str(path))
            with open(descriptor, "rb", closefd=False) as file:
                return file.read()
        finally:
            os.close(descriptor)
