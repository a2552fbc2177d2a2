import json

import numpy as np
import pandas as pd
import pytest
from benchmarks.tabular import __main__ as command
from benchmarks.tabular import report, tables
from benchmarks.tabular.fits import plain
from scipy.stats import gmean
from sklearn.metrics import log_loss, root_mean_squared_error


@pytest.fixture
def data(tmp_path, monkeypatch):
    entries = [{"name": name, "task": "regression"} for name in "vwxyz"]
    entries += [{"name": name, "task": task} for name, task in zip("badc", ["binary", "multiclass"] * 2, strict=True)]
    entries.append({"name": "mnist", "task": "multiclass"})
    (tmp_path / "manifest.json").write_text(json.dumps(entries))
    monkeypatch.setenv("ROSENBLATT_DATA", str(tmp_path))
    return tmp_path


def test_class_errors_are_scikit_learns():
    rng = np.random.default_rng(0)
    labels, p = rng.integers(0, 3, 50), rng.dirichlet([1, 1, 1], 50)
    found = tables.class_errors(labels, 5 * p)
    assert found["error"] == np.mean(p.argmax(axis=1) != labels)
    np.testing.assert_allclose(found["log_loss"], log_loss(labels, p), rtol=1e-12)


def test_a_class_that_training_lacked_costs_the_clipped_logarithm():
    found = tables.class_errors(np.array([0, 2]), np.array([[1.0, 0.0, 0.0], [0.5, 0.5, 0.0]]))
    assert found["error"] == 0.5
    np.testing.assert_allclose(found["log_loss"], -np.log(1e-7) / 2)


def test_number_errors_are_one_for_the_mean_and_scikit_learns_rmse():
    y = np.random.default_rng(1).normal(5, 3, 100)
    assert tables.number_errors(y, np.full(100, y.mean()))["error"] == pytest.approx(1)
    shifted = y * 1.1
    assert tables.number_errors(y, shifted)["error"] == pytest.approx(root_mean_squared_error(y, shifted) / np.std(y))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_is_no_result(bad):
    with pytest.raises(ValueError, match="not finite"):
        tables.class_errors(np.array([0]), np.array([[0.5, bad]]))
    with pytest.raises(ValueError, match="not finite"):
        tables.number_errors(np.arange(2.0), np.array([0.0, bad]))


def test_ratio_is_a_geometric_mean_with_the_normal_interval():
    rng = np.random.default_rng(2)
    theirs = rng.uniform(0.1, 0.5, 400)
    ours = (theirs + 0.01) * np.exp(rng.normal(-0.05, 0.2, 400)) - 0.01
    parts = (ours + 0.01) / (theirs + 0.01)
    found, low, high = tables.ratio(ours, theirs)
    assert found == pytest.approx(gmean(parts))
    half = 1.96 * np.log(parts).std() / 20
    np.testing.assert_allclose([low, high], [found * np.exp(-half), found * np.exp(half)], rtol=3e-3)


def test_ratio_is_paired_so_equal_ratios_leave_no_doubt():
    theirs = np.array([0.01, 0.1, 0.9])
    np.testing.assert_allclose(tables.ratio(1.5 * (theirs + 0.01) - 0.01, theirs), 1.5)


def test_halves_alternate_within_each_task(data):
    assert tables.half("tune") == ["a", "c", "v", "x", "z"]
    assert tables.half("report") == ["b", "d", "w", "y"]
    assert sorted(tables.half("all")) == sorted(tables.half("tune") + tables.half("report"))


@pytest.mark.parametrize(
    ("n", "most", "n_train", "n_test"),
    [(1000, 3000, 750, 250), (5000, 3000, 3000, 2000), (20_000, 3000, 3000, 10_000), (200_000, None, 160_000, 20_000)],
)
def test_sizes_of_a_split(n, most, n_train, n_test):
    y = np.arange(n) % 2
    train, test = tables.split(y, True, 0, most)
    assert (len(train), len(test)) == (n_train, n_test)
    assert not set(train) & set(test)
    assert y[train].mean() == pytest.approx(0.5, abs=1e-3)


def test_splits_are_shuffled_by_their_seed():
    y = np.arange(400.0)
    first, again, other = (tables.split(y, False, seed)[0] for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert set(first) != set(other)
    assert abs(np.corrcoef(np.arange(300), first)[0, 1]) < 0.2


def test_a_class_of_one_row_leaves_the_split_unstratified():
    y = np.array(["often"] * 99 + ["once"])
    train, test = tables.split(y, True, 0)
    assert len(train) + len(test) == 100


def test_plain_knows_only_training_rows():
    frame = pd.DataFrame({"n": [1.0, 3.0, np.nan, 1000.0], "c": ["x", None, "x", "new"]})
    train = np.array([0, 1, 2])
    found = plain(frame, train, "realmlp")
    assert found["n"].tolist() == [1, 3, 2, 1000]  # the median of 1 and 3
    assert found["n_missing"].tolist() == [0, 0, 1, 0]
    assert found["c"].tolist() == ["x", "missing", "x", "new"]
    category = plain(frame, train, "lightgbm")
    assert category["c"].cat.categories.tolist() == ["missing", "x"]
    assert category["c"].isna().tolist() == [False, False, False, True]
    assert category["n"].isna().sum() == 1


def results(**errors):
    times = {"seconds": 2.0, "processor_seconds": 4.0, "predict_seconds": 0.5, "threads": 1}
    return {f"3000/{key.replace('_', '/')}": {"error": e, "log_loss": e, **times} for key, e in errors.items()}


def test_report_means_over_seeds_first_and_leaves_out_what_is_missing():
    found = results(a_0_ours=0.1, a_1_ours=0.3, a_0_peer=0.2, a_1_peer=0.6, b_0_ours=0.1, b_1_ours=0.1, b_0_peer=0.2)
    found["3000/b/1/peer"] = {"failed": "ValueError: no"}
    lines = list(report.lines(report.Results(found, "3000", [0, 1]), "ours", ["peer"], {"a": True, "b": True}))
    assert "| a | 0.2000 | 0.4000 |" in lines
    assert "| b | 0.1000 | - |" in lines
    assert any(line.startswith(f"| peer | {0.21 / 0.41:.3f} |") and "1 of 1" in line for line in lines)
    assert "Failed: 3000/b/1/peer: ValueError: no" in lines


def test_report_names_the_tables_that_are_furthest_behind_and_unequal_threads():
    found = results(a_0_ours=0.3, a_0_peer=0.1, b_0_ours=0.1, b_0_peer=0.2)
    found["3000/a/0/ours"]["threads"] = 2
    text = "\n".join(report.lines(report.Results(found, "3000", [0]), "ours", ["peer"], {"a": False, "b": False}))
    assert f"Furthest behind the best peer: a {0.31 / 0.11:.2f} (peer)." in text
    assert "Numbers of threads differ (ours 1 and 2, peer 1)" in text


def test_write_replaces_the_marked_section_only(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"above\n{report.BEGIN}\nold\n{report.END}\nbelow\n")
    command.write(page, "new\n")
    assert page.read_text() == f"above\n{report.BEGIN}\nnew\n{report.END}\nbelow\n"
    page.write_text("no marks")
    with pytest.raises(ValueError, match="put them where"):
        command.write(page, "new")


def options(**changes):
    given = {"mode": "3000", "tables": ["a", "b"], "half": "all", "seeds": [0], "threads": 1, "jobs": 1, "retry": False}
    return command.argparse.Namespace(**{**given, **changes})


def test_only_what_is_missing_or_of_other_code_runs(tmp_path, monkeypatch):
    ran = []
    monkeypatch.setattr(command, "attempt", lambda method, name, *_: ran.append(name) or {"error": 0.5})
    path = tmp_path / "cache.json"
    known = {"3000/a/0/mlp": {"error": 0.1, "code": "1"}}
    path.write_text(json.dumps({**known, "3000/b/0/realmlp": {"error": 0.2}}))
    command.fill(dict(known), ["mlp"], options(), path, "1")
    assert ran == ["b"]
    written = json.loads(path.read_text())
    assert written["3000/a/0/mlp"]["error"] == 0.1
    assert written["3000/b/0/realmlp"]["error"] == 0.2  # by another process
    command.fill(written, ["mlp"], options(), path, "2")
    assert ran == ["b", "a", "b"]


def test_failures_are_kept_and_run_again_only_when_asked(tmp_path, monkeypatch):
    ran = []
    monkeypatch.setattr(command, "attempt", lambda method, name, *_: ran.append(name) or {"failed": "E: no"})
    path = tmp_path / "cache.json"
    command.fill({}, ["mlp"], options(tables=["a"]), path, "")
    command.fill(command.read(path), ["mlp"], options(tables=["a"]), path, "")
    assert ran == ["a"]
    command.fill(command.read(path), ["mlp"], options(tables=["a"], retry=True), path, "")
    assert ran == ["a", "a"]


def test_the_ablation_changes_what_it_says(data, monkeypatch):
    from benchmarks.tabular import ablation

    rng = np.random.default_rng(0)
    for name in "av":
        frame = pd.DataFrame({"x": rng.normal(size=60), "z": rng.normal(size=60)})
        frame["y"] = (frame.x > 0).map({True: "p", False: "n"}) if name == "a" else frame.x + frame.z
        frame.to_parquet(data / f"{name}.parquet")
    seen = []

    def watch(*given):
        seen.append(given[2])
        return train(*given)

    train = ablation.member.train_member
    monkeypatch.setattr("rosenblatt.estimators.tabular.ensemble.train_member", watch)
    few = (
        "no periodic features of numbers",
        "activations not mixed with the identity",
        "initial weights not scaled by the data",
    )
    monkeypatch.setattr(ablation, "VARIANTS", {name: ablation.VARIANTS[name] for name in few})
    settings = ablation.rosenblatt.TabularClassifier._presets["default"]
    quick = {"default": ablation.replace(settings, epochs=1, members=1)}
    monkeypatch.setattr(ablation.rosenblatt.TabularClassifier, "_presets", quick)
    monkeypatch.setattr(ablation.rosenblatt.TabularRegressor, "_presets", quick)
    text = "\n".join(ablation.lines(["a", "v"], [0]))
    assert [used.waves for used in seen] == [8, 8, 0, 0, 8, 8, 8, 8]
    assert all(f"| {name} | " in text for name in few)
    assert "2 tables, splits 0." in text
    assert ablation.nn.Parametric("relu").base == "relu"  # what was replaced is there again
