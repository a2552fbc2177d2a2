"""Training rows that other processes prepare themselves, from files which they see as this one does.

Takes the second pass over a table that is larger than memory. Returns, in each of these processes, the same rows in a
temporary file of its own, which its jobs share. Never sends rows, and never lets a process train on other bits.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.distributed.jobs import Link
from rosenblatt.distributed.kept import kept
from rosenblatt.estimators.tabular.second_pass import SecondPass, Space
from rosenblatt.estimators.tabular.stored_rows import StoredRows
from rosenblatt.tables.first_pass import Heard
from rosenblatt.tables.prepared_file import PreparedFileError
from rosenblatt.tables.table import TableError

__all__ = ["SharedRows"]

Array = NDArray[Any]
WAIT_SECONDS = 0.1
"""Time between two looks at whether a job that waits for memory has to end."""


@dataclass(frozen=True)
class RowsOfProcess:
    """The file of this process, and places for the jobs that may train on it at once."""

    stored: StoredRows
    places: threading.Semaphore
    resources: ExitStack

    def close(self) -> None:
        """The file is gone."""
        self.resources.close()


@dataclass(frozen=True, eq=False)
class SharedRows:
    """What another process needs to prepare the rows of a file; pickle carries it.

    Attributes
    ----------
    second : SecondPass
    digest : str
        That of the file of this process, which the others must have, too.
    window : int
    memory_limit : int or str, optional
        Bytes for windows in each process; None: half of what it may take.
    changes : tuple of callable
        As those of `StoredRows`.
    """

    second: SecondPass
    digest: str
    window: int
    memory_limit: int | str | None = None
    changes: tuple[Callable[[Array], Array], ...] = ()

    @classmethod
    def of(cls, second: SecondPass, stored: StoredRows, memory_limit: int | str | None) -> SharedRows:
        """How other processes get rows that this one has stored; `TableError` if they cannot read the table."""
        return cls(replace(second, rows=second.rows.elsewhere()), stored.file.digest, stored.window, memory_limit)

    def with_targets(self, change: Callable[[Array], Array]) -> SharedRows:
        """As that of `StoredRows`."""
        return replace(self, changes=(*self.changes, change))

    @contextmanager
    def opened(self, link: Link, heard: Heard) -> Iterator[StoredRows]:
        """The rows in a file of this process, which the first of its jobs writes; waits until memory allows one more.

        Parameters
        ----------
        link : Link
            That of the job.
        heard : callable
            ``heard(what, done, all)`` is called after each block that is prepared, and often while another job prepares
            them or holds the memory; it may raise.

        Raises
        ------
        TableError
            If this process sees other files, or none, or prepares other bits. As the other errors, it names the
            process.
        PreparedFileError
            If there is no space for the file.
        ValueError
            If a window does not fit into the memory limit.
        """
        n_rows = self.second.rows.n_rows

        def waiting() -> None:
            heard("waiting", 0, n_rows)

        name = f"{self.digest} {self.window} {self.memory_limit}"
        with kept(link.owner, name, lambda: self._prepared(link, heard), waiting) as found:
            while not found.places.acquire(timeout=WAIT_SECONDS):
                waiting()
            try:
                yield replace(found.stored, changes=self.changes)
            finally:
                found.places.release()

    def _prepared(self, link: Link, heard: Heard) -> RowsOfProcess:
        """The rows, in the temporary folder of this process."""
        second = replace(self.second, rows=self.second.rows.heard_by(heard))
        space = Space(None, self.window, self.memory_limit, link.memory_limit())
        with ExitStack() as resources, named(link.place, second.rows.reading.stream.name):
            stored = second.write(space, resources)
            if stored.file.digest != self.digest:
                raise OtherBitsError
            places = threading.Semaphore(stored.members_at_once(np.iinfo(np.int32).max))
            return RowsOfProcess(stored, places, resources.pop_all())
        raise AssertionError  # `named` hides no error


class OtherBitsError(Exception):
    """The rows are not those of the process that sent the job."""


@contextmanager
def named(place: str, table: str) -> Iterator[None]:
    """Errors with the name of the process where they happen, and with what to do about them."""
    try:
        yield
    except PreparedFileError as error:
        raise PreparedFileError(
            f"{place}: {error} (TMPDIR is that of the worker, which has a file of its own.)"
        ) from None
    except (TableError, OSError) as error:
        raise TableError(
            f"{place} cannot read the table as this process does: {error} Each worker reads it: keep the files in a "
            "folder that all of them share and see under the same path."
        ) from None
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(f"{place}: {error}", name=error.name) from None
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from None
    except OtherBitsError:
        raise TableError(
            f"{place} prepares {table} to other bits than this process. Are its files the same there, and are NumPy, "
            "SciPy, PyArrow and the processor's instruction set? Make them equal, or leave the client out."
        ) from None
