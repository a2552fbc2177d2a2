"""Layers that standardize or scale their inputs.

Takes values [m, n]. Returns values of the same shape. Never changes them by batch statistics in prediction.
"""

from __future__ import annotations

from dataclasses import dataclass

from rosenblatt._checks import check_fields
from rosenblatt.ir.types import M, Value
from rosenblatt.nn.initializers import Constant, Zeros
from rosenblatt.nn.layers.base import Layer, ParameterSpec, Scope

__all__ = ["BatchNorm", "LayerNorm", "Scale"]


@dataclass(frozen=True, eq=False)
class BatchNorm(Layer):
    """Each column standardized by the batch, then scaled and shifted (Ioffe and Szegedy 2015); PyTorch's definition.

    (x - mean) / sqrt(variance + epsilon) * gain + shift. In prediction, and where the layer is frozen, mean and
    variance are the running ones: running ← momentum * running + (1 - momentum) * the batch's, with the unbiased
    variance. A batch needs at least two rows: training with a `batch_size` of 1 is refused, and a last batch of one row
    is left out.

    Parameters
    ----------
    momentum : float in [0, 1)
        Momentum of the running statistics (PyTorch's ``momentum`` is one minus this).
    epsilon : float > 0
    """

    momentum: float = 0.9
    epsilon: float = 1e-5

    def __post_init__(self) -> None:
        check_fields(self, "momentum", low=0, high=1, below=True)
        check_fields(self, "epsilon", low=0)

    def parameters(self, *widths: int) -> tuple[ParameterSpec, ...]:
        shape = (widths[0],)
        return (
            ParameterSpec("gain", shape, Constant(1.0), "biases"),
            ParameterSpec("shift", shape, Zeros(), "biases"),
            ParameterSpec("mean", shape, Zeros(), "buffers"),
            ParameterSpec("variance", shape, Constant(1.0), "buffers"),
        )

    def append(self, scope: Scope, *inputs: Value) -> Value:
        (x,), b = inputs, scope.b
        if not scope.training:
            scale = b.div(scope.parameter("gain"), b.sqrt(b.add(scope.parameter("variance"), self.epsilon)))
            return b.add(b.mul(b.sub(x, scope.parameter("mean")), scale), scope.parameter("shift"))
        mean = b.mean(x, axis=0)
        centred = b.sub(x, mean)
        variance = b.mean(b.square(centred), axis=0)
        rows = b.sum(b.fill(value=1.0, shape=(M,)))
        unbiased = b.mul(variance, b.div(rows, b.maximum(b.sub(rows, 1.0), 1.0)))
        scope.update_buffer("mean", mean, self.momentum)
        scope.update_buffer("variance", unbiased, self.momentum)
        scale = b.div(scope.parameter("gain"), b.sqrt(b.add(variance, self.epsilon)))
        return b.add(b.mul(centred, scale), scope.parameter("shift"))


@dataclass(frozen=True, eq=False)
class LayerNorm(Layer):
    """Each row standardized over its columns, then scaled and shifted (Ba, Kiros and Hinton 2016).

    Parameters
    ----------
    epsilon : float
        Added to the variance; at least 0.
    """

    epsilon: float = 1e-5

    def __post_init__(self) -> None:
        check_fields(self, "epsilon", low=0)

    def parameters(self, *widths: int) -> tuple[ParameterSpec, ...]:
        shape = (widths[0],)
        return (
            ParameterSpec("gain", shape, Constant(1.0), "biases"),
            ParameterSpec("shift", shape, Zeros(), "biases"),
        )

    def append(self, scope: Scope, *inputs: Value) -> Value:
        (x,), b = inputs, scope.b
        centred = b.sub(x, b.mean(x, axis=1, keepdims=1))
        variance = b.mean(b.square(centred), axis=1, keepdims=1)
        standard = b.div(centred, b.sqrt(b.add(variance, self.epsilon)))
        return b.add(b.mul(standard, scope.parameter("gain")), scope.parameter("shift"))


@dataclass(frozen=True, eq=False)
class Scale(Layer):
    """A learned factor for each column, 1 at first: with a high learning rate, a soft selection of inputs.

    Source: the front scale layer of Holzmüller et al. 2024, arXiv:2407.04491.
    """

    def parameters(self, *widths: int) -> tuple[ParameterSpec, ...]:
        return (ParameterSpec("gain", (widths[0],), Constant(1.0), "biases"),)

    def append(self, scope: Scope, *inputs: Value) -> Value:
        return scope.b.mul(inputs[0], scope.parameter("gain"))
