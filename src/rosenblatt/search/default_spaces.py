"""What is searched by default.

Takes an estimator. Returns a space over the hyperparameters of its network that matter. Never changes the estimator.
"""

from __future__ import annotations

from typing import Any

from rosenblatt.nn.activations import ELU, LeakyReLU
from rosenblatt.nn.objective import BOUNDED_GRADIENT
from rosenblatt.search.spaces import Conditional, Instance, Layers, LogUniform, PerLayer

__all__ = ["default_space"]

ADAMS = ("adam", "adamw", "nadam")


def default_space(estimator: Any) -> dict[str, Any]:
    """A space over every hyperparameter of a network that matters, to be used unchanged or as a starting point.

    Parameters
    ----------
    estimator : MLPClassifier, MLPRegressor, TabularClassifier or TabularRegressor

    Returns
    -------
    dict
        A space for `MLPSearchCV`. Values that occur twice in a list are twice as probable.
    """
    if estimator.makes_own_folds:
        peak = type(estimator)().settings.learning_rate
        return {
            "hidden_layer_sizes": [
                *((width,) * 3 for width in (64, 128, 256)),
                (256,) * 4,
                (128, 128),
                (256, 256),
                (512,),
            ],
            "activation": ["selu", "mish", "silu"],
            "learning_rate_init": LogUniform(peak / 4, peak * 1.5),
            "dropout": [0.0, 0.05, 0.1, 0.15, 0.3, 0.45],
            "weight_decay": LogUniform(0.002, 0.05),
            "batch_size": [64, 128, 256],
        }
    leaky, elu = Instance(LeakyReLU, alpha=LogUniform(0.01, 0.3)), Instance(ELU, alpha=LogUniform(0.3, 2.0))
    return {
        "hidden_layer_sizes": Layers(),
        "activation": ["relu", "relu", "tanh", "selu", "silu", "mish", leaky, elu],
        "weight_init": [None, "he_normal", "glorot_uniform", "lecun_normal", "orthogonal"],
        "solver": ["adam", "adamw", "nadam", "sgd"],
        "momentum": Conditional("solver", ("sgd",), [0.8, 0.9, 0.95]),
        "nesterovs_momentum": Conditional("solver", ("sgd",), [True, False]),
        "beta_1": Conditional("solver", ADAMS, [0.8, 0.9, 0.95]),
        "weight_decay": Conditional("solver", ("adamw",), LogUniform(1e-4, 1e-1)),
        "learning_rate_init": LogUniform(3e-4, 3e-2),
        "learning_rate": ["constant", "constant", "one_cycle", "cosine"],
        "batch_size": [32, 64, 128],
        "alpha": LogUniform(1e-6, 1e-1),
        "l1": [0.0, 0.0, 1e-5, 1e-4],
        "max_norm": [0.0, 0.0, 2.0, 4.0],
        "dropout": [0.0, 0.0, PerLayer([0.0, 0.1, 0.2, 0.4])],
        **{name: [0.0, bound] for name, bound in BOUNDED_GRADIENT.items()},
        "clip_value": [0.0, 0.0, 0.5],
    }
