# ruff: noqa: E501 (one case per line: the catalogue reads as a table)
"""A catalogue of raw tables: for each case how the column is treated, or the error that names it and what to do.

Each treated table trains, predicts (also its first row alone), and predicts the same bits after it was stored.
"""

from __future__ import annotations

import datetime as dt
import re
import warnings
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import rosenblatt
from rosenblatt import TabularClassifier, TabularRegressor
from rosenblatt.tables import TableError
from rosenblatt.tables.table import TableWarning

N = 60
RNG = np.random.default_rng(0)
X = RNG.normal(size=N)
Y = np.where(RNG.random(N) < 0.5, "yes", "no")


def repeat(*cells: Any) -> list[Any]:
    """So many cells that the table has N rows, mixed so that they do not follow the rows' order."""
    return [cells[i] for i in RNG.permutation(np.arange(N) % len(cells))]


def numbers(write: Callable[[int], Any], *others: Any) -> list[Any]:
    """Different numbers in 54 cells, written by a function, and others in six."""
    return [*(write(137 * (i + 1)) for i in range(54)), *((others or (write(5),)) * 6)[:6]]


def with_x(cells: Any, name: Any = "a") -> dict[Any, Any]:
    return {name: cells, "x": X}


def csv(*cells: str, header: str = "a,x") -> Path:
    path = Path("table.csv")  # tests run in a folder of their own
    path.write_text("\n".join([header, *(f"{cell},{x}" for cell, x in zip(repeat(*cells), X, strict=True))]))
    return path


def german(value: float) -> str:
    return f"{value:,.2f}".translate(str.maketrans(",.", ".,"))


def moment(i: int) -> dt.datetime:
    return dt.datetime(2020, 1, 1, 12) + dt.timedelta(days=i % 700)


def zoned(i: int) -> dt.datetime:
    return dt.datetime(2020, 1, 1 + i % 28, tzinfo=dt.timezone(dt.timedelta(hours=i % 3)))


Treatment = tuple[Callable[[], Any], str]

TREATED: dict[str, Treatment] = {
    "thousands by commas": (lambda: with_x(numbers(lambda i: f"{i * 1000:,}")), r'a +number: .*numbers written as text, "," between thousands'),
    "thousands by apostrophes": (lambda: with_x(numbers(lambda i: f"{i * 1000:,}".replace(",", "'"))), r"""a +number: .*"'" between thousands"""),
    "thousands by blanks": (lambda: with_x(numbers(lambda i: f"{i * 1000:,}".replace(",", " "))), r"a +number: .*a blank between thousands"),
    "thousands by no-break blanks": (lambda: with_x(numbers(lambda i: f"{i * 1000:,}".replace(",", "\u202f" if i % 2 else "\u00a0"))), r"a +number: .*a blank between thousands"),
    "German numbers": (lambda: with_x(numbers(lambda i: german(i * 1000.5))), r'a +number: .*"." between thousands, "," before decimals'),
    "decimal commas": (lambda: with_x(numbers(lambda i: f"{i},5")), r'a +number: .*numbers written as text, "," before decimals'),
    "points that may be either": (lambda: with_x(numbers(lambda i: f"{i}.234")), r"a +number: \(3356.73 .*numbers written as text$"),
    "dollars": (lambda: with_x(numbers(lambda i: f"${i:,}.50")), r'a +number: .*"," between thousands, "\$" taken off'),
    "euros behind": (lambda: with_x(numbers(lambda i: f"{i} €")), r'a +number: .*"€" taken off'),
    "percents": (lambda: with_x(repeat("5 %", "12 %", "20%", "50 %")), r'a +number: \(0\.\d+ .*"%" as hundredths'),
    "accountants' negatives": (lambda: with_x(repeat("(1,234)", "1,000", "2,500")), r'a +number: \(1000 ± .*"," between thousands'),
    "typing errors": (lambda: with_x(numbers(str, "unknown", "n.b.", "1o7")), r"a +number: .*'1o7', 'n\.b\.', 'unknown' in 6 rows counted as missing"),
    "numbers and texts as objects": (lambda: with_x(numbers(float, "unknown")), r"a +number: .*'unknown' in 6 rows counted as missing(?s:.*)to check\n  column 'a' holds numbers, but 'unknown' in 6 rows: if they are codes"),
    "a few levels, some of them numbers": (lambda: with_x(repeat("0", "1", "2", "3+")), r"a +category: 0, 1, 2, 3\+"),
    "codes with zeros in front": (lambda: with_x(repeat("01067", "10115", "20095")), r"a +category: 01067, 10115, 20095(?s:.*)column 'a' holds integers with zeros in front, such as '01067', taken for codes: if they are quantities, say kinds=\{'a': 'numeric'\}"),
    "ages as text": (lambda: with_x([str(20 + i % 30) for i in range(N)]), r"a +category: 30 levels(?s:.*)column 'a' holds 30 integers written as text, taken for codes: if they are quantities, say kinds=\{'a': 'numeric'\}"),
    "integers that may be codes": (lambda: with_x(repeat(10115, 20095, 80331, 1067)), r"to check\n  column 'a' holds integers of 4 values: if they are codes, say kinds=\{'a': 'categorical'\}"),
    "ISO dates": (lambda: with_x([str(moment(13 * i).date()) for i in range(N)]), r"a +date: the day, place in the year, place in the week; dates written as text$"),
    "ISO dates with times and zones": (lambda: with_x([zoned(i).isoformat() for i in range(N)]), r"a +date: the day, place in the week; dates written as text$"),
    "day before month": (lambda: with_x([moment(13 * i).strftime("%d/%m/%Y") for i in range(N)]), r"a +date: .*; dates written as text$"),
    "month before day": (lambda: with_x([moment(13 * i).strftime("%m/%d/%Y") for i in range(N)]), r"a +date: .*; dates written as text, month first$"),
    "no day above 12": (lambda: with_x(repeat("01/02/2020", "03/04/2020", "05/06/2021")), r"a +date: .*day first, by convention(?s:.*)to check\n  column 'a' holds dates in which nothing tells day from month: the day is taken"),
    "names of months": (lambda: with_x([moment(13 * i).strftime("%d %b %Y" if i % 2 else "%B %d, %Y") for i in range(N)]), r"a +date: .*; dates written as text$"),
    "dates of several formats": (lambda: with_x([moment(13 * i).strftime(("%Y-%m-%d", "%d %b %Y", "%b %d, %Y %H:%M")[i % 3]) for i in range(N)]), r"a +date: .*; dates written as text$"),
    "dates and a word": (lambda: with_x([*(moment(13 * i).date() for i in range(54)), *["never"] * 6]), r"a +date: .*'never' in 6 rows counted as missing"),
    "infinite numbers": (lambda: with_x([np.inf, -np.inf, *X[2:]]), r"a +number: .*; 2 infinite, taken as beyond all others"),
    "nothing but infinite numbers": (lambda: with_x(repeat(np.inf, -np.inf)), r"a +number: \(0 ± 1\).*no finite number; 60 infinite"),
    "integers beyond float64": (lambda: with_x(repeat(10**400, 1, 2.5, 3)), r"a +number: .*numbers written as text(?s:.*)column 'a' holds integers beyond 2\^53, which are rounded"),
    "integers beyond 2**53": (lambda: with_x(repeat(2**60, 2**60 + 1, 3)), r"a +category: 1152921504606846976, 1152921504606846977, 3$"),
    "a row without any cell": (lambda: {"a": [np.nan, *X[1:]], "x": [None, *X[1:]]}, r"a +number: .*; 1 missing"),
    "a column without any cell": (lambda: with_x([None] * N), r"a +left out: dropped: every cell is missing"),
    "a constant column": (lambda: with_x([7] * N), r"a +left out: dropped: always 7"),
    "blank texts": (lambda: with_x(repeat("", "  ", "b", "c")), r"a +category: b, c; 30 missing"),
    "texts with NUL": (lambda: with_x(repeat("a\0b", "a")), r"a +category: a, a\\x00b$"),
    "half a surrogate": (lambda: with_x(repeat("\ud800", "a")), r"a +category: a, \\ud800$"),
    "texts of 10,000 characters": (lambda: with_x(repeat("u" * 10_000, "v")), r"a +category: u{100,}…$"),
    "bytes": (lambda: with_x(np.array(repeat(b"b", b"c"))), r"a +category: b, c$"),
    "decimals": (lambda: with_x(repeat(Decimal("1.5"), Decimal("NaN"), Decimal("2.5"))), r"a +number: .*1\.5 to 2\.5; 20 missing"),
    "fractions": (lambda: with_x(repeat(Fraction(1, 4), Fraction(1, 2), 3)), r"a +number: .*0\.25 to 3"),
    "UUIDs": (lambda: with_x([uuid4() for _ in range(N)]), r"a +left out: dropped: 60 different texts in 60 rows"),
    "masked cells": (lambda: with_x(np.ma.masked_array(X, X > 0)), rf"a +number: .*{int((X > 0).sum())} missing"),
    "NumPy's texts": (lambda: with_x(np.array(repeat("b", "c"))), r"a +category: b, c$"),
    "times of the day": (lambda: with_x(repeat(dt.time(1), dt.time(2, 30))), r'a +number: .*, "12:30" as 12.5 hours'),
    "spans": (lambda: with_x(repeat(dt.timedelta(1), dt.timedelta(2), dt.timedelta(5))), r"a +number: .*86400 to 432000"),
    "zones mixed": (lambda: with_x([zoned(i) for i in range(N)]), r"a +date: .*2019-12-31 to 2020-01-28"),
    "pandas NaT and NA": (lambda: pd.DataFrame(with_x(repeat(pd.NaT, pd.NA, moment(1), moment(2)))), r"a +date: .*; 30 missing"),
    "pandas nullable": (lambda: pd.DataFrame(with_x(pd.array(repeat(1, None, 3), dtype="Int64"))), r"a +number: .*; 20 missing"),
    "pandas category of numbers": (lambda: pd.DataFrame(with_x(pd.Categorical(repeat(3, 5, 9)))), r"a +category: 3, 5, 9$"),
    "pandas intervals": (lambda: pd.DataFrame(with_x(pd.cut(X, [-9, 0, 9]))), r"a +category: \(-9, 0\], \(0, 9\]"),
    "pandas periods": (lambda: pd.DataFrame(with_x(pd.period_range("2020-01", periods=N, freq="M"))), r"a +date: .*2020-01-01 to 2024-12-01"),
    "pandas sparse": (lambda: pd.DataFrame(with_x(pd.arrays.SparseArray(np.where(X > 0, X, 0)))), r"a +number: "),
    "Polars categories": (lambda: pl.DataFrame(with_x(repeat("1", "2"))).with_columns(pl.col("a").cast(pl.Categorical)), r"a +category: 1, 2$"),
    "Polars binary": (lambda: pl.DataFrame(with_x(repeat(b"b", b"c"))), r"a +category: b, c$"),
    "PyArrow dictionary": (lambda: pa.table(with_x(pa.array(repeat("b", "c")).dictionary_encode())), r"a +category: b, c$"),
    "PyArrow decimals": (lambda: pa.table(with_x(pa.array(repeat(Decimal("1.5"), None, Decimal("2.5"))))), r"a +number: .*; 20 missing"),
    "PyArrow times in a zone": (lambda: pa.table(with_x(pa.array([moment(13 * i) for i in range(N)], pa.timestamp("us", "Europe/Berlin")))), r"a +date: "),
    "PyArrow arrays in a dictionary": (lambda: with_x(pa.array(X)), r"a +number: "),
    "a name that is a number": (lambda: pd.DataFrame(with_x(X, 3)), r"\n  3 +number: "),
    "a name with emoji and line break": (lambda: with_x(X, "a 🎉\nb"), r"\n  a 🎉\\nb +number: "),
    "a name of 10,000 characters": (lambda: with_x(X, "n" * 10_000), r"\n  n{39}…  number: "),
    "an empty name": (lambda: with_x(X, ""), r"number: "),
    "a CSV file as it comes": (lambda: csv('"$1,234.50"', "$2", "$30", "n/a"), r'a +number: .*"\$" taken off; 15 missing'),
}  # fmt: skip


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("make", "treatment"), TREATED.values(), ids=TREATED)
def test_a_raw_table_is_treated_and_the_report_says_how(make: Callable[[], Any], treatment: str) -> None:
    table = make()
    model = TabularClassifier("fast", max_iter=1).fit(table, Y)
    report = str(model.report())
    pattern = treatment.replace("$", r"\s*$") if treatment.endswith("$") else treatment
    assert re.search(pattern, report, re.MULTILINE), report
    found = model.predict_proba(table)
    assert np.isfinite(found).all()
    rosenblatt.save(model, "model.safetensors")
    assert np.array_equal(rosenblatt.load("model.safetensors").predict_proba(table), found)
    assert str(rosenblatt.load("model.safetensors").report()) == report


def kinds_of(cells: Any, kind: str) -> Callable[[], Any]:
    return lambda: TabularClassifier("fast", max_iter=1, kinds={"a": kind}).fit(with_x(cells), Y)


def fit(make: Callable[[], Any]) -> Callable[[], Any]:
    return lambda: TabularClassifier("fast", max_iter=1).fit(make(), Y)


def fitted() -> TabularClassifier:
    return TabularClassifier("fast", max_iter=1).fit({"a": repeat("b", "c"), "x": X}, Y)


Refusal = tuple[Callable[[], Any], type[Exception], str]

REFUSED: dict[str, Refusal] = {
    "many texts among numbers": (lambda: TabularClassifier("fast").fit({"a": [*map(str, range(1000, 2900, 9)), *(f"{i}?" for i in range(21))]}, [0, 1] * 116 + [0]), TableError, r"column 'a' holds numbers, but row 213 says '0\?' \(the first row is 1; 21 such cells of 21 different texts\)\. Correct the cells"),
    "days and months in both orders": (fit(lambda: with_x(repeat("31/12/2020", "12/31/2020", "01/02/2020"))), TableError, r"column 'a' writes dates with the day first \('31/12/2020'\) and with the month first \('12/31/2020'\), so that '01/02/2020' may be either\. Write them as 2020-12-31"),
    "numeric by decree": (kinds_of(repeat("b", "c"), "numeric"), TableError, r"column 'a' holds numbers, but row 1 says '[bc]'"),
    "a name twice in a frame": (fit(lambda: pd.DataFrame(np.c_[X, X], columns=["a", "a"])), TableError, r"column name 'a' occurs more than once\. Rename"),
    "a name twice as text": (fit(lambda: pd.DataFrame(np.c_[X, X], columns=["1", 1])), TableError, r"column name '1' occurs more than once"),
    "a name twice in a file": (fit(lambda: csv("1", "2", header="a,a")), TableError, r"the column name 'a' occurs more than once"),
    "nothing but constants": (fit(lambda: {"a": [1] * N, "b": [None] * N}), TableError, r"no column is left to learn from: 'a' dropped: always 1; 'b' dropped: every cell is missing"),
    "lists in cells": (fit(lambda: with_x([[1, 2]] * N)), TableError, r"column 'a' holds list values; supported are .* Convert it, or leave it out: ignore=\['a'\]"),
    "dictionaries in cells": (fit(lambda: with_x([{"b": 1}] * N)), TableError, r"column 'a' holds dict values"),
    "Polars lists": (fit(lambda: pl.DataFrame(with_x([[1]] * N))), TableError, r"column 'a' holds List\(Int64\) values"),
    "Polars structs": (fit(lambda: pl.DataFrame(with_x([{"b": 1}] * N))), TableError, r"column 'a' holds Struct"),
    "PyArrow lists": (fit(lambda: pa.table(with_x(pa.array([[1]] * N)))), TableError, r"column 'a' holds List\(Int64\) values"),
    "complex numbers": (fit(lambda: with_x(X * 1j)), TableError, r"column 'a' holds complex128 values"),
    "complex numbers as objects": (fit(lambda: with_x(repeat(1j, 2))), TableError, r"column 'a' holds complex values"),
    "bytes that are no text": (fit(lambda: with_x(repeat(b"\xff", b"b"))), TableError, r"column 'a' holds bytes values"),
    "numbers of too wide a span": (fit(lambda: with_x(repeat(1e308, -1e308))), TableError, r"column 'a' spans more than float64 can hold: -1e\+308 to 1e\+308"),
    "a file with NUL": (fit(lambda: csv("1\0", "2")), TableError, r"holds zero bytes"),
    "no rows to learn from": (fit(lambda: with_x([])), TableError, r"different lengths: 'a' 0, 'x' 60"),
    "no rows to predict": (lambda: fitted().predict(pd.DataFrame({"a": [], "x": []})), TableError, r"the table has no rows, only the columns 'a', 'x'"),
    "no rows to predict, an array": (lambda: TabularClassifier("fast", max_iter=1).fit(X[:, None], Y).predict(np.empty((0, 1))), ValueError, r"0 sample"),
    "a missing column to predict": (lambda: fitted().predict({"x": X}), TableError, r"the table has no column 'a'\. .*The columns are: 'x'"),
    "an infinite target": (lambda: TabularRegressor("fast", max_iter=1).fit(with_x(X[::-1]), [np.inf, *X[1:]]), ValueError, r"y contains infinity"),
}  # fmt: skip


@pytest.mark.parametrize(("attempt", "error", "message"), REFUSED.values(), ids=REFUSED)
def test_a_raw_table_that_cannot_be_used_is_named(attempt: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        attempt()


LATER: dict[str, tuple[Any, Any, str]] = {
    "text among numbers": (X, ["red", 1.0, 2.0], r"column 'a' held numbers in training; now a cell of another kind counts as missing, such as 'red' in row 1\."),
    "texts among numbers": (X, ["1", "red", "blue"], r"column 'a' held numbers in training; now 2 cells of another kind count .* such as 'red' in row 2\."),
    "another currency": (numbers(lambda i: f"${i}"), ["$5", "€5", "5"], r"a cell of another kind counts .* '€5' in row 2"),
    "dates for numbers": (X, [moment(1)] * 3, r"held numbers in training; now 3 cells of another kind count .* '2020-01-02T12:00:00\.000000' in row 1"),
    "numbers for dates": ([moment(13 * i) for i in range(N)], [1.0, 2.0, None], r"held dates in training; now 2 cells of another kind count .* 1 in row 1"),
    "words for dates": ([moment(13 * i) for i in range(N)], ["2020-05-01", "soon", None], r"held dates .* 'soon' in row 2"),
    "numbers for booleans": (repeat(True, False), [1, 0, 5], r"held booleans in training; now a cell of another kind counts .* 5 in row 3"),
    "words for booleans": (repeat(True, False), ["yes", "perhaps", "no"], r"held booleans .* 'perhaps' in row 2"),
}  # fmt: skip


@pytest.mark.parametrize(("before", "now", "message"), LATER.values(), ids=LATER)
def test_cells_of_another_kind_count_as_missing_with_a_warning(before: Any, now: Any, message: str) -> None:
    model = TabularClassifier("fast", max_iter=1).fit(with_x(before), Y)
    table = {"a": now, "x": X[:3]}
    with pytest.warns(TableWarning, match=message) as caught:
        found = model.predict_proba(table)
    assert len(caught) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TableWarning)
        alone = [model.predict_proba({"a": [now[i]], "x": X[i : i + 1]})[0] for i in range(3)]
        empty = model.predict_proba({"a": [None] * 3, "x": X[:3]})
    np.testing.assert_allclose(found, alone, rtol=1e-6, err_msg="a row is treated as it is alone")
    assert (np.isclose(found, empty, rtol=1e-6).all(axis=1)).any()


def test_many_columns_of_another_kind_give_one_warning() -> None:
    names = [f"c{i}" for i in range(9)]
    model = TabularClassifier("fast", max_iter=1).fit({name: RNG.normal(size=N) for name in names}, Y)
    with pytest.warns(TableWarning, match=r"'c4' .*4 more columns hold such cells") as caught:
        model.predict({name: ["red"] for name in names})
    assert len(caught) == 1


def test_cells_of_a_file_are_what_they_were_in_training_even_if_all_look_like_numbers() -> None:
    """PyArrow would take 1.234 for a number, and 12:30 for a time of the day."""
    thousands = numbers(lambda i: german(i * 1000.5))
    model = TabularRegressor("fast", max_iter=8).fit({"a": thousands, "b": repeat("12:30", "8 am", "1.50"), "x": X}, X)
    now = {"a": ["1.234", "12.340", None], "b": ["12:30", "12:30", "12:30"], "x": [0.5, 0.5, 0.5]}
    Path("now.csv").write_text("a,b,x\n1.234,12:30,0.5\n12.340,12:30,0.5\nNA,12:30,0.5\n")
    found = model.predict("now.csv")
    assert np.array_equal(found, model.predict(now))
    assert len(set(found)) == 3


def test_texts_known_from_training_are_missing_without_a_warning() -> None:
    model = TabularClassifier("fast", max_iter=1).fit(with_x(numbers(float, "unknown")), Y)
    two = model.predict_proba({"a": ["unknown", None], "x": [0.5, 0.5]})
    assert np.array_equal(two[0], two[1])


def test_more_columns_than_rows_a_thousand_levels_and_a_class_of_one_row() -> None:
    wide = {f"c{i}": RNG.normal(size=30) for i in range(300)}
    model = TabularClassifier("fast", max_iter=1).fit(wide, ["a"] * 15 + ["b"] * 14 + ["c"])
    assert model.predict_proba({name: cells[:1] for name, cells in wide.items()}).shape == (1, 3)
    assert "and 250 more" in str(model.report())
    levels = {"level": [f"l{i % 1000}" for i in range(2000)], "x": RNG.normal(size=2000)}
    model = TabularRegressor("fast", max_iter=1).fit(levels, RNG.normal(size=2000))
    assert "1,000 levels, embedded" in str(model.report())
    assert model.predict({"level": ["l3"], "x": [0.0]}).shape == (1,)


def test_a_column_that_tells_the_target_is_named_in_a_warning_and_in_the_report() -> None:
    x = RNG.normal(size=400)
    y = np.where(x + RNG.normal(size=400) > 0, "paid", "open")
    table = {"x": x, "state": np.where(y == "paid", "closed", "waiting")}
    with pytest.warns(
        TableWarning, match=r"column 'state': by itself it predicts the class of 100\.0% of rows\. Is it known"
    ) as caught:
        model = TabularClassifier("fast", max_iter=1).fit(table, y)
    assert caught[0].filename == __file__
    assert "to check\n  column 'state': by itself" in str(model.report())
    with pytest.warns(TableWarning, match=r"column 'dollars': by itself it predicts the target almost exactly"):
        TabularRegressor("fast", max_iter=1).fit({"x": x, "dollars": np.exp(x)}, x + 5)
