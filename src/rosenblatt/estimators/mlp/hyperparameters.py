"""The parameters that `MLPClassifier` and `MLPRegressor` share: allowed values, and their meaning for the network.

Takes constructor arguments. Returns checked ones, an architecture and an optimizer. Never sees data.
"""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils._param_validation import HasMethods, Interval, Options, StrOptions

from rosenblatt.estimators.optimizer_state import SolverRates
from rosenblatt.nn import NetworkSpec, Optimizer
from rosenblatt.nn.activations import ACTIVATIONS, OUTPUTS
from rosenblatt.nn.initializers import INITIALIZERS
from rosenblatt.nn.objective import NUMBERS, SETTINGS
from rosenblatt.nn.optimizers import OPTIMIZERS
from rosenblatt.nn.schedules import SCHEDULES
from rosenblatt.nn.spec import each_layer
from rosenblatt.training.learning_rates import LearningRates

__all__ = ["WITHOUT_BATCHES", "MLPParameters", "hidden_sizes", "is_listed"]

WITHOUT_BATCHES: dict[str, Any] = {
    "dropout": 0.0,
    "input_dropout": 0.0,
    "input_noise": 0.0,
    "normalization": None,
    "max_norm": 0.0,
    "weight_decay": 0.0,
    "gradient_statistics": False,
    **{name: 0.0 for name in NUMBERS if SETTINGS[name]},
}
"""Parameters that L-BFGS does not support, and the values that turn them off.

It minimizes one fixed function, so nothing may be random or depend on a batch or a step.
"""

WITH_OUTPUT_LAYER = ("weight_init", "bias_init", "alpha", "l1")
FOR_EACH_LAYER = ("activation", "dropout", "normalization", "max_norm", *WITH_OUTPUT_LAYER)
"""Parameters that may be lists with one value for each layer."""


class MLPParameters:
    """Constraints on the parameters, and the network and optimizer that they describe."""

    _parameter_constraints = {
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
        "activation": [StrOptions(set(ACTIVATIONS)), callable, list, tuple],
        "solver": [StrOptions({"lbfgs", *OPTIMIZERS}), HasMethods(["update", "slot_values"])],
        "alpha": [Interval(Real, 0, None, closed="left"), list, tuple],
        "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "learning_rate": [StrOptions({"constant", "invscaling", "adaptive", *SCHEDULES}), HasMethods("rates")],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
        "power_t": [Interval(Real, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "shuffle": ["boolean"],
        "random_state": ["random_state"],
        "tol": [Interval(Real, 0, None, closed="left")],
        "verbose": ["verbose"],
        "warm_start": ["boolean"],
        "momentum": [Interval(Real, 0, 1, closed="both")],
        "nesterovs_momentum": ["boolean"],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="left")],
        "beta_1": [Interval(Real, 0, 1, closed="left")],
        "beta_2": [Interval(Real, 0, 1, closed="left")],
        "epsilon": [Interval(Real, 0, None, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left"), Options(Real, {np.inf})],
        "max_fun": [Interval(Integral, 1, None, closed="left")],
        "dtype": [StrOptions({"float32", "float64"}), Options(type, {np.float32, np.float64}), np.dtype, None],
        "output_activation": [StrOptions(set(OUTPUTS)), None],
        "weight_init": [StrOptions(set(INITIALIZERS)), callable, list, tuple, None],
        "bias_init": [StrOptions(set(INITIALIZERS)), callable, list, tuple, None],
        "l1": [Interval(Real, 0, None, closed="left"), list, tuple],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "max_norm": [Interval(Real, 0, None, closed="left"), list, tuple],
        "dropout": [Interval(Real, 0, 1, closed="left"), list, tuple],
        "input_dropout": [Interval(Real, 0, 1, closed="left")],
        "alpha_dropout": ["boolean"],
        "input_noise": [Interval(Real, 0, None, closed="left")],
        "normalization": [StrOptions({"batch", "layer"}), list, tuple, None],
        "norm_momentum": [Interval(Real, 0, 1, closed="left")],
        **{
            name: [Interval(Real, 0, below, closed="left")]
            for name, below in NUMBERS.items()
            if name not in ("l1", "l2")
        },
        "scoring": [str, callable, None],
        "gradient_statistics": ["boolean"],
        "checkpoint": [str, HasMethods("__fspath__"), None],
        "checkpoint_every": [Interval(Integral, 1, None, closed="left"), str],
    }
    hidden_layer_sizes: Any
    activation: Any
    solver: Any
    alpha: Any
    batch_size: Any
    learning_rate: Any
    learning_rate_init: float
    power_t: float
    t_: int
    random_state: Any
    warm_start: bool
    momentum: float
    nesterovs_momentum: bool
    validation_fraction: float
    beta_1: float
    beta_2: float
    epsilon: float
    max_fun: int
    dtype: Any
    output_activation: str | None
    weight_init: Any
    bias_init: Any
    l1: Any
    weight_decay: float
    max_norm: Any
    dropout: Any
    input_dropout: float
    alpha_dropout: bool
    input_noise: float
    normalization: Any
    norm_momentum: float
    scoring: Any
    gradient_statistics: bool
    checkpoint: Any
    checkpoint_every: Any
    loss: Any

    def _spec(self, units: Sequence[int], output: str, sparse: bool) -> NetworkSpec:
        for name in FOR_EACH_LAYER:  # checked here, because the architecture's errors would use its own names
            if is_listed(given := getattr(self, name)):
                each_layer(name, given, len(units) - (1 if name in WITH_OUTPUT_LAYER else 2))
        return NetworkSpec(
            n_inputs=int(units[0]),
            hidden=tuple(int(u) for u in units[1:-1]),
            n_outputs=int(units[-1]),
            activation=each(self.activation),
            output=output,
            sparse_input=sparse,
            dropout=each(self.dropout),
            input_dropout=float(self.input_dropout),
            alpha_dropout=bool(self.alpha_dropout),
            input_noise=float(self.input_noise),
            normalization=each(self.normalization),
            norm_momentum=float(self.norm_momentum),
            weights=each(self.weight_init),
            biases=each(self.bias_init),
            max_norm=each(self.max_norm),
            l1=each(self.l1) if is_listed(self.l1) else 0.0,
            l2=each(self.alpha) if is_listed(self.alpha) else 0.0,
        )

    def _engine_optimizer(self) -> Optimizer | None:
        """The optimizer that `solver` names or is, with its parameters."""
        if self.solver == "lbfgs":
            return None
        if not isinstance(self.solver, str):
            if self.weight_decay:
                raise ValueError(f"weight_decay is {self.weight_decay}, but solver is an optimizer: set it there.")
            return self.solver  # type: ignore[no-any-return]
        adam = {"beta_1": float(self.beta_1), "beta_2": float(self.beta_2), "epsilon": float(self.epsilon)}
        settings: dict[str, Any] = {
            "sgd": {"momentum": float(self.momentum), "nesterov": bool(self.nesterovs_momentum)},
            "adam": adam,
            "adamw": adam,
            "nadam": adam,
        }.get(self.solver, {})
        if self.weight_decay:
            settings["weight_decay"] = float(self.weight_decay)
        return OPTIMIZERS.create(self.solver, **settings)

    def _learning_rates(self) -> LearningRates:
        """Those of a schedule, or of one of scikit-learn's modes, which it uses with 'sgd' only."""
        if self.learning_rate not in ("constant", "invscaling", "adaptive"):
            return LearningRates(self.learning_rate_init, SCHEDULES.resolve(self.learning_rate))
        mode = self.learning_rate if self.solver == "sgd" else "constant"
        return SolverRates(self.learning_rate_init, mode=mode, power_t=self.power_t, n_rows_seen=self.t_)


def is_listed(value: Any) -> bool:
    """Whether a parameter has a value for each layer."""
    return isinstance(value, (list, tuple))


def each(value: Any) -> Any:
    """A parameter that may have a value for each layer, in the form that `NetworkSpec` takes."""
    return tuple(value) if is_listed(value) else value


def hidden_sizes(sizes: Any) -> list[int]:
    """``hidden_layer_sizes`` as a list of positive integers."""
    listed = list(sizes) if np.iterable(sizes) else [sizes]
    if not all(isinstance(s, Integral) and not isinstance(s, bool) for s in listed):
        raise ValueError(f"hidden_layer_sizes must be integers, got {listed}.")
    if any(s <= 0 for s in listed):
        raise ValueError(f"hidden_layer_sizes must be > 0, got {listed}.")
    return [int(s) for s in listed]
