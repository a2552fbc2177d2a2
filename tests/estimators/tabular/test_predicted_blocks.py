"""Predictions block by block: those of the whole table, whatever it comes from."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rosenblatt import TabularClassifier, TabularRegressor
from rosenblatt.tables.readers.streams import BLOCK_ROWS, open_stream
from rosenblatt.tables.table import TableError, TableWarning

N = BLOCK_ROWS + 500
OPTIONS = {"max_iter": 2, "hidden_layer_sizes": (4,), "members": 2, "random_state": 0}


def rows(n: int) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    level = rng.choice(["a", "b", "c"], n).astype(object)
    return pd.DataFrame({"name": [f"r{i}" for i in range(n)], "x": rng.normal(size=n), "level": level})


@pytest.fixture(scope="module")
def models() -> dict[str, Any]:
    frame = rows(300).drop(columns="name")
    y = frame["x"] + (frame["level"] == "b")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        several = np.column_stack([y, -y])
        return {
            "classes": TabularClassifier(**OPTIONS).fit(frame, np.where(y > 0, "yes", "no")),
            "numbers": TabularRegressor(**OPTIONS).fit(frame, y),
            "targets": TabularRegressor(**OPTIONS).fit(frame, several),
            "quantiles": TabularRegressor(quantiles=(0.1, 0.9), **OPTIONS).fit(frame, y),
        }


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rows") / "rows.parquet"
    rows(N).to_parquet(path, row_group_size=10_000)
    return path


@pytest.mark.parametrize("kind", ["classes", "numbers", "targets", "quantiles"])
def test_blocks_of_a_frame_and_of_a_file_have_the_predictions_of_the_whole(
    kind: str, models: dict[str, Any], path: Path
) -> None:
    model, frame = models[kind], rows(N)
    whole = model.predict(frame)
    for source in (frame, str(path), open_stream(path, window=0)):
        blocks = model.predict_blocks(source)
        assert blocks.n_rows == N
        found = [*blocks]
        assert [len(block.predictions) for block in found] == [BLOCK_ROWS, 500]
        np.testing.assert_array_equal(np.concatenate([block.predictions for block in found]), whole)
        if kind == "classes":
            probabilities = np.concatenate([block.probabilities for block in found])
            np.testing.assert_array_equal(probabilities, model.predict_proba(frame))
        else:
            assert found[0].probabilities is None
    assert blocks.reading_seconds > 0


def test_predict_takes_a_stream(models: dict[str, Any], path: Path) -> None:
    frame, stream = rows(N), open_stream(path, window=1000)
    for kind, method in (("classes", "predict"), ("classes", "predict_proba"), ("numbers", "predict_interval")):
        predict = getattr(models[kind], method)
        np.testing.assert_array_equal(predict(stream), predict(frame))


def test_a_table_of_blocks_is_read_as_often_as_it_is_asked_for(models: dict[str, Any], path: Path) -> None:
    blocks = models["numbers"].predict_blocks(path)
    first, second = ([block.predictions for block in blocks] for _ in range(2))
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)


def test_kept_columns_come_with_the_blocks(models: dict[str, Any], path: Path) -> None:
    for source in (rows(N), path):
        names = list[str]()
        for block in models["numbers"].predict_blocks(source, keep=["name"]):
            column = block.table["name"]
            names += [column.levels[code] for code in column.values]
        assert names == [f"r{i}" for i in range(N)]
        with pytest.raises(TableError, match=r"there is no column 'names' to keep\. Did you mean 'name'\?"):
            models["numbers"].predict_blocks(source, keep=["names"])


def test_the_warning_comes_after_the_last_block_and_names_rows_of_the_whole(
    models: dict[str, Any], tmp_path: Path
) -> None:
    frame = rows(N)
    frame["x"] = frame["x"].astype(str)
    frame.loc[N - 3 :, "x"] = "tall"
    frame.to_parquet(tmp_path / "odd.parquet")
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        for _block in models["numbers"].predict_blocks(tmp_path / "odd.parquet"):
            assert heard == []
    (warning,) = heard
    assert warning.category is TableWarning
    assert warning.filename == __file__
    assert f"3 cells of another kind count as missing, such as 'tall' in row {N - 2}." in str(warning.message)


def test_a_table_without_a_column_is_refused(models: dict[str, Any], path: Path) -> None:
    rows(N).drop(columns="level").to_parquet(path.with_name("short.parquet"))
    with pytest.raises(TableError, match="the table has no column 'level'"):
        next(iter(models["numbers"].predict_blocks(path.with_name("short.parquet"))))


def test_a_model_that_is_not_fitted_says_so_at_once(path: Path) -> None:
    with pytest.raises(ValueError, match="not fitted"):
        TabularRegressor().predict_blocks(path)
