"""The C program in the documentation: it compiles without a warning, and prints what Python predicts."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris
from tests.export.c.compiling import STRICT, compiler

from rosenblatt import MLPClassifier, TabularClassifier
from rosenblatt.export import to_c

PAGE = Path(__file__).parents[3] / "docs" / "export.md"


pytestmark = pytest.mark.skipif(not PAGE.exists(), reason="the documentation is not there")


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


def test_the_row_of_the_page(tmp_path):
    row = next(text for text in re.findall(r"```c\n(.*?)```", PAGE.read_text(), re.S) if "SHOP_TOWN_LEIPZIG" in text)
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "age": rng.normal(40, 9, 90),
            "since": pd.Timestamp("2020-02-01") + pd.to_timedelta(rng.integers(0, 900, 90), unit="D"),
            "town": rng.choice(["Leipzig", "Bern", "Ulm"], 90),
            "member": rng.choice([True, False], 90),
        }
    )
    model = TabularClassifier("fast", max_iter=1, hidden_layer_sizes=(4,)).fit(frame, rng.choice(["a", "b"], 90))
    to_c(model, tmp_path / "shop.h")
    member = (
        'row[SHOP_MEMBER] = SHOP_MEMBER_TRUE;\n_Static_assert(SHOP_MEMBER_FALSE == 1 && SHOP_MEMBER_TRUE == 2, "");'
    )
    shown = 'double y[SHOP_N_OUTPUTS];\nshop_predict(row, y);\nprintf("%.6f", y[0]);\nreturn 0;'
    program = f'#include <stdio.h>\n#include "shop.h"\nint main(void) {{\n{row}{member}\n{shown}\n}}\n'
    (tmp_path / "main.c").write_text(program)
    subprocess.run([compiler(), "-std=c11", "-Werror", "main.c", "-o", "main", "-lm"], cwd=tmp_path, check=True)
    printed = subprocess.run(["./main"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    right = model.predict_proba([{"age": 41, "since": None, "town": "Leipzig", "member": True}])
    assert float(printed) == pytest.approx(right[0, 0], abs=2e-6)
