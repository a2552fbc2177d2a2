"""How quickly the playground trains and draws: ``python -m benchmarks.playground [--quick]``.

Takes nothing. Prints a Markdown table: for some networks, what steps and frames cost the engine by itself, on one
thread and without a browser, and how many steps a second are left when the page draws 25 frames a second. Then it opens
the page in Chromium, plays 2-8-8-1, and prints the frames and steps of a second as the page itself counts them. Never
decides whether that is enough; ``--quick`` measures for a moment only, and ``--no-browser`` leaves the page out.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.playground_browser import page_rates
from rosenblatt.playground_page.runs import Run
from rosenblatt.playground_page.settings import Settings
from rosenblatt.threads import set_num_threads

NETWORKS: dict[str, tuple[int, ...]] = {"2-8-8-1": (8, 8), "2-32-32-1": (32, 32), "2-128-128-128-1": (128, 128, 128)}
STEPS = 40
FRAMES_A_SECOND = 25


@dataclass(frozen=True)
class EngineCost:
    """What a network costs, in milliseconds of processor time: 40 steps, a frame, a frame with statistics."""

    steps: float
    frame: float
    with_statistics: float

    @property
    def frames_a_second(self) -> float:
        """Frames with 40 steps each, as many as there can be."""
        return 1000 / (self.steps + self.frame)

    @property
    def steps_a_second(self) -> float:
        """Steps in the time that is left by 25 frames a second."""
        return max(0.0, 1000 - FRAMES_A_SECOND * self.frame) * STEPS / self.steps


def engine_cost(hidden: tuple[int, ...], seconds: float) -> EngineCost:
    """Train and draw for about so many seconds."""
    run = Run(Settings.from_json({"layers": [{"units": n} for n in hidden]}))
    run.frame(0, statistics=True)  # builds what is kept
    calls: tuple[Callable[[], object], ...] = (
        lambda: run.advance(STEPS, 0),
        lambda: run.frame(0),
        lambda: run.frame(0, statistics=True),
    )
    return EngineCost(*(milliseconds(call, seconds / len(calls)) for call in calls))


def milliseconds(call: Callable[[], object], seconds: float) -> float:
    """Milliseconds of processor time of a call, the mean of as many as fit."""
    began, n = time.process_time(), 0
    while (passed := time.process_time() - began) < seconds or n < 3:
        call()
        n += 1
    return 1000 * passed / n


def engine_table(seconds: float) -> list[str]:
    """The lines of the table."""
    lines = [
        f"| network | {STEPS} steps, ms | frame, ms | with statistics, ms | frames/s | "
        f"steps/s at {FRAMES_A_SECOND} frames/s |",
        "|---|---|---|---|---|---|",
    ]
    for name, hidden in NETWORKS.items():
        cost = engine_cost(hidden, seconds)
        lines.append(
            f"| {name} | {cost.steps:.3f} | {cost.frame:.2f} | {cost.with_statistics:.2f} | "
            f"{cost.frames_a_second:,.0f} | {cost.steps_a_second:,.0f} |"
        )
    return lines


def main(arguments: list[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.playground", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="measure for a moment only")
    parser.add_argument("--no-browser", action="store_true", help="measure the engine alone")
    given = parser.parse_args(arguments)
    set_num_threads(1)
    print("Engine, one thread:\n")
    print("\n".join(engine_table(0.1 if given.quick else 3.0)))
    if not given.no_browser:
        rates = page_rates(1.0 if given.quick else 10.0)
        print(f"\nPage, 2-8-8-1: {rates.frames:.1f} frames a second with {rates.steps:,.0f} steps a second")
    return 0


if __name__ == "__main__":
    sys.exit(main())
