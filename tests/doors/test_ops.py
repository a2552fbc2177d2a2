"""Functions of ops at the doors that take them: a mistake in one is named wherever it is given."""

import numpy as np
import pytest

from rosenblatt import LogisticRegression, MLPClassifier, MLPRegressor, nn
from rosenblatt.training import gradient_statistics

RNG = np.random.default_rng(0)
X = RNG.normal(size=(30, 3)).astype(np.float32)
Y = X[:, 0]
SMALL = {"hidden_layer_sizes": (4,), "max_iter": 2, "random_state": 0}


def network(activation="tanh", layer=None):
    h = nn.Dense(4, activation)(nn.input(3))
    return nn.Network(nn.Dense(1)(h if layer is None else layer(h)), seed=0)


LOSS_DOORS = {
    "regressor": lambda loss: MLPRegressor(loss=loss, **SMALL).fit(X, Y),
    "classifier": lambda loss: MLPClassifier(loss=loss, **SMALL).fit(X, Y > 0),
    "network": lambda loss: network().fit(X, Y, loss=loss, epochs=1),
    "statistics": lambda loss: gradient_statistics(network(), loss, X, Y),
}
ACTIVATION_DOORS = {
    "regressor": lambda f: MLPRegressor(activation=f, **SMALL).fit(X, Y),
    "classifier": lambda f: MLPClassifier(activation=f, **SMALL).fit(X, Y > 0),
    "network": lambda f: network(f).fit(X, Y, epochs=1),
    "layer by itself": lambda f: network(layer=nn.Activate(f)).fit(X, Y, epochs=1),
    "function as layer": lambda f: network(layer=nn.Apply(f)).fit(X, Y, epochs=1),
}
MISTAKES = {
    "unknown op": (lambda b, x, *t: b.men(x), AttributeError, r"no op is called 'men'\. Did you mean 'mean'\?"),
    "a Python branch": (lambda b, x, *t: x if x > 0 else -x, TypeError, r"neither true nor false.*b\.where"),
    "equality as a mask": (lambda b, x, *t: b.where(x == 0, 1.0, x), ValueError, r"an operand is False.*b\.equal"),
    "an array": (lambda b, x, *t: x * np.ones(4), TypeError, r"meets an array of shape \(4,\)"),
    "rows": (lambda b, x, *t: x[0], IndexError, "rows of the batch, which cannot be cut"),
    "another shape": (lambda b, x, *t: x.mean(), ValueError, r"gave f(32|64)\[\]"),
    "a number": (lambda b, x, *t: 3.0, ValueError, "gave 3.0, no value of the builder"),
    "rows as a number": (lambda b, x, *t: x / x.shape[0], ValueError, "number of rows, m, is used as a number"),
    "rows as a number for NumPy": (lambda b, x, *t: x * np.prod(x.shape), ValueError, "number of rows, m, is used"),
    "rows as an operand": (lambda b, x, *t: b.mul(x, x.shape[0]), ValueError, "number of rows, m, is used"),
    "rows compared": (lambda b, x, *t: x if x.shape[0] > 1 else -x, ValueError, "number of rows, m, is used"),
    "a function of NumPy": (lambda b, x, *t: np.log(x), TypeError, r"NumPy cannot apply log to .*Write b\.log"),
    "a method of arrays": (lambda b, x, *t: x.sqrt(), AttributeError, r"values have no 'sqrt'\. Write b\.sqrt"),
    "random numbers": (lambda b, x, *t: x * RNG.uniform(), ValueError, "gives other ops than before"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("door", LOSS_DOORS)
def test_mistakes_in_a_loss_are_named(door, mistake):
    function, error, message = MISTAKES[mistake]
    with pytest.raises(error, match=f"(?s){message}"):
        LOSS_DOORS[door](function)


@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("door", ACTIVATION_DOORS)
def test_mistakes_in_an_activation_or_a_layer_are_named(door, mistake):
    function, error, message = MISTAKES[mistake]
    with pytest.raises(error, match=f"(?s){message}"):
        ACTIVATION_DOORS[door](function)


LEARNED = {
    "no mapping": ([("w", (3,))], TypeError, r"learned of Apply is \[.*write \{\"scale\""),
    "a name that is none": ({"my w": ((3,), "zeros")}, ValueError, "a name in learned of Apply is 'my w'; it must be"),
    "a number as name": ({3: ((3,), "zeros")}, ValueError, "a name in learned of Apply is 3"),
    "a shape alone": ({"w": (3,)}, ValueError, r"learned\['w'\] of Apply is \(3,\); give a shape and an initializer"),
    "a size alone": ({"w": (3, "zeros")}, ValueError, "give a shape and an initializer"),
    "no axes": ({"w": ((), "zeros")}, ValueError, r"has the shape \(\); 1 to 4 axes"),
    "too many axes": ({"w": ((1,) * 5, "zeros")}, ValueError, "1 to 4 axes"),
    "no elements": ({"w": ((0,), "zeros")}, ValueError, r"a size in learned\['w'\] of Apply.*0"),
    "half an element": ({"w": ((2.5,), "zeros")}, (ValueError, TypeError), r"a size in learned\['w'\] of Apply.*2\.5"),
    "an unknown initializer": ({"w": ((3,), "he_norml")}, ValueError, "did you mean 'he_normal'"),
}  # fmt: skip


@pytest.mark.parametrize("case", LEARNED)
def test_learned_arrays_are_checked_where_they_are_given(case):
    learned, error, message = LEARNED[case]
    with pytest.raises(error, match=f"(?s){message}"):
        nn.Apply(lambda b, x, w: x * w, learned=learned)


@pytest.mark.parametrize("units", [0, -1, 2.5, "3"])
def test_units_of_a_function_are_a_count(units):
    with pytest.raises((ValueError, TypeError), match="units"):
        nn.Apply(lambda b, x: x, units)


def test_learned_arrays_that_do_not_fit_the_inputs_are_named():
    with pytest.raises(ValueError, match=r"shapes \[m, 4\], \[5\] do not broadcast"):
        network(layer=nn.Apply(lambda b, x, w: x * w, learned={"w": ((5,), "zeros")})).predict(X)


def test_logistic_regression_takes_no_loss():
    with pytest.raises(TypeError, match="no parameter 'loss'"):
        LogisticRegression(loss=lambda b, p, t: p - t)


NO_SLOPE = {
    "a comparison": lambda b, p, t: p > t,
    "a sign": lambda b, p, t: b.sign(p - t),
    "the targets alone": lambda b, p, t: t * t,
}


@pytest.mark.parametrize("case", NO_SLOPE)
@pytest.mark.parametrize("door", LOSS_DOORS)
def test_a_loss_that_teaches_nothing_is_refused(door, case):
    with pytest.raises(ValueError, match="cannot learn by gradient descent: it has no slope"):
        LOSS_DOORS[door](NO_SLOPE[case])


def test_other_things_that_teach_nothing_are_refused():
    with pytest.raises(
        ValueError, match=r"'dense': the activation .* cannot learn by gradient descent: it has no slope"
    ):
        network(lambda b, x: x > 0).fit(X, Y)
    with pytest.raises(ValueError, match="head_weights are 0 for all heads"):
        network().fit(X, Y, head_weights={"prediction": 0})
    network(lambda b, x: x > 0).freeze("dense").fit(X, Y, epochs=1)


@pytest.mark.parametrize("door", LOSS_DOORS)
def test_a_loss_of_each_row_with_each_is_refused(door):
    with pytest.raises(ValueError, match=r"gave f(32|64)\[m, m\], each row with each"):
        LOSS_DOORS[door](lambda b, p, t: (p[:, 0] - t) ** 2)


def test_a_network_holds_its_functions_to_what_they_did():
    factor = [1.0]
    model = network(lambda b, x: x * factor[0])
    model.fit(X, Y, epochs=1)
    factor[0] = 5.0
    for use in (lambda: model.fit(X, Y, epochs=1), lambda: model.input_gradients(X)):
        with pytest.raises(ValueError, match=r"activation of layer 'dense'.* gives other ops than before"):
            use()
    factor[0] = 1.0
    model.fit(X, Y, epochs=1)


@pytest.mark.parametrize("door", ["regressor", "network"])
def test_a_loss_that_is_nan_by_its_formula_is_doubted_before_the_learning_rate(door):
    with pytest.raises(ValueError, match="is your own: it, or its slope, may be NaN"):
        LOSS_DOORS[door](lambda b, p, t: b.log(p - 100))


@pytest.mark.parametrize(("loss", "n"), [("gaussian_nll", 2), (nn.Quantile((0.1, 0.5, 0.9)), 3)])
def test_a_loss_of_several_outputs_says_how_many(loss, n):
    with pytest.raises(ValueError, match=rf"needs {n} outputs for each target.*'prediction' has 1, .*Dense\({n}\)"):
        network().fit(X, Y, loss=loss)


def test_a_vector_may_be_called_weights():
    layer = nn.Apply(lambda b, x, w: x * w, learned={"weights": ((4,), "zeros")})
    assert network(layer=layer)["apply.weights"].shape == (4,)


NODES = {
    "a layer as network": (lambda h: nn.Network(nn.Dense(3)), r"made of Dense\(.*the node that results"),
    "a layer of data": (lambda h: nn.Dense(3)(X), r"is applied to ndarray of shape \(30, 3\); it takes nodes"),
    "a difference of nodes": (lambda h: h - h, r"nodes take \+ and \* with nodes.*nn\.Apply"),
    "a multiple of a node": (lambda h: 2 * h, r"nn\.Apply"),
    "a node and a number": (lambda h: h + 1, r"nn\.Apply"),
    "a misspelled layer": (lambda h: nn.Network(h).truncate_at("hiden"), "Did you mean 'hidden'"),
    "a misspelled pattern": (lambda h: nn.Network(h).freeze("hiden"), "Did you mean 'hidden'"),
    "a misspelled parameter": (lambda h: nn.Network(h)["hidden.weight"], r"Did you mean 'hidden\.weights'"),
}


@pytest.mark.parametrize("case", NODES)
def test_mistakes_with_nodes_are_named(case):
    call, message = NODES[case]
    with pytest.raises((TypeError, ValueError, KeyError), match=message):
        call(nn.Dense(3, name="hidden")(nn.input(3)))
