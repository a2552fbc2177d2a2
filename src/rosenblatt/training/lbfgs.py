"""Full-batch training by SciPy's L-BFGS-B: few parameters, smooth losses, an exact minimum.

Takes a `TrainingLoop` whose trainer has no optimizer and computes in float64, since line searches need differences of
losses. Returns how the search ended; the minimizing parameters are in the network. Each iteration is an epoch of the
loop. Never splits the data into batches.

An L1 penalty has no gradient at zero. The weights are therefore written as w = u - v with u, v >= 0, in which
|w| = u + v is linear and the minimum lies at exact zeros (Schmidt, Fung and Rosales 2007, "Fast optimization methods
for L1 regularization", section 3.3).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.threads import one_blas_thread, reserve_blas_memory
from rosenblatt.training.loop import Outcome, TrainingLoop
from rosenblatt.training.trainer import Trainer

__all__ = ["Minimum", "minimize", "objective_of"]

Array = NDArray[np.float64]
Objective = Callable[[Array], tuple[float, Array]]


@dataclass(frozen=True)
class Minimum:
    """Where the search ended; `message` says why where it did not converge, and is empty where it did."""

    loss: float
    n_iter: int
    message: str = ""


def objective_of(trainer: Trainer, fixed: slice | None = None) -> Objective:
    """Loss and gradient as a function of the flat parameters; the `fixed` ones stay what they are."""

    def objective(parameters: Array) -> tuple[float, Array]:
        trainer.network.parameters[:] = parameters
        loss, gradient = trainer.loss_and_gradient()
        gradient = np.array(gradient, dtype=np.float64)  # SciPy keeps it across calls
        if fixed is not None:
            gradient[fixed] = 0.0
        return float(loss), gradient

    return objective


def minimize(
    loop: TrainingLoop, options: Mapping[str, Any], *, fixed: slice | None = None, l1: float = 0.0, n_penalized: int = 0
) -> Minimum:
    """Minimize from the network's present parameters until SciPy, a rule or a callback of the loop ends the search.

    Parameters
    ----------
    loop : TrainingLoop
    options : mapping
        The options of `scipy.optimize.minimize(method="L-BFGS-B")`.
    fixed : slice, optional
        Parameters that stay what they are.
    l1 : float
        l1 * sum(abs(w)) of the first `n_penalized` parameters is added to the loss.
    """
    from scipy import optimize

    reserve_blas_memory()
    objective, start = objective_of(loop.trainer, fixed), np.array(loop.network.parameters, np.float64)
    split = SplitSigns(n_penalized if l1 else 0, start.size, l1)
    last = split.apart(start)

    def after_iteration(intermediate_result: Any) -> None:  # SciPy goes by the name of the argument
        nonlocal last
        last = np.array(intermediate_result.x)
        loop.network.parameters[:] = split.joined(last)
        loop.end_epoch({"loss": float(intermediate_result.fun)})
        if loop.outcome is not None:
            raise StopIteration

    try:
        with one_blas_thread(), np.errstate(all="ignore"):  # a line search may try points where the loss overflows
            result = optimize.minimize(
                split.of(objective), last, method="L-BFGS-B", jac=True, bounds=split.bounds, options=dict(options),
                callback=after_iteration,
            )  # fmt: skip
        loop.network.parameters[:] = split.joined(np.asarray(result.x))
        found = Minimum(
            float(result.fun), int(result.nit), "" if result.status == 0 or loop.outcome else result.message
        )
    except KeyboardInterrupt:
        if not loop.keep_interrupted:
            raise
        loop.outcome, found = Outcome.INTERRUPTED, Minimum(split.of(objective)(last)[0], loop.epoch)
        loop.network.parameters[:] = split.joined(last)
    loop.outcome = loop.outcome or (Outcome.ALL_EPOCHS if found.message else Outcome.NO_PROGRESS)
    if not math.isfinite(found.loss):
        loop.outcome, loop.failure = Outcome.DIVERGED, f"The loss is {found.loss}"
    loop.finish()
    return found


@dataclass(frozen=True)
class SplitSigns:
    """The first `n` of `size` parameters as differences of two that are not negative, [u, v, rest]."""

    n: int
    size: int
    l1: float

    @property
    def bounds(self) -> list[tuple[float | None, None]] | None:
        """Limits of the split parameters."""
        return [(0.0, None)] * (2 * self.n) + [(None, None)] * (self.size - self.n) if self.n else None

    def apart(self, parameters: Array) -> Array:
        """The split form."""
        weights, rest = np.split(parameters, [self.n])
        return np.concatenate([np.maximum(weights, 0), np.maximum(-weights, 0), rest])

    def joined(self, split: Array) -> Array:
        """The parameters of a split form."""
        up, down, rest = np.split(split, [self.n, 2 * self.n])
        return np.concatenate([up - down, rest])

    def of(self, objective: Objective) -> Objective:
        """The objective as a function of the split form, with the penalty."""
        if not self.n:
            return objective

        def penalized(split: Array) -> tuple[float, Array]:
            loss, gradient = objective(self.joined(split))
            g = gradient[: self.n]
            loss += self.l1 * float(split[: self.n].sum() + split[self.n : 2 * self.n].sum())
            return loss, np.concatenate([g + self.l1, self.l1 - g, gradient[self.n :]])

        return penalized
