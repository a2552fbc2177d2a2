"""Where exports may be written, and what is left if they cannot be."""

from __future__ import annotations

import os
import re

import pytest

from rosenblatt.export.files import check_destination, write_export


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


def test_a_broken_link_is_no_free_name(tmp_path):
    path = tmp_path / "model.onnx"
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileExistsError, match="exists"):
        write_export(path, b"new")


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
    with pytest.raises(TypeError, match="overwrite is 'no'"):
        check_destination(tmp_path / "model.onnx", ".onnx", "no")
