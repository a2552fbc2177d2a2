"""Tables that are given to estimators of arrays."""

import numpy as np
import pytest
from scipy.sparse import dok_array

from rosenblatt import LogisticRegression, MLPClassifier, MLPSearchCV, Perceptron
from rosenblatt.tables import TabularTask

X, Y = np.random.default_rng(0).normal(size=(40, 2)), np.arange(40) % 2
TABLE = {"a": X[:, 0], "b": X[:, 1], "y": Y}
SEARCH = MLPSearchCV(MLPClassifier((4,), max_iter=2, batch_size=16), {"alpha": [1e-4]}, n_trials=1, cv=2)


@pytest.mark.parametrize("table", [TabularTask.of(TABLE, "y"), TABLE, "table.csv"])
@pytest.mark.parametrize("model", [MLPClassifier((4,)), LogisticRegression(), Perceptron(), SEARCH])
def test_a_table_is_refused_by_name(model, table):
    with pytest.raises(TypeError, match=rf"X is a {type(table).__name__}, but .* TabularClassifier and .* take tables"):
        model.fit(table, Y)


def test_a_search_takes_a_task_without_a_target_for_tables_only():
    with pytest.raises(TypeError, match="X is a TabularTask, but MLPClassifier takes an array"):
        SEARCH.fit(TabularTask.of(TABLE, "y"))


def test_a_sparse_matrix_that_is_a_mapping_is_no_table():
    assert SEARCH.fit(dok_array(X), Y).predict(X).shape == (40,)
