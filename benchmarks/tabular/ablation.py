"""What each part of the defaults brings: ``python -m benchmarks.tabular.ablation`` (``--write docs/comparison.md``).

Each variant lacks one part, or has another in its place. A figure is the geometric mean over tables of
(the variant's error + 0.01) / (the default's error + 0.01): above 1, the part helps.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import pathlib
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any
from unittest import mock

import numpy as np

import rosenblatt
from benchmarks.tabular.__main__ import write
from benchmarks.tabular.report import table
from benchmarks.tabular.tables import class_errors, half, load, number_errors, ratio, split, tables
from rosenblatt import nn
from rosenblatt.estimators.tabular import architecture, member

MARKS = "<!-- ablation: begin -->", "<!-- ablation: end -->"


@dataclass(frozen=True)
class Variant:
    """The defaults with something else.

    Attributes
    ----------
    settings : dict
        Instead of the preset's.
    patches : tuple
        Functions that give a context in which a part is replaced.
    calibrated : bool
    """

    settings: dict[str, Any] = field(default_factory=dict)
    patches: tuple[Callable[[], Any], ...] = ()
    calibrated: bool = True


def fixed(name: str, *, there: bool = True) -> Callable[[], Any]:
    """Parameters of this name are left as they start, or are not there."""
    build = architecture.design_network

    def kept(factors: Mapping[str, float]) -> dict[str, float]:
        others = {k: v for k, v in factors.items() if not k.endswith(name)}
        return others | {k: 0.0 for k in factors if k.endswith(name) and there}

    def built(*given: Any) -> architecture.NetworkWithRates:
        made = build(*given)
        return replace(
            made,
            learning_rate_factors=kept(made.learning_rate_factors),
            weight_decay_factors=kept(made.weight_decay_factors),
        )

    return lambda: mock.patch.object(member, "design_network", built)


def one_fall(peak: float, t: Any) -> Any:
    """A learning rate that falls once, along half a cosine."""
    return peak * 0.5 * (1 + np.cos(np.pi * t))


def plain_activation() -> Any:
    """Activations that are not mixed with the identity."""
    return mock.patch.object(nn, "Parametric", lambda name: name)


VARIANTS: dict[str, Variant] = {
    "no periodic features of numbers": Variant({"waves": 0}),
    "no learned scale of each input": Variant(patches=(fixed(".gain"),)),
    "activations not mixed with the identity": Variant(patches=(plain_activation, fixed(".alpha", there=False))),
    "ReLU": Variant({"activation": "relu"}),
    "no dropout": Variant({"dropout": 0.0}),
    "no weight decay": Variant({"weight_decay": 0.0}),
    "no label smoothing": Variant({"label_smoothing": 0.0}),
    "dropout and weight decay not annealed": Variant(
        patches=(lambda: mock.patch.object(member, "annealing_strength", np.ones_like),)
    ),
    "initial weights not scaled by the data": Variant(
        patches=(lambda: mock.patch.object(architecture, "scale_by_data", return_value=None),)
    ),
    "learning rate decays once": Variant(patches=(lambda: mock.patch.object(member, "learning_rates", one_fall),)),
    "no calibration": Variant(calibrated=False),
    "one network, with a fifth of the rows held out": Variant({"members": 1}),
    "half the epochs": Variant({"max_iter": 32}),
    "twice the epochs": Variant({"max_iter": 128}),
    "64 neurons per layer": Variant({"hidden_layer_sizes": (64, 64, 64)}),
    "256 neurons per layer": Variant({"hidden_layer_sizes": (256, 256, 256)}),
}


def error_of(name: str, variant: Variant, seed: int) -> dict[str, float]:
    """Test errors of a variant on at most 3,000 training rows."""
    frame, y = load(name)
    classify = tables()[name]
    if classify:
        y = np.unique(y, return_inverse=True)[1]
    train, test = split(y, classify, seed)
    kind: Any = rosenblatt.TabularClassifier if classify else rosenblatt.TabularRegressor
    with ExitStack() as stack:
        for patch in variant.patches:
            stack.enter_context(patch())
        settings = kind().settings
        changed = {k: v for k, v in variant.settings.items() if classify or k != "label_smoothing"}
        stack.enter_context(mock.patch.object(kind, "settings", replace(settings, **changed)))
        model = kind().fit(frame.iloc[train], y[train])
    if not variant.calibrated and classify:
        model.ensemble_ = replace(model.ensemble_, temperature=1.0)
    if not classify:
        return number_errors(y[test], np.ravel(model.predict(frame.iloc[test])))
    p = np.zeros((len(test), int(y.max()) + 1))
    p[:, model.classes_] = model.predict_proba(frame.iloc[test])
    return class_errors(y[test], p)


def lines(names: list[str], seeds: list[int]) -> Iterator[str]:
    """The table; what is measured is also printed at once."""
    default = {(n, s): error_of(n, Variant(), s) for n in names for s in seeds}
    yield f"`python -m benchmarks.tabular.ablation`: {len(names)} tables, splits {', '.join(map(str, seeds))}."
    yield ""
    rows = []
    for label, variant in VARIANTS.items():
        found = {key: error_of(key[0], variant, key[1]) for key in default}
        cells = [label]
        for classify, what in ((True, "error"), (True, "log_loss"), (False, "error")):
            keys = [key for key in default if tables()[key[0]] == classify]
            if not keys:
                cells.append("-")
                continue
            ours, theirs = ([values[key][what] for key in keys] for values in (found, default))
            middle, low, high = ratio(np.array(ours), np.array(theirs))
            cells.append(f"{middle:.3f} ({low:.3f} to {high:.3f})")
        print(*cells, sep=" | ", flush=True)
        rows.append(cells)
    yield from table(["instead of the default", "classification error", "log loss", "regression error"], iter(rows))


def main() -> None:
    """Read the arguments, run, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--half", default="tune", choices=["tune", "report", "all"])
    parser.add_argument("--tables", nargs="+", help="instead of a half")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--write", type=pathlib.Path, help="page whose marked section is replaced by the table")
    o = parser.parse_args()
    if not pathlib.Path(os.environ.get("ROSENBLATT_DATA", "../shared/data")).is_dir():
        print("skipped: there are no tables; say where they are in ROSENBLATT_DATA")
        return
    rosenblatt.set_num_threads(o.threads)
    with warnings.catch_warnings(), contextlib.suppress(KeyboardInterrupt):
        warnings.simplefilter("ignore")
        text = "\n".join(lines(o.tables or half(o.half), o.seeds))
        print("", text, sep="\n")
        if o.write is not None:
            write(o.write, text, MARKS)


if __name__ == "__main__":
    main()
