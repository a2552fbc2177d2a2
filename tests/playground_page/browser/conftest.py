"""The playground in a real browser: a server in a process of its own, and Chromium without a window.

These tests need a browser and Python's playwright, so they are marked `browser` and are not in the default run:
``pytest -m browser`` runs them. The environment variable ROSENBLATT_CHROMIUM names another browser than Debian's.
"""

import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
SIZES = {1280: {"width": 1280, "height": 900}, 400: {"width": 400, "height": 800}}
SERVE = """
import sys
from rosenblatt.playground_page.security import Access
from rosenblatt.playground_page.serving import PlaygroundServer, listen
listener, port = listen(port=int(sys.argv[1]))
PlaygroundServer(listener, Access("127.0.0.1", port, token=sys.argv[2])).serve_until_stopped()
"""


def pytest_collection_modifyitems(items):
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)


class Server:
    """A playground in a process of its own; it can be killed, and started again at the same address."""

    def __init__(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.token = "token-of-the-tests"
        self.address = f"http://127.0.0.1:{self.port}/{self.token}/"
        self.start()

    def start(self):
        self.process = subprocess.Popen([sys.executable, "-c", SERVE, str(self.port), self.token])
        end = time.monotonic() + 30
        while time.monotonic() < end and self.process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        pytest.fail("the server does not answer")

    def kill(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="session")
def server():
    running = Server()
    yield running
    running.kill()


@pytest.fixture
def own_server():
    """A server that a test may kill."""
    running = Server()
    yield running
    running.kill()


@pytest.fixture(scope="session")
def chromium():
    playwright = pytest.importorskip("playwright.sync_api", reason="no playwright")
    path = os.environ.get("ROSENBLATT_CHROMIUM", "/usr/bin/chromium")
    if not Path(path).exists():
        pytest.skip(f"no browser at {path}")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


class Playground:
    """An open page, what it said and what it asked for."""

    def __init__(self, context, address):
        self.page, self.address = context.new_page(), address
        self.errors, self.requests, self.expected = [], [], None
        self.page.set_default_timeout(10_000)
        self.page.on("console", lambda said: said.type in ("error", "warning") and self.errors.append(said.text))
        self.page.on("pageerror", lambda error: self.errors.append(error.stack or str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("websocket", lambda opened: self.requests.append(opened.url))

    def open(self, hash=""):
        self.page.goto(self.address + hash)
        self.wait("connection === 'open' && it.runs[0]?.train_loss !== undefined && it.frames > 0")
        return self

    def wait(self, condition, timeout=10_000):
        """Wait for a condition on what the page tells measurements, such as "runs[0].step > 100"."""
        self.page.wait_for_function(
            f"() => {{ const it = window.rosenblattPlayground; return it?.{condition}; }}", timeout=timeout
        )

    @property
    def runs(self):
        return self.page.evaluate("window.rosenblattPlayground.runs")

    @property
    def run(self):
        return self.runs[0]

    @property
    def settings(self):
        return self.run["settings"]

    def button(self, name):
        return self.page.get_by_role("button", name=name, exact=True)

    def field(self, name):
        return self.page.get_by_label(name, exact=True)

    def settle(self):
        """Wait until no more frames come."""
        frames = -1
        while frames != (frames := self.page.evaluate("window.rosenblattPlayground.frames")):
            self.page.wait_for_timeout(250)

    def train(self, steps):
        """Play until this step has passed, and pause."""
        self.button("Play").click()
        self.wait(f"runs[0].step >= {steps}", timeout=60_000)
        self.button("Pause").click()
        self.settle()

    def check(self):
        """Nothing was wrong, and nothing left for elsewhere."""
        host = self.address.split("/")[2]
        own = re.compile(rf"(?:http|ws)://{re.escape(host)}/|data:|blob:")
        assert [url for url in self.requests if not own.match(url)] == []
        assert [error for error in self.errors if not (self.expected and re.search(self.expected, error))] == []


@pytest.fixture
def open_page(chromium, server):
    """A function that opens the page; its options are those of a browser's context, and a width in pixels."""
    opened = []

    def open_page(hash="", width=1280, address=None, **options):
        context = chromium.new_context(viewport=SIZES[width], accept_downloads=True, **options)
        playground = Playground(context, address or server.address)
        opened.append((context, playground))
        return playground.open(hash)

    yield open_page
    for context, playground in opened:
        context.close()
        playground.check()


@pytest.fixture
def playground(open_page):
    return open_page()


@pytest.fixture(scope="session")
def axe():
    """The source of axe-core, which `npm ci` in the folder playground installs."""
    source = ROOT / "playground/node_modules/axe-core/axe.min.js"
    if not source.exists():
        pytest.skip("axe-core is not installed: npm ci in the folder playground")
    return source.read_text(encoding="utf-8")
