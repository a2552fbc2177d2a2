# ruff: noqa: E501 (one case per line)
"""Steps of pipelines whose attributes contradict each other are refused, before scikit-learn relies on them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import KBinsDiscretizer, OneHotEncoder, OrdinalEncoder, StandardScaler

import rosenblatt
from rosenblatt import LogisticRegression, ModelFileError
from rosenblatt.persistence.models import model_from_parts, model_parts
from rosenblatt.persistence.step_relations import is_quick
from rosenblatt.storage.container import pack, unpack

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4))
Y = (X[:, 0] > 0).astype(int)
CELLS = RNG.choice(["a", "b", "c", "d"], (60, 2), p=[0.4, 0.4, 0.1, 0.1]).astype(object)
NUMBERS = (X[:, :2] > 0).astype(int)
TEXTS = [f"word{i % 5} and word{i % 3}" for i in range(60)]
RARE = {"min_frequency": 0.2, "handle_unknown": "infrequent_if_exist"}


def fitted(step: Any, data: Any) -> Any:
    return make_pipeline(step, LogisticRegression()).fit(data, Y)


def entries(state: Any, key: str) -> list[tuple[Any, str]]:
    """All places of a key in a state, each as what holds it and the key."""
    inner = list(state.values()) if isinstance(state, dict) else state if isinstance(state, list) else []
    own = [(state, key)] if isinstance(state, dict) and key in state else []
    return own + [place for item in inner for place in entries(item, key)]


def last_cell(value: Any) -> Any:
    """A change of the last cell of an array, or of the last array of a list."""

    def change(entry: Any) -> Any:
        cells = entry["cells"] if "cells" in entry else entry["list"]
        if isinstance(cells[-1], dict):
            return {**entry, "list": [*cells[:-1], change(cells[-1])]}
        return entry | {("cells" if "cells" in entry else "list"): [*cells[:-1], value]}

    return change


def to(value: Any) -> Any:
    return lambda entry: value


FORGED: list[tuple[Any, Any, str, Any]] = [
    (make_column_transformer((StandardScaler(), [0]), remainder="drop"), X, "n_features_in_", to(10**9)),
    (OneHotEncoder(**RARE), CELLS, "_default_to_infrequent_mappings", last_cell(10**9)),
    (OneHotEncoder(**RARE), CELLS, "_default_to_infrequent_mappings", last_cell(3)),
    (OneHotEncoder(**RARE), CELLS, "_infrequent_indices", last_cell(4)),
    (OneHotEncoder(**RARE), CELLS, "_n_features_outs", last_cell(2)),
    (OneHotEncoder(drop="first"), CELLS, "_drop_idx_after_grouping", last_cell(99)),
    (OneHotEncoder(drop="first"), CELLS, "_drop_idx_after_grouping", last_cell(None)),
    (OneHotEncoder(drop="first"), CELLS, "drop_idx_", last_cell(4)),
    (OneHotEncoder(), NUMBERS, "categories_", last_cell(0)),
    (OneHotEncoder(), CELLS, "categories_", last_cell({"tuple": []})),
    (OrdinalEncoder(min_frequency=0.2), CELLS, "_default_to_infrequent_mappings", last_cell(7)),
    (OrdinalEncoder(encoded_missing_value=-1), np.where(CELLS == "d", np.nan, CELLS), "_missing_indices", to({"dict": [[0, 1]]})),
    (KBinsDiscretizer(3, quantile_method="averaged_inverted_cdf"), X, "n_bins_", last_cell(10**9)),
    (CountVectorizer(), TEXTS, "token_pattern", to("(")),
    (CountVectorizer(), TEXTS, "token_pattern", to("(a+)+$x")),
    (CountVectorizer(), TEXTS, "input", to("filename")),
    (CountVectorizer(), TEXTS, "encoding", to("nope")),
    (HashingVectorizer(n_features=16), TEXTS, "ngram_range", to({"tuple": [1, 1.5]})),
    (HashingVectorizer(n_features=16), TEXTS, "ngram_range", to({"tuple": [2, 1]})),
]  # fmt: skip


@pytest.mark.parametrize(("step", "data", "key", "change"), FORGED, ids=range(len(FORGED)))
def test_attributes_that_contradict_others_are_refused(step: Any, data: Any, key: str, change: Any) -> None:
    _, state, arrays = model_parts(fitted(step, data))
    state = json.loads(json.dumps(state))
    for holder, name in entries(state, key):
        holder[name] = change(holder[name])
    with pytest.raises(ModelFileError, match=key):
        model_from_parts("pipeline", state, arrays)


@pytest.mark.parametrize(
    "pattern", [r"(?u)\b\w\w+\b", r"\w+", r"(?i)[a-z_]{2,}", r"\b(\w+)\b", r"[^\s,]+|\d{3}", "a" * 1000]
)
def test_patterns_of_words_in_use_are_stored(pattern: str) -> None:
    assert is_quick(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "(",
        "[z-a]",
        "[]",
        "(a+)+",
        "(a|aa)+",
        "(a)(b)",
        r"(a)\1",
        "(?=a)",
        "a*" * 4,
        "(?:(?:a))",
        "a" * 1001,
        "[^a]" * 200 + "(",
    ],
)
def test_other_patterns_are_not(pattern: str) -> None:
    assert not is_quick(pattern)


@pytest.mark.parametrize("name", ["a", "\ud800", "a__b", 1])
def test_steps_have_names_that_can_be_written(name: Any) -> None:
    _, state, arrays = model_parts(fitted(StandardScaler(), X))
    state["part"]["holds"]["steps"][0][0] = name
    if name == "a":
        assert name in model_from_parts("pipeline", state, arrays).named_steps
    else:
        with pytest.raises(ModelFileError, match="name of a step"):
            model_from_parts("pipeline", state, arrays)


def test_a_step_that_is_null_is_refused() -> None:
    _, state, arrays = model_parts(fitted(make_union(StandardScaler(), "passthrough"), X))
    state["part"]["holds"]["steps"][0][1]["holds"]["steps"][1][1] = None
    with pytest.raises(ModelFileError, match="FeatureUnion is null"):
        model_from_parts("pipeline", state, arrays)


def test_pipelines_are_in_others_over_five_levels_at_most(tmp_path: Any) -> None:
    step: Any = StandardScaler()
    for _ in range(4):
        step = make_pipeline(step)
    rosenblatt.save(fitted(step, X), tmp_path / "m")
    for deeper in (make_pipeline(make_pipeline(step)), make_union(make_union(step))):
        with pytest.raises(ModelFileError, match="more than 5 levels"):
            rosenblatt.save(fitted(deeper, X), tmp_path / "m")


def test_a_good_file_is_not_replaced_by_one_that_cannot_be_loaded(tmp_path: Any) -> None:
    rosenblatt.save(fitted(StandardScaler(), X), tmp_path / "m")
    before = (tmp_path / "m").read_bytes()
    model = make_pipeline(make_column_transformer((StandardScaler(), [0, 1])), LogisticRegression()).fit(X, Y)
    model[0].verbose_feature_names_out = "{feature_name:>9}"
    with pytest.raises(ModelFileError, match="verbose_feature_names_out is"):
        rosenblatt.save(model, tmp_path / "m")
    assert (tmp_path / "m").read_bytes() == before
    model[0].verbose_feature_names_out = "{feature_name}@{transformer_name}"
    rosenblatt.save(model, tmp_path / "m")
    names = rosenblatt.load(tmp_path / "m")[0].get_feature_names_out()
    assert [*names] == ["x0@standardscaler", "x1@standardscaler"]


def test_messages_quote_files_at_a_length_that_is_read(tmp_path: Any) -> None:
    state = {"class": "M" * 10**6, "parameters": {}, "network": {}, "attributes": {}}
    for file in (pack("estimator", state, {}), pack("e\x1b[1m" * 10**5, {}, {})):
        (tmp_path / "m").write_bytes(file)
        with pytest.raises(ModelFileError) as error:
            rosenblatt.load(tmp_path / "m")
        assert len(str(error.value)) < 1200
        assert "\x1b" not in str(error.value)


@pytest.mark.parametrize("version", [2.0, 1, "2" * 10**5])
def test_the_version_is_a_whole_number(version: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("rosenblatt.storage.container.FORMAT_VERSION", version)
    file = pack("network", {}, {})
    monkeypatch.undo()
    with pytest.raises(ModelFileError, match="the file has format version") as error:
        unpack(file)
    assert len(str(error.value)) < 300


def test_vectorizers_of_files_are_refused(tmp_path: Any) -> None:
    (tmp_path / "words").write_text("some words")
    step = CountVectorizer(input="filename").fit([tmp_path / "words"])
    with pytest.raises(ModelFileError, match="input='filename', by which it would open files"):
        rosenblatt.save(make_pipeline(step, LogisticRegression()).fit([tmp_path / "words"] * 60, Y), tmp_path / "m")


def test_columns_may_be_an_index_and_types_those_of_python(tmp_path: Any) -> None:
    table = pd.DataFrame(X, columns=[*"abcd"])
    steps = make_column_transformer(
        (StandardScaler(), table.columns[:2]), (OneHotEncoder(dtype=int, handle_unknown="ignore"), table.columns[2:])
    )
    model = make_pipeline(steps, LogisticRegression()).fit(table, Y)
    rosenblatt.save(model, tmp_path / "m")
    after = rosenblatt.load(tmp_path / "m")
    np.testing.assert_array_equal(after.predict_proba(table), model.predict_proba(table))


@pytest.mark.parametrize("solver", ["randomized", "arpack"])
@pytest.mark.parametrize("k", [1, 2, 5])
def test_arrays_keep_their_place_in_memory(solver: str, k: int, tmp_path: Any) -> None:
    wide = RNG.normal(size=(60, 48))
    model = fitted(PCA(k, svd_solver=solver, random_state=0), wide)
    rosenblatt.save(model, tmp_path / "m")
    after = rosenblatt.load(tmp_path / "m")
    for n in (1, 7, 50):
        assert after[0].transform(wide[:n]).tobytes() == model[0].transform(wide[:n]).tobytes()


@pytest.mark.parametrize("strides", [[0, 1], [1, 0], [2**40, 1], [4, 2], [1], "F", [1, True], [1, 1]])
def test_strides_that_cannot_be_are_refused(strides: Any) -> None:
    _, state, arrays = model_parts(fitted(PCA(2), X))
    for holder, key in entries(state, "components_"):
        holder[key]["strides"] = strides
    with pytest.raises(ModelFileError, match="strides that it cannot have"):
        model_from_parts("pipeline", state, arrays)
