"""The example of a server, as a process: it answers like the model, and refuses what the model refuses."""

import http.client
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import rosenblatt

PATH = Path(__file__).parents[2] / "examples" / "serve.py"
ROWS = [{"plan": "yearly", "opened": 11}, {"plan": "monthly", "opened": None}, {"plan": "weekly", "opened": "7"}]


@pytest.fixture(scope="module")
def model():
    rng = np.random.default_rng(0)
    table = {"plan": rng.choice(["monthly", "yearly"], 200), "opened": rng.poisson(10, 200).astype(float)}
    says_no = table["opened"] + 4 * rng.normal(size=200) > 10
    return rosenblatt.TabularClassifier("fast", max_iter=4).fit(table, np.where(says_no, "no", "yes"))


@pytest.fixture(scope="module")
def address(model, tmp_path_factory):
    pytest.importorskip("starlette")
    path = tmp_path_factory.mktemp("serve") / "model"
    rosenblatt.save(model, path)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, PATH, path, "--port", str(port)]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) as server:
        try:
            yield wait_for(server, port)
        finally:
            server.terminate()
            server.communicate(timeout=30)


def wait_for(server, port):
    """The address of a server, as soon as it listens."""
    for _ in range(1200):
        if server.poll() is not None:
            raise AssertionError(server.stderr.read().decode())
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return f"http://127.0.0.1:{port}"
        time.sleep(0.05)
    raise AssertionError("the server does not listen")


def asked(address, body, path="/predict"):
    """Status and JSON of an answer."""
    data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(address + path, data, timeout=60) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_it_answers_like_the_model(address, model):
    chances = model.predict_proba(ROWS)
    status, found = asked(address, ROWS)
    assert status == 200
    assert [list(answer["probabilities"].values()) for answer in found] == chances.tolist()
    assert [list(answer["probabilities"]) for answer in found] == [["no", "yes"]] * 3
    assert [answer["prediction"] for answer in found] == [("no", "yes")[i] for i in chances.argmax(axis=1)]


def test_it_says_what_the_model_needs(address):
    status, found = asked(address, None, "/")
    assert status == 200
    assert found == {
        "model": "TabularClassifier",
        "columns": {"plan": "categorical", "opened": "numeric"},
        "classes": ["no", "yes"],
    }


def test_many_requests_at_once_get_their_own_answers(address):
    rows = [[{"plan": "yearly", "opened": number}] for number in range(24)]
    alone = [asked(address, one) for one in rows]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda one: asked(address, one), rows)) == alone
    assert len({json.dumps(answer) for answer in alone}) > 12


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ([{"plan": "yearly"}], 422, "the table has no column 'opened'"),
        ([], 422, "an object for each row"),
        ([1, 2], 422, "an object for each row"),
        ({"plan": ["yearly"], "opened": [1]}, 422, "an object for each row"),
        (b"[{", 400, "the request is no JSON"),
        (b"[" * 100_000, 400, "the request is no JSON"),
        (b"\xff\xfe", 400, "the request is no JSON"),
        ([{"plan": "yearly", "opened": {"a": [1]}}], 422, "opened"),
        (b"[" + b" " * (1 << 20) + b"]", 413, "1,048,576 bytes"),
    ],
)
def test_what_it_refuses(address, body, status, message):
    found, answer = asked(address, body)
    assert (found, list(answer)) == (status, ["error"])
    assert re.search(re.escape(message), answer["error"])


def test_other_paths_and_methods_get_json_as_well(address):
    assert asked(address, None, "/nowhere") == (404, {"error": "Not Found"})
    assert asked(address, None, "/predict") == (405, {"error": "Method Not Allowed"})


def test_a_request_without_an_end_is_cut_off(address):
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=60)
    connection.request(
        "POST",
        "/predict",
        body=(b" " * 65536 for _ in range(20)),
        encode_chunked=True,
        headers={"Transfer-Encoding": "chunked"},
    )
    assert connection.getresponse().status == 413
    connection.close()
