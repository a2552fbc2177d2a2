"""A streamed fit whose process is killed, in a pass or in an epoch: the same call ends with the same bits."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rosenblatt import TabularRegressor

pytest.importorskip("pyarrow")

FIT = """
import os, signal, sys
import numpy as np
from rosenblatt import TabularRegressor
from rosenblatt.estimators.tabular.member import FitBudget

file, folder, out, when = sys.argv[1:]

def end(said):
    if when and said.startswith(when):
        os.kill(os.getpid(), signal.SIGKILL)

FitBudget.heard = lambda self, what, done, n_rows: end(what)
options = dict(members=2, max_iter=6, hidden_layer_sizes=(8,), batch_size=32, checkpoint_every=7, window=400)
model = TabularRegressor(**options, checkpoint=folder or None, on_epoch=lambda epoch: end(f"epoch {epoch.number}"))
model.fit(file, "y", time="t")
np.savez(out, predictions=model.predict(file), out_of_fold=model.out_of_fold_, curve=model.history_["loss"])
"""


def run(*arguments):
    return subprocess.run([sys.executable, "-c", FIT, *map(str, arguments)], env=os.environ, capture_output=True)


@pytest.mark.long
@pytest.mark.parametrize("when", ["reading times", "summarizing", "preparing", "prepared", "epoch 1", "epoch 4"])
def test_a_fit_that_was_killed_ends_with_the_same_bits(when, tmp_path):
    import pandas as pd

    rng = np.random.default_rng(0)
    x, t = rng.normal(size=3000), rng.permutation(3000) / 10
    data = pd.DataFrame({"x": x, "level": rng.choice(list("abc"), 3000), "t": t, "y": x**2 + rng.normal(size=3000)})
    data.to_parquet(tmp_path / "rows.parquet", row_group_size=700)
    before = set(Path(tmp_path).iterdir())
    whole = run(tmp_path / "rows.parquet", "", tmp_path / "whole.npz", "")
    assert whole.returncode == 0, whole.stderr.decode()
    killed = run(tmp_path / "rows.parquet", tmp_path / "kept", tmp_path / "killed.npz", when)
    assert killed.returncode == -signal.SIGKILL
    left = {path.name for path in tmp_path.rglob("*") if path.is_file()} - {path.name for path in before}
    assert left <= {"whole.npz", "checkpoint.safetensors"}  # the file of prepared rows has no name
    again = run(tmp_path / "rows.parquet", tmp_path / "kept", tmp_path / "again.npz", "")
    assert again.returncode == 0, again.stderr.decode()
    found, expected = np.load(tmp_path / "again.npz"), np.load(tmp_path / "whole.npz")
    for name in expected:
        np.testing.assert_array_equal(found[name], expected[name])


@pytest.mark.long
def test_another_window_is_another_fit(tmp_path):
    import pandas as pd

    rng = np.random.default_rng(0)
    x = rng.normal(size=1500)
    pd.DataFrame({"x": x, "y": x**2}).to_parquet(tmp_path / "rows.parquet")
    options = {"members": 1, "max_iter": 3, "hidden_layer_sizes": (8,), "batch_size": 32}
    for window in (300, 500):
        TabularRegressor(**options, window=window, checkpoint=tmp_path / "kept").fit(tmp_path / "rows.parquet", "y")
    assert len(list((tmp_path / "kept").iterdir())) == 2
