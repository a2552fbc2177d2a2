"""`model.drift`, and the warnings of everything that reads rows."""

import operator
import warnings
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

import rosenblatt
from rosenblatt import TabularClassifier, TabularRegressor
from rosenblatt.tables.table import TableWarning

N = 200
TINY = {"members": 2, "max_iter": 2, "hidden_layer_sizes": 4}


def rows(n, seed, city=("Bern", "Biel", "Thun"), shift=0.0):
    rng = np.random.default_rng(seed)
    size = rng.normal(shift, 1, n)
    day = np.datetime64("2024-01-01") + rng.integers(0, 300, n)
    return {"city": rng.choice(city, n), "size": size, "day": day, "lift": rng.random(n) < 0.5}


def target(table):
    return np.where(table["size"] + table["lift"] > 0.5, "high", "low")


@pytest.fixture(name="model", scope="module")
def _model():
    table = rows(N, 0)
    return TabularClassifier(**TINY).fit(table, target(table))


@pytest.fixture(name="odd", scope="module")
def _odd():
    return rows(100, 1, city=("Chur", "Genf"), shift=9.0)


def test_the_most_suspicious_columns_come_first(model, odd):
    found = model.drift(odd)
    assert (found.n_rows, found.n_training_rows) == (100, N)
    assert {one.column for one in found.columns[:2]} == {"city", "size"}
    by_name = {one.column: one for one in found.columns}
    assert list(by_name) == sorted(by_name, key=lambda name: -by_name[name].suspicion)
    assert (by_name["city"].unseen, by_name["city"].out_of_range) == (1, None)
    assert (by_name["size"].unseen, by_name["size"].out_of_range) == (None, 1)
    assert by_name["city"].example in ("'Chur'", "'Genf'")
    assert float(by_name["size"].example) > 4
    assert by_name["lift"].psi < by_name["lift"].psi_by_chance


def test_it_prints_a_table_and_what_the_limits_mean(model, odd):
    found = model.drift(odd)
    shown = str(found)
    assert shown.startswith("100 rows beside 200 training rows")
    assert "below 0.1" in shown
    assert "0.25" in shown
    assert repr(found) == shown
    assert max(map(len, shown.splitlines())) <= 80
    assert found.table(1).splitlines()[-1] == "and 3 more"
    assert len(found.table(1).splitlines()) == 5
    assert "1 row beside" in model.drift({name: values[0] for name, values in odd.items()}).table()


def test_long_names_and_examples_are_cut():
    table = {"x" * 100: np.random.default_rng(0).normal(size=40), "c": ["a\n" * 50, "b"] * 20}
    model = TabularRegressor(**TINY).fit(table, np.arange(40.0))
    found = model.drift({**table, "c": ["\x1b[31m" + "z" * 100] * 40})
    assert max(map(len, found.table().splitlines())) <= 120
    assert "\x1b" not in str(found)


def test_a_frame_has_a_row_for_each_column(model, odd):
    found = model.drift(odd)
    frame = found.to_frame()
    assert frame["column"].tolist() == [one.column for one in found.columns]
    assert frame["psi"].tolist() == [one.psi for one in found.columns]
    assert frame["out_of_range"].isna().tolist() == [one.out_of_range is None for one in found.columns]
    assert found.to_frame("polars")["example"].to_list() == frame["example"].tolist()


def test_rows_of_training_do_not_drift(model):
    assert all(one.psi == 0 and not one.example for one in model.drift(rows(N, 0)).columns)


def test_arrays_and_additional_columns_are_compared():
    X = np.random.default_rng(0).normal(size=(60, 3))
    model = TabularRegressor(**TINY).fit(X, X[:, 0])
    assert model.drift(X + np.array([0, 50, 0])).columns[0].column == "x1"
    table = rows(N, 0)
    found = TabularClassifier(**TINY, ignore="day").fit(table, target(table)).drift({**table, "more": [{}] * N})
    assert {one.column for one in found.columns} == {"city", "size", "lift"}


def test_a_single_row_can_be_compared(model, odd):
    found = model.drift({name: values[0] for name, values in odd.items()})
    assert {one.column for one in found.columns[:2]} == {"city", "size"}


def test_a_model_file_keeps_it(model, odd, tmp_path):
    rosenblatt.save(model, tmp_path / "m")
    assert str(rosenblatt.load(tmp_path / "m").drift(odd)) == str(model.drift(odd))


def test_each_call_warns_once(model, odd):
    y = target(odd)
    y[0] = "low"  # both classes
    calls = {
        "predict": lambda: model.predict(odd),
        "predict_proba": lambda: model.predict_proba(odd),
        "decision_function": lambda: model.decision_function(odd),
        "score": lambda: model.score(odd, y),
        "explain": lambda: model.explain(odd, y),
        "partial_dependence": lambda: model.partial_dependence(odd, "size"),
    }
    for name, call in calls.items():
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            call()
        assert [warning.category for warning in caught] == [TableWarning], name
        message = str(caught[0].message)
        assert message.count("column '") == 2, message
        assert "column 'city': 100% of the cells hold levels that training never saw, such as '" in message
        assert "column 'size': " in message
        assert caught[0].filename == __file__


def test_a_score_by_decimal_labels_warns_once(odd):
    table = rows(N, 0)
    labels = [Decimal("0.5") if y == "high" else Decimal("1.5") for y in target(table)]
    model = TabularClassifier(**TINY).fit({**table, "y": pa.array(labels)}, "y")
    y = [Decimal("0.5"), Decimal("1.5")] * 50
    with pytest.warns(TableWarning, match="'city'") as caught:
        share = model.score(odd, y)
    assert len(caught) == 1
    with pytest.warns(TableWarning):
        predicted = model.predict(odd).tolist()
    assert share == sum(map(operator.eq, predicted, y)) / 100


def test_intervals_and_ordinary_rows():
    table = rows(N, 0)
    model = TabularRegressor(**TINY).fit(table, np.random.default_rng(5).normal(size=N))
    with pytest.warns(TableWarning, match="column 'size'") as caught:
        model.predict_interval({**table, "size": table["size"] - 20})
    assert len(caught) == 1
    model.predict_interval(rows(100, 2))  # warnings are errors
    model.drift({**table, "size": table["size"] - 20})
