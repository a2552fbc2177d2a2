"""Weights of classes at every door that takes them."""

import numpy as np
from tests.doors.doors import replace
from tests.doors.situations import WORKS, Situation, happens, refused, table

NEEDS = frozenset({"class_weight"})
CLASSES = ("classification",)
ROWS = {"needs": NEEDS, "tasks": CLASSES}


def class_weight(value, weights=None):
    """A situation's change: weights of classes, and of rows as a function of the labels."""

    def change(training):
        return replace(training, class_weight=value, weights=None if weights is None else weights(training.y))

    return change


def first_class_only(y):
    return (np.asarray(y) == 0).astype(float)


@table(
    Situation("balanced", class_weight("balanced"), WORKS, **ROWS),
    Situation("a factor for each class", class_weight({0: 1.0, 1: 3.0}), WORKS, **ROWS),
    Situation("a class that a fold may lack", class_weight({0: 1.0, 1: 3.0, 2: 9.0}), WORKS, **ROWS),
    Situation("a misspelt class", class_weight({0: 1.0, "one": 3.0}), refused("class_weight", "'?one'?"), **ROWS),
    Situation("a negative factor", class_weight({0: 1.0, 1: -3.0}), refused("class_weight", "-3"), **ROWS),
    Situation("all factors zero", class_weight({0: 0.0, 1: 0.0}), refused("weight", "zero"), **ROWS),
    Situation("an unknown word", class_weight("balance"), refused("class_weight", "balanced"), **ROWS),
    Situation(
        "balanced, and a class without weight",
        class_weight("balanced", first_class_only),
        refused("balanced", "label 1", "positive weight"),
        needs=NEEDS | {"weights"},
        tasks=CLASSES,
    ),
)
def test_class_weights(situation, door, task, tmp_path):
    happens(situation, door, task, tmp_path)
