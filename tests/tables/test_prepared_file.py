"""Prepared rows in a file: what was written is read, in any ranges; full disks, closed files, killed processes."""

import os
import resource
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
from collections import namedtuple

import numpy as np
import pytest
import scipy.sparse

from rosenblatt.tables.encoders import Prepared
from rosenblatt.tables.prepared_file import (
    BYTES_AT_ONCE,
    PreparedFile,
    PreparedFileError,
    ReadCancelledError,
    RowLayout,
)

RNG = np.random.default_rng(0)
N = 500
Usage = namedtuple("Usage", "total used free")


def words(n_rows, density):
    matrix = scipy.sparse.random(n_rows, 40, density, "csr", np.float32, rng=np.random.default_rng(1))
    matrix.sort_indices()
    return matrix


ALL = Prepared(
    RNG.normal(size=(N, 3)).astype(np.float32),
    RNG.normal(size=(N, 2)).astype(np.float32),
    RNG.integers(0, 9, size=(N, 2), dtype=np.int32),
    (words(N, 0.1), words(N, 0.01)),
)
NUMBERS = Prepared.of(N, numbers=ALL.numbers)
CODES = Prepared.of(N, codes=ALL.codes)
WORDS = Prepared.of(N, words=ALL.words[:1])
LABELS = RNG.integers(0, 3, size=N, dtype=np.int32)
TARGETS = RNG.normal(size=(N, 2))
WEIGHTS = RNG.uniform(size=N).astype(np.float32)
CASES = {
    "all parts": (ALL, TARGETS, WEIGHTS),
    "labels": (NUMBERS, LABELS, None),
    "one column of targets": (ALL, TARGETS[:, :1], None),
    "targets without an axis": (CODES, TARGETS[:, 0].astype(np.float32), WEIGHTS),
    "words only": (WORDS, LABELS, WEIGHTS),
}


def taken(case, rows):
    prepared, y, weights = case
    dense = (part[rows] for part in (prepared.numbers, prepared.indicators, prepared.codes))
    matrices = tuple(matrix[rows] for matrix in prepared.words)
    return Prepared(*dense, matrices), y[rows], None if weights is None else weights[rows]


def written(case, folder=None, sizes=(7, 200, 0, 293)):
    file = PreparedFile.create(folder, RowLayout.of(*case), N)
    for start, stop in zip(np.cumsum((0, *sizes)), np.cumsum(sizes), strict=False):
        file.append(*taken(case, slice(start, stop)))
    return file.finish()


def assert_same(found, expected):
    for name in ("numbers", "indicators", "codes"):
        a, b = getattr(found[0], name), getattr(expected[0], name)
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)
    assert len(found[0].words) == len(expected[0].words)
    for a, b in zip(found[0].words, expected[0].words, strict=True):
        assert a.shape == b.shape
        for part in ("data", "indices", "indptr"):
            np.testing.assert_array_equal(getattr(a, part), getattr(b, part))
    for a, b in zip(found[1:], expected[1:], strict=True):
        np.testing.assert_array_equal(a, b)
        assert a is b is None or a.dtype == b.dtype


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("ranges", [[(0, N)], [(3, 9), (9, 10), (100, 480)], [(300, 310), (5, 8)], [(4, 4)], []])
def test_ranges_of_rows_are_read_as_they_were_written(name, ranges, tmp_path):
    rows = np.concatenate([np.empty(0, np.int64), *(np.arange(*each) for each in ranges)])
    with written(CASES[name], tmp_path) as file:
        assert not os.listdir(tmp_path), "the file has a name"
        assert_same(file.read(ranges), taken(CASES[name], rows))
        assert all(column.flags.c_contiguous for column in file.read(ranges)[0].codes.T)


def test_rows_that_are_copied_in_parts_are_the_same(monkeypatch):
    monkeypatch.setattr("rosenblatt.tables.prepared_file.BYTES_AT_ONCE", 300)
    with written(CASES["all parts"]) as file:
        assert_same(file.read([(1, 250), (260, N)]), taken(CASES["all parts"], np.r_[1:250, 260:N]))


def digest_of(case, sizes=(N,)):
    with written(case, sizes=sizes) as file:
        return file.digest


def test_the_digest_depends_on_the_rows_only():
    digests = [digest_of(CASES["all parts"], sizes) for sizes in ((N,), (1, 499), (250, 250))]
    assert len(set(digests)) == 1
    for part in range(3):
        changed = [ALL, TARGETS, WEIGHTS]
        if part:
            changed[part] = changed[part] + np.float32(1)
        else:
            changed[0] = Prepared(ALL.numbers, ALL.indicators, ALL.codes, (ALL.words[0] * 2, ALL.words[1]))
        assert digest_of(changed) != digests[0]
    reordered = Prepared.of(N, numbers=ALL.numbers[:, ::-1])
    assert digest_of((reordered, LABELS, None)) != digest_of((NUMBERS, LABELS, None))


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("kept", [slice(0, 3), slice(5, 207), slice(207, 420), slice(420, N), slice(100, 100)])
def test_a_file_of_some_of_the_rows_has_these_and_the_digest_of_all(name, kept):
    case, whole = CASES[name], written(CASES[name])
    file = PreparedFile.create(None, whole.layout, N, kept=kept)
    for start, stop in ((0, 7), (7, 207), (207, 207), (207, N)):
        file.append(*taken(case, slice(start, stop)))
    assert file.finish().digest == whole.digest
    assert file.row_bytes == whole.row_bytes
    assert file.size_bytes <= whole.size_bytes * 0.5
    assert_same(file.read([(kept.start, kept.stop)]), taken(case, kept))
    if kept.stop - kept.start > 100:
        middle = slice(kept.start + 11, kept.stop - 3)
        assert_same(file.read([(middle.start, middle.stop)]), taken(case, middle))
    with pytest.raises(ValueError, match="are not within"):
        file.read([(kept.start, kept.stop + 1)])
    file.close()
    whole.close()


def test_the_size_is_that_of_rows_and_words():
    with written(CASES["all parts"]) as file:
        dense = N * (4 * 3 + 4 * 2 + 4 * 2 + 2 * 8 + 4 + 2 * 12)
        assert file.size_bytes == dense + 8 * sum(matrix.nnz for matrix in ALL.words)
        assert file.row_bytes == file.size_bytes / N


def test_rows_that_do_not_fit_are_refused():
    file = PreparedFile.create(None, RowLayout.of(NUMBERS, LABELS, None), N)
    with pytest.raises(ValueError, match="layout"):
        file.append(NUMBERS, LABELS.astype(np.int64))
    with pytest.raises(ValueError, match="layout"):
        file.append(NUMBERS, LABELS, WEIGHTS)
    with pytest.raises(ValueError, match="0 rows were written; the file is for 500"):
        file.finish()
    file.append(NUMBERS, LABELS)
    with pytest.raises(ValueError, match="row 1000 was to be written"):
        file.append(NUMBERS, LABELS)
    for ranges in ([(0, N + 1)], [(-1, 3)], [(5, 4)]):
        with pytest.raises(ValueError, match="not within the 500"):
            file.read(ranges)
    file.close()
    with pytest.raises(ValueError, match="closed"):
        file.read([(0, 1)])


def test_a_disk_with_too_little_space_is_refused_before_anything_is_written(tmp_path, monkeypatch):
    layout = RowLayout.of(*CASES["all parts"])
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(10**9, 0, 999_000))
    with pytest.raises(PreparedFileError) as caught:
        PreparedFile.create(tmp_path, layout, 1_000_000, words_per_row=2)
    said = str(caught.value)
    needed = 1_000_000 * (layout.row_bytes + 16) / 1e6
    for part in ("1,000,000 prepared rows", f"{needed:.3g} MB", repr(str(tmp_path)), "999 kB are free", "TMPDIR"):
        assert part in said
    assert not list(tmp_path.iterdir())


def test_space_is_asked_for_rows_that_are_kept_and_for_all_files(tmp_path, monkeypatch):
    layout = RowLayout.of(*CASES["labels"])
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(0, 0, 250 * layout.row_bytes))
    PreparedFile.create(tmp_path, layout, N, kept=slice(100, 350)).close()
    PreparedFile.create(tmp_path, layout, N, kept=slice(100, 225), n_files=2).close()
    with pytest.raises(PreparedFileError, match="2 times 126 prepared rows need"):
        PreparedFile.create(tmp_path, layout, N, kept=slice(100, 226), n_files=2)


def test_words_that_need_more_space_than_was_thought_are_noticed(tmp_path, monkeypatch):
    free = {"bytes": 10**7}
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(10**9, 0, free["bytes"]))
    file = PreparedFile.create(tmp_path, RowLayout.of(WORDS, LABELS, None), N)
    free["bytes"] = (N - 100) * (file.layout.row_bytes + 10)
    with pytest.raises(PreparedFileError, match=r"400 rows that remain of 500.*need about .* are free"):
        file.append(*taken((WORDS, LABELS, None), slice(0, 100)))
    with pytest.raises(ValueError, match="closed"):
        file.read([(0, 1)])


def test_a_folder_that_is_none_is_named(tmp_path):
    layout = RowLayout.of(*CASES["labels"])
    (tmp_path / "file").touch()
    for folder in (tmp_path / "absent", tmp_path / "file"):
        with pytest.raises(PreparedFileError, match=rf"{folder}' cannot be written: .*TMPDIR"):
            PreparedFile.create(folder, layout, N)


@pytest.mark.parametrize("part", [0, 1])
def test_a_disk_that_becomes_full_is_said_and_the_file_is_gone(part, tmp_path):
    case = CASES["all parts"]
    file = PreparedFile.create(tmp_path, RowLayout.of(*case), 10 * N)
    file.append(*case)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    limit = file._sizes[part] + 100
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
        with pytest.raises(PreparedFileError, match=rf"{tmp_path}' cannot be written beyond .* File too large"):
            file.append(*case)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    with pytest.raises(ValueError, match="closed"):
        file.append(*case)


def test_a_disk_that_fails_while_it_is_read_is_said(monkeypatch, tmp_path):
    with written(CASES["labels"], tmp_path) as file:
        os.ftruncate(file._files[0].fileno(), 100)
        with pytest.raises(PreparedFileError, match=rf"{tmp_path}' cannot be read: the file is shorter"):
            file.read([(0, N)])


def test_reading_ends_when_it_is_cancelled():
    asked = []
    with written(CASES["labels"]) as file, pytest.raises(ReadCancelledError):
        file.read([(0, 10), (20, 30)], lambda: bool(asked.append(1)) or len(asked) > 1)


def test_threads_read_at_once():
    failures = []

    def read(file, seed):
        rng = np.random.default_rng(seed)
        for _ in range(20):
            start, stop = np.sort(rng.integers(0, N, 2)).tolist()
            try:
                assert_same(file.read([(start, stop)]), taken(CASES["all parts"], slice(start, stop)))
            except BaseException as error:
                failures.append(error)

    with written(CASES["all parts"]) as file:
        threads = [threading.Thread(target=read, args=(file, seed)) for seed in range(4)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
    assert not failures


def test_a_killed_process_leaves_no_file(tmp_path):
    script = """
        import sys, time
        import numpy as np
        from rosenblatt.tables.encoders import Prepared
        from rosenblatt.tables.prepared_file import PreparedFile, RowLayout
        rows = Prepared.of(1000, numbers=np.ones((1000, 20))), np.zeros(1000, np.int32), None
        file = PreparedFile.create(sys.argv[1], RowLayout.of(*rows), 10_000)
        file.append(*rows)
        print("written", flush=True)
        time.sleep(100)
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"written\n"
        process.kill()
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="the system does not say what a process takes")
def test_writing_and_reading_take_a_constant_amount_of_memory():
    rows = Prepared.of(20_000, numbers=np.ones((20_000, 20), np.float32)), np.zeros(20_000, np.int32), None
    with PreparedFile.create(None, RowLayout.of(*rows), 2_000_000) as file:  # 168 MB
        file.append(*rows)
        before = anonymous_bytes()
        for _ in range(99):
            file.append(*rows)
        file.finish()
        for start in range(0, 2_000_000, 100_000):
            file.read([(start, start + 20_000)])
        assert anonymous_bytes() - before < 8 * BYTES_AT_ONCE


def anonymous_bytes():
    with open("/proc/self/status") as lines:
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith("RssAnon"))
