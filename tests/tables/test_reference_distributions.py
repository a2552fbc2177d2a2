"""What is kept of the training rows: bins and their counts, unseen values of all kinds, files and their forgeries."""

import json

import numpy as np
import pytest

from rosenblatt.tables.encoders import fit_encoder
from rosenblatt.tables.kinds import infer_kinds
from rosenblatt.tables.preparation import Preparation, fit_preparation
from rosenblatt.tables.readers.reading import read_table
from rosenblatt.tables.reference_distributions import fit_reference, reference_from_state

RNG = np.random.default_rng(0)
WORDS = np.array(["river", "lake", "hill", "tree", "stone", "cloud", "grass", "house", "road", "snow"])
N = 300


def column_of(values, kind=None):
    table = read_table({"c": values})
    (found,) = infer_kinds(table, {"c": kind} if kind else None)
    return table["c"], found


def fit(values, kind=None):
    column, found = column_of(values, kind)
    encoder = fit_encoder(column, found)
    return encoder, fit_reference(encoder, column)


def binned(fitted, values):
    encoder, reference = fitted
    return reference.bin_cells(encoder, read_table({"c": values})["c"])


def texts(n):
    return [" ".join(RNG.choice(WORDS, size)) for size in RNG.integers(3, 9, n)]


def test_numbers_have_the_deciles_of_training():
    x, new = RNG.normal(size=1000), RNG.normal(1, 2, 500)
    fitted = fit(x)
    expected = np.bincount(np.digitize(new, np.quantile(x, np.arange(1, 10) / 10)), minlength=10)
    assert fitted[1].counts == (100,) * 10 + (0,)
    np.testing.assert_array_equal(binned(fitted, new).counts, [*expected, 0])


def test_few_values_have_a_bin_each_and_missing_cells_too():
    fitted = fit([0.0] * 95 + [1.0] * 3 + [2.5, 2.5], "numeric")
    assert fitted[1].counts == (95, 3, 2, 0)
    found = binned(fitted, [0.0, np.nan, 1.0, 1.0, 2.5, np.nan])
    assert found.counts.tolist() == [1, 2, 1, 2]
    assert found.sizes.tolist() == [1, 0, 1, 1, 1, 0]


def test_rounding_to_float32_moves_no_number():
    x = np.round(RNG.uniform(0.05, 1, N), 1)
    fitted = fit(x, "numeric")
    assert binned(fitted, x.astype(np.float32)).counts.tolist() == list(fitted[1].counts)
    for values in (x, RNG.normal(size=N)):
        assert binned(fit(values, "numeric"), values.astype(np.float32)).unlike.sum() == 0


def test_numbers_out_of_range_and_infinite_ones():
    fitted = fit(np.r_[np.linspace(-1, 1, 50), -np.inf])
    assert binned(fitted, [-np.inf, -5.0, 1.0, 1.01, np.inf, np.nan]).unlike.tolist() == [0, 0, 0, 1, 1, 0]
    assert np.isfinite(fitted[1].edges).all()


def test_dates_are_shown_as_dates():
    encoder, reference = fit(np.datetime64("2024-02-01") + np.arange(40) % 28)
    assert reference.describe_unlike(encoder) == "lie outside the training range, 2024-02-01 to 2024-02-28"
    column = read_table({"c": np.array(["2024-02-10", "2024-03-05"], "datetime64[D]")})["c"]
    assert reference.bin_cells(encoder, column).unlike.tolist() == [0, 1]
    assert reference.example(encoder, column, 1) == "2024-03-05"


def test_levels_have_a_bin_each_and_all_others_share_one():
    fitted = fit(["a"] * 30 + ["b"] * 20 + ["c"] * 10 + [None] * 5)
    assert fitted[1].counts == (30, 20, 10, 0, 5)
    found = binned(fitted, ["b", "new", None, "a", "b", "new too"])
    assert found.counts.tolist() == [1, 2, 0, 2, 1]
    assert found.unlike.tolist() == [0, 1, 0, 0, 0, 1]


def test_a_boolean_that_training_never_saw_is_unseen():
    fitted = fit([True] * 40 + [None] * 10)
    assert fitted[1].counts == (40, 0, 0, 10)
    assert binned(fitted, [True, False, None]).unlike.tolist() == [0, 1, 0]


def test_levels_that_occur_once_were_seen():
    levels = [f"often{i % 20}" for i in range(200)] + [f"once{i}" for i in range(40)]
    fitted = fit(levels)
    assert "once3" not in fitted[0].levels
    assert binned(fitted, levels).unlike.sum() == 0
    assert binned(fitted, ["once3", "never", "often3"]).unlike.tolist() == [0, 1, 0]
    assert fitted[1].expected == pytest.approx(40 / 240)  # Good and Turing: singletons / rows


def test_unseen_levels_are_estimated_where_training_had_too_many_to_keep():
    often = [f"often{i % 20}" for i in range(6000)]
    fitted = fit([*often, *(f"once{i}" for i in range(3000))], "categorical")
    assert len(json.dumps(fitted[1].to_state())) < 7000
    new = [f"once{i}" for i in range(2000)] + [f"never{i}" for i in range(2000)] + often[:1000]
    assert binned(fitted, new).share_unlike == pytest.approx(0.4, abs=0.05)
    assert binned(fitted, new[:2000]).unlike.sum() == 0


def test_new_words_are_counted_and_one_is_shown():
    encoder, reference = fitted = fit(texts(N), "text")
    new = ["river Zebra lake okapi", None, "tree tree tree"]
    found = binned(fitted, new)
    assert found.sizes.tolist() == [4, 0, 3]
    np.testing.assert_allclose(found.unlike, [2 / (1 - 10 / 4096), 0, 0])  # a share of hashes is taken
    assert found.counts[-1] == 1
    assert reference.example(encoder, read_table({"c": new})["c"], 0) == "'zebra'"


def test_half_of_the_words_are_new_though_most_hashes_are_taken():
    words = np.array([f"w{i}" for i in range(12000)])
    fitted = fit([" ".join(row) for row in words[:8000].reshape(400, 20)], "text")
    taken = 1 - fitted[0].idf.count(0.0) / 4096
    assert taken > 0.8
    mixed = np.concatenate([words[:4000], words[8000:]]).reshape(2, -1).T.reshape(400, 20)
    assert binned(fitted, [" ".join(row) for row in mixed]).share_unlike == pytest.approx(0.5, abs=0.1)


def test_what_is_expected_is_what_further_rows_have():
    rng = np.random.default_rng(1)
    levels = np.array([f"l{i}" for i in rng.zipf(1.6, 4000)])
    fitted = fit(levels[:2000].tolist(), "categorical")
    found = binned(fitted, levels[2000:].tolist()).share_unlike
    assert found == pytest.approx(fitted[1].expected, abs=0.03)
    x = rng.normal(size=(800, 20))
    shares = [binned(fit(row[:8], "numeric"), row[8:]).share_unlike for row in x]
    assert np.mean(shares) == pytest.approx(2 / 9, abs=0.03)


COLUMNS = {
    "number": RNG.normal(size=N),
    "date": np.datetime64("2024-01-01") + RNG.integers(0, 300, N),
    "level": [f"often{i % 20}" for i in range(N - 30)] + [f"once{i}" for i in range(30)],
    "flag": RNG.random(N) < 0.3,
    "text": texts(N),
}


@pytest.fixture(name="preparation", scope="module")
def _preparation():
    table = read_table(COLUMNS)
    return fit_preparation(table, infer_kinds(table, {"text": "text"}))


def test_distributions_come_back_from_json(preparation):
    restored = Preparation.from_dict(json.loads(json.dumps(preparation.to_dict())))
    assert restored.references == preparation.references
    assert all(len(json.dumps(reference.to_state())) < 1000 for reference in restored.references)


def less(values):
    return values[:-1]


def negative(values):
    return [-values[0], *values[1:]]


@pytest.mark.parametrize(
    ("column", "field", "change"),
    [
        *((name, "class", lambda _: "Other") for name in COLUMNS),
        *((name, "counts", less) for name in COLUMNS),
        *((name, "counts", negative) for name in COLUMNS),
        *((name, "counts", lambda counts: [float(count) for count in counts]) for name in COLUMNS),
        *((name, "counts", lambda counts: [0] * len(counts)) for name in COLUMNS),
        *((name, "counts", lambda counts: [2**60, *counts[1:]]) for name in COLUMNS),
        *((name, "counts", lambda _: 3) for name in COLUMNS),
        *((name, "expected", lambda _: [0.1]) for name in COLUMNS),
        *((name, "expected", lambda _: 1.5) for name in COLUMNS),
        *((name, "expected", lambda _: float("nan")) for name in COLUMNS),
        *((name, "edges", lambda edges: edges[::-1]) for name in ("number", "date", "text")),
        *((name, "edges", lambda edges: [*edges[:-1], float("inf")]) for name in ("number", "date", "text")),
        *((name, "edges", less) for name in ("number", "date", "text")),
        ("number", "lowest", lambda _: 99.0),
        ("number", "highest", lambda _: "9"),
        ("number", "highest", lambda _: float("nan")),
        ("level", "levels", lambda levels: [*levels[:-1], 10**6]),
        ("level", "levels", lambda levels: [levels[1], *levels[1:]]),
        ("level", "levels", lambda levels: [-1, *levels[1:]]),
        ("level", "levels", lambda _: []),
        ("level", "rare", lambda rare: rare[::-1]),
        ("level", "rare", lambda _: list(range(501))),
        ("level", "rare", lambda _: [2**32]),
        ("flag", "rare", lambda _: ["x"]),
    ],
)
def test_forged_distributions_are_refused(preparation, column, field, change):
    place = [encoder.name for encoder in preparation.encoders].index(column)
    encoder = preparation.encoders[place]
    state = json.loads(json.dumps(preparation.references[place].to_state()))
    assert reference_from_state(state, encoder) == preparation.references[place]
    state[field] = change(state[field])
    with pytest.raises(ValueError, match=f"training distribution of column '{column}'"):
        reference_from_state(state, encoder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda entries: entries.pop(), "each encoder"),
        (lambda entries: entries[0].pop("edges"), "not of the known form"),
        (lambda entries: entries[0].update(more=1), "not of the known form"),
        (lambda entries: entries.__setitem__(1, None), "not of the known form"),
        (lambda entries: entries[0]["counts"].__setitem__(0, 1), "different numbers of rows"),
    ],
)
def test_forged_lists_of_distributions_are_refused(preparation, change, message):
    entry = json.loads(json.dumps(preparation.to_dict()))
    change(entry["references"])
    with pytest.raises(ValueError, match=message):
        Preparation.from_dict(entry)
