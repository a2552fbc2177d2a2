"""4. Explain
==========

Which columns the model uses, how it depends on one of them, and why it says what it says of a row.
"""

from _subscribers import in_two, rows_of, subscribers

import rosenblatt


def main() -> dict[str, float]:
    """Print importances, a dependence, and the contributions of the columns to one prediction."""
    training, later = in_two(subscribers())
    model = rosenblatt.learn(training, "cancelled", groups="subscriber")
    print(model.explain(later, later["cancelled"]).table(4))
    print()
    print(model.partial_dependence(later, "issues opened", grid=[4, 8, 12, 16]))
    print()
    one = model.explain(rows_of(later, [0]), method="shapley")
    print(one)
    return {"error": float(one.error[0])}


if __name__ == "__main__":
    main()
