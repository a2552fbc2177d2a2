"""Saved runs: they continue with the same bits, and a document that was changed gives a SettingsError at most."""

import base64
import copy
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rosenblatt.playground_page.own_tables import PlaygroundTable
from rosenblatt.playground_page.runs import Run
from rosenblatt.playground_page.settings import Settings, SettingsError
from rosenblatt.tables import read_table

RICH = {
    **{"layers": [{"units": 5, "dropout": 0.3}], "optimizer": "adam", "schedule": "cosine", "schedule_steps": 900},
    "batch_size": 7,
}


def rich_run():
    run = Run(Settings.from_json(RICH))
    run.advance(33, 0)
    run.change({"learning_rate": 0.01, "l2": 0.1})
    run.edit(1, 0, 2, 0.5)
    run.advance(40, 0)
    run.change({"batch_size": 9})
    run.advance(11, 0)
    return run


SAVED = json.loads(json.dumps(rich_run().document()))


def test_a_loaded_run_continues_with_the_same_bits():
    run, loaded = rich_run(), Run.from_document(SAVED)
    assert loaded.losses == run.losses
    assert loaded.epoch == run.epoch
    for one in (run, loaded):
        one.advance(101, 0)
    np.testing.assert_array_equal(loaded.network.parameters, run.network.parameters)
    assert loaded.script() == run.script()
    assert loaded.document() == run.document()


def test_a_run_of_a_table_needs_the_same_table():
    rng = np.random.default_rng(0)
    columns = {"a": rng.normal(size=40), "b": rng.normal(size=40), "c": ["u", "v"] * 20}
    table = PlaygroundTable.of(read_table(columns), "t")
    given = {"data": {"source": "table", "columns": ["a", "b"], "target": "c"}}
    run = Run(Settings.from_json(given, table), table)
    run.advance(21, 0)
    document = json.loads(json.dumps(run.document()))
    assert Run.from_document(document, table).losses == run.losses
    with pytest.raises(SettingsError, match="there is no table"):
        Run.from_document(document)
    other = PlaygroundTable.of(read_table(columns | {"a": columns["b"][::-1].copy()}), "t")
    with pytest.raises(SettingsError, match="other data; drop the same file"):
        Run.from_document(document, other)


def places(value, path=()):
    """Paths to all values inside."""
    yield path
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[key], (*path, key))


PLACES = [path for path in places(SAVED) if path]
VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.just([]) | st.just({})


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(PLACES), VALUES, st.booleans())
def test_a_changed_document_gives_a_run_or_a_settings_error(path, value, remove):
    document = copy.deepcopy(SAVED)
    *way, last = path
    inner = document
    for key in way:
        inner = inner[key]
    if remove:
        del inner[last]
    else:
        inner[last] = value
    try:
        run = Run.from_document(document)
    except SettingsError:
        return
    run.advance(3, 0)
    run.frame(0, statistics=True)
    run.script()


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_changed_bytes_of_the_memory_give_a_run_or_a_settings_error(data):
    document = copy.deepcopy(SAVED)
    memory = bytearray(base64.b64decode(document["state"]["memory"]))
    for _ in range(data.draw(st.integers(1, 20))):
        memory[data.draw(st.integers(0, len(memory) - 1))] = data.draw(st.integers(0, 255))
    document["state"]["memory"] = base64.b64encode(memory).decode()
    try:
        run = Run.from_document(document)
    except SettingsError:
        return
    run.advance(5, 0)
    run.frame(0, statistics=True)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("version",), 2, "of version 2"),
        (("extra",), 1, "has no field 'extra'"),
        (("settings", "seed"), -1, "seed is -1"),
        (("state", "memory"), "AAAA", "bytes that these settings need"),
        (("state", "memory"), 5, "bytes that these settings need"),
        (("state", "row"), 4, "multiple of the batch size, 9"),
        (("state", "row"), 10**9, "document.state.row"),
        (("state", "step"), 10**30, "document.state.step"),
        (("state", "epoch"), 10**6, "document.state.epoch"),
        (("state", "diverged"), 1, "true or false"),
        (("events", 0, "step"), 10**6, r"document.events\[0\].step"),
        (("events", 1, "step"), 2, r"document.events\[1\].step"),
        (("events", 0, "edit"), [1, 0, 0, 1], "changes or edit"),
        (("events", 1, "edit"), [9, 0, 0, 1], "layer is 9"),
        (("events",), [{}] * 20_000, "at most 10,000"),
        (("digest",), "0", r"document\.digest does not fit its settings"),
    ],
)
def test_what_is_wrong_is_named(path, value, message):
    document = copy.deepcopy(SAVED)
    inner = document
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    with pytest.raises(SettingsError, match=message):
        Run.from_document(document)


@pytest.mark.parametrize("document", [None, 3, [], "x", {}, {"version": 1}])
def test_what_is_no_document_is_refused(document):
    with pytest.raises(SettingsError):
        Run.from_document(document)


def test_loading_runs_and_opens_nothing(events_of):
    Run.from_document(SAVED)
    assert events_of(lambda: Run.from_document(SAVED)) == []
