"""The native core: validated programs and the sessions that run them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

def isa() -> str: ...
def isa_levels() -> list[str]: ...
def kernels() -> list[tuple[str, int, int, int]]: ...
def shuffle_as_numpy(order: NDArray[np.int64], bit_generator: Any) -> None: ...
def set_num_threads(n: int) -> None: ...
def get_num_threads() -> int: ...
def set_main_thread(identity: int) -> None: ...
def share_always(always: bool) -> None: ...

class Program:
    def __init__(
        self,
        *,
        dtype: int,
        values: NDArray[np.int64],
        code: NDArray[np.int64],
        inputs: list[int],
        slots: list[int],
        outputs: list[int],
        key: int,
        inverse_weight: int,
        weights: int,
        loss: int,
        capacity: int,
        persistent_bytes: int,
        workspace_bytes: int,
    ) -> None: ...
    @property
    def workspace_bytes(self) -> int: ...
    @property
    def persistent_bytes(self) -> int: ...
    @property
    def capacity(self) -> int: ...

class Source:
    @staticmethod
    def dense(array: NDArray[Any]) -> Source: ...
    @staticmethod
    def codes(array: NDArray[np.int32], limit: int) -> Source: ...
    @staticmethod
    def csr(values: NDArray[Any], columns: NDArray[np.int32], offsets: NDArray[np.int64], width: int) -> Source: ...
    @property
    def n_rows(self) -> int: ...

class Session:
    def __init__(
        self, block: Program, update: Program | None = None, zero_offset: int = 0, zero_bytes: int = 0
    ) -> None: ...
    def train(
        self,
        persistent: NDArray[np.uint8],
        sources: list[Source],
        batch_size: int,
        order: NDArray[np.int64] | None,
        n_rows: int,
        slots: NDArray[np.float64],
        seed: int = 0,
        first_step: int = 0,
        n_epochs: int = 1,
        shuffle: bool = False,
        first_epoch: int = 0,
        position: tuple[int, float] = (0, 0.0),
        max_steps: int = 0,
        max_seconds: float = 0.0,
        min_rows: int = 1,
    ) -> tuple[list[float], int, bool]: ...
    def gradient(
        self,
        persistent: NDArray[np.uint8],
        sources: list[Source],
        rows: NDArray[np.int64],
        first_row: int,
        inverse_weight: float,
        slots: NDArray[np.float64],
        seed: int = 0,
        step: int = 0,
    ) -> None: ...
    def update(
        self,
        persistent: NDArray[np.uint8],
        inverse_weight: float,
        slots: NDArray[np.float64],
        seed: int = 0,
        step: int = 0,
    ) -> float: ...
    def forward(
        self,
        persistent: NDArray[np.uint8],
        sources: list[Source],
        n_rows: int,
        slots: NDArray[np.float64],
        outputs: list[NDArray[Any]],
    ) -> None: ...
    def evaluate(
        self,
        persistent: NDArray[np.uint8],
        sources: list[Source],
        n_rows: int,
        slots: NDArray[np.float64],
        values: list[int],
        seed: int = 0,
        step: int = 0,
    ) -> list[NDArray[Any]]: ...
    @property
    def n_steps(self) -> int: ...
    @property
    def losses(self) -> list[float]: ...
    @property
    def position(self) -> tuple[int, float]: ...
