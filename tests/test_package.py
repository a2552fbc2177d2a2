"""The package as a whole: what importing it loads, what it exports, its version."""

import importlib
import importlib.metadata
import subprocess
import sys

import pytest

import rosenblatt


def test_import_loads_numpy_and_nothing_heavier():
    code = "import sys, rosenblatt; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    loaded = set(
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    )
    assert "rosenblatt" in loaded
    assert not loaded & {"sklearn", "scipy", "pandas", "polars", "pyarrow", "narwhals", "safetensors", "rich", "typer"}


@pytest.mark.parametrize("name", ["", ".diagnosis", ".estimators", ".logic", ".plots"])
def test_every_public_name_resolves(name):
    package = importlib.import_module(f"rosenblatt{name}")
    assert set(dir(package)) == set(package.__all__)
    for name in package.__all__:
        assert getattr(package, name) is not None


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'MLPclassifier'"):
        rosenblatt.MLPclassifier  # noqa: B018


def test_the_version_is_the_distributions():
    assert rosenblatt.__version__ == importlib.metadata.version("rosenblatt")


def test_a_lower_instruction_set_can_be_forced_and_an_unknown_one_is_refused():
    from rosenblatt import _core

    code = "from rosenblatt import _core; print(_core.isa())"
    for level in _core.isa_levels():
        environment = {"ROSENBLATT_ISA": level, "PYTHONPATH": ":".join(sys.path)}
        found = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
        )
        assert found.stdout.strip() == level
    environment["ROSENBLATT_ISA"] = "v9"
    found = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert found.returncode == 1
    assert "ROSENBLATT_ISA is 'v9'; this processor can run: " in found.stderr
