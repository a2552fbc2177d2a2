"""Writing a model: what existed is never lost, whatever call fails, and nothing is left behind."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.reliability.disks import CALLS, check_fault

from rosenblatt import learn
from rosenblatt.persistence.save_load import load, save
from rosenblatt.storage.atomic import append_durably, atomic_file, family, write_atomically

RNG = np.random.default_rng(0)
TABLE = {"x": RNG.normal(size=60), "y": RNG.choice(["hi", "lo"], 60)}


def table_model(seed: int = 0) -> Any:
    return learn(TABLE, "y", hidden_layer_sizes=(4,), members=1, max_iter=2, random_state=seed)


@pytest.fixture
def existing(tmp_path: Path) -> Path:
    save(table_model(seed=1), tmp_path / "model.safetensors")
    return tmp_path / "model.safetensors"


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("name", ["model", "report.md", "record"])
def test_a_failing_disk_loses_nothing(name: str, call: str, code: int) -> None:
    if name == "record" and call in ("chmod", "replace"):
        check_fault(name, call, 0, code)  # it is appended to
        return
    with pytest.raises(OSError, match=rf"{os.strerror(code)}.*{name}"):
        check_fault(name, call, 0, code)


def test_a_disk_that_fills_up_halfway_loses_nothing(existing: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, model, write, calls = existing.read_bytes(), table_model(seed=2), os.write, []

    def short(descriptor: int, data: Any) -> int:
        calls.append(len(data))
        if len(calls) == 5:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(descriptor, data[:100])

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", short)
        with pytest.raises(OSError, match="No space left"):
            save(model, existing)
    assert existing.read_bytes() == before
    assert files_in(existing.parent) == [existing.name]


def test_short_writes_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, write = table_model(), os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:97]))
    save(model, tmp_path / "m")
    np.testing.assert_array_equal(load(tmp_path / "m").predict(TABLE), model.predict(TABLE))


def test_the_order_is_write_fsync_rename_fsync_of_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []

    def record(name: str) -> Any:
        original = getattr(os, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            kind = stat.S_ISDIR(os.fstat(args[0]).st_mode) if name == "fsync" else False
            steps.append(f"{name} folder" if kind else name)
            return original(*args, **kwargs)

        return call

    model = table_model()
    for name in ("write", "fsync", "replace"):
        monkeypatch.setattr(os, name, record(name))
    save(model, tmp_path / "m")
    assert steps == ["write", "fsync", "replace", "fsync folder"]


def test_an_interrupt_while_writing_loses_nothing(existing: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, model = existing.read_bytes(), table_model(seed=2)

    def interrupt(*args: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        save(model, existing)
    assert existing.read_bytes() == before
    assert files_in(existing.parent) == [existing.name]


def test_permissions_and_links_survive(existing: Path) -> None:
    existing.chmod(0o640)
    link = existing.parent / "latest"
    link.symlink_to(existing.name)
    save(table_model(seed=2), link)
    assert link.is_symlink()
    assert stat.S_IMODE(existing.stat().st_mode) == 0o640
    mask = os.umask(0o022)
    try:
        save(table_model(), existing.parent / "new")
    finally:
        os.umask(mask)
    assert stat.S_IMODE((existing.parent / "new").stat().st_mode) == 0o644


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_does_not_hang_the_loader(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="not a regular file"):
        load(tmp_path / "pipe")


def test_a_pipe_is_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="not a regular file; give another name"):
        save(table_model(), tmp_path / "pipe")
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_a_folder_is_named_by_its_path(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError, match="is a folder; give a file name") as caught:
        load(tmp_path)
    assert str(caught.value).startswith(str(tmp_path))
    with pytest.raises(IsADirectoryError, match="is a folder; give a file name"):
        save(table_model(), tmp_path)


@pytest.mark.parametrize("call", ["write", "fsync"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_an_error_of_the_disk_names_the_file(
    call: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any) -> Any:
        raise OSError(code, os.strerror(code))

    (tmp_path / "log").write_bytes(b"whole\n")
    monkeypatch.setattr(os, call, fail)
    for write, name in ((write_atomically, "new"), (append_durably, "log")):
        advice = r"; \S+ .B are free in .*\. Make room there, or name a file on a larger disk" * (code == errno.ENOSPC)
        with pytest.raises(OSError, match=f"{os.strerror(code)}{advice}: .*{name}") as caught:
            write(tmp_path / name, b"some data")
        assert caught.value.errno == code
        assert str(caught.value).count("Make room") == (code == errno.ENOSPC)
    monkeypatch.undo()
    assert files_in(tmp_path) == ["log"]


def test_what_could_not_be_appended_whole_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, write, calls = tmp_path / "log", os.write, []
    append_durably(path, b"first\n")

    def short(descriptor: int, data: Any) -> int:
        calls.append(1)
        if len(calls) == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(descriptor, data[:3])

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", short)
        with pytest.raises(OSError, match="No space left"):
            append_durably(path, b"second\n")
    append_durably(path, b"third\n")
    assert path.read_bytes() == b"first\nthird\n"


def test_only_temporary_files_of_dead_processes_of_this_machine_are_removed(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    target = tmp_path / "m"
    ours = family(target)
    stale, kept = (
        f"{ours}{gone.pid}-abc.tmp",
        [
            f"{ours}{os.getpid()}-abc.tmp",  # this process may write it in another thread
            f"{ours}1-abc.tmp",  # of another user, or of root
            f"{ours}x-abc.tmp",
            f"{ours}{gone.pid}-abc.txt",
            f".m.elsewhere-{gone.pid}-abc.tmp",
            f".m2.{ours[3:]}{gone.pid}-abc.tmp",
            ".m.abc.tmp",
        ],
    )
    for name in (stale, *kept):
        (tmp_path / name).write_bytes(b"half")
    write_atomically(target, b"whole")
    assert files_in(tmp_path) == sorted(["m", *kept])


def test_a_killed_writer_leaves_nothing_after_the_next_save(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys\n"
        "from rosenblatt.storage.atomic import write_atomically\n"
        "os.fsync = lambda descriptor: os.kill(os.getpid(), signal.SIGKILL)\n"
        "write_atomically(sys.argv[1], b'half')\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "m")], env=environment, check=False)
    assert len(files_in(tmp_path)) == 1
    write_atomically(tmp_path / "m", b"whole")
    assert files_in(tmp_path) == ["m"]


def test_a_folder_that_may_not_be_written_names_no_temporary_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**given: Any) -> Any:
        raise PermissionError(errno.EACCES, "Permission denied", str(tmp_path / ".new.tmp"))

    monkeypatch.setattr(tempfile, "mkstemp", refuse)
    with pytest.raises(PermissionError) as caught:
        write_atomically(tmp_path / "new", b"some data")
    assert caught.value.filename == str(tmp_path / "new")


def test_a_file_written_in_parts_appears_when_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "table"
    target.write_bytes(b"old")
    with atomic_file(target) as file:
        for part in (b"one, ", bytearray(b"two, "), memoryview(b"three")):
            assert file.write(part) == len(part)
        assert file.tell() == 15
        assert target.read_bytes() == b"old"
    assert target.read_bytes() == b"one, two, three"
    assert files_in(tmp_path) == ["table"]


def write_half(target: Path, error: BaseException) -> None:
    with atomic_file(target) as file:
        file.write(b"half")
        raise error


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ValueError()])
def test_what_ends_in_the_middle_changes_nothing(error: BaseException, tmp_path: Path) -> None:
    (tmp_path / "table").write_bytes(b"old")
    for name in ("table", "new"):
        with pytest.raises(type(error)):
            write_half(tmp_path / name, error)
    assert (tmp_path / "table").read_bytes() == b"old"
    assert files_in(tmp_path) == ["table"]


def test_an_error_of_the_writer_names_the_file_and_one_of_another_file_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int, data: Any) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(OSError, match="that other file") as other:
        write_half(tmp_path / "table", OSError(errno.EIO, "that other file"))
    assert other.value.filename is None
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        with pytest.raises(OSError, match="No space") as own:
            write_half(tmp_path / "table", ValueError())
    assert own.value.filename == str(tmp_path / "table")
    assert files_in(tmp_path) == []
