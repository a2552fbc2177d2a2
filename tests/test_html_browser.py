"""Objects in a browser: a whole heading sorts, by click and by key, and long names do not widen a diagram."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rosenblatt import MLPRegressor
from rosenblatt._html import table

CHROMIUM = os.environ.get("ROSENBLATT_CHROMIUM", "/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--no-first-run"]  # fmt: skip


def seen(address: str) -> tuple[list[list[float]], float]:
    """The first column at first, after a click beside a heading's text and after Enter on it; the diagram's width."""
    from playwright.sync_api import sync_playwright

    def column() -> list[float]:
        return [float(text) for text in page.locator("#sorted tbody td:first-child").all_text_contents()]

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 2000, "height": 800})
        page.goto(address)
        orders = [column()]
        head = page.locator("#sorted th").first
        head.click(position={"x": head.bounding_box()["width"] - 3, "y": 3})
        orders.append(column())
        page.focus("#sorted th button")
        page.keyboard.press("Enter")
        orders.append(column())
        page.evaluate("document.querySelectorAll('.sk-global details').forEach(part => part.open = true)")
        page.evaluate("document.querySelectorAll('.sk-toggleable__control').forEach(box => box.checked = true)")
        width = page.locator(".sk-toggleable").first.bounding_box()["width"]
        browser.close()
    return orders, width


@pytest.mark.browser
@pytest.mark.skipif(not Path(CHROMIUM).exists(), reason=f"no browser at {CHROMIUM}")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_headings_and_diagrams_in_a_browser(tmp_path: Path) -> None:
    pytest.importorskip("playwright.sync_api", reason="no playwright")
    sorts = table(["a", "b"], [[f"{number:.30f}", "x"] for number in (2, 10, 1)], sortable=True)
    X = pd.DataFrame(np.eye(4), columns=["name" * 100, "b", "c", "d"])
    model = MLPRegressor(hidden_layer_sizes=(2,), max_iter=1).fit(X, np.arange(4.0))
    page = f"<!doctype html><meta charset=utf-8><div id=sorted>{sorts}</div>{model._repr_html_()}"
    (tmp_path / "page.html").write_text(page, "utf-8")
    with ThreadPoolExecutor(1) as own_loop:  # others may drive a browser in this thread
        orders, width = own_loop.submit(seen, (tmp_path / "page.html").as_uri()).result()
    assert orders == [[2, 10, 1], [1, 2, 10], [10, 2, 1]]
    assert width < 1300
