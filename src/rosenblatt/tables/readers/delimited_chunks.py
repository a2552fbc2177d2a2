"""Delimited text in chunks of whole rows, as it is decompressed and decoded.

Takes the path of a text file. Returns `Delimited` chunks, of which the first begins with the header. Never holds more
than a chunk, and never cuts a quoted cell in two.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np

from rosenblatt.tables.readers.contents import (
    decompressed_pieces,
    encoding_of,
    line_number,
    not_decoded,
    refuse_zero_bytes,
)
from rosenblatt.tables.readers.delimited import (
    QUOTED,
    Delimited,
    cell_end,
    quotes_in_turns,
    read_header,
)
from rosenblatt.tables.readers.limits import UNLIMITED, Limits
from rosenblatt.tables.table import TableError

__all__ = ["first_bytes", "row_chunks", "text_pieces"]

PIECE_BYTES = 1 << 22
"""Bytes that are read at a time."""
MAX_ROW_BYTES = 1 << 26
"""No row may be longer, so that memory stays bounded where a quote is never closed."""


def text_pieces(path: Path, encoding: str, limits: Limits = UNLIMITED) -> Iterator[bytes]:
    """The text of a file as UTF-8, without a byte order mark, some megabytes at a time."""
    held, n_bytes = b"", 0
    for piece in decoded(decompressed_pieces(path, PIECE_BYTES), encoding):
        n_bytes += len(piece)
        limits.require_bytes(n_bytes)
        if held:
            yield held
        held = piece
    if held := held.rstrip(b"\x1a"):  # DOS ends files with 0x1a
        yield held


def first_bytes(pieces: Iterator[bytes], n_bytes: int) -> bytes:
    """The first pieces that have at least so many bytes, or all."""
    start = b""
    while len(start) < n_bytes and (piece := next(pieces, b"")):
        start += piece
    return start


def decoded(pieces: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """Each piece as UTF-8; an error names line and byte as they are in the whole."""
    start = first_bytes(pieces, 64)
    if not start:
        raise TableError("the file is empty.")
    encoding, is_wide = encoding_of(start, encoding)
    decoder, place, line = codecs.getincrementaldecoder(encoding)(), 0, LineCount()
    for piece in chain([start], pieces, [b""]):  # the empty one says that they end
        if not is_wide:
            refuse_zero_bytes(piece, line.n_ends)
        pending = decoder.getstate()[0]
        try:
            is_plain = encoding == "utf-8" and piece.isascii() and not pending
            text = piece if is_plain else decoder.decode(piece, final=not piece).encode()
        except UnicodeError as error:
            raise not_decoded(error, encoding, place - len(pending), line.n_ends) from None
        if is_wide:
            refuse_zero_bytes(text, line.n_ends)
        if text:
            yield text if place else text.removeprefix(b"\xef\xbb\xbf")
        place += len(piece)
        line.add(piece)


@dataclass
class LineCount:
    """How many ends of lines are in the pieces of a text: LF, CR LF and CR, also where CR and LF are in two of them."""

    n_ends: int = 0
    after_cr: bool = False

    def add(self, piece: bytes) -> None:
        """Count those of the next piece."""
        if piece:
            self.n_ends += line_number(piece, len(piece)) - 1 - (self.after_cr and piece.startswith(b"\n"))
            self.after_cr = piece.endswith(b"\r")


def row_chunks(pieces: Iterator[bytes], separator: str | None, limits: Limits = UNLIMITED) -> Iterator[Delimited]:
    """Chunks of whole rows; the first one begins with the header, and may have no rows."""
    source: Delimited | None = None
    held = b""
    for piece in pieces:
        held += piece
        source = header_of(held, separator, limits) if source is None else replace(source, data=held)
        end = last_row_end(source) if source else 0
        if source is None or end <= source.body:
            require_short(held, source)
            source = source if source and source.above else None  # the header is read again, of more
            continue
        yield replace(source, data=held[:end])
        source = replace(source, body=0, above=source.line(end) - 1)
        held = held[end:]
    if source is None:
        source = read_header(held, separator, limits)
    if held or not source.above:
        yield replace(source, data=held)


def header_of(data: bytes, separator: str | None, limits: Limits) -> Delimited | None:
    """The header, or None if more of the text must be read for it."""
    try:
        source = read_header(data, separator, limits)
    except TableError:
        if len(data) > MAX_ROW_BYTES:
            raise
        return None
    return source if source.body < len(data) else None


def require_short(data: bytes, source: Delimited | None) -> None:
    """Refuse a row that is so long that it must be a mistake."""
    if len(data) > MAX_ROW_BYTES:
        line = source.line(source.body) if source else 1
        raise TableError(
            f"the row that begins in line {line} is longer than {MAX_ROW_BYTES >> 20} MB; perhaps a quote that opens a "
            "cell in it is never closed. Close the quote; one within a quoted cell must be doubled."
        )


def last_row_end(source: Delimited) -> int:
    """The place after the last end of a row that the data have for certain, 0 if there is none."""
    data = source.data
    starts, ends = gaps_of_cells(source) if quotes_in_turns(source) is None else gaps_in_turns(data)
    for mark in (b"\n", b"\r"):
        for start, end in zip(reversed(starts), reversed(ends), strict=True):
            place = data.rfind(mark, start, min(end, len(data) - (mark == b"\r")))  # an LF may follow a CR at the end
            if place >= 0:
                return int(place) + 1
    return 0


def gaps_in_turns(data: bytes) -> tuple[Sequence[int], Sequence[int]]:
    """Where what lies outside quotes starts and ends, if these open and close in turns."""
    quotes = np.flatnonzero(np.frombuffer(data, np.uint8) == ord('"'))
    places = [0, *quotes.tolist(), *[len(data)] * (1 - len(quotes) % 2)]
    return places[::2], places[1::2]


def gaps_of_cells(source: Delimited) -> tuple[Sequence[int], Sequence[int]]:
    """Where what lies outside quoted cells starts and ends, up to the cell that is cut; cell by cell."""
    data, starts, ends = source.data, [0], []
    place = data.find(b'"')
    while place >= 0:
        end = place + 1
        if place == 0 or data[place - 1] in source.stops:
            ends.append(place)
            quoted = QUOTED.match(data, place)
            if quoted is None or quoted.end() == len(data):  # it goes on behind the data, or may do so
                return starts, ends
            end = cell_end(source, place)
            starts.append(end)
        place = data.find(b'"', end)
    return starts, [*ends, len(data)]
