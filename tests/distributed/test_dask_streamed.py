"""Tables larger than memory on a real Dask cluster: each worker reads the shared files, and trains the same networks."""

import contextlib
import os
import time
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest

import rosenblatt
from rosenblatt import TabularClassifier, TabularRegressor
from rosenblatt.tables.table import TableError

distributed = pytest.importorskip("distributed")
pa = pytest.importorskip("pyarrow")

N, WINDOW = 4_000, 700
SMALL = {"members": 4, "max_iter": 3, "hidden_layer_sizes": (8,), "batch_size": 64, "window": WINDOW}
OPTIONS = {"processes": True, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0"}


def frame():
    rng = np.random.default_rng(0)
    words = np.array(["red", "green", "blue", "round", "flat", "heavy", "light", "old"])
    number, level = rng.normal(size=N), rng.choice(["north", "south", "east"], N)
    target = number + (level == "north") + rng.normal(size=N)
    return pd.DataFrame(
        {
            "number": np.where(rng.random(N) < 0.1, np.nan, number),
            "level": level,
            "many": [f"level {k}" for k in rng.integers(0, 300, N)],
            "text": [" ".join(rng.choice(words, 5)) for _ in range(N)],
            "weight": rng.integers(0, 4, N) * 0.5,
            "class": np.where(target > 1, "high", np.where(target > 0, "middle", "low")),
            "amount": target,
            "tail": np.exp(2 * target),
        }
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path, rows = tmp_path_factory.mktemp("shared") / "rows", frame()
    for year in (2023, 2024):
        part = path / f"year={year}"
        part.mkdir(parents=True)
        rows.iloc[year - 2023 :: 2].to_parquet(part / "part.parquet", row_group_size=500)
    return path


@pytest.fixture(scope="module")
def client():
    with distributed.LocalCluster(n_workers=2, **OPTIONS) as cluster, distributed.Client(cluster) as client:
        yield client


def saved(model, path):
    rosenblatt.save(model, path)
    return path.read_bytes()


def open_nameless_files():
    found = []
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            target = os.readlink(entry)
            if "(deleted)" in target and "/tmp" in target:
                found.append(target)
    return found


def within(seconds, condition):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "this took too long"
        time.sleep(0.05)


def classes(source, **more):
    return TabularClassifier(**SMALL, class_weight="balanced", ignore=["amount", "tail"], **more).fit(
        source, "class", "weight"
    )


def numbers(source, **more):
    return TabularRegressor(**SMALL, ignore=["class", "tail"], **more).fit(source, "amount")


def tail(source, **more):
    return TabularRegressor(**SMALL, ignore=["class", "amount", "weight"], **more).fit(source, "tail")


FITS = {"classes": classes, "numbers": numbers, "trial of the logarithm": tail}


@pytest.mark.long
@pytest.mark.parametrize("name", FITS)
def test_workers_read_the_table_and_train_the_same_networks(name, client, folder, tmp_path):
    here, there = FITS[name](folder), FITS[name](folder, client=client)
    assert saved(there, tmp_path / "there") == saved(here, tmp_path / "here")
    within(10, lambda: not any(client.run(open_nameless_files).values()))
