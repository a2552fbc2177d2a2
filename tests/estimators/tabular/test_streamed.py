"""A fit of a table that is larger than memory; in memory, the held-out rows are given as `X_val`."""

import shutil
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import rosenblatt
from rosenblatt import TabularClassifier, TabularRegressor
from rosenblatt.tables.table import TableError
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
    data["amount"] = np.exp((score + 4 * rng.normal(size=n)) / 8)  # which by itself does not tell the class
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


def one_window(folder, window, *others, **more):
    """The fit's own space, but with a window that holds all rows."""
    from rosenblatt.estimators.tabular.second_pass import Space

    return Space(folder, N, *others, **more)


# Windows --------------------------------------------------------------------------------------------------------------


@pytest.mark.long
def test_several_windows_give_the_same_bits_again_whatever_is_said_of_memory(file, data, tmp_path):
    first = TabularClassifier(**SMALL, window=500).fit(file, "class")
    again = TabularClassifier(**SMALL, window=500, memory_limit="50MB", checkpoint=tmp_path / "kept").fit(file, "class")
    np.testing.assert_array_equal(first.predict_proba(data), again.predict_proba(data))
    other = TabularClassifier(**SMALL, window=900).fit(file, "class")
    assert (other.predict_proba(data) != first.predict_proba(data)).any()
    assert first.score_ > 0.8
    assert first.n_rows_ + len(first.out_of_fold_) == N


def test_a_dataset_of_as_many_rows_as_the_window_is_read_and_equals_the_frame(data, tmp_path):
    (tmp_path / "parts").mkdir()
    for number, start in enumerate(range(0, N, 700)):
        data.iloc[start : start + 700].to_parquet(tmp_path / "parts" / f"{number}.parquet")
    frame_model = TabularClassifier(**SMALL).fit(data, "class")
    for source in (tmp_path / "parts", str(tmp_path / "parts" / "*.parquet")):
        model = TabularClassifier(**SMALL, window=N).fit(source, "class")
        np.testing.assert_array_equal(model.out_of_fold_, frame_model.out_of_fold_)
        np.testing.assert_array_equal(model.predict_proba(source), frame_model.predict_proba(data))
    small = TabularClassifier(**SMALL, window=100).fit(tmp_path / "parts", "class")
    np.testing.assert_array_equal(small.predict(tmp_path / "parts"), small.predict(data))
    assert small.score(tmp_path / "parts", data["class"]) > 0.8


def test_a_csv_file_is_learned_as_a_parquet_file_is(data, file, tmp_path):
    data = data.drop(columns=["day", "text"]).assign(flag=data["flag"].astype(int))
    data.to_csv(tmp_path / "rows.csv", index=False)
    data.to_parquet(file)
    options = {**SMALL, "window": 600}
    csv, parquet = (TabularClassifier(**options).fit(f, "class", "weight") for f in (tmp_path / "rows.csv", file))
    np.testing.assert_array_equal(csv.out_of_fold_, parquet.out_of_fold_)
    np.testing.assert_array_equal(csv.predict(tmp_path / "rows.csv"), parquet.predict(data))


@pytest.mark.long
def test_validation_rows_of_the_user_let_all_rows_train(data, file):
    rest, held_out = data.iloc[:2000], data.iloc[2000:]
    rest.to_parquet(file)
    roles = {"sample_weight": "weight", "id": "other"}
    in_memory = TabularRegressor(**SMALL).fit(rest, "amount", **roles, X_val=held_out)
    streamed = TabularRegressor(**SMALL, window=700).fit(file, "amount", **roles, X_val=held_out)
    for name in ("weighted_", "weight_column_", "id_columns_", "n_scored_"):
        assert getattr(streamed, name) == getattr(in_memory, name)
    assert streamed.n_rows_ == 2000
    assert streamed.score_on_ == in_memory.score_on_ == "on the validation rows"
    assert streamed.preparation_.to_dict() == in_memory.preparation_.to_dict()
    task = TabularTask.of(file, "amount", weights="weight", id="other", window=700)
    again = TabularRegressor(**SMALL, window=700).fit(task, X_val=TabularTask.of(held_out, "amount", weights="weight"))
    np.testing.assert_array_equal(again.out_of_fold_, streamed.out_of_fold_)


# Which rows are held out ----------------------------------------------------------------------------------------------


def test_copies_are_on_one_side(data, file):
    held = held_rows_of(file, "class")
    rest, held_out = parts(data, held)
    inputs = [name for name in data.columns if name != "class"]
    assert not len(rest[inputs].merge(held_out[inputs].drop_duplicates(), on=inputs))
    assert 0.9 * N / 5 < len(held) <= N / 5


def test_groups_are_on_one_side_and_no_group_chooses_the_epoch_that_it_is_scored_by(data, file):
    task = TabularTask.of(file, "class", groups="many", window=1000)
    rest, held_out = parts(data, task.held_rows)
    assert not set(rest["many"]) & set(held_out["many"])
    assert task.n_groups == data["many"].nunique()
    model = TabularClassifier(**SMALL, window=1000).fit(file, "class", groups="many")
    assert model.score_on_ == f"on {len(held_out):,} held-out rows of other groups"
    assert (model.n_groups_, model.group_column_) == (task.n_groups, "many")
    assert "many" not in model.preparation_.names


@pytest.mark.parametrize("written", [False, True])
def test_the_latest_rows_are_held_out(written, data, file):
    if written:
        data = data.assign(day=data["day"].dt.strftime("%d.%m.%Y"))
        data.to_parquet(file)
    held = held_rows_of(file, "amount", time="day")
    rest, held_out = parts(data, held)
    of = lambda part: pd.to_datetime(part["day"], dayfirst=True)  # noqa: E731
    assert of(rest).max() < of(held_out).min()
    assert abs(len(held) - N / 5) < 10
    model = TabularRegressor(**SMALL, window=1000).fit(file, "amount", time="day")
    assert model.score_on_ == f"on {len(held):,} held-out rows, which are later"


def test_rows_without_a_target_are_left_out_and_counted(data, file):
    data = data.copy()
    data.loc[data.index[700:900], "class"] = None
    data.to_parquet(file)
    with pytest.raises(TableError, match=r"target 'class' is missing in rows 701, 702, .*drop_missing_target=True"):
        TabularClassifier(**SMALL, window=500).fit(file, "class")
    model = TabularClassifier(**SMALL, window=500).fit(file, "class", drop_missing_target=True)
    assert model.n_dropped_ == 200
    assert model.n_rows_ + len(model.out_of_fold_) == N - 200


def test_a_class_of_a_single_row_trains(data, file):
    task = TabularTask.of(file, "class", window=1000)
    data = data.copy()
    data.loc[task.held_rows[[3, 77]], "class"] = ["rare", "once"]
    data.to_parquet(file)
    found = TabularTask.of(file, "class", window=1000)
    assert found.target.classes.tolist() == ["high", "low", "middle", "once", "rare"]
    lost = np.setdiff1d(task.held_rows, found.held_rows)
    assert set(task.held_rows[[3, 77]]) <= set(lost)
    assert len(lost) <= 4  # with their copies
    assert TabularClassifier(**SMALL, window=1000).fit(file, "class").classes_.tolist() == found.target.classes.tolist()


def test_a_table_whose_rows_repeat_by_nature_holds_out_rows_by_their_numbers(tmp_path):
    rng = np.random.default_rng(1)
    a, b = rng.integers(0, 2, (2, 3000))
    noise = rng.random(3000) < 0.1
    pd.DataFrame({"a": a, "b": b, "y": (a & b) ^ noise}).to_parquet(tmp_path / "rows.parquet")
    task = TabularTask.of(tmp_path / "rows.parquet", "y", window=500)
    assert len(task.held_rows) == 600
    assert TabularClassifier(**SMALL, window=500).fit(task).score_ > 0.85


# Tasks ----------------------------------------------------------------------------------------------------------------


def test_a_task_says_what_it_is_and_refuses_what_needs_all_rows(data, file):
    task = TabularTask.of(file, "class", window=1000, weights="weight")
    in_memory = TabularTask.of(parts(data, task.held_rows)[0], "class", weights="weight")
    assert task.n_rows == task.inputs.n_rows == in_memory.inputs.n_rows
    assert task.kinds == in_memory.kinds
    assert f"multiclass of class: {task.n_rows:,} rows" in task._repr_html_()
    for forbidden in (lambda: task.take(np.arange(3)), lambda: task.split(0.2, 0), task.frame_columns):
        with pytest.raises(
            TableError, match=r"rows.parquet is read block by block, since it has 2,500 rows and .*2,500"
        ):
            forbidden()


def test_kinds_of_the_estimator_are_those_of_the_task(file):
    task = TabularTask.of(file, "class", window=1000)
    model = TabularClassifier(**SMALL, window=1000, kinds={"count": "categorical"}, ignore=["day"]).fit(task)
    direct = TabularClassifier(**SMALL, window=1000, kinds={"count": "categorical"}, ignore=["day"]).fit(file, "class")
    assert {kind.name: kind.kind for kind in model.preparation_.kinds}["count"] == "categorical"
    np.testing.assert_array_equal(model.out_of_fold_, direct.out_of_fold_)


def test_learn_takes_datasets(file, data, tmp_path):
    model = rosenblatt.learn(file, "class", window=1000, ignore=["text"], **SMALL)
    assert isinstance(model, TabularClassifier)
    rosenblatt.save(model, tmp_path / "m.safetensors")
    loaded = rosenblatt.load(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(loaded.predict(file), model.predict(data))
    assert (loaded.window, loaded.score_on_) == (1000, model.score_on_)
    assert "held-out rows" in str(model.report())
    with pytest.raises(ValueError, match="window"):
        rosenblatt.learn(file, "class", window=10)


# Refusals -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "given", "words"),
    [
        ({"cv": 3}, {}, "cv says which rows are held out, but .*rows.parquet is read block by block.*window of 2,500"),
        ({}, {"sample_weight": np.ones(N)}, "sample_weight is no name of a column, but .*rows.parquet"),
        ({}, {"groups": np.arange(N)}, "groups is no name of a column.*Name a column that holds it"),
        ({}, {"time": np.arange(N)}, "time is no name of a column"),
        ({}, {"groups": "shop"}, "groups names a column 'shop' that is not there"),
        ({}, {"groups": "level"}, "groups .column 'level'. is missing in row"),
        ({}, {"time": "flag"}, "time .column 'flag'. holds Booleans"),
        ({}, {"sample_weight": "number"}, "sample_weight .column 'number'. is missing in row"),
        ({"batch_size": 250, "window": 150}, {}, "window=150 makes windows of .*, fewer than the .* of a batch"),
        (
            {"memory_limit": "10kB"},
            {},
            "window=1000 rows of .* need .* memory_limit leaves .*: say memory_limit='26. kB' .*window=128",
        ),
    ],
)
def test_what_needs_all_rows_in_memory_is_refused_with_a_way_out(options, given, words, file):
    model = TabularClassifier(**{**SMALL, "window": 1000, **options})
    with pytest.raises((ValueError, TypeError), match=words):
        model.fit(file, "class", **given)
    assert not hasattr(model, "ensemble_")


def test_a_target_beside_a_stream_is_refused(file, data):
    with pytest.raises(TypeError, match=r"y is no name of a column, but .*rows.parquet is read block by block"):
        TabularClassifier(window=1000).fit(file, data["class"])
    with pytest.raises(TableError, match=r"there is no target column 'clas'. Did you mean 'class'"):
        TabularClassifier(window=1000).fit(file, "clas")


def test_errors_name_the_row_of_the_whole_table(data, file):
    data = data.assign(amount=data["amount"].where(data.index != 2222, np.inf))
    data.to_parquet(file)
    with pytest.raises(TableError, match="target 'amount' is infinite in row 2223"):
        TabularRegressor(window=500).fit(file, "amount")
    data.assign(amount=data["amount"].where(data.index != 2222, -1.5)).to_parquet(file)
    with pytest.raises(ValueError, match=r"needs targets >= 0, but target 'amount' is -1\.5 in row 2223"):
        TabularRegressor(window=500, loss="poisson").fit(file, "amount")
    data.assign(weight=data["weight"].where(data.index != 2222, -1.0)).to_parquet(file)
    with pytest.raises(TableError, match=r"sample_weight \(column 'weight'\) is -1 in row 2223"):
        TabularClassifier(window=500).fit(file, "class", "weight")


@pytest.mark.parametrize(
    ("parameter", "value"),
    [("window", 99), ("window", 1e6), ("window", "all"), ("memory_limit", "much"), ("memory_limit", 0)],
)
@pytest.mark.parametrize("kind", [TabularClassifier, TabularRegressor])
def test_parameters_are_checked_whatever_the_table_is(parameter, value, kind):
    with pytest.raises(ValueError, match=parameter):
        kind(**{parameter: value}).fit({"a": [1.0, 2.0] * 9}, [0, 1] * 9)


# Interruptions --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["summarizing rows", "preparing rows", "prepared rows"])
def test_ctrl_c_in_a_pass_leaves_the_estimator_as_it_was_and_no_file(what, file, data, monkeypatch):
    model = TabularClassifier(**SMALL, window=500).fit(file, "class")
    before, passes = dict(vars(model)), []

    def heard(self, said, done, n_rows):
        passes.append(said)
        if said.startswith(what):
            raise KeyboardInterrupt

    monkeypatch.setattr("rosenblatt.estimators.tabular.member.FitBudget.heard", heard)
    n_files = open_files()
    with pytest.raises(KeyboardInterrupt):
        model.fit(file, "class")
    assert passes[-1].startswith(what)
    assert vars(model) == before
    assert open_files() == n_files


def open_files():
    """How many files the process has open."""
    import os

    return len(os.listdir("/proc/self/fd"))


def test_a_file_that_changes_between_the_passes_is_refused(file, data, monkeypatch):
    def heard(self, said, done, n_rows):
        if said == "summarizing rows" and done == n_rows:
            data.iloc[:-1].to_parquet(file)

    monkeypatch.setattr("rosenblatt.estimators.tabular.member.FitBudget.heard", heard)
    with pytest.raises(TableError, match=r"rows.parquet changed"):
        TabularClassifier(**SMALL, window=500).fit(file, "class")


def test_passes_are_heard_of_in_the_order_of_their_rows(file, capsys):
    heard = []
    task = TabularTask.of(file, "class", window=1000, heard=lambda *said: heard.append(said), weights="weight")
    TabularClassifier(**SMALL, window=1000, verbose=True).fit(task)
    names = list(dict.fromkeys(what for what, _, _ in heard))
    assert [name.split(",")[0] for name in names] == [
        "summarizing rows",
        "reading weights",
        "preparing rows",
        "prepared rows",
    ]
    assert all(done == n_rows for _, done, n_rows in heard)  # a single block
    out = capsys.readouterr().out
    assert "preparing rows: 2,500 of 2,500" in out
    assert "prepared rows, " in out


@pytest.fixture
def odd_folder(tmp_path):
    """CSV files of which the second has a text in a column of numbers."""
    rng = np.random.default_rng(0)
    number = rng.normal(size=900)
    frame = pd.DataFrame({"number": number, "odd": number + rng.normal(size=900), "y": number + rng.normal(size=900)})
    (tmp_path / "parts").mkdir()
    for place in range(3):
        part = frame[place * 300 : (place + 1) * 300].astype({"odd": object})
        if place == 1:
            part.iloc[7, 1] = "broken"
        part.to_csv(tmp_path / "parts" / f"{place}.csv", index=False)
    return tmp_path / "parts"


@pytest.mark.parametrize("window", [200, 2**20])
@pytest.mark.parametrize(
    "how",
    [
        {"kinds": {"odd": "ignored"}},
        {"kinds": {"odd": "categorical"}},
        {"kinds": {"odd": "numeric"}},
        {"ignore": ["odd"]},
    ],
)
def test_a_text_in_one_of_several_csv_files_is_used_as_the_user_says(odd_folder, tmp_path, window, how):
    small = {**SMALL, "members": 1, "max_iter": 1}
    model = TabularRegressor(**small, **how, window=window).fit(odd_folder, "y")
    whole = tmp_path / "whole.csv"
    pd.concat([pd.read_csv(part, dtype=str) for part in sorted(odd_folder.iterdir())]).to_csv(whole, index=False)
    in_memory = TabularRegressor(**small, **how).fit(whole, "y")
    assert [kind.kind for kind in model.preparation_.kinds] == [kind.kind for kind in in_memory.preparation_.kinds]
    np.testing.assert_array_equal(model.predict(odd_folder), model.predict(whole))
    if window > 900:
        np.testing.assert_array_equal(model.predict(whole), in_memory.predict(whole))


@pytest.mark.parametrize("window", [200, 2**20])
def test_a_text_in_one_of_several_csv_files_is_refused_with_what_to_say(odd_folder, window):
    said = (
        r"column 'odd' is numeric \(double\) in .*0\.csv, but text \(string\) in .*1\.csv\. .* say "
        r"kinds=\{'odd': 'categorical'\} \(or 'numeric', .* ignore=\['odd'\]\."
    )
    with pytest.raises(TableError, match=said):
        TabularRegressor(**SMALL, window=window).fit(odd_folder, "y")


def test_ids_that_repeat_are_counted_among_the_held_out_rows(tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"key": np.arange(900) % 100, "x": rng.normal(size=900), "y": rng.normal(size=900)})
    frame.to_parquet(tmp_path / "rows.parquet")
    with pytest.warns(UserWarning, match=r"id \('key'\) repeats: \d+ of 180 held-out rows share theirs"):
        TabularTask.of(tmp_path / "rows.parquet", "y", window=300, id="key")


def test_a_refusal_for_lack_of_space_leaves_no_folder(file, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(total=10**9, used=10**9, free=100))
    (tmp_path / "kept").mkdir()
    for folder in (tmp_path / "new" / "checkpoints", tmp_path / "kept"):
        with pytest.raises(OSError, match=r"prepared rows need about .* 100 bytes are free"):
            TabularClassifier(**SMALL, window=500, checkpoint=folder).fit(file, "class")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept", "rows.parquet"]


def test_a_streamed_task_says_once_that_columns_are_those_of_the_rows_that_train(tmp_path):
    frame = pd.DataFrame({"a": np.zeros(500), "y": np.random.default_rng(0).normal(size=500), "b": np.arange(500.0)})
    frame.to_parquet(tmp_path / "rows.parquet")
    said = "what columns hold is said of the 400 rows that train, and not of 100 held-out rows"
    shown = TabularTask.of(tmp_path / "rows.parquet", "y", window=200)._repr_html_()
    assert shown.count(said) == 1
    assert "held-out" not in TabularTask.of(frame, "y")._repr_html_()
    task = TabularTask.of(tmp_path / "rows.parquet", "y", window=200, ignore=["b"])
    with pytest.raises(TableError, match=rf"no column is left .*'a' dropped: always 0; .*: {said}\.$"):
        _ = task.kinds


@pytest.mark.parametrize("window", [300, 2**20])
def test_errors_name_the_row_of_the_table_and_that_of_the_file(tmp_path, window):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=900), "w": 1.0, "y": rng.normal(size=900), "t": ["1.5"] * 900})
    frame.loc[[661, 680], "y"], frame.loc[702, "w"], frame.loc[350, "t"] = np.nan, np.nan, "odd"
    for place in range(3):
        frame[place * 300 : place * 300 + 300].to_parquet(tmp_path / f"{place}.parquet")
    for target, roles, words in (
        ("y", {}, r"target 'y' is missing in rows 662, 681, the first of them row 62 of .*2\.parquet \("),
        ("x", {"sample_weight": "w"}, r"is missing in row 703, row 103 of .*2\.parquet \("),
        ("t", {}, r"row 351, row 51 of .*1\.parquet says 'odd'"),
    ):
        with pytest.raises(TableError, match=words):
            TabularRegressor(**SMALL, window=window).fit(tmp_path, target, **roles)
