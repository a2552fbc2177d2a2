"""7. Serve
========

Predictions over HTTP, with nothing but the standard library.

A request holds rows as JSON, `[{"plan": "yearly", "issues opened": 11}]`. Predicting from many threads at once is safe.
"""

import json
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from _subscribers import subscribers

import rosenblatt


def server_of(model: Any) -> ThreadingHTTPServer:
    """A server on a free port of this machine; rows that the model refuses get its message and status 400."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            rows = self.rfile.read(int(self.headers["Content-Length"]))
            try:
                chances = model.predict_proba(json.loads(rows))
                answer = [dict(zip(map(str, model.classes_), row, strict=True)) for row in chances.tolist()]
                status, body = 200, json.dumps(answer)
            except ValueError as error:
                status, body = 400, json.dumps({"error": str(error)})
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: Any) -> None:
            pass

    return ThreadingHTTPServer(("127.0.0.1", 0), Handler)


def main() -> list[dict[str, float]]:
    """Serve a model, ask it about a subscriber, and stop."""
    inputs = {name: column for name, column in subscribers().items() if name not in ("renewal", "note")}
    model = rosenblatt.learn(inputs, "cancelled", groups="subscriber", preset="fast")
    row = {"plan": "yearly", "city": "Graz", "price": "7.50 €", "issues opened": 11}
    with server_of(model) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        with urllib.request.urlopen(url, json.dumps([row]).encode()) as response:
            answer: list[dict[str, float]] = json.load(response)
        server.shutdown()
    print(f"{row} -> {answer[0]}")
    return answer


if __name__ == "__main__":
    main()
