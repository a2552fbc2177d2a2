"""The parameter `client` of estimators: a cluster of Dask that `fit` may use.

Takes an estimator that has it. Returns clones that use the same client, and pickles that have none. Never connects to
anything.
"""

from __future__ import annotations

from copy import copy
from typing import Any

__all__ = ["HoldsClient"]


class HoldsClient:
    """An estimator with the parameter `client`, a `distributed.Client` or None, which belongs to this process only."""

    client: Any

    def __sklearn_clone__(self) -> Any:
        """An unfitted estimator with the same parameters, whose client is this one: a connection has no copies."""
        alone = copy(self)  # without the client, see below
        twin: Any = super(HoldsClient, alone).__sklearn_clone__()  # type: ignore[misc]
        twin.client = self.client
        return twin

    def __getstate__(self) -> Any:
        state: Any = super().__getstate__()
        return {**state, "client": None} if "client" in state else state
