"""Arguments of the commands: options that several of them share, and the parsing of short notations.

Takes texts of the command line. Returns Python values. Never reads a file, and imports nothing heavy.
"""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from rosenblatt._suggestions import closest

__all__ = [
    *("Encoding", "File", "Force", "Ignore", "Kinds", "Metric", "Out", "Request", "Target", "Task", "TestShare"),
    *("check_choice", "check_encoding", "parse_hidden", "parse_kinds"),
]

File = Annotated[
    Path | None,
    typer.Argument(help="A table: CSV, JSON, Parquet, Arrow or Feather. Without it: scikit-learn's digits."),
]
Target = Annotated[str | None, typer.Option(help="The column to predict.")]
Out = Annotated[Path | None, typer.Option(help="The model file. Default: FILE's name, .safetensors.")]
Force = Annotated[
    bool, typer.Option("--force", help="Replace a model of another table or command, or by one that learned nothing.")
]
Metric = Annotated[
    str | None, typer.Option(help="What to score, and to choose epochs by: error, log_loss, balanced_error, f1, auc.")
]
Task = Annotated[str | None, typer.Option(help="classification or regression, if the guess is wrong.")]
Kinds = Annotated[
    list[str] | None, typer.Option(help="COLUMN=numeric, =categorical, =text or =ignored; may be repeated.")
]
Ignore = Annotated[list[str] | None, typer.Option(help="A column to leave out; may be repeated.")]
TestShare = Annotated[float, typer.Option(help="Share of rows held out for the score; 0: score out of fold.")]
Encoding = Annotated[str, typer.Option(help="Encoding of a CSV file.")]


@dataclass(frozen=True)
class Request:
    """The arguments of ``rosenblatt train`` and ``rosenblatt tune``; `parameters` are the estimator's."""

    file: Path | None = None
    target: str | None = None
    out: Path | None = None
    task: str | None = None
    kinds: dict[str, str] = field(default_factory=dict)
    test_share: float = 0.2
    encoding: str = "utf-8"
    parameters: dict[str, Any] = field(default_factory=dict)
    force: bool = False


def parse_kinds(entries: Sequence[str] | None, ignored: Sequence[str] | None = None) -> dict[str, str]:
    """``COLUMN=KIND`` arguments, and columns to leave out, as a dictionary."""
    from rosenblatt.tables.kinds import KINDS

    kinds = dict.fromkeys(ignored or (), "ignored")
    for entry in entries or ():
        name, found, kind = entry.rpartition("=")
        if not found or not name:
            raise ValueError(f"--kind {entry!r}: write COLUMN=numeric, =categorical, =text or =ignored.")
        check_choice(f"--kind {entry}", kind, KINDS)
        if kinds.get(name, kind) != kind:
            raise ValueError(f"--kind says that column {name!r} is {kinds[name]} and {kind}; say it once.")
        kinds[name] = kind
    return kinds


def parse_hidden(text: str) -> tuple[int, ...]:
    """``128,64`` as (128, 64)."""
    try:
        sizes = tuple(int(part) for part in text.split(","))
    except ValueError:
        sizes = ()
    if not sizes or min(sizes) < 1:
        raise ValueError(f"--hidden {text!r}: write the neurons of each layer, such as 128,64.")
    return sizes


def check_choice(option: str, value: str, allowed: Sequence[str]) -> str:
    """`value`, if it is one of the allowed ones; otherwise an error that suggests the nearest."""
    if value in allowed:
        return value
    near = closest(value.lower(), allowed, cutoff=0.5)
    question = f" Did you mean {near[-1]!r}?" if near else ""
    raise ValueError(f"{option}: {value!r} is none of {', '.join(allowed)}.{question}")


def check_encoding(encoding: str) -> None:
    """Refuse an encoding that Python does not know."""
    try:
        codecs.lookup(encoding)
    except (LookupError, ValueError):
        raise ValueError(f"--encoding {encoding!r} is unknown; usual ones: utf-8, latin-1, cp1252, utf-16.") from None
