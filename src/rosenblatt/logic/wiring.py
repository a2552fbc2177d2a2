"""From a formula to a layered network of threshold neurons.

Takes a formula. Returns a small `ThresholdNetwork`, verified on the whole truth table if that is feasible. It follows
the structure of the formula, but uses a single neuron for any part that one neuron can compute. Never searches for the
smallest network, which is hard.

- ``&``, ``|``, ``~``, majority, at least k: one neuron over the parts; a negated part has a negative weight.
- A part of at most 6 variables that a single neuron can compute: that neuron, by the linear program of `single_neuron`.
- ``^`` of n parts: neurons "at least 1", ..., "at least n", whose sum with alternating signs is the parity (Minsky and
  Papert 1969, "Perceptrons"). Any other function of the number of true inputs is built in the same way.
- Any other table: a disjunction of prime implicants, or the negation of one, whichever is shorter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .covers import cubes_of
from .formulas import And, AtLeast, Formula, Not, Or, TruthFunction, Variable, Xor, require_variables
from .makers import names_of
from .network import ThresholdNetwork
from .neuron import integer_neuron
from .truth import assignments, values_of

__all__ = ["threshold_network"]

FEW_VARIABLES = 6
VERIFIED_VARIABLES = 16


@dataclass(frozen=True)
class Signal:
    """A sum of nodes (inputs and gates) that is always 0 or 1: ``base`` plus weight times value of each node.

    So neither a negation nor the sum of a parity's counting gates needs a neuron of its own.
    """

    weights: tuple[tuple[int, int], ...]
    base: int = 0

    def __invert__(self) -> Signal:
        return Signal(tuple((node, -weight) for node, weight in self.weights), 1 - self.base)


@dataclass(frozen=True)
class Gate:
    """A neuron that is not yet placed in a layer: weights by node, bias, depth and what it computes."""

    weights: tuple[tuple[int, int], ...]
    bias: int
    depth: int
    label: str


def threshold_network(formula: Formula, inputs: str | Sequence[str] | None = None) -> ThresholdNetwork:
    """Wire a network of threshold neurons that computes a formula.

    Parameters
    ----------
    formula : Formula
    inputs : str or sequence of str, optional
        Names of the inputs in the order of the network's columns. They may include other variables. By default, the
        variables of the formula in order of appearance.

    Returns
    -------
    ThresholdNetwork
        With integer weights. It is verified if it has at most 16 inputs.

    Raises
    ------
    ValueError
        If `inputs` lacks a variable of the formula, or holds invalid names.
    TypeError
        If `formula` is not a formula.
    """
    if not isinstance(formula, Formula):
        raise TypeError(f"formula is {formula!r}, a {type(formula).__name__}; threshold_network takes a formula")
    names = formula.names if inputs is None else names_of(inputs)
    require_variables(formula.names, names, "among the inputs", complete=False)
    wiring = Wiring(names)
    output = wiring.output(formula)
    network = wiring.layered(formula, output)
    if len(names) <= VERIFIED_VARIABLES:
        network.verify()
    return network


class Wiring:
    """Collects gates. Nodes 0 to n - 1 are the inputs; node n + i is gate i."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names
        self.gates: list[Gate] = []
        self.known: dict[Formula, Signal] = {}
        self.gate_numbers: dict[tuple[tuple[tuple[int, int], ...], int], int] = {}

    def output(self, formula: Formula) -> int:
        """The node of a gate that computes the formula, even if the formula is an input or a negation."""
        signal = self.signal(formula)
        nodes = [node for node, _ in signal.weights]
        if len(nodes) != 1 or nodes[0] < len(self.names):
            return self.node(self.gate([signal], 1, str(formula)))
        if signal.base == 0:
            return nodes[0]
        gate = self.gates[nodes[0] - len(self.names)]  # for integers, w x + b < 0 is the same as -w x - b - 1 >= 0
        negated = tuple((node, -weight) for node, weight in gate.weights)
        return self.node(self.add(Gate(negated, -gate.bias - 1, gate.depth, str(formula))))

    def signal(self, formula: Formula) -> Signal:
        """A signal that computes the formula. Adds gates if necessary."""
        if formula not in self.known:
            self.known[formula] = self.build(formula)
        return self.known[formula]

    def build(self, formula: Formula) -> Signal:
        """The signal of a formula that has none yet."""
        match formula:
            case Variable(name):
                return self.input(name)
            case Not(part):
                return ~self.signal(part)
        if not is_flat(formula):
            found = self.one_neuron(formula)
            if found is not None:
                return found
        match formula:
            case And(parts):
                return self.gate([self.signal(part) for part in parts], len(parts), str(formula))
            case Or(parts):
                return self.gate([self.signal(part) for part in parts], 1, str(formula))
            case AtLeast(k, parts):
                return self.gate([self.signal(part) for part in parts], k, str(formula))
            case Xor(parts):
                return self.counted(parts, [count % 2 == 1 for count in range(len(parts) + 1)])
        assert isinstance(formula, TruthFunction)
        return self.table(formula)

    def one_neuron(self, formula: Formula) -> Signal | None:
        """One gate over the variables of the formula; None if there are too many or one gate is not enough."""
        max_variables = len(formula.names) if isinstance(formula, TruthFunction) else FEW_VARIABLES
        if len(formula.names) > max_variables:
            return None
        rows = assignments(formula.names)
        found = integer_neuron(rows, values_of(formula, formula.names, rows))
        if found is None:
            return None
        nodes = [self.names.index(name) for name in formula.names]
        weights = tuple((node, weight) for node, weight in sorted(zip(nodes, found[0].tolist(), strict=True)) if weight)
        return self.add(Gate(weights, found[1], 1, str(formula)))

    def gate(self, signals: Sequence[Signal], k: int, label: str) -> Signal:
        """A gate that fires if at least k of the signals are true."""
        weights, base = added(signals)
        depth = 1 + max((self.depth(node) for node, _ in weights), default=0)
        return self.add(Gate(weights, base - k, depth, label))

    def counted(self, parts: Sequence[Formula], values: Sequence[bool]) -> Signal:
        """A function of the number of true parts: a sum of gates, one per change of value, with alternating signs."""
        changes = [k for k in range(1, len(values)) if values[k] != values[k - 1]]
        signals = [self.signal(part) for part in parts]
        gates = [self.gate(signals, k, count_label(k, tuple(parts))) for k in changes]
        weights, base = added([gate if values[k] else ~gate for gate, k in zip(gates, changes, strict=True)])
        n_falls = sum(not values[k] for k in changes)
        return Signal(weights, base - n_falls + int(values[0]))

    def table(self, formula: TruthFunction) -> Signal:
        """A truth function that no single neuron computes."""
        signals = [self.input(name) for name in formula.names]
        rows, truth = assignments(formula.names), np.array(formula.table)
        by_count = values_by_count(rows, truth)
        if by_count is not None:
            return self.counted([Variable(name) for name in formula.names], by_count)
        true, false = cubes_of(truth), cubes_of(~truth)
        shorter, negated = (false, True) if len(false) < len(true) else (true, False)
        parts = []
        for cube in shorter:
            literals = [signals[i] if bit else ~signals[i] for i, bit in cube.items()]
            label = " & ".join(f"{'' if bit else '~'}{formula.names[i]}" for i, bit in cube.items())
            parts.append(self.gate(literals, len(literals), label))
        if negated:
            return self.gate([~part for part in parts], len(parts), str(formula))
        return self.gate(parts, 1, str(formula))

    def add(self, gate: Gate) -> Signal:
        """The output of the gate. A gate with the same inputs, weights and bias is reused."""
        key = (gate.weights, gate.bias)
        if key not in self.gate_numbers:
            self.gate_numbers[key] = len(self.gates)
            self.gates.append(gate)
        return Signal(((len(self.names) + self.gate_numbers[key], 1),))

    def input(self, name: str) -> Signal:
        """The signal of an input."""
        return Signal(((self.names.index(name), 1),))

    @staticmethod
    def node(signal: Signal) -> int:
        """The node of a signal that is the value of a single node."""
        ((node, _),) = signal.weights
        return node

    def depth(self, node: int) -> int:
        """The layer of a node; 0 for inputs."""
        return 0 if node < len(self.names) else self.gates[node - len(self.names)].depth

    def layered(self, formula: Formula, output: int) -> ThresholdNetwork:
        """The gates that the output depends on, in layers, with neurons that pass values on to later layers."""
        n, last = len(self.names), self.depth(output)
        read_last = self.last_readers(output)
        layers = [list(range(n))]
        for depth in range(1, last + 1):
            own = [node for node in sorted(read_last) if self.depth(node) == depth]
            passed_on = [node for node in layers[-1] if self.depth(node) < depth and read_last.get(node, 0) > depth]
            layers.append(own + passed_on)
        weights, biases, labels = [], [], []
        for depth in range(1, last + 1):
            position = {node: i for i, node in enumerate(layers[depth - 1])}
            w = np.zeros((len(position), len(layers[depth])), np.int64)
            bias: list[int] = []
            for j, node in enumerate(layers[depth]):
                gate = self.gates[node - n] if self.depth(node) == depth else Gate(((node, 1),), -1, depth, "")
                for source, weight in gate.weights:
                    w[position[source], j] = weight
                bias.append(gate.bias)
            weights.append(w)
            biases.append(np.array(bias))
            labels.append(tuple(self.label(node) for node in layers[depth]))
        return ThresholdNetwork(formula, self.names, tuple(weights), tuple(biases), tuple(labels))

    def last_readers(self, output: int) -> dict[int, int]:
        """The depth of the deepest gate that reads each node, for all nodes that the output depends on."""
        reads = {output: self.depth(output)}
        waiting = [output]
        while waiting:
            node = waiting.pop()
            if node < len(self.names):
                continue
            gate = self.gates[node - len(self.names)]
            for source, _ in gate.weights:
                if source not in reads:
                    waiting.append(source)
                reads[source] = max(reads.get(source, 0), gate.depth)
        return reads

    def label(self, node: int) -> str:
        """What a node computes, as text."""
        return self.names[node] if node < len(self.names) else self.gates[node - len(self.names)].label


def added(signals: Sequence[Signal]) -> tuple[tuple[tuple[int, int], ...], int]:
    """The weights by node (sorted, without zeros) and the base of a sum of signals."""
    sums: dict[int, int] = {}
    for signal in signals:
        for node, weight in signal.weights:
            sums[node] = sums.get(node, 0) + weight
    return tuple(sorted((node, weight) for node, weight in sums.items() if weight)), sum(s.base for s in signals)


def count_label(k: int, parts: tuple[Formula, ...]) -> str:
    """What a counting gate computes, as a formula."""
    return str(Or(parts) if k == 1 else And(parts) if k == len(parts) else AtLeast(k, parts))


def is_flat(formula: Formula) -> bool:
    """Whether all parts are different variables or their negations: one gate is then enough or, for ^, impossible."""
    literals = all(isinstance(part.part if isinstance(part, Not) else part, Variable) for part in formula.parts)
    return literals and bool(formula.parts) and len(formula.names) == len(formula.parts)


def values_by_count(rows: NDArray[np.uint8], truth: NDArray[np.bool_]) -> list[bool] | None:
    """The value for 0, 1, ... true inputs, if the function depends only on their number; else None."""
    counts = rows.sum(axis=1)
    values = [truth[counts == count] for count in range(rows.shape[1] + 1)]
    return [bool(value[0]) for value in values] if all((value == value[0]).all() for value in values) else None
