"""Perceptron and logistic regression: what converges, what has probabilities, and the way from the one to the other.

A perceptron stops making mistakes only where a hyperplane separates the classes; elsewhere it goes round for ever. Its
scores are no probabilities. A logistic regression converges on both kinds of data, and may start from its weights.
"""

import warnings

from sklearn.datasets import load_iris, make_moons
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss

from rosenblatt import Perceptron


def compare(name: str, X, y) -> dict[str, float]:
    """Train both on one table of two classes and print what became of them."""
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
        "last_mistakes": perceptron.mistakes_[-1],
        "same_predictions": same,
        "loss_before": before,
        "loss_after": after,
    }


def main() -> dict[str, dict[str, float]]:
    """Compare them where the classes are separable and where they are not."""
    X, y = load_iris(return_X_y=True)
    return {
        "setosa": compare("iris: setosa or not (separable)", X, y == 0),
        "versicolor": compare("iris: versicolor or not (not separable)", X, y == 1),
        "moons": compare("two moons (not separable)", *make_moons(200, noise=0.15, random_state=0)),
    }


if __name__ == "__main__":
    main()
