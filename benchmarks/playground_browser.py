"""The playground's page in a browser: its frames and steps a second, measured while it draws, and its picture.

Takes how long to measure, or where the picture goes. Returns rates, or writes a PNG. Needs Chromium (or the browser
that ROSENBLATT_CHROMIUM names) and Python's playwright.
"""

from __future__ import annotations

import base64
import io
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Rates", "page", "page_rates", "picture"]

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
READY = "() => window.rosenblattPlayground?.connection === 'open' && window.rosenblattPlayground.frames > 0"
MEASURE = """seconds => new Promise(resolve => {
  const page = window.rosenblattPlayground;
  const start = performance.now(), frames = page.frames, step = page.runs[0].step;
  let drawn = 0, seen = frames;
  const look = now => {
    if (page.frames !== seen) drawn += 1;
    seen = page.frames;
    if (now - start < 1000 * seconds) return requestAnimationFrame(look);
    const passed = (now - start) / 1000;
    resolve({ frames: drawn / passed, steps: (page.runs[0].step - step) / passed });
  };
  requestAnimationFrame(look);
})"""
"""Counts the browser's own frames in which the page had something new, and the steps that it showed."""


@dataclass(frozen=True)
class Rates:
    """What the page did in a second: frames that it drew, and steps of training that it showed."""

    frames: float
    steps: float


@contextmanager
def page(settings: dict[str, Any] | None = None, *, height: int = 900, **options: Any) -> Iterator[Any]:
    """The playground, open in a browser without a window; `settings` as the page's address has them."""
    from playwright.sync_api import sync_playwright

    from rosenblatt.playground_page.serving import make_server

    server = make_server()
    thread = threading.Thread(target=server.serve_until_stopped)
    thread.start()
    try:
        with sync_playwright() as driver:
            path = os.environ.get("ROSENBLATT_CHROMIUM", "/usr/bin/chromium")
            browser = driver.chromium.launch(executable_path=path, args=FLAGS)
            opened = browser.new_page(viewport={"width": 1280, "height": height}, **options)
            opened.goto(server.access.address + ("" if settings is None else f"#{in_address(settings)}"))
            opened.wait_for_function(READY)
            yield opened
            browser.close()
    finally:
        server.stop()
        thread.join()


def in_address(settings: dict[str, Any]) -> str:
    """Settings as the part of the address after #."""
    return base64.urlsafe_b64encode(json.dumps(settings).encode()).decode().rstrip("=")


def page_rates(seconds: float = 5.0) -> Rates:
    """Play a network of 2-8-8-1 as the page does by default."""
    layer = {"units": 8, "activation": "tanh", "dropout": 0.0, "initializer": "default"}
    with page() as opened:
        first = opened.evaluate("window.rosenblattPlayground.runs[0].settings")
    with page(first | {"layers": [layer, layer]}) as opened:
        opened.get_by_role("button", name="Play", exact=True).click()
        opened.wait_for_timeout(1000)
        return Rates(**opened.evaluate(MEASURE, seconds))


def picture(path: str | Path, steps: int = 3000) -> None:
    """Write the page as a PNG when it has learned the two spirals."""
    from rosenblatt.playground_page.catalogue import catalogue

    good = catalogue()["good_settings"]["spiral"]
    narrow = {"layers": [layer | {"units": 8} for layer in good["layers"]], "schedule": "constant"}
    with page(good | narrow, height=1170, color_scheme="light") as opened:
        opened.get_by_role("button", name="Play", exact=True).click()
        opened.wait_for_function(f"() => window.rosenblattPlayground.runs[0].step >= {steps}", timeout=120_000)
        opened.get_by_role("button", name="Pause", exact=True).click()
        opened.mouse.move(0, 0)
        opened.wait_for_timeout(1000)
        shot = opened.screenshot()
    from PIL import Image

    Image.open(io.BytesIO(shot)).convert("RGB").quantize(192, dither=Image.Dither.NONE).save(path, optimize=True)
