"""Batches of a single row, from which batch normalization learns nothing."""

from tests.doors.doors import replace
from tests.doors.situations import WORKS, Situation, happens, refused, table

NORMALIZED = ("MLPClassifier", "MLPRegressor", "MLPSearchCV", "diagnose")


def options(**options):
    return lambda training: replace(training, options=options)


ONE_ROW = refused("batch_size", "hidden1_norm", "BatchNorm")


@table(
    Situation("one row", options(normalization="batch", batch_size=1), ONE_ROW, doors=NORMALIZED),
    Situation("a rest of one row", options(normalization="batch", batch_size=13), WORKS, doors=NORMALIZED),
    Situation("other layers", options(normalization="layer", batch_size=1), WORKS, doors=NORMALIZED),
)
def test_batches_of_one_row(situation, door, task, tmp_path):
    happens(situation, door, task, tmp_path)
