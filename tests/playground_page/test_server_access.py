"""Who may talk to the server: token, Host, Origin, and the headers of its answers."""

from __future__ import annotations

import secrets
import socket
from typing import Any

import pytest
from tests.playground_page.server_tools import ACCESS, HOST, ORIGIN, PORT, Client, Refused

from rosenblatt.playground_page import app
from rosenblatt.playground_page.security import Access, is_loopback


@pytest.fixture(autouse=True)
def built(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page of two files, beside a file that is no part of it."""
    (tmp_path / "static" / "assets").mkdir(parents=True)
    (tmp_path / "static" / "index.html").write_text("<title>page</title>")
    (tmp_path / "static" / "assets" / "page-1a2b.js").write_text("let page = 1;")
    (tmp_path / "private.txt").write_text("private")
    monkeypatch.setattr(app, "STATIC", tmp_path / "static")


def test_the_page_and_its_files_are_behind_the_token(client: Client) -> None:
    assert client.get("/secret/").text == "<title>page</title>"
    script = client.get("/secret/assets/page-1a2b.js")
    assert (script.text, script.headers["content-type"]) == ("let page = 1;", "text/javascript; charset=utf-8")
    moved = client.get("/secret")
    assert (moved.status, moved.headers["location"]) == (307, "/secret/")


@pytest.mark.parametrize(
    "path", ["/", "/secre/", "/secrets/", "//secret/", "/Secret/", "/assets/page-1a2b.js", "/s%C3%A9cret/", "/%00/", ""]
)
def test_another_token_finds_nothing(path: str, client: Client) -> None:
    answered = client.get(path)
    assert answered.status == 404
    assert "page" not in answered.text
    with pytest.raises(Refused):
        client.open(f"{path}socket", origin=ORIGIN)


@pytest.mark.parametrize(
    "name",
    [
        "../private.txt",
        "..%2Fprivate.txt",
        "assets/../../private.txt",
        "/etc/passwd",
        "//etc/passwd",
        "assets",
        ".",
        "%00",
    ],
)
def test_only_files_of_the_page_are_served(name: str, client: Client) -> None:
    assert client.get(f"/secret/{name}").status == 404


def test_tokens_are_compared_in_constant_time(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []
    compare = secrets.compare_digest

    def note(a: bytes, b: bytes) -> bool:
        compared.append((a, b))
        return compare(a, b)

    monkeypatch.setattr(secrets, "compare_digest", note)
    client.get("/secreT/")
    assert compared == [(b"secreT", b"secret")]


def test_tokens_are_long_and_different() -> None:
    made = [Access("127.0.0.1", PORT) for _ in range(20)]
    assert len({access.token for access in made}) == 20
    assert min(len(access.token) for access in made) >= 40
    assert made[0].token not in repr(made[0])


HOSTS = {
    HOST: True,
    f"localhost:{PORT}": True,
    f"LOCALHOST:{PORT}": True,
    f"[::1]:{PORT}": True,
    "127.0.0.1": False,
    "127.0.0.1:80": False,
    f"[::1%; script-src *]:{PORT}": False,
    f"evil.example:{PORT}": False,
    f"localhost.evil.example:{PORT}": False,
    f"192.168.1.7:{PORT}": False,
    f"{HOST}@evil.example": False,
    "": False,
    ":": False,
    f"{HOST}0": False,
    "127.0.0.1:\xb2": False,
}


@pytest.mark.parametrize(("host", "admitted"), HOSTS.items())
def test_host_must_be_that_of_the_server(host: str, admitted: bool, client: Client) -> None:
    assert ACCESS.admits_host(host) is admitted
    assert client.get("/secret/", host=host).status == (200 if admitted else 421)
    if admitted:
        with client.page(host=host, origin=f"http://{host}") as page:
            assert page.welcome["type"] == "welcome"
    else:
        with pytest.raises(Refused):
            client.open(host=host, origin=f"http://{host}")


def test_on_all_addresses_numbers_and_the_machines_name_are_admitted() -> None:
    access = Access("0.0.0.0", PORT)
    names = (socket.gethostname(), "192.168.1.7", "[fe80::1]", "127.0.0.1", "localhost")
    assert all(access.admits_host(f"{name}:{PORT}") for name in names)
    assert not access.admits_host(f"evil.example:{PORT}")
    assert access.address == f"http://{socket.gethostname()}:{PORT}/{access.token}/"
    assert Access("::1", PORT, token="t").address == f"http://[::1]:{PORT}/t/"
    assert Access("box.example", PORT).admits_host(f"BOX.example:{PORT}")


@pytest.mark.parametrize(
    "origin",
    [None, "null", "http://evil.example", f"https://{HOST}", f"http://localhost:{PORT}", "http://127.0.0.1", ""],
)
def test_sockets_and_uploads_need_the_origin_of_the_page(origin: str | None, client: Client) -> None:
    headers = {"accept": "*/*"} if origin is None else {"origin": origin}
    with pytest.raises(Refused):
        client.open(**headers)
    assert client.request("POST", "/secret/table?name=a.csv", [b"a,b\n1,2\n"], headers).status == 403
    assert client.get("/secret/", **headers).status == (200 if origin is None else 403)


def test_answers_forbid_what_is_not_the_pages_own(client: Client) -> None:
    for path in ("/secret/", "/secret/assets/page-1a2b.js", "/secret/none", "/secret/socket"):
        headers = client.get(path).headers
        policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
        nothing = ("default-src", "base-uri", "form-action", "frame-ancestors")
        assert {policy[name] for name in nothing} == {"'none'"}
        assert policy["script-src"] == policy["style-src"] == "'self'"
        assert policy["connect-src"] == f"'self' ws://{HOST}"
        assert "unsafe" not in headers["content-security-policy"]
        assert (headers["referrer-policy"], headers["x-content-type-options"]) == ("no-referrer", "nosniff")


def test_only_notebooks_may_embed_the_page(client: Client) -> None:
    assert "*" not in client.get("/secret/").headers["content-security-policy"]
    with Client(access=Access("127.0.0.1", PORT, embeddable=True, token="secret")) as other:
        policy = other.get("/secret/").headers["content-security-policy"]
    assert "frame-ancestors 'self' http://localhost:* " in policy


def test_the_sockets_address_explains_itself(client: Client) -> None:
    answered = client.get("/secret/socket")
    assert (answered.status, answered.headers["upgrade"]) == (426, "websocket")
    assert "websockets" in answered.text


def test_a_page_that_is_not_built_says_so(client: Client, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "STATIC", tmp_path / "none")
    answered = client.get("/secret/")
    assert answered.status == 404
    assert "npm run build" in answered.text


@pytest.mark.parametrize(
    ("host", "alone"), [("127.0.0.1", True), ("localhost", True), ("::1", True), ("0.0.0.0", False), ("box", False)]
)
def test_loopback_is_known(host: str, alone: bool) -> None:
    assert is_loopback(host) is alone
