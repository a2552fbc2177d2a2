"""How long a step on several ranks takes: a model of three numbers, and what follows from it.

Takes the parts of a step on one rank, and the latency and bandwidth of a network. Returns predicted seconds. Never
measures.

    step(R) = gradient / R + update + overhead + log2(R) * latency + 2 * (R - 1) / R * bytes / bandwidth

The gradient's work is divided; the update, and what Python does for a step, are done on every rank. Sums by recursive
halving and doubling send 2 (R - 1) / R of the bytes (Thakur, Rabenseifner and Gropp 2005); small ones are sent whole,
log2(R) times. What a network takes is called latency once for each of the log2(R) partners and directions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

__all__ = ["NETWORKS", "Network", "StepParts", "fitted_network", "least_batch", "step_seconds", "sum_seconds"]

LARGE_BYTES = 4 << 13
"""From here on, sums are made in halves; see `rosenblatt.distributed.communicator.LARGE`."""


@dataclass(frozen=True)
class Network:
    """What joins the ranks: seconds until a message arrives, and bytes a second."""

    name: str
    latency: float
    bandwidth: float


NETWORKS = (
    Network("1 Gbit Ethernet", 50e-6, 0.117e9),
    Network("10 Gbit Ethernet", 20e-6, 1.1e9),
    Network("25 Gbit Ethernet", 10e-6, 2.8e9),
    Network("100 Gbit RoCE", 3e-6, 11e9),
    Network("HDR InfiniBand", 1.5e-6, 23e9),
)
"""Typical values as a program sees them, not those of a data sheet."""


@dataclass(frozen=True)
class StepParts:
    """Seconds of a step of `batch` rows on one rank, and the bytes that it would send to others."""

    batch: int
    gradient: float
    update: float
    overhead: float
    n_bytes: int

    @property
    def total(self) -> float:
        """The whole step on one rank."""
        return self.gradient + self.update + self.overhead

    def with_batch(self, batch: int) -> StepParts:
        """The step of another batch, whose gradient takes time in proportion to its rows."""
        return replace(self, batch=batch, gradient=self.gradient * batch / self.batch)


def sum_seconds(network: Network, ranks: int, n_bytes: float) -> float:
    """A sum over all ranks."""
    if ranks == 1:
        return 0.0
    partners = math.log2(ranks)
    if n_bytes < LARGE_BYTES:
        return partners * (network.latency + n_bytes / network.bandwidth)
    return 2 * (partners * network.latency + (ranks - 1) / ranks * n_bytes / network.bandwidth)


def step_seconds(parts: StepParts, network: Network, ranks: int) -> float:
    """A step of the same batch on so many ranks."""
    return parts.gradient / ranks + parts.update + parts.overhead + sum_seconds(network, ranks, parts.n_bytes)


def overlap_gain(parts: StepParts, network: Network, ranks: int) -> float:
    """The most that sums sent during the backward pass could save, as a share of the step.

    A rank can send a layer's gradient only when its last shard has reached that layer. So at most the sum, and at most
    the backward pass of one shard, which is two thirds of the time of an eighth of the batch, can be hidden.
    """
    hidden = min(sum_seconds(network, ranks, parts.n_bytes), 2 / 3 * parts.gradient / max(8, ranks))
    return hidden / step_seconds(parts, network, ranks)


def least_batch(parts: StepParts, alone: float, network: Network, ranks: int) -> int | None:
    """The smallest batch, a power of two, whose step takes at most 2 / R of `alone`; None above 2**20.

    `alone` is the time of a step of ``parts.batch`` rows in an ordinary process, in proportion to its rows.
    """
    for batch in (2**i for i in range(5, 21)):
        if step_seconds(parts.with_batch(batch), network, ranks) <= 2 / ranks * alone * batch / parts.batch:
            return batch
    return None


def fitted_network(name: str, n_bytes: list[int], seconds: list[float]) -> Network:
    """The latency and bandwidth with the least relative errors for measured sums over two ranks."""
    rows = [(1.0, b) if b < LARGE_BYTES else (2.0, b) for b in n_bytes]  # as `sum_seconds` has them
    scaled = np.array(rows, float) / np.array(seconds)[:, None]
    latency, per_byte = np.linalg.lstsq(scaled, np.ones(len(rows)), rcond=None)[0]
    return Network(name, max(float(latency), 1e-9), 1 / max(float(per_byte), 1e-15))
