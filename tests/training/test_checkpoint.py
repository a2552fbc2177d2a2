"""Checkpoints: a training that was stopped anywhere ends with the same bytes; storage faults; foreign checkpoints."""

import contextlib
import errno
import os
import random
import sys
from pathlib import Path

import numpy as np
import pytest
from benchmarks.reliability.disks import CALLS, check_fault
from benchmarks.reliability.kills import Training
from sklearn.base import clone

import rosenblatt
from rosenblatt import nn
from rosenblatt.estimators import LogisticRegression, MLPClassifier, MLPRegressor
from rosenblatt.storage.container import pack, unpack
from rosenblatt.training import CheckpointError, DivergenceError, Trainer
from rosenblatt.training.checkpoint import Checkpoints

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 6))
LABELS = (X[:, 0] + X[:, 1] ** 2 > 0.8).astype(int) + (X[:, 2] > 1)
NUMBERS = X @ RNG.normal(size=6)


class Killed(BaseException):
    """Stands for the end of the process."""


def stop_after(monkeypatch, n_saves):
    """End the training (as a kill would) right after so many checkpoints."""
    save = Checkpoints.save
    left = [n_saves]

    def counting(self, *args):
        save(self, *args)
        left[0] -= 1
        if left[0] == 0:
            raise Killed

    monkeypatch.setattr(Checkpoints, "save", counting)


def estimators():
    common = {"max_iter": 12, "batch_size": 32, "random_state": 3, "n_iter_no_change": 100}
    solvers = ["adam", "sgd", "adamw", "nadam", "rmsprop", "adagrad"]
    for solver in solvers:
        yield f"classifier {solver}", lambda f, s=solver: MLPClassifier((16,), solver=s, checkpoint=f, **common), LABELS
    for mode in ("invscaling", "adaptive"):
        options = {**common, "solver": "sgd", "learning_rate": mode, "n_iter_no_change": 2, "tol": 1e-2}
        yield f"sgd {mode}", lambda f, o=options: MLPClassifier((16,), checkpoint=f, **o), LABELS
    for schedule in ("cosine", "one_cycle", "plateau", "exponential", "power", "warmup", "coslog"):
        options = {**common, "learning_rate": schedule}
        yield f"schedule {schedule}", lambda f, o=options: MLPClassifier((16,), checkpoint=f, **o), LABELS
    rich = {
        **common,
        "dropout": 0.2,
        "input_noise": 0.1,
        "normalization": "batch",
        "ema_decay": 0.9,
        "early_stopping": True,
    }
    yield "everything", lambda f: MLPClassifier((16, 8), checkpoint=f, clip_norm=1.0, max_norm=1.0, **rich), LABELS
    yield "unseeded", lambda f: MLPClassifier((16,), checkpoint=f, **{**common, "random_state": None}), LABELS
    options = {**common, "early_stopping": True, "shuffle": False}
    yield "regressor", lambda f: MLPRegressor(hidden_layer_sizes=(16,), checkpoint=f, **options), NUMBERS
    options = {"max_iter": 12, "random_state": 3}
    yield "logistic", lambda f: LogisticRegression(solver="adam", batch_size=32, checkpoint=f, **options), LABELS


def outcome(model, path):
    """All that must be equal: the file without the folder's name, weights, history."""
    folder, model.checkpoint = model.checkpoint, None
    rosenblatt.save(model, path)
    model.checkpoint = folder
    return path.read_bytes(), {name: list(values) for name, values in model.history_.items()}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    ("name", "make", "y"), list(estimators()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_fit_that_was_killed_ends_with_the_same_bytes(name, make, y, tmp_path, monkeypatch):
    state = np.random.get_state()  # noqa: NPY002 - what random_state=None draws from
    whole = make(tmp_path / "whole").set_params(checkpoint_every=7).fit(X, y)
    np.random.set_state(state)  # noqa: NPY002
    picker = random.Random(name)
    for _ in range(3):
        with monkeypatch.context() as patch:
            stop_after(patch, picker.randint(1, 6))
            with contextlib.suppress(Killed):  # some end before
                make(tmp_path / "parts").set_params(checkpoint_every=7).fit(X, y)
        np.random.seed(picker.randint(0, 99))  # noqa: NPY002 - another process has another state
    resumed = make(tmp_path / "parts").set_params(checkpoint_every=7).fit(X, y)
    assert outcome(resumed, tmp_path / "resumed.st") == outcome(whole, tmp_path / "whole.st")
    again = make(tmp_path / "parts").set_params(checkpoint_every=7).fit(X, y)
    assert outcome(again, tmp_path / "again.st") == outcome(whole, tmp_path / "whole.st"), "a finished fit is read back"


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_checkpoints_change_nothing():
    options = {"max_iter": 8, "batch_size": 32, "random_state": 3, "early_stopping": True}
    plain = MLPClassifier((16,), **options).fit(X, LABELS)
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        saved = MLPClassifier((16,), checkpoint=folder, checkpoint_every=3, **options).fit(X, LABELS)
        timed = MLPClassifier((16,), checkpoint=Path(folder) / "t", checkpoint_every="0.001s", **options).fit(X, LABELS)
    for other in (saved, timed):
        assert other.loss_curve_ == plain.loss_curve_
        assert np.array_equal(other.network.parameters, plain.network.parameters)


OPTIONS = {"epochs": 10, "batch_size": 32, "validation": (X[:60], LABELS[:60]), "patience": 50}


def network():
    x = nn.input(6)
    h = nn.Dropout(0.2)(nn.Dense(12, "relu", name="h")(x))
    return nn.Network(nn.Dense(3, name="o")(h), output="softmax", seed=1)


@pytest.mark.parametrize(
    "extra", [{}, {"ema_decay": 0.9, "clip_norm": 1.0}, {"schedule": "plateau", "l1": 0.01, "l2": 0.1}]
)
def test_a_networks_fit_goes_on_where_it_was(extra, tmp_path, monkeypatch):
    whole = network()
    history = whole.fit(X, LABELS, **OPTIONS, **extra)
    for n_saves in (1, 3, 2):
        with monkeypatch.context() as patch:
            stop_after(patch, n_saves)
            with pytest.raises(Killed):
                network().fit(X, LABELS, checkpoint=tmp_path, checkpoint_every=7, **OPTIONS, **extra)
    resumed = network()
    found = resumed.fit(X, LABELS, checkpoint=tmp_path, checkpoint_every=7, **OPTIONS, **extra)
    assert {**found} == {**history}
    assert np.array_equal(resumed.block, whole.block)


def test_a_checkpoint_of_a_processor_with_the_other_order_of_bytes_is_refused(tmp_path, monkeypatch):
    network().fit(X, LABELS, checkpoint=tmp_path, **OPTIONS)
    monkeypatch.setattr(sys, "byteorder", "big")
    with pytest.raises(CheckpointError, match=r"What differs: .*order of bytes .nothing there, big now"):
        network().fit(X, LABELS, checkpoint=tmp_path, **OPTIONS)


def test_a_checkpoint_of_another_training_is_refused(tmp_path):
    network().fit(X, LABELS, checkpoint=tmp_path, checkpoint_every=5, **OPTIONS)
    for change, what in (({"learning_rate": 0.5}, "learning_rate .0.001 there, 0.5 now"), ({"l2": 0.1}, "l2")):
        with pytest.raises(CheckpointError, match=f"is of another training. What differs: {what}"):
            network().fit(X, LABELS, checkpoint=tmp_path, checkpoint_every=5, **OPTIONS, **change)
    with pytest.raises(CheckpointError, match="What differs: X"):
        network().fit(X + 1, LABELS, checkpoint=tmp_path, **OPTIONS)
    path = tmp_path / "checkpoint.safetensors"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(CheckpointError, match=r"damaged or cut off.*delete this one to restart from scratch"):
        network().fit(X, LABELS, checkpoint=tmp_path, **OPTIONS)


def own_loss(factor):
    return lambda b, p, t: b.mul(b.square(b.sub(p, t)), factor)


def own_network(rate, function):
    h = nn.Dropout(rate)(nn.Apply(function)(nn.Dense(5, "tanh", weights=nn.Orthogonal())(nn.input(6))))
    return nn.Network(nn.Dense(1)(h), seed=1)


def test_functions_of_ones_own_are_the_same_in_every_process(tmp_path, monkeypatch):
    options = {"epochs": 4, "checkpoint": tmp_path / "n", "checkpoint_every": 5}
    common = {"max_iter": 5, "random_state": 0, "n_iter_no_change": 99, "tol": 0, "checkpoint": tmp_path / "m"}

    def train_both():
        net = own_network(0.1, lambda b, x: b.tanh(x))
        net.fit(X, NUMBERS, loss=own_loss(2.0), **options)
        model = MLPRegressor(own_loss(2.0), (5,), activation=lambda b, x: b.tanh(x), checkpoint_every=5, **common)
        with pytest.warns(match="Maximum iterations"):
            return net.block.tolist(), model.fit(X, NUMBERS).network.block.tolist()

    for kept in (1, 3):
        with monkeypatch.context() as patch:
            stop_after(patch, kept)
            with pytest.raises(Killed):
                train_both()
    with pytest.raises(CheckpointError, match="What differs: loss"):
        own_network(0.1, lambda b, x: b.tanh(x)).fit(X, NUMBERS, loss=own_loss(3.0), **options)
    resumed = train_both()  # its functions are other objects of the same code
    for path in [*tmp_path.rglob("checkpoint.safetensors")]:
        path.unlink()
    assert train_both() == resumed


def test_another_architecture_is_another_training(tmp_path):
    def train(net):
        net.fit(X, NUMBERS, epochs=2, checkpoint=tmp_path)

    train(own_network(0.1, lambda b, x: b.tanh(x)))
    for other in (own_network(0.2, lambda b, x: b.tanh(x)), own_network(0.1, lambda b, x: b.sin(x))):
        with pytest.raises(CheckpointError, match="What differs: network"):
            train(other)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("n_calls", range(4))
def test_a_storage_fault_never_loses_the_older_checkpoint(code, call, n_calls):
    with pytest.raises(OSError, match=os.strerror(code)):
        check_fault("checkpoint.safetensors", call, n_calls, code)


@pytest.mark.parametrize("n_kills", [1, pytest.param(16, marks=pytest.mark.long)])
def test_kill_9_at_random_moments_loses_nothing(n_kills):
    picker, training = random.Random(7), Training()
    training.check_killed([picker.uniform(0, 0.25) for _ in range(n_kills)], "slow")


@pytest.mark.parametrize("every", [0, -1, True, 1.5, "0s", "5", "x", "3 days", None])
def test_a_wrong_interval_is_refused(every, tmp_path):
    with pytest.raises(
        ValueError, match=r"checkpoint_every is .*; it must be a positive number of steps, or a time such as"
    ):
        network().fit(X, LABELS, checkpoint=tmp_path, checkpoint_every=every)


def test_a_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "f").write_text("")
    with pytest.raises(NotADirectoryError, match="which is a file; give a folder"):
        network().fit(X, LABELS, checkpoint=tmp_path / "f")


def rewritten(path, change):
    """A checkpoint with a changed state or arrays and a right checksum."""
    kind, state, arrays = unpack(path.read_bytes(), finite=False)
    arrays = {name: array.copy() for name, array in arrays.items()}
    change(state, arrays)
    path.write_bytes(pack(kind, state, arrays, finite=False))


def put(*keys):
    """A change of one entry of the state: the keys, then the value."""

    def change(state, arrays):
        *parents, last, value = keys
        for key in parents:
            state = state[key]
        state[last] = value

    return change


def in_array(name, value):
    return lambda state, arrays: arrays[name].reshape(-1).__setitem__(0, value)


FORGED = {
    "a position beyond the generator": (put("random_start", "position", 10**6), "position of the random generator"),
    "a negative position": (put("random_start", "position", -1), "position of the random generator is -1"),
    "a position of the rows": (put("rows", "random", "position", 625), "position of the random generator is 625"),
    "another generator": (put("random_start", "name", "PCG64"), "not that of NumPy's RandomState"),
    "keys that are absent": (lambda s, a: a.pop("random_start"), "lacks the entry 'random_start'"),
    "keys of another length": (lambda s, a: a.update(random=a["random"][1:]), "not that of NumPy's RandomState"),
    "rows beyond the data": (in_array("rows", 10**9), "order of the rows is not one of the rows"),
    "a row twice": (lambda s, a: a["rows"].__setitem__(0, a["rows"][1]), "order of the rows is not one"),
    "memory cut off": (lambda s, a: a.update(memory=a["memory"][:-8]), "the array 'memory' is of shape"),
    "weights of NaN": (lambda s, a: a["memory"].__setitem__(slice(None), 255), "a parameter is not finite"),
    "no counts": (lambda s, a: s.pop("counts"), "lacks the entry 'counts'"),
    "counts of text": (put("counts", "epoch", "3"), "epoch is '3'; it must be an integer"),
    "a row within a batch": (put("counts", "row", 5), "row 5 is not where a step of 32 of"),
    "a row beyond the data": (put("counts", "row", 3200), "row 3200 is not where a step"),
    "another number of steps": (put("counts", "step", 3), "number of steps is not that of the checkpoint"),
    "steps of text": (put("step", "x"), "step is 'x'"),
    "too many epochs": (put("epoch", 10**6), r"epoch is 1000000; it must be an integer in \[0, 12\]"),
    "an unknown outcome": (put("outcome", "DIVERGED"), "the outcome is 'DIVERGED'"),
    "a short history": (put("history", {"dict": [["loss", [1.0]]]}), "the history does not have a number"),
    "a history of texts": (put("history", {"dict": [["loss", ["x"] * 9]]}), "the history does not have a number"),
    "a best value of NaN": (put("stopping", "dict", [["best", {"float": "nan"}], ["stalled", 0]]), "best value is nan"),
    "no best weights": (lambda s, a: a.pop("best"), "the array 'best' is absent"),
    "best weights of NaN": (in_array("best", np.nan), "weights of the best epoch are not finite"),
    "a learning rate of 10^300": (put("rates", "dict", [["rate", 1e300], ["n_rows_seen", 0]]), "the learning rate is"),
    "a fingerprint of numbers": (put("fingerprint", "tol", 3), "this is not a checkpoint"),
    "rates as a list": (put("rates", [[[]]]), "the entry on learning rates lacks one of the entries"),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(("change", "message"), FORGED.values(), ids=FORGED)
def test_a_forged_checkpoint_is_refused_and_harms_nothing(change, message, tmp_path, monkeypatch):
    def model():
        options = {"max_iter": 12, "batch_size": 32, "random_state": 3, "early_stopping": True, "n_iter_no_change": 99}
        return MLPClassifier((5,), checkpoint=tmp_path, checkpoint_every=20, **options)

    with monkeypatch.context() as patch:
        stop_after(patch, 2)
        with pytest.raises(Killed):
            model().fit(X, LABELS)
    (path,) = tmp_path.rglob("checkpoint.safetensors")
    rewritten(path, change)
    before = path.read_bytes()
    with pytest.raises(CheckpointError, match=f"checkpoint.safetensors: .*{message}.*Give another folder"):
        model().fit(X, LABELS)
    assert path.read_bytes() == before


def test_a_forged_checkpoint_leaves_the_network_as_it_was(tmp_path):
    network().fit(X, LABELS, checkpoint=tmp_path, checkpoint_every=5, **OPTIONS)
    rewritten(tmp_path / "checkpoint.safetensors", lambda s, a: a["memory"].__setitem__(slice(None), 255))
    net = network()
    before = net.block.copy()
    with pytest.raises(CheckpointError, match="a parameter is not finite"):
        net.fit(X, LABELS, checkpoint=tmp_path, checkpoint_every=5, **OPTIONS)
    assert np.array_equal(net.block, before)


def test_a_damaged_checkpoint_is_called_a_checkpoint(tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    path.write_bytes(b"junk")
    with pytest.raises(CheckpointError, match="this is not a checkpoint of a training, or it is cut off"):
        network().fit(X, LABELS, checkpoint=tmp_path, **OPTIONS)
    rosenblatt.save(network(), path)
    with pytest.raises(CheckpointError, match="this holds a 'network', not a checkpoint of a training"):
        network().fit(X, LABELS, checkpoint=tmp_path, **OPTIONS)


@pytest.mark.parametrize("every", [1, 10])  # within an epoch of ten steps, and at its end
def test_weights_that_are_not_finite_are_in_no_checkpoint(every, tmp_path, monkeypatch):
    epochs = Trainer.epochs

    def exploding(self, *args, **options):
        losses = epochs(self, *args, **options)
        self.network.parameters[0] = np.inf
        return losses

    monkeypatch.setattr(Trainer, "epochs", exploding)
    with pytest.raises(DivergenceError):
        network().fit(X, LABELS, checkpoint=tmp_path, checkpoint_every=every, epochs=3, batch_size=30)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_training_that_diverged_diverges_again(tmp_path):
    options = {"solver": "sgd", "learning_rate": "warmup", "learning_rate_init": 1e3, "early_stopping": True}
    model = MLPRegressor(hidden_layer_sizes=(8,), n_iter_no_change=50, random_state=0, **options)
    model.set_params(max_iter=40, checkpoint=tmp_path, checkpoint_every=5)
    with np.errstate(all="ignore"):
        first, again = (clone(model).fit(X, NUMBERS) for _ in range(2))
    assert 1 < first.n_iter_ < 40, "it diverged, but not at once"
    assert again.loss_curve_ == first.loss_curve_
    assert np.array_equal(again.network.block, first.network.block)
