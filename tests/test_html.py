"""What objects show in a notebook: every text is escaped, tables have their cells, and nothing needs a script."""

from __future__ import annotations

import math
from html.parser import HTMLParser

import numpy as np
import pytest
from sklearn.datasets import load_iris

from rosenblatt import MLPClassifier, MLPSearchCV, TabularClassifier, nn
from rosenblatt._html import Markup, bar, folded, paragraph, preformatted, table, view
from rosenblatt.diagnosis import diagnose
from rosenblatt.ir.program import Builder
from rosenblatt.search.results import SearchResults
from rosenblatt.tables.task import TabularTask
from rosenblatt.training.history import History

HOSTILE = "<script>alert('x')</script>\"'&\ud800\n"
TAGS = {"div", "style", "p", "strong", "pre", "details", "summary", "span", "br", "button"}
TAGS |= {"table", "thead", "tbody", "tr", "th", "td"}
X, Y = load_iris(return_X_y=True)


class Page(HTMLParser):
    """The tags, the text outside of styles and scripts, and the rows of the tables; every tag must be closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags, self.open, self.text, self.rows = [], [], "", []
        self.attributes: list[str] = []
        html.encode()  # a surrogate could not be sent to a browser
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]
        self.open += [tag] if tag != "br" else []
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "script"):
            self.text += data
            if {"td", "th"} & set(self.open):
                self.rows[-1][-1] += data


def page_of(shown) -> Page:
    page = Page(shown if isinstance(shown, str) else shown._repr_html_())
    assert set(page.tags) <= TAGS | {"script"}
    assert not [name for name in page.attributes if name.startswith("on")]
    return page


@pytest.fixture(scope="module")
def hostile_model():
    names = [f"{HOSTILE}{i}" for i in range(4)]
    labels = np.array([HOSTILE, "b", "c"], dtype=object)[Y]
    table = dict(zip(names, X.T, strict=True))
    return TabularClassifier("fast", members=2, max_iter=2, random_state=0).fit(table, labels), table, labels


@pytest.mark.parametrize(
    "make",
    [
        lambda text: view(text),
        lambda text: paragraph(text),
        lambda text: preformatted(text),
        lambda text: folded(text),
        lambda text: table([text], [[1]]),
        lambda text: table(["a"], [[text]], sortable=True),
        lambda text: History({text: [1.0]})._repr_html_(),
    ],
)
def test_every_text_is_escaped(make) -> None:
    page = page_of(make(HOSTILE))
    assert "<script>alert('x')</script>\"'&" in page.text
    assert "alert" not in "".join(page.tags)
    assert r"\ud800" in page.text or "\\n" not in page.text


def test_what_a_model_shows_of_hostile_names_is_escaped(hostile_model) -> None:
    model, data, labels = hostile_model
    shown = [
        model.explain(data, labels),
        model.explain({name: column[:3] for name, column in data.items()}, method="shapley"),
        model.explain({name: column[:1] for name, column in data.items()}, method="integrated_gradients"),
        model.partial_dependence(data, next(iter(data))),
        model.drift(data),
        TabularTask.of({**data, "label": labels}, "label"),
        TabularTask.of({**data, "label": labels}, "label").inputs,
    ]
    for one in shown:
        page = page_of(one)
        assert "<script>alert" in page.text, type(one)
        assert "script" not in page.tags, type(one)


def test_a_history_shows_its_numbers_and_leaves_out_the_middle_of_a_long_one() -> None:
    page = page_of(History({"loss": [0.5, 0.25], "val_loss": [math.nan, 1.0]}))
    assert page.rows == [["epoch", "loss", "val_loss"], ["1", "0.5", "nan"], ["2", "0.25", "1"]]
    long = page_of(History({"loss": list(range(100))}))
    assert [row[0] for row in long.rows] == ["epoch", *"12345", "…", *map(str, range(86, 101))]
    assert "Epochs 6 to 85 are not shown" in long.text
    assert page_of(History()).rows == [["epoch"]]


def test_a_network_shows_its_summary() -> None:
    network = nn.Network(nn.NetworkSpec(4, (5,), 3))
    page, text = page_of(network), network.summary()
    for cells in page.rows:
        assert all(cell in text for cell in cells)
    assert ["hidden 1", "W1", "[4, 5]", "20"] in page.rows
    assert "parameters   43 (172 bytes" in page.text


def test_a_program_and_its_plan_show_what_they_print() -> None:
    executable = nn.Network(nn.NetworkSpec(4, (5,), 3)).executable
    program, plan = page_of(executable.program), page_of(executable.plan)
    instructions = [row for row in program.rows if row[0].isdigit()]
    assert [" = ".join(row[1:]) for row in instructions] == [str(one) for one in executable.program.instructions]
    assert [row[4] for row in plan.rows[1:]] == [value.name for value in executable.program.values]
    assert str(executable.plan).splitlines()[0] in plan.text
    assert page_of(executable).rows == program.rows + plan.rows
    b = Builder()
    b.fill(value=1.0, shape=(), name=HOSTILE)
    assert "alert('x')" in page_of(b.build()).text


def test_an_instruction_without_a_result_is_shown_whole() -> None:
    b = Builder()
    b.emit("assign", b.leaf("params", "p", (3,)), b.fill(value=7.0, shape=(3,)))
    assert page_of(b.build()).rows[-2:] == [["1", "", "assign(p, fill)"], ["output", "value", "type"]]


def test_a_search_shows_its_candidates_the_best_first() -> None:
    space = {"alpha": [1e-4, 1e-1], "hidden_layer_sizes": [(4,), (4, 4)]}
    search = MLPSearchCV(MLPClassifier(max_iter=3), space, n_trials=3, cv=2, n_jobs=1).fit(X, Y)
    found = search.cv_results_
    assert isinstance(found, SearchResults)
    assert repr(found) == repr(dict(found))
    page = page_of(found)
    heads, *rows = page.rows
    assert heads == ["rank", "mean score", "deviation", "alpha", "hidden_layer_sizes", "epochs", "seconds", "error"]
    assert [row[0] for row in rows] == ["1", "2", "3"]
    assert float(rows[0][1]) == pytest.approx(search.best_score_, abs=1e-4)
    assert rows[0][4] == str(search.best_params_["hidden_layer_sizes"])
    assert page.tags.count("script") == 1, "which sorts it"


def test_a_diagnosis_shows_each_remedy() -> None:
    found = diagnose(MLPClassifier((4,), max_iter=5), X, Y)
    page = page_of(found)
    assert f"State: {found.state}" in page.text
    assert [row[0] for row in page.rows[1:]] == [remedy.name for remedy in found.remedies]
    assert "parameters: " in page.text


def test_columns_of_numbers_are_aligned_and_long_tables_are_cut() -> None:
    shown = table(["name", "n"], [["a", i] for i in range(5)], most=3)
    assert shown.count('class="rosenblatt-number"') == 4
    assert "and 2 more" in shown
    assert page_of(table(["x"], [[None], [0.1234567890], ["1,000"]])).rows[1:] == [[""], ["0.123457"], ["1,000"]]
    assert "…" in page_of(paragraph("long " * 1000)).text


def test_a_bar_is_as_long_as_its_share() -> None:
    assert "width:4.00em" in bar(0.5)
    assert "negative" in bar(-0.5)
    assert "width:8.00em" in bar(-math.inf)
    assert bar(math.nan) == ""
    assert isinstance(bar(0.5), Markup)
