"""Every row of the op table: types, kernels and derivatives; and the references against oracles from elsewhere."""

from __future__ import annotations

import warnings
from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import special, stats
from sklearn.metrics import log_loss
from tests.ir.oracles import DTYPES, ROWS, call_reference, expected_results, samples

from rosenblatt.ir import reference
from rosenblatt.ir.duals import jvp
from rosenblatt.ir.ops import OPS, Sample, normalize_attrs
from rosenblatt.ir.ops.random import philox
from rosenblatt.ir.program import Builder
from rosenblatt.ir.types import Piece, ProgramError, Type, resolve

SPARSE = ("csr_matmul", "csr_matmul_transposed")

every_op = pytest.mark.parametrize("name", sorted(OPS))
differentiable_op = pytest.mark.parametrize("name", sorted(n for n, op in OPS.items() if op.vjp is not None))
every_dtype = pytest.mark.parametrize("dtype", DTYPES)
every_n_rows = pytest.mark.parametrize("n_rows", ROWS)


@every_op
@every_dtype
@every_n_rows
def test_infer_gives_the_type_of_the_result(name, dtype, n_rows):
    op = OPS[name]
    for sample in samples(name, dtype, n_rows):
        inferred = op.infer_checked(sample.types, normalize_attrs(op, sample.types, sample.attrs), dtype=dtype)
        results = call_reference(op, sample, dtype)
        if op.writes:
            assert inferred is None
            expected = [sample.types[i] for i in op.writes]
        else:
            expected = [inferred]
        for result, type_ in zip(results, expected, strict=True):
            assert (result.dtype, result.shape) == (type_.dtype, resolve(type_.shape, n_rows)), sample.label


@every_op
@every_dtype
@every_n_rows
def test_kernel_equals_reference(name, dtype, n_rows, run_kernel):
    op = OPS[name]
    for sample in samples(name, dtype, n_rows):
        before = [np.copy(a) for a in sample.arrays if isinstance(a, np.ndarray)]
        results = run_kernel(op, sample, dtype)
        expected, allowed = expected_results(op, sample, dtype)
        compare = (
            partial(assert_allclose, **allowed) if any(allowed.values()) else partial(assert_array_equal, strict=True)
        )
        for result, right in zip(results, expected, strict=True):
            assert result.dtype == right.dtype
            compare(result, right, err_msg=f"{name} {sample.label}")
        after = [a for a in sample.arrays if isinstance(a, np.ndarray)]
        assert all(np.array_equal(x, y, equal_nan=True) for x, y in zip(before, after, strict=True))


@every_dtype
def test_long_sums_keep_their_digits(dtype, run_kernel):
    x = np.random.default_rng(0).uniform(0, 1, (1_000_003, 1)).astype(dtype)
    exact = float(np.sum(x, dtype=np.longdouble))
    rtol = {"float32": 1e-6, "float64": 1e-13}[dtype]
    for name, axis, right in (("sum", None, exact), ("sum", 0, exact), ("mean", 0, exact / len(x))):
        sample = Sample((x,), (Type(dtype, x.shape),), {"axis": axis}, 1)
        assert_allclose(float(run_kernel(OPS[name], sample, dtype)[0].item()), right, rtol=rtol)


@differentiable_op
@every_n_rows
def test_forward_and_reverse_mode_agree(name, n_rows):
    op = OPS[name]
    rng = np.random.default_rng(3)
    smooth = [s for s in samples(name, "float64", n_rows) if s.smooth]
    assert smooth or n_rows == 0, f"{name} has no smooth samples"
    for sample in smooth:
        wrt = [i for i, t in enumerate(sample.types) if t.dtype == "float64" and not t.sparse]
        wrt = wrt if op.differentiable is None else list(op.differentiable)
        vectors = {i: rng.standard_normal(sample.arrays[i].shape) for i in wrt}
        attrs = reference.resolve_attrs(name, normalize_attrs(op, sample.types, sample.attrs), n_rows)
        tangents = [vectors.get(i) for i in range(len(sample.arrays))]
        with np.errstate(all="ignore"):
            value, tangent = jvp(partial(op.reference, **attrs), sample.arrays, tangents)
        assert np.shape(tangent) == np.shape(value)
        u = rng.standard_normal(np.shape(value))
        pulled = pull_back(op, sample, u)
        assert set(pulled) == set(wrt), f"{name} {sample.label}: cotangents for {set(pulled)}, not {set(wrt)}"
        left = np.sum(u * tangent)
        right = sum(np.sum(pulled[i] * vectors[i]) for i in wrt)
        scale = np.sum(np.abs(u * tangent)) + sum(np.sum(np.abs(pulled[i] * vectors[i])) for i in wrt)
        assert abs(left - right) <= 1e-12 * scale, f"{name} {sample.label}: {left} and {right}"


def pull_back(op, sample, u):
    """Jᵀu by the op's own rule: for each input that gets a cotangent, an array of the input's shape."""
    b = Builder("float64")
    leaves = [b.input(f"x{i}", t.shape, t.dtype, t.sparse) for i, t in enumerate(sample.types)]
    out = b.emit(op.name, *leaves, **sample.attrs)
    g = b.input("u", out.shape)
    rule = op.vjp(b, g, out, *leaves, **b.instructions[-1].attrs)
    assert len(rule) == len(leaves)
    pieces = {i: c if isinstance(c, Piece) else Piece(-1, c) for i, c in enumerate(rule) if c is not None}
    program = b.build(**{f"c{i}": piece.value for i, piece in pieces.items()})
    input_arrays = {f"x{i}": a for i, a in enumerate(sample.arrays)} | {"u": u}
    found = reference.interpret(program, input_arrays, sample.n_rows)
    result = {}
    for i, piece in pieces.items():
        cotangent = found[f"c{i}"]
        if piece.offset >= 0:
            block = np.zeros(sample.arrays[i].shape)
            block[piece.offset : piece.offset + cotangent.size] = cotangent.ravel()
            cotangent = block
        result[i] = sum_to_shape(cotangent, sample.arrays[i].shape)
    return result


def sum_to_shape(x, shape):
    x = x.sum(axis=tuple(range(x.ndim - len(shape))))
    axes = tuple(i for i, n in enumerate(shape) if n == 1 and x.shape[i] != 1)
    x = x.sum(axis=axes, keepdims=True)
    assert x.shape == shape
    return x


@pytest.mark.parametrize(
    ("name", "x", "y", "to_x", "to_y"),
    [
        ("maximum", 2.0, 2.0, 0.5, 0.5),
        ("minimum", 2.0, 2.0, 0.5, 0.5),
        ("power", -3.0, 2.0, -6.0, 0.0),
        ("power", 0.0, 2.0, 0.0, 0.0),
    ],
)
def test_conventions_at_kinks_of_two_operands(name, x, y, to_x, to_y):
    b = Builder("float64")
    leaves = [b.input("x", ()), b.input("y", ())]
    out = b.emit(name, *leaves)
    first, second = OPS[name].vjp(b, b.constant(1.0), out, *leaves)
    found = reference.interpret(b.build(first=first, second=second), {"x": x, "y": y}, 1)
    assert (found["first"], found["second"]) == (to_x, to_y)


@pytest.mark.parametrize("name", ["relu", "abs"])
def test_derivative_at_zero_is_zero(name):
    b = Builder("float64")
    x = b.input("x", ())
    (cotangent,) = OPS[name].vjp(b, b.constant(1.0), getattr(b, name)(x), x)
    assert reference.interpret(b.build(result=cotangent), {"x": 0.0}, 1)["result"] == 0


def test_ties_share_the_cotangent_of_a_maximum():
    b = Builder("float64")
    x = b.input("x", (4,))
    (cotangent,) = OPS["max"].vjp(b, b.constant(3.0), b.max(x), x, axis=-1, keepdims=0)
    found = reference.interpret(b.build(result=cotangent), {"x": [1.0, 7.0, 7.0, 7.0]}, 1)
    assert_array_equal(found["result"], [0, 1, 1, 1])


# Oracles from elsewhere -------------------------------------------------------------------------------------------


RNG = np.random.default_rng(5)
LOGITS = RNG.normal(0, 3, (50, 4))
LABELS = RNG.integers(0, 4, 50).astype(np.int32)


@pytest.mark.parametrize(
    ("name", "oracle"),
    [
        ("logistic", special.expit),
        ("erf", special.erf),
        ("softplus", lambda x: -special.log_expit(-x)),
        ("softmax", lambda x: special.softmax(x, axis=1)),
        ("relu", lambda x: np.where(x > 0, x, 0)),
        ("sum_squares", lambda x: np.linalg.norm(x) ** 2),
    ],
)
def test_reference_of_one_operand(name, oracle):
    x = np.concatenate([LOGITS, [[-700.0, 700.0, 30.0, -30.0]]])
    assert_allclose(OPS[name].reference(x), oracle(x), rtol=2e-13)


def test_cross_entropies_are_those_of_scikit_learn():
    probabilities = special.softmax(LOGITS, axis=1)
    right = log_loss(LABELS, probabilities)
    onehot = np.eye(4)[LABELS]
    eps = np.finfo(float).eps
    for clip in (0.0, eps):
        assert_allclose(OPS["softmax_cross_entropy"].reference(LOGITS, LABELS, clip=clip).mean(), right, rtol=1e-13)
        assert_allclose(
            OPS["softmax_cross_entropy_soft"].reference(LOGITS, onehot, clip=clip).mean(), right, rtol=1e-13
        )
        z, y = LOGITS[:, 0], (LABELS == 1).astype(float)
        binary = OPS["logistic_cross_entropy"].reference(z, y, clip=clip)
        assert_allclose(binary.mean(), log_loss(y, special.expit(z)), rtol=1e-13)


def test_clipped_losses_are_those_of_scikit_learn_at_extreme_logits():
    from sklearn.neural_network._base import LOSS_FUNCTIONS as theirs

    z = np.array([[-800.0], [800.0], [40.0], [0.3]])
    y = np.array([[1.0], [0.0], [1.0], [0.0]])
    eps = np.finfo(float).eps
    ours = OPS["logistic_cross_entropy"].reference(z, y, clip=eps)
    assert_allclose(ours.mean(), theirs["binary_log_loss"](y, special.expit(z)), rtol=1e-13)
    logits = np.array([[900.0, 0.0, -900.0], [1.0, 2.0, 3.0]])
    labels = np.array([2, 0], np.int32)
    ours = OPS["softmax_cross_entropy"].reference(logits, labels, clip=eps)
    assert_allclose(ours.mean(), theirs["log_loss"](np.eye(3)[labels], special.softmax(logits, axis=1)), rtol=1e-13)


def test_poisson_loss_is_scikit_learns():
    from sklearn.neural_network._base import LOSS_FUNCTIONS as theirs

    z = LOGITS[:, :1]
    y = np.abs(LABELS[:, None]).astype(float)
    assert_allclose(OPS["poisson_loss"].reference(z, y).mean(), theirs["poisson"](y, np.exp(z)), rtol=1e-13)


@pytest.mark.parametrize("nesterov", [0, 1])
def test_sgd_update_is_scikit_learns(nesterov):
    from sklearn.neural_network._stochastic_optimizers import SGDOptimizer

    theirs = [RNG.normal(size=(3, 2))]
    param, velocity = theirs[0].copy(), np.zeros((3, 2))
    optimizer = SGDOptimizer(theirs, learning_rate_init=0.1, momentum=0.7, nesterov=bool(nesterov))
    for _ in range(5):
        grad = RNG.normal(size=(3, 2))
        optimizer.update_params(theirs, [grad])
        param, velocity = OPS["sgd_update"].reference(param, velocity, grad, 0.1, 0.7, 0.0, nesterov=nesterov)
        assert_allclose(param, theirs[0], rtol=1e-14)


def test_adam_update_is_scikit_learns():
    from sklearn.neural_network._stochastic_optimizers import AdamOptimizer

    theirs = [RNG.normal(size=(3, 2))]
    state = [theirs[0].copy(), np.zeros((3, 2)), np.zeros((3, 2))]
    optimizer = AdamOptimizer(theirs, learning_rate_init=0.01, beta_1=0.8, beta_2=0.95, epsilon=1e-6)
    for step in range(1, 6):
        grad = RNG.normal(size=(3, 2))
        optimizer.update_params(theirs, [grad])
        step_size = 0.01 * np.sqrt(1 - 0.95**step) / (1 - 0.8**step)
        state = OPS["adam_update"].reference(
            *state, grad, step_size, 0.0, 1.0, 0.0, beta_1=0.8, beta_2=0.95, epsilon=1e-6
        )
        assert_allclose(state[0], theirs[0], rtol=1e-13)


@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [
        ((0, 0, 0, 0), (0, 0), "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            "d16cfe09 94fdcceb 5001e420 24126ea1",
        ),
    ],
)
def test_philox_gives_the_published_words(counter, key, words):
    # The known answers that Random123, the generator's original library, is tested with.
    found = philox(np.array([counter], np.uint64), key)[0]
    assert [int(w) for w in found] == [int(w, 16) for w in words.split()]


def mask(shape, key, rate=0.4, stream=2):
    return OPS["dropout_mask"].reference(np.array(key, np.int32), np.float64(rate), shape=shape, stream=stream)


def test_dropout_mask_does_not_depend_on_blocks_of_rows():
    whole = mask((10, 3, 5), (7, 8, 1, 0))
    assert_array_equal(mask((4, 3, 5), (7, 8, 1, 6)), whole[6:])


def test_dropout_mask_keeps_the_mean_and_changes_with_its_key():
    whole = mask((200, 100), (7, 8, 1, 0))
    assert set(np.unique(whole)) == {0.0, 1 / 0.6}
    assert abs(whole.mean() - 1) < 0.03
    for other in (
        mask((200, 100), (8, 8, 1, 0)),
        mask((200, 100), (7, 8, 2, 0)),
        mask((200, 100), (7, 8, 1, 0), stream=3),
    ):
        assert abs(np.corrcoef(whole.ravel(), other.ravel())[0, 1]) < 0.03


def noise(shape, key, stream=2):
    return OPS["normal_noise"].reference(np.array(key, np.int32), shape=shape, stream=stream, dtype="float64")


def test_normal_noise_does_not_depend_on_blocks_of_rows():
    whole = noise((10, 3, 5), (7, 8, 1, 0))
    assert_array_equal(noise((3, 3, 5), (7, 8, 1, 7)), whole[7:])


def test_normal_noise_is_standard_normal_and_changes_with_its_key():
    whole = noise((500, 101), (7, 8, 1, 0)).ravel()
    statistic, p = stats.kstest(whole, "norm")
    assert p > 0.01, statistic
    assert abs(stats.kurtosis(whole)) < 0.1
    for lag in (1, 2, 3, 4, 101):
        assert abs(np.corrcoef(whole[:-lag], whole[lag:])[0, 1]) < 0.02
        assert abs(np.corrcoef(np.abs(whole[:-lag]), np.abs(whole[lag:]))[0, 1]) < 0.02
    for other in (
        noise((500, 101), (8, 8, 1, 0)),
        noise((500, 101), (7, 8, 2, 0)),
        noise((500, 101), (7, 8, 1, 0), stream=3),
    ):
        assert abs(np.corrcoef(whole, other.ravel())[0, 1]) < 0.02


@every_dtype
def test_normal_noise_is_the_same_in_both_types(dtype, run_kernel):
    key = np.array([7, 8, 1, 3], np.int32)
    sample = Sample((key,), (Type("int32", (4,)),), {"shape": (200, 33), "stream": 5}, 1)
    found = run_kernel(OPS["normal_noise"], sample, dtype)[0]
    right = noise((200, 33), key, 5)
    assert_allclose(found, right, rtol=0, atol=16 * np.finfo(dtype).eps)


# What the rules refuse --------------------------------------------------------------------------------------------


def build(op, *shapes, dtype="float32", **attrs):
    b = Builder(dtype)
    leaves = []
    for i, shape in enumerate(shapes):
        type_ = shape if isinstance(shape, Type) else Type(dtype, shape)
        leaves.append(b.input(f"x{i}", type_.shape, type_.dtype, type_.sparse))
    return b.emit(op, *leaves, **attrs)


INT = partial(Type, "int32")
REFUSED = [
    ("add", [(-1, 3), (-1, 4)], {}, r"add\(f32\[m, 3\], f32\[m, 4\]\): shapes \[m, 3\], \[m, 4\] do not broadcast"),
    ("add", [(-1,), (-2,)], {}, r"\[m\], \[2m\] do not broadcast"),
    ("add", [(3,), Type("float64", (3,))], {}, "float32, float64; they must agree"),
    ("add", [(3,), INT((3,))], {}, r"given i32\[3\]; every float operand must be a dense float32 or float64"),
    ("add", [(3,)], {}, "takes 2 operands, 1 given"),
    ("pack", [], {}, "takes at least one operand, none given"),
    ("relu", [Type("float32", (-1, 3), True)], {}, r"given csr f32\[m, 3\]"),
    ("relu_backward", [(3,), (1,)], {}, "must be equal"),
    ("matmul", [(-1, 3), (4, 2)], {}, "the summed dimensions are 3 and 4; they must be equal"),
    ("matmul", [(-1, 3), (4, 3)], {"transpose_a": 1, "transpose_b": 1}, "are m and 3"),
    ("matmul", [(3,), (3, 2)], {}, "the first operand must have 2 axes, given"),
    ("matmul", [(3, 3), (3, 2)], {"transpose_c": 1}, "no attribute transpose_c; allowed: transpose_a, transpose_b"),
    ("csr_matmul", [(-1, 3), (3, 2)], {}, "must be a csr matrix"),
    ("csr_matmul", [Type("float32", (-1, 3), True), (4, 2)], {}, "3 and 4"),
    ("csr_matmul_transposed", [Type("float32", (-1, 3), True), (4, 2)], {}, "m and 4"),
    ("sum", [(2, 3)], {"axis": 2}, "axis is 2; f32.* has 2 axes"),
    ("sum", [(2, 3)], {"axis": "rows"}, "axis is 'rows'"),
    ("sum", [(2, 3)], {"axis": 0, "keepdims": 0.5}, "'keepdims' is 0.5; it takes 0 or 1"),
    ("sum", [(2, 3)], {"axis": 0, "keepdims": 2}, "'keepdims' is 2; it takes 0 or 1"),
    ("matmul", [(3, 3), (3, 3)], {"transpose_b": 2}, "'transpose_b' is 2; it takes 0 or 1"),
    ("broadcast_to", [(2, 3)], {"shape": (3, 3)}, r"\[2, 3\] does not broadcast to \[3, 3\]"),
    ("broadcast_to", [(2, 3)], {"shape": 3}, "'shape' is 3; it takes a shape"),
    ("broadcast_to", [(3,)], {"shape": (1, 1, 1, 1, 3)}, "at most 4 axes"),
    ("reshape", [(-1, 6)], {"shape": (-3, 3)}, r"\[m, 6\] cannot become \[3m, 3\]"),
    ("reshape", [(6,)], {}, "attribute 'shape' is missing"),
    ("view", [(6,)], {"offset": 3, "shape": (2, 2)}, "elements 3 to 7 are outside the block, which has 6"),
    ("view", [(-1,)], {"offset": 0, "shape": (1,)}, "must not depend on the rows"),
    ("pack", [(-1,)], {}, "must not depend on the rows"),
    ("concat", [(-1, 2), (-1, 2)], {"axis": 0}, "must not depend on the rows"),
    ("concat", [(2, 2), (3, 2)], {"axis": 1}, "must be equal but for axis 1"),
    ("concat", [(2, 2), (3, 2)], {"axis": None}, "give a single axis"),
    ("slice", [(5,)], {"axis": 0, "start": 2, "stop": 6}, "start is 2 and stop 6; 0 <= start <= stop <= 5"),
    ("slice", [(-1,)], {"axis": 0, "start": 0, "stop": 1}, "must not depend on the rows"),
    ("pad", [(5,)], {"axis": 0, "before": -1, "after": 6}, "neither may be negative"),
    ("transpose", [(2, 3)], {"axes": (0, 0)}, "must be a permutation of the 2 axes"),
    ("transpose", [(2, 3)], {"axes": (0, 1.5)}, "it takes integers"),
    ("gather_rows", [(5, 3), INT((-1, 2))], {}, "the row indices must have 1 axes, given i32"),
    ("gather_rows", [(-1, 3), INT((-1,))], {}, "must not depend on the rows"),
    ("gather_rows", [(5, 3), (-1,)], {}, "the row indices are f32"),
    ("scatter_add_rows", [(-1, 3), INT((4,))], {"n_rows": 5}, r"they must be i32\[m\]"),
    ("scatter_add_rows", [(-1, 3), INT((-1,))], {"n_rows": -1}, "n_rows is -1"),
    ("one_hot", [INT((-1, 2))], {"n": 3}, "the labels must have 1 axes, given i32"),
    ("one_hot", [(-1,)], {"n": 3}, r"the labels are f32\[m\]; they must be i32\[m\]"),
    ("one_hot", [INT((-1,))], {"n": 0}, "n is 0; it must be 1 or more"),
    ("softmax", [(-1,)], {}, "the first operand must have 2 axes, given"),
    ("softmax", [(-1, 0)], {}, "its second axis must be 1 or more"),
    ("softmax_cross_entropy", [(-1, 3), INT((-1, 3))], {}, r"the labels are i32\[m, 3\]; they must be i32\[m\]"),
    ("softmax_cross_entropy", [(-1, 3), INT((-1,))], {"clip": 0.5}, "clip is 0.5; 0 <= clip < 0.5"),
    ("softmax_cross_entropy_grad", [(-1, 3), INT((-1,)), ()], {}, "must be equal"),
    ("softmax_cross_entropy_soft", [(-1, 3), (-1, 4)], {}, "must be equal"),
    ("softmax_cross_entropy_soft_grad", [(-1, 3), (-1, 3), (-1, 3)], {}, "must be equal"),
    ("squared_error", [(-1, 1), (-1,)], {}, r"the shapes are \[m, 1\], \[m\]; they must be equal"),
    ("dropout_mask", [INT((2,)), ()], {"shape": (3,), "stream": 0}, r"the key is i32\[2\]; it must be i32\[4\]"),
    ("dropout_mask", [INT((4,)), ()], {"shape": (3, -1), "stream": 0}, "only its first dimension"),
    ("dropout_mask", [INT((4,)), (1,)], {"shape": (3,), "stream": 0}, "the rate must have 0 axes"),
    ("normal_noise", [INT((2,))], {"shape": (3,), "stream": 0}, r"the key is i32\[2\]; it must be i32\[4\]"),
    ("normal_noise", [INT((4,))], {"shape": (3, -1), "stream": 0}, "only its first dimension"),
    ("sgd_update", [(3,), (3,), (3,), (3,), (), ()], {"nesterov": 0}, "a scalar operand must have 0 axes"),
    ("accumulate", [(3,), ()], {}, "must be equal"),
]


@pytest.mark.parametrize(("op", "shapes", "attrs", "message"), REFUSED)
def test_operands_that_do_not_fit_are_refused(op, shapes, attrs, message):
    with pytest.raises(ProgramError, match=message):
        build(op, *shapes, **attrs)


# The table itself -------------------------------------------------------------------------------------------------


def test_table_is_read_only_and_consistent():
    with pytest.raises(TypeError):
        OPS["add"] = OPS["mul"]
    for name, op in OPS.items():
        assert name == op.name
        assert set(op.defaults) <= set(op.attrs)
        assert "ints" not in list(op.attrs.values())[:-1]
        assert not (op.writes and (op.vjp or op.in_place or op.alias))
        # Differentiating a loss's own gradient rule again is an error rather than a silent zero.
        constant = op.differentiable == () or op.arity == 0 or name.endswith("_grad")
        assert (op.vjp is None) <= constant, f"{name} has no derivative; say so"


def test_normalized_attributes_are_in_the_order_of_the_table():
    attrs = normalize_attrs(OPS["matmul"], (Type("float32", (2, 2)),) * 2, {"transpose_b": True})
    assert list(attrs.items()) == [("transpose_a", 0), ("transpose_b", 1)]
    assert normalize_attrs(OPS["sum"], (Type("float32", (2, 3)),), {}) == {"axis": -1, "keepdims": 0}
    assert normalize_attrs(OPS["sum"], (Type("float32", (2, 3)),), {"axis": -1})["axis"] == 1


@every_op
def test_references_do_not_warn_on_smooth_samples(name):
    op = OPS[name]
    for sample in samples(name, "float32", 7):
        if sample.smooth:
            attrs = reference.resolve_attrs(name, normalize_attrs(op, sample.types, sample.attrs), 7)
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                op.evaluate(sample.arrays, attrs, "float32")
