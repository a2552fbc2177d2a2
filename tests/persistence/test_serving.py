"""Models of named columns predict from tables in files, as tabular estimators do; pipelines are described."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from rosenblatt import LogisticRegression, MLPClassifier, MLPRegressor, TabularClassifier, load, nn, save
from rosenblatt.persistence.serving import describe_steps, table_model
from rosenblatt.storage.container import ModelFileError
from rosenblatt.tables.readers.reading import read_table
from rosenblatt.tables.table import TableError

RNG = np.random.default_rng(0)
FRAME = pd.DataFrame(
    {
        "amount": np.where(RNG.random(40) < 0.2, np.nan, RNG.normal(size=40)),
        "count": RNG.integers(0, 5, 40),
        "code": RNG.choice(["01", "02", "10"], 40),
        "note": RNG.choice(["good value", "bad", "value"], 40),
        "member": RNG.random(40) < 0.5,
    }
)
Y = np.where(RNG.random(40) < 0.5, "no", "yes")
COLUMNS = make_column_transformer(
    (make_pipeline(SimpleImputer(), StandardScaler()), ["amount"]),
    (make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder()), ["code"]),
    (OrdinalEncoder(), ["member", "count"]),
    (CountVectorizer(), "note"),
)
QUICK: dict[str, Any] = {"hidden_layer_sizes": (3,), "max_iter": 2, "random_state": 0}


@pytest.fixture
def table(tmp_path: Any) -> Any:
    FRAME.assign(other=1)[["other", *FRAME.columns[::-1]]].to_csv(tmp_path / "t.csv", index=False)
    return lambda known: read_table(tmp_path / "t.csv", text=known.text_columns, reads=known.names.__contains__)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_pipeline_predicts_from_a_file_what_it_predicts_from_a_frame(table: Any, tmp_path: Any) -> None:
    save(make_pipeline(COLUMNS, MLPClassifier(**QUICK)).fit(FRAME, Y), tmp_path / "m")
    model = load(tmp_path / "m")
    served = table_model(model, "m")
    assert served.preparation_.names == [*FRAME.columns]
    assert served.preparation_.text_columns == {"code", "note"}
    np.testing.assert_array_equal(served.predict_proba(table(served.preparation_)), model.predict_proba(FRAME))
    np.testing.assert_array_equal(served.predict(table(served.preparation_)), model.predict(FRAME))
    assert served.classes_.tolist() == ["no", "yes"]
    assert (served.target_name_, served.id_columns_) == (None, [])
    served.decision_weights_ = np.array([1e-9, 1.0])
    assert {*served.predict(table(served.preparation_))} == {"yes"}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_an_estimator_of_named_columns_and_a_regressor_do_so_too(table: Any) -> None:
    numbers = FRAME[["count", "member"]].astype(float)
    logistic = table_model(LogisticRegression().fit(numbers, Y), "m")
    np.testing.assert_array_equal(logistic.predict(table(logistic.preparation_)), logistic.model.predict(numbers))
    target = TransformedTargetRegressor(MLPRegressor(**QUICK), transformer=StandardScaler()).fit(
        numbers, FRAME["count"]
    )
    served = table_model(target, "m")
    assert not hasattr(served, "predict_proba")
    np.testing.assert_array_equal(served.predict(table(served.preparation_)), target.predict(numbers))


def test_what_cannot_is_refused_by_name(tmp_path: Any) -> None:
    tabular = TabularClassifier(members=1, max_iter=1).fit(FRAME, Y)
    assert table_model(tabular, "m") is tabular
    with pytest.raises(
        ModelFileError, match=r"m: it holds a LogisticRegression that was fitted on columns without names"
    ):
        table_model(LogisticRegression().fit(FRAME[["count"]].to_numpy(float), Y), "m")
    with pytest.raises(ModelFileError, match=r"m: it holds a ColumnTransformer, not a tabular model"):
        table_model(COLUMNS.fit(FRAME), "m")
    with pytest.raises(ModelFileError, match=r"m: it holds a Network, not a tabular model; use rosenblatt.load"):
        table_model(nn.Network(nn.Dense(1)(nn.input(2))), "m")
    served = table_model(LogisticRegression().fit(FRAME[["count"]].astype(float), Y), "m")
    with pytest.raises(TableError, match=r"the table has no column 'count'\. The columns are: 'other'"):
        served.predict(read_table({"other": [1.0]}))


def test_dates_and_missing_texts_become_what_frames_have() -> None:
    served = table_model(LogisticRegression().fit(pd.DataFrame({"d": [0.0, 1], "t": [1.0, 0]}), [0, 1]), "m")
    dates = np.array(["2024-01-31", "NaT"], "datetime64[D]")
    frame = served.frame(read_table({"d": dates, "t": ["a", None]}))
    assert frame["d"].tolist() == [pd.Timestamp("2024-01-31"), pd.NaT]
    assert frame["t"].tolist()[0] == "a"
    assert frame["t"].isna().tolist() == [False, True]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_steps_are_described(tmp_path: Any) -> None:
    model = make_pipeline(COLUMNS, make_union(StandardScaler(with_mean=False), "passthrough"), MLPClassifier(**QUICK))
    lines = [*describe_steps(model.fit(FRAME, Y))]
    assert lines[:4] == [
        "columntransformer: ColumnTransformer",
        "  pipeline-1: Pipeline of amount",
        "    simpleimputer: SimpleImputer()",
        "    standardscaler: StandardScaler()",
    ]
    assert "  countvectorizer: CountVectorizer() of column 'note'" in lines
    assert lines[-1].startswith("mlpclassifier: MLPClassifier(hidden_layer_sizes=(3,), max_iter=2")
