"""What TensorBoard reads back is what the training did, once each, also over interruptions."""

import builtins

import numpy as np
import pytest
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
    history = net.fit(X, Y, epochs=4, validation=(X, Y), statistics=True, callbacks=[TensorBoard(tmp_path)])
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
        options = {"max_iter": epochs, "n_iter_no_change": 99, "random_state": 0, "batch_size": 32, "statistics": True}
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
    original = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith("tensorboardX"):
            raise ImportError(name)
        return original(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"pip install 'rosenblatt\[tensorboard\]'"):
        TensorBoard(tmp_path)
