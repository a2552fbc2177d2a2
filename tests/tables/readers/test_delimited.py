"""CSV: every row and every character of the file arrive, or an error says which line is wrong."""

import csv
import io
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rosenblatt.tables import TableError
from rosenblatt.tables.readers import delimited
from rosenblatt.tables.readers.delimited import read_delimited
from rosenblatt.tables.readers.frames import MISSING_TEXTS

CELL = st.text(st.sampled_from('ab07,;|\t"\n\r .#-Ö'), max_size=6) | st.sampled_from(
    ["007", "1.10", "2020-01-01", "NA"]
)
ROWS = st.integers(1, 4).flatmap(lambda width: st.lists(st.lists(CELL, min_size=width, max_size=width), min_size=1))
QUOTING = st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])
SMALL_BLOCKS = (64, 1 << 20)


def written(rows: Any, separator: str, quoting: int, end: str) -> bytes:
    """The rows under a header, as Python's csv module writes them."""
    out = io.StringIO(newline="")
    names = [f'name {place} "{separator}"' for place in range(len(rows[0]))]
    csv.writer(out, delimiter=separator, quoting=quoting, lineterminator=end).writerows([names, *rows])
    return out.getvalue().encode()


def cells_of(data: bytes, separator: str, **options: Any) -> list[list[str]]:
    """The rows as Python's csv module reads them."""
    source = io.StringIO(data.decode(), newline="")
    return [row for row in csv.reader(source, delimiter=separator, **options) if row]


def shown(cell: str | None) -> str | None:
    """A cell, or None if its text means that it is missing."""
    return None if cell is None or cell in MISSING_TEXTS else cell


@given(ROWS, st.sampled_from(",;\t|"), QUOTING, st.sampled_from(["\n", "\r\n"]), st.sampled_from([SMALL_BLOCKS, None]))
@settings(deadline=None)
def test_what_the_csv_module_writes_is_read_as_it_reads_it(rows, separator, quoting, end, blocks):
    rows = [[cell.replace("\r", "\r\n") for cell in row] for row in rows]  # a lone CR is not quoted by all versions
    data = written(rows, separator, quoting, end)
    names, *expected = cells_of(data, separator)
    with pytest.MonkeyPatch.context() as patch:
        if blocks:
            patch.setattr(delimited, "BLOCKS", blocks)
        table = read_delimited(data, separator, text=names)
    assert table.column_names == names
    assert list(map(list, zip(*table.to_pydict().values(), strict=True))) == [list(map(shown, row)) for row in expected]
    assert table.num_rows == len(rows)


@given(ROWS, st.sampled_from(",;"), QUOTING, st.data())
@settings(deadline=None)
@example([["1", "x"], ["2", "y"], ["3", "z"]], ",", csv.QUOTE_MINIMAL, None)
def test_a_stray_quote_never_costs_rows(rows, separator, quoting, data):
    good = written(rows, separator, quoting, "\n")
    place = data.draw(st.integers(0, len(good))) if data else good.index(b"x")
    bad = good[:place] + b'"' + good[place:]
    try:
        table = read_delimited(bad, separator)
    except TableError:
        return
    try:
        expected = cells_of(bad, separator, strict=True)
    except csv.Error:
        expected = cells_of(bad.replace(b'" ', b'"'), separator)  # blanks after a closing quote are allowed here
    assert table.num_rows == len(expected) - 1


NUMBER = st.sampled_from(["0", "7", "-3", "12", "0.5", "-1e3", "1.10", "9007199254740993", "12345678901234567890", ""])


@given(st.lists(NUMBER | st.sampled_from(["007", "-05", "0x1F", "00"]), min_size=1), st.booleans())
@settings(deadline=None)
def test_a_column_is_of_numbers_only_if_no_cell_loses_by_it(cells, quoted):
    mark = '"' if quoted else ""
    data = "n,other\n" + "".join(f"{mark}{cell}{mark},1\n" for cell in cells)
    column = read_delimited(data.encode()).column("n").to_pylist()
    present = [cell for cell in cells if cell]
    has_marks = any(cell.lstrip("-")[:1] == "0" and cell.lstrip("-")[1:2] not in ("", ".") for cell in present)
    are_integers = all(cell.lstrip("-").isdigit() for cell in present)
    if has_marks or (are_integers and any(abs(int(cell)) >= 2**63 for cell in present)):
        assert column == [cell or None for cell in cells]
    elif are_integers:
        assert column == [int(cell) if cell else None for cell in cells]
    else:
        expected = [float(cell) if cell else math.nan for cell in cells]
        np.testing.assert_array_equal([math.nan if cell is None else cell for cell in column], expected)


LEGAL = {
    "lone carriage returns": (b"a,b\r1,x\r2,y", [("1", "x"), ("2", "y")]),
    "no newline at the end": (b"a,b\n1,x\n2,y", [("1", "x"), ("2", "y")]),
    "blank lines": (b"\n\na,b\n\n1,x\n\n\n2,y\n\n", [("1", "x"), ("2", "y")]),
    "a quote within a cell": (b'a,b\n1,5" pipe\n2,"x"\n', [("1", '5" pipe'), ("2", "x")]),
    "doubled quotes": (b'a,b\n1,"say ""hi"""\n2,""""\n', [("1", 'say "hi"'), ("2", '"')]),
    "line breaks in cells": (b'a,b\n1,"x\ny"\n2,"u\r\nv,w"\n', [("1", "x\ny"), ("2", "u\r\nv,w")]),
    "a blank after a quote": (b'a,b\n"1" ,"x" \n', [("1 ", "x ")]),
    "a separator at the end of all lines": (b"a,b,\n1,x,\n", [("1", "x", None)]),
    "what Excel says of the separator": (b"sep=;\r\na;b,c\r\n1;x\r\n", [("1", "x")]),
    "comments": (b"# made by a program, in May, of x\n#\na,b\n1,x\n", [("1", "x")]),
    "a header with a number sign": (b"## made\n#a,b\n1,x\n", [("1", "x")]),
    "tabs": (b"a\tb\n1\tx, y\n", [("1", "x, y")]),
    "rows of empty cells": (b"a,b\n1,x\n,\n", [("1", "x"), (None, None)]),
    "an empty cell in a single column": (b'a\n1\n""\n3\n', [("1",), (None,), ("3",)]),
}


@pytest.mark.parametrize(("data", "rows"), LEGAL.values(), ids=LEGAL)
def test_unusual_files_are_read(data, rows):
    table = read_delimited(data, text=["a", "b", "b,c", "#a"])
    assert list(zip(*table.to_pydict().values(), strict=True)) == rows


WRONG = {
    "an unclosed quote": (b'a,b\n1,x\n2,"y\n3,z\n4,u\n', r'quote that opens a cell in line 3 \("y\) is never closed'),
    "one that another quote closes": (b'a,b\n1,"x\n2,"y,z"\n', r"in line 2 .* closes in line 3 before y,z\""),
    "an unclosed quote in the header": (b'a,"b\n1,2\n', r'in line 1 \("b\) is never closed'),
    "an unclosed quote at the very end": (b'a,b\n1,"', r"in line 2 .* never closed"),
    "after comments and blank lines": (b'# x\n\na,b\n1,"x\n', r"opens a cell in line 4"),
    "too few cells after a broken cell": (b'a,b\n1,"x\ny"\n\n2\n', r"line 5 has 1 cell where the header has 2: 2\."),
    "too many cells after comments": (b"# x\na,b\r\n1,2\r\n1,2,3\r\n", r"line 4 has 3 cells where the header has 2"),
    "a separator at the end of rows only": (b"a,b\n1,2,\n", r"If all lines end with a separator, the header must, too"),
    "comments only": (b"# x\n# y\n", "no header"),
}


@pytest.mark.parametrize(("data", "message"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_named_with_its_line(data, message):
    with pytest.raises(TableError, match=message):
        read_delimited(data)


def test_an_unclosed_quote_is_found_in_a_file_of_many_pieces(monkeypatch):
    monkeypatch.setattr(delimited, "SCANNED", 7)
    rows = [f'{i},"text ""{i}"", and more"' for i in range(50)]
    assert read_delimited("\n".join(["a,b", *rows]).encode()).num_rows == 50
    rows[20] = '20,"text'
    with pytest.raises(TableError, match="opens a cell in line 22"):
        read_delimited("\n".join(["a,b", *rows]).encode())


@pytest.mark.long
def test_headers_and_cells_longer_than_a_block():
    names = [f"column number {i:05}" for i in range(60_000)]
    table = read_delimited("\n".join([",".join(names), ",".join("1" * 60_000), ""]).encode())
    assert table.column_names == names
    long = "x" * 5_000_000
    for cell in (long, f'"{long}\n{long}"'):
        table = read_delimited(f"a,b\n1,2\n3,{cell}\n4,5\n".encode())
        assert table.num_rows == 3
        assert table["b"][1].as_py() == cell.strip('"')


def test_columns_without_a_name_are_called_by_their_place():
    assert read_delimited(b",a,,\n1,2,3,4\n").column_names == ["column 1", "a", "column 3", "column 4"]


def test_true_is_no_number_and_times_stay_as_they_are_written():
    table = read_delimited(b"a,b,c\ntrue,12:30,True\n1,7:00,FALSE\n")
    assert table.to_pydict() == {"a": ["true", "1"], "b": ["12:30", "7:00"], "c": [True, False]}


@pytest.mark.parametrize("separator", ["", "::", '"', "\n", "ö"])
def test_a_separator_is_one_character(separator):
    with pytest.raises(TableError, match="must be one ASCII character"):
        read_delimited(b"a,b\n1,2\n", separator)
