"""Programs around files in C: several models and sources, C++, compilers that are told to compute less exactly."""

from __future__ import annotations

import platform
import subprocess

import numpy as np
import pandas as pd
import pytest
from tests.export.c.compiling import STRICT, WARNINGS, compiler

from rosenblatt import TabularClassifier, nn
from rosenblatt.export import to_c

ROWS = pd.DataFrame({"age": np.linspace(0, 9, 60), "town": list("abcdefghijkl") * 5})


def coded_network():
    h = nn.Concat()(nn.input(2, "a"), nn.Embedding(4)(nn.codes(5, "color")))
    limited = nn.Apply(lambda b, x: b.minimum(x, b.constant(np.inf)))(nn.Dense(3, "mish")(h))
    return nn.Network(limited, "float64", output="softmax")


@pytest.fixture(scope="module")
def headers(tmp_path_factory):
    """A folder with a network and a tabular model, both in double precision."""
    folder = tmp_path_factory.mktemp("headers")
    to_c(coded_network(), folder / "net.h")
    model = TabularClassifier("fast", max_iter=1, hidden_layer_sizes=(4,)).fit(ROWS, ROWS.age > 4)
    to_c(model, folder / "table.h", dtype="float64")
    return folder


def compiled(folder, text, *command):
    """What a compiler says of a source, or "" if it makes a program."""
    path = folder / ("main.cpp" if "++" in command[0] else "main.c")
    path.write_text(text)
    made = subprocess.run(
        [*command, str(path), "-o", str(folder / "main"), "-lm"], capture_output=True, text=True, cwd=folder
    )
    assert (made.returncode == 0) == (made.stderr == ""), made.stderr[:4000]
    return made.stderr


BOTH = """\
#include "net.h"
#include "table.h"
int main(void) {
  const double x[NET_N_INPUTS] = {1, 2, 3};
  double y[NET_N_OUTPUTS];
  net_predict(x, y);
  return table_predict_class(x) < 0;
}
"""


@pytest.mark.parametrize("name", ["gcc", pytest.param("clang", marks=pytest.mark.long)])
def test_two_models_in_one_source(name, headers):
    assert compiled(headers, BOTH, compiler(name), *STRICT) == ""


def test_two_sources_of_a_program_have_their_own_copies(headers):
    (headers / "other.c").write_text(BOTH.replace("main(void)", "other(void);\nint other(void)"))
    text = BOTH.replace("int main", "int other(void);\nint main").replace("return ", "return other() || ")
    assert compiled(headers, text, compiler("gcc"), *STRICT, "other.c") == ""


@pytest.mark.parametrize("name", ["g++", pytest.param("clang++", marks=pytest.mark.long)])
@pytest.mark.parametrize("linkage", ["", 'extern "C" {\n'])
def test_headers_are_cpp_too(name, linkage, headers):
    text = linkage + BOTH.replace("int main", ("}\n" if linkage else "") + "int main")
    assert compiled(headers, text, compiler(name), "-std=c++17", *WARNINGS) == ""


@pytest.mark.parametrize("flag", ["-ffast-math", "-Ofast", "-ffinite-math-only"])
@pytest.mark.parametrize("name", ["gcc", pytest.param("clang", marks=pytest.mark.long)])
def test_missing_cells_must_not_be_optimized_away(name, flag, headers):
    assert "Compile without -ffast-math" in compiled(headers, BOTH, compiler(name), "-std=c99", flag)


@pytest.mark.long
@pytest.mark.skipif(platform.machine() != "x86_64", reason="the flag is one of x86-64")
@pytest.mark.parametrize("header", ["", '#include "net.h"\n'])
def test_a_header_leaves_the_code_behind_it_as_it_is(header, headers):
    path = headers / "own.c"
    path.write_text(f"{header}double own(double a, double b, double c);\n")
    path.write_text(path.read_text() + "double own(double a, double b, double c) { return a * b + c; }\n")
    command = [compiler("clang"), "-std=c99", "-O2", "-mfma", "-S", "own.c", "-o", "-"]
    assembly = subprocess.run(command, cwd=headers, capture_output=True, text=True, check=True).stdout
    assert assembly.count("vfmadd") == 1
