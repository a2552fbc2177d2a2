"""Options that commands share: where results go, what is learned, what is scored."""

from __future__ import annotations

import io
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score, log_loss, r2_score, roc_auc_score
from tests.cli.conftest import SMALL, rents

import rosenblatt
from rosenblatt import load


@pytest.fixture
def model(cli: Any) -> Any:
    """The model in m.st, which tells high rents from the others."""
    assert cli("train", "rents.csv", "--target", "high", "--ignore", "rent", "--out", "m.st", *SMALL)[0] == 0
    return load("m.st")


def test_json_is_one_object_and_nothing_else_on_standard_output(cli: Any) -> None:
    code, out, err = cli("train", "rents.csv", "--target", "rent", "--out", "m.st", *SMALL, "--json")
    assert code == 0
    data = json.loads(out)
    assert out.count("\n") == 1
    assert "training  a network" in err
    assert (data["command"], data["table"]) == ("train", {"source": "rents.csv", "rows": 90, "columns": 6})
    assert [column["name"] for column in data["columns"]] == ["rooms", "quarter", "area", "high", "grade"]
    assert data["file"] == {"path": "m.st", "bytes": Path("m.st").stat().st_size}
    assert data["training"]["networks"] == 1
    shown = re.search(r"R2 +(-?[\d.]+) +(-?[\d.]+)", err)
    assert shown is not None
    assert f"{data['scores']['metrics']['R2']['model']:.4f}" == shown[1]
    assert data["scores"]["rows"] == 18


def test_quiet_writes_nothing_but_errors(cli: Any) -> None:
    assert cli("train", "rents.csv", "--target", "rent", "--out", "m.st", *SMALL, "--quiet") == (0, "", "")
    code, out, err = cli("train", "rents.csv", "--target", "rant", "--quiet")
    assert (code, out) == (2, "")
    assert "Did you mean 'rent'?" in err


def test_a_model_goes_to_standard_output(cli: Any) -> None:
    options = ("train", "rents.csv", "--target", "rent", *SMALL)
    code, out, err = cli(*options, "--out", "-", text=False)
    assert code == 0
    assert "file      standard output" in err
    assert cli(*options, "--out", "m.st")[0] == 0
    assert out == Path("m.st").read_bytes()


def test_predictions_go_to_standard_output_and_tables_come_from_standard_input(
    cli: Any, model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli("predict", "m.st", "rents.csv", "--out", "p.csv")[0] == 0
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(Path("rents.csv").read_bytes())))
    Path("-").write_text("a file of the user's", encoding="utf-8")
    code, out, err = cli("predict", "m.st", "-", "--out", "-")
    assert (code, out) == (0, Path("p.csv").read_text())
    assert "reading   standard input" in err


def test_evaluate_shows_all_scores_of_classes(found: Any, model: Any) -> None:
    frame = rents()
    data = found("evaluate", "m.st", "rents.csv")["scores"]
    truth, p = frame["high"], model.predict_proba(frame)
    metrics = {name: score["model"] for name, score in data["metrics"].items()}
    predicted = model.classes_[p.argmax(1)]
    assert metrics == pytest.approx(
        {
            "accuracy": np.mean(predicted == truth),
            "log loss": log_loss(truth, p),
            "balanced accuracy": balanced_accuracy_score(truth, predicted),
            "F1": f1_score(truth, predicted, pos_label="yes"),
            "area under the ROC curve": roc_auc_score(truth == "yes", p[:, 1]),
        }
    )
    share = max(np.mean(truth == name) for name in model.classes_)
    assert data["metrics"]["accuracy"]["guess"] == pytest.approx(share)
    assert np.sum(data["confusion"]["counts"]) == 90


def test_evaluate_shows_all_scores_of_numbers(cli: Any, found: Any) -> None:
    assert cli("train", "rents.csv", "--target", "rent", "--loss", "absolute_error", "--out", "n.st", *SMALL)[0] == 0
    frame, metrics = rents(), found("evaluate", "n.st", "rents.csv")["scores"]["metrics"]
    assert next(iter(metrics)) == "D2 of the absolute error"
    predicted = load("n.st").predict(frame)
    assert metrics["R2"]["model"] == pytest.approx(r2_score(frame["rent"], predicted))
    assert metrics["mean absolute error"]["model"] == pytest.approx(np.mean(np.abs(frame["rent"] - predicted)))
    guess = np.mean(np.abs(frame["rent"] - frame["rent"].median()))
    assert metrics["mean absolute error"]["guess"] == pytest.approx(guess)


@pytest.mark.parametrize("threshold", [0.2, 0.9])
def test_the_second_class_is_predicted_above_the_threshold(threshold: float, cli: Any, found: Any, model: Any) -> None:
    probability = model.predict_proba(rents())[:, 1]
    threshold = float(np.quantile(probability, threshold))  # so that the predictions differ from those without
    assert cli("predict", "m.st", "rents.csv", "--out", "p.csv", "--threshold", threshold)[0] == 0
    predicted = pd.read_csv("p.csv")["prediction"]
    assert (predicted == "yes").tolist() == (probability > threshold).tolist()
    counts = found("evaluate", "m.st", "rents.csv", "--threshold", threshold)["scores"]["confusion"]["counts"]
    assert np.sum(counts, axis=0).tolist() == [sum(predicted == "no"), sum(predicted == "yes")]


def test_a_file_is_scored_instead_of_a_share(cli: Any, found: Any) -> None:
    fresh = rents(40, seed=1)
    fresh[["grade", "rent", "area", "rooms", "quarter", "high"]].to_csv("fresh.csv", index=False)
    data = found("train", "rents.csv", "--target", "rent", "--test", "fresh.csv", "--out", "m.st", *SMALL)
    assert (data["scores"]["rows"], data["scores"]["scored"]) == (40, "rows of fresh.csv")
    model = load("m.st")
    assert model.n_rows_ == 90
    assert data["scores"]["metrics"]["R2"]["model"] == pytest.approx(r2_score(fresh["rent"], model.predict(fresh)))


def test_losses_quantiles_orders_and_class_weights_reach_the_estimator(cli: Any) -> None:
    def trained(target: str, *options: Any) -> Any:
        assert cli("train", "rents.csv", "--target", target, "--out", "m.st", "--force", *SMALL, *options)[0] == 0
        return load("m.st")

    assert trained("rent", "--loss", "poisson").loss == "poisson"
    assert trained("rent", "--quantiles", "0.1,0.9").predict(rents()).shape == (90, 2)
    assert trained("grade", "--ordered", "low,middle,top").classes_.tolist() == ["low", "middle", "top"]
    assert trained("rooms", "--task", "classification", "--ordered", "sorted").ordered is True
    assert trained("rooms", "--task", "classification", "--ordered", "6,5,4,3,2,1").classes_.tolist()[0] == 6
    weighted = trained("high", "--class-weight", "yes=3", "--class-weight", "no=1")
    assert weighted.class_weight == {"yes": 3.0, "no": 1.0}
    assert trained("high", "--class-weight", "balanced").class_weight == "balanced"


def test_threads_change_no_bit(cli: Any) -> None:
    before = rosenblatt.get_num_threads()
    try:
        for n in (1, 2):
            options = ("--out", f"m{n}", *SMALL, "--threads", n)
            assert cli("train", "rents.csv", "--target", "rent", *options)[0] == 0
            assert rosenblatt.get_num_threads() == n
    finally:
        rosenblatt.set_num_threads(before)
    assert Path("m1").read_bytes() == Path("m2").read_bytes()


def test_explain_ranks_the_columns(cli: Any, found: Any, model: Any) -> None:
    data = found("explain", "m.st", "rents.csv", "--repeats", 2)["importance"]
    expected = model.explain(rents(), "high", n_repeats=2)
    assert [column["name"] for column in data["columns"]] == list(expected.ranked)
    assert data["columns"][0]["importance"] == pytest.approx(expected.importance.max())
    out = cli("explain", "m.st", "rents.csv", "--method", "gradient")[1]
    assert re.search(r"^explain +gradient, 90 rows: mean absolute contribution", out, re.M)


@pytest.mark.parametrize("method", ["shapley", "integrated_gradients"])
def test_contributions_to_a_row_add_up(method: str, cli: Any, found: Any, model: Any) -> None:
    rents().drop(columns="high").to_csv("fresh.csv", index=False)  # which needs no target
    data = found("explain", "m.st", "fresh.csv", "--row", 3, "--method", method)["contributions"]
    total = sum(column["contribution"] for column in data["columns"])
    assert data["prediction"] == pytest.approx(data["baseline"] + total, abs=data["error"] + 1e-9)
    probability = model.predict_proba(rents()[2:3])[0].max()
    assert data["prediction"] == pytest.approx(np.log(probability / (1 - probability)), abs=1e-4)
    assert data["row"] == 3
    assert data["class"] == model.predict(rents()[2:3])[0]
    assert {column["name"]: column["value"] for column in data["columns"]}["rent"] == "(left out)"
    out = cli("explain", "m.st", "fresh.csv", "--row", 3, "--method", method)[1]
    assert re.search(rf"^explain   {method}, row 3: the log odds .*'{data['class']}'$", out, re.M)
    assert re.search(r"^sum +prediction [-\d.e]+ = baseline [-\d.e]+ \+ contributions, to within ", out, re.M)


def test_inspect_says_the_same_as_an_object(found: Any, model: Any) -> None:
    data = found("inspect", "m.st")
    assert (data["kind"], data["target"], data["classes"], data["rows"]) == (
        "TabularClassifier",
        "high",
        ["no", "yes"],
        72,
    )
    assert {column["name"]: column["kind"] for column in data["columns"]}["rent"] == "ignored"


def test_a_search_says_what_it_chose_and_why(cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from rosenblatt.cli import tune
    from rosenblatt.cli.tune import Choice

    changed = {"dropout": (0.1, 0.3), "hidden_layer_sizes": ((128, 128), (64,))}

    def choose(work: Any, *_: Any) -> Choice:
        reason = "0.9000 is better than the defaults' 0.8000"
        return Choice(work.estimator, "R2", 0.8, 0.9, 7, changed, reason, True)

    monkeypatch.setattr(tune, "choose", choose)
    code, out, _ = cli("tune", "rents.csv", "--target", "rent", "--time", "0.5", "--out", "m.st")
    assert code == 0
    assert "chosen    the best candidates: R2 0.9000 is better than the defaults' 0.8000, out of fold\n" in out
    assert re.search(r"^dropout +0\.1 +0\.3\n--hidden +128-128 +64$", out, re.M)


def test_seconds_count_from_the_start_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    from rosenblatt.cli import clock as of

    psutil = pytest.importorskip("psutil")
    monkeypatch.setattr(of, "MAX_STARTUP", float("inf"))
    clock = of.Clock()
    clock.start()
    age = __import__("time").time() - psutil.Process(os.getpid()).create_time()
    assert clock.seconds() == pytest.approx(age, abs=1.0)
    clock.start()
    assert clock.seconds() < 1.0
    monkeypatch.setattr(of, "MAX_STARTUP", 0.0)  # the process was a shell that ran other commands first
    assert of.process_start() == of.IMPORTED


def test_messages_speak_of_options(cli: Any) -> None:
    train = ("train", "rents.csv", "--out", "m.st", *SMALL)
    said = cli(*train, "--target", "grade", "--class-weight", "lwo=1")[2]
    assert said.endswith("but the labels of the target are ['low', 'middle', 'top']. Did you mean 'low'?\n")
    assert cli("explain", "no.st", "no.csv", "--seed", -4)[2].startswith("rosenblatt: --seed is -4; it must be")


def test_missing_cells_are_those_of_the_rows_to_train_on_and_a_weight_may_be_ignored_too(cli: Any) -> None:
    train = ("train", "rents.csv", "--target", "rent", "--out", "m.st", *SMALL)
    code, out, err = cli(*train, "--ignore", "rooms", "--weight", "rooms", "--json")
    assert code == 0, err
    assert re.search(r"^column +kind +missing +of 72 rows to train on$", err, re.MULTILINE)
    assert json.loads(out)["rows"] == 72
