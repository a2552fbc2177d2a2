"""`learn`: from a table and the name of a column to a fitted estimator.

Takes a table and the name of its target. Returns a `TabularClassifier` or a `TabularRegressor`, by what the target
holds. Never holds rows out but for the members' own folds.
"""

from __future__ import annotations

from typing import Any

from rosenblatt.estimators.tabular.classifier import TabularClassifier
from rosenblatt.estimators.tabular.regressor import TabularRegressor
from rosenblatt.tables.task import TabularTask

__all__ = ["learn"]


def learn(table: Any, target: str | None = None, *, task: str | None = None, **parameters: Any) -> Any:
    """Learn to predict a column of a table from the others.

    Parameters
    ----------
    table : path of a CSV or Parquet file, data frame, mapping of arrays, or TabularTask
    target : str
        The column to predict; a task knows it.
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
    if isinstance(table, TabularTask) == (target is not None):
        raise ValueError("learn takes a table with the name of its target, or a TabularTask alone.")
    if target is not None:
        table = TabularTask.of(table, target, task, parameters.get("kinds"))
    kind = TabularRegressor if table.target.classes is None else TabularClassifier
    return kind(**parameters).fit(table)
