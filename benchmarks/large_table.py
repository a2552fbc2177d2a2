"""A table that is larger than memory, written row group by row group, for `benchmarks.out_of_core`.

Takes a number of rows and of columns. Returns a folder of Parquet files. Each block of rows depends on nothing but its
number, so a table is the beginning of every longer one, and the test rows are those of blocks that no table reaches.
Never holds more than one row group, and never writes a file that is there.

The target is drawn from probabilities that follow a sum of waves, products and thresholds of the numbers and an effect
of each level: no model reaches an AUC of 1, and a linear one falls far behind.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

__all__ = [
    *("LEVELS", "TARGET", "TEST_BLOCK", "VALIDATION_BLOCK", "as_matrix", "column_kinds", "make_other_file"),
    *("make_table", "matrices", "rows_per_file"),
]

BLOCK = 50_000
"""Rows that are drawn together."""
BLOCKS_PER_GROUP = 5
ROWS_PER_FILE = 4_000_000
TEST_BLOCK, VALIDATION_BLOCK = 10**6, 2 * 10**6
"""The first blocks of rows that no table holds."""
LEVELS = {"c0": 12, "c1": 200}
"""The categorical columns, and the number of their levels."""
TARGET = "target"


def column_kinds(n_columns: int) -> dict[str, str]:
    """The columns but the target, with their types: two of categories, a fifth integers, 3 of 20 float64, else float32.

    A `ValueError` refuses fewer than 8: the target needs them.
    """
    if n_columns < 8:
        raise ValueError(f"columns is {n_columns}; the target depends on 8 columns, so give at least as many")
    n_integers, n_doubles = n_columns // 5, max(1, 3 * n_columns // 20)
    n_floats = n_columns - len(LEVELS) - n_integers - n_doubles
    kinds = dict.fromkeys(LEVELS, "category") | {f"i{k}": "int32" for k in range(n_integers)}
    return kinds | {f"d{k}": "float64" for k in range(n_doubles)} | {f"f{k}": "float32" for k in range(n_floats)}


def block(number: int, n_columns: int) -> dict[str, np.ndarray]:
    """The columns of a block of rows; categories as numbers of levels, the target as 0 or 1."""
    rng = np.random.Generator(np.random.Philox(key=[20, number]))
    made: dict[str, np.ndarray] = {}
    for name, kind in column_kinds(n_columns).items():
        if kind == "category":
            skewed = rng.random(BLOCK, np.float32) ** 2  # the first levels are the frequent ones
            made[name] = (skewed * LEVELS[name]).astype(np.int16)
        elif kind == "int32":
            made[name] = rng.poisson(3 + 4 * int(name[1:]), BLOCK).astype(np.int32)
        else:
            made[name] = rng.standard_normal(BLOCK, np.dtype(kind).type)
    made["f1"] = np.exp(made["f1"])  # a skewed column, as amounts are
    made["d0"] = 1e5 + 1e4 * made["d0"]  # and one far from zero
    probability = 1 / (1 + np.exp(-log_odds(made)))
    made[TARGET] = (rng.random(BLOCK) < probability).astype(np.int8)
    return made


def log_odds(columns: dict[str, np.ndarray]) -> np.ndarray:
    """What the target follows."""
    effects = {name: np.random.default_rng([n, 7]).normal(size=n) for name, n in LEVELS.items()}
    of_levels = sum(0.7 * effect[columns[name]] for name, effect in effects.items())
    d = (columns["d0"] - 1e5) / 1e4
    waves = np.sin(2 * columns["f0"]) + np.cos(d * columns["f2"])
    thresholds = np.where(columns["i0"] > 3, columns["f2"], -columns["f2"]) + (np.log(columns["f1"]) > 0.5)
    return np.asarray(1.2 * (waves + thresholds + of_levels - 0.5), np.float64)


def arrow_table(first_block: int, n_rows: int, n_columns: int) -> Any:
    """Rows from the start of a block on, as an Arrow table."""
    import pyarrow as pa

    parts = [block(first_block + k, n_columns) for k in range(-(-n_rows // BLOCK))]
    arrays = {name: np.concatenate([part[name] for part in parts])[:n_rows] for name in parts[0]}
    columns: dict[str, Any] = {}
    for name, values in arrays.items():
        if name in LEVELS:
            levels = pa.array([f"{name}-{k:03}" for k in range(LEVELS[name])])
            columns[name] = pa.DictionaryArray.from_arrays(pa.array(values.astype(np.int32)), levels)
        else:
            columns[name] = pa.array(values)
    return pa.table(columns)


def write_file(path: Path, first_block: int, n_rows: int, n_columns: int) -> None:
    """A Parquet file of these rows, group by group; it has its name only when it is complete."""
    import pyarrow.parquet as pq

    rows_per_group = BLOCKS_PER_GROUP * BLOCK
    repeated = [name for name, kind in column_kinds(n_columns).items() if kind in ("category", "int32")]
    partial = path.with_suffix(".partial")
    writer = None
    for first in range(0, n_rows, rows_per_group):
        table = arrow_table(first_block + first // BLOCK, min(rows_per_group, n_rows - first), n_columns)
        writer = writer or pq.ParquetWriter(partial, table.schema, use_dictionary=repeated)
        writer.write_table(table, row_group_size=rows_per_group)
    assert writer is not None
    writer.close()
    os.replace(partial, path)


def rows_per_file(n_rows: int) -> int:
    """Rows of a file of a table: `ROWS_PER_FILE`, and about a third of a small table."""
    return min(ROWS_PER_FILE, -(-n_rows // (3 * BLOCK)) * BLOCK)


def make_table(folder: Path, n_rows: int, n_columns: int) -> list[Path]:
    """The files of a table in its folder, of which those that are missing are written."""
    per_file = rows_per_file(n_rows)
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for first in range(0, n_rows, per_file):
        path = folder / f"part-{first // per_file:03}.parquet"
        if not path.exists():
            write_file(path, first // BLOCK, min(per_file, n_rows - first), n_columns)
        found.append(path)
    return found


def make_other_file(path: Path, first_block: int, n_rows: int, n_columns: int) -> Path:
    """A file of rows from a block on that no table reaches."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, first_block, n_rows, n_columns)
    return path


def as_matrix(table: Any) -> tuple[np.ndarray, np.ndarray]:
    """Arrow rows as peers take them: float32, the number of its level for a category, and the target."""
    columns = []
    for name in table.column_names:
        column = table[name].combine_chunks()
        if name in LEVELS:  # a file may hold its levels in another order
            numbers = np.array([int(level.rpartition("-")[2]) for level in column.dictionary.to_pylist()])
            columns.append(numbers[column.indices.to_numpy()].astype(np.float32))
        else:
            columns.append(column.to_numpy().astype(np.float32))
    return np.column_stack(columns[:-1]), columns[-1]


def matrices(files: list[Path]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Each row group of the files as a matrix and its target."""
    import pyarrow.parquet as pq

    for path in files:
        with pq.ParquetFile(path) as file:
            for group in range(file.num_row_groups):
                yield as_matrix(file.read_row_group(group))
