"""One task for all who learn from a table: its rows, its kinds, its split."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import r2_score

import rosenblatt
from rosenblatt import MLPSearchCV, TabularClassifier, TabularRegressor
from rosenblatt.tables import TableError, TabularTask
from rosenblatt.tables.table import TableWarning

N = 120
RNG = np.random.default_rng(0)
SIZE = RNG.normal(size=N)
TABLE: dict[str, Any] = {
    "size": SIZE,
    "town": RNG.choice(["a", "b", "c"], N).astype(object),
    "price": SIZE + RNG.normal(0, 0.1, N),
    "sold": np.where(SIZE + RNG.normal(0, 0.5, N) > 0, "yes", "no").astype(object),
}
QUICK: dict[str, Any] = {"preset": "fast", "max_iter": 2}


@pytest.mark.parametrize(("name", "kind"), [("sold", TabularClassifier), ("price", TabularRegressor)])
def test_a_task_is_fitted_as_the_table_that_it_was_made_from(name: str, kind: Any) -> None:
    weights = RNG.uniform(0.5, 2, N)
    given = kind(**QUICK).fit(TABLE, name, weights)
    task = TabularTask.of(TABLE, name, weights=weights)
    for model in (kind(**QUICK).fit(task), rosenblatt.learn(task, **QUICK)):
        assert (type(model), model.target_name_, model.score_) == (kind, name, given.score_)
        assert model.preparation_.kinds == task.kinds == given.preparation_.kinds
        assert list(model.feature_names_in_) == list(given.feature_names_in_)
        np.testing.assert_array_equal(model.out_of_fold_, given.out_of_fold_)


def test_a_task_is_searched() -> None:
    search = MLPSearchCV(TabularRegressor(**QUICK), {"dropout": [0.0, 0.3]}, n_trials=2, max_epochs=2)
    named = search.fit(TABLE, "price").best_score_
    assert search.fit(TabularTask.of(TABLE, "price"), None).best_score_ == named
    assert search.best_estimator_.target_name_ == "price"


def test_a_split_keeps_rows_together_and_infers_kinds_from_its_own() -> None:
    weights = np.arange(1.0, N + 1)
    task = TabularTask.of({**TABLE, "place": np.arange(N)}, "sold", weights=weights)
    training, held_out = task.split(0.25, seed=0)
    assert (training.inputs.n_rows, held_out.inputs.n_rows) == (90, 30)
    for part in (training, held_out):
        rows = part.inputs["place"].values.astype(int)
        assert part.target.decoded().tolist() == TABLE["sold"][rows].tolist()
        np.testing.assert_array_equal(part.weights, weights[rows])
    missing = {kind.name: kind.n_missing for kind in training.kinds}
    assert missing == {"size": 0, "town": 0, "price": 0, "place": 0}
    assert TabularTask.of(TABLE, "price").split(0.25, 0)[1].target.values.shape == (30,)


def test_kinds_of_the_estimator_win_over_those_of_the_task_column_by_column() -> None:
    task = TabularTask.of({**TABLE, "place": np.arange(N) % 3}, "price", kinds={"town": "ignored", "sold": "ignored"})
    for kinds, town in (({"town": "categorical"}, "categorical"), ({}, "ignored"), (None, "ignored")):
        model = TabularRegressor(**QUICK, kinds=kinds).fit(TABLE, "price")
        model.fit(task)  # which has another column
        found = {kind.name: kind.kind for kind in model.preparation_.kinds}
        assert (found["town"], found["sold"]) == (town, "ignored")
        assert list(model.feature_names_in_) == ["size", "town", "sold", "place"]
        assert (model.n_features_in_, "place" in str(model.report())) == (4, True)


def test_a_search_with_kinds_in_its_space_tries_them_alone() -> None:
    estimator = TabularRegressor(**QUICK, kinds={"town": "ignored"})
    search = MLPSearchCV(estimator, {"kinds": [{"sold": "ignored"}]}, n_trials=1, max_epochs=2).fit(TABLE, "price")
    kinds = {kind.name: kind.kind for kind in search.best_estimator_.preparation_.kinds}
    assert kinds == {"size": "numeric", "town": "categorical", "sold": "ignored"}


def test_a_record_of_other_weights_or_kinds_is_refused(tmp_path: Path) -> None:
    search = MLPSearchCV(TabularRegressor(**QUICK), {"dropout": [0.0]}, n_trials=1, checkpoint=tmp_path / "record")
    search.set_params(max_epochs=2, refit=False)
    search.fit(TabularTask.of(TABLE, "price", kinds={"town": "ignored"}), None)
    for changed in ({"kinds": {"town": "text"}}, {"kinds": {"town": "ignored"}, "weights": 1 + np.arange(N)}):
        with pytest.raises(ValueError, match="record"):
            search.fit(TabularTask.of(TABLE, "price", **changed), None)


@pytest.mark.parametrize(("name", "kind"), [("sold", TabularClassifier), ("price", TabularRegressor)])
def test_averages_of_a_search_are_weighted_as_its_task(name: str, kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = np.where(np.arange(N) % 2, 5.0, 0.1)
    task = TabularTask.of(TABLE, name, weights=weights)
    models = [kind(members=2, hidden_layer_sizes=(4,), max_iter=2, dropout=dropout).fit(task) for dropout in (0.0, 0.3)]
    models[0].average_with(models[1:], task.target.decoded(), weights)
    truth, found = task.target.values, models[0].out_of_fold_
    if kind is TabularClassifier:
        assert models[0].score_ == pytest.approx(np.average(found.argmax(axis=1) == truth, weights=weights))
    else:
        assert models[0].score_ == pytest.approx(r2_score(truth, found, sample_weight=weights))
    passed = []
    monkeypatch.setattr(kind, "average_with", lambda model, others, y, weights=None: passed.append(weights))
    space = {"dropout": [0.0, 0.3]}
    MLPSearchCV(kind(**QUICK), space, n_trials=2, max_epochs=2, ensemble=2, strategy="random").fit(task, None)
    np.testing.assert_array_equal(passed, [weights])


def test_learn_takes_weights() -> None:
    weights = np.where(SIZE > 0, 5.0, 0.1)
    model = rosenblatt.learn(TABLE, "price", sample_weight=weights.tolist(), **QUICK)
    assert model.score_ == rosenblatt.learn(TabularTask.of(TABLE, "price", weights=weights), **QUICK).score_
    assert model.score_ != rosenblatt.learn(TABLE, "price", **QUICK).score_


def test_weights_of_a_task_become_an_array() -> None:
    task = TabularTask.of(TABLE, "price")
    task = TabularTask(task.inputs, task.target, {}, [1] * N)  # type: ignore[arg-type]
    np.testing.assert_array_equal(task.take(np.arange(3)).weights, np.ones(3))


@pytest.mark.parametrize("time_budget", [None, 5.0])
@pytest.mark.parametrize(("name", "kind"), [("sold", TabularClassifier), ("price", TabularRegressor)])
def test_held_out_rows_without_weight_are_refused_before_training(name: str, kind: Any, time_budget: Any) -> None:
    epochs: list[Any] = []
    model = kind(members=8, max_iter=2, time_budget=time_budget, on_epoch=epochs.append)
    weights = np.zeros(N)
    for member in model.set_params(members=8).fit(TABLE, name).ensemble_.members[:2]:
        weights[member.held_out] = 1
    epochs.clear()
    with pytest.raises(
        ValueError, match=r"weights of all 15 held-out rows of network 3 are zero.*Leave rows of weight"
    ):
        model.fit(TABLE, name, weights)
    assert not epochs


def test_a_leak_is_noted_with_the_kinds() -> None:
    task = TabularTask.of({**TABLE, "tax": 2 * TABLE["price"]}, "price")
    with pytest.warns(TableWarning, match="column 'tax': by itself it predicts the target"):
        notes = {kind.name: kind.check for kind in task.kinds}
    assert [name for name, note in notes.items() if note] == ["tax"]


REFUSED: dict[str, tuple[Any, type[Exception], str]] = {
    "numbers to a classifier": (lambda task: TabularClassifier().fit(task), ValueError, "is a regression one"),
    "a target, too": (lambda task: TabularRegressor().fit(task, TABLE["price"]), ValueError, "leave y and sample_w"),
    "weights, too": (lambda task: TabularRegressor().fit(task, None, np.ones(N)), ValueError, "leave y and sample_w"),
    "a name, too": (lambda task: rosenblatt.learn(task, "price"), ValueError, "or a TabularTask alone"),
    "no name": (lambda _: rosenblatt.learn(TABLE), ValueError, "the name of its target"),
    "no such name": (lambda _: TabularTask.of(TABLE, "prize"), TableError, "Did you mean 'price'"),
    "the target's kind": (
        lambda _: TabularTask.of(TABLE, "price", kinds={"price": "text"}),
        TableError,
        "Leave it out",
    ),
    "no inputs": (lambda _: TabularTask.of({"price": SIZE}, "price"), TableError, "no column but the target"),
    "names of an array": (lambda _: TabularRegressor().fit(np.ones((3, 2)), "price"), TypeError, "have no names"),
    "a task's rows": (
        lambda task: TabularTask(task.inputs, task.target.take(np.arange(9))),
        TableError,
        "target has 9",
    ),
    "a task's weights": (
        lambda task: TabularTask(task.inputs, task.target, {}, [1.0]),
        ValueError,
        "sample_weight has",
    ),
    "no share": (lambda task: task.split(0.0, 0), ValueError, r"share is 0.0; it must be a number in \(0, 1\)"),
    "all rows": (lambda task: task.split(1.0, 0), ValueError, r"share is 1.0; it must be a number in \(0, 1\)"),
    "weights twice": (
        lambda task: rosenblatt.learn(task, sample_weight=np.ones(N)),
        ValueError,
        "leave y and sample_w",
    ),
    "a misspelt parameter": (
        lambda task: rosenblatt.learn(task, epoch=3),
        TypeError,
        "TabularRegressor has no parameter 'epoch'. Did you mean 'max_iter'",
    ),
    "weights of other rows": (lambda _: TabularTask.of(TABLE, "price", weights=[1.0]), ValueError, "sample_weight"),
}


@pytest.mark.parametrize(("call", "error", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_task_is_refused(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call(TabularTask.of(TABLE, "price"))
