"""``rosenblatt predict``: what a stored model predicts for the rows of a table.

Takes a model file and a table. Returns nothing: it writes a table of predictions. Never changes the model, nor a file
that holds no predictions.
"""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import numpy as np

from rosenblatt.cli.display import Display
from rosenblatt.cli.models import load_predictor, with_threshold
from rosenblatt.cli.session import is_standard
from rosenblatt.cli.terminal import write_bytes
from rosenblatt.storage.atomic import write_atomically
from rosenblatt.tables.readers.reading import import_pyarrow, read_table
from rosenblatt.tables.table import Table

__all__ = ["predict"]

FORMATS = (".csv", ".parquet")
PREDICTION_COLUMN = re.compile(r"prediction( \d+)?")
"""The first column of what this command writes."""


def predict(given: Any, display: Display) -> None:
    """Write one row of predictions for each row of the table, in its order."""
    out: Path = given.out
    if not is_standard(out):
        if out.suffix.lower() not in FORMATS:
            raise ValueError(f"--out {out}: predictions are written as {' or '.join(FORMATS)}; choose such an ending.")
        require_replaceable(out, given.model, given.file)
    model = with_threshold(load_predictor(given.model), given.threshold)
    known = model.preparation_
    table = read_table(given.file, encoding=given.encoding, text=known.text_columns, reads=known.names.__contains__)
    columns = predictions_of(model, table)
    data = encoded(columns, out)
    if is_standard(out):
        write_bytes(display.result, data)
    else:
        write_atomically(out, data)
    target = model.target_name_ or "the target"
    display.data |= {"command": "predict", "model": str(given.model), "target": target, "rows": table.n_rows}
    display.data |= {"columns": list(columns)}
    display.file(str(out), len(data), f"{table.n_rows:,} predictions of {target}")


def predictions_of(model: Any, table: Table) -> dict[str, Any]:
    """The columns of the output by name."""
    predicted = np.asarray(model.predict(table))
    columns: dict[str, Any] = {"prediction": predicted}
    if predicted.ndim > 1:
        columns = {f"prediction {i}": column for i, column in enumerate(predicted.T, start=1)}
    if hasattr(model, "predict_proba"):
        probabilities = model.predict_proba(table)
        columns |= {f"probability of {name}": probabilities[:, i] for i, name in enumerate(model.classes_)}
    return columns


def encoded(columns: dict[str, Any], out: Path) -> bytes:
    """The columns in the format that the file's ending says; CSV for standard output."""
    import_pyarrow()
    import pyarrow as pa
    from pyarrow import csv, parquet

    buffer = io.BytesIO()
    write = parquet.write_table if out.suffix.lower() == ".parquet" else csv.write_csv
    write(pa.table(columns), buffer)
    return buffer.getvalue()


def require_replaceable(out: Path, *inputs: Path) -> None:
    """Refuse to write over what this command reads, or over a file that holds no predictions."""
    if any(out.exists() and path.exists() and out.samefile(path) for path in inputs):
        raise FileExistsError(f"--out {out} is one of the files to read; choose another name.")
    if out.is_file() and out.stat().st_size and not holds_predictions(out):
        raise FileExistsError(f"{out} exists and holds no predictions; choose another name with --out.")


def holds_predictions(path: Path) -> bool:
    """Whether this command wrote the file: its first column says so."""
    import_pyarrow()
    from pyarrow import csv, parquet

    read_schema = parquet.read_schema if path.suffix.lower() == ".parquet" else lambda file: csv.open_csv(file).schema
    try:
        with open(path, "rb") as file:  # PyArrow does not open every name that the system allows
            names = read_schema(file).names
        return bool(names) and PREDICTION_COLUMN.fullmatch(names[0]) is not None
    except (ValueError, OSError):
        return False
