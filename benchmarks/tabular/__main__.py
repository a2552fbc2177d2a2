"""Default settings on real tables: ``python -m benchmarks.tabular``; ``--peers`` fills the cache of the peers' results.

Errors are means over seeds, ratios geometric means over tables with a 95 % interval (paired bootstrap). Results of the
peers are in ``peers.json`` beside this file, each with the number of threads that it was timed with. Ours are kept in
``ours.json`` with a digest of the library's files: after a change, or with ``--fresh``, they are measured again.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import os
import pathlib
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Any

from benchmarks.tabular.fits import OURS, PEERS, TUNED, attempt
from benchmarks.tabular.report import BEGIN, END, Results, lines, replaced, tuned_lines
from benchmarks.tabular.tables import folder, half, tables
from rosenblatt._checks import parse_duration
from rosenblatt.storage.atomic import write_atomically

CACHE = pathlib.Path(__file__).with_name("peers.json")
OWN_CACHE = pathlib.Path(__file__).with_name("ours.json")


def read(path: pathlib.Path) -> dict[str, Any]:
    """Results by "mode/table/seed/method"."""
    return json.loads(path.read_text()) if path.exists() else {}


def digest() -> str:
    """Of the files of the library: equal digests, equal results."""
    import rosenblatt

    found = hashlib.sha256()
    for path in sorted(pathlib.Path(rosenblatt.__file__).parent.rglob("*")):
        if path.suffix in (".py", ".so", ".pyd"):
            found.update(path.read_bytes())
    return found.hexdigest()[:16]


def answers(work: dict[str, tuple[Any, ...]], jobs: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Results of fits as they come, in this process or in several at once."""
    if jobs == 1:
        yield from ((key, attempt(*arguments)) for key, arguments in work.items())
        return
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        running = {pool.submit(attempt, *arguments): key for key, arguments in work.items()}
        for done in as_completed(running):
            yield running[done], done.result()


def fill(results: dict[str, Any], methods: list[str], o: argparse.Namespace, path: pathlib.Path, code: str) -> None:
    """Run what is missing or of another `code`, and write each result at once."""
    work: dict[str, tuple[Any, ...]] = {}
    for seed in o.seeds:
        for method in methods:
            for name in o.tables or half(o.half):
                key = f"{o.mode}/{name}/{seed}/{method}"
                known = results.get(key, {"code": None})
                if known.get("code", "") != code or (o.retry and "failed" in known):
                    results.pop(key, None)
                    work[key] = (method, name, seed, o.mode == "full", o.threads)
    for key, found in answers(work, o.jobs):
        results[key] = {**found, **({"code": code} if code else {})}
        print(key, {k: round(v, 4) if isinstance(v, float) else v for k, v in found.items()}, flush=True)
        # What another process wrote in the meantime is kept.
        write_atomically(path, json.dumps({**read(path), **results}, indent=0, sort_keys=True).encode())


def arguments() -> argparse.Namespace:
    """What is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--peers", action="store_true", help="run what is missing of the peers into the cache, and not ours")
    add("--methods", nargs="+", choices=PEERS, default=list(PEERS), help="peers to run or to compare with")
    add("--preset", default="default", choices=OURS)
    add("--tuned", metavar="TIME", help="search for so long (300s, 5m) on each table, and compare with the defaults")
    add("--mode", default="3000", choices=["3000", "full"], help="most training rows")
    add("--half", default="all", choices=["tune", "report", "all"], help="tune defaults on one, report the other")
    add("--tables", nargs="+", help="instead of a half")
    add("--seeds", nargs="+", type=int, default=[0])
    add("--threads", type=int, default=2, help="of each fit")
    add("--jobs", type=int, default=1, help="fits at once; seconds are then those of a busy machine")
    add("--fresh", action="store_true", help="measure ours again")
    add("--retry", action="store_true", help="run again what failed")
    add("--cache", type=pathlib.Path, default=OWN_CACHE, help="file of our own results")
    add("--write", type=pathlib.Path, help="page whose marked section is replaced by the report")
    o = parser.parse_args()
    if o.tables and (folder() / "manifest.json").exists() and (unknown := set(o.tables) - set(tables())):
        parser.error(f"no such tables: {', '.join(sorted(unknown))}; there are {', '.join(tables())}")
    return o


def write(page: pathlib.Path, text: str, marks: tuple[str, str] = (BEGIN, END)) -> None:
    """Put the report between the marks of a page; a new page has nothing else."""
    old = page.read_text() if page.exists() else "# Tables, by default\n\n" + "\n".join(marks) + "\n"
    page.write_text(replaced(old, text, marks))


def main() -> None:
    """Read the arguments, run, report."""
    o = arguments()
    if not (folder() / "manifest.json").exists():
        print(f"skipped: there are no tables in {folder()}; say where they are in ROSENBLATT_DATA")
        return
    os.environ["OMP_NUM_THREADS"] = str(o.threads)  # of what is loaded later
    peers = read(CACHE)
    if o.peers:
        fill(peers, o.methods, o, CACHE, "")
        return
    own = {} if o.fresh else read(o.cache)
    method = f"{TUNED}{parse_duration('--tuned', o.tuned):g}" if o.tuned else o.preset
    fill(own, [method], o, o.cache, digest())
    asked = {name: tables()[name] for name in o.tables or half(o.half)}
    results = Results({**peers, **own}, o.mode, o.seeds)
    said = list(tuned_lines(results, method, asked) if o.tuned else lines(results, method, o.methods, asked))
    print("", *said, sep="\n")
    if o.write is not None:
        write(o.write, "\n".join(said))


if __name__ == "__main__":
    main()
