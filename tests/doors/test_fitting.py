"""How a training is kept and shown: every door that has `checkpoint` and `verbose` refuses the same values."""

import pytest
from tests.doors.doors import DOORS, data, replace
from tests.doors.situations import WORKS, Situation, happens, refused, table

from rosenblatt import MLPSearchCV, TabularClassifier

ESTIMATORS = ("MLPClassifier", "MLPRegressor", "TabularClassifier", "TabularRegressor", "learn")
KEEPING = (*ESTIMATORS, "Network.fit")


def options(**options):
    return lambda training: replace(training, options=options)


FOLDER = refused("checkpoint", "path|str")
EVERY = refused("checkpoint_every")


@table(
    Situation("a number for a folder", options(checkpoint=3), FOLDER, doors=KEEPING),
    Situation("no name of a folder", options(checkpoint=""), FOLDER, doors=KEEPING),
    Situation("a list of folders", options(checkpoint=["a", "b"]), FOLDER, doors=KEEPING),
    Situation("no steps", options(checkpoint_every=0), EVERY, doors=KEEPING),
    Situation("half a step", options(checkpoint_every=0.5), EVERY, doors=KEEPING),
    Situation("a time without its unit", options(checkpoint_every="30"), EVERY, doors=KEEPING),
    Situation("a word for a time", options(checkpoint_every="often"), EVERY, doors=KEEPING),
    Situation("an interval and no folder", options(checkpoint_every="5m"), WORKS, doors=KEEPING),
    Situation("a word for verbose", options(verbose="yes"), refused("verbose", "yes"), doors=ESTIMATORS),
    Situation("less than silence", options(verbose=-1), refused("verbose", "-1"), doors=ESTIMATORS),
    Situation("another name", options(check_point="a"), refused("check_point", "checkpoint"), doors=KEEPING),
)
def test_what_says_how_a_training_is_kept(situation, door, task, tmp_path):
    happens(situation, door, task, tmp_path)


@pytest.mark.parametrize("name", KEEPING)
@pytest.mark.parametrize("part", ["", "folder"])
def test_a_file_in_the_place_of_a_folder(name, part, tmp_path):
    (tmp_path / "file").write_text("no folder")
    task = "regression" if "Regressor" in name else "classification"
    training = replace(data(task), options={"checkpoint": str(tmp_path / "file" / part)})
    with pytest.raises(NotADirectoryError, match=r"checkpoint is .*file', which is a file; give a folder"):
        DOORS[name](training, task, tmp_path)


def test_a_search_refuses_estimators_with_a_checkpoint(tmp_path):
    training = data("classification")
    with pytest.raises(ValueError, match=r"candidates cannot share.*The search has its own checkpoint"):
        MLPSearchCV(TabularClassifier(checkpoint=tmp_path), n_trials=1).fit(training.X, training.y)
