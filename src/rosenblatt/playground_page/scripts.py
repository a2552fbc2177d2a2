"""A run as a Python script.

Takes a `Run`. Returns the text of a script that does the same with NumPy and rosenblatt, and prints the final losses,
equal to the page's to the last bit. Never runs it. What a user named is in it as a literal, so that no name can become
code.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rosenblatt.playground_page.choices import (
    INITIALIZERS,
    SCHEDULES,
    code_of,
    literal,
    optimizer_of,
    perceptron_criterion,
)
from rosenblatt.playground_page.data_sets import SOURCES
from rosenblatt.playground_page.features import FEATURES
from rosenblatt.playground_page.networks import frozen_layers, loss_choice

if TYPE_CHECKING:
    from rosenblatt.playground_page.runs import Run

__all__ = ["script_of"]

WIDTH = 120
INTRODUCTION = '"""A run of rosenblatt\'s playground. The losses that it prints are those of the page."""'
SCALED = '''
def scaled(values):
    """The values with mean 0 and standard deviation 1 over the rows to train on."""
    return (values - values[train_rows].mean()) / values[train_rows].std()
'''
CONSTANT = '''
def train(steps, learning_rate):
    """Take so many steps, in epochs of shuffled rows."""
    epochs = 2 + steps // trainer.steps_per_epoch()
    trainer.epochs(epochs, learning_rate, resume=True, max_steps=steps)
'''
SCHEDULED = '''
def train(steps, learning_rate):
    """Take so many steps, in epochs of shuffled rows, each with the learning rate of its number."""
    per_epoch = trainer.steps_per_epoch()
    done = trainer.position[0] // trainer.batch_size
    epochs = (done + steps) // per_epoch + 1
    numbers = trainer.step_count + np.arange(epochs * per_epoch - done)
    rates = {schedule}.rates(learning_rate, numbers, {span}, {span})
    trainer.epochs(epochs, rates, resume=True, max_steps=steps)
'''
MADE = '''
def make_trainer(batch_size, l1, l2):
    """A trainer with its data."""
    batch_size = min(batch_size, len(train_rows))
    optimizer = {optimizer}
    made = Trainer(network, loss, optimizer, batch_size=batch_size, seed={seed}, l1=l1, l2=l2, per_batch=False)
    made.set_data(X[train_rows], y[train_rows])
    return made
'''
END = """
for name, rows in ("training", train_rows), ("test", test_rows):
    print(name, "loss:", Evaluator(network, loss, X[rows], y[rows]).loss())
"""


def script_of(run: Run) -> str:
    """The script of a run, up to its present step."""
    of_table = run.initial.data.source == "table"
    functions = [SCALED if of_table else plain_source(SOURCES[run.initial.data.source].make)]
    if run.initial.optimizer == "perceptron":
        functions.append(plain_source(perceptron_criterion))
    if _rebuilds(run):
        optimizer = code_of(optimizer_of(run.initial.optimizer, run.initial.momentum))
        functions.append(MADE.format(optimizer=optimizer, seed=run.initial.seed))
    schedule = code_of(SCHEDULES[run.initial.schedule].value)
    constant = run.initial.schedule == "constant"
    functions.append(CONSTANT if constant else SCHEDULED.format(schedule=schedule, span=run.initial.schedule_steps))
    rows = _rows_of_table(run) if of_table else _rows_of_source(run)
    sections = [rows, _inputs(run), _network(run), _trainer(run), [*_steps(run)]]
    body = "\n\n".join("\n".join(lines) for lines in sections if lines)
    blocks = [f"{INTRODUCTION}\n\n{_imports(of_table)}", *functions, body]
    return "\n\n\n".join(block.strip("\n") for block in blocks) + f"\n{END}"


def plain_source(function: Callable[..., Any]) -> str:
    """The source of a function, without annotations in its first line."""
    head, rest = textwrap.dedent(inspect.getsource(function)).split("\n", 1)
    head = re.sub(r": [\w.]+(?=[,)])", "", head)
    return re.sub(r"\) -> .*:$", "):", head) + "\n" + rest


def call(start: str, arguments: Sequence[str]) -> str:
    """A call, of which `start` is all before its arguments: a line, or if that is too long, one for each argument."""
    line = f"{start}({', '.join(arguments)})"
    if len(line) <= WIDTH:
        return line
    wrapped = ["\n        ".join(textwrap.wrap(a, WIDTH - 10, break_long_words=False)) for a in arguments]
    return f"{start}(\n    " + ",\n    ".join(wrapped) + ",\n)"


def each(values: Sequence[Any]) -> str:
    """A value for each layer: one for all, if they are alike."""
    codes = [code_of(value) for value in values]
    return codes[0] if len(set(codes)) == 1 else f"({', '.join(codes)})"


def _imports(of_table: bool) -> str:
    lines = ["import numpy as np", "", "from rosenblatt import nn"]
    if of_table:
        lines = ["import sys", "", *lines, "from rosenblatt.playground_page.own_tables import PlaygroundTable"]
        lines.append("from rosenblatt.tables import read_table")
    lines += ["from rosenblatt.training import Trainer", "from rosenblatt.training.evaluation import Evaluator"]
    return "\n".join(lines)


def _rows_of_source(run: Run) -> list[str]:
    """The points of one of the page's data sets, and which of them train."""
    data, n_train = run.initial.data, len(run.problem.train)
    classes = f", {data.classes}" if SOURCES[data.source].has_classes else ""
    return [
        f"rng = np.random.default_rng({data.seed})",
        f"points, y = {data.source}(rng, {data.rows}, {data.noise / 100!r}{classes})",
        f"order = rng.permutation({data.rows})",
        f"train_rows, test_rows = order[:{n_train}], order[{n_train}:]",
        "x1, x2 = points.T",
    ]


def _rows_of_table(run: Run) -> list[str]:
    """The rows of the user's table, and which of them train."""
    data, n_train = run.initial.data, len(run.problem.train)
    target = literal(data.target)
    name = literal(run.table.name if run.table is not None else "")
    return [
        f"path = sys.argv[1] if len(sys.argv) > 1 else {name}",
        "table = PlaygroundTable.of(read_table(path))",
        f"target, rows = table.target({target}), table.rows_with({target})",
        "y = np.zeros(table.table.n_rows, target.values.dtype)",
        "y[rows] = target.values",
        f"order = np.random.default_rng({data.seed}).permutation(rows)[:{n_train + len(run.problem.test)}]",
        f"train_rows, test_rows = order[:{n_train}], order[{n_train}:]",
        *(["y = scaled(y)"] if run.problem.classes is None else []),
        *(f"x{i} = scaled(table.numbers({literal(column)}))" for i, column in enumerate(data.columns, 1)),
    ]


def _inputs(run: Run) -> list[str]:
    """The matrix of inputs, and the target as the loss takes it."""
    data, lines = run.initial.data, list[str]()
    columns = [FEATURES[name].formula for name in run.initial.features]
    if data.source == "table" and data.others == "inputs":
        taken = ", ".join(map(literal, data.columns))
        lines.append(f"others, _, _ = table.inputs(table.others([{taken}], {literal(data.target)}))")
        columns.append("others")
    lines.append(f"X = np.column_stack([{', '.join(columns)}]).astype(np.float32)")
    return lines if run.problem.kind == "multiclass" else [*lines, "y = y.astype(np.float32)"]


def _network(run: Run) -> list[str]:
    """The loss and the network."""
    settings = run.initial
    name, choice = loss_choice(settings, run.problem)
    layers, sizes = settings.layers, tuple(layer.units for layer in settings.layers)
    names = [*(layer.initializer for layer in layers), settings.output.initializer]
    weights = [INITIALIZERS[name].value for name in names]
    arguments = [str(len(run.problem.inputs)), repr(sizes), str(run.problem.n_outputs)]
    if layers:
        arguments.append(f"activation={each([layer.activation for layer in layers])}")
    arguments.append(f"output={literal(choice.output)}")
    if any(layer.dropout for layer in layers):
        arguments.append(f"dropout={each([layer.dropout for layer in layers])}")
    if any(weights):
        arguments.append(f"weights={each(weights)}")
    own = settings.optimizer == "perceptron"
    loss = 'nn.Loss(perceptron_criterion, outputs=("step",))' if own else literal(name)
    lines = [f"loss = {loss}", call("spec = nn.NetworkSpec", arguments)]
    lines.append(f"network = nn.Network(spec, seed={settings.seed})")
    if frozen := frozen_layers(settings):
        lines.append(f"network.freeze({', '.join(map(literal, frozen))})  # no gradient passes through a step")
    return lines


def _rebuilds(run: Run) -> bool:
    """Whether more than the learning rate was changed on the way."""
    return any(event.get("changes", {}).keys() - {"learning_rate"} for event in run.events)


def _trainer(run: Run) -> list[str]:
    """The first trainer."""
    settings = run.initial
    if _rebuilds(run):
        return [_remade("trainer = ", vars(settings))]
    optimizer = code_of(optimizer_of(settings.optimizer, settings.momentum))
    arguments = ["network", "loss", optimizer, f"batch_size={run.trainer.batch_size}", f"seed={settings.seed}"]
    penalties = [f"{name}={vars(settings)[name]!r}" for name in ("l1", "l2") if vars(settings)[name]]
    arguments += [*penalties, "per_batch=False"] if penalties else []
    return [call("trainer = Trainer", arguments), "trainer.set_data(X[train_rows], y[train_rows])"]


def _remade(start: str, present: Mapping[str, Any]) -> str:
    """A call of the function that makes a trainer."""
    return call(f"{start}make_trainer", [f"{name}={present[name]!r}" for name in ("batch_size", "l1", "l2")])


def _steps(run: Run) -> Iterator[str]:
    """Training with all changes, in their order."""
    present, step = dict(vars(run.initial)), 0
    for event in [*run.events, {"step": run.trainer.step_count}]:
        if event["step"] > step:
            yield f"train({event['step'] - step}, {present['learning_rate']!r})"
            step = event["step"]
        changes = event.get("changes", {})
        present |= changes
        if changes.keys() - {"learning_rate"}:
            yield _remade("previous, trainer = trainer, ", present)
            yield "trainer.continue_from(previous)"
        if "edit" in event:
            layer, row, unit, value = event["edit"]
            place = f"biases[{layer - 1}][{unit}]" if row is None else f"weights[{layer - 1}][{row}, {unit}]"
            yield f"network.{place} = {value!r}"
