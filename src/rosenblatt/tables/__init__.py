"""From a user's table to matrices and back.

Goes in: a CSV or Parquet file, a data frame, a dictionary of arrays. Comes out: a trained `TableModel`, predictions
in the target's own terms, scores. The network itself is `rosenblatt.estimators`' business.
"""

from rosenblatt.tables.reading import read_table
from rosenblatt.tables.table import Column, Table, TableError

__all__ = ["Column", "Table", "TableError", "read_table"]
