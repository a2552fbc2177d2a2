"""``rosenblatt export``: a model file becomes an ONNX model or C, or one line says why not."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from sklearn.datasets import load_iris
from tests.export.onnx.running import runtime

import rosenblatt
from rosenblatt import LogisticRegression, nn

X, Y = load_iris(return_X_y=True)


@pytest.fixture
def model(cli: Any) -> LogisticRegression:
    """A model, which is in the folder as m.st."""
    fitted = LogisticRegression(max_iter=2000).fit(X, Y)
    rosenblatt.save(fitted, "m.st")
    return fitted


def test_the_ending_says_onnx(cli: Any, model: Any) -> None:
    code, out, err = cli("export", "m.st", "--out", "m.onnx")
    assert (code, err) == (0, "")
    assert "m.onnx (" in out
    assert runtime("m.onnx", {"X": X})["label"].tolist() == model.predict(X).tolist()


@pytest.mark.parametrize("ending", ["c", "h"])
def test_the_ending_says_c(cli: Any, model: Any, ending: str) -> None:
    code, out, err = cli("export", "m.st", "--out", f"m.{ending}")
    assert (code, err) == (0, "")
    assert f"m.{ending} (" in out
    assert " kB of C; 120 bytes of constants, 48 bytes of stack)" in out
    assert "m_predict_class" in Path(f"m.{ending}").read_text()


def test_a_name_that_c_does_not_allow(cli: Any, model: Any) -> None:
    code, _, err = cli("export", "m.st", "--out", "m-1.c")
    assert code == 2
    assert "the file is called 'm-1.c', but names in C have up to 50 ASCII letters" in err
    assert err.endswith("Say --name m_1, or rename the file\n")
    assert "--name is 'a b', but" in cli("export", "m.st", "--out", "m.c", "--name", "a b")[2]


def test_json_names_the_file(found: Any, model: Any) -> None:
    data = found("export", "m.st", "--out", "m.onnx")
    assert data["file"] == {"path": "m.onnx", "bytes": Path("m.onnx").stat().st_size}
    assert (data["command"], data["model"], data["kind"]) == ("export", "m.st", "LogisticRegression")


def test_an_existing_file_is_kept_without_overwrite(cli: Any, model: Any) -> None:
    Path("m.onnx").write_text("mine")
    code, _, err = cli("export", "m.st", "--out", "m.onnx")
    assert (code, err) == (
        2, "rosenblatt: m.onnx exists; --overwrite replaces it, or choose another name.\n"
    )  # fmt: skip
    assert Path("m.onnx").read_text() == "mine"
    assert cli("export", "m.st", "--out", "m.onnx", "--overwrite")[0] == 0
    assert runtime("m.onnx", {"X": X[:2]})["label"].shape == (2,)


REFUSED = {
    "an ending": (("m.st", "--out", "m.txt"), r"--out m.txt: the ending says what is written: .onnx, .c, .h"),
    "no ending": (("m.st", "--out", "onnx"), r"--out onnx: the ending"),
    "standard output": (("m.st", "--out", "-"), r"--out -: the ending"),
    "no folder": (("m.st", "--out", "no/m.onnx"), "there is no folder no to write m.onnx to"),
    "no such model": (("n.st", "--out", "m.onnx"), "there is no file n.st"),
    "a table": (("rents.csv", "--out", "m.onnx"), "not a rosenblatt model"),
    "itself": (("m.onnx", "--out", "m.onnx", "--overwrite"), "m.onnx is one of the files to read"),
}


@pytest.mark.parametrize(("arguments", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused_is_one_line_and_changes_nothing(
    arguments: tuple[str, ...], message: str, cli: Any, model: Any
) -> None:
    if arguments[0] == "m.onnx":
        Path("m.st").rename("m.onnx")
    before = sorted(os.listdir())
    code, _, err = cli("export", *arguments)
    assert code == 2
    assert err.splitlines()[-1].startswith("rosenblatt: ")
    assert message in err.splitlines()[-1]
    assert sorted(os.listdir()) == before


def test_messages_name_options(cli: Any, model: Any) -> None:
    for arguments, said in (
        (("--out", "m-1.c"), "Say --name m_1, or rename the file"),
        (("--out", "m.c", "--name", "1m"), "--name is '1m', but names in C"),
        (("--out", "m.onnx", "--dates", "text"), "--dates is for tabular models; a LogisticRegression has no columns"),
    ):
        code, _, err = cli("export", "m.st", *arguments)
        assert (code, said in err, sorted(os.listdir())) == (2, True, ["m.st", "rents.csv"]), err


def test_links_that_lead_nowhere(cli: Any, model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("link.onnx").symlink_to("new.onnx")
    Path("lost.onnx").symlink_to("none/new.onnx")
    with monkeypatch.context() as patch:
        patch.setattr("rosenblatt.cli.export.load_model", lambda path: pytest.fail("it was loaded"))
        _, _, err = cli("export", "m.st", "--out", "link.onnx")
        assert err.splitlines()[-1] == "rosenblatt: link.onnx exists; --overwrite replaces it, or choose another name."
        _, _, err = cli("export", "m.st", "--out", "lost.onnx", "--overwrite")
        assert re.search(r"there is no folder .*none to write lost\.onnx to", err)
    assert cli("export", "m.st", "--out", "link.onnx", "--overwrite")[0] == 0
    assert Path("link.onnx").is_symlink()
    assert Path("new.onnx").is_file()


def test_a_missing_package_is_found_before_the_model_is_loaded(
    cli: Any, model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    monkeypatch.setattr("rosenblatt.cli.export.load_model", lambda path: pytest.fail("it was loaded"))
    code, _, err = cli("export", "m.st", "--out", "m.onnx")
    assert (code, "pip install 'rosenblatt[onnx]'" in err) == (2, True)


@pytest.mark.parametrize(("command", "advice"), [("export", ""), ("inspect", ""), ("evaluate", " Try fewer rows.")])
def test_too_little_memory(command: str, advice: str, cli: Any, model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise MemoryError("m.st: it takes 64 MB.")

    monkeypatch.setattr("rosenblatt.persistence.save_load.load", full)
    more = {"export": ("--out", "m.c"), "evaluate": ("rents.csv",)}.get(command, ())
    code, _, err = cli(command, "m.st", *more)
    assert (code, err.splitlines()[-1]) == (2, f"rosenblatt: not enough memory (m.st: it takes 64 MB).{advice}")


def test_networks_too(cli: Any) -> None:
    network = nn.Network(nn.NetworkSpec(3, (4,), 2))
    rosenblatt.save(network, "n.st")
    assert cli("export", "n.st", "--out", "N.ONNX")[0] == 0
    rows = np.ones((2, 3), np.float32)
    np.testing.assert_allclose(runtime("N.ONNX", {"x": rows})["prediction"], network.predict(rows), 1e-5)


def test_options_of_c_and_of_onnx(cli: Any, model: Any) -> None:
    assert cli("export", "m.st", "--out", "m.c", "--name", "iris", "--dtype", "float32")[0] == 0
    assert "void iris_predict(const float *x, float *y)" in Path("m.c").read_text()
    for option, value, out in [("--name", "iris", "m.onnx"), ("--dates", "integer", "n.c")]:
        code, _, err = cli("export", "m.st", "--out", out, option, value)
        assert (code, option in err, Path(out).exists()) == (2, True, False)


def test_dates_of_a_table_come_in_as_integers(cli: Any) -> None:
    rows = "".join(f"2024-{1 + i % 12:02}-{1 + i % 28:02},{i % 7},{i}\n" for i in range(60))
    Path("t.csv").write_text("day,x,y\n" + rows)
    assert cli("train", "t.csv", "--target", "y", "--out", "t.st", "--epochs", "2", "--members", "2")[0] == 0
    assert cli("export", "t.st", "--out", "t.onnx", "--dates", "integer")[0] == 0
    inputs = {one.name: one.type for one in onnxruntime.InferenceSession("t.onnx").get_inputs()}
    assert inputs["day"] == "tensor(int64)"
