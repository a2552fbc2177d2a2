"""Documents: their Python runs from the first line to the last and prints what is expected; docstring examples too."""

import doctest
import importlib
import importlib.util
import inspect
import re
import subprocess
import sys
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
FOLDERS = ("docs", "docs/api", "docs/how-it-works")
PAGES = ["README.md", *sorted(f"{folder}/{page.name}" for folder in FOLDERS for page in (ROOT / folder).glob("*.md"))]
ENGINE = "docs/how-it-works/"
LONG = ("docs/faq.md", "docs/searches.md", "docs/when-to-use-something-else.md")
SNIPPET = re.compile(r"^```python\n(.*?)^```$", re.M | re.S)

# What a page prints, in this order. Numbers in groups must rise.
PRINTED = {
    "README.md": [
        r"accuracy [01]\.[09]\d+ on rows not seen in training; always 'class_1'",
        r"permutation, 178 rows",
        r"sklearn\S+ +loss (0\.\d{12})\d+ after .*\nrosenblatt\S+ +loss \1\d+ after",
        r"loss \d\.\d+ to 0\.\d+; first weights \(6, 32\)",
    ],
    "docs/diagnosis.md": [
        r"State: learning rate too low",
        r"^higher learning rate: validation accuracy 0\.5\d+ -> 0\.8\d+ .* with learning_rate_init=0\.001\.",
        r"\n0\.001\n",
        r"State: overfit",
        r"1\. L2: validation R2 0\.[01]\d* -> 0\.[45]\d* .* with alpha=10\.0\.",
    ],
    "docs/faq.md": [
        r"^loss without scaling 0\.[2-9]\d*, with scaling 0\.[01]\d*\n",
        r"'isa_available', 'processors'",
        r"ended after \d\d of at most 500 epochs\nbest validation accuracy (?:0\.9\d|1\.00)\nthe same bits True\n",
        r"predicted too high: [67]\d%\n\(1,\)\n",
        r"\ncolumn +importance +deviation\n",
        r"\n(?:[79]\d|8\d)% of new rows lie within\nsame predictions True\n",
    ],
    "docs/getting-started.md": [
        r"TabularRegressor, trained on 500 rows of 4 columns\n\nR2 0\.9\d* on rows not seen in training; always ",
        r"built +date",
        r"\nR2 0\.[89]\d on new rows\n\[",
        r"\nrooms +(?:0\.[5-9]|1\.)\d*.*\n",
        r"\naccuracy 0\.9[5-9]\d\nbest validation accuracy 0\.9[5-9]\d, after \d+ epochs\n",
        r"\ntraining accuracy (?:0\.9\d|1\.00)\n",
    ],
    "docs/export.md": [
        r"^True True\n",
        r"\nlargest relative difference \d\.\d+e-0[6-9]\nTabularRegressor rent \['area', 'city', 'built'\]\n",
        r"\niris\.h \(\d\.\d+ kB of C; 1\.\d+ kB of constants, \d+ bytes of stack\)",
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
    "docs/searches.md": [
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
        r"\n(?:8[6-9]|9[0-4])% of further rows lie within\n",
    ],
    "docs/explanations.md": [
        r"^permutation, 111 rows: drop of the R2.*\nR2 0\.[2-5]",
        r"\n(?:bmi|s5)\b[^%]*\n\(111, 10\)\n",
        r"\n20 +([\d.]+) ±.*\n25 +([\d.]+) ±.*\n30 +([\d.]+) ±",
        r"\nshapley, row 0: the prediction of target\nprediction [\d.]+ = baseline [\d.]+ \+ contributions, to within",
        r"\ncolumn +value +contribution +standard error\n",
        r"\nday +100\.0% +0\.0%.*2024-01-14\ncity +34\.0% .*'Chur'\nrooms +18\.8% +20\.0%",
    ],
    "docs/when-to-use-something-else.md": [
        r"^R2 of the linear model 0\.4\d\nR2 of the network 0\.[234]\d\n",
        r"\nday 199: (?:49|50|51)\d, day 399: (?:49|50|51)\d\nin truth: 50\d and 90\d\n",
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
    "page",
    [
        pytest.param(page, marks=pytest.mark.long) if page in LONG else page
        for page in PAGES
        if not page.startswith(ENGINE)
    ],
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


@pytest.mark.long
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_commands_of_the_first_page_run_after_its_code(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "docs" / "getting-started.md").read_text(encoding="utf-8")
    section = text.partition("## A table and a column")[2].partition("\n## ")[0]
    names: dict[str, object] = {}
    for snippet in SNIPPET.findall(section):
        exec(compile(snippet, "getting-started.md", "exec"), names)
    commands = re.findall(r"^    rosenblatt (.*)$", section, re.M)
    assert [command.split()[0] for command in commands] == ["train", "predict", "explain"]
    for command in commands:
        done = subprocess.run([sys.executable, "-m", "rosenblatt", *command.split()], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert len((tmp_path / "predictions.csv").read_text(encoding="utf-8").splitlines()) == 101


@pytest.mark.parametrize("page", [page for page in PAGES if page.startswith(ENGINE)])
def test_a_page_on_the_engine_shows_what_its_code_prints(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    assert how_it_works().rendered(text, page) == text
    assert text.count("```python") == len(SNIPPET.findall(text)) > 0


def how_it_works():
    """The script that makes these pages again."""
    spec = importlib.util.spec_from_file_location("how_it_works", ROOT / "docs" / "how_it_works.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_pictures_of_the_engine_are_drawn_as_they_are_kept(tmp_path, monkeypatch):
    module = how_it_works()
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    matplotlib.use("Agg")
    for draw in (module.draw_program, module.draw_derivative, module.draw_plan, module.draw_threads):
        draw()
    kept = sorted((ROOT / ENGINE).glob("*.svg"))
    assert [path.name for path in kept] == sorted(path.name for path in tmp_path.glob("*.svg"))


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


def prose(page):
    """The text of a page without its blocks of code, and with what it includes."""
    text = (ROOT / page).read_text(encoding="utf-8")
    included = re.fullmatch(r"```\{include\} (\S+)\n```\n", text)
    if included:
        text = (ROOT / page).parent.joinpath(included[1]).read_text(encoding="utf-8")
    return re.sub(r"^(`{3,}|:{3,})[^\n]*\n.*?^\1$\n?", "", text, flags=re.M | re.S)


TITLES = [
    *("Getting started", "User guide", "Lessons", "API reference", "Benchmarks", "How it works", "Contributing"),
    *("Questions that people ask", "When to use something else"),
]


def test_the_site_has_its_sections_in_the_order_in_which_one_reads_them():
    text = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    assert re.findall(r"^- \[([^]]+)\]\(", text, re.M) == TITLES
    tree = re.search(r"^```\{toctree\}\n(.*?)^```$", text, re.M | re.S)[1].split()[1:]
    files = re.findall(r"^- \[[^]]+\]\(([^)]+)\)", text, re.M)
    assert [f"{entry}.md" for entry in tree] == [file.replace("../examples/README", "lessons/index") for file in files]


def headings(page):
    """The levels and titles of a page's headings."""
    return [(len(level), title) for level, title in re.findall(r"^(#+) (.*)$", prose(page), re.M)]


def anchors(page):
    """The anchors of a page's headings, as GitHub and the site make them."""
    titles = (re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", title) for _, title in headings(page))
    return [re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-") for title in titles]


def toctrees(page):
    """The pages that a page lists in the tree of the site."""
    text = (ROOT / page).read_text(encoding="utf-8")
    entries = [line for tree in re.findall(r"^```\{toctree\}\n(.*?)^```$", text, re.M | re.S) for line in tree.split()]
    return [f"docs/{entry}.md" for entry in entries if not entry.startswith(":")]


def test_every_page_is_in_the_tree_of_the_site():
    """Sphinx itself says which entries do not exist: some are generated."""
    found, left = {"README.md"}, ["docs/index.md"]
    while left:
        page = left.pop()
        assert page not in found
        found.add(page)
        left += toctrees(page) if (ROOT / page).exists() else []
    assert set(PAGES) - found == set()


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_one_title_and_says_first_what_it_answers(page):
    levels = [level for level, _ in headings(page)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(levels, levels[1:], strict=False))
    assert len(set(anchors(page))) == len(levels)
    first = prose(page).partition("\n\n")[2].partition("\n\n")[0]
    assert re.match(r"[A-Z`*]", first), first
    assert re.search(r"[.?:]$", first), first


OTHERS = ("examples/README.md", "CONTRIBUTING.md", "SECURITY.md")
NOWHERE = {
    "above",
    "always",
    "below",
    "click here",
    "here",
    "link",
    "measured",
    "page",
    "see",
    "this",
    "this page",
    "why",
}
"""Texts of links that do not say where they lead."""


@pytest.mark.parametrize("page", [*PAGES, *OTHERS])
def test_the_text_of_a_link_says_where_it_leads(page):
    for text, target in re.findall(r"(?<!!)\[([^]]*)\]\(([^)]+)\)", prose(page)):
        assert not text.endswith(".md"), f"the title of the page, not its file: {text}"
        assert text.lower() not in NOWHERE, (text, target)


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.startswith("docs/") and page != "docs/contributing.md"]
)
def test_a_page_leads_to_another_by_a_link(page):
    """The name of its file in a sentence leads nowhere on the site."""
    assert re.findall(r"(?<!\[)`?\b(?:docs/[\w/-]+|CONTRIBUTING|README)\.md\b`?(?![)#\w])", prose(page)) == []


@pytest.mark.parametrize("page", [*PAGES, *OTHERS])
def test_links_between_pages_lead_somewhere(page):
    home = (ROOT / page).parent
    for target, anchor in re.findall(r"\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)", prose(page)):
        if page == "docs/contributing.md":
            home = ROOT
        path = (home / target).resolve() if target else ROOT / page
        assert path.exists(), target
        if anchor:
            assert anchor in anchors(path.relative_to(ROOT)), (target, anchor)
