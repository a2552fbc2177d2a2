"""What a command may write over: its own model of the same table, unless it is told more."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.doors.doors import CommandError, run

import rosenblatt
from rosenblatt import MLPClassifier, TabularClassifier
from rosenblatt.estimators.tabular.base import TabularEstimator

SHORT = ("--epochs", "3", "--members", "2", "--hidden", "8")


@pytest.fixture(autouse=True)
def _tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 3))
    easy, noise = X[:, 0] > 0, rng.random(120) > 0.9
    write("easy.csv", "a,b,c,y,z", np.c_[X, easy, noise])
    write("other.csv", "a,b,d,y,z", np.c_[X, easy, noise])
    write("words.csv", "a,b,c,y,z", np.c_[X, easy + 5, noise])
    write("noise.csv", "a,b,c,y,z", np.c_[X, noise, easy])


def write(name: str, header: str, rows: Any) -> None:
    np.savetxt(name, rows, delimiter=",", header=header, comments="", fmt="%.4g")


def train(table: str, *options: str, target: str = "y", command: str = "train") -> str:
    short = ("--time", "1") if command == "tune" else SHORT
    return run(command, table, "--target", target, "--out", "m.st", *short, *options)


def test_the_same_command_replaces_its_model_of_the_same_table() -> None:
    train("easy.csv")
    before = Path("m.st").read_bytes()
    train("easy.csv", "--seed", "1")
    assert Path("m.st").read_bytes() != before
    assert sorted(path.name for path in Path().glob("*.st")) == ["m.st"]


REFUSED: dict[str, tuple[dict[str, str], str]] = {
    "another command": ({"table": "easy.csv", "command": "tune"}, "that rosenblatt train made, not rosenblatt tune"),
    "another target": ({"table": "easy.csv", "target": "z"}, "predicts 'y', not 'z'"),
    "other classes": ({"table": "words.csv"}, "of other classes: only one of them has '0'"),
    "another table": ({"table": "other.csv"}, "of another table: only the other has the column 'c'"),
}


@pytest.mark.parametrize(("again", "said"), REFUSED.values(), ids=REFUSED)
def test_another_origin_is_refused_before_training(
    again: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    train("easy.csv")
    before = Path("m.st").read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(TabularClassifier, "fit", lambda *arguments: pytest.fail("it trained"))
        with pytest.raises(CommandError, match=re.escape(said)) as refused:
            train(**again)
    assert refused.value.code == 2
    assert "--out" in str(refused.value)
    assert "--force" in str(refused.value)
    assert Path("m.st").read_bytes() == before
    train(again.pop("table"), "--force", **again)
    assert Path("m.st").read_bytes() != before


@pytest.mark.long
def test_a_table_that_is_too_wide_for_a_file_is_refused_before_training() -> None:
    write("wide.csv", ",".join(f"c{i}" for i in range(10_002)), np.arange(30_006).reshape(3, -1))
    with pytest.raises(CommandError, match="10,001 columns besides the target; a model file holds 10,000"):
        train("wide.csv", target="c0")


def test_copies_are_counted() -> None:
    write(
        "copies.csv",
        "a,b,c,y",
        np.repeat(np.c_[np.random.default_rng(0).normal(size=(60, 3)), np.arange(60) % 2], 2, 0),
    )
    assert "60 rows are copies of others" in train("copies.csv")


@pytest.mark.parametrize("kind", ["MLPClassifier", "TabularClassifier"])
def test_a_model_made_in_python_is_refused(kind: str) -> None:
    X = np.random.default_rng(0).normal(size=(40, 3))
    model = MLPClassifier((2,), max_iter=2) if kind == "MLPClassifier" else TabularClassifier(members=1, max_iter=1)
    with pytest.warns() if kind == "MLPClassifier" else pytest.MonkeyPatch.context():
        model.fit(X, X[:, 0] > 0)
    rosenblatt.save(model, "m.st")
    with pytest.raises(CommandError, match=f"holds an? {kind} that Python made"):
        train("easy.csv")


def test_a_damaged_model_is_replaced_only_if_that_is_said() -> None:
    train("easy.csv")
    damaged = Path("m.st").read_bytes()[:-5]
    Path("m.st").write_bytes(damaged)
    with pytest.raises(CommandError, match="--force"):
        train("easy.csv")
    assert Path("m.st").read_bytes() == damaged
    train("easy.csv", "--force")
    assert isinstance(rosenblatt.load("m.st"), TabularClassifier)


def test_a_model_that_learned_nothing_goes_beside_a_good_one() -> None:
    train("easy.csv")
    before = Path("m.st").read_bytes()
    said = r"no better than always .*, so m\.st was left as it was .* The new model is in m-{}\.st"
    for n in (2, 3):
        with pytest.raises(CommandError, match=said.format(n)) as end:
            train("noise.csv", "--test-share", "0")
        assert end.value.code == 2
        assert Path("m.st").read_bytes() == before
        assert isinstance(rosenblatt.load(f"m-{n}.st"), TabularClassifier)
    assert "no better than always" in train("noise.csv", "--test-share", "0", "--force")
    assert Path("m.st").read_bytes() != before


def test_a_model_that_learned_nothing_is_written_where_nothing_is() -> None:
    assert "no better than always" in train("noise.csv", "--test-share", "0")
    assert Path("m.st").exists()


def test_a_file_that_appears_during_training_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    fit = TabularEstimator.fit_unless

    def slow(self: Any, *arguments: Any, **others: Any) -> Any:
        Path("m.st").write_bytes(b"precious")
        return fit(self, *arguments, **others)

    monkeypatch.setattr(TabularEstimator, "fit_unless", slow)
    with pytest.raises(CommandError, match=r"m\.st was written by another program .* The new model is in m-2\.st"):
        train("easy.csv")
    assert Path("m.st").read_bytes() == b"precious"
    assert isinstance(rosenblatt.load("m-2.st"), TabularClassifier)


def test_a_folder_that_appears_during_training_loses_no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    fit = TabularEstimator.fit_unless

    def slow(self: Any, *arguments: Any, **others: Any) -> Any:
        Path("m.st").mkdir()
        return fit(self, *arguments, **others)

    monkeypatch.setattr(TabularEstimator, "fit_unless", slow)
    with pytest.raises(CommandError, match=r"The new model is in m-2\.st"):
        train("easy.csv", "--force")
    assert isinstance(rosenblatt.load("m-2.st"), TabularClassifier)


@pytest.mark.parametrize("metric", ["auc", "f1", "balanced_error", "log_loss"])
def test_the_metric_that_was_asked_for_stands_first_beside_the_trivial_guess(metric: str) -> None:
    names = {"auc": "area under the ROC curve", "f1": "F1", "balanced_error": "balanced accuracy"}
    lines = train("easy.csv", "--metric", metric).splitlines()
    first = next(i for i, line in enumerate(lines) if "held-out rows" in line) + 1
    assert re.fullmatch(rf"{names.get(metric, 'log loss')} +\d\.\d{{4}} +\d\.\d{{4}}", lines[first])


@pytest.mark.long
def test_a_search_scores_by_the_metric_too() -> None:
    said = train("easy.csv", "--metric", "auc", command="tune")
    assert re.search(r"^defaults +area under the ROC curve", said, re.MULTILINE)
    assert re.search(r"^area under the ROC curve +\d\.\d{4} +0\.5000", said, re.MULTILINE)
