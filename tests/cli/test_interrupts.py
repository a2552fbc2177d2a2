"""Ctrl-C in each phase of a command: it ends soon, with what is there, and with exit code 130."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rosenblatt import MLPSearchCV, TabularRegressor, load
from rosenblatt.cli.display import Display
from rosenblatt.estimators.tabular import member
from rosenblatt.training.trainer import Trainer

LIMIT = 60
"""Seconds after which a command that was interrupted counts as one that does not end."""
STOP = "import time\ndef stop(*a, **k):\n    print('HERE', flush=True)\n    time.sleep(600)\n"
ENDLESS = """
from rosenblatt.training.trainer import Trainer
epochs, done = Trainer.epochs, []
def endless(self, *a, max_seconds=0.0, **k):
    done.append(self)
    if done.count(self) <= {whole}:
        return epochs(self, *a, **k)
    if {whole} == 0 or len(set(map(id, done))) > 1:
        print('HERE', flush=True)
    time.sleep(max_seconds or 600)  # an epoch that goes on after its pause
    return []
Trainer.epochs = endless
"""
SMALL_SEARCH = (
    "import rosenblatt.cli.tune as command\ncommand.SEARCH = {'max_epochs': 2, 'n_trials': 3, 'ensemble': 2}\n"
)
PHASES: dict[str, tuple[str, str, str]] = {
    "reading": ("train", "import rosenblatt.tables.task as t\nt.read_table = stop", ""),
    "preparation": ("train", "import rosenblatt.estimators.tabular.base as b\nb.fit_preparation = stop", ""),
    "first epoch": ("train", ENDLESS.format(whole=0), ""),
    "later epoch": ("train", ENDLESS.format(whole=3), "learned so far is kept"),
    "scoring": ("train", "import rosenblatt.cli.train as c\nc.score = stop", "best kept: "),
    "defaults of a search": ("tune", ENDLESS.format(whole=0), ""),
    "later epoch of the defaults": ("tune", ENDLESS.format(whole=3), "the defaults are kept"),
    "first candidate": (
        "tune",
        "from rosenblatt.search.trials import RestartedTrial as T\nT.advance = stop",
        "the defaults are kept",
    ),
    "averaging": (
        "tune",
        SMALL_SEARCH + "from rosenblatt import TabularRegressor as T\nT.average_with = stop",
        "candidates, the best",
    ),
}

ALWAYS = ("first epoch",)
"""The phases of the short run."""


def write_table(path: Path) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 3))
    np.savetxt(path, np.c_[X, X.sum(1)], delimiter=",", header="a,b,c,y", comments="")


def interrupted(folder: Path, command: str, setup: str) -> tuple[int, str, str]:
    """Run a command until it says HERE, press Ctrl-C: exit code, standard output, standard error."""
    write_table(folder / "t.csv")
    script = f"{STOP}{setup}\nfrom rosenblatt.cli import main\nmain()"
    short = ("--time", "60") if command == "tune" else ("--epochs", "5", "--members", "2")
    arguments = [sys.executable, "-u", "-c", script, command, "t.csv", "--target", "y", "--out", "m", *short]
    given = os.environ | {"ROSENBLATT_NUM_THREADS": "2"}  # two networks train at once
    pipe = subprocess.PIPE
    process = subprocess.Popen(arguments, cwd=folder, stdout=pipe, stderr=pipe, text=True, env=given)
    assert process.stdout is not None
    shown = ""
    for line in process.stdout:
        shown += line
        if "HERE" in line:
            break
    process.send_signal(signal.SIGINT)
    try:
        out, err = process.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        process.kill()
        pytest.fail(f"still running {LIMIT} s after Ctrl-C; it had said {shown}")
    return process.returncode, shown + out, err


@pytest.mark.parametrize(
    ("command", "setup", "said"),
    [pytest.param(*PHASES[name], id=name, marks=[pytest.mark.long] * (name not in ALWAYS)) for name in PHASES],
)
def test_ctrl_c_ends_with_what_is_there(command: str, setup: str, said: str, tmp_path: Path) -> None:
    code, out, err = interrupted(tmp_path, command, setup)
    assert code == 130, err
    assert "Traceback" not in err
    assert "nan" not in out
    if said:
        assert said in out
        assert err == ""
        assert isinstance(load(tmp_path / "m"), TabularRegressor)
    else:
        assert err.strip() == "rosenblatt: interrupted; nothing was written."
        assert not (tmp_path / "m").exists()


def test_ctrl_c_after_the_file_was_written_says_so(cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def pressed(*arguments: object) -> None:
        raise KeyboardInterrupt

    short = ("--epochs", "2", "--members", "1", "--hidden", "4")
    monkeypatch.setattr(Display, "scores", pressed)
    code, _, err = cli("train", "rents.csv", "--target", "rent", "--out", "m", *short)
    assert (code, err) == (130, "rosenblatt: interrupted; m was written.\n")
    monkeypatch.setattr(Display, "file", pressed)
    code, _, err = cli("predict", "m", "rents.csv", "--out", "p.csv")
    assert (code, err) == (130, "rosenblatt: interrupted; p.csv was written.\n")


BEFORE = """
import sys
class Press:
    def find_spec(self, name, *others):
        if name == "typer":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Press())
import rosenblatt.cli
"""
AFTER = """
import atexit, os, signal, sys
atexit.register(os.kill, os.getpid(), signal.SIGINT)
from rosenblatt.cli import main
sys.argv = ["rosenblatt", "--version"]
main()
"""


IN_SOURCE = """
import sys
from rosenblatt.cli import commands, main
def pressed(*_, **__):
    exec("raise KeyboardInterrupt")  # as named tuples and data classes are made by when modules are imported
commands.session = pressed
sys.argv = ["rosenblatt", "inspect", "m"]
main()
"""
HALF_IMPORTED = """
import sys
class Press:
    def find_spec(self, name, *others):
        if name == "numpy":
            numpy, Press.pressed = getattr(Press, "pressed", False), True
            raise ImportError("cannot load module more than once per process") if numpy else KeyboardInterrupt
sys.meta_path.insert(0, Press())
import rosenblatt.cli
"""
DROPPED = """
import os, signal, sys, time, weakref
from rosenblatt.cli import commands, main
class Thing:
    pass
def pressed(*_, **__):
    thing = Thing()
    seen = weakref.ref(thing, lambda _: [os.kill(os.getpid(), signal.SIGINT), time.sleep(0)])
    del thing  # whose callback's exceptions Python drops
    time.sleep(20)
commands.session = pressed
sys.argv = ["rosenblatt", "inspect", "m"]
main()
"""
NOTHING = "rosenblatt: interrupted; nothing was written.\n"


@pytest.mark.parametrize(
    ("script", "code", "said"),
    [
        (BEFORE, 130, NOTHING),
        (HALF_IMPORTED, 130, NOTHING),
        (DROPPED, 130, NOTHING),
        (AFTER, 0, ""),
        (IN_SOURCE, 130, NOTHING),
    ],
    ids=["before", "half imported", "dropped", "after", "in source"],
)
def test_ctrl_c_around_a_command_shows_no_traceback(script: str, code: int, said: str) -> None:
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (code, said)


def never_ending(monkeypatch: pytest.MonkeyPatch, whole: int) -> None:
    """After some epochs of a network, epochs do not end; the first such one presses Ctrl-C."""
    epochs, lock = Trainer.epochs, threading.Lock()
    calls: list[int] = []

    def endless(self: Any, *arguments: Any, max_seconds: float = 0.0, **options: Any) -> Any:
        with lock:
            calls.append(id(self))
            mine = calls.count(id(self))
        if mine <= whole:
            return epochs(self, *arguments, **options)
        assert 0 < max_seconds < 1, "it would not notice Ctrl-C"
        assert mine < 300, "it did not notice Ctrl-C"
        if mine == whole + 1:
            os.kill(os.getpid(), signal.SIGINT)
        threading.Event().wait(0.02)
        return []

    monkeypatch.setattr(Trainer, "epochs", endless)


@pytest.mark.parametrize("options", [{}, {"time_budget": 600}])
def test_ctrl_c_in_the_first_epoch_reaches_the_caller(options: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    never_ending(monkeypatch, 0)
    X = np.random.default_rng(0).normal(size=(60, 3))
    model = TabularRegressor(members=1, **options)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, X.sum(1))
    assert not hasattr(model, "ensemble_")


def test_ctrl_c_in_a_later_epoch_drops_that_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    never_ending(monkeypatch, 3)
    X = np.random.default_rng(0).normal(size=(60, 3))
    with pytest.warns(UserWarning, match="Training was interrupted"):
        model = TabularRegressor(members=1).fit(X, X.sum(1))
    assert [len(one.curve) for one in model.ensemble_.members] == [3]
    assert np.isfinite(model.predict(X)).all()


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_ctrl_c_in_a_search_over_tables_ends_its_trainings(n_jobs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    never_ending(monkeypatch, 2)
    X = np.random.default_rng(0).normal(size=(60, 3))
    search = MLPSearchCV(TabularRegressor(members=2), n_trials=3, max_epochs=9, n_jobs=n_jobs)
    with pytest.raises(KeyboardInterrupt):  # no candidate was finished
        search.fit(X, X.sum(1))


def test_pauses_change_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    X = np.random.default_rng(0).normal(size=(300, 3))
    whole = TabularRegressor(members=1, max_iter=3).fit(X, X.sum(1))
    monkeypatch.setattr(member, "POLL_SECONDS", 1e-6)
    paused = TabularRegressor(members=1, max_iter=3).fit(X, X.sum(1))
    for one, two in zip(whole.ensemble_.networks, paused.ensemble_.networks, strict=True):
        np.testing.assert_array_equal(one.block, two.block)
