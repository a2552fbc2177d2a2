"""``rosenblatt predict`` of long tables: block by block what it would write in memory, whole or not at all."""

from __future__ import annotations

import errno
import io
import os
import re
import subprocess
import sys
import threading
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import csv
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tests.cli.conftest import rents

import rosenblatt
from rosenblatt.estimators.tabular.ensemble import Ensemble
from rosenblatt.tables.readers.streams import BLOCK_ROWS

N = 2 * BLOCK_ROWS + 1234
OLD = b'"prediction"\n1\n'


def flats(n: int = N) -> pd.DataFrame:
    """Flats without a rent, with names of which some are missing."""
    rng = np.random.default_rng(1)
    names = np.array([f"F{i}" for i in range(n)], object)
    names[::7] = None
    quarter = rng.choice(["north", "south", "west"], n).astype(object)
    return pd.DataFrame(
        {"id": names, "rooms": rng.integers(1, 7, n), "quarter": quarter, "area": rng.normal(80, 20, n)}
    )


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models of the class and of the number, which know the rows' names."""
    folder = tmp_path_factory.mktemp("models")
    table = rents().assign(id=[f"F{i}" for i in range(90)])
    options = {"max_iter": 2, "hidden_layer_sizes": (4,), "members": 2, "random_state": 0}
    for name, estimator, others in (
        ("class", rosenblatt.TabularClassifier(**options), ["rent", "high"]),
        ("number", rosenblatt.TabularRegressor(**options), ["grade", "high"]),
    ):
        target = {"class": "grade", "number": "rent"}[name]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            rosenblatt.save(estimator.fit(table.drop(columns=others), target, id="id"), folder / name)
    return folder


def expected(model: Any, frame: pd.DataFrame) -> pa.Table:
    """What the command writes, made from predictions for all rows at once."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        columns = {"id": pa.array(frame["id"], pa.string()), "prediction": model.predict(frame)}
        if hasattr(model, "classes_"):
            probabilities = model.predict_proba(frame)
            columns |= {f"probability of {name}": probabilities[:, i] for i, name in enumerate(model.classes_)}
    return pa.table(columns)


def as_csv(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    csv.write_csv(table, buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("name", ["class", "number"])
def test_a_long_parquet_table_is_predicted_as_it_would_be_in_memory(name: str, cli: Any, models: Path) -> None:
    frame = flats()
    frame.to_parquet("flats.parquet", row_group_size=50_000)
    whole = expected(rosenblatt.load(models / name), frame)
    code, out, _ = cli("predict", models / name, "flats.parquet", "--out", "p.parquet")
    assert code == 0
    assert f"{N:,} predictions of " in out
    written = pq.read_table("p.parquet")
    assert written.equals(whole)
    assert pq.ParquetFile("p.parquet").num_row_groups == 3
    assert cli("predict", models / name, "flats.parquet", "--out", "p.csv")[0] == 0
    assert Path("p.csv").read_bytes() == as_csv(whole)
    assert sorted(path.name for path in Path().iterdir()) == ["flats.parquet", "p.csv", "p.parquet", "rents.csv"]


def test_a_short_table_is_written_byte_for_byte_as_at_once(cli: Any, models: Path) -> None:
    frame = flats(300)
    frame.to_csv("flats.csv", index=False)
    whole = expected(rosenblatt.load(models / "class"), frame)
    code, out, _ = cli("predict", models / "class", "flats.csv", "--out", "p.csv")
    assert code == 0
    assert "speed" not in out
    assert Path("p.csv").read_bytes() == as_csv(whole)
    assert cli("predict", models / "class", "flats.csv", "--out", "p.parquet")[0] == 0
    plain = io.BytesIO()
    pq.write_table(whole, plain)
    assert Path("p.parquet").read_bytes() == plain.getvalue()


def test_standard_output_gets_the_same_bytes(cli: Any, models: Path) -> None:
    frame = flats()
    frame.to_parquet("flats.parquet")
    code, out, err = cli("predict", models / "number", "flats.parquet", "--out", "-", text=False)
    assert code == 0
    assert out == as_csv(expected(rosenblatt.load(models / "number"), frame))
    assert re.search(
        r"^speed +[\d,]+ rows a second in [\d.]+ s; reading took [\d.]+ s, beside the predictions$", err, re.M
    )


def test_a_long_table_from_standard_input_is_predicted_in_blocks(
    cli: Any, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame, sizes = flats(BLOCK_ROWS + 10), list[int]()
    predict = Ensemble.predict

    def spy(self: Ensemble, prepared: Any) -> Any:
        sizes.append(len(prepared.numbers))
        return predict(self, prepared)

    data = io.BytesIO(frame.to_csv(index=False).encode())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(data))
    with monkeypatch.context() as patched:
        patched.setattr(Ensemble, "predict", spy)
        assert cli("predict", models / "class", "-", "--out", "p.csv")[0] == 0
    assert sizes[-2:] == [BLOCK_ROWS, 10]  # before, loading checks the model with single rows
    assert Path("p.csv").read_bytes() == as_csv(expected(rosenblatt.load(models / "class"), frame))


@pytest.mark.parametrize("ending", ["parquet", "csv"])
@pytest.mark.parametrize("given", ["flats", "flats/part*"])
def test_a_folder_and_a_pattern_are_one_table(given: str, ending: str, cli: Any, models: Path) -> None:
    frame, ends = flats(BLOCK_ROWS + 10), (30_000, 50_000, BLOCK_ROWS + 10)
    Path("flats").mkdir()
    for i, (start, end) in enumerate(zip((0, *ends), ends, strict=False)):
        part = frame[start:end]
        part.to_parquet(f"flats/part{i}.parquet") if ending == "parquet" else part.to_csv(f"flats/part{i}.csv")
    assert cli("predict", models / "class", given, "--out", "p.parquet")[0] == 0
    assert pq.read_table("p.parquet").equals(expected(rosenblatt.load(models / "class"), frame))
    code, _, err = cli("predict", models / "class", given, "--out", f"flats/part3.{ending}")
    assert code == 2
    assert f"--out flats/part3.{ending} is among the files of {given}" in err


def test_few_rows_of_a_folder_are_a_table_too(cli: Any, models: Path) -> None:
    Path("flats").mkdir()
    flats(3).to_csv("flats/part.csv", index=False)
    assert cli("predict", models / "class", "flats", "--out", "p.csv")[0] == 0
    assert Path("p.csv").read_bytes() == as_csv(expected(rosenblatt.load(models / "class"), flats(3)))


def test_a_table_that_changes_meanwhile_is_refused(cli: Any, models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame, predict = flats(), Ensemble.predict
    frame.to_parquet("flats.parquet")

    def change(self: Ensemble, prepared: Any) -> Any:
        if len(prepared.numbers) == BLOCK_ROWS:
            os.utime("flats.parquet")
        return predict(self, prepared)

    with monkeypatch.context() as patched:
        patched.setattr(Ensemble, "predict", change)
        code, _, err = cli("predict", models / "class", "flats.parquet", "--out", "p.csv")
    assert code == 2
    assert "flats.parquet changed since it was opened" in err
    assert not Path("p.csv").exists()


def test_the_warning_is_that_of_the_whole_table_and_comes_once(cli: Any, models: Path) -> None:
    frame = flats()
    frame["rooms"] = "many"
    frame.loc[5:, "rooms"] = "3"
    frame["area"] += 1000
    frame.to_parquet("flats.parquet")
    model = rosenblatt.load(models / "class")
    with pytest.warns(rosenblatt.tables.table.TableWarning) as heard:
        model.predict(frame)
    code, out, _ = cli("predict", models / "class", "flats.parquet", "--out", "p.csv")
    notes = re.findall(r"^note +(.*)$", out, re.M)
    assert code == 0
    assert notes == [str(warning.message) for warning in heard]
    assert "5 cells of another kind count as missing, such as 'many' in row 1." in notes[0]
    assert f"in 1,000 rows of {N:,} lie outside the training range" in notes[0]


def damage(path: str, share: float) -> None:
    """Overwrite some bytes in a file."""
    data = bytearray(Path(path).read_bytes())
    start = int(len(data) * share)
    data[start : start + 2000] = bytes(2000)
    Path(path).write_bytes(data)


@pytest.mark.parametrize("before", [OLD, None])
def test_a_damaged_block_leaves_what_existed(before: bytes | None, cli: Any, models: Path) -> None:
    flats().to_parquet("flats.parquet", row_group_size=50_000)
    if before:
        Path("p.csv").write_bytes(before)
    names = sorted(os.listdir())
    damage("flats.parquet", 0.8)
    code, _, err = cli("predict", models / "class", "flats.parquet", "--out", "p.csv")
    assert code == 2
    assert "flats.parquet" in err
    assert err.count("\n") == 1
    assert sorted(os.listdir()) == names
    assert before is None or Path("p.csv").read_bytes() == before


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_disk_that_fills_up_leaves_what_existed(
    suffix: str, cli: Any, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flats().to_parquet("flats.parquet")
    cli("predict", models / "class", "rents.csv", "--out", f"p.{suffix}")
    if suffix == "csv":
        Path("p.csv").write_bytes(OLD)
    rents().assign(id="x").to_csv("rents.csv", index=False)
    cli("predict", models / "class", "rents.csv", "--out", f"p.{suffix}")
    before, names = Path(f"p.{suffix}").read_bytes(), sorted(os.listdir())
    write, room = os.write, 200_000

    def full(descriptor: int, data: Any) -> int:
        nonlocal room
        room -= len(data)
        if room < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(descriptor, data)

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        code, _, err = cli("predict", models / "class", "flats.parquet", "--out", f"p.{suffix}")
    assert code == 2
    assert re.fullmatch(
        rf"rosenblatt: p\.{suffix}: no space left on device; .* are free in {Path.cwd()}\. Make room there, .*\n", err
    )
    assert Path(f"p.{suffix}").read_bytes() == before
    assert sorted(os.listdir()) == names


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_an_interrupt_leaves_what_existed_and_no_thread(
    suffix: str, cli: Any, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flats().to_parquet("flats.parquet")
    n_threads, calls, predict = threading.active_count(), [], Ensemble.predict

    def interrupted(self: Ensemble, prepared: Any) -> Any:
        calls.append(len(prepared.numbers))
        if calls[-2:] == [BLOCK_ROWS] * 2:  # loading checks the model with single rows
            raise KeyboardInterrupt
        return predict(self, prepared)

    names = sorted(os.listdir())
    with monkeypatch.context() as patched:
        patched.setattr(Ensemble, "predict", interrupted)
        code, _, err = cli("predict", models / "class", "flats.parquet", "--out", f"p.{suffix}")
        assert (code, err) == (130, "rosenblatt: interrupted; nothing was written.\n")
        assert sorted(os.listdir()) == names
        calls.clear()
        code, out, err = cli("predict", models / "class", "flats.parquet", "--out", "-")
    assert code == 130
    assert out.count("\n") == BLOCK_ROWS + 1
    assert err.endswith("rosenblatt: interrupted; a part of the predictions was written.\n")
    assert threading.active_count() == n_threads


def test_rows_that_lack_a_column_or_a_name_are_refused(cli: Any, models: Path) -> None:
    flats(BLOCK_ROWS + 1).drop(columns="rooms").to_parquet("flats.parquet")
    code, _, err = cli("predict", models / "class", "flats.parquet", "--out", "p.csv")
    assert (code, "the table has no column 'rooms'" in err) == (2, True)
    absent = "there is no id column 'id'. Did you mean 'ids'? The columns are: 'ids', 'rooms', 'quarter', 'area'.\n"
    flats(BLOCK_ROWS + 1).rename(columns={"id": "ids"}).to_parquet("flats.parquet")
    code, _, err = cli("predict", models / "class", "flats.parquet", "--out", "p.csv")
    assert (code, err) == (2, "rosenblatt: " + absent)
    assert not Path("p.csv").exists()


def test_pipelines_stream_too(cli: Any) -> None:
    n = BLOCK_ROWS + 100
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=n), "b": rng.integers(0, 9, n)})
    frame.loc[::1000, "b"] += 1
    pipeline = make_pipeline(StandardScaler(), rosenblatt.MLPClassifier((4,), max_iter=2, random_state=0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipeline.fit(frame[:500], frame["a"][:500] > 0)
    rosenblatt.save(pipeline, "m")
    frame.to_parquet("t.parquet")
    assert cli("predict", "m", "t.parquet", "--out", "p.parquet")[0] == 0
    written = pq.read_table("p.parquet").to_pandas()
    assert written["prediction"].tolist() == pipeline.predict(frame).tolist()
    np.testing.assert_array_equal(written.iloc[:, 1:], pipeline.predict_proba(frame))


def test_the_object_says_how_fast_it_was(found: Any, models: Path) -> None:
    flats(BLOCK_ROWS + 1).to_parquet("flats.parquet")
    data = found("predict", models / "class", "flats.parquet", "--out", "p.csv")
    assert data["rows"] == BLOCK_ROWS + 1
    assert data["file"] == {"path": "p.csv", "bytes": Path("p.csv").stat().st_size}
    assert data["speed"]["rows_per_second"] > 0
    assert 0 < data["speed"]["reading_seconds"] < data["seconds"]


PEAK = """
import sys, threading
from rosenblatt.cli import main
highest, done = 0, threading.Event()
def watch():
    global highest
    while not done.wait(0.005):
        with open("/proc/self/status") as file:
            anonymous = next(line for line in file if line.startswith("RssAnon"))
        highest = max(highest, int(anonymous.split()[1]))
watcher = threading.Thread(target=watch)
watcher.start()
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
done.set()
watcher.join()
print(highest / 1000)
"""


def peak_of(*arguments: Any) -> float:
    """The most anonymous memory of a command in a process of its own, in MB."""
    command = [sys.executable, "-c", PEAK, *map(str, arguments), "--quiet"]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="anonymous memory is read from /proc")
@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_memory_does_not_grow_with_the_table(
    ending: str, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    block, n_blocks = pa.Table.from_pandas(flats(BLOCK_ROWS), preserve_index=False), {"short": 10, "long": 30}
    writer = pq.ParquetWriter if ending == "parquet" else csv.CSVWriter
    for name, n in n_blocks.items():
        with writer(f"{name}.{ending}", block.schema) as opened:
            for _ in range(n):
                opened.write_table(block)
    peaks = {
        name: peak_of("predict", models / "class", f"{name}.{ending}", "--out", f"predictions of {name}.csv")
        for name in n_blocks
    }
    assert csv.read_csv("predictions of long.csv").num_rows == 30 * BLOCK_ROWS
    assert peaks["long"] < peaks["short"] + 40, peaks  # in memory, the names of the rows alone take 150 MB more
