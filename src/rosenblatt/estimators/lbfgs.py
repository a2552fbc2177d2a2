"""Full-batch training by SciPy's L-BFGS-B.

Goes in: a trainer with its data, in float64, since line searches need differences of losses. Comes out: the minimizing
parameters in the network, the loss and the number of iterations. It never splits the data into batches, and raises
`DivergenceError` rather than end at a loss that is not finite.

An L1 penalty has no gradient at zero. The weights are therefore written as w = u - v with u, v >= 0, in which
|w| = u + v is linear and the minimum lies at exact zeros (Schmidt, Fung and Rosales 2007, "Fast optimization methods
for L1 regularization", section 3.3).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning

from rosenblatt._blas import one_blas_thread
from rosenblatt.estimators.base import DivergenceError, divergence_message, warn_user
from rosenblatt.training import Trainer
from rosenblatt.training.lbfgs import objective_of

__all__ = ["LbfgsOutcome", "minimize_loss", "minimize_loss_l1"]

Array = npt.NDArray[np.float64]
Objective = Callable[[Array], tuple[float, Array]]
Watch = Callable[[Array], bool]
"""Called with the parameters after each iteration; a true result ends the search."""


@dataclass(frozen=True)
class LbfgsOutcome:
    """Where the search ended."""

    parameters: Array
    loss: float
    n_iter: int


def minimize_loss(
    trainer: Trainer,
    options: dict[str, Any],
    *,
    fixed: slice | None = None,
    verbose: bool = False,
    watch: Watch | None = None,
) -> LbfgsOutcome:
    """Minimize from the network's present parameters and leave the minimum in the network."""
    start = np.array(trainer.network.parameters, dtype=np.float64)
    outcome = search(objective_of(trainer, fixed), start, None, options, Progress(start, verbose, watch))
    trainer.network.parameters[:] = outcome.parameters
    return outcome


def minimize_loss_l1(
    trainer: Trainer,
    options: dict[str, Any],
    strength: float,
    n_weights: int,
    *,
    fixed: slice | None = None,
    verbose: bool = False,
    watch: Watch | None = None,
) -> LbfgsOutcome:
    """Minimize loss + strength * sum(abs(first n_weights parameters))."""
    inner = objective_of(trainer, fixed)
    n_free = trainer.network.parameters.size - n_weights

    def objective(split: Array) -> tuple[float, Array]:
        up, down, rest = split[:n_weights], split[n_weights : 2 * n_weights], split[2 * n_weights :]
        loss, gradient = inner(np.concatenate([up - down, rest]))
        g = gradient[:n_weights]
        loss += strength * float(up.sum() + down.sum())
        return loss, np.concatenate([g + strength, strength - g, gradient[n_weights:]])

    weights, rest = np.split(np.array(trainer.network.parameters, dtype=np.float64), [n_weights])
    start = np.concatenate([np.maximum(weights, 0), np.maximum(-weights, 0), rest])
    bounds = [(0.0, None)] * (2 * n_weights) + [(None, None)] * n_free

    def joined(split: Array) -> Array:
        up, down, rest = np.split(split, [n_weights, 2 * n_weights])
        return np.concatenate([up - down, rest])

    watch_joined = None if watch is None else lambda split: watch(joined(split))
    found = search(objective, start, bounds, options, Progress(start, verbose, watch_joined))
    trainer.network.parameters[:] = joined(found.parameters)
    return LbfgsOutcome(np.array(trainer.network.parameters), found.loss, found.n_iter)


class Progress:
    """Counts iterations and keeps the last iterate, for printing and for Ctrl-C."""

    def __init__(self, start: Array, verbose: bool, watch: Watch | None = None) -> None:
        self.last, self.n_iter, self.verbose, self.watch = start, 0, verbose, watch
        self.stopped = False

    def note(self, intermediate_result: Any) -> None:
        """SciPy's callback after each iteration (it goes by the name of the argument)."""
        self.last, self.n_iter = np.array(intermediate_result.x), self.n_iter + 1
        if self.verbose:
            print(f"Iteration {self.n_iter}, loss = {intermediate_result.fun:.8f}")
        if self.watch is not None and self.watch(self.last):
            self.stopped = True
            raise StopIteration


def search(
    objective: Objective, start: Array, bounds: Any, options: dict[str, Any], progress: Progress
) -> LbfgsOutcome:
    """Run L-BFGS-B; Ctrl-C ends it at the last iterate with a warning."""
    try:
        with one_blas_thread(), np.errstate(all="ignore"):  # a line search may try points where the loss overflows
            result = minimize(
                objective, start, method="L-BFGS-B", jac=True, bounds=bounds, options=options, callback=progress.note
            )
    except KeyboardInterrupt:
        warn_user(f"Training interrupted by user after {progress.n_iter} iterations; the network is kept as it is.")
        return LbfgsOutcome(progress.last, objective(progress.last)[0], progress.n_iter)
    if not math.isfinite(result.fun):
        raise DivergenceError(divergence_message(f"The loss is {result.fun}: scale the inputs and the target."))
    n_iter = min(int(result.nit), int(options["maxiter"]))
    if result.status != 0 and not progress.stopped:
        warn_user(
            f"L-BFGS ended before it converged, after {n_iter} iterations: {result.message}. Raise max_iter (now "
            f"{options['maxiter']}), or scale the inputs.",
            ConvergenceWarning,
        )
    return LbfgsOutcome(np.asarray(result.x), float(result.fun), n_iter)
