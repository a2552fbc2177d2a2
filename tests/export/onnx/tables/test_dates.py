"""Dates in ONNX, against Python's calendar and the reader of tables."""

import datetime as dt
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from tests.export.onnx.tables.runs import Both

from rosenblatt.export.onnx.graph import TEXT_OPSET, OnnxGraph
from rosenblatt.export.onnx.tables.dates import days_of_integers, days_of_texts
from rosenblatt.tables.readers.dates import read_date

EPOCH = dt.datetime(1970, 1, 1)


def graph_of(dtype, append):
    graph = OnnxGraph("dates", TEXT_OPSET)
    cells = graph.input("cells", dtype, 1)
    graph.output("days", append(graph, cells), "float64", (None, 1))
    return Both(graph.build({}))


READERS = {
    month_first: graph_of("string", lambda graph, cells, m=month_first: days_of_texts(graph, cells, month_first=m))
    for month_first in (False, True)
}


def days(texts, month_first=False):
    """What both evaluators read, which is the same."""
    feed = {"cells": np.array(texts, object).reshape(-1, 1)}
    one, other = (outputs["days"][:, 0] for outputs in READERS[month_first](feed))
    np.testing.assert_array_equal(one, other)
    return one


def expected(texts, month_first=False):
    return np.array([np.nan if (day := read_date(text.strip(), month_first)) is None else day for text in texts])


ISO = [
    *(
        "2020-12-31",
        "2020-12-31T18:30",
        "2020-12-31 18:30:05",
        "2020-12-31T18:30:05.123456789",
        "1969-12-31 23:59:59.9",
    ),
    *("2020-12-31T18:30:00Z", "2020-12-31 18:30:00+02:00", "2020-12-31T18:30:00-0130", "2020-12-31 18:30 UTC"),
    *("2020-12-31T18:30:00+05", "2020-12-31 18:30:00 GMT", " 2020-12-31 ", "2020-02", "0001-01-01", "9999-12-31"),
    *("1900-02-28", "2000-02-29", "2024-02-29", "2020/1/2", "2020.1.2", "1.2.2020", "1-2-2020", "13/12/2020"),
    *("12/13/2020", "1/2/20 1:05", "31/12/69", "31/12/68", "01.02.99", "2020-12-31T18:30:05,5"),
    *("12/31/2020, 18:30:05", "31.12.2020,18:30", "2020-12-31, 18:30:05,25+01:00", "2020-12-31,18:30 GMT"),
    *("2020-12-31t18:30:05z", "2020-12-31 18:30utc", "2020-12-31T18:30UTC", "2020-12-31t18:30:05 gmt"),
    *("12/31/2020 6:30 PM", "12/31/2020, 12:05:09 a.m.", "1/2/20 12:00pm", "2020-12-31 1:00 AM +02:00"),
    "2020-12-31T1:00:00,5pm-0330",
]
NONE = [
    *("", "today", "2020", "12:30", "1.2.3", "2020-13-01", "2020-00-10", "2020-01-00", "1900-02-29", "2021-02-29"),
    *("30/02/2020", "2020-12-31 25:00", "0000-01-01", "2020-12-31x", "2020-12/31", "31-12/2020", "2020-12-31T", "-1"),
    *("2020-12-31 18:75", "2020-12-31 18:30:60", "1/2/20", "1.2.20", "2020-12 18:30", "2020-12-31 0:30 am"),
    *("2020-12-31 13:00 PM", "2020-12-31 6:30 p m", "2020-12-31 6:30+02:00 pm", "2020-12-31,,18:30", "2020-12-31,"),
    *("9999-12-31T23:00-05:00", "0001-01-01 00:30+01:00"),
]


@pytest.mark.parametrize("month_first", [False, True])
def test_texts_are_read_as_tables_read_them(month_first):
    np.testing.assert_array_equal(days(ISO + NONE, month_first), expected(ISO + NONE, month_first))
    assert np.isnan(days(NONE, month_first)).all()
    assert not np.isnan(days(ISO, month_first)).any()


def test_a_single_row_and_a_batch_of_missing_cells():
    assert days(["2020-12-31"])[0] == (dt.datetime(2020, 12, 31) - EPOCH).days
    assert np.isnan(days(["", ""])).all()


FORMATS = ["%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S.%f"]
MOMENTS = st.datetimes(dt.datetime(1000, 1, 1), dt.datetime(9000, 1, 1))


@settings(deadline=None, max_examples=20)
@given(st.lists(MOMENTS, min_size=1, max_size=8), st.sampled_from(FORMATS))
def test_it_reads_what_strptime_reads(moments, form):
    texts = [moment.strftime(form) for moment in moments]
    found = days(texts, form.startswith("%m"))
    exact = [(dt.datetime.strptime(text, form) - EPOCH) / dt.timedelta(days=1) for text in texts]
    np.testing.assert_allclose(found, exact, rtol=0, atol=1e-9)


@settings(deadline=None, max_examples=20)
@given(st.lists(st.text("0123456789-/.:, TZ+apm", max_size=20), min_size=1, max_size=8))
def test_no_text_breaks_it(texts):
    found, exact = days(texts), expected(texts)
    read = ~np.isnan(found)
    np.testing.assert_array_equal(found[read], exact[read])


DAYS = ("2020-12-31", "12/31/2020", "31.12.2020", "3/4/21")
CLOCKS = ("1:05", "12:05:09", "13:30:05.25", "00:30:05,5", "12:59")
HALVES = ("", "am", " PM", "a.m.", " p.m.")
ZONES = ("", "Z", "z", " utc", "GMT", "+02:00", " -0330", "+05")


@pytest.mark.long
@pytest.mark.parametrize("separator", ["T", "t", " ", ", ", ",", "  ", "T "])
def test_times_of_all_forms(separator):
    parts = itertools.product(DAYS, CLOCKS, HALVES, ZONES)
    texts = [f"{day}{separator}{clock}{half}{zone}" for day, clock, half, zone in parts]
    np.testing.assert_array_equal(days(texts), expected(texts))
    assert not np.isnan(days(texts)).all()


def test_names_of_months_count_as_missing():
    assert np.isnan(days(["31 Dec 2020", "Dec 31, 2020"])).all()


def test_integers_are_microseconds():
    moments = np.array(["2020-12-31T12", "NaT", "1900-01-01"], "datetime64[us]")
    both = graph_of("int64", days_of_integers)
    for outputs in both({"cells": moments.view(np.int64).reshape(-1, 1)}):
        np.testing.assert_array_equal(outputs["days"][:, 0], [18627.5, np.nan, -25567.0])
