"""The page of a report: complete, self-contained, escaped, and the numbers of a threshold."""

import builtins
import html
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, make_classification
from sklearn.metrics import confusion_matrix, precision_score, recall_score

import rosenblatt
from rosenblatt.report.comparison import compare
from rosenblatt.report.html import templates
from rosenblatt.report.threshold import default_threshold, rates

EVIL = "</script></style><img src=x onerror=alert(1)>"
VOID = {"meta", "input", "br", "link", "img"}
ALLOWED = {
    *("html", "head", "meta", "title", "style", "body", "a", "div", "header", "p", "h1", "h2", "h3", "dl", "dt", "dd"),
    *(
        "nav",
        "ul",
        "li",
        "main",
        "section",
        "span",
        "strong",
        "code",
        "pre",
        "table",
        "caption",
        "thead",
        "tbody",
        "tr",
    ),
    *(
        "th",
        "td",
        "figure",
        "figcaption",
        "svg",
        "g",
        "defs",
        "path",
        "use",
        "text",
        "rect",
        "image",
        "circle",
        "label",
    ),
    *("clippath", "output", "input", "footer", "script", "br"),
}


class Page(HTMLParser):
    """What a browser would see: open elements, ids, attributes and texts."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.ids, self.attributes, self.texts = [], set(), [], [], []
        self.feed(text)

    def handle_startendtag(self, tag, attrs):
        self.see(tag, attrs)

    def handle_starttag(self, tag, attrs):
        self.see(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def see(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += [(tag, dict(attrs))]
        self.ids += [value for name, value in attrs if name == "id"]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append((self.open[-1] if self.open else "", data))

    def with_tag(self, *tags):
        return [found for tag, found in self.attributes if tag in tags]

    def text(self, *without):
        return " ".join(data for tag, data in self.texts if tag not in without)


@pytest.fixture(scope="module")
def table():
    frame = load_breast_cancer(as_frame=True).frame.iloc[:200, [0, 1, 2, -1]].copy()
    frame.columns = [f"{EVIL}{i}" for i in range(2)] + ["plain $x$", EVIL]
    frame[EVIL] = np.array(["no </svg>", f"yes {EVIL}"])[frame[EVIL]]
    return frame


@pytest.fixture(scope="module")
def report(table):
    model = rosenblatt.TabularClassifier("fast", max_iter=8, hidden_layer_sizes=(8,), random_state=0)
    return model.fit(table, EVIL).report(table)


@pytest.fixture(scope="module")
def text(report):
    return report.to_html()


@pytest.fixture(scope="module")
def page(text):
    return Page(text)


def test_the_page_is_whole_and_names_are_never_markup(page, text):
    assert page.open == []
    assert page.tags <= ALLOWED, "no element comes from the data"
    assert not any(name.startswith("on") for _, found in page.attributes for name in found)
    assert EVIL not in text
    shown = page.text("script", "style")
    assert f"{EVIL}0" in shown, "but all of a name is shown"
    assert "{{" not in shown


def test_the_page_loads_nothing_and_is_small(page, text):
    assert len(text.encode()) < 400_000
    for _, found in page.attributes:
        for name in ("src", "href", "xlink:href", "srcset", "data", "action"):
            assert (found.get(name) or "#").startswith(("#", "data:image/png;base64,"))
    styles = "".join(data for tag, data in page.texts if tag == "style")
    assert "url(" not in styles
    assert "@import" not in styles


def test_the_page_can_be_read_by_all(page):
    assert page.with_tag("html")[0]["lang"] == "en"
    assert len(page.ids) == len(set(page.ids))
    links = {found["href"][1:] for found in page.with_tag("a")}
    assert links <= set(page.ids)
    assert {"score", "checks", "data", "curves", "errors", "threshold", "calibration", "reproduce"} <= links
    assert all(found.get("scope") in ("row", "col") for found in page.with_tag("th"))
    assert all(found["role"] == "img" and found["aria-label"] for found in page.with_tag("svg"))
    n_tables = sum(tag == "table" for tag, _ in page.attributes)
    assert n_tables == sum(tag == "caption" for tag, _ in page.attributes)
    labels = {found["for"] for found in page.with_tag("label")}
    assert {found["id"] for found in page.with_tag("input")} == labels
    assert sum(tag == "h1" for tag, _ in page.attributes) == 1


def luminance(colour):
    parts = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]


def contrast(one, other):
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


def test_text_and_lines_stand_out_in_both_themes(text):
    themes = re.findall(r":root \{ (--page[^}]*) \}", text)
    assert len(themes) == 2
    for theme in themes:
        colour = dict(re.findall(r"--([\w-]+): (#\w{6})", theme))
        for name in ("text", "muted", "accent", "warn", "good"):
            assert contrast(colour[name], colour["paper"]) >= 4.5
        assert contrast(colour["muted"], colour["page"]) >= 4.5
        assert contrast(colour["warn"], colour["warn-paper"]) >= 4.5
        assert contrast(colour["muted"], colour["warn-paper"]) >= 4.5
        for name in ("hue-0", "hue-1", "hue-2", "bar"):
            assert contrast(colour[name], colour["paper"]) >= 3


def test_the_threshold_is_that_of_the_model_and_its_rates_are_right(report, page, text):
    box = next(found for _, found in page.attributes if "data-thresholds" in found)
    steps = json.loads(box["data-thresholds"])
    at = default_threshold(report)
    threshold, tp, fp, fn, tn = steps[at]
    assert {i / 100 for i in range(101)} <= {step[0] for step in steps}
    assert len(steps) <= 136
    rows = report.rows
    positive = rows.predictions[:, 1] > threshold
    truth = rows.target.values == 1
    assert [[tn, fp], [fn, tp]] == confusion_matrix(truth, positive).tolist()
    found = rates(report.facts["threshold"][at])
    assert found["precision"] == pytest.approx(precision_score(truth, positive))
    assert found["recall"] == pytest.approx(recall_score(truth, positive))
    assert found["false_positive_rate"] == pytest.approx(fp / (fp + tn))
    assert next(found for found in page.with_tag("input"))["value"] == str(at)
    shown = dict(re.findall(r'data-show="(\w+)">([^<]*)<', text))
    assert shown["precision"] == f"{found['precision']:.3f}"
    low, high = report.model.decision_weights_
    assert threshold == pytest.approx(low / (low + high), rel=1e-3)
    assert rates({"tp": 0, "fp": 0, "fn": 3, "tn": 1})["precision"] == 1


def test_a_notebook_shows_the_same_page_in_a_frame_of_its_own(report, text):
    frame = Page(report._repr_html_())
    assert frame.tags == {"iframe"}
    (found,) = frame.with_tag("iframe")
    assert found["srcdoc"] == text
    assert found["sandbox"] == "allow-scripts"
    assert found["title"]


@pytest.mark.parametrize("package", ["jinja2", "matplotlib"])
def test_without_the_extra_a_notebook_shows_the_text(report, monkeypatch, tmp_path, package):
    known = builtins.__import__

    def refuse(name, *arguments, **options):
        if name.partition(".")[0] == package:
            raise ModuleNotFoundError(f"No module named {package!r}", name=package)
        return known(name, *arguments, **options)

    templates.cache_clear()
    monkeypatch.setattr(builtins, "__import__", refuse)
    assert report._repr_html_() is None
    assert "text/html" not in report._repr_mimebundle_()
    assert report._repr_mimebundle_()["text/plain"] == str(report)
    with pytest.raises(ImportError, match=rf"{package}: pip install 'rosenblatt\[report\]'"):
        report.to_html()
    with pytest.raises(ImportError, match="report"):
        report.save(tmp_path / "report.html")
    assert not list(tmp_path.iterdir())


def test_without_rows_the_page_says_how_to_get_what_it_lacks(report):
    found = Page(report.model.report().to_html())
    assert found.open == []
    assert "model.report(X, y)" in found.text("script", "style")
    assert "errors" not in found.ids
    assert "curves" in found.ids


def test_rows_of_one_class_leave_out_only_what_needs_two(report, table):
    text = report.model.report(table[:1]).to_html()
    found = Page(text)
    assert found.open == []
    assert "rows of at least two classes are needed" in found.text("script", "style")
    assert html.escape(EVIL) in text
    assert EVIL not in text


@pytest.mark.long
def test_two_models_are_shown_side_by_side(report, table):
    other = rosenblatt.TabularClassifier("fast", max_iter=4, hidden_layer_sizes=(4,), random_state=1)
    other.fit(table.drop(columns="plain $x$"), EVIL)
    comparison = compare(report.model, other, table[:60], names=("first", EVIL))
    text = comparison.to_html()
    found = Page(text)
    assert found.open == []
    assert found.tags <= ALLOWED
    assert EVIL not in text
    assert len(found.ids) == len(set(found.ids))
    assert comparison.verdict in found.text("script", "style")
    pictures = re.findall(r'data-picture="([\w-]+)"', text)
    assert pictures.count("roc") == pictures.count("confusion") == 2
    assert "plain $x$" in found.text("script", "style"), "a column that only one of them uses"


@pytest.mark.long
def test_the_page_of_a_large_table_stays_small():
    X, y = make_classification(10_000, 60, n_informative=20, n_classes=3, random_state=0)
    options = {"members": 5, "max_iter": 2, "hidden_layer_sizes": (8,), "random_state": 0}
    report = rosenblatt.TabularClassifier(**options).fit(X, y).report(X, y)
    assert len(report.rows) == 10_000
    assert len(report.to_html().encode()) < 400_000


def test_a_large_network_is_a_table_of_layers(report, text, monkeypatch):
    monkeypatch.setattr("rosenblatt.report.pictures.LAYERS", 1)
    without = report.model.report().to_html()
    assert "The layers of one network, with the shapes of their parameters" in without
    assert 'data-picture="network"' not in without
    assert 'data-picture="network"' in text


def test_numbers_are_drawn_with_their_errors():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 2))
    model = rosenblatt.TabularRegressor("fast", max_iter=6, hidden_layer_sizes=(8,), random_state=0)
    report = model.fit(X, X @ [[1.0, 2.0], [3.0, 4.0]]).report(X, X @ [[1.0, 2.0], [3.0, 4.0]])
    pictures = re.findall(r'data-picture="([\w-]+)"', report.to_html())
    assert {"predictions-0", "predictions-1", "residuals-0", "residuals-1"} <= set(pictures)
    assert "confusion" not in pictures


@pytest.mark.long
def test_a_model_of_quantiles_has_errors_and_signs_without_a_glyph_warn_of_nothing():
    rng = np.random.default_rng(0)
    table = {"\u4e16 \U0001f469\u200d\U0001f467": rng.normal(size=60), "y": rng.normal(size=60)}
    model = rosenblatt.TabularRegressor("fast", quantiles=[0.1, 0.5, 0.9], max_iter=2, hidden_layer_sizes=(4,))
    text = model.fit(table, "y").report(table).to_html()
    assert {"predictions-1", "residuals-1"} <= {found.get("data-picture") for _, found in Page(text).attributes}
    assert "Errors row by row" not in text
    assert "\U0001f469\u200d\U0001f467" in text
