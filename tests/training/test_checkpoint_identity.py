"""What a checkpoint belongs to: starting weights, data and parameters; many fits in one folder."""

import os

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score

from rosenblatt import LogisticRegression, MLPClassifier, MLPRegressor, nn
from rosenblatt.training import CheckpointError
from rosenblatt.training.checkpoint import Checkpoints, setting_text

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3))
LABELS = (X[:, 0] > 0).astype(int)
NUMBERS = X @ [1.0, 2.0, 3.0]
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def regressor(**parameters):
    small = {"hidden_layer_sizes": (4,), "max_iter": 5, "batch_size": 20, "tol": 0, "n_iter_no_change": 99}
    return MLPRegressor(**{**small, "random_state": 0, **parameters})


def classifier(**parameters):
    return MLPClassifier((4,), **{"max_iter": 3, "random_state": 0, **parameters})


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.mark.parametrize("kill_in", [None, 1, 2, 3])
def test_a_warm_start_continues_with_a_checkpoint_as_without(kill_in, tmp_path, monkeypatch):
    plain = regressor(warm_start=True)
    for _ in range(3):
        plain.fit(X, NUMBERS)
    save, saves = Checkpoints.save, []

    def counting(self, *args):
        save(self, *args)
        saves.append(1)
        if kill_in is not None and len(saves) == 8 * kill_in - 2:  # in the fit with this number
            raise Killed

    monkeypatch.setattr(Checkpoints, "save", counting)
    for _ in range(2):  # the script, and the script again
        model, epochs = regressor(warm_start=True, checkpoint=tmp_path, checkpoint_every=2), []
        try:
            for _ in range(3):
                epochs.append(len(model.fit(X, NUMBERS).loss_curve_))
        except Killed:
            continue
        assert epochs == [5, 10, 15]
        assert model.loss_curve_ == plain.loss_curve_
        np.testing.assert_array_equal(model.network.block, plain.network.block)
    assert len(os.listdir(tmp_path)) == 3


def test_a_warm_logistic_regression_continues(tmp_path):
    options = {"solver": "adam", "warm_start": True, "max_iter": 4, "random_state": 0, "learning_rate_init": 0.1}
    model, plain = LogisticRegression(checkpoint=tmp_path, **options), LogisticRegression(**options)
    for _ in range(3):
        np.testing.assert_array_equal(model.fit(X, LABELS).coef_, plain.fit(X, LABELS).coef_)


def test_a_pretrained_model_does_not_take_the_weights_of_another_one(tmp_path):
    first = regressor(warm_start=True, checkpoint=tmp_path).fit(X, NUMBERS)
    pretrained = regressor(warm_start=True).fit(X, -NUMBERS)
    plain = clone(pretrained)
    plain.coefs_, plain.intercepts_ = pretrained.coefs_, pretrained.intercepts_
    plain.out_activation_, plain.n_features_in_ = "identity", 3
    expected = plain.fit(X, NUMBERS).network.block
    assigned = clone(pretrained).set_params(checkpoint=tmp_path)
    assigned.coefs_, assigned.intercepts_ = pretrained.coefs_, pretrained.intercepts_
    assigned.out_activation_, assigned.n_features_in_ = "identity", 3
    pretrained.set_params(checkpoint=tmp_path).fit(X, NUMBERS)
    np.testing.assert_array_equal(assigned.fit(X, NUMBERS).network.block, expected)
    np.testing.assert_array_equal(pretrained.network.block, expected)
    assert not np.array_equal(pretrained.network.block, first.network.block)


def test_weights_that_were_changed_by_hand_are_another_start(tmp_path):
    models = [regressor(warm_start=True, checkpoint=folder).fit(X, NUMBERS) for folder in (tmp_path, tmp_path, None)]
    models[0].fit(X, NUMBERS)  # its checkpoint has the history that the others have
    for model in models[1:]:
        model.coefs_[0][...] = 0.5
        model.fit(X, NUMBERS)
    np.testing.assert_array_equal(models[1].network.block, models[2].network.block)


def test_a_pretrained_network_is_another_training(tmp_path):
    network = nn.Network(nn.NetworkSpec(3, (4,), 1))
    network.fit(X, NUMBERS, epochs=2, checkpoint=tmp_path)
    before = network.block.copy()
    with pytest.raises(CheckpointError, match="What differs: starting weights"):
        network.fit(X, NUMBERS, epochs=2, checkpoint=tmp_path)
    np.testing.assert_array_equal(network.block, before)


@pytest.mark.parametrize("n_jobs", [None, 2])
@pytest.mark.parametrize(
    "model", [classifier(early_stopping=True), LogisticRegression(solver="sgd", max_iter=4, random_state=0)], ids=str
)
def test_folds_share_a_folder(model, n_jobs, tmp_path):
    expected = cross_val_score(model, X, LABELS, cv=3)
    for _ in range(2):
        found = cross_val_score(clone(model).set_params(checkpoint=tmp_path), X, LABELS, cv=3, n_jobs=n_jobs)
        np.testing.assert_array_equal(found, expected)
    assert len(list(tmp_path.rglob("checkpoint.safetensors"))) == 3


def test_candidates_share_a_folder(tmp_path):
    grid = {"alpha": [0.1, 0.01, 0.1], "hidden_layer_sizes": [(3,), (4,)]}
    expected = GridSearchCV(classifier(), grid, cv=2).fit(X, LABELS).cv_results_["mean_test_score"]
    found = GridSearchCV(classifier(checkpoint=tmp_path), grid, cv=2, n_jobs=2).fit(X, LABELS)
    np.testing.assert_array_equal(found.cv_results_["mean_test_score"], expected)
    assert len(list(tmp_path.rglob("checkpoint.safetensors"))) == 4 * 2 + 1


def test_another_fit_in_the_folder_leaves_the_first_ones_checkpoint(tmp_path):
    first = classifier(checkpoint=tmp_path).fit(X, LABELS)
    for other in (classifier(checkpoint=tmp_path, alpha=0.5), classifier(checkpoint=tmp_path, random_state=1)):
        other.fit(X, LABELS)
    classifier(checkpoint=tmp_path).fit(X, 1 - LABELS)
    assert len(os.listdir(tmp_path)) == 4
    again = classifier(checkpoint=tmp_path).fit(X, LABELS)
    assert again.loss_curve_ == first.loss_curve_


def test_a_generator_counts_as_it_is(tmp_path):
    def losses(generator):
        return classifier(checkpoint=tmp_path, random_state=generator).fit(X, LABELS).loss_curve_

    first, other, generator = (
        losses(np.random.RandomState(1)),
        losses(np.random.RandomState(2)),
        np.random.RandomState(1),
    )
    assert first == losses(generator)
    assert first not in (other, losses(generator))  # which has drawn numbers since
    assert losses(3) == losses(np.int64(3))
    assert len(os.listdir(tmp_path)) == 4


def test_lists_and_frames_have_checkpoints(tmp_path):
    y, names = LABELS.tolist(), [f"class {label}" for label in LABELS]
    for target in (y, names):
        model = classifier(checkpoint=tmp_path)
        model.fit(X.tolist(), target, [1.0] * 60, X_val=X.tolist(), y_val=target)
        model.fit(pd.DataFrame(X, columns=["a", "b", "c"]), pd.Series(target), X_val=pd.DataFrame(X, columns=["a", "b", "c"]), y_val=pd.Series(target))  # fmt: skip # noqa: E501
    network = nn.Network(nn.NetworkSpec(3, (4,), 1))
    how = {"sample_weight": [1.0] * 60, "epochs": 2, "checkpoint": tmp_path / "n", "seed": None}
    histories = []
    for validation in ((X, NUMBERS), [X.tolist(), NUMBERS.tolist()]):
        twin = network.copy()
        histories.append({**twin.fit(X.tolist(), NUMBERS.tolist(), validation=validation, **how)})
    assert histories[0] == histories[1]


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"checkpoint": ""}, "checkpoint is ''; it must be the path of a folder, or None"),
        ({"checkpoint_every": "soon"}, "checkpoint_every is 'soon'; it must be a positive number of steps"),
        ({"checkpoint_every": 0}, "checkpoint_every"),
    ],
)
def test_checkpoint_parameters_are_checked_wherever_they_are(solver, given, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for model in (classifier(solver=solver), regressor(solver=solver), LogisticRegression(solver=solver)):
        with pytest.raises(ValueError, match=message):
            model.set_params(**given).fit(X, LABELS)
    with pytest.raises(ValueError, match=message):
        nn.Network(nn.NetworkSpec(3, (4,), 1)).fit(X, NUMBERS, optimizer=solver, **given)
    assert os.listdir() == []


def test_an_interval_beyond_all_integers_is_none(tmp_path):
    nn.Network(nn.NetworkSpec(3, (4,), 1)).fit(X, NUMBERS, epochs=2, checkpoint=tmp_path, checkpoint_every=10**30)


def test_long_arrays_among_the_settings_are_told_apart():
    rows = np.arange(5000)
    assert setting_text([rows]) == setting_text([rows.copy()])
    assert setting_text([rows]) != setting_text([np.where(rows == 2500, 0, rows)])
