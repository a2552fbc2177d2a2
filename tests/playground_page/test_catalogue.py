"""The catalogue: all that settings allow has a title and a line, and what it proposes is allowed."""

import json

import pytest

from rosenblatt.playground_page.catalogue import CONTROLS, catalogue
from rosenblatt.playground_page.settings import FIELDS, LIMITS, Settings

TOLD = json.loads(json.dumps(catalogue(), allow_nan=False))


def test_every_choice_and_every_control_is_explained():
    entries = [
        e
        for name in ("sources", "features", "activations", "optimizers", "schedules", "initializers", "losses")
        for e in TOLD[name]
    ]
    for entry in [*entries, *TOLD["controls"].values()]:
        assert entry["title"]
        assert entry["help"].endswith(".")
        assert len(entry["help"]) <= 120
    assert set(FIELDS) - {"version", "data"} <= set(CONTROLS)
    assert {"noise", "train_share", "classes", "discretize", "play", "units", "dropout"} <= set(CONTROLS)


@pytest.mark.parametrize("name", [name for name, control in TOLD["controls"].items() if "values" in control])
def test_proposed_values_are_allowed(name):
    for value in TOLD["controls"][name]["values"]:
        if name in ("rows", "noise", "train_share", "classes"):
            given = {"data": {"source": "blobs", name: value}}
        else:
            given = {"layers": [{name: value}]} if name == "dropout" else {"optimizer": "rmsprop", name: value}
        Settings.from_json(given)


def test_named_choices_are_allowed():
    for part, field in (("optimizers", "optimizer"), ("schedules", "schedule"), ("losses", "loss")):
        for entry in TOLD[part]:
            Settings.from_json({field: entry["name"], "layers": []})
    for entry in TOLD["activations"]:
        Settings.from_json({"layers": [{"activation": entry["name"]}]})
    assert TOLD["limits"] == LIMITS
    assert {entry["name"] for entry in TOLD["sources"]} == set(TOLD["good_settings"])
