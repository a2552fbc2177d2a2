"""Ops that change persistent values: optimizer steps, accumulation, assignment.

Takes parameters, optimizer state, a gradient and scalars. Returns nothing: the first operands are changed in place, and
the references return their new values. Never has a derivative.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from rosenblatt.ir.ops._record import Op, Sample
from rosenblatt.ir.ops._rules import Shape, draw, float_dtype, make_sample, require_rank, require_same_shape, uniform
from rosenblatt.ir.types import Type

SHAPES: tuple[Shape, ...] = ((), (1,), (37,), (0,), (5, 3), (64,), (2, 3, 1, 7))


def _infer(n_arrays: int, *types: Type, **_: Any) -> None:
    """All arrays have the same shape; scalars follow them."""
    float_dtype(*types)
    require_same_shape(*types[:n_arrays])
    for scalar in types[n_arrays:]:
        require_rank("a scalar operand", scalar, 0)


def _sgd(
    param: Any, velocity: Any, grad: Any, learning_rate: Any, momentum: Any, decay: Any, *, nesterov: int
) -> tuple[Any, Any]:
    # Sutskever et al. (2013), in scikit-learn's form; decay is the factor of an L2 penalty's gradient.
    grad = grad + decay * param
    velocity = momentum * velocity - learning_rate * grad
    return param + (momentum * velocity - learning_rate * grad if nesterov else velocity), velocity


def _adam(
    param: Any,
    first: Any,
    second: Any,
    grad: Any,
    step_size: Any,
    gradient_step: Any,
    denominator_scale: Any,
    decay: Any,
    *,
    beta_1: float,
    beta_2: float,
    epsilon: float,
) -> tuple[Any, Any, Any]:
    # Kingma and Ba (2015); the corrections of the bias are in step_size and denominator_scale. Nadam (Dozat 2016) adds
    # gradient_step times the gradient itself.
    grad = grad + decay * param
    first = beta_1 * first + (1 - beta_1) * grad
    second = beta_2 * second + (1 - beta_2) * np.square(grad)
    step = (step_size * first + gradient_step * grad) / (np.sqrt(second) * denominator_scale + epsilon)
    return param - step, first, second


def _rms(
    param: Any,
    square: Any,
    velocity: Any,
    grad: Any,
    rate: Any,
    momentum: Any,
    decay: Any,
    *,
    keep: float,
    gain: float,
    epsilon: float,
) -> tuple[Any, Any, Any]:
    # RMSProp (Tieleman and Hinton 2012) in PyTorch's form; with keep = gain = 1 and no momentum AdaGrad (Duchi et al.
    # 2011).
    grad = grad + decay * param
    square = keep * square + gain * np.square(grad)
    velocity = momentum * velocity + grad / (np.sqrt(square) + epsilon)
    return param - rate * velocity, square, velocity


def _blend(target: Any, value: Any, keep: Any, gain: Any) -> tuple[Any]:
    return (keep * target + gain * value,)


def _samples(
    n_arrays: int, n_scalars: int, cases: tuple[dict[str, Any], ...], rng: np.random.Generator, dtype: str, n_rows: int
) -> Iterator[Sample]:
    for shape in SHAPES:
        for attrs in cases:
            arrays = [draw(rng, dtype, shape) for _ in range(n_arrays)]
            if n_arrays == 4:
                squares = 1 if "keep" in attrs else 2
                arrays[squares] = np.square(arrays[squares])  # a second moment is not negative
            scalars = [uniform(rng, dtype, (), 0.1, 0.9) for _ in range(n_scalars)]
            shapes: list[Shape] = [shape] * n_arrays + [()] * n_scalars
            yield make_sample([*arrays, *scalars], shapes, n_rows, **attrs)


def _update(
    name: str,
    n_arrays: int,
    n_scalars: int,
    reference: Callable[..., Any],
    writes: tuple[int, ...],
    attrs: dict[str, str],
    cases: tuple[dict[str, Any], ...],
) -> Op:
    return Op(
        name,
        n_arrays + n_scalars,
        partial(_infer, n_arrays),
        reference,
        partial(_samples, n_arrays, n_scalars, cases),
        attrs=attrs,
        differentiable=(),
        writes=writes,
    )


ADAM_ATTRS = {"beta_1": "float", "beta_2": "float", "epsilon": "float"}
ADAM_CASES = ({"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8}, {"beta_1": 0.0, "beta_2": 0.5, "epsilon": 1e-3})
RMS_ATTRS = {"keep": "float", "gain": "float", "epsilon": "float"}
RMS_CASES = ({"keep": 0.99, "gain": 0.01, "epsilon": 1e-8}, {"keep": 1.0, "gain": 1.0, "epsilon": 1e-3})

RECORDS = (
    _update("sgd_update", 3, 3, _sgd, (0, 1), {"nesterov": "flag"}, ({"nesterov": 0}, {"nesterov": 1})),
    _update("adam_update", 4, 4, _adam, (0, 1, 2), ADAM_ATTRS, ADAM_CASES),
    _update("rms_update", 4, 3, _rms, (0, 1, 2), RMS_ATTRS, RMS_CASES),
    _update("blend", 2, 2, _blend, (0,), {}, ({},)),
    _update("accumulate", 2, 0, lambda target, value: (target + value,), (0,), {}, ({},)),
    _update("assign", 2, 0, lambda target, value: (value,), (0,), {}, ({},)),
)
