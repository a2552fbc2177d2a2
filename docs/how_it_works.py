"""Makes the pages on the engine again: ``python docs/how_it_works.py``.

Runs the code of docs/how-it-works/*.md and writes what it prints into the blocks below it; draws the four pictures from
programs, derivatives and plans as the library makes them. Never changes anything else on the pages.
"""

import contextlib
import io
import pathlib
import re
from collections.abc import Callable
from dataclasses import replace
from unittest import mock

import matplotlib
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from rosenblatt import Builder
from rosenblatt.ir.autodiff import gradient
from rosenblatt.ir.ops import OPS
from rosenblatt.ir.planner import plan
from rosenblatt.ir.rewrite import eliminate_dead, fuse
from rosenblatt.ir.types import Instruction, Program
from rosenblatt.nn import SGD, Adam, NetworkSpec
from rosenblatt.nn.objective import Objective
from rosenblatt.nn.programs import training_program

FOLDER = pathlib.Path(__file__).resolve().parent / "how-it-works"
SNIPPET = re.compile(r"(^```python\n(.*?)^```\n)(\n```text\n(.*?)^```\n)?", re.M | re.S)
FORWARD, BACKWARD, OTHER = "#3b78c3", "#d1702f", "#8a8a8a"
PHASES = {  # of a step of 57-100-50-2 by two threads, as the scheduler makes it from measured times
    "each thread its rows": ("dense 1", "dense 2", "dense 3", "softmax", "loss", "back 3", "back 2"),
    "some rows of each gradient": ("weights 1", "weights 2", "weights 3", "biases"),
    "a share of the weights": ("adam_update",),
}


def rendered(text: str, page: str) -> str:
    """The text of a page, with what its code prints now in the blocks below the code."""
    names: dict[str, object] = {}

    def run(found: re.Match[str]) -> str:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(found[2], page, "exec"), names)
        return found[1] + (f"\n```text\n{printed.getvalue()}```\n" if printed.getvalue() else "")

    return SNIPPET.sub(run, text)


def keep(name: str) -> None:
    """Write the current figure."""
    plt.savefig(FOLDER / f"{name}.svg", metadata={"Date": None}, bbox_inches="tight")
    plt.close("all")


def canvas(width: float, height: float) -> Axes:
    """Empty axes with the origin at the upper left; a unit is a line of text."""
    _, axes = plt.subplots(figsize=(width, height), layout="constrained")
    axes.invert_yaxis()
    axes.axis("off")
    return axes


def box(axes: Axes, x: float, y: float, text: str, color: str, ha: str = "left") -> None:
    """A line of text in a box whose edge has the color."""
    axes.text(
        *(x, y, text),
        **{"ha": ha, "va": "center", "fontsize": 8, "family": "monospace"},
        bbox={"boxstyle": "round,pad=0.25", "fc": "white", "ec": color},
    )


def small_step() -> Program:
    """A training step of a network with one hidden layer."""
    spec = NetworkSpec(4, (8,), 3, output="softmax")
    return training_program(spec, Objective("softmax_cross_entropy"), SGD(), "float32")


def shown(program: Program) -> list[Instruction]:
    """The instructions that compute something of the data."""
    return [i for i in program.instructions if i.op not in ("view", "fill", "pack")]


def result(instruction: Instruction) -> str:
    """The name of what an instruction makes, or of what it updates."""
    return (instruction.inputs[0] if instruction.output is None else instruction.output).name


def draw_program() -> None:
    """Draw the instructions before and after fusion, with a line from each to the one that does its work."""
    program = small_step()
    before, after = shown(program), shown(fuse(program))
    made = {result(instruction): row for row, instruction in enumerate(after)}
    axes = canvas(7, 0.24 * len(before))
    stretch = (len(before) - 1) / (len(after) - 1)
    for row, instruction in enumerate(before):
        box(axes, 1.0, row, instruction.op, FORWARD, ha="right")
        target: Instruction | None = instruction
        while target is not None and result(target) not in made:
            target = next((i for i in before if target.output in i.inputs), None)
        if target is not None:
            axes.plot([1.1, 1.9], [row, made[result(target)] * stretch], color=OTHER, lw=0.8, zorder=0)
    for row, instruction in enumerate(after):
        box(axes, 2.0, row * stretch, instruction.op, BACKWARD)
    axes.set_xlim(0, 3)
    axes.set_ylim(len(before), -1.5)
    for x, ha, title in ((1.0, "right", "as written"), (2.0, "left", "as it runs")):
        axes.text(x, -1, title, ha=ha, va="center", fontsize=9, weight="bold")
    keep("program")


def rules_watched(b: Builder, work: Callable[[], None]) -> dict[str, list[Instruction]]:
    """What each rule of a derivative appends to the builder while `work` runs, by the name of its result."""
    appended: dict[str, list[Instruction]] = {}

    def watched(rule):
        def call(b, g, out, *inputs, **attrs):
            start = len(b.instructions)
            cotangents = rule(b, g, out, *inputs, **attrs)
            appended[out.name] = list(b.instructions[start:])
            return cotangents

        return call

    rules = {name: replace(op, vjp=op.vjp and watched(op.vjp)) for name, op in OPS.items()}
    with mock.patch("rosenblatt.ir.autodiff.OPS", rules):
        work()
    return appended


def draw_derivative() -> None:
    """Draw each forward instruction of a small network's loss, and beside it what its rule appended and is read."""
    b = Builder("float32")
    x, y = b.input("x", (-1, 3)), b.input("y", (-1, 1))
    w, v = b.leaf("params", "w", (3, 8)), b.leaf("params", "v", (8, 1))
    h = b.tanh(b.matmul(x, w, name="z"), name="h")
    loss = b.sum(b.squared_error(b.matmul(h, v, name="p"), y, name="e"), name="loss")
    forward, gradients = list(b.instructions), []
    appended = rules_watched(b, lambda: gradients.extend(gradient(b, loss, [w, v])))
    live = {result(i) for i in eliminate_dead(b.build(dw=gradients[0], dv=gradients[1])).instructions}
    added = {name: [i for i in found if result(i) in live and i.op != "fill"] for name, found in appended.items()}
    rows = dict(zip(map(result, forward), row_centers([len(added[result(i)]) for i in forward]), strict=True))
    axes = canvas(8, 0.3 * (max(rows.values()) + 2))
    for instruction in forward:
        row = rows[result(instruction)]
        box(axes, 1.0, row, as_call(instruction), FORWARD, ha="right")
        for number, found in enumerate(added[result(instruction)]):
            at = row + (len(added[result(instruction)]) - 1) / 2 - number
            box(axes, 2.0, at, as_call(found), BACKWARD)
            for value in found.inputs:
                if value.name in rows:
                    axes.plot([1.04, 1.96], [rows[value.name], at], color=OTHER, lw=0.8, zorder=0)
    bottom = max(rows.values()) + 1
    axes.annotate("", (0.0, bottom), (0.0, -1), arrowprops={"arrowstyle": "->", "color": FORWARD})
    axes.annotate("", (3.25, -1), (3.25, bottom), arrowprops={"arrowstyle": "->", "color": BACKWARD})
    axes.set_xlim(-0.02, 3.27)
    axes.set_ylim(bottom, -1)
    keep("derivative")


def row_centers(heights: list[int]) -> list[float]:
    """The middle of each of several rows, one below the other, that hold so many lines each."""
    ends = np.cumsum([max(1, height) + 0.5 for height in heights])
    return [end - (max(1, height) + 1) / 2 for end, height in zip(ends, heights, strict=True)]


def as_call(instruction: Instruction) -> str:
    """An instruction without types and attributes."""
    return f"{result(instruction)} = {instruction.op}({', '.join(value.name for value in instruction.inputs)})"


def draw_plan() -> None:
    """Draw the workspace of a plan that shares memory: instructions to the right, bytes upwards."""
    spec = NetworkSpec(50, (256, 256, 256), 2, output="softmax")
    program = fuse(training_program(spec, Objective("softmax_cross_entropy"), Adam(), "float32"))
    planned = plan(program, 256)
    loss = next(n for n, i in enumerate(program.instructions) if i.op.startswith("picked"))
    _, axes = plt.subplots(figsize=(8, 4), layout="constrained")
    drawn: dict[tuple[int, int, int, int], str] = {}
    for part, offset, size, needed, name, _ in planned.rows():
        if part != "workspace" or name.startswith("pack"):  # a pack is where its members are
            continue
        first, last = map(int, needed.split(".."))
        key = (offset, size, first, last)
        drawn[key] = f"{drawn[key]}, {name}" if key in drawn else name
    for (offset, size, first, last), name in drawn.items():
        color = OTHER if first < 0 else FORWARD if first <= loss else BACKWARD
        axes.broken_barh([(first, last - first + 0.9)], (offset / 1024, size / 1024), fc=color, ec="white", alpha=0.75)
        if size > 40_000:
            axes.text(first + 0.2, (offset + size / 2) / 1024, name, fontsize=7, va="center", color="black")
    axes.set(xlabel="instruction", ylabel="kB of workspace", xlim=(-1, len(program.instructions)), ylim=(0, None))
    for color, label in ((OTHER, "input"), (FORWARD, "forward pass"), (BACKWARD, "derivative")):
        axes.broken_barh([], (0, 0), fc=color, label=label)
    axes.legend(frameon=False, fontsize=8, loc="lower left")
    keep("plan")


def draw_threads() -> None:
    """Draw the phases of a step by two threads, with barriers between them."""
    axes = canvas(9, 1.9)
    at = 0.0
    for title, calls in PHASES.items():
        start = at
        for call in calls:
            width = 0.28 + 0.085 * len(call)
            for thread in (0, 1):
                axes.add_patch(plt.Rectangle((at, thread + 0.12), width - 0.04, 0.72, fc="white", ec=FORWARD))
                axes.text(at + width / 2 - 0.02, thread + 0.48, call, ha="center", va="center", fontsize=7)
            at += width
        axes.text((start + at) / 2, -0.15, title, ha="center", va="center", fontsize=8)
        if title != list(PHASES)[-1]:
            axes.plot([at + 0.1, at + 0.1], [-0.05, 2.05], color=BACKWARD, lw=3)
            axes.text(at + 0.1, 2.25, "barrier", ha="center", va="center", fontsize=8, color=BACKWARD)
            at += 0.24
    for thread in (0, 1):
        axes.text(-0.1, thread + 0.48, f"thread {thread + 1}", ha="right", va="center", fontsize=8)
    axes.set_xlim(-1, at + 0.1)
    axes.set_ylim(2.5, -0.4)
    keep("threads")


def main() -> None:
    """Write the pages and their pictures."""
    for page in sorted(FOLDER.glob("*.md")):
        text = page.read_text(encoding="utf-8")
        page.write_text(rendered(text, page.name), encoding="utf-8")
    for draw in (draw_program, draw_derivative, draw_plan, draw_threads):
        draw()


if __name__ == "__main__":
    matplotlib.use("Agg")
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "rosenblatt"})
    main()
