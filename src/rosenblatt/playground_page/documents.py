"""A run as a document that can be saved, and read again.

Takes a `Run`, or an object as a JSON reader gives it. Returns the object, or the run. Raises a `SettingsError` for a
document that was changed; never runs anything that it holds, and needs no more memory than its settings do.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from rosenblatt.playground_page.given import Given, SettingsError, shown
from rosenblatt.playground_page.own_tables import PlaygroundTable
from rosenblatt.playground_page.settings import LIMITS, Settings

if TYPE_CHECKING:
    from rosenblatt.playground_page.runs import Run

__all__ = ["document_of", "restore"]

R = TypeVar("R", bound="Run")
FIELDS = ("version", "settings", "events", "state", "digest")
STATE = ("step", "epoch", "row", "loss_sum", "epochs_cut", "diverged", "memory")
MAX_STEPS = 2**50


def document_of(run: Run) -> dict[str, Any]:
    """The run as an object for JSON: settings, what was changed when, and the memory of its trainer in base64."""
    if not np.isfinite(run.network.parameters).all():
        raise SettingsError("the run has diverged, so that nothing can continue it; reset it before you save.")
    counts, arrays = run.trainer.state()
    state = {name: counts[name] for name in ("step", "epoch", "row")}
    loss_sum = float(arrays["loss_sum"][0])
    state |= {
        "loss_sum": loss_sum if np.isfinite(loss_sum) else 0.0,
        "epochs_cut": run.epochs_cut,
        "diverged": bool(run.diverged),
        "memory": base64.b64encode(arrays["memory"].tobytes()).decode("ascii"),
    }
    return {
        "version": 1,
        "settings": run.initial.to_json(),
        "events": [dict(event) for event in run.events],
        "digest": run.problem.digest(),
        "state": state,
    }


def restore(kind: type[R], document: object, table: PlaygroundTable | None) -> R:
    """The run of a document; see `Run.from_document`."""
    if not isinstance(document, dict) or not {*FIELDS} <= {*document}:
        raise SettingsError("the file holds no run that this page has saved. Choose a file that Save has made.")
    version = document["version"]
    if version != 1 or isinstance(version, bool):
        raise SettingsError(f"the file is of version {shown(version)}; this page reads those of version 1.")
    if table is None and isinstance(document["settings"], dict) and wants_table(document["settings"]):
        raise SettingsError(
            "the run was trained on a table, but there is no table: drop its file on the page, then load the run again."
        )
    try:
        return _restored(kind, Given(document, "document", FIELDS), table)
    except SettingsError as error:
        raise SettingsError(
            f"the run cannot be loaded, because its file was changed or the table is another: {error}"
        ) from None


def wants_table(settings: dict[str, Any]) -> bool:
    """Whether settings, as they were given, are for a table."""
    data = settings.get("data")
    return isinstance(data, dict) and data.get("source") == "table"


def _restored(kind: type[R], g: Given, table: PlaygroundTable | None) -> R:
    run = kind(Settings.from_json(g.get("settings"), table), table)
    if g.get("digest") != run.problem.digest():
        if run.initial.data.source != "table":
            raise SettingsError("document.digest does not fit its settings.")
        raise SettingsError("it was saved with other data; drop the same file on the page first, as it was.")
    state = Given(g.get("state"), "document.state", STATE)
    step = state.count("step", 0, 0, MAX_STEPS)
    for number, event in enumerate(_events(g)):
        _replay(run, event, f"document.events[{number}]", step)
    if run.settings != run.initial:
        run.continue_with_new_trainer()
    _set_state(run, state, step)
    return run


def _events(g: Given) -> list[Any]:
    events = g.get("events")
    if not isinstance(events, list) or len(events) > LIMITS["events"]:
        raise g.refuse("events", f"a list of at most {LIMITS['events']:,} changes")
    return events


def _replay(run: Run, given: object, where: str, last: int) -> None:
    """Note a change as if it had just been made, at its step."""
    g = Given(given, where, ("step", "changes", "edit"))
    step = g.count("step", 0, run.events[-1]["step"] if run.events else 0, last)
    if ("changes" in g.given) == ("edit" in g.given):
        raise SettingsError(f"{where} must have changes or edit, one of them.")
    run.trainer.step_count = step
    if "changes" in g.given:
        run.note_change(g.get("changes"))
        return
    edit = g.get("edit")
    if not isinstance(edit, list) or len(edit) != 4:
        raise g.refuse("edit", "a list of layer, input, unit and value")
    run.edit(*edit)


def _set_state(run: Run, g: Given, step: int) -> None:
    """Put the run where it was."""
    trainer, n_rows = run.trainer, run.trainer.n_rows
    row = g.count("row", 0, 0, n_rows - 1)
    if row % (trainer.batch_size or n_rows):
        raise g.refuse("row", f"a multiple of the batch size, {trainer.batch_size}")
    memory = _bytes(g, trainer.memory.size)
    counts = {"step": step, "epoch": g.count("epoch", 0, 0, step), "row": row, "seed": trainer.seed}
    loss_sum = g.number("loss_sum", 0.0, -1e300, 1e300)
    diverged = g.get("diverged")
    if not isinstance(diverged, bool):
        raise g.refuse("diverged", "true or false")
    run.epochs_cut = g.number("epochs_cut", 0.0, 0, MAX_STEPS)
    try:
        trainer.resume_from(counts, {"memory": memory, "loss_sum": np.array([loss_sum])})
    except ValueError as error:
        raise SettingsError(f"document.state.memory does not fit: {error}.") from None
    run.diverged = diverged


def _bytes(g: Given, size: int) -> Any:
    """So many bytes from base64."""
    text = g.get("memory")
    if not isinstance(text, str) or len(text) != 4 * -(-size // 3):
        raise SettingsError(f"document.state.memory does not hold the {size:,} bytes that these settings need.")
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise SettingsError("document.state.memory is not base64.") from None
    if len(data) != size:
        raise SettingsError(f"document.state.memory holds {len(data):,} bytes; these settings need {size:,}.")
    return np.frombuffer(data, np.uint8)
