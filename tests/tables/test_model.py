"""Whole models on tables of scikit-learn and made ones."""

from __future__ import annotations

import signal
import threading
import time
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine

from rosenblatt.estimators import DivergenceError, MLPClassifier
from rosenblatt.tables import read_table
from rosenblatt.tables.evaluation import evaluate
from rosenblatt.tables.model import TableModel, TableWarning
from rosenblatt.tables.splits import split_rows

QUICK: dict[str, Any] = {"hidden": (16,), "max_epochs": 30}


def sklearn_table(load: Any) -> Any:
    frame = load(as_frame=True).frame
    return read_table(frame)


def score(load: Any, task: str | None = None) -> Any:
    table = sklearn_table(load)
    rows, held_out = split_rows(table.n_rows, 0.3, 0)
    model = TableModel.train(table.take(rows), "target", task=task)
    return evaluate(model, table.take(held_out), table["target"].take(rows))


def test_binary_multiclass_and_regression_beat_the_baseline() -> None:
    assert score(load_breast_cancer).score > 0.94
    assert score(load_wine).score > 0.93
    assert score(load_diabetes).score > 0.3


def test_the_evaluation_is_what_scikit_learn_computes() -> None:
    from sklearn.metrics import accuracy_score, confusion_matrix, log_loss, r2_score

    table = sklearn_table(load_wine)
    model = TableModel.train(table, "target", **QUICK)
    result = evaluate(model, table, table["target"])
    truth = table["target"].values
    assert result.score == pytest.approx(accuracy_score(truth, model.predict(table)))
    np.testing.assert_array_equal(result.confusion, confusion_matrix(truth, model.predict(table)))
    probabilities = model.predict_proba(table)
    assert result.errors["log loss"][0] == pytest.approx(log_loss(truth, probabilities), rel=1e-4)
    numbers = sklearn_table(load_diabetes)
    model = TableModel.train(numbers, "target", **QUICK)
    result = evaluate(model, numbers, numbers["target"])
    assert result.score == pytest.approx(r2_score(numbers["target"].values, model.predict(numbers)))
    assert result.baseline == pytest.approx(0, abs=1e-12)


def mixed(n: int = 200, seed: int = 0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    size, zone = rng.normal(size=n), rng.choice(["north", "south", "east"], n)
    member = rng.random(n) < 0.5
    label = np.where((size > 0) ^ (zone == "north"), "high", "low")
    size = np.where(rng.random(n) < 0.1, np.nan, size)
    return {"size": size, "zone": zone, "member": member, "level": label}


@pytest.mark.parametrize("holder", [pd.DataFrame, pl.DataFrame, pa.table, dict])
def test_predictions_do_not_depend_on_frame_or_column_order(holder: Any) -> None:
    model = TableModel.train(mixed(), "level", **QUICK)
    fresh = mixed(50, seed=1)
    expected = model.predict_proba(fresh)
    turned = {name: fresh[name] for name in ("member", "zone", "size")}
    np.testing.assert_array_equal(model.predict_proba(holder(turned)), expected)
    assert set(model.predict(holder(turned))) <= {"high", "low"}
    np.testing.assert_allclose(expected.sum(axis=1), 1, rtol=1e-6)


def test_equal_seeds_give_equal_models_and_other_seeds_others() -> None:
    first, again, other = (TableModel.train(mixed(), "level", seed=seed, **QUICK) for seed in (1, 1, 2))
    probabilities = [model.predict_proba(mixed(seed=3)) for model in (first, again, other)]
    np.testing.assert_array_equal(probabilities[0], probabilities[1])
    assert not np.array_equal(probabilities[0], probabilities[2])


def test_the_best_weights_are_put_back() -> None:
    rng = np.random.default_rng(0)  # noise: the validation loss soon rises
    table = {"x": rng.normal(size=300), "z": rng.normal(size=300), "y": rng.normal(size=300)}
    model = TableModel.train(table, "y", batch_size=16, learning_rate=0.01, hidden=(64,))
    losses = [epoch.validation_loss for epoch in model.history.epochs]
    assert model.history.ended == "converged"
    assert model.history.best_epoch == 1 + int(np.argmin(losses))
    assert model.history.best_epoch < len(losses)
    _, validation = split_rows(300, 0.15, 0)
    held = read_table(table).take(validation)
    y = model.target.encode(held["y"])
    loss = np.mean((model.target.encode(read_table({"y": model.predict(held)})["y"]) - y) ** 2) / 2
    assert loss == pytest.approx(min(losses), rel=1e-4)


def test_an_identifier_is_dropped_with_a_warning_and_kept_on_demand() -> None:
    table = {**mixed(), "row": np.arange(200)}
    with pytest.warns(TableWarning, match=r"column 'row' looks like an identifier .* kinds=\{'row': 'numeric'\}"):
        dropped = TableModel.train(table, "level", **QUICK)
    kept = TableModel.train(table, "level", kinds={"row": "numeric"}, **QUICK)
    assert "row" not in dropped.encoder.outputs
    assert "row" in kept.encoder.outputs


def test_no_row_of_the_validation_set_sets_a_scale() -> None:
    table = mixed()
    training, validation = split_rows(200, 0.15, 0, np.unique(table["level"], return_inverse=True)[1])
    changed = {**table, "size": table["size"].copy()}
    changed["size"][validation] *= 1000
    assert TableModel.train(changed, "level", **QUICK).encoder == TableModel.train(table, "level", **QUICK).encoder
    changed["size"][training] *= 1000
    assert TableModel.train(changed, "level", **QUICK).encoder != TableModel.train(table, "level", **QUICK).encoder


def test_an_interrupt_keeps_the_best_network_so_far() -> None:
    def interrupt(epoch: Any) -> None:
        if epoch.number == 3:
            raise KeyboardInterrupt

    model = TableModel.train(mixed(), "level", on_epoch=interrupt, **QUICK)
    assert (model.history.ended, len(model.history.epochs)) == ("interrupted", 3)
    assert model.predict(mixed()).shape == (200,)


def test_an_interrupt_before_the_first_epoch_is_over_is_passed_on() -> None:
    def interrupt(kinds: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        TableModel.train(mixed(), "level", on_kinds=interrupt)


def test_ctrl_c_in_native_code_is_answered() -> None:
    rng = np.random.default_rng(0)
    table = {f"x{i}": rng.normal(size=40_000) for i in range(20)} | {"y": rng.normal(size=40_000)}

    def press() -> None:
        time.sleep(0.1)
        signal.raise_signal(signal.SIGINT)

    def start(epoch: Any) -> None:
        if epoch.number == 1:
            threading.Thread(target=press).start()

    model = TableModel.train(table, "y", hidden=(256, 256), on_epoch=start)
    assert model.history.ended == "interrupted"


def test_divergence_in_the_first_epoch_raises() -> None:
    numbers = {**mixed(), "level": np.arange(200) * 1.0}
    with pytest.raises(DivergenceError, match="non-finite"):
        TableModel.train(numbers, "level", learning_rate=1e30, **QUICK)


def test_later_divergence_keeps_the_best_network_and_warns(monkeypatch: pytest.MonkeyPatch) -> None:
    calls, original = [], MLPClassifier.partial_fit

    def diverge_in_epoch_4(self: Any, *args: Any, **kwargs: Any) -> Any:
        calls.append(1)
        if len(calls) == 4:
            raise DivergenceError("non-finite")
        return original(self, *args, **kwargs)

    monkeypatch.setattr(MLPClassifier, "partial_fit", diverge_in_epoch_4)
    with pytest.warns(TableWarning, match=r"diverged after epoch 3 .* Try a smaller learning_rate \(now 0.002\)"):
        model = TableModel.train(mixed(), "level", **QUICK)
    assert (model.history.ended, len(model.history.epochs)) == ("diverged", 3)
    assert np.isfinite(model.predict_proba(mixed())).all()


def test_summary_names_target_and_tensors() -> None:
    text = TableModel.train(mixed(), "level", **QUICK).summary()
    assert "level (binary: high, low)" in text
    assert "[m, 16]" in text
