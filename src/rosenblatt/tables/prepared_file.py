"""Prepared rows in a temporary file without a name, for tables that are larger than memory.

Takes prepared rows with their targets and weights, block by block. Returns any ranges of them in private memory. A row
is one record, so that a range of rows is read in one go; the words of a text follow one another in a file of their own.
The files have no name, so they are gone when they are closed and when the process ends, however it ends. Never holds
more than a few megabytes of rows in memory, and never changes a number.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.memory import size_text
from rosenblatt.tables.encoders.base import Prepared
from rosenblatt.tables.positioned_reads import read_fully

__all__ = ["PreparedFile", "PreparedFileError", "ReadCancelledError", "RowLayout"]

Array = NDArray[Any]
Ranges = Sequence[tuple[int, int]]
StoredPart = tuple[Prepared, Array, Array | None]
"""Inputs, targets and weights of some rows."""
BYTES_AT_ONCE = 4 << 20
WORD = np.dtype([("column", np.int32), ("value", np.float32)])
REMEDY = "Set TMPDIR to a folder on a larger disk, or give a checkpoint folder there"


class PreparedFileError(OSError):
    """There is no space for prepared rows, or they cannot be written or read; the message names the folder."""


class ReadCancelledError(Exception):
    """The rows that are being read are not wanted any more."""


@dataclass(frozen=True)
class RowLayout:
    """What a row consists of.

    Attributes
    ----------
    n_numbers, n_indicators, n_codes : int
        Columns of these parts of a `Prepared`.
    n_words : tuple of int
        Columns of each matrix of words.
    target, weights : str
        The dtypes of targets and weights; no weights: "".
    n_targets : int or None
        Columns of the targets; None for targets of shape (n_rows,).
    """

    n_numbers: int
    n_indicators: int
    n_codes: int
    n_words: tuple[int, ...]
    target: str
    n_targets: int | None = None
    weights: str = ""

    @classmethod
    def of(cls, prepared: Prepared, y: Array, weights: Array | None) -> RowLayout:
        """The layout of such rows."""
        return cls(
            *(prepared.numbers.shape[1], prepared.indicators.shape[1], prepared.codes.shape[1]),
            n_words=tuple(int(matrix.shape[1]) for matrix in prepared.words),
            target=y.dtype.name,
            n_targets=None if y.ndim == 1 else y.shape[1],
            weights="" if weights is None else weights.dtype.name,
        )

    @cached_property
    def record(self) -> np.dtype[Any]:
        """The dtype of a row in the file; of words, it has the place of the first one and their number."""
        target = ("y", self.target) if self.n_targets is None else ("y", self.target, (self.n_targets,))
        parts: list[Any] = [target, *([("weights", self.weights)] if self.weights else [])]
        widths = (self.n_numbers, self.n_indicators, self.n_codes)
        types = (("numbers", np.float32), ("indicators", np.float32), ("codes", np.int32))
        parts += [(*named, (width,)) for named, width in zip(types, widths, strict=True) if width]
        for i in range(len(self.n_words)):
            parts += [(f"first_word{i}", np.int64), (f"n_words{i}", np.int32)]
        return np.dtype(parts)

    @property
    def row_bytes(self) -> int:
        """Bytes of a row, without its words."""
        return self.record.itemsize

    @property
    def rows_at_once(self) -> int:
        """Rows that are copied at a time."""
        return max(1, BYTES_AT_ONCE // self.row_bytes)

    def dense_parts(self, prepared: Prepared, y: Array, weights: Array | None) -> dict[str, Array]:
        """The arrays whose rows a record holds, by name."""
        parts = {"y": y, "numbers": prepared.numbers, "indicators": prepared.indicators, "codes": prepared.codes}
        parts |= {} if weights is None else {"weights": weights}
        return {name: array for name, array in parts.items() if name in (self.record.names or ())}

    def empty(self, n_rows: int) -> StoredPart:
        """Arrays for so many rows, without words; each column of codes is contiguous, as networks take them."""
        shape = (n_rows,) if self.n_targets is None else (n_rows, self.n_targets)
        numbers, indicators = (np.empty((n_rows, n), np.float32) for n in (self.n_numbers, self.n_indicators))
        codes = np.empty((self.n_codes, n_rows), np.int32).T
        weights = np.empty(n_rows, self.weights) if self.weights else None
        return Prepared(numbers, indicators, codes), np.empty(shape, self.target), weights


class PreparedFile:
    """Prepared rows on a disk; `create` makes one, `finish` ends its writing.

    Any number of threads may read at once. `close` it when none does.

    Attributes
    ----------
    folder : str
        Where the file is, though no name leads to it.
    layout : RowLayout
    n_rows : int
        Rows that it is for.
    n_written : int
        Rows that were given to it so far.
    kept : slice
        Those of all rows that it holds: the others count for the digest and for row numbers only.
    """

    def __init__(self, folder: str, layout: RowLayout, n_rows: int, kept: slice | None = None) -> None:
        self.folder, self.layout, self.n_rows, self.n_written = folder, layout, n_rows, 0
        self.kept = kept or slice(0, n_rows)
        self._hashes = [hashlib.blake2b(digest_size=20) for _ in range(1 + len(layout.n_words))]
        self._sizes = [0] * len(self._hashes)  # bytes of the rows, and of each matrix of words
        self._n_words = [0] * len(layout.n_words)  # of all rows that were given
        self._firsts = [self.kept.start, *self._n_words]  # the row, and the word of each matrix, that begins the file
        self._files: list[IO[bytes]] = []

    @classmethod
    def create(
        cls,
        folder: str | os.PathLike[str] | None,
        layout: RowLayout,
        n_rows: int,
        *,
        words_per_row: float = 0.0,
        kept: slice | None = None,
        n_files: int = 1,
    ) -> PreparedFile:
        """An empty file for so many rows.

        Parameters
        ----------
        folder : path or None
            An existing folder; None: that of the system for temporary files (TMPDIR).
        layout : RowLayout
        n_rows : int
        words_per_row : float
            About how many words a row has, in all matrices of words.
        kept : slice, optional
            The rows that the file holds, though all are given to it; default all.
        n_files : int
            How many files of this size are written in the folder now: there must be space for all of them.

        Raises
        ------
        PreparedFileError
            If the folder does not exist or takes no files, or has less free space than the rows need.
        """
        made = cls(os.fspath(folder or tempfile.gettempdir()), layout, n_rows, kept)
        made._require_space(words_per_row, n_files)
        try:
            for _ in made._hashes:
                made._files.append(tempfile.TemporaryFile(dir=made.folder, buffering=0))  # noqa: SIM115 - `close` does
        except OSError as error:
            made.close()
            raise made._failure("cannot be written", error) from error
        return made

    @property
    def size_bytes(self) -> int:
        """Bytes that the rows take on the disk so far."""
        return sum(self._sizes)

    @property
    def row_bytes(self) -> float:
        """Mean bytes of a row that was given, with its words."""
        n, layout = self.n_written, self.layout
        return (n * layout.row_bytes + sum(self._n_words) * WORD.itemsize) / n if n else float(layout.row_bytes)

    @property
    def digest(self) -> str:
        """A hash of the layout and of all rows, in their order, whatever blocks they were written in."""
        parts = [repr(asdict(self.layout)), *(hashed.hexdigest() for hashed in self._hashes)]
        return hashlib.blake2b("\n".join(parts).encode(), digest_size=20).hexdigest()

    def append(self, prepared: Prepared, y: Array, weights: Array | None = None) -> None:
        """Write the next rows.

        Raises
        ------
        ValueError
            For rows of another layout, or more than the file is for.
        PreparedFileError
            If the disk is full, or too full for the rows that remain, or fails. The file is closed, and gone, then.
        """
        given, n = RowLayout.of(prepared, y, weights), len(y)
        if given != self.layout:
            raise ValueError(f"the rows have the layout {given}; the file is for {self.layout}")
        if self.n_written + n > self.n_rows:
            raise ValueError(f"row {self.n_written + n} was to be written; the file is for {self.n_rows} rows")
        parts = self.layout.dense_parts(prepared, y, weights)
        low, high = (min(max(row - self.n_written, 0), n) for row in (self.kept.start, self.kept.stop))
        step = self.layout.rows_at_once
        with self._writing():
            for start in range(0, n, step):
                rows = slice(start, min(start + step, n))
                self._write(0, self._records(parts, prepared.words, rows), low - start, high - start)
            for i, matrix in enumerate(prepared.words):
                self._write_words(i, matrix, low, high)
        self.n_written += n
        if self.layout.n_words:
            self._require_space(sum(self._n_words) / max(1, self.n_written))

    def _records(self, parts: dict[str, Array], words: Sequence[Any], rows: slice) -> Array:
        """Some of the rows to append, as records."""
        records = np.zeros(rows.stop - rows.start, self.layout.record)
        for name, array in parts.items():
            records[name] = array[rows]
        for i, matrix in enumerate(words):
            ends = matrix.indptr[rows.start : rows.stop + 1].astype(np.int64)
            records[f"first_word{i}"], records[f"n_words{i}"] = ends[:-1] + self._n_words[i], np.diff(ends)
        return records

    def _write_words(self, number: int, matrix: Any, low: int, high: int) -> None:
        """Append the words of some rows of a CSR matrix to its file."""
        step, low, high = BYTES_AT_ONCE // WORD.itemsize, int(matrix.indptr[low]), int(matrix.indptr[high])
        self._firsts[number + 1] += low  # of rows that come before those of the file
        for start in range(0, matrix.nnz, step):
            part = slice(start, min(start + step, matrix.nnz))
            records = np.empty(part.stop - part.start, WORD)
            records["column"], records["value"] = matrix.indices[part], matrix.data[part]
            self._write(number + 1, records, low - start, high - start)
        self._n_words[number] += matrix.nnz

    def _write(self, number: int, records: Array, low: int, high: int) -> None:
        """Append some of the records to one of the files."""
        self._hashes[number].update(memoryview(records.view(np.uint8).data))
        content = memoryview(records[max(low, 0) : max(high, 0)].view(np.uint8).data)
        while len(content):
            n = self._open_files[number].write(content)  # perhaps not all: the disk may be almost full
            content = content[n:]
            self._sizes[number] += n

    def finish(self) -> PreparedFile:
        """End the writing; a `ValueError` if rows are missing."""
        if self.n_written != self.n_rows:
            raise ValueError(f"{self.n_written} rows were written; the file is for {self.n_rows}")
        return self

    def read(self, ranges: Ranges, cancelled: Callable[[], bool] = lambda: False) -> StoredPart:
        """Inputs, targets and weights of the rows in ranges (start, stop), in the order of these.

        Parameters
        ----------
        ranges : sequence of (int, int)
        cancelled : callable
            Asked every few megabytes: `ReadCancelledError` is raised once it returns true.

        Raises
        ------
        ValueError
            If a range is not within the rows that the file holds.
        PreparedFileError
            If the disk fails.
        """
        first, last = self.kept.start, min(self.kept.stop, self.n_written)
        for start, stop in ranges:
            if not first <= start <= stop <= last:
                where = f"the {last} of the file" if first == 0 else f"those of the file, {first} to {last}"
                raise ValueError(f"the rows {start} to {stop} are not within {where}")
        n_rows, layout = sum(stop - start for start, stop in ranges), self.layout
        found = layout.empty(n_rows)
        parts, places = layout.dense_parts(*found), np.empty((len(layout.n_words), 2, n_rows), np.int64)
        done = 0
        for records in self._stored(0, layout.record, ranges, cancelled):
            rows = slice(done, done := done + len(records))
            for name, array in parts.items():
                array[rows] = records[name]
            for i, (first, counts) in enumerate(places):
                first[rows], counts[rows] = records[f"first_word{i}"], records[f"n_words{i}"]
        words = tuple(self._read_words(i, ranges, place, cancelled) for i, place in enumerate(places))
        prepared, y, weights = found
        return Prepared(prepared.numbers, prepared.indicators, prepared.codes, words), y, weights

    def _read_words(self, number: int, ranges: Ranges, place: Array, cancelled: Callable[[], bool]) -> Any:
        """The CSR matrix of rows whose words begin at ``place[0]`` and are ``place[1]`` many."""
        from scipy.sparse import csr_matrix

        first, counts = place
        ends = np.concatenate([[0], np.cumsum(counts)])
        columns, values = np.empty(ends[-1], np.int32), np.empty(ends[-1], np.float32)
        rows = np.cumsum([0, *(stop - start for start, stop in ranges)])
        bounds = [(a, b - 1) for a, b in zip(rows[:-1], rows[1:], strict=True) if b > a]
        wanted = [(int(first[a]), int(first[b] + counts[b])) for a, b in bounds]
        done = 0
        for records in self._stored(number + 1, WORD, wanted, cancelled):
            part = slice(done, done := done + len(records))
            columns[part], values[part] = records["column"], records["value"]
        return csr_matrix((values, columns, ends), shape=(len(counts), self.layout.n_words[number]))

    def _stored(
        self, number: int, record: np.dtype[Any], ranges: Ranges, cancelled: Callable[[], bool]
    ) -> Iterator[Array]:
        """The records in ranges of one of the files, some at a time; each overwrites those before."""
        step = max(1, BYTES_AT_ONCE // record.itemsize)
        buffer = np.empty(step, record)
        descriptor, begin = self._open_files[number].fileno(), self._firsts[number]
        for start, stop in ranges:
            for first in range(start, stop, step):
                if cancelled():
                    raise ReadCancelledError
                records = buffer[: min(step, stop - first)]
                try:
                    read_fully(descriptor, memoryview(records.view(np.uint8).data), (first - begin) * record.itemsize)
                except OSError as error:
                    raise self._failure("cannot be read", error) from error
                yield records

    @property
    def _open_files(self) -> list[IO[bytes]]:
        if not self._files:
            raise ValueError("the file of prepared rows is closed")
        return self._files

    def _require_space(self, words_per_row: float, n_files: int = 1) -> None:
        """Refuse rows that remain to be written, in so many such files, and need more space than is free."""
        n_left = max(0, self.kept.stop - max(self.n_written, self.kept.start))
        needed = n_files * n_left * (self.layout.row_bytes + words_per_row * WORD.itemsize)
        try:
            free = shutil.disk_usage(self.folder).free
        except OSError as error:
            raise self._failure("cannot be written", error) from error
        if needed > free:
            n_rows = self.kept.stop - self.kept.start
            done = f"the {n_left:,} rows that remain of " if n_left < n_rows else ""
            times = f"{n_files} times " if n_files > 1 else ""
            self.close()
            raise PreparedFileError(
                f"{done}{times}{n_rows:,} prepared rows need about {size_text(needed)} in the folder {self.folder!r}, "
                f"where {size_text(free)} are free. {REMEDY}."
            )

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Whatever fails while rows are written closes the file, so that it takes no space any more."""
        try:
            yield
        except OSError as error:
            size = size_text(self.size_bytes)
            self.close()
            raise self._failure(f"cannot be written beyond {size}, which were removed", error) from error
        except BaseException:
            self.close()
            raise

    def _failure(self, what: str, error: OSError) -> PreparedFileError:
        """The error that names the folder."""
        reason = error.strerror or str(error)
        return PreparedFileError(f"the prepared rows in the folder {self.folder!r} {what}: {reason}. {REMEDY}.")

    def close(self) -> None:
        """Give the space back; rows cannot be read any more."""
        files, self._files = self._files, []
        for file in files:
            file.close()

    def __enter__(self) -> PreparedFile:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
