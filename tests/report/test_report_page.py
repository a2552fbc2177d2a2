"""The page on reports says what the code does."""

import ast
import re
from pathlib import Path

import rosenblatt.diagnosis
import rosenblatt.report
from rosenblatt.report import facts
from rosenblatt.report.faces import SUFFIXES

PAGE = (Path(__file__).parents[2] / "docs" / "report.md").read_text(encoding="utf-8")


def codes_in(package):
    """The first argument of each `Check` that is made, and the value of each "code" of a dictionary."""
    for path in Path(package.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Check":
                yield ast.literal_eval(node.args[0])
            if isinstance(node, ast.Dict):
                yield from (
                    value.value
                    for key, value in zip(node.keys, node.values, strict=True)
                    if isinstance(key, ast.Constant) and key.value == "code" and isinstance(value, ast.Constant)
                )


def section(title):
    return re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S).group(1)


def test_the_table_of_checks_has_every_code_and_no_other():
    known = {*codes_in(rosenblatt.diagnosis), *codes_in(rosenblatt.report)}
    listed = re.findall(r"^\| `([\w-]+)` \|", section("Checks"), re.M)
    assert sorted(listed) == sorted(known)
    assert len(known) > 10


def test_every_part_and_ending_is_described():
    described = set(re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (.*?) \|", section("What is in it"), re.M))))
    assert described - {"to_dict"} == {*facts.SECTIONS, "checks", "missing"}
    assert all(f'save("report{suffix}")' in PAGE for suffix in SUFFIXES)
