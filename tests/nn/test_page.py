"""docs/networks.md names every member of every family, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rosenblatt import nn
from rosenblatt.ir.ops import OPS
from rosenblatt.nn.activations import FUNCTIONS

PAGE = (Path(__file__).parents[2] / "docs" / "networks.md").read_text(encoding="utf-8")
FAMILIES = {
    "Layers": nn.LAYERS,
    "Activations": FUNCTIONS,
    "Initializers": nn.INITIALIZERS,
    "Losses": nn.LOSSES,
    "Optimizers": nn.OPTIMIZERS,
    "Schedules": nn.SCHEDULES,
}


def section(title):
    return re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S).group(1)


@pytest.mark.parametrize("title", FAMILIES)
def test_each_table_names_its_family_in_full(title):
    assert sorted(re.findall(r"^\| `(\w+)` \|", section(title), re.M)) == sorted(FAMILIES[title])


@pytest.mark.parametrize("title", FAMILIES)
def test_instances_take_the_parameters_that_the_page_names(title):
    for name, instance, given in re.findall(r"^\| `(\w+)` \| `(\w+)\((.*?)\)`", section(title), re.M):
        member = FAMILIES[title][name]
        assert getattr(nn, instance) is member
        assert set(filter(None, given.split(", "))) <= set(member.__dataclass_fields__), name


def test_the_table_of_ops_names_all_of_them():
    rows = [line.split("|")[2] for line in section("Ops").splitlines() if line.startswith("| ")][1:]
    assert sorted(re.findall(r"`(\w+)`", " ".join(rows))) == sorted(OPS)
