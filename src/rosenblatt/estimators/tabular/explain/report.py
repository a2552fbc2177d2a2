"""A report on a fitted tabular estimator as text, and its learning curves.

Takes a fitted estimator. Returns lines about rows, columns, members, score and calibration. Never computes a score.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from statistics import fmean
from typing import Any

from rosenblatt.estimators.tabular.member import Member
from rosenblatt.tables.encoders import Encoder
from rosenblatt.tables.kinds import ColumnKind
from rosenblatt.tables.preparation import Preparation
from rosenblatt.training.history import History

__all__ = ["LearningCurve", "report", "short_name"]

MAX_COLUMNS = 50
MAX_NAME, MAX_WIDE = 40, 300
"""Largest numbers of characters of a name, and of a sentence."""


def report(model: Any) -> str:
    """The report."""
    ensemble, n_rows = model.ensemble_, model.n_rows_
    lines = [
        f"{type(model).__name__}, trained on {counted(n_rows, 'row')} of {counted(model.n_features_in_, 'column')}",
        "",
    ]
    lines += scores(model)
    if n_copies := n_rows - model.n_distinct_:
        together, apart = (
            ": all copies of a row train together, or are held out",
            ", and some are held out while others train",
        )
        lines.append(f"{n_copies:,} rows are copies of others{apart if model.divides_copies_ else together}")
    if model.n_groups_ is not None:
        lines.append(f"{model.n_groups_:,} groups: all rows of a group train together, or are held out")
    if model.n_dropped_:
        lines.append(f"{model.n_dropped_:,} rows without a target were left out")
    if hasattr(model, "temperature_"):
        change = "sharper" if model.temperature_ < 1 else "softer" if model.temperature_ > 1 else "as they were"
        lines.append(f"calibration: temperature {model.temperature_:.3f} makes probabilities {change}")
    lines += ["", "columns", *columns(model.preparation_)]
    checks = [model.target_check_, *(kind.check for kind in model.preparation_.kinds)]
    notes = [f"  {short(check, MAX_WIDE)}" for check in checks if check]
    if notes:
        lines += ["", "to check", *limited(notes)]
    lines += ["", "members"]
    lines.append(f"  {counted(len(ensemble.members), 'network')} with hidden layers {ensemble.architectures}")
    for i, member in enumerate(ensemble.members, start=1):
        n, best = len(member.curve), member.curve[member.best_epoch - 1][1]
        lines.append(
            f"  {i:3}: {n:4} {'epoch, ' if n == 1 else 'epochs,'} the best was {member.best_epoch:4}; "
            f"held-out {best:.4f}, {member.network.parameters.size:,} parameters"
        )
    return "\n".join(lines)


def counted(n: int, what: str) -> str:
    """A number of things in words."""
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def scores(model: Any) -> list[str]:
    """A line for each score beside that of the trivial guess, and whether the model is any better."""
    (name, (own, guess)), *others = model.scores_.items()
    guess_name = short(model.trivial_guess_, MAX_WIDE)
    lines = [f"{name} {own:.4f} {model.score_on_}; {guess_name}: {guess:.4f}"]
    lines += [f"{name} {own:.6g}; without a model: {guess:.6g}" for name, (own, guess) in others]
    return lines if model.beats_guess_ else [*lines, f"By {name}, the model is no better than {guess_name}."]


def columns(preparation: Preparation) -> list[str]:
    """A line for each column: its kind, and what it was encoded as."""
    encoders = {encoder.name: encoder for encoder in preparation.encoders}
    shown = [(short_name(kind.name), kind) for kind in preparation.kinds]
    width = max(len(name) for name, _ in shown[:MAX_COLUMNS])
    return limited(
        [f"  {name:{width}}  {short(treatment(kind, encoders.get(kind.name)), MAX_WIDE)}" for name, kind in shown]
    )


def limited(lines: list[str]) -> list[str]:
    """At most `MAX_COLUMNS` of the lines, and how many more there are."""
    rest = len(lines) - MAX_COLUMNS
    return [*lines[:MAX_COLUMNS], f"  and {rest:,} more"] if rest > 0 else lines


def short(text: str, most: int = MAX_NAME) -> str:
    """A text on one line, cut if it is long."""
    line = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text[: most + 1])
    return line if len(line) <= most else f"{line[: most - 1]}…"


def short_name(name: str) -> str:
    """A name in a printed table: on one line, cut if it is long, and visible if it is empty."""
    return short(name) or '""'


def treatment(kind: ColumnKind, encoder: Encoder | None) -> str:
    """One column's line."""
    if encoder is None:
        return f"left out: {kind.detail}"
    return encoder.describe(kind) + (f"; {kind.n_missing:,} missing" if kind.n_missing else "")


@dataclass(frozen=True)
class LearningCurve:
    """The training of each network, epoch by epoch.

    Attributes
    ----------
    training_loss : tuple of tuple of float, one for each network
        Mean loss of each epoch's steps, without penalties. For regression it is in standardized units.
    held_out : tuple of tuple of float
        The metric that chooses the best epoch, on the rows that the network does not train on: the smaller the better.
    best_epochs : tuple of int
        The epochs whose parameters are kept, counted from 1.
    """

    training_loss: tuple[tuple[float, ...], ...]
    held_out: tuple[tuple[float, ...], ...]
    best_epochs: tuple[int, ...]

    @classmethod
    def of(cls, members: Sequence[Member]) -> LearningCurve:
        """The curves of trained members."""
        losses, metrics = (tuple(tuple(row[i] for row in m.curve) for m in members) for i in (0, 1))
        return cls(losses, metrics, tuple(member.best_epoch for member in members))

    def history(self, network: int | None = None) -> History:
        """Columns "loss" and "held_out" for `rosenblatt.plots.plot_history` and data frames.

        Parameters
        ----------
        network : int, optional
            Number of the network, from 0. The default is the mean of those that were trained for so long.

        Raises
        ------
        ValueError
            If there is no network with this number.
        """
        n = len(self.training_loss)
        if network is not None and not 0 <= network < n:
            raise ValueError(f"network is {network}; there are {n}, counted from 0.")
        chosen = range(n) if network is None else (network,)
        columns = {"loss": [self.training_loss[i] for i in chosen], "held_out": [self.held_out[i] for i in chosen]}
        means = {
            name: [fmean(value for value in row if value is not None) for row in zip_longest(*curves)]
            for name, curves in columns.items()
        }
        return History(means)
