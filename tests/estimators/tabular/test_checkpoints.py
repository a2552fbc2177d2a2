"""Tabular fits that were killed end with the same bytes; damaged and foreign checkpoints; time budgets."""

import contextlib
import math
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import rosenblatt
from rosenblatt import TabularClassifier, TabularRegressor
from rosenblatt.estimators.tabular import target_transform
from rosenblatt.estimators.tabular.held_out import HeldOutRows
from rosenblatt.estimators.tabular.row_orders import Permutations
from rosenblatt.training import CheckpointError
from rosenblatt.training.checkpoint import Checkpoints

RNG = np.random.default_rng(0)
N = 160
X = {
    "number": RNG.normal(size=N),
    "colour": RNG.choice(["red", "green", "blue"], N),
    "words": [" ".join(RNG.choice(["one", "two", "three", "four", "five", "six"], 5)) + f" {i}" for i in range(N)],
}
LABELS = (X["number"] + (X["colour"] == "red") > 0.3).astype(int)
NUMBERS = X["number"] + (X["colour"] == "blue") + RNG.normal(size=N)
HEAVY = np.exp(2 * X["number"] + RNG.normal(size=N))
GROUPS = RNG.integers(20, size=N)
FOLD = np.arange(0, N, 2), np.arange(1, N, 2)
SOME = {name: column[:40] for name, column in X.items()}
SMALL = {"members": 2, "max_iter": 4, "hidden_layer_sizes": (8,), "batch_size": 32, "checkpoint_every": 3}
FITS = {
    "classes": lambda **more: TabularClassifier(**SMALL, **more).fit(X, LABELS),
    "ordered classes": lambda **more: TabularClassifier(**SMALL, ordered=True, metric="f1", **more).fit(X, LABELS),
    "weights": lambda **more: TabularRegressor(**SMALL, **more).fit(X, NUMBERS, np.arange(1, N + 1)),
    "trial of the logarithm": lambda **more: TabularRegressor(**SMALL, **more).fit(X, HEAVY),
    "groups": lambda **more: TabularRegressor(**SMALL, **more).fit(X, NUMBERS, groups=GROUPS),
    "time": lambda **more: TabularRegressor(**SMALL, **more).fit(X, NUMBERS, time=np.arange(N)),
    "validation rows": lambda **more: TabularClassifier(**SMALL, **more).fit(X, LABELS, X_val=SOME, y_val=LABELS[:40]),
    "no seed": lambda **more: TabularClassifier(**SMALL, random_state=None, **more).fit(X, LABELS),
}


class Killed(BaseException):
    """Stands for the end of the process."""


def stop_after(monkeypatch, n_saves):
    """End the fit (as a kill would) right after so many checkpoints."""
    save, left = Checkpoints.save, [n_saves]

    def counting(self, *args):
        if left[0] <= 0:
            raise Killed
        save(self, *args)
        left[0] -= 1
        if left[0] <= 0:
            raise Killed

    monkeypatch.setattr(Checkpoints, "save", counting)


def saved(model, path):
    rosenblatt.save(model, path)
    return path.read_bytes()


@pytest.mark.parametrize("name", FITS)
def test_a_fit_that_was_killed_ends_with_the_same_bytes(name, tmp_path, monkeypatch):
    state = np.random.get_state()  # noqa: NPY002 - what random_state=None draws from
    whole = FITS[name]()
    np.random.set_state(state)  # noqa: NPY002
    picker = random.Random(name)
    for _ in range(3):
        with monkeypatch.context() as patch:
            stop_after(patch, picker.randint(1, 7))
            with contextlib.suppress(Killed):  # the last one may end before
                FITS[name](checkpoint=tmp_path / "parts")
        np.random.seed(picker.randint(0, 99))  # noqa: NPY002 - another process has another state
    resumed = FITS[name](checkpoint=tmp_path / "parts")
    assert saved(resumed, tmp_path / "resumed") == saved(whole, tmp_path / "whole")
    assert dict(resumed.history_) == dict(whole.history_)


def test_finished_members_are_not_trained_again(tmp_path, monkeypatch):
    first = FITS["trial of the logarithm"](checkpoint=tmp_path)

    def refuse(self, n_epochs):
        raise AssertionError("an epoch is trained again")

    monkeypatch.setattr(Permutations, "draw", refuse)
    heard = []
    again = FITS["trial of the logarithm"](checkpoint=tmp_path, on_epoch=heard.append)
    assert saved(again, tmp_path / "b") == saved(first, tmp_path / "a")
    assert not heard, "no epoch ended in this process"


def test_a_fit_that_ctrl_c_ended_is_continued_by_the_same_call(tmp_path):
    def interrupt(epoch):
        if epoch.number == 3:
            raise KeyboardInterrupt

    with pytest.warns(UserWarning, match="interrupted"):
        ended = FITS["classes"](checkpoint=tmp_path / "c", on_epoch=interrupt)
    assert ended.n_iter_ == 3  # the network that was interrupted is kept, whatever the others have reached
    whole, continued = FITS["classes"](), FITS["classes"](checkpoint=tmp_path / "c")
    assert saved(continued, tmp_path / "a") == saved(whole, tmp_path / "b")


def test_other_data_and_parameters_have_folders_of_their_own(tmp_path):
    n_folders = lambda: len(list(tmp_path.iterdir()))  # noqa: E731
    small = {**SMALL, "members": 1, "max_iter": 1, "checkpoint": tmp_path}
    TabularRegressor(**small).fit(X, NUMBERS)
    for number, (model, rows, target, weights, *how) in enumerate(
        [
            (TabularRegressor(**small), X, NUMBERS, None, {"groups": GROUPS}),
            (TabularRegressor(**small), X, NUMBERS, None, {"groups": GROUPS[::-1]}),
            (TabularRegressor(**small), X, NUMBERS, None, {"time": GROUPS}),
            (TabularRegressor(**{**small, "members": None}, cv=[FOLD]), X, NUMBERS, None),
            (TabularRegressor(**{**small, "members": None}, cv=[FOLD[::-1]]), X, NUMBERS, None),
            (TabularRegressor(**small), X, NUMBERS, None, {"X_val": SOME, "y_val": NUMBERS[:40]}),
            (TabularRegressor(**small), X, NUMBERS, None, {"X_val": SOME, "y_val": NUMBERS[40:80]}),
            (TabularRegressor(**small), {**X, "number": X["number"] + 1}, NUMBERS, None),
            (TabularRegressor(**small), X, NUMBERS + 1, None),
            (TabularRegressor(**small), X, NUMBERS, np.arange(1, N + 1)),
            (TabularRegressor(**small, dropout=0.3), X, NUMBERS, None),
            (TabularRegressor(**small, random_state=1), X, NUMBERS, None),
            (TabularRegressor(**small, kinds={"words": "categorical"}), X, NUMBERS, None),
            (TabularClassifier(**small), X, LABELS, None),
            (TabularClassifier(**small), X, np.array(["no", "yes"])[LABELS], None),
        ],
        start=2,
    ):
        model.fit(rows, target, weights, **(how[0] if how else {}))
        assert n_folders() == number
    TabularRegressor(**{**small, "checkpoint_every": 5}, verbose=1, on_epoch=print).fit(X, NUMBERS)
    assert n_folders() == number, "what changes no result changes no folder"


def test_damaged_checkpoints_are_refused_by_name(tmp_path):
    FITS["classes"](checkpoint=tmp_path)
    files = sorted(tmp_path.rglob("*.safetensors"))
    assert len(files) == 3
    for file in files:
        whole = file.read_bytes()
        file.write_bytes(whole[:-9])
        with pytest.raises(CheckpointError, match=str(file)):
            FITS["classes"](checkpoint=tmp_path)
        file.write_bytes(whole)
    other = next(file for file in files if "member-1" in str(file))
    other.write_bytes(next(file for file in files if "member-2" in str(file)).read_bytes())
    with pytest.raises(CheckpointError, match=r"member-1.*another training.*rows"):
        FITS["classes"](checkpoint=tmp_path)


@pytest.mark.parametrize(
    ("part", "value"),
    [("order", np.zeros(3, np.int64)), ("order", np.full(160, -1)), ("order", np.arange(160) + 40)],
)
def test_a_forged_order_of_rows_is_refused(part, value):
    rows = Permutations(192, 160, np.random.default_rng(0))
    state, _ = rows.state()
    with pytest.raises(ValueError, match="order of the rows"):
        rows.restore(state, {part: value})


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("best_for_halves", np.array([0.0, np.nan])),
        ("best_for_halves", np.zeros(3)),
        ("chosen_predictions", np.zeros((3, 1))),
        ("chosen_predictions", np.full((4, 1), np.inf)),
        ("chosen_predictions", np.zeros((4, 1), np.int64)),
    ],
)
def test_forged_choices_of_held_out_groups_are_refused(part, value):
    rows = ({}, np.zeros((4, 1)), None)
    held = HeldOutRows(rows, lambda *given: 0.0, np.asarray, np.array([0, 0, 1, 1]))
    held.restore(good := {"best_for_halves": np.zeros(2), "chosen_predictions": np.ones((4, 1))})
    assert held.state().keys() == good.keys()
    with pytest.raises(ValueError, match="held-out groups"):
        held.restore({**good, part: value})


def test_a_forged_plan_is_refused(tmp_path):
    small = {**SMALL, "checkpoint": tmp_path, "time_budget": 60}
    TabularClassifier(**small).fit(X, LABELS)
    (file,) = (file for file in tmp_path.glob("*/checkpoint.safetensors"))
    from rosenblatt.storage.container import pack, unpack

    _, state, arrays = unpack(file.read_bytes(), finite=False)
    for plan, rows, what in [
        ({"epochs": 5, "members": 2}, {}, "epochs"),
        ({"epochs": 4, "members": 3}, {}, "members"),
        ({"epochs": 4, "members": 1}, {"training": np.array([N]), "held_out": np.array([0])}, "rows"),
    ]:
        file.write_bytes(pack("checkpoint", {**state, "plan": plan}, {**arrays, **rows}, finite=False))
        with pytest.raises(CheckpointError, match=what):
            TabularClassifier(**small).fit(X, LABELS)


def test_a_time_budget_keeps_its_plan(tmp_path, monkeypatch):
    fit = lambda: TabularClassifier(**{**SMALL, "max_iter": 10**6}, time_budget=0.6, checkpoint=tmp_path).fit(X, LABELS)  # noqa: E731
    with monkeypatch.context() as patch:
        stop_after(patch, 4)  # seed, plan, and two of the networks
        with pytest.raises(Killed):
            fit()
    began = time.monotonic()
    model = fit()
    assert time.monotonic() - began < 5
    again = fit()
    assert again.ensemble_.settings == model.ensemble_.settings
    assert saved(again, tmp_path / "again") == saved(model, tmp_path / "model"), "a finished fit is read back"


SCRIPT = """
import sys
sys.path[:0] = [sys.argv[3]]
from tests.estimators.tabular import test_checkpoints as t
import rosenblatt
rosenblatt.save(t.FITS[sys.argv[1]](checkpoint=sys.argv[2]), sys.argv[2] + ".st")
"""


def run(name, folder):
    root = str(Path(__file__).parents[3])
    return subprocess.Popen([sys.executable, "-c", SCRIPT, name, str(folder), root], env={**os.environ})


def kill_until_finished(name, folder, picker, longest):
    """Kill the process after random times until one ends by itself; how many were killed while they trained."""
    n_killed = 0
    while True:
        process = run(name, folder)
        limit = time.monotonic() + 30
        while not folder.exists() and process.poll() is None and time.monotonic() < limit:
            time.sleep(0.002)
        try:
            process.wait(picker.uniform(0, longest))
            assert process.returncode == 0
            return n_killed
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            n_killed += 1
            longest *= 1.3


@pytest.mark.long
def test_a_killed_process_is_continued(tmp_path):
    process = run("classes", tmp_path / "c")
    while not list(tmp_path.glob("c/*/member-*/*.safetensors")):
        assert process.poll() is None
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "c.st").exists()
    assert saved(FITS["classes"](checkpoint=tmp_path / "c"), tmp_path / "a") == saved(FITS["classes"](), tmp_path / "b")


@pytest.mark.long
@pytest.mark.parametrize("name", ["classes", "trial of the logarithm"])
def test_processes_that_are_killed_at_random_moments(name, tmp_path):
    whole = saved(FITS[name](), tmp_path / "whole")
    n_killed = 0
    for seed in range(5):
        folder = tmp_path / f"{seed}"
        n_killed += kill_until_finished(name, folder, random.Random(seed), 0.3)
        assert Path(f"{folder}.st").read_bytes() == whole
    assert n_killed > 5


def test_checkpoints_leave_the_target_transforms_choice_alone(tmp_path, monkeypatch):
    chosen = []
    choose = target_transform.best_index

    def noting(errors, **how):
        chosen.append(list(errors))
        return choose(errors, **how)

    monkeypatch.setattr(target_transform, "best_index", noting)
    for _ in range(2):
        FITS["trial of the logarithm"](checkpoint=tmp_path)
    FITS["trial of the logarithm"]()
    assert chosen[0] == chosen[1] == chosen[2]
    assert all(map(math.isfinite, chosen[0]))
