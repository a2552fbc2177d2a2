"""The examples for tables say what they promise."""

import importlib
import pathlib

import pytest

FOLDER = pathlib.Path(__file__).parents[2] / "examples" / "tables"
pytestmark = pytest.mark.long  # each feature that they show has shorter tests


def main(name, monkeypatch):
    monkeypatch.syspath_prepend(FOLDER)
    return importlib.import_module(name).main()


def test_a_score_by_groups_promises_less(monkeypatch, capsys):
    found = main("fit", monkeypatch)
    assert found["groups"] < found["rows"]
    assert "400 groups: all rows of a group train together" in capsys.readouterr().out


def test_the_promised_score_is_kept(monkeypatch):
    found = main("evaluate", monkeypatch)
    assert found["found"] == pytest.approx(found["promised"], abs=0.06)


def test_kinds_are_known_before_training(monkeypatch, capsys):
    main("load", monkeypatch)
    said = capsys.readouterr().out
    assert "numbers written as text" in said
    assert "subscriber" not in said  # groups are no inputs


def test_contributions_add_up(monkeypatch):
    assert main("explain", monkeypatch)["error"] < 1e-6


def test_settings_are_compared_on_later_rows(monkeypatch):
    found = main("improve", monkeypatch)
    assert set(found) == {"fast", "default", "log loss", "search"}
    assert min(found.values()) > 0.65


def test_a_file_predicts_the_same(monkeypatch):
    assert main("save", monkeypatch)["same"] == 1


def test_a_server_answers(monkeypatch):
    (answer,) = main("serve", monkeypatch)
    assert sum(answer.values()) == pytest.approx(1)


def test_a_report_scores_the_later_rows(monkeypatch, capsys):
    found = main("report", monkeypatch)
    assert found["rows"] == 306
    assert 0.65 < found["score"] < 0.85
    said = capsys.readouterr().out
    assert "with notes and without cannot be told apart by accuracy on these 306 rows" in said
    assert "report.html: " in said


def test_a_new_city_is_noticed(monkeypatch, capsys):
    assert main("monitor", monkeypatch)["warnings"] == 1
    assert "'Oslo'" in capsys.readouterr().out
