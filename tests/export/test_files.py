"""Where exports may be written, and what is left if they cannot be."""

from __future__ import annotations

import os
import re

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline

import rosenblatt
from rosenblatt import LogisticRegression, MLPClassifier, nn
from rosenblatt.export import to_c, to_onnx
from rosenblatt.export.files import check_destination, write_export

X, Y = load_iris(return_X_y=True)


def test_a_new_file_and_one_that_may_be_replaced(tmp_path):
    path = tmp_path / "model.onnx"
    assert check_destination(path, ".onnx") == path
    assert write_export(path, b"one") == 3
    assert check_destination(str(path), (".c", ".onnx"), overwrite=True) == path
    assert write_export(path, b"three", overwrite=True) == 5
    assert path.read_bytes() == b"three"


def test_an_existing_file_is_refused_and_kept(tmp_path):
    path = tmp_path / "notes.onnx"
    path.write_text("mine")
    for ask in (lambda: check_destination(path, ".onnx"), lambda: write_export(path, b"new")):
        with pytest.raises(FileExistsError, match=rf"{re.escape(str(path))} exists; overwrite=True replaces it"):
            ask()
    assert path.read_text() == "mine"
    assert os.listdir(tmp_path) == ["notes.onnx"]


def test_a_file_that_comes_meanwhile_is_kept(tmp_path, monkeypatch):
    path, sync = tmp_path / "model.onnx", os.fsync

    def meanwhile(descriptor):
        path.write_text("of another process")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", meanwhile)
    with pytest.raises(FileExistsError, match=r"model\.onnx exists; overwrite=True replaces it"):
        write_export(path, b"new")
    assert path.read_text() == "of another process"
    assert os.listdir(tmp_path) == ["model.onnx"]
    monkeypatch.undo()
    assert write_export(path, b"new", overwrite=True) == 3
    assert path.read_bytes() == b"new"


def test_file_systems_without_hard_links(tmp_path, monkeypatch):
    def link(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)
    assert write_export(tmp_path / "model.onnx", b"new") == 3
    assert os.listdir(tmp_path) == ["model.onnx"]


def test_a_broken_link_is_no_free_name(tmp_path):
    path = tmp_path / "model.onnx"
    path.symlink_to(tmp_path / "elsewhere")
    for ask in (lambda: check_destination(path, ".onnx"), lambda: write_export(path, b"new")):
        with pytest.raises(FileExistsError, match="exists; overwrite=True replaces it"):
            ask()
    assert check_destination(path, ".onnx", overwrite=True) == path


@pytest.mark.parametrize("name", ["model", "model.txt", "model.onnx.bak", ".c"])
def test_other_endings_are_refused(tmp_path, name):
    with pytest.raises(ValueError, match=r"the name must end in \.onnx"):
        check_destination(tmp_path / name, ".onnx")


def test_endings_may_have_capitals(tmp_path):
    check_destination(tmp_path / "MODEL.ONNX", ".onnx")


def test_folders(tmp_path):
    (tmp_path / "folder.onnx").mkdir()
    with pytest.raises(IsADirectoryError, match=r"folder\.onnx is a folder"):
        check_destination(tmp_path / "folder.onnx", ".onnx")
    with pytest.raises(FileNotFoundError, match="there is no such folder"):
        check_destination(tmp_path / "none" / "model.onnx", ".onnx")


def test_folders_that_are_not_writable(tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", lambda path, mode: False)  # as root may write everywhere
    with pytest.raises(PermissionError, match=r"model\.onnx: the folder .* is not writable"):
        check_destination(tmp_path / "model.onnx", ".onnx")


def test_overwrite_is_true_or_false(tmp_path):
    with pytest.raises(ValueError, match="overwrite is 'no'"):
        check_destination(tmp_path / "model.onnx", ".onnx", "no")


@pytest.mark.parametrize(
    ("path", "said"),
    [(None, "path is None; it must"), (b"m.onnx", "path is b'm.onnx'; it must"), ([], "path is a list; it must")],
)
def test_what_is_no_path(path, said):
    with pytest.raises(TypeError, match=re.escape(said)):
        check_destination(path, ".onnx")


@pytest.mark.parametrize("path", ["", "\0.onnx"])
def test_what_is_no_name(path):
    with pytest.raises(ValueError, match=re.escape(f"path is {path!r}; it must be the name of a file")):
        check_destination(path, ".onnx")


class Backwards(MLPClassifier):
    """One that predicts otherwise."""

    def predict(self, X):
        return super().predict(X)[::-1]


class Network(nn.Network):
    """One whose class has the same name."""


NO_MODELS = {
    "class": (lambda: MLPClassifier, ". MLPClassifier is a class; give a fitted instance of it"),
    "file": (lambda: "m.safetensors", ". A model in a file is read by rosenblatt.load"),
    "subclass": (lambda: Backwards(), ". It is a subclass, which may predict otherwise; give an MLPClassifier"),
    "network": (lambda: Network(nn.NetworkSpec(2, (), 1)), "may predict otherwise; give a Network"),
    "search": (
        lambda: GridSearchCV(LogisticRegression(max_iter=900), {"C": [1.0]}, cv=2).fit(X, Y),
        ". Give its best_estimator_",
    ),
}


@pytest.mark.parametrize("export", [to_onnx, to_c])
@pytest.mark.parametrize(("given", "said"), NO_MODELS.values(), ids=NO_MODELS)
def test_what_is_no_model_and_what_to_give(export, given, said, tmp_path):
    with pytest.raises(TypeError, match=re.escape(said)):
        export(given(), tmp_path / ("m.onnx" if export is to_onnx else "m.c"))
    assert os.listdir(tmp_path) == []


def test_a_predictor_is_no_model(tmp_path):
    rosenblatt.save(LogisticRegression(max_iter=900).fit(X, Y), tmp_path / "m.st")
    with pytest.raises(TypeError, match=r"It only predicts; rosenblatt\.load reads the model itself"):
        to_c(rosenblatt.load_predictor(tmp_path / "m.st"), tmp_path / "m.c")


OPTIONS = {
    "unprepared": (to_c, {"prepare": False}, ValueError, "prepare=False is for tabular models; a LogisticRegression"),
    "half prepared": (to_c, {"prepare": "no"}, ValueError, "prepare is 'no'; it must be True or False"),
    "misspelt": (to_c, {"overwrit": True}, TypeError, "has no parameter 'overwrit'. Did you mean 'overwrite'?"),
    "dtypes": (to_c, {"dtype": np.array(["a", "b"])}, ValueError, "allowed: float32, float64"),
    "dates": (to_onnx, {"dates": "text"}, TypeError, "dates= is for tabular models; a LogisticRegression has no"),
}


@pytest.mark.parametrize(("export", "options", "kind", "said"), OPTIONS.values(), ids=OPTIONS)
def test_options_that_a_model_does_not_have(export, options, kind, said, tmp_path):
    model = LogisticRegression(max_iter=900).fit(X, Y)
    with pytest.raises(kind, match=re.escape(said)):
        export(model, tmp_path / ("m.onnx" if export is to_onnx else "m.c"), **options)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("dtype", ["float32", np.float32, np.dtype("float32")])
def test_a_dtype_may_be_a_type_of_numpy(dtype, tmp_path):
    to_c(LogisticRegression(max_iter=900).fit(X, Y), tmp_path / "m.c", dtype=dtype)
    assert "void m_predict(const float *x, float *y)" in (tmp_path / "m.c").read_text()


def test_texts_that_are_no_unicode_are_refused_by_name(tmp_path):
    half = np.array(["\udcff", "b", "c"])[Y]
    model = LogisticRegression(max_iter=900).fit(X, half)
    with pytest.raises(ValueError, match=r"a class is called '\\udcff', which is no Unicode"):
        to_onnx(model, tmp_path / "m.onnx")
    network = nn.Network(nn.Dense(1)(nn.input(2, name="\udcff")), seed=0)
    with pytest.raises(ValueError, match=r"input or output is called '\\udcff', which is no Unicode"):
        to_onnx(network, tmp_path / "m.onnx")
    assert os.listdir(tmp_path) == []


def test_an_empty_pipeline(tmp_path):
    with pytest.raises(TypeError, match="a Pipeline that ends with one of"):
        to_onnx(Pipeline([]), tmp_path / "m.onnx")
