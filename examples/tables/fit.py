"""2. Fit
======

From a table and the name of a column to a model, in one line.

Rows of one subscriber are alike. `groups` keeps them together when networks are scored, and no network reads the name.
"""

from _subscribers import subscribers

import rosenblatt


def main() -> dict[str, float]:
    """Print the report with groups, and how much too good the score is without them."""
    table = subscribers()
    model = rosenblatt.learn(table, "cancelled", groups="subscriber")
    print(model.report())
    careless = rosenblatt.learn(table, "cancelled", kinds={"subscriber": "categorical"})
    print(f"accuracy {model.score_:.3f} {model.score_on_}; {careless.score_:.3f} if every row counts for itself")
    return {"groups": model.score_, "rows": careless.score_}


if __name__ == "__main__":
    main()
