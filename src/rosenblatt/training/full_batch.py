"""Full-batch training of a network by SciPy's L-BFGS-B: few parameters, smooth losses, an exact minimum.

Goes in: a network, data, and the options of `fit` that make sense without steps. Comes out: the trained network and its
history, one row for each iteration. It computes in float64, since line searches need differences of losses, and refuses
what is drawn anew in each step or depends on a batch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.nn.network import Network
from rosenblatt.nn.noise import AlphaDropout, Dropout, GaussianNoise
from rosenblatt.nn.normalization import BatchNorm
from rosenblatt.training.evaluation import Evaluator
from rosenblatt.training.history import History
from rosenblatt.training.trainer import Trainer

if TYPE_CHECKING:
    from rosenblatt.nn.objective import LossGiven

__all__ = ["fit_full_batch", "objective_of"]

Array = NDArray[np.float64]
WITHOUT_STEPS = {
    **{"schedule": "constant", "clip_value": 0.0, "clip_norm": 0.0, "average": 0.0, "checkpoint": None},
    **{"statistics": False, "l1": 0.0},
}
"""Options that need steps, and their values when off."""


def objective_of(trainer: Trainer, fixed: slice | None = None) -> Callable[[Array], tuple[float, Array]]:
    """Loss and gradient as a function of the flat parameters; the `fixed` ones stay what they are."""

    def objective(parameters: Array) -> tuple[float, Array]:
        trainer.network.parameters[:] = parameters
        loss, gradient = trainer.loss_and_gradient()
        gradient = np.array(gradient, dtype=np.float64)  # SciPy keeps it across calls
        if fixed is not None:
            gradient[fixed] = 0.0
        return float(loss), gradient

    return objective


def fit_full_batch(
    network: Network, X: Any, y: Any, loss: LossGiven | Mapping[str, LossGiven], o: Mapping[str, Any]
) -> History:
    """`rosenblatt.training.fit` with ``optimizer="lbfgs"``; `epochs` is the number of iterations."""
    from scipy.optimize import minimize

    from rosenblatt.training.fitting import DivergenceError

    refuse(network, o)
    twin = network if network.dtype == np.float64 else network.copy(dtype="float64")
    trainer = Trainer(
        twin, loss, None, l2=o["l2"], per_batch=False, weighted=o["sample_weight"] is not None,
        head_weights=o["head_weights"],
    )  # fmt: skip
    trainer.set_data(X, y, o["sample_weight"])
    watch = _Watch(twin, network, loss, o)
    start = np.array(twin.parameters, np.float64)
    with np.errstate(all="ignore"):  # a line search may try points where the loss overflows
        result = minimize(
            objective_of(trainer), start, method="L-BFGS-B", jac=True, callback=watch.note,
            options={"maxiter": o["epochs"], "maxfun": 20 * o["epochs"]},
        )  # fmt: skip
    found = watch.best if watch.best is not None else np.asarray(result.x)
    if not math.isfinite(result.fun) or not np.isfinite(found).all():
        twin.parameters[:] = start
        raise DivergenceError(f"The loss is {result.fun}: scale the inputs and the target. The network is as before.")
    twin.parameters[:] = found
    network.parameters[:] = found
    return watch.history


def refuse(network: Network, o: Mapping[str, Any]) -> None:
    """Raise ValueError for options and layers that L-BFGS cannot obey."""
    for name, off in WITHOUT_STEPS.items():
        if o[name] != off:
            raise ValueError(f"optimizer='lbfgs' uses all rows at once and has no {name}, but {name} is {o[name]!r}")
    for name, layer in network.graph.layers.items():
        if isinstance(layer, (Dropout, AlphaDropout, GaussianNoise, BatchNorm)):
            raise ValueError(
                f"optimizer='lbfgs' minimizes one fixed function, but layer {name!r} ({type(layer).__name__}) changes "
                "it from step to step: use 'adam', or leave the layer out"
            )


class _Watch:
    """The history, and the best iterate by validation."""

    def __init__(
        self, twin: Network, network: Network, loss: LossGiven | Mapping[str, LossGiven], o: Mapping[str, Any]
    ) -> None:
        self.twin, self.network, self.o = twin, network, o
        self.history = History()
        self.best: Array | None = None
        self.smallest, self.stalled = math.inf, 0
        self.evaluator: Evaluator | None = None
        if o["validation"] is not None:
            X, y = o["validation"]
            self.evaluator = Evaluator(twin, loss, X, y, head_weights=o["head_weights"])

    def note(self, intermediate_result: Any) -> None:
        """SciPy's callback after each iteration (it goes by the name of the argument)."""
        from rosenblatt.training.fitting import Epoch

        self.twin.parameters[:] = intermediate_result.x
        row = {"loss": float(intermediate_result.fun)}
        if self.evaluator is not None:
            row["val_loss"] = self.evaluator.loss()
        if self.o["scorer"] is not None:
            row["val_score"] = float(self.o["scorer"](self.twin, *self.o["validation"]))
        self.history.append(**row)
        value = -row["val_score"] if "val_score" in row else row.get("val_loss", row["loss"])
        self.stalled = 0 if value < self.smallest - self.o["min_delta"] else self.stalled + 1
        if value < self.smallest:
            self.smallest = value
            if self.evaluator is not None and self.o["restore_best"]:
                self.best = np.array(intermediate_result.x)
        if self.o["verbose"]:
            print(f"iteration {self.history.n_epochs}: " + ", ".join(f"{k} {v:.6g}" for k, v in row.items()))
        epoch = Epoch(self.history.n_epochs, self.twin, self.history)
        stopped = any([bool(callback(epoch)) for callback in self.o["callbacks"]])  # noqa: C419 - all of them are told
        if stopped or (self.o["patience"] is not None and self.stalled >= self.o["patience"]):
            raise StopIteration
