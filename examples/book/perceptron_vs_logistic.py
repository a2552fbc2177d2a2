"""Perceptron and logistic regression
==================================

Perceptron and logistic regression: which converges, which has probabilities, and how to get from one to the other.

A perceptron stops making mistakes only if a hyperplane separates the classes; otherwise it cycles forever. Its scores
are not probabilities. A logistic regression converges in both cases, and can start from the perceptron's weights.
"""

import warnings
from typing import Any

from _pictures import curves, show
from sklearn.datasets import load_iris, make_moons
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss

from rosenblatt import Perceptron


def compare(name: str, X, y) -> dict[str, Any]:
    """Train both on one table with two classes, and print and return the results."""
    perceptron = Perceptron(max_iter=100, tol=None, random_state=0).fit(X, y)
    print(f"\n== {name}\nmistakes in each pass: {', '.join(map(str, perceptron.mistakes_[:12]))}, ...")
    print(perceptron.explain_convergence(X, y))
    try:
        perceptron.predict_proba(X)
    except AttributeError as error:
        print(error)
    logistic = perceptron.to_logistic(max_iter=1000)
    same = bool((logistic.predict(X) == perceptron.predict(X)).all())
    before = log_loss(y, logistic.predict_proba(X))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        logistic.fit(X, y)
    after = log_loss(y, logistic.predict_proba(X))
    print(
        f"logistic regression from these weights predicts the same: {same}; log loss {before:.4g}, fitted {after:.4g}"
    )
    return {
        "converged": perceptron.converged_,
        "mistakes": perceptron.mistakes_,
        "last_mistakes": perceptron.mistakes_[-1],
        "same_predictions": same,
        "loss_before": before,
        "loss_after": after,
    }


def main() -> dict[str, dict[str, Any]]:
    """Compare them on classes that are separable and on classes that are not."""
    X, y = load_iris(return_X_y=True)
    found = {
        "setosa": compare("iris: setosa or not (separable)", X, y == 0),
        "versicolor": compare("iris: versicolor or not (not separable)", X, y == 1),
        "moons": compare("two moons (not separable)", *make_moons(200, noise=0.15, random_state=0)),
    }
    mistakes = {name: figures["mistakes"] for name, figures in found.items()}
    show(curves, mistakes, xlabel="pass over the rows", ylabel="mistakes")
    return found


if __name__ == "__main__":
    main()
