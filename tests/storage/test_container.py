"""The container: what comes back is what was put in, and no file asks for more memory than its bytes allow."""

from __future__ import annotations

import json
import struct
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save as to_bytes

from rosenblatt.storage.container import FORMAT_VERSION, ModelFileError, digest, pack, unpack
from rosenblatt.storage.values import decode_value, encode_value

TEXTS = [f"level {i}" for i in range(50)] + ["", "Łódź", "\ud800", "😀", "a\nb"]


@pytest.mark.parametrize(
    "state",
    [
        TEXTS,
        {"a": [TEXTS, {"b": TEXTS}]},
        [{"name": f"x{i}", "levels": TEXTS[:i], "scale": None if i % 2 else [i, 0.5]} for i in range(40)],
        [{}] * 40,
        [{"a": 1}, {"b": 2}] * 20,
        [2**53 + 1, 2**64 + 1, -(10**40), 10**4000],
        [str(2**70)] * 40,
    ],
    ids=lambda state: str(state)[:20],
)
def test_a_state_comes_back_equal(state: Any) -> None:
    assert unpack(pack("k", {"state": state}, {}))[1] == {"state": state}


def test_a_number_that_json_cannot_hold_is_refused_when_it_is_saved() -> None:
    with pytest.raises(ModelFileError, match="holds a value that a file cannot: Exceeds the limit"):
        pack("k", [10**5000], {})


@pytest.mark.parametrize(
    "array",
    [
        np.array([2**63 - 1, -(2**63)]),
        np.array([2**64 - 1], np.uint64),
        np.array([2**70, -(2**70), 3], object),
        np.array(["01", "1", "001", 12, 2**90], object),
        np.array(["a", "b" * 30, ""]),
        np.array([f"{i}" for i in range(100)]),
        np.array([True, False]),
    ],
)
def test_arrays_come_back_exactly(array: Any) -> None:
    state = unpack(pack("k", encode_value(array, "x"), {}))[1]
    again = decode_value(state)
    assert again.dtype == array.dtype
    assert again.tolist() == array.tolist()
    assert [*map(type, again.tolist())] == [*map(type, array.tolist())]


@pytest.mark.parametrize("array", [np.array([1.0, np.nan]), np.array([None], object), np.array([(1, 2)], "i4,i4")])
def test_an_array_that_could_not_be_read_back_is_not_saved(array: Any) -> None:
    with pytest.raises(ModelFileError, match=r"x is an array of .*, with cells that a model file cannot hold"):
        encode_value(array, "x")


def test_texts_do_not_take_the_space_of_the_longest() -> None:
    items = ["z" * 40_000, *[""] * 40_000]
    state = unpack(pack("k", {"array": items, "dtype": "str"}, {}))[1]
    tracemalloc.start()
    array = decode_value(state)
    assert tracemalloc.get_traced_memory()[1] < 10_000_000  # as fixed-width text, 6.4 GB
    tracemalloc.stop()
    assert array.tolist() == items


def test_arrays_are_views_and_of_any_shape() -> None:
    arrays = {"a": np.arange(6.0).reshape(2, 3), "b": np.zeros((0, 3), "f4"), "d": np.ones(3, "u1")}
    data = pack("k", {}, arrays, finite=False)
    found = unpack(data, finite=False)[2]
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert np.array_equal(found[name], array)
        assert found[name].dtype == array.dtype
        assert not found[name].flags.owndata


def raw(state: Any, arrays: Any = None) -> bytes:
    """What `pack` writes for a state in its compact form, without its checks."""
    arrays = arrays or {}
    config = json.dumps({"format": "rosenblatt model", "version": FORMAT_VERSION, "kind": "k", "state": state})
    return bytes(to_bytes(arrays, metadata={"rosenblatt": f"{digest(config, arrays)} {config}"}))


def texts(n_bytes: int, ends: Any, dtype: Any = np.int64) -> bytes:
    """Texts with these ends, which are as many as the offsets say."""
    arrays = {"texts/0/bytes": np.full(n_bytes, 97, np.uint8), "texts/0/ends": np.array(ends, dtype)}
    return raw({"texts": 0}, arrays)


def header_of(config: str) -> bytes:
    """A file whose JSON text is written in the header as given."""
    text = b'{"__metadata__": {"rosenblatt": "' + digest(json.loads(f'"{config}"'), {}).encode()
    text += b" " + config.encode() + b'"}}'
    return len(text).to_bytes(8, "little") + text


PAD = {"pad": np.zeros(1_000_000, np.float32)}
SLOW = ("the same texts often", "entries of one column")
AMPLIFYING = {
    "lists in a short file": lambda: raw([[]] * 900_000),
    "lists beside a tensor": lambda: raw([[]] * 550_000, PAD),
    "dictionaries": lambda: raw([{"a": 0}] * 180_000),
    "numbers": lambda: raw([0] * 1_700_000),
    "signs in a text": lambda: raw("," * 1_100_000),
    "escaped signs": lambda: header_of(('[' + '0,' * 900_000 + '0]').replace(",", "\\u002c")),
    "empty texts": lambda: texts(0, [0] * 900_000),
    "short texts": lambda: texts(1_800_000, np.arange(2, 1_800_002, 2)),
    "the same texts often": lambda: raw([{"texts": 0}] * 180, {
        "texts/0/bytes": np.full(40_000, 97, np.uint8), "texts/0/ends": np.arange(2, 40_002, 2, dtype=np.int64),
    }),
    "entries of one column": lambda: raw({"records": {"a": [0] * 360_000}}),
    "entries in entries": lambda: raw([{"records": {f"k{j}": [0] * 1000 for j in range(40)}}] * 36),
    "tensors": lambda: raw({}, {f"a{i}": np.zeros(1, np.float32) for i in range(60_000)}),
}  # fmt: skip


@pytest.mark.parametrize(
    "make", [pytest.param(AMPLIFYING[name], id=name, marks=[pytest.mark.long] * (name in SLOW)) for name in AMPLIFYING]
)
def test_a_file_never_takes_more_memory_than_its_size_allows(make: Callable[[], bytes]) -> None:
    data = make()
    tracemalloc.start()
    with pytest.raises(ModelFileError, match="too many values for the size of the file"):
        unpack(data)
    assert tracemalloc.get_traced_memory()[1] < 2 * len(data) + (64 << 20)
    tracemalloc.stop()


@pytest.mark.long
def test_what_is_just_allowed_takes_no_more_either() -> None:
    for data in (raw([[]] * 210_000), raw([{"a": 0}] * 80_000), texts(480_000, np.arange(2, 480_002, 2))):
        tracemalloc.start()
        unpack(data)
        assert tracemalloc.get_traced_memory()[1] < 2 * len(data) + (64 << 20)
        tracemalloc.stop()


FORGED = {
    "no such texts": (lambda: raw({"texts": 3}), "no list of texts with the number '3'"),
    "texts without a number": (lambda: raw({"texts": {}}), "no list of texts with the number"),
    "offsets that fall": (lambda: texts(4, [3, 2, 4]), "offsets of a list of texts"),
    "offsets before the start": (lambda: texts(4, [-1, 4]), "offsets of a list of texts"),
    "offsets that wrap around": (lambda: texts(4, [2**63 - 1, -2, 4]), "offsets of a list of texts"),
    "offsets beyond the end": (lambda: texts(4, [2, 5]), "offsets of a list of texts"),
    "offsets short of the end": (lambda: texts(4, [2, 3]), "offsets of a list of texts"),
    "offsets of another type": (lambda: texts(4, [2, 4], np.float64), "no list of texts with the number"),
    "columns of two lengths": (lambda: raw({"records": {"a": [1], "b": []}}), "differ in length"),
    "a column that is no list": (lambda: raw({"records": {"a": 5}}), "differ in length"),
    "a tensor of many axes": (lambda: raw({}, {"a": np.zeros((1,) * 9)}), "no shape of up to 8 axes"),
}  # fmt: skip


@pytest.mark.parametrize(("make", "message"), FORGED.values(), ids=FORGED)
def test_a_forged_form_is_refused(make: Any, message: str) -> None:
    with pytest.raises(ModelFileError, match=message):
        unpack(make())


def header(**entries: Any) -> bytes:
    """A file with these tensors in its header and 8 bytes of data."""
    text = json.dumps({"__metadata__": {"rosenblatt": "x {}"}, **entries}).encode()
    return len(text).to_bytes(8, "little") + text + bytes(8)


def entry(shape: Any, begin: Any, end: Any, dtype: Any = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


@pytest.mark.parametrize(
    "entries",
    [
        {"a": entry([1], 0, 4)},  # something follows
        {"a": entry([1], 0, 4), "b": entry([1], 0, 4)},  # overlap
        {"a": entry([1], 4, 8)},  # gap
        {"a": entry([3], 0, 12)},  # beyond the end
        {"a": entry([2**62, 2**62], 0, 8)},
        {"a": entry([-1, -2], 0, 8)},
        {"a": entry([2.0], 0, 8)},
        {"a": entry([True, 2], 0, 8)},
        {"a": entry([2], 8, 0)},
        {"a": entry([2], 0, 8, "I99")},
        {"a": entry([2], 0, 8, ["F32"])},
        {"a": [2]},
        {"a": {"dtype": "F32"}},
    ],
)
def test_a_forged_header_is_refused(entries: Any) -> None:
    with pytest.raises(ModelFileError, match=r"tensor|damaged"):
        unpack(header(**entries))


@pytest.mark.parametrize(("dtype", "form"), [("f4", "f"), ("f8", "d"), ("u4", "I"), ("i8", "q")])
def test_numbers_are_little_endian_in_a_file_and_native_once_they_are_read(dtype: str, form: str) -> None:
    big, little = (np.array([0, 1, 258], f"{order}{dtype}") for order in "><")
    data = pack("k", {}, {"x": big}, finite=False)
    assert data == pack("k", {}, {"x": little}, finite=False)
    assert data.endswith(struct.pack(f"<3{form}", 0, 1, 258))
    found = unpack(data, finite=False)[2]["x"]
    assert found.dtype.isnative
    assert found.tolist() == [0, 1, 258]


def test_the_places_of_texts_are_little_endian_too() -> None:
    data = pack("k", {"levels": TEXTS[:-4]}, {})
    ends = np.cumsum([len(text) for text in TEXTS[:-4]])
    assert struct.pack(f"<{len(ends)}q", *ends.tolist()) in data
