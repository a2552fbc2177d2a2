"""Weights of rows, and seeds, at every door."""

import numpy as np
from tests.doors.doors import replace, spoil
from tests.doors.situations import WORKS, Situation, happens, refused, table

WEIGHTS = frozenset({"weights"})
SEED = frozenset({"seed"})


def weights(change):
    """A situation's change of the weights, which are 1 at first."""
    return lambda training: replace(training, weights=change(np.ones(len(training.y))))


@table(
    Situation("ones", weights(lambda w: w), WORKS, needs=WEIGHTS),
    Situation("a list", weights(lambda w: w.tolist()), WORKS, needs=WEIGHTS),
    Situation(
        "a negative weight", weights(lambda w: spoil(w, 3, -1)), refused("sample_weight", "-1", "row 3"), needs=WEIGHTS
    ),
    Situation("NaN", weights(lambda w: spoil(w, 3, np.nan)), refused("sample_weight", "NaN", "row 3"), needs=WEIGHTS),
    Situation(
        "infinity", weights(lambda w: spoil(w, 3, np.inf)), refused("sample_weight", "inf", "row 3"), needs=WEIGHTS
    ),
    Situation("all zero", weights(lambda w: 0 * w), refused("sample_weight", "zero"), needs=WEIGHTS),
    Situation("one too few", weights(lambda w: w[1:]), refused("sample_weight", "39", "40"), needs=WEIGHTS),
    Situation("two columns", weights(lambda w: np.c_[w, w]), refused("sample_weight", "shape"), needs=WEIGHTS),
)
def test_weights(situation, door, task, tmp_path):
    happens(situation, door, task, tmp_path)


def seed(value):
    return lambda training: replace(training, seed=value)


@table(
    Situation("a negative seed", seed(-1), refused("-1", "seed|random_state"), needs=SEED),
    Situation("a huge seed", seed(2**70), refused(str(2**70), "seed|random_state"), needs=SEED),
    Situation("a text", seed("one"), refused("one", "seed|random_state"), needs=SEED),
)
def test_seeds(situation, door, task, tmp_path):
    happens(situation, door, task, tmp_path)
