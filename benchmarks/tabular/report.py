"""What was measured, as Markdown: errors of each table, ratios with intervals, times, worst tables, failures.

Goes in: results by "mode/table/seed/method", and which of them are asked for. Comes out: lines of text. It runs
nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.tabular.tables import OFFSET, ratio

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
N_WORST = 5
NOISE = 2.0


@dataclass(frozen=True)
class Results:
    """Results of one mode, and the seeds whose mean is compared."""

    found: Mapping[str, Mapping[str, Any]]
    mode: str
    seeds: Sequence[int]

    def mean(self, method: str, name: str, what: str) -> float:
        """Mean over the seeds; NaN if one of them is missing or failed."""
        keys = [f"{self.mode}/{name}/{seed}/{method}" for seed in self.seeds]
        return float(np.mean([self.found.get(key, {}).get(what, np.nan) for key in keys]))

    def means(self, method: str, names: Sequence[str], what: str) -> Any:
        """Means of several tables, of shape (n_tables,)."""
        return np.array([self.mean(method, name, what) for name in names])

    def threads(self, method: str, names: Sequence[str]) -> list[int]:
        """Numbers of threads that a method was timed with."""
        keys = [f"{self.mode}/{name}/{seed}/{method}" for seed in self.seeds for name in names]
        return sorted({self.found[key]["threads"] for key in keys if "threads" in self.found.get(key, {})})


def table(header: Sequence[str], rows: Iterator[Sequence[str]]) -> Iterator[str]:
    """A table in Markdown."""
    yield "| " + " | ".join(header) + " |"
    yield "|---" + "|---:" * (len(header) - 1) + "|"
    for row in rows:
        yield "| " + " | ".join(row) + " |"
    yield ""


def section(results: Results, ours: str, peers: Sequence[str], names: Sequence[str], what: str) -> Iterator[str]:
    """One measure on tables of one task: errors, ratios, worst tables."""
    values = {method: results.means(method, names, what) for method in (ours, *peers)}
    rows = ([name, *(_cell(v[i]) for v in values.values())] for i, name in enumerate(names))
    yield from table(["table", *values], rows)
    chosen = [(peer, np.isfinite(values[ours]) & np.isfinite(values[peer])) for peer in peers]
    header = ["peer", "ratio", "95 % interval", "better on", "peer's fit, s", "ours / peer", "peer's processor s"]
    header += ["ours / peer", "prediction, ours / peer"]
    yield from table(header, (_beside(results, ours, peer, names, values, both) for peer, both in chosen if both.any()))
    yield from worst(names, values, ours, peers)


def _cell(value: float) -> str:
    return f"{value:.4f}" if np.isfinite(value) else "-"


def _beside(
    results: Results, ours: str, peer: str, names: Sequence[str], values: Mapping[str, Any], both: Any
) -> list[str]:
    """Ratios of errors and times to those of a peer, on the tables that both have."""
    mine, theirs = values[ours][both], values[peer][both]
    found, low, high = ratio(mine, theirs)
    compared = [name for name, is_in in zip(names, both, strict=True) if is_in]
    cells = [peer, f"{found:.3f}", f"{low:.3f} to {high:.3f}", f"{np.sum(mine < theirs)} of {len(mine)}"]
    for what in ("seconds", "processor_seconds", "predict_seconds"):
        own, other = (results.means(m, compared, what).sum() for m in (ours, peer))
        cells += [f"{other:.0f}"] * (what != "predict_seconds") + [f"{own / other:.3f}"]
    return cells


def worst(names: Sequence[str], values: Mapping[str, Any], ours: str, peers: Sequence[str]) -> Iterator[str]:
    """The tables where the best peer is furthest ahead."""
    rows = []
    for i, name in enumerate(names):
        known = {peer: values[peer][i] for peer in peers if np.isfinite(values[peer][i])}
        if known and np.isfinite(values[ours][i]):
            best = min(known, key=lambda peer: known[peer])
            rows.append(((values[ours][i] + OFFSET) / (known[best] + OFFSET), name, best))
    said = [f"{name} {part:.2f} ({best})" for part, name, best in sorted(rows, reverse=True)[:N_WORST] if part > 1]
    if said:
        yield "Furthest behind the best peer: " + ", ".join(said) + "."
        yield ""


def lines(results: Results, ours: str, peers: Sequence[str], tables: Mapping[str, bool]) -> Iterator[str]:
    """The whole report of some tables; `tables` says which are to be classified."""
    seeds = ", ".join(map(str, results.seeds))
    cut = "four fifths of the rows" if results.mode == "full" else f"{results.mode} rows at most"
    yield f"Default settings (ours: `{ours}`), training on {cut}, splits {seeds}. Ratios are geometric means"
    yield f"over the tables of (ours + {OFFSET:g}) / (peer + {OFFSET:g}), with an interval from a paired bootstrap."
    yield ""
    for classify, what, title in (
        (True, "error", "Classification: error rate"),
        (True, "log_loss", "Classification: log loss"),
        (False, "error", "Regression: RMSE over the target's standard deviation"),
    ):
        names = [name for name in tables if tables[name] == classify]
        if names:
            yield from (f"### {title}", "")
            yield from section(results, ours, peers, names, what)
    yield from notes(results, ours, peers, list(tables))


def tuned_lines(results: Results, tuned: str, tables: Mapping[str, bool]) -> Iterator[str]:
    """A search beside the defaults, table by table; `tables` says which are to be classified."""
    for classify, title in ((True, "Classification"), (False, "Regression")):
        names = [name for name in tables if tables[name] == classify]
        before, after, worse_by, n = (
            results.means(tuned, names, what) for what in ("default_error", "error", "worse_by", "candidates")
        )
        both = np.isfinite(before) & np.isfinite(after)
        if not both.any():
            continue
        yield from (f"### {title}", "")
        rows = (
            [name, *(_cell(v) for v in (before[i], after[i])), f"{worse_by[i]:+.1f}", f"{n[i]:.0f}"]
            for i, name in enumerate(names)
        )
        yield from table(["table", "defaults", "tuned", "worse by, standard errors", "candidates"], rows)
        found, low, high = ratio(after[both], before[both])
        worse = int(np.sum(worse_by[both] > NOISE))
        yield f"Ratio {found:.3f} ({low:.3f} to {high:.3f}); worse by more than {NOISE:g} standard errors on {worse} "
        yield f"of {both.sum()} tables, better on {np.sum(after[both] < before[both])}."
        yield ""
    yield from notes(results, tuned, (), list(tables))


def notes(results: Results, ours: str, peers: Sequence[str], names: Sequence[str]) -> Iterator[str]:
    """What keeps the figures from being compared: threads that differ, fits that failed, fits that were not run."""
    threads = {method: results.threads(method, names) for method in (ours, *peers)}
    if len({tuple(t) for t in threads.values() if t}) > 1:
        said = ", ".join(f"{method} {' and '.join(map(str, t))}" for method, t in threads.items() if t)
        yield f"Numbers of threads differ ({said}): compare processor seconds, not seconds."
    for method in (ours, *peers):
        keys = [f"{results.mode}/{name}/{seed}/{method}" for seed in results.seeds for name in names]
        missing = sum(key not in results.found for key in keys)
        if missing:
            yield f"Not run: {missing} of {len(keys)} fits of {method}."
        for key in keys:
            if "failed" in results.found.get(key, {}):
                yield f"Failed: {key}: {results.found[key]['failed']}"


def replaced(page: str, text: str, marks: tuple[str, str] = (BEGIN, END)) -> str:
    """The page with what is between the marks replaced; ValueError if it lacks the marks."""
    head, begin, rest = page.partition(marks[0])
    _, end, tail = rest.partition(marks[1])
    if not begin or not end:
        raise ValueError(f"the page has no lines {marks[0]} and {marks[1]}: put them where the tables are to stand")
    return f"{head}{begin}\n{text.strip()}\n{end}{tail}"
