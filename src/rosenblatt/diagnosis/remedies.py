"""What to do next: remedies in order for each state, and models that they are applied to.

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
from .trials import larger, unregularized

__all__ = ["STATES", "Remedy", "remedies_for", "remedy"]

Changes = dict[str, Any] | None
MIN_NEURONS = 4
"""Layers are not made narrower than this."""


def fewer_layers(model: Any) -> Changes:
    """One hidden layer less, and at least one is left."""
    sizes = hidden_sizes(model.hidden_layer_sizes)
    per_layer = ("activation", "dropout", "normalization", "max_norm", "alpha", "l1", "weight_init", "bias_init")
    lists = [name for name in per_layer if is_listed(getattr(model, name))]
    return {"hidden_layer_sizes": tuple(sizes[:-1])} if len(sizes) > 1 and not lists else None


def fewer_neurons(model: Any) -> Changes:
    """Half of the neurons of each layer."""
    sizes = hidden_sizes(model.hidden_layer_sizes)
    halves = tuple(max(min(s, MIN_NEURONS), s // 2) for s in sizes)
    return {"hidden_layer_sizes": halves} if halves != tuple(sizes) else None


def dropout(model: Any) -> Changes:
    """Dropout of 0.3, which L-BFGS cannot do."""
    off = (
        model.solver != "lbfgs"
        and not np.any(np.asarray(model.dropout, float))
        and hidden_sizes(model.hidden_layer_sizes)
    )
    return {"dropout": 0.3} if off else None


def l2(model: Any) -> Changes:
    """A firmer penalty."""
    now = 0.0 if is_listed(model.alpha) else float(model.alpha)
    return {"alpha": 1.0 if now < 0.1 else 10.0} if now < 10 and not is_listed(model.alpha) else None


def early_stopping(model: Any) -> Changes:
    """Stop when a validation score stalls."""
    return {"early_stopping": True} if not model.early_stopping and model.solver != "lbfgs" else None


def lower_rate(model: Any) -> Changes:
    """A tenth of the learning rate."""
    return {"learning_rate_init": model.learning_rate_init / 10} if model.solver != "lbfgs" else None


def higher_rate(model: Any) -> Changes:
    """Ten times the learning rate."""
    return {"learning_rate_init": model.learning_rate_init * 10} if model.solver != "lbfgs" else None


def clip(model: Any) -> Changes:
    """Gradients of at most norm 1."""
    clips = any(getattr(model, name) for name in BOUNDED_GRADIENT)
    return None if model.solver == "lbfgs" or clips else dict(BOUNDED_GRADIENT)


def longer(model: Any) -> Changes:
    """Five times the epochs."""
    return {"max_iter": 5 * model.max_iter}


def less_regularization(model: Any) -> Changes:
    """No penalties to speak of, and no noise."""
    return unregularized(model) or None


def robust(model: Any) -> Changes:
    """A loss that single wrong targets move less."""
    if is_classifier(model):
        usable = model.loss == "log_loss" and not model.label_smoothing
        return {"label_smoothing": 0.1} if usable else None
    return {"loss": "huber"} if model.loss == "squared_error" else None


def manual(model: Any) -> Changes:
    """Nothing that a parameter could do."""
    return None


def larger_network(model: Any) -> Changes:
    """A larger network."""
    return larger(model)


Rule = tuple[str, str, Callable[[Any], Changes]]
FEWER_LAYERS: Rule = ("fewer layers", "Use fewer hidden layers.", fewer_layers)
FEWER_NEURONS: Rule = ("fewer neurons", "Use fewer neurons in each hidden layer.", fewer_neurons)
DROPOUT: Rule = ("dropout", "Drop a share of the neurons in each training step.", dropout)
L2: Rule = ("L2", "Penalize large weights (alpha).", l2)
EARLY_STOPPING: Rule = ("early stopping", "Stop when the validation score stalls.", early_stopping)
MORE_ROWS: Rule = ("more rows", "Collect more rows.", manual)
CHECK_LABELS: Rule = ("check labels", "Look at the rows in evidence.suspects first.", manual)
LARGER_NETWORK: Rule = ("larger network", "Use more neurons.", larger_network)
LONGER: Rule = ("train longer", "Allow more epochs (max_iter).", longer)
LOWER: Rule = ("lower learning rate", "Divide learning_rate_init by ten.", lower_rate)
HIGHER: Rule = ("higher learning rate", "Multiply learning_rate_init by ten.", higher_rate)

STATES: dict[str, tuple[Rule, ...]] = {
    "learning rate too high": (
        LOWER,
        ("scale", "Scale the columns of X, for example with sklearn.preprocessing.StandardScaler.", manual),
        ("clip gradients", f"Bound the norm of the gradient ({', '.join(BOUNDED_GRADIENT)}).", clip),
    ),
    "learning rate too low": (HIGHER, LONGER),
    "underfit": (
        ("less regularization", "Take penalties, dropout and noise away.", less_regularization),
        LARGER_NETWORK,
        LONGER,
        HIGHER,
        ("better columns", "Give columns that say more about the target.", manual),
    ),
    "too few rows": (MORE_ROWS, L2, DROPOUT, EARLY_STOPPING, FEWER_NEURONS),
    "noisy labels suspected": (
        CHECK_LABELS,
        EARLY_STOPPING,
        L2,
        ("robust loss", "Use a loss that wrong labels move less.", robust),
        MORE_ROWS,
    ),
    "overfit": (FEWER_LAYERS, FEWER_NEURONS, DROPOUT, L2, EARLY_STOPPING, MORE_ROWS),
    "good": (),
}
"""Remedies in order. Those of overfitting are the textbook's answer."""


def remedies_for(state: str, model: Any) -> tuple[Remedy, ...]:
    """The remedies of a state with what they change in this model; those that it has no room for are left out."""
    found = []
    for name, advice, rule in STATES[state]:
        changes = rule(model)
        if changes is not None or rule is manual:
            found.append(Remedy(name, advice, changes))
    return tuple(found)


def remedy(diagnosis_or_model: Any) -> Any:
    """The next model to try: an unfitted clone with the first remedy applied that is a matter of parameters.

    Given a diagnosis, that is the first one of its state. Given a model that came from here, the next one in order, on
    top of those before. Given any other model, overfitting is what is remedied.

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
        If no remedy is left that a parameter could apply: the message says which others there are.

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
        changes = rule(model)
        if changes is not None:
            changed = clone(model).set_params(**changes)
            changed.remedied_ = (state, i)
            return changed
    left = "; ".join(advice for _, advice, rule in rules if rule is manual) or "none is needed"
    raise ValueError(f"the state is {state!r}, and no parameter offers a further remedy. What is left to do: {left}")
