"""Documents: their Python runs from the first line to the last and prints what is expected; docstring examples too."""

import doctest
import importlib
import inspect
import re
from pathlib import Path

import matplotlib
import matplotlib.pyplot
import pytest
import sklearn.linear_model
import sklearn.neural_network

import rosenblatt
import rosenblatt.plots
from rosenblatt.estimators import LogisticRegression, MLPClassifier, MLPRegressor, Perceptron

ROOT = Path(__file__).parents[1]
SOURCES = Path(rosenblatt.__file__).parent
PAGES = ["README.md", *sorted(f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md"))]
SNIPPET = re.compile(r"^```python\n(.*?)^```$", re.M | re.S)

# What a page prints, in this order. Numbers in groups must rise.
PRINTED = {
    "README.md": [
        r"accuracy [01]\.[09]\d+ on rows not seen in training; always 'class_1'",
        r"permutation, 178 rows",
        r"sklearn\S+ +loss (0\.\d{12})\d+ after .*\nrosenblatt\S+ +loss \1\d+ after",
        r"State: overfit",
        r"1\. L2: validation R2 0\.[01]\d* -> 0\.[45]\d* .* with alpha=10\.0\.",
        r"loss \d\.\d+ to 0\.\d+; first weights \(6, 32\)",
    ],
    "docs/diagnosis.md": [
        r"State: learning rate too low",
        r"^higher learning rate: validation accuracy 0\.5\d+ -> 0\.8\d+ .* with learning_rate_init=0\.001\.",
        r"\n0\.001\n",
    ],
    "docs/export.md": [
        r"^True True\n",
        r"^largest relative difference \d\.\d+e-0[6-9]\nTabularRegressor rent \['area', 'city', 'built'\]\n",
    ],
    "docs/networks.md": [
        r"accuracy (0\.9\d|1\.00)\n",
        r"\{'side': \(600, 2\), 'price': \(600, 1\)\}\nfeatures \(600, 32\)\nkept True\n",
        r"share of predictions above the target: 0\.[67]\d\nradial: accuracy 0\.[89]\d, widths \(12,\)\n",
        r"same predictions True\nprogram float32",
        r"square\(sub\)(?s:.*)\nsame training True\n",
    ],
    "docs/notebooks.md": [
        r"accuracy [01]\.\d+ on rows not seen in training; always ",
        r"4 candidates, about \d+ s left; best [01]\.\d+ after 9 epochs",
        r"\nspecies 150\n",
    ],
    "docs/pictures.md": [r"the loss falls fastest near 0\.0\d"],
    "docs/report.md": [
        r"^\[0\.9\d+, (?:0\.9\d+|1\.0)\] \[.*\]\n",
        r"^all columns is better by accuracy on these 169 rows: 0\.9\d+ against 0\.[789]\d+ \(95 % interval",
    ],
    "docs/scale.md": [r"^R2 0\.9\d on [56],\d+ held-out rows; 2\d,\d+ rows\nmean rent 9\d\d\n"],
    "docs/search.md": [
        r"^0\.9(?:5[1-9]|[6-9]\d) with \{.*'hidden_layer_sizes': \(.*\}\n",
        r"\n0 +1 +0\.9\d+ +9\n.*\n.*\n",
        r"accuracy 0\.9(?:3[1-9]|[4-9])",
        r"\d+ networks with hidden layers [\d-]+ (?:selu|mish|silu)",
    ],
    "docs/tabular.md": [
        r"R2 0\.[3-6]\d* on rows not seen in training",
        r"\nR2 0\.[2-6]\d on groups not seen in training\nR2 0\.[2-6]\d on the validation rows, .* are 142\n",
        r"\['amount'\] \['customer'\] 5\n",
        r"accuracy (?:0\.9\d|1\.00) on rows not seen in training\naccuracy 0\.[45]\d on groups not seen in training",
        r"\n(?:8[6-9]|9[0-4])% of further rows lie within\npermutation, 111 rows: drop of the R2.*\nR2 0\.[2-5]",
        r"\n(?:bmi|s5)\b[^%]*\n\(111, 10\)\n",
        r"\n20 +([\d.]+) ±.*\n25 +([\d.]+) ±.*\n30 +([\d.]+) ±",
        r"\nshapley, row 0: the prediction of target\nprediction [\d.]+ = baseline [\d.]+ \+ contributions, to within",
        r"\ncolumn +value +contribution +standard error\n",
        r"\nday +100\.0% +0\.0%.*2024-01-14\ncity +34\.0% .*'Chur'\nrooms +18\.8% +20\.0%",
    ],
    "docs/training.md": [r"vanishing 100%", r"falls fastest near \d"],
}


def said(snippet):
    """The output that the comments of a page on logic quote: those behind a print, and whole lines."""
    comments = re.findall(r"^print\(.*# (?:and )?(.*)|^# (.*)", snippet, re.M)
    return [quoted for pair in comments if "linear program" not in (quoted := "".join(pair))]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    "page", [pytest.param(page, marks=pytest.mark.long) if page == "docs/search.md" else page for page in PAGES]
)
def test_a_page_runs_and_prints_what_it_says(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    matplotlib.use("Agg")
    text = (ROOT / page).read_text(encoding="utf-8")
    snippets = SNIPPET.findall(text)
    assert len(snippets) == text.count("```python")
    names: dict[str, object] = {}
    for snippet in snippets:
        exec(compile(snippet, page, "exec"), names)
    matplotlib.pyplot.close("all")
    printed, at = capsys.readouterr().out, 0
    for pattern in PRINTED.get(page, ()):
        found = re.compile(pattern, re.M).search(printed, at)
        assert found is not None, (pattern, printed[at:])
        numbers = [float(number) for number in found.groups()]
        assert numbers == sorted(set(numbers))
        at = found.end() - 1  # the end of a line may begin the next pattern
    if page == "docs/logic.md":
        assert [quoted for snippet in snippets for quoted in said(snippet) if quoted not in printed] == []
        assert f"updates in each pass: {names['model'].mistakes_}\n" in text


@pytest.mark.parametrize(
    "path",
    [str(path.relative_to(SOURCES)) for path in sorted(SOURCES.rglob("*.py")) if ">>>" in path.read_text("utf-8")],
)
def test_examples_in_docstrings_run(path):
    outcome = doctest.testmod(importlib.import_module(".".join(["rosenblatt", *Path(path).with_suffix("").parts])))
    assert outcome.failed == 0 < outcome.attempted


def test_every_picture_is_on_its_page_and_small():
    page = (ROOT / "docs" / "pictures.md").read_text(encoding="utf-8")
    code = "".join(SNIPPET.findall(page))
    for name in (name for name in rosenblatt.plots.__all__ if name.startswith("plot_")):
        assert f"`{name}`" in page, name
        assert f"plots.{name}(" in code, name
    shown = re.findall(r"\]\((\w+\.svg)\)", page)
    assert all((ROOT / "docs" / picture).stat().st_size < 40_000 for picture in shown)


def section(title):
    guide = (ROOT / "docs" / "from-scikit-learn.md").read_text(encoding="utf-8")
    return re.search(rf"^## .*`{title}`.*?(?=^## |\Z)", guide, re.M | re.S).group()


@pytest.mark.parametrize("estimator", [MLPClassifier, MLPRegressor, LogisticRegression, Perceptron])
def test_every_parameter_is_documented(estimator):
    guide, docstring = section(estimator.__name__), inspect.getdoc(estimator)
    for name in estimator().get_params():
        assert f"`{name}`" in guide, name
        assert re.search(rf"^(\w+, )*{name}(, \w+)* : ", docstring, re.M), name


@pytest.mark.parametrize("estimator", [MLPClassifier, MLPRegressor])
def test_new_parameters_are_keyword_only_and_said_to_be_new(estimator):
    theirs = getattr(sklearn.neural_network, estimator.__name__)
    new = set(estimator().get_params()) - set(theirs().get_params())
    for name in new:
        assert inspect.signature(estimator).parameters[name].kind is inspect.Parameter.KEYWORD_ONLY
        assert re.search(rf"\| `{name}` \| new \|", section(estimator.__name__)), name
    ours, reference = (list(inspect.signature(c).parameters) for c in (estimator, theirs))
    assert ours[: len(reference)] == reference


def test_perceptron_has_scikit_learns_parameters():
    assert Perceptron().get_params() == sklearn.linear_model.Perceptron().get_params()


def test_the_first_page_shows_the_example_of_the_penguins():
    """Its table comes with a package that tests do not need; .ci/run runs the example."""
    code = re.findall(r"^```py\n(.*?)^```$", (ROOT / "README.md").read_text(encoding="utf-8"), re.M | re.S)
    example = (ROOT / "examples/penguins.py").read_text(encoding="utf-8")
    assert len(code) == 1
    assert set(code[0].splitlines()) <= set(example.splitlines())


def test_every_page_is_linked_from_the_first():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [page for page in PAGES if page != "README.md" and f"({page})" not in text] == []


@pytest.mark.parametrize("page", [*PAGES, "examples/README.md", "CONTRIBUTING.md"])
def test_links_between_pages_lead_somewhere(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    targets = re.findall(r"\]\((?!https?:)([^)#\s]+)", text)
    assert [target for target in targets if not ((ROOT / page).parent / target).exists()] == []
