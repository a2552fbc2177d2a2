"""From a user's table to matrices and back.

Goes in: a CSV or Parquet file, a data frame, a dictionary of arrays. Comes out: prepared matrices, targets,
scores. Networks are the business of `rosenblatt.estimators`.
"""

from rosenblatt.tables.readers.reading import read_table
from rosenblatt.tables.table import Column, Table, TableError

__all__ = ["Column", "Table", "TableError", "read_table"]
