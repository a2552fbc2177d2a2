"""`to_onnx`: a file that runs, or a message and nothing written."""

from __future__ import annotations

import errno
import os
import subprocess
import sys

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from tests.export.onnx.running import runtime

import rosenblatt
from rosenblatt import MLPClassifier, nn
from rosenblatt.export import to_onnx
from rosenblatt.export.onnx.graph import MAX_BYTES, OnnxGraph

X, Y = load_iris(return_X_y=True)


@pytest.fixture(scope="module")
def model():
    with pytest.warns(match="Maximum iterations"):
        return MLPClassifier((8,), max_iter=5, random_state=0).fit(X, Y)


def test_a_file_that_runs(model, tmp_path):
    path = tmp_path / "iris.onnx"
    assert to_onnx(model, path) == path.stat().st_size
    assert runtime(str(path), {"X": X})["label"].tolist() == model.predict(X).tolist()


def test_a_model_that_was_saved_and_loaded_gives_the_same_file(model, tmp_path):
    rosenblatt.save(model, tmp_path / "iris.safetensors")
    to_onnx(model, tmp_path / "one.onnx")
    to_onnx(rosenblatt.load(tmp_path / "iris.safetensors"), tmp_path / "two.onnx")
    assert (tmp_path / "one.onnx").read_bytes() == (tmp_path / "two.onnx").read_bytes()


def test_an_existing_file_is_refused_and_kept(model, tmp_path):
    path = tmp_path / "iris.onnx"
    path.write_text("mine")
    with pytest.raises(FileExistsError, match="overwrite=True replaces it"):
        to_onnx(model, path)
    assert path.read_text() == "mine"
    to_onnx(model, path, overwrite=True)
    assert runtime(str(path), {"X": X[:1]})["label"].shape == (1,)


def test_what_is_refused_writes_nothing(model, tmp_path):
    path = tmp_path / "model.onnx"
    with pytest.raises(NotFittedError):
        to_onnx(MLPClassifier(), path)
    with pytest.raises(TypeError, match=r"takes a fitted MLPClassifier, .*, not <class 'dict'>"):
        to_onnx({}, path)
    with pytest.raises(
        TypeError, match=r"dates= is for tabular models; an MLPClassifier has no columns of dates\. Leave it out"
    ):
        to_onnx(model, path, dates="text")
    with pytest.raises(TypeError, match="has no parameter 'raw_scores'"):
        to_onnx(model, path, raw_scores=True)
    with pytest.raises(TypeError, match=r"Did you mean '?overwrite"):
        to_onnx(model, path, overwrit=True)
    with pytest.raises(ValueError, match=r"must end in \.onnx"):
        to_onnx(model, tmp_path / "model.safetensors")
    with pytest.raises(FileNotFoundError, match="there is no such folder"):
        to_onnx(model, tmp_path / "none" / "model.onnx")
    assert os.listdir(tmp_path) == []


def test_a_function_that_is_not_made_of_ops_is_refused_before_anything_is_written(tmp_path):
    seen = []

    def counting(b, x):
        seen.append(0)
        return b.mul(x, float(len(seen)))

    network = nn.Network(nn.Dense(1, counting)(nn.input(2)), seed=None)
    with pytest.raises(ValueError, match="gives other ops than before"):
        to_onnx(network, tmp_path / "model.onnx")
    assert os.listdir(tmp_path) == []


def test_a_full_disk_keeps_the_old_file(model, tmp_path, monkeypatch):
    path = tmp_path / "iris.onnx"
    path.write_text("old")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("rosenblatt.storage.atomic.write_all", full)
    with pytest.raises(OSError, match=r"No space left .*Make room.*iris\.onnx"):
        to_onnx(model, path, overwrite=True)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["iris.onnx"]


def test_a_folder_that_is_read_only(model, tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(PermissionError, match=r"iris\.onnx: the folder .* is not writable"):
        to_onnx(model, tmp_path / "iris.onnx")


def test_without_onnx_the_message_names_the_extra(tmp_path):
    script = (
        "import sys; sys.modules['onnx'] = None\n"
        "from rosenblatt import nn\nfrom rosenblatt.export import to_onnx\n"
        "try:\n    to_onnx(nn.Network(nn.NetworkSpec(2, (), 1)), 'm.onnx')\n"
        "except ImportError as error:\n    print(error)\n"
    )
    out = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, check=True
    ).stdout
    assert out == "ONNX models need the package onnx: pip install 'rosenblatt[onnx]'\n"


def test_more_than_a_file_holds_is_refused(monkeypatch):
    graph = OnnxGraph("large")
    graph.output("y", graph.constant(np.zeros(8)), "float64", (8,))
    graph.build({})
    monkeypatch.setattr("rosenblatt.export.onnx.graph.MAX_BYTES", 63)
    with pytest.raises(ValueError, match="holds at most 2 GiB"):
        graph.build({})
    assert MAX_BYTES < 2**31


def test_names_of_inputs_and_outputs_differ():
    graph = OnnxGraph("g")
    graph.input("x", "float32", 1)
    with pytest.raises(ValueError, match="two inputs or outputs are called 'x'"):
        graph.output("x", "x", "float32", (None, 1))
    with pytest.raises(ValueError, match="empty name"):
        graph.input("", "float32", 1)


def test_equal_constants_are_stored_once():
    graph = OnnxGraph("g")
    assert graph.constant(np.zeros(3)) == graph.constant(np.zeros(3))
    assert len({graph.constant(a) for a in (np.zeros(3), np.zeros((3, 1)), np.zeros(3, int), -np.zeros(3))}) == 4
    assert graph.constant(np.array(["a", "b"])) == graph.constant(np.array(["a", "b"]))
    assert graph.constant(np.array(["a", "b"], object)) != graph.constant(np.array(["a", "c"], object))
