"""Reports of model files, comparisons of two, and reports that training leaves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import r2_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tests.cli.conftest import SMALL, rents

import rosenblatt
from rosenblatt import LogisticRegression
from rosenblatt.cli.messages import in_options
from rosenblatt.estimators import TabularRegressor
from rosenblatt.report import Report, compare

PAGE = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text(encoding="utf-8")
TRAIN = ("train", "rents.csv", "--target", "rent", "--ignore", "high", "--ignore", "grade", *SMALL)


@pytest.fixture
def model(cli: Any) -> Any:
    """A model m.st of the rent, and rows of others in new.csv."""
    assert cli(*TRAIN, "--out", "m.st")[0] == 0
    rents(40, seed=1).to_csv("new.csv", index=False)
    return rosenblatt.load("m.st")


def test_without_a_file_the_text_is_shown(cli: Any, model: Any) -> None:
    code, out, err = cli("report", "m.st", "new.csv")
    assert (code, err) == (0, "")
    head, _, text = out.partition("\n\n")
    assert head.startswith("reading   m.st\ntable     new.csv: 40 rows, 6 columns\ntarget    rent: regression")
    assert text.strip() == in_options(str(model.report("new.csv"))).strip()
    code, out, err = cli("report", "m.st", "--out", "-")
    assert (code, out) == (0, in_options(f"{model.report()}\n"))
    assert err.startswith("reading   m.st\nfile      standard output (")
    assert cli("report", "m.st", "--quiet") == (0, "", "")


@pytest.mark.parametrize("suffix", [pytest.param("html", marks=pytest.mark.long), "md", "json", "txt"])
def test_a_file_holds_the_report_and_replaces_reports_alone(suffix: str, cli: Any, model: Any) -> None:
    name = f"r.{suffix}"
    for _ in range(2):  # a second report replaces the first
        code, out, err = cli("report", "m.st", "new.csv", "--out", name)
        assert (code, err) == (0, "")
        assert f"\nfile      {name} (" in out
    own = model.report("new.csv")
    own.source = "m.st, rows of new.csv"
    own.save(f"own.{suffix}")
    assert Path(name).read_bytes() == Path(f"own.{suffix}").read_bytes()
    for other in (b"precious\n", b'{"model": "precious"}', b"<html>precious</html>"):
        Path(name).write_bytes(other)
        code, _, err = cli("report", "m.st", "new.csv", "--out", name)
        assert (code, err) == (2, f"rosenblatt: {name} exists and holds no report; choose another name with --out.\n")
        assert Path(name).read_bytes() == other


def test_the_object_holds_the_content(found: Any, model: Any) -> None:
    data = found("report", "m.st", "new.csv", "--out", "r.json")
    assert data["report"] == json.loads(Path("r.json").read_text(encoding="utf-8"))
    assert (data["command"], data["file"]["path"]) == ("report", "r.json")
    assert found("report", "m.st")["report"] == model.report().to_dict()
    assert all(f"`{key}`" in PAGE for key in data)


def test_training_rows_and_weights_are_said(found: Any, model: Any) -> None:
    table = rents(40, seed=1).assign(w=np.linspace(0.1, 2, 40))
    table.to_csv("new.csv", index=False)
    (score, *_) = found("report", "m.st", "--data", "new.csv", "--weight", "w")["report"]["scores"]
    expected = r2_score(table["rent"], model.predict(table), sample_weight=table["w"])
    assert score["model"] == pytest.approx(expected, rel=1e-4)
    assert score["linear"] is None
    data = found("report", "m.st", "new.csv", "--training", "rents.csv")["report"]
    assert data["scores"][0]["linear"] is not None


@pytest.mark.long
def test_two_models_are_compared(cli: Any, found: Any, model: Any) -> None:
    assert cli(*TRAIN, "--out", "other.st", "--ignore", "rooms", "--seed", "1")[0] == 0
    code, out, err = cli("report", "m.st", "other.st", "new.csv")
    assert (code, err) == (0, "")
    assert "m and other: two models of rent" in out
    assert "Only m uses 'rooms'." in out
    assert "--kind" in out  # no parameter of Python
    expected = compare(model, rosenblatt.load("other.st"), "new.csv", names=("m", "other"))
    for arguments in (("m.st", "new.csv", "other.st"), ("m.st", "other.st", "--data", "new.csv")):
        data = found("report", *arguments, "--out", "c.json")
        assert data["report"] == expected.to_dict() == json.loads(Path("c.json").read_text(encoding="utf-8"))
        assert data["models"] == ["m.st", "other.st"]


def test_models_are_told_from_tables_by_what_is_in_them(cli: Any, model: Any) -> None:
    assert cli(*TRAIN, "--out", "model.csv", "--seed", "1")[0] == 0
    pd.read_csv("new.csv").to_csv("new.safetensors", index=False)
    code, out, _ = cli("report", "m.st", "model.csv", "--data", "new.safetensors", "--out", "c.md")
    assert (code, "file      c.md" in out) == (0, True)
    assert "two models of rent" in Path("c.md").read_text(encoding="utf-8")


def test_groups_of_the_model_are_drawn_as_wholes(cli: Any, found: Any) -> None:
    table = rents(120).assign(town=np.repeat(np.arange(40), 3))
    table.to_csv("rents.csv", index=False)
    assert cli(*TRAIN, "--group", "town", "--out", "g.st", "--report", "g.json")[0] == 0
    methods = {score.get("interval_method") for score in json.loads(Path("g.json").read_text("utf-8"))["scores"]}
    assert "bootstrap of groups" in methods
    rents(60, seed=1).assign(town=np.repeat(np.arange(20), 3)).to_csv("new.csv", index=False)
    score = found("report", "g.st", "new.csv")["report"]["scores"][0]
    assert score["interval_method"] == "bootstrap of groups"


# Reports of what was trained --------------------------------------------------------------------------------------


def test_training_leaves_a_report_and_the_same_model(cli: Any, found: Any) -> None:
    assert cli(*TRAIN, "--out", "plain.st")[0] == 0
    code, out, err = cli(*TRAIN, "--out", "m.st", "--report", "r.json")
    assert (code, err) == (0, "")
    assert "\nreport    r.json (" in out
    assert Path("m.st").read_bytes() == Path("plain.st").read_bytes()
    report = json.loads(Path("r.json").read_text(encoding="utf-8"))
    assert {score["where"] for score in report["scores"]} == {"held out", "out of fold"}
    assert "linear" in report["scores"][0]
    data = found(*TRAIN, "--out", "m.st", "--report", "r.json")
    assert data["report"] == {"path": "r.json", "bytes": Path("r.json").stat().st_size}
    (held_out, *_) = report["scores"]
    assert held_out["model"] == pytest.approx(data["scores"]["metrics"]["R2"]["model"], rel=1e-4)


def test_without_held_out_rows_the_report_is_out_of_fold(cli: Any) -> None:
    options = ("--members", "3", "--test-share", "0", "--report", "r.json")
    assert cli(*TRAIN, "--out", "m.st", *options)[0] == 0
    report = json.loads(Path("r.json").read_text(encoding="utf-8"))
    assert {score["where"] for score in report["scores"]} == {"out of fold"}
    assert report["scores"][0]["rows"] == 90


@pytest.mark.long
def test_predictions_of_training_can_be_kept_and_a_part_of_the_table_is_noticed(cli: Any, found: Any) -> None:
    assert cli(*TRAIN, "--out", "all.st", "--members", "3", "--test-share", "0", "--keep-predictions")[0] == 0
    assert found("report", "all.st", "rents.csv")["report"]["scores"][0]["where"] == "out of fold"
    assert cli(*TRAIN, "--out", "m.st")[0] == 0
    data = found("report", "m.st", "rents.csv")
    assert data["report"]["scores"][0]["where"] == "partly seen in training"
    assert "--test-share" in data["notes"][0]
    rents(40, seed=1).to_csv("new.csv", index=False)
    assert "notes" not in found("report", "m.st", "new.csv")
    assert "--test-share" in found("report", "m.st", "new.csv", "--training", "rents.csv")["notes"][0]
    assert "--out is empty" in cli("report", "m.st", "new.csv", "--out", "")[2]


def test_worst_rows_are_those_of_the_file(cli: Any, found: Any) -> None:
    table = rents(90).assign(id=[f"r{i}" for i in range(90)])
    table.to_csv("named.csv", index=False)
    options = ("--target", "rent", "--ignore", "high", "--ignore", "grade", "--id", "id", *SMALL)
    assert cli("train", "named.csv", *options, "--out", "m.st", "--report", "r.json")[0] == 0
    reports = [json.loads(Path("r.json").read_text(encoding="utf-8")), found("report", "m.st", "named.csv")["report"]]
    for entry in reports[0]["worst"] + reports[1]["worst"]:
        row = table.iloc[entry["row"] - 1]
        assert entry["true"] == pytest.approx(row["rent"], rel=1e-4)
        assert entry["id"] == {"id": row["id"]}


@pytest.mark.long
def test_a_search_leaves_a_report_of_what_it_chose(cli: Any) -> None:
    options = ("--time", "1s", "--out", "m.st", "--report", "r.md")
    assert cli("tune", "rents.csv", "--target", "high", "--ignore", "grade", *options)[0] == 0
    assert Path("r.md").read_text(encoding="utf-8").startswith("# ")


def test_a_report_that_fails_loses_no_model(cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Report, "save", full)
    code, out, err = cli(*TRAIN, "--out", "m.st", "--report", "r.md")
    assert code == 2
    assert "file      m.st (" in out
    assert err.startswith("rosenblatt: The report r.md was not written: ")
    assert err.endswith(" The model is in m.st.\n")
    assert "No space left on device" in err
    assert isinstance(rosenblatt.load("m.st"), TabularRegressor)


def test_after_ctrl_c_during_the_report_the_model_is_named(cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*arguments: Any, **others: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Report, "save", interrupt)
    code, _, err = cli(*TRAIN, "--out", "m.st", "--report", "r.md")
    assert (code, err) == (130, "rosenblatt: interrupted; m.st was written.\n")
    assert not Path("r.md").exists()


BEFORE = {
    "another ending": (("--report", "r.pdf"), r"--report r.pdf: reports are written as .html, .htm, .md, .json, .txt"),
    "no folder": (("--report", "none/r.md"), "there is no folder none to write r.md to"),
    "a folder": (("--report", "folder.md"), "--report folder.md is a folder"),
    "the table": (("--report", "rents.txt", "--test", "rents.txt"), "--report rents.txt is one of the files to read"),
    "the model's file": (("--report", "m.txt"), "--report and --out both name m.txt"),
    "another file": (
        ("--report", "notes.md"),
        "notes.md exists and holds no report; choose another name with --report",
    ),
}


@pytest.mark.parametrize(("options", "words"), BEFORE.values(), ids=BEFORE)
def test_what_is_wrong_with_its_place_is_found_before_training(
    options: tuple[str, ...], words: str, cli: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("folder.md").mkdir()
    Path("notes.md").write_text("- milk\n", encoding="utf-8")
    rents().to_csv("rents.txt", index=False)
    monkeypatch.setattr(TabularRegressor, "fit", lambda *arguments: pytest.fail("it trained"))
    code, _, err = cli(*TRAIN, "--out", "m.txt", *options)
    assert (code, words in err) == (2, True), err
    assert not Path("m.txt").exists()


@pytest.mark.parametrize("library", ["jinja2", "matplotlib.figure"])
def test_a_missing_library_is_found_before_training(library: str, cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from rosenblatt.report import html

    html.templates.cache_clear()
    monkeypatch.setitem(__import__("sys").modules, library, None)
    monkeypatch.setattr(TabularRegressor, "fit", lambda *arguments: pytest.fail("it trained"))
    code, _, err = cli(*TRAIN, "--out", "m.st", "--report", "r.html")
    assert (code, "pip install 'rosenblatt[report]'" in err) == (2, True), err
    assert not Path("m.st").exists()


def test_pipelines_have_no_report(cli: Any) -> None:
    table = rents()
    pipeline = make_pipeline(StandardScaler(), LogisticRegression()).fit(table[["rooms", "area"]], table["high"])
    rosenblatt.save(pipeline, "p.st")
    for arguments in (("p.st",), ("p.st", "rents.csv")):
        code, _, err = cli("report", *arguments)
        assert (code, "p.st: it holds a Pipeline, not a tabular model" in err) == (2, True), err


def test_the_weights_of_training_are_those_of_its_column(cli: Any, found: Any) -> None:
    table = rents(60).assign(w=np.linspace(0.1, 2, 60))
    table.to_csv("weighted.csv", index=False)
    train = ("train", "weighted.csv", "--target", "rent", "--weight", "w", *("--epochs", "2", "--members", "1"))
    assert cli(*train, "--hidden", "4", "--out", "w.st", "--report", "w.json")[0] == 0
    assert not [text for text in json.loads(Path("w.json").read_text()).get("missing", []) if "weight" in text]
    model = rosenblatt.load("w.st")
    (score, *_) = found("report", "w.st", "weighted.csv")["report"]["scores"]
    expected = r2_score(table["rent"], model.predict(table), sample_weight=table["w"])
    assert score["model"] == pytest.approx(expected, rel=1e-4)
