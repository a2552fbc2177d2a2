"""`learn`: from a table and the name of a column to a fitted estimator.

Takes a table and the name of its target. Returns a `TabularClassifier` or a `TabularRegressor`, depending on the
target. Never holds rows out except for the members' own folds.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from rosenblatt._suggestions import unknown_parameter
from rosenblatt.estimators.tabular.classifier import TabularClassifier
from rosenblatt.estimators.tabular.regressor import TabularRegressor
from rosenblatt.tables.given_folds import refuse_rows_of_whole_table
from rosenblatt.tables.kinds import column_overrides
from rosenblatt.tables.roles import Roles
from rosenblatt.tables.task import WINDOW, TabularTask

__all__ = ["learn"]

OWN_PARAMETERS = ("groups", "time", "sample_weight", "id", "drop_missing_target", "X_val", "y_val", "task")
"""What `learn` takes beside the parameters of estimators."""


def learn(
    table: Any,
    target: Any = None,
    *,
    task: str | None = None,
    sample_weight: Any = None,
    groups: Any = None,
    time: Any = None,
    id: Any = None,
    X_val: Any = None,
    y_val: Any = None,
    drop_missing_target: bool = False,
    **parameters: Any,
) -> Any:
    """Learn to predict a column of a table from the others.

    Parameters
    ----------
    table : path of a CSV, JSON, Parquet, Arrow or Feather file, dataset, data frame, mapping of arrays, or TabularTask
        A dataset (a folder or a pattern of files, for example) of more rows than the parameter `window` is not read
        into memory; see `TabularClassifier.fit`.
    target : str or list of str
        The column to predict, or several columns of numbers. Leave it out with a task, which has a target.
    task : {"classification", "binary", "multiclass", "regression"}, optional
        The default is classification for strings, booleans, integers with at most 20 different values and two whole
        numbers, otherwise regression. A `TableWarning` says so where the numbers may well be the other.
    sample_weight : array-like of shape (n_rows,) or name of a column, optional
        Weights of the rows, at least 0. A TabularTask holds its own, and its own groups, times and ids. A column that
        is named here, or for one of the next three parameters, is no input.
    groups : array-like of shape (n_rows,) or name of a column, optional
        What rows belong to, such as customers. All rows of a group train together, or are held out, so that the score
        is that of new groups. No value may be missing.
    time : array-like of shape (n_rows,) or name of a column, optional
        When rows were made: dates or numbers, none missing. Each network is scored by later rows than it trains on. Not
        together with `groups`.
    id : str or list of str, optional
        Columns that name the rows. They may repeat, of which a `TableWarning` tells. ``rosenblatt predict`` copies them
        into its output; in Python, predictions have the order of the rows.
    X_val : table, optional
        Validation rows of your own: all rows of `table` then train, and these choose the best epochs, calibrate and
        score. It holds the target in the same column, or `y_val` is given.
    y_val : array-like of shape (n_rows,), or name of a column of `X_val`, optional
    drop_missing_target : bool, default=False
        Whether rows without a target are left out; `report` says how many, and `out_of_fold_` has the rows that were
        kept. By default they are refused.
    **parameters
        Parameters of `TabularClassifier` or `TabularRegressor`, such as ``class_weight="balanced"`` for classes, and
        ``ignore=["column"]``.

    Returns
    -------
    TabularClassifier or TabularRegressor
        The fitted estimator. ``print(model.report())`` says what was done and how good it is.

    Raises
    ------
    TableError
        If the table or the target cannot be used. It is a `ValueError` that names column and row, and says what to do.

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
    roles: dict[str, Any] = {"groups": groups, "time": time, "id": id, "drop_missing_target": drop_missing_target}
    if target is not None:
        require_name(target)
        kinds, ignore = parameters.get("kinds"), parameters.get("ignore")
        reading = {"window": parameters.get("window", WINDOW), "hold_out": X_val is None}
        table = TabularTask.of(table, target, task, kinds, sample_weight, ignore, **roles, **reading)
        refuse_rows_of_whole_table(parameters.get("cv"), table.n_dropped)
        if named := Roles(sample_weight, groups, time, id).columns:
            parameters |= without_roles(named, kinds, ignore)
        sample_weight, roles = None, {}  # the task holds them now
        if X_val is not None and y_val is None and not isinstance(X_val, TabularTask):
            y_val = target
    kind = TabularRegressor if table.target.classes is None else TabularClassifier
    check_parameters(kind, parameters)
    return kind(**parameters).fit(table, sample_weight=sample_weight, X_val=X_val, y_val=y_val, **roles)


def require_name(target: Any) -> None:
    """Refuse a target that is no name of a column, nor a list of names."""
    if hasattr(target, "shape") and np.ndim(target) > 0:
        raise TypeError(
            f"target is an array of shape {np.shape(target)}, but learn takes the name of a column of the table. "
            "Arrays are taken by TabularClassifier().fit(X, y) and TabularRegressor().fit(X, y)."
        )


def without_roles(names: Collection[str], kinds: Any, ignore: Any) -> dict[str, Any]:
    """The parameters `kinds` and `ignore` without columns that have a role, as the task does not hold them any more."""
    left = column_overrides(None, ignore).keys() - names
    return {
        "kinds": kinds and {name: kind for name, kind in kinds.items() if str(name) not in names},
        "ignore": [name for name in column_overrides(None, ignore) if name in left] or None,
    }


def check_parameters(kind: type, parameters: Mapping[str, Any]) -> None:
    """Refuse parameters that an estimator of this kind lacks."""
    known = [*OWN_PARAMETERS, *kind().get_params()]
    other = TabularRegressor if kind is TabularClassifier else TabularClassifier
    for name in parameters:
        if name in other().get_params() and name not in known:
            learned, task = ("classes", "regression") if kind is TabularClassifier else ("numbers", "classification")
            raise TypeError(
                f"{name} is a parameter of {other.__name__}, but the target is learned as {learned}, by "
                f"{kind.__name__}: leave {name} out, or say task={task!r}."
            )
        if name not in known:
            raise TypeError(unknown_parameter(kind.__name__, name, known))
