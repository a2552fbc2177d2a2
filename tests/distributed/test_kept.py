"""What jobs of one process share: made once, kept while it is needed, and closed at the end."""

import threading
import time

import pytest

from rosenblatt.distributed import kept as module
from rosenblatt.distributed.kept import forget, kept


class Thing:
    def __init__(self):
        self.closed = 0

    def close(self):
        self.closed += 1


@pytest.fixture
def made(monkeypatch):
    monkeypatch.setattr(module, "IDLE_SECONDS", 30.0)
    yield (things := [])
    forget("owner")
    assert not module.ENTRIES
    assert all(thing.closed == 1 for thing in things)


def maker(made):
    def make():
        made.append(Thing())
        return made[-1]

    return make


def test_jobs_at_once_and_later_ones_share_a_thing(made):
    inside, seen = threading.Barrier(4), []

    def make():
        time.sleep(0.05)
        return maker(made)()

    def job():
        with kept("owner", "name", make) as thing:
            inside.wait(10)
            seen.append(thing)

    threads = [threading.Thread(target=job) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with kept("owner", "name", make) as thing:
        assert seen == [thing] * 4
    assert len(made) == 1
    assert not thing.closed


def test_owners_and_names_are_apart(made):
    with kept("owner", "name", maker(made)) as one, kept("owner", "other", maker(made)) as two:
        with kept("another", "name", maker(made)) as three:
            pass
        forget("another")
        assert (one.closed, two.closed, three.closed) == (0, 0, 1)
    assert len(made) == 3


def test_what_is_forgotten_is_closed_at_the_end_of_its_last_job(made):
    with kept("owner", "name", maker(made)) as thing:
        forget("owner")
        assert not thing.closed
    assert thing.closed


def test_what_nobody_uses_is_closed_after_a_while(made, monkeypatch):
    monkeypatch.setattr(module, "IDLE_SECONDS", 0.1)
    with kept("owner", "name", maker(made)) as thing:
        time.sleep(0.3)
        assert not thing.closed
    end = time.monotonic() + 10
    while not thing.closed:
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_maker_that_fails_leaves_nothing(made):
    def fail():
        raise OSError("no space")

    with pytest.raises(OSError, match="no space"), kept("owner", "name", fail):
        pass
    assert not module.ENTRIES
    with kept("owner", "name", maker(made)):
        pass


def test_a_job_that_waits_may_end(made):
    begun, go = threading.Event(), threading.Event()

    def make():
        begun.set()
        go.wait(10)
        return maker(made)()

    def first():
        with kept("owner", "name", make):
            pass

    def waiting():
        raise KeyboardInterrupt

    thread = threading.Thread(target=first)
    thread.start()
    begun.wait(10)
    with pytest.raises(KeyboardInterrupt), kept("owner", "name", make, waiting):
        pass
    go.set()
    thread.join()
    assert len(made) == 1
