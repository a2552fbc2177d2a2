"""``_core.pyi`` tells of the native core what it has: the same names, the same parameters, the same defaults."""

import ast
import re
from pathlib import Path

from rosenblatt import _core

STUB = ast.parse(Path(_core.__file__).with_name("_core.pyi").read_text(encoding="utf-8"))


def of_stub(body, prefix=""):
    """Names, each with its parameters; None for a property."""
    found = {}
    for node in body:
        if isinstance(node, ast.ClassDef):
            found |= {node.name: "class"} | of_stub(node.body, f"{node.name}.")
        elif isinstance(node, ast.FunctionDef):
            is_property = any(ast.unparse(decorator) == "property" for decorator in node.decorator_list)
            found[prefix + node.name] = None if is_property else parameters(f"{node.name}({ast.unparse(node.args)})")
    return found


def of_core(names, prefix=""):
    """The same, from signatures that nanobind writes into docstrings."""
    found = {}
    for name, value in names.items():
        value = getattr(value, "__func__", value)  # of a static method
        if isinstance(value, type):
            found |= {name: "class"} | of_core(vars(value), f"{name}.")
        elif isinstance(value, property):
            found[prefix + name] = None
        elif hasattr(value, "__nb_signature__") and name != "__new__":
            found[prefix + name] = parameters(value.__doc__)
    return found


def parameters(signature):
    """Of ``f(a: int, *, b: x[y, z] = 0) -> c``: a, *, b=; types are left out."""
    inside = re.search(r"\((.*)\)", signature.splitlines()[0].split(" -> ")[0])[1]
    while (simpler := re.sub(r"\[[^][]*\]|\([^()]*\)", "", inside)) != inside:
        inside = simpler
    parts = [part.strip() for part in inside.split(",") if part.strip()]
    return [part.split(":")[0].split("=")[0].strip() + "=" * ("=" in part) for part in parts]


def test_parameters_are_read_from_signatures():
    assert parameters("f(a: int, *, b: x[y=1, (z)] = (0, 0.0)) -> c") == ["a", "*", "b="]


def test_the_stub_is_the_core():
    stub, core = of_stub(STUB.body), of_core(vars(_core))
    assert len(core) > 20
    assert stub == core
