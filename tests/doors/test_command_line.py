"""Options of the command line that are given what they do not take: one line, exit code 2, and nothing is written."""

import os
import re

import numpy as np
import pytest
from tests.doors.doors import CommandError, run, write_csv

SMALL = ("--epochs", "1", "--members", "1", "--hidden", "4")
TRAIN = ("train", "t.csv", "--target", "price")
CLASSES = ("train", "t.csv", "--target", "kind")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a table, models of its number and of its two classes, and tables that lack something."""
    folder = tmp_path_factory.mktemp("doors")
    rng = np.random.default_rng(0)
    size = rng.normal(size=60).round(3)
    columns = {"size": size, "width": rng.normal(size=60).round(3), "kind": np.where(size > 0, "wide", "thin")}
    columns["price"] = (10 + 3 * size + columns["width"]).round(3)
    write_csv(folder / "t.csv", columns)
    write_csv(folder / "no_price.csv", {name: column for name, column in columns.items() if name != "price"})
    write_csv(folder / "no_size.csv", {name: column for name, column in columns.items() if name != "size"})
    write_csv(folder / "odd.csv", {**columns, "kind": ["round"] * 60})
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        run(*TRAIN, "--out", "price.st", *SMALL)
        run(*CLASSES, "--ignore", "price", "--out", "kind.st", *SMALL)
    return folder


REFUSED = {
    "a threshold above one": (
        ("predict", "kind.st", "t.csv", "--out", "p.csv", "--threshold", "1.5"),
        r"--threshold is 1\.5; it must be a number from 0 to 1",
    ),
    "a threshold that is no number": (("evaluate", "kind.st", "t.csv", "--threshold", "nan"), "--threshold is nan"),
    "a threshold of a number": (
        ("evaluate", "price.st", "t.csv", "--threshold", "0.5"),
        "--threshold is for two classes, .* of numbers",
    ),
    "no threads": ((*TRAIN, "--threads", "0"), r"--threads is 0; it must be an integer from 1 to 128"),
    "no candidates": (
        ("tune", "table.csv", "--target", "y", "--candidates", "0"),
        "--candidates is 0; it must be a positive integer",
    ),
    "too many threads": (("inspect", "kind.st", "--threads", "129"), "--threads is 129"),
    "threads as a text": (("inspect", "kind.st", "--threads", "all"), "--threads is 'all'; it must be an integer"),
    "falling quantiles": (
        (*TRAIN, "--quantiles", "0.9,0.1"),
        r"--quantiles '0\.9,0\.1': write rising numbers between 0 and 1",
    ),
    "a quantile of one": ((*TRAIN, "--quantiles", "0.5,1"), "rising numbers between 0 and 1"),
    "quantiles as texts": ((*TRAIN, "--quantiles", "low,high"), "--quantiles 'low,high'"),
    "quantiles of classes": ((*CLASSES, "--quantiles", "0.1,0.9"), "--quantiles is for numbers, .*'kind' has classes"),
    "a loss of classes": ((*CLASSES, "--loss", "poisson"), "--loss is for numbers"),
    "an unknown loss": (
        (*TRAIN, "--loss", "huber"),
        "--loss: 'huber' is none of squared_error, absolute_error, poisson",
    ),
    "an order of numbers": ((*TRAIN, "--ordered", "low,high"), "--ordered is for classes, .*'price' is a number"),
    "an order of one class": ((*CLASSES, "--ordered", "wide"), "--ordered 'wide': write each class once"),
    "an order of other classes": (
        (*CLASSES, "--ordered", "thin,broad"),
        r"--ordered is .*'broad'.*it must list each class",
    ),
    "weights of numbers": ((*TRAIN, "--class-weight", "balanced"), "--class-weight is for classes"),
    "a weight without a class": (
        (*CLASSES, "--class-weight", "2"),
        "--class-weight '2': write balanced, or CLASS=WEIGHT",
    ),
    "a negative weight": ((*CLASSES, "--class-weight", "thin=-1"), r"--class-weight thin is -1\.0"),
    "two weights": ((*CLASSES, "--class-weight", "thin=1", "--class-weight", "thin=2"), "'thin' two weights"),
    "a weight of another class": ((*CLASSES, "--class-weight", "round=2"), "class_weight|--class-weight.*round"),
    "a share of one": ((*TRAIN, "--test-share", "1"), "--test-share is 1"),
    "a test without the target": (
        (*TRAIN, "--test", "no_price.csv"),
        r"no_price\.csv: there is no target column 'price'",
    ),
    "a test without a column": ((*TRAIN, "--test", "no_size.csv"), r"no_size\.csv: there is no column 'size'"),
    "a test of other classes": ((*CLASSES, "--test", "odd.csv"), r"odd\.csv: target 'kind' has the class 'round'"),
    "a test that is not there": ((*TRAIN, "--test", "not.csv"), r"there is no file not\.csv"),
    "two tables from standard input": (
        ("train", "-", "--target", "y", "--test", "-"),
        r"standard input \(-\) is read once, but file and test",
    ),
    "a test beside a share": (
        (*TRAIN, "--test", "t.csv", "--test-share", "0.3"),
        "--test and --test-share both say which rows are scored",
    ),
    "a share that leaves too little": ((*TRAIN, "--test-share", "0.98"), r"Only \d+ of \d+ rows train; try a smaller"),
    "a model from standard input": (("inspect", "-"), r"models are not read from standard input \(-\)"),
    "a model that is not there": (("inspect", "prise.st"), r"no file prise\.st\. Did you mean price\.st\?"),
    "rows beside a row": (("explain", "kind.st", "t.csv", "--row", "1", "--rows", "3"), "--row explains a single row"),
    "repeats without shuffles": (
        ("explain", "kind.st", "t.csv", "--method", "gradient", "--repeats", "3"),
        "--method gradient shuffles nothing; leave --repeats out",
    ),
    "an unknown option of a command": (("explain", "--rws", "3"), r"\(rosenblatt explain --help explains\)"),
    "two results on standard output": (
        (*TRAIN, "--json", "--out", "-"),
        "--json and --out - both write to standard output",
    ),
    "an unknown column to ignore": ((*TRAIN, "--ignore", "sise"), "'sise' that is not there. Did you mean 'size'"),
    "an unknown encoding": (("evaluate", "kind.st", "t.csv", "--encoding", "utf-9"), "--encoding 'utf-9' is unknown"),
    "an evaluation without the target": (
        ("evaluate", "price.st", "no_price.csv"),
        r"no_price\.csv: there is no target column 'price'",
    ),
    "an evaluation without a column": (("evaluate", "price.st", "no_size.csv"), "no column 'size'"),
    "an evaluation of other classes": (("evaluate", "kind.st", "odd.csv"), "the class 'round'"),
    "an evaluation of a table": (("evaluate", "t.csv", "t.csv"), r"t\.csv: this is not a rosenblatt model"),
    "an unknown method": (("explain", "kind.st", "t.csv", "--method", "shap"), "--method: 'shap' is none of"),
    "no repeats": (("explain", "kind.st", "t.csv", "--repeats", "0"), "--repeats is 0; it must be a positive integer"),
    "no rows": (("explain", "kind.st", "t.csv", "--rows", "0"), "--rows is 0"),
    "groups and times": (
        (*TRAIN, "--group", "kind", "--time-column", "width"),
        "--group and --time-column are both given",
    ),
    "an unknown group": ((*TRAIN, "--group", "kindd"), "--group names .*'kindd'.*Did you mean 'kind'"),
    "an unknown time": ((*TRAIN, "--time-column", "days"), "--time-column names .*'days'"),
    "an unknown weight": ((*TRAIN, "--weight", "wdth"), "--weight names .*'wdth'.*Did you mean 'width'"),
    "an unknown id": ((*TRAIN, "--id", "sise"), "--id names .*'sise'.*Did you mean 'size'"),
    "the target as group": ((*TRAIN, "--group", "price"), "--group names the target 'price'"),
    "the target as id": ((*TRAIN, "--id", "price"), "--id names the target 'price'"),
    "negative weights": ((*TRAIN, "--weight", "size"), "'size'"),
    "texts as weights": ((*TRAIN, "--weight", "kind"), "'kind'"),
    "texts as times": ((*TRAIN, "--time-column", "kind"), "'kind'"),
    "a kind of an id": ((*TRAIN, "--id", "kind", "--kind", "kind=text"), "--id names it"),
    "a validation without the target": (
        (*TRAIN, "--validation", "no_price.csv"),
        r"no_price\.csv: there is no target column 'price'",
    ),
    "a validation without a column": (
        (*TRAIN, "--validation", "no_size.csv"),
        r"no_size\.csv: there is no column 'size'",
    ),
    "an evaluation without the weight": (
        ("evaluate", "price.st", "no_size.csv", "--weight", "size"),
        "no_size.csv: .*'size'",
    ),
    "row zero": (("explain", "kind.st", "t.csv", "--row", "0"), "--row is 0; it must be a positive integer"),
    "a row that is not there": (
        ("explain", "kind.st", "t.csv", "--row", "61"),
        "--row is 61, but the table has 60 rows",
    ),
    "a row by shuffling": (
        ("explain", "kind.st", "t.csv", "--row", "1", "--method", "permutation"),
        "permutation compares rows",
    ),
    "a drift of a table": (("drift", "t.csv", "t.csv"), r"t\.csv: this is not a rosenblatt model"),
    "a drift without a column": (("drift", "price.st", "no_size.csv"), "no column 'size'"),
}


@pytest.mark.parametrize(("arguments", "words"), REFUSED.values(), ids=REFUSED)
def test_it_is_refused_in_one_line(arguments, words, folder, monkeypatch):
    monkeypatch.chdir(folder)
    before = sorted(os.listdir())
    with pytest.raises(CommandError) as refused:
        run(*arguments)
    message = str(refused.value)
    assert refused.value.code == 2
    assert re.fullmatch(rf"rosenblatt: .*({words}).*", message), message
    assert sorted(os.listdir()) == before
