"""The command line: what it writes, what it says, and how it fails."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from rich.console import Console

import rosenblatt
from rosenblatt import __version__, load, nn
from rosenblatt.cli import main
from rosenblatt.cli.display import Display
from rosenblatt.estimators import TabularClassifier
from rosenblatt.estimators.tabular.member import MemberEpoch


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run the command line in this process: exit code, standard output, standard error."""

    def run(*arguments: Any) -> tuple[Any, str, str]:
        monkeypatch.setattr(sys, "argv", ["rosenblatt", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        return end.value.code, *capsys.readouterr()

    return run


def houses(n: int = 150) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rooms, place = rng.integers(1, 9, n), rng.choice(["inland", "coast", "bay"], n)
    price = rooms * 20_000.0 + (place == "bay") * 50_000 + rng.normal(0, 5_000, n)
    rooms = np.where(rng.random(n) < 0.1, np.nan, rooms)
    return pd.DataFrame({"row": np.arange(n), "rooms": rooms, "place": place, "dear": price > 100_000, "price": price})


def write_houses() -> None:
    houses().to_csv("houses.csv", index=False)


@pytest.mark.long
def test_without_a_file_it_learns_the_digits(command: Any) -> None:
    code, out, err = command("train")
    assert (code, err) == (0, "")
    assert "1,797 rows" in out
    assert "digit: 10 classes (0, 1, 2, 3, 4, 5, 6, 7, 8, 9)" in out
    assert "and 42 more numeric" in out
    accuracy, baseline = map(float, re.search(r"accuracy +([\d.]+) +([\d.]+)", out).groups())  # type: ignore[union-attr]
    assert accuracy > 0.95
    assert baseline < 0.15
    assert len(re.findall(r"network \d of 5, epoch +64 of 64: loss [\d.]+, held-out [\d.]+", out)) == 5
    assert re.search(r"5 networks \(128-128-128 \w+\), at most 64 epochs, the best kept: \d+, \d+", out)
    assert isinstance(load("digits.safetensors"), TabularClassifier)


def test_regression_shows_kinds_scores_and_residuals(command: Any) -> None:
    write_houses()
    code, out, err = command("train", "houses.csv", "--target", "price", "--out", "m.safetensors", "--hidden", "32,32")
    assert (code, err) == (0, "")
    assert re.search(r"price: regression, mean [\d.]+", out)
    assert re.search(r"row +identifier +dropped: a running number", out)
    assert "--kind COLUMN=categorical, or =numeric" in out
    assert re.search(r"rooms +numeric +\d+ +1 to 8", out)
    assert re.search(r"place +categorical +3 levels", out)
    assert re.search(r"dear +boolean", out)
    assert re.search(r"R2 +0\.9\d+ +-?0\.0", out)
    assert "root mean squared error" in out
    assert "half lie between" in out
    assert "m.safetensors" in out


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_predictions_are_those_of_the_model(suffix: str, command: Any) -> None:
    write_houses()
    assert command("train", "houses.csv", "--target", "place", "--out", "m", "--epochs", 5)[0] == 0
    fresh = houses().drop(columns="place")[["price", "dear", "rooms"]]
    fresh.to_csv("fresh.csv", index=False)
    code, out, _ = command("predict", "m", "fresh.csv", "--out", f"p.{suffix}")
    assert code == 0
    assert "150 predictions of place" in out
    written = pd.read_csv("p.csv") if suffix == "csv" else pq.read_table("p.parquet").to_pandas()
    model = load("m")
    assert list(written) == ["prediction", *(f"probability of {name}" for name in ("bay", "coast", "inland"))]
    assert written["prediction"].tolist() == model.predict(fresh).tolist()
    np.testing.assert_allclose(written.iloc[:, 1:], model.predict_proba(fresh), rtol=1e-6)


def test_without_held_out_rows_the_score_is_out_of_fold(command: Any) -> None:
    write_houses()
    for target, kind in (("dear", "accuracy"), ("price", "R2")):
        options = ("--target", target, "--out", target, "--epochs", 3, "--test-share", 0)
        code, out, _ = command("train", "houses.csv", *options)
        assert code == 0
        assert "150 out-of-fold rows" in out
        assert float(re.search(rf"{kind} +(-?[\d.]+)", out)[1]) == pytest.approx(load(target).score_, abs=6e-5)  # type: ignore[index]


def test_the_time_and_the_preset_can_be_said(command: Any) -> None:
    write_houses()
    out = command("train", "houses.csv", "--target", "dear", "--out", "m", "--preset", "fast", "--time", "2")[1]
    assert re.search(r"a network \(128-128-128 \w+\)", out)
    assert load("m").get_params()["time_budget"] == 2.0


def test_regression_predictions_have_no_probabilities(command: Any) -> None:
    write_houses()
    command("train", "houses.csv", "--target", "price", "--out", "m", "--epochs", 2)
    command("predict", "m", "houses.csv", "--out", "p.csv")
    assert list(pd.read_csv("p.csv")) == ["prediction"]


def test_the_task_and_the_kinds_can_be_said(command: Any) -> None:
    write_houses()
    options = ("--task", "classification", "--kind", "row=numeric", "--kind", "place=ignored", "--epochs", 1)
    code, out, _ = command("train", "houses.csv", "--target", "dear", "--out", "m", *options)
    assert code == 0
    assert re.search(r"row +numeric", out)
    assert re.search(r"place +ignored +dropped: you said so", out)
    assert "dear: 2 classes (False, True)" in out


@pytest.mark.long
def test_equal_seeds_write_equal_files(command: Any) -> None:
    write_houses()
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert command("train", "houses.csv", "--target", "dear", "--out", name, "--seed", seed, "--epochs", 2)[0] == 0
    assert Path("a").read_bytes() == Path("b").read_bytes()
    assert Path("a").read_bytes() != Path("c").read_bytes()


@pytest.mark.long
def test_tune_writes_the_better_of_defaults_and_candidates(command: Any) -> None:
    write_houses()
    code, out, err = command("tune", "houses.csv", "--target", "price", "--out", "m", "--time", "4s")
    assert (code, err) == (0, "")
    said = re.findall(r"^(?:defaults|search) .*? (-?\d+\.\d+)(?: out of fold)?$", out, re.MULTILINE)
    assert len(said) in (1, 2)  # a busy machine may spend all the time on the defaults
    default, best = float(said[0]), float(said[-1])
    model = load("m")
    assert model.score_ == pytest.approx(max(default, best), abs=1e-4)  # of the average
    assert model.target_name_ == "price"
    assert re.search(r"30 held-out rows +model +always the mean", out)
    assert command("predict", "m", "houses.csv", "--out", "p.csv")[0] == 0


def test_a_leak_is_noted_before_training_and_what_a_fit_warns_of_after(command: Any) -> None:
    frame = houses(200)
    frame["sold"] = frame["price"] * 1.19  # a column that gives the target away
    frame.to_csv("houses.csv", index=False)
    code, out, err = command("train", "houses.csv", "--target", "price", "--out", "m", "--epochs", 1, "--time", "1m")
    assert (code, err) == (0, "")
    assert re.search(
        r"^check +column 'sold': by itself it predicts the target .* Is it known before the target is\?", out, re.M
    )
    assert "note " not in out
    options = ("--target", "price", "--out", "m2", "--preset", "fast", "--learning-rate", 1e30)
    houses(40).to_csv("few.csv", index=False)
    code, out, err = command("train", "few.csv", *options)
    assert (code, err) == (0, "")
    assert re.search(r"^note +Training diverged in 1 of 1 networks", out, re.M)


def test_predictions_do_not_replace_a_table_whose_first_column_is_called_alike(command: Any) -> None:
    write_houses()
    assert command("train", "houses.csv", "--target", "dear", "--out", "m", "--epochs", 1)[0] == 0
    Path("precious.csv").write_text("predictions of 1990,b\n1,2\n")
    assert command("predict", "m", "houses.csv", "--out", "precious.csv")[0] == 2
    assert Path("precious.csv").read_text() == "predictions of 1990,b\n1,2\n"


def test_inspect_shows_shapes_and_costs(command: Any) -> None:
    write_houses()
    command("train", "houses.csv", "--target", "dear", "--out", "m", "--hidden", "7,5", "--epochs", 1)
    code, out, _ = command("inspect", "m")
    assert code == 0
    for text in (
        "category: bay, coast, inland",
        "TabularClassifier, trained on 120 rows",
        "[m, 7]",
        "[7, 5]",
        "parameters",
        "arena",
    ):
        assert text in out


def test_inspect_shows_a_network_built_by_hand(command: Any) -> None:
    h = nn.Concat()(nn.input(4, "numbers"), nn.Embedding(2)(nn.codes(1000, "town")))
    h = nn.BatchNorm(name="bn")(nn.Dense(3, nn.LeakyReLU(0.1), name="h")(h))
    network = nn.Network({"price": nn.Dense(1)(h), "kind": nn.Dense(5)(h)}, output={"kind": "softmax"})
    rosenblatt.save(network.freeze("h"), "m")
    code, out, _ = command("inspect", "m")
    assert code == 0
    for text in (
        "network   8 layers, inputs included; float32",
        "inputs    numbers (dense, 4 columns), town (codes of 1,000 levels)",
        "outputs   price (identity, 1), kind (softmax, 5)",
        "leaky_relu(alpha=0.1)(dense(concat))",
        "weights (frozen)",
        "mean (statistics)",
        "arena",
    ):
        assert text in out
    write_houses()
    code, _, error = command("predict", "m", "houses.csv", "--out", "p.csv")
    assert (code, "it holds a Network, not a tabular model; use rosenblatt.load" in error) == (2, True)


def test_version_and_help(command: Any) -> None:
    assert command("--version")[:2] == (0, f"rosenblatt {__version__}\n")
    code, out, _ = command("train", "--help")
    assert code == 0
    assert "--target" in out


def test_the_command_line_starts_without_heavy_imports() -> None:
    heavy = "{'sklearn', 'pyarrow', 'pandas', 'polars', 'scipy', 'narwhals', 'safetensors'}"
    script = f"import sys, rosenblatt.cli; print(sorted({heavy} & set(sys.modules)))"
    assert subprocess.check_output([sys.executable, "-c", script], text=True).strip() == "[]"


def start(*arguments: str, setup: str = "") -> subprocess.Popen[str]:
    command = [sys.executable, "-u", "-c", f"{setup}\nfrom rosenblatt.cli import main\nmain()", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


SLOW_EPOCHS = (
    "import time\nfrom rosenblatt.training.trainer import Trainer as T\nepochs = T.epochs\n"
    "def slow(self, *a, **k):\n    time.sleep(0.05)\n    return epochs(self, *a, **k)\nT.epochs = slow\n"
    "from rosenblatt.estimators.tabular.progress import PlainProgress\n"
    "PlainProgress.show = lambda self, e: print(e, flush=True)"
)


@pytest.mark.long
def test_ctrl_c_keeps_the_networks_so_far() -> None:
    process = start("train", "--out", "m", setup=SLOW_EPOCHS)
    assert process.stdout is not None
    for line in process.stdout:
        if "epoch  10" in line:
            break
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "")
    assert "Interrupted; what was learned so far is kept" in out
    assert "epoch  64" not in out
    assert re.search(r"accuracy +0\.[5-9]", out)
    assert isinstance(load("m"), TabularClassifier)


def test_ctrl_c_before_the_first_epoch_is_over_writes_nothing(command: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*arguments: Any, **settings: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(TabularClassifier, "fit", interrupt)
    code, _, err = command("train")
    assert code == 130
    assert err.strip() == "rosenblatt: interrupted; nothing was written."
    assert list(Path().iterdir()) == []


def test_a_terminal_gets_a_live_line_and_a_pipe_plain_ones() -> None:
    texts = {}
    for live in (True, False):
        stream = io.StringIO()
        display = Display(Console(file=stream, force_terminal=live, width=160, _environ={"TERM": "xterm"}))
        with display.progress() as on_epoch:
            for number in range(1, 21):
                on_epoch(MemberEpoch(3, 5, number, 20, 0.5, 0.6, 1))
        texts[live] = stream.getvalue()
    assert "\x1b[" in texts[True]
    assert "epoch  20" in texts[True]
    expected = "network 3 of 5, epoch  20 of 20: loss 0.5000, held-out 0.6000, best epoch 1"
    assert texts[False].splitlines() == [expected]


def test_many_classes_show_their_most_frequent_confusions() -> None:
    stream = io.StringIO()
    counts = np.diag(np.full(15, 9))
    counts[3, 4] = 5
    Display(Console(file=stream, width=120)).confusion(counts, [f"class {i}" for i in range(15)])
    assert stream.getvalue().splitlines()[1].split() == ["class", "3", "class", "4", "5"]


def test_a_model_is_replaced_but_nothing_else_is(command: Any) -> None:
    assert command("train", "--epochs", 1, "--out", "m")[0] == 0
    before = Path("m").read_bytes()
    assert command("train", "--epochs", 2, "--out", "m")[0] == 0
    assert Path("m").read_bytes() != before
    Path("notes.txt").write_text("precious")
    code, _, err = command("train", "--epochs", 1, "--out", "notes.txt")
    assert (code, Path("notes.txt").read_text()) == (2, "precious")
    assert "notes.txt exists and is no model" in err


COMMANDS: dict[str, tuple[list[str], str]] = {
    "no such command": (["tarin"], r"No such command 'tarin'"),
    "no such option": (["train", "t.csv", "--taget", "x"], r"No such option"),
    "no such file": (["train", "t2.csv", "--target", "x"], r"there is no file t2\.csv\. Did you mean t\.csv\?"),
    "no target": (["train", "t.csv"], r"say which column to predict: --target COLUMN\. The columns are: 'a', 'b'"),
    "target without file": (["train", "--target", "x"], r"--target needs a FILE"),
    "unknown target": (["train", "t.csv", "--target", "aa"], r"no target column 'aa'\. Did you mean 'a'\?"),
    "no integer": (["train", "--epochs", "many"], r"--epochs is .many.; it must be an integer"),
    "bad layers": (["train", "--hidden", "12,x"], r"--hidden '12,x': write the neurons of each layer, such as 128,64"),
    "bad kind": (["train", "t.csv", "--target", "b", "--kind", "a"], r"--kind 'a': write COLUMN=numeric"),
    "bad seed": (
        ["train", "t.csv", "--target", "b", "--seed", "-1"],
        r"--seed is -1; it must be an integer from 0 to 4294967295\.",
    ),
    "bad epochs": (
        ["train", "t.csv", "--target", "b", "--epochs", "0"],
        r"--epochs is 0; it must be an integer of at least 1\.",
    ),
    "no time": (
        ["tune", "t.csv", "--target", "b", "--time", "soon"],
        r"--time is 'soon'; it must be a positive number of seconds",
    ),
    "zero time": (
        ["tune", "t.csv", "--target", "b", "--time", "0"],
        r"--time is '0'; it must be a positive number of seconds",
    ),
    "a metric of numbers": (
        ["train", "t.csv", "--target", "b", "--task", "regression", "--metric", "log_loss"],
        r"--metric is for classes, but the target 'b' is a number",
    ),
    "inspecting a folder": (["inspect", "."], r"\. is a folder; give a file name"),
    "predictions onto the table": (
        ["predict", "m", "t.csv", "--out", "./t.csv"],
        r"t\.csv is one of the files to read",
    ),
    "bad share": (["train", "--test-share", "2"], r"--test-share is 2\.0; it must be a number of at least 0 and below"),
    "out in no folder": (["train", "--out", "no/model"], r"there is no folder no"),
    "out onto a table": (["train", "--out", "t.csv"], r"t\.csv exists and is no model; choose another name with --out"),
    "no such model": (["predict", "m", "t.csv", "--out", "p.csv"], r"there is no file m"),
    "a table as model": (["predict", "t.csv", "t.csv", "--out", "p.csv"], r"t\.csv: this is not a rosenblatt model"),
    "unknown output": (["predict", "m", "t.csv", "--out", "p.xlsx"], r"predictions are written as \.csv or \.parquet"),
    "inspecting a table": (["inspect", "t.csv"], r"not a rosenblatt model"),
}


def test_no_hidden_layer_is_refused_in_one_line(command: Any) -> None:
    Path("t.csv").write_text("a,b\n" + "1,2\n2,4\n3,4\n" * 10)
    code, _, err = command("train", "t.csv", "--target", "b", "--hidden", "")
    assert code == 2
    assert re.fullmatch(r"rosenblatt: --hidden '': write the neurons of each layer, such as 128,64\.\n", err)


@pytest.mark.parametrize(("arguments", "message"), COMMANDS.values(), ids=COMMANDS)
def test_an_error_is_one_line_and_changes_nothing(arguments: list[str], message: str, command: Any) -> None:
    Path("t.csv").write_text("a,b\n1,2\n3,4\n")
    code, out, err = command(*arguments)
    assert code == 2
    assert re.fullmatch(r"(reading   [^\n]*\n)?", out)
    assert re.fullmatch(rf"rosenblatt: [^\n]*{message}[^\n]*\n", err), err
    assert Path("t.csv").read_text() == "a,b\n1,2\n3,4\n"
    assert [path.name for path in Path().iterdir()] == ["t.csv"]


def test_a_model_is_not_written_onto_a_pipe(command: Any) -> None:
    os.mkfifo("pipe")
    code, _, err = command("train", "--out", "pipe")
    assert code == 2
    assert "--out pipe is a device or a pipe; give a file name" in err
    assert Path("pipe").is_fifo()


def test_a_read_only_folder_is_noticed_before_training(command: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkdir("locked")
    monkeypatch.setattr(os, "access", lambda *arguments: False)  # even for root
    code, _, err = command("train", "--out", "locked/m")
    assert code == 2
    assert err == "rosenblatt: the folder locked is not writable; choose another with --out.\n"


def test_a_full_disk_after_training_is_one_line_and_loses_nothing(
    command: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert command("train", "--epochs", 1, "--out", "m")[0] == 0
    before = Path("m").read_bytes()

    def fail(descriptor: int) -> None:
        raise OSError(28, "No space left on device", "m")

    monkeypatch.setattr(os, "fsync", fail)
    code, _, err = command("train", "--epochs", 1, "--seed", 1, "--out", "m")
    assert code == 2
    assert re.fullmatch(r"rosenblatt: m: no space left on device; .+ free in .+ on a larger disk\n", err)
    assert Path("m").read_bytes() == before
    assert os.listdir() == ["m"]


def test_a_call_without_a_command_shows_the_help_and_nothing_else(command: Any) -> None:
    code, out, err = command()
    assert (code, err) == (2, "")
    assert "predict" in out


def test_predictions_replace_predictions_but_no_other_table(command: Any) -> None:
    write_houses()
    assert command("train", "houses.csv", "--target", "dear", "--out", "m", "--epochs", 1)[0] == 0
    houses().to_csv("precious.csv", index=False)
    houses().to_parquet("precious.parquet")
    for ending in ("csv", "parquet"):
        before = Path(f"precious.{ending}").read_bytes()
        code, _, err = command("predict", "m", "houses.csv", "--out", f"precious.{ending}")
        assert (code, Path(f"precious.{ending}").read_bytes()) == (2, before)
        assert f"precious.{ending} exists and holds no predictions" in err
        for _ in range(2):
            assert command("predict", "m", "houses.csv", "--out", f"p.{ending}")[0] == 0


def test_predictions_of_any_model_are_replaced_and_edited_ones_are_not(command: Any) -> None:
    write_houses()
    for name, options in (("plain", ()), ("named", ("--id", "row"))):
        train = ("train", "houses.csv", "--target", "dear", "--out", name, "--epochs", 1, "--members", 1)
        assert command(*train, *options)[0] == 0
    for name in ("plain", "named", "plain"):
        for ending in ("csv", "parquet"):
            assert command("predict", name, "houses.csv", "--out", f"p.{ending}")[0] == 0
    pd.read_parquet("p.parquet").assign(comment="mine").to_parquet("p.parquet")
    written = Path("p.csv").read_text()
    for text in (written.replace('"\n', '","comment"\n', 1), written.replace('"', ""), "row," + written):
        Path("p.csv").write_text(text)
        for ending in ("csv", "parquet"):
            before = Path(f"p.{ending}").read_bytes()
            assert command("predict", "plain", "houses.csv", "--out", f"p.{ending}")[0] == 2
            assert Path(f"p.{ending}").read_bytes() == before


def test_scores_of_classes_have_four_decimals(command: Any) -> None:
    write_houses()
    out = command("train", "houses.csv", "--target", "dear", "--out", "m", "--epochs", 2)[1]
    for metric in ("accuracy", "log loss"):
        assert re.search(rf"^{metric} +\d\.\d{{4}} +\d\.\d{{4}}$", out, re.MULTILINE)


def test_nothing_is_cut_off_in_a_pipe(command: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    write_houses()
    out = command("train", "houses.csv", "--target", "price", "--out", "m", "--epochs", 1)[1]
    assert "dropped: a running number, different in every row" in out


def test_divergence_names_the_option(command: Any) -> None:
    write_houses()
    code, _, err = command("train", "houses.csv", "--target", "price", "--out", "m", "--learning-rate", "1e30")
    assert code == 2
    assert re.fullmatch(
        r"rosenblatt: (The loss|A prediction) became .* in epoch 1\. .* --learning-rate \(now 1e\+30\)\.\n", err
    )
    assert not Path("m").exists()


def test_too_large_a_network_is_one_line(command: Any) -> None:
    write_houses()
    code, _, err = command("train", "houses.csv", "--target", "dear", "--out", "m", "--hidden", "10000000,10000000")
    assert code == 2
    assert re.fullmatch(r"rosenblatt: not enough memory \(.*\)\. Try fewer rows, or smaller --hidden layers\.\n", err)


def test_the_package_is_a_command() -> None:
    done = subprocess.run([sys.executable, "-m", "rosenblatt", "train", "--help"], capture_output=True, text=True)
    assert done.returncode == 0
    assert "--target" in done.stdout
