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

from .covers import cubes_of
from .formulas import And, AtLeast, Formula, Not, Or, TruthFunction, Variable, Xor, require_kind, require_variables
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
    require_kind("formula", formula, Formula, "threshold_network takes a formula")
    names = formula.names if inputs is None else names_of(inputs)
    require_variables(formula.names, names, "among the inputs", complete=False)
    wiring = Wiring(names)
    network = wiring.layered(formula, wiring.output(formula))
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
            signal = self.gate([signal], 1, str(formula))
        elif signal.base == 1:
            gate = self.gates[nodes[0] - len(self.names)]  # for integers, w x + b < 0 is the same as -w x - b - 1 >= 0
            negated = tuple((node, -weight) for node, weight in gate.weights)
            signal = self.add(Gate(negated, -gate.bias - 1, gate.depth, str(formula)))
        ((node, _),) = signal.weights
        return node

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
        # With different variables or their negations as parts, one gate is enough or, for ^, impossible.
        literals = [part.part if isinstance(part, Not) else part for part in formula.parts]
        is_flat = len(formula.names) == len(literals) and all(isinstance(part, Variable) for part in literals)
        if not is_flat and (found := self.one_neuron(formula)) is not None:
            return found
        if isinstance(formula, TruthFunction):
            return self.table(formula)
        n = len(formula.parts)
        if isinstance(formula, Xor):
            return self.counted(formula.parts, [count % 2 == 1 for count in range(n + 1)])
        k = formula.k if isinstance(formula, AtLeast) else n if isinstance(formula, And) else 1
        return self.gate([self.signal(part) for part in formula.parts], k, str(formula))

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
        signals, given = [self.signal(part) for part in parts], tuple(parts)
        labels = [Or(given) if k == 1 else And(given) if k == len(given) else AtLeast(k, given) for k in changes]
        gates = [self.gate(signals, k, str(label)) for k, label in zip(changes, labels, strict=True)]
        weights, base = added([gate if values[k] else ~gate for gate, k in zip(gates, changes, strict=True)])
        n_falls = sum(not values[k] for k in changes)
        return Signal(weights, base - n_falls + int(values[0]))

    def table(self, formula: TruthFunction) -> Signal:
        """A truth function that no single neuron computes."""
        signals = [self.input(name) for name in formula.names]
        counts, truth = assignments(formula.names).sum(axis=1), np.array(formula.table)
        by_count = [truth[counts == count] for count in range(len(signals) + 1)]
        if all((values == values[0]).all() for values in by_count):
            return self.counted([Variable(name) for name in formula.names], [bool(values[0]) for values in by_count])
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

    def depth(self, node: int) -> int:
        """The layer of a node; 0 for inputs."""
        return 0 if node < len(self.names) else self.gates[node - len(self.names)].depth

    def layered(self, formula: Formula, output: int) -> ThresholdNetwork:
        """The gates that the output depends on, in layers, with neurons that pass values on to later layers."""
        n, last, texts = len(self.names), self.depth(output), [*self.names, *(gate.label for gate in self.gates)]
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
            labels.append(tuple(texts[node] for node in layers[depth]))
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


def added(signals: Sequence[Signal]) -> tuple[tuple[tuple[int, int], ...], int]:
    """The weights by node (sorted, without zeros) and the base of a sum of signals."""
    sums: dict[int, int] = {}
    for signal in signals:
        for node, weight in signal.weights:
            sums[node] = sums.get(node, 0) + weight
    return tuple(sorted((node, weight) for node, weight in sums.items() if weight)), sum(s.base for s in signals)
