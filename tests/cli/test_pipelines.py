"""Files that hold pipelines and other models of named columns, at the command line."""

import warnings

import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import rosenblatt
from rosenblatt import LogisticRegression, Perceptron


@pytest.fixture
def pipeline(cli):
    table = pd.read_csv("rents.csv")
    columns = make_column_transformer((StandardScaler(), ["rooms", "area"]), (OneHotEncoder(), ["quarter"]))
    model = make_pipeline(columns, LogisticRegression()).fit(
        table.drop(columns=["rent", "grade", "high"]), table["high"]
    )
    rosenblatt.save(model, "p.safetensors")
    return model


def test_a_pipeline_predicts_a_table(cli, pipeline):
    assert cli("predict", "p.safetensors", "rents.csv", "--out", "out.csv")[0] == 0
    written, table = pd.read_csv("out.csv"), pd.read_csv("rents.csv")
    assert written["prediction"].tolist() == pipeline.predict(table).tolist()
    assert written["probability of yes"].tolist() == pytest.approx(pipeline.predict_proba(table)[:, 1].tolist())
    assert cli("predict", "p.safetensors", "rents.csv", "--out", "all.csv", "--threshold", "0.000001")[0] == 0
    assert {*pd.read_csv("all.csv")["prediction"]} == {"yes"}


def test_its_steps_are_shown(cli, pipeline, found):
    code, out, _ = cli("inspect", "p.safetensors")
    assert code == 0
    for line in (
        "columntransformer: ColumnTransformer",
        "standardscaler: StandardScaler() of rooms, area",
        "logisticregression: LogisticRegression",
    ):
        assert line in out
    assert found("inspect", "p.safetensors")["steps"][0] == {"name": "columntransformer", "kind": "ColumnTransformer"}


def test_what_is_refused_is_named(cli, pipeline):
    pd.read_csv("rents.csv").drop(columns="area").to_csv("less.csv", index=False)
    code, _, said = cli("predict", "p.safetensors", "less.csv", "--out", "out.csv")
    assert (code, "the table has no column 'area'" in said) == (2, True)
    rosenblatt.save(Perceptron().fit([[0.0], [1.0]], [0, 1]), "n.safetensors")
    code, _, said = cli("predict", "n.safetensors", "rents.csv", "--out", "out.csv")
    assert (code, "a Perceptron that was fitted on columns without names" in " ".join(said.split())) == (2, True)
    assert cli("inspect", "n.safetensors")[0] == 0
    code, _, said = cli("evaluate", "p.safetensors", "rents.csv")
    assert code == 2
    assert "Pipeline, not a tabular model" in " ".join(said.split())


def test_a_file_of_another_version_of_scikit_learn_is_noted(cli, pipeline, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("sklearn.__version__", "1.2.9\x1b[1m")
        rosenblatt.save(pipeline, "p.safetensors")
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        code, out, err = cli("inspect", "p.safetensors")
    assert code == 0
    assert "\nnote      the Pipeline in this file was saved under scikit-learn 1.2.9" in out
    assert "\x1b" not in out + err
    assert "Warning" not in out + err
