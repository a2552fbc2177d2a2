"""Layers that compare the rows of a batch never see a batch of one row."""

import numpy as np
import pytest

from rosenblatt import MLPClassifier, nn
from rosenblatt.training import Trainer

RNG = np.random.default_rng(0)
X = RNG.normal(size=(33, 4)).astype(np.float32)
Y = (X[:, 0] > 0).astype(np.int32)


def network(layer=nn.BatchNorm):
    return nn.Network(nn.Dense(2)(layer(name="norm")(nn.Dense(4, "relu")(nn.input(4)))), output="softmax")


ONE_ROW = r"layer 'norm' \(BatchNorm\) compares the rows of a batch, .* batch_size of 2 or more"


@pytest.mark.parametrize(("rows", "batch_size"), [(33, 1), (1, 32)])
def test_a_batch_of_one_row_is_refused(rows, batch_size):
    trained = network()
    before = trained.block.copy()
    with pytest.raises(ValueError, match=ONE_ROW):
        trained.fit(X[:rows], Y[:rows], batch_size=batch_size)
    assert np.array_equal(trained.block, before)
    network(nn.LayerNorm).fit(X[:rows], Y[:rows], batch_size=batch_size, epochs=1)
    frozen = network()
    frozen.freeze("norm")
    frozen.fit(X[:rows], Y[:rows], batch_size=batch_size, epochs=1)


def test_a_last_batch_of_one_row_is_left_out():
    """As if the last row of the order had not been there; without such a layer it is used."""
    orders = RNG.permutation(33)[None, :]
    for layer, same in ((nn.BatchNorm, True), (nn.LayerNorm, False)):
        blocks = []
        for used in (orders, orders[:, :32]):
            trained = network(layer)
            trainer = Trainer(trained, "softmax_cross_entropy", nn.Adam(), batch_size=16)
            trainer.set_data(X, Y)
            trainer.epochs(1, 1e-2, used)
            assert trainer.step_count == (2 if same or used is not orders else 3)
            assert trainer.position == (0, 0.0)
            blocks.append(trained.block.copy())
        assert np.array_equal(*blocks) is same


def test_running_statistics_survive_a_rest_of_one_row():
    trained = network()
    trained.fit(X, Y, batch_size=16, epochs=100, learning_rate=1e-6)
    hidden = trained.values_before("norm", X)
    np.testing.assert_allclose(trained["norm.variance"], hidden.var(axis=0, ddof=1), rtol=0.5)


def test_one_row_is_no_part_of_a_fit():
    model = MLPClassifier((4,), normalization="batch", random_state=0).partial_fit(X, Y, classes=[0, 1])
    before = model.predict_proba(X)
    with pytest.raises(ValueError, match=r"'hidden1_norm'.*compares the rows"):
        model.partial_fit(X[:1], Y[:1])
    assert np.array_equal(model.predict_proba(X), before)
