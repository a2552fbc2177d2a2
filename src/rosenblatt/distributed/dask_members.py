"""The workers of a Dask cluster that may run jobs, while workers leave and join.

Takes a client. Returns the workers that can do the work, with their threads. Never lets a job of ours go to a worker
that cannot, once it is known, and never ends the work because of one while others can do it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from rosenblatt._warnings import warn_user
from rosenblatt.distributed.dask_cluster import check_workers, count_threads, unfit_workers

__all__ = ["Members"]


@dataclass
class Members:
    """The workers of a client's cluster.

    Attributes
    ----------
    refused : dict of str to str
        Why workers that have joined are not used, by address.

    Raises
    ------
    ClusterError
        If there are no workers, or those that are there at the beginning cannot do the work.
    """

    client: Any
    asked: set[str] = field(default_factory=set)
    refused: dict[str, str] = field(default_factory=dict)
    usable: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.asked = check_workers(self.client)

    def threads(self) -> dict[str, int]:
        """The number of threads of each worker that can do the work; those that have joined are asked first."""
        found = count_threads(self.client)
        new = found.keys() - self.asked
        unfit = unfit_workers(self.client, new) if new else {}
        for reason in unfit.values():
            warn_user(f"{reason} It has joined the cluster meanwhile, and gets no work from here.")
        self.refused |= unfit
        self.asked = set(found)  # without those that have left: another may come under the same address
        self.refused = {address: reason for address, reason in self.refused.items() if address in found}
        self.usable = {address: n for address, n in found.items() if address not in self.refused}
        return self.usable

    def allowed(self) -> list[str] | None:
        """The workers that a job must be restricted to, as they were when they were last counted; None for any."""
        return sorted(self.usable) if self.refused else None

    def may_have_refused(self, allowed: Collection[str] | None) -> bool:
        """Whether a job with this restriction may have run on a worker that cannot do the work."""
        return bool(self.refused) and (allowed is None or any(address in self.refused for address in allowed))
