"""Sizes of memory as people write them, and what the machine and its control groups leave."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from rosenblatt import memory
from rosenblatt.memory import enough_text, free_memory, memory_size, require_memory, size_text


@pytest.mark.parametrize(
    ("given", "n_bytes"),
    [
        ("2GB", 2 * 10**9),
        ("2 gb", 2 * 10**9),
        (" 1.5GiB ", 3 * 2**29),
        ("500M", 5 * 10**8),
        ("4096", 4096),
        ("64kB", 64_000),
        ("1TB", 10**12),
        ("12B", 12),
        (10**9, 10**9),
        (1e9, 10**9),
    ],
)
def test_sizes(given, n_bytes):
    assert memory_size("memory_limit", given) == n_bytes


@pytest.mark.parametrize(
    "given",
    ["", "GB", "2 apples", "-2GB", "0", 0, -1, 0.5, True, None, [1], "nan", float("inf"), "9999999999TB", "2GBB"],
)
def test_what_is_no_size_is_refused(given):
    with pytest.raises(
        ValueError, match=r"memory_limit is .*; it must be a positive number of bytes, or a size such as"
    ):
        memory_size("memory_limit", given)


@pytest.mark.parametrize("n_bytes", [1, 999, 1000, 1001, 196_608, 999_999, 1_234_567, 10**9 + 1, 2**40 + 3])
def test_a_size_that_is_enough_is_read_as_no_less(n_bytes):
    assert n_bytes <= memory_size("memory_limit", enough_text(n_bytes)) <= 1.01 * n_bytes


def test_sizes_are_shown_as_people_write_them():
    assert [size_text(n) for n in (17, 1500, 2e6, 3.21e9, 999_999_999, 2e12)] == [
        *("17 bytes", "1.5 kB", "2 MB", "3.21 GB", "1 GB", "2 TB")
    ]


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine with 8 GB available, and no control group."""
    (tmp_path / "meminfo").write_text("MemTotal: 16000000 kB\nMemFree: 1000 kB\nMemAvailable:  8000000 kB\n")
    (tmp_path / "cgroup").write_text("0::/user/own\n")
    (tmp_path / "groups/user/own").mkdir(parents=True)
    monkeypatch.setattr(memory, "MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "OWN_CGROUP", tmp_path / "cgroup")
    monkeypatch.setattr(memory, "CGROUPS", tmp_path / "groups")
    return tmp_path


def limit(folder, most, used, inactive=0, version=2):
    folder.mkdir(parents=True, exist_ok=True)
    names = memory.FILES[version != 2]
    (folder / names[0]).write_text(f"{most}\n")
    (folder / names[1]).write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"anon 5\n{names[2]} {inactive}\n")


def test_what_is_available_is_free(machine):
    assert free_memory() == 8_000_000 * 1024


def test_a_control_group_limits_its_processes(machine):
    limit(machine / "groups/user/own", 4_000_000, 3_000_000, inactive=500_000)
    assert free_memory() == 1_500_000
    limit(machine / "groups/user", 3_500_000, 3_400_000)
    assert free_memory() == 100_000, "the group that contains it has less"
    limit(machine / "groups/user", "max", 1)
    assert free_memory() == 1_500_000
    limit(machine / "groups/user/own", 1_000, 2_000)
    assert free_memory() == 0


def test_control_groups_of_the_first_version_do_too(machine):
    (machine / "cgroup").write_text("5:cpu:/other\n9:memory:/box\n")
    limit(machine / "groups/memory/box", 4_000_000, 3_000_000, inactive=500_000, version=1)
    assert free_memory() == 1_500_000
    limit(machine / "groups/memory/box", 2**63 - 4096, 3_000_000, version=1)
    assert free_memory() == 8_000_000 * 1024


def test_a_container_sees_its_group_as_the_root(machine):
    (machine / "cgroup").unlink()
    limit(machine / "groups", 2_000_000, 500_000)
    assert free_memory() == 1_500_000


def test_half_counts_as_free_where_the_system_says_nothing(machine, monkeypatch):
    (machine / "meminfo").unlink()
    monkeypatch.setattr(memory, "_all_memory", lambda: 10**9)
    assert free_memory() == 5 * 10**8


def test_what_is_larger_than_free_memory_is_refused(machine):
    limit(machine / "groups", 10**9, 5 * 10**8)
    require_memory(499 * 10**6, "this", "take less")
    with pytest.raises(MemoryError, match=r"^this takes 501 MB of memory, and 500 MB are free: take less$"):
        require_memory(501 * 10**6, "this", "take less")
    limit(machine / "groups", 10**9, 10**9)
    require_memory(10**8, "this", "take less")  # it is not worth a look


def test_this_machine_has_memory():
    assert 0 < free_memory() < 2**63


def test_freed_memory_goes_back_to_the_system():
    program = """
import re
from rosenblatt.memory import give_back

def own():
    return int(re.search(r"RssAnon:\\s+(\\d+)", open("/proc/self/status").read())[1])

many = [bytes(2_000) for _ in range(100_000)]
last = many[-1]  # behind all others, so that the allocator keeps their pages
del many
kept = own()
give_back()
print(kept - own())
"""
    if not Path("/proc/self/status").exists() or platform.libc_ver()[0] != "glibc":
        pytest.skip("only glibc is asked to give memory back")
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert int(found.stdout) > 100_000  # kB of 200 MB
