"""The preparation in ONNX prepares cells as `Preparation.transform` does."""

import datetime as dt
import decimal
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from tests.export.onnx.tables.runs import Both, as_feed

from rosenblatt.export.onnx.graph import TEXT_OPSET, OnnxGraph
from rosenblatt.export.onnx.tables.columns import add_preparation, column_inputs
from rosenblatt.tables.kinds import infer_kinds
from rosenblatt.tables.preparation import fit_preparation
from rosenblatt.tables.readers.reading import read_table

RNG = np.random.default_rng(0)


def fit(columns, **kinds):
    table = read_table(columns)
    return fit_preparation(table, infer_kinds(table, kinds))


def graph_of(preparation, dates="text"):
    graph = OnnxGraph("preparation", TEXT_OPSET)
    for name, tensor in add_preparation(graph, preparation, dates).items():
        codes = name.startswith("codes")
        graph.output(f"prepared {name}", tensor, "int64" if codes else "float32", (None,) if codes else (None, None))
    return Both(graph.build({}))


def check(preparation, columns, feed=None, dates="text", both=None):
    """Compare both evaluators with `transform`, bit for bit but for the last places of float32."""
    both = both or graph_of(preparation, dates)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = preparation.transform(read_table(columns))
    for outputs in both(as_feed(both.proto, columns if feed is None else feed)):
        for name in ("numbers", "indicators"):
            if getattr(expected, name).shape[1]:
                found = outputs[f"prepared {name}"]
                assert found.dtype == np.float32
                np.testing.assert_allclose(found, getattr(expected, name), rtol=3e-7, atol=1e-7)
        for i, codes in enumerate(expected.codes.T):
            np.testing.assert_array_equal(outputs[f"prepared codes{i}"], codes)
    return both


def types_of(preparation):
    return {one.name: one.dtype for one in column_inputs(preparation)}


NUMBERS = fit(
    {"x": [*RNG.normal(1e6, 3.0, 60), None, np.inf], "y": RNG.normal(size=62), "z": [1.0] * 60 + [2.0, 1e300]}
)
NUMBERS_IN_ONNX = graph_of(NUMBERS)
ANY_NUMBER = st.one_of(st.none(), st.floats(allow_nan=False), st.sampled_from([1e6, np.inf, -np.inf, -0.0, 1e-310]))


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(ANY_NUMBER, ANY_NUMBER, ANY_NUMBER), min_size=1, max_size=8))
def test_any_numbers(rows):
    cells = np.array([[np.nan if c is None else c for c in row] for row in rows])
    columns = dict(zip("xyz", cells.T, strict=True))
    check(NUMBERS, columns, both=NUMBERS_IN_ONNX)


def test_numbers_keep_the_digits_of_float64_until_they_are_scaled():
    x = 1e9 + RNG.normal(size=50)
    both = check(fit({"x": x}), {"x": x})
    assert both.proto.graph.input[0].type.tensor_type.elem_type == 11


LEVELS = fit(
    {
        "two": ["a", "b", "a", None] * 10,
        "few": ["x", " y", "z", None] * 10,
        "many": [f"level {i % 10}" for i in range(40)],
        "flag": [True, False, None, True] * 10,
        "number": [1, 2.5, 1e20, -0.0] * 10,
        "wide": np.array([2**60 + 1, 2**60 + 3, 5, 2**60 + 1] * 10),
    },
    number="categorical",
    wide="categorical",
)
LEVELS_IN_ONNX = graph_of(LEVELS)
CELLS = {
    "two": st.sampled_from([None, "a", "b", "c", "A", " a", "b "]),
    "few": st.sampled_from([None, "x", "y", " y", "y ", "unseen", "?", " z "]),
    "many": st.sampled_from([None, "level 0", "level 9", "level 10", " level 3", "", "NA"]),
    "flag": st.sampled_from([None, True, False]),
    "number": st.sampled_from([None, 1.0, 2.5, 1e20, 0.0, -0.0, 3.0, np.inf]),
    "wide": st.sampled_from([5, 6, 2**60 + 1, 2**60 + 3, 2**60, -(2**63)]),
}


@settings(deadline=None, max_examples=25)
@given(st.lists(st.fixed_dictionaries(CELLS), min_size=1, max_size=8))
def test_any_levels(rows):
    columns = {name: [row[name] for row in rows] for name in CELLS}
    columns["number"] = np.array([np.nan if c is None else c for c in columns["number"]])
    columns["wide"] = np.array(columns["wide"])
    check(LEVELS, columns, both=LEVELS_IN_ONNX)


def test_the_type_of_an_input_is_that_of_the_training_cells():
    assert types_of(LEVELS) == {
        "two": "string", "few": "string", "many": "string", "flag": "float64", "number": "float64", "wide": "int64"
    }  # fmt: skip


def test_levels_that_float64_cannot_tell_apart_and_int64_does_not_hold_are_texts():
    cells = [decimal.Decimal(2**70), decimal.Decimal(2**70 + 1), decimal.Decimal(3)] * 10
    preparation = fit({"x": cells}, x="categorical")
    assert types_of(preparation) == {"x": "string"}
    check(preparation, {"x": cells})


def test_wide_integers_that_are_all_the_same_float64():
    cells = np.array([2**60 + 1, 2**60 + 3, 2**60 + 5] * 10)
    preparation = fit({"x": cells}, x="categorical")
    assert types_of(preparation) == {"x": "int64"}
    check(preparation, {"x": np.array([*cells[:3], 2**60, 7])})


def test_two_levels_that_are_equal_but_for_blanks_are_two():
    preparation = fit({"x": ["a", " a", "b"] * 10})
    check(preparation, {"x": ["a", " a", "a ", "b", " b", "c"]})


DAYS = [dt.datetime(2020, 1, 1) + dt.timedelta(days=9 * i, seconds=i * i) for i in range(100)]
MOMENTS = pd.Series([*DAYS, pd.NaT, pd.Timestamp("1901-02-28 23:59:59.999999")])


def test_dates_are_texts_or_microseconds():
    preparation = fit({"day": MOMENTS})
    check(preparation, {"day": MOMENTS}, {"day": [None if pd.isna(m) else m.isoformat() for m in MOMENTS]})
    integers = MOMENTS.to_numpy("datetime64[us]")
    assert np.isnat(integers[100])
    check(preparation, {"day": MOMENTS}, {"day": integers.view(np.int64)}, dates="integer")


@pytest.mark.parametrize("start", ["2020-01-06", "1969-06-02"])
def test_dates_that_have_mostly_the_same_weekday(start):
    weeks = pd.Timestamp(start) + pd.to_timedelta(7 * np.arange(100), unit="D")
    cells = pd.Series([*weeks, *(weeks[:10] + pd.Timedelta(days=3, hours=5))])
    check(fit({"day": cells}), {"day": cells}, {"day": cells.astype(str).tolist()})


def test_dates_that_are_levels():
    cells = pd.Series(pd.to_datetime(["2020-01-01", "2020-01-02", "2021-12-31"] * 10))
    preparation = fit({"day": cells}, day="categorical")
    check(preparation, {"day": cells}, {"day": cells.astype(str).tolist()})
    check(preparation, {"day": cells}, {"day": cells.to_numpy("datetime64[us]").view(np.int64)}, dates="integer")


@pytest.mark.parametrize(
    "texts", [["31.12.2020", "01.02.2021"], ["12/31/2020", "1/2/2021"], ["2020/12/31", "2021-2-1"]]
)
def test_dates_are_read_in_the_order_of_the_training_rows(texts):
    cells = [*texts * 20, *([] if "." in texts[0] else ["12/13/2020"] * (texts[0] == "12/31/2020"))]
    check(fit({"day": cells}), {"day": [*texts, "3.4.05", "31/12/69", "no date", "", "2020-02-30"]})


def test_numbers_written_as_text_enter_as_numbers():
    preparation = fit({"price": ["1,000.50", "2,000", "$3"] * 20, "n": range(60)}, price="numeric")
    check(preparation, {"price": ["1,000.50", "7"], "n": [1, 2]}, {"price": [1000.5, 7.0], "n": [1, 2]})


def test_free_text_is_refused_by_name():
    cells = [f"this sentence says {i} things" for i in range(100)]
    with pytest.raises(ValueError, match=r"free text of column 'note'.*hash.*ignore=\['note'\]"):
        column_inputs(fit({"note": cells, "x": RNG.normal(size=100)}))


def test_a_column_without_a_name_is_refused():
    with pytest.raises(ValueError, match="empty name"):
        column_inputs(fit({"": RNG.normal(size=30)}))


def test_what_is_no_unicode_is_refused_by_name():
    with pytest.raises(ValueError, match=r"column 'x' has the level 'b\\udc80'"):
        column_inputs(fit({"x": ["a", "b\udc80", "c"] * 10}))


def test_a_column_called_like_a_tensor_of_the_graph_is_refused():
    with pytest.raises(ValueError, match="called '/Add/3'"):
        graph_of(fit({"/Add/3": RNG.normal(size=30)}))
