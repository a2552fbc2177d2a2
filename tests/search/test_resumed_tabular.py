"""A search over tabular estimators that was killed ends with the same model, byte for byte."""

import contextlib

import numpy as np
import pytest

import rosenblatt
from rosenblatt import MLPSearchCV, TabularClassifier, TabularRegressor
from rosenblatt.search.journal import Journal

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 3))
LABELS = (X[:, 0] + RNG.normal(size=120) > 0).astype(int)
SMALL = {"members": 2, "hidden_layer_sizes": (8,), "verbose": 1}
SEARCHES = {
    "one model": (TabularClassifier(**SMALL, max_iter=4), LABELS, {"ensemble": 1}),
    "an average": (TabularRegressor(**SMALL, max_iter=4), np.exp(X[:, 0] * 2), {"ensemble": 2}),
}


class Killed(BaseException):
    """Stands for the end of the process."""


def searched(estimator, y, path, **options):
    space = {"dropout": [0.0, 0.1, 0.2], "weight_decay": [0.0, 0.1]}
    return MLPSearchCV(estimator, space, n_trials=4, min_epochs=1, checkpoint=path, **options).fit(X, y)


@pytest.mark.filterwarnings("ignore::rosenblatt.tables.table.TableWarning")
@pytest.mark.parametrize("name", SEARCHES)
def test_a_search_that_was_killed_ends_with_the_same_model(name, tmp_path, monkeypatch, capsys):
    estimator, y, options = SEARCHES[name]
    whole = searched(estimator, y, None, **options)
    add = Journal.add
    for n_results in (2, 3):
        left = [n_results]

        def counting(self, result, left=left):
            add(self, result)
            left[0] -= 1
            if not left[0]:
                raise Killed

        with monkeypatch.context() as patch:
            patch.setattr(Journal, "add", counting)
            with contextlib.suppress(Killed):
                searched(estimator, y, tmp_path / "record", **options)
    resumed = searched(estimator, y, tmp_path / "record", **options)
    assert resumed.best_params_ == whole.best_params_
    files = []
    for found in (whole, resumed):
        rosenblatt.save(found.best_estimator_, tmp_path / "model")
        files.append((tmp_path / "model").read_bytes())
    assert files[0] == files[1]
    assert resumed.best_estimator_.verbose == 1
    capsys.readouterr()
    searched(estimator, y, None, refit=False)
    assert not capsys.readouterr().out, "candidates are silent"
