"""Whether a Dask cluster can do our work: a usable client, workers, and equal versions on all of them.

Takes what the user gave as `client`. Returns it, or refuses it in words. Never sends data or work.
"""

from __future__ import annotations

import asyncio
import sys
import warnings
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import Any

from rosenblatt._extras import needed
from rosenblatt._version import __version__

__all__ = [
    "ClusterError",
    "check_client",
    "check_workers",
    "count_threads",
    "import_distributed",
    "is_on_worker",
    "require_open",
    "unfit_workers",
]

WORKERS_SECONDS = 30
"""How long a cluster without workers is waited for."""
ANSWER_SECONDS = 30
"""How long the scheduler, or a worker, may take to answer."""


class ClusterError(RuntimeError):
    """A cluster that cannot do the work, or does not do it any more."""


def import_distributed() -> Any:
    """The package `distributed`; an error says how to install it."""
    with needed("training on a Dask cluster needs", "dask", "distributed", extra="dask"):
        import distributed
    return distributed


def is_on_worker() -> bool:
    """Whether this thread runs a task of a Dask worker, which has its place in the cluster already."""
    if "distributed" not in sys.modules:
        return False
    try:
        import_distributed().get_worker()
    except ValueError:
        return False
    return True


def check_client(client: Any) -> Any:
    """The client, if it is one that can be used here.

    Raises
    ------
    ModuleNotFoundError
        If Dask is not installed.
    TypeError, ValueError
        If it is no client, one for coroutines, or closed.
    """
    distributed = import_distributed()
    if not isinstance(client, distributed.Client):
        kind = type(client).__name__
        advice = f"give distributed.Client({client!r})" if isinstance(client, str) else "give a distributed.Client"
        raise TypeError(f"client is of type {kind}, which is no client of a Dask cluster: {advice}.")
    if client.asynchronous:
        raise ValueError("client is asynchronous, which fit cannot wait for: give distributed.Client(address).")
    if client.status != "running":
        raise ValueError(
            f"client is {client.status}: give one that is connected, as distributed.Client(address) makes."
        )
    return client


def require_open(client: Any) -> None:
    """`ClusterError` if the client was closed while it was used."""
    if client.status in ("closing", "closed"):
        raise ClusterError(
            "the client was closed before the work was done, by this program or because its connection to the "
            "scheduler was lost. Give one that is connected and fit again; with `checkpoint`, what was trained is "
            "continued."
        )


def count_threads(client: Any) -> dict[str, int]:
    """The number of threads of each worker; `ClusterError` if the scheduler does not answer."""
    try:
        found: dict[str, int] = client.sync(client.scheduler.ncores, workers=None, callback_timeout=ANSWER_SECONDS)
    except (OSError, TimeoutError, RuntimeError) as error:
        require_open(client)
        raise ClusterError(
            f"the Dask scheduler does not answer ({type(error).__name__}): is it still running? What was trained on "
            "the workers is lost, unless `checkpoint` names a folder."
        ) from None
    return dict(found)


def check_workers(client: Any) -> set[str]:
    """Wait for a worker, compare what all of them have installed with what is here, and return their addresses.

    Other instruction sets, or another NumPy, are a warning: results can then differ in their last bits.

    Raises
    ------
    ClusterError
        If there is no worker within 30 seconds, or one does not answer within as many, lacks rosenblatt, or has another
        version of it or of Python.
    """
    if not count_threads(client):
        with suppress(TimeoutError):
            client.wait_for_workers(1, timeout=WORKERS_SECONDS)
        if not count_threads(client):
            raise ClusterError(
                f"the cluster has no workers (waited {WORKERS_SECONDS} seconds): start some, for example by "
                f"`dask worker {client.scheduler.address}`."
            )
    addresses = set(count_threads(client))
    for reason in unfit_workers(client, addresses).values():
        raise ClusterError(reason)
    return addresses


def unfit_workers(client: Any, addresses: Collection[str]) -> dict[str, str]:
    """Why workers cannot do the work, by address; those that can are left out, and those that are gone by now.

    What may change the last bits of results is a warning.
    """
    here = describer()()
    reasons: dict[str, str] = {}
    differs: dict[str, list[str]] = {}
    for address, found in answers(client, addresses).items():
        reason = unfitness(address, here, found)
        if reason is not None:
            reasons[address] = reason
            continue
        for name in ("NumPy", "the instruction set"):
            if found[name] != here[name]:
                differs.setdefault(name, []).append(f"{address} has {found[name]}")
    for name, workers in differs.items():
        warnings.warn(
            f"{name} is {here[name]} here, but {', '.join(workers)}: results can differ in their last bits from those "
            "of one machine." + (" Set ROSENBLATT_ISA to the lowest one everywhere." if "set" in name else ""),
            stacklevel=2,
        )
    present = count_threads(client) if reasons else {}
    return {address: reason for address, reason in reasons.items() if address in present}


def answers(client: Any, addresses: Collection[str]) -> dict[str, Any]:
    """What is installed on each of these workers; an exception for one that does not say so in time."""

    async def ask() -> dict[str, Any]:
        describe = describer()
        asked = {
            address: asyncio.ensure_future(client.run(describe, workers=[address], on_error="return"))
            for address in addresses
        }
        if asked:
            await asyncio.wait(asked.values(), timeout=ANSWER_SECONDS)
        for task in asked.values():
            task.cancel()  # those that have ended do not mind
        return {address: answer(task) for address, task in asked.items()}

    found: dict[str, Any] = client.sync(ask, callback_timeout=2 * ANSWER_SECONDS)
    return found


def answer(task: asyncio.Future[dict[str, Any]]) -> Any:
    """What a worker has said, or the exception that says why it has not."""
    if not task.done() or task.cancelled():
        return TimeoutError(f"waited {ANSWER_SECONDS} seconds. Is it stopped, or its machine gone? End or restart it")
    return task.exception() or next(iter(task.result().values()), OSError("it is gone"))


def unfitness(address: str, here: Mapping[str, str], found: Any) -> str | None:
    """Why a worker cannot do the work."""
    if isinstance(found, BaseException):
        return f"worker {address} does not answer: {type(found).__name__}: {found}"
    if found["rosenblatt"] is None:
        return (
            f"worker {address} does not have rosenblatt ({found['error']}): pip install rosenblatt=={__version__} "
            "there, and start the worker again."
        )
    for name in ("rosenblatt", "Python"):
        if found[name] != here[name]:
            return (
                f"worker {address} has {name} {found[name]}, but it is {here[name]} here: both must be the same. "
                + (f"pip install rosenblatt=={here[name]} there." if name == "rosenblatt" else "")
            ).rstrip()
    return None


def describer() -> Callable[[], dict[str, Any]]:
    """A function that says what is installed where it runs.

    It is made here, so that it is sent by value: a worker without rosenblatt can run it, too.
    """

    def describe() -> dict[str, Any]:
        import sys

        found: dict[str, Any] = {"Python": "{}.{}".format(*sys.version_info[:2]), "rosenblatt": None}
        try:
            import numpy

            found["NumPy"] = ".".join(numpy.__version__.split(".")[:2])
            from rosenblatt import _core, _version

            found |= {"rosenblatt": _version.__version__, "the instruction set": _core.isa()}
        except Exception as error:
            found["error"] = f"{type(error).__name__}: {error}"
        return found

    return describe
