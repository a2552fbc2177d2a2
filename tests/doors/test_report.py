"""Reports that are asked for in the wrong words: models, rows, targets, columns, weights, other models, files."""

import re
from pathlib import Path

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import rosenblatt
from rosenblatt import MLPClassifier, TabularClassifier, TabularRegressor
from rosenblatt.report.report import make_report

RNG = np.random.default_rng(0)
X = {"size": RNG.normal(size=60), "colour": RNG.choice(["red", "green"], 60), "place": np.arange(60.0)}
VALUE = X["size"] + (X["colour"] == "red")
CLASS = np.where(VALUE > 0.5, "yes", "no")
BOTH = ("classifier", "regressor")


@pytest.fixture(scope="module")
def models():
    table = {**X, "class": CLASS, "value": VALUE}
    classifier = TabularClassifier("fast", max_iter=2, ignore=["value"]).fit(table, "class")
    return {
        "classifier": classifier,
        "regressor": TabularRegressor("fast", max_iter=2, ignore=["class"]).fit(table, "value"),
    }


def without(name):
    return {column: values for column, values in X.items() if column != name}


def ones(*shape):
    return np.ones(shape)


SITUATIONS = [
    (
        "no target",
        {"y": None},
        BOTH,
        "X has no column '(class|value)', which the model predicts: give the targets as y",
    ),
    ("a target that is an input", {"y": "size"}, BOTH, "y names 'size', which is one of the columns"),
    ("a target that is nowhere", {"y": "price"}, BOTH, "there is no target column 'price'"),
    ("targets of another length", {"y": CLASS[:9]}, ("classifier",), "X has 60 rows, y has 9"),
    (
        "a class that is new",
        {"y": np.full(60, "perhaps")},
        ("classifier",),
        "class 'perhaps' in row 1; training did not",
    ),
    ("a target that is missing", {"y": np.where(VALUE > 1, np.nan, VALUE)}, ("regressor",), "y contains NaN"),
    ("other columns", {"X": {"a": VALUE, "b": VALUE}}, BOTH, "the table lacks 3 of the columns that training used"),
    ("a column less", {"X": without("colour")}, BOTH, "the table has no column 'colour'"),
    ("no rows", {"X": {name: v[:0] for name, v in X.items()}, "y": CLASS[:0]}, BOTH, "no rows"),
    ("an array", {"X": ones(60, 3)}, BOTH, "X is an array, whose columns have no names"),
    ("targets without rows", {"X": None}, BOTH, "y was given without X: give the rows that it belongs to"),
    (
        "weights without rows",
        {"X": None, "y": None, "sample_weight": ones(3)},
        BOTH,
        "sample_weight was given without X",
    ),
    ("others without rows", {"X": None, "y": None, "others": {}}, BOTH, "others was given without X"),
    ("weights of other rows", {"sample_weight": ones(3)}, BOTH, r"sample_weight has shape \(3,\)"),
    ("negative weights", {"sample_weight": -ones(60)}, BOTH, "weights must be at least 0"),
    (
        "weights in no column",
        {"sample_weight": "wheight"},
        BOTH,
        "sample_weight names a column 'wheight' that is not there",
    ),
    ("training without targets", {"training": X}, BOTH, "training has no column '(class|value)'"),
    ("training of three parts", {"training": (X, CLASS, CLASS)}, BOTH, "training is 3 things; give a table"),
    ("others in a list", {"others": [VALUE]}, BOTH, "others is list; give a mapping of names"),
    ("others of other rows", {"others": {"a": ones(59)}}, BOTH, r"others\['a'\] holds 59 predictions, but X has 60"),
    (
        "others with many columns",
        {"others": {"a": ones(60, 5)}},
        BOTH,
        r"others\['a'\] has 5 columns, but the model has",
    ),
    ("others of texts", {"others": {"a": "b"}}, BOTH, r"others\['a'\] holds str, no predictions"),
    ("others of nothing", {"others": {"a": None}}, BOTH, r"others\['a'\] holds NoneType, no predictions"),
    (
        "others that are missing",
        {"others": {"a": np.full((60, 2), np.nan)}},
        ("classifier",),
        r"others\['a'\] (is not finite in row 1|has nan)",
    ),
    (
        "others of new classes",
        {"others": {"a": np.full(60, "x")}},
        ("classifier",),
        r"others\['a'\]: .*class 'x' in row 1",
    ),
    ("others that are not fitted", {"others": {"a": TabularClassifier()}}, BOTH, "is not fitted yet"),
]


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        pytest.param(change, kind, text, id=f"{name}-{kind}")
        for name, change, kinds, text in SITUATIONS
        for kind in kinds
    ],
)
def test_it_is_refused(models, change, kind, message):
    given = {"X": X, "y": CLASS if kind == "classifier" else VALUE, **change}
    if given["y"] is not None and len(given["y"]) == 0:
        given["y"] = given["y"] if kind == "classifier" else VALUE[:0]
    with pytest.raises((ValueError, TypeError), match=message):
        models[kind].report(given.pop("X"), given.pop("y"), **given)


def test_models_that_have_no_report_are_named(models):
    for model in (TabularClassifier(), TabularRegressor()):
        with pytest.raises(NotFittedError, match=r"This Tabular.* instance is not fitted yet"):
            model.report()
    perceptron = make_pipeline(FunctionTransformer(), models["classifier"])
    for model in (None, 3, LogisticRegression(), MLPClassifier(), perceptron, TabularClassifier):
        with pytest.raises(TypeError, match="needs a fitted TabularClassifier or TabularRegressor, not "):
            make_report(model)
    with pytest.raises(TypeError, match=r"no parameter 'trainig'\. Did you mean 'training'\?"):
        models["classifier"].report(X, CLASS, trainig=X)


def test_files_of_reports_are_refused_and_nothing_is_lost(models, tmp_path):
    report = models["classifier"].report()
    for name, words in (
        ("report.pdf", r"ends in '\.pdf'; a report is saved as one of \.html"),
        ("report", "has no ending"),
    ):
        (tmp_path / name).write_text("before")
        with pytest.raises(ValueError, match=words):
            report.save(tmp_path / name)
        assert (tmp_path / name).read_text() == "before"
    with pytest.raises(FileNotFoundError, match="there is no such folder"):
        report.save(tmp_path / "nowhere" / "report.md")
    (tmp_path / "folder.md").mkdir()
    with pytest.raises(IsADirectoryError, match="is a folder; give a file name"):
        report.save(tmp_path / "folder.md")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder.md", "report", "report.pdf"]


def test_a_report_that_fails_leaves_the_file_as_it_was(models, tmp_path, monkeypatch):
    report, path = models["classifier"].report(), tmp_path / "report.md"
    report.save(path)
    before = path.read_bytes()

    def fails(self):
        raise MemoryError

    monkeypatch.setattr(type(report), "to_markdown", fails)
    with pytest.raises(MemoryError):
        report.save(path)
    assert path.read_bytes() == before
    assert [found.name for found in tmp_path.iterdir()] == ["report.md"]


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("predictions", [False, True])
def test_half_a_model_says_what_is_missing(models, kind, predictions, tmp_path):
    """A loaded model lacks held-out rows of its networks, and perhaps its training predictions."""
    path, y = tmp_path / "model.safetensors", CLASS if kind == "classifier" else VALUE
    rosenblatt.save(models[kind], path, training_predictions=predictions)
    model = rosenblatt.load(path)
    report = model.report(X, y)
    assert (report.rows is None) == (not predictions)
    assert bool(report.facts.get("missing")) == (not predictions)
    for text in (str(report), report.to_markdown()):
        assert ("training_predictions=True" in text) == (not predictions)
    assert str(model.report()) == str(models[kind].report())


@pytest.mark.parametrize("kind", BOTH)
def test_one_row_has_a_report(models, kind):
    y = CLASS if kind == "classifier" else VALUE
    one = {name: values[:1] for name, values in X.items()}
    report = models[kind].report(one, y[:1], training=(X, y))
    assert len(report.rows) == 1
    assert re.search("scored on 1 row only", str(report))
    assert Path(report.__module__.replace(".", "/")).name == "report"


def test_odd_names_are_shown_on_one_line():
    rng = np.random.default_rng(0)
    names = ("a|b", "line\nbreak", "", "*", "x" * 400)
    table = {name: rng.normal(size=40) for name in names} | {"<y>\n": rng.choice(["a\nb", "c|d"], 40)}
    report = TabularClassifier("fast", max_iter=1).fit(table, "<y>\n").report(table)
    rows = [line for line in report.to_markdown().splitlines() if line.startswith("| ")]
    widths = {line.replace("\\|", "").count("|") for line in rows}
    assert widths <= set(range(3, 9))
    assert all(line.endswith(" |") for line in rows)
    assert len({column["name"] for column in report.to_dict()["data"]["columns"]}) == 5
