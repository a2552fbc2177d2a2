"""Columns of sentences: which they are, how words are weighted, what can be learned from them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer

import rosenblatt
from rosenblatt import TabularClassifier
from rosenblatt.tables.encoders import N_WORDS
from rosenblatt.tables.kinds import infer_kinds
from rosenblatt.tables.preparation import Preparation, fit_preparation
from rosenblatt.tables.readers.reading import read_table

NOUNS = ["river", "engine", "teacher", "garden", "letter", "window", "mountain", "coffee", "market", "bridge"]
GOOD, BAD = ["lovely", "splendid", "bright"], ["dreadful", "gloomy", "broken"]


def reviews(n: int, seed: int = 0) -> tuple[dict[str, Any], Any]:
    """Sentences of which one word tells the class, and a number that tells nothing."""
    rng = np.random.default_rng(seed)
    y = rng.random(n) < 0.5
    said = [
        f"the {rng.choice(GOOD if good else BAD)} {' '.join(rng.choice(NOUNS, 4))} {rng.integers(99)}" for good in y
    ]
    return {"review": said, "size": rng.normal(size=n)}, np.where(y, "good", "bad")


def prepared(table: Any) -> tuple[Preparation, Any]:
    read = read_table(table)
    preparation = fit_preparation(read, infer_kinds(read))
    return preparation, preparation.transform(read)


def test_words_are_weighted_as_scikit_learn_does() -> None:
    table, _ = reviews(200)
    preparation, rows = prepared(table)
    assert [kind.kind for kind in preparation.kinds] == ["text", "numeric"]
    counts = HashingVectorizer(n_features=N_WORDS, alternate_sign=False, norm=None).transform(table["review"])
    counts.data = np.sqrt(counts.data)
    oracle = TfidfTransformer(sublinear_tf=False).fit_transform(counts)
    np.testing.assert_allclose(rows.words[0].toarray(), oracle.toarray(), atol=1e-4)
    assert rows.words[0].dtype == np.float32


def test_words_that_training_never_saw_count_nothing_and_missing_texts_are_empty() -> None:
    preparation, _ = prepared(reviews(200)[0])
    rows = preparation.transform(read_table({"review": ["unheard of", None, "river"], "size": [0.0, 1.0, 2.0]}))
    assert rows.words[0].getnnz(axis=1).tolist() == [0, 0, 1]


def test_classes_are_learned_from_words(tmp_path: Path) -> None:
    table, y = reviews(400)
    model = TabularClassifier(members=2, max_iter=16).fit(table, y)
    fresh, truth = reviews(200, seed=1)
    assert (model.predict(fresh) == truth).mean() > 0.97
    assert "text: the words, weighted" in str(model.report())
    rosenblatt.save(model, tmp_path / "m")
    np.testing.assert_array_equal(rosenblatt.load(tmp_path / "m").predict_proba(fresh), model.predict_proba(fresh))


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        ([f"{a} {b} of the {c}" for a in NOUNS for b in NOUNS for c in NOUNS[:2]], "text"),
        ([f"{a} {b} of the {c}" for a in NOUNS[:4] for b in NOUNS[:5] for c in ["x"] * 10], "categorical"),
        ([f"{a}-{b}-{c}" for a in NOUNS for b in NOUNS for c in NOUNS[:2]], "identifier"),
        ([a for a in NOUNS for _ in range(20)], "categorical"),
    ],
)
def test_sentences_are_told_from_names(cells: list[str], kind: str) -> None:
    table = read_table({"cells": cells, "x": np.arange(len(cells)) % 7 * 1.5})
    assert infer_kinds(table)[0].kind == kind
    assert infer_kinds(table, {"cells": "text"})[0].kind == "text"


def test_a_stored_encoder_of_words_is_checked() -> None:
    entry = prepared(reviews(100)[0])[0].to_dict()
    assert Preparation.from_dict(entry).encoders[0].idf == tuple(entry["encoders"][0]["idf"])
    for idf in ([1.0], ["x"] * N_WORDS, [float("inf")] * N_WORDS, None):
        entry["encoders"][0]["idf"] = idf
        with pytest.raises(ValueError, match="does not say how rare words are"):
            Preparation.from_dict(entry)
