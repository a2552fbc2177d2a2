"""``rosenblatt predict`` and ``rosenblatt inspect``: what a stored model says.

Goes in: a model file, and for predictions a table. Comes out: a table of predictions, or a description. It never
changes the model.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from rosenblatt.console.display import Display
from rosenblatt.files import ModelFileError, load
from rosenblatt.storage.atomic import write_atomically
from rosenblatt.tables.model import TableModel
from rosenblatt.tables.reading import import_pyarrow, read_table

__all__ = ["inspect", "predict"]

FORMATS = (".csv", ".parquet")


def predict(model_file: Path, table_file: Path, out: Path, encoding: str, display: Display) -> None:
    """Write one row of predictions for each row of the table, in its order."""
    if out.suffix.lower() not in FORMATS:
        raise ValueError(f"--out {out}: predictions are written as {' or '.join(FORMATS)}; choose such an ending.")
    model = load(model_file)
    if not isinstance(model, TableModel):
        raise ModelFileError(
            f"{model_file}: it holds a {type(model).__name__}, which knows no table; use rosenblatt.load in Python."
        )
    table = read_table(table_file, encoding=encoding)
    columns: dict[str, Any] = {"prediction": model.predict(table)}
    if model.target.classes:
        probabilities = model.predict_proba(table)
        columns |= {f"probability of {name}": probabilities[:, i] for i, name in enumerate(model.target.classes)}
    write_atomically(out, table_bytes(columns, out.suffix.lower()))
    display.line("file", f"{out}: {table.n_rows:,} predictions of {model.target.name}")


def table_bytes(columns: dict[str, Any], suffix: str) -> bytes:
    """The columns as a CSV or Parquet file."""
    import_pyarrow()
    import pyarrow as pa
    from pyarrow import csv, parquet

    buffer = io.BytesIO()
    writer = csv.write_csv if suffix == ".csv" else parquet.write_table
    writer(pa.table(columns), buffer)
    return buffer.getvalue()


def inspect(model_file: Path, display: Display) -> None:
    """Columns and network of a model."""
    model = load(model_file)
    if isinstance(model, TableModel):
        display.console.print(model.summary(), markup=False)
        return
    display.line("model", repr(model))
    display.console.print(model._fitted_network().summary(), markup=False)
