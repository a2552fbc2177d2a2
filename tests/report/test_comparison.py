"""Two models side by side: scores, intervals of differences, disagreements, and what is refused."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, log_loss, precision_recall_fscore_support, r2_score

import rosenblatt
from rosenblatt import MLPClassifier, TabularClassifier, TabularRegressor
from rosenblatt.report import Comparison, compare
from rosenblatt.report.compared import examples
from rosenblatt.report.pictures import pictures_of_two

SMALL = {"members": 1, "hidden_layer_sizes": (8,), "max_iter": 4}


def flats(n=160, seed=0):
    rng = np.random.default_rng(seed)
    rooms, area, noise = rng.normal(3, 1, n), rng.normal(80, 20, n), rng.normal(size=n)
    rent = 200 * rooms + 5 * area + 30 * noise
    grade = np.select([rent < 800, rent < 1100], ["low", "middle"], "top")
    return pd.DataFrame({"rooms": rooms, "area": area, "rent": rent, "grade": grade})


TRAINING, TEST = flats(), flats(60, seed=1)


def regressor(*columns, **parameters):
    return TabularRegressor(**SMALL, **parameters).fit(TRAINING[[*columns, "rent"]], "rent")


def classifier(*columns, **parameters):
    return TabularClassifier(**SMALL, **parameters).fit(TRAINING[[*columns, "grade"]], "grade")


@pytest.fixture(scope="module")
def numbers():
    return compare(regressor("rooms", "area", random_state=1), regressor("area"), TEST, names=("both", "one"))


@pytest.fixture(scope="module")
def classes():
    return compare(
        classifier("rooms", "area"), classifier("area", metric="balanced_error"), TEST, names=("both", "one")
    )


def test_scores_are_those_of_scikit_learn(numbers, classes):
    scores = {score["metric"]: score for score in numbers.facts["scores"]}
    for key, report in zip("ab", numbers.reports, strict=True):
        assert scores["R2"][key] == pytest.approx(r2_score(TEST["rent"], report.model.predict(TEST)), rel=1e-4)
    assert scores["R2"]["difference"] == pytest.approx(scores["R2"]["b"] - scores["R2"]["a"], rel=1e-3)
    scores = {score["metric"]: score for score in classes.facts["scores"]}
    for key, report in zip("ab", classes.reports, strict=True):
        model = report.model
        assert scores["accuracy"][key] == pytest.approx(accuracy_score(TEST["grade"], model.predict(TEST)), rel=1e-4)
        loss = log_loss(TEST["grade"], model.predict_proba(TEST), labels=model.classes_)
        assert scores["log loss"][key] == pytest.approx(loss, rel=1e-4)


@pytest.mark.long
def test_a_clear_difference_is_named_and_its_interval_does_not_hold_zero():
    rng, n = np.random.default_rng(0), 400
    frame = pd.DataFrame({"x": rng.normal(size=n), "z": rng.normal(size=n)})
    frame["y"] = 10 * frame["x"] + rng.normal(size=n)
    good, bad = (TabularRegressor(**SMALL | {"max_iter": 30}, ignore=[out]).fit(frame[:300], "y") for out in ("z", "x"))
    for order, better, sign in (((good, bad), "A", -1), ((bad, good), "B", 1)):
        found = compare(*order, frame[300:])
        for score in found.facts["scores"]:
            upward = sign if score["greater_is_better"] else -sign
            assert score["better"] == better
            assert np.sign(score["interval"]).tolist() == [upward, upward]
            assert score["interval"][0] < score["difference"] < score["interval"][1]
        assert found.verdict.startswith(f"{better} is better by R2 on these 100 rows: ")
    assert compare(good, good, frame[300:]).verdict.startswith("A and B predict the same on these 100 rows: their R2")


def test_disagreements_are_counted_by_who_is_right(classes):
    truth = TEST["grade"].to_numpy()
    a, b = (report.model.predict(TEST) for report in classes.reports)
    assert classes.facts["disagreement"] == {
        "identical": False,
        "rows": int((a != b).sum()),
        "share": pytest.approx((a != b).mean(), rel=1e-4),
        "both_right": int(((a == truth) & (b == truth)).sum()),
        "only_a_right": int(((a == truth) & (b != truth)).sum()),
        "only_b_right": int(((a != truth) & (b == truth)).sum()),
        "both_wrong": int(((a != truth) & (b != truth)).sum()),
    }
    examples = classes.facts["examples"]
    assert 0 < len(examples) <= 10
    for found in examples:
        row = found["row"] - 1
        assert (truth[row], a[row], b[row]) == (found["true"], found["a"], found["b"])
        assert a[row] != b[row]
        assert float(found["cells"]["area"]) == pytest.approx(TEST["area"].iloc[row], rel=1e-4)


def test_classes_are_compared_one_by_one(classes):
    for key, report in zip("ab", classes.reports, strict=True):
        model = report.model
        precision, recall, _, rows = precision_recall_fscore_support(
            TEST["grade"], model.predict(TEST), labels=model.classes_, zero_division=np.nan
        )
        for k, found in enumerate(classes.facts["classes"]):
            assert (found["class"], found["rows"]) == (model.classes_[k], rows[k])
            for name, values in (("precision", precision), ("recall", recall)):
                known = found[key][name]
                assert np.isnan(values[k]) if known is None else known == pytest.approx(values[k], rel=1e-4)


def test_classes_in_another_order_are_the_same_classes():
    ordered = classifier("rooms", ordered=["top", "middle", "low"])
    found = compare(classifier("rooms"), ordered, TEST).facts["scores"]
    by_name = {score["metric"]: score["b"] for score in found}
    assert by_name["accuracy"] == pytest.approx(accuracy_score(TEST["grade"], ordered.predict(TEST)), rel=1e-4)


def test_columns_and_parameters_that_differ_are_named(numbers):
    assert numbers.facts["columns"] == {"only_a": ["rooms"], "only_b": [], "kinds": []}
    assert numbers.facts["parameters"] == []  # a seed is no choice
    other = regressor("area", kinds={"area": "categorical"}, weight_decay=0.5)
    found = compare(regressor("area"), other, TEST).facts
    assert {one["name"] for one in found["parameters"]} == {"kinds", "weight_decay"}
    assert found["columns"]["kinds"] == [{"name": "area", "a": "numeric", "b": "categorical"}]


def test_it_has_the_forms_of_a_report(numbers, classes, tmp_path):
    for found in (numbers, classes):
        assert isinstance(found, Comparison)
        assert json.loads(json.dumps(found.to_dict(), allow_nan=False)) == found.facts
        assert found.verdict in str(found)
        rows = [line for line in found.to_markdown().splitlines() if line.startswith("|")]
        assert len(rows) > 10
        for name, text in ((".txt", str(found)), (".md", found.to_markdown())):
            found.save(tmp_path / f"c{name}")
            assert (tmp_path / f"c{name}").read_text(encoding="utf-8").strip() == text.strip()
        found.save(tmp_path / "c.json")
        assert json.loads((tmp_path / "c.json").read_text(encoding="utf-8")) == found.facts
    assert repr(numbers).startswith("<Comparison of both and one on 60 rows")


def test_equal_comparisons_are_equal(numbers):
    a, b = (report.model for report in numbers.reports)
    assert compare(a, b, TEST, names=("both", "one")).to_dict() == numbers.to_dict()


def test_names_cannot_break_a_table_of_markdown():
    found = compare(regressor("area"), regressor("rooms"), TEST, names=("a|b", "<b>"))
    text = found.to_markdown()
    assert "a\\|b" in text
    assert "<b>" not in text.replace("\\<b\\>", "")


def test_training_rows_are_scored_out_of_fold_or_said_to_be_too_good(tmp_path):
    model, other = regressor("rooms"), regressor("area")
    found = compare(model, other, TRAINING)
    assert {one["predictions"] for one in found.facts["models"]} == {"out of fold"}
    assert [check for check in found.facts["checks"] if check["code"] == "known-rows"] == []
    assert found.facts["rows"] < len(TRAINING)  # the networks of one fold held out a fifth
    rosenblatt.save(model, tmp_path / "m")
    loaded = rosenblatt.load(tmp_path / "m")
    found = compare(loaded, other, TRAINING, names=("old", "new"))
    assert [one["predictions"] for one in found.facts["models"]] == ["seen in training", "out of fold"]
    known = [check for check in found.facts["checks"] if check["code"] == "known-rows"]
    assert [check["model"] for check in known] == ["old"]
    assert "old was trained on these rows, so that its scores are too good" in str(found)


def test_rows_that_were_mostly_trained_on_are_noticed_unless_values_repeat_by_nature():
    mixed = pd.concat([TRAINING[:100], TEST[:40]])
    checks = compare(regressor("rooms"), regressor("area"), mixed).facts["checks"]
    known = [check for check in checks if check["code"] == "known-rows"]
    assert [check["model"] for check in known] == ["A", "B"]
    assert known[0]["message"].startswith("71% of the rows that were given equal training rows")
    few = TRAINING.assign(rooms=TRAINING["rooms"].round())
    model = TabularRegressor(**SMALL).fit(few[["rooms", "rent"]], "rent")
    test = TEST.assign(rooms=TEST["rooms"].round())
    assert "known-rows" not in str(compare(model, model, test).facts["checks"])


def test_weights_count(numbers):
    a, b = (report.model for report in numbers.reports)
    weights = np.linspace(0.1, 2, len(TEST))
    found = compare(a, b, TEST.assign(w=weights), sample_weight="w").facts["scores"][0]
    assert found["a"] == pytest.approx(r2_score(TEST["rent"], a.predict(TEST), sample_weight=weights), rel=1e-4)
    assert found == compare(a, b, TEST, sample_weight=weights).facts["scores"][0]


def test_whole_groups_are_drawn():
    """Rows that are there four times tell no more than once, if it is said that they belong together."""
    table = TRAINING.assign(house=np.arange(len(TRAINING)) // 2)
    models = [
        TabularRegressor(**SMALL).fit(table[[column, "rent", "house"]], "rent", groups="house")
        for column in ("rooms", "area")
    ]
    test = pd.concat([TEST.assign(house=np.arange(len(TEST)))] * 4)
    widths = []
    for rows in (test[:60], test, test.drop(columns="house")):
        low, high = compare(*models, rows).facts["scores"][0]["interval"]
        widths.append(high - low)
    assert widths[0] == pytest.approx(widths[1], rel=0.1)
    assert widths[2] < 0.7 * widths[1]


def test_a_single_row_has_no_interval(numbers):
    a, b = (report.model for report in numbers.reports)
    found = compare(a, b, TEST[:1])
    assert {score["interval"] for score in found.facts["scores"]} == {None}
    assert "too few rows for an interval" in found.verdict


def test_models_of_quantiles_are_compared_with_their_like():
    pair = [regressor(column, quantiles=(0.1, 0.5, 0.9)) for column in ("rooms", "area")]
    compared = compare(*pair, TEST).compared
    assert [metric.name for metric in compared.metrics] == ["D2 of the pinball loss, mean of quantiles"]
    assert all(len(example["a"]) == 3 for example in examples(compared))
    with pytest.raises(ValueError, match=r"A predicts the quantiles 0.1, 0.5, 0.9, and B predicts a number"):
        compare(pair[0], regressor("area"), TEST)


REFUSED = {
    "another target": (lambda a: (a, regressor_of("area")), "A predicts 'rent', and B predicts 'area'"),
    "classes beside numbers": (lambda a: (a, classifier_of_rent()), "A predicts numbers, and B predicts classes"),
    "a network of arrays": (
        lambda a: (a, MLPClassifier()),
        "compare takes tabular models, but was given an MLPClassif",
    ),
    "an unfitted model": (lambda a: (a, TabularRegressor()), "not fitted"),
}


def regressor_of(target):
    return TabularRegressor(**SMALL).fit(TRAINING[["rooms", target]], target)


def classifier_of_rent():
    table = TRAINING[["rooms"]].assign(rent=TRAINING["rent"] > 1000)
    return TabularClassifier(**SMALL).fit(table, "rent")


@pytest.mark.parametrize(("pair", "words"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_compared_is_refused(pair, words, numbers):
    with pytest.raises((ValueError, TypeError), match=words):
        compare(*pair(numbers.reports[0].model), TEST)


def test_other_classes_columns_targets_and_names_are_refused(numbers, classes):
    a, b = (report.model for report in classes.reports)
    fewer = TabularClassifier(**SMALL).fit(TRAINING[TRAINING["grade"] != "low"][["rooms", "grade"]], "grade")
    with pytest.raises(ValueError, match="only A knows the class 'low'"):
        compare(a, fewer, TEST)
    with pytest.raises(ValueError, match="rooms"):
        compare(a, b, TEST.drop(columns="rooms"))
    with pytest.raises(ValueError, match="grade"):
        compare(a, b, TEST.drop(columns="grade"))
    with pytest.raises(ValueError, match="no rows"):
        compare(a, b, TEST[:0])
    for names in (("a", "a"), ("a",), "ab"):
        with pytest.raises(ValueError, match="two different names"):
            compare(a, b, TEST, names=names)


@pytest.mark.long
def test_names_are_short_and_visible_in_every_form():
    turned, long = "x\u202ey", "long" * 30
    table = TRAINING.assign(grade=TRAINING["rent"].gt(900).map({True: turned, False: long}))
    a, b = (TabularClassifier(**SMALL, random_state=seed).fit(table[["rooms", "grade"]], "grade") for seed in (0, 1))
    found = compare(a, b, table, names=(f"a{turned}", long))
    for text in (str(found), found.to_markdown(), found.to_html(), found.verdict):
        assert turned not in text
        assert long not in text
    assert found.names == (f"a{turned}", long)


@pytest.mark.long
def test_pictures_of_numbers_have_the_same_axes(numbers):
    views = [pictures_of_two(*pair)[0] for pair in (numbers.reports, numbers.reports[:1] * 2)]
    ticks = [re.findall(r"<text[^>]*>([^<]+)<", view["residuals"].svg) for view in views]
    assert ticks[0] != ticks[1]
    a, b = pictures_of_two(*numbers.reports)
    assert ticks[0] == re.findall(r"<text[^>]*>([^<]+)<", b["residuals"].svg)
    assert a["residuals"].svg != b["residuals"].svg
