"""Gradients of random networks agree with differences of their losses, and with PyTorch."""

from __future__ import annotations

import pytest
from benchmarks.reliability.gradients import check_differences, check_torch


@pytest.mark.parametrize("seed", range(25))
def test_gradients_are_those_of_differences(seed: int) -> None:
    check_differences(seed)


@pytest.mark.parametrize("seed", range(25))
def test_gradients_are_those_of_pytorch(seed: int) -> None:
    pytest.importorskip("torch")
    check_torch(seed)
