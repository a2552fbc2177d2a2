"""The example for devices: its program in C compiles without a warning, and says what the model says."""

import importlib
import pathlib
import shutil
import subprocess

import numpy as np
import pytest
from tests.export.c.compiling import STRICT, compiler

FOLDER = pathlib.Path(__file__).parents[2] / "examples" / "embedded"


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """The example, the folder in which it kept the header, and its figures."""
    compiler()
    folder = tmp_path_factory.mktemp("pump")
    spec = importlib.util.spec_from_file_location("embedded_export", FOLDER / "export.py")
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    return example, folder, example.main(str(folder))


def test_c_says_what_python_says(ran):
    _, _, figures = ran
    assert figures["same"] == 1
    assert figures["difference"] < 2e-6  # six digits are printed
    assert figures["stack"] < 2000


@pytest.mark.parametrize("name", ["gcc", pytest.param("clang", marks=pytest.mark.long)])
def test_the_program_has_no_warnings(ran, name, tmp_path):
    command = [compiler(name), *STRICT, f"-I{ran[1]}", str(FOLDER / "main.c"), "-o", str(tmp_path / "main"), "-lm"]
    subprocess.run(command, check=True)


@pytest.mark.arm
def test_it_runs_on_arm(ran, tmp_path):
    main = str(tmp_path / "main")
    command = [compiler("arm-linux-gnueabihf-gcc"), *STRICT, "-static", f"-I{ran[1]}", str(FOLDER / "main.c")]
    subprocess.run([*command, "-o", main, "-lm"], check=True)
    printed = subprocess.run([compiler("qemu-arm"), main], check=True, capture_output=True, text=True).stdout
    here = ran[0].run_in_c(ran[1] / "pump.h", tmp_path)
    for line, other in zip(printed.splitlines(), here, strict=True):
        assert line.split()[0] == other[0]
        np.testing.assert_allclose(np.array(line.split()[1:], float), np.array(other[1:], float), rtol=0, atol=2e-6)


def test_without_a_compiler_it_says_so(ran, monkeypatch, capsys):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert ran[0].main() == {}
    assert "no C compiler" in capsys.readouterr().out
