"""The files that exports write.

Takes a path and the bytes. Returns the file's size, with the file complete on the disk. Never replaces a file that
nobody said to replace, and never leaves half of one.
"""

from __future__ import annotations

import os
from pathlib import Path

from rosenblatt._checks import check_flag, check_path
from rosenblatt.storage.atomic import replaceable, write_atomically

__all__ = ["check_destination", "require_free", "write_export"]

Place = str | os.PathLike[str]


def check_destination(path: Place, suffix: str | tuple[str, ...], overwrite: bool = False) -> Path:
    """The path, if an export may be written there; asked before the work, so that nothing is done in vain.

    Parameters
    ----------
    path : path
    suffix : str or tuple of str
        How the name must end, such as ".onnx".
    overwrite : bool
        Whether an existing file, of any kind, may be replaced.

    Raises
    ------
    TypeError, ValueError
        If it is no path, or the name ends otherwise; if `overwrite` is neither True nor False.
    FileExistsError
        If there is a file, or a link to one that may not exist, without `overwrite`.
    OSError
        If the folder does not exist or is not writable, or the path is a folder or a device. It names the file.
    """
    overwrite = check_flag("overwrite", overwrite)
    allowed = (suffix,) if isinstance(suffix, str) else suffix
    name = check_path("path", path)
    if not name.lower().endswith(allowed):
        raise ValueError(f"{name}: the name must end in {' or '.join(allowed)}.")
    target = replaceable(path)
    require_free(path, overwrite)
    if not os.access(target.parent, os.W_OK):
        raise PermissionError(f"{name}: the folder {target.parent} is not writable; choose another.")
    return Path(path)


def write_export(path: Place, data: bytes, *, overwrite: bool = False) -> int:
    """Write `data` at once and completely, or not at all; the number of bytes.

    Raises
    ------
    FileExistsError
        If there is a file by now, without `overwrite`.
    OSError
        If the disk is full, say. It names the file, and an existing one is as it was.
    """
    require_free(path, overwrite)
    try:
        write_atomically(path, data, replace=overwrite)
    except FileExistsError:  # another process was quicker
        require_free(path, overwrite)
        raise
    return len(data)


def require_free(path: Place, overwrite: bool) -> None:
    """Refuse a name that is taken, also by a link that leads nowhere, which writing would follow."""
    if os.path.lexists(path) and not overwrite:
        raise FileExistsError(f"{os.fspath(path)} exists; overwrite=True replaces it, or choose another name.")
