"""A level is its text: which cells are the same level, within a column and between training and prediction."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from rosenblatt.tables.kinds import infer_kinds
from rosenblatt.tables.levels import alike, place_levels
from rosenblatt.tables.preparation import fit_preparation
from rosenblatt.tables.readers.reading import read_table

BIG = 2**53 + 1


def column(cells: Any) -> Any:
    return read_table({"c": cells})["c"]


def fitted(cells: Any) -> Any:
    """The encoder of a categorical column."""
    table = read_table({"c": cells})
    return fit_preparation(table, infer_kinds(table, {"c": "categorical"})).encoders[0]


DISTINCT: dict[str, list[Any]] = {
    "versions": ["1.1", "1.10", "1.100"],
    "zeros in front": ["01", "1", "001"],
    "exponents": ["12E4", "120E3", "120000"],
    "signs": ["+1", "1", "1.0", "1."],
    "blanks": ["a", "a ", " a"],
    "case": ["Yes", "yes", "YES"],
    "booleans as text": ["True", "true", "TRUE"],
    "Unicode": ["é", "e\u0301", "\ufb01", "fi"],
    "full width digits": ["１", "1", "①"],
    "int64": [BIG, BIG + 1, BIG + 2],
    "negative": [-BIG, -BIG - 1],
    "beyond 64 bits": [2**64, 2**64 + 1, 2**70],
    "beyond 4300 digits": [10**5000, 10**5000 + 1],
    "small and large": [1, BIG, BIG + 1],
    "numbers and large integers": [0.5, BIG, BIG + 1],
    "decimals": [Decimal(BIG), Decimal(BIG + 1)],
    "decimals with fractions": [Decimal("1.00000000000000000001"), Decimal("1.00000000000000000002")],
    "twenty digits": ["12345678901234567890", "12345678901234567891"],
    "close floats": [0.1 + 0.2, 0.3],
    "close dates": [dt.datetime(2020, 1, 1), dt.datetime(2020, 1, 1, 0, 0, 0, 1)],
}


@pytest.mark.parametrize("cells", DISTINCT.values(), ids=DISTINCT)
def test_different_cells_are_different_levels(cells: list[Any]) -> None:
    encoder = fitted(cells * 5)
    codes = encoder.codes(column(cells), [])
    assert sorted(codes) == list(range(1, len(cells) + 1))
    assert encoder.codes(column(cells[::-1]), []).tolist() == codes[::-1].tolist()


HOLDERS = {
    "int64": lambda cells: {"c": np.array(cells, dtype=np.int64)},
    "uint64": lambda cells: {"c": np.array(cells, dtype=np.uint64)},
    "nullable": lambda cells: pd.DataFrame({"c": pd.array(cells, dtype="Int64")}),
    "category": lambda cells: pd.DataFrame({"c": pd.Categorical(cells)}),
    "pandas text": lambda cells: pd.DataFrame({"c": list(map(str, cells))}),
    "polars": lambda cells: pl.DataFrame({"c": cells}),
    "decimal128": lambda cells: pa.table({"c": pa.array([Decimal(cell) for cell in cells])}),
    "objects": lambda cells: {"c": cells},
}


@pytest.mark.parametrize("holder", HOLDERS.values(), ids=HOLDERS)
@pytest.mark.parametrize("other", HOLDERS.values(), ids=HOLDERS)
def test_large_integers_are_the_same_levels_whatever_holds_them(holder: Any, other: Any) -> None:
    cells = [BIG, BIG + 1, 5] * 4
    table = read_table(holder(cells))
    encoder = fit_preparation(table, infer_kinds(table, {"c": "categorical"})).encoders[0]
    assert encoder.levels == ("5", str(BIG), str(BIG + 1))
    assert encoder.codes(read_table(other(cells))["c"], []).tolist() == [2, 3, 1] * 4
    assert encoder.codes(read_table(other([5, 5]))["c"], []).tolist() == [1, 1]


MEETINGS: dict[str, tuple[list[Any], list[Any], list[str | None]]] = {
    "integers, then texts": ([1, 2, 3], ["1", "2", "3.0", "x"], ["1", "2", "3", None]),
    "integers, then floats": ([1, 2, 3], [1.0, None, 3.0], ["1", None, "3"]),
    "floats, then texts": ([1.0, 2.5], ["1", "1.0", "2.50"], ["1", "1", "2.5"]),
    "texts, then integers": (["1", "2", "3"], [1, 2, 4], ["1", "2", None]),
    "texts, then floats": (["1", "2"], [1.0, None, 2.0], ["1", None, "2"]),
    "texts of floats, then integers": (["1.0", "2.0"], [1, 2], ["1.0", "2.0"]),
    "codes, then integers without zeros": (["01067", "10115"], [1067, 10115], ["01067", "10115"]),
    "codes of which one is plain, then integers": (["01", "001", "1"], [1], ["1"]),
    "codes that only zeros tell apart, then integers": (["01", "001"], [1], [None]),
    "texts, then texts": (["1", "2"], ["1.0", "01", "1"], [None, None, "1"]),
    "texts, then blanks around them": (["a", "b"], [" a", "b "], ["a", "b"]),
    "texts with blanks, then others": (["a", "a "], ["a", "a ", " a"], ["a", "a ", None]),
    "words, then booleans": (["True", "False"], [True, False], ["True", "False"]),
    "yes and no, then booleans": (["no", "yes"], [True, False], ["yes", "no"]),
    "numbers, then booleans": ([0, 1], [True, False], ["1", "0"]),
    "dates, then texts": ([dt.date(2020, 1, 2), dt.date(2021, 1, 2)], ["2020-1-2", "x"], ["2020-01-02", None]),
    "texts, then dates": (["2020-01-02", "2 Jan 2021"], [dt.date(2021, 1, 2)], ["2 Jan 2021"]),
}


@pytest.mark.parametrize(("before", "now", "levels"), MEETINGS.values(), ids=MEETINGS)
def test_a_text_meets_a_number_by_its_value(before: list[Any], now: list[Any], levels: list[str | None]) -> None:
    encoder = fitted(before * 5)
    codes = encoder.codes(column(now), [])
    assert [encoder.levels[code - 1] if code else None for code in codes] == levels


def test_missing_and_unknown_cells_are_no_level() -> None:
    assert place_levels(["a", "b"], "text", column(["b", None, "c", "NA"])).tolist() == [1, -1, -1, -1]


def test_levels_that_may_be_one_are_found() -> None:
    assert alike(["a", "b", "A"]) == ("a", "A")
    assert alike(["new  york", "New York"]) == ("new  york", "New York")
    assert alike(["\ufb01", "fi"]) == ("\ufb01", "fi")
    assert alike(["a", "b", "1", "01"]) is None


def test_levels_that_may_be_one_are_said() -> None:
    table = read_table({"c": ["Yes", "yes", "no"] * 20, "x": np.arange(60) % 7 * 0.5})
    check = infer_kinds(table)[0].check
    assert check.startswith("column 'c' holds levels that differ only in case or blanks, such as 'Yes' and 'yes'")
    assert infer_kinds(table, {"c": "categorical"})[0].check == ""


def test_large_integers_that_are_read_as_numbers_are_noted() -> None:
    table = read_table({"c": [BIG + 7 * i for i in range(200)], "x": np.arange(200) % 7 * 0.5})
    kind = infer_kinds(table)[0]
    assert (kind.kind, "beyond 2^53" in kind.check) == ("numeric", True)
    assert infer_kinds(table, {"c": "categorical"})[0].detail.startswith("200 levels")


@pytest.mark.parametrize("n", [3, 40, 300])
def test_integers_with_zeros_in_front_are_never_numbers(n: int) -> None:
    cells = [f"{i:05d}" for i in range(n)] * 5
    kind = infer_kinds(read_table({"c": cells, "x": np.arange(5 * n) % 7 * 0.5}))[0]
    assert kind.kind == "categorical"
    assert (
        "zeros in front, such as '00000', taken for codes: if they are quantities, say kinds={'c': 'numeric'}"
        in kind.check
    )
    wanted = infer_kinds(read_table({"c": cells}), {"c": "numeric"})[0]
    assert (wanted.kind, wanted.check) == ("numeric", "")


def test_a_constant_date_is_shown_as_one() -> None:
    table = read_table({"d": [dt.date(2020, 4, 5)] * 9, "b": [True] * 9, "x": np.arange(9) * 0.5})
    assert [kind.detail for kind in infer_kinds(table)[:2]] == ["dropped: always 2020-04-05", "dropped: always true"]
