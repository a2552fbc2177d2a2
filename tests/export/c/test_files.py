"""Names, files and models that `to_c` refuses, and what it says of the file that it wrote."""

from __future__ import annotations

import os

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from tests.export.c.compiling import run_c

from rosenblatt import MLPClassifier, Perceptron, TabularRegressor, nn
from rosenblatt.export import to_c

NET = nn.Network(nn.NetworkSpec(3, (4,), 2, output="softmax"))
X = np.random.default_rng(0).normal(size=(5, 3))


@pytest.mark.parametrize("model", [MLPClassifier(), Perceptron(), TabularRegressor()])
def test_a_model_that_is_not_fitted(model, tmp_path):
    with pytest.raises(NotFittedError, match="not fitted"):
        to_c(model, tmp_path / "m.c")
    assert not list(tmp_path.iterdir())


class Own(MLPClassifier):
    """One that may predict anything."""


@pytest.mark.parametrize("model", [LinearRegression(), Own(), None, "model.rosenblatt"])
def test_what_is_no_model_of_the_library(model, tmp_path):
    with pytest.raises(TypeError, match=r"to_c takes an nn\.Network or a fitted MLPClassifier, .*given <class"):
        to_c(model, tmp_path / "m.c")


@pytest.mark.parametrize(
    ("file", "name", "said"),
    [
        ("my-model.c", None, "the file is called 'my-model.c', but names in C .* Say name='my_model'"),
        ("3d.h", None, "Say name='model_3d'"),
        ("ä.c", None, "Say name='model'"),
        ("m.c", "größe 2", "name is 'größe 2', but names in C .* Say name='gr_e_2'"),
        ("m.c", "_x", "Say name='x'"),
        ("m.c", "", "Say name='model'"),
        ("m.c", "a" * 51, "up to 50 ASCII letters"),
    ],
)
def test_names_that_c_does_not_allow(file, name, said, tmp_path):
    with pytest.raises(ValueError, match=said):
        to_c(NET, tmp_path / file, name=name)
    assert not list(tmp_path.iterdir())


def test_a_name_of_another_type(tmp_path):
    with pytest.raises(TypeError, match="name is 3; give a text"):
        to_c(NET, tmp_path / "m.c", name=3)


def test_another_float_type(tmp_path):
    with pytest.raises(ValueError, match="dtype is 'float16'; allowed: float32, float64"):
        to_c(NET, tmp_path / "m.c", dtype="float16")


def test_parameters_that_are_not_finite(tmp_path):
    net = NET.copy()
    net.weights[1][0, 0] = np.nan
    with pytest.raises(ValueError, match=r"'output\.weights' of the network holds NaN or infinity"):
        to_c(net, tmp_path / "m.c")


@pytest.mark.parametrize("of", ["network", "perceptron"])
def test_parameters_that_float32_cannot_hold(of, tmp_path):
    if of == "network":
        model = NET.copy("float64")
        model.weights[1][0, 0] = 1e39
    else:
        model = Perceptron().fit(X, [0, 1, 0, 1, 1])
        model.coef_[0, 1] = -1e200
    with pytest.raises(ValueError, match=r"'.*weights' of the network holds numbers that are too large for float32"):
        to_c(model, tmp_path / "m.c", dtype="float32")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("file", ["math.h", "STDIO.H", "signal.h"])
def test_headers_of_c_itself(file, tmp_path):
    with pytest.raises(ValueError, match=f"{file} is a header of C itself"):
        to_c(NET, tmp_path / file)
    assert not list(tmp_path.iterdir())
    assert to_c(NET, tmp_path / f"{file[:-1]}c").path.exists()


def test_a_file_whose_whole_name_is_its_ending(tmp_path):
    assert "static inline void m_predict(" in to_c(NET, tmp_path / ".h", name="m").path.read_text()


def test_an_existing_file_stays_as_it_is(tmp_path):
    path = tmp_path / "m.c"
    path.write_text("int main(void) { return 0; }")
    with pytest.raises(FileExistsError, match=r"m\.c exists; overwrite=True replaces it"):
        to_c(NET, path)
    assert path.read_text() == "int main(void) { return 0; }"
    to_c(NET, path, overwrite=True)
    assert "m_predict" in path.read_text()


def test_another_suffix(tmp_path):
    with pytest.raises(ValueError, match=r"must end in \.c or \.h"):
        to_c(NET, tmp_path / "m.cpp")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="permissions are not asked of this user")
def test_a_folder_that_is_read_only(tmp_path):
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    with pytest.raises(PermissionError, match="locked"):
        to_c(NET, folder / "m.c")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no device that is always full")
def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "m.c"
    path.write_text("old")

    def full(descriptor, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match=r"No space left.*m\.c"):
        to_c(NET, path, overwrite=True)
    monkeypatch.undo()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["m.c"]


def test_sizes_are_told(tmp_path):
    net = NET.copy()
    net.parameters[...] = np.arange(26)
    written = to_c(net, tmp_path / "m.c", name="net")
    assert written.file_bytes == (tmp_path / "m.c").stat().st_size
    assert written.constant_bytes == 4 * net.parameters.size
    assert str(written).endswith(" kB of C; 104 bytes of constants, 24 bytes of stack) defines net_predict")
    assert "104 bytes of constant numbers, 24 bytes of stack" in written.path.read_text()


def test_a_header_and_a_source_predict_the_same_bits(tmp_path):
    first, _ = run_c(to_c(NET, tmp_path / "m.c"), X)
    second, _ = run_c(to_c(NET, tmp_path / "m.h"), X)
    assert_array_equal(first, second)


def test_files_are_the_same_each_time(tmp_path):
    assert (
        to_c(NET, tmp_path / "a.c", name="m").path.read_text() == to_c(NET, tmp_path / "b.c", name="m").path.read_text()
    )
