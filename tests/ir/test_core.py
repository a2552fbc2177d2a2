"""The native core by itself: what it refuses, so that no program, source or array can make it touch foreign memory."""

import numpy as np
import pytest
import scipy.sparse

from rosenblatt import _core
from rosenblatt.ir.compile import aligned_bytes, compile_program, evaluate, source
from rosenblatt.ir.ops import OPS
from rosenblatt.ir.program import Builder
from rosenblatt.ir.types import M, ProgramError

OPCODES = {name: code for code, (name, *_) in enumerate(_core.kernels())}
NO_SLOTS = np.zeros(0)
GOOD = {
    "dtype": 0, "values": np.array([0, 1, 0, 0, 2, -1, 3, 0, 0]), "code": np.zeros(0, np.int64),
    "inputs": [0], "slots": [], "outputs": [0], "key": -1, "inverse_weight": -1, "weights": -1, "loss": -1,
    "capacity": 4, "persistent_bytes": 0, "workspace_bytes": 48,
}  # fmt: skip
"""An input [m, 3] of at most 4 rows, which is also the output."""


def row(*dims, dtype=0, workspace=1, offset=0, sparse=0):
    """A value as the core reads it."""
    return [dtype, workspace, offset, sparse, len(dims), *dims, *[0] * (4 - len(dims))]


def values(*rows):
    return np.array(rows).reshape(-1)


def call(op, output, *inputs, attrs=()):
    return np.array([OPCODES[op], len(inputs), len(attrs), output, *inputs, *attrs])


ROOM = {"workspace_bytes": 10_000, "persistent_bytes": 1_000, "outputs": []}
X, LABELS, LOSS = row(-1, 3), row(-1, dtype=2, offset=64), row(-1, offset=128)
CROSS_ENTROPY = call("softmax_cross_entropy", 2, 0, 1, attrs=(0,))
SCALAR, PERSISTENT_SCALAR = row(offset=64), row(offset=64, workspace=0)
CSR = [X, row(-1, 3, offset=64, sparse=1), row(3, 2, offset=128), row(-1, 2, offset=256)]
PRODUCT = call("csr_matmul", 3, 1, 2)
BROKEN = [
    ({"workspace_bytes": 47}, "lies outside the arena"),
    ({"capacity": 5}, "lies outside the arena"),
    ({"capacity": 0}, "capacity"),
    ({"workspace_bytes": -1}, "arena size"),
    ({"dtype": 2}, "float32 or float64"),
    ({"inputs": [1]}, "input"),
    ({"outputs": [-1]}, "output"),
    ({"loss": 0}, "loss must be a scalar"),
    ({"key": 0}, "key"),
    ({"weights": 1}, "weights must be one of the inputs"),
    ({"weights": 0}, r"weights of the rows must be a dense float input of shape \[m\]"),
    ({"values": values(row(-1, 3, offset=2))}, "misplaced"),
    ({"values": np.array([0, 1, 0, 0, 5, -1, 3, 0, 0])}, "rank"),
    ({"values": np.array([0, 1, 0, 0, 2, -1])}, "broken row"),
    ({"values": values(row(-1, 3, 2**62))}, "absurd"),
    ({"values": values(row(2**30, 2**30))}, "too large"),
    ({"values": values(row(-1, 3), row(-1, workspace=0)), **ROOM}, "persists but depends on the batch's rows"),
    ({"values": values(row(-1, -3)), **ROOM}, "fixed width"),
    ({"values": values(row(-2, 3)), **ROOM}, r"shape \[m\] or \[m, n\]"),
    ({"values": values(row(-1, 3), PERSISTENT_SCALAR), "slots": [1], **ROOM}, "slot must be in the workspace"),
    ({"values": values(row(-1, 3), PERSISTENT_SCALAR), "inverse_weight": 1, **ROOM}, "must be in the workspace"),
    ({"code": np.array([OPCODES["tanh"], 1, 0])}, "cut off"),
    ({"code": np.array([OPCODES["tanh"], 1, 0, 0])}, "cut off"),
    ({"code": np.array([10**6, 1, 0, 0, 0])}, "unknown opcode"),
    ({"code": call("tanh", 1, 0)}, "unknown output"),
    ({"code": call("tanh", 0, 7)}, "unknown value"),
    ({"code": call("tanh", 0, 0, 0)}, "wrong number of inputs"),
    ({"code": call("fill", -1, attrs=(0,))}, "fill.*must be dense"),
    ({"code": call("tanh", -1, 0)}, "tanh"),
    # One row would do, and four, but not two.
    ({"values": values(X, row(1, 3)), "code": call("tanh", 1, 0), **ROOM}, "shapes of the operands"),
    ({"values": values(X, row(4, 3)), "code": call("tanh", 1, 0), **ROOM}, "shapes of the operands"),
    (
        {"values": values(row(-1, 3), row(4), row(4, offset=16)), "code": call("tanh", 2, 1), "dtype": 1, **ROOM},
        "mixes",
    ),
    ({"values": values(X, row(4, dtype=1)), "code": call("fill", 1, attrs=(0,)), **ROOM}, "float type"),
    # What decides where a kernel reads.
    ({"values": values(*CSR), "code": PRODUCT, **ROOM}, "operand 0, which decides what is read, must be an input"),
    ({"values": values(X, LABELS, LOSS), "code": CROSS_ENTROPY, **ROOM}, "operand 1, .*, must be an input"),
]


@pytest.mark.parametrize(("change", "message"), BROKEN, ids=range(len(BROKEN)))
def test_broken_programs_are_refused(change, message):
    _core.Program(**GOOD)
    with pytest.raises(ValueError, match=message):
        _core.Program(**{**GOOD, **change})


@pytest.mark.parametrize(
    ("table", "more"),
    [
        ([X, LABELS, row(-1, offset=64)], {}),  # by the instruction itself
        ([X, LABELS, LOSS, row(4, offset=72)], {"code": np.concatenate([call("tanh", 3, 2), CROSS_ENTROPY])}),
        ([X, LABELS, LOSS, SCALAR], {"slots": [3]}),
        ([X, LABELS, LOSS, SCALAR], {"inverse_weight": 3}),
        ([X, LABELS, LOSS, row(4, dtype=2, offset=64)], {"key": 3}),
        ([row(-1, 3, offset=56), LABELS, LOSS], {}),  # by another input
    ],
)
def test_row_numbers_that_something_writes_over_are_refused(table, more):
    program = {**GOOD, **ROOM, "inputs": [0, 1], "code": CROSS_ENTROPY}
    _core.Program(**{**program, "values": values(X, LABELS, LOSS)})
    if "code" in more:
        table[3] = row(-1, offset=72)
    with pytest.raises(ValueError, match=r"operand 1, which decides what is read, is overwritten"):
        _core.Program(**{**program, "values": values(*table), **more})


def test_row_numbers_that_an_update_or_a_later_instruction_writes_over_are_refused():
    table = values(X, LABELS, LOSS, row(-1, offset=64))
    code = np.concatenate([call("accumulate", -1, 3, 3), CROSS_ENTROPY])
    with pytest.raises(ValueError, match=r"operand 1, .* is overwritten"):
        _core.Program(**{**GOOD, **ROOM, "inputs": [0, 1], "values": table, "code": code})
    lasting = row(4, dtype=2, workspace=0)
    table = values(X, lasting, row(5, 3, offset=64), row(4, 3, offset=256), row(4, workspace=0))
    gather, fill = call("gather_rows", 3, 2, 1), call("fill", 4, attrs=(0,))
    _core.Program(**{**GOOD, **ROOM, "values": table, "code": gather})
    with pytest.raises(ValueError, match=r"operand 1, .* is overwritten"):  # before the next step reads them
        _core.Program(**{**GOOD, **ROOM, "values": table, "code": np.concatenate([gather, fill])})


def test_more_row_numbers_than_the_batch_has_are_refused():
    table = values(X, LABELS, row(4, 3, offset=128), row(4, dtype=2, offset=64), row(4, offset=192))
    code = call("softmax_cross_entropy", 4, 2, 3, attrs=(0,))
    with pytest.raises(ValueError, match=r"operand 1, .* must be an input"):
        _core.Program(**{**GOOD, **ROOM, "inputs": [0, 1], "values": table, "code": code})


def test_row_numbers_may_be_reshaped_and_lost_after_their_last_reader():
    b = Builder("float64")
    x, y = b.input("x", (M, 3)), b.input("y", (M,), "int32")
    loss = b.softmax_cross_entropy(x, b.reshape(b.reshape(y, shape=(M, 1)), shape=(M,)))
    h = b.exp(b.exp(b.exp(loss)))
    found = evaluate(b.build(h=h), {"x": np.zeros((5, 3)), "y": np.arange(5) % 3}, 5)["h"]
    np.testing.assert_allclose(found, np.exp(np.exp(3.0)))


def table_program(op, persistent):
    """Rows by number: of a table of 5, of 3 classes."""
    b = Builder("float32")
    n = 4 if persistent else M
    numbers = b.leaf("buffers", "numbers", (n,), "int32") if persistent else b.input("numbers", (n,), "int32")
    table = b.leaf("params", "table", (5, 3)) if op == "gather_rows" else b.leaf("params", "table", (4, 3))
    rows = table if persistent or op == "gather_rows" else b.input("rows", (n, 3))
    more = {"scatter_add_rows": {"n_rows": 5}, "one_hot": {"n": 5}}.get(op, {})
    if op == "one_hot":
        return b.build(result=b.one_hot(numbers, **more))
    operands = [rows, numbers] + ([b.sum(rows, axis=1)] if op.endswith("_grad") else [])
    return b.build(result=b.emit(op, *operands, **more))


@pytest.mark.parametrize("persistent", [False, True])
@pytest.mark.parametrize(
    "op", ["gather_rows", "scatter_add_rows", "one_hot", "softmax_cross_entropy", "softmax_cross_entropy_grad"]
)
def test_row_numbers_outside_the_table_are_refused(op, persistent):
    program = table_program(op, persistent)
    largest = 2 if op.startswith("softmax") else 4
    input_arrays = {"table": np.ones(program.leaf("table").shape), "rows": np.ones((4, 3))}
    evaluate(program, {**input_arrays, "numbers": [0, largest, 1, 0]}, 4)
    for wrong in (largest + 1, 2**31 - 2):
        with pytest.raises(ValueError, match=f"holds the number {wrong}; allowed: 0 to {largest}"):
            evaluate(program, {**input_arrays, "numbers": [0, wrong, 1, 0]}, 4)
    with pytest.raises(ValueError, match=r"the (number|code) -1; allowed: 0 to"):
        evaluate(program, {**input_arrays, "numbers": [0, -1, 1, 0]}, 4)


@pytest.mark.parametrize("numbers", [[0.5, 1], [2**32, 1], [float("nan"), 1]])
def test_codes_are_never_changed_by_conversion(numbers):
    value = Builder().input("numbers", (M,), "int32")
    with pytest.raises(ValueError, match=r"'numbers' takes integers below 2\*\*31"), np.errstate(invalid="ignore"):
        source(value, np.array(numbers))
    assert source(value, np.array([2, 1.0])).n_rows == 2


def session(**change):
    return _core.Session(_core.Program(**{**GOOD, **change}))


def dense(*shape, dtype="float32"):
    return _core.Source.dense(np.ones(shape, dtype))


def outputs(n_rows=4, n_columns=3):
    return [np.zeros((n_rows, n_columns), np.float32)]


MEMORY = aligned_bytes(64)


def rows_of(*shape):
    """What makes the sources, as nothing of the core may outlive the tests."""
    return lambda: [dense(*shape)]


def sparse_rows():
    return [_core.Source.csr(np.ones(4, np.float32), np.zeros(4, np.int32), np.arange(5), 3)]


def integers():
    return [_core.Source.codes(np.zeros(4, np.int32), 1)]


FOUR = rows_of(4, 3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((MEMORY, FOUR, 5, NO_SLOTS, outputs(5)), "too few rows"),
        ((MEMORY, FOUR, -1, NO_SLOTS, outputs(0)), "negative or absurd number of rows"),
        ((MEMORY, FOUR, 2**62, NO_SLOTS, outputs(0)), "negative or absurd number of rows"),
        ((MEMORY, list, 4, NO_SLOTS, outputs()), "has 1 inputs, 0 sources are given"),
        ((MEMORY, sparse_rows, 4, NO_SLOTS, outputs()), "sparse and dense"),
        ((MEMORY, rows_of(4, 2), 4, NO_SLOTS, outputs()), "has 2 columns; the program takes 3"),
        ((MEMORY, FOUR, 4, np.zeros(1), outputs()), "outputs or slots"),
        ((MEMORY, FOUR, 4, NO_SLOTS, []), "outputs or slots"),
        ((MEMORY, FOUR, 4, NO_SLOTS, outputs(3)), "output array 0 has a wrong size"),
        ((aligned_bytes(15), FOUR, 4, NO_SLOTS, outputs()), "smaller than the program's"),
        ((aligned_bytes(64)[1:], FOUR, 4, NO_SLOTS, outputs()), "not aligned"),
    ],
)
def test_runs_with_what_does_not_fit_are_refused(arguments, message):
    memory, sources, *more = arguments
    runs = session(persistent_bytes=16)
    runs.forward(MEMORY, FOUR(), 4, NO_SLOTS, outputs())
    with pytest.raises(ValueError, match=message):
        runs.forward(memory, sources(), *more)
    runs.forward(MEMORY, FOUR(), 4, NO_SLOTS, outputs())  # the session is free again


@pytest.mark.parametrize(
    ("value", "given", "message"),
    [
        (row(-1, dtype=2), rows_of(4), "integers and floats mixed"),
        (row(-1), integers, "integers and floats mixed"),
        (row(-1, 3, dtype=1, sparse=1), sparse_rows, "must have the program's dtype"),
    ],
)
def test_sources_of_another_type_are_refused(value, given, message):
    runs = session(dtype=1, values=values(value), workspace_bytes=100, outputs=[])
    with pytest.raises(ValueError, match=message):
        runs.evaluate(MEMORY, given(), 4, NO_SLOTS, [])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"batch_size": 5, "n_rows": 5, "sources": rows_of(5, 3)}, "larger than the program's block"),
        ({"batch_size": 0}, "at least 1"),
        ({"n_rows": 5}, "more rows asked for"),
        ({"n_rows": 0}, "at least 1"),
        ({"n_epochs": 2**62}, "absurd number of rows or epochs"),
        ({"n_epochs": 2**38, "slots": NO_SLOTS}, "wrong number of slot values"),
        ({"slots": np.ones(7)}, "wrong number of slot values"),
        ({"order": np.array([[0, 1], [2, 4]])}, "the order names row 4 of 4"),
        ({"order": np.array([[0, 1], [2, -1]])}, "the order names row -1 of 4"),
        ({"order": np.zeros((0, 3), np.int64)}, "at least 1"),
        ({"order": np.zeros((3, 0), np.int64)}, "at least 1"),
        ({"sources": list}, "nothing to train on"),
    ],
)
def test_training_with_what_does_not_fit_is_refused(change, message):
    slots = [row(offset=64 + 4 * i) for i in range(2)]
    runs = session(values=values(X, *slots), slots=[1, 2], **ROOM)
    good = {"sources": FOUR, "batch_size": 4, "order": None, "n_rows": 4, "slots": np.ones(2)}
    memory = aligned_bytes(1000)
    assert runs.train(memory, **{**good, "sources": FOUR()}) == ([0.0], 1, True)
    change = {**good, **change}
    with pytest.raises(ValueError, match=message):
        runs.train(memory, **{**change, "sources": change["sources"]()})


def test_a_batch_size_of_any_size_means_all_rows():
    assert session().train(MEMORY, FOUR(), 2**63 - 1, None, 4, NO_SLOTS) == ([0.0], 1, True)


def test_pairs_of_programs_that_do_not_fit_are_refused():
    block, good = _core.Program(**GOOD), {**GOOD, "inputs": [], "outputs": []}
    _core.Session(block, _core.Program(**good))
    slot = {"values": values(X, SCALAR), "slots": [1], **ROOM}
    for update in ({**GOOD}, {**good, **slot}, {**good, "dtype": 1, "values": values(row(3, dtype=1))}):
        with pytest.raises(ValueError, match="the update must have the block's dtype and slots"):
            _core.Session(block, _core.Program(**update))
    for zeros in ((-8, 8), (0, -8), (0, 8), (8, 0), (2**62, 2**62)):
        with pytest.raises(ValueError, match="bytes to clear lie outside"):
            _core.Session(block, None, *zeros)
    numbers = compile_program(table_program("gather_rows", True), 4).core
    with pytest.raises(ValueError, match="row numbers that persist"):
        _core.Session(numbers, _core.Program(**good))


@pytest.mark.parametrize("numbers", [[1], [-1], [2**31 - 1]])
def test_values_that_there_are_not_cannot_be_asked_for(numbers):
    with pytest.raises(ValueError, match="no such dense value"):
        session().evaluate(MEMORY, FOUR(), 4, NO_SLOTS, numbers)


def test_only_outputs_with_rows_of_one_size_are_written_forward():
    for table, message in (
        (values(X, row(3, offset=64)), "first axis must be m"),
        (values(X, row(-1, -2)), "depends on"),
    ):
        runs = session(values=table, **{**ROOM, "outputs": [1]})
        with pytest.raises(ValueError, match=message):
            runs.forward(aligned_bytes(1000), FOUR(), 4, NO_SLOTS, [np.zeros((4, 3), np.float32)])


@pytest.mark.parametrize(
    "output",
    [
        np.zeros((4, 6), np.float32)[:, ::2],
        np.zeros((3, 4), np.float32).T,
        np.zeros((4, 3), np.int32),
        np.broadcast_to(np.float32(0), (4, 3)),
    ],
    ids=["strided", "transposed", "another dtype", "read-only"],
)
def test_what_is_written_is_the_callers_own_array(output):
    with pytest.raises(TypeError):
        session().forward(MEMORY, FOUR(), 4, NO_SLOTS, [output])


def test_persistent_memory_is_the_callers_own_array():
    frozen = aligned_bytes(64)
    frozen.flags.writeable = False
    for memory in (aligned_bytes(128)[::2], np.zeros(64, np.float32), frozen):
        with pytest.raises(TypeError):
            session().forward(memory, FOUR(), 4, NO_SLOTS, outputs())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"offsets": np.array([0, 1, 5])}, "do not fit its values"),
        ({"offsets": np.array([-1, 1, 4])}, "do not fit its values"),
        ({"offsets": np.array([0, 3, 2])}, "decrease at row 1"),
        ({"columns": np.array([0, 1, 2, 3], np.int32)}, "column number 3; allowed: 0 to 2"),
        ({"columns": np.array([0, 1, -1, 2], np.int32)}, "column number -1"),
        ({"columns": np.zeros(3, np.int32)}, "a broken sparse matrix"),
        ({"offsets": np.zeros(0, np.int64)}, "a broken sparse matrix"),
        ({"values": np.ones(8, np.float32)[::2]}, "contiguous"),
    ],
)
def test_broken_sparse_sources_are_refused(change, message):
    good = {"values": np.ones(4, np.float32), "columns": np.zeros(4, np.int32), "offsets": np.array([0, 2, 4])}
    assert _core.Source.csr(**good, width=3).n_rows == 2
    with pytest.raises(ValueError, match=message):
        _core.Source.csr(**{**good, **change}, width=3)


def test_only_rows_of_csr_are_read_as_such():
    value = Builder().input("x", (M, 3), sparse=True)
    matrix = scipy.sparse.csc_array(np.eye(3, dtype=np.float32))
    assert source(value, matrix.tocsr()).n_rows == 3
    for wrong in (matrix, matrix.tocoo(), matrix.toarray()):
        with pytest.raises(ValueError, match=r"'x' takes a CSR matrix, given"):
            source(value, wrong)


def test_rows_at_odd_addresses_are_read():
    odd = np.frombuffer(b"x" + np.arange(12, dtype=np.float32).tobytes(), np.uint8)[1:].view(np.float32).reshape(4, 3)
    found = outputs()
    session().forward(MEMORY, [_core.Source.dense(odd)], 4, NO_SLOTS, found)
    assert np.array_equal(found[0], odd)


def test_a_session_follows_the_memory_that_it_is_given():
    b = Builder("float32")
    executable = compile_program(b.build(y=b.mul(b.input("x", (M, 3)), b.leaf("params", "w", (3,)))), 4)
    runs, found = _core.Session(executable.core), outputs()
    memories = [aligned_bytes(12), aligned_bytes(12)]
    for factor in (1, 2):
        executable.persistent(memories[factor - 1], "w")[:] = factor
    for factor in (1, 2, 1):
        runs.forward(memories[factor - 1], FOUR(), 4, NO_SLOTS, found)
        assert (found[0] == factor).all()


def mask_of(n_rows, seed, step, rate=0.5):
    key = np.array([seed & 0xFFFFFFFF, seed >> 32, step, 0], np.uint32).view(np.int32)
    return OPS["dropout_mask"].reference(key, np.float64(rate), shape=(n_rows, 3), stream=7)


def masked(b, x):
    key = b.leaf("slots", "key", (4,), "int32")
    return b.mul(x, b.dropout_mask(key, 0.5, shape=(M, 3), stream=7))


def test_random_numbers_do_not_depend_on_blocks_in_a_forward_run():
    b = Builder("float64")
    executable = compile_program(b.build(y=masked(b, b.input("x", (M, 3)))), 4)
    found = np.zeros((11, 3))
    _core.Session(executable.core).forward(aligned_bytes(0), [dense(11, 3, dtype="float64")], 11, NO_SLOTS, [found])
    assert np.array_equal(found, mask_of(11, 0, 0))


@pytest.mark.parametrize("seed", [3, 2**40 + 17])
def test_random_numbers_follow_from_seed_step_and_row_of_the_batch(seed):
    b = Builder("float64")
    x, places, total = b.input("x", (M, 3)), b.input("places", (M,), "int32"), b.leaf("grads", "total", (22, 3))
    b.emit("accumulate", total, b.scatter_add_rows(masked(b, x), places, n_rows=22))
    block, update = compile_program(b.build(), 4), Builder("float64").build()
    runs = _core.Session(block.core, compile_program(update, 1).core)
    memory = aligned_bytes(block.plan.persistent_bytes)
    sources = [dense(22, 3, dtype="float64"), _core.Source.codes(np.arange(22, dtype=np.int32), 22)]
    _, n_steps, finished = runs.train(memory, sources, 11, None, 22, NO_SLOTS, seed, first_step=5)
    assert (n_steps, finished) == (2, True)
    expected = np.concatenate([mask_of(11, seed, 5), mask_of(11, seed, 6)])
    assert np.array_equal(block.persistent(memory, "total"), expected)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("params", "x", (1,) * 5), "up to 4 integers are allowed"),
        (("params", "x", (2.5,)), "up to 4 integers are allowed"),
        (("params", "x", (2,), "float16"), "allowed: float32, float64, int32"),
        (("params", "x", (2, 3), None, True), "a value that persists cannot depend on the batch's rows"),
        (("inputs", "x", (M, 3, 1, 1, 1)), "up to 4 integers are allowed"),
    ],
)
def test_leaves_that_the_core_could_not_hold_are_refused(arguments, message):
    with pytest.raises(ProgramError, match=message):
        Builder().leaf(*arguments)
