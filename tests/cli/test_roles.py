"""Options that say what columns and rows are, and commands that compare rows with the training rows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import r2_score
from tests.cli.conftest import SMALL, rents

from rosenblatt import TabularRegressor, load


@pytest.fixture
def flats(cli: Any) -> pd.DataFrame:
    """rents.csv with an id, a town, a day and a weight."""
    rng, frame = np.random.default_rng(1), rents()
    frame["flat"] = [f"{i:03}" for i in range(len(frame))]
    frame["town"] = rng.integers(0, 15, len(frame))
    frame["day"] = pd.date_range("2020-01-01", periods=len(frame)).astype(str)
    frame["weight"] = rng.integers(1, 4, len(frame))
    frame.to_csv("flats.csv", index=False)
    return frame


TRAIN = ("train", "flats.csv", "--target", "rent", "--out", "m.st", *SMALL)
ROLES = ("--id", "flat", "--ignore", "high", "--ignore", "grade")


def test_groups_are_held_out_whole_and_the_score_says_so(found: Any, flats: pd.DataFrame) -> None:
    data = found(*TRAIN, *ROLES, "--group", "town", "--ignore", "day", "--ignore", "weight")
    assert data["scores"]["measured"] == "on groups not seen in training"
    assert data["roles"] == {"group": ["town"], "id": ["flat"]}
    assert data["table"]["columns"] == 10
    sums = {0}
    for size in flats.groupby("town").size():
        sums |= {total + size for total in sums}
    assert data["scores"]["rows"] in sums - {0}


def test_later_rows_are_scored(found: Any, flats: pd.DataFrame) -> None:
    data = found(*TRAIN, *ROLES, "--time-column", "day", "--ignore", "town", "--ignore", "weight")
    assert data["scores"]["measured"] == "on later rows"
    model, later = load("m.st"), flats.tail(data["scores"]["rows"])
    assert data["scores"]["metrics"]["R2"]["model"] == pytest.approx(r2_score(later["rent"], model.predict(later)))


def test_weights_count_in_training_and_in_scores(found: Any, flats: pd.DataFrame) -> None:
    others = ("--ignore", "town", "--ignore", "day")
    data = found(*TRAIN, *ROLES, *others, "--weight", "weight", "--test", "flats.csv")
    model = load("m.st")
    expected = r2_score(flats["rent"], model.predict(flats), sample_weight=flats["weight"])
    assert data["scores"]["metrics"]["R2"]["model"] == pytest.approx(expected)
    scored = found("evaluate", "m.st", "flats.csv", "--weight", "weight")["scores"]["metrics"]["R2"]["model"]
    assert scored == pytest.approx(expected)
    assert found("evaluate", "m.st", "flats.csv")["scores"]["metrics"]["R2"]["model"] != pytest.approx(expected)
    ignored = dict.fromkeys(("high", "grade", "town", "day"), "ignored")
    parameters = {"members": 1, "max_iter": 2, "hidden_layer_sizes": (4,), "kinds": ignored}
    other = TabularRegressor(**parameters).fit(flats.drop(columns="flat"), "rent", sample_weight="weight")
    assert other.predict(flats).tolist() == model.predict(flats).tolist()


def test_ids_are_copied_as_they_are_written_before_the_predictions(cli: Any, flats: pd.DataFrame) -> None:
    assert cli(*TRAIN, *ROLES)[0] == 0
    for _ in range(2):  # the second replaces the predictions of the first
        assert cli("predict", "m.st", "flats.csv", "--out", "p.csv")[0] == 0
    written = pd.read_csv("p.csv", dtype={"flat": str})
    assert list(written) == ["flat", "prediction"]
    assert written["flat"].tolist() == flats["flat"].tolist()
    np.testing.assert_allclose(written["prediction"], load("m.st").predict(flats))
    flats.drop(columns="flat").rename(columns={"town": "flats"}).to_csv("nameless.csv", index=False)
    code, _, err = cli("predict", "m.st", "nameless.csv", "--out", "q.csv")
    assert (code, "there is no id column 'flat'. Did you mean 'flats'?" in err) == (2, True)
    Path("ids.csv").write_text("flat\n000\n")
    assert cli("predict", "m.st", "flats.csv", "--out", "ids.csv")[0] == 2


def test_rows_without_a_target_are_refused_or_counted(cli: Any, flats: pd.DataFrame) -> None:
    flats.loc[[3, 7], "rent"] = np.nan
    flats.to_csv("flats.csv", index=False)
    code, _, err = cli(*TRAIN, *ROLES)
    assert code == 2
    assert "target 'rent' is missing in rows 4, 8" in err
    assert "say --drop-missing-target, which leaves them out." in err
    code, out, _ = cli(*TRAIN, *ROLES, "--drop-missing-target")
    assert code == 0
    assert "flats.csv: 90 rows" in out
    assert "check     2 rows without a target are left out" in out


@pytest.mark.parametrize("share", ["0.2", "0"])
def test_validation_rows_choose_the_epochs(share: str, found: Any, flats: pd.DataFrame) -> None:
    flats.head(30).to_csv("valid.csv", index=False)
    data = found(*TRAIN, *ROLES, "--validation", "valid.csv", "--test-share", share)
    model = load("m.st")
    assert model.score_on_ == "on the validation rows"
    if share == "0":
        assert (data["scores"]["rows"], data["scores"]["scored"]) == (30, "rows of valid.csv")
        assert data["scores"]["measured"] == "on the validation rows"
        expected = r2_score(flats["rent"][:30], model.predict(flats.head(30)))
        assert data["scores"]["metrics"]["R2"]["model"] == pytest.approx(expected, abs=1e-6)
    else:
        assert data["scores"]["scored"] == "held-out rows"


def test_drift_shows_a_line_for_each_column(cli: Any, found: Any, flats: pd.DataFrame) -> None:
    assert cli(*TRAIN, *ROLES)[0] == 0
    fresh = flats.assign(area=flats["area"] + 500, quarter="moon").drop(columns="rent")
    fresh.to_csv("fresh.csv", index=False)
    data, expected = found("drift", "m.st", "fresh.csv")["drift"], load("m.st").drift(fresh)
    assert (data["rows"], data["training_rows"]) == (90, expected.n_training_rows)
    assert [column["column"] for column in data["columns"]] == [column.column for column in expected.columns]
    assert {column["column"]: column["psi"] for column in data["columns"]}["area"] > 1
    out = cli("drift", "m.st", "fresh.csv")[1]
    assert re.search(r"^quarter +100\.0% +0\.0% +0\.0% +\d+\.\d+ +\d+\.\d+ +'?moon'?$", out, re.M)
    assert re.search(r"^area +100\.0% +0\.0% +0\.0% +\d+\.\d+ +\d+\.\d+ +\d+", out, re.M)


def test_warnings_of_predictions_are_notes(cli: Any, flats: pd.DataFrame) -> None:
    assert cli(*TRAIN, *ROLES)[0] == 0
    flats.assign(quarter="moon").to_csv("fresh.csv", index=False)
    code, out, err = cli("predict", "m.st", "fresh.csv", "--out", "p.csv")
    assert (code, err) == (0, "")
    assert re.search(r"^note +.*quarter.*moon", out, re.M)
