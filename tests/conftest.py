"""What holds for all tests."""

import os
import signal
import sys

import pytest

if "PYTEST_XDIST_WORKER" in os.environ:  # there is a process for each processor: none trains networks on several
    for name in ("OPENBLAS_NUM_THREADS", "ROSENBLATT_NUM_THREADS"):
        os.environ.setdefault(name, "1")


@pytest.fixture(autouse=True, scope="session")
def ctrl_c_interrupts():
    """A shell that starts the tests in the background lets them ignore SIGINT; the tests of Ctrl-C need it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def events_of():
    """A function that calls another and tells which files it opened and what it imported, compiled or executed."""
    forbidden = ("exec", "compile", "import", "open", "pickle.find_class", "marshal.loads", "subprocess.Popen")
    events: list[str] = []
    watching = False

    def watch(event, arguments):
        if watching and event in forbidden and not (event == "open" and isinstance(arguments[0], int)):
            events.append(f"{event} {arguments[0]}")

    def call(function):
        nonlocal watching
        watching = True
        function()
        watching = False
        return events

    sys.addaudithook(watch)
    return call
