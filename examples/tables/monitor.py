"""8. Monitor
==========

Are the rows of today like those that the model learned from?
"""

import warnings

import numpy as np
from _subscribers import in_two, subscribers

import rosenblatt


def main() -> dict[str, float]:
    """Compare rows that are like the training rows, and rows after a new price and a new city, with them."""
    training, later = in_two(subscribers())
    model = rosenblatt.learn(training, "cancelled", groups="subscriber", preset="fast")
    print(model.drift(later).table(3))
    print()
    dearer = np.char.replace(later["price"], "9.00", "19.00")
    today = {**later, "price": dearer, "city": np.full(len(dearer), "Oslo")}
    drift = model.drift(today)
    print(drift.table(3))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.predict(today)
    print()
    for warning in caught:
        print(f"{warning.category.__name__}: {warning.message}")
    return {"warnings": float(len(caught))}


if __name__ == "__main__":
    main()
