"""Spam or not
===========

Spam or not: one logistic output, on raw messages and on a table of measured frequencies.

scikit-learn's TfidfVectorizer turns messages into a sparse matrix with one column per group of letters, which
`MLPClassifier` reads directly. Without --full the messages are generated: both kinds use the same words, with different
frequencies.
"""

from typing import Any

import numpy as np
from _data import is_full, table
from _pictures import bars, show
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import precision_score, recall_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from rosenblatt import MLPClassifier

OPTIONS: dict[str, Any] = {"hidden_layer_sizes": (32,), "dropout": 0.5, "alpha": 0.01, "random_state": 0}
TEXT_MODEL = make_pipeline(
    TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), min_df=2, sublinear_tf=True, dtype=np.float32),
    MLPClassifier(batch_size=64, learning_rate_init=0.003, **OPTIONS),
)
TABLE_MODEL = make_pipeline(
    FunctionTransformer(np.log1p),  # frequencies and lengths span orders of magnitude
    StandardScaler(),
    MLPClassifier(early_stopping=True, n_iter_no_change=20, **OPTIONS),
)


def made_messages(n: int = 2000, n_words: int = 400) -> tuple[list[str], np.ndarray]:
    """Messages of 5 to 20 words, of which one in seven is spam."""
    rng = np.random.default_rng(0)
    words = ["".join(rng.choice(list("abcdefghiklmnoprstu"), rng.integers(2, 8))) for _ in range(n_words)]
    frequencies = rng.pareto(1.0, (2, n_words)) + 0.3
    frequencies /= frequencies.sum(axis=1, keepdims=True)
    spam = (rng.random(n) < 1 / 7).astype(int)
    return [" ".join(rng.choice(words, rng.integers(5, 21), p=frequencies[sort])) for sort in spam], spam


def held_out(model: Any, X: Any, spam: np.ndarray) -> dict[str, float]:
    """Scores on a held-out fifth of the rows."""
    X_train, X_test, y_train, y_test = train_test_split(X, spam, test_size=0.2, stratify=spam, random_state=0)
    found = model.fit(X_train, y_train).predict(X_test)
    scores = {"accuracy": np.mean(found == y_test), "precision": precision_score(y_test, found)}
    return {**scores, "recall": recall_score(y_test, found)}


def main(full: bool = False) -> dict[str, float]:
    """Accuracy, precision and recall for messages and, in full mode, for the rows of a table."""
    if full:
        sms, spambase = table("sms_spam_text").drop_duplicates("text"), table("spambase").astype(np.float32)
        figures = held_out(TEXT_MODEL, sms["text"], (sms["label"] == "spam").to_numpy(int))
        of_table = held_out(TABLE_MODEL, spambase.to_numpy()[:, :-1], spambase["target"].to_numpy(int))
        figures |= {f"table_{name}": score for name, score in of_table.items()}
    else:
        figures = held_out(TEXT_MODEL, *made_messages())
    for name, score in figures.items():
        print(f"{name:<16} {score:.2%}")
    show(bars, figures, xlabel="score on held-out rows")
    return {name: float(score) for name, score in figures.items()}


if __name__ == "__main__":
    main(is_full())
