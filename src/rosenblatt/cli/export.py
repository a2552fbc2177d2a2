"""``rosenblatt export``: a stored model as a file of another program.

Takes a model file and the name of the file to write, whose ending says what it is. Returns nothing: it writes the file
and shows its size. Never replaces a file without ``--overwrite``, nor the model itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rosenblatt.cli.destination import require_other, require_place
from rosenblatt.cli.display import Display
from rosenblatt.cli.models import load_model
from rosenblatt.cli.session import is_standard
from rosenblatt.export.files import require_free
from rosenblatt.export.onnx.extra import require_onnx

__all__ = ["export"]

ONNX, C = (".onnx",), (".c", ".h")
OPTIONS = {"ONNX": ("dates",), "C": ("name", "dtype")}


def export(given: Any, display: Display) -> None:
    """Check the place, load, write, show."""
    out: Path = given.out
    kind = out.suffix.lower()
    if is_standard(out) or kind not in ONNX + C:
        raise ValueError(f"--out {out}: the ending says what is written: {', '.join(ONNX + C)}; choose one of them.")
    require_place(out)
    require_other(out, given.model)
    require_free(out, given.overwrite)
    options = options_of(given, "ONNX" if kind in ONNX else "C")
    if kind in ONNX:
        require_onnx()
    display.data |= {"command": "export", "model": str(given.model)}
    model = load_model(given.model)
    display.data["kind"] = type(model).__name__
    try:
        written = write(model, out, {"overwrite": given.overwrite, **options})
    except TypeError as error:  # a model that this kind of file is not for
        raise ValueError(str(error)) from None
    display.wrote(str(out))
    display.file(str(out), out.stat().st_size, getattr(written, "sizes", ""))


def options_of(given: Any, form: str) -> dict[str, Any]:
    """The options of such a file that are given; those of the other form are refused."""
    for other, names in OPTIONS.items():
        for name in names:
            if other != form and getattr(given, name) is not None:
                raise ValueError(f"--{name} is an option of files in {other}, and {given.out} is one in {form}.")
    return {name: getattr(given, name) for name in OPTIONS[form] if getattr(given, name) is not None}


def write(model: Any, out: Path, options: Mapping[str, Any]) -> Any:
    """Write the model in the form that the file's ending says; what the writer says of it."""
    from rosenblatt import export as exports

    writer = exports.to_onnx if out.suffix.lower() in ONNX else exports.to_c
    return writer(model, out, **options)
