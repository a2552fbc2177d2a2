"""Who can use the page: by keyboard alone, on a phone, in the dark, with a screen reader."""

import pytest

REPORT = """async () => (await axe.run(document, { resultTypes: ["violations"] })).violations.map(
  found => `${found.id}: ${found.help}: ${found.nodes.map(node => node.html.slice(0, 200)).join(" | ")}`)"""


def violations(playground, axe):
    playground.page.evaluate(axe)
    return playground.page.evaluate(REPORT)


def full(playground):
    """The page with everything that it can show at a time."""
    playground.page.get_by_label("Show by layer").check()
    playground.page.locator("section.runs button").first.click()
    playground.wait("runs.length === 2")
    playground.train(100)


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(open_page, axe, width, scheme):
    playground = open_page(width=width, color_scheme=scheme)
    assert violations(playground, axe) == []
    full(playground)
    assert violations(playground, axe) == []
    for name in ("Help", "Copy as Python"):
        playground.page.get_by_role("button", name=name, exact=True).click()
        playground.page.wait_for_timeout(200)
        assert violations(playground, axe) == []
        playground.page.keyboard.press("Escape")


@pytest.mark.parametrize("width", [400, 1280])
def test_nothing_is_wider_than_the_window(open_page, width):
    playground = open_page(width=width)
    full(playground)
    assert playground.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_the_dark_page_is_dark(open_page):
    playground = open_page(color_scheme="dark")
    color = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number)"
    assert max(playground.page.evaluate(color)) < 80
    light = open_page(color_scheme="light")
    assert min(light.page.evaluate(color)) > 200


WALK = """() => {
  const at = document.activeElement;
  const style = getComputedStyle(at);
  const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
  const box = at.getBoundingClientRect();
  window.walked ??= new Set();
  const again = window.walked.has(at);
  window.walked.add(at);
  return { again, body: at === document.body, name: at.outerHTML.slice(0, 120), ring, seen: box.width > 0 };
}"""
MISSED = """() => [...document.querySelectorAll("button, input, select, summary, a[href]")]
  .filter(each => !each.disabled && each.checkVisibility() && each.tabIndex >= 0 && !window.walked.has(each))
  .filter(each => !(each.type === "radio" && !each.checked))
  .map(each => each.outerHTML.slice(0, 120))"""


def test_every_control_is_reached_by_tab_and_shows_the_focus(playground):
    stops = []
    for _ in range(400):
        playground.page.keyboard.press("Tab")
        stop = playground.page.evaluate(WALK)
        if stop["body"] or stop["again"]:
            break
        stops.append(stop)
    assert playground.page.evaluate(MISSED) == []
    assert [stop["name"] for stop in stops if not stop["ring"]] == []


def test_space_plays_and_pauses(playground):
    playground.page.keyboard.press("Space")
    playground.wait("runs[0].step > 50")
    playground.page.keyboard.press("Space")
    playground.settle()
    playground.page.keyboard.press("r")
    playground.wait("runs[0].step === 0")
    playground.page.keyboard.press("s")
    playground.wait("runs[0].step === 1")
