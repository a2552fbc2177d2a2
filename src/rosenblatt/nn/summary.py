"""A network as text: every tensor's shape with the symbolic batch size m, parameters, memory, operations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rosenblatt.ir.cost import program_cost
from rosenblatt.nn.objective import Objective
from rosenblatt.nn.optimizers import Adam
from rosenblatt.nn.programs import training_program
from rosenblatt.nn.registry import name_of
from rosenblatt.nn.spec import NetworkSpec, each_layer

if TYPE_CHECKING:
    from rosenblatt.nn.network import Network

__all__ = ["summarize", "summary_parts"]

Row = tuple[str, str, str, str]


def summarize(network: Network) -> str:
    """A table of layers and, below it, totals; see `Network.summary`."""
    rows, totals = summary_parts(network)
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c:<{widths[2]}}  {d:>{widths[3]}}".rstrip() for a, b, c, d in rows]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join([*lines, "", *totals])


def summary_parts(network: Network) -> tuple[list[Row], list[str]]:
    """The rows of the table, of which the first are headings, and the lines below it."""
    rows: list[Row] = [("layer", "computes", "shape", "parameters")]
    chain = isinstance(network.spec, NetworkSpec) and len(network.graph.nodes) == len(network.spec.layer_sizes)
    rows += _chain_rows(network.spec) if chain else _graph_rows(network)  # type: ignore[arg-type]
    return rows, _totals(network)


def _chain_rows(spec: NetworkSpec) -> list[Row]:
    """Dense layers and nothing between them: weights, biases and the formula of each."""
    rows = [("input", "X", f"[m, {spec.n_inputs}]", "")]
    last = len(spec.weight_shapes)
    activations = [*each_layer("activation", spec.activation, last - 1), spec.output]
    for i, (n_in, n_out) in enumerate(spec.weight_shapes, start=1):
        layer = "output" if i == last else f"hidden {i}"
        source = "X" if i == 1 else f"H{i - 1}"
        result = "Y" if i == last else f"H{i}"
        rows += [
            (layer, f"W{i}", f"[{n_in}, {n_out}]", f"{n_in * n_out:,}"),
            ("", f"b{i}", f"[{n_out}]", f"{n_out:,}"),
            ("", f"{result} = {name_of(activations[i - 1])}({source} W{i} + b{i})", f"[m, {n_out}]", ""),
        ]
    return rows


def _graph_rows(network: Network) -> list[Row]:
    """Any graph: what each layer computes from which others, then its arrays."""
    graph, rows, seen = network.graph, list[Row](), set[str]()
    heads = {node: head for head, node in graph.heads.items()}
    for node in graph.nodes:
        name = graph.names[node]
        shape = "[m]" if node.kind == "codes" else f"[m, {node.width}]"
        given = f"{node.width} levels" if node.kind == "codes" else "data"
        formula = node.layer.formula(*(graph.names[n] for n in node.inputs)) if node.inputs else given
        rows.append((name, formula, shape, ""))
        for p in (*graph.parameters, *graph.buffers):
            if p.layer == name and name not in seen:
                statistics = " (statistics)" if p.spec.section == "buffers" else ""
                note = " (frozen)" if p.name in network.frozen else statistics
                rows.append(("", f"{p.spec.name}{note}", f"[{', '.join(map(str, p.spec.shape))}]", f"{p.size:,}"))
        seen.add(name)
        if node in heads:
            activation = name_of(graph.output[heads[node]])
            label = "output" if len(heads) == 1 else f"output {heads[node]}"
            rows.append((label, f"{activation}({name})", shape, ""))
    return rows


def _totals(network: Network) -> list[str]:
    plan = network.executable.plan
    predict = program_cost(plan.program)
    arena = plan.persistent_bytes + plan.workspace_bytes
    return [
        "m            rows of the batch",
        f"parameters   {network.parameters.size:,} ({network.parameters.nbytes:,} bytes, {network.dtype.name})",
        f"prediction   {predict.format_operations()} operations; arena of {arena:,} bytes "
        f"for blocks of up to {plan.capacity:,} rows",
        *_training_total(network),
    ]


def _training_total(network: Network) -> list[str]:
    """The operations of a step; nothing for a network of thresholds, which does not learn by gradients."""
    graph = network.graph
    losses = {
        head: "softmax_cross_entropy" if graph.output[head] == "softmax" else "squared_error" for head in graph.heads
    }
    try:
        program = training_program(graph, Objective(losses), Adam(), network.dtype.name)
    except ValueError:
        return []
    return [f"Adam step    {program_cost(program).format_operations()} operations"]
