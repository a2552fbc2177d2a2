"""Reports at the command line of what has none: one line, exit code 2, and nothing is written."""

import os
import re

import numpy as np
import pytest
from safetensors.numpy import save_file
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tests.doors.doors import CommandError, run, write_csv

import rosenblatt
from rosenblatt import nn

SMALL = ("--epochs", "1", "--members", "1", "--hidden", "4")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with models of a number and of classes, files that are no models, and tables that lack something."""
    folder = tmp_path_factory.mktemp("reports")
    rng = np.random.default_rng(0)
    columns = {name: rng.normal(size=60).round(3) for name in ("size", "width")}
    columns |= {"kind": np.where(columns["size"] > 0, "wide", "thin"), "price": 10 + 3 * columns["size"]}
    columns["grade"] = rng.choice(["a", "b", "c"], 60)
    write_csv(folder / "t.csv", columns)
    for name in ("price", "size"):
        write_csv(folder / f"no_{name}.csv", {key: column for key, column in columns.items() if key != name})
    write_csv(folder / "odd.csv", {**columns, "kind": ["round"] * 60})
    write_csv(folder / "text.csv", {**columns, "price": ["dear"] * 60})
    write_csv(folder / "empty.csv", {name: [] for name in columns})
    write_csv(folder / "one.csv", {name: column[:1] for name, column in columns.items()})
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for target in ("price", "kind", "grade", "size"):
            run("train", "t.csv", "--target", target, "--out", f"{target}.st", *SMALL)
        run("train", "t.csv", "--target", "price", "--ignore", "width", "--out", "other.st", *SMALL)
        run("train", "t.csv", "--target", "price", "--quantiles", "0.1,0.9", "--out", "quantiles.st", *SMALL)
        fewer = {name: column[columns["grade"] != "c"] for name, column in columns.items()}
        write_csv(folder / "fewer.csv", fewer)
        run("train", "fewer.csv", "--target", "grade", "--out", "fewer.st", *SMALL)
    data = (folder / "price.st").read_bytes()
    (folder / "half.st").write_bytes(data[: len(data) // 2])
    save_file({"weight": np.zeros((2, 2), np.float32)}, folder / "foreign.st")
    X, y = np.column_stack([columns["size"], columns["width"]]), columns["kind"]
    rosenblatt.save(make_pipeline(StandardScaler(), rosenblatt.LogisticRegression()).fit(X, y), folder / "pipeline.st")
    rosenblatt.save(rosenblatt.Perceptron().fit(X, y), folder / "perceptron.st")
    rosenblatt.save(nn.Network(nn.NetworkSpec(2, (3,), 1, output="identity"), seed=0), folder / "network.st")
    (folder / "notes.txt").write_text("milk\n", encoding="utf-8")
    return folder


NO_TABULAR = "not a tabular model; use rosenblatt.load in Python"
REFUSED = {
    "no model": (("t.csv",), r"t\.csv: this is not a rosenblatt model"),
    "a table before the model": (("t.csv", "price.st"), r"t\.csv: this is not a rosenblatt model"),
    "a model that is not there": (("prise.st",), r"no file prise\.st\. Did you mean price\.st\?"),
    "half a model": (("half.st",), r"half\.st: "),
    "half a model beside another": (("price.st", "half.st", "t.csv"), r"half\.st: "),
    "a foreign file": (("foreign.st",), r"foreign\.st: .*not a rosenblatt model"),
    "a foreign file as the second": (("price.st", "foreign.st", "t.csv"), r"foreign\.st: .*not a rosenblatt model"),
    "a pipeline": (("pipeline.st", "t.csv"), rf"pipeline\.st: it holds a Pipeline, {NO_TABULAR}"),
    "a pipeline beside a model": (("price.st", "pipeline.st", "t.csv"), rf"pipeline\.st: it holds a .*{NO_TABULAR}"),
    "a perceptron": (("perceptron.st",), rf"perceptron\.st: it holds a Perceptron, {NO_TABULAR}"),
    "a network": (("network.st",), rf"network\.st: it holds a Network, {NO_TABULAR}"),
    "a folder": ((".",), r".*folder.*|.*directory"),
    "a model from standard input": (("-",), r"models are not read from standard input \(-\)"),
    "a table that is not there": (("price.st", "u.csv"), r"there is no file u\.csv"),
    "data that are not there": (("price.st", "--data", "u.csv"), r"there is no file u\.csv.*|.*u\.csv"),
    "no target": (("price.st", "no_price.csv"), r"no_price\.csv: there is no target column 'price'"),
    "no column": (("price.st", "no_size.csv"), r"no_size\.csv: there is no column 'size'"),
    "another class": (("kind.st", "odd.csv"), r"odd\.csv: target 'kind' has the class 'round'"),
    "texts as a number": (("price.st", "text.csv"), r"text\.csv: .*'price'"),
    "no rows": (("price.st", "empty.csv"), r"(empty\.csv: )?.*no rows"),
    "two tables": (("price.st", "t.csv", "one.csv"), r"t\.csv and one\.csv are 2 tables of rows to score; give one"),
    "a table twice": (("price.st", "t.csv", "--data", "one.csv"), r"t\.csv and one\.csv are 2 tables "),
    "three models": (("price.st", "other.st", "kind.st", "t.csv"), "3 models were given; a report is of one model, "),
    "two models without rows": (("price.st", "other.st"), "two models are compared on the same rows: .* by --data"),
    "two models and standard input": (("price.st", "other.st", "-"), r"standard input \(-\) is read once; give a file"),
    "a model as the data": (
        ("price.st", "--data", "other.st"),
        r"--data other\.st is a model file; --data names a table",
    ),
    "a model twice": (
        ("price.st", "price.st", "t.csv"),
        r"price\.st and price\.st are the same file; give two models",
    ),
    "two targets": (("price.st", "size.st", "t.csv"), "price predicts 'price', and size predicts 'size'"),
    "numbers beside classes": (("price.st", "kind.st", "t.csv"), "price predicts 'price', and kind predicts 'kind'"),
    "other classes": (("grade.st", "fewer.st", "t.csv"), "only grade knows the class 'c'"),
    "quantiles beside a number": (
        ("quantiles.st", "price.st", "t.csv"),
        r"quantiles predicts the quantiles 0\.1, 0\.9, and price predicts a number",
    ),
    "two models and a table without a column of one": (
        ("price.st", "other.st", "no_size.csv"),
        r"no_size\.csv: there is no column 'size'",
    ),
    "two models and training rows": (
        ("price.st", "other.st", "t.csv", "--training", "t.csv"),
        "--training is for the report of one model; ",
    ),
    "weights without rows": (("price.st", "--weight", "width"), "--weight names a column of the rows to score, "),
    "an unknown weight": (("price.st", "t.csv", "--weight", "wdth"), ".*'wdth'.*Did you mean 'width'"),
    "negative weights": (("price.st", "t.csv", "--weight", "width"), ".*'width'"),
    "an unknown encoding": (("price.st", "t.csv", "--encoding", "utf-9"), "--encoding 'utf-9' is unknown"),
    "training rows without the target": (("price.st", "t.csv", "--training", "no_price.csv"), r"no_price\.csv: "),
    "standard input twice": (
        ("price.st", "-", "--training", "-"),
        r"standard input \(-\) is read once, but file and training are to be read from it",
    ),
    "two results": (("price.st", "--json", "--out", "-"), "--json and --out - both write to standard output"),
    "another ending": (("price.st", "--out", "r.pdf"), r"--out r\.pdf: reports are written as \.html, \.htm, \.md, "),
    "no ending": (("price.st", "--out", "report"), "--out report: reports are written as "),
    "no folder": (("price.st", "--out", "none/r.md"), r"there is no folder none to write r\.md to"),
    "a file that is no report": (("price.st", "--out", "notes.txt"), r"notes\.txt exists and holds no report; "),
    "an unknown option": (("price.st", "--force"), r".*\(rosenblatt report --help explains\)"),
}


@pytest.mark.parametrize(("arguments", "words"), REFUSED.values(), ids=REFUSED)
def test_it_is_refused_in_one_line(arguments, words, folder, monkeypatch):
    monkeypatch.chdir(folder)
    before = sorted(os.listdir())
    with pytest.raises(CommandError) as refused:
        run("report", *arguments)
    assert refused.value.code == 2
    assert re.fullmatch(f"rosenblatt: .*({words}).*", str(refused.value)), str(refused.value)
    assert sorted(os.listdir()) == before


@pytest.mark.parametrize(
    "models",
    [("price.st",), pytest.param(("price.st", "other.st"), marks=pytest.mark.long), ("kind.st",), ("grade.st",)],
)
def test_one_row_is_enough(models, folder, monkeypatch):
    monkeypatch.chdir(folder)
    for suffix in ("txt", "md", "json", *(["html"] if len(models) == 2 else [])):
        name = f"one-{models[-1]}.{suffix}"
        assert f"file      {name}" in run("report", *models, "one.csv", "--out", name)
        os.remove(name)
