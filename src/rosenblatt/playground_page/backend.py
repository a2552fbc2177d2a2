"""What computes: the engine of the playground."""

from __future__ import annotations

from typing import Any

try:
    from rosenblatt.playground_page.catalogue import catalogue
    from rosenblatt.playground_page.lessons import lessons
    from rosenblatt.playground_page.own_tables import PlaygroundTable
    from rosenblatt.playground_page.runs import Run
    from rosenblatt.playground_page.settings import Settings, SettingsError
except ImportError:
    from rosenblatt.playground_page.stub import PlaygroundTable, Run, Settings, SettingsError, catalogue, lessons

__all__ = ["Any", "PlaygroundTable", "Run", "Settings", "SettingsError", "catalogue", "lessons"]
