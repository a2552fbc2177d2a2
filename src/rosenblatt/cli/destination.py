"""Where a model is written, and what it may replace there.

Takes the path that was asked for, and what is there. Returns what was written. Never replaces a file that is
no model, nor a model of another table or command unless the user says so; never loses a model that was trained.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rosenblatt._suggestions import article
from rosenblatt.cli.session import STANDARD, is_standard
from rosenblatt.cli.terminal import write_result
from rosenblatt.persistence.limits import MAX_TABLE_COLUMNS
from rosenblatt.persistence.save_load import ModelFileError, load, save
from rosenblatt.tables.task import TabularTask

__all__ = [
    *(
        "Destination",
        "StandardOutput",
        "WrittenModel",
        "destination_of",
        "first_bytes",
        "is_model_file",
        "require_other",
    ),
    "require_place",
]

MAX_HEADER = 2**40
FORCE = "Choose another name with --out, or replace it with --force."


@dataclass(frozen=True)
class WrittenModel:
    """A model that was written to the file `name`; `reason` says why to this one, if another was asked for."""

    name: str
    n_bytes: int
    reason: str = ""


def require_room(task: TabularTask) -> None:
    """Refuse a table that is too wide for a model file, before it is learned in vain."""
    if (n_columns := len(task.inputs.columns)) > MAX_TABLE_COLUMNS:
        raise ValueError(
            f"the table has {n_columns:,} columns besides the target; a model file holds {MAX_TABLE_COLUMNS:,}. "
            "Make a table of fewer columns, or learn in Python, where a model need not be saved."
        )


def destination_of(
    path: Path, command: str, force: bool, keep_predictions: bool, stream: Any
) -> Destination | StandardOutput:
    """Where the model of a command goes: the file or, for "-", the `stream`."""
    if is_standard(path):
        return StandardOutput(command, keep_predictions, stream)
    return Destination(path, command, force, keep_predictions)


class StandardOutput:
    """The stream that a model is written to, whose reader keeps it."""

    def __init__(self, command: str, keep_predictions: bool, stream: Any) -> None:
        if stream.isatty():
            raise ValueError("--out - would write a model to the terminal; redirect it, as in --out - > m.safetensors.")
        self.command, self.keep_predictions, self.stream = command, keep_predictions, stream

    def require_place(self, task: TabularTask) -> None:
        """Refuse a table whose model cannot be written."""
        require_room(task)

    def write(self, model: Any, objection: str) -> WrittenModel:
        """Write the model; an `objection` matters only where a model is replaced."""
        model.made_by_ = self.command
        with tempfile.TemporaryDirectory() as folder:
            save(model, path := Path(folder, "model.safetensors"), self.keep_predictions)
            data = path.read_bytes()
        write_result(self.stream, data)
        return WrittenModel(STANDARD, len(data))


class Destination:
    """The file that a command will write its model to; an error before anything is read if it cannot be written."""

    def __init__(self, path: Path, command: str, force: bool, keep_predictions: bool = False) -> None:
        require_writable(path)
        self.path, self.command, self.force = path, command, force
        self.keep_predictions = keep_predictions
        self.before = state_of(path)

    def require_place(self, task: TabularTask) -> None:
        """Refuse a table whose model cannot be written, or may not replace the model that is there."""
        require_room(task)
        self.require_same_origin(task)

    def require_same_origin(self, task: TabularTask) -> None:
        """Refuse to replace a model that another command made, or that was made for another table."""
        if self.before is None or self.force:
            return
        try:
            model = load(self.path)
        except ModelFileError as error:
            raise FileExistsError(f"{error} {FORCE}") from None
        if (maker := getattr(model, "made_by_", "")) != self.command:
            by = f"rosenblatt {maker}" if maker else "Python"
            found = f"holds {article(type(model).__name__)} that {by} made, not rosenblatt {self.command}"
        elif model.target_name_ != task.target.name:
            found = f"holds a model that predicts {model.target_name_!r}, not {task.target.name!r}"
        elif other := set(model.feature_names_in_) ^ set(task.inputs.columns):
            name = min(other)
            where = "only it" if name in task.inputs.columns else "only the other"
            found = f"holds a model of another table: {where} has the column {name!r}"
        elif hasattr(model, "classes_") != (task.target.classes is not None):
            found = f"holds {article(type(model).__name__)}, but this is a {task.target.task} task"
        elif other := {*map(str, getattr(model, "classes_", ()))} ^ {
            *map(str, () if task.target.classes is None else task.target.classes)
        }:
            found = f"holds a model of other classes: only one of them has {min(other)!r}"
        else:
            return
        raise FileExistsError(f"{self.path} {found}. {FORCE}")

    def write(self, model: Any, objection: str) -> WrittenModel:
        """Save the model.

        An `objection` keeps it from replacing what is there; a model that may not be written there gets another name.
        """
        model.made_by_ = self.command
        if not self.force and state_of(self.path) != self.before:
            reason = f"{self.path} was written by another program in the meantime"
        elif not self.force and self.before is not None and objection:
            reason = f"{objection.rstrip('.')}, so {self.path} was left as it was (--force replaces it)"
        else:
            try:
                save(model, self.path, self.keep_predictions)
                return written(self.path)
            except OSError as error:
                reason, trouble = f"{self.path} could not be written ({error.strerror or error})", error
                try:
                    return written(self._beside(model), reason)
                except OSError:
                    raise trouble from None
        return written(self._beside(model), reason)

    def _beside(self, model: Any) -> Path:
        """Save under the first free name like the one that was asked for."""
        number = 2
        while (path := self.path.with_stem(f"{self.path.stem}-{number}")).exists():
            number += 1
        save(model, path, self.keep_predictions)
        return path


def written(path: Path, reason: str = "") -> WrittenModel:
    """The file at `path`, which was written just now."""
    return WrittenModel(str(path), path.stat().st_size, reason)


def state_of(path: Path) -> tuple[int, int, int] | None:
    """What changes when a file is written; None for a file that is missing or empty."""
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_ino, found.st_size, found.st_mtime_ns) if found.st_size else None


def class_texts(classes: Any) -> set[str]:
    """Classes as texts; none for numbers."""
    return set() if classes is None else set(map(str, classes))


def require_writable(out: Path) -> None:
    """Find out before training, not after, that the model cannot be written."""
    require_place(out)
    first = first_bytes(out) if out.exists() else b""
    if first and b'"__metadata__"' not in first:  # an empty file may be replaced, and one with a model's header
        raise FileExistsError(f"{out} exists and is no model; choose another name with --out.")


def require_place(out: Path, option: str = "--out") -> None:
    """Refuse a file that cannot be written, whatever is to be in it."""
    folder = Path(os.path.realpath(out)).parent if out.is_symlink() else out.parent
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {folder} to write {out.name} to.")
    if out.is_dir():
        raise IsADirectoryError(f"{option} {out} is a folder; give a file name.")
    if out.exists() and not out.is_file():
        raise FileExistsError(f"{option} {out} is a device or a pipe; give a file name.")
    if not os.access(folder, os.W_OK):
        raise PermissionError(f"the folder {folder} is not writable; choose another with {option}.")


def require_other(out: Path, *inputs: Path | None, option: str = "--out") -> None:
    """Refuse to write over what this command reads."""
    for path in inputs:
        if path is not None and out.exists() and path.exists() and out.samefile(path):
            raise FileExistsError(f"{option} {out} is one of the files to read; choose another name.")


def first_bytes(path: Path) -> bytes:
    """How a file begins."""
    with open(path, "rb") as file:
        return file.read(4096)


def is_model_file(path: Path) -> bool:
    """Whether a file is of the format of models, safetensors, perhaps of another program or a damaged one.

    It begins with the length of its header, which no text and no table does.
    """
    first = first_bytes(path) if path.is_file() else b""
    return len(first) > 8 and int.from_bytes(first[:8], "little") < MAX_HEADER and first[8:9] == b"{"
