"""What tests of the command line share: a small table, a model of it, and commands that run in this process."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rosenblatt.cli import main

SMALL = ("--epochs", "2", "--members", "1", "--hidden", "4")


def rents(n: int = 90, seed: int = 0) -> pd.DataFrame:
    """Flats with a rent, which is high or not, and three grades."""
    rng = np.random.default_rng(seed)
    rooms, quarter, area = rng.integers(1, 7, n), rng.choice(["north", "south"], n), rng.normal(80, 20, n).round(2)
    rent = rooms * 200.0 + (quarter == "south") * 150 + rng.normal(0, 40, n)
    grade = np.select([rent < 600, rent < 1000], ["low", "middle"], "top")
    high = np.where(rent > 800, "yes", "no")
    columns = {"rooms": rooms, "quarter": quarter, "area": area, "rent": rent, "high": high, "grade": grade}
    return pd.DataFrame(columns)


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> Any:
    """Run a command in a folder with rents.csv: exit code, standard output and standard error as texts."""
    monkeypatch.chdir(tmp_path)
    rents().to_csv("rents.csv", index=False)

    def run(*arguments: Any, text: bool = True) -> tuple[int, Any, str]:
        monkeypatch.setattr(sys, "argv", ["rosenblatt", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capfdbinary.readouterr()
        return int(end.value.code or 0), out.decode() if text else out, err.decode()

    return run


@pytest.fixture
def found(cli: Any) -> Any:
    """The object that a command writes with ``--json``."""

    def run(*arguments: Any) -> Any:
        code, out, err = cli(*arguments, "--json", "--quiet")
        assert (code, err) == (0, "")
        return json.loads(out)

    return run
