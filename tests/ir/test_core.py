"""What the native core refuses, so that no program, source or array can make it access memory of others."""

import signal

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
    """A value in the form that the core reads."""
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
LASTING = [X, row(4, dtype=2, workspace=0), row(5, 3, offset=64), row(4, 3, offset=256)]
GATHER = call("gather_rows", 3, 2, 1)
BROKEN = [
    ({"workspace_bytes": 47}, "lies outside the arena"),
    ({"capacity": 5}, "lies outside the arena"),
    ({"capacity": 0}, "capacity"),
    ({"workspace_bytes": -1}, "sizes of the arena must be 0 to"),
    ({"dtype": 2}, "float32 or float64"),
    ({"inputs": [1]}, "input"),
    ({"outputs": [-1]}, "output"),
    ({"loss": 0}, "loss must be a scalar"),
    ({"key": 0}, "key"),
    ({"weights": 1}, "weights must be one of the inputs"),
    ({"weights": 0}, r"weights of the rows must be a dense float input of shape \[m\]"),
    ({"values": values(row(-1, 3, offset=2))}, "negative or unaligned offset"),
    ({"values": np.array([0, 1, 0, 0, 5, -1, 3, 0, 0])}, "rank"),
    ({"values": np.array([0, 1, 0, 0, 2, -1])}, "must have 9 integers per row"),
    ({"values": values(row(-1, 3, 2**62))}, r"dimension larger than 2\*\*40"),
    ({"values": values(row(2**30, 2**30))}, "too large"),
    ({"values": values(X, row(2**40, 0)), **ROOM}, "too large"),
    ({"values": values(X, row(0, 2**30)), **ROOM}, "is empty and has a huge dimension"),
    (
        {"values": values(row(-1, 3), row(-1, workspace=0)), **ROOM},
        "persistent, so its shape must not depend on the batch's rows",
    ),
    ({"values": values(row(-1, -3)), **ROOM}, "fixed width"),
    ({"values": values(row(-2, 3)), **ROOM}, r"shape \[m\] or \[m, n\]"),
    ({"values": values(row(-1, 3), PERSISTENT_SCALAR), "slots": [1], **ROOM}, "slot must be in the workspace"),
    ({"values": values(row(-1, 3), PERSISTENT_SCALAR), "inverse_weight": 1, **ROOM}, "must be in the workspace"),
    ({"code": np.array([OPCODES["tanh"], 1, 0])}, "truncated"),
    ({"code": np.array([OPCODES["tanh"], 1, 0, 0])}, "truncated"),
    ({"code": np.array([10**6, 1, 0, 0, 0])}, "unknown opcode"),
    ({"code": call("tanh", 1, 0)}, "unknown output"),
    ({"code": call("tanh", 0, 7)}, "unknown value"),
    ({"code": call("tanh", 0, 0, 0)}, "wrong number of inputs"),
    ({"code": call("fill", -1, attrs=(0,))}, "fill.*must be dense"),
    ({"code": call("tanh", -1, 0)}, "tanh"),
    # Valid for one row, or for four, but not for two.
    ({"values": values(X, row(1, 3)), "code": call("tanh", 1, 0), **ROOM}, "shapes of the operands"),
    ({"values": values(X, row(4, 3)), "code": call("tanh", 1, 0), **ROOM}, "shapes of the operands"),
    (
        {"values": values(row(-1, 3), row(4), row(4, offset=16)), "code": call("tanh", 2, 1), "dtype": 1, **ROOM},
        "mixes",
    ),
    ({"values": values(X, row(4, dtype=1)), "code": call("fill", 1, attrs=(0,)), **ROOM}, "float type"),
    # Indices.
    ({"values": values(*CSR), "code": PRODUCT, **ROOM}, "operand 0, which holds indices, must be an input"),
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
def test_overwritten_indices_are_refused(table, more):
    program = {**GOOD, **ROOM, "inputs": [0, 1], "code": CROSS_ENTROPY}
    _core.Program(**{**program, "values": values(X, LABELS, LOSS)})
    if "code" in more:
        table[3] = row(-1, offset=72)
    with pytest.raises(ValueError, match=r"operand 1, which holds indices, is overwritten"):
        _core.Program(**{**program, "values": values(*table), **more})


def test_indices_that_an_update_or_a_later_instruction_overwrites_are_refused():
    table = values(X, LABELS, LOSS, row(-1, offset=64))
    code = np.concatenate([call("accumulate", -1, 3, 3), CROSS_ENTROPY])
    with pytest.raises(ValueError, match=r"operand 1, .* is overwritten"):
        _core.Program(**{**GOOD, **ROOM, "inputs": [0, 1], "values": table, "code": code})
    table, fill = values(*LASTING, row(4, workspace=0)), call("fill", 4, attrs=(0,))
    _core.Program(**{**GOOD, **ROOM, "values": table, "code": GATHER})
    with pytest.raises(ValueError, match=r"operand 1, .* is overwritten"):  # before the next step reads them
        _core.Program(**{**GOOD, **ROOM, "values": table, "code": np.concatenate([GATHER, fill])})


def test_indices_in_persistent_memory_cannot_be_read_by_long_runs():
    runs = session(values=values(*LASTING), code=GATHER, **ROOM)
    memory = aligned_bytes(1000)
    assert len(runs.evaluate(memory, FOUR(), 4, NO_SLOTS, [3])) == 1
    for run, arguments in ((runs.forward, (4, NO_SLOTS, [])), (runs.train, (4, None, 4, NO_SLOTS))):
        with pytest.raises(ValueError, match="indices in persistent memory can only be evaluated"):
            run(memory, FOUR(), *arguments)


def test_more_indices_than_rows_in_the_batch_are_refused():
    table = values(X, LABELS, row(4, 3, offset=128), row(4, dtype=2, offset=64), row(4, offset=192))
    code = call("softmax_cross_entropy", 4, 2, 3, attrs=(0,))
    with pytest.raises(ValueError, match=r"operand 1, .* must be an input"):
        _core.Program(**{**GOOD, **ROOM, "inputs": [0, 1], "values": table, "code": code})


def test_indices_may_be_reshaped_and_overwritten_after_their_last_reader():
    b = Builder("float64")
    x, y = b.input("x", (M, 3)), b.input("y", (M,), "int32")
    loss = b.softmax_cross_entropy(x, b.reshape(b.reshape(y, shape=(M, 1)), shape=(M,)))
    h = b.exp(b.exp(b.exp(loss)))
    found = evaluate(b.build(h=h), {"x": np.zeros((5, 3)), "y": np.arange(5) % 3}, 5)["h"]
    np.testing.assert_allclose(found, np.exp(np.exp(3.0)))


def table_program(op, persistent):
    """A program that uses indices: of 5 rows of a table, or of 3 classes."""
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
def test_indices_outside_the_table_are_refused(op, persistent):
    program = table_program(op, persistent)
    largest = 2 if op.startswith("softmax") else 4
    input_arrays = {"table": np.ones(program.leaf("table").shape), "rows": np.ones((4, 3))}
    evaluate(program, {**input_arrays, "numbers": [0, largest, 1, 0]}, 4)
    for wrong in (largest + 1, 2**31 - 2):
        with pytest.raises(ValueError, match=f"holds the index {wrong}; allowed: 0 to {largest}"):
            evaluate(program, {**input_arrays, "numbers": [0, wrong, 1, 0]}, 4)
    with pytest.raises(ValueError, match=r"the (index|code) -1; allowed: 0 to"):
        evaluate(program, {**input_arrays, "numbers": [0, -1, 1, 0]}, 4)


@pytest.mark.parametrize("numbers", [[0.5, 1], [2**32, 1], [float("nan"), 1]])
def test_conversion_never_changes_codes(numbers):
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
    """A factory of sources, because no object of the core may outlive the tests."""
    return lambda: [dense(*shape)]


def sparse_rows():
    return [_core.Source.csr(np.ones(4, np.float32), np.zeros(4, np.int32), np.arange(5), 3)]


def integers():
    return [_core.Source.codes(np.zeros(4, np.int32), 1)]


FOUR = rows_of(4, 3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((MEMORY, FOUR, 5, NO_SLOTS, outputs(5)), "input 0 has 4 rows, fewer than the 5 to run"),
        ((MEMORY, FOUR, -1, NO_SLOTS, outputs(0)), "number of rows is negative or larger"),
        ((MEMORY, FOUR, 2**62, NO_SLOTS, outputs(0)), "number of rows is negative or larger"),
        ((MEMORY, list, 4, NO_SLOTS, outputs()), "has 1 inputs; 0 sources were given"),
        ((MEMORY, sparse_rows, 4, NO_SLOTS, outputs()), "input 0 must be dense"),
        ((MEMORY, rows_of(4, 2), 4, NO_SLOTS, outputs()), "has 2 columns; the program takes 3"),
        ((MEMORY, FOUR, 4, np.zeros(1), outputs()), "one array for each output, and one value for each slot"),
        ((MEMORY, FOUR, 4, NO_SLOTS, []), "one array for each output, and one value for each slot"),
        ((MEMORY, FOUR, 4, NO_SLOTS, outputs(3)), "output array 0 must hold exactly one row"),
        ((aligned_bytes(15), FOUR, 4, NO_SLOTS, outputs()), "has 15 bytes, fewer than the program needs"),
        ((aligned_bytes(64)[1:], FOUR, 4, NO_SLOTS, outputs()), "must be aligned to 8 bytes"),
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
        (row(-1, dtype=2), rows_of(4), "input 0 must hold integers"),
        (row(-1), integers, "input 0 must hold floats"),
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
        ({"batch_size": 5, "n_rows": 5, "sources": rows_of(5, 3)}, "5 rows does not fit into the program's block of 4"),
        ({"batch_size": 0}, "at least 1"),
        ({"n_rows": 5}, "5 rows was requested; the sources have 4"),
        ({"n_rows": 0}, "at least 1"),
        ({"n_epochs": 2**62}, "number of rows or epochs is larger than"),
        ({"n_epochs": 2**38, "slots": NO_SLOTS}, "one value per slot, or one per slot and step"),
        ({"slots": np.ones(7)}, "one value per slot, or one per slot and step"),
        ({"order": np.array([[0, 1], [2, 4]])}, "the order holds row 4; allowed: 0 to 3"),
        ({"order": np.array([[0, 1], [2, -1]])}, "the order holds row -1; allowed: 0 to 3"),
        ({"order": np.zeros((0, 3), np.int64)}, "at least 1"),
        ({"order": np.zeros((3, 0), np.int64)}, "at least 1"),
        ({"sources": list}, "needs at least one source"),
        ({"first_step": 2**63 - 1}, r"first_step and first_epoch must be 0 to 2\*\*62"),
        ({"first_epoch": -1}, r"first_step and first_epoch must be 0 to 2\*\*62"),
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


def test_a_huge_batch_size_means_all_rows():
    assert session().train(MEMORY, FOUR(), 2**63 - 1, None, 4, NO_SLOTS) == ([0.0], 1, True)


def test_pairs_of_programs_that_do_not_match_are_refused():
    block, good = _core.Program(**GOOD), {**GOOD, "inputs": [], "outputs": []}
    _core.Session(block, _core.Program(**good))
    slot = {"values": values(X, SCALAR), "slots": [1], **ROOM}
    for update in ({**GOOD}, {**good, **slot}, {**good, "dtype": 1, "values": values(row(3, dtype=1))}):
        with pytest.raises(ValueError, match="the update must have the block's dtype and slots"):
            _core.Session(block, _core.Program(**update))
    for zeros in ((-8, 8), (0, -8), (0, 8), (8, 0), (2**62, 2**62)):
        with pytest.raises(ValueError, match="bytes to clear lie outside"):
            _core.Session(block, None, *zeros)
    with pytest.raises(ValueError, match="update must not read by indices"):
        _core.Session(block, _core.Program(**good | {"values": values(*LASTING), "code": GATHER, **ROOM}))


@pytest.mark.parametrize("numbers", [[1], [-1], [2**31 - 1]])
def test_values_that_do_not_exist_cannot_be_requested(numbers):
    with pytest.raises(ValueError, match="is not a dense value of the program"):
        session().evaluate(MEMORY, FOUR(), 4, NO_SLOTS, numbers)


def test_forward_writes_only_outputs_with_rows_of_a_fixed_size():
    for table, message in (
        (values(X, row(3, offset=64)), "must have the batch's rows as its first axis"),
        (values(X, row(-1, -2)), "rows of a fixed size"),
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
def test_outputs_are_written_to_the_callers_own_array(output):
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
        ({"offsets": np.array([0, 1, 5])}, "must be 0 to its number of values"),
        ({"offsets": np.array([-1, 1, 4])}, "must be 0 to its number of values"),
        ({"offsets": np.array([0, 3, 2])}, "must not decrease; they do at row 1"),
        ({"columns": np.array([0, 1, 2, 3], np.int32)}, "column index 3; allowed: 0 to 2"),
        ({"columns": np.array([0, 1, -1, 2], np.int32)}, "column index -1"),
        ({"columns": np.zeros(3, np.int32)}, "as many columns as values, and at least one row offset"),
        ({"offsets": np.zeros(0, np.int64)}, "as many columns as values, and at least one row offset"),
        ({"values": np.ones(8, np.float32)[::2]}, "contiguous"),
        ({"values": np.ones(17, np.uint8)[1:].view(np.float32)}, "aligned"),
        ({"width": -(2**63)}, "number of columns of a sparse matrix must be at least 0"),
    ],
)
def test_broken_sparse_sources_are_refused(change, message):
    good = {"values": np.ones(4, np.float32), "columns": np.zeros(4, np.int32), "offsets": np.array([0, 2, 4])}
    good["width"] = 3
    assert _core.Source.csr(**good).n_rows == 2
    with pytest.raises(ValueError, match=message):
        _core.Source.csr(**{**good, **change})


def one_hot_program():
    b = Builder("float32")
    return compile_program(b.build(y=b.one_hot(b.input("codes", (M,), "int32"), n=3)), 4).core


def test_changes_of_the_users_codes_do_not_reach_a_source():
    codes, found = np.array([0, 2, 1, 0], np.int32), outputs()
    given = _core.Source.codes(codes, 3)
    codes[:] = 500_000_000
    _core.Session(one_hot_program()).forward(MEMORY, [given], 4, NO_SLOTS, found)
    assert np.array_equal(found[0], np.eye(3)[[0, 2, 1, 0]])


def test_changes_of_the_users_sparse_matrix_do_not_reach_a_source():
    b, found = Builder("float32"), [np.zeros((4, 2), np.float32)]
    product = b.csr_matmul(b.input("x", (M, 3), sparse=True), b.leaf("params", "w", (3, 2)))
    runs = _core.Session(compile_program(b.build(y=product), 4).core)
    parts = {"columns": np.zeros(4, np.int32), "offsets": np.arange(5)}
    given = _core.Source.csr(np.ones(4, np.float32), **parts, width=3)
    parts["columns"][:] = 500_000_000
    parts["offsets"][:] = 2**60
    memory = aligned_bytes(24)
    memory.view(np.float32)[:] = 1
    runs.forward(memory, [given], 4, NO_SLOTS, found)
    assert (found[0] == 1).all()


def odd(array):
    """The same numbers at an address that is not aligned."""
    return np.frombuffer(b"x" + array.tobytes(), np.uint8)[1:].view(array.dtype).reshape(array.shape)


def test_integers_and_slots_at_unaligned_addresses_are_read():
    found = outputs()
    runs = _core.Session(one_hot_program())
    runs.forward(MEMORY, [_core.Source.codes(odd(np.array([0, 2, 1, 0], np.int32)), 3)], 4, odd(NO_SLOTS), found)
    assert np.array_equal(found[0], np.eye(3)[[0, 2, 1, 0]])
    sparse = _core.Source.csr(np.ones(4, np.float32), odd(np.zeros(4, np.int32)), odd(np.arange(5)), 3)
    assert sparse.n_rows == 4
    program = {**GOOD, "values": odd(GOOD["values"])}
    assert _core.Session(_core.Program(**program)).train(
        MEMORY, FOUR(), 2, odd(np.array([[0, 1], [3, 2]])), 4, NO_SLOTS
    )[2]


def test_a_negative_number_of_codes_is_refused():
    with pytest.raises(ValueError, match="number of codes must be at least 0"):
        _core.Source.codes(np.zeros(1, np.int32), -(2**63))


@pytest.mark.parametrize("wrong", [None, 1, "x", [None]])
def test_lists_of_other_things_are_refused(wrong):
    for arguments in ((wrong, 4, NO_SLOTS, outputs()), (FOUR(), 4, NO_SLOTS, wrong)):
        with pytest.raises(TypeError):
            session().forward(MEMORY, *arguments)
    with pytest.raises(TypeError):
        _core.Program(**{**GOOD, "inputs": wrong if wrong != [None] else [2**40]})


def test_only_csr_matrices_are_accepted_as_sparse_input():
    value = Builder().input("x", (M, 3), sparse=True)
    matrix = scipy.sparse.csc_array(np.eye(3, dtype=np.float32))
    assert source(value, matrix.tocsr()).n_rows == 3
    for wrong in (matrix, matrix.tocoo(), matrix.toarray()):
        with pytest.raises(ValueError, match=r"'x' takes a CSR matrix, given"):
            source(value, wrong)


def test_rows_at_unaligned_addresses_are_read():
    rows, found = odd(np.arange(12, dtype=np.float32).reshape(4, 3)), outputs()
    session().forward(MEMORY, [_core.Source.dense(rows)], 4, NO_SLOTS, found)
    assert np.array_equal(found[0], rows)


def test_a_session_uses_the_memory_of_each_call():
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
def test_random_numbers_depend_on_seed_step_and_row_of_the_batch(seed):
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
def test_leaves_that_the_core_cannot_hold_are_refused(arguments, message):
    with pytest.raises(ProgramError, match=message):
        Builder().leaf(*arguments)


def test_an_overflow_in_the_same_step_does_not_replace_an_interrupt():
    b = Builder("float64")
    n_rows, width = 2**13, 2**10  # a step of more than 50 ms, after which an interrupt is looked for
    w, loss = b.leaf("params", "w", (width, width)), b.leaf("params", "loss", ())
    executable = compile_program(b.build(y=b.matmul(b.input("x", (M, width)), w), loss=loss), n_rows)
    memory = aligned_bytes(executable.plan.persistent_bytes)
    executable.persistent(memory, "loss")[...] = 1e308  # finite, but twice as much is not
    runs, rows = _core.Session(executable.core), _core.Source.dense(np.zeros((n_rows, width)))
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    try:
        with pytest.raises(KeyboardInterrupt):
            runs.train(memory, [rows], n_rows, None, n_rows, NO_SLOTS)
    finally:
        signal.signal(signal.SIGALRM, before)
