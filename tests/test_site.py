"""The site: links that are right on GitHub lead to the same place there; formulas are MathML."""

import importlib.util
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
