"""The search: what it finds, that a pause changes nothing, resumption, budgets, failures."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.utils.estimator_checks import check_estimator

from rosenblatt import MLPClassifier, MLPRegressor, MLPSearchCV, TabularClassifier, TabularRegressor
from rosenblatt.search import Layers, LogUniform, When, default_space
from rosenblatt.search.journal import Journal, Result
from rosenblatt.search.spaces import Space
from rosenblatt.search.trials import Fold, Paused

DIGITS = load_digits(return_X_y=True)
X, Y = (DIGITS[0][:300] / 16).astype(np.float32), DIGITS[1][:300]
SPACE = {"alpha": LogUniform(1e-5, 1.0), "learning_rate_init": [0.001, 0.01], "hidden_layer_sizes": [(8,), (16,)]}
NOISY = ("dropout", 0.2), ("solver", "nadam"), ("learning_rate", "one_cycle"), ("activation", "mish"), ("average", 0.9)


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
            "momentum": When("solver", ("sgd",), [0.5]),
            "alpha": stats.loguniform(1e-6, 1e-2),
            "power_t": stats.randint(1, 4),
            "hidden_layer_sizes": Layers((2,), (8, 16)),
        },
        sorted(MLPClassifier().get_params()),
    )
    drawn = [space.draw(np.random.default_rng([0, i])) for i in range(200)]
    assert drawn == [space.draw(np.random.default_rng([0, i])) for i in range(200)]
    assert {one["solver"] for one in drawn} == {"adam", "sgd"}
    assert all(("momentum" in one) == (one["solver"] == "sgd") for one in drawn)
    assert all(1e-6 <= one["alpha"] <= 1e-2 and type(one["alpha"]) is float for one in drawn)
    assert {one["power_t"] for one in drawn} == {1, 2, 3}
    assert {one["hidden_layer_sizes"] for one in drawn} == {(8, 8), (8, 4), (16, 16), (16, 8)}


def test_log_uniform_is_uniform_in_the_logarithm() -> None:
    rng = np.random.default_rng(0)
    values = np.log10([LogUniform(1e-4, 1.0).draw(rng) for _ in range(2000)])
    assert stats.kstest(values, stats.uniform(-4, 4).cdf).pvalue > 0.01
    whole = [LogUniform(1, 100, integer=True).draw(rng) for _ in range(100)]
    assert all(type(value) is int and 1 <= value <= 100 for value in whole)


@pytest.mark.parametrize("estimator", [MLPClassifier(), MLPRegressor(), TabularClassifier(), TabularRegressor()])
def test_default_spaces_hold_parameters_that_the_estimator_takes(estimator: Any) -> None:
    space = Space.of(default_space(estimator), sorted(estimator.get_params()))
    for i in range(60):
        clone(estimator).set_params(**space.draw(np.random.default_rng(i)))._validate_params()
    if isinstance(estimator, MLPClassifier):
        needed = {"hidden_layer_sizes", "activation", "weight_init", "solver", "momentum", "learning_rate_init"}
        needed |= {"learning_rate", "batch_size", "alpha", "l1", "max_norm", "dropout", "clip_norm"}
        assert needed <= set(space.choices)


# Pauses ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("parameter", NOISY, ids=str)
def test_a_promoted_network_equals_one_that_was_never_stopped(parameter: tuple[str, Any]) -> None:
    fold = Fold(X[:200], Y[:200], X[200:], Y[200:])
    paused = Paused(base(**dict([parameter]), tol=0.0), fold, lambda model, X, y: model.score(X, y))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scores = [paused.advance(epochs, lambda: math.inf) for epochs in (2, 6, 18)]
        whole = base(**dict([parameter]), tol=0.0).fit(fold.X, fold.y)
    assert [complete for _, complete in scores] == [True] * 3
    for mine, theirs in zip(paused.estimator.coefs_, whole.coefs_, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert paused.estimator.loss_curve_ == whole.loss_curve_
    assert scores[-1][0] == whole.score(fold.X_test, fold.y_test)


def test_a_training_that_is_not_promoted_ends_its_thread() -> None:
    paused = Paused(base(), Fold(X[:200], Y[:200], X[200:], Y[200:]), lambda model, X, y: model.score(X, y))
    paused.advance(2, lambda: math.inf)
    thread = paused._thread
    assert thread is not None
    assert thread.is_alive()
    paused.close()
    assert not thread.is_alive()


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
    found = search().fit(X, Y)
    table = found.cv_results_
    assert sorted(table["epochs"].tolist()) == [2] * 6 + [6] * 2 + [18]
    early = dict.fromkeys(np.flatnonzero(table["epochs"] == 2))
    assert found.best_index_ not in early
    everything = search(strategy="random").fit(X, Y)
    at = found.best_index_
    assert table["mean_test_score"][at] == everything.cv_results_["mean_test_score"][at]  # as if never stopped


def test_a_better_candidate_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    found = search(strategy="random", n_jobs=1, verbose=1).fit(X, Y)
    said = [float(line.split(" results, ")[1].split(" after ")[0]) for line in capsys.readouterr().out.splitlines()]
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


def test_tabular_estimators_are_scored_out_of_fold() -> None:
    data = load_diabetes(as_frame=True)
    estimator = TabularRegressor(members=2, hidden=(8,), epochs=9)
    found = search(estimator=estimator, space={"learning_rate": [0.05, 0.5]}, n_trials=3, refit=True)
    found.fit(data.data, data.target)
    assert sorted(found.cv_results_["epochs"].tolist()) == [3, 3, 9]
    assert found.best_estimator_.score_ == found.best_score_
    assert found.best_estimator_.get_params()["epochs"] == 9
    budget = search(estimator=estimator, space={"dropout": [0.0, 0.2]}, n_trials=50, time_budget=2.0, refit=True)
    budget.fit(data.data, data.target)
    assert budget.best_estimator_.score_ == budget.best_score_
    assert budget.best_estimator_.time_budget is None


def test_tree_structured_proposals_are_repeatable_and_learn() -> None:
    pytest.importorskip("optuna")
    space = {
        "learning_rate_init": LogUniform(1e-6, 1.0),
        "alpha": stats.uniform(0, 1),
        "hidden_layer_sizes": Layers((1,), (8, 16)),
    }
    space |= {"solver": ["adam", "sgd"], "momentum": When("solver", ("sgd",), [0.5, 0.9])}
    options = {"space": space, "strategy": "tpe", "n_trials": 20, "estimator": base(max_iter=4), "cv": 2}
    first, second = (search(**options, n_jobs=n).fit(X, Y) for n in (1, 2))
    assert results(first) == results(second)
    assert len(first.cv_results_["params"]) == 20
    assert first.cv_results_["mean_test_score"][10:].mean() > first.cv_results_["mean_test_score"][:5].mean()


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
    with pytest.raises(ValueError, match=r"All 3 candidates failed\. .*1e\+300.*DivergenceError"):
        search(space={"learning_rate_init": [1e300], "solver": ["sgd"]}, n_trials=3).fit(X, Y)


def test_a_tabular_search_knows_its_table_and_takes_the_target_by_name(tmp_path: Path) -> None:
    frame = load_diabetes(as_frame=True).frame.iloc[:60]
    estimator = TabularRegressor(members=1, hidden=(4,), epochs=1)
    options: dict[str, Any] = {"estimator": estimator, "space": {"dropout": [0.0, 0.2]}, "n_trials": 2, "refit": True}
    found = search(**options, checkpoint=tmp_path / "record").fit(frame, "target")
    assert found.best_estimator_.target_name_ == "target"
    assert results(search(**options, checkpoint=tmp_path / "record").fit(frame.copy(), "target")) == results(found)
    with pytest.raises(ValueError, match="is of another search"):
        search(**options, checkpoint=tmp_path / "record").fit(frame + 1, "target")
    with pytest.raises(ValueError, match=r"scored by its own out-of-fold predictions\. Leave scoring out"):
        search(**options, scoring="r2").fit(frame, "target")


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


def test_a_record_is_known_to_another_process_whatever_the_space_holds(tmp_path: Path) -> None:
    script = RECORD.format(folder=str(Path(__file__).parents[2]), path=str(tmp_path / "record"))
    for _ in range(2):
        subprocess.run([sys.executable, "-c", script], check=True)
    assert (tmp_path / "record").read_text().count("\n") == 1 + 3 + 1


@pytest.mark.parametrize("strategy", ["random", "halving"])
def test_a_time_budget_ends_with_a_result(strategy: str) -> None:
    options = {"n_trials": 1000, "time_budget": 1.5, "refit": True, "estimator": base(max_iter=200)}
    found = search(strategy=strategy, **options).fit(X, Y)
    assert found.interrupted_
    assert np.sum(found.cv_results_["epochs"] == 200) < 1000
    assert 0 < found.best_score_ <= 1
    assert found.predict(X).shape == (300,)


def test_ctrl_c_ends_a_search_with_the_best_so_far() -> None:
    timer = threading.Timer(3.0, lambda: signal.pthread_kill(main, signal.SIGINT))
    main = threading.main_thread().ident
    assert main is not None
    timer.start()
    found = search(strategy="random", n_trials=10_000, estimator=base(max_iter=60)).fit(X, Y)
    timer.join()
    assert found.interrupted_
    assert 0 < len(found.cv_results_["params"]) < 10_000
    assert found.best_params_ in found.cv_results_["params"]


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


def test_scikit_learns_checks() -> None:
    model = MLPSearchCV(MLPClassifier(max_iter=40, random_state=0), {"alpha": [1e-4, 1e-2]}, n_trials=2, cv=2)
    outcome = check_estimator(model, on_fail=None, on_skip=None)
    failed = {entry["check_name"] for entry in outcome if entry["status"] == "failed"}
    assert failed <= {"check_dtype_object"}  # the reason is there, but in an error that speaks of all candidates


def test_a_journal_keeps_what_it_was_given(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j", "abc")
    journal.add(Result(0, 0, 3, [0.5, 0.25], "", 1.5))
    journal.add(Result(1, 0, 3, [], "failed"))
    journal.add(Result(2, 0, 3, [0.1], complete=False))
    again = Journal(tmp_path / "j", "abc")
    assert again.found == {(0, 0): Result(0, 0, 3, [0.5, 0.25], "", 1.5), (1, 0): Result(1, 0, 3, [], "failed")}
    assert (again.found[0, 0].mean, again.found[1, 0].mean) == (0.375, -math.inf)
