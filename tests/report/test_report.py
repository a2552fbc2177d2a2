"""The report as an object: which rows score a model, its forms, and its content as data."""

import copy
import json
import math

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, confusion_matrix, log_loss, precision_score, r2_score, recall_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import rosenblatt
from rosenblatt import Report, TabularClassifier, TabularRegressor
from rosenblatt.report import evidence
from rosenblatt.report.verdict import verdict

QUICK = {"preset": "fast", "max_iter": 6, "hidden_layer_sizes": (24,)}


@pytest.fixture(scope="module")
def cancer():
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    return TabularClassifier(**QUICK | {"members": 3}).fit(X[:400], y[:400]), X, y


@pytest.fixture(scope="module")
def diabetes():
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    return TabularRegressor(**QUICK | {"members": 3}).fit(X[:300], y[:300]), X, y


# Which rows ---------------------------------------------------------------------------------------------------------


def test_training_rows_are_scored_by_predictions_of_networks_that_did_not_see_them(cancer):
    model, X, y = cancer
    rows = model.report(X[:400], y[:400]).rows
    assert (rows.what, len(rows)) == ("out of fold", 400)
    assert np.array_equal(rows.predictions, model.out_of_fold_)
    assert not np.array_equal(rows.predictions, model.predict_proba(X[:400]))
    assert rows.y.tolist() == y[:400].tolist()


def test_rows_that_no_network_held_out_are_left_out():
    X, y = load_iris(return_X_y=True, as_frame=True)
    model = TabularClassifier(**QUICK).fit(X, y)  # a fifth of the rows is held out
    report = model.report(X, y)
    seen = np.flatnonzero(~np.isnan(model.out_of_fold_[:, 0]))
    assert report.rows.numbers.tolist() == seen.tolist()
    assert {one["row"] - 1 for one in report.facts["worst"]} <= set(seen.tolist())


def test_rows_without_a_target_are_left_out_as_in_training():
    X, y = load_iris(return_X_y=True, as_frame=True)
    table = X.assign(group=np.arange(150) // 3, kind=y.map(dict(enumerate("abc"))))
    table.loc[[3, 70], "kind"] = None
    model = rosenblatt.learn(table, "kind", groups="group", drop_missing_target=True, **QUICK | {"members": 3})
    known, weights = table["kind"].notna(), np.arange(150.0)
    report = model.report(table, sample_weight=weights)
    assert report.rows.what == "out of fold"
    facts, expected = report.to_dict(), model.report(table[known], sample_weight=weights[known]).to_dict()
    places = [entry.pop("row") for entry in expected["worst"]]
    assert [entry.pop("row") - 1 for entry in facts["worst"]] == np.flatnonzero(known)[np.array(places) - 1].tolist()
    assert facts == expected
    with pytest.raises(ValueError, match="missing"):
        TabularClassifier(**QUICK).fit(X, y).report(table.drop(columns="group"), "kind")


def test_several_targets_are_found_in_the_table_by_name(diabetes):
    _, X, y = diabetes
    table = X[["bmi", "bp", "s5"]].assign(glucose=y, age=X["age"])
    model = TabularRegressor(**QUICK).fit(table, ["glucose", "age"])
    assert model.report(table).rows.what == "out of fold"
    assert model.report(table).facts == model.report(table, ["glucose", "age"]).facts
    assert str(model.explain(table)) == str(model.explain(table, ["glucose", "age"]))
    with pytest.raises(ValueError, match="no column 'glucose'"):
        model.report(table.drop(columns="glucose"))


def test_other_rows_are_predicted(cancer):
    model, X, y = cancer
    rows = model.report(X[400:], y[400:]).rows
    assert rows.what == "held out"
    assert rows.predictions == pytest.approx(model.predict_proba(X[400:]), abs=0)


@pytest.mark.parametrize(
    "change", ["columns turned", "as a mapping", "as a file", "with others", "target in the table", "saved"]
)
def test_the_training_rows_are_known_in_every_form(cancer, tmp_path, change):
    model, X, y = cancer
    X, y = X[:400], y[:400]
    if change == "columns turned":
        X = X[X.columns[::-1]]
    elif change == "as a mapping":
        X = {name: X[name].to_numpy() for name in X}
    elif change == "as a file":
        X.assign(target=y).to_csv(tmp_path / "rows.csv", index=False)
        X, y = tmp_path / "rows.csv", None
    elif change == "with others":
        X = X.assign(other="x")
    elif change == "target in the table":
        X, y = X.assign(target=y), None
    else:
        rosenblatt.save(model, tmp_path / "model.safetensors", training_predictions=True)
        model = rosenblatt.load(tmp_path / "model.safetensors")
    assert model.report(X, y).rows.what == "out of fold"


def test_rows_in_another_order_or_with_another_target_are_others(cancer):
    model, X, y = cancer
    X, y = X[:400], y[:400]
    assert model.report(X[::-1], y[::-1]).rows.what == "held out"
    assert model.report(X, y.where(y.index > 0, 1 - y)).rows.what == "held out"
    assert model.report(X[:399], y[:399]).rows.what == "held out"


def test_text_dates_booleans_and_several_targets_are_known_too():
    rng = np.random.default_rng(0)
    n = 120
    X = {
        "day": np.datetime64("2020-01-01") + rng.integers(0, 700, n),
        "flag": rng.random(n) < 0.5,
        "level": rng.choice([f"level {i}" for i in range(20)], n),
        "number": np.where(rng.random(n) < 0.1, np.nan, rng.normal(size=n)),
    }
    Y = np.column_stack([rng.normal(size=n), np.arange(n)])
    model = TabularRegressor(**QUICK).fit(X, Y)
    report = model.report(pd.DataFrame(X), Y)
    assert report.rows.what == "out of fold"
    assert len(report.facts["worst"][0]["true"]) == 2
    order = ["c", "a", "b"]
    y = rng.choice(order, n)
    ordered = TabularClassifier(**QUICK | {"ordered": order}).fit(X, y)
    assert ordered.report(X, y).rows.what == "out of fold"


def test_a_loaded_model_says_what_it_lacks(cancer, tmp_path):
    model, X, y = cancer
    rosenblatt.save(model, tmp_path / "model.safetensors")
    model = rosenblatt.load(tmp_path / "model.safetensors")
    report = model.report(X[:400], y[:400])
    assert report.rows is None
    assert "training_predictions=True" in report.facts["missing"][0]
    assert "training_predictions=True" in str(report)
    assert "training_predictions=True" in report.to_markdown()
    assert report.facts["scores"][0]["model"] == pytest.approx(model.score_)
    assert "classes" not in report.facts
    assert model.report(X[400:], y[400:], training=(X[:400], y[:400])).facts["scores"][0]["linear"] > 0.9


def test_a_model_with_validation_rows_has_none_for_its_training_rows(cancer):
    _, X, y = cancer
    model = TabularClassifier(**QUICK).fit(X[:300], y[:300], X_val=X[300:], y_val=y[300:])
    report = model.report(X[:300], y[:300])
    assert report.rows is None
    assert "validation rows" in report.facts["missing"][0]
    assert model.report(X[300:], y[300:]).rows.what == "held out"


def test_a_model_of_an_older_file_knows_no_training_rows(cancer):
    model, X, y = cancer
    older = TabularClassifier(**model.get_params())
    vars(older).update({name: value for name, value in vars(model).items() if name != "training_digest_"})
    report = older.report(X[:400], y[:400])
    assert report.rows.what == "held out"
    assert "known-rows" in [check.code for check in report.checks]
    assert "data" not in report.facts["reproduce"]


# Scores -------------------------------------------------------------------------------------------------------------


def test_scores_are_scikit_learns_beside_guess_linear_model_and_others(cancer):
    model, X, y = cancer
    forest = make_pipeline(StandardScaler(), LogisticRegression()).fit(X[:400], y[:400])
    p, labels = forest.predict_proba(X[400:]), y[400:].to_numpy()
    others = {"fitted": forest, "probabilities": p, "labels": forest.predict(X[400:])}
    report = model.report(X[400:], labels, training=(X[:400], y[:400]), others=others)
    found = {entry["metric"]: entry for entry in report.facts["scores"] if entry["where"] == "held out"}
    own = model.predict_proba(X[400:])
    assert found["accuracy"]["model"] == pytest.approx(accuracy_score(labels, model.predict(X[400:])), abs=1e-6)
    assert found["log loss"]["model"] == pytest.approx(log_loss(labels, own), rel=1e-5)
    share = y[:400].mean()
    assert found["log loss"]["guess"] == pytest.approx(
        log_loss(labels, np.tile([1 - share, share], (169, 1))), rel=1e-5
    )
    assert found["accuracy"]["guess_name"] == "always 1" if share > 0.5 else "always 0"
    score = accuracy_score(labels, forest.predict(X[400:]))
    assert found["accuracy"]["others"] == pytest.approx(dict.fromkeys(others, score), abs=1e-6)
    assert set(found["log loss"]["others"]) == {"fitted", "probabilities"}
    assert found["log loss"]["others"]["fitted"] == pytest.approx(log_loss(labels, p), rel=1e-5)
    assert found["accuracy"]["linear"] > 0.9
    low, high = found["accuracy"]["interval"]
    assert low < found["accuracy"]["model"] < high
    fitted = next(entry for entry in report.facts["scores"] if entry["where"] == "out of fold")
    assert fitted["model"] == pytest.approx(model.score_, abs=1e-6)


def test_a_regressors_scores_and_weights(diabetes):
    model, X, y = diabetes
    weights = np.linspace(0, 2, 142)
    report = model.report(X[300:], y[300:], sample_weight=weights)
    expected = r2_score(y[300:], model.predict(X[300:]), sample_weight=weights)
    assert report.facts["scores"][0]["model"] == pytest.approx(expected, rel=1e-5)
    named = model.report(X[300:].assign(w=weights, target=y[300:]), sample_weight="w")
    assert named.facts["scores"][:3] == report.facts["scores"][:3]


def test_groups_are_drawn_whole_where_their_column_is_there(tmp_path):
    rng = np.random.default_rng(0)
    n = 200
    table = {"a": rng.normal(size=n), "g": rng.integers(0, 25, n)}
    table["y"] = np.where(table["a"] + rng.normal(size=25)[table["g"]] > 0, "yes", "no")
    model = rosenblatt.learn(table, "y", groups="g", **QUICK | {"members": 3})
    rosenblatt.save(model, tmp_path / "model.safetensors", training_predictions=True)
    for one in (model, rosenblatt.load(tmp_path / "model.safetensors")):
        entries = one.report(table).facts["scores"]
        assert {entry["interval_method"] for entry in entries} == {"bootstrap of groups"}
        assert "groups='g'" in one.report().facts["reproduce"]["code"]
    without = {name: values for name, values in table.items() if name != "g"}
    assert model.report(without).facts["scores"][0]["interval_method"] == "Wilson"


# Content ------------------------------------------------------------------------------------------------------------


def test_the_content_is_data_that_json_takes_and_the_same_every_time(cancer, diabetes):
    for model, X, y in (cancer, diabetes):
        n = model.n_rows_
        for given in ((), (X[:n], y[:n]), (X[n:], y[n:])):
            report = model.report(*given)
            text = json.dumps(report.to_dict(), allow_nan=False)
            assert json.dumps(model.report(*given).to_dict()) == text
            assert len(text) < 32_000
            assert json.loads(text) == report.to_dict()
    report.to_dict()["checks"].append("changed")
    assert "changed" not in report.facts["checks"]


def test_all_parts_are_there(cancer, diabetes):
    always = {"model", "data", "scores", "curves", "importance", "importance_of", "dependence", "network", "training"}
    always |= {"cost", "file", "reproduce", "checks"}
    model, X, y = cancer
    assert set(model.report().facts) == always
    assert set(model.report(X, y).facts) == always | {"classes", "threshold", "calibration", "worst"}
    model, X, y = diabetes
    assert set(model.report(X, y).facts) == always | {"intervals", "worst"}


def test_classes_and_thresholds_are_scikit_learns(cancer):
    model, X, y = cancer
    facts, labels = model.report(X[400:], y[400:]).facts, y[400:]
    predicted = model.predict(X[400:])
    assert [one["recall"] for one in facts["classes"]] == pytest.approx(
        recall_score(labels, predicted, average=None), abs=1e-5
    )
    assert [one["precision"] for one in facts["classes"]] == pytest.approx(
        precision_score(labels, predicted, average=None), abs=1e-5
    )
    p = model.predict_proba(X[400:])[:, 1]
    assert 101 <= len(facts["threshold"]) <= 136
    for entry in facts["threshold"][::7]:
        tn, fp, fn, tp = confusion_matrix(labels, p > entry["threshold"], labels=[0, 1]).ravel()
        assert entry == {"threshold": entry["threshold"], "tp": tp, "fp": fp, "fn": fn, "tn": tn}
    assert sum(one["rows"] for one in facts["calibration"]["bins"]) == 169
    worst = facts["worst"][0]
    right = np.where(labels == 1, p, 1 - p)
    assert worst["row"] == int(right.argmin()) + 1
    assert worst["probability_of_true"] == pytest.approx(right.min(), rel=1e-5)


@pytest.mark.long
def test_intervals_cover_as_predict_interval_does(diabetes):
    model, X, y = diabetes
    for entry in model.report(X[300:], y[300:]).facts["intervals"]:
        ends = model.predict_interval(X[300:], entry["level"])
        inside = (y[300:] >= ends[:, 0]) & (y[300:] <= ends[:, 1])
        assert entry["coverage"] == pytest.approx(inside.mean(), abs=1e-5)
        assert entry["width"] == pytest.approx((ends[:, 1] - ends[:, 0]).mean(), rel=1e-4)
    levels = [entry["level"] for entry in model.report(X[:300], y[:300]).facts["intervals"]]
    assert levels == [0.5, 0.8, 0.9, 0.95]
    quantiles = TabularRegressor(**QUICK | {"quantiles": (0.05, 0.1, 0.5, 0.9)}).fit(X[:300], y[:300])
    facts = quantiles.report(X[300:], y[300:]).facts
    assert [entry["level"] for entry in facts["intervals"]] == [0.8]
    assert facts["model"]["quantiles"] == [0.05, 0.1, 0.5, 0.9]


def test_the_worst_numbers_are_those_farthest_off(diabetes):
    model, X, y = diabetes
    errors = (y[300:] - model.predict(X[300:])).to_numpy()
    worst = model.report(X[300:], y[300:]).facts["worst"]
    assert [one["row"] for one in worst] == (np.argsort(-np.abs(errors))[:10] + 1).tolist()
    assert worst[0]["error"] == pytest.approx(errors[worst[0]["row"] - 1], rel=1e-4)


def test_columns_and_their_importance_without_rows():
    rng = np.random.default_rng(0)
    X = {"good": rng.normal(size=300), "noise": rng.normal(size=300), "level": rng.choice(list("abc"), 300)}
    y = X["good"] * 3 + (X["level"] == "a")
    facts = TabularRegressor(**QUICK | {"max_iter": 20}).fit(X, y).report().facts
    assert facts["importance_of"]["method"] == "gradient"
    assert facts["importance"][0]["name"] == "good"
    curve = facts["dependence"][0]
    assert curve["column"] == "good"
    assert curve["values"][0] == sorted(curve["values"][0])  # it rises
    assert len(curve["grid"]) == len(curve["values"][0])
    assert [column["name"] for column in facts["data"]["columns"]] == ["good", "noise", "level"]
    assert facts["data"]["columns"][2]["distribution"]["labels"] == [k for k, _ in counts_of(X["level"])]


def counts_of(levels):
    found, counts = np.unique(levels, return_counts=True)
    return sorted(zip(found.tolist(), counts.tolist(), strict=True), key=lambda one: -one[1])


def test_the_call_makes_the_same_model_again(diabetes):
    model, X, y = diabetes
    made = {"table": X[:300].assign(target=y[:300])}
    exec(model.report().facts["reproduce"]["code"], made)
    assert np.array_equal(made["model"].predict(X), model.predict(X))
    assert made["model"].training_digest_ == model.training_digest_ == model.report().facts["reproduce"]["data"]["hash"]


def test_curves_are_thinned_and_keep_the_best_epoch(diabetes):
    model, X, y = diabetes
    long = TabularRegressor("fast", max_iter=300, hidden_layer_sizes=(4,)).fit(X[:60], y[:60])
    (curve,) = long.report().facts["curves"]
    assert len(curve["epochs"]) <= 100
    assert {1, 300, curve["best_epoch"]} <= set(curve["epochs"])
    assert len(model.report().facts["curves"]) == 3


def test_the_files_size_is_that_of_a_file(diabetes, tmp_path):
    model, _, _ = diabetes
    rosenblatt.save(model, tmp_path / "model.safetensors")
    assert model.report().facts["file"]["bytes"] == (tmp_path / "model.safetensors").stat().st_size


# Forms --------------------------------------------------------------------------------------------------------------


def test_the_text_without_rows_is_no_longer_than_what_the_model_knows(cancer):
    model, X, y = cancer
    alone, with_rows = str(model.report()), str(model.report(X[:400], y[:400]))
    assert alone.startswith("TabularClassifier, trained on 400 rows of 30 columns\n\naccuracy ")
    assert alone.splitlines()[-1].startswith("    3:    6 epochs")
    assert with_rows.startswith(f"{alone}\n\nscores\n  accuracy ")
    assert "a linear model 0.9" in with_rows


def test_it_is_saved_by_suffix(cancer, tmp_path):
    model, X, y = cancer
    report = model.report(X[:400], y[:400])
    for suffix in (".md", ".json", ".txt"):
        report.save(tmp_path / f"report{suffix}")
    assert (tmp_path / "report.md").read_text() == report.to_markdown()
    assert json.loads((tmp_path / "report.json").read_text()) == report.to_dict()
    assert (tmp_path / "report.txt").read_text() == f"{report}\n"


def test_a_notebook_gets_several_forms(cancer):
    report = cancer[0].report()
    found = report._repr_mimebundle_(include=("text/plain", "text/markdown"))
    assert found == {"text/plain": str(report), "text/markdown": report.to_markdown()}
    assert report._repr_mimebundle_(exclude=("text/html", "text/markdown")) == {"text/plain": str(report)}


def test_it_is_a_public_name_and_says_what_it_is(cancer):
    model, X, y = cancer
    assert isinstance(model.report(), Report)
    assert repr(model.report(X[400:], y[400:])) == (
        "<Report on TabularClassifier, 169 rows held out: print it, or save('report.html')>"
    )


def test_a_stand_in_draws_the_rows(cancer, diabetes):
    pytest.importorskip("matplotlib")
    from rosenblatt import plots

    model, X, y = cancer
    rows = model.report(X[:400], y[:400]).rows
    stand_in = rows.as_model(model)
    display = plots.plot_confusion(stand_in, rows.table, rows.y)
    assert display.confusion_matrix.tolist() == confusion_matrix(y[:400], stand_in.predict(None)).tolist()
    assert plots.plot_roc(stand_in, rows.table, rows.y).roc_auc[0] > 0.9
    model, X, y = diabetes
    rows = model.report(X[:300], y[:300]).rows
    assert plots.plot_residuals(rows.as_model(model), rows.table, rows.y).y_true.shape == (300,)
    assert not hasattr(rows.as_model(model), "predict_proba")
    import matplotlib.pyplot as plt

    plt.close("all")


def test_nothing_is_infinite_where_a_model_is_sure(cancer):
    model, X, y = cancer
    report = model.report(X[400:401], y[400:401])
    assert all(math.isfinite(entry["model"]) for entry in report.facts["scores"])
    assert "too-few-scored-rows" in [check.code for check in report.checks]


def test_texts_that_are_not_kept_and_rows_that_drift_raise_no_warning_twice():
    rng = np.random.default_rng(0)
    n = 200
    X = {
        "text": [" ".join(rng.choice([f"word{i}" for i in range(300)], 5)) for _ in range(n)],
        "a": rng.normal(size=n),
        "day": np.datetime64("2020-01-01") + rng.integers(0, 700, n),
        "flag": rng.random(n) < 0.5,
    }
    y = np.where(X["a"] + 0.5 * rng.normal(size=n) > 0, "yes", "no")
    model = TabularClassifier(**QUICK).fit(X, y)
    assert model.report().facts["importance"][0]["name"] == "a"
    with pytest.warns(UserWarning, match="outside the training range") as heard:
        report = model.report(X | {"a": X["a"] + 100}, y)
    assert len(heard) == 1
    assert report.facts["dependence"]


@pytest.mark.long
def test_rows_given_as_training_alone_are_scored(cancer):
    model, X, y = cancer
    assert model.report(training=(X[:400], y[:400])).to_dict() == model.report(X[:400], y[:400]).to_dict()
    report = model.report(training=(X[400:], y[400:]))
    assert report.rows is None
    assert "not the rows that the model was trained on" in str(report)


def test_counts_that_are_all_zero_have_a_report():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 2))
    y = rng.poisson(1, 100)
    model = TabularRegressor(**QUICK | {"loss": "poisson"}).fit(X, y)
    report = model.report(X[:20], np.zeros(20), training=(X, y))
    assert json.dumps(report.to_dict(), allow_nan=False)
    assert report.facts["scores"][0]["model"] == 0
    assert "D2 of the Poisson deviance 0" in str(report)
    assert report.to_markdown()


def test_many_columns_are_explained_by_gradients(monkeypatch):
    monkeypatch.setattr(evidence, "MAX_PRODUCTS", 1e5)
    X = np.random.default_rng(0).normal(size=(60, 120))
    model = TabularRegressor(**QUICK).fit(X, X[:, 0] + np.arange(60) % 7)
    facts = model.report(X, X[:, 0] + np.arange(60) % 7).facts
    assert facts["importance_of"]["method"] == "gradient"
    assert len(facts["importance"]) == len(facts["data"]["columns"]) == 100
    assert facts["data"]["n_columns"] == 120


def test_the_call_names_what_fit_was_given():
    X, y = load_iris(return_X_y=True)
    order = np.arange(150)
    code = TabularClassifier(**QUICK).fit(X, y, groups=order // 2).report().facts["reproduce"]["code"]
    assert code.endswith("model.fit(X, y, groups=groups)\n")
    code = (
        TabularClassifier(**QUICK).fit(X[::-1][::7], y[::-1][::7], time=order[:22]).report().facts["reproduce"]["code"]
    )
    assert "time=time" in code
    code = TabularClassifier(**QUICK).fit(X, y, X_val=X, y_val=y).report().facts["reproduce"]["code"]
    assert "X_val=X_val, y_val=y_val" in code


def test_worst_rows_can_be_found_and_the_decision_is_that_of_predict():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(300, 2)), columns=["a", "b"])
    table["id"] = [f"{i:04}" for i in range(300)]
    table["kind"] = np.where(table["a"] + rng.normal(size=300) > 2.2, "rare", "usual")
    model = rosenblatt.learn(table[:200], "kind", id="id", **QUICK)
    report = model.report(table[200:])
    for entry in report.facts["worst"]:
        row = table.iloc[199 + entry["row"]]
        assert entry["id"] == {"id": row["id"]}
        assert entry["true"] == row["kind"]
        cells = {name: float(cell) for name, cell in entry["cells"].items()}
        assert cells == pytest.approx(row[["a", "b"]].to_dict(), rel=1e-4)
    p = report.rows.predictions[:, 1]
    steps = {entry["threshold"]: entry["tp"] + entry["fp"] for entry in report.facts["threshold"]}
    assert {step: int((p > step).sum()) for step in steps} == steps
    assert steps[0.5] == (model.predict(table[200:]) == model.classes_[1]).sum()
    assert max(np.diff(sorted(steps.values()))) < 10  # though most probabilities are near one end


def test_rows_that_trained_are_not_called_held_out():
    X, y = load_iris(return_X_y=True, as_frame=True)
    report = TabularClassifier(**QUICK).fit(X, y).report(X[::-1], y[::-1])
    assert "known-rows" in [check.code for check in report.checks]
    assert {score["where"] for score in report.facts["scores"]} == {"partly seen in training", "out of fold"}
    assert "held out" not in str(report).partition("\nscores\n")[2].partition("\nchecks\n")[0]
    assert "which is too good" in verdict(report.facts)[1]


# What a report must not do ------------------------------------------------------------------------------------------


def test_other_rows_are_no_training_rows(cancer):
    model, X, y = cancer
    for wrong, linear in (((X[400:], y[400:]), False), ((X[:399], y[:399]), True), ((X, y), True)):
        report = model.report(X[400:], y[400:], training=wrong)
        assert report.evidence.training is None
        assert "not the rows that the model was trained on" in report.facts["missing"][0]
        assert (report.facts["scores"][0]["linear"] is not None) == linear
        assert "known-rows" not in [check.code for check in report.checks]
    assert len(model.report(X[400:], y[400:], training=(X, y)).evidence.learned_from.target.values) == 400  # not 569


def test_a_later_fit_changes_no_report(cancer):
    _, X, y = cancer
    model = TabularClassifier(**QUICK).fit(X[:300], y[:300])
    report, expected = (model.report(X[400:], y[400:]) for _ in range(2))
    expected = expected.to_dict()
    model.fit(X[:200], 1 - y[:200])
    assert report.to_dict() == expected


@pytest.mark.long
@pytest.mark.parametrize("weights", ["column", "array"])
def test_training_rows_have_the_weights_of_fit(diabetes, tmp_path, weights):
    _, X, y = diabetes
    w = np.random.default_rng(0).uniform(0.1, 4, len(X))
    table = X.assign(w=w) if weights == "column" else X
    given = "w" if weights == "column" else w
    model = TabularRegressor(**QUICK | {"members": 3}).fit(table, y, sample_weight=given)
    rosenblatt.save(model, tmp_path / "model.safetensors", training_predictions=True)
    for one in (model, rosenblatt.load(tmp_path / "model.safetensors")):
        report = one.report(table, y)
        same = report.facts["scores"][0]["model"] == pytest.approx(one.score_, rel=1e-5)
        assert same == (weights == "column")
        assert ("weights" in str(report.facts.get("missing"))) == (weights == "array")
        assert one.report(table, y, sample_weight=w).facts["scores"][0]["model"] == pytest.approx(one.score_, rel=1e-5)


@pytest.mark.parametrize(
    "kind", ["numbers", *(pytest.param(kind, marks=pytest.mark.long) for kind in ("classes", "quantiles", "time"))]
)
def test_a_file_with_training_predictions_gives_the_same_report(cancer, diabetes, tmp_path, kind):
    _, X, y = cancer if kind == "classes" else diabetes
    settings = QUICK | {"members": 3} | ({"quantiles": (0.1, 0.5, 0.9)} if kind == "quantiles" else {})
    how = {"time": np.arange(len(X))} if kind == "time" else {}
    model = (TabularClassifier if kind == "classes" else TabularRegressor)(**settings).fit(X, y, **how)
    rosenblatt.save(model, tmp_path / "model.safetensors", training_predictions=True)
    loaded = rosenblatt.load(tmp_path / "model.safetensors")
    assert loaded.report(X, y).to_dict() == model.report(X, y).to_dict()
    rosenblatt.save(loaded, tmp_path / "again.safetensors", training_predictions=True)
    assert rosenblatt.load(tmp_path / "again.safetensors").report(X, y).to_dict() == model.report(X, y).to_dict()


def test_the_guess_is_that_of_the_training_rows_if_these_are_not_given(cancer):
    model, X, y = cancer
    rare = np.flatnonzero(y == 0)[-60:]
    rows = np.r_[rare, np.flatnonzero(y == 1)[-10:]]
    rows = rows[rows >= 400]
    with_training = model.report(X.iloc[rows], y.iloc[rows], training=(X[:400], y[:400])).facts["scores"]
    alone = model.report(X.iloc[rows], y.iloc[rows]).facts["scores"]
    assert [(one["guess"], one["guess_name"]) for one in alone] == [
        (one["guess"], one["guess_name"]) for one in with_training
    ]
    older = copy.copy(model)
    del older.guesses_
    assert (
        older.report(X.iloc[rows], y.iloc[rows]).facts["scores"][0]["guess_name"] == "the best constant for these rows"
    )


def test_weights_count_in_all_parts(cancer):
    model, X, y = cancer
    X, y = X[400:], y[400:].to_numpy()
    w = np.random.default_rng(0).uniform(0, 3, len(y)) * (np.arange(len(y)) % 3 > 0)
    report = model.report(X, y, sample_weight=w)
    facts, found, p = report.facts, model.predict(X), model.predict_proba(X)[:, 1]
    at = next(one for one in facts["threshold"] if one["threshold"] == 0.5)
    tn, fp, fn, tp = confusion_matrix(y, p >= 0.5, sample_weight=w).ravel()
    assert [at[name] for name in ("tn", "fp", "fn", "tp")] == pytest.approx([tn, fp, fn, tp], rel=1e-5)
    assert facts["scores"][0]["model"] == pytest.approx((tn + tp) / w.sum(), rel=1e-5)
    for one, label in zip(facts["classes"], (0, 1), strict=True):
        assert one["rows"] == np.count_nonzero(y == label)
        for measure in (precision_score, recall_score):
            expected = measure(y, found, pos_label=label, sample_weight=w)
            assert one[measure.__name__.removesuffix("_score")] == pytest.approx(expected, rel=1e-5)
    assert all(w[one["row"] - 1] > 0 for one in facts["worst"])
    kept = w > 0
    ones = model.report(X[kept], y[kept], sample_weight=w[kept]).facts
    assert ones["calibration"] == facts["calibration"]


def test_weights_count_in_the_coverage_of_intervals(diabetes):
    model, X, y = diabetes
    X, y = X[300:], y[300:].to_numpy()
    w = np.random.default_rng(0).exponential(1, len(y))
    low, high = model.predict_interval(X, 0.9).T
    (entry,) = (one for one in model.report(X, y, sample_weight=w).facts["intervals"] if one["level"] == 0.9)
    assert entry["coverage"] == pytest.approx(np.average((low <= y) & (y <= high), weights=w), rel=1e-5)


@pytest.mark.parametrize("row", [[-0.1, 1.1], [0.5, 0.6], [np.nan, 1.0]])
def test_impossible_probabilities_of_others_are_refused(cancer, row):
    model, X, y = cancer
    p = np.tile([0.25, 0.75], (169, 1))
    p[4] = row
    with pytest.raises(
        ValueError, match=r"others\['forest'\] has .* in row 5 \(the first row is 1\), which are no prob"
    ):
        model.report(X[400:], y[400:], others={"forest": p})
    with pytest.raises(TypeError, match="others has the key 3, which is no text"):
        model.report(X[400:], y[400:], others={3: p})


def test_negative_counts_are_refused_in_words():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 2))
    model = TabularRegressor(**QUICK | {"loss": "poisson"}).fit(X, rng.poisson(1, 60))
    with pytest.raises(ValueError, match=r"target of X is -1 in row 3 \(the first row is 1\).*at least 0"):
        model.report(X[:5], [1, 2, -1, 0, 3])


def test_scores_have_equal_keys_and_name_the_positive_class(cancer):
    _, X, y = cancer
    kinds = y.map({0: "malignant", 1: "benign"})
    model = TabularClassifier(**QUICK | {"metric": "f1"}).fit(X[:400], kinds[:400])
    report = model.report(X[400:], kinds[400:])
    keys = {tuple(one) for one in [*report.facts["scores"], *model.report().facts["scores"]]}
    assert len(keys) == 1
    assert report.facts["scores"][0]["positive_class"] == "malignant"
    assert "F1 of malignant" in str(report)
    assert "F1 of malignant" in report.to_markdown()
    assert {type(value) for one in report.facts["dependence"] for value in one["grid"]} == {float}


def test_an_empty_path_and_htm(cancer, tmp_path):
    report = cancer[0].report()
    with pytest.raises(ValueError, match="path is ''; it must be the name of a file"):
        report.save("")
    pytest.importorskip("jinja2")
    report.save(tmp_path / "report.htm")
    assert (tmp_path / "report.htm").read_text().startswith("<!DOCTYPE html>")
