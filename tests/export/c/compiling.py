"""Compiles files in C, and runs them on rows."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

WARNINGS = ("-Wall", "-Wextra", "-pedantic", "-Wconversion", "-Wshadow", "-Wdouble-promotion", "-Werror")
STRICT = ("-std=c99", "-Wmissing-prototypes", *WARNINGS)
SANITIZED = ("-fsanitize=undefined,address", "-fno-sanitize-recover=all", "-g", "-O1")
DRIVER = """\
#include <stdio.h>
#include "{file}"
int main(void) {{
  {x_type} x[{P}_N_INPUTS];
  {y_type} y[{P}_N_OUTPUTS];
  while (fread(x, sizeof x, 1, stdin) == 1) {{
    {name}_predict(x, y);
    const int label = {label};
    if (fwrite(y, sizeof y, 1, stdout) != 1 || fwrite(&label, sizeof label, 1, stdout) != 1) return 1;
  }}
  return 0;
}}
"""


def compiler(name="cc"):
    """The compiler, or a skip of the test, unless an environment variable says that there must be one."""
    if shutil.which(name) is None:
        if os.environ.get("ROSENBLATT_C_COMPILERS") == "required":
            pytest.fail(f"there is no {name}, and ROSENBLATT_C_COMPILERS says that there must be one")
        pytest.skip(f"there is no C compiler called {name}")
    return name


def run_c(written, X, cc="cc", flags=(), emulator=(), folder=None):
    """What the file predicts for each row of X, and the class that it chooses; compiled without a warning."""
    path = Path(written.path)
    text = path.read_text()
    types = {"x": "float", "y": "float"}
    head = next(line for line in text.split("\n") if f"void {written.name}_predict(" in line)
    types = {"x": "double" if "double *x" in head else "float", "y": "double" if "double *y" in head else "float"}
    label = f"{written.name}_predict_class(x)" if f"{written.name}_predict_class(" in text else "-2"
    filled = DRIVER.format(
        file=path.name, name=written.name, P=written.name.upper(), x_type=types["x"], y_type=types["y"], label=label
    )
    folder = folder or path.parent
    (folder / "driver.c").write_text(filled)
    program = folder / f"{written.name}_{cc}"
    command = [compiler(cc), *STRICT, *flags, f"-I{path.parent}", str(folder / "driver.c"), "-o", str(program), "-lm"]
    made = subprocess.run(command, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr[:4000]
    assert made.stderr == ""
    numbers = {"float": np.float32, "double": np.float64}
    rows = np.ascontiguousarray(X, numbers[types["x"]])
    ran = subprocess.run([*emulator, str(program)], input=rows.tobytes(), capture_output=True)
    assert ran.returncode == 0, ran.stderr[:4000]
    n_outputs = int(next(line for line in text.split("\n") if "_N_OUTPUTS" in line).split()[-1])
    found = np.frombuffer(ran.stdout, [("y", numbers[types["y"]], n_outputs), ("label", np.int32)])
    assert len(found) == len(rows)
    return found["y"], found["label"]
