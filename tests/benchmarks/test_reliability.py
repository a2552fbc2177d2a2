"""The small form of `benchmarks.reliability`: nothing that is damaged or forged ends in another error."""

from __future__ import annotations

import pytest
from benchmarks.reliability import PARTS, run


@pytest.mark.parametrize("name", PARTS)
@pytest.mark.parametrize("n", [100, pytest.param(3000, marks=pytest.mark.long)])
def test_only_documented_errors_come_out(name: str, n: int) -> None:
    tally = run(name, n, seed=n)
    assert tally.failures == []
    assert tally.refused > n / 2
    assert tally.accepted > 0
