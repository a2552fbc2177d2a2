"""The parameter `client` inside scikit-learn's meta-estimators: who trains, and what is refused."""

import joblib
import numpy as np
import pytest
from sklearn.callback import ProgressBar
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline

from rosenblatt import TabularClassifier
from rosenblatt.distributed.dask_jobs import DaskJobs
from rosenblatt.distributed.jobs import Threads
from rosenblatt.estimators.tabular import course

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 3))
Y = (X[:, 0] + RNG.normal(size=300) > 0).astype(int)
SMALL = {"members": 2, "max_iter": 2, "hidden_layer_sizes": (4,)}
GRID = {"max_iter": [1, 2]}
HOLDERS = {
    "pipeline": lambda model: make_pipeline("passthrough", model).fit(X, Y),
    "grid": lambda model: GridSearchCV(model, GRID, cv=2, error_score="raise").fit(X, Y),
    "random": lambda model: RandomizedSearchCV(model, GRID, n_iter=2, cv=2, error_score="raise").fit(X, Y),
    "pipeline in a grid": lambda model: GridSearchCV(
        make_pipeline("passthrough", model), {"tabularclassifier__max_iter": [1, 2]}, cv=2, error_score="raise"
    ).fit(X, Y),
    "grid whose bar is not for its estimators": lambda model: (
        GridSearchCV(model, GRID, cv=2, error_score="raise")
        .set_callbacks(ProgressBar(max_propagation_depth=0))
        .fit(X, Y)
    ),
    "scores": lambda model: cross_val_score(model, X, Y, cv=2, error_score="raise"),
}
N_FITS = {"pipeline": 1, "scores": 2}


@pytest.mark.parametrize("name", HOLDERS)
def test_the_client_trains_in_a_meta_estimator(name, monkeypatch):
    asked, cluster = [], object()
    monkeypatch.setattr(course, "jobs_of", lambda client: asked.append(client) or Threads())
    HOLDERS[name](TabularClassifier(**SMALL, client=cluster))
    assert asked == [cluster] * N_FITS.get(name, 5)  # of a search: two candidates, two folds, and the best


@pytest.mark.parametrize("holder", ["own", "grid"])
def test_callbacks_beside_a_client_are_refused(holder):
    model = TabularClassifier(**SMALL, client=object())
    words = r"callbacks of scikit-learn .* leave client out, or use `on_epoch`.*max_propagation_depth=0"
    holder = model if holder == "own" else GridSearchCV(model, GRID, cv=2, error_score="raise")
    with pytest.raises(ValueError, match=words):
        holder.set_callbacks(ProgressBar()).fit(X, Y)


@pytest.fixture(scope="module")
def client():
    distributed = pytest.importorskip("distributed")
    options = {"processes": True, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0"}
    with distributed.LocalCluster(n_workers=2, **options) as cluster, distributed.Client(cluster) as client:
        yield client


@pytest.mark.long
@pytest.mark.parametrize("way", ["client", "backend", "threads", "processes"])
def test_a_grid_search_with_a_cluster(way, client, monkeypatch):
    """Here, each fit uses the cluster; as tasks of the cluster or in processes of joblib, each trains where it is."""
    runs = []
    start = DaskJobs.start
    monkeypatch.setattr(DaskJobs, "start", lambda self, *a, **k: runs.append(self.client) or start(self, *a, **k))
    here = GridSearchCV(TabularClassifier(**SMALL), GRID, cv=2).fit(X, Y)
    backend = {"backend": "dask"} if way == "backend" else {"backend": "threading" if way == "threads" else "loky"}
    model = TabularClassifier(**SMALL, client=client if way != "backend" else None)
    search = GridSearchCV(model, GRID, cv=2, error_score="raise", n_jobs=1 if way == "client" else 2)
    with joblib.parallel_config(**backend):
        search.fit(X, Y)
    assert len(runs) == (5 if way in ("client", "threads") else 1)  # one is the fit of the best, which is done here
    np.testing.assert_array_equal(search.cv_results_["mean_test_score"], here.cv_results_["mean_test_score"])
    np.testing.assert_array_equal(search.predict_proba(X), here.predict_proba(X))


@pytest.mark.long
def test_a_pipeline_uses_the_active_backend(client, monkeypatch):
    runs = []
    start = DaskJobs.start
    monkeypatch.setattr(DaskJobs, "start", lambda self, *a, **k: runs.append(self.client) or start(self, *a, **k))
    with joblib.parallel_config(backend="dask"):
        make_pipeline("passthrough", TabularClassifier(**SMALL)).fit(X, Y)
    assert runs == [client]
