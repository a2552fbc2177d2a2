"""5. Improve
==========

More networks, then a search for hyperparameters; each is judged by the out-of-fold score.
"""

from _subscribers import in_two, subscribers

import rosenblatt
from rosenblatt import MLPSearchCV, TabularClassifier


def main() -> dict[str, float]:
    """Print what a larger ensemble and a search change."""
    training, later = in_two(subscribers())
    answers, cancelled = later, later["cancelled"]
    found = {}
    for name, parameters in {"fast": {"preset": "fast"}, "default": {}, "log loss": {"metric": "log_loss"}}.items():
        model = rosenblatt.learn(training, "cancelled", groups="subscriber", **parameters)
        found[name] = model.score(answers, cancelled)
        print(f"{name:9} {model.score_:.3f} {model.score_on_}, {found[name]:.3f} on later rows")
    search = MLPSearchCV(TabularClassifier(members=3), n_trials=4, max_epochs=16, random_state=0)
    search.fit(training, "cancelled", groups="subscriber")
    found["search"] = search.score(answers, cancelled)
    print(f"search    {search.best_score_:.3f} out of fold, {found['search']:.3f} on later rows: {search.best_params_}")
    return found


if __name__ == "__main__":
    main()
