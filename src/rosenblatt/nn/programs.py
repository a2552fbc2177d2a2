"""The programs of a network: prediction, a training step, and the pair that works through a large batch in blocks.

Goes in: what the network is (`NetworkSpec`) and what it is trained for (`Objective`). Comes out: checked programs.
Weights form one parameter block and biases another, so that penalties and updates are one instruction each.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rosenblatt.ir.autodiff import gradient
from rosenblatt.ir.program import Builder, M, Program, Value
from rosenblatt.ir.rewrite import eliminate_dead
from rosenblatt.nn.activations import OUTPUTS, Activation, activation_function
from rosenblatt.nn.losses import LossFunction, loss_record, mean_over_rows
from rosenblatt.nn.optimizers import Optimizer

__all__ = ["NetworkSpec", "Objective", "block_programs", "prediction_program", "training_program"]

BLOCKS = ("weights", "biases")


@dataclass(frozen=True)
class NetworkSpec:
    """The architecture of a dense network.

    Parameters
    ----------
    n_inputs, n_outputs : int
        Columns of the data and of the predictions.
    hidden : tuple of int
        Neurons of each hidden layer; may be empty.
    activation : str or callable
        Of the hidden layers: a name in `rosenblatt.nn.activations.ACTIVATIONS` or ``activation(b, x) -> value``.
    output : str
        Of the last layer: a name in `rosenblatt.nn.activations.OUTPUTS`.
    sparse_input : bool
        The data are CSR matrices.
    """

    n_inputs: int
    hidden: tuple[int, ...]
    n_outputs: int
    activation: str | Activation = "relu"
    output: str = "identity"
    sparse_input: bool = False

    def __post_init__(self) -> None:
        if not np.iterable(self.hidden):
            raise TypeError(f"hidden is {self.hidden!r}; it must list the neurons of each hidden layer, such as (50,)")
        sizes = self.layer_sizes
        if not all(isinstance(n, (int, np.integer)) and not isinstance(n, bool) and n > 0 for n in sizes):
            raise ValueError(f"layer sizes are {sizes}; every layer needs at least one neuron, and whole ones")
        activation_function(self.activation)
        activation_function(self.output, OUTPUTS)

    @property
    def layer_sizes(self) -> tuple[int, ...]:
        """Sizes of all layers, inputs first."""
        return (self.n_inputs, *self.hidden, self.n_outputs)

    @property
    def weight_shapes(self) -> tuple[tuple[int, int], ...]:
        """Shape (n_in, n_out) of each layer's weights."""
        sizes = self.layer_sizes
        return tuple(zip(sizes[:-1], sizes[1:], strict=True))

    @property
    def n_weights(self) -> int:
        """Number of weights of all layers."""
        return sum(math.prod(shape) for shape in self.weight_shapes)

    @property
    def n_biases(self) -> int:
        """Number of biases of all layers."""
        return sum(self.layer_sizes[1:])


@dataclass(frozen=True)
class Objective:
    """What training minimizes: mean loss + (l2 / 2 · Σ w² + l1 · Σ |w|) / (sum of the batch's row weights).

    Parameters
    ----------
    loss : str or callable
        A name in `rosenblatt.nn.losses.LOSSES` or ``loss(b, prediction, target) -> value`` of shape [m] or [m, k].
    l2, l1 : float
        Penalties of the weights (not of the biases), divided as scikit-learn does it.
    weighted : bool
        Rows have weights.
    clip_value, clip_norm : float
        Each element of the gradient is cut to [-clip_value, clip_value]; then the whole gradient is scaled down to the
        Euclidean norm clip_norm where it is longer. Zero: not clipped.
    """

    loss: str | LossFunction
    l2: float = 0.0
    l1: float = 0.0
    weighted: bool = False
    clip_value: float = 0.0
    clip_norm: float = 0.0


def prediction_program(spec: NetworkSpec, dtype: str) -> Program:
    """Input ``x``, output ``prediction`` [m, n_outputs] after the output activation."""
    b = Builder(dtype)
    raw = _forward(b, spec, _parameters(b, spec))
    return b.build(prediction=activation_function(spec.output, OUTPUTS)(b, raw))


def training_program(spec: NetworkSpec, objective: Objective, optimizer: Optimizer, dtype: str) -> Program:
    """Forward, loss, gradients, update of one batch; inputs ``x``, ``y`` (and ``sample_weight``), output ``loss``."""
    b = Builder(dtype)
    blocks = _parameters(b, spec)
    inverse_weight = b.slot("inverse_weight")
    minimized, reported = _data_loss(b, spec, objective, blocks, inverse_weight)
    penalty = _penalty(b, objective, blocks["weights"], inverse_weight)
    if penalty is not None:
        minimized, reported = b.add(minimized, penalty), b.add(reported, penalty)
    gradients = _clip(b, objective, gradient(b, minimized, [blocks[name] for name in BLOCKS]))
    for name, g in zip(BLOCKS, gradients, strict=True):
        _update(b, optimizer, blocks[name], g)
    return eliminate_dead(b.build(loss=reported))


def block_programs(
    spec: NetworkSpec, objective: Objective, optimizer: Optimizer | None, dtype: str
) -> tuple[Program, Program]:
    """The pair for batches of several blocks: the first adds up gradients over blocks, the second makes the step.

    Without an optimizer the second leaves the whole gradient in the leaves ``weights_gradient``, ``biases_gradient``.
    """
    b, blocks, sums, inverse_weight = _block_builder(spec, optimizer, dtype)
    minimized, reported = _data_loss(b, spec, objective, blocks, inverse_weight)
    for name, g in zip(BLOCKS, gradient(b, minimized, [blocks[name] for name in BLOCKS]), strict=True):
        b.emit("accumulate", sums[name], g)
    b.emit("accumulate", sums["loss"], reported)
    block = eliminate_dead(b.build())

    b, blocks, sums, inverse_weight = _block_builder(spec, optimizer, dtype)
    totals, loss = {name: sums[name] for name in BLOCKS}, sums["loss"]
    penalty = _penalty(b, objective, blocks["weights"], inverse_weight)
    if penalty is not None:
        loss = b.add(loss, penalty)
        totals["weights"] = b.add(sums["weights"], gradient(b, penalty, [blocks["weights"]])[0])
    for name, total in zip(BLOCKS, _clip(b, objective, [totals[name] for name in BLOCKS]), strict=True):
        if optimizer is not None:
            _update(b, optimizer, blocks[name], total)
        elif total is not sums[name]:
            b.emit("assign", sums[name], total)
    return block, eliminate_dead(b.build(loss=loss))


def _block_builder(
    spec: NetworkSpec, optimizer: Optimizer | None, dtype: str
) -> tuple[Builder, dict[str, Value], dict[str, Value], Value]:
    """A builder with the leaves that both programs of a pair have: parameters, sums, and the slot inverse_weight."""
    b = Builder(dtype)
    blocks = _parameters(b, spec)
    for block in BLOCKS:
        for name in optimizer.state if optimizer else ():
            b.leaf("state", f"{block}_{name}", blocks[block].shape)
    sums = {name: b.leaf("grads", f"{name}_gradient", blocks[name].shape) for name in BLOCKS}
    sums["loss"] = b.leaf("grads", "loss_sum", ())
    inverse_weight = b.slot("inverse_weight")
    for slot in optimizer.slots if optimizer else ():
        b.slot(slot)
    return b, blocks, sums, inverse_weight


def _clip(b: Builder, objective: Objective, gradients: Sequence[Value]) -> list[Value]:
    """The gradients, cut by value and then by their common norm, as the objective asks."""
    clipped = list(gradients)
    if objective.clip_value:
        limit = objective.clip_value
        clipped = [b.maximum(b.minimum(g, limit), -limit) for g in clipped]
    if objective.clip_norm:
        squares = [b.sum_squares(g) for g in clipped]
        norm = b.sqrt(functools.reduce(b.add, squares))
        # The smallest normal number keeps a zero gradient from being divided by zero.
        scale = b.minimum(b.div(objective.clip_norm, b.maximum(norm, float(np.finfo(b.dtype).tiny))), 1.0)
        clipped = [b.mul(g, scale) for g in clipped]
    return clipped


def _parameters(b: Builder, spec: NetworkSpec) -> dict[str, Value]:
    return {
        "weights": b.leaf("params", "weights", (spec.n_weights,)),
        "biases": b.leaf("params", "biases", (spec.n_biases,)),
    }


def _update(b: Builder, optimizer: Optimizer, block: Value, g: Value) -> None:
    """Append the optimizer's update of one block; its state leaves are declared where they are not yet."""
    state = {}
    for name in optimizer.state:
        leaf = f"{block.name}_{name}"
        state[name] = b.find_leaf(leaf) or b.leaf("state", leaf, block.shape)
    optimizer.update(b, block, g, state)


def _forward(b: Builder, spec: NetworkSpec, blocks: Mapping[str, Value]) -> Value:
    """Append all layers up to the last one's raw outputs, [m, n_outputs]."""
    x = b.input("x", (M, spec.n_inputs), sparse=spec.sparse_input)
    activation = activation_function(spec.activation)
    last = len(spec.weight_shapes) - 1
    weight_offset = bias_offset = 0
    for i, (n_in, n_out) in enumerate(spec.weight_shapes):
        w = b.view(blocks["weights"], offset=weight_offset, shape=(n_in, n_out), name=f"W{i + 1}")
        bias = b.view(blocks["biases"], offset=bias_offset, shape=(n_out,), name=f"b{i + 1}")
        product = b.csr_matmul(x, w) if i == 0 and spec.sparse_input else b.matmul(x, w)
        x = b.add(product, bias, name=f"z{i + 1}")
        if i < last:
            x = activation(b, x)
            if not isinstance(x, Value) or x.shape != (M, n_out):
                given = x.type if isinstance(x, Value) else f"{x!r}, no value of the builder"
                raise ValueError(
                    f"hidden layer {i + 1}: the activation gave {given}; it must keep the shape [m, {n_out}]"
                )
        weight_offset, bias_offset = weight_offset + n_in * n_out, bias_offset + n_out
    return x


def _data_loss(
    b: Builder, spec: NetworkSpec, objective: Objective, blocks: Mapping[str, Value], inverse_weight: Value
) -> tuple[Value, Value]:
    """Append forward pass and mean loss; return what is minimized and what is reported."""
    record = loss_record(objective.loss)
    prediction = _forward(b, spec, blocks)
    if not record.raw:
        prediction = activation_function(spec.output, OUTPUTS)(b, prediction)
    target = b.input("y", (M,), "int32") if record.labels else b.input("y", (M, spec.n_outputs))
    sample_weight = b.input("sample_weight", (M,)) if objective.weighted else None
    per_row = record.function(b, prediction, target)
    if not isinstance(per_row, Value):
        raise ValueError(
            f"the loss gave {per_row!r}, no value of the builder; it must return one of shape [m] or [m, k]"
        )
    minimized = mean_over_rows(b, per_row, sample_weight, inverse_weight)
    averaged = record.mean_of_outputs and spec.n_outputs > 1
    return minimized, b.mul(minimized, 1 / spec.n_outputs) if averaged else minimized


def _penalty(b: Builder, objective: Objective, weights: Value, inverse_weight: Value) -> Value | None:
    """Append the penalty of the weights, or nothing where there is none."""
    terms = []
    if objective.l2:
        terms.append(b.mul(b.sum_squares(weights), 0.5 * objective.l2))
    if objective.l1:
        terms.append(b.mul(b.sum(b.abs(weights)), objective.l1))
    if not terms:
        return None
    return b.mul(terms[0] if len(terms) == 1 else b.add(*terms), inverse_weight)
