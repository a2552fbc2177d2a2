"""Numbers, sentences and first lines of a page."""

import math
from types import SimpleNamespace

import pytest

from rosenblatt.report.verdict import cards, network_pairs, training_time, verdict
from rosenblatt.report.wording import interval, megabytes, number, percent, plain, sentence, spoken, visible


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"), (math.nan, "–"), (math.inf, "∞"), (0, "0"), (12345, "12,345"), (0.98765, "0.9877"),
        (123456.7, "123,457"), (-0.00069671, "-0.0006967"), (1e20, "1e+20"), (3.0, "3"), (1999.0, "1,999"),
        ("a <b>", "a <b>"), (1500.25, "1500"),
    ],
)  # fmt: skip
def test_numbers_have_four_digits(value, text):
    assert number(value) == text


def test_values_of_all_kinds_stand_on_one_line():
    assert plain({"rows": 3, "of": ["a", 0.25, []]}) == "rows: 3, of: a, 0.25, none"
    assert plain(True) == "yes"
    assert interval([0.5, 1]) == "0.5 to 1"
    assert interval(None) == "–"
    assert percent(0.9) == "90 %"
    assert percent(0.946) == "94.6 %"
    assert megabytes(1_234_567) == "1.2 MB"
    assert megabytes(12) == "1 kB"
    assert sentence("rare classes") == "Rare classes."
    assert sentence("Why?") == "Why?"
    assert visible("") == '""'
    assert visible("when\u202e\n") == "when\\u202e\\n"
    assert len(visible("x" * 500)) == 160
    many = {"labels": [str(i) for i in range(20)], "counts": [1] * 20}
    assert spoken(many).endswith("11: 1, and 8 more")


def facts(**score):
    main = {"where": "held out", "rows": 1, "metric": "error", "model": 0.1, "guess": 0.5, "guess_name": "always 'a'"}
    return {
        "model": {"target": "kind"},
        "data": {"rows": 20, "n_columns": 3, "columns": []},
        "scores": [{**main, "greater_is_better": False, "interval": [0.0, 0.2], **score}],
        "checks": [{"severity": "warning"}, {"severity": "note"}, {"severity": "note"}],
        "network": {"members": 5, "parameters": 1000, "layers": [1]},
        "cost": {"parameter_bytes": 4_000_000},
        "file": {"bytes": 5_000_000},
    }


def test_the_first_lines_say_how_good_the_model_is_beside_the_guess():
    title, words = verdict(facts())
    assert title == "A model that predicts kind"
    assert words == (
        "On 1 held-out row, its error is 0.1 (95 % interval 0 to 0.2). The trivial guess (always 'a') has 0.5."
    )
    assert "no better than a trivial guess" in verdict(facts(model=0.5))[1]
    assert "no better" in verdict(facts(greater_is_better=True))[1]
    assert "each predicted by networks that did not train on it" in verdict(facts(where="out of fold", rows=9))[1]
    assert verdict({**facts(), "scores": []})[1] == "It was trained on 20 rows of 3 columns. This report has no score."


def test_the_time_of_training_is_shown_if_it_is_known():
    members = [SimpleNamespace(curve=[0] * 10, held_out=[0] * 20), SimpleNamespace(curve=[0] * 5, held_out=[0] * 20)]
    model = SimpleNamespace(n_rows_=120, ensemble_=SimpleNamespace(members=members))
    assert training_time(model) == {}
    model.fit_time_ = 0.5
    assert training_time(model) == {"training took": "0.5 seconds", "rows trained on per second": "3,000"}


def test_cards_and_pairs_have_the_key_figures():
    found = {name: (figure, note) for name, figure, note in cards(facts(linear=0.2))}
    assert found["warnings"] == ("1", "and 2 notes")
    assert found["training rows"] == ("20", "3 columns")
    assert found["linear model"][0] == "0.2"
    assert found["networks"] == ("5", "1,000 parameters")
    assert found["model file"][0] == "5.0 MB"
    assert network_pairs(facts()) == {
        "members": 5, "parameters": 1000, "memory of parameters": "4.0 MB", "model file": "5.0 MB",
    }  # fmt: skip
