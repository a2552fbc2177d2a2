"""Scores of tables that hold the target in a column; the oracle is the target as an array, and scikit-learn."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, r2_score

from rosenblatt import TabularClassifier, TabularRegressor

pytest.importorskip("pyarrow")

SMALL = {"members": 1, "max_iter": 2, "hidden_layer_sizes": (4,), "batch_size": 64}
N = 600


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    number = rng.normal(size=N)
    frame = pd.DataFrame({"number": number, "other": rng.normal(size=N), "weight": rng.integers(1, 5, N)})
    noisy = number + 0.5 * rng.normal(size=N)
    frame["class"] = np.where(noisy > 0.3, "07", np.where(noisy > -0.5, "1", "2"))
    frame["amount"], frame["second"] = noisy * 2 + 1, noisy**2
    return frame


@pytest.fixture(params=["frame", "parquet", "csv", "folder beyond the window"])
def source(request, data, tmp_path):
    if request.param == "frame":
        return data, 2**20
    if request.param == "parquet":
        data.to_parquet(tmp_path / "rows.parquet")
        return tmp_path / "rows.parquet", 2**20
    if request.param == "csv":
        data.to_csv(tmp_path / "rows.csv", index=False)
        return tmp_path / "rows.csv", 2**20
    (tmp_path / "parts").mkdir()
    for place in range(3):
        data[place * 200 : (place + 1) * 200].to_parquet(tmp_path / "parts" / f"{place}.parquet")
    return tmp_path / "parts", 200


@pytest.fixture(scope="module")
def classifier(data):
    return TabularClassifier(**SMALL, ignore=["amount", "second"]).fit(data, "class", sample_weight="weight")


@pytest.fixture(scope="module")
def regressor(data):
    model = TabularRegressor(**SMALL, ignore=["class"])
    return model.fit(data.drop(columns="second"), "amount", sample_weight="weight")


def test_names_of_classes_and_weights_score_like_arrays(classifier, data, source):
    rows, window = source
    classifier.set_params(window=window)
    predicted = classifier.predict(data)
    assert classifier.score(rows, "class") == accuracy_score(data["class"], predicted)
    expected = accuracy_score(data["class"], predicted, sample_weight=data["weight"])
    assert classifier.score(rows, "class", sample_weight="weight") == pytest.approx(expected, rel=1e-12)
    assert classifier.score(rows, data["class"], sample_weight="weight") == pytest.approx(expected, rel=1e-12)


def test_names_of_numbers_and_weights_score_like_arrays(regressor, data, source):
    rows, window = source
    regressor.set_params(window=window)
    predicted = regressor.predict(data)
    assert regressor.score(rows, "amount") == pytest.approx(r2_score(data["amount"], predicted), rel=1e-12)
    expected = r2_score(data["amount"], predicted, sample_weight=data["weight"])
    assert regressor.score(rows, "amount", sample_weight="weight") == pytest.approx(expected, rel=1e-12)
    assert regressor.score(rows, data["amount"], sample_weight="weight") == pytest.approx(expected, rel=1e-12)


def test_several_names_score_like_an_array_of_several_columns(data):
    names = ["amount", "second"]
    model = TabularRegressor(**SMALL, ignore=["class"]).fit(data, names)
    assert model.score(data, names) == pytest.approx(r2_score(data[names], model.predict(data)), rel=1e-12)


def test_a_class_that_training_did_not_see_is_a_miss_as_in_an_array(classifier, data):
    other = data.assign(**{"class": data["class"].where(np.arange(N) > 300, "unseen")})
    assert classifier.score(other, "class") == classifier.score(other, other["class"]) < 0.6


def test_numbers_as_classes_are_found_by_name(data, tmp_path):
    data = data.assign(**{"class": (data["amount"] > 1).astype(int) + 5})
    data.to_csv(tmp_path / "rows.csv", index=False)
    model = TabularClassifier(**SMALL, ignore=["amount", "second", "weight"]).fit(data, "class")
    assert model.score(tmp_path / "rows.csv", "class") == accuracy_score(data["class"], model.predict(data))


def test_another_number_of_targets_than_rows_is_refused(classifier, regressor, data):
    for model, name in ((classifier, "class"), (regressor, "amount")):
        with pytest.raises(ValueError, match="X has 600 rows, y has 599: each row needs a target"):
            model.score(data, data[name][1:])


def test_wrong_names_are_refused(classifier, regressor, data):
    with pytest.raises(ValueError, match=r"no column 'clas'.*class"):
        classifier.score(data, "clas")
    with pytest.raises(ValueError, match="y names 'number', which is one of the columns that the model predicts from"):
        regressor.score(data, "number")
    with pytest.raises(ValueError, match="'wait'"):
        regressor.score(data, "amount", sample_weight="wait")
    with pytest.raises(TypeError, match="columns have no names"):
        regressor.score(data[["number"]].to_numpy(), "amount")
