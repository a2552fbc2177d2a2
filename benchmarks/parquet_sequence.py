"""Parquet files as LightGBM's `Sequence`: rows by number, with one row group in memory at a time.

Takes files. Returns a sequence of rows. LightGBM must be installed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.large_table import as_matrix

__all__ = ["parquet_sequence"]

ROWS_PER_BATCH = 50_000


def parquet_sequence(files: list[Path]) -> Any:
    """The rows of these files in order."""
    import lightgbm
    import pyarrow.parquet as pq

    class Rows(lightgbm.Sequence):  # type: ignore[misc]
        batch_size = ROWS_PER_BATCH

        def __init__(self) -> None:
            opened = [pq.ParquetFile(path) for path in files]
            self.groups = [(file, k) for file in opened for k in range(file.num_row_groups)]
            sizes = [file.metadata.row_group(k).num_rows for file, k in self.groups]
            self.starts = np.concatenate([[0], np.cumsum(sizes)])
            self.held: tuple[int, np.ndarray] = (-1, np.empty((0, 0), np.float32))

        def __len__(self) -> int:
            return int(self.starts[-1])

        def group(self, number: int) -> np.ndarray:
            """The rows of a group: batches and sampled rows come in order, so the last one is kept."""
            if self.held[0] != number:
                self.held = (-1, self.held[1][:0])
                file, k = self.groups[number]
                self.held = (number, as_matrix(file.read_row_group(k))[0])
            return self.held[1]

        def __getitem__(self, wanted: Any) -> np.ndarray:
            if not isinstance(wanted, slice):
                return self[int(wanted) : int(wanted) + 1][0]
            first, last, _ = wanted.indices(len(self))
            parts = []
            while first < last:
                number = int(np.searchsorted(self.starts, first, side="right")) - 1
                end = min(last, int(self.starts[number + 1]))
                start = int(self.starts[number])
                parts.append(self.group(number)[first - start : end - start])
                first = end
            return np.concatenate(parts).astype(np.float64)

    return Rows()
