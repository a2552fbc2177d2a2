"""From a user's table to matrices and back.

Takes a file, a data frame, a dictionary of arrays. Returns tasks, prepared matrices, scores. Never
trains: networks are the business of `rosenblatt.estimators`.
"""

from rosenblatt.tables.readers.reading import read_table
from rosenblatt.tables.table import Column, Table, TableError, TableWarning
from rosenblatt.tables.task import TabularTask

__all__ = ["Column", "Table", "TableError", "TableWarning", "TabularTask", "read_table"]
