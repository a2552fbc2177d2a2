"""The C program in the documentation: it compiles without a warning, and prints what Python predicts."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from sklearn.datasets import load_iris
from tests.export.c.compiling import STRICT, compiler

from rosenblatt import MLPClassifier
from rosenblatt.export import to_c

PAGE = Path(__file__).parents[3] / "docs" / "export.md"


@pytest.mark.skipif(not PAGE.exists(), reason="the documentation is not there")
def test_the_program_of_the_page(tmp_path):
    program = next(text for text in re.findall(r"```c\n(.*?)```", PAGE.read_text(), re.S) if "int main" in text)
    (tmp_path / "main.c").write_text(program)
    X, y = load_iris(return_X_y=True)
    model = MLPClassifier((20,), max_iter=300, tol=0.01, random_state=0).fit(X, y)
    to_c(model, tmp_path / "iris.h")
    subprocess.run([compiler(), *STRICT, "main.c", "-o", "main", "-lm"], cwd=tmp_path, check=True)
    printed = subprocess.run(["./main"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    row = [[5.1, 3.5, 1.4, 0.2]]
    assert printed == f"class {model.predict(row)[0]}, probability {model.predict_proba(row)[0, 0]:.3f}\n"
