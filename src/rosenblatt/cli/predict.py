"""``rosenblatt predict`` and ``rosenblatt inspect``: what a stored model says.

Takes a model file, and for predictions a table. Writes a table of predictions, or a description. Never changes the
model.
"""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import numpy as np

from rosenblatt.cli.arguments import check_encoding
from rosenblatt.cli.display import Display
from rosenblatt.estimators import TabularClassifier, TabularRegressor
from rosenblatt.nn.layers.base import Node
from rosenblatt.nn.network import Network
from rosenblatt.nn.registry import name_of
from rosenblatt.persistence.save_load import ModelFileError, load
from rosenblatt.storage.atomic import write_atomically
from rosenblatt.tables.readers.reading import import_pyarrow, read_table

__all__ = ["inspect", "predict"]

FORMATS = (".csv", ".parquet")
PREDICTION_COLUMN = re.compile(r"prediction( \d+)?")
"""The first column of what this command writes."""


def predict(model_file: Path, table_file: Path, out: Path, encoding: str, display: Display) -> None:
    """Write one row of predictions for each row of the table, in its order."""
    if out.suffix.lower() not in FORMATS:
        raise ValueError(f"--out {out}: predictions are written as {' or '.join(FORMATS)}; choose such an ending.")
    check_encoding(encoding)
    require_replaceable(out, model_file, table_file)
    model = load(model_file)
    if not isinstance(model, (TabularClassifier, TabularRegressor)):
        raise ModelFileError(
            f"{model_file}: it holds a {type(model).__name__}, not a tabular model; use rosenblatt.load in Python."
        )
    known = model.preparation_
    table = read_table(table_file, encoding=encoding, text=known.text_columns, reads=known.names.__contains__)
    predicted = np.asarray(model.predict(table))
    columns: dict[str, Any] = {"prediction": predicted}
    if predicted.ndim > 1:
        columns = {f"prediction {i}": column for i, column in enumerate(predicted.T, start=1)}
    if isinstance(model, TabularClassifier):
        probabilities = model.predict_proba(table)
        columns |= {f"probability of {name}": probabilities[:, i] for i, name in enumerate(model.classes_)}
    import pyarrow as pa
    from pyarrow import csv, parquet

    buffer = io.BytesIO()
    write = csv.write_csv if out.suffix.lower() == ".csv" else parquet.write_table
    write(pa.table(columns), buffer)
    write_atomically(out, buffer.getvalue())
    display.line("file", f"{out}: {table.n_rows:,} predictions of {model.target_name_ or 'the target'}")


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


def inspect(model_file: Path, display: Display) -> None:
    """Columns and network of a model, or inputs, outputs and layers of a network."""
    model = load(model_file)
    if isinstance(model, (TabularClassifier, TabularRegressor)):
        display.console.print(model.report(), markup=False)
        display.console.print(f"\nthe first network\n{model.ensemble_.networks[0].summary()}", markup=False)
        return
    if isinstance(model, Network):
        graph = model.graph
        inputs = [f"{graph.names[node]} ({input_text(node)})" for node in graph.inputs]
        outputs = [f"{head} ({name_of(graph.output[head])}, {node.width:,})" for head, node in graph.heads.items()]
        display.line("network", f"{len(graph.layers)} layers, inputs included; {model.dtype.name}")
        display.line("inputs", ", ".join(inputs))
        display.line("outputs", ", ".join(outputs))
    else:
        display.line("model", repr(model))
    display.console.print(model.summary(), markup=False)


def input_text(node: Node) -> str:
    """What an input takes."""
    return f"codes of {node.width:,} levels" if node.kind == "codes" else f"{node.kind}, {node.width:,} columns"
