"""The training of tabular estimators as it is shown and told: callbacks, TensorBoard, verbose, history, summary."""

import io
import pickle
import re
import threading

import numpy as np
import pytest
from rich.console import Console
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.datasets import load_diabetes, load_iris
from sklearn.model_selection import GridSearchCV

import rosenblatt
from rosenblatt import MLPSearchCV, TabularClassifier, TabularRegressor
from rosenblatt.estimators.tabular.member import MemberEpoch
from rosenblatt.estimators.tabular.progress import PlainProgress, shown_progress
from rosenblatt.tables.task import TabularTask
from rosenblatt.training import TensorBoard

X, Y = load_iris(return_X_y=True, as_frame=True)
SMALL = {"members": 3, "max_iter": 4, "hidden_layer_sizes": (8,)}
ESTIMATORS = {
    "classifier": (lambda: TabularClassifier(**SMALL), X, Y),
    "ordered": (lambda: TabularClassifier(**SMALL, ordered=True, metric="f1"), X, Y),
    "regressor": (lambda: TabularRegressor(**SMALL), *load_diabetes(return_X_y=True, as_frame=True)),
}


class Recorder:
    """Notes each call, and refuses two at once; ends the training of the second network after its first epoch."""

    def __init__(self, ends_second=False):
        self.calls, self.scores, self.ends_second, self.busy = [], {}, ends_second, threading.Lock()

    def setup(self, estimator, context):
        self.calls.append("setup")

    def teardown(self, estimator, context):
        self.calls.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        assert self.busy.acquire(blocking=False), "two hooks at once"
        self.calls.append(f"begin {context.task_name}")
        self.busy.release()

    def on_fit_task_end(self, estimator, context, *, X=None, y=None, fitted_estimator=None):
        assert self.busy.acquire(blocking=False), "two hooks at once"
        self.calls.append(f"end {context.task_name}")
        if context.task_name == "epoch":
            scores = self.scores.setdefault(context.parent.task_id, [])
            scores.append(fitted_estimator.score(X, y))
            assert len(fitted_estimator.history_["loss"]) == len(scores)
        self.busy.release()
        return self.ends_second and context.task_name == "epoch" and context.parent.task_id == 2


@pytest.mark.parametrize("name", ESTIMATORS)
def test_callbacks_see_every_epoch_of_every_network_and_change_nothing(name):
    make, X, y = ESTIMATORS[name]
    recorder, plain = Recorder(), make().fit(X, y)
    model = make().set_callbacks(recorder).fit(X, y)
    calls = recorder.calls
    assert calls[:2] == ["setup", "begin fit"]
    assert calls[-2:] == ["end fit", "teardown"]
    for task, n in (("member", 3), ("epoch", 12)):
        assert calls.count(f"begin {task}") == calls.count(f"end {task}") == n
    assert {number: len(scores) for number, scores in recorder.scores.items()} == {1: 4, 2: 4, 3: 4}
    assert len({*recorder.scores[1]}) > 1, "each epoch has its own weights"
    assert np.array_equal(model.out_of_fold_, plain.out_of_fold_)


def test_a_callback_ends_the_training_of_a_network():
    model = TabularClassifier(**SMALL).set_callbacks(Recorder(ends_second=True)).fit(X, Y)
    assert [len(member.curve) for member in model.ensemble_.members] == [4, 1, 4]


@pytest.mark.parametrize("name", ["classifier", "regressor"])
def test_scikit_learns_own_callbacks_work(name, capsys):
    make, X, y = ESTIMATORS[name]
    monitor = ScoringMonitor(scoring="r2" if name == "regressor" else "accuracy")
    model = make().set_callbacks(ProgressBar(), monitor).fit(X, y)
    rows = monitor.get_logs().data
    assert {task: sum(row["task_name"] == task for row in rows) for task in ("fit", "member", "epoch")} == {
        "fit": 1,
        "member": 3,
        "epoch": 12,
    }
    (whole,) = (row for row in rows if row["task_name"] == "fit")
    assert (whole.get("r2") or whole.get("accuracy")) == pytest.approx(model.score(X, y))
    assert "member #3" in capsys.readouterr().out


def test_callbacks_get_the_target_whatever_form_it_had():
    frame = X.assign(target=Y)
    for given in ((frame, "target"), (TabularTask.of(frame, "target", "classification"), None), (X.to_numpy(), Y)):
        recorder = Recorder()
        TabularClassifier(**SMALL).set_callbacks(recorder).fit(*given)
        assert recorder.scores[3][-1] > 0.5


def test_callbacks_reach_into_searches():
    search = GridSearchCV(TabularClassifier(**{**SMALL, "members": 1}), {"dropout": [0.0, 0.1]}, cv=2)
    search.set_callbacks(ProgressBar()).fit(X, Y)
    assert search.best_estimator_.n_iter_ == 4
    template = TabularClassifier(**SMALL).set_callbacks(recorder := Recorder())
    MLPSearchCV(template, {"dropout": [0.0]}, n_trials=1).fit(X, Y)
    assert recorder.calls.count("setup") == recorder.calls.count("teardown") > 0


def test_teardown_comes_also_after_an_error():
    class Failing(Recorder):
        def on_fit_task_end(self, estimator, context):
            raise RuntimeError("no")

    failing = Failing()
    with pytest.raises(RuntimeError, match="no"):
        TabularClassifier(**SMALL).set_callbacks(failing).fit(X, Y)
    assert failing.calls[-1] == "teardown"
    with pytest.raises(TypeError, match="FitCallback protocol"):
        TabularClassifier().set_callbacks("progress")


def test_tensorboard_has_a_folder_for_each_network(tmp_path, monkeypatch):
    pytest.importorskip("tensorboardX")
    written = []
    write = TensorBoard.write

    def noting(self, number, network, history, text="", folder=None):
        written.append((folder.name, number, dict(history)))
        write(self, number, network, history, text, folder)

    monkeypatch.setattr(TensorBoard, "write", noting)
    model = TabularClassifier(**SMALL).set_callbacks(TensorBoard(tmp_path)).fit(X, Y)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["member-1", "member-2", "member-3"]
    expected = [(f"member-{i}", n) for i in (1, 2, 3) for n in range(1, 5)]
    assert sorted((name, number) for name, number, _ in written) == expected
    (second,) = (history for name, number, history in written if (name, number) == ("member-2", 4))
    assert second == dict(model.learning_curve().history(1))


def epochs(n_members, last):
    for number in range(1, last + 1):
        for member in range(1, n_members + 1):
            yield MemberEpoch(member, n_members, number, 5, 0.5, 0.25, 1)


@pytest.mark.parametrize("last", [5, 3])
def test_progress_is_a_line_for_each_network_where_nobody_watches(last):
    out = io.StringIO()
    with shown_progress(Console(file=out, width=40)) as show:
        for epoch in epochs(2, last):
            show(epoch)
    lines = out.getvalue().splitlines()
    assert lines == [
        f"network {i} of 2, epoch   {last} of 5: loss 0.5000, held-out 0.2500, best epoch 1" for i in (1, 2)
    ]


@pytest.mark.parametrize(("width", "bar"), [(120, 24), (80, 10)])
def test_progress_is_a_bar_in_a_terminal(width, bar):
    out = io.StringIO()
    with shown_progress(Console(file=out, width=width, force_terminal=True, legacy_windows=False)) as show:
        for epoch in epochs(2, 5):
            show(epoch)
    last = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", out.getvalue()).rstrip("\n").split("\n")[-1].split("\r")[-1]
    assert last.startswith("network 2 of 2, epoch   5 of 5"), "it stays"
    assert "━" * bar in last, "the bar is full"
    assert len(last.rstrip()) <= width
    assert "…" not in last, "nothing is cut"


def test_a_long_training_is_heard_of_every_ten_seconds(monkeypatch):
    now, lines = [0.0], []
    monkeypatch.setattr("rosenblatt.estimators.tabular.progress.time.monotonic", lambda: now[0])
    plain = PlainProgress(lines.append)
    for number in range(1, 31):
        now[0] += 1
        plain.show(MemberEpoch(1, 1, number, 40, 0.5, 0.25, 1))
    assert [int(re.search(r"epoch +(\d+)", line)[1]) for line in lines] == [10, 20, 30]


def test_verbose_shows_the_progress_and_changes_nothing(capsys, tmp_path):
    quiet = TabularClassifier(**SMALL).fit(X, Y)
    assert not capsys.readouterr().out
    heard = []
    loud = TabularClassifier(**SMALL, verbose=1, on_epoch=heard.append).fit(X, Y)
    assert capsys.readouterr().out.count("epoch   4 of 4") == 3
    assert len(heard) == 12
    assert np.array_equal(quiet.out_of_fold_, loud.out_of_fold_)
    TabularClassifier(**SMALL, verbose=1, checkpoint=tmp_path).fit(X, Y)
    capsys.readouterr()
    TabularClassifier(**SMALL, verbose=1, checkpoint=tmp_path).fit(X, Y)
    assert capsys.readouterr().out.count("epoch   4 of 4") == 3, "networks of an earlier process are shown, too"


def test_the_history_is_the_mean_of_the_networks(tmp_path):
    model = TabularClassifier(**SMALL).fit(X, Y)
    loss, held_out = np.mean([member.curve for member in model.ensemble_.members], axis=0).T
    assert model.history_["loss"] == pytest.approx(loss)
    assert model.history_["held_out"] == pytest.approx(held_out)
    assert model.n_iter_ == model.history_.n_epochs == 4
    rosenblatt.save(model, tmp_path / "m")
    for twin in (rosenblatt.load(tmp_path / "m"), pickle.loads(pickle.dumps(model))):
        assert dict(twin.history_) == dict(model.history_)
    assert not hasattr(TabularClassifier(), "history_")


def test_the_history_is_drawn():
    plots = pytest.importorskip("rosenblatt.plots")
    pytest.importorskip("matplotlib").use("agg")
    model = TabularRegressor(**SMALL).fit(*load_diabetes(return_X_y=True))
    display = plots.plot_history(model)
    assert list(display.columns) == ["loss", "held_out"]
    assert display.best_epoch == int(np.argmin(model.history_["held_out"])) + 1


def test_the_summary_shows_the_networks_and_how_they_are_combined():
    model = TabularClassifier(**SMALL).fit(X, Y)
    text, one = model.summary(), model.ensemble_.networks[0]
    assert one.summary() in text
    assert text.count("parametric") == 1, "networks of one form are shown once"
    assert f"{3 * one.parameters.size:,} parameters in all" in text
    assert f"the mean of 3 networks, at temperature {model.temperature_:.3f}" in text
    assert "a network" not in TabularRegressor(**{**SMALL, "members": 1}).fit(X, np.arange(150.0)).summary()


def test_partial_fit_says_what_to_do_instead():
    model = TabularClassifier()
    assert not hasattr(model, "partial_fit")
    with pytest.raises(AttributeError, match=r"learned from all rows at once. Call fit on all rows"):
        model.partial_fit(X, Y)
