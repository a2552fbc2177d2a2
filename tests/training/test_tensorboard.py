"""What TensorBoard reads back is what the training did, once each, also over interruptions."""

import os
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from rosenblatt import LogisticRegression, MLPClassifier, nn
from rosenblatt.training import TensorBoard
from rosenblatt.training.checkpoint import Checkpoints

pytest.importorskip("tensorboardX", reason="tensorboardX is the extra 'tensorboard'")
accumulator = pytest.importorskip(
    "tensorboard.backend.event_processing.event_accumulator", reason="tensorboard is for tests"
)
pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 4))
Y = (X[:, 0] > 0).astype(int)


def read(folder):
    events = accumulator.EventAccumulator(str(folder), {accumulator.HISTOGRAMS: 0, accumulator.SCALARS: 0})
    events.Reload()
    return events


def curve(events, tag):
    return [(e.step, e.value) for e in events.Scalars(tag)]


def as_curve(values):
    return [(i, pytest.approx(v, rel=1e-6)) for i, v in enumerate(values, start=1)]


def network():
    h = nn.Dense(6, "relu", name="h")(nn.input(4))
    return nn.Network(nn.Dense(2, name="o")(h + nn.Dense(6, name="skip")(h)), output="softmax")


def test_a_networks_training_is_read_back(tmp_path):
    net = network()
    history = net.fit(X, Y, epochs=4, validation=(X, Y), gradient_statistics=True, callbacks=[TensorBoard(tmp_path)])
    events = read(tmp_path)
    for tag, column in (
        ("loss/training", "loss"),
        ("loss/validation", "val_loss"),
        ("learning_rate", "learning_rate"),
        ("gradient_norm/h", "h.norm"),
        ("dead_neurons/skip", "skip.dead"),
    ):
        assert curve(events, tag) == as_curve(history[column])
    last = events.Histograms("o/weights")[-1]
    assert last.step == 4
    assert last.histogram_value.num == 12
    graph = events.Graph()
    nodes = {node.name: node for node in graph.node}
    assert list(nodes["add"].input) == ["h", "skip"]
    assert list(nodes["o"].input) == ["add", "o/weights", "o/biases"]


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.mark.parametrize("kind", ["network", "estimator"])
def test_an_interrupted_training_has_curves_without_a_seam(kind, tmp_path, monkeypatch):
    def train(folder, logs, epochs=9):
        if kind == "network":
            options = {"epochs": epochs, "checkpoint": folder, "checkpoint_every": 10}
            return network().fit(X, Y, callbacks=[TensorBoard(logs)], **options)
        options = {
            "max_iter": epochs,
            "n_iter_no_change": 99,
            "random_state": 0,
            "batch_size": 32,
            "gradient_statistics": True,
        }
        model = MLPClassifier((5,), checkpoint=folder, checkpoint_every=10, **options)
        return model.set_callbacks(TensorBoard(logs)).fit(X, Y).history_

    expected = train(tmp_path / "whole", tmp_path / "whole logs")
    save, count = Checkpoints.save, [0]

    def dying(self, *args):
        count[0] += 1
        if count[0] in (3, 5):
            raise Killed  # before this checkpoint is there: epochs that were logged are run again
        save(self, *args)

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoints, "save", dying)
        for _ in range(2):
            with pytest.raises(Killed):
                train(tmp_path / "parts", tmp_path / "logs")
    train(tmp_path / "parts", tmp_path / "logs")
    assert curve(read(tmp_path / "logs"), "loss/training") == as_curve(expected["loss"])
    assert len(list((tmp_path / "logs").iterdir())) == 3, "a file for each process"
    histograms = [
        e.step for e in read(tmp_path / "logs").Histograms("h/weights" if kind == "network" else "hidden1/weights")
    ]
    assert histograms == list(range(1, 10))


SCRIPT = """
import os, signal, sys
import numpy as np
from rosenblatt import nn
from rosenblatt.training import TensorBoard
from rosenblatt.training.checkpoint import Checkpoints
save, left = Checkpoints.save, [int(sys.argv[2])]
def dying(self, *args):
    save(self, *args)
    left[0] -= 1
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
Checkpoints.save = dying
X = np.random.default_rng(0).normal(size=(120, 4))
net = nn.Network(nn.NetworkSpec(4, (6,), 2, output="softmax"), seed=0)
logs = TensorBoard(sys.argv[1] + "/logs")
options = {"checkpoint": sys.argv[1], "checkpoint_every": 2, "callbacks": [logs]}
net.fit(X, (X[:, 0] > 0).astype(int), epochs=9, batch_size=60, **options)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
@pytest.mark.long
def test_kill_9_right_after_a_checkpoint_loses_no_epoch_of_the_logs(tmp_path):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    codes = [
        subprocess.run([sys.executable, "-c", SCRIPT, str(tmp_path), str(n)], env=environment).returncode
        for n in (1, 1, 2, 1, 99)
    ]
    assert codes == [-signal.SIGKILL] * 4 + [0]
    events = read(tmp_path / "logs")
    assert [e.step for e in events.Scalars("loss/training")] == list(range(1, 10))
    for name in ("hidden1/weights", "output/biases"):
        assert [e.step for e in events.Histograms(name)] == list(range(1, 10))


def test_one_callback_serves_a_resumed_and_a_restarted_training(tmp_path):
    logs, options = TensorBoard(tmp_path / "logs"), {"epochs": 9, "checkpoint": tmp_path, "checkpoint_every": 10}

    def die(epoch):
        if epoch.number == 7:
            raise Killed

    with pytest.raises(Killed):
        network().fit(X, Y, callbacks=[logs, die], **options)
    history = network().fit(X, Y, callbacks=[logs], **options)
    assert curve(read(tmp_path / "logs"), "loss/training") == as_curve(history["loss"])
    restarted = network().fit(X, Y, epochs=3, learning_rate=0.1, callbacks=[logs])
    assert curve(read(tmp_path / "logs"), "loss/training") == as_curve(restarted["loss"])


def test_a_search_has_a_folder_for_each_candidate_and_split(tmp_path):
    model = MLPClassifier((3,), max_iter=2, random_state=0).set_callbacks(TensorBoard(tmp_path))
    search = GridSearchCV(model, {"alpha": [0.1, 10.0]}, cv=2).fit(X, Y)
    folders = sorted(path for path in tmp_path.iterdir() if path.is_dir())
    assert [path.name for path in folders] == [f"candidate-split-evaluation-{i}" for i in range(4)]
    curves = {tuple(curve(read(path), "loss/training")) for path in folders}
    assert len(curves) == 4
    assert curve(read(tmp_path), "loss/training") == as_curve(search.best_estimator_.loss_curve_)


def test_estimators_in_pipelines_log_too(tmp_path):
    model = LogisticRegression(solver="adam", max_iter=3).set_callbacks(TensorBoard(tmp_path, histograms=False))
    make_pipeline(StandardScaler(), model).fit(X, Y)
    events = read(tmp_path)
    assert curve(events, "loss/training") == as_curve(model.loss_curve_)
    assert not events.Tags()["histograms"]
    assert "parameters/text_summary" in events.Tags()["tensors"]


def test_a_file_is_no_folder_and_a_missing_library_is_named(tmp_path, monkeypatch):
    (tmp_path / "f").write_text("")
    with pytest.raises(NotADirectoryError, match="which is a file; give a folder"):
        TensorBoard(tmp_path / "f")
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(ImportError, match=r"pip install 'rosenblatt\[tensorboard\]'"):
        TensorBoard(tmp_path)


def test_a_foreign_event_file_stops_nothing(tmp_path):
    (tmp_path / "events.out.tfevents.old").write_bytes(b"")
    (tmp_path / "events.out.tfevents.").write_bytes(b"")
    history = network().fit(X, Y, epochs=2, callbacks=[TensorBoard(tmp_path)])
    ours = [path for path in tmp_path.iterdir() if path.stat().st_size]
    assert curve(read(ours[0]), "loss/training") == as_curve(history["loss"])


@pytest.mark.parametrize("whole_folder", [False, True])
def test_logging_goes_on_when_its_file_was_removed(whole_folder, tmp_path):
    folder = tmp_path / "logs"

    def remove(epoch):
        if epoch.number == 2:
            shutil.rmtree(folder) if whole_folder else [path.unlink() for path in folder.iterdir()]

    history = network().fit(X, Y, epochs=4, callbacks=[TensorBoard(folder), remove])
    assert curve(read(folder), "loss/training") == as_curve(history["loss"])[2:]
