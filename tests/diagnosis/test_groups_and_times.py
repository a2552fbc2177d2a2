"""Diagnoses that honour groups and times in all of their splits."""

import numpy as np
import pytest
from sklearn.model_selection import GroupKFold, TimeSeriesSplit

from rosenblatt import MLPClassifier, diagnose
from rosenblatt.diagnosis import diagnosing
from rosenblatt.diagnosis.checking import splits_of

RNG = np.random.default_rng(0)
N = 240
GROUPS = RNG.permutation(np.arange(N) // 6)
TIMES = RNG.permutation(N).astype(float)
LABELS = RNG.integers(0, 2, 40)[GROUPS]
X = RNG.normal(size=(40, 3))[GROUPS] + 0.05 * RNG.normal(size=(N, 3))


def test_no_split_divides_a_group():
    for cv in (None, 4, GroupKFold(4)):
        splits = splits_of(MLPClassifier(), cv, X, LABELS, 0, GROUPS)
        assert len(splits) == (5 if cv is None else 4)
        assert all(not set(GROUPS[a]) & set(GROUPS[b]) for a, b in splits)
    few = splits_of(MLPClassifier(), None, X[:120], LABELS[:120], 0, GROUPS[:120])
    assert len(few) == 10  # twice, dealt differently
    assert sorted(few[0][1]) != sorted(few[5][1])


def test_held_out_rows_are_later():
    for cv in (None, 3, TimeSeriesSplit(3)):
        splits = splits_of(MLPClassifier(), cv, X, LABELS, 0, None, TIMES)
        assert len(splits) == (5 if cv is None else 3)
        assert all(TIMES[a].max() < TIMES[b].min() for a, b in splits)


@pytest.mark.parametrize("role", ["groups", "time"])
def test_all_splits_of_a_diagnosis_honour_them(role, monkeypatch):
    seen = []

    def watched(model, cv, X, y, seed, groups, times):
        seen.append((groups, times))
        return splits_of(model, cv, X, y, seed, groups, times)

    monkeypatch.setattr(diagnosing, "splits_of", watched)
    given = {"groups": [f"customer {g}" for g in GROUPS], "time": np.datetime64("2020-01-01") + TIMES.astype(int)}
    found = diagnose(MLPClassifier((4,), max_iter=3), X, LABELS, cv=2, **{role: given[role]})
    assert found.score_on == {"groups": "on groups not seen in training", "time": "on later rows"}[role]
    assert f"validation: {found.score_on}" in str(found)
    assert len(seen) == 2
    for groups, times in seen:
        assert (groups is None) == (role == "time")
        assert (times is None) == (role == "groups")
        if groups is not None:
            assert len(set(zip(groups, GROUPS, strict=True))) == 40
        else:
            assert np.array_equal(np.argsort(times), np.argsort(TIMES))
