"""Training on rows that are not all in memory: window after window, of which the next is read while one is trained on.

Takes the orders of the rows, and a function that reads ranges of them. Returns losses of whole epochs, as a `Trainer`
does. Never holds more than two windows, and leaves no thread behind once its data are released.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.training.trainer import Rates, Trainer
from rosenblatt.training.windows import Ranges, WindowOrders

__all__ = ["WindowReader", "WindowedTrainer"]

WindowRows = tuple[Mapping[str, Any], Any, Any]
"""Inputs, targets and weights."""


class WindowReader:
    """Reads the rows that are wanted next in a thread of its own.

    Parameters
    ----------
    read : callable
        ``read(ranges, cancelled)`` returns inputs, targets and weights. It may raise anything once ``cancelled()`` is
        true.
    """

    def __init__(self, read: Callable[[Ranges, Callable[[], bool]], WindowRows]) -> None:
        self._read = read
        self._ended = threading.Event()
        self._pool: ThreadPoolExecutor | None = None
        self._ahead: tuple[Ranges, Future[WindowRows]] | None = None

    def begin(self, ranges: Ranges) -> None:
        """Read these rows next, unless they are being read."""
        if self._ahead is not None and self._ahead[0] == ranges:
            return
        if self._pool is None:
            self._ended = threading.Event()
            self._pool = ThreadPoolExecutor(1, "rosenblatt-read-ahead")
        self._ahead = ranges, self._pool.submit(self._read, ranges, self._ended.is_set)

    def is_ready(self, ranges: Ranges, seconds: float | None) -> bool:
        """Wait for these rows, at most so many seconds; whether they, or an error, are there."""
        self.begin(ranges)
        assert self._ahead is not None
        return bool(wait([self._ahead[1]], seconds).done)

    def rows(self, ranges: Ranges) -> WindowRows:
        """These rows; what the reading raised is raised here."""
        self.begin(ranges)
        assert self._ahead is not None
        found = self._ahead[1].result()
        self._ahead = None
        return found

    def end(self) -> None:
        """End the thread, and let go of the rows."""
        self._ended.set()
        pool, self._pool, self._ahead = self._pool, None, None
        if pool is not None:
            pool.shutdown(cancel_futures=True)


class WindowedTrainer(Trainer):
    """A trainer whose rows are read window by window; `position` counts the rows of the whole epoch.

    Attributes
    ----------
    orders : WindowOrders
    """

    orders: WindowOrders
    _reading: WindowReader
    _loaded: Ranges = ()  # the rows that the trainer has

    def set_windows(self, orders: WindowOrders, reading: WindowReader, sample: Mapping[str, Any]) -> None:
        """The rows to train on, in the place of `set_data`; `sample` holds the inputs of some of them."""
        self.orders, self._reading, self._loaded = orders, reading, ()
        self.keep_inputs(sample)

    def epochs(
        self,
        n_epochs: int,
        learning_rate: Rates,
        orders: NDArray[np.int64] | None = None,
        *,
        regularization: Rates = 1.0,
        max_seconds: float = 0.0,
        max_steps: int = 0,
        **of_all_rows: bool,
    ) -> list[float]:
        """Continue the epoch at `position`, to the end of its window at most.

        As `Trainer.epochs` for one epoch, whose orders are those of the windows. A call that ends with a window before
        the last one returns no loss, as a pause does; so does one whose rows are not read within `max_seconds`.
        """
        number, windows = self.orders.windows.at(self.position[0]), self.orders.windows
        self.orders.begin(number)
        if not self._load(number, max_seconds):
            return []
        left = (int(windows.starts[number + 1]) - self.position[0]) // windows.batch_size
        rates, strengths = (of[:left] if isinstance(of, np.ndarray) else of for of in (learning_rate, regularization))
        super().epochs(
            *(1, rates, self.orders.order[None, :]),
            regularization=strengths,
            resume=True,
            max_steps=max_steps,
            max_seconds=max_seconds,
        )
        losses, self.whole_epochs = self.whole_epochs, []
        return losses

    def _load(self, number: int, max_seconds: float) -> bool:
        """Take the rows of a window, and read the next ones ahead; false if they are not there in time."""
        ranges, sample = self.orders.ranges(number), self.inputs
        if ranges != self._loaded:
            if not self._wait(ranges, max_seconds):
                return False
            rows = self._reading.rows(ranges)
            self._sources, self._loaded = [], ()  # those of the window before are let go of first
            self._take(rows, number)
            self._loaded, self.inputs = ranges, sample
        if self.orders.windows.count > 1:
            self._reading.begin(self.orders.ranges_ahead())
        return True

    def _wait(self, ranges: Ranges, max_seconds: float) -> bool:
        """Wait for the rows of a window, at most so long; whether they are there."""
        return self._reading.is_ready(ranges, max_seconds or None)

    def _take(self, rows: WindowRows, number: int) -> None:
        """Train on the rows of a window."""
        self.set_data(*rows)

    def _place_in_order(self) -> tuple[int, float]:
        row, loss_sum = self.position
        return row - int(self.orders.windows.starts[self.orders.number]), loss_sum

    def _count(self, n_steps: int, n_epochs: int) -> None:
        """Note steps of the window that has begun: it is all of an epoch for the native code."""
        super()._count(n_steps, n_epochs)
        starts, number, last = self.orders.windows.starts, self.orders.number, self.orders.windows.count - 1
        start, stop = int(starts[number]), int(starts[number + 1])
        (row, loss_sum), self.whole_epochs = self.position, []
        for loss in self._session.losses:  # of the rows of the window, but the sum is of those before, too
            if number < last and math.isfinite(loss):
                self.position, self.epoch_count = (stop, loss * (stop - start)), self.epoch_count - 1
            else:
                self.whole_epochs = [loss * ((stop - start) / stop)]
            return
        self.position = (start + row, loss_sum)

    def resume_from(self, counts: Mapping[str, int], arrays: Mapping[str, NDArray[Any]]) -> None:
        """As `Trainer.resume_from`; the orders of the rows have been restored, and must be of the same place."""
        row, begun = counts["row"], self.orders.number
        number = self.orders.windows.at(row)
        at_start = row == self.orders.windows.starts[number] and begun == number - 1
        if row and begun != number and not at_start:
            raise ValueError(f"row {row} is in window {number}, but the order of the rows is that of window {begun}")
        super().resume_from(counts, arrays)

    def release_data(self) -> None:
        """Let go of the rows, and end the thread that reads them."""
        self._reading.end()
        self._loaded = ()
        super().release_data()
