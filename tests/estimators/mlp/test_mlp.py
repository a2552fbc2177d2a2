"""MLPClassifier and MLPRegressor beyond scikit-learn's own tests: views, stopping, new arguments, errors."""

import os
import pickle
import signal
import threading
import time

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.datasets import load_diabetes, load_iris, load_wine, make_multilabel_classification
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import PoissonRegressor
from sklearn.preprocessing import StandardScaler, scale
from sklearn.utils._param_validation import InvalidParameterError

from rosenblatt.estimators import DivergenceError, MLPClassifier, MLPRegressor
from rosenblatt.estimators.sgd import ShuffledRows, shuffle_in_place
from rosenblatt.training import Trainer
from rosenblatt.training.loop import TrainingLoop

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(scope="module")
def wine():
    X, y = load_wine(return_X_y=True)
    return StandardScaler().fit_transform(X), y


@pytest.fixture(scope="module")
def diabetes():
    X, y = load_diabetes(return_X_y=True)
    return scale(X), y


@pytest.fixture
def model(wine):
    return MLPClassifier((6, 4), random_state=0, max_iter=20).fit(*wine)


def numpy_forward(model, X):
    h = X
    for W, b in zip(model.coefs_[:-1], model.intercepts_[:-1], strict=True):
        h = np.maximum(h @ W + b, 0)
    z = h @ model.coefs_[-1] + model.intercepts_[-1]
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


class TestParameters:
    def test_predict_proba_is_the_networks_formula(self, model, wine):
        np.testing.assert_allclose(model.predict_proba(wine[0]), numpy_forward(model, wine[0]), rtol=1e-12)

    def test_shapes(self, model):
        assert [w.shape for w in model.coefs_] == [(13, 6), (6, 4), (4, 3)]
        assert [b.shape for b in model.intercepts_] == [(6,), (4,), (3,)]

    def test_predict_sees_writes(self, model, wine):
        model.coefs_[0][2, 1] += 1.0
        model.intercepts_[-1][:] = [0.0, 5.0, -1.0]
        np.testing.assert_allclose(model.predict_proba(wine[0]), numpy_forward(model, wine[0]), rtol=1e-12)
        assert model.intercepts_[-1].tolist() == [0.0, 5.0, -1.0]

    def test_predict_sees_item_assignment(self, model, wine):
        model.coefs_[1] = np.full((6, 4), 0.25)
        model.intercepts_[:] = [np.zeros(6), np.ones(4), np.zeros(3)]
        assert (model.coefs_[1] == 0.25).all()
        assert (model.intercepts_[1] == 1).all()
        np.testing.assert_allclose(model.predict_proba(wine[0]), numpy_forward(model, wine[0]), rtol=1e-12)

    def test_predict_sees_attribute_assignment(self, model, wine):
        model.coefs_ = [w * 0.5 for w in model.coefs_]
        np.testing.assert_allclose(model.predict_proba(wine[0]), numpy_forward(model, wine[0]), rtol=1e-12)

    def test_another_architecture_can_be_assigned(self, model, wine):
        rng = np.random.default_rng(0)
        model.coefs_ = [rng.normal(size=(13, 2)), rng.normal(size=(2, 3))]
        model.intercepts_ = [rng.normal(size=2), rng.normal(size=3)]
        np.testing.assert_allclose(model.predict_proba(wine[0]), numpy_forward(model, wine[0]), rtol=1e-12)

    def test_shapes_that_do_not_fit_are_refused(self, model, wine):
        with pytest.raises(ValueError, match=r"shape \(2,\) was assigned to parameters of shape \(6,\)"):
            model.intercepts_[0] = np.zeros(2)
        with pytest.raises(ValueError, match="2 arrays were assigned to 3 layers"):
            model.coefs_[:] = [np.zeros((13, 6)), np.zeros((6, 4))]
        model.coefs_ = [np.zeros((13, 5)), np.zeros((6, 4)), np.zeros((4, 3))]
        with pytest.raises(ValueError, match="do not make a network"):
            model.predict(wine[0])

    def test_absent_before_fit(self):
        assert not hasattr(MLPClassifier(), "coefs_")
        with pytest.raises(NotFittedError):
            MLPClassifier().predict([[0.0]])

    def test_views_stay_live_during_partial_fit(self, wine):
        model = MLPClassifier((5,), random_state=0).partial_fit(*wine, classes=[0, 1, 2])
        view = model.coefs_[0]
        before = view.copy()
        model.partial_fit(*wine)
        assert (view != before).any()
        assert np.shares_memory(view, model.coefs_[0])


class TestPickling:
    def test_round_trip(self, model, wine):
        again = pickle.loads(pickle.dumps(model))
        np.testing.assert_array_equal(again.predict_proba(wine[0]), model.predict_proba(wine[0]))
        assert again.loss_curve_ == model.loss_curve_
        again.coefs_[0][:] = 0
        np.testing.assert_allclose(again.predict_proba(wine[0]), numpy_forward(again, wine[0]), rtol=1e-12)

    def test_lean(self, wine):
        X = np.repeat(wine[0], 50, axis=0)
        model = MLPClassifier((6,), max_iter=2, early_stopping=True).fit(X, np.repeat(wine[1], 50))
        assert len(pickle.dumps(model)) < 8 * 200 + 6000
        assert len(pickle.dumps(model)) < X.nbytes / 50

    def test_other_version_is_named(self, model, monkeypatch):
        state = model.__getstate__()
        assert state["_rosenblatt_version"]
        with pytest.warns(UserWarning, match=r"pickled by rosenblatt 0\.0\.0"):
            MLPClassifier().__setstate__({**state, "_rosenblatt_version": "0.0.0"})

    def test_no_reference_to_the_training_data(self, wine):
        import gc
        import weakref

        class Rows(np.ndarray):
            pass

        X = np.array(wine[0]).view(Rows)
        alive = weakref.ref(X)
        model = MLPClassifier((3,), max_iter=2).fit(X, wine[1])
        del X
        gc.collect()
        assert alive() is None
        assert model.predict(wine[0]).shape == wine[1].shape


class TestDtype:
    @pytest.mark.parametrize("given", [np.float32, np.float64, np.int32])
    def test_follows_x(self, wine, given):
        model = MLPClassifier((3,), max_iter=2).fit(wine[0].astype(given), wine[1])
        assert model.coefs_[0].dtype == (np.float32 if given is np.float32 else np.float64)

    @pytest.mark.parametrize("dtype", ["float32", np.float32, np.dtype("float32")])
    def test_override(self, wine, dtype):
        model = MLPClassifier((3,), max_iter=2, dtype=dtype).fit(*wine)
        assert model.coefs_[0].dtype == np.float32
        assert model.predict_proba(wine[0]).dtype == np.float32

    def test_lbfgs_in_float32(self, diabetes):
        X, y = diabetes[0], scale(diabetes[1])
        wide = MLPRegressor(hidden_layer_sizes=(4,), solver="lbfgs", max_iter=30, random_state=0).fit(X, y)
        narrow = MLPRegressor(hidden_layer_sizes=(4,), solver="lbfgs", max_iter=30, random_state=0).fit(
            X.astype(np.float32), y
        )
        assert narrow.coefs_[0].dtype == np.float32
        np.testing.assert_allclose(narrow.loss_, wide.loss_, rtol=1e-3)

    def test_x_is_not_copied(self, wine, monkeypatch):
        seen = []
        original = Trainer.set_data
        monkeypatch.setattr(Trainer, "set_data", lambda self, X, *a: (seen.append(X), original(self, X, *a))[1])
        for X in (wine[0], wine[0].astype(np.float32), np.asfortranarray(wine[0])):
            for settings in ({}, {"early_stopping": True}, {"solver": "lbfgs"}):
                seen.clear()
                MLPClassifier((3,), max_iter=2, **settings).fit(X, wine[1])
                assert np.shares_memory(seen[0], X)


class TestInterrupt:
    @pytest.mark.parametrize("solver", ["sgd", "adam"])
    def test_keeps_the_network(self, wine, monkeypatch, solver):
        original = Trainer.epochs

        def epochs(self, n_epochs, learning_rate, orders, **how):
            assert n_epochs > 3
            self.whole_epochs = original(self, 3, learning_rate, orders[:3])
            raise KeyboardInterrupt

        monkeypatch.setattr(Trainer, "epochs", epochs)
        model = MLPClassifier((3,), solver=solver, random_state=0)
        with pytest.warns(UserWarning, match="interrupted by user in epoch 4"):
            model.fit(*wine)
        assert model.n_iter_ == 3
        assert len(model.loss_curve_) == 3
        monkeypatch.undo()
        expected = MLPClassifier((3,), solver=solver, random_state=0, max_iter=3).fit(*wine)
        np.testing.assert_array_equal(model.coefs_[0], expected.coefs_[0])

    @pytest.mark.parametrize("early_stopping", [False, True])
    @pytest.mark.parametrize("place", [(ShuffledRows, "draw"), (TrainingLoop, "end_epoch")])
    def test_between_native_calls(self, wine, monkeypatch, place, early_stopping):
        model = MLPClassifier((3,), random_state=0, early_stopping=early_stopping)
        calls, original = [], getattr(*place)

        def interrupt(self, *arguments, **how):
            calls.append(1)
            if len(calls) == 3:
                raise KeyboardInterrupt
            return original(self, *arguments, **how)

        monkeypatch.setattr(*place, interrupt)
        with pytest.warns(UserWarning, match="interrupted by user"):
            model.fit(*wine)
        assert model.n_iter_ == len(model.loss_curve_) == len(set(model.loss_curve_))
        if not early_stopping:  # whole calls of 11 epochs; the epoch whose end was interrupted is lost from the history
            assert model.n_iter_ == (22 if place[1] == "draw" else 10)

    def test_lbfgs(self, wine, monkeypatch):
        calls = []
        original = Trainer.loss_and_gradient

        def loss_and_gradient(self):
            calls.append(1)
            if len(calls) == 9:
                raise KeyboardInterrupt
            return original(self)

        monkeypatch.setattr(Trainer, "loss_and_gradient", loss_and_gradient)
        with pytest.warns(UserWarning, match="interrupted by user after"):
            model = MLPClassifier((3,), solver="lbfgs", random_state=0).fit(*wine)
        assert 0 < model.n_iter_ < 9
        assert np.isfinite(model.loss_)

    def test_signal(self):
        X = np.random.default_rng(0).normal(size=(20000, 50))
        y = (X[:, 0] > 0).astype(int)
        timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
        model = MLPClassifier((200, 200), max_iter=100000, n_iter_no_change=np.inf)
        begin = time.perf_counter()
        timer.start()
        with pytest.warns(UserWarning, match="interrupted by user"):
            model.fit(X, y)
        assert time.perf_counter() - begin < 30  # far from the end of training; no statement about speed
        assert model.predict(X[:10]).shape == (10,)


class TestShuffle:
    @pytest.mark.parametrize("n", [1, 2, 3, 64, 65, 1000, 70000])
    def test_is_numpys(self, n):
        ours, theirs = np.arange(n), np.arange(n)
        rng, expected = np.random.RandomState(n), np.random.RandomState(n)
        for _ in range(3):
            shuffle_in_place(ours, rng)
            expected.shuffle(theirs)
        np.testing.assert_array_equal(ours, theirs)
        assert rng.randint(1 << 30) == expected.randint(1 << 30)


class TestDivergence:
    ADVICE = "smaller learning_rate_init"

    def test_fresh_fit_leaves_no_model(self, diabetes):
        model = MLPRegressor(hidden_layer_sizes=(5,), solver="sgd", learning_rate_init=1e3, random_state=0)
        with pytest.raises(DivergenceError, match=self.ADVICE):
            model.fit(*diabetes)
        assert not hasattr(model, "coefs_")
        assert not hasattr(model, "loss_curve_")

    def test_stops_at_once(self, diabetes, monkeypatch):
        losses = []
        original = Trainer.epochs
        monkeypatch.setattr(Trainer, "epochs", lambda *a, **k: losses.extend(found := original(*a, **k)) or found)
        with pytest.raises(ValueError, match="Solver produced non-finite parameter weights"):
            MLPRegressor(hidden_layer_sizes=(5,), solver="sgd", learning_rate_init=1e3, max_iter=1000).fit(*diabetes)
        assert 0 < len(losses) < 20
        assert np.isfinite(losses).tolist() == [True] * (len(losses) - 1) + [False]

    @pytest.mark.parametrize("incremental", [False, True])
    def test_earlier_model_survives(self, diabetes, incremental):
        X, y = diabetes[0], scale(diabetes[1])
        model = MLPRegressor(hidden_layer_sizes=(5,), solver="sgd", warm_start=True, max_iter=5, random_state=0).fit(
            X, y
        )
        before, curve = model.predict(X), list(model.loss_curve_)
        with pytest.raises(DivergenceError):
            model.partial_fit(X, y * 1e200) if incremental else model.fit(X, y * 1e200)
        np.testing.assert_array_equal(model.predict(X), before)
        assert model.loss_curve_ == curve
        model.partial_fit(X, y)
        assert np.isfinite(model.loss_)

    def test_best_weights_with_a_validation_set(self, diabetes):
        model = MLPRegressor(
            hidden_layer_sizes=(100,),
            activation="identity",
            solver="sgd",
            learning_rate_init=0.05,
            early_stopping=True,
            random_state=0,
        )
        with pytest.warns(ConvergenceWarning, match="diverged"):
            model.fit(*diabetes)
        assert np.isnan(model.validation_scores_[-1])
        assert np.isfinite(model.predict(diabetes[0])).all()

    def test_lbfgs(self):
        with pytest.raises(DivergenceError):
            MLPRegressor(hidden_layer_sizes=(3,), solver="lbfgs", random_state=0).fit(
                np.full((4, 2), 1e300), [1.0, 2.0, 3.0, 1e300]
            )


class TestValidationSet:
    def test_is_used_and_turns_early_stopping_on(self, wine):
        X, y = wine
        model = MLPClassifier((5,), random_state=0, max_iter=30)
        model.fit(X[::2], y[::2], X_val=X[1::2], y_val=y[1::2])
        assert len(model.validation_scores_) == model.n_iter_
        assert model.t_ == model.n_iter_ * len(y[::2])  # no rows were set aside
        assert model.best_validation_score_ == max(model.validation_scores_)
        assert model.best_loss_ is None
        assert model.score(X[1::2], y[1::2]) == model.best_validation_score_

    def test_regressor(self, diabetes):
        X, y = diabetes[0], scale(diabetes[1])
        model = MLPRegressor(hidden_layer_sizes=(5,), random_state=0, max_iter=30).fit(
            X[50:], y[50:], X_val=X[:50], y_val=y[:50]
        )
        assert model.score(X[:50], y[:50]) == pytest.approx(model.best_validation_score_)

    def test_multilabel(self):
        X, y = make_multilabel_classification(n_samples=60, random_state=0)
        model = MLPClassifier((5,), random_state=0, max_iter=30).fit(X[20:], y[20:], X_val=X[:20], y_val=y[:20])
        assert model.score(X[:20], y[:20]) == pytest.approx(model.best_validation_score_)

    def test_errors(self, wine):
        X, y = wine
        with pytest.raises(ValueError, match="X_val and y_val belong together"):
            MLPClassifier().fit(X, y, X_val=X)
        with pytest.raises(ValueError, match="solver='lbfgs' does not support early stopping"):
            MLPClassifier(solver="lbfgs").fit(X, y, X_val=X, y_val=y)
        with pytest.raises(ValueError, match=r"y_val contains labels that are not in y: \[7\]"):
            MLPClassifier(max_iter=1).fit(X, y, X_val=X[:3], y_val=[0, 7, 1])
        with pytest.raises(ValueError, match="features"):
            MLPClassifier(max_iter=1).fit(X, y, X_val=X[:, :4], y_val=y)


class TestTargetTransform:
    def test_predicts_the_mean_of_a_log_normal(self):
        rng = np.random.default_rng(0)
        X = rng.normal(size=(3000, 2))
        y = np.exp(X[:, 0] + 0.5 + rng.normal(scale=0.8, size=3000))
        model = MLPRegressor(
            hidden_layer_sizes=(), solver="lbfgs", alpha=0, target_transform="log", random_state=0
        ).fit(X, y)
        assert model.smearing_factor_ == pytest.approx([np.exp(0.8**2 / 2)], rel=0.05)
        residuals = np.log(y) - np.log(model.predict(X) / model.smearing_factor_)
        assert model.smearing_factor_ == pytest.approx([np.exp(residuals).mean()], rel=1e-9)
        assert model.predict(X).mean() == pytest.approx(y.mean(), rel=0.05)

    def test_weights_and_several_outputs(self):
        rng = np.random.default_rng(1)
        X, weight = rng.normal(size=(60, 2)), rng.uniform(0.5, 2, 60)
        Y = np.exp(rng.normal(size=(60, 2)))
        model = MLPRegressor(hidden_layer_sizes=(3,), max_iter=5, target_transform="log", random_state=0).fit(
            X, Y, weight
        )
        logs = np.log(model.predict(X) / model.smearing_factor_)
        np.testing.assert_allclose(model.smearing_factor_, np.average(Y / np.exp(logs), axis=0, weights=weight))
        assert model.predict(X).shape == (60, 2)

    def test_errors(self, diabetes):
        X, y = diabetes
        with pytest.raises(ValueError, match=r"needs y > 0, but 2 values are not; the smallest is -1\.0"):
            MLPRegressor(target_transform="log").fit(X[:3], [1.0, 0.0, -1.0])
        with pytest.raises(ValueError, match="leave target_transform=None"):
            MLPRegressor(loss="poisson", target_transform="log").fit(X, y)
        with pytest.raises(ValueError, match="needs all rows at once"):
            MLPRegressor(target_transform="log").partial_fit(X, y)
        with pytest.raises(InvalidParameterError, match="target_transform"):
            MLPRegressor(target_transform="sqrt").fit(X, y)


def sine(b, x):
    return b.sin(x)


def tanh_by_ops(b, x):
    return b.tanh(x)


def half_square(b, prediction, target):
    return b.mul(b.square(b.sub(prediction, target)), 0.5)


def absolute(b, prediction, target):
    return b.abs(b.sub(prediction, target))


class TestCallables:
    @pytest.mark.parametrize("solver", ["adam", "lbfgs"])
    def test_activation_equals_the_named_one(self, wine, solver):
        named = MLPClassifier((5,), "tanh", solver=solver, random_state=0, max_iter=20).fit(*wine)
        built = MLPClassifier((5,), tanh_by_ops, solver=solver, random_state=0, max_iter=20).fit(*wine)
        np.testing.assert_allclose(built.predict_proba(wine[0]), named.predict_proba(wine[0]), rtol=1e-6, atol=1e-9)

    def test_sine_network_learns_a_sine(self):
        X = np.linspace(-3, 3, 200).reshape(-1, 1)
        y = np.sin(2 * X[:, 0])
        model = MLPRegressor(
            hidden_layer_sizes=(20,), activation=sine, solver="lbfgs", alpha=0, max_iter=500, tol=1e-6, random_state=0
        ).fit(X, y)
        assert model.score(X, y) > 0.99
        assert pickle.loads(pickle.dumps(model)).score(X, y) == model.score(X, y)

    def test_loss_equals_the_named_one(self, diabetes):
        X, y = diabetes[0], scale(diabetes[1])
        named = MLPRegressor(hidden_layer_sizes=(5,), random_state=0, max_iter=20).fit(X, y)
        built = MLPRegressor(half_square, (5,), random_state=0, max_iter=20).fit(X, y)
        np.testing.assert_allclose(built.loss_curve_, named.loss_curve_, rtol=1e-9)

    def test_absolute_error_predicts_the_median(self):
        y = np.array([0.0, 0.0, 0.0, 10.0, 100.0])
        X = np.zeros((5, 1))
        model = MLPRegressor(absolute, (), alpha=0, learning_rate_init=0.01, max_iter=1000, tol=0, random_state=0)
        assert abs(model.fit(X, y).predict(X[:1])[0]) < 0.1


class TestTargets:
    @pytest.mark.parametrize("labels", [["a", "b", "c"], [3, 7, 20], [-1.0, 0.0, 2.0]])
    def test_labels_of_any_kind(self, wine, labels):
        y = np.array(labels)[wine[1]]
        model = MLPClassifier((8,), solver="lbfgs", random_state=0).fit(wine[0], y)
        assert model.score(wine[0], y) == 1.0
        assert model.predict(wine[0]).dtype == y.dtype

    def test_sparse_multilabel_target(self):
        X, y = make_multilabel_classification(n_samples=40, random_state=0)
        model = MLPClassifier((5,), solver="lbfgs", random_state=0)
        dense = model.fit(X, y).predict(X)
        sparse = model.fit(X, csr_matrix(y)).predict(X)
        np.testing.assert_array_equal(sparse.toarray(), dense)

    def test_poisson_refuses_negative_targets(self):
        with pytest.raises(ValueError, match=r"loss='poisson' needs y >= 0, but the smallest value is -2"):
            MLPRegressor("poisson").fit([[0.0], [1.0]], [-2, 3])

    def test_poisson_equals_the_linear_model(self, diabetes):
        X, y = diabetes[0], np.floor(diabetes[1] / 40)
        glm = PoissonRegressor(alpha=0, tol=1e-8).fit(X, y)
        ours = MLPRegressor("poisson", (), alpha=0, solver="lbfgs", tol=1e-8, max_iter=1000, random_state=0).fit(X, y)
        np.testing.assert_allclose(ours.predict(X), glm.predict(X), rtol=1e-4)

    def test_no_class_can_be_added_later(self, wine):
        model = MLPClassifier((3,)).partial_fit(wine[0], wine[1], classes=[0, 1, 2])
        with pytest.raises(ValueError, match=r"labels that are not in classes_: \[9\]"):
            model.partial_fit(wine[0][:1], [9])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"activation": "rellu"}, "Did you mean 'relu'"),
        ({"activation": "ReLU"}, "Did you mean 'relu'"),
        ({"solver": "adma"}, "Did you mean 'adam'"),
        ({"learning_rate": "adaptative"}, "Did you mean 'adaptive'"),
        ({"activation": "xyz"}, r"'activation' parameter of MLPClassifier must be .* Got 'xyz' instead\.$"),
        ({"dtype": "float16"}, "dtype.*Did you mean 'float32'|dtype.*Did you mean 'float64'"),
        ({"learning_rate_init": 0}, "learning_rate_init"),
        ({"learning_rate_init": -1.0}, "learning_rate_init"),
        ({"batch_size": 0}, "batch_size"),
        ({"momentum": 1.5}, "momentum"),
        ({"beta_1": 1.0}, "beta_1"),
        ({"hidden_layer_sizes": (3, 0)}, "hidden_layer_sizes must be > 0"),
        ({"hidden_layer_sizes": (3, 2.5)}, "hidden_layer_sizes must be integers"),
        ({"hidden_layer_sizes": -1}, "hidden_layer_sizes"),
    ],
    ids=str,
)
def test_bad_parameters(wine, parameters, message):
    with pytest.raises(ValueError, match=message):
        MLPClassifier(**parameters).fit(*wine)


def test_bad_data(wine):
    X, y = wine
    for weight, message in (([-1.0] * len(y), "at least 0"), ([0.0] * len(y), "zero in all rows")):
        with pytest.raises(ValueError, match=message):
            MLPClassifier().fit(X, y, weight)
    with pytest.raises(ValueError, match="NaN"):
        MLPRegressor().fit(X, np.where(y == 0, np.nan, y))
    with pytest.raises(ValueError, match="contains inf in row"):
        MLPRegressor().fit(np.where(X > 2, np.inf, X), y)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        MLPRegressor().fit(X, y[:-1])
    with pytest.raises(ValueError, match="13 features"):
        MLPClassifier(max_iter=1).fit(X, y).predict(X[:, :5])
    with pytest.raises(ValueError, match="continue one architecture"):
        MLPClassifier((3,), warm_start=True, max_iter=1).fit(X, y).set_params(hidden_layer_sizes=(4,)).fit(X, y)


def test_lbfgs_has_no_partial_fit():
    for model in (MLPClassifier(solver="lbfgs"), MLPRegressor(solver="lbfgs")):
        assert not hasattr(model, "partial_fit")
        with pytest.raises(AttributeError, match="partial_fit"):
            _ = model.partial_fit


def test_predictions_do_not_depend_on_the_other_rows():
    X, y = load_iris(return_X_y=True)
    for dtype in (np.float32, np.float64):
        model = MLPClassifier((30, 7), max_iter=5, random_state=0).fit(X.astype(dtype), y)
        together = model.predict_proba(X.astype(dtype))
        for n in (1, 2, 7, 64):
            apart = np.concatenate([model.predict_proba(X[i : i + n].astype(dtype)) for i in range(0, len(X), n)])
            np.testing.assert_array_equal(apart, together)


def test_dense_and_sparse_calls_mix(wine):
    X, y = wine
    a = MLPClassifier((5,), random_state=0).partial_fit(X, y, classes=[0, 1, 2]).partial_fit(csr_matrix(X), y)
    b = MLPClassifier((5,), random_state=0).partial_fit(X, y, classes=[0, 1, 2]).partial_fit(X, y)
    np.testing.assert_allclose(a.coefs_[0], b.coefs_[0], rtol=1e-9)
    np.testing.assert_allclose(a.predict_proba(X), b.predict_proba(csr_matrix(X)), rtol=1e-9)


def test_weights_can_be_given_without_fit(wine):
    fitted = MLPClassifier((4,), solver="lbfgs", random_state=0).fit(*wine)
    model = MLPRegressor(hidden_layer_sizes=(4,))
    model.coefs_, model.intercepts_, model.out_activation_ = fitted.coefs_, fitted.intercepts_, "identity"
    logits = (
        np.maximum(wine[0] @ fitted.coefs_[0] + fitted.intercepts_[0], 0) @ fitted.coefs_[1] + fitted.intercepts_[1]
    )
    np.testing.assert_allclose(model.predict(wine[0]), logits, rtol=1e-9)


def test_weights_without_an_output_are_refused():
    model = MLPRegressor()
    model.coefs_, model.intercepts_ = [np.zeros((2, 1))], [np.zeros(1)]
    with pytest.raises(NotFittedError, match="out_activation_"):
        model.predict([[0.0, 1.0]])


@pytest.mark.filterwarnings("always")
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_warnings_point_to_the_callers_line(wine, solver):
    with pytest.warns(ConvergenceWarning) as caught:
        MLPClassifier(solver=solver, max_iter=2).fit(*wine)
    assert [w.filename for w in caught] == [__file__]


def test_batches_of_zero_weight_are_harmless(wine):
    weight = np.where(np.arange(len(wine[1])) < 100, 0.0, 1.0)
    model = MLPClassifier((5,), batch_size=10, shuffle=False, max_iter=5, random_state=0).fit(*wine, weight)
    assert np.isfinite(model.loss_curve_).all()


def test_summary_names_every_tensor(model):
    text = model.summary()
    for shape in ("13, 6", "6, 4", "4, 3"):
        assert shape in text


def test_a_single_class_is_always_right_in_validation(wine):
    model = MLPClassifier((3,), early_stopping=True, max_iter=3, random_state=0).fit(wine[0], np.zeros(len(wine[0])))
    assert model.validation_scores_ == [1.0] * 3


def test_one_validation_row_is_too_few_for_r2(diabetes):
    X, y = diabetes
    with pytest.raises(ValueError, match=r"X_val has 1 row, but the R2 score needs at least 2"):
        MLPRegressor().fit(X, y, X_val=X[:1], y_val=y[:1])


@pytest.mark.parametrize("given", [3, None])
def test_a_loss_that_gives_no_value_is_refused(given, diabetes):
    with pytest.raises(ValueError, match=r"the loss gave .*, no value of the builder; it must return one of shape"):
        MLPRegressor(loss=lambda b, p, t: given).fit(*diabetes)
