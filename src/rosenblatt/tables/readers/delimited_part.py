"""A file of delimited text that is read in chunks, with the types that its columns have as a whole.

Takes a path. Returns PyArrow tables. One pass when it is opened finds types, errors and the number of rows; later ones
read with these types. Never decides by a part of the cells what a column holds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from rosenblatt.tables.readers.contents import import_pyarrow
from rosenblatt.tables.readers.delimited import (
    INTEGER,
    LEADING_ZERO,
    LONG,
    Delimited,
    check_quotes,
    has_leading_zero,
    parse,
    require_separator,
)
from rosenblatt.tables.readers.delimited_chunks import row_chunks, text_pieces
from rosenblatt.tables.readers.forms import EMPTY, Form
from rosenblatt.tables.readers.limits import UNLIMITED, Limits
from rosenblatt.tables.readers.parts import Part, named
from rosenblatt.tables.table import MAX_EXACT, Storage

__all__ = ["DelimitedPart"]


class DelimitedPart(Part):
    """A CSV file, perhaps compressed; `text` are columns that are texts whatever their cells look like."""

    reads_text = True
    path: Path

    def __init__(
        self,
        path: Path,
        encoding: str = "utf-8",
        separator: str | None = None,
        text: Collection[str] = (),
        limits: Limits = UNLIMITED,
    ) -> None:
        import_pyarrow()
        import pyarrow as pa

        require_separator(separator)
        self.name, self.path = str(path), path
        self.encoding, self.separator, self.limits = encoding, separator, limits
        self.n_rows = 0
        names: tuple[str, ...] = ()
        notes: list[Notes] = []
        with named(self.name, "CSV"):
            for source in self.chunks():
                if not names:
                    names = source.names
                    notes = [Notes(pa.null(), name in text) for name in names]
                self.n_rows += note_chunk(source, notes)
                limits.require_table(self.n_rows, len(names))
        self.schema = pa.schema([(name, note.type) for name, note in zip(names, notes, strict=True)])
        self.forms = {name: note.form for name, note in zip(names, notes, strict=True)}

    def elsewhere(self) -> Self:
        return self.at_full_path()

    def chunks(self) -> Iterator[Delimited]:
        """The text, some megabytes of whole rows at a time."""
        return row_chunks(text_pieces(self.path, self.encoding, self.limits), self.separator, self.limits)

    def frames(self, names: Collection[str], types: Mapping[str, Any]) -> Iterator[Any]:
        with named(self.name, "CSV"):
            for source in self.chunks():
                places = [place for place, name in enumerate(source.names) if name in names]
                if not source.data[source.body :].strip(b"\r\n"):
                    continue
                found = {p: types.get(source.names[p], self.schema.field(p).type) for p in places}
                yield parse(source, found, only=places).rename_columns([source.names[p] for p in places])


@dataclass
class Notes:
    """What the cells of a column were so far; `kind` is the type that PyArrow infers, unless they are to be texts."""

    kind: Any
    is_text: bool = False
    has_zeros: bool = False
    has_long: bool = False
    are_integers: bool = True
    are_exact: bool = True
    beyond_ns: bool = False

    @property
    def must_be_text(self) -> bool:
        """Whether that is known already."""
        import pyarrow as pa

        return self.is_text or self.has_zeros or bool(pa.types.is_string(self.kind))

    @property
    def type(self) -> Any:
        """The type as which the column is read: text where another would lose what the cells say."""
        import pyarrow as pa

        is_rounded = pa.types.is_floating(self.kind) and self.has_long and self.are_integers
        is_beyond = pa.types.is_timestamp(self.kind) and self.kind.unit == "ns" and self.beyond_ns
        return pa.string() if self.has_zeros or is_rounded or is_beyond else self.kind

    @property
    def form(self) -> Form:
        """How a table stores the column."""
        import pyarrow as pa

        if pa.types.is_integer(self.type):
            return Form("integer") if self.are_exact else Form("text", "exact")
        if pa.types.is_null(self.type):
            return EMPTY
        plain: dict[Any, Storage] = {pa.float64(): "number", pa.bool_(): "boolean", pa.string(): "text"}
        return Form(plain.get(self.type, "date"))


def note_chunk(source: Delimited, notes: Sequence[Notes]) -> int:
    """Note what the cells of a chunk are; returns the number of its rows."""
    import pyarrow as pa

    check_quotes(source)
    if not source.data[source.body :].strip(b"\r\n"):
        return 0
    texts = {place: pa.string() for place, note in enumerate(notes) if note.must_be_text}
    table = parse(source, texts)
    has_zeros = has_leading_zero(replace(source, data=b"\n\n" + source.data))
    doubtful = []
    for place, (note, column) in enumerate(zip(notes, table.columns, strict=True)):
        if place not in texts:
            note_cells(note, column)
            is_number = pa.types.is_integer(column.type) or pa.types.is_floating(column.type)
            if is_number and (has_zeros or (pa.types.is_floating(column.type) and note.are_integers)):
                doubtful.append(place)
        elif pa.types.is_null(note.kind) and column.null_count < len(column):
            note.kind = pa.string()
    if doubtful:
        written = parse(source, dict.fromkeys(doubtful, pa.string()), only=doubtful)
        for place, cells in zip(doubtful, written.columns, strict=True):
            note_written(notes[place], cells, pa.types.is_floating(table.field(place).type))
    return int(table.num_rows)


def note_cells(note: Notes, cells: Any) -> None:
    """Note the type of cells, and whether another type can hold them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = pa.string() if pa.types.is_time(cells.type) else cells.type
    note.kind = join_kinds(note.kind, kind)
    if pa.types.is_integer(kind):
        extremes = pc.min_max(cells).as_py()
        largest = max(extremes["max"], -extremes["min"])
        note.are_exact &= largest <= MAX_EXACT
        note.has_long |= largest >= 10**15  # `LONG`
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        extremes = pc.min_max(cells)
        zone = None if pa.types.is_date(kind) else kind.tz
        try:
            for extreme in ("min", "max"):
                extremes[extreme].cast(pa.timestamp("ns", zone))
        except pa.ArrowInvalid:
            note.beyond_ns = True


def note_written(note: Notes, cells: Any, are_floats: bool) -> None:
    """Note what numbers look like as they are written."""
    import pyarrow.compute as pc

    def some(pattern: str) -> bool:
        return bool(pc.any(pc.match_substring_regex(cells, pattern)).as_py())

    note.has_zeros |= some(LEADING_ZERO)
    if are_floats and note.are_integers:
        note.has_long |= some(LONG)
        note.are_integers = pc.all(pc.match_substring_regex(cells, INTEGER)).as_py() is not False


def join_kinds(one: Any, other: Any) -> Any:
    """The first type that PyArrow tries which can be read from cells of both."""
    import pyarrow as pa

    if pa.types.is_null(one) or one == other:
        return other
    if pa.types.is_null(other):
        return one
    if {one, other} == {pa.int64(), pa.float64()}:
        return pa.float64()
    for later in (pa.timestamp("ns"), pa.timestamp("s")):  # a date is read as one, too
        if later in (one, other) and {one, other} <= {pa.date32(), pa.timestamp("s"), pa.timestamp("ns")}:
            return later
    zoned = {pa.timestamp("s", "UTC"), pa.timestamp("ns", "UTC")}
    return pa.timestamp("ns", "UTC") if {one, other} == zoned else pa.string()
