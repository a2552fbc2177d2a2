"""Dask workers on hosts of their own: network namespaces with a link each, one of which is cut while they train."""

import contextlib
import os
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest

import rosenblatt
from rosenblatt import TabularClassifier

distributed = pytest.importorskip("distributed")

pytestmark = pytest.mark.long

NAME = f"rb{os.getpid() % 100_000}"
BRIDGE = f"{NAME}br"
PREFIX = f"10.213.{os.getpid() % 250}"
HOSTS = ("scheduler", "one", "two")
IMPATIENT = {
    "DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": "6s",
    "DASK_DISTRIBUTED__COMM__TIMEOUTS__TCP": "15s",
    "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "5s",
}
"""A worker that is silent is given up after seconds instead of minutes."""
RNG = np.random.default_rng(0)
X = {"number": RNG.normal(size=2_000), "other": RNG.normal(size=2_000), "colour": RNG.choice(["red", "blue"], 2_000)}
LABELS = (X["number"] + (X["colour"] == "red") + RNG.normal(size=2_000) > 0.3).astype(int)
OPTIONS = {"members": 4, "max_iter": 400, "hidden_layer_sizes": (8,)}


def ip(*args, check=True):
    return subprocess.run(["ip", *args], check=check, capture_output=True, text=True)


def can_make_hosts():
    """Whether namespaces and links can be made here."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return False
    made = ip("netns", "add", f"{NAME}probe", check=False).returncode == 0
    if made:
        linked = ip("link", "add", BRIDGE, "type", "bridge", check=False).returncode == 0
        ip("link", "del", BRIDGE, check=False)
        ip("netns", "del", f"{NAME}probe")
        return linked
    return False


@pytest.fixture
def hosts():
    """A namespace for each host, and for the client, with an address on a common bridge."""
    if not can_make_hosts():
        pytest.skip("network namespaces need root, the command ip, and a kernel that allows them")
    try:
        ip("link", "add", BRIDGE, "type", "bridge")
        ip("addr", "add", f"{PREFIX}.1/24", "dev", BRIDGE)
        ip("link", "set", BRIDGE, "up")
        for number, host in enumerate(HOSTS, start=2):
            space, outer, inner = f"{NAME}{host}", f"{NAME}o{number}", f"{NAME}i{number}"
            ip("netns", "add", space)
            ip("link", "add", outer, "type", "veth", "peer", "name", inner)
            ip("link", "set", outer, "master", BRIDGE, "up")
            ip("link", "set", inner, "netns", space)
            inside = ("netns", "exec", space, "ip")
            ip(*inside, "addr", "add", f"{PREFIX}.{number}/24", "dev", inner)
            ip(*inside, "link", "set", inner, "up")
            ip(*inside, "link", "set", "lo", "up")
        yield {host: f"{PREFIX}.{number}" for number, host in enumerate(HOSTS, start=2)}
    finally:
        for number, host in enumerate(HOSTS, start=2):
            ip("link", "del", f"{NAME}o{number}", check=False)
            ip("netns", "del", f"{NAME}{host}", check=False)
        ip("link", "del", BRIDGE, check=False)


@contextlib.contextmanager
def processes(hosts, folder):
    """A scheduler and two workers, each on its host."""
    dask = [sys.executable, "-m", "dask"]
    address = f"tcp://{hosts['scheduler']}:8786"
    commands = {"scheduler": [*dask, "scheduler", "--host", hosts["scheduler"], "--no-dashboard"]}
    for host in HOSTS[1:]:
        options = ["--host", hosts[host], "--nthreads", "1", "--no-dashboard", "--name", host]
        commands[host] = [*dask, "worker", address, *options, "--local-directory", str(folder / host)]
    environment = {**os.environ, **IMPATIENT}
    with contextlib.ExitStack() as stack:
        for host, command in commands.items():
            log = stack.enter_context(open(folder / f"{host}.log", "w"))
            started = subprocess.Popen(
                ["ip", "netns", "exec", f"{NAME}{host}", *command],
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            stack.callback(end_all, started)
        yield address


def end_all(process):
    """End a process and those that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, 9)
    process.wait()


def saved(model, path):
    rosenblatt.save(model, path)
    return path.read_bytes()


def test_a_link_that_is_cut_changes_nothing(hosts, tmp_path):
    here = TabularClassifier(**OPTIONS).fit(X, LABELS)
    cut, epochs, on_one = [], [], set()

    def hear(epoch):
        epochs.append((epoch.member, epoch.number))
        if epoch.number < 5 or cut:
            return
        on_one.update(client.processing().get(f"tcp://{addresses['one']}", ()))
        if on_one:  # it may get its first job later than the other
            cut.append(time.monotonic())
            ip("link", "set", f"{NAME}o3", "down")  # the host "one"

    with processes(hosts, tmp_path) as address, distributed.Client(address, timeout=100) as client:
        client.wait_for_workers(2, timeout=120)
        found = client.scheduler_info()["workers"]
        addresses = {info["name"]: key.removeprefix("tcp://") for key, info in found.items()}
        assert {name: address.split(":")[0] for name, address in addresses.items()} == {
            name: hosts[name] for name in HOSTS[1:]
        }
        whole = TabularClassifier(**OPTIONS, client=client).fit(X, LABELS)
        assert saved(whole, tmp_path / "whole") == saved(here, tmp_path / "here")
        there = TabularClassifier(**OPTIONS, client=client, on_epoch=hear).fit(X, LABELS)
        assert on_one  # the jobs that were lost
        assert list(client.nthreads()) == [f"tcp://{addresses['two']}"]
    assert saved(there, tmp_path / "there") == saved(here, tmp_path / "here")
    assert sorted(epochs) == [(member, number) for member in range(1, 5) for number in range(1, 401)]
