"""The planner: properties of plans, and planned runs against runs without shared memory and the interpreter."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rosenblatt import _core
from rosenblatt.ir.autodiff import gradient
from rosenblatt.ir.compile import evaluate
from rosenblatt.ir.ops import OPS
from rosenblatt.ir.planner import bytes_of, layout, plan
from rosenblatt.ir.program import Builder
from rosenblatt.ir.reference import interpret
from rosenblatt.ir.rewrite import eliminate_dead
from rosenblatt.ir.types import M
from rosenblatt.nn import SGD, Adam, NetworkSpec
from rosenblatt.nn.objective import Objective
from rosenblatt.nn.programs import prediction_program, training_program
from rosenblatt.threads import get_num_threads, set_num_threads


@pytest.fixture(autouse=True, scope="module")
def scarce_memory():
    """Values share memory however little they need."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rosenblatt.ir.planner.ROOMY", 0)
        yield


UNARY = ("tanh", "logistic", "relu", "sin", "square", "neg", "softplus", "abs", "softmax")
BINARY = ("add", "sub", "mul", "maximum", "minimum")


def packed_and_back(draw, b, fixed, left, right):
    """A value of the shape of `left` by way of rows that are packed, some of them twice, and viewed."""
    n = left.shape[1]
    row = b.max(left, axis=0)
    fixed += [row, b.neg(b.mean(right, axis=0))]
    parts = [draw(st.sampled_from(fixed)) for _ in range(draw(st.integers(1, 3)))] + [fixed[-1], row]
    block = b.pack(*parts)
    if draw(st.booleans()):
        block = b.tanh(block)
    if draw(st.booleans()):
        fixed.append(block)
    offset = draw(st.integers(0, block.shape[0] - n))
    return b.add(b.tanh(left), b.view(block, offset=offset, shape=(n,)))


def reshaped_and_back(draw, b, value):
    """A value of the same shape by way of aliases of `value`."""
    folded = b.reshape(value, shape=(1, *value.shape))
    changed = b.mul(folded, folded) if draw(st.booleans()) else b.sin(folded) if draw(st.booleans()) else folded
    return b.reshape(changed, shape=value.shape)


@st.composite
def random_programs(draw):
    """A random program of [m, n] values with reuse, aliases and packs, and usually its derivative."""
    b = Builder(draw(st.sampled_from(["float32", "float64"])))
    sizes = draw(st.lists(st.integers(1, 5), min_size=2, max_size=4))
    n_weights = sum(a * c for a, c in zip(sizes[:-1], sizes[1:], strict=True))
    block = b.leaf("params", "block", (n_weights,))
    x = b.input("x", (M, sizes[0]))
    values, fixed = [x], []
    offset = 0
    for a, c in zip(sizes[:-1], sizes[1:], strict=True):
        w = b.view(block, offset=offset, shape=(a, c))
        offset += a * c
        values.append(b.matmul([v for v in values if v.shape == (M, a)][-1], w))
        for _ in range(draw(st.integers(0, 4))):
            same = [v for v in values if v.shape == (M, c)]
            left, right = draw(st.sampled_from(same)), draw(st.sampled_from(same))
            kind = draw(st.sampled_from(["unary", "binary", "packed", "reshaped"]))
            if kind == "unary":
                values.append(getattr(b, draw(st.sampled_from(UNARY)))(left))
            elif kind == "packed":
                values.append(packed_and_back(draw, b, fixed, left, right))
            elif kind == "reshaped":
                values.append(reshaped_and_back(draw, b, left))
            else:
                values.append(getattr(b, draw(st.sampled_from(BINARY)))(left, right))
    # Sums of rows reach every value, so nothing is dead.
    total = b.sum(values[-1])
    for value in values[1:-1]:
        total = b.add(total, b.mean(b.mul(value, value)))
    outputs = {"total": total, "last": values[-1]}
    if draw(st.booleans()):
        outputs["gradient"] = gradient(b, total, [block])[0]
    return eliminate_dead(b.build(**outputs))


@settings(max_examples=60, deadline=None)
@given(program=random_programs(), n_rows=st.integers(1, 9), seed=st.integers(0, 2**31))
def test_a_planned_run_equals_one_without_shared_memory_and_the_interpreter(program, n_rows, seed):
    rng = np.random.default_rng(seed)
    input_arrays = {
        "x": rng.normal(size=(n_rows, program.leaf("x").shape[1])).astype(program.dtype),
        "block": rng.normal(size=program.leaf("block").shape).astype(program.dtype),
    }
    shared = evaluate(program, input_arrays, n_rows)
    alone = evaluate(program, input_arrays, n_rows, share=False)
    for name in program.outputs:
        assert np.array_equal(shared[name], alone[name], equal_nan=True), name
    if program.dtype == "float32":  # sines of squares of squares lose too many of its digits
        return
    expected, tolerance = interpret(program, input_arrays, n_rows), 1e-8
    for name in program.outputs:
        scale = max(1.0, float(np.max(np.abs(expected[name]), initial=0)))
        np.testing.assert_allclose(shared[name], expected[name], rtol=tolerance, atol=tolerance * scale)


@settings(max_examples=100, deadline=None)
@given(
    program=random_programs(),
    n_rows=st.integers(1, 40),
    n=st.sampled_from((2, 3, 4, 8)),
    room=st.sampled_from([0, 1 << 19]),
    seed=st.integers(0, 2**31),
)
def test_threads_that_share_a_program_give_the_same_bits(program, n_rows, n, room, seed):
    rng = np.random.default_rng(seed)
    input_arrays = {
        "x": rng.normal(size=(n_rows, program.leaf("x").shape[1])).astype(program.dtype),
        "block": rng.normal(size=program.leaf("block").shape).astype(program.dtype),
    }
    before = get_num_threads()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rosenblatt.ir.planner.ROOMY", room)
        alone = evaluate(program, input_arrays, n_rows)  # a single run only measures
        try:
            set_num_threads(n)
            _core.share_always(True)
            shared = evaluate(program, input_arrays, n_rows)
        finally:
            _core.share_always(False)
            set_num_threads(before)
    for name in alone:
        assert np.array_equal(shared[name], alone[name], equal_nan=True), name


def overlapping_pairs(planned):
    """Pairs of values whose memory overlaps while both are needed, without being aliases, packed or in place."""
    program = planned.program
    values = [leaf.value for leaf in program.leaves if planned.places[leaf.value.id].workspace]
    values += [i.output for i in program.instructions if i.output is not None and planned.places[i.output.id].workspace]
    relatives = set()
    for instruction in program.instructions:
        op = OPS[instruction.op]
        allowed = (0,) if op.alias else range(len(instruction.inputs)) if op.name == "pack" else op.in_place
        relatives |= {
            frozenset((instruction.inputs[i].id, instruction.output.id))
            for i in allowed
            if instruction.output is not None
        }
    # Relatives of relatives share storage too: take the closure.
    root = {v.id: v.id for v in values}

    def find(i):
        while root[i] != i:
            i = root[i]
        return i

    for pair in relatives:
        a, c = (list(pair) * 2)[:2]
        if a in root and c in root:
            root[find(a)] = find(c)
    for i, v in enumerate(values):
        for w in values[:i]:
            if find(v.id) == find(w.id):
                continue
            (v0, v1), (w0, w1) = planned.live[v.id], planned.live[w.id]
            a, c = planned.places[v.id].offset, planned.places[w.id].offset
            if (
                v0 <= w1
                and w0 <= v1
                and a < c + bytes_of(w, planned.capacity)
                and c < a + bytes_of(v, planned.capacity)
            ):
                yield v, w


@settings(max_examples=60, deadline=None)
@given(program=random_programs(), capacity=st.integers(1, 300))
def test_values_needed_at_the_same_time_never_overlap(program, capacity):
    planned = plan(program, capacity)
    assert list(overlapping_pairs(planned)) == []
    for value in [leaf.value for leaf in program.leaves] + [i.output for i in program.instructions]:
        place = planned.places[value.id]
        limit = planned.workspace_bytes if place.workspace else planned.persistent_bytes
        assert 0 <= place.offset <= limit - bytes_of(value, capacity)
        assert place.offset % (8 if value.dtype == "float64" else 4) == 0
    assert planned.workspace_bytes <= plan(program, capacity, share=False).workspace_bytes


@settings(max_examples=30, deadline=None)
@given(program=random_programs(), capacity=st.integers(1, 300))
def test_a_compact_plan_has_no_padding_and_no_overlap(program, capacity):
    planned = plan(program, capacity, compact=True)
    assert list(overlapping_pairs(planned)) == []
    assert planned.workspace_bytes <= plan(program, capacity).workspace_bytes
    ends = {
        planned.places[v.id].offset + bytes_of(v, capacity) for v in program.values if planned.places[v.id].workspace
    }
    assert planned.workspace_bytes == max(ends, default=0)


@pytest.mark.parametrize("optimizer", [SGD(), Adam()])
def test_persistent_blocks_do_not_depend_on_the_batch_size(optimizer):
    spec = NetworkSpec(7, (5, 3), 2, output="softmax")
    program = training_program(spec, Objective("softmax_cross_entropy", l2=0.1), optimizer, "float32")
    small, large = plan(program, 1), plan(program, 512)
    assert small.persistent_bytes == large.persistent_bytes
    n_parameters = spec.n_weights + spec.n_biases
    assert small.persistent_bytes == 4 * n_parameters * (1 + len(optimizer.state))
    offsets, _ = layout(prediction_program(spec, "float32"))
    for name, offset in offsets.items():
        assert small.places[program.leaf(name).id].offset == large.places[program.leaf(name).id].offset == offset


def test_gradients_are_computed_right_where_they_are_packed():
    program = training_program(NetworkSpec(7, (5, 3), 2), Objective("squared_error"), Adam(), "float32")
    planned = plan(program, 16)
    for instruction in program.instructions:
        if instruction.op == "pack":
            at = planned.places[instruction.output.id].offset
            for part in instruction.inputs:
                assert planned.places[part.id].offset == at
                at += bytes_of(part, 0)


def test_elementwise_chains_run_in_place():
    b = Builder("float32")
    x = b.input("x", (M, 4))
    first = b.square(x)
    last = b.tanh(b.mul(b.sin(first), 2.0))
    planned = plan(b.build(y=last), 10)
    assert planned.places[first.id] == planned.places[last.id]
    assert planned.places[x.id] != planned.places[first.id]


def test_where_there_is_plenty_only_packed_values_share_memory(monkeypatch):
    monkeypatch.setattr("rosenblatt.ir.planner.ROOMY", 1 << 19)
    program = training_program(NetworkSpec(7, (5, 3), 2), Objective("squared_error"), Adam(), "float32")
    planned = plan(program, 16)
    assert planned.workspace_bytes > plan(program, 1 << 16).workspace_bytes / (1 << 12)
    places = [planned.places[i.output.id] for i in program.instructions if i.output is not None and not OPS[i.op].alias]
    packs = [i for i in program.instructions if i.op == "pack"]
    assert len(set(places)) == len(places) - len(packs)
    assert all(planned.is_done(i) for i in packs)


def test_a_loss_whose_targets_are_its_logits_is_not_in_place():
    b = Builder("float64")
    x = b.input("x", (M, 20))
    z = b.mul(x, 2.0)
    program = b.build(g=gradient(b, b.sum(b.softmax_cross_entropy_soft(z, z)), [x])[0])
    input_arrays = {"x": np.random.default_rng(0).normal(size=(4, 20))}
    program = eliminate_dead(program)
    found, alone = evaluate(program, input_arrays, 4), evaluate(program, input_arrays, 4, share=False)
    assert np.array_equal(found["g"], alone["g"])


def test_an_output_may_be_an_alias_of_an_input_a_leaf_or_a_pack():
    b = Builder("float64")
    x, w = b.input("x", (M, 4)), b.leaf("params", "w", (6,))
    part, row = b.view(w, offset=1, shape=(2, 2)), b.sum(x, axis=0)
    packed = b.pack(row, w, row, row)
    b.emit("assign", part, b.fill(value=7.0, shape=(2, 2)))
    program = b.build(
        x=b.reshape(x, shape=(4, M)),
        part=part,
        again=b.reshape(part, shape=(4,)),
        end=b.view(packed, offset=9, shape=(3,)),
        twice=b.mul(b.view(packed, offset=0, shape=(4,)), 2.0),
        w_before=b.view(packed, offset=4, shape=(6,)),
    )
    input_arrays = {"x": np.arange(12.0).reshape(3, 4), "w": np.arange(6.0)}
    found, expected = evaluate(program, input_arrays, 3), interpret(program, input_arrays, 3)
    for name, right in expected.items():
        assert np.array_equal(found[name], right), name
    assert found["part"].tolist() == [[7, 7], [7, 7]]


def test_a_result_is_not_in_place_over_memory_that_another_operand_views():
    b = Builder("float64")
    block = b.pack(b.sin(b.leaf("params", "w", (12,))))
    program = b.build(y=b.mul(b.reshape(block, shape=(3, 4)), b.view(block, offset=2, shape=(4,))))
    input_arrays = {"w": np.arange(12.0)}
    assert np.array_equal(evaluate(program, input_arrays, 1)["y"], evaluate(program, input_arrays, 1, share=False)["y"])


def test_a_plan_prints_every_value():
    program = prediction_program(NetworkSpec(3, (4,), 2), "float32")
    text = str(plan(program, 8))
    assert "plan for blocks of up to 8 rows: 104 bytes persist" in text
    for value in [leaf.value for leaf in program.leaves] + [i.output for i in program.instructions]:
        assert f"{value.name}: {value.type}" in text
