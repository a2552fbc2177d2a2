"""The files of a dataset: those in a folder, or those that a pattern names.

Takes a path. Returns files in the order of their names, each with the cells that its folders name (``year=2024``).
Never opens a file, and leaves out hidden ones: their names, or those of their folders, begin with "." or "_".
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from rosenblatt._suggestions import missing_file
from rosenblatt.tables.table import TableError

__all__ = ["constants_of", "files_of", "is_pattern"]

HIDDEN = (".", "_")
NULL_FOLDER = "__HIVE_DEFAULT_PARTITION__"
"""The name of the folder of missing cells."""


def is_pattern(path: Path) -> bool:
    """Whether it is a pattern such as ``data/part-*.parquet`` rather than a file of that name."""
    return glob.has_magic(str(path)) and not os.path.lexists(path)


def files_of(path: Path) -> dict[Path, Mapping[str, str]]:
    """The files in a folder or of a pattern, each with what the names of its folders say, as texts.

    Raises
    ------
    TableError
        If no file matches the pattern, or if there is a device or a pipe among the files.
    OSError
        If the folder is empty or cannot be read, or if there is a link in it that leads nowhere.
    """
    if is_pattern(path):
        root = Path(*fixed_parts(path))
        found = [Path(name) for name in glob.glob(str(path), recursive=True)]
        files = [file for file in found if not (file.is_dir() or is_hidden(file, root))]
        if not files:
            raise TableError(f"no file matches the pattern {path}.{' It matches folders only.' * bool(found)}")
    else:
        root, files = path, [file for file in walk(path, set()) if not is_hidden(file, path)]
        if not files:
            raise IsADirectoryError(
                f"{path} is a folder; give a CSV or Parquet file, or a folder of such files: this one has none. "
                "(Hidden files, whose names or whose folders' names begin with '.' or '_', are left out.)"
            )
    for file in sorted(files, key=str):
        require_file(file)
    return {file: keys_of(file, root) for file in sorted(files, key=str)}


def require_file(path: Path) -> None:
    """Refuse a link that leads nowhere, and what would never end when it is read."""
    if not path.exists():
        raise FileNotFoundError(missing_file(path))
    if not path.is_file():
        raise TableError(f"{path} is a device or a pipe; remove it, or give a pattern of files only.")


def fixed_parts(path: Path) -> Iterator[str]:
    """The folders above the first part of a pattern that is none."""
    for part in path.parts:
        if glob.has_magic(part):
            return
        yield part


def walk(folder: Path, above: set[str]) -> Iterator[Path]:
    """The files in a folder and in those within it, also behind links, but not round in a circle."""
    real = os.path.realpath(folder)
    if real in above:
        return
    for entry in os.scandir(folder):
        if entry.is_dir():
            if not entry.name.startswith(HIDDEN):
                yield from walk(Path(entry.path), above | {real})
        else:
            yield Path(entry.path)


def is_hidden(file: Path, root: Path) -> bool:
    """Whether the name of a file, or of a folder between it and the root, says that it is hidden."""
    return any(part.startswith(HIDDEN) for part in file.relative_to(root).parts)


def keys_of(file: Path, root: Path) -> dict[str, str]:
    """What the folders between the root and a file say: ``{"year": "2024"}`` for ``year=2024``."""
    folders = [part.partition("=") for part in file.relative_to(root).parts[:-1]]
    return {unquote(key): unquote(value) for key, sign, value in folders if sign and key}


def constants_of(keys: Sequence[Mapping[str, str]]) -> list[dict[str, Any]]:
    """The cells that folders name, as PyArrow's scalars, for each file.

    As `pyarrow.dataset` does, a column is of integers of 32 bits if all its cells are, else of texts.
    """
    import pyarrow as pa

    types = {name: pa.int32() for found in keys for name in found}
    for found in keys:
        for name, value in found.items():
            if value != NULL_FOLDER and not is_int32(value):
                types[name] = pa.string()
    return [
        {name: scalar(None if value == NULL_FOLDER else value, types[name]) for name, value in found.items()}
        for found in keys
    ]


def is_int32(text: str) -> bool:
    """Whether a text is an integer of 32 bits, as PyArrow reads it."""
    return text.isascii() and text.removeprefix("-").isdigit() and -(2**31) <= int(text) < 2**31


def scalar(value: str | None, kind: Any) -> Any:
    """A cell in PyArrow's type."""
    import pyarrow as pa

    return pa.scalar(value if value is None or kind == pa.string() else int(value), kind)
