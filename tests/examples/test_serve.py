"""The example of a server, as a process: it answers like the model, and refuses what the model refuses."""

import asyncio
import http.client
import importlib.util
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import warnings
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
        ([{"plan": "yearly", "opened": {"a": [1]}}], 422, "column 'opened' holds dict values"),
        ([{}], 422, "the table has no columns"),
        (b'[{"plan": "yearly", "opened": NaN}]', 400, "NaN is no number; a missing cell is null"),
        (b'[{"plan": "yearly", "opened": -Infinity}]', 400, "-Infinity is no number"),
        (b'[{"plan": "yearly", "opened": 1, "opened": 2}]', 400, "a name twice: plan, opened, opened"),
        (None, 400, "the request is no JSON"),
        (b"[" + b" " * (1 << 20) + b"]", 413, "1,048,576 bytes"),
    ],
)
def test_what_it_refuses(address, body, status, message):
    found, answer = asked(address, b"" if body is None else body)
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


@pytest.fixture(scope="module")
def example():
    """The example as a module."""
    pytest.importorskip("starlette")
    spec = importlib.util.spec_from_file_location("serve", PATH)
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def call(app, *received, path="/predict", method="POST"):
    """Status and JSON of what an application answers to these messages, without a server."""
    sent, waiting = [], list(received) or [{"type": "http.request", "body": b""}]

    async def send(message):
        sent.append(message)

    async def receive():
        return waiting.pop(0)

    scope = {"type": "http", "method": method, "path": path, "root_path": "", "query_string": b"", "headers": []}
    asyncio.run(app(scope, receive, send))
    return sent[0]["status"], json.loads(b"".join(message.get("body", b"") for message in sent[1:]))


def request(rows):
    return {"type": "http.request", "body": json.dumps(rows).encode()}


@pytest.mark.parametrize("unit", ["D", "s", "ns"])
def test_classes_that_json_lacks_are_texts(example, tmp_path, unit):
    x = np.linspace(-1, 1, 60)
    days = np.where(x > 0, "2024-01-31", "2024-02-29").astype(f"datetime64[{unit}]")
    rosenblatt.save(rosenblatt.MLPClassifier((3,), max_iter=300, tol=0.1).fit(x[:, None], days), tmp_path / "m")
    app = example.create_app(rosenblatt.load_predictor(tmp_path / "m"))
    names = [str(day) for day in np.unique(days)]
    assert call(app, path="/", method="GET")[1]["classes"] == names
    status, (answer,) = call(app, request([{"x0": 0.5}]))
    assert (status, list(answer["probabilities"])) == (200, names)
    assert answer["prediction"] in names


def test_sparse_labels_are_lists(example, tmp_path):
    sparse = pytest.importorskip("scipy.sparse")
    X = np.random.default_rng(0).normal(size=(60, 2))
    labels = sparse.csr_matrix((X > 0).astype(int))
    rosenblatt.save(rosenblatt.MLPClassifier((3,), max_iter=300, tol=0.1).fit(X, labels), tmp_path / "m")
    app = example.create_app(rosenblatt.load_predictor(tmp_path / "m"))
    status, (answer,) = call(app, request([{"x0": 0.5, "x1": -0.5}]))
    assert (status, len(answer["prediction"])) == (200, 2)


def test_a_failure_of_the_server_is_no_fault_of_the_request(example):
    class Broken:
        model, columns = "Broken", {"x": "numeric"}

        def predict(self, rows):
            raise RuntimeError("secret")

    app, sent = example.create_app(Broken()), []

    async def send(message):
        sent.append(message)

    async def receive():
        return request([{"x": 1}])

    scope = {"type": "http", "method": "POST", "path": "/predict", "root_path": "", "query_string": b"", "headers": []}
    with pytest.raises(RuntimeError):  # for the server's log
        asyncio.run(app(scope, receive, send))
    assert sent[0]["status"] == 500
    assert list(json.loads(sent[1]["body"])) == ["error"]
    assert b"secret" not in sent[1]["body"]


def test_a_client_that_leaves_is_no_failure(example, model):
    app = example.create_app(as_predictor(model))
    part = {"type": "http.request", "body": b"[", "more_body": True}
    assert call(app, part, {"type": "http.disconnect"})[0] == 400


def as_predictor(model):
    """The model with what a predictor has besides."""
    model.model, model.columns = "TabularClassifier", {"plan": "categorical", "opened": "numeric"}
    return model


def test_odd_cells_leave_nothing_in_memory_or_the_log(example, model, capsys):
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        app = example.create_app(as_predictor(model))
        for number in range(3):
            assert call(app, request([{"plan": "yearly", "opened": f"odd {number}"}]))[0] == 200
    assert {*vars(example).get("__warningregistry__", {})} <= {"version"}
    assert "odd" not in capsys.readouterr().err


def test_what_cannot_be_served_is_refused_at_the_start(example, tmp_path, capsys):
    rosenblatt.save(rosenblatt.Network(rosenblatt.NetworkSpec(2, (3,), 1)), tmp_path / "network")
    (tmp_path / "broken").write_bytes(b"no model")
    for name, said in {
        "network": "a Network has no columns",
        "broken": "not a rosenblatt model",
        "none": "none",
    }.items():
        with pytest.raises(SystemExit) as ended:
            example.main([str(tmp_path / name)])
        assert ended.value.code == 2
        assert said in capsys.readouterr().err
    with pytest.raises(SystemExit):
        example.main([str(tmp_path / "network"), "--port", "99999"])
    assert "--port" in capsys.readouterr().err
