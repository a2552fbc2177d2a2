"""Numbers written as text: what a column's texts stand for, decided by all of them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rosenblatt.tables.readers.numerals import NumberFormat

COLUMNS = {
    "plain": (["1", "-2.5", " 3e-2 ", "+.5"], [1, -2.5, 0.03, 0.5]),
    "a point alone stays a decimal point": (["1.234"], [1.234]),
    "a comma before three digits is between thousands": (["1,234", "999"], [1234, 999]),
    "a comma before two digits is not": (["1,23", "4,567"], [1.23, 4.567]),
    "nor one behind a zero": (["0,123", "4,567"], [0.123, 4.567]),
    "millions": (["1,234,567", "1"], [1234567, 1]),
    "both": (["1,234.5", "2"], [1234.5, 2]),
    "German": (["1.234.567,89", "1,5", "1.234"], [1234567.89, 1.5, 1234]),
    "Swiss": (["1'234.50", "1’000"], [1234.5, 1000]),
    "French": (["1 234,5", "1\u00a0234", "1\u202f000"], [1234.5, 1234, 1000]),
    "currencies": (["$5", "7 $", "-$1.50", "$ -2", "($1,234)", "$(3)"], [5, 7, -1.5, -2, -1234, -3]),
    "other currencies": (["CHF 5", "CHF -1'000.50", "7 CHF"], [5, -1000.5, 7]),
    "currencies of several signs": (["R$ 5,00", "R$ 1.000,50"], [5, 1000.5]),
    "crowns": (["5 kr", "7,5 kr", "9kr"], [5, 7.5, 9]),
    "rupees": (["₹5", "₹ 1,000"], [5, 1000]),
    "units": (["3.5 kg", "1,200kg", "-2 kg", "7"], [3.5, 1200, -2, 7]),
    "plurals": (["1 year", "12 years"], [1, 12]),
    "any word after a blank": (["3 rooms", "1 room"], [3, 1]),
    "degrees": (["20 °C", "-5°C"], [20, -5]),
    "units with signs and digits": (["30 km/h", "5km/h"], [30, 5]),
    "areas": (["10 m²", "12.5m²"], [10, 12.5]),
    "times of the clock": (["12:30", "00:00:36", "7:15 pm", "12:00 am", "100:00"], [12.5, 0.01, 19.25, 0, 100]),
    "pounds": (["£5", "£0.20"], [5, 0.2]),
    "percents": (["12 %", "-7%", "0.5 %"], [0.12, -0.07, 0.005]),
    "parentheses": (["(1,234)", "(5)", "6"], [-1234, -5, 6]),
    "typographic minus": (["−5", "5"], [-5, 5]),
    "infinite": (["inf", "-Infinity", "3"], [math.inf, -math.inf, 3]),
}


@pytest.mark.parametrize(("texts", "values"), COLUMNS.values(), ids=COLUMNS)
def test_a_column_is_read_by_the_format_of_all_its_cells(texts, values):
    found = NumberFormat.of(texts)
    assert [found.read(text) for text in texts] == values


NO_NUMBERS = ["", "x", "1 2", "1,23,4", "12 k2", "5A", "V8", "Room 5", "1st", "0x10", "12:60", "1:5", "13:00 pm", "$5€", "$$5", "(5", "5)", "(-5)", "--5", "1_000", "nan", "1$2", "5 % %", "0171 1234567", "1.2.3", "2020-01-01"]  # fmt: skip  # noqa: E501


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_what_is_no_number_in_any_format(text):
    assert NumberFormat.of([text]).read(text) is None


def test_other_texts_do_not_change_the_format_and_another_currency_is_none():
    found = NumberFormat.of(["unknown", "1.234,50 €", "7 €", "$3"])
    assert found == NumberFormat(".", ",", "€")
    assert found.read("$3") is None
    weights = NumberFormat.of(["3 kg", "5 kg", "500 g"])
    assert [weights.read(text) for text in ("3 kg", "500 g", "12:30")] == [3, None, None]
    assert NumberFormat.of(["12:30", "7:00"]).read("7") is None
    assert found.read("12,5") == 12.5
    assert NumberFormat.of(["1", "2"]).read("1,234") is None, "training saw no thousands"


def test_a_format_that_is_none_is_refused():
    for wrong in (("x", "."), (",", ","), ("", ".", "%"), ("", ".", 5), ("", ".", "kg and more")):
        with pytest.raises(ValueError, match="not written with"):
            NumberFormat(*wrong)


@given(st.lists(st.decimals(-(10**9), 10**9, places=2), min_size=1), st.sampled_from([",", "'", " "]))
def test_numbers_survive_being_written_with_thousands(numbers, thousands):
    texts = [f"{number:,}".replace(",", thousands) for number in [*numbers, 1234567]]
    found = NumberFormat.of(texts)
    np.testing.assert_array_equal([found.read(text) for text in texts], [*map(float, numbers), 1234567])


def test_texts_without_end_are_refused_quickly():
    assert NumberFormat.of(["1 " * 100_000 + "x"]).read("1 " * 100_000 + "x") is None
