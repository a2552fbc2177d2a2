"""Real ranks: ``mpiexec -n 1, 2, 4, 8`` on this machine, which end together, with the same bits, or not at all."""

import hashlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

MPIEXEC = shutil.which("mpiexec", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        MPIEXEC is None or importlib.util.find_spec("mpi4py") is None, reason="needs the extra mpi: mpi4py and mpiexec"
    ),
]
SECONDS = 120
NETWORK = """
import hashlib, os, sys, time
import numpy as np
from rosenblatt import nn
from rosenblatt.training import fit
rng = np.random.default_rng(0)
X = rng.normal(size=(203, 6)).astype(np.float32)
y = (X[:, 0] > 0).astype(int)
rank = int(os.environ.get("PMI_RANK", 0))
net = nn.Network(nn.NetworkSpec(6, (16, 8), 2, output="softmax", dropout=0.2), seed=1)
def say(text):
    os.write(1, f"{text}\\n".encode())  # whole lines, though several ranks write
"""
BYTES = "say(hashlib.md5(net.block.tobytes()).hexdigest())\n"


def start(size, *command, cwd, **environment):
    """The command under mpiexec."""
    return subprocess.Popen(
        [MPIEXEC, "-n", str(size), sys.executable, *map(str, command)],
        cwd=cwd,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def end(process):
    """Exit code, standard output and error; an error, and no processes left behind, if it hangs."""
    try:
        out, err = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        process.terminate()
        process.communicate(timeout=SECONDS)
        raise
    return process.returncode, out, err


def run(size, *command, cwd, **environment):
    return end(start(size, *command, cwd=cwd, **environment))


def script(folder, text):
    path = folder / f"{hashlib.md5(text.encode()).hexdigest()}.py"
    path.write_text(NETWORK + text)
    return path


def lines(size, text, folder):
    """What all ranks of a script say."""
    code, out, err = run(size, script(folder, text), cwd=folder)
    assert code == 0, err
    return out.split("\n")[:-1]


def test_the_bytes_of_a_network(tmp_path):
    text = "fit(net, X, y, epochs=3, batch_size=50)\n" + BYTES
    expected = lines(1, text, tmp_path)
    for size in (2, 4, 8):
        assert lines(size, text, tmp_path) == expected * size


def test_large_messages(tmp_path):
    """A gradient of more elements than are exchanged whole."""
    text = """
net = nn.Network(nn.NetworkSpec(6, (128, 128), 2, output="softmax"), seed=1)
fit(net, X, y, epochs=2, batch_size=100)
"""
    expected = lines(1, text + BYTES, tmp_path)
    for size in (2, 4):
        assert lines(size, text + BYTES, tmp_path) == expected * size


def test_alone_every_rank_trains_by_itself(tmp_path):
    """As in an ordinary process, each with what it likes."""
    text = """
import rosenblatt
with rosenblatt.distributed.alone():
    fit(net, X, y, epochs=1 + rank, batch_size=50)
"""
    ordinary = NETWORK + "fit(net, X, y, epochs=1, batch_size=50)\n" + BYTES
    first = subprocess.run([sys.executable, "-c", ordinary], capture_output=True, text=True, check=True).stdout.strip()
    found = lines(2, text + BYTES, tmp_path)
    assert first in found
    assert len(set(found)) == 2


def test_an_estimator_and_its_processes(tmp_path):
    """Out-of-fold predictions and the drawn seed are those of all ranks."""
    text = """
from rosenblatt import TabularClassifier
heard = []
model = TabularClassifier(members=2, max_iter=2, hidden_layer_sizes=(8,), random_state=SEED, on_epoch=heard.append)
model.fit({"a": X[:, 0], "b": X[:, 1]}, y)
say(hashlib.md5(model.out_of_fold_.tobytes()).hexdigest() + f" {len(heard) if rank == 0 else 4 - len(heard)}")
"""
    expected = lines(1, text.replace("SEED", "0"), tmp_path)
    assert expected[0].endswith(" 4")
    assert lines(2, text.replace("SEED", "0"), tmp_path) == expected * 2
    assert len(set(lines(2, text.replace("SEED", "None"), tmp_path))) == 1


def flats(folder, n=120):
    rng = np.random.default_rng(0)
    rooms, area = rng.integers(1, 7, n), rng.normal(80, 20, n).round(2)
    rent = rooms * 200.0 + rng.normal(0, 40, n).round(1)
    pd.DataFrame({"rooms": rooms, "area": area, "rent": rent}).to_csv(folder / "flats.csv", index=False)
    return ["-m", "rosenblatt", "train", "flats.csv", "--target", "rent", "--members", "2", "--hidden", "8"]


def test_the_command_line_speaks_and_writes_once(tmp_path):
    command = [*flats(tmp_path), "--epochs", "3", "--report", "report.json"]
    written = {}
    for size in (1, 2, 4):
        code, out, err = run(size, *command, "--out", f"{size}.safetensors", cwd=tmp_path)
        assert (code, err) == (0, "")
        assert out.count("reading") == out.count("file      ") == 1
        written[size] = (tmp_path / f"{size}.safetensors").read_bytes()
    assert written[1] == written[2] == written[4]
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        *(f"{size}.safetensors" for size in (1, 2, 4)),
        "flats.csv",
        "report.json",
    ]


def rents(folder, n=6000):
    """A folder of three files, and the command that trains on it by windows."""
    pytest.importorskip("pyarrow")
    rng = np.random.default_rng(0)
    rooms, area = rng.integers(1, 7, n), rng.normal(80, 20, n)
    town = rng.choice([f"town {i}" for i in range(40)], n)
    rent = rooms * 200.0 + area * (town < "town 2") + rng.normal(0, 40, n)
    data = pd.DataFrame({"rooms": rooms, "area": area, "town": town, "rent": rent})
    (folder / "rents").mkdir()
    for i in range(3):
        data[i::3].to_parquet(folder / "rents" / f"{i}.parquet", row_group_size=700)
    flags = ["--members", "2", "--hidden", "8", "--window", "1500"]
    return ["-m", "rosenblatt", "train", "rents", "--target", "rent", *flags]


def test_a_table_beyond_the_window(tmp_path):
    command = [*rents(tmp_path), "--epochs", "3"]
    written = {}
    for size in (1, 2, 4):
        code, out, err = run(size, *command, "--out", f"{size}.safetensors", cwd=tmp_path)
        assert (code, err) == (0, "")
        assert out.count("file      ") == 1
        written[size] = (tmp_path / f"{size}.safetensors").read_bytes()
    assert written[1] == written[2] == written[4]
    assert sorted(p.name for p in tmp_path.iterdir()) == [*(f"{size}.safetensors" for size in (1, 2, 4)), "rents"]


STREAMED = """
from rosenblatt import TabularRegressor
def note(epoch):
    time.sleep(float(os.environ.get("SLOWLY", "0")))
    if (epoch.member, epoch.number) == (2, 2):
        open("begun", "w").close()
open(f"process-{rank}", "w").write(str(os.getpid()))
how = {"members": 2, "max_iter": 5, "hidden_layer_sizes": (8,), "batch_size": 64, "window": 1500, "random_state": 0}
model = TabularRegressor(**how, checkpoint="kept", checkpoint_every=7, on_epoch=note).fit(os.environ["TABLE"], "rent")
blocks = b"".join(member.network.block.tobytes() for member in model.ensemble_.members)
say(hashlib.md5(blocks + model.out_of_fold_.tobytes()).hexdigest())
"""


def test_a_killed_rank_of_a_table_beyond_the_window(tmp_path, monkeypatch):
    rents(tmp_path)
    monkeypatch.setenv("TABLE", str(tmp_path / "rents"))
    whole = tmp_path / "whole"
    whole.mkdir()
    expected = lines(2, STREAMED, whole)[0]
    path = script(tmp_path, STREAMED)
    process = start(4, path, cwd=tmp_path, SLOWLY="0.2")
    wait_for(tmp_path / "begun", process)
    os.kill(int((tmp_path / "process-2").read_text()), signal.SIGKILL)
    code, out, _ = end(process)
    assert code != 0
    assert expected not in out
    for size in (1, 2, 8):
        folder = tmp_path / f"again-{size}"
        folder.mkdir()
        shutil.copytree(tmp_path / "kept", folder / "kept")
        assert lines(size, STREAMED, folder) == [expected] * size


@pytest.mark.parametrize(
    ("size", "change", "said"),
    [
        (3, {}, "3 ranks were started"),
        (2, {"--target": "none"}, "none"),
    ],
)
def test_errors_of_all_ranks_are_one_line(tmp_path, size, change, said):
    command = flats(tmp_path)
    for option, value in change.items():
        command[command.index(option) + 1] = value
    code, out, err = run(size, *command, cwd=tmp_path)
    assert code == 2
    assert ("reading" in out) == (size == 2)
    assert err.count("\n") == 1
    assert err.startswith("rosenblatt: ")
    assert said in err


def test_other_commands_are_refused(tmp_path):
    flats(tmp_path)
    code, _, err = run(2, "-m", "rosenblatt", "tune", "flats.csv", "--target", "rent", cwd=tmp_path)
    assert (code, err.count("\n")) == (2, 1)
    assert "rosenblatt tune runs in one process, but 2 were started" in err


def test_a_rank_with_another_table_is_named(tmp_path):
    text = "X[5, 1] += rank\nfit(net, X, y, epochs=1)\n"
    code, _, err = run(2, script(tmp_path, text), cwd=tmp_path)
    assert code != 0
    assert "rank 1 of 2 would train something else than rank 0; what differs: X." in err


@pytest.mark.parametrize("where", ["before the training", "in a scorer"])
def test_an_error_of_one_rank_ends_the_job_with_its_message(tmp_path, where):
    text = {
        "before the training": """
fit(net, X, y, epochs=1)
if rank == 1:
    raise OSError("the disk of rank 1 is gone")
fit(net, X, y, epochs=10**6)
""",
        "in a scorer": """
from rosenblatt.training import evaluation
if rank == 1:
    def fail(self):
        raise OSError("the disk of rank 1 is gone")
    evaluation.Evaluator.loss = fail
fit(net, X, y, epochs=10**6, validation=(X, y))
""",
    }[where]
    began = time.monotonic()
    code, _, err = run(2, script(tmp_path, text), cwd=tmp_path)
    assert code != 0
    assert "rosenblatt: rank 1 of 2: OSError: the disk of rank 1 is gone" in err
    assert time.monotonic() - began < SECONDS


def test_ctrl_c_stops_all_ranks_after_the_same_step(tmp_path):
    text = """
def started(epoch):
    if epoch.number == 1:
        open("started", "w").close()
try:
    fit(net, X, y, epochs=10**6, callbacks=[started])
except KeyboardInterrupt:
    say("interrupted " + hashlib.md5(net.block.tobytes()).hexdigest())
    time.sleep(0.2)  # mpiexec ends after its first process
"""
    process = start(2, script(tmp_path, text), cwd=tmp_path)
    wait_for(tmp_path / "started", process)
    process.send_signal(signal.SIGINT)
    _, out, err = end(process)
    found = [line for line in out.split("\n") if line.startswith("interrupted")]
    assert len(found) == 2, (out, err)
    assert len(set(found)) == 1


def wait_for(path, process):
    until = time.monotonic() + SECONDS
    while not path.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.mark.parametrize("begins", ["from mpi4py import MPI\n", ""])
@pytest.mark.parametrize(
    ("ends", "said"),
    [
        ('raise OSError("the disk of rank 1 is gone")', "OSError: the disk of rank 1 is gone"),
        ("sys.exit(0)", "rank 1 has ended, but this rank still waits for it"),
    ],
)
@pytest.mark.parametrize("before", ["", "fit(net, X, y, epochs=1)\n"])
def test_a_rank_that_ends_ends_the_job(tmp_path, begins, ends, said, before):
    """Before it fits anything, and also afterwards."""
    if not (begins or before) and ends == "sys.exit(0)":
        return  # nobody can see it: the pages say that MPI has to begin first
    text = f"{before}if rank == 1:\n    {ends}\nfit(net, X, y, epochs=10**6)\n"
    path = script(tmp_path, text)
    path.write_text(begins + path.read_text())
    code, _, err = run(2, path, cwd=tmp_path)
    assert code != 0
    assert said in err


def test_ranks_may_end_at_different_times(tmp_path):
    """Each after its last training, whatever they do then."""
    text = """
fit(net, X, y, epochs=1)
if rank == 1:
    sys.exit(0)
if rank == 2:
    time.sleep(1)
say("the end")
"""
    assert lines(4, text, tmp_path) == ["the end"] * 3


BEGINNING = """
import os, signal, sys, threading, time
rank, module = int(os.environ["PMI_RANK"]), os.environ["INTERRUPTED_AT"]
if rank == 1:
    class Finder:
        def find_spec(self, name, path=None, target=None):
            if name == module:
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(0.1)
    sys.meta_path.insert(0, Finder())
from rosenblatt.cli import main
main()
"""


@pytest.mark.parametrize(
    "module", ["rosenblatt.cli.app", "mpi4py.MPI", "rosenblatt.cli.train", "rosenblatt.tables.task"]
)
def test_ctrl_c_of_one_rank_while_a_command_begins(tmp_path, module):
    command = flats(tmp_path)[2:]
    (tmp_path / "begin.py").write_text(BEGINNING)
    code, _, err = run(2, "begin.py", *command, "--epochs", "1000000", cwd=tmp_path, INTERRUPTED_AT=module)
    assert code != 0
    assert "rosenblatt: rank" in err
    assert not list(tmp_path.glob("*.safetensors"))


def test_standard_input_is_refused(tmp_path):
    command = flats(tmp_path)
    command[command.index("flats.csv")] = "-"
    code, out, err = run(2, *command, cwd=tmp_path)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "2 ranks were started, and mpiexec gives standard input (-) to the first one only" in err


RESUMED = """
def note(epoch):
    time.sleep(float(os.environ.get("SLOWLY", "0")))
    if rank == 0 and epoch.number == 3:
        open("third", "w").close()
open(f"process-{rank}", "w").write(str(os.getpid()))
fit(net, X, y, epochs=8, batch_size=50, checkpoint="kept", checkpoint_every=2, callbacks=[note])
"""


def test_a_killed_rank_ends_the_job_which_goes_on_with_another_number_of_ranks(tmp_path):
    whole = tmp_path / "whole"
    whole.mkdir()
    expected = lines(2, RESUMED + BYTES, whole)[0]
    path = script(tmp_path, RESUMED + BYTES)
    process = start(4, path, cwd=tmp_path, SLOWLY="0.2")
    wait_for(tmp_path / "third", process)
    os.kill(int((tmp_path / "process-2").read_text()), signal.SIGKILL)
    code, out, _ = end(process)
    assert code != 0
    assert expected not in out
    for size in (1, 2, 4):
        folder = tmp_path / f"again-{size}"
        folder.mkdir()
        shutil.copytree(tmp_path / "kept", folder / "kept")
        assert lines(size, RESUMED + BYTES, folder) == [expected] * size


def test_without_mpi4py_it_says_what_to_install(tmp_path):
    text = "fit(net, X, y, epochs=1)\n"
    path = script(tmp_path, text)
    path.write_text("import sys\nsys.modules['mpi4py'] = None\n" + path.read_text())
    code, _, err = run(2, path, cwd=tmp_path)
    assert code != 0
    assert "pip install 'rosenblatt[mpi]'" in err
