"""Tables that other libraries hold or compute: datasets of PyArrow, frames of Dask, streams of Arrow.

Takes their objects. Returns parts, which are read as often as needed. What can be read once only is copied to a
temporary Arrow file that has no name. Never has a library compute the whole in memory.
"""

from __future__ import annotations

import errno
import hashlib
import mmap
import os
import pickle
import tempfile
from collections.abc import Collection, Iterator, Mapping
from copy import copy
from pathlib import Path
from typing import Any, Self

from rosenblatt.tables.readers.contents import first_line, import_pyarrow
from rosenblatt.tables.readers.limits import UNLIMITED, Limits
from rosenblatt.tables.readers.parts import BLOCK_ROWS, BUFFER_BYTES, ArrowPart, Part, named
from rosenblatt.tables.table import TableError

__all__ = ["DaskPart", "DatasetPart", "SpooledPart", "dataset_files", "is_dask", "is_dataset", "open_reader"]


def is_dataset(source: Any) -> bool:
    """Whether it is a dataset of PyArrow."""
    return any(kind.__module__ == "pyarrow._dataset" and kind.__name__ == "Dataset" for kind in type(source).__mro__)


def is_dask(source: Any) -> bool:
    """Whether it is a data frame of Dask."""
    return type(source).__module__.startswith("dask") and hasattr(source, "partitions") and hasattr(source, "columns")


class DatasetPart(Part):
    """A dataset of PyArrow."""

    def __init__(self, dataset: Any) -> None:
        self.dataset, self.name = dataset, f"the {type(dataset).__name__} of PyArrow"
        self.schema = dataset.schema
        with named(self.name, ""):
            self.n_rows = dataset.count_rows()

    def elsewhere(self) -> Self | None:
        twin = copy(self)
        try:
            twin.dataset = at_full_paths(self.dataset)
            pickle.dumps(twin)
        except (TypeError, ValueError):
            return None
        return twin

    def frames(self, names: Collection[str], types: Mapping[str, Any]) -> Iterator[Any]:
        import pyarrow as pa
        import pyarrow.dataset as ds

        chosen = [name for name in self.schema.names if name in names]
        options = {"batch_size": BLOCK_ROWS, "batch_readahead": 1, "fragment_readahead": 1, "use_threads": False}
        if isinstance(getattr(self.dataset, "format", None), ds.ParquetFileFormat):
            options["fragment_scan_options"] = ds.ParquetFragmentScanOptions(
                use_buffered_stream=True, buffer_size=BUFFER_BYTES, pre_buffer=False
            )
        with named(self.name, ""):
            for batch in self.dataset.scanner(columns=chosen, **options).to_batches():
                batch.validate(full=True)
                yield pa.Table.from_batches([batch])


def at_full_paths(dataset: Any) -> Any:
    """A dataset of files with their paths from the root, if they lie in the local file system.

    `TypeError` or `ValueError` for one that is not of files, or that PyArrow does not take apart: one with a filter.
    """
    import pyarrow.dataset as ds

    if not isinstance(dataset, ds.FileSystemDataset):
        raise TypeError("its rows lie in the memory of this process")
    fragments = list(dataset.get_fragments())
    if all(path.is_absolute() for path in dataset_files(dataset)):
        return dataset
    moved = [
        part.format.make_fragment(os.path.abspath(part.path), part.filesystem, part.partition_expression)
        for part in fragments
    ]
    return ds.FileSystemDataset(moved, dataset.schema, dataset.format, dataset.filesystem)


def dataset_files(dataset: Any) -> list[Path]:
    """The files of a dataset that lie in the local file system."""
    import pyarrow.fs as fs

    is_local = isinstance(getattr(dataset, "filesystem", None), fs.LocalFileSystem)
    return [Path(name) for name in dataset.files] if is_local else []


class DaskPart(Part):
    """One partition of a data frame of Dask, which is computed whenever it is read."""

    def __init__(self, frame: Any, place: int) -> None:
        self.frame, self.name, self.n_rows = frame.partitions[place], f"partition {place} of the Dask data frame", 0

    @property
    def names(self) -> list[str]:
        """All columns."""
        return [str(name) for name in self.frame.columns]

    def frames(self, names: Collection[str], types: Mapping[str, Any]) -> Iterator[Any]:
        chosen = [name for name in self.frame.columns if str(name) in names]
        found = (self.frame if len(chosen) == len(self.frame.columns) else self.frame[chosen]).compute()
        self.n_rows = len(found)
        for start in range(0, len(found), BLOCK_ROWS):
            yield found.iloc[start : start + BLOCK_ROWS]


class SpooledPart(ArrowPart):
    """A copy of an Arrow stream in a temporary file without a name; `digest` is the SHA-256 of the copy."""

    def __init__(self, name: str, reader: Any, limits: Limits = UNLIMITED) -> None:
        import pyarrow as pa

        folder = tempfile.gettempdir()
        try:
            with tempfile.TemporaryFile(dir=folder) as file:
                self.digest = copy_stream(name, reader, file)
                held = pa.py_buffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))  # outlives the open file
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise
            raise TableError(
                f"{name} can be read once only and so is copied to a temporary file, but there is no space for it in "
                f"{folder}. Name another folder with the environment variable TMPDIR, or save the table as Parquet."
            ) from None
        super().__init__(name, lambda: pa.ipc.open_stream(pa.BufferReader(held)), limits=limits)


def copy_stream(name: str, reader: Any, file: Any) -> str:
    """Write the batches to a file as an Arrow stream; returns the SHA-256 of what was written."""
    import pyarrow as pa

    sink = Hashing(file)
    batches = iter(reader)
    with pa.ipc.new_stream(pa.PythonFile(sink, mode="w"), reader.schema) as writer:
        while True:
            with named(name, ""):
                batch = next(batches, None)
            if batch is None:
                break
            writer.write_batch(batch)
    file.flush()
    return sink.hash.hexdigest()


class Hashing:
    """A file that hashes what is written to it."""

    def __init__(self, file: Any) -> None:
        self.file, self.hash, self.closed = file, hashlib.sha256(), False

    def write(self, data: Any) -> int:
        """Write bytes."""
        self.hash.update(data)
        self.file.write(data)
        return len(data)

    def flush(self) -> None:
        """Nothing: the file is flushed at the end."""

    def close(self) -> None:
        """Nothing: the file is still needed."""


def open_reader(source: Any) -> Any:
    """A reader of the batches of what gives an Arrow stream and is no frame in memory; None for anything else."""
    is_lazy = hasattr(source, "collect_batches") and hasattr(source, "collect_schema")
    if not (is_lazy or hasattr(source, "__arrow_c_stream__")) or is_in_memory(source):
        return None
    if is_lazy:
        return LazyReader(source)
    if hasattr(source, "dtype") or getattr(source, "ndim", 2) == 1:  # a column, which is no table
        return None
    import_pyarrow()
    import pyarrow as pa

    try:
        return pa.RecordBatchReader.from_stream(source)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        if "struct" in str(error):  # a column, which is no table
            return None
        raise TableError(f"the {type(source).__name__} gives no Arrow stream: {first_line(error)}.") from None


def is_in_memory(source: Any) -> bool:
    """Whether it is a frame that is held in memory."""
    import narwhals.stable.v2 as nw
    from narwhals.exceptions import NarwhalsError

    try:
        return isinstance(nw.from_native(source, eager_only=True, pass_through=True), nw.DataFrame)
    except NarwhalsError:  # columns of one name
        return True


class LazyReader:
    """The batches of a lazy frame of Polars, which is run once, and never held as a whole."""

    def __init__(self, frame: Any) -> None:
        import_pyarrow()
        self.frame = frame
        self.schema = frame.head(0).collect().to_arrow().schema

    def __iter__(self) -> Iterator[Any]:
        for piece in self.frame.collect_batches(chunk_size=BLOCK_ROWS, maintain_order=True):
            yield from piece.to_arrow().cast(self.schema).to_batches()
