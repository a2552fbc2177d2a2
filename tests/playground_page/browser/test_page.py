"""The page as a whole: it loads, keeps to itself, and comes back."""

import base64
import json


def test_it_loads_without_errors_under_its_policy(playground):
    response = playground.page.request.get(playground.address)
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert playground.page.title() == "rosenblatt playground"
    playground.train(200)  # what goes wrong while it draws is seen at the end


def test_what_the_policy_forbids_is_not_run(playground):
    """The recording of errors works: an inline script is refused, and seen."""
    playground.page.evaluate(
        """() => {
          const script = document.createElement("script");
          script.textContent = "window.bad = 1";
          document.body.append(script);
        }"""
    )
    assert playground.page.evaluate("window.bad") is None
    assert any("Content Security Policy" in error for error in playground.errors)
    playground.expected = "Content Security Policy"


def test_the_address_holds_the_state(playground, open_page):
    settings = playground.settings
    hash = "#" + base64.urlsafe_b64encode(json.dumps(settings | {"batch_size": 7}).encode()).decode().rstrip("=")
    other = open_page(hash)
    assert other.settings["batch_size"] == 7
    other.page.reload()
    other.wait("connection === 'open' && it.frames > 0")
    assert other.settings["batch_size"] == 7


def test_an_address_that_cannot_be_read_is_said_and_replaced(open_page):
    page = open_page("#not-settings")
    assert page.page.get_by_text("The address cannot be read").is_visible()
    assert page.settings["data"]["source"] == "circle"


def test_two_pages_train_at_once(open_page):
    pages = [open_page(), open_page()]
    for page in pages:
        page.button("Play").click()
    for page in pages:
        page.wait("runs[0].step > 300", timeout=30_000)


def test_a_server_that_ends_is_said_and_one_that_comes_back_is_found(open_page, own_server):
    page = open_page(address=own_server.address)
    page.expected = "WebSocket|ERR_CONNECTION"
    page.train(100)
    own_server.kill()
    page.page.get_by_text("connection").first.wait_for()
    page.wait("connection === 'lost'")
    own_server.start()
    page.wait("connection === 'open' && it.runs[0].step === 0", timeout=20_000)
    page.button("Step").click()
    page.wait("runs[0].step === 1")
