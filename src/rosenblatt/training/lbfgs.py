"""Full-batch training of a network by SciPy's L-BFGS-B: few parameters, smooth losses, an exact minimum.

Goes in: a network, data, and the options of `fit` that make sense without steps. Comes out: the trained network and its
history, one row for each iteration. It computes in float64, since line searches need differences of losses, and refuses
what is drawn anew in each step or depends on a batch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt._blas import one_blas_thread
from rosenblatt.nn.layers.dropout import AlphaDropout, Dropout, GaussianNoise
from rosenblatt.nn.layers.normalization import BatchNorm
from rosenblatt.nn.network import Network
from rosenblatt.training.early_stopping import Judge
from rosenblatt.training.history import History
from rosenblatt.training.trainer import DivergenceError, Trainer

__all__ = ["fit_full_batch", "objective_of"]

Array = NDArray[np.float64]
WITHOUT_STEPS = {
    **{"schedule": "constant", "clip_value": 0.0, "clip_norm": 0.0, "ema_decay": 0.0, "checkpoint": None},
    **{
        "gradient_statistics": False,
        "l1": 0.0,
        "learning_rate_factors": None,
        "weight_decay_factors": None,
        "anneal_regularization": False,
    },
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


def fit_full_batch(network: Network, X: Any, y: Any, o: Mapping[str, Any]) -> History:
    """`rosenblatt.training.fit` with ``optimizer="lbfgs"``; `epochs` is the number of iterations."""
    from scipy.optimize import minimize

    refuse(network, o)
    twin = network.copy(dtype="float64")  # a network that diverges stays as it is
    trainer = Trainer(
        twin, o["loss"], None, l2=o["l2"], per_batch=False, weighted=o["sample_weight"] is not None,
        head_weights=o["head_weights"],
    )  # fmt: skip
    trainer.set_data(X, y, o["sample_weight"])
    judge = Judge(twin, o["loss"], None, o)

    def after_iteration(intermediate_result: Any) -> None:  # SciPy goes by the name of the argument
        twin.parameters[:] = intermediate_result.x
        judge.end_epoch({"loss": float(intermediate_result.fun)})
        if judge.at.finished:
            raise StopIteration

    with one_blas_thread(), np.errstate(all="ignore"):  # a line search may try points where the loss overflows
        result = minimize(
            objective_of(trainer), np.array(twin.parameters), method="L-BFGS-B", jac=True, callback=after_iteration,
            options={"maxiter": o["epochs"], "maxfun": 20 * o["epochs"]},
        )  # fmt: skip
    found = result.x if judge.best is None else judge.best[: twin.parameters.size]
    if not math.isfinite(result.fun) or not np.isfinite(found).all():
        raise DivergenceError(f"The loss is {result.fun}: scale the inputs and the target. The network is as before.")
    network.parameters[:] = found
    return judge.history


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
