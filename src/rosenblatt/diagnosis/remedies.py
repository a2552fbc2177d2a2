"""What to do next: remedies in order for each state, and the models that they change.

Takes a state and a model. Returns sentences, and clones with changed parameters. Never trains anything.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import clone, is_classifier

from rosenblatt.estimators.mlp.hyperparameters import hidden_sizes, is_listed
from rosenblatt.nn.objective import BOUNDED_GRADIENT

from .report import Diagnosis, Remedy
from .trials import larger, longer, smaller, unregularized

__all__ = ["STATES", "Remedy", "remedies_for", "remedy"]

Changes = dict[str, Any]
"""Parameters; empty if the model has no room for the remedy."""


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


def l2(model: Any) -> Changes:
    """A stronger L2 penalty."""
    if is_listed(model.alpha) or model.alpha >= 10:
        return {}
    return {"alpha": 1.0 if model.alpha < 0.1 else 10.0}


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


Rule = tuple[str, str, Callable[[Any], Changes] | None]
"""A name, a sentence, and what it changes in a model; None if it is not a matter of parameters."""
FEWER_LAYERS: Rule = ("fewer layers", "Use fewer hidden layers.", fewer_layers)
FEWER_NEURONS: Rule = ("fewer neurons", "Use fewer neurons in each hidden layer.", lambda model: smaller(model, 2))
DROPOUT: Rule = ("dropout", "Drop a share of the neurons in each training step.", dropout)
L2: Rule = ("L2", "Penalize large weights (alpha).", l2)
EARLY_STOPPING: Rule = (
    "early stopping",
    "Stop when the validation score stalls.",
    lambda model: {} if model.early_stopping else with_batches(model, early_stopping=True),
)
MORE_ROWS: Rule = ("more rows", "Collect more rows.", None)
LONGER: Rule = ("train longer", "Allow more epochs (max_iter).", longer)
HIGHER: Rule = (
    "higher learning rate",
    "Multiply learning_rate_init by ten.",
    lambda model: with_batches(model, learning_rate_init=model.learning_rate_init * 10),
)

STATES: dict[str, tuple[Rule, ...]] = {
    "learning rate too high": (
        (
            "lower learning rate",
            "Divide learning_rate_init by ten.",
            lambda model: with_batches(model, learning_rate_init=model.learning_rate_init / 10),
        ),
        ("scale", "Scale the columns of X, for example with sklearn.preprocessing.StandardScaler.", None),
        (
            "clip gradients",
            f"Bound the norm of the gradient ({', '.join(BOUNDED_GRADIENT)}).",
            lambda model: {} if is_bounded(model) else with_batches(model, **BOUNDED_GRADIENT),
        ),
    ),
    "learning rate too low": (HIGHER, LONGER),
    "underfit": (
        ("less regularization", "Remove penalties, dropout and noise.", unregularized),
        ("larger network", "Use more neurons.", larger),
        LONGER,
        HIGHER,
        ("better columns", "Give columns that say more about the target.", None),
    ),
    "too few rows": (MORE_ROWS, L2, DROPOUT, EARLY_STOPPING, FEWER_NEURONS),
    "noisy labels suspected": (
        ("check labels", "Look at the rows in evidence.suspects first.", None),
        EARLY_STOPPING,
        L2,
        ("robust loss", "Use a loss that wrong labels move less.", robust),
        MORE_ROWS,
    ),
    "overfit": (FEWER_LAYERS, FEWER_NEURONS, DROPOUT, L2, EARLY_STOPPING, MORE_ROWS),
    "good": (),
}
"""Remedies in order; those for overfitting are the textbook's."""


def remedies_for(state: str, model: Any) -> tuple[Remedy, ...]:
    """The remedies for a state with what they change in this model; those that it has no room for are left out."""
    found = (Remedy(name, advice, rule and rule(model)) for name, advice, rule in STATES[state])
    return tuple(one for one in found if one.changes != {})


def remedy(diagnosis_or_model: Any) -> Any:
    """The next model to try: an unfitted clone with the first remedy applied that is a matter of parameters.

    Given a diagnosis, that is the first remedy for its state. Given a model that this function returned, it is the next
    one in order, on top of those before. Given any other model, it is the first remedy for overfitting.

    Parameters
    ----------
    diagnosis_or_model : Diagnosis, MLPClassifier or MLPRegressor
        Not changed.

    Returns
    -------
    estimator
        Unfitted.

    Raises
    ------
    TypeError
        If it is neither.
    ValueError
        If no remedy is left that a parameter could apply. The message lists the other remedies.

    Examples
    --------
    >>> from rosenblatt import MLPClassifier, remedy
    >>> once = remedy(MLPClassifier((100, 50)))
    >>> once, remedy(once)
    (MLPClassifier(), MLPClassifier(hidden_layer_sizes=(50,)))
    """
    from .checking import require_network

    if isinstance(diagnosis_or_model, Diagnosis):
        model, state, done = diagnosis_or_model.model, diagnosis_or_model.state, 0
    else:
        model = require_network(diagnosis_or_model, "remedy")
        state, done = vars(model).get("remedied_", ("overfit", 0))
    rules = STATES[state]
    for i, (_, _, rule) in enumerate(rules[done:], done + 1):
        if rule and (changes := rule(model)):
            changed = clone(model).set_params(**changes)
            changed.remedied_ = (state, i)
            return changed
    left = "; ".join(advice for _, advice, rule in rules if rule is None) or "none is needed"
    raise ValueError(f"the state is {state!r}, and no parameter offers a further remedy. What is left to do: {left}")
