"""Tables from delimited text: CSV, with whatever separates its cells.

Takes UTF-8. Returns a PyArrow table. A column is of numbers only if no cell has a mark that a number would lose, such
as a leading zero, and no integer exceeds what float64 tells apart; the others are texts as they stand in the file.
Never returns fewer rows than the text has: a quote that is not closed is an error.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.tables.readers.contents import first_line, import_pyarrow, line_number
from rosenblatt.tables.readers.frames import MAX_EXACT, MISSING_TEXTS
from rosenblatt.tables.readers.limits import UNLIMITED, Limits
from rosenblatt.tables.table import TableError

__all__ = ["INTEGER", "LEADING_ZERO", "LONG", "QUOTED", "Delimited", "cell_end", "check_quotes", "has_leading_zero"]
__all__ += ["parse", "quotes_in_turns", "read_delimited", "read_header", "require_separator"]

SEPARATORS = ",;\t|"
SEPARATOR_LINE = re.compile(rb'"?sep=(.)"?[ \t,;|]*(?:\r\n|\r|\n)', re.IGNORECASE)
"""What Excel writes before the header."""
LINE_END = re.compile(rb"\r\n|\r|\n|\Z")
QUOTED = re.compile(rb'"[^"]*+(?:""[^"]*+)*+" *')
LEADING_ZERO, INTEGER, LONG = r"^\s*[+-]?0[0-9xX]", r"^\s*[+-]?[0-9]+\s*$", r"[0-9]{16}"
TRUE, FALSE = ["true", "True", "TRUE"], ["false", "False", "FALSE"]
SCANNED = 1 << 18
"""Bytes that are scanned at a time, so that they stay in the cache."""
BLOCKS = (1 << 20, 1 << 25, (1 << 31) - 1)
"""Bytes that PyArrow parses at a time: no row may be longer, so that larger blocks are tried where the first fails."""


@dataclass(frozen=True)
class Delimited:
    """Text whose header was read: `data[body:]` are the rows; of a longer text, `above` lines precede `data`."""

    data: bytes
    separator: str
    names: tuple[str, ...]
    body: int
    above: int = 0

    def line(self, place: int) -> int:
        """The line of the text in which a byte of `data` is, from 1."""
        return self.above + line_number(self.data, place)

    @property
    def stops(self) -> bytes:
        """The characters that end a cell."""
        return self.separator.encode() + b"\r\n"


def read_delimited(
    data: bytes, separator: str | None = None, text: Collection[str] = (), limits: Limits = UNLIMITED
) -> Any:
    """The table; columns `text` are texts, the types of the others follow from all their cells."""
    import_pyarrow()
    import pyarrow as pa

    require_separator(separator)
    source = read_header(data, separator, limits)
    limits.require_table(max(data.count(b"\n", source.body), data.count(b"\r", source.body)), len(source.names))
    check_quotes(source)
    if not data[source.body :].strip(b"\r\n"):
        return pa.Table.from_arrays([pa.nulls(0)] * len(source.names), names=source.names)
    table = parse(source, {place: pa.string() for place, name in enumerate(source.names) if name in text})
    doubtful = doubtful_columns(source, table)
    if doubtful:
        written = parse(source, dict.fromkeys(doubtful, pa.string()), only=doubtful)
        for place, cells in zip(doubtful, written.columns, strict=True):
            if must_stay_text(table.field(place).type, cells):
                table = table.set_column(place, str(place), cells)
    return table.rename_columns(source.names)


def require_separator(separator: str | None) -> None:
    """Refuse a separator that cannot be one."""
    if separator is not None and (len(separator) != 1 or not separator.isascii() or separator in '"\r\n'):
        raise TableError(f"separator is {separator!r}; it must be one ASCII character, neither quote nor line end.")


def read_header(data: bytes, separator: str | None, limits: Limits) -> Delimited:
    """Skip what precedes the header, find the separator, read the names."""
    start = len(data) - len(data.lstrip(b"\r\n"))
    said = SEPARATOR_LINE.match(data, start)
    if said and chr(said[1][0]).isascii():
        start, separator = said.end(), separator or chr(said[1][0])
    start = skip_comments(data, start, separator)
    if start == len(data):
        raise TableError("the file has no header, only blank lines or comments.")
    separator = separator or sniff(line_at(data, start))
    source, cells = Delimited(data, separator, (), start), []
    place = start - 1
    while place < start or (place < len(data) and data[place : place + 1] == separator.encode()):
        end = cell_end(source, place + 1)
        cells.append(data[place + 1 : end])
        limits.require_table(0, len(cells))
        place = end
    end_of_line = LINE_END.match(data, place)
    body = end_of_line.end() if end_of_line else place
    names = [unquote(cell) or f"column {number}" for number, cell in enumerate(cells, start=1)]
    return Delimited(data, separator, tuple(names), body)


def skip_comments(data: bytes, start: int, separator: str | None) -> int:
    """Where the header begins: after lines that begin with "#", unless one has as many cells as the line after them."""
    lines, place = [], start
    while data.startswith((b"#", b"\r", b"\n"), place):
        lines.append(place)
        found = LINE_END.search(data, place)
        place = found.end() if found else len(data)
    after = line_at(data, place)
    sep = (separator or sniff(after)).encode()
    for line in reversed(lines):
        text = line_at(data, line)
        if text.startswith(b"#") and text.count(sep) == after.count(sep) and (sep in after or text[1:2] not in b" #"):
            return line
    return place


def line_at(data: bytes, start: int) -> bytes:
    """The line that starts there, without its end."""
    found = LINE_END.search(data, start)
    return data[start : found.start() if found else len(data)]


def sniff(header: bytes) -> str:
    """The separator that the header holds most often outside quotes; a comma, if there is none."""
    unquoted = b"".join(header.split(b'"')[::2]).decode(errors="replace")
    return max(SEPARATORS, key=unquoted.count)


def unquote(cell: bytes) -> str:
    """The name that a cell of the header gives."""
    return (cell[1:-1].replace(b'""', b'"') if cell.startswith(b'"') else cell).decode()


def cell_end(source: Delimited, start: int) -> int:
    """Where the cell ends that starts there; an error if its quotes are wrong."""
    data = source.data
    if not data.startswith(b'"', start):
        found = re.compile(b"[" + re.escape(source.stops) + b"]").search(data, start)
        return found.start() if found else len(data)
    quoted = QUOTED.match(data, start)
    if quoted and (quoted.end() == len(data) or data[quoted.end()] in source.stops):
        return quoted.end()
    opens = f"the quote that opens a cell in line {source.line(start)} ({shown(data, start)})"
    advice = "Close the quote. One within a quoted cell must be doubled."
    if quoted is None:
        raise TableError(f"{opens} is never closed. {advice}")
    place = quoted.end()
    raise TableError(
        f"{opens} closes in line {source.line(place)} before {shown(data, place)} instead of at a cell's end. {advice}"
    )


def shown(data: bytes, start: int) -> str:
    """The text there, up to the end of its line or 40 bytes."""
    line = line_at(data[: start + 200], start)
    text = line[:40].decode(errors="ignore")
    return text + "..." * (len(line) > 40)


def check_quotes(source: Delimited) -> None:
    """Refuse quotes that swallow what follows.

    Nearly always quotes alternate: one at the start of a cell opens it, one at its end closes it, and a doubled one
    does both. Where they do not, the cells that hold quotes are read one by one.
    """
    n_quotes = quotes_in_turns(source)
    if n_quotes is None or n_quotes % 2:
        check_cells(source)


def quotes_in_turns(source: Delimited) -> int | None:
    """The number of quotes, if they open and close cells in turns; else None."""
    text = np.frombuffer(source.data, np.uint8)
    beside = lookup(source.stops + b'"')
    n_quotes = 0
    for start in range(0, len(text), SCANNED):
        places = np.flatnonzero(text[start : start + SCANNED] == ord('"')) + start
        opening, closing = places[n_quotes % 2 :: 2], places[1 - n_quotes % 2 :: 2]
        n_quotes += len(places)
        opening = opening[int(len(opening) and opening[0] == 0) :]  # the ends of the text are ends of cells
        closing = closing[: len(closing) - int(len(closing) and closing[-1] == len(text) - 1)]
        if not (beside[text[opening - 1]].all() and beside[text[closing + 1]].all()):
            return None
    return n_quotes


def check_cells(source: Delimited) -> None:
    """Refuse the first cell whose quotes are wrong; in a cell that does not begin with one, they are characters."""
    data, place = source.data, source.data.find(b'"')
    while place >= 0:
        starts_cell = place == 0 or data[place - 1] in source.stops
        end = cell_end(source, place) if starts_cell else place + 1
        place = data.find(b'"', end)


def lookup(characters: bytes) -> NDArray[np.bool_]:
    """True for these of the 256 bytes."""
    found = np.zeros(256, dtype=np.bool_)
    found[list(characters)] = True
    return found


def doubtful_columns(source: Delimited, table: Any) -> list[int]:
    """Places of columns of numbers and times that may not be what their cells say."""
    import pyarrow as pa

    has_zeros, places = has_leading_zero(source), []
    for place, column in enumerate(table.columns):
        is_number = pa.types.is_integer(column.type) or pa.types.is_floating(column.type)
        if pa.types.is_time(column.type) or (is_number and has_zeros) or exceeds_float64(column):
            places.append(place)
    return places


def exceeds_float64(column: Any) -> bool:
    """Whether float64 was chosen for numbers so large that integers among them lost digits."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_floating(column.type):
        return False
    extremes = pc.min_max(column).as_py()
    return max(-(extremes["min"] or 0.0), extremes["max"] or 0.0) > MAX_EXACT


def has_leading_zero(source: Delimited) -> bool:
    """Whether something like a cell begins with a zero and another digit, or with 0x."""
    text = np.frombuffer(source.data, np.uint8)
    starts, signs = lookup(source.stops + b'" \t'), lookup(b"+-")
    zero, point, letter = ord("0"), ord("."), ord("x")
    for start in range(2, len(text) - 1, SCANNED):
        end = min(start + SCANNED, len(text) - 1)
        before, here, after = text[start - 1 : end - 1], text[start:end], text[start + 1 : end + 1]
        # bytes below "0" wrap around to large ones
        found = (
            (here == zero) & (before - zero > 9) & (before != point) & ((after - zero <= 9) | ((after | 32) == letter))
        )
        places = np.flatnonzero(found) + start
        before = np.where(signs[text[places - 1]], text[places - 2], text[places - 1])
        if starts[before].any():
            return True
    return False


def must_stay_text(kind: Any, written: Any) -> bool:
    """Whether numbers would lose what the cells say: leading zeros, digits beyond float64, how a time is written."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_time(kind) or pc.any(pc.match_substring_regex(written, LEADING_ZERO)).as_py():
        return True
    is_rounded = pa.types.is_floating(kind) and pc.any(pc.match_substring_regex(written, LONG)).as_py()
    return bool(is_rounded and pc.all(pc.match_substring_regex(written, INTEGER)).as_py())


def parse(source: Delimited, types: Mapping[int, Any], only: Sequence[int] = ()) -> Any:
    """The rows as PyArrow reads them, of the columns `only` or all, which are named by their places.

    Columns at the places in `types` are of these types; those of the others follow from their cells.
    """
    import pyarrow as pa
    from pyarrow import csv

    body = pa.py_buffer(source.data)[source.body :]
    parse_options = csv.ParseOptions(delimiter=source.separator, newlines_in_values=True)
    convert = csv.ConvertOptions(
        check_utf8=False,
        null_values=sorted(MISSING_TEXTS),
        true_values=TRUE,
        false_values=FALSE,
        strings_can_be_null=True,
        quoted_strings_can_be_null=True,
        column_types={str(place): kind for place, kind in types.items()},
        include_columns=[str(place) for place in only],
    )
    names = [str(place) for place in range(len(source.names))]
    problem = ""
    for size in BLOCKS:
        read = csv.ReadOptions(column_names=names, block_size=block_size(source, size))
        try:
            return csv.read_csv(pa.BufferReader(body), read, parse_options, convert)
        except pa.ArrowInvalid as error:
            problem = ragged_row(source, body, read, parse_options, convert) or first_line(error)
        if size > body.size or " cells where " in problem:
            break
    raise TableError(problem)


def block_size(source: Delimited, least: int) -> int:
    """A size of which no block ends with CR: PyArrow takes an LF after it for the same line end, even within quotes."""
    data, size = source.data, least
    while any(data[place - 1] == ord("\r") for place in range(source.body + size, len(data), size)):
        size += size // 8 + 1
    return min(size, len(data) - source.body + 1, BLOCKS[-1])


def ragged_row(source: Delimited, body: Any, read: Any, parse_options: Any, convert: Any) -> str:
    """A sentence about the first row with too many or too few cells, or nothing."""
    import pyarrow as pa
    from pyarrow import csv

    found: list[Any] = []

    def note(row: Any) -> str:
        found.append(row)
        return "error"

    read.use_threads = False
    parse_options.invalid_row_handler = note
    with suppress(pa.ArrowInvalid):
        csv.read_csv(pa.BufferReader(body), read, parse_options, convert)
    parse_options.invalid_row_handler = None
    if not found:
        return ""
    row = found[0]
    text = row.text if len(row.text) <= 80 else f"{row.text[:77]}..."
    n, ends = row.actual_columns, row.actual_columns == row.expected_columns + 1 and row.text.endswith(source.separator)
    advice = "If all lines end with a separator, the header must, too. " if ends else ""
    return (
        f"line {line_of_row(source, row)} has {n} cell{'s' * (n != 1)} where the header has {row.expected_columns}: "
        f"{text}. {advice}Correct the line; a cell that holds the separator must be in quotes."
    )


def line_of_row(source: Delimited, row: Any) -> int:
    """The line on which a row begins: PyArrow counts rows, and so neither blank lines nor line breaks within cells."""
    above = source.line(source.body)
    wanted = re.split("\r\n|\r|\n", row.text, maxsplit=1)[0]
    lines = re.split(rb"\r\n|\r|\n", source.data[source.body :])
    first = max(row.number - 1, 0)
    later = (number for number in range(first, len(lines)) if lines[number].decode() == wanted)
    return above + int(next(later, first))
