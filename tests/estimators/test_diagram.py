"""scikit-learn's diagram of every estimator: documentation, parameters, the state after `fit`, in any state."""

from __future__ import annotations

import copy
import pickle
import re
from email.message import Message

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_html_repr

import rosenblatt
from rosenblatt import (
    LogisticRegression,
    MLPClassifier,
    MLPRegressor,
    MLPSearchCV,
    Perceptron,
    TabularClassifier,
    TabularRegressor,
)
from rosenblatt.estimators import diagram

X, Y = load_iris(return_X_y=True)
LABELS = np.array(["<b>setosa</b>", "versicolor", "virginica"])[Y]
ADDRESS = 'https://docs.example/{a}"'


def classifiers():
    return [
        TabularClassifier("fast", members=2, max_iter=2, random_state=0),
        MLPClassifier((4,), max_iter=2, early_stopping=True, random_state=0),
        LogisticRegression(),
        Perceptron(),
        MLPSearchCV(MLPClassifier(max_iter=2), {"alpha": [1e-4, 1e-2]}, n_trials=2, cv=2, n_jobs=1),
    ]


def every_estimator():
    return [*classifiers(), TabularRegressor("fast", members=2, max_iter=2), MLPRegressor((4,), max_iter=2)]


@pytest.fixture(scope="module")
def fitted():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("warnings.warn", lambda *_, **__: None)
        return [model.fit(X, LABELS) for model in classifiers()]


def named(monkeypatch, *urls):
    """The distribution's metadata with these project URLs."""
    message = Message()
    for url in urls:
        message["Project-URL"] = url
    monkeypatch.setattr(diagram, "metadata", lambda name: message)
    diagram.documentation_address.cache_clear()


@pytest.fixture(autouse=True)
def _own_address():
    diagram.documentation_address.cache_clear()
    yield
    diagram.documentation_address.cache_clear()


@pytest.mark.parametrize("model", every_estimator(), ids=lambda model: type(model).__name__)
def test_without_an_address_the_documentation_is_in_the_diagram(monkeypatch, model) -> None:
    named(monkeypatch, "Homepage, https://example.invalid")
    for shown in (model, make_pipeline(StandardScaler(), model)):
        html = shown._repr_html_()
        assert f"? Documentation for {type(model).__name__}</summary>" in html
        assert "Parameters\n----------" in html
        assert "random_state : int" in html
        assert 'href="about:blank' not in html
        assert re.search(r"random_state: int.*<br><br>", html), "parameters are described where the mouse is"


@pytest.mark.parametrize("model", every_estimator(), ids=lambda model: type(model).__name__)
def test_the_address_in_the_metadata_gives_links(monkeypatch, model) -> None:
    named(monkeypatch, "Homepage, https://example.invalid", f"Documentation, {ADDRESS}/")
    page = {"Tab": "tabular", "MLPS": "searches"}.get(type(model).__name__[: 4 if "Search" in str(type(model)) else 3])
    link = f"https://docs.example/{{a}}&quot;/{page or 'from-scikit-learn'}.html"
    assert model._get_doc_link() == link
    for shown in (model, make_pipeline(StandardScaler(), model)):
        html = shown._repr_html_()
        assert f'href="{link}">?<span>Documentation for' in html
        assert f'href="{link}#:~:text=verbose,-' in html
        assert "? Documentation for" not in html


def test_an_address_of_another_kind_is_no_link(monkeypatch) -> None:
    named(monkeypatch, "Documentation, javascript:alert(1)")
    assert MLPClassifier()._get_doc_link() == ""
    monkeypatch.setattr(diagram, "metadata", lambda name: (_ for _ in ()).throw(diagram.PackageNotFoundError))
    diagram.documentation_address.cache_clear()
    assert MLPClassifier()._get_doc_link() == ""


def test_every_page_that_would_be_linked_exists() -> None:
    from pathlib import Path

    docs = Path(__file__).parents[2] / "docs"
    for model in every_estimator():
        assert (docs / f"{model.documentation_page}.md").is_file()


def test_the_state_of_a_fit_is_shown(fitted) -> None:
    tabular, mlp, logistic, perceptron, search = (model.fitted_state() for model in fitted)
    for state in (tabular, mlp, logistic, perceptron, search):
        assert state["classes"] == "<b>setosa</b>, versicolor, virginica"
        assert float(state["seconds"]) > 0
    assert tabular["epochs"] == mlp["epochs"] == "2"
    name, (own, guess) = next(iter(fitted[0].scores_.items()))
    assert tabular["score"].startswith(f"{name} {own:.4f} on rows not seen in training; always ")
    assert tabular["score"].endswith(f"{guess:.4f}")
    assert mlp["score"] == f"{fitted[1].best_validation_score_:.4f} on validation rows"
    assert logistic["iterations"] == f"{np.max(fitted[2].n_iter_)}"
    assert perceptron["epochs"] == f"{fitted[3].n_iter_}"
    assert search["score"] == f"{fitted[4].best_score_:.4f} on rows not seen in training"
    assert search["candidates"] == "2"
    for model in fitted:
        for shown in (model, make_pipeline(model)):
            html = shown._repr_html_()
            assert "&lt;b&gt;setosa&lt;/b&gt;, versicolor, virginica</td>" in html
            assert "<b>setosa" not in html
            assert "<summary>Fitted attributes</summary>" in html


def test_what_takes_long_is_not_computed_for_a_picture(fitted) -> None:
    model = Perceptron().fit(X, Y)
    assert "mistakes_" not in re.findall(r">\s*(\w+_)\s*<", model._repr_html_())
    assert model.counted_mistakes is None


def test_a_search_shows_its_best_estimator(fitted) -> None:
    assert "best_estimator_: MLPClassifier" in fitted[-1]._repr_html_()
    assert "estimator: MLPClassifier" in MLPSearchCV()._repr_html_()


@pytest.mark.parametrize("model", every_estimator(), ids=lambda model: type(model).__name__)
def test_no_state_of_an_estimator_raises(model) -> None:
    cls = type(model)
    empty = cls.__new__(cls)
    part = clone(model)
    del part.__dict__["verbose"]  # as an earlier version might have pickled it
    odd = clone(model)
    odd.__dict__.update(classes_=3, n_iter_="x", scores_={}, fit_time_=None, ensemble_=None, history_=object())
    odd.__dict__.update(_network=None, best_estimator_=None, cv_results_=None)
    for one in (model, clone(model), copy.deepcopy(model), empty, part, odd):
        assert repr(one).startswith(cls.__name__)
        for html in (one._repr_html_(), estimator_html_repr(one), make_pipeline(one)._repr_html_()):
            assert cls.__name__ in html
        assert set(one._repr_mimebundle_()) == {"text/plain", "text/html"}
    assert empty.get_params() == cls().get_params()


def test_a_failed_fit_keeps_the_time_of_the_one_before() -> None:
    model = LogisticRegression(max_iter=1000).fit(X, Y)
    seconds = model.fit_time_
    assert 0 < seconds < 10
    with pytest.raises(ValueError, match="NaN"):
        model.fit(X * np.nan, Y)
    assert model.fit_time_ == seconds


def test_a_model_from_a_file_or_a_pickle_is_shown(tmp_path, fitted) -> None:
    for model in fitted[:4]:
        rosenblatt.save(model, tmp_path / "m")
        loaded = rosenblatt.load(tmp_path / "m")
        assert "seconds" not in loaded.fitted_state(), "files do not hold times"
        for twin in (loaded, pickle.loads(pickle.dumps(model))):
            assert twin.fitted_state()["classes"] == model.fitted_state()["classes"]
            assert "<summary>Fit</summary>" in twin._repr_html_()
