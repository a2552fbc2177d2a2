"""Run parts: ``python -m benchmarks.reliability`` all, ``python -m benchmarks.reliability files --n 50000`` one.

Prints how many attempts were refused and accepted, and each that ended in another way; the exit code is 1 if there was
one.
"""

from __future__ import annotations

import argparse
import sys

from benchmarks.reliability import PARTS, run


def main() -> int:
    """Run the parts that are named, print what came of them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reliability", description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", default=list(PARTS), metavar="part", help=", ".join(PARTS))
    parser.add_argument("--n", type=int, default=10_000, help="attempts of each part")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    if unknown := [name for name in given.parts if name not in PARTS]:
        parser.error(f"there is no part {unknown[0]!r}; the parts are {', '.join(PARTS)}")
    failed = False
    for name in given.parts:
        tally = run(name, given.n, given.seed)
        print(f"{name}: {tally.refused} refused, {tally.accepted} accepted, {len(tally.failures)} wrong", flush=True)
        for failure in tally.failures:
            print(f"  {failure}")
        failed |= bool(tally.failures)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
