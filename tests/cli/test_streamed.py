"""``rosenblatt train`` of a table that is larger than the window."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rosenblatt

pytest.importorskip("pyarrow")
TRAIN = ("train", "parts", "--target", "kind", "--window", 500, "--epochs", 20, "--members", 1, "--hidden", 4)


@pytest.fixture
def parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    import pandas as pd

    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    x = rng.normal(size=900)
    kind = np.where(x + rng.normal(size=900) / 4 > 0, "up", "down")
    table = pd.DataFrame({"x": x, "y": rng.random(900), "kind": kind, "shop": rng.integers(0, 90, 900)})
    folder = tmp_path / "parts"
    folder.mkdir()
    for number, start in enumerate((0, 250, 700)):
        table.iloc[start : (250, 700, 900)[number]].to_csv(folder / f"{number}.csv", index=False)
    return folder


def test_a_folder_is_learned_block_by_block_and_scored_by_held_out_rows(cli: Any, parts: Path) -> None:
    code, out, error = cli(*TRAIN, "--out", "m.safetensors", "--report", "r.md", "--memory-limit", "100MB", "--json")
    assert (code, error.count("Error")) == (0, 0), error
    found, model = json.loads(out), rosenblatt.load("m.safetensors")
    assert found["table"]["rows"] == 900
    assert found["scores"]["scored"] == "held-out rows"
    assert found["scores"]["rows"] == model.n_scored_ == 900 - model.n_rows_
    assert found["scores"]["metrics"]["accuracy"]["model"] == model.scores_["accuracy"][0] > 0.7
    assert "preparing rows" in error
    assert "trained on 720 rows" in Path("r.md").read_text()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--test-share", 0.1), "--test-share says how many rows are scored, but parts is read block by block"),
        (("--window", 20), "--window is 20; it must be an integer of at least 100"),
        (("--memory-limit", "much"), "--memory-limit"),
        (("--group", "shops"), "--group names a column 'shops' that is not there"),
    ],
)
def test_what_is_refused(more: tuple[Any, ...], words: str, cli: Any, parts: Path) -> None:
    code, _, error = cli(*TRAIN, *more)
    assert code != 0
    assert words in " ".join(error.split())
    assert not list(Path().glob("*.safetensors"))


def test_other_rows_may_be_scored_or_choose_the_epochs(cli: Any, parts: Path) -> None:
    other = parts / "2.csv"
    code, out, _ = cli(*TRAIN, "--test", other, "--group", "shop", "--out", "a.safetensors", "--json", "--quiet")
    assert code == 0
    assert json.loads(out)["scores"]["rows"] == 200
    code, out, _ = cli(*TRAIN, "--validation", other, "--out", "b.safetensors", "--report", "r.txt", "--json")
    assert code == 0
    assert rosenblatt.load("b.safetensors").n_rows_ == 900
    assert json.loads(out)["scores"]["rows"] == 200


@pytest.mark.long
def test_a_search_reads_the_table(cli: Any, parts: Path) -> None:
    code, out, error = cli(
        "tune", "parts", "--target", "kind", "--candidates", 1, "--time", "2s", "--out", "t", "--json"
    )
    assert code == 0, error
    assert json.loads(out)["table"]["rows"] == 900


@pytest.mark.skipif(os.name != "posix", reason="links and pipes are made as POSIX has them")
@pytest.mark.parametrize("given", ["gone.csv", "parts", "parts/*.csv", "parts/lin[k].csv"])
def test_a_link_that_leads_nowhere_is_named(given: str, cli: Any, parts: Path) -> None:
    link = Path(given) if given == "gone.csv" else parts / "link.csv"
    link.symlink_to("moved.csv")
    code, _, error = cli("train", given, "--target", "kind")
    place = given if given == "gone.csv" else "parts/link.csv"
    assert (code, error) == (2, f"rosenblatt: {place} is a link to moved.csv, which is not there.\n")


@pytest.mark.skipif(os.name != "posix", reason="links and pipes are made as POSIX has them")
@pytest.mark.parametrize("given", ["parts", "parts/*.csv"])
def test_a_pipe_in_a_folder_is_refused_and_not_waited_for(given: str, cli: Any, parts: Path) -> None:
    os.mkfifo(parts / "pipe.csv")
    code, _, error = cli("train", given, "--target", "kind")
    assert code == 2
    assert "parts/pipe.csv is a device or a pipe; remove it" in error


@pytest.mark.parametrize("command", ["train", "predict"])
def test_a_pattern_that_the_shell_replaced_is_explained(command: str, cli: Any, parts: Path) -> None:
    code, _, error = cli(command, "model", "parts/0.csv", "parts/1.csv", "parts/2.csv", "--out", "p.csv")
    assert code == 2
    assert "unexpected extra argument" in error
    assert "A pattern such as 'part-*.csv' needs quotes" in error


@pytest.mark.parametrize("option", ["--test", "--validation"])
def test_other_files_are_looked_for_before_the_table_is_read(option: str, cli: Any, parts: Path) -> None:
    code, out, error = cli(*TRAIN, option, "parts/3.csv")
    assert code == 2
    assert out == "reading   parts\n"
    assert error.startswith("rosenblatt: there is no file parts/3.csv. Did you mean")
