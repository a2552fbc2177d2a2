"""Losses, one number per row or per element, and the softmax.

Takes logits or predictions, and targets. Returns losses in nats. Never reduces them: weights and means are composed
from `mul`, `sum` and `mean`.

``clip`` is scikit-learn's: a probability is clipped to ``[clip, 1 - clip]`` before its logarithm is taken, so that its
reported losses can be reproduced. 0 means the exact form from logits, which needs no clipping. Gradients ignore it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from rosenblatt.ir.ops._record import Op, Sample
from rosenblatt.ir.ops._rules import (
    Shape,
    draw,
    each,
    float_dtype,
    full,
    make_sample,
    require_indices,
    require_rank,
    require_same_shape,
    same_shape,
    show,
    uniform,
)
from rosenblatt.ir.ops.elementwise import logistic
from rosenblatt.ir.types import M, ProgramError, Type, Value, resolve

if TYPE_CHECKING:
    from rosenblatt.ir.program import Builder

ROWS: tuple[Shape, ...] = ((M, 3), (M, 1), (M, 10), (M, 37), (5, 2))
ANY: tuple[Shape, ...] = ((), (37,), (M,), (M, 1), (M, 3), (2, M, 5), (2, 3, M, 1))
LARGE = np.array([[0.0, 0.0, 0.0], [100.0, -100.0, 0.0], [-800.0, 800.0, 799.0], [-1e4, 1e4, 2.0]])
"""Logits at which a naive exponential overflows, or a naive logarithm is that of zero."""


def _require_rows(logits: Type) -> str:
    dtype = float_dtype(logits)
    require_rank("the first operand", logits, 2)
    if logits.shape[1] < 1:
        raise ProgramError(f"the first operand is {logits}; its second axis must be 1 or more")
    return dtype


def _require_clip(clip: float) -> None:
    if not 0 <= clip < 0.5:
        raise ProgramError(f"clip is {clip:g}; 0 <= clip < 0.5 is allowed")


# softmax ---------------------------------------------------------------------------------------------------------


def _softmax_infer(x: Type) -> Type:
    return Type(_require_rows(x), x.shape)


def _log_softmax(logits: Any) -> Any:
    shifted = logits - np.max(logits, axis=1, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))


def _softmax(logits: Any) -> Any:
    exps = np.exp(logits - np.max(logits, axis=1, keepdims=True))
    return exps / np.sum(exps, axis=1, keepdims=True)


def _softmax_samples(rng: np.random.Generator, dtype: str, n_rows: int) -> Iterator[Sample]:
    yield from each(rng, dtype, n_rows, *((shape,) for shape in ROWS))
    yield make_sample([LARGE.astype(dtype)], [LARGE.shape], n_rows, "large", smooth=False)


def _softmax_vjp(b: Builder, g: Value, out: Value, x: Value) -> tuple[Value]:
    return (b.mul(out, b.sub(g, b.sum(b.mul(g, out), axis=1, keepdims=1))),)


# Softmax cross-entropy with one right class ----------------------------------------------------------------------


def _class_infer(logits: Type, labels: Type, *, clip: float) -> Type:
    dtype = _require_rows(logits)
    require_indices("the labels", labels, logits.shape[0])
    _require_clip(clip)
    return Type(dtype, logits.shape[:1])


def _class_loss(logits: Any, labels: Any, *, clip: float) -> Any:
    if clip:
        return _picked_loss(_softmax(logits), labels, clip=clip)
    return -_log_softmax(logits)[np.arange(len(labels)), labels]


def _class_grad_infer(logits: Type, labels: Type, g: Type) -> Type:
    dtype = _require_rows(logits)
    require_indices("the labels", labels, logits.shape[0])
    float_dtype(logits, g)
    require_same_shape(Type(dtype, logits.shape[:1]), g)
    return Type(dtype, logits.shape)


def _class_vjp(b: Builder, g: Value, out: Value, logits: Value, labels: Value, *, clip: float) -> tuple[Value, None]:
    return b.softmax_cross_entropy_grad(logits, labels, full(b, g, out)), None


def _class_arrays(rng: np.random.Generator, dtype: str, n_rows: int) -> Iterator[tuple[list[Any], list[Shape], bool]]:
    for shape in ROWS:
        real = resolve(shape, n_rows)
        labels = rng.integers(0, real[1], real[0], dtype=np.int32)
        yield [draw(rng, dtype, real), labels], [shape, shape[:1]], True
    for label in range(3):
        labels = np.full(len(LARGE), label, np.int32)
        yield [LARGE.astype(dtype), labels], [LARGE.shape, LARGE.shape[:1]], False


def _class_samples(rng: np.random.Generator, dtype: str, n_rows: int) -> Iterator[Sample]:
    for arrays, shapes, smooth in _class_arrays(rng, dtype, n_rows):
        for clip in (0.0, float(np.finfo(dtype).eps)):
            # With one class the probability is 1, which clipping changes. Its derivative is 0, like the exact one.
            label = f"{show(shapes[0])}, clip {clip:g}"
            yield make_sample(arrays, shapes, n_rows, label, smooth, clip=clip)


def _class_grad_samples(rng: np.random.Generator, dtype: str, n_rows: int) -> Iterator[Sample]:
    for arrays, shapes, smooth in _class_arrays(rng, dtype, n_rows):
        g = draw(rng, dtype, arrays[1].shape)
        yield make_sample([*arrays, g], [*shapes, shapes[1]], n_rows, smooth=smooth)


# The same from probabilities, where loss and gradient share one softmax -------------------------------------------


def _picked_loss(p: Any, labels: Any, *, clip: float) -> Any:
    return -np.log(np.clip(p[np.arange(len(labels)), labels], clip, 1 - clip))


def _picked_vjp(b: Builder, g: Value, out: Value, p: Value, labels: Value, *, clip: float) -> tuple[Value, None]:
    zero_one = b.sub(p, b.picked_cross_entropy_grad(p, labels, b.fill(value=1.0, shape=out.shape)))
    rows = b.reshape(full(b, g, out), shape=(*out.shape, 1))
    return b.neg(b.mul(rows, b.div(zero_one, p))), None


def _picked_grad(p: Any, labels: Any, g: Any) -> Any:
    onehot = (np.arange(p.shape[1]) == labels[:, None]).astype(p.dtype)
    return g[:, None] * (p - onehot)


def _picked_samples(of_logits: Any, rng: np.random.Generator, dtype: str, n_rows: int) -> Iterator[Sample]:
    """The samples of the same op of logits, with nonzero probabilities in their place."""
    for sample in of_logits(rng, dtype, n_rows):
        p, one = _softmax(sample.arrays[0]), sample.arrays[0].dtype.type
        yield replace(sample, arrays=(p * one(0.9) + one(0.01), *sample.arrays[1:]))


# Softmax cross-entropy with a distribution as target -------------------------------------------------------------


def _soft_infer(logits: Type, targets: Type, *, clip: float) -> Type:
    dtype = _require_rows(logits)
    same_shape(logits, targets)
    _require_clip(clip)
    return Type(dtype, logits.shape[:1])


def _soft_loss(logits: Any, targets: Any, *, clip: float) -> Any:
    log_p = np.log(np.clip(_softmax(logits), clip, 1 - clip)) if clip else _log_softmax(logits)
    return -np.sum(targets * log_p, axis=1)


def _soft_grad_infer(logits: Type, targets: Type, g: Type) -> Type:
    dtype = _require_rows(logits)
    same_shape(logits, targets)
    float_dtype(logits, g)
    require_same_shape(Type(dtype, logits.shape[:1]), g)
    return Type(dtype, logits.shape)


def _soft_grad(logits: Any, targets: Any, g: Any) -> Any:
    return g[:, None] * (_softmax(logits) * np.sum(targets, axis=1, keepdims=True) - targets)


def _soft_vjp(b: Builder, g: Value, out: Value, logits: Value, targets: Value, *, clip: float) -> tuple[Value, None]:
    return b.softmax_cross_entropy_soft_grad(logits, targets, full(b, g, out)), None


def _soft_arrays(rng: np.random.Generator, dtype: str, n_rows: int) -> Iterator[tuple[list[Any], Shape, bool]]:
    for shape in ROWS:
        real = resolve(shape, n_rows)
        yield [draw(rng, dtype, real), uniform(rng, dtype, real, 0.0, 1.0)], shape, True
    yield [LARGE.astype(dtype), np.asarray(np.eye(4)[:, :3], dtype)], LARGE.shape, False


def _soft_samples(rng: np.random.Generator, dtype: str, n_rows: int) -> Iterator[Sample]:
    for arrays, shape, smooth in _soft_arrays(rng, dtype, n_rows):
        for clip in (0.0, float(np.finfo(dtype).eps)):
            yield make_sample(arrays, [shape, shape], n_rows, f"{show(shape)}, clip {clip:g}", smooth, clip=clip)


def _soft_grad_samples(rng: np.random.Generator, dtype: str, n_rows: int) -> Iterator[Sample]:
    for arrays, shape, smooth in _soft_arrays(rng, dtype, n_rows):
        g = draw(rng, dtype, resolve(shape[:1], n_rows))
        yield make_sample([*arrays, g], [shape, shape, shape[:1]], n_rows, smooth=smooth)


# Logistic cross-entropy ------------------------------------------------------------------------------------------


def _logistic_infer(logits: Type, targets: Type, *, clip: float) -> Type:
    _require_clip(clip)
    return same_shape(logits, targets)


def _logistic_loss(logits: Any, targets: Any, *, clip: float) -> Any:
    if clip:
        p = np.clip(logistic(logits), clip, 1 - clip)
        return -(targets * np.log(p) + (1 - targets) * np.log(1 - p))
    return np.logaddexp(0, logits) - targets * logits


def _logistic_vjp(
    b: Builder, g: Value, out: Value, logits: Value, targets: Value, *, clip: float
) -> tuple[Value, None]:
    return b.logistic_cross_entropy_grad(logits, targets, full(b, g, out)), None


def _logistic_grad_vjp(
    b: Builder, u: Value, out: Value, logits: Value, targets: Value, g: Value
) -> tuple[Value, None, Value]:
    p = b.logistic(logits)
    return b.logistic_backward(b.mul(full(b, u, out), g), p), None, b.mul(u, b.sub(p, targets))


def _logistic_samples(rng: np.random.Generator, dtype: str, n_rows: int) -> Iterator[Sample]:
    for clip in (0.0, float(np.finfo(dtype).eps)):
        for shape in ANY:
            real = resolve(shape, n_rows)
            arrays = [draw(rng, dtype, real), uniform(rng, dtype, real, 0.0, 1.0)]
            yield make_sample(arrays, [shape, shape], n_rows, f"{show(shape)}, clip {clip:g}", clip=clip)
        logits = np.array([0.0, 50.0, -50.0, 50.0, -50.0, 800.0, -800.0], dtype)
        targets = np.array([0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0], dtype)
        yield make_sample([logits, targets], [(7,), (7,)], n_rows, f"large, clip {clip:g}", smooth=False, clip=clip)


# Squared error and Poisson deviance ------------------------------------------------------------------------------


def _squared_error_vjp(b: Builder, g: Value, out: Value, prediction: Value, target: Value) -> tuple[Value, Value]:
    to_prediction = b.mul(b.sub(prediction, target), b.mul(g, 2.0))
    return to_prediction, b.neg(to_prediction)


def _equal_samples(arity: int, rng: np.random.Generator, dtype: str, n_rows: int) -> Iterator[Sample]:
    return each(rng, dtype, n_rows, *((shape,) * arity for shape in ANY))


def _poisson_loss(z: Any, target: Any) -> Any:
    # y log(y / p) - y + p with p = exp(z), and y log y = 0 at y = 0: scikit-learn's half Poisson deviance.
    y_log_y = target * np.log(np.where(np.greater(target, 0), target, 1))
    return y_log_y - target * z - target + np.exp(z)


def _poisson_vjp(b: Builder, g: Value, out: Value, z: Value, target: Value) -> tuple[Value, None]:
    return b.mul(g, b.sub(b.exp(z), target)), None


def _poisson_samples(rng: np.random.Generator, dtype: str, n_rows: int) -> Iterator[Sample]:
    for shape in ANY:
        real = resolve(shape, n_rows)
        counts = np.asarray(rng.poisson(1.0, real), dtype)
        yield make_sample([draw(rng, dtype, real), counts], [shape, shape], n_rows)


def _op(name: str, infer: Callable[..., Type], reference: Any, samples: Any, vjp: Any, **more: Any) -> Op:
    """A loss of (logits, targets) with a derivative only for the logits, unless `more` says otherwise."""
    return Op(name, 2, infer, reference, samples, vjp, **{"differentiable": (0,), **more})


CLIP: dict[str, Any] = {"attrs": {"clip": "float"}, "defaults": {"clip": 0.0}}

RECORDS = (
    Op("softmax", 1, _softmax_infer, _softmax, _softmax_samples, _softmax_vjp, in_place=(0,)),
    _op("softmax_cross_entropy", _class_infer, _class_loss, _class_samples, _class_vjp, **CLIP),
    Op(
        "softmax_cross_entropy_grad",
        3,
        _class_grad_infer,
        lambda logits, labels, g: _picked_grad(_softmax(logits), labels, g),
        _class_grad_samples,
        differentiable=(0, 2),
        in_place=(0,),
    ),
    _op(
        "picked_cross_entropy",
        _class_infer,
        _picked_loss,
        partial(_picked_samples, _class_samples),
        _picked_vjp,
        **CLIP,
    ),
    Op(
        "picked_cross_entropy_grad",
        3,
        _class_grad_infer,
        _picked_grad,
        partial(_picked_samples, _class_grad_samples),
        differentiable=(0, 2),
        in_place=(0,),
    ),
    _op("softmax_cross_entropy_soft", _soft_infer, _soft_loss, _soft_samples, _soft_vjp, **CLIP),
    Op(
        "softmax_cross_entropy_soft_grad",
        3,
        _soft_grad_infer,
        _soft_grad,
        _soft_grad_samples,
        differentiable=(0, 2),  # not in place: the targets, which may be the logits themselves, are read again
    ),
    _op("logistic_cross_entropy", _logistic_infer, _logistic_loss, _logistic_samples, _logistic_vjp, **CLIP),
    Op(
        "logistic_cross_entropy_grad",
        3,
        same_shape,
        lambda logits, targets, g: g * (logistic(logits) - targets),
        partial(_equal_samples, 3),
        _logistic_grad_vjp,
        differentiable=(0, 2),
        in_place=(0,),
    ),
    _op(
        "squared_error",
        same_shape,
        lambda prediction, target: np.square(prediction - target),
        partial(_equal_samples, 2),
        _squared_error_vjp,
        differentiable=(0, 1),
    ),
    _op("poisson_loss", same_shape, _poisson_loss, _poisson_samples, _poisson_vjp),
)
