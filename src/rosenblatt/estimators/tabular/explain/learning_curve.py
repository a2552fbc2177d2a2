"""The training of each network of a tabular estimator, epoch by epoch.

Takes trained members. Returns their curves, and means over them. Never trains.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from statistics import fmean

from rosenblatt.estimators.tabular.member import Member
from rosenblatt.training.history import History

__all__ = ["LearningCurve"]


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
