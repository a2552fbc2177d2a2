"""One open page: its runs, its table, and what it is answered.

Takes messages that were checked. Returns what is sent back: texts of JSON, and binary frames. Never knows of the
network: whoever calls it does so in a thread, for one message after the other.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from typing import Any

from rosenblatt._version import __version__
from rosenblatt.playground_page.catalogue import catalogue
from rosenblatt.playground_page.given import SettingsError
from rosenblatt.playground_page.lessons import lessons
from rosenblatt.playground_page.own_tables import PlaygroundTable
from rosenblatt.playground_page.runs import Run
from rosenblatt.playground_page.settings import Settings
from rosenblatt.tables.table import TableError

__all__ = ["PROTOCOL", "Page", "encoded"]

PROTOCOL = 1
"""The version of the messages."""
Answer = list[str | bytes]


def encoded(message: dict[str, Any]) -> str:
    """A message as JSON."""
    return json.dumps(message, allow_nan=False, separators=(",", ":"))


class Page:
    """What one page holds; `table` is the user's own, if there is one."""

    def __init__(self, table: PlaygroundTable | None = None) -> None:
        self.id = secrets.token_urlsafe(9)
        self.table = table
        self.runs: dict[int, Run] = {}

    def welcome(self) -> str:
        """What a page is told first: all that its controls need."""
        known = {"version": __version__, "catalogue": catalogue(), "lessons": lessons()}
        return encoded({"type": "welcome", "protocol": PROTOCOL, "page": self.id, **known, "table": self.described()})

    def described(self) -> dict[str, Any] | None:
        """The table as the page shows it."""
        return None if self.table is None else self.table.describe()

    def table_message(self) -> str:
        """Which table the page has now."""
        return encoded({"type": "table", "table": self.described()})

    def answer(self, message: dict[str, Any]) -> Answer:
        """What a message is answered; settings that cannot work change nothing, and are answered with words."""
        try:
            return ANSWERS[message["type"]](self, message)
        except (SettingsError, TableError) as error:
            return [encoded({"type": "error", "run": message.get("run"), "message": str(error)})]
        except MemoryError:
            words = "There is not enough memory for these settings; try fewer or smaller layers, or fewer rows."
            return [encoded({"type": "error", "run": message.get("run"), "message": words})]

    def run_of(self, message: dict[str, Any]) -> Run:
        """The run that a message is about."""
        run = self.runs.get(message["run"])
        if run is None:
            raise SettingsError(f"Run {message['run']} has no settings yet; configure it first.")
        return run

    def configure(self, message: dict[str, Any]) -> Answer:
        """A new run takes the place of the old one, if its settings can work."""
        settings = Settings.from_json(message["settings"], self.table)
        return self.start(message["run"], Run(settings, self.table))

    def load(self, message: dict[str, Any]) -> Answer:
        """A saved run takes the place of the old one, if it can be read."""
        return self.start(message["run"], Run.from_document(message["document"], self.table))

    def start(self, number: int, run: Run) -> Answer:
        """The answer to new settings: what was made of them, and the first frame."""
        answer: Answer = [
            encoded({"type": "configured", "run": number, **run.configured()}),
            run.frame(number, first=True),
        ]
        self.runs[number] = run
        return answer

    def advance(self, message: dict[str, Any]) -> Answer:
        """So many steps of training."""
        run = self.run_of(message)
        run.advance(message["steps"])
        return [run.frame(message["run"], statistics=message["statistics"])]

    def change(self, message: dict[str, Any]) -> Answer:
        """Other settings for the steps to come."""
        run = self.run_of(message)
        run.change(message["changes"])
        return [run.frame(message["run"])]

    def edit(self, message: dict[str, Any]) -> Answer:
        """Another value for a weight or a bias."""
        run = self.run_of(message)
        run.edit(message["layer"], message["input"], message["unit"], message["value"])
        return [run.frame(message["run"])]

    def drop(self, message: dict[str, Any]) -> Answer:
        """A run less."""
        self.runs.pop(message["run"], None)
        return []

    def script(self, message: dict[str, Any]) -> Answer:
        """The run as a script."""
        text = self.run_of(message).script()
        return [encoded({"type": "script", "run": message["run"], "text": text})]

    def save(self, message: dict[str, Any]) -> Answer:
        """The run as a document."""
        document = self.run_of(message).document()
        return [encoded({"type": "saved", "run": message["run"], "document": document})]

    def forget_table(self, message: dict[str, Any]) -> Answer:
        """The table is no longer offered; runs that use it go on."""
        self.table = None
        return [self.table_message()]


ANSWERS: dict[str, Callable[[Page, dict[str, Any]], Answer]] = {
    "configure": Page.configure,
    "advance": Page.advance,
    "change": Page.change,
    "edit": Page.edit,
    "drop": Page.drop,
    "script": Page.script,
    "save": Page.save,
    "load": Page.load,
    "forget_table": Page.forget_table,
}
