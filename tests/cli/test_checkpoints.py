"""Trainings that were killed: the same command goes on where it was, and ends with the same bytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rosenblatt.estimators.tabular.progress import PlainProgress

TRAIN = ("train", "rents.csv", "--target", "rent", "--epochs", 3, "--members", 3, "--hidden", 4, "--quiet")


class Killed(Exception):
    """What no command catches, as if the process ended."""


def test_a_training_that_was_killed_ends_with_the_same_bytes(cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    epochs: list[tuple[int, int]] = []

    def note(self: PlainProgress, epoch: Any) -> None:
        epochs.append((epoch.member, epoch.number))
        if killed and len(epochs) > 6:
            raise Killed

    monkeypatch.setattr(PlainProgress, "show", note)
    killed = False
    code, out, _ = cli(*TRAIN, "--out", "whole", "--threads", 1, "--json")
    assert (code, json.loads(out)["training"]["resumed_epochs"]) == (0, 0)
    assert len(epochs) == 9
    epochs, killed = [], True
    with pytest.raises(Killed):
        cli(*TRAIN, "--out", "m", "--checkpoint", "saved", "--threads", 1)
    assert not Path("m").exists()
    epochs, killed = [], False
    code, out, _ = cli(*TRAIN, "--out", "m", "--checkpoint", "saved", "--threads", 1, "--json")
    assert code == 0
    assert 0 < len(epochs) < 9
    assert json.loads(out)["training"]["resumed_epochs"] == 9 - len(epochs)
    assert Path("m").read_bytes() == Path("whole").read_bytes()


@pytest.mark.long
def test_a_search_keeps_its_record(cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from rosenblatt.cli import tune

    monkeypatch.setattr(tune, "SEARCH", {"max_epochs": 2, "n_trials": 2, "strategy": "random"})
    options = ("--target", "rent", "--time", "30s", "--out", "m", "--checkpoint", "saved", "--seed", 1)
    code, out, err = cli("tune", "rents.csv", *options)
    assert (code, err) == (0, "")
    (path,) = Path("saved").glob("search-*.jsonl")
    record = path.read_bytes()
    assert "search    2 candidates" in out
    model = Path("m").read_bytes()
    assert cli("tune", "rents.csv", *options)[0] == 0
    assert path.read_bytes() == record
    assert Path("m").read_bytes() == model
    assert cli("tune", "rents.csv", *options[:-1], 2)[0] == 0, "another search has a record of its own"
    assert len(list(Path("saved").glob("search-*.jsonl"))) == 2


@pytest.mark.long
def test_a_search_of_so_many_candidates_that_was_killed_ends_with_the_same_bytes(
    cli: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rosenblatt.cli import tune
    from rosenblatt.search.journal import Journal

    add, results = Journal.add, []

    def note(self: Journal, result: Any) -> None:
        add(self, result)
        results.append(result)
        if killed and len(results) == 2:
            raise Killed

    monkeypatch.setattr(Journal, "add", note)
    monkeypatch.setattr(tune, "SEARCH", {"max_epochs": 2, "strategy": "random"})
    options = ("--target", "rent", "--candidates", 3, "--out", "m", "--seed", 1, "--threads", 1)
    killed = False
    assert cli("tune", "rents.csv", *options, "--checkpoint", "whole")[0] == 0
    model, n_results = Path("m").read_bytes(), len(results)
    Path("m").unlink()
    results, killed = [], True
    with pytest.raises(Killed):
        cli("tune", "rents.csv", *options, "--checkpoint", "saved")
    assert not Path("m").exists()
    results, killed = [], False
    code, out, _ = cli("tune", "rents.csv", *options, "--checkpoint", "saved")
    assert code == 0
    assert "search    3 candidates" in out
    assert 0 < len(results) < n_results
    assert Path("m").read_bytes() == model


def test_a_file_as_folder_is_refused_in_one_line(cli: Any) -> None:
    Path("saved").write_text("")
    code, _, err = cli(*TRAIN, "--out", "m", "--checkpoint", "saved")
    assert code == 2
    assert err.startswith("rosenblatt: ")
    assert err.count("\n") == 1
    assert "saved" in err
