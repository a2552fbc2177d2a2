"""Counter-based random numbers: Philox4x32-10.

Goes in: a key, and where each number stands. Comes out: a dropout mask that depends on nothing else, not on the layout
and not on how rows are split into blocks. No state is kept anywhere.

Philox is from Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (2011).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.ir.ops._record import Op, Sample
from rosenblatt.ir.ops._rules import Shape, float_dtype, make_sample, require_rank, show
from rosenblatt.ir.program import M, ProgramError, Type

MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
KEY_STEPS = (0x9E3779B9, 0xBB67AE85)
LOW_WORD = np.uint64(0xFFFFFFFF)
WORD_BITS = np.uint64(32)


def philox(counter: NDArray[np.uint64], key: tuple[int, int]) -> NDArray[np.uint64]:
    """Ten rounds of Philox4x32.

    Parameters
    ----------
    counter : array of shape (..., 4)
        Four 32-bit words each.
    key : tuple of int
        Two 32-bit words.

    Returns
    -------
    array of shape (..., 4)
        Four random 32-bit words each.
    """
    c0, c1, c2, c3 = (counter[..., i].astype(np.uint64) for i in range(4))
    for round_number in range(10):
        k0, k1 = (
            np.uint64((word + round_number * step) & 0xFFFFFFFF) for word, step in zip(key, KEY_STEPS, strict=True)
        )
        p0, p1 = c0 * np.uint64(MULTIPLIERS[0]), c2 * np.uint64(MULTIPLIERS[1])
        c0, c1, c2, c3 = (p1 >> WORD_BITS) ^ c1 ^ k0, p1 & LOW_WORD, (p0 >> WORD_BITS) ^ c3 ^ k1, p0 & LOW_WORD
    return np.stack([c0, c1, c2, c3], axis=-1)


def _uniform(elements: NDArray[np.uint64], seed: tuple[int, int], step: int, stream: int) -> NDArray[Any]:
    """Numbers in [0, 1) with 24 random bits, one for each 64-bit element number."""
    block = elements >> np.uint64(2)
    words = [block & LOW_WORD, block >> WORD_BITS, np.full_like(block, step), np.full_like(block, stream)]
    random = philox(np.stack(words, axis=-1), seed)
    lane = (elements & np.uint64(3)).astype(np.int64)
    chosen = np.take_along_axis(random, lane[..., None], axis=-1)[..., 0]
    return np.asarray((chosen >> np.uint64(8)) * 2.0**-24)


def _mask(key: Any, rate: Any, *, shape: Shape, stream: int) -> Any:
    seed_low, seed_high, step, first_row = (int(word) & 0xFFFFFFFF for word in key)
    first = first_row * math.prod(shape[1:])
    elements = np.arange(math.prod(shape), dtype=np.uint64).reshape(shape) + np.uint64(first)
    u = _uniform(elements, (seed_low, seed_high), step, stream & 0xFFFFFFFF)
    one = np.ones((), rate.dtype)
    return np.where(u < rate, one - one, one / (one - rate)).astype(rate.dtype)


def _infer(key: Type, rate: Type, *, shape: Shape, stream: int) -> Type:
    dtype = float_dtype(rate)
    require_rank("the rate", rate, 0)
    if key != Type("int32", (4,)):
        raise ProgramError(f"the key is {key}; it must be {Type('int32', (4,))}")
    if any(dim < 0 for dim in shape[1:]):
        raise ProgramError(f"the shape is {show(shape)}; only its first dimension may depend on the rows of the batch")
    return Type(dtype, shape)


def _samples(rng: np.random.Generator, dtype: str, n_rows: int) -> Iterator[Sample]:
    shapes: tuple[Shape, ...] = ((), (37,), (M,), (M, 5), (M, 64), (3, 2, 5), (M, 2, 1, 3))
    # The last key starts beyond the first 2**32 elements, in words whose sign bit is set.
    keys = ([1, 2, 3, 0], [-1, 7, 100_000, 13], [123, -456, 2**31 - 1, -3])
    for i, shape in enumerate(shapes):
        for rate in (0.0, 0.3, 0.5):
            key = np.array(keys[i % len(keys)], np.int32)
            arrays = [key, np.array(rate, dtype)]
            label = f"{show(shape)}, key {key.tolist()}, rate {rate}"
            yield make_sample(arrays, [(4,), ()], n_rows, label, shape=shape, stream=i)


RECORDS = (
    Op(
        "dropout_mask",
        2,
        _infer,
        _mask,
        _samples,
        attrs={"shape": "shape", "stream": "int"},
        differentiable=(),
    ),
)
