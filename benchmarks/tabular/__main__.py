"""Default settings on real tables: ``python -m benchmarks.tabular``; ``--peers`` fills the cache of the peers' results.

Errors are means over seeds, ratios geometric means over tables with a 95 % interval (paired bootstrap). Results of the
peers are in ``peers.json`` beside this file, each with the number of threads that it was timed with; ours are measured
anew unless ``--cache FILE`` holds them.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
from typing import Any

import numpy as np

from benchmarks.tabular.fits import PEERS, run
from benchmarks.tabular.tables import folder, half, ratio, tables
from rosenblatt.storage.atomic import write_atomically

CACHE = pathlib.Path(__file__).with_name("peers.json")


def read(path: pathlib.Path | None) -> dict[str, Any]:
    """Results by "mode/table/seed/method"."""
    return json.loads(path.read_text()) if path is not None and path.exists() else {}


def fill(results: dict[str, Any], methods: list[str], o: argparse.Namespace, path: pathlib.Path | None) -> None:
    """Run what is missing, and write each result at once."""
    for seed in o.seeds:
        for method in methods:
            for name in o.tables or half(o.half):
                key = f"{o.mode}/{name}/{seed}/{method}"
                if key in results:
                    continue
                try:
                    results[key] = run(method, name, seed, o.mode == "full", o.threads)
                except Exception as error:  # a peer's failure is a result too
                    results[key] = {"failed": f"{type(error).__name__}: {error}"[:300]}
                print(key, {k: round(v, 4) if isinstance(v, float) else v for k, v in results[key].items()}, flush=True)
                if path is not None:  # what another process wrote in the meantime is kept
                    write_atomically(path, json.dumps({**read(path), **results}, indent=0, sort_keys=True).encode())


def mean_of(results: dict[str, Any], method: str, name: str, o: argparse.Namespace, what: str) -> float:
    """Mean over seeds; NaN if one is missing or failed."""
    found = [results.get(f"{o.mode}/{name}/{seed}/{method}", {}).get(what, np.nan) for seed in o.seeds]
    return float(np.mean(found))


def report(results: dict[str, Any], o: argparse.Namespace) -> None:
    """Print errors of each table, and ratios beside each peer."""
    names = o.tables or half(o.half)
    for classify, what in ((True, "error"), (True, "log_loss"), (False, "error")):
        chosen = [name for name in names if tables()[name] == classify]
        if not chosen:
            continue
        columns = [o.preset, *PEERS]
        print(
            f"\n{'classification' if classify else 'regression'}: {what}\n{'':24}"
            + "".join(f"{c[:11]:>12}" for c in columns)
        )
        values = {c: np.array([mean_of(results, c, name, o, what) for name in chosen]) for c in columns}
        for i, name in enumerate(chosen):
            print(f"{name:24}" + "".join(f"{values[c][i]:12.4f}" for c in columns))
        for c in PEERS:
            both = np.isfinite(values[c]) & np.isfinite(values[o.preset])
            if both.any():
                found, low, high = ratio(values[o.preset][both], values[c][both])
                compared = [name for name, b in zip(chosen, both, strict=True) if b]
                mine, theirs = (
                    sum(mean_of(results, m, name, o, "processor_seconds") for name in compared) for m in (o.preset, c)
                )
                print(
                    f"beside {c:24} {found:.3f} [{low:.3f}, {high:.3f}] on {both.sum()} tables; processor seconds of "
                    f"all fits: {mine:.0f} / {theirs:.0f} = {mine / theirs:.3f}"
                )


def main() -> None:
    """Read the arguments, run, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--peers", nargs="*", choices=[*PEERS, []], help="run these peers (none named: all) into the cache"
    )
    parser.add_argument("--preset", default="default", choices=["fast", "default", "best"])
    parser.add_argument("--mode", default="3000", choices=["3000", "full"])
    parser.add_argument("--half", default="all", choices=["tune", "report", "all"])
    parser.add_argument("--tables", nargs="*")
    parser.add_argument("--seeds", nargs="*", type=int, default=[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--cache", type=pathlib.Path, help="file for our own results")
    o = parser.parse_args()
    if not (folder() / "manifest.json").exists():
        print(f"skipped: there are no tables in {folder()}; say where they are in ROSENBLATT_DATA")
        return
    os.environ["OMP_NUM_THREADS"] = str(o.threads)
    peers = read(CACHE)
    if o.peers is not None:
        fill(peers, o.peers or list(PEERS), o, CACHE)
        return
    import rosenblatt

    rosenblatt.set_num_threads(o.threads)
    own = read(o.cache)
    fill(own, [o.preset], o, o.cache)
    report({**peers, **own}, o)


if __name__ == "__main__":
    main()
