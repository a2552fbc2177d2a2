"""Output that nobody reads, or that the terminal cannot show, costs no model."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from rosenblatt import load
from rosenblatt.cli.terminal import Output
from rosenblatt.estimators import TabularClassifier

SHORT = ("--epochs", "2", "--members", "1", "--hidden", "4")


def write_polish(folder: Path) -> None:
    rows = [f"{i % 7},{i % 3},{'Łódź' if i % 7 > 3 else 'Kraków…'}" for i in range(60)]
    (folder / "t.csv").write_text("\n".join(["größe,R²,město", *rows]), encoding="utf-8")


def shell(folder: Path, command: str, **environment: str) -> tuple[int, bytes, bytes]:
    """Run a command line in a shell, which ends with the code of `rosenblatt`."""
    script = command.replace("rosenblatt", f"'{sys.executable}' -m rosenblatt", 1)
    given = {**os.environ, **environment}
    done = subprocess.run(["bash", "-o", "pipefail", "-c", script], cwd=folder, capture_output=True, env=given)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.long
@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_what_the_encoding_lacks_is_written_otherwise(encoding: str, tmp_path: Path) -> None:
    write_polish(tmp_path)
    train = f"rosenblatt train t.csv --target město --out m {' '.join(SHORT)}"
    code, out, err = shell(tmp_path, train, PYTHONIOENCODING=encoding)
    assert (code, err) == (0, b"")
    said = out.decode(encoding)
    assert {"ascii": r"\u0141\xf3d\u017a", "cp1252": r"\u0141ód\u017a", "utf-8": "Łódź"}[encoding] in said
    assert ("R2" if encoding == "ascii" else "R²") in said
    assert isinstance(load(tmp_path / "m"), TabularClassifier)
    code, _, err = shell(tmp_path, "rosenblatt predict m t.csv --out p.csv", PYTHONIOENCODING=encoding)
    assert (code, err) == (0, b"")
    assert "Łódź" in (tmp_path / "p.csv").read_text(encoding="utf-8")
    code, _, err = shell(tmp_path, "rosenblatt train t.csv --target mesto", PYTHONIOENCODING=encoding)
    assert code == 2
    assert "R2" in err.decode(encoding) or "R²" in err.decode(encoding)


@pytest.mark.long
@pytest.mark.parametrize("reader", ["| head -1", "2>&1 | true", ">&-", "> /dev/full"])
def test_a_reader_that_leaves_loses_no_model(reader: str, tmp_path: Path) -> None:
    if reader.endswith("full") and not Path("/dev/full").exists():
        pytest.skip("this system has no device that is always full")
    write_polish(tmp_path)
    code, _, err = shell(tmp_path, f"rosenblatt train t.csv --target město --out m {' '.join(SHORT)} {reader}")
    assert code == 0
    assert b"Traceback" not in err
    assert b"BrokenPipe" not in err
    assert (b"no space left" in err.lower()) == reader.endswith("full")
    assert isinstance(load(tmp_path / "m"), TabularClassifier)
    assert shell(tmp_path, f"rosenblatt predict m t.csv --out p.csv {reader}")[0] == 0
    assert len((tmp_path / "p.csv").read_text(encoding="utf-8").splitlines()) == 61


@pytest.mark.long
@pytest.mark.parametrize("command", ["--help", "inspect m"])
def test_long_texts_end_quietly_where_nobody_reads(command: str, tmp_path: Path) -> None:
    write_polish(tmp_path)
    shell(tmp_path, f"rosenblatt train t.csv --target město --out m {' '.join(SHORT)}")
    code, _, err = shell(tmp_path, f"rosenblatt {command} | true")
    assert (code, err) == (0, b"")


@contextmanager
def standard_output(path: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A device as standard output."""
    if not Path(path).exists():
        pytest.skip("this system has no device that is always full")
    with open(path, "w") as stream, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", stream)
        yield


@pytest.mark.parametrize("command", ["predict m rents.csv --out - --quiet", "evaluate m rents.csv --json --quiet"])
def test_a_result_that_is_lost_is_an_error(command: str, cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cli("train", "rents.csv", "--target", "rent", "--out", "m", *SHORT)[0] == 0
    with standard_output("/dev/full", monkeypatch):
        code, _, err = cli(*command.split())
    assert (code, err.count("\n")) == (2, 1)
    assert "no space left on device" in err
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", None)
        code, _, err = cli(*command.split())
    assert (code, err.count("\n")) == (2, 1)
    assert "standard output is closed" in err


def test_what_is_shown_is_needed_where_no_file_is_written(cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    codes = []
    for command in (f"train rents.csv --target rent --out m {' '.join(SHORT)}", "evaluate m rents.csv"):
        with standard_output("/dev/full", monkeypatch):
            codes.append(cli(*command.split())[0])
    assert codes == [0, 2]


def test_a_closed_stream_may_be_flushed(capsys: pytest.CaptureFixture[str]) -> None:
    stream = io.StringIO()
    output = Output(stream)
    stream.close()
    output.flush()
    assert capsys.readouterr().err == ""
    output.write("more")
    assert "the output cannot be written" in capsys.readouterr().err
