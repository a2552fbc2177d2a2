"""Settings of the page: every field is checked, and whatever comes gives settings or a SettingsError."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rosenblatt.playground_page.catalogue import catalogue
from rosenblatt.playground_page.runs import Run
from rosenblatt.playground_page.settings import FIELDS, Settings, SettingsError

WRONG = {
    "no object": ([], "settings is \\[\\]; it must be an object"),
    "unknown": ({"learningrate": 1}, "has no field 'learningrate'.*Did you mean 'learning_rate'"),
    "nested": ({"data": {"nois": 1}}, "data has no field 'nois'.*Did you mean 'noise'"),
    "version": ({"version": 2}, "version is 2"),
    "source": ({"data": {"source": "circel"}}, "data.source is 'circel'. Did you mean 'circle'"),
    "rows": ({"data": {"rows": 10**6}}, r"data.rows is 1000000; it must be an integer in \[10, 10,000\]"),
    "noise": ({"data": {"noise": -1}}, r"data.noise is -1; it must be a number in \[0, 50\]"),
    "share": ({"data": {"train_share": 1}}, "data.train_share"),
    "classes": ({"data": {"source": "blobs", "classes": 7}}, "data.classes is 7"),
    "features": ({"features": ["x1", "sin_x3"]}, "features is 'sin_x3'. Did you mean 'sin_x2'"),
    "no features": ({"features": []}, "choose at least one"),
    "twice": ({"features": ["x1", "x1"]}, "different names"),
    "layers": ({"layers": [{}] * 33}, "at most 32 layers"),
    "units": ({"layers": [{}, {"units": 513}]}, r"layers\[1\].units is 513; it must be an integer in \[1, 512\]"),
    "activation": ({"layers": [{"activation": "sigmoid"}]}, "Did you mean 'logistic'"),
    "dropout": ({"layers": [{"dropout": 1}]}, r"layers\[0\].dropout is 1; it must be a number in \[0, 0.95\]"),
    "initializer": ({"output": {"initializer": "he"}}, "output.initializer is 'he'"),
    "optimizer": ({"optimizer": "Adam"}, "Did you mean 'adam'"),
    "momentum": ({"momentum": 1}, "momentum is 1"),
    "rate": ({"learning_rate": 0}, r"learning_rate is 0; it must be a number in \(0, 1000\]"),
    "NaN": ({"learning_rate": float("nan")}, "learning_rate is nan"),
    "truth": ({"batch_size": True}, "batch_size is True"),
    "schedule": ({"schedule": "cosin"}, "Did you mean 'cosine'"),
    "seed": ({"seed": -1}, "seed is -1"),
    "step output": ({"output": {"activation": "step"}}, "choose the optimizer 'perceptron'"),
    "deep perceptron": ({"optimizer": "perceptron"}, "remove the hidden layers"),
    "perceptron's loss": ({"optimizer": "perceptron", "layers": [], "loss": "hinge"}, "leave the loss at its default"),
    "no table": ({"data": {"source": "table"}}, "there is no table"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_field_is_named_with_what_is_allowed(case):
    wrong, message = WRONG[case]
    with pytest.raises(SettingsError, match=message):
        Settings.from_json(wrong)


def test_settings_survive_json():
    given = {
        "data": {"source": "rings", "classes": 3, "noise": 5.0},
        "layers": [{"units": 3, "dropout": 0.5}],
        "l1": 0.1,
    }
    made = Settings.from_json(given)
    again = Settings.from_json(json.loads(json.dumps(made.to_json())))
    assert again == made
    assert (made.data.classes, made.layers[0].dropout, made.l1) == (3, 0.5, 0.1)


def test_defaults_are_those_of_the_class():
    assert Settings.from_json({}) == Settings()


def test_too_many_parameters_and_wrong_losses_are_refused_by_the_run():
    with pytest.raises(SettingsError, match="at most 1,000,000"):
        Run(Settings.from_json({"layers": [{"units": 512}] * 6}))
    with pytest.raises(SettingsError, match="does not fit a target of two classes; choose of logistic_cross_entropy"):
        Run(Settings.from_json({"loss": "huber"}))
    with pytest.raises(SettingsError, match="two classes apart"):
        Run(Settings.from_json({"data": {"source": "plane"}, "optimizer": "perceptron", "layers": []}))


NAMES = [entry["name"] for part in ("sources", "activations", "optimizers", "losses") for entry in catalogue()[part]]
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(NAMES)
ANY = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)
LIKELY = st.dictionaries(
    st.sampled_from(FIELDS),
    LEAVES
    | st.lists(st.dictionaries(st.sampled_from(("units", "dropout", "activation")), LEAVES))
    | st.dictionaries(st.sampled_from(("source", "rows", "columns", "initializer")), LEAVES),
)


@settings(max_examples=60, deadline=None)
@given(ANY | LIKELY)
def test_anything_gives_settings_or_a_settings_error(given):
    try:
        made = Settings.from_json(given)
    except SettingsError:
        return
    assert Settings.from_json(made.to_json()) == made


def test_values_that_cannot_be_shown_are_refused_all_the_same():
    nested = []
    for _ in range(100_000):
        nested = [nested]
    for value in (10**5000, nested, "x" * 10**6):
        with pytest.raises(SettingsError) as caught:
            Settings.from_json({"seed": value})
        assert len(str(caught.value)) < 200
    while nested:  # taken apart, since freeing it at once needs as many calls
        nested = nested[0]
