"""A fit of a table that is larger than memory; in memory, the held-out rows are given as `X_val`."""

import numpy as np
import pandas as pd
import pytest

from rosenblatt import TabularClassifier, TabularRegressor
from rosenblatt.tables.task import TabularTask

pytest.importorskip("pyarrow")

SMALL = {"members": 2, "max_iter": 3, "hidden_layer_sizes": (8,), "batch_size": 64}
N = 2500


def frame(n=N, seed=0):
    """Numbers, categories, dates, free text, missing cells, weights and copies."""
    rng = np.random.default_rng(seed)
    words = np.array(["red", "green", "blue", "round", "flat", "heavy", "light", "old", "new"])
    number = rng.normal(size=n) * 10
    level = rng.choice(["north", "south", "east", "west"], n)
    data = pd.DataFrame(
        {
            "number": np.where(rng.random(n) < 0.1, np.nan, number),
            "count": rng.integers(0, 50, n),
            "level": pd.Series(level).where(rng.random(n) > 0.1, None),
            "many": [f"level {k}" for k in rng.integers(0, 300, n)],
            "day": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, n), unit="D"),
            "text": [" ".join(rng.choice(words, 5)) for _ in range(n)],
            "flag": rng.random(n) < 0.3,
            "weight": rng.integers(0, 4, n) * 0.5,
        }
    )
    score = np.nan_to_num(number) + 5 * (level == "north") + rng.normal(size=n)
    data["class"] = np.where(score > 8, "high", np.where(score > -5, "middle", "low"))
    data["amount"] = np.exp(score / 8)
    data["other"] = score**2
    return pd.concat([data.iloc[: n - n // 20], data.iloc[: n // 20]], ignore_index=True)


@pytest.fixture(scope="module")
def data():
    return frame()


@pytest.fixture
def file(data, tmp_path):
    data.to_parquet(tmp_path / "rows.parquet", row_group_size=300)
    return tmp_path / "rows.parquet"


def held_rows_of(source, target, window=1000, **roles):
    weights = roles.pop("sample_weight", None)
    return TabularTask.of(source, target, window=window, weights=weights, **roles).held_rows


def parts(data, held_rows):
    held = np.zeros(len(data), bool)
    held[held_rows] = True
    return data[~held].reset_index(drop=True), data[held].reset_index(drop=True)


def equal_models(streamed, in_memory, rows):
    assert streamed.preparation_.to_dict() == in_memory.preparation_.to_dict()
    assert [m.curve for m in streamed.ensemble_.members] == [m.curve for m in in_memory.ensemble_.members]
    np.testing.assert_array_equal(streamed.predict(rows), in_memory.predict(rows))
    np.testing.assert_array_equal(streamed.out_of_fold_, in_memory.out_of_fold_)
    for name in (
        "score_",
        "scores_",
        "trivial_guess_",
        "guesses_",
        "n_rows_",
        "n_scored_",
        "target_name_",
        "weighted_",
    ):
        assert getattr(streamed, name) == getattr(in_memory, name), name
    assert list(streamed.feature_names_in_) == list(in_memory.feature_names_in_)
    np.testing.assert_array_equal(streamed.background_.hashes, in_memory.background_.hashes)
    np.testing.assert_allclose(streamed.background_.numbers, in_memory.background_.numbers, rtol=1e-12)


@pytest.mark.parametrize(
    ("kind", "target", "options", "roles"),
    [
        (TabularClassifier, "class", {}, {}),
        (TabularClassifier, "class", {"class_weight": "balanced", "metric": "f1"}, {"sample_weight": "weight"}),
        (TabularClassifier, "class", {"ordered": ["low", "middle", "high"], "class_weight": {"low": 3.0}}, {}),
        (TabularRegressor, "amount", {}, {"sample_weight": "weight"}),
        (TabularRegressor, "amount", {"quantiles": (0.1, 0.9)}, {}),
        (TabularRegressor, "amount", {"target_transform": "log"}, {}),
        (TabularRegressor, "count", {"loss": "poisson"}, {"id": "key"}),
        (TabularRegressor, ["amount", "other"], {"loss": "absolute_error"}, {}),
    ],
)
def test_one_window_gives_the_model_of_the_same_rows_in_memory(
    kind, target, options, roles, data, file, tmp_path, monkeypatch
):
    if "id" in roles:
        data = data.assign(key=[f"row {k}" for k in range(len(data))])
        data.to_parquet(file)
    held = held_rows_of(file, target, **roles)
    rest, held_out = parts(data, held)
    assert len(held) > N / 6
    in_memory = kind(**SMALL, **options).fit(rest, target, **roles, X_val=held_out, y_val=target)
    monkeypatch.setattr("rosenblatt.estimators.tabular.streamable.Space", one_window)
    streamed = kind(**SMALL, **options, window=1000).fit(file, target, **roles)
    equal_models(streamed, in_memory, data)
    assert streamed.score_on_ == f"on {len(held):,} held-out rows"


def one_window(folder, window, *others):
    """The fit's own space, but with a window that holds all rows."""
    from rosenblatt.estimators.tabular.streamed import Space

    return Space(folder, N, *others)
