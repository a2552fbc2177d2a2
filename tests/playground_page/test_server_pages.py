"""Several pages at once: they do not disturb each other, and leave nothing behind."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import threading
import time
import weakref
from typing import Any

import pytest
from tests.playground_page.server_tools import Client

from rosenblatt.playground_page import connection as module
from rosenblatt.playground_page.connection import MAX_PAGES
from rosenblatt.playground_page.page import ANSWERS, Page


def test_pages_have_runs_of_their_own(client: Client) -> None:
    with client.page() as one, client.page() as two:
        assert one.welcome["page"] != two.welcome["page"]
        one.configure()
        assert one.ask("advance", run=0, steps=5)["step"] == 5
        assert two.ask("advance", run=0, steps=5)["type"] == "error"
        two.configure()
        assert two.ask("advance", run=0, steps=1)["step"] == 1


def test_a_closed_page_frees_its_runs(client: Client) -> None:
    with client.page() as page:
        page.configure()
        runs = [found for found in gc.get_objects() if type(found) is Page and found.id == page.welcome["page"]]
        run = weakref.ref(runs.pop().runs[0])
        assert run() is not None
    del page
    gc.collect()
    assert run() is None


def test_a_server_has_so_many_pages(client: Client) -> None:
    pages = [client.open() for _ in range(MAX_PAGES)]
    full = client.open().welcome
    assert (full["code"], full["reason"][:26]) == (1013, "16 pages are open already;")
    pages.pop().leave()
    with client.page() as page:
        assert page.welcome["type"] == "welcome"
    for page in pages:
        page.leave()


def test_messages_are_answered_one_after_the_other(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    at_once, most = 0, 0

    def slow(page: Page, message: Any) -> Any:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        time.sleep(0.01)
        at_once -= 1
        return ["{}"]

    monkeypatch.setitem(ANSWERS, "script", slow)
    with client.page() as page:
        for _ in range(10):
            page.send('{"type": "script", "run": 0}')
        assert [page.answer() for _ in range(10)] == [{}] * 10
    assert most == 1


def test_other_requests_are_answered_during_a_training(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    training, go_on = threading.Event(), threading.Event()

    def slow(page: Page, message: Any) -> Any:
        training.set()
        assert go_on.wait(10)
        return ["{}"]

    monkeypatch.setitem(ANSWERS, "script", slow)
    with client.page() as page, client.page() as other:
        page.send('{"type": "script", "run": 0}')
        other.configure()
        assert training.wait(1)
        assert client.get("/secret/socket").status == 426
        go_on.set()
        assert page.answer() == {}


def test_a_page_that_does_not_read_is_closed(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SEND_SECONDS", 0.05)

    page = client.open()
    page.configure()
    page.reads = False
    for _ in range(100):
        page.send('{"type": "advance", "run": 0, "steps": 1}')
    client.run(page.task)
    assert page.to_app.qsize() >= 99 - module.MAX_WAITING - 1, "messages were read although no answer left"


def test_messages_that_wait_when_a_page_is_closed_are_not_answered(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()
    answered: list[str] = []

    def slow(self: Page, message: dict[str, Any]) -> list[str]:
        answered.append(self.id)
        assert go_on.wait(10)
        return []

    monkeypatch.setattr(Page, "answer", slow)
    pages = [client.open() for _ in range(max(2, os.cpu_count() or 1) + 2)]
    for page in pages:
        for _ in range(3):
            page.send('{"type": "forget_table"}')
    client.run(asyncio.sleep(0.05))
    n_begun = len(answered)
    for page in pages:
        page.leave()  # does not wait for what is computed
    go_on.set()
    client.run(asyncio.sleep(0.05))
    assert len(answered) == n_begun < len(pages)


def test_a_page_that_leaves_during_a_training_ends(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    page = client.open()
    page.configure()
    page.send(json.dumps({"type": "advance", "run": 0, "steps": 100_000}))
    started = time.monotonic()
    page.leave()
    assert time.monotonic() - started < 2
