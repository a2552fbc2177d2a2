"""Tables that the page sends: read like any other file, bounded, and gone from the disk afterwards."""

from __future__ import annotations

import asyncio
import gzip
import io
import tempfile
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from tests.playground_page.server_tools import ORIGIN, Client

from rosenblatt.playground_page import app, uploads
from rosenblatt.playground_page.uploads import clean_name
from rosenblatt.tables.readers.limits import Limits
from rosenblatt.tables.table import TableError

ROWS = pd.DataFrame({"a": np.arange(40) % 7, "b": np.arange(40) ** 2 % 11, "kind": ["yes", "no"] * 20})
CSV = ROWS.to_csv(index=False).encode()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The folder of temporary files, in which nothing may be left."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    yield tmp_path
    assert list(tmp_path.iterdir()) == []


def post(client: Client, query: str, chunks: Any, lost: bool = False, **headers: str) -> Any:
    """The answer to an upload."""
    return client.request("POST", f"/secret/table?{query}", chunks, {"origin": ORIGIN, **headers}, lost)


def test_a_table_reaches_the_page_that_sent_it(client: Client) -> None:
    with client.page() as other, client.page() as page:
        name = page.welcome["page"]
        answered = post(client, f"name=points.csv&page={name}", [CSV[:50], CSV[50:]])
        assert answered.status == 200
        found = answered.json["table"]
        assert (found["name"], found["rows"], found["sampled"]) == ("points.csv", 40, False)
        assert [column["name"] for column in found["columns"]] == ["a", "b", "kind"]
        assert page.answer() == {"type": "table", "table": found}
        data = {"source": "table", "columns": ["a", "b"], "target": "kind"}
        assert page.configure(data=data)["data"]["classes"] == ["no", "yes"]
        assert page.ask("forget_table") == {"type": "table", "table": None}
        assert other.ask("configure", run=0, settings={"data": data})["type"] == "error"


def test_the_only_page_need_not_be_named(client: Client) -> None:
    with client.page() as page:
        assert post(client, "name=points.csv", [CSV]).status == 200
        assert page.answer()["type"] == "table"
        with client.page():
            assert post(client, "name=points.csv", [CSV]).status == 409
    assert post(client, "name=points.csv", [CSV]).status == 409


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("points.CSV.gz", gzip.compress(CSV)),
        ("points", CSV),
        ("points.json", ROWS.to_json(orient="records").encode()),
        ("points.parquet", (lambda file: (ROWS.to_parquet(file), file.getvalue())[1])(io.BytesIO())),
    ],
)
def test_all_kinds_of_files_are_read(name: str, data: bytes, client: Client) -> None:
    with client.page():
        answered = post(client, f"name={name}", [data])
        assert (answered.status, answered.json["table"]["rows"]) == (200, 40)


BAD: dict[str, tuple[str, bytes, str]] = {
    "nothing": ("a.csv", b"", "a.csv: the file is empty"),
    "a picture": ("a.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a.png: "),
    "an open quote": ("a.csv", b'a,b,c\n1,"2,3\n4,5,6\n', "in line 2"),
    "no Parquet": ("a.parquet", CSV, "a.parquet: this is not a Parquet file"),
    "no gzip": ("a.csv.gz", CSV, "a.csv.gz: the file cannot be decompressed"),
    "another encoding": ("a.csv", "a,b,c\nä,1,2\n".encode("latin-1"), "a.csv: line 2 holds the byte 0xe4"),
    "UTF-16 without a mark": ("a.csv", CSV.decode().encode("utf-16-le"), "rosenblatt playground --encoding NAME."),
    "a workbook": ("a.xlsx", b"PK\x03\x04 and more", "a.xlsx: it is a spreadsheet"),
    "a header": ("a.csv", b"a,b,c\n", "row"),
    "one column": ("a.csv", b"a\n" + b"1\n2\n" * 20, "1 column"),
    "texts": ("a.csv", b"a,b,c\n" + b"".join(b"one %d,two %d,three %d\n" % (i, i, i) for i in range(40)), "numbers"),
}


@pytest.mark.parametrize(("name", "data", "words"), BAD.values(), ids=BAD)
def test_what_is_no_table_is_refused_in_the_words_of_the_reader(
    name: str, data: bytes, words: str, client: Client, folder: Path
) -> None:
    with client.page() as page:
        answered = post(client, f"name={name}", [data])
        assert answered.status == 400
        assert words in answered.json["error"]
        assert str(folder) not in answered.json["error"]
        assert page.ask("forget_table") == {"type": "table", "table": None}


def endless(read: list[int]) -> Any:
    """A body without an end, which counts what was read of it."""
    while True:
        read.append(1 << 20)
        yield bytes(1 << 20)


def test_uploads_end_at_the_limit(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MAX_BYTES", 3 << 20)
    monkeypatch.setattr(app, "DRAIN_SECONDS", 0)
    read: list[int] = []
    with client.page():
        answered = post(client, "name=a.csv", endless(read))
    assert (answered.status, answered.headers["connection"]) == (413, "close")
    assert "larger than 3 MB" in answered.json["error"]
    assert 4 <= len(read) <= 6


@pytest.mark.parametrize("ending", ["gz", "bz2", "xz", "zip", "zst"])
def test_what_is_small_because_it_is_compressed_is_not_unpacked(
    ending: str, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / f"a.csv.{ending}"
    many = pd.DataFrame({"a": np.zeros(200_000, int), "b": 1, "c": 2})
    if ending == "zst":
        pa.CompressedOutputStream(str(file), "zstd").write(many.to_csv(index=False).encode())
    else:
        many.to_csv(file, index=False)
    data = file.read_bytes()
    file.unlink()
    assert len(data) < 100_000
    monkeypatch.setattr(uploads, "LIMITS", Limits(n_bytes=1 << 20))
    with client.page():
        answered = post(client, f"name=a.csv.{ending}", [data])
    assert answered.json["error"] == f"a.csv.{ending}: the file holds more than 1 MB. Keep fewer rows or columns."


def test_a_parquet_file_of_many_cells_is_not_read(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "LIMITS", Limits(n_cells=119))
    file = io.BytesIO()
    ROWS.to_parquet(file)
    with client.page():
        answered = post(client, "name=a.parquet", [file.getvalue()])
    words = "the table has 40 rows and 3 columns; at most 119 cells are read."
    assert answered.json["error"] == f"a.parquet: {words}"


def test_too_little_memory_is_said_in_words(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise MemoryError

    monkeypatch.setattr(uploads, "read_table", fail)
    with client.page():
        answered = post(client, "name=a.csv", [CSV])
    assert (answered.status, answered.json["error"][:26]) == (507, "there is not enough memory")


@pytest.mark.parametrize("who", ["the page", "the request"])
def test_a_table_for_which_nobody_waits_is_not_read_on(
    who: str, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "WATCH_SECONDS", 0.01)
    begun, go_on, refused = threading.Event(), threading.Event(), threading.Event()

    def slow(_: Path, reads: Any, **__: Any) -> Any:
        begun.set()
        assert go_on.wait(10)
        with pytest.raises(TableError, match="nobody waits"):
            reads("a")
        refused.set()
        raise TableError("")

    monkeypatch.setattr(uploads, "read_table", slow)
    with client.page() as page:
        path = f"/secret/table?name=a.csv&page={page.welcome['page']}"
        upload = client.begin("POST", path, [CSV], {"origin": ORIGIN})
        client.run(asyncio.sleep(0.05))
        assert begun.wait(10)
        if who == "the page":
            page.leave()
        else:
            monkeypatch.setattr(app.Request, "is_disconnected", lambda _: asyncio.sleep(0, True))
        assert client.run(upload)[0] == 400
        go_on.set()
        assert refused.wait(10)


def test_uploads_that_say_that_they_are_too_long_are_not_read(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "DRAIN_SECONDS", 0)
    read: list[int] = []
    with client.page():
        answered = post(client, "name=a.csv", endless(read), **{"content-length": str(uploads.MAX_BYTES + 1)})
    assert answered.status == 413
    assert len(read) <= 1


def test_a_wrong_length_does_not_lift_the_limit(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MAX_BYTES", 1 << 20)
    monkeypatch.setattr(app, "DRAIN_SECONDS", 0)
    with client.page():
        for length in ("1", "-1", "x", "9" * 400):
            assert post(client, "name=a.csv", endless([]), **{"content-length": length}).status == 413


def test_an_upload_that_breaks_off_leaves_nothing(client: Client) -> None:
    with client.page():
        assert post(client, "name=a.csv", [CSV[:30]], lost=True).status == 400


def test_uploads_that_do_not_arrive_are_given_up(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "UPLOAD_SECONDS", 0)
    with client.page():
        assert post(client, "name=a.csv", [CSV]).status == 408


def test_few_uploads_are_read_at_a_time(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "MAX_UPLOADS", 1)
    read, go_on = uploads.read_table, threading.Event()

    def slow(path: Path, **options: Any) -> Any:
        assert go_on.wait(10)
        return read(path, **options)

    monkeypatch.setattr(uploads, "read_table", slow)
    with client.page():
        first = client.begin("POST", "/secret/table?name=a.csv", [CSV], {"origin": ORIGIN})
        assert post(client, "name=b.csv", [CSV]).status == 429
        go_on.set()
        assert client.run(first)[0] == 200
        assert post(client, "name=b.csv", [CSV]).status == 200


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("points.csv", "points.csv"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\points.csv", "points.csv"),
        ("/", "table.csv"),
        ("", "table.csv"),
        ("..", "table.csv"),
        ("a\0b\n\x1b[31m.csv", "ab[31m.csv"),
        ("x" * 500 + ".csv.gz", "x" * 93 + ".csv.gz"),
    ],
)
def test_of_names_the_last_part_is_kept(given: str, kept: str) -> None:
    assert clean_name(given) == kept


@pytest.mark.parametrize("name", ["../../x", "a.%2e%2e%2fx", "a.csv%00/x", "a." + "y" * 300, ".", "a.{}"])
def test_no_name_of_a_client_reaches_the_disk(name: str, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Path] = []
    read = uploads.read_table

    def note(path: Path, **options: Any) -> Any:
        seen.append(path)
        return read(path, **options)

    monkeypatch.setattr(uploads, "read_table", note)
    with client.page():
        assert post(client, f"name={name}", [CSV]).status == 200
    assert seen[0].name in ("table", "table.x", "table.csv")
