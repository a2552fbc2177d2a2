"""What a note or an error advises works: each is followed, and the table is then read as it says."""

import ast
import re
import warnings

import numpy as np
import pytest

from rosenblatt.tables import TableError, TabularTask, read_table

N = 120
RNG = np.random.default_rng(0)
Y = np.tile(["no", "yes"], N // 2)
SETTING = re.compile(r"\b(kinds|task)=({[^{}]*}|'\w+')")
NOISE = RNG.normal(size=N)


def some(*cells):
    """The cells, as often as there are rows, in an order that tells nothing of the target."""
    return list(RNG.permutation(np.resize(np.array(cells, dtype=object), N)))


NOTES = {
    "zip codes": (some(*[f"{i:05}" for i in range(1000, 1060)]), "quantities", "numeric"),
    "written integers": (some(*map(str, range(30))), "quantities", "numeric"),
    "few integers with gaps": (some(1, 2, 5, 40, 41), "codes", "categorical"),
    "numbers and a text": (some(*map(str, range(1000, 1110)), "unknown"), "codes", "categorical"),
    "units that differ": (some("3.5 kg", "500 g", "2 kg", "750 g"), "one unit", "categorical"),
    "currencies that differ": (some("$5", "€6", "$7.50"), "one unit", "categorical"),
}


@pytest.mark.parametrize(("cells", "found", "kind"), NOTES.values(), ids=NOTES)
def test_each_note_on_a_column_can_be_followed(cells, found, kind):
    table = {"a": cells, "noise": NOISE, "y": Y}
    note = TabularTask.of(table, "y").kinds[0].check
    assert found in note
    settings = settings_of(note)
    assert settings == {"kinds": {"a": kind}}
    column = TabularTask.of(table, "y", **settings).kinds[0]
    assert (column.kind, column.check) == (kind, "")


def test_an_error_about_dates_can_be_followed():
    table = {"a": some("13/01/2020", "01/13/2020", "01/02/2020"), "noise": NOISE, "y": Y}
    with pytest.raises(TableError) as caught:
        _ = TabularTask.of(table, "y").kinds
    settings = settings_of(str(caught.value))
    assert settings == {"kinds": {"a": "ignored"}}
    assert TabularTask.of(table, "y", **settings).kinds[0].kind == "ignored"


def settings_of(message):
    """The parameters that a message says how to set."""
    return {name: ast.literal_eval(value) for name, value in SETTING.findall(message)}


def test_a_column_of_numbers_and_many_texts_can_be_levels():
    texts = [f"word{i}" for i in range(25)]
    table = {"a": [*map(str, range(1000, 1300)), *texts], "noise": RNG.normal(size=325), "y": np.resize([0, 1], 325)}
    with pytest.raises(TableError) as caught:
        _ = TabularTask.of(table, "y").kinds
    assert settings_of(str(caught.value)) == {"kinds": {"a": "categorical"}}
    assert TabularTask.of(table, "y", **settings_of(str(caught.value))).kinds[0].kind == "categorical"


def test_a_leaking_column_can_be_left_out():
    table = {"a": np.where(Y == "yes", "J", "N"), "noise": NOISE, "y": Y}
    with pytest.warns(UserWarning, match="'a': by itself it predicts") as caught:
        _ = TabularTask.of(table, "y").kinds
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert TabularTask.of(table, "y", **settings_of(str(caught[0].message))).kinds[0].kind == "ignored"


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16-le", "utf-16-be"])
def test_the_encoding_that_an_error_names_is_read(tmp_path, encoding):
    path = tmp_path / "t.csv"
    path.write_bytes("a,b\n1,ö\n".encode(encoding))
    with pytest.raises(TableError) as caught:
        read_table(path)
    found = re.search(r"encoding='([\w-]+)'", str(caught.value))
    assert found is not None
    assert read_table(path, encoding=found[1])["b"].levels == ("ö",)


READ = {
    "units": (some("3.5 kg", "500 kg", "7kg"), '"kg" taken off'),
    "francs": (some("CHF 5", "CHF 1'000"), '"CHF" taken off'),
    "rupees": (some("₹ 5", "₹7"), '"₹" taken off'),
    "times of the clock": (some("12:30", "9:15", "00:01"), '"12:30" as 12.5 hours'),
    "percents": (some("12 %", "7%"), '"%" as hundredths'),
    "thousands": (some("1,234", "5,678,901"), '"," between thousands'),
    "short German dates": (some("31.12.20", "01.02.21", "15.06.19"), "dates written as text"),
}


@pytest.mark.parametrize(("cells", "detail"), READ.values(), ids=READ)
def test_quantities_written_in_many_ways_are_read_and_said(cells, detail):
    column = TabularTask.of({"a": cells, "noise": NOISE, "y": Y}, "y").kinds[0]
    assert column.kind in ("numeric", "date")
    assert detail in column.detail
