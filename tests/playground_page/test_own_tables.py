"""The user's own table: what is shown, what is used, and what is refused in words."""

import numpy as np
import pytest

from rosenblatt.playground_page.own_tables import PlaygroundTable
from rosenblatt.playground_page.settings import Settings, SettingsError
from rosenblatt.tables import read_table

N = 60
RNG = np.random.default_rng(0)


def flowers(**others):
    """A table of all kinds of columns: `width` and `length` tell the kind."""
    kind = np.array(["rose", "lily", "iris"])[np.arange(N) % 3]
    columns = {
        "row": np.arange(N),
        "width": np.arange(N) % 3 + RNG.normal(0, 0.2, N),
        "length": 2.0 * (np.arange(N) % 3) + RNG.normal(0, 0.2, N),
        "price": RNG.normal(100, 20, N),
        "day": np.datetime64("2024-01-01") + np.arange(N) * 3 % 50,
        "fresh": np.arange(N) % 2 == 0,
        "color": np.array(["red", "white"])[np.arange(N) // 2 % 2],
        "same": np.full(N, 7.0),
        "remark": np.array([f"a remark of many words, number {i}" for i in range(N)]),
        "kind": kind,
    }
    return columns | others


def table_of(columns):
    return PlaygroundTable.of(read_table(columns), "flowers.csv")


def settings_of(table, columns=("width", "length"), target="kind", **more):
    data = {"source": "table", "columns": list(columns), "target": target} | more
    return {"data": data, "layers": [{"units": 8}], "learning_rate": 0.1}


def test_a_table_is_described():
    told = table_of(flowers()).describe()
    kinds = {column["name"]: column["kind"] for column in told["columns"]}
    assert kinds == {
        **{"row": "number", "width": "number", "length": "number", "price": "number", "day": "date", "same": "number"},
        **{"fresh": "boolean", "color": "category", "remark": "text", "kind": "category"},
    } | {"same": kinds["same"]}
    assert (told["rows"], told["sampled"], told["name"]) == (N, False, "flowers.csv")
    assert told["suggested"] == {"columns": ["length", "width"], "target": "kind", "task": "classification"}
    assert "'remark'" in told["note"]


def test_the_wanted_target_is_suggested_and_else_the_one_that_can_be_told():
    raw = read_table(flowers())
    assert PlaygroundTable.of(raw, "x", "color").suggested["target"] == "color"
    assert PlaygroundTable.of(raw, "x", "price").suggested["task"] == "regression"
    assert PlaygroundTable.of(raw, "x").suggested["target"] == "kind"
    numbers = read_table({name: RNG.normal(size=N) for name in "abc"})
    assert PlaygroundTable.of(numbers, "x").suggested["target"] == "c"
    ordered = read_table({"a": np.arange(N), "b": RNG.normal(size=N), "c": np.arange(N) > 30, "d": RNG.normal(size=N)})
    assert set(PlaygroundTable.of(ordered, "x").suggested["columns"]) == {"b", "d"}


def test_missing_cells_become_medians_and_are_told():
    columns = flowers()
    columns["width"][[3, 4]] = np.nan
    columns["color"] = np.where(np.arange(N) % 3 == 0, "white", columns["color"])
    columns["color"] = np.where(np.arange(N) == 5, None, columns["color"])
    columns["kind"] = np.where(np.arange(N) < 2, None, columns["kind"])
    table = table_of(columns)
    assert "2 in 'width', 1 in 'color', 2 in 'kind'" in table.note
    assert table.numbers("width")[3] == np.nanmedian(columns["width"])
    assert len(table.rows_with("kind")) == N - 2
    typical = table.inputs(["color", "price"])
    assert typical[2] == ["color=white", "color=red", "price"]
    assert typical[0][5].tolist()[:2] == typical[1].tolist()[:2] == [1, 0]
    values = columns["price"]
    assert typical[1][2] == pytest.approx((np.median(values) - values.mean()) / values.std())


def test_a_run_learns_from_a_table(run_of, read_frame):
    table = table_of(flowers())
    run = run_of(settings_of(table), table)
    told = run.configured()
    assert told["data"]["classes"] == ["iris", "lily", "rose"]
    assert told["network"]["layers"] == [2, 8, 3]
    assert [axis["name"] for axis in told["data"]["axes"]] == ["width", "length"]
    low, high = told["data"]["axes"][0]["low"], told["data"]["axes"][0]["high"]
    widths = [row[0] for row in told["data"]["train"] + told["data"]["test"]]
    assert low < min(widths) < max(widths) < high
    run.advance(1000, 0)
    header, arrays = read_frame(run.frame(0))
    assert header["test_score"] > 0.9
    assert arrays["plane"].shape == (3, 100, 100)
    np.testing.assert_allclose(arrays["plane"].sum(axis=0), 1, atol=1e-5)
    assert arrays["plane"][2, 50, 99] < 0.5 < arrays["plane"][2, 99, 99] + arrays["plane"][0, 99, 99]


def test_the_plane_shows_the_rows_where_they_are(run_of):
    table = table_of(flowers())
    run = run_of(settings_of(table), table)
    problem = run.problem
    row = problem.train[0]
    scaled = problem.coordinates(problem.points[row : row + 1])
    np.testing.assert_allclose(scaled[0], problem.X[row], rtol=1e-6)
    grid = problem.grid(3)
    np.testing.assert_allclose(
        grid[0], problem.coordinates(np.array([[axis.low for axis in problem.axes]]))[0], rtol=1e-6
    )


def test_other_columns_are_inputs_at_their_median(run_of, read_frame):
    table = table_of(flowers())
    run = run_of(settings_of(table, others="inputs"), table)
    inputs = run.configured()["network"]["inputs"]
    assert inputs[:2] == ["x1", "x2"]
    assert {"price", "day", "fresh", "color=red", "color=white"} <= set(inputs)
    assert not {"row", "remark", "same", "kind"} & set(inputs)
    grid = run.problem.grid(5)
    assert (np.ptp(grid[:, 2:], axis=0) == 0).all()
    typical = table.inputs(table.others(("width", "length"), "kind"))[1]
    np.testing.assert_array_equal(grid[7, 2:], typical.astype(np.float32))
    assert np.ptp(typical) > 0
    assert read_frame(run.frame(0, first=True))[1]["map0"].shape[0] == 2
    without = run_of(settings_of(table, others="inputs") | {"features": []}, table)
    without.advance(5, 0)
    assert without.configured()["network"]["inputs"] == inputs[2:]


def test_numbers_are_learned_in_their_own_units(run_of, read_frame):
    columns = flowers()
    columns["price"] = 1000.0 + 100 * columns["width"] + 50 * columns["length"]
    table = table_of(columns)
    run = run_of(settings_of(table, target="price") | {"layers": []}, table)
    assert "scaled to mean 0" in run.configured()["data"]["note"]
    run.advance(2000, 0)
    header, arrays = read_frame(run.frame(0))
    assert header["test_score"] > 0.99
    assert arrays["plane"].min() > 850
    low, high = run.configured()["data"]["target_range"]
    assert low == columns["price"].min()
    assert high == columns["price"].max()


def test_dates_and_booleans_can_be_axes(run_of):
    table = table_of(flowers())
    run = run_of(settings_of(table, ("day", "fresh")), table)
    run.advance(10, 0)
    assert [axis["kind"] for axis in run.configured()["data"]["axes"]] == ["date", "boolean"]


def test_numbers_and_dates_may_be_written_as_in_other_tables(tmp_path):
    rows = [
        f"{i % 9},{i % 4};{i % 7}%;{i % 28 + 1}.03.2024;0{1000 + i % 3};{'ja' if i % 2 else 'nein'}" for i in range(40)
    ]
    (tmp_path / "german.csv").write_text("\n".join(["a;b;day;zip;answer", *rows]) + "\n")
    table = PlaygroundTable.of(read_table(tmp_path / "german.csv"), "german.csv")
    kinds = {column["name"]: column["kind"] for column in table.describe()["columns"]}
    assert kinds == {"a": "number", "b": "number", "day": "date", "zip": "category", "answer": "category"}
    assert table.numbers("a")[:3].tolist() == [0.0, 1.1, 2.2]
    assert np.ptp(table.numbers("b")) == pytest.approx(0.06)


def test_a_large_table_is_sampled_and_that_is_said():
    n = 1_000_000
    values = np.random.default_rng(1).normal(size=(2, n))
    table = PlaygroundTable.of(read_table({"a": values[0], "b": values[1], "c": np.arange(n) % 2 == 0}))
    told = table.describe()
    assert (told["rows"], told["sampled"]) == (n, True)
    assert "A sample of 10,000 of 1,000,000 rows." in told["note"]
    again = PlaygroundTable.of(read_table({"a": values[0], "b": values[1], "c": np.arange(n) % 2 == 0}))
    np.testing.assert_array_equal(again.numbers("a"), table.numbers("a"))
    assert np.isin(table.numbers("a"), values[0]).all()


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"a": np.arange(20.0)}, "has 1 column; the page needs three"),
        ({"a": [1, 2], "b": [1, 2], "c": [1, 2]}, "has 2 rows"),
        (
            {name: [f"{name} {i}" for i in range(20)] for name in "abc"},
            "two columns of numbers.*has none among 'a', 'b'",
        ),
        ({"a": np.arange(20.0), "b": np.ones(20), "c": ["u", "v"] * 10}, "has only 'a' among"),
        ({"a": [None] * 20, "b": [np.nan] * 20, "c": [1.5] * 20}, "two columns of numbers"),
        (
            {"a": np.arange(60.0), "b": np.arange(60.0) ** 2, "k": [f"k{i % 12}" for i in range(60)]},
            "no other that can be predicted: column 'k' holds 12 classes; at most 10",
        ),
    ],
)
def test_tables_without_two_axes_are_refused_in_words(columns, message):
    with pytest.raises(SettingsError, match=message):
        PlaygroundTable.of(read_table(columns), "x")


@pytest.mark.parametrize(
    ("columns", "target", "message"),
    [
        (("width", "lenght"), "kind", "no column 'lenght'. Did you mean 'length'"),
        (("width", "color"), "kind", "'color' cannot be an axis of the plane: it holds a category. Choose of 'row'"),
        (("width", "same"), "kind", "'same' cannot be an axis of the plane: every"),
        (("width", "remark"), "kind", "it holds texts"),
        (("width", "width"), "kind", "three different ones"),
        (("width", "length"), "width", "three different ones"),
        (("width", "length"), "remark", "'remark'"),
        (("width", "length"), "same", "same"),
        (("width", "length"), "knd", "no column 'knd'. Did you mean 'kind'"),
        (("width",), "kind", "names of two columns"),
        (("width", 3), "kind", "names of two columns"),
        (("width", "length"), None, "the name of a column"),
        (("width", "length"), "many", "holds 12 classes; at most 10"),
    ],
)
def test_columns_that_do_not_fit_are_refused_in_words(columns, target, message):
    table = table_of(flowers(many=np.array([f"level {i % 12}" for i in range(N)])))
    with pytest.raises(SettingsError, match=message):
        Settings.from_json(settings_of(table, columns, target), table)


def test_odd_numbers_never_reach_the_network(run_of, read_frame):
    odd = np.where(np.arange(N) % 7 == 0, np.inf, RNG.normal(size=N))
    huge = np.where(np.arange(N) % 5 == 0, 1e300, RNG.normal(size=N))
    table = table_of(flowers(odd=odd, huge=huge, tiny=RNG.normal(size=N) * 1e-300))
    run = run_of(settings_of(table, ("odd", "huge"), others="inputs"), table)
    run.advance(20, 0)
    assert not read_frame(run.frame(0))[0]["diverged"]
    with pytest.raises(SettingsError, match="'tiny' cannot be an axis of the plane: its numbers hardly vary"):
        run_of(settings_of(table, ("tiny", "odd")), table)


def test_notes_do_not_contradict_each_other(run_of):
    gaps = np.where(np.arange(N) % 4 == 0, np.nan, RNG.normal(size=N))
    kind = [None if i % 7 == 0 else "ab"[i % 2] for i in range(N)]
    table = table_of({"width": gaps, "length": RNG.normal(size=N), "kind": kind, "same": [None, "x"] * (N // 2)})
    assert "15 in 'width', 9 in 'kind'" in table.note
    assert "rows without the value to predict are left out" in table.note
    run = run_of(settings_of(table), table)
    assert run.configured()["data"]["note"] == "9 rows without a target are left out."
    fewer = run_of(settings_of(table, rows=20), table)
    assert "20 of 51 rows are used" in fewer.configured()["data"]["note"]


def test_the_page_is_told_which_columns_would_be_refused():
    columns = {column["name"]: column for column in table_of(flowers()).describe()["columns"]}
    assert columns["width"]["no_axis"] == columns["width"]["no_target"] == ""
    assert "category" in columns["color"]["no_axis"]
    assert "every" in columns["same"]["no_axis"]
    assert "same" in columns["same"]["no_target"]
    assert "'remark'" in columns["remark"]["no_target"]
