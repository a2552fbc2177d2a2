"""Parameters of commands: how one is described, and the decorator that gives a command its own.

Takes texts of the command line. Returns a namespace of Python values. Never knows which parameters there are.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any

import typer

from rosenblatt.cli.parsing import choice

__all__ = ["Parameter", "argument", "flag", "option", "takes"]

FILES = ("out", "report", "test", "validation", "data", "training")
"""Options that name a file; the empty name means the folder of the process to `pathlib`."""
MAX_CHOICES = 22
"""Characters that choices may take beside the name of an option, where a terminal of 80 columns breaks no word."""


@dataclass(frozen=True)
class Parameter:
    """An argument or an option: its name in Python, its type, and how the help describes it.

    `parse` turns (option, given value) into the value that the command gets; it is not called for what was left out.
    """

    name: str
    value_type: Any
    info: Any
    default: Any = None
    parse: Callable[[str, Any], Any] | None = None

    @property
    def option(self) -> str:
        """How it is written: "--test-share"."""
        return "--" + self.name.replace("_", "-")

    def value(self, given: Any) -> Any:
        """The value that the command gets."""
        if given == Path() and self.name in FILES:
            raise ValueError(f"{self.option} is empty, or a folder; give the name of a file.")
        return given if self.parse is None or given in (None, []) else self.parse(self.option, given)

    def declared(self) -> inspect.Parameter:
        """The parameter of the function that the argument parser sees."""
        annotation = Annotated[self.value_type, self.info]  # type: ignore[name-defined]
        return inspect.Parameter(self.name, inspect.Parameter.KEYWORD_ONLY, default=self.default, annotation=annotation)


def argument(name: str, type_: Any, text: str, default: Any = None) -> Parameter:
    """An argument without a name on the command line."""
    return Parameter(name, type_, typer.Argument(help=text, metavar=name.upper()), default)


def option(
    name: str,
    type_: Any,
    metavar: str,
    text: str,
    *,
    default: Any = None,
    parse: Callable[[str, Any], Any] | None = None,
    words: tuple[str, ...] = (),
    panel: str | None = None,
) -> Parameter:
    """An option with a value; `words` are those that a shell completes, shown as choices where they are all."""
    if words and not metavar:
        metavar, parse = "|".join(words), choice(*words)
        if len(metavar) > MAX_CHOICES:
            metavar, text = name.rpartition("_")[2].upper(), f"{text} Choices: {', '.join(words)}."
    complete = (lambda incomplete: [word for word in words if word.startswith(incomplete)]) if words else None
    given: Any = type_ if default is not None or type_ == list[str] else type_ | None
    info = typer.Option(help=text, metavar=metavar, autocompletion=complete, rich_help_panel=panel)
    return Parameter(name, given if type_ != list[str] else list[str] | None, info, default, parse)


def flag(name: str, text: str, panel: str | None = None) -> Parameter:
    """An option without a value."""
    return Parameter(name, bool, typer.Option(f"--{name.replace('_', '-')}", help=text, rich_help_panel=panel), False)


def takes(*parameters: Parameter) -> Callable[[Callable[[Any], None]], Callable[..., None]]:
    """A decorator of a command that takes one namespace: the argument parser sees the parameters instead."""

    def decorate(command: Callable[[Any], None]) -> Callable[..., None]:
        def call(**given: Any) -> None:
            command(SimpleNamespace(**{each.name: each.value(given[each.name]) for each in parameters}))

        declared = [each.declared() for each in parameters]
        call.__name__, call.__doc__ = command.__name__, command.__doc__
        call.__annotations__ = {each.name: each.annotation for each in declared}
        call.__signature__ = inspect.Signature(declared)  # type: ignore[attr-defined]
        return call

    return decorate
