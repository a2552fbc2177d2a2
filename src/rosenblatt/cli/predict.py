"""``rosenblatt predict``: what a stored model predicts for the rows of a table.

Takes a model file and a table, which is read in blocks if it is long. Returns nothing: it writes a table of
predictions, whole or not at all. Never changes the model, nor a file that holds no predictions.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from itertools import dropwhile
from pathlib import Path
from time import perf_counter
from typing import Any

from rosenblatt._suggestions import suggestion
from rosenblatt.cli.destination import require_other, require_place
from rosenblatt.cli.display import Display
from rosenblatt.cli.layout import counted
from rosenblatt.cli.models import load_predictor, with_threshold
from rosenblatt.cli.scored import rows_of_model
from rosenblatt.cli.session import is_standard
from rosenblatt.cli.terminal import Output
from rosenblatt.estimators.tabular.predicted_blocks import PredictedBlock, PredictedBlocks
from rosenblatt.storage.atomic import atomic_file
from rosenblatt.tables.readers.reading import import_pyarrow
from rosenblatt.tables.readers.streams import BLOCK_ROWS, TableStream
from rosenblatt.tables.table import Table, TableError, level_column

__all__ = ["predict"]

FORMATS = (".csv", ".parquet")
PREDICTION_COLUMN = re.compile(r"prediction( \d+)?")
"""A column of what this command writes behind those that name the rows."""
PROBABILITY = "probability of "
"""How the columns behind the predictions begin."""


def predict(given: Any, display: Display) -> None:
    """Write one row of predictions for each row of the table, in its order."""
    out: Path = given.out
    if not is_standard(out):
        require_out(out, given.model, given.file)
    model = with_threshold(load_predictor(given.model), given.threshold)
    require_replaceable(out)
    start = perf_counter()
    source = rows_of_model(model, given.file, given.encoding, model.id_columns_)
    opened = perf_counter()
    require_ids(model, source)
    blocks = model.predict_blocks(source, keep=model.id_columns_)
    with sink_of(out, display) as sink, display.warnings():
        names = write_blocks(blocks, model, sink, out)
    display.wrote(str(out))
    target = model.target_name_ or "the target"
    display.data |= {"command": "predict", "model": str(given.model), "target": target, "rows": blocks.n_rows}
    display.data |= {"columns": names}
    show_speed(display, blocks.n_rows, perf_counter() - start, opened - start + blocks.reading_seconds)
    display.file(str(out), sink.tell(), f"{counted(blocks.n_rows, 'prediction')} of {target}")


def require_out(out: Path, model: Path, file: Path) -> None:
    """Refuse an ending that says no format, and a place from which something is read."""
    if out.suffix.lower() not in FORMATS:
        raise ValueError(f"--out {out}: predictions are written as {' or '.join(FORMATS)}; choose such an ending.")
    require_place(out)
    require_other(out, model, file)
    place = Path(os.path.realpath(out))  # which refuses no circle of links
    if (file.is_dir() and place.is_relative_to(file.resolve())) or fnmatch(str(place), str(file.absolute())):
        raise ValueError(f"--out {out} is among the files of {file}, of whose rows it would be; choose another place.")


def require_ids(model: Any, source: Table | TableStream) -> None:
    """Refuse a table without the columns that name its rows, and names that would be taken for predictions."""
    for name in model.id_columns_:
        if PREDICTION_COLUMN.fullmatch(name):
            raise ValueError(f"the id column {name!r} is called like a column of the output; rename it.")
        if name not in source.columns:
            raise TableError(f"there is no id column {name!r}.{suggestion(name, dict.fromkeys(source.columns))}")


def show_speed(display: Display, n_rows: int, seconds: float, reading: float) -> None:
    """How fast it was, for tables of several blocks: the time of smaller ones is that of starting."""
    if n_rows > BLOCK_ROWS:
        rate = n_rows / seconds
        display.data["speed"] = {"rows_per_second": round(rate), "reading_seconds": round(reading, 3)}
        took = f"reading took {reading:.1f} s, beside the predictions"
        display.line("speed", f"{rate:,.0f} rows a second in {seconds:.1f} s; {took}")


class StandardSink(io.RawIOBase):
    """Standard output as a file; what was written cannot be taken back, so that an interrupt says so."""

    def __init__(self, display: Display) -> None:
        super().__init__()
        result = display.result
        self.output = result if isinstance(result, Output) else Output(result)
        self.display, self.n_bytes = display, 0

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, data: Any) -> int:
        """Write all of the bytes; returns how many they are."""
        self.display.wrote("a part of the predictions")
        self.output.write_result(bytes(data))
        self.n_bytes += len(data)
        return len(data)

    def tell(self) -> int:
        """The bytes that were written."""
        return self.n_bytes


@contextmanager
def sink_of(out: Path, display: Display) -> Iterator[Any]:
    """Where the predictions go: standard output, or a file that is there when they are complete."""
    if is_standard(out):
        yield StandardSink(display)
        return
    with atomic_file(out) as file:
        yield file


def write_blocks(blocks: PredictedBlocks, model: Any, sink: Any, out: Path) -> list[str]:
    """Write the blocks one after the other; returns the names of the columns."""
    tables = (columns_of(model, block) for block in blocks)
    first = next(tables)
    with writer_to(sink, first.schema, out) as write:
        write(first)
        for table in tables:
            write(table)
    names: list[str] = first.column_names
    return names


def columns_of(model: Any, block: PredictedBlock) -> Any:
    """The rows of the output as a PyArrow table; the types are the same for all blocks."""
    import_pyarrow()
    import pyarrow as pa

    classes = getattr(model, "classes_", None)
    type_ = None if classes is None else pa.array(classes).type
    columns = {name: cells_of(block.table, name) for name in model.id_columns_}
    found = block.predictions
    several = {f"prediction {i}": column for i, column in enumerate(found.T, start=1)} if found.ndim > 1 else None
    columns |= {name: pa.array(values, type_) for name, values in (several or {"prediction": found}).items()}
    if block.probabilities is not None:
        columns |= {f"{PROBABILITY}{name}": block.probabilities[:, i] for i, name in enumerate(model.classes_)}
    return pa.table(columns)


def cells_of(table: Table, name: str) -> Any:
    """The cells of a column that names the rows, as they are written: a PyArrow array of texts, some perhaps null."""
    import pyarrow as pa

    cells = level_column(table.columns[name])
    codes = pa.array(cells.values, mask=cells.missing)
    return pa.DictionaryArray.from_arrays(codes, pa.array(cells.levels, pa.string())).cast(pa.string())


@contextmanager
def writer_to(sink: Any, schema: Any, out: Path) -> Iterator[Callable[[Any], None]]:
    """A function that appends a table in the format that the file's ending says; CSV for standard output."""
    import_pyarrow()
    from pyarrow import csv, parquet

    writer = parquet.ParquetWriter if out.suffix.lower() == ".parquet" else csv.CSVWriter
    with writer(sink, schema) as opened:
        yield opened.write_table


def require_replaceable(out: Path) -> None:
    """Refuse to write over a file that this command did not write."""
    if not is_standard(out) and out.is_file() and out.stat().st_size and not holds_predictions(out):
        raise FileExistsError(
            f"{out} exists and holds no predictions, or more than these; choose another name with --out."
        )


def holds_predictions(path: Path) -> bool:
    """Whether this command wrote the file, for any model: behind those that name the rows, it has no other columns.

    A CSV file must also begin as this command writes it, with all names in quotes.
    """
    import_pyarrow()
    from pyarrow import csv, parquet

    read_schema = parquet.read_schema if path.suffix.lower() == ".parquet" else lambda file: csv.open_csv(file).schema
    try:
        with open(path, "rb") as file:  # PyArrow does not open every name that the system allows
            names = read_schema(file).names
            file.seek(0)
            header = b"" if path.suffix.lower() == ".parquet" else header_of(names, path)
            begins = file.read(len(header)) == header
    except (ValueError, OSError):
        return False
    own = list(dropwhile(lambda name: PREDICTION_COLUMN.fullmatch(name) is None, names))
    return begins and bool(own) and all(re.match(f"({PREDICTION_COLUMN.pattern}$|{PROBABILITY})", name) for name in own)


def header_of(names: list[str], path: Path) -> bytes:
    """How a file of these columns begins."""
    import pyarrow as pa

    buffer = io.BytesIO()
    with writer_to(buffer, pa.schema([(name, pa.null()) for name in names]), path):
        return buffer.getvalue()
