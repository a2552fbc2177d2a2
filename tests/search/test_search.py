"""The search: what it finds, that a pause changes nothing, resumption, budgets, failures."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
import warnings
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from scipy import stats
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.utils.estimator_checks import check_estimator

import rosenblatt
from rosenblatt import MLPClassifier, MLPRegressor, MLPSearchCV, TabularClassifier, TabularRegressor
from rosenblatt.estimators.tabular.architecture import feed
from rosenblatt.estimators.tabular.ensemble import best_temperature, with_temperature
from rosenblatt.nn import LeakyReLU
from rosenblatt.search import Conditional, Instance, Layers, LogUniform, PerLayer, default_space
from rosenblatt.search.halving import Rung, brackets, promoted
from rosenblatt.search.journal import Journal, Result
from rosenblatt.search.spaces import Random, Space
from rosenblatt.search.trials import Fold, ResumableTrial

DIGITS = load_digits(return_X_y=True)
X, Y = (DIGITS[0][:300] / 16).astype(np.float32), DIGITS[1][:300]
SPACE = {"alpha": stats.loguniform(1e-5, 1.0), "learning_rate_init": [0.001, 0.01], "hidden_layer_sizes": [(8,), (16,)]}
NOISY = (
    ("dropout", 0.2),
    ("solver", "nadam"),
    ("learning_rate", "one_cycle"),
    ("activation", "mish"),
    ("ema_decay", 0.9),
)


def base(**parameters: Any) -> MLPClassifier:
    return MLPClassifier(**{"max_iter": 18, "random_state": 3, "batch_size": 32, **parameters})


def search(**options: Any) -> MLPSearchCV:
    given: dict[str, Any] = {"n_trials": 9, "cv": 3, "refit": False, **options}
    return MLPSearchCV(given.pop("estimator", base()), given.pop("space", SPACE), **given)


def results(found: MLPSearchCV) -> Any:
    table = found.cv_results_
    return [
        (*map(str, p.items()), s, e)
        for p, s, e in zip(table["params"], table["mean_test_score"], table["epochs"], strict=True)
    ]


# Spaces ----------------------------------------------------------------------------------------------------------


def test_candidates_come_from_the_space_and_the_seed() -> None:
    space = Space.of(
        {
            "solver": ["adam", "sgd"],
            "momentum": Conditional("solver", ("sgd",), [0.5]),
            "alpha": stats.loguniform(1e-6, 1e-2),
            "power_t": stats.randint(1, 4),
            "hidden_layer_sizes": Layers((2,), (8, 16)),
        },
        sorted(MLPClassifier().get_params()),
    )
    drawn = [space.draw(Random([0, i])) for i in range(200)]
    assert drawn == [space.draw(Random([0, i])) for i in range(200)]
    assert {one["solver"] for one in drawn} == {"adam", "sgd"}
    assert all(("momentum" in one) == (one["solver"] == "sgd") for one in drawn)
    assert all(1e-6 <= one["alpha"] <= 1e-2 and type(one["alpha"]) is float for one in drawn)
    assert {one["power_t"] for one in drawn} == {1, 2, 3}
    assert {one["hidden_layer_sizes"] for one in drawn} == {(8, 8), (8, 4), (16, 16), (16, 8)}


def test_log_uniform_is_uniform_in_the_logarithm() -> None:
    source = Random([0])
    values = np.log10([LogUniform(1e-4, 1.0).draw(source, "a", {}) for _ in range(2000)])
    assert stats.kstest(values, stats.uniform(-4, 4).cdf).pvalue > 0.01
    whole = [LogUniform(1, 100, integer=True).draw(source, "a", {}) for _ in range(100)]
    assert all(type(value) is int and 1 <= value <= 100 for value in whole)


def test_objects_and_values_of_layers() -> None:
    space = Space.of(
        {
            "hidden_layer_sizes": [(8,), (8, 8, 8)],
            "activation": ["relu", Instance(LeakyReLU, alpha=LogUniform(0.01, 0.3))],
            "dropout": Conditional("hidden_layer_sizes", [(8, 8, 8)], PerLayer([0.0, 0.5])),
        },
        sorted(MLPClassifier().get_params()),
    )
    drawn = [space.draw(Random([0, i])) for i in range(100)]
    assert all(("dropout" in one) == (len(one["hidden_layer_sizes"]) == 3) for one in drawn)
    assert len({tuple(one["dropout"]) for one in drawn if "dropout" in one}) == 8
    leaky = [one["activation"].alpha for one in drawn if one["activation"] != "relu"]
    assert 30 < len(set(leaky)) < 70
    assert 0.01 <= min(leaky) < max(leaky) <= 0.3


def test_texts_of_spaces_tell_what_they_hold_and_not_where() -> None:
    space = {
        "alpha": stats.loguniform(1e-6, 1e-2),
        "activation": [Instance(LeakyReLU, alpha=[0.1])],
        "solver": ["adam"],
    }
    text = str(Space(space))
    assert "0x" not in text
    others = [
        {"alpha": stats.loguniform(1e-6, 1e-1)},
        {"activation": [Instance(LeakyReLU, alpha=[0.2])]},
        {"solver": []},
    ]
    assert all(str(Space({**space, **other})) != text for other in others)


@pytest.mark.long
def test_default_candidates_can_be_trained() -> None:
    for estimator in (MLPClassifier(max_iter=1, random_state=0), MLPRegressor(max_iter=1, random_state=0)):
        found = search(estimator=estimator, space=None, n_trials=40, strategy="random", cv=2).fit(X[:80], Y[:80] % 2)
        assert not any(found.cv_results_["error"])


@pytest.mark.parametrize("estimator", [MLPClassifier(), MLPRegressor(), TabularClassifier(), TabularRegressor()])
def test_default_spaces_hold_parameters_that_the_estimator_takes(estimator: Any) -> None:
    space = Space.of(default_space(estimator), sorted(estimator.get_params()))
    for i in range(60):
        clone(estimator).set_params(**space.draw(Random([i]))).check_parameters()
    if isinstance(estimator, MLPClassifier):
        needed = {"hidden_layer_sizes", "activation", "weight_init", "solver", "momentum", "learning_rate_init"}
        needed |= {"learning_rate", "batch_size", "alpha", "l1", "max_norm", "dropout", "clip_norm"}
        assert needed <= set(space.choices)


# Pauses ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("parameter", NOISY, ids=str)
def test_a_promoted_network_equals_one_that_was_never_stopped(parameter: tuple[str, Any]) -> None:
    fold = Fold(X[:200], Y[:200], None, X[200:], Y[200:])
    paused = ResumableTrial(base(**dict([parameter]), tol=0.0), fold, lambda model, X, y: model.score(X, y))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scores = [paused.advance(epochs, lambda: math.inf) for epochs in (2, 6, 18)]
        whole = base(**dict([parameter]), tol=0.0).fit(fold.X, fold.y)
    assert [complete for _, complete in scores] == [True] * 3
    for mine, theirs in zip(paused.estimator.coefs_, whole.coefs_, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert paused.estimator.loss_curve_ == whole.loss_curve_
    assert scores[-1][0] == whole.score(fold.X_test, fold.y_test)


@pytest.mark.parametrize("parameters", [{"ema_decay": 0.9}, {"early_stopping": True, "n_iter_no_change": 50}], ids=str)
def test_in_a_pause_a_network_is_what_it_would_be_if_training_ended_there(parameters: dict[str, Any]) -> None:
    fold = Fold(X[:200], Y[:200], None, X[200:], Y[200:])
    paused = ResumableTrial(base(**parameters, tol=0.0), fold, lambda model, X, y: model.predict_proba(X)[0, 0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for epochs in (3, 7):
            short = base(**parameters, tol=0.0, max_iter=epochs).fit(fold.X, fold.y)
            assert paused.advance(epochs, lambda: math.inf) == (short.predict_proba(X[200:])[0, 0], True)
    paused.close()
    np.testing.assert_array_equal(paused.estimator.predict_proba(X), short.predict_proba(X))


def test_l_bfgs_has_no_pauses_and_is_done_at_once() -> None:
    found = search(estimator=base(solver="lbfgs"), space={"alpha": [1e-4, 1e-1, 1.0]}, n_trials=3).fit(X, Y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scores = cross_val_score(base(solver="lbfgs", **found.best_params_), X, Y, cv=3)
    assert found.best_score_ == pytest.approx(scores.mean(), abs=1e-12)


# Halving ---------------------------------------------------------------------------------------------------------


def test_rungs_by_thirds() -> None:
    (bracket,) = brackets(27, 200, 7, endless=True)
    assert [(r.count, r.epochs) for r in bracket.rungs] == [(27, 7), (9, 22), (3, 66), (1, 200)]
    (bracket,) = brackets(27, 200, 8, endless=True)
    assert [(r.count, r.epochs) for r in bracket.rungs] == [(27, 22), (9, 66), (3, 200)]
    (bracket,) = brackets(5, 200, 200, endless=False)
    assert [(r.count, r.epochs) for r in bracket.rungs] == [(5, 200)]
    (bracket,) = brackets(100, 2, 1, endless=False)
    assert [(r.count, r.epochs) for r in bracket.rungs] == [(100, 2)]
    assert [b.first for b in islice(brackets(None, 9, 1, endless=True), 3)] == [0, 27, 54]
    rest = next(brackets(27, 27, 1, endless=False)).rest(18)
    assert (rest.trials, [r.count for r in rest.rungs]) == (list(range(18, 27)), [9, 3, 1, 1])
    (wide,) = brackets(27, 27, 1, endless=False, fewest=4)
    assert [rung.count for rung in wide.rungs] == [27, 9, 4, 4]
    assert [rung.count for rung in wide.rest(25).rungs] == [2, 2, 2, 2]


def test_the_best_go_on_and_of_equals_the_first() -> None:
    results = [Result(trial, 0, 3, scores) for trial, scores in enumerate([[0.5], [0.9], [], [0.9], [0.1], [0.9]])]
    assert promoted(results, Rung(2, 9), started=6) == [1, 3]
    assert promoted(results, Rung(6, 9), started=6) == [0, 1, 3, 4, 5]
    assert promoted(results[:4], Rung(5, 9), started=100) == [1, 3]  # a third, rounded up, of those that had time
    late = [Result(7, 0, 3, [1.0], complete=False)]
    assert promoted([*results, *late], Rung(1, 9), started=6) == [1]


# Results ---------------------------------------------------------------------------------------------------------


def test_scores_are_those_of_cross_validation() -> None:
    found = search(strategy="random", n_trials=3).fit(X, Y)
    folds = StratifiedKFold(3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for params, mean in zip(found.cv_results_["params"], found.cv_results_["mean_test_score"], strict=True):
            assert mean == pytest.approx(cross_val_score(base(**params), X, Y, cv=folds).mean(), abs=1e-12)
    best = found.cv_results_["params"][found.best_index_]
    assert (found.best_params_, found.best_score_) == (best, found.cv_results_["mean_test_score"].max())
    assert found.cv_results_["rank_test_score"][found.best_index_] == 1


@pytest.mark.parametrize("strategy", ["random", "halving"])
def test_the_number_of_threads_changes_nothing(strategy: str) -> None:
    first, second = (search(strategy=strategy, n_jobs=n).fit(X, Y) for n in (1, 3))
    assert results(first) == results(second)


def test_halving_trains_the_better_third_for_three_times_as_long() -> None:
    found = search(min_epochs=2).fit(X, Y)
    table = found.cv_results_
    assert sorted(table["epochs"].tolist()) == [2] * 6 + [6] * 2 + [18]
    early = dict.fromkeys(np.flatnonzero(table["epochs"] == 2))
    assert found.best_index_ not in early
    everything = search(strategy="random").fit(X, Y)
    at = found.best_index_
    assert table["mean_test_score"][at] == everything.cv_results_["mean_test_score"][at]  # as if never stopped


@pytest.mark.long
def test_the_first_stage_has_a_ninth_of_the_epochs() -> None:
    options = {"estimator": base(max_iter=81), "space": {"alpha": stats.uniform(0, 1)}, "cv": 2}
    found = search(n_trials=81, **options).fit(X[:60], Y[:60] % 2)
    assert sorted(set(found.cv_results_["epochs"].tolist())) == [9, 27, 81]


def test_more_epochs_at_first_if_asked_for() -> None:
    assert sorted(search(min_epochs=3).fit(X, Y).cv_results_["epochs"].tolist()) == [6] * 6 + [18] * 3


def test_a_better_candidate_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    found = search(strategy="random", n_jobs=1, verbose=1).fit(X, Y)
    said = [float(line.split("; best ")[1].split(" after ")[0]) for line in capsys.readouterr().out.splitlines()]
    running = np.round(np.maximum.accumulate(found.cv_results_["mean_test_score"]), 4)
    assert said == sorted(set(running.tolist()))


def test_the_best_is_refitted_and_predicts() -> None:
    found = search(refit=True, n_trials=3).fit(X, Y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        alone = base(**found.best_params_).fit(X, Y)
    np.testing.assert_array_equal(found.predict_proba(X), alone.predict_proba(X))
    np.testing.assert_array_equal(found.predict(X), alone.predict(X))
    assert (found.score(X, Y), found.classes_.tolist(), found.n_features_in_) == (
        alone.score(X, Y),
        list(range(10)),
        64,
    )


def test_regressors_scorers_and_frames() -> None:
    pd = pytest.importorskip("pandas")
    data = load_diabetes(return_X_y=True)
    scaled = (data[0] * 20, (data[1] - 150) / 77)
    options = {"estimator": MLPRegressor(max_iter=6, random_state=0), "scoring": "neg_mean_absolute_error"}
    found = search(**options).fit(*scaled)
    assert found.best_score_ < 0
    frame = found.results_frame()
    assert isinstance(frame, pd.DataFrame)
    assert frame["mean_test_score"][0] == found.best_score_


@pytest.mark.long
def test_tabular_estimators_are_scored_out_of_fold() -> None:
    data = load_diabetes(as_frame=True)
    estimator = TabularRegressor(members=2, hidden_layer_sizes=(8,), max_iter=9)
    found = search(estimator=estimator, space={"learning_rate_init": [0.05, 0.5]}, n_trials=3, refit=True)
    found.fit(data.data, data.target)
    assert sorted(found.cv_results_["epochs"].tolist()) == [3, 3, 9]
    assert found.best_estimator_.score_ == found.best_score_
    assert found.best_estimator_.get_params()["max_iter"] == 9
    budget = search(estimator=estimator, space={"dropout": [0.0, 0.2]}, n_trials=50, time_budget=2.0, refit=True)
    budget.fit(data.data, data.target)
    assert budget.best_estimator_.score_ == budget.best_score_
    assert budget.best_estimator_.time_budget is None


def test_tabular_estimators_are_scored_by_scorers_out_of_fold() -> None:
    data = load_breast_cancer(as_frame=True)
    estimator = TabularClassifier(members=2, hidden_layer_sizes=(8,), max_iter=3)
    options = {"estimator": estimator, "space": {"dropout": [0.0]}, "n_trials": 1, "refit": True}
    found = search(**options, scoring="roc_auc").fit(data.data, data.target)
    kept = found.best_estimator_.out_of_fold_
    assert found.best_score_ == pytest.approx(roc_auc_score(data.target, kept[:, 1]), abs=1e-6)
    found = search(**options, scoring="f1").fit(data.data, data.target)
    assert found.best_score_ == f1_score(data.target, kept.argmax(axis=1))


def best_by_hand(found: MLPSearchCV, estimator: Any, n: int, X: Any, y: Any) -> list[Any]:
    """The best candidates, fitted by themselves."""
    order = np.argsort(found.cv_results_["rank_test_score"])[:n]
    return [clone(estimator).set_params(**found.cv_results_["params"][i]).fit(X, y) for i in order]


@pytest.mark.parametrize("strategy", ["random", "halving"])
def test_the_best_regressors_are_averaged(strategy: str, tmp_path: Path) -> None:
    X, y = load_diabetes(return_X_y=True)
    estimator = TabularRegressor(members=2, max_iter=3)
    space = {"learning_rate_init": LogUniform(0.05, 0.5), "hidden_layer_sizes": [(8,), (16, 16)]}
    options = {"estimator": estimator, "space": space, "n_trials": 5, "strategy": strategy, "refit": True}
    found = search(**options, ensemble=2, checkpoint=tmp_path / "record").fit(X, y)
    both = best_by_hand(found, estimator, 2, X, y)
    np.testing.assert_allclose(found.predict(X), np.mean([one.predict(X) for one in both], axis=0), rtol=1e-6)
    unseen = [one.ensemble_.out_of_fold(len(y)) for one in (found.best_estimator_, *both)]
    np.testing.assert_allclose(unseen[0], np.mean(unseen[1:], axis=0), rtol=1e-6)
    assert found.best_estimator_.score_ > found.best_score_
    again = search(**options, ensemble=2, checkpoint=tmp_path / "record").fit(X, y)  # retrains what it averages
    np.testing.assert_array_equal(again.predict(X), found.predict(X))


def test_the_best_classifiers_are_averaged_and_calibrated_together(tmp_path: Path) -> None:
    data = load_breast_cancer(as_frame=True)
    wrong = np.random.default_rng(0).random(len(data.target)) < 0.3  # so that an average is better than each
    y = np.where(data.target ^ wrong, "no", "yes")
    estimator = TabularClassifier(members=2, max_iter=2)
    space = {
        "learning_rate_init": LogUniform(0.02, 0.2),
        "hidden_layer_sizes": [(8,), (16, 16)],
        "activation": ["selu", "mish"],
    }
    found = search(
        estimator=estimator, space=space, n_trials=4, strategy="random", ensemble=3, refit=True, random_state=2
    )
    best = found.fit(data.data, y).best_estimator_
    chosen: list[Any] = []
    scores: list[float] = []
    for one in best_by_hand(found, estimator, 3, data.data, y):  # each that does not make it worse
        members = [(held, p) for model in (*chosen, one) for held, p in unseen_of(model)]
        raw = mean_of_rows(members, len(y))
        temperature = best_temperature(raw, (y == "yes").astype(int))
        soft = mean_of_rows([(held, with_temperature(p, temperature)) for held, p in members], len(y))
        score = float(np.mean(best.classes_[soft.argmax(axis=1)] == y))
        if not scores or score > scores[-1]:
            chosen, scores = [*chosen, one], [*scores, score]
    assert len(best.ensemble_.members) == 2 * len(chosen)
    assert best.score_ == scores[-1]
    seen = [with_temperature(p, best.temperature_) for one in chosen for p in members_of(one, data.data)]
    np.testing.assert_allclose(best.predict_proba(data.data), np.mean(seen, axis=0), rtol=1e-6)
    assert best.score_ == np.mean(best.classes_[best.out_of_fold_.argmax(axis=1)] == y)
    rosenblatt.save(best, tmp_path / "model")
    np.testing.assert_array_equal(
        rosenblatt.load(tmp_path / "model").predict_proba(data.data), best.predict_proba(data.data)
    )
    for one in chosen:
        assert one.ensemble_.architectures in str(best.report())


def unseen_of(one: TabularClassifier) -> list[Any]:
    """Rows that each network did not see, and its probabilities of them."""
    return [(member.held_out, member.predictions) for member in one.ensemble_.members]


def mean_of_rows(parts: list[Any], n_rows: int) -> Any:
    """The mean of what there is of each row."""
    total, count = np.zeros((n_rows, 2)), np.zeros((n_rows, 1))
    for rows, values in parts:
        total[rows] += values
        count[rows] += 1
    return total / count


def members_of(one: TabularClassifier, X: Any) -> list[Any]:
    """What each network predicts."""
    inputs = feed(one.preparation_.transform(one._read(X, reset=False)))
    return [network.predict(inputs) for network in one.ensemble_.networks]


@pytest.mark.long
def test_under_a_budget_what_was_trained_is_averaged() -> None:
    X, y = load_diabetes(return_X_y=True)
    estimator = TabularRegressor(members=2, hidden_layer_sizes=(8,), max_iter=3)
    options = {
        "space": {"learning_rate_init": LogUniform(0.05, 0.5)},
        "n_trials": 1000,
        "ensemble": 3,
        "strategy": "random",
    }
    found = search(estimator=estimator, time_budget=2.0, refit=True, **options).fit(X, y)
    assert len(found.best_estimator_.ensemble_.members) in (2, 4, 6)  # as many candidates as improve the average
    assert found.best_estimator_.score_ >= found.best_score_
    assert found.refit_time_ < 1


def test_only_networks_of_the_same_columns_are_averaged() -> None:
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    estimator = TabularRegressor(members=2, hidden_layer_sizes=(8,), max_iter=3)
    space = {"kinds": [{"age": "ignored"}, {"bmi": "ignored"}], "learning_rate_init": LogUniform(0.05, 0.5)}
    found = search(estimator=estimator, space=space, n_trials=6, strategy="random", ensemble=4, refit=True).fit(X, y)
    alike = sum(one["kinds"] == found.best_params_["kinds"] for one in found.cv_results_["params"])
    assert alike < 6
    assert len(found.best_estimator_.ensemble_.members) <= 2 * alike


def test_copies_of_the_best_are_not_averaged() -> None:
    X, y = load_diabetes(return_X_y=True)
    estimator = TabularRegressor(members=2, hidden_layer_sizes=(8,), max_iter=2)
    options = {"space": {"dropout": [0.0]}, "n_trials": 3, "strategy": "random", "ensemble": 3, "refit": True}
    assert len(search(estimator=estimator, **options).fit(X, y).best_estimator_.ensemble_.members) == 2


@pytest.mark.parametrize("strategy", ["random", "tpe"])
def test_the_default_space_begins_with_the_estimator_as_it_is(strategy: str) -> None:
    if strategy == "tpe":
        pytest.importorskip("optuna")
    found = MLPSearchCV(base(max_iter=1), n_trials=3, cv=2, refit=False, strategy=strategy).fit(X, Y)
    params = found.cv_results_["params"]
    assert [bool(one) for one in params] == [False, True, True]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = cross_val_score(base(max_iter=1), X, Y, cv=2).mean()
    assert found.cv_results_["mean_test_score"][0] == expected


@pytest.mark.parametrize("backend", ["loky", pytest.param("dask", marks=pytest.mark.long)])
def test_processes_give_the_same_results(backend: str) -> None:
    here = search(refit=True).fit(X, Y)
    with ExitStack() as stack:
        if backend == "dask":
            distributed = pytest.importorskip("distributed")
            options = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": None}
            cluster = stack.enter_context(distributed.LocalCluster(**options))
            stack.enter_context(distributed.Client(cluster))
        stack.enter_context(joblib.parallel_config(backend=backend, **({"n_jobs": 2} if backend == "loky" else {})))
        there = search(refit=True, backend="joblib").fit(X, Y)
    assert results(there) == results(here)
    np.testing.assert_array_equal(there.predict_proba(X), here.predict_proba(X))


def test_tree_structured_proposals_are_repeatable_and_learn() -> None:
    pytest.importorskip("optuna")
    space = {
        "learning_rate_init": LogUniform(1e-6, 1.0),
        "alpha": stats.uniform(0, 1),
        "hidden_layer_sizes": Layers((1,), (8, 16)),
    }
    space |= {"solver": ["adam", "sgd"], "momentum": Conditional("solver", ("sgd",), [0.5, 0.9])}
    options = {"space": space, "strategy": "tpe", "n_trials": 20, "estimator": base(max_iter=4), "cv": 2}
    first, second = (search(**options, n_jobs=n).fit(X, Y) for n in (1, 2))
    assert results(first) == results(second)
    assert len(first.cv_results_["params"]) == 20
    assert first.cv_results_["mean_test_score"][10:].mean() > first.cv_results_["mean_test_score"][:5].mean()


def test_proposals_of_nested_choices_and_distributions() -> None:
    pytest.importorskip("optuna")
    space = {
        "hidden_layer_sizes": Layers((2, 3), (8,)),
        "activation": ["relu", Instance(LeakyReLU, alpha=LogUniform(0.01, 0.3))],
        "dropout": [0.0, PerLayer([0.1, 0.2])],
        "batch_size": stats.randint(16, 64),
        "alpha": stats.norm(1.0, 0.01),
    }
    found = search(space=space, strategy="tpe", n_trials=12, estimator=base(max_iter=1), cv=2).fit(X, Y)
    assert not any(found.cv_results_["error"])
    params = found.cv_results_["params"]
    assert all(type(one["batch_size"]) is int and 16 <= one["batch_size"] < 64 for one in params)
    assert any(isinstance(one["activation"], LeakyReLU) for one in params)
    assert {len(one["dropout"]) - len(one["hidden_layer_sizes"]) for one in params if one["dropout"]} == {0}


# Failures, budgets, resumption -----------------------------------------------------------------------------------


def test_a_candidate_that_fails_is_recorded_and_stops_nothing() -> None:
    space = {"learning_rate_init": [0.01, 1e300], "solver": ["sgd"]}
    found = search(space=space, n_trials=6, strategy="random").fit(X, Y)
    failed = [p["learning_rate_init"] == 1e300 for p in found.cv_results_["params"]]
    assert any(failed)
    assert [bool(error) for error in found.cv_results_["error"]] == failed
    assert "DivergenceError" in found.cv_results_["error"][failed.index(True)]
    assert np.isnan(found.cv_results_["mean_test_score"][failed.index(True)])
    assert found.best_params_["learning_rate_init"] == 0.01


def test_if_all_fail_the_error_says_why() -> None:
    with pytest.raises(ValueError, match=r"All 3 candidates failed\. .*1e\+300, solver='sgd': DivergenceError"):
        search(space={"learning_rate_init": [1e300], "solver": ["sgd"]}, n_trials=3).fit(X, Y)


def test_a_tabular_search_knows_its_table_and_takes_the_target_by_name(tmp_path: Path) -> None:
    frame = load_diabetes(as_frame=True).frame.iloc[:60]
    estimator = TabularRegressor(members=1, hidden_layer_sizes=(4,), max_iter=1)
    options: dict[str, Any] = {"estimator": estimator, "space": {"dropout": [0.0, 0.2]}, "n_trials": 2, "refit": True}
    found = search(**options, checkpoint=tmp_path / "record").fit(frame, "target")
    assert found.best_estimator_.target_name_ == "target"
    assert results(search(**options, checkpoint=tmp_path / "record").fit(frame.copy(), "target")) == results(found)
    with pytest.raises(ValueError, match="belongs to another search"):
        search(**options, checkpoint=tmp_path / "record").fit(frame + 1, "target")


RECORD = """
import sys
sys.path.insert(0, {folder!r})
from scipy import stats
from tests.search import test_search as t
space = {{"alpha": stats.loguniform(1e-5, 1.0), "learning_rate_init": t.LogUniform(1e-4, 0.1)}}
print(len(t.search(space=space, n_trials=3, scoring=t.accuracy, checkpoint={path!r}).fit(t.X, t.Y).cv_results_))
"""


def accuracy(estimator: Any, X: Any, y: Any) -> float:
    return float(estimator.score(X, y))


@pytest.mark.long
def test_a_record_is_known_to_another_process_whatever_the_space_holds(tmp_path: Path) -> None:
    script = RECORD.format(folder=str(Path(__file__).parents[2]), path=str(tmp_path / "record"))
    for _ in range(2):
        subprocess.run([sys.executable, "-c", script], check=True)
    assert (tmp_path / "record").read_text().count("\n") == 1 + 3 + 1


@pytest.mark.parametrize("strategy", ["random", pytest.param("halving", marks=pytest.mark.long)])
def test_a_time_budget_ends_with_a_result(strategy: str) -> None:
    options = {"n_trials": 1000, "time_budget": 1.5, "refit": True, "estimator": base(max_iter=200)}
    found = search(strategy=strategy, **options).fit(X, Y)
    assert found.interrupted_
    assert np.sum(found.cv_results_["epochs"] == 200) < 1000
    assert 0 < found.best_score_ <= 1
    assert found.predict(X).shape == (300,)


@pytest.mark.long
def test_a_budget_alone_tries_as_many_as_it_allows() -> None:
    options = {"n_trials": None, "time_budget": 60.0, "strategy": "random", "cv": 2, "estimator": base(max_iter=1)}
    found = search(space={"alpha": list(range(40))}, **options).fit(X[:60], Y[:60] % 2)
    assert len(found.cv_results_["params"]) == 54  # two brackets, then there was nothing new
    assert {one["alpha"] for one in found.cv_results_["params"]} == set(range(40))
    assert not found.interrupted_


def test_a_budget_ends_though_all_fail() -> None:
    with pytest.raises(ValueError, match=r"candidates failed\. alpha=.*'alpha' parameter of MLPClassifier must be"):
        search(space={"alpha": stats.uniform(-2, 1)}, n_trials=None, time_budget=0.5).fit(X, Y)


def test_ctrl_c_keeps_what_was_found_and_the_search_can_go_on(tmp_path: Path) -> None:
    calls: list[int] = []

    def scorer(model: Any, X: Any, y: Any) -> float:
        calls.append(1)
        if len(calls) == 17:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.2)
        return float(model.score(X, y))

    options = {"checkpoint": tmp_path / "record", "scoring": scorer, "n_jobs": 1}
    with pytest.warns(UserWarning, match="The search was interrupted"):
        found = search(**options).fit(X, Y)
    assert found.interrupted_
    assert 3 <= len(found.cv_results_["params"]) < 9
    again = search(**options).fit(X, Y)
    assert results(again) == results(search().fit(X, Y))


def test_a_search_with_more_trials_goes_on_from_the_record_of_one_with_fewer(tmp_path: Path) -> None:
    options = {"strategy": "random", "checkpoint": tmp_path / "record", "estimator": base(max_iter=2)}
    few, many = search(n_trials=3, **options).fit(X, Y), search(n_trials=5, **options).fit(X, Y)
    assert results(many)[:3] == results(few)
    assert len((tmp_path / "record").read_text().splitlines()) == 6
    assert results(search(n_trials=3, **options).fit(X, Y)) == results(few)


def test_a_search_goes_on_from_its_record(tmp_path: Path) -> None:
    whole = search(checkpoint=tmp_path / "a").fit(X, Y)
    lines = (tmp_path / "a").read_bytes().splitlines(keepends=True)
    assert len(lines) == 1 + 9 + 3 + 1
    for n_kept in (1, 4, 10, 11, 13, 14):
        (tmp_path / "b").write_bytes(b"".join(lines[:n_kept]) + lines[min(n_kept, 13)][:20])  # killed while it wrote
        again = search(checkpoint=tmp_path / "b").fit(X, Y)
        assert results(again) == results(whole)
        assert sorted(json.loads(line)["epochs"] for line in (tmp_path / "b").read_text().splitlines()[1:]) == (
            [2] * 9 + [6] * 3 + [18]
        )


SCRIPT = """
import sys, numpy as np
sys.path.insert(0, {folder!r})
from tests.search import test_search as t
found = t.search(checkpoint={path!r}, estimator=t.base(max_iter=180)).fit(t.X, t.Y)
print(found.best_index_, repr(found.best_score_))
"""


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
@pytest.mark.long
def test_a_killed_search_ends_with_the_same_result(tmp_path: Path) -> None:
    whole = search(estimator=base(max_iter=180)).fit(X, Y)
    path = tmp_path / "record"
    script = SCRIPT.format(folder=str(Path(__file__).parents[2]), path=str(path))
    process = subprocess.Popen([sys.executable, "-c", script])
    while not path.exists() or path.read_bytes().count(b"\n") < 6:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    again = search(checkpoint=path, estimator=base(max_iter=180)).fit(X, Y)
    assert results(again) == results(whole)


@pytest.mark.long
@pytest.mark.parametrize(
    "estimator",
    [
        MLPClassifier(max_iter=40, random_state=0),
        MLPRegressor(max_iter=40, random_state=0),
        TabularClassifier("fast", max_iter=9, hidden_layer_sizes=(16,)),
        TabularRegressor("fast", max_iter=9, hidden_layer_sizes=(16,)),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_scikit_learns_checks(estimator: Any) -> None:
    tabular = type(estimator).__name__.startswith("Tabular")
    model = MLPSearchCV(estimator, {"dropout" if tabular else "alpha": [1e-4, 1e-2]}, n_trials=2, cv=2)
    outcome = check_estimator(model, on_fail=None, on_skip=None)
    own_folds = {"check_sample_weight_equivalence_on_dense_data"} if tabular else set()  # it passes a list as cv
    assert {entry["check_name"] for entry in outcome if entry["status"] == "failed"} == own_folds


def test_a_journal_keeps_what_it_was_given(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j", "abc", 2)
    journal.add(Result(0, 0, 3, [0.5, 0.25], "", 1.5))
    journal.add(Result(1, 0, 3, [], "failed"))
    journal.add(Result(2, 0, 3, [0.1], complete=False))
    again = Journal(tmp_path / "j", "abc", 2)
    assert again.found == {(0, 0): Result(0, 0, 3, [0.5, 0.25], "", 1.5), (1, 0): Result(1, 0, 3, [], "failed")}
    assert (again.found[0, 0].mean, again.found[1, 0].mean) == (0.375, -math.inf)
