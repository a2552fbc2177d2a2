"""Progress: a live line in a terminal or a notebook, plain lines in a file or a pipe, for every door with `verbose`."""

from __future__ import annotations

import io
import re
import time
import warnings

import numpy as np
import pytest
from rich.console import Console
from sklearn.datasets import load_iris

from rosenblatt import LogisticRegression, MLPClassifier, MLPSearchCV, Perceptron, TabularClassifier, nn
from rosenblatt.training import Trainer, progress
from rosenblatt.training.progress import LiveLine, can_replace_lines, live_display, live_line, standard_console

X, Y = load_iris(return_X_y=True)
SEARCH = MLPSearchCV(MLPClassifier(max_iter=3), {"alpha": [1e-4, 1e-2]}, n_trials=2, cv=2, n_jobs=1, verbose=1)


def network_fit():
    nn.Network(nn.NetworkSpec(4, (4,), 3), seed=0).fit(X, np.eye(3)[Y], epochs=12, verbose=True)


DOORS = {
    "MLPClassifier": (
        lambda: MLPClassifier((4,), random_state=0, max_iter=12, verbose=1).fit(X, Y),
        "Iteration 12, loss",
        "12 of 12",
    ),
    "early stopping": (
        lambda: MLPClassifier((4,), random_state=0, max_iter=5, early_stopping=True, verbose=True).fit(X, Y),
        "Validation score: ",
        "validation score",
    ),
    "lbfgs": (
        lambda: MLPClassifier((4,), random_state=0, max_iter=9, solver="lbfgs", verbose=1).fit(X, Y),
        "Iteration 9,",
        "9 of 9",
    ),
    "LogisticRegression": (lambda: LogisticRegression(max_iter=9, verbose=1).fit(X, Y), "Iteration 9,", "9 of 9"),
    "batches": (
        lambda: LogisticRegression(max_iter=9, solver="adam", verbose=1).fit(X, Y),
        "Iteration 9,",
        "9 of 9",
    ),
    "Perceptron": (lambda: Perceptron(verbose=1).fit(X, Y), "-- Epoch 1\n", "average loss"),
    "tabular": (
        lambda: TabularClassifier("fast", members=2, max_iter=3, verbose=1).fit(X, Y),
        "network 2 of 2, epoch   3 of 3: loss",
        "epoch   3 of 3",
    ),
    "Network.fit": (network_fit, "epoch 12: loss", "12 of 12: loss"),
    "MLPSearchCV": (lambda: SEARCH.fit(X, Y), "best 0.", "epochs  parameters"),
}


@pytest.fixture
def screen(monkeypatch):
    """A console that counts as a terminal; returns what is on it, without control codes."""
    out = io.StringIO()

    def made():
        return Console(file=out, width=80, force_terminal=True, highlight=False, legacy_windows=False, _environ={})

    for place in ("rosenblatt.training.progress", "rosenblatt.search.progress_table"):
        monkeypatch.setattr(f"{place}.standard_console", made)
    monkeypatch.setattr("rosenblatt.estimators.tabular.progress.standard_console", made)
    return lambda: re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", out.getvalue())


@pytest.mark.parametrize("door", DOORS)
def test_a_pipe_gets_lines(door, capsys) -> None:
    fit, plain, _ = DOORS[door]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit()
    assert plain in capsys.readouterr().out


@pytest.mark.parametrize("door", DOORS)
def test_a_terminal_gets_one_line_that_is_replaced_and_stays_at_the_end(door, screen, capsys) -> None:
    fit, plain, live = DOORS[door]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit()
    assert live in screen().split("\r")[-1], "the last state"
    assert plain.strip() not in capsys.readouterr().out
    assert progress._display.acquire(blocking=False)
    progress._display.release()


def test_nothing_of_a_perceptrons_lines_is_left(screen) -> None:
    model = Perceptron(verbose=1).fit(X * 1000, Y)
    text = screen()
    assert "Norm" not in text
    assert "Epoch" not in text
    assert f"pass {model.n_iter_} of 1000: average loss" in text.split("\r")[-1]


def test_what_is_printed_while_a_line_lives_stands_above_it(screen) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        MLPClassifier((4,), random_state=0, max_iter=50, tol=10.0, n_iter_no_change=2, verbose=True).fit(X, Y)
    text = screen()
    assert "Training loss did not improve more than tol=10.000000 for 2 consecutive epochs" in text
    assert "4 of 50: loss" in text.split("did not improve")[1]


def test_a_training_that_is_refused_draws_nothing(screen) -> None:
    with pytest.raises(ValueError, match="NaN"):
        MLPClassifier(verbose=True).fit(X * np.nan, Y)
    assert screen() == ""


def test_of_two_trainings_at_once_one_draws(screen, capsys) -> None:
    with live_line() as first, live_line() as second:
        assert isinstance(first, LiveLine)
        assert second is None
        MLPClassifier((4,), random_state=0, max_iter=3, verbose=True, tol=1.0, n_iter_no_change=1).fit(X, Y)
        first.show(1, 1, lambda: "done")
    assert "done" in screen()
    assert "Iteration 1" in screen() + capsys.readouterr().out


def test_candidates_of_a_search_are_silent_and_the_best_keeps_its_verbose(capsys) -> None:
    loud = MLPSearchCV(MLPClassifier(max_iter=3, verbose=1), n_trials=2, cv=2, n_jobs=1, random_state=0, verbose=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loud.fit(X, Y)
    shown = capsys.readouterr().out.split("Iteration 1,")
    assert len(shown) == 2, "only the refit says something"
    assert "best 0." in shown[0]
    assert loud.best_estimator_.verbose == 1


def test_pauses_are_no_time_of_a_fit() -> None:
    model = MLPClassifier((2,), max_iter=2, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        stages, began = model.fit_in_stages(X, Y), time.monotonic()
        next(stages)
        time.sleep(0.2)
        with pytest.raises(StopIteration):
            stages.send(2)
    assert 0 < model.fit_time_ <= time.monotonic() - began - 0.2


def test_it_draws_at_most_ten_times_a_second(monkeypatch) -> None:
    now, made = [100.0], []
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    with live_line(Console(file=io.StringIO(), force_terminal=True, width=80, _environ={})) as line:
        for epoch in range(1000):
            now[0] += 0.001
            line.show(epoch, 1000, lambda epoch=epoch: made.append(epoch) or str(epoch))
    assert 9 <= len(made) <= 11
    assert made[-1] == 999, "the last one is drawn in any case"


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_short_epochs_run_together_and_each_has_its_line(monkeypatch, capsys) -> None:
    calls, run = [], Trainer.epochs
    monkeypatch.setattr(Trainer, "epochs", lambda self, *given, **how: calls.append(1) or run(self, *given, **how))
    kwargs = {"max_iter": 1000, "n_iter_no_change": 1000, "random_state": 0}
    quiet = MLPClassifier((2,), **kwargs).fit(X[:60], Y[:60] > 0)
    before = len(calls)
    shown = MLPClassifier((2,), verbose=True, **kwargs).fit(X[:60], Y[:60] > 0)
    assert 2 <= len(calls) - before < 500
    assert shown.loss_curve_ == quiet.loss_curve_
    lines = capsys.readouterr().out.splitlines()
    assert lines == [f"Iteration {i}, loss = {loss:.8f}" for i, loss in enumerate(shown.loss_curve_, start=1)]


def test_a_pass_reader_hands_other_lines_on() -> None:
    from rosenblatt.estimators.perceptron_progress import PassReader

    rest, shown = io.StringIO(), []

    class Line:
        def show(self, done, total, text):
            shown.append((done, total, text()))

    reader = PassReader(Line(), 5, rest)
    print("-- Epoch 2\nNorm: 1.00, NNZs: 2, Bias: 0.0, T: 10, Avg. loss: 0.25\nmine", file=reader, flush=True)
    print("Total training time: 0.00 seconds.\nConvergence after 2 epochs took 0.00 seconds", file=reader)
    assert shown == [(2, 5, "pass 2 of 5: average loss 0.25")]
    assert rest.getvalue() == "mine\n"


@pytest.mark.parametrize("has_widgets", [True, False])
def test_a_notebook_has_a_live_line_if_it_can_draw_one(has_widgets, monkeypatch) -> None:
    monkeypatch.setattr(progress, "find_spec", lambda name: has_widgets or None)
    console = Console(file=io.StringIO(), force_jupyter=True)
    assert can_replace_lines(console) == has_widgets
    with live_display(console) as draws:
        assert draws == has_widgets


@pytest.mark.parametrize("environment", [{"FORCE_COLOR": "1"}, {"TTY_COMPATIBLE": "1"}])
def test_a_pipe_is_no_terminal_though_it_takes_colours(environment, monkeypatch) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert not can_replace_lines(standard_console())


def test_a_terminal_that_cannot_move_its_cursor_gets_lines() -> None:
    dumb = Console(file=io.StringIO(), force_terminal=True, _environ={"TERM": "dumb"})
    assert not can_replace_lines(dumb)


def test_a_notebook_gets_no_empty_output(monkeypatch, capsys) -> None:
    pytest.importorskip("ipywidgets")
    shown: list[str] = []
    monkeypatch.setattr("rich.jupyter.display", lambda segments, text: shown.append(text))
    with live_line(Console(force_jupyter=True)) as line:
        line.show(1, 1, lambda: "done")
    assert "done" in shown[-1]
    assert all(text.strip() for text in shown)
