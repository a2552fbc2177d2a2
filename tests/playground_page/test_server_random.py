"""Random messages leave the server alive: no valid ones, valid ones with random values, bytes."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from tests.playground_page.server_tools import SMALL, Client

from rosenblatt.playground_page.messages import FIELDS

SETTINGS: dict[str, Any] = {
    **SMALL,
    "features": ["x1", "x2"],
    "optimizer": "adam",
    "learning_rate": 0.03,
    "batch_size": 10,
    "l1": 0.0,
    "l2": 0.0,
    "seed": 0,
}
SEEDS: tuple[dict[str, Any], ...] = (
    {"type": "configure", "run": 0, "settings": SETTINGS},
    {"type": "advance", "run": 0, "steps": 3, "statistics": True},
    {"type": "change", "run": 0, "changes": {"learning_rate": 0.1}},
    {"type": "edit", "run": 0, "layer": 1, "input": 0, "unit": 2, "value": 0.5},
    {"type": "drop", "run": 1},
    {"type": "script", "run": 0},
    {"type": "save", "run": 0},
    {
        "type": "load",
        "run": 1,
        "document": {"version": 1, "settings": SETTINGS, "step": 3, "events": [], "weights": []},
    },
    {"type": "forget_table"},
)
WORDS = (
    *FIELDS,
    *SETTINGS,
    *SMALL["data"],
    "units",
    "relu",
    "xor",
    "table",
    "default",
    "",
    "\ud800",
    "é" * 99,
    "../..",
)
NUMBERS = (0, 1, 2, -1, 0.5, 1e-300, 1e300, 2**31, 2**53, 10**30, float("nan"), float("inf"), 100_000, 511, 33)


def value(rng: random.Random, depth: int = 0) -> Any:
    """A random value of JSON."""
    kind = rng.randrange(5 if depth > 2 else 7)
    if kind < 2:
        return rng.choice(NUMBERS)
    if kind < 5:
        return rng.choice([rng.choice(WORDS), None, True, False, rng.random()])
    n = rng.randrange(4)
    if kind == 5:
        return [value(rng, depth + 1) for _ in range(n)]
    return {str(rng.choice(WORDS)): value(rng, depth + 1) for _ in range(n)}


def mutated(rng: random.Random, given: Any) -> Any:
    """A value of JSON in which something is other."""
    if rng.random() < 0.3 or not isinstance(given, (dict, list)) or not given:
        return value(rng) if rng.random() < 0.7 else given
    if isinstance(given, list):
        place = rng.randrange(len(given))
        return [*given[:place], mutated(rng, given[place]), *given[place + rng.randrange(2) :]]
    name = rng.choice(list(given))
    changed = {**given, name: mutated(rng, given[name])}
    if rng.random() < 0.1:
        del changed[name]
    return changed


def message(rng: random.Random) -> str | bytes:
    """A random message."""
    kind = rng.randrange(14)
    if kind == 0:
        return rng.randbytes(rng.randrange(60))
    if kind == 1:
        return "".join(rng.choice('{}[]":,0123456789eE+-.truefalsn\\ \t') for _ in range(rng.randrange(60)))
    if kind == 2:
        return json.dumps(value(rng))
    seed = dict(rng.choice(SEEDS))
    if kind > 11:
        return json.dumps(seed)
    field = rng.choice([name for name in seed if name not in ("type", "run")] * 3 + ["type", "run"][: len(seed)])
    seed[field] = mutated(rng, seed[field])
    return json.dumps(seed)


def talk(client: Client, rng: random.Random, n: int) -> dict[str, int]:
    """Send so many messages, each answered before the next; how many answers of each type came."""
    counts: dict[str, int] = {}
    page = client.open()
    for _ in range(n):
        page.send(message(rng))
        page.send('{"type": "drop", "run": 1}')  # has no answer of its own
        page.send('{"type": "forget_table"}')  # so that the last answer is known
        while True:
            found = page.answer()
            counts[found["type"]] = counts.get(found["type"], 0) + 1
            if found["type"] == "websocket.close":
                assert found["code"] == 1008, found
                assert 0 < len(found["reason"].encode()) <= 120
                client.run(page.task)
                page = client.open()
                page.configure()
            elif found["type"] != "table":
                continue
            break
    page.leave()
    return counts


@pytest.mark.parametrize("n", [300, pytest.param(10_000, marks=pytest.mark.long)])
def test_random_messages_leave_the_server_alive(n: int, client: Client, caplog: pytest.LogCaptureFixture) -> None:
    counts = talk(client, random.Random(1), n)
    assert caplog.text == ""
    assert min(counts[kind] for kind in ("websocket.close", "error", "frame", "configured")) > n / 100
    with client.page() as page:
        page.configure()
        assert page.ask("advance", run=0, steps=40)["step"] == 40


def test_random_requests_are_answered(client: Client) -> None:
    rng = random.Random(0)
    for _ in range(300):
        path = "/" + "".join(
            rng.choice(["secret/", "socket", "table", "..", "/", "%2e", "%ff", "?name=", "a"]) for _ in range(4)
        )
        method = rng.choice(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
        answered = client.request(
            method, path, [rng.randbytes(20)], {"origin": rng.choice(["null", "http://127.0.0.1:8958"])}
        )
        assert answered.status in (200, 307, 400, 403, 404, 405, 409, 413, 426)
