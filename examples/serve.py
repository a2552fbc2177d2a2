"""Predictions over HTTP: one file that loads a saved model and answers, from as many threads as ask.

    python examples/serve.py model.safetensors --port 8000
    curl -d '[{"plan": "yearly", "opened": 11}]' http://127.0.0.1:8000/predict

`GET /` says which columns the model needs. `POST /predict` takes a JSON array with an object for each row; what
the model refuses gets its message. Without a model, a small one is made and asked once. docs/serving.md tells the rest.
"""

import argparse
import json
import tempfile
import threading
import urllib.request
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import rosenblatt
from rosenblatt.tables import TableWarning

MAX_BYTES = 1 << 20  # of a request; a longer one is refused while it is read, with status 413


async def rows_of(request: Request) -> list[dict[str, Any]]:
    """The rows of a request, which is read no further than the limit."""
    body = bytearray()
    try:
        async for part in request.stream():
            body += part
            if len(body) > MAX_BYTES:
                raise HTTPException(413, f"the request is longer than {MAX_BYTES:,} bytes; send fewer rows at once.")
    except ClientDisconnect:
        raise HTTPException(400, "the request was not sent to its end.") from None
    try:
        rows = json.loads(body, parse_constant=no_constant, object_pairs_hook=unique_names)
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, f"the request is no JSON: {error}") from None
    if isinstance(rows, list) and rows and all(isinstance(row, dict) for row in rows):
        return rows
    raise HTTPException(422, 'send a JSON array with an object for each row, such as [{"column": 1.5}].')


def no_constant(text: str) -> None:
    """Python reads NaN and Infinity as numbers; JSON has neither."""
    raise ValueError(f"{text} is no number; a missing cell is null")


def unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object, whose names must differ."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError(f"an object has a name twice: {', '.join(name for name, _ in pairs)[:200]}")
    return found


def plain(values: Any) -> list[Any]:
    """Predictions or classes as what JSON has; dates are texts."""
    array = values.toarray() if hasattr(values, "toarray") else np.asarray(values)
    return (array.astype(str) if array.dtype.kind in "mM" else array).tolist()  # type: ignore[no-any-return]


def answers(model: Any, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the model says of each row."""
    found = [{"prediction": value} for value in plain(model.predict(rows))]
    if hasattr(model, "predict_proba"):
        names = list(map(str, plain(model.classes_)))
        for answer, chances in zip(found, model.predict_proba(rows).tolist(), strict=True):
            answer["probabilities"] = dict(zip(names, chances, strict=True))
    return found


def create_app(model: Any) -> Starlette:
    """The application around what `load_predictor` gives of an estimator. Other servers of ASGI take it, too."""
    if not hasattr(model, "columns"):
        raise TypeError(f"a {type(model).__name__} has no columns with names: serve an estimator, or write its route.")
    classes = plain(model.classes_) if hasattr(model, "classes_") else None
    needs = {"model": model.model, "columns": model.columns, "classes": classes}
    # Requests may hold anything; each warning would be printed, and its text be kept for ever.
    warnings.filterwarnings("ignore", category=TableWarning)

    async def describe(request: Request) -> JSONResponse:
        return JSONResponse(needs)

    async def predict(request: Request) -> JSONResponse:
        rows = await rows_of(request)
        try:  # in a thread, so that other requests are read meanwhile
            found = await run_in_threadpool(answers, model, rows)
        except (ValueError, TypeError) as error:  # the library's TableError is a ValueError
            raise HTTPException(422, str(error)) from None
        return JSONResponse(found)

    def refuse(request: Request, error: Any) -> Response:
        return JSONResponse({"error": error.detail}, error.status_code)

    def fail(request: Request, error: Any) -> Response:  # the log has the traceback
        return JSONResponse({"error": "the server failed; its log says how."}, 500)

    routes = [Route("/", describe), Route("/predict", predict, methods=["POST"])]
    return Starlette(routes=routes, exception_handlers={HTTPException: refuse, Exception: fail})


def small_model() -> Any:
    """A model of a made table, saved and loaded."""
    rng = np.random.default_rng(0)
    opened, plan = rng.poisson(10, 300).astype(float), rng.choice(["monthly", "yearly"], 300)
    cancels = np.where(opened + 4 * (plan == "yearly") + rng.normal(size=300) > 11, "no", "yes")
    model = rosenblatt.TabularClassifier("fast", max_iter=8).fit({"plan": plan, "opened": opened}, cancels)
    with tempfile.TemporaryDirectory() as folder:
        rosenblatt.save(model, Path(folder) / "model")
        return rosenblatt.load_predictor(Path(folder) / "model")


def ask_once(model: Any, rows: list[dict[str, Any]]) -> None:
    """Serve a model on a free port, ask it about rows, and stop."""
    server = uvicorn.Server(uvicorn.Config(create_app(model), port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        thread.join(0.01)
    url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/predict"
    with urllib.request.urlopen(url, json.dumps(rows).encode()) as response:
        print(*json.load(response), sep="\n")
    server.should_exit = True
    thread.join()


def main(arguments: list[str] | None = None) -> None:
    """Serve the model of a file until Ctrl-C; without one, make a model and ask it once."""
    parser = argparse.ArgumentParser(description="Predictions of a saved model over HTTP.")
    parser.add_argument("model", nargs="?", type=Path, help="a file that rosenblatt.save wrote")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", default=8000, type=int, choices=range(65536), metavar="PORT")
    given = parser.parse_args(arguments)
    if given.model is None:
        ask_once(small_model(), [{"plan": "yearly", "opened": 11}, {"plan": "monthly", "opened": None}])
    else:
        try:
            app = create_app(rosenblatt.load_predictor(given.model))
        except (OSError, ValueError, TypeError) as error:
            parser.error(str(error))
        uvicorn.run(app, host=given.host, port=given.port, log_level="warning")


if __name__ == "__main__":
    main()
