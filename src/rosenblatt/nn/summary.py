"""What a network is made of, as text: every tensor's shape with the symbolic batch size m, parameters, memory, work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rosenblatt.ir.cost import program_cost
from rosenblatt.nn.activations import name_of
from rosenblatt.nn.optimizers import Adam
from rosenblatt.nn.programs import Objective, training_program

if TYPE_CHECKING:
    from rosenblatt.nn.network import Network

__all__ = ["summarize"]


def summarize(network: Network) -> str:
    """A table of layers and, below it, totals; see `Network.summary`."""
    spec = network.spec
    rows = [("layer", "computes", "shape", "parameters"), ("input", "X", f"[m, {spec.n_inputs}]", "")]
    last = len(spec.weight_shapes)
    for i, (n_in, n_out) in enumerate(spec.weight_shapes, start=1):
        layer = "output" if i == last else f"hidden {i}"
        activation = name_of(spec.output if i == last else spec.activation)
        source = "X" if i == 1 else f"H{i - 1}"
        result = "Y" if i == last else f"H{i}"
        rows += [
            (layer, f"W{i}", f"[{n_in}, {n_out}]", f"{n_in * n_out:,}"),
            ("", f"b{i}", f"[{n_out}]", f"{n_out:,}"),
            ("", f"{result} = {activation}({source} W{i} + b{i})", f"[m, {n_out}]", ""),
        ]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c:<{widths[2]}}  {d:>{widths[3]}}".rstrip() for a, b, c, d in rows]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join([*lines, "", *_totals(network)])


def _totals(network: Network) -> list[str]:
    spec, plan = network.spec, network.executable.plan
    predict = program_cost(plan.program)
    loss = "softmax_cross_entropy" if spec.output == "softmax" else "squared_error"
    train = program_cost(training_program(spec, Objective(loss), Adam(), network.dtype.name))
    arena = plan.persistent_bytes + plan.workspace_bytes
    return [
        "m            rows of the batch",
        f"parameters   {network.parameters.size:,} ({network.parameters.nbytes:,} bytes, {network.dtype.name})",
        f"prediction   {predict.format_operations()} operations; arena of {arena:,} bytes "
        f"for blocks of up to {plan.capacity:,} rows",
        f"Adam step    {train.format_operations()} operations",
    ]
