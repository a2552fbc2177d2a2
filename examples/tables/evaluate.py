"""3. Evaluate
===========

Scores on rows that took no part in anything, beside what a guess would score.
"""

from _subscribers import in_two, subscribers
from sklearn.metrics import brier_score_loss, roc_auc_score

import rosenblatt


def main() -> dict[str, float]:
    """Print the scores of other subscribers, and whether the out-of-fold score promised them."""
    training, later = in_two(subscribers())
    model = rosenblatt.learn(training, "cancelled", groups="subscriber")
    cancels = later["cancelled"] == "yes"
    chances = model.predict_proba(later)[:, list(model.classes_).index("yes")]
    print(f"accuracy {model.score(later, later['cancelled']):.3f}; {model.score_:.3f} was promised {model.score_on_}")
    print(f"area under the ROC curve {roc_auc_score(cancels, chances):.3f}")
    print(f"Brier score {brier_score_loss(cancels, chances):.3f}, that of a constant {cancels.var():.3f}")
    for low in (0.0, 0.2, 0.4, 0.6, 0.8):
        here = (chances >= low) & (chances < low + 0.2)
        if here.any():
            print(f"  {here.sum():>3} rows with chances from {low:.1f}: {cancels[here].mean():.0%} cancelled")
    return {"promised": model.score_, "found": model.score(later, later["cancelled"])}


if __name__ == "__main__":
    main()
