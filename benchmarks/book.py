"""The book's figures and ours, example by example: ``python -m benchmarks.book [--full] [names...]``.

Takes names of examples (default: all). Prints a Markdown table. Never computes anything itself, and hides what the
examples print. Without ``--full`` the examples run on their small data, whose figures are not comparable with the
book's. With it they read the tables in ROSENBLATT_DATA, and `mnist-best` alone takes minutes. Seconds are those of the
whole example on this machine, including data and checks.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import pathlib
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass

from benchmarks.book_deep import ROWS

EXAMPLES = pathlib.Path(__file__).parents[1] / "examples" / "book"


@dataclass(frozen=True)
class Row:
    """A figure of the book and the source of ours.

    Attributes
    ----------
    answer : str
        The chapter and the number of the exercise.
    example : str
        The module in examples/book/.
    figure : str
        The key in the figures that the example returns.
    book : str
        The book's figure, as text; "-" if it has none.
    form : str
        The format of our figure.
    flags : tuple of str
        Arguments of `main` to set to True, such as "best". Rows with flags run in full mode only.
    function : str
        The function to call. Functions other than "main" are called without arguments.
    """

    answer: str
    example: str
    figure: str
    book: str
    form: str = ".2%"
    flags: tuple[str, ...] = ()
    function: str = "main"

    @property
    def name(self) -> str:
        """The name on the command line: "mnist", "mnist-best"."""
        return "-".join((self.example, *self.flags))

    def call(self, full: bool) -> str:
        """The command that prints the figure."""
        words = [*(["full"] if full else []), *self.flags]
        return f"python examples/book/{self.example}.py" + "".join(f" --{word}" for word in words)


BOOK = [
    Row("9.12", "moons", "linear", "87.5 %"),
    Row("9.12", "moons", "polynomial", "98.0 %; best of a search 99.0 %"),
    Row("9.12", "moons", "resumed_exactly", "-", "g"),
    Row("10.4", "activations", "relu zero slope", "-"),
    Row("10.4", "activations", "elu zero slope", "-"),
    Row("10.5", "shapes_10_50_3", "parameters", "703, from its shapes", "g"),
    Row("10.5", "shapes_10_50_3", "error", "0, with the activations it omits", ".1e"),
    Row("10.6", "spam", "accuracy", "-"),
    Row("10.6", "spam", "precision", "-"),
    Row("10.6", "spam", "recall", "-"),
    Row("10.6", "housing", "exp_bias", "-", "+.1%"),
    Row("10.6", "housing", "smeared_bias", "-", "+.1%"),
    Row("10.7", "autodiff", "hessian dx_dx", "8", "g", function="fixtures"),
    Row("10.7", "autodiff", "hessian dx_dy", "6", "g", function="fixtures"),
    Row("10.7", "autodiff", "hessian dy_dy", "0", "g", function="fixtures"),
    Row("10.7", "autodiff", "forward difference", "24.0004", ".6g", function="fixtures"),
    Row("10.7", "autodiff", "slope of sin(x²)", "-5.46761; exactly -5.46678", ".6g", function="fixtures"),
    Row("10.7", "autodiff", "loop f", "-0.2125392", ".7g", function="fixtures"),
    Row("10.7", "autodiff", "loop df_dx", "-1.1388495 in 32 bits", ".8g", function="fixtures"),
    Row("10.7", "autodiff", "loop df_dy", "0.19671397 in 32 bits", ".8g", function="fixtures"),
    Row("10.9", "mnist", "median", "98.06 %"),
    Row("10.9", "mnist", "seconds", "-", ".1f"),
    Row("10.9", "mnist", "resumed_exactly", "-", "g"),
    Row("10.9", "mnist", "mean", "98.06 %", flags=("best",)),
    Row("10.9", "mnist", "seconds", "-", ".1f", flags=("best",)),
    Row("11.1", "symmetry", "equal: spread", "0: neurons stay identical", "g"),
    Row("11.1", "symmetry", "equal", "no better than one neuron"),
    Row("11.1", "symmetry", "one neuron", "-"),
    Row("11.2", "symmetry", "random", "biases may start at zero"),
    *(Row(answer, example, figure, book, ".4g") for answer, example, figure, book in ROWS),
]
"""All figures that have an example."""


def run(row: Row, full: bool) -> tuple[dict[str, float], float]:
    """The figures that the row's example returns, and the seconds that it takes."""
    if str(EXAMPLES) not in sys.path:
        sys.path.insert(0, str(EXAMPLES))  # as for a script there: examples import from each other
    function = getattr(importlib.import_module(row.example), row.function)
    options = {"full": full, **dict.fromkeys(row.flags, True)} if row.function == "main" else {}
    start = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        figures = function(**options)
    return figures, time.perf_counter() - start


def chosen(names: Iterable[str], full: bool) -> list[Row]:
    """The rows of the named examples, or all rows.

    Raises
    ------
    ValueError
        If a name has no row.
    """
    rows = [row for row in BOOK if full or not row.flags]
    names, known = list(names), list(dict.fromkeys(row.name for row in rows))
    if unknown := sorted(set(names) - set(known)):
        raise ValueError(f"no figure of {', '.join(unknown)}; there are: {', '.join(known)}")
    return [row for row in rows if not names or row.name in names]


def main() -> None:
    """Run each example once, and print the row of each figure as soon as it is known."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="examples; default: all")
    parser.add_argument("--full", action="store_true", help="on the real data in ROSENBLATT_DATA")
    arguments = parser.parse_args()
    try:
        rows = chosen(arguments.names, arguments.full)
    except ValueError as error:
        parser.error(str(error))
    print("| answer | call | figure | the book | ours | seconds |\n|---|---|---|---|---|---|")
    done: dict[tuple[str, str], tuple[dict[str, float], float]] = {}
    for row in rows:
        if (row.name, row.function) not in done:
            done[row.name, row.function] = run(row, arguments.full)
        figures, seconds = done[row.name, row.function]
        ours = format(figures[row.figure], row.form).replace("%", " %")
        print(f"| {row.answer} | `{row.call(arguments.full)}` | {row.figure} | {row.book} | {ours} | {seconds:.1f} |",
              flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
