"""Training predictions are left out of files unless asked for, and nothing but them is missing then."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rosenblatt import TabularClassifier, TabularRegressor, load, save
from rosenblatt.persistence.save_load import ModelFileError
from rosenblatt.persistence.tabular import tabular_from_state, tabular_state

RNG = np.random.default_rng(0)
X = RNG.normal(size=(400, 3))
NOISY = X + RNG.normal(size=X.shape)
SMALL: dict[str, Any] = {"members": 2, "max_iter": 2, "hidden_layer_sizes": (4,)}
MODELS: list[tuple[Any, Any]] = [
    (TabularClassifier(**SMALL), (NOISY[:, 0] > 0).astype(int)),
    (TabularRegressor(**SMALL), NOISY[:, :2]),
    (TabularRegressor(**SMALL, quantiles=(0.1, 0.5, 0.9)), NOISY[:, 0]),
]


@pytest.mark.parametrize(("model", "y"), MODELS, ids=["classes", "numbers", "quantiles"])
def test_they_are_left_out_unless_asked_for(model: Any, y: Any, tmp_path: Any) -> None:
    model.fit(X, y)
    save(model, tmp_path / "small")
    save(model, tmp_path / "whole", training_predictions=True)
    saved = (tmp_path / "whole").stat().st_size - (tmp_path / "small").stat().st_size
    assert saved >= 12 * model.out_of_fold_.size
    small, whole = load(tmp_path / "small"), load(tmp_path / "whole")
    np.testing.assert_array_equal(whole.out_of_fold_, model.out_of_fold_)
    assert not hasattr(small, "out_of_fold_")
    with pytest.raises(
        AttributeError, match=r"was loaded from a file without its training predictions, so it has no out_of_"
    ):
        _ = small.out_of_fold_
    assert str(small.report()) == str(model.report())
    assert (small.n_rows_, small.score_, small.scores_) == (400, model.score_, model.scores_)
    for name in ("predict", "predict_proba", "score"):
        if hasattr(model, name) and (name != "score" or getattr(model, "quantiles", None) is None):
            arguments = (X, y) if name == "score" else (X,)
            np.testing.assert_array_equal(getattr(small, name)(*arguments), getattr(model, name)(*arguments))
    if isinstance(model, TabularRegressor):
        np.testing.assert_array_equal(small.predict_interval(X, 0.8), model.predict_interval(X, 0.8))
    with pytest.raises(ValueError, match=r"loaded from a file cannot be averaged.*before they are saved"):
        small.average_with([model], y)
    with pytest.raises(ModelFileError, match="holds no training predictions"):
        save(small, tmp_path / "again", training_predictions=True)


def test_forged_ones_are_refused() -> None:
    model, y = MODELS[0]
    state, arrays = tabular_state(model.fit(X, y), training_predictions=True)
    for name in ("out_of_fold", "out_of_fold_known"):
        for forged in ({k: v for k, v in arrays.items() if k != name}, {**arrays, name: arrays[name][:-1]}):
            with pytest.raises(ModelFileError, match="out-of-fold predictions do not fit together"):
                tabular_from_state(state, forged)


def test_forged_rows_of_networks_are_refused() -> None:
    model, y = MODELS[0]
    state, arrays = tabular_state(model.fit(X, y), training_predictions=True)
    rows = arrays["held_out/0"]
    for forged in (rows[:-1], rows + 400, rows - 400, np.zeros_like(rows)):
        with pytest.raises(ModelFileError, match="do not fit the out-of-fold predictions"):
            tabular_from_state(state, {**arrays, "held_out/0": forged})


def test_those_of_validation_rows_are_kept_too(tmp_path: Any) -> None:
    model = TabularClassifier(**SMALL).fit(X, MODELS[0][1], X_val=X[:50], y_val=MODELS[0][1][:50])
    save(model, tmp_path / "m", training_predictions=True)
    np.testing.assert_array_equal(load(tmp_path / "m").out_of_fold_, model.out_of_fold_)


def test_before_a_fit_it_is_said_that_there_is_none() -> None:
    with pytest.raises(AttributeError, match=r"this TabularClassifier has no out_of_fold_ before it is fitted"):
        _ = TabularClassifier().out_of_fold_
