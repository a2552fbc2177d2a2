"""`learn`: from a table and the name of a column to a fitted estimator.

Goes in: a table, the name of its target. Comes out: a `TabularClassifier` or a `TabularRegressor`, by what the target
holds.
"""

from __future__ import annotations

from typing import Any

from rosenblatt.estimators.tabular.classifier import TabularClassifier
from rosenblatt.estimators.tabular.regressor import TabularRegressor
from rosenblatt.tables.readers.reading import read_table
from rosenblatt.tables.targets import find_target, fit_target

__all__ = ["learn"]


def learn(table: Any, target: str, *, task: str | None = None, **parameters: Any) -> Any:
    """Learn to predict a column of a table from the others.

    Parameters
    ----------
    table : path of a CSV or Parquet file, data frame, or mapping of arrays
    target : str
        The column to predict.
    task : {"classification", "binary", "multiclass", "regression"}, optional
        Default: classes for texts, booleans and integers of at most 20 different values, else regression.
    **parameters
        Of `TabularClassifier` or `TabularRegressor`.

    Returns
    -------
    TabularClassifier or TabularRegressor
        Fitted; ``print(model.report())`` says what was done and how good it is.

    Raises
    ------
    TableError
        A `ValueError`, for a table or target that cannot be used: it names column and row, and what to do.

    Examples
    --------
    >>> import rosenblatt
    >>> table = {"hours": [1, 2, 3, 4, 5, 6] * 10, "passed": ["no", "no", "no", "yes", "yes", "yes"] * 10}
    >>> model = rosenblatt.learn(table, "passed", preset="fast")
    >>> list(model.predict({"hours": [1, 6]}))
    ['no', 'yes']
    """
    rows = read_table(table)
    found = fit_target(find_target(rows, target), task)
    kind = TabularClassifier if found.classes else TabularRegressor
    return kind(**parameters).fit(rows, target)
