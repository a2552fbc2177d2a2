"""The commands of ``rosenblatt``."""

from rosenblatt.cli.app import app, main

__all__ = ["app", "main"]
