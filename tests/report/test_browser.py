"""The page in a browser: the threshold follows the slider, nothing is loaded, and a phone scrolls one way only."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sklearn.datasets import load_breast_cancer

import rosenblatt

CHROMIUM = os.environ.get("ROSENBLATT_CHROMIUM", "/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--no-first-run"]  # fmt: skip


def seen(address):
    """What a browser shows on a phone after the slider was moved by twenty steps."""
    from playwright.sync_api import sync_playwright

    requests, errors = [], []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 400, "height": 800})
        page.on("request", lambda request: requests.append(request.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(address)
        width = page.evaluate("document.documentElement.scrollWidth")
        page.focus("input[type=range]")
        for _ in range(20):
            page.keyboard.press("ArrowRight")
        counts = {name: int(page.text_content(f"td[data-show={name}]")) for name in ("tp", "fp", "fn", "tn")}
        threshold = float(page.text_content("output"))
        mark = float(page.get_attribute("[data-picture=roc] .mark", "cy"))
        frame = [float(value) for value in page.get_attribute("[data-picture=roc] svg", "data-frame").split()]
        browser.close()
    elsewhere = [url for url in requests if not url.startswith(("file:", "data:"))]
    return width, counts, threshold, mark, frame, errors + elsewhere


@pytest.mark.browser
@pytest.mark.skipif(not Path(CHROMIUM).exists(), reason=f"no browser at {CHROMIUM}")
def test_the_page_in_a_browser(tmp_path):
    pytest.importorskip("playwright.sync_api", reason="no playwright")
    table = load_breast_cancer(as_frame=True).frame
    model = rosenblatt.TabularClassifier("fast", max_iter=4, hidden_layer_sizes=(4,), random_state=0)
    report = model.fit(table, "target").report(table)
    report.save(tmp_path / "report.html")
    with ThreadPoolExecutor(1) as own_loop:  # others may drive a browser in this thread
        width, counts, threshold, mark, frame, wrong = own_loop.submit(
            seen, (tmp_path / "report.html").as_uri()
        ).result()
    assert wrong == []
    assert width == 400
    positive, truth = report.rows.predictions[:, 1] >= threshold, report.rows.target.values == 1
    true = {"tp": positive & truth, "fp": positive & ~truth, "fn": ~positive & truth, "tn": ~positive & ~truth}
    assert counts == {name: int(of.sum()) for name, of in true.items()}
    _, y0, _, y1 = frame
    assert mark == pytest.approx(y0 + counts["tp"] / truth.sum() * (y1 - y0), abs=0.01)
