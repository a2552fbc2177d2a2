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
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rosenblatt._suggestions import missing_file
from rosenblatt.tables.readers.limits import UNLIMITED, Limits
from rosenblatt.tables.table import TableError

__all__ = [
    *("STANDARD_INPUT", "decode", "file_bytes", "first_line", "import_pyarrow", "line_number"),
    *("refuse_foreign", "spreadsheet"),
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
    if not data.startswith(COMPRESSIONS[name][0]):
        raise TableError(
            f"the file cannot be decompressed: it ends in {suffix}, but is not {name}. Correct its name if it is not "
            "compressed."
        )
    try:
        with COMPRESSIONS[name][2](data) as stream:
            found = bytearray()
            while chunk := stream.read(1 << 20):
                found += chunk
                limits.require_bytes(len(found))
            return bytes(found)
    except TableError:
        raise
    except UNREADABLE as error:
        raise TableError(
            f"the file cannot be decompressed as {name}: {first_line(error)}. It is damaged or incomplete; copy or "
            "download it again."
        ) from None


def compression_of(data: bytes, suffix: str) -> str | None:
    """How bytes are compressed, by how they begin, else by how the file's name ends."""
    starts = {name for name, (magic, _, _) in COMPRESSIONS.items() if magic and data.startswith(magic)}
    ends = {name for name, (_, ending, _) in COMPRESSIONS.items() if ending == suffix}
    return next(iter(starts or ends), None)


def by_pyarrow(codec: str) -> Callable[[bytes], Any]:
    """A function that opens what the standard library cannot decompress."""

    def stream_of(data: bytes) -> Any:
        import_pyarrow()
        import pyarrow as pa

        return pa.CompressedInputStream(pa.BufferReader(data), codec)

    return stream_of


def unzip(data: bytes) -> Any:
    """The single file of a zip archive; spreadsheets, which are such archives too, are refused by their name."""
    archive = zipfile.ZipFile(io.BytesIO(data))
    names = [name for name in archive.namelist() if not name.endswith("/") and not name.startswith("__MACOSX/")]
    if "[Content_Types].xml" in names or "mimetype" in names:
        raise spreadsheet("a spreadsheet or another office document")
    if len(names) != 1:
        raise TableError(f"it is a zip archive of {len(names)} files; unpack it and choose one.")
    return archive.open(names[0])


UNREADABLE = (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, RuntimeError)
"""What damaged files raise."""
COMPRESSIONS: dict[str, tuple[bytes, str, Callable[[bytes], Any]]] = {
    "gzip": (b"\x1f\x8b", ".gz", lambda data: gzip.GzipFile(fileobj=io.BytesIO(data))),
    "bzip2": (b"BZh", ".bz2", lambda data: bz2.BZ2File(io.BytesIO(data))),
    "xz": (b"\xfd7zXZ\0", ".xz", lambda data: lzma.LZMAFile(io.BytesIO(data))),  # noqa: SIM115 (whoever calls it closes it)
    "zstd": (b"\x28\xb5\x2f\xfd", ".zst", by_pyarrow("zstd")),
    "lz4": (b"\x04\x22\x4d\x18", ".lz4", by_pyarrow("lz4")),
    "zip": (b"PK\x03\x04", ".zip", unzip),
    "Brotli": (b"", ".br", by_pyarrow("brotli")),
}
"""How compressed files begin and end, and what opens them as streams of what they hold."""


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
    plain = encoding.lower().replace("-", "").replace("_", "")
    is_utf8 = plain in ("utf8", "utf8sig")
    marked = next((name for mark, name in BYTE_ORDER_MARKS.items() if data.startswith(mark)), None)
    if is_utf8 and marked:
        encoding, plain, is_utf8 = marked, marked.replace("-", ""), False
    is_wide = plain.startswith(("utf16", "utf32"))
    if not is_wide:
        refuse_zero_bytes(data)
    try:
        if not is_utf8:
            data = data.decode(encoding).encode()
        elif not data.isascii():
            data.decode()
    except LookupError:
        raise TableError(f"there is no encoding {encoding!r}; usual ones: utf-8, latin-1, cp1252, utf-16.") from None
    except UnicodeDecodeError as error:
        raise TableError(
            f"line {line_number(data, error.start)} holds the byte {data[error.start]:#04x} (offset {error.start}), "
            f"which is not valid {encoding}. Say its encoding, for example encoding='latin-1', or save as UTF-8."
        ) from None
    except UnicodeEncodeError as error:  # half of a surrogate pair
        raise TableError(f"it holds {error.object[error.start]!r}, which is no character. Save it as UTF-8.") from None
    if is_wide:
        refuse_zero_bytes(data)
    return data.removeprefix(b"\xef\xbb\xbf").rstrip(b"\x1a")  # DOS ends files with 0x1a


def refuse_zero_bytes(data: bytes) -> None:
    """Refuse zero bytes, which no text has; where every other byte is one, it is UTF-16."""
    place = data.find(b"\0")
    if place < 0:
        return
    start = data[:64]
    for name, half in (("utf-16-le", start[1::2]), ("utf-16-be", start[::2])):
        if len(half) > 1 and not any(half):
            raise TableError(f"every other byte is zero, as in UTF-16. Say encoding={name!r}, or save it as UTF-8.")
    raise TableError(
        f"this is neither text nor Parquet: it holds zero bytes, the first in line {line_number(data, place)}. Give a "
        "CSV or Parquet file, or remove these bytes."
    )


def line_number(data: bytes, place: int) -> int:
    """The line in which a byte is, from 1; lines end with LF, CR LF or CR."""
    before = data[:place]
    return 1 + before.count(b"\n") + before.count(b"\r") - before.count(b"\r\n")


def import_pyarrow() -> None:
    """Import PyArrow; an error says how to install it."""
    try:
        import pyarrow  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name != "pyarrow":
            raise
        raise ModuleNotFoundError(
            "reading CSV and Parquet files needs PyArrow: pip install 'rosenblatt[data]'", name="pyarrow"
        ) from None


def first_line(error: BaseException) -> str:
    """The first line of another library's message."""
    return str(error).strip().split("\n", 1)[0].rstrip(".")
