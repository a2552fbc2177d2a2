"""What can be done in each state: remedies, the strengths at which each is tried, and the models that they give.

Takes a state and a model. Returns parameters to try, and clones with changed parameters. Never trains anything.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone, is_classifier

from rosenblatt._suggestions import suggest_keywords
from rosenblatt.estimators.mlp.hyperparameters import hidden_sizes, is_listed
from rosenblatt.nn.objective import BOUNDED_GRADIENT

from .report import Diagnosis
from .steps import network_of
from .trials import DEFAULT_BATCH, RATE_FACTORS, Changes, larger, longer, penalties, rates, smaller, unregularized

__all__ = ["STATES", "Rule", "remedy"]

LOWER_FACTORS = (*(f for f in reversed(RATE_FACTORS) if f < 1), 1e-3, 1e-4, 1e-5, 1e-6)
"""A training that diverges may need a rate that is lower than those by which too high rates are recognized."""
HIGHER_FACTORS = tuple(f for f in RATE_FACTORS if f > 1)


@dataclass(frozen=True)
class Rule:
    """A remedy for any model.

    `candidates` gives the strengths at which it is tried on a model with batches of so many rows, by the names of the
    trials and the weakest first. None if it is not a matter of parameters.
    """

    name: str
    advice: str
    candidates: Callable[[Any, int], dict[str, Changes]] | None = None

    def strengths(self, model: Any, batch_size: int) -> dict[str, Changes]:
        """Those for which this model has room."""
        named = self.candidates(model, batch_size) if self.candidates else {}
        return {name: changes for name, changes in named.items() if changes}


def only(name: str, changes: Callable[[Any], Changes]) -> Callable[[Any, int], dict[str, Changes]]:
    """Candidates of a remedy with one strength."""
    return lambda model, batch_size: {name: changes(model)}


def fewer_layers(model: Any) -> Changes:
    """One hidden layer fewer, but at least one."""
    sizes = hidden_sizes(model.hidden_layer_sizes)
    per_layer = ("activation", "dropout", "normalization", "max_norm", "alpha", "l1", "weight_init", "bias_init")
    lists = [name for name in per_layer if is_listed(getattr(model, name))]
    return {"hidden_layer_sizes": tuple(sizes[:-1])} if len(sizes) > 1 and not lists else {}


def dropout(model: Any) -> Changes:
    """Dropout of 0.3."""
    is_off = not np.any(np.asarray(model.dropout, float))
    return with_batches(model, dropout=0.3) if is_off and hidden_sizes(model.hidden_layer_sizes) else {}


def l2(model: Any, batch_size: int) -> dict[str, Changes]:
    """Stronger L2 penalties."""
    return {name: c for name, c in penalties(model, batch_size).items() if c["alpha"] > model.alpha}


def lower_rates(model: Any, batch_size: int) -> dict[str, Changes]:
    """Lower learning rates, the nearest first."""
    return rates(model, LOWER_FACTORS)


def higher_rates(model: Any, batch_size: int) -> dict[str, Changes]:
    """Higher learning rates."""
    return rates(model, HIGHER_FACTORS)


def fewer_neurons(model: Any, batch_size: int) -> dict[str, Changes]:
    """Half of the neurons, and a quarter."""
    return {"half as large": smaller(model, 2), "smaller": smaller(model)}


def larger_networks(model: Any, batch_size: int) -> dict[str, Changes]:
    """More neurons, also with less regularization."""
    free, wide = unregularized(model), larger(model)
    if tuple(hidden_sizes(model.hidden_layer_sizes)) == wide["hidden_layer_sizes"]:
        return {}
    return {"larger": wide} | ({"larger, unregularized": wide | free} if free else {})


def robust(model: Any) -> Changes:
    """A loss that single wrong targets move less."""
    if is_classifier(model):
        return {"label_smoothing": 0.1} if model.loss == "log_loss" and not model.label_smoothing else {}
    return {"loss": "huber"} if model.loss == "squared_error" else {}


def is_bounded(model: Any) -> bool:
    """Whether the gradient's norm or its elements are limited already."""
    return any(getattr(model, name) for name in BOUNDED_GRADIENT)


def with_batches(model: Any, **changes: Any) -> Changes:
    """Changes that L-BFGS, which takes all rows at once, does not support."""
    return changes if model.solver != "lbfgs" else {}


FEWER_LAYERS = Rule("fewer layers", "Use fewer hidden layers.", only("fewer layers", fewer_layers))
FEWER_NEURONS = Rule("fewer neurons", "Use fewer neurons in each hidden layer.", fewer_neurons)
DROPOUT = Rule("dropout", "Drop a share of the neurons in each training step.", only("dropout", dropout))
L2 = Rule("L2", "Penalize large weights (alpha).", l2)
EARLY_STOPPING = Rule(
    "early stopping",
    "Stop when the validation score stalls.",
    only(
        "early stopping",
        lambda model: {} if model.early_stopping else with_batches(model, early_stopping=True),
    ),
)
MORE_ROWS = Rule("more rows", "Collect more rows.")
LONGER = Rule("train longer", "Allow more epochs (max_iter).", only("longer", longer))
HIGHER = Rule("higher learning rate", "Raise learning_rate_init.", higher_rates)

STATES: dict[str, tuple[Rule, ...]] = {
    "learning rate too high": (
        Rule("lower learning rate", "Lower learning_rate_init.", lower_rates),
        Rule(
            "clip gradients",
            f"Bound the norm of the gradient ({', '.join(BOUNDED_GRADIENT)}).",
            only(
                "clipped gradients",
                lambda model: {} if is_bounded(model) else with_batches(model, **BOUNDED_GRADIENT),
            ),
        ),
        Rule("scale", "Scale the columns of X, for example with sklearn.preprocessing.StandardScaler."),
    ),
    "learning rate too low": (HIGHER, LONGER),
    "underfit": (
        Rule("less regularization", "Remove penalties, dropout and noise.", only("unregularized", unregularized)),
        Rule("larger network", "Use more neurons.", larger_networks),
        LONGER,
        HIGHER,
        Rule("better columns", "Give columns that say more about the target."),
    ),
    "too few rows": (MORE_ROWS, L2, DROPOUT, EARLY_STOPPING, FEWER_NEURONS),
    "noisy labels suspected": (
        Rule("check labels", "Look at the rows in evidence.suspects first."),
        EARLY_STOPPING,
        L2,
        Rule("robust loss", "Use a loss that wrong labels move less.", only("robust loss", robust)),
        MORE_ROWS,
    ),
    "overfit": (FEWER_LAYERS, FEWER_NEURONS, DROPOUT, L2, EARLY_STOPPING, MORE_ROWS),
    "good": (),
}
"""What is tried in each state. The order for overfitting is the textbook's; measured gains replace it."""


def changed_by(model: Any, changes: Changes, remedied: int | None) -> Any:
    """A clone with other parameters of its network, which knows how many remedies it has (None: a diagnosis' one)."""
    changed = clone(model)
    network = network_of(changed).set_params(**changes)
    network.remedied_ = remedied
    return changed


@suggest_keywords
def remedy(diagnosis_or_model: Any) -> Any:
    """The next model to try: an unfitted clone with a remedy applied.

    Given a diagnosis, it is the remedy with the largest measured gain, at the strength that was measured. If no trial
    improved the validation score beyond noise, it is the model as it was. What a second remedy does on top of the first
    is not known before the new model is diagnosed.

    Given a model, nothing was measured. Then the textbook's remedies for overfitting are applied: the first one, or the
    next one on top if the model came from this function.

    Parameters
    ----------
    diagnosis_or_model : Diagnosis, MLPClassifier, MLPRegressor, or Pipeline that ends with one
        Not changed.

    Returns
    -------
    estimator
        Unfitted; a pipeline, if one was given.

    Raises
    ------
    TypeError
        If it is neither.
    ValueError
        If the model has the remedy of a diagnosis already, or if no remedy is left that a parameter could apply.

    Examples
    --------
    >>> from rosenblatt import MLPClassifier, remedy
    >>> once = remedy(MLPClassifier((100, 50)))
    >>> once, remedy(once)
    (MLPClassifier(), MLPClassifier(hidden_layer_sizes=(50,)))
    """
    from .checking import require_network

    if isinstance(diagnosis_or_model, Diagnosis):
        best = diagnosis_or_model.best
        return changed_by(diagnosis_or_model.model, (best and best.changes) or {}, None)
    model = require_network(network_of(diagnosis_or_model), "remedy")
    done = vars(model).get("remedied_", 0)
    if done is None:
        raise ValueError(
            "this model is the remedy of a diagnosis, and what a further one does on top of it has not been measured: "
            "call remedy(diagnose(model, X, y))."
        )
    rules = STATES["overfit"]
    for i, rule in enumerate(rules[done:], done + 1):
        if found := rule.strengths(model, DEFAULT_BATCH):
            return changed_by(diagnosis_or_model, next(iter(found.values())), i)
    left = "; ".join(rule.advice for rule in rules if rule.candidates is None)
    raise ValueError(f"no parameter offers a further remedy of overfitting. What is left to do: {left}")
