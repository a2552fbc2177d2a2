"""Dates written as text, against Python's own calendar."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rosenblatt.tables.readers.dates import date_order, read_date

EPOCH = dt.datetime(1970, 1, 1)
NEW_YEARS_EVE = (dt.datetime(2020, 12, 31) - EPOCH).days

DAYS = ["2020-12-31", "2020/12/31", "31.12.2020", "31/12/2020", "12/31/2020", "31/12/20", "31 Dec 2020", "31-Dec-2020", "31. December 2020", "Dec 31, 2020", "december 31 2020", "Thu, 31 Dec 2020", "31st Dec 2020", "2020-12-31T00:00:00Z"]  # fmt: skip  # noqa: E501
TIMES = {
    "2020-12-31 18:30": 18.5,
    "2020-12-31T18:30:00.000": 18.5,
    "31/12/2020 6:30 PM": 18.5,
    "12/31/2020 12:15 am": 0.25,
    "Dec 31, 2020 12:15 p.m.": 12.25,
    "2020-12-31 18:30:00+02:00": 16.5,
    "2020-12-31T18:30:00-0130": 20.0,
    "Thu, 31 Dec 2020 18:30:00 GMT": 18.5,
}
NO_DATES = ["", "today", "now", "2020", "12:30", "1.2.3", "2020-13-01", "30/02/2020", "31 Foo 2020", "2020-12-31 25:00", "12/31/2020 13:00 PM", "1/2", "2020.5", "31-12/2020"]  # fmt: skip  # noqa: E501


@pytest.mark.parametrize("text", DAYS)
def test_one_day_in_many_spellings(text):
    assert read_date(text) == NEW_YEARS_EVE


@pytest.mark.parametrize(("text", "hours"), TIMES.items())
def test_times_and_zones(text, hours):
    assert read_date(text) == pytest.approx(NEW_YEARS_EVE + hours / 24, abs=1e-9)


@pytest.mark.parametrize("text", NO_DATES)
def test_what_is_no_date(text):
    assert read_date(text) is None


FORMATS = [
    *("%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d %b %Y", "%B %d, %Y"),
    *("%Y-%m-%dT%H:%M:%S", "%d %b %Y %I:%M %p"),
]


@given(st.datetimes(dt.datetime(1000, 1, 1), dt.datetime(9000, 1, 1)), st.sampled_from(FORMATS))
def test_it_reads_what_strptime_reads(moment, form):
    text = moment.strftime(form)
    expected = (dt.datetime.strptime(text, form) - EPOCH) / dt.timedelta(days=1)
    assert read_date(text, form.startswith("%m")) == pytest.approx(expected, abs=1e-9)


def test_the_order_of_day_and_month_is_the_columns():
    assert not date_order(["01/02/2020", "13/02/2020"]).month_first
    order = date_order(["01/02/2020", "02/13/2020"])
    assert (order.month_first, order.settled) == (True, True)
    assert date_order(["01/02/2020"]).settled is False
    assert date_order(["01/02/2020"]).month_first is False
    assert date_order(["01/02/2020 3:00 PM"]).month_first is True
    assert date_order(["2020-01-02", "3 May 2020", "05/05/2020"]).settled is True
    assert date_order(["31/12/2020", "12/31/2020"]).examples == ()
    assert date_order(["31/12/2020", "12/31/2020", "1/2/2020"]).examples == ("31/12/2020", "12/31/2020", "1/2/2020")


def test_years_of_two_digits_are_those_of_posix():
    assert read_date("31/12/69") == (dt.datetime(1969, 12, 31) - EPOCH).days
    assert read_date("31/12/68") == (dt.datetime(2068, 12, 31) - EPOCH).days
