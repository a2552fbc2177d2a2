"""Counter-based random numbers: Philox4x32-10.

Takes a key and the position of each number. Returns a dropout mask or normal noise that depends on nothing else:
neither on the layout nor on the division of rows into blocks. Never keeps state. Ops that must draw independently need
different streams.

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
from rosenblatt.ir.types import M, ProgramError, Type

MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
KEY_STEPS = (0x9E3779B9, 0xBB67AE85)
LOW_WORD = np.uint64(0xFFFFFFFF)
WORD_BITS = np.uint64(32)


def philox(counter: NDArray[np.uint64], key: tuple[int, int]) -> NDArray[np.uint64]:
    """Ten rounds of Philox4x32: four random 32-bit words for each counter (..., 4) of four, with a key of two."""
    c0, c1, c2, c3 = (counter[..., i].astype(np.uint64) for i in range(4))
    for round_number in range(10):
        k0, k1 = (
            np.uint64((word + round_number * step) & 0xFFFFFFFF) for word, step in zip(key, KEY_STEPS, strict=True)
        )
        p0, p1 = c0 * np.uint64(MULTIPLIERS[0]), c2 * np.uint64(MULTIPLIERS[1])
        c0, c1, c2, c3 = (p1 >> WORD_BITS) ^ c1 ^ k0, p1 & LOW_WORD, (p0 >> WORD_BITS) ^ c3 ^ k1, p0 & LOW_WORD
    return np.stack([c0, c1, c2, c3], axis=-1)


def _elements(key: Any, shape: Shape) -> NDArray[np.uint64]:
    """The number of each element of a value of `shape` whose first logical row is in the key."""
    first = (int(key[3]) & 0xFFFFFFFF) * math.prod(shape[1:])
    return np.arange(math.prod(shape), dtype=np.uint64).reshape(shape) + np.uint64(first)


def _uniform(key: Any, stream: int, elements: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Numbers in [0, 1) with 24 random bits, one per 64-bit element number."""
    seed_low, seed_high, step, _ = (int(word) & 0xFFFFFFFF for word in key)
    block = elements >> np.uint64(2)
    stream_word = np.full_like(block, stream & 0xFFFFFFFF)
    words = [block & LOW_WORD, block >> WORD_BITS, np.full_like(block, step), stream_word]
    random = philox(np.stack(words, axis=-1), (seed_low, seed_high))
    lane = (elements & np.uint64(3)).astype(np.int64)
    chosen = np.take_along_axis(random, lane[..., None], axis=-1)[..., 0]
    return np.asarray((chosen >> np.uint64(8)) * 2.0**-24)


def _mask(key: Any, rate: Any, *, shape: Shape, stream: int) -> Any:
    u = _uniform(key, stream, _elements(key, shape))
    one = np.ones((), rate.dtype)
    return np.where(u < rate, one - one, one / (one - rate)).astype(rate.dtype)


def _noise(key: Any, *, shape: Shape, stream: int, dtype: str) -> Any:
    # Box and Muller (1958): elements 2i and 2i + 1 are the coordinates of one point. With 24 bits for its distance the
    # largest is 5.77; a normal number is larger once in 10**8 times.
    elements, odd = _elements(key, shape), np.uint64(1)
    radius = np.sqrt(-2 * np.log(_uniform(key, stream, elements & ~odd) + 2.0**-24))
    angle = 2 * np.pi * _uniform(key, stream, elements | odd)
    return (radius * np.where(elements & odd, np.sin(angle), np.cos(angle))).astype(dtype)


def _require_place(key: Type, shape: Shape) -> None:
    """Raise if `key` is not a key, or if the elements of the shape cannot be numbered by rows."""
    if key != Type("int32", (4,)):
        raise ProgramError(f"the key is {key}; it must be {Type('int32', (4,))}")
    if any(dim < 0 for dim in shape[1:]):
        raise ProgramError(f"the shape is {show(shape)}; only its first dimension may depend on the rows of the batch")


def _mask_infer(key: Type, rate: Type, *, shape: Shape, stream: int) -> Type:
    dtype = float_dtype(rate)
    require_rank("the rate", rate, 0)
    _require_place(key, shape)
    return Type(dtype, shape)


def _noise_infer(key: Type, *, shape: Shape, stream: int, dtype: str) -> Type:
    _require_place(key, shape)
    return Type(dtype, shape)


SHAPES: tuple[Shape, ...] = ((), (37,), (M,), (M, 5), (M, 64), (3, 2, 5), (M, 2, 1, 3))
# The last key starts beyond the first 2**32 elements, in words whose sign bit is set.
KEYS = ([1, 2, 3, 0], [-1, 7, 100_000, 13], [123, -456, 2**31 - 1, -3])


def _mask_samples(rng: np.random.Generator, dtype: str, n_rows: int) -> Iterator[Sample]:
    for i, shape in enumerate(SHAPES):
        for rate in (0.0, 0.3, 0.5):
            key = np.array(KEYS[i % len(KEYS)], np.int32)
            arrays = [key, np.array(rate, dtype)]
            label = f"{show(shape)}, key {key.tolist()}, rate {rate}"
            yield make_sample(arrays, [(4,), ()], n_rows, label, shape=shape, stream=i)


def _noise_samples(rng: np.random.Generator, dtype: str, n_rows: int) -> Iterator[Sample]:
    for i, shape in enumerate(SHAPES):
        for words in KEYS:
            key = np.array(words, np.int32)
            yield make_sample([key], [(4,)], n_rows, f"{show(shape)}, key {words}", shape=shape, stream=i)


RECORDS = (
    Op(
        "dropout_mask",
        2,
        _mask_infer,
        _mask,
        _mask_samples,
        attrs={"shape": "shape", "stream": "int"},
        differentiable=(),
        is_random=True,
    ),
    Op(
        "normal_noise",
        1,
        _noise_infer,
        _noise,
        _noise_samples,
        attrs={"shape": "shape", "stream": "int"},
        differentiable=(),
        is_random=True,
        typed_by_program=True,
    ),
)
