"""The site: links that are right on GitHub lead to the same place there; formulas are MathML."""

import importlib.util
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def extension(name):
    pytest.importorskip("sphinx")
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / "_ext" / f"{name}.py")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("folder", "page", "given", "expected"),
    [
        ("docs", "book", "[x](../examples/book/xor.py)", "[x](lessons/xor.rst)"),
        ("docs/how-it-works", "how-it-works/plan", "[x](../../examples/book/xor.py)", "[x](../lessons/xor.rst)"),
        ("docs", "book", "[x](../README.md)", "[x](index.md)"),
        ("docs", "book", "[x](../README.md#install)", "[x](REPOSITORY/blob/main/README.md#install)"),
        ("docs", "book", "[x](../CONTRIBUTING.md#rules)", "[x](contributing.md#rules)"),
        ("docs", "book", "[x](../examples/tables)", "[x](lessons-tables/index.rst)"),
        ("docs", "book", "[x](../examples/book/_data.py)", "[x](REPOSITORY/blob/main/examples/book/_data.py)"),
        ("docs", "book", "[x](../benchmarks)", "[x](REPOSITORY/tree/main/benchmarks)"),
        ("docs", "book", "[x](training.md#a) ![y](roc.svg)", "[x](training.md#a) ![y](roc.svg)"),
        ("docs", "book", "[x](https://example.org/../a)", "[x](https://example.org/../a)"),
        ("docs", "book", "```python\nf[0](../README.md)\n```\n", "```python\nf[0](../README.md)\n```\n"),
        ("", "contributing", "[x](docs/training.md)", "[x](training.md)"),
        ("", "contributing", "[x](LICENSE)", "[x](REPOSITORY/blob/main/LICENSE)"),
        ("", "how-it-works/plan", "[x](docs/training.md)", "[x](../training.md)"),
        ("docs", "book", "[x]: ../README.md", "[x]: index.md"),
    ],
)
def test_links_lead_to_the_page_or_to_the_repository(folder, page, given, expected):
    links = extension("repository_links")
    assert links.rewritten(given, folder, page, ROOT) == expected.replace("REPOSITORY", links.REPOSITORY)


def test_galleries_name_every_example_in_an_order():
    order = extension("reading_order")
    for folder, names in (("book", order.CHAPTERS), ("tables", order.STEPS)):
        scripts = {path.stem for path in (ROOT / "examples" / folder).glob("[a-z]*.py")}
        assert set(names) == scripts
    key = order.ReadingOrder("")
    assert sorted(["zebra.py", "xor.py", "autodiff.py"], key=key) == ["autodiff.py", "xor.py", "zebra.py"]


def test_formulas_are_mathml():
    assert "<math" in extension("mathml").tex2mathml(r"\frac{1}{1 + e^{-z}}")
    assert "mathjax" not in (ROOT / "docs" / "conf.py").read_text(encoding="utf-8").lower()


def test_no_page_has_the_name_of_one_that_sphinx_writes():
    """Such a page would be overwritten without a word: `search` is the page that searches."""
    pages = {path.stem for path in (ROOT / "docs").glob("*.md")}
    assert pages & {"search", "genindex", "py-modindex", "modindex"} == set()


@pytest.fixture(scope="module")
def reference():
    return extension("api_reference")


@pytest.mark.parametrize(
    ("text", "page"),
    [
        ("MLPClassifier", "api/names/rosenblatt.MLPClassifier"),
        ("nn.Dense", "api/names/rosenblatt.nn.Dense"),
        ("rosenblatt.nn.Dense", "api/names/rosenblatt.nn.Dense"),
        ("rosenblatt.save", "api/names/rosenblatt.save"),
        ("learn", "api/names/rosenblatt.learn"),
        ("plot_roc", "api/names/rosenblatt.plots.plot_roc"),
        ("rosenblatt.nn", "api/packages/rosenblatt.nn"),
        ("rosenblatt.training.fit", "api/names/rosenblatt.training.fit"),
        ("fit", None),  # a method of every estimator
        ("save", None),  # a method of reports
        ("plot", None),  # an extra
        ("playground", None),  # an extra and a command
        ("codes", None),  # a word
        ("gradient_statistics", None),  # a parameter
        ("Comparison", None),  # of two packages
        ("report", None),
        ("rosenblatt", None),
    ],
)
def test_a_literal_is_a_link_only_if_it_can_mean_nothing_else(reference, text, page):
    packages = reference.reference()
    pages = {"api/index", *(f"api/packages/{package.name}" for package in packages)}
    pages |= {f"api/names/{package.name}.{name}" for package in packages for name in package.own}
    assert reference.linked_names(pages).get(text) == page


def test_the_first_page_of_the_reference_names_every_package(reference):
    text = (ROOT / "docs" / "api" / "index.md").read_text(encoding="utf-8")
    packages = [package.name for package in reference.reference() if package.own]
    assert re.findall(r"^\| `([\w.]+)` \|", text, re.M) == packages
