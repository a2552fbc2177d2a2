"""``rosenblatt export``: a stored model as a file of another program.

Takes a model file and the name of the file to write, whose ending says what it is. Returns nothing: it writes the file
and shows its size. Never replaces a file without ``--overwrite``, nor the model itself.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rosenblatt.cli.destination import require_other, require_place
from rosenblatt.cli.display import Display
from rosenblatt.cli.models import load_model
from rosenblatt.cli.session import is_standard

__all__ = ["export"]

ONNX, C = (".onnx",), (".c", ".h")


def export(given: Any, display: Display) -> None:
    """Check the place, load, write, show."""
    out: Path = given.out
    kind = out.suffix.lower()
    if is_standard(out) or kind not in ONNX + C:
        raise ValueError(f"--out {out}: the ending says what is written: {', '.join(ONNX + C)}; choose one of them.")
    require_place(out)
    require_other(out, given.model)
    if out.exists() and not given.overwrite:
        raise FileExistsError(f"{out} exists; --overwrite replaces it, or choose another name with --out.")
    display.data |= {"command": "export", "model": str(given.model)}
    model = load_model(given.model)
    display.data["kind"] = type(model).__name__
    try:
        write(model, out, given.overwrite)
    except TypeError as error:  # a model that this kind of file is not for
        raise ValueError(str(error)) from None
    display.wrote(str(out))
    display.file(str(out), out.stat().st_size)


def write(model: Any, out: Path, overwrite: bool) -> None:
    """Write the model in the form that the file's ending says."""
    from rosenblatt import export as exports

    writer = exports.to_onnx if out.suffix.lower() in ONNX else exports.to_c
    writer(model, out, overwrite=overwrite)
