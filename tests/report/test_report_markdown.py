"""Reports as Markdown, read by a parser that is not ours."""

import re

import numpy as np
import pytest

from rosenblatt import TabularClassifier
from rosenblatt.report.markdown import escaped, table


@pytest.fixture(scope="module")
def report():
    rng = np.random.default_rng(0)
    X = {"a|b": rng.normal(size=200), "snake_case": rng.normal(size=200), "<i>": rng.choice(["*x*", "`y`"], 200)}
    y = np.where(X["a|b"] > 0, "yes|no", "no\nyes")
    return TabularClassifier("fast", max_iter=5, members=2).fit(X, y).report(X, y, others={"a_|": y})


def cells(line):
    """The cells of a line, as CommonMark tables split them: by bars without a backslash."""
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def tables_of(text):
    """Each table as a list of rows of cells."""
    found, current = [], []
    for line in [*text.splitlines(), ""]:
        if line.startswith("|"):
            current.append(cells(line))
        elif current:
            found.append(current)
            current = []
    return found


def test_every_row_of_a_table_has_the_cells_of_its_head(report):
    found = tables_of(report.to_markdown())
    assert len(found) >= 7
    for heads, rule, *rows in found:
        assert rows
        assert all(re.fullmatch("-+:?", cell) for cell in rule)
        assert {len(row) for row in (rule, *rows)} == {len(heads)}


def test_it_has_no_html_and_its_lines_are_aligned(report):
    text = report.to_markdown()
    assert not re.search(r"(?<!\\)<\w", text)
    lines = [line for line in text.splitlines() if line.startswith("|")]
    for before, after in zip(lines, lines[1:], strict=False):
        if text.count(f"{before}\n{after}"):
            assert len(before) == len(after)
    assert text.endswith("\n")
    assert "\n\n\n" not in text


def test_the_parts_are_there(report):
    text = report.to_markdown()
    headings = re.findall("^## (.*)$", text, re.MULTILINE)
    expected = [
        "Checks",
        "Scores",
        "Classes",
        "Calibration",
        "Importance",
        "Worst rows",
        "Data",
        "Networks",
        "Reproduce",
    ]
    assert headings == expected
    assert "None of the checks found anything." in text
    scores = next(rows for rows in tables_of(text) if rows[0][0] == "metric")
    assert scores[0] == ["metric", "rows", "model", "95 % interval", "guess", "a linear model", "a\\_\\|"]
    assert float(scores[2][2]) == pytest.approx(report.facts["scores"][0]["model"], abs=1e-4)
    assert [row[0] for row in next(rows for rows in tables_of(text) if rows[0][0] == "class")[2:]] == [
        "no\\\\nyes",
        "yes\\|no",
    ]


def test_markup_in_texts_is_escaped():
    assert escaped("a|b") == "a\\|b"
    assert escaped("two\nlines") == "two\\\\nlines"
    assert escaped("_x_ snake_case") == "\\_x\\_ snake_case"
    assert escaped("<b>&amp;[a](b)*`~\\") == "\\<b\\>\\&amp;\\[a\\](b)\\*\\`\\~\\\\"
    assert escaped("x" * 500, 40) == "x" * 39 + "…"


def test_tables_are_aligned():
    assert table(["name", "n"], [["a", "1"], ["longer", "22"]]) == [
        "| name   |   n |",
        "| ------ | --: |",
        "| a      |   1 |",
        "| longer |  22 |",
    ]
