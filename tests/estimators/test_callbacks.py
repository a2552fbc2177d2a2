"""scikit-learn's callbacks (`sklearn.callback`) work with estimators that train in epochs or iterations."""

import numpy as np
import pytest
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from rosenblatt import LogisticRegression, MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = load_iris(return_X_y=True)
X = StandardScaler().fit_transform(X)

ESTIMATORS = {
    "classifier": lambda: MLPClassifier((5,), max_iter=4, random_state=0, learning_rate_init=0.05),
    "regressor": lambda: MLPRegressor(hidden_layer_sizes=(5,), max_iter=4, random_state=0),
    "lbfgs": lambda: MLPClassifier((5,), solver="lbfgs", max_iter=4, random_state=0),
    "logistic": lambda: LogisticRegression(max_iter=4),
    "l1": lambda: LogisticRegression(l1_ratio=1, max_iter=4),
    "logistic by batches": lambda: LogisticRegression(solver="adam", max_iter=4, random_state=0),
}


class Recorder:
    """Notes each call; ends training after `stop_after` epochs."""

    def __init__(self, stop_after=None):
        self.calls, self.scores, self.stop_after = [], [], stop_after

    def setup(self, estimator, context):
        self.calls.append("setup")

    def teardown(self, estimator, context):
        self.calls.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.calls.append(f"begin {context.task_name}")

    def on_fit_task_end(self, estimator, context, *, X=None, y=None, fitted_estimator=None):
        self.calls.append(f"end {context.task_name}")
        if context.task_name == "epoch":
            self.scores.append(fitted_estimator.score(X, y))
            return len(self.scores) == self.stop_after
        return False


@pytest.mark.parametrize("name", ESTIMATORS)
def test_callbacks_see_every_epoch_and_change_nothing(name):
    recorder, plain = Recorder(), ESTIMATORS[name]().fit(X, Y)
    model = ESTIMATORS[name]().set_callbacks(recorder).fit(X, Y)
    n = model.n_iter_
    assert recorder.calls == ["setup", "begin fit", *["begin epoch", "end epoch"] * n, "end fit", "teardown"]
    assert recorder.scores[-1] == model.score(X, Y)
    assert len(set(recorder.scores)) > 1, "each epoch has its own weights"
    assert np.array_equal(model.network.parameters, plain.network.parameters)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_callback_ends_training(name):
    model = ESTIMATORS[name]().set_callbacks(Recorder(stop_after=2)).fit(X, Y)
    assert model.n_iter_ == 2


@pytest.mark.parametrize("name", ESTIMATORS)
def test_scikit_learns_own_callbacks_work(name, capsys):
    monitor = ScoringMonitor(scoring="r2" if name == "regressor" else "accuracy")
    model = ESTIMATORS[name]().set_callbacks(ProgressBar(), monitor).fit(X, Y)
    rows = [r for r in monitor.get_logs().data if r["task_name"] == "epoch"]
    assert len(rows) == model.n_iter_
    score = next(v for k, v in rows[-1].items() if k in ("r2", "accuracy", "score"))
    assert score == pytest.approx(model.score(X, Y))


def test_callbacks_reach_through_pipelines_and_searches():
    recorder = Recorder()
    model = make_pipeline(StandardScaler(), MLPClassifier((5,), max_iter=3, random_state=0).set_callbacks(recorder))
    model.fit(X, Y)
    assert recorder.scores[-1] == model[-1].score(model[0].transform(X), Y)
    search = GridSearchCV(MLPClassifier((5,), max_iter=2, random_state=0), {"alpha": [0.1, 1.0]}, cv=2)
    search.set_callbacks(ProgressBar()).fit(X, Y)
    assert search.best_estimator_.n_iter_ == 2


def test_teardown_comes_also_after_an_error():
    class Failing(Recorder):
        def on_fit_task_end(self, estimator, context):
            raise RuntimeError("no")

    failing = Failing()
    with pytest.raises(RuntimeError, match="no"):
        MLPClassifier((5,), max_iter=3).set_callbacks(failing).fit(X, Y)
    assert failing.calls[-1] == "teardown"
    with pytest.raises(TypeError, match="FitCallback protocol"):
        MLPClassifier().set_callbacks("progress")
