"""``rosenblatt predict``: what a stored model predicts for the rows of a table.

Takes a model file and a table. Returns nothing: it writes a table of predictions. Never changes the model, nor a file
that holds no predictions.
"""

from __future__ import annotations

import io
import re
from itertools import dropwhile
from pathlib import Path
from typing import Any

import numpy as np

from rosenblatt._suggestions import suggestion
from rosenblatt.cli.destination import require_other
from rosenblatt.cli.display import Display
from rosenblatt.cli.layout import counted
from rosenblatt.cli.models import load_predictor, with_threshold
from rosenblatt.cli.scored import inputs_of_model
from rosenblatt.cli.session import is_standard
from rosenblatt.cli.terminal import write_result
from rosenblatt.storage.atomic import write_atomically
from rosenblatt.tables.readers.reading import import_pyarrow
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
        if out.suffix.lower() not in FORMATS:
            raise ValueError(f"--out {out}: predictions are written as {' or '.join(FORMATS)}; choose such an ending.")
        require_other(out, given.model, given.file)
    model = with_threshold(load_predictor(given.model), given.threshold)
    require_replaceable(out)
    table = inputs_of_model(model, given.file, given.encoding, model.id_columns_)
    with display.warnings():
        columns = {**ids_of(model, table), **predictions_of(model, table)}
    data = encoded(columns, out)
    if is_standard(out):
        write_result(display.result, data)
    else:
        write_atomically(out, data)
    display.wrote(str(out))
    target = model.target_name_ or "the target"
    display.data |= {"command": "predict", "model": str(given.model), "target": target, "rows": table.n_rows}
    display.data |= {"columns": list(columns)}
    display.file(str(out), len(data), f"{counted(table.n_rows, 'prediction')} of {target}")


def ids_of(model: Any, table: Table) -> dict[str, Any]:
    """The columns that name the rows, as they are written; None where a cell is missing."""
    found = {}
    for name in model.id_columns_:
        if PREDICTION_COLUMN.fullmatch(name):
            raise ValueError(f"the id column {name!r} is called like a column of the output; rename it.")
        if name not in table.columns:
            raise TableError(f"there is no id column {name!r}.{suggestion(name, table.columns)}")
        cells = level_column(table.columns[name])
        found[name] = [None if i < 0 else cells.levels[i] for i in cells.values]
    return found


def predictions_of(model: Any, table: Table) -> dict[str, Any]:
    """The columns of the output by name."""
    predicted = np.asarray(model.predict(table))
    columns: dict[str, Any] = {"prediction": predicted}
    if predicted.ndim > 1:
        columns = {f"prediction {i}": column for i, column in enumerate(predicted.T, start=1)}
    if hasattr(model, "predict_proba"):
        probabilities = model.predict_proba(table)
        columns |= {f"{PROBABILITY}{name}": probabilities[:, i] for i, name in enumerate(model.classes_)}
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
            header = b"" if path.suffix.lower() == ".parquet" else encoded({name: [] for name in names}, path)
            begins = file.read(len(header)) == header
    except (ValueError, OSError):
        return False
    own = list(dropwhile(lambda name: PREDICTION_COLUMN.fullmatch(name) is None, names))
    return begins and bool(own) and all(re.match(f"({PREDICTION_COLUMN.pattern}$|{PROBABILITY})", name) for name in own)
