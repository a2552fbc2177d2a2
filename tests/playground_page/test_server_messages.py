"""Messages of the page: what is valid, with which reason all else closes the socket, and what is answered."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.playground_page.server_tools import CONFIGURE, Client

from rosenblatt.playground_page import messages
from rosenblatt.playground_page.messages import MAX_STEPS, MessageError, parse_message

INVALID: dict[str, tuple[Any, str]] = {
    "no JSON": ("{", "not JSON"),
    "nothing": ("", "not JSON"),
    "bytes": (b"{}", "binary message"),
    "a list": ("[]", "type is None"),
    "a number": ("1", "type is None"),
    "no type": ("{}", "type is None; it must be one of configure, advance"),
    "a type that is a list": ('{"type": []}', "type is of type list"),
    "another type": ('{"type": "delete"}', "type is 'delete'"),
    "no run": ('{"type": "drop"}', "drop lacks the field 'run'"),
    "a third run": ('{"type": "drop", "run": 2}', "drop: the field 'run' is 2"),
    "a run that is true": ('{"type": "drop", "run": true}', "the field 'run' is True"),
    "a field too much": ('{"type": "drop", "run": 0, "path": "/etc"}', "drop has no field 'path'"),
    "settings that are a list": ('{"type": "configure", "run": 0, "settings": []}', "'settings' is of type list"),
    "too many steps": (f'{{"type": "advance", "run": 0, "steps": {MAX_STEPS + 1}}}', "'steps' is 100001"),
    "steps back": ('{"type": "advance", "run": 0, "steps": -1}', "'steps' is -1"),
    "half a step": ('{"type": "advance", "run": 0, "steps": 0.5}', "'steps' is 0.5"),
    "statistics as a number": ('{"type": "advance", "run": 0, "steps": 1, "statistics": 1}', "'statistics' is 1"),
    "NaN": ('{"type": "change", "run": 0, "changes": {"l1": NaN}}', "the number 'NaN'"),
    "infinity": ('{"type": "change", "run": 0, "changes": {"l1": 1e999}}', "the number '1e999'"),
    "a huge integer": ('{"type": "advance", "run": 0, "steps": ' + "9" * 5000 + "}", "too large"),
    "an inexact integer": ('{"type": "advance", "run": 0, "steps": 9007199254740993}', "too large"),
    "a change that is not live": ('{"type": "change", "run": 0, "changes": {"seed": 1}}', "'changes' is of type dict"),
    "a change to a text": ('{"type": "change", "run": 0, "changes": {"l1": "0"}}', "'changes' is of type dict"),
    "a layer 0": ('{"type": "edit", "run": 0, "layer": 0, "input": 0, "unit": 0, "value": 1}', "'layer' is 0"),
    "no value": ('{"type": "edit", "run": 0, "layer": 1, "input": 0, "unit": 0}', "lacks the field 'value'"),
    "a deep nest": ("[" * 100_000, "nested too deeply"),
    "many empty lists": ('{"type": "load", "document": [' + "[],[" * 40_000, "120003 lists, objects and commas"),
    "a long message": (json.dumps({**CONFIGURE, "settings": {"x": "y" * 70_000}}), "65536 are allowed"),
}


@pytest.mark.parametrize(("text", "reason"), INVALID.values(), ids=INVALID)
def test_what_is_no_valid_message_closes_the_socket_with_a_reason(text: Any, reason: str, client: Client) -> None:
    with pytest.raises(MessageError) as caught:
        parse_message(text)
    assert reason in str(caught.value)
    with client.page() as page:
        page.send(text)
        closed = page.answer()
        assert (closed["type"], closed["code"]) == ("websocket.close", 1008)
        assert closed["reason"] == str(caught.value)[:120]
        assert 10 < len(closed["reason"].encode()) <= 120


VALID = (
    {"type": "advance", "run": 1, "steps": 0, "statistics": True},
    {"type": "advance", "run": 0, "steps": MAX_STEPS, "statistics": False},
    {"type": "edit", "run": 0, "layer": 1, "input": None, "unit": 2, "value": -0.5},
    {"type": "change", "run": 0, "changes": {"learning_rate": 0.1, "batch_size": 4, "l1": 0, "l2": 1e-3}},
    {"type": "forget_table"},
    CONFIGURE,
)


@pytest.mark.parametrize("message", VALID, ids=lambda message: message["type"])
def test_valid_messages_are_returned_as_they_are(message: Any) -> None:
    assert parse_message(json.dumps(message)) == message


def test_statistics_are_left_out_by_default() -> None:
    assert parse_message('{"type": "advance", "run": 0, "steps": 1}')["statistics"] is False


def test_every_type_has_an_answer() -> None:
    from rosenblatt.playground_page.page import ANSWERS

    assert set(ANSWERS) == set(messages.FIELDS)


def test_only_saved_runs_may_be_long() -> None:
    long = json.dumps({"type": "load", "run": 0, "document": {"weights": [0.5] * 40_000}})
    assert len(parse_message(long)["document"]["weights"]) == 40_000


def test_a_page_is_welcomed_with_all_that_it_needs(client: Client) -> None:
    with client.page() as page:
        known = page.welcome
    assert (known["type"], known["protocol"], known["table"]) == ("welcome", 1, None)
    assert set(known["catalogue"]) >= {"sources", "features", "activations", "optimizers", "controls", "limits"}
    assert isinstance(known["lessons"], list)


def test_a_run_is_configured_trained_changed_and_dropped(client: Client) -> None:
    with client.page() as page:
        configured = page.configure()
        assert configured["network"]["layers"] == [2, 3, 1]
        assert configured["settings"]["layers"][0]["units"] == 3
        frame = page.ask("advance", run=0, steps=40)
        assert (frame["type"], frame["run"], frame["step"]) == ("frame", 0, 40)
        assert page.ask("change", run=0, changes={"learning_rate": 0.3})["learning_rate"] == 0.3
        assert page.ask("edit", run=0, layer=1, input=0, unit=2, value=0.5)["step"] == 40
        assert "print" in page.ask("script", run=0)["text"]
        document = page.ask("save", run=0)["document"]
        assert page.ask("load", run=1, document=document)["run"] == 1
        assert page.answer()["step"] == 40
        page.send('{"type": "drop", "run": 0}')
        assert page.ask("advance", run=0, steps=1) == {
            "type": "error",
            "run": 0,
            "message": "Run 0 has no settings yet; configure it first.",
        }


def test_settings_that_cannot_work_change_nothing(client: Client) -> None:
    with client.page() as page:
        page.configure()
        page.ask("advance", run=0, steps=7)
        for wrong in ({"layers": 3}, {"data": {"source": "table"}}, {"learning_rate": -1}, {"colour": "red"}):
            refused = page.ask("configure", run=0, settings=wrong)
            assert (refused["type"], refused["run"]) == ("error", 0)
            assert len(refused["message"]) > 20
        assert page.ask("advance", run=0, steps=1)["step"] == 8


@pytest.mark.parametrize(
    "settings",
    [
        {"layers": [{"units": 1}] * 33},
        {"layers": [{"units": 513}]},
        {"layers": [{"units": 512}] * 32},
        {"data": {"source": "xor", "rows": 10_001}},
    ],
)
def test_networks_and_data_beyond_the_limits_are_refused(settings: Any, client: Client) -> None:
    with client.page() as page:
        assert page.ask("configure", run=0, settings=settings)["type"] == "error"


def test_lack_of_memory_is_said(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from rosenblatt.playground_page import page as module

    def lacking(*_: object) -> None:
        raise MemoryError

    with client.page() as page:
        monkeypatch.setattr(module, "Run", lacking)
        assert "not enough memory" in page.ask("configure", run=0, settings={})["message"]


def test_an_error_of_the_server_closes_this_page_alone(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from rosenblatt.playground_page.page import ANSWERS

    def broken(*_: object) -> Any:
        raise KeyError("broken")

    with client.page() as page, client.page() as other:
        monkeypatch.setitem(ANSWERS, "script", broken)
        closed = page.ask("script", run=0)
        assert (closed["type"], closed["code"]) == ("websocket.close", 1011)
        assert "broken" not in closed["reason"]
        assert "KeyError: 'broken'" in caplog.text
        other.configure()
