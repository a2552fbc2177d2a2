"""A training that is looked at on the way is the training."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_moons

from rosenblatt import MLPClassifier
from rosenblatt.diagnosis import runs
from rosenblatt.diagnosis.runs import MAX_ERROR, FitTask, run, run_tasks
from rosenblatt.training.evaluation import gradient_statistics

X, Y = make_moons(120, noise=0.2, random_state=0)
MODEL = MLPClassifier((8,), learning_rate_init=0.01, random_state=3, batch_size=20)
TRAIN, REST = np.arange(80), np.arange(80, 120)


def job(model, watch="all"):
    return FitTask(1, model, X, Y, TRAIN, REST, 0.25, watch)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_look_is_the_training_that_ends_there():
    found = run(job(clone(MODEL).set_params(max_iter=25)))
    assert found.epochs[:8] == [0, 1, 2, 3, 4, 5, 6, 7]
    assert found.epochs[-1] == 25
    assert found.reached_end
    assert len(set(found.val_errors[:3])) == 3
    for epoch in (5, found.epochs[-2], 25):
        model = clone(MODEL).set_params(max_iter=epoch).fit(X[TRAIN], Y[TRAIN])
        look = found.epochs.index(epoch)
        p = model.predict_proba(X[REST])[:, 1]
        assert found.val_errors[look] == pytest.approx(np.mean((p - Y[REST]) ** 2) / 0.25)
        assert found.curves["val_score"][look] == pytest.approx(model.score(X[REST], Y[REST]))
        log_loss = -np.mean(np.log(np.where(Y[REST] == 1, p, 1 - p)))
        assert found.curves["val_loss"][look] == pytest.approx(log_loss)
        assert found.curves["score"][look] == pytest.approx(model.score(X[TRAIN], Y[TRAIN]))
    p = model.predict_proba(X[TRAIN])[:, 1]
    assert found.train_error == pytest.approx(np.mean((p - Y[TRAIN]) ** 2) / 0.25)
    theirs = gradient_statistics(model.network, "logistic_cross_entropy", X[TRAIN], Y[TRAIN, None])
    assert [g.norm for g in found.gradients] == pytest.approx([g.norm for g in theirs])
    assert found.first_gradients[0].norm != found.gradients[0].norm


@pytest.mark.parametrize("watch", ["all", "curves", "held out", "end"])
def test_what_is_watched_changes_nothing(watch):
    found = run(job(clone(MODEL).set_params(max_iter=300, tol=0.01), watch))
    full = run(job(clone(MODEL).set_params(max_iter=300, tol=0.01)))
    assert (found.error, found.train_error, found.epochs[-1]) == (full.error, full.train_error, full.epochs[-1])
    assert not found.reached_end
    assert bool(found.curves) == (watch in ("all", "curves"))
    assert bool(found.gradients) == (watch == "all")
    assert (len(found.val_errors) == 1) == (watch == "end")


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_dead_neurons_are_counted():
    model = clone(MODEL).set_params(max_iter=1, bias_init=lambda rng, shape: np.full(shape, -1e3))
    found = run(job(model))
    assert found.dead == {"hidden1": 1.0}


def test_a_divergence_is_an_outcome():
    model = clone(MODEL).set_params(solver="sgd", learning_rate_init=1e30, activation="identity")
    found = run(job(model))
    assert found.diverged
    assert found.error == MAX_ERROR


def test_an_error_or_an_interrupt_ends_the_other_trainings():
    endless = clone(MODEL).set_params(max_iter=10**9, tol=0.0, n_iter_no_change=10**9)
    refused = clone(MODEL).set_params(dropout=0.5, solver="lbfgs")
    with pytest.raises(ValueError, match=r"dropout is 0\.5"):
        run_tasks([job(refused, "end"), job(endless, "end"), job(endless), job(endless)])


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("watch", ["held out", "end"])
def test_many_pauses_change_nothing(watch, monkeypatch):
    model = clone(MODEL).set_params(max_iter=40)
    plain = run(job(model, watch))
    monkeypatch.setattr(runs, "PIECE_SECONDS", 0.0)  # one epoch at a time
    pauses = []
    paused = run(job(clone(model), watch), lambda: pauses.append(1))
    assert len(pauses) == 40
    assert (paused.error, paused.train_error, paused.epochs) == (plain.error, plain.train_error, plain.epochs)
