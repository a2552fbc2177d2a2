"""Files of all kinds: read, or refused by their right name with a way to proceed."""

import bz2
import gzip
import io
import lzma
import os
import subprocess
import sys
import threading
import zipfile

import pandas as pd
import pyarrow as pa
import pytest

from rosenblatt.tables import TableError, read_table

CSV = b"a,b\n1,x\n2,y\n"
ROWS = ([1.0, 2.0], ("x", "y"))
LINES = b'{"a": 1, "b": "x"}\n\n{"b": "y", "a": 2}\n'


def by_pyarrow(codec):
    """CSV in a compressed stream."""
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, codec) as stream:
        stream.write(CSV)
    return sink.getvalue().to_pybytes()


def zipped(*names):
    """A zip archive of such files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(name, CSV)
    return out.getvalue()


def frame_as(method):
    """The table as pandas writes it."""
    out = io.BytesIO()
    getattr(pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}), method)(out)
    return out.getvalue()


def stream():
    """The table as a stream of Arrow."""
    out = io.BytesIO()
    table = pa.table({"a": [1, 2], "b": ["x", "y"]})
    with pa.ipc.new_stream(out, table.schema) as writer:
        writer.write_table(table)
    return out.getvalue()


READ = {
    "gzip": ("t.csv.gz", lambda: gzip.compress(CSV)),
    "gzip by its bytes": ("t.csv", lambda: gzip.compress(CSV)),
    "bzip2": ("t.csv.bz2", lambda: bz2.compress(CSV)),
    "xz": ("t.csv.xz", lambda: lzma.compress(CSV)),
    "zstd": ("t.csv.zst", lambda: by_pyarrow("zstd")),
    "lz4": ("t.csv.lz4", lambda: by_pyarrow("lz4")),
    "brotli": ("t.csv.br", lambda: by_pyarrow("brotli")),
    "zip": ("t.zip", lambda: zipped("t.csv", "__MACOSX/t.csv")),
    "parquet of any name": ("t.csv", lambda: frame_as("to_parquet")),
    "feather": ("t.feather", lambda: frame_as("to_feather")),
    "arrow stream": ("t.arrow", stream),
    "JSON lines": ("t.jsonl", lambda: LINES),
    "JSON lines of any name": ("t.data", lambda: LINES),
    "JSON lines, compressed": ("t.jsonl.gz", lambda: gzip.compress(LINES)),
    "JSON objects": ("t.json", lambda: b'[{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]'),
    "JSON columns": ("t.json", lambda: b'{"a": [1, 2],\n "b": ["x", "y"]}'),
    "UTF-8 with a mark": ("t.csv", lambda: b"\xef\xbb\xbf" + CSV),
    "UTF-16 with a mark": ("t.csv", lambda: CSV.decode().encode("utf-16")),
    "UTF-32 with a mark": ("t.csv", lambda: CSV.decode().encode("utf-32")),
    "a file of DOS": ("t.csv", lambda: CSV + b"\x1a"),
}


@pytest.mark.parametrize(("name", "make"), READ.values(), ids=READ)
def test_files_of_many_kinds_give_the_same_table(tmp_path, name, make):
    path = tmp_path / name
    path.write_bytes(make())
    table = read_table(path)
    assert (table["a"].values.tolist(), table["b"].levels) == ROWS
    assert list(table.columns) == ["a", "b"]


REFUSED = {
    "truncated gzip": ("t.csv.gz", lambda: gzip.compress(CSV)[:-9], r"as gzip: .* damaged or incomplete"),
    "truncated bzip2": ("t.csv", lambda: bz2.compress(CSV)[:-9], r"as bzip2: .* damaged or incomplete"),
    "truncated xz": ("t.csv", lambda: lzma.compress(CSV)[:-9], r"as xz: .* damaged or incomplete"),
    "truncated zstd": ("t.csv", lambda: by_pyarrow("zstd")[:-2], r"as zstd: .* damaged or incomplete"),
    "truncated zip": ("t.zip", lambda: zipped("t.csv")[:-9], r"as zip: .* damaged or incomplete"),
    "plain text called gzip": ("t.csv.gz", lambda: CSV, r"ends in \.gz, but is not gzip\. Correct its name"),
    "two files in a zip": ("t.zip", lambda: zipped("a.csv", "b.csv"), r"archive of 2 files; unpack it"),
    "Excel": ("t.xlsx", lambda: zipped("[Content_Types].xml"), r"spreadsheets are not read.*pandas\.read_excel"),
    "Excel of another name": ("t.csv", lambda: zipped("[Content_Types].xml", "x"), r"spreadsheets are not read"),
    "old Excel": ("t.data", lambda: b"\xd0\xcf\x11\xe0" + bytes(99), r"old Excel workbook.*pandas\.read_excel"),
    "SQLite": ("t.csv", lambda: b"SQLite format 3\0" + bytes(99), r"SQLite database.*pandas\.read_sql"),
    "a pickle": ("t.pkl", lambda: b"\x80\x05\x95" + bytes(99), r"a pickle"),
    "HTML": ("t.csv", lambda: b"\n<!DOCTYPE HTML>\n<html>", r"HTML page, perhaps that of a failed download"),
    "a pointer": ("t.csv", lambda: b"version https://git-lfs.github.com/spec/v1\n", r"git lfs pull"),
    "old Feather": ("t.feather", lambda: b"FEA1" + bytes(99), r"Feather file as of before 2020.*pandas\.read_feather"),
    "not Feather": ("t.feather", lambda: CSV, r"not an Arrow or Feather file"),
    "truncated Feather": ("t.feather", lambda: frame_as("to_feather")[:-20], r"not a readable Arrow or Feather"),
    "truncated stream": ("t.arrow", lambda: stream()[:-60], r"not a readable Arrow or Feather"),
    "JSON that ends early": ("t.jsonl", lambda: LINES + b'{"a": ', r"line 4 cannot be read as JSON"),
    "JSON with a key twice": ("t.jsonl", lambda: b'{"a": 1, "a": 2}', r"key 'a' more than once"),
    "JSON that is no table": ("t.json", lambda: b'{"a": {"x": 1}}', r"no table\. A table is one object per line"),
    "JSON of arrays": ("t.json", lambda: b"[[1, 2], [3, 4]]", r"row 1 of this JSON is no object but \[1, 2\]"),
    "deep JSON": ("t.json", lambda: b"[" * 100_000, r"nested too deeply"),
    "a long JSON number": ("t.json", lambda: b'[{"a": ' + b"1" * 5000 + b"}]", r"cannot be read as JSON"),
    "UTF-16 without a mark": ("t.csv", lambda: CSV.decode().encode("utf-16-be"), r"Say encoding='utf-16-be'"),
    "a zero byte late in the file": ("t.csv", lambda: CSV * 9_000 + b"3,\0\n", r"zero bytes, the first in line 27001"),
    "mixed encodings": ("t.csv", lambda: "a,b\n1,ö\r\n".encode() + b"2,\xf6\n", r"line 3 .* 0xf6 \(offset 12\).*utf-8"),
    "half of UTF-16": ("t.csv", lambda: CSV.decode().encode("utf-16")[:-1], r"not valid utf-16"),
    "empty when unpacked": ("t.csv.gz", lambda: gzip.compress(b""), r"the file is empty"),
}


@pytest.mark.parametrize(("name", "make", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_table_is_refused_by_its_name(tmp_path, name, make, message):
    path = tmp_path / name
    path.write_bytes(make())
    with pytest.raises(TableError, match=f"(?s){message}") as caught:
        read_table(path)
    assert str(caught.value).startswith(f"{path}: ")


MUTATE = """
import io, random, sys
from pathlib import Path
import pyarrow as pa
from pyarrow import feather
from rosenblatt.tables import TableError, read_table
path, n, words = Path(sys.argv[1]), int(sys.argv[2]), pa.array(["x", "y"] * 50)
out, random = io.BytesIO(), random.Random(0)
table = pa.table({"number": [1.0, None] * 50, "words": words, "levels": words.dictionary_encode()})
feather.write_feather(table, out, compression="uncompressed")
for _ in range(n):
    data = bytearray(out.getvalue())
    for _ in range(3):
        data[random.randrange(len(data))] = random.randrange(256)
    path.write_bytes(data)
    try:
        read_table(path)
    except TableError as error:
        print(error)
"""


@pytest.mark.parametrize("n", [200, pytest.param(10_000, marks=pytest.mark.long)])
def test_damaged_feather_files_are_refused_and_do_not_end_the_process(tmp_path, n):
    path = str(tmp_path / "t.feather")
    found = subprocess.run([sys.executable, "-c", MUTATE, path, str(n)], capture_output=True, text=True, check=True)
    assert f"{path}: this is not a readable Arrow or Feather file: " in found.stdout


def test_json_keeps_digits_and_lacking_keys_are_missing(tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_text('{"id": 12345678901234567890, "z": "05"}\n{"id": 12345678901234567891, "w": true}\n')
    table = read_table(path)
    assert table["id"].levels == ("12345678901234567890", "12345678901234567891")
    assert (table["z"].levels, table["z"].missing.tolist()) == (("05",), [False, True])
    assert table["w"].storage == "boolean"


def test_standard_input_and_pipes_are_read_once(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(CSV)))
    assert read_table("-").n_rows == 2
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    with pytest.raises(TableError, match=r"standard input: the file is empty"):
        read_table("-")
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(CSV * 10_000,))
    writer.start()
    assert read_table(tmp_path / "pipe").n_rows == 29_999
    writer.join()


def test_an_address_is_no_file():
    with pytest.raises(FileNotFoundError, match="is an address, not a file; download it first"):
        read_table("https://example.org/t.csv")


@pytest.mark.parametrize("encoding", ["nope", "hex"])
def test_unknown_encodings(tmp_path, encoding):
    (tmp_path / "t.csv").write_bytes(CSV)
    with pytest.raises(TableError, match="there is no encoding"):
        read_table(tmp_path / "t.csv", encoding=encoding)
