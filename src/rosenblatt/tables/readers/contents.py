"""The contents of a file: its bytes, decompressed, and what kind of file they are.

Takes a path, or "-" for standard input. Returns bytes, or an error that names the kind of file and says how to proceed.
Reads each source once, so that pipes work. Never parses a table.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from rosenblatt._extras import needed
from rosenblatt._suggestions import missing_file
from rosenblatt.tables.readers.limits import UNLIMITED, Limits
from rosenblatt.tables.table import TableError

__all__ = [
    *("STANDARD_INPUT", "decode", "decompressed_pieces", "encoding_of"),
    *(
        "file_bytes",
        "first_line",
        "import_pyarrow",
        "line_number",
        "not_decoded",
        "refuse_foreign",
        "refuse_zero_bytes",
        "spreadsheet",
    ),
]

STANDARD_INPUT = Path("-")
BYTE_ORDER_MARKS = {b"\xff\xfe\0\0": "utf-32", b"\0\0\xfe\xff": "utf-32", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
"""The longer ones first, since one begins like a shorter one."""
FOREIGN = (
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", "pandas.read_excel"),
    (b"SQLite format 3\0", "an SQLite database", "pandas.read_sql"),
    (b"FEA1\0", "a Feather file as of before 2020", "pandas.read_feather"),  # a damaged one ends PyArrow's process
    (b"\x89HDF", "an HDF5 file", "pandas.read_hdf"),
    (b"\x93NUMPY", "a NumPy array", "numpy.load"),
    (b"Obj\x01", "an Avro file", "polars.read_avro"),
    (b"$FL2", "an SPSS file", "pandas.read_spss"),
    (b"\x80\x04", "a pickle", "pandas.read_pickle"),
    (b"\x80\x05", "a pickle", "pandas.read_pickle"),
    (b"%PDF-", "a PDF document", ""),
    (b"<stata_dta>", "a Stata file", "pandas.read_stata"),
    (b"<!doctype html", "an HTML page, perhaps that of a failed download", ""),
    (b"<html", "an HTML page, perhaps that of a failed download", ""),
    (b"<?xml", "an XML document", "pandas.read_xml"),
    (b"version https://git-lfs", "a pointer of Git LFS (git lfs pull fetches the file itself)", ""),
    (b"@relation", "an ARFF file", "scipy.io.arff.loadarff"),
)
"""How files begin that are no tables which can be read here, what they are, and what reads them."""


def file_bytes(path: Path, limits: Limits = UNLIMITED) -> bytes:
    """The decompressed bytes of a file, of a pipe, or of standard input for "-".

    Compression is recognized by the first bytes: gzip, bzip2, xz, zstd, lz4, zip with a single file; Brotli, which has
    no such bytes, by the ending .br.
    """
    if path == STANDARD_INPUT:
        if sys.stdin is None or sys.stdin.closed:
            raise TableError("it is closed; give a file.")
        data = sys.stdin.buffer.read()
    else:
        data = bytes_on_disk(path)
    data = decompress(data, path.suffix.lower(), limits) if data else data
    if not data:
        raise TableError("the file is empty.")
    return data


def bytes_on_disk(path: Path) -> bytes:
    """The bytes as they are stored; an error says what is there instead, or which name is near."""
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; give a CSV or Parquet file.")
    if str(path).lower().startswith(("http:/", "https:/", "s3:/", "ftp:/")):
        raise FileNotFoundError(f"{path} is an address, not a file; download it first.")
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(missing_file(path)) from None


def decompress(data: bytes, suffix: str, limits: Limits) -> bytes:
    """What the bytes are the compressed form of; bytes that are not compressed as they are."""
    name = compression_of(data, suffix)
    if name is None:
        limits.require_bytes(len(data))
        return data
    require_compressed(data, name, suffix)
    try:
        with COMPRESSIONS[name][2](io.BytesIO(data)) as stream:
            found = bytearray()
            while chunk := stream.read(1 << 20):
                found += chunk
                limits.require_bytes(len(found))
            return bytes(found)
    except TableError:
        raise
    except UNREADABLE as error:
        raise not_decompressed(name, error) from None


def require_compressed(data: bytes, name: str, suffix: str) -> None:
    """Refuse a file whose name says that it is compressed, but not its first bytes."""
    if not data.startswith(COMPRESSIONS[name][0]):
        raise TableError(
            f"the file cannot be decompressed: it ends in {suffix}, but is not {name}. Correct its name if it is not "
            "compressed."
        )


def not_decompressed(name: str, error: Exception) -> TableError:
    """The error for damaged compressed files."""
    return TableError(
        f"the file cannot be decompressed as {name}: {first_line(error)}. It is damaged or incomplete; copy or "
        "download it again."
    )


def decompressed_pieces(path: Path, n_bytes: int) -> Iterator[bytes]:
    """The decompressed bytes of a file on disk, at most `n_bytes` at a time; no more of them is ever held."""
    with path.open("rb") as file:
        start, suffix = file.read(8), path.suffix.lower()
        file.seek(0)
        name = compression_of(start, suffix) if start else None
        if name is None:
            yield from iter(partial(file.read, n_bytes), b"")
            return
        require_compressed(start, name, suffix)
        try:
            with COMPRESSIONS[name][2](file) as stream:
                while piece := stream.read(n_bytes):
                    yield bytes(piece)
        except TableError:
            raise
        except UNREADABLE as error:
            raise not_decompressed(name, error) from None


def compression_of(data: bytes, suffix: str) -> str | None:
    """How bytes are compressed, by how they begin, else by how the file's name ends."""
    starts = {name for name, (magic, _, _) in COMPRESSIONS.items() if magic and data.startswith(magic)}
    ends = {name for name, (_, ending, _) in COMPRESSIONS.items() if ending == suffix}
    return next(iter(starts or ends), None)


def is_compressed(path: Path) -> bool:
    """Whether a file on disk is compressed as a whole."""
    with path.open("rb") as file:
        return compression_of(file.read(8), path.suffix.lower()) is not None


def by_pyarrow(codec: str) -> Callable[[Any], Any]:
    """A function that opens what the standard library cannot decompress."""

    def stream_of(file: Any) -> Any:
        import_pyarrow()
        import pyarrow as pa

        return pa.CompressedInputStream(pa.PythonFile(file, mode="r"), codec)

    return stream_of


def unzip(file: Any) -> Any:
    """The single file of a zip archive; spreadsheets, which are such archives too, are refused by their name."""
    archive = zipfile.ZipFile(file)
    names = [name for name in archive.namelist() if not name.endswith("/") and not name.startswith("__MACOSX/")]
    if "[Content_Types].xml" in names or "mimetype" in names:
        raise spreadsheet("a spreadsheet or another office document")
    if len(names) != 1:
        raise TableError(f"it is a zip archive of {len(names)} files; unpack it and choose one.")
    return archive.open(names[0])


UNREADABLE = (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, RuntimeError)
"""What damaged files raise."""
COMPRESSIONS: dict[str, tuple[bytes, str, Callable[[Any], Any]]] = {
    "gzip": (b"\x1f\x8b", ".gz", lambda file: gzip.GzipFile(fileobj=file)),
    "bzip2": (b"BZh", ".bz2", bz2.BZ2File),
    "xz": (b"\xfd7zXZ\0", ".xz", lzma.LZMAFile),
    "zstd": (b"\x28\xb5\x2f\xfd", ".zst", by_pyarrow("zstd")),
    "lz4": (b"\x04\x22\x4d\x18", ".lz4", by_pyarrow("lz4")),
    "zip": (b"PK\x03\x04", ".zip", unzip),
    "Brotli": (b"", ".br", by_pyarrow("brotli")),
}
"""How compressed files begin and end, and what opens such a binary file as a stream of what they hold."""


def refuse_foreign(data: bytes) -> None:
    """Refuse what is no table, by its right name."""
    start = data[:64].lstrip().lower()  # markup may be in capitals
    for magic, name, reader in FOREIGN:
        if data.startswith(magic) or (magic[:1] in b"<@" and start.startswith(magic)):
            advice = f", or in Python read it with {reader} and give what that returns" if reader else ""
            raise TableError(f"it is {name}, which is not read. Save the table as CSV{advice}.")
    if data[257:262] == b"ustar":
        raise TableError("it is a tar archive; unpack it and choose a file.")


def spreadsheet(name: str) -> TableError:
    """The error for spreadsheets."""
    return TableError(
        f"it is {name}; spreadsheets are not read. Save the sheet as CSV, or in Python give pandas.read_excel(path), "
        "which needs openpyxl."
    )


def decode(data: bytes, encoding: str) -> bytes:
    """Text as UTF-8 without a byte order mark; a mark of UTF-16 or UTF-32 is believed where UTF-8 was expected."""
    encoding, is_wide = encoding_of(data, encoding)
    if not is_wide:
        refuse_zero_bytes(data)
    try:
        if encoding != "utf-8":
            data = data.decode(encoding).encode()
        elif not data.isascii():
            data.decode()
    except UnicodeError as error:
        raise not_decoded(error, encoding) from None
    if is_wide:
        refuse_zero_bytes(data)
    return data.removeprefix(b"\xef\xbb\xbf").rstrip(b"\x1a")  # DOS ends files with 0x1a


def encoding_of(start: bytes, encoding: str) -> tuple[str, bool]:
    """The encoding of a text that starts so, "utf-8" however it is written; whether characters are wider than bytes."""
    plain = encoding.lower().replace("-", "").replace("_", "")
    if plain in ("utf8", "utf8sig"):
        encoding = next((name for mark, name in BYTE_ORDER_MARKS.items() if start.startswith(mark)), "utf-8")
        return encoding, encoding != "utf-8"
    try:
        bytes(4).decode(encoding)
    except UnicodeError:
        pass
    except LookupError:
        raise TableError(f"there is no encoding {encoding!r}; usual ones: utf-8, latin-1, cp1252, utf-16.") from None
    return encoding, plain.startswith(("utf16", "utf32"))


def not_decoded(error: UnicodeError, encoding: str, offset: int = 0, above: int = 0) -> TableError:
    """The error for bytes that are no text, `offset` bytes and `above` lines behind the start of the file."""
    if isinstance(error, UnicodeDecodeError):
        data, place = error.object, error.start
        return TableError(
            f"line {above + line_number(data, place)} holds the byte {data[place]:#04x} (offset {offset + place}), "
            f"which is not valid {encoding}. Say its encoding, for example encoding='latin-1', or save as UTF-8."
        )
    if isinstance(error, UnicodeEncodeError):  # half of a surrogate pair
        return TableError(f"it holds {error.object[error.start]!r}, which is no character. Save it as UTF-8.")
    return TableError(f"it cannot be decoded as {encoding}: {first_line(error)}. Save it as UTF-8.")


def refuse_zero_bytes(data: bytes, above: int = 0) -> None:
    """Refuse zero bytes, which no text has; where every other byte is one, it is UTF-16.

    `above` is the number of lines that precede the data.
    """
    place = data.find(b"\0")
    if place < 0:
        return
    start = b"" if above else data[:64]
    for name, half in (("utf-16-le", start[1::2]), ("utf-16-be", start[::2])):
        if len(half) > 1 and not any(half):
            raise TableError(f"every other byte is zero, as in UTF-16. Say encoding={name!r}, or save it as UTF-8.")
    raise TableError(
        f"this is neither text nor Parquet: it holds zero bytes, the first in line {above + line_number(data, place)}. "
        "Give a CSV or Parquet file, or remove these bytes."
    )


def line_number(data: bytes, place: int) -> int:
    """The line in which a byte is, from 1; lines end with LF, CR LF or CR."""
    before = data[:place]
    return 1 + before.count(b"\n") + before.count(b"\r") - before.count(b"\r\n")


def import_pyarrow() -> None:
    """Import PyArrow; an error says how to install it."""
    with needed("reading CSV and Parquet files needs", "pyarrow", extra="data"):
        import pyarrow  # noqa: F401


TRACEBACK = "Traceback (most recent call last):"


def first_line(error: BaseException) -> str:
    """The first line of another library's message; the last one of a traceback in it, which says what happened."""
    text = str(error).strip()
    _, found, after = text.rpartition(TRACEBACK)
    raised = [line for line in after.splitlines() if line[:1].strip()]  # all others are indented
    return ((raised[0] if raised else "") if found else text.split("\n", 1)[0]).strip().rstrip(".")
