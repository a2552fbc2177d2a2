"""Copies of rows do not leak between training and held-out rows, wherever the library splits rows itself."""

import numpy as np
import pytest

import rosenblatt
from rosenblatt import MLPClassifier, MLPSearchCV, TabularClassifier, TabularRegressor
from rosenblatt.diagnosis.checking import splits_of
from rosenblatt.tables.task import TabularTask

N, COPIES = 40, 5


def noise(with_identifier=False):
    """Columns with missing cells and a target that has nothing to do with them; each row occurs five times."""
    rng = np.random.default_rng(0)
    columns = {f"x{i}": rng.normal(size=N) for i in range(3)}
    columns["x2"][:10] = np.nan
    columns["name"] = rng.choice(["ada", "bob", "eve"], N)
    order = rng.permutation(N * COPIES)
    table = {name: np.repeat(column, COPIES)[order] for name, column in columns.items()}
    if with_identifier:
        table["row"] = np.arange(N * COPIES)
    y = np.repeat(rng.integers(0, 2, N), COPIES)[order]
    return table, y, np.repeat(np.arange(N), COPIES)[order]


@pytest.mark.parametrize("with_identifier", [False, True])
@pytest.mark.parametrize("members", [1, 3])
@pytest.mark.parametrize("kind", [TabularClassifier, TabularRegressor])
def test_members_never_hold_out_a_copy_of_a_row_that_they_train_on(kind, members, with_identifier):
    table, y, row = noise(with_identifier)
    model = kind(members=members, max_iter=2, hidden_layer_sizes=8).fit(
        table, y if kind is TabularClassifier else y * 1.5 + row % 3
    )
    for member in model.ensemble_.members:
        held_out = np.isin(np.arange(len(row)), member.held_out)
        assert not set(row[held_out]) & set(row[~held_out])
    assert model.n_distinct_ == N
    assert "160 rows are copies of others" in str(model.report())


def test_noise_is_not_learned_from_copies():
    table, y, _ = noise()
    model = rosenblatt.learn({**table, "y": y}, "y", members=3, max_iter=30)
    assert model.score_ < 0.75
    unlike = {name: column[:1].repeat(3) for name, column in table.items()}
    assert model.predict(unlike).shape == (3,)


def test_a_task_keeps_copies_together_when_rows_are_held_out():
    table, y, row = noise()
    task = TabularTask.of({**table, "y": y, "id": np.arange(len(y))}, "y")
    training, held_out = task.split(0.2, 0)
    rows_of = [set(row[part.inputs["id"].values.astype(int)]) for part in (training, held_out)]
    assert not rows_of[0] & rows_of[1]
    assert 0.1 * len(y) < held_out.inputs.n_rows < 0.3 * len(y)


def test_searches_and_diagnoses_keep_copies_together():
    table, y, row = noise()
    X = np.stack([table["x0"], table["x1"], row], axis=1)
    model = MLPClassifier((4,), max_iter=2)
    for cv in (None, 4):
        for training, held_out in splits_of(model, cv, X, y, 0):
            assert not set(row[training]) & set(row[held_out])
    search = MLPSearchCV(MLPClassifier((64,), max_iter=100, learning_rate_init=0.01), {"alpha": [1e-5]}, n_trials=1)
    search.set_params(cv=3, strategy="random", random_state=0).fit(X[:, :2], y)
    assert search.best_score_ < 0.75, "the five copies of a row were learned by heart"


def test_without_copies_the_splits_are_as_they_were():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 2)), np.arange(60) % 3
    model = TabularClassifier(members=3, max_iter=2, hidden_layer_sizes=8).fit(X, y)
    from sklearn.model_selection import StratifiedKFold

    folds = StratifiedKFold(3, shuffle=True, random_state=0).split(X, y)
    for member, (_, held_out) in zip(model.ensemble_.members, folds, strict=True):
        np.testing.assert_array_equal(member.held_out, held_out)
    assert "copies" not in str(model.report())


def test_a_column_does_not_leak_the_target_by_the_copies_of_its_cells():
    rng = np.random.default_rng(0)
    names, y = np.repeat([f"name {i}" for i in range(80)], 3), np.repeat(rng.integers(0, 2, 80), 3)
    task = TabularTask.of({"name": names, "x": np.repeat(rng.normal(size=80), 3), "y": y}, "y")
    assert not any("predicts" in kind.check for kind in task.kinds)
