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


def test_the_address_holds_two_runs(open_page):
    page = open_page()
    page.page.locator("section.runs button").first.click()
    page.wait("runs.length === 2")
    page.page.get_by_role("combobox", name="Learning rate", exact=True).select_option(label="0.1")
    page.settle()
    before = [run["settings"] for run in page.runs]
    page.page.reload()
    page.wait("connection === 'open' && it.runs.length === 2 && it.runs[1].train_loss !== null")
    page.settle()
    assert [run["settings"] for run in page.runs] == before
    assert [settings["learning_rate"] for settings in before] == [0.03, 0.1]


def test_going_back_in_the_address_bar_is_followed(playground):
    settings = playground.settings | {"layers": []}
    hash = base64.urlsafe_b64encode(json.dumps(settings).encode()).decode().rstrip("=")
    playground.page.evaluate("hash => { location.hash = hash; }", hash)
    playground.wait("runs[0].settings.layers.length === 0")


def test_a_browser_without_websockets_is_told(chromium, server):
    page = chromium.new_page()
    page.add_init_script("delete window.WebSocket;")
    page.goto(server.address)
    page.get_by_text("has no WebSocket").wait_for()
    page.close()


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


def test_quick_clicks_all_count(playground):
    playground.page.evaluate(
        """async () => {
          const click = name => document.querySelector(`[aria-label="${name}"]`).click();
          for (const name of Array(6).fill("One neuron more in layer 1")) click(name);
          for (const name of Array(4).fill("One hidden layer more")) {
            click(name);
            await new Promise(resolve => setTimeout(resolve, 10));
          }
        }"""
    )
    playground.settle()
    assert [layer["units"] for layer in playground.settings["layers"]] == [10, 2, 2, 2, 2, 2]


def test_a_number_out_of_range_is_said(playground):
    seed = playground.field("Seed")
    seed.fill("-1")
    seed.press("Enter")
    assert seed.input_value() == "0"
    playground.page.get_by_text("whole numbers, 0 to 4294967295").wait_for()
    seed.fill("7")
    seed.press("Enter")
    playground.wait("runs[0].settings.seed === 7")
    assert playground.page.get_by_text("whole numbers, 0 to").count() == 0


def test_a_tap_leaves_no_explanation_behind(open_page):
    playground = open_page(width=400, has_touch=True)
    playground.button("Step").tap()
    playground.wait("runs[0].step === 1")
    playground.page.wait_for_timeout(700)
    assert playground.page.get_by_role("tooltip").count() == 0


def test_a_dialog_that_is_closed_leaves_no_explanation_behind(playground):
    playground.button("Copy as Python").click()
    playground.page.keyboard.press("Escape")
    playground.page.wait_for_timeout(600)
    assert playground.page.get_by_role("tooltip").count() == 0


def test_a_server_with_another_address_is_said(open_page, own_server):
    page = open_page(address=own_server.address)
    page.expected = "WebSocket|ERR_CONNECTION|404"
    own_server.kill()
    own_server.token = "another-token"
    own_server.start()
    page.page.get_by_text("The server has another address now").wait_for(timeout=20_000)
    assert "#" in page.page.url
    assert page.button("Copy the settings").is_visible()


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
