"""Files at the doors that read them: what a file cannot hold is never trained on in part."""

import numpy as np
import pytest

import rosenblatt
from rosenblatt import TabularClassifier, learn
from rosenblatt.cli import main
from rosenblatt.tables import TableError

SMALL = {"members": 1, "max_iter": 2, "hidden_layer_sizes": (4,), "random_state": 0}
ROWS = [f"{i % 7},0{i % 3 + 1},{'yes' if i % 2 else 'no'}" for i in range(60)]


def command(monkeypatch, capsys, *arguments):
    """The exit code and standard error of the command line."""
    monkeypatch.setattr("sys.argv", ["rosenblatt", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code, capsys.readouterr().err


def write(path, rows, header="a,code,y"):
    path.write_text("\n".join([header, *rows, ""]))
    return path


def test_an_unclosed_quote_is_an_error_at_every_door(tmp_path, monkeypatch, capsys):
    good = write(tmp_path / "good.csv", ROWS)
    bad = write(tmp_path / "bad.csv", [*ROWS[:20], '3,"01,yes', *ROWS[20:]])
    model = learn(good, "y", **SMALL)
    says = r"quote that opens a cell in line 22 \(\"01,yes\) is never closed"
    for attempt in (
        lambda: learn(bad, "y", **SMALL),
        lambda: TabularClassifier(**SMALL).fit(bad, "y"),
        lambda: model.predict(bad),
        lambda: model.score(bad, "y"),
    ):
        with pytest.raises(TableError, match=says):
            attempt()
    rosenblatt.save(model, tmp_path / "m.safetensors")
    for arguments in (
        ("train", bad, "--target", "y", "--out", tmp_path / "n.safetensors"),
        ("tune", bad, "--target", "y", "--out", tmp_path / "n.safetensors"),
        ("predict", tmp_path / "m.safetensors", bad, "--out", tmp_path / "p.csv"),
    ):
        code, said = command(monkeypatch, capsys, *arguments)
        assert code == 2
        assert "in line 22" in said
    assert not (tmp_path / "n.safetensors").exists()
    assert not (tmp_path / "p.csv").exists()


def test_leading_zeros_stay_in_levels_and_classes_of_a_file(tmp_path):
    path = write(tmp_path / "t.csv", ROWS)
    model = learn(path, "code", **SMALL)
    assert sorted(model.classes_) == ["01", "02", "03"]
    assert set(model.predict(path)) <= {"01", "02", "03"}
    kinds = {kind.name: kind for kind in learn(path, "y", **SMALL).preparation_.kinds}
    assert (kinds["code"].kind, kinds["code"].detail) == ("categorical", "3 codes: 01, 02, 03")


def test_a_file_predicts_what_the_frame_predicts_and_as_many_rows(tmp_path):
    path = write(tmp_path / "t.csv", ROWS)
    columns = {
        "a": [int(row.split(",")[0]) for row in ROWS],
        "code": [row.split(",")[1] for row in ROWS],
        "y": [row.split(",")[2] for row in ROWS],
    }
    model = learn(path, "y", **SMALL)
    np.testing.assert_array_equal(model.predict_proba(path), model.predict_proba(columns))
    assert len(model.predict(write(tmp_path / "u.csv", ['3,"01"', "", '4,"0\n1"', "5,"], "a,code"))) == 3


def test_a_wrong_encoding_is_named_at_every_door(tmp_path, monkeypatch, capsys):
    path = tmp_path / "t.csv"
    path.write_bytes("\n".join(["a,code,y", *ROWS[:9], "1,Ö,yes", ""]).encode("latin-1"))
    with pytest.raises(TableError, match=r"line 11 holds the byte 0xd6 .* encoding='latin-1'"):
        learn(path, "y", **SMALL)
    code, said = command(monkeypatch, capsys, "train", path, "--target", "y")
    assert (code, "line 11 holds the byte 0xd6" in said) == (2, True)
