"""scikit-learn's own tests of its perceptrons, from its installed wheel, run against rosenblatt's classes."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import rosenblatt

MODULES = ["sklearn.neural_network.tests.test_mlp", "sklearn.linear_model.tests.test_perceptron"]


@pytest.mark.long
@pytest.mark.timeout(600)
def test_scikit_learns_own_tests_pass(tmp_path):
    paths = [str(Path(__file__).parent), str(Path(rosenblatt.__file__).parents[1])]
    (tmp_path / "pytest.ini").write_text("[pytest]\n")  # scikit-learn's tests bring their own warning filters
    command = [sys.executable, "-m", "pytest", "-q", "-c", str(tmp_path / "pytest.ini"), "-p", "sklearn_swap"]
    command += ["-p", "no:cacheprovider", "--pyargs", *MODULES]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout[-5000:] + run.stderr[-2000:]
    counts = {word: int(n) for n, word in re.findall(r"(\d+) (passed|deselected|skipped|xfailed)", run.stdout)}
    assert counts["passed"] >= 64
    assert counts["deselected"] == 1
    assert not {"skipped", "xfailed"} & set(counts), run.stdout[-2000:]
