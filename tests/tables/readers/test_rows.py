"""Rows as tables, at the doors that take a table."""

import datetime

import numpy as np
import pytest

import rosenblatt
from rosenblatt import TabularClassifier
from rosenblatt.tables import TableError, read_table

pd = pytest.importorskip("pandas")
RNG = np.random.default_rng(0)
FRAME = pd.DataFrame({"color": RNG.choice(["red", "blue"], 60), "size": RNG.choice(["big", "small"], 60)})
FRAME["weight"] = RNG.normal(size=60)
Y = np.where(FRAME["color"] == "red", "a", "b")
ROW = {"color": "red", "size": "big", "weight": 1.5}


@pytest.fixture(scope="module")
def model():
    return TabularClassifier("fast", max_iter=2).fit(FRAME, Y)


@pytest.mark.parametrize(
    ("rows", "n"),
    [
        (ROW, 1),
        ({"color": np.str_("red"), "size": None, "weight": np.float32(2)}, 1),
        ([ROW], 1),
        ([ROW, {**ROW, "size": "small"}], 2),
        ((ROW, {**ROW, "more": 3}), 2),
        (FRAME.iloc[0], 1),
        ([FRAME.iloc[0], FRAME.iloc[1]], 2),
        (FRAME.to_dict("records"), 60),
    ],
)
def test_rows_are_predicted_as_the_same_cells_in_columns(model, rows, n):
    several = rows if isinstance(rows, (list, tuple)) else [rows]
    columns = {name: [dict(row)[name] for row in several] for name in FRAME}
    found = model.predict_proba(rows)
    assert found.shape == (n, 2)
    np.testing.assert_array_equal(found, model.predict_proba(columns))
    assert len(model.predict(rows)) == n
    assert len(model.explain(rows, method="gradient").rows) == n
    assert model.partial_dependence(rows, "color", grid=["red"]).n_rows == n


def test_cells_may_be_of_any_kind_and_a_missing_one_is_missing():
    table = read_table([{"day": datetime.date(2020, 1, 2), "ok": True}, {"day": datetime.date(2020, 1, 3), "n": 3}])
    assert list(table.columns) == ["day", "ok", "n"]
    assert [column.storage for column in table.columns.values()] == ["date", "boolean", "integer"]
    assert table["ok"].missing.tolist() == [False, True]
    assert table["n"].missing.tolist() == [True, False]


def test_tables_may_be_learned_from_rows():
    rows = FRAME.assign(y=Y).to_dict("records")
    model = rosenblatt.learn(rows, "y", preset="fast", max_iter=2)
    assert model.predict(rows[:2]).shape == (2,)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            {"color": "red", "size": ["big"], "weight": [1]},
            "column 'color' is a single value, 'red', but others are col",
        ),
        ([ROW, 3], r"row 2 is 3, but the others name their cells: give \{column: value\}"),
        ({"color": "red"}, "lacks 2 of the columns that training used"),
        ([{**ROW, "size": {"a": 1}}], "column 'size' holds dict values"),
        ([{**ROW, "size": [1]}], "column 'size' holds list values"),
        ([{}], "the table has no columns"),
        ([{}, {"color": "red"}], "lacks 2 of the columns that training used"),
        (
            FRAME.to_numpy(),
            "an array, whose columns have no names, but the model learned from 3 .*: 'color', 'size'",
        ),
        (FRAME.to_numpy()[:, :2], "no names and are 2, but the model learned from 3"),
        ([["red", "big", 1.0]], "whose columns have no names"),
        (["red", "big", 1.0], "whose columns have no names"),
    ],
)
def test_what_differs_from_training_is_named(model, table, message):
    with pytest.raises(TableError, match=message):
        model.predict(table)


def test_names_after_an_array_are_named():
    X = RNG.normal(size=(40, 2))
    model = TabularClassifier("fast", max_iter=1).fit(X, X.sum(axis=1) > 0)
    with pytest.raises(TableError, match=r"X names its columns 'a', 'b', but .* an array of 2 columns without names"):
        model.predict({"a": 1.0, "b": 2.0})
    np.testing.assert_array_equal(model.predict_proba({"x0": X[:, 0], "x1": X[:, 1]}), model.predict_proba(X))
