"""The model behind `benchmarks.mpi`, and its small form."""

import importlib.util

import pytest
from benchmarks.mpi import main
from benchmarks.mpi_model import (
    LARGE_BYTES,
    Network,
    StepParts,
    fitted_network,
    least_batch,
    overlap_gain,
    step_seconds,
    sum_seconds,
)

from rosenblatt.distributed.communicator import LARGE

SLOW, FREE = Network("slow", 1e-3, 1e6), Network("free", 0.0, 1e18)
PARTS = StepParts(batch=1000, gradient=8e-3, update=1e-3, overhead=1e-3, n_bytes=1000)


def test_without_a_network_only_the_gradient_is_divided():
    assert step_seconds(PARTS, SLOW, 1) == PARTS.total == pytest.approx(10e-3)
    assert step_seconds(PARTS, FREE, 8) == pytest.approx(3e-3)


def test_sums_have_a_latency_for_each_partner():
    assert LARGE_BYTES == 4 * LARGE
    assert sum_seconds(SLOW, 8, 4) == pytest.approx(3 * (1e-3 + 4e-6))
    assert sum_seconds(SLOW, 4, 10**6) == pytest.approx(2 * (2e-3 + 0.75))


def test_measured_sums_give_their_network():
    sizes = [4, 4096, 10**6, 10**7]
    found = fitted_network("found", sizes, [sum_seconds(SLOW, 2, n) for n in sizes])
    assert (found.latency, found.bandwidth) == (pytest.approx(SLOW.latency), pytest.approx(SLOW.bandwidth))


def test_from_which_batch_on_it_pays():
    assert least_batch(PARTS, 8e-3, FREE, 4) == 1024  # 2 + 2 = 4 ms of 8 ms at 1000 rows
    assert least_batch(PARTS, 8e-3, SLOW, 4) > 1024
    assert least_batch(PARTS, 1e-3, FREE, 8) is None  # where one process is as fast as eight


def test_an_overlap_hides_at_most_the_sum_or_a_shard():
    assert overlap_gain(PARTS, FREE, 8) == pytest.approx(0.0, abs=1e-9)
    assert overlap_gain(PARTS, SLOW, 8) * step_seconds(PARTS, SLOW, 8) == pytest.approx(2 / 3 * 1e-3)


@pytest.mark.long
@pytest.mark.skipif(importlib.util.find_spec("mpi4py") is None, reason="needs the extra mpi")
def test_the_small_form(capfd):
    main(["--quick"])
    out = capfd.readouterr().out
    assert "Sums over 2 ranks" in out
    assert "| 64 | 256 |" in out
    assert "HDR InfiniBand" in out
