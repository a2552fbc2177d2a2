"""What leaves the page and comes back: documents, links, Python."""

import json
import subprocess
import sys


def save(playground):
    with playground.page.expect_download() as download:
        playground.page.locator(".files button").nth(0).click()
    return json.loads(download.value.path().read_text(encoding="utf-8"))


def load(playground, document):
    content = document if isinstance(document, bytes) else json.dumps(document).encode()
    file = {"name": "saved.json", "mimeType": "application/json", "buffer": content}
    playground.page.locator("input[data-load]").set_input_files(file)


def test_a_saved_run_goes_on_where_it_was(playground, open_page):
    playground.train(300)
    saved = playground.run
    document = save(playground)
    other = open_page()
    load(other, document)
    other.wait(f"runs[0].step === {saved['step']}")
    assert other.run == saved
    for page in (playground, other):
        page.button("Step").click()
        page.wait(f"runs[0].step === {saved['step'] + 1}")
    assert other.run == playground.run


def test_files_that_hold_no_run_are_refused_with_words(playground):
    playground.train(100)
    before = playground.run
    for content in (b"no JSON", {"some": "thing"}, [1, 2]):
        load(playground, content)
        message = playground.page.locator("div.message.problem")
        message.wait_for()
        assert len(message.inner_text()) > 20
        playground.page.get_by_role("button", name="Close the message").click()
        playground.settle()
        assert playground.run == before


def python_of(playground):
    playground.page.locator(".files button").last.click()
    code = playground.page.locator("[data-script]")
    playground.page.wait_for_function("() => document.querySelector('[data-script]').textContent.length > 100")
    return code.text_content()


def printed_losses(code, *arguments):
    command = [sys.executable, "-", *arguments]
    return subprocess.run(command, input=code, capture_output=True, text=True, timeout=120, check=True).stdout


def test_copied_python_gives_the_losses_of_the_page_to_the_last_bit(playground):
    page = playground.page
    playground.train(200)
    page.get_by_role("combobox", name="Learning rate", exact=True).select_option(label="0.1")
    playground.train(500)
    losses = playground.run
    assert repr(losses["train_loss"]) in printed_losses(python_of(playground))


def test_copied_python_of_a_table_reads_the_table(playground, tmp_path):
    table = tmp_path / "things.csv"
    rows = (f"{i % 7},{i % 11},{'red' if i % 3 else 'blue'},{i % 7 + i % 11 + i % 3}\n" for i in range(120))
    table.write_text("width,height,colour,size\n" + "".join(rows), encoding="utf-8")
    playground.page.locator("section.table input[type=file]").set_input_files(table)
    playground.wait("runs[0].settings.data.source === 'table'")
    playground.settle()
    playground.page.get_by_role("combobox", name="Other columns", exact=True).select_option("inputs")
    playground.settle()
    playground.train(300)
    losses = playground.run
    assert repr(losses["train_loss"]) in printed_losses(python_of(playground), str(table))


def test_python_is_copied_to_the_clipboard(open_page):
    playground = open_page(permissions=["clipboard-read", "clipboard-write"])
    code = python_of(playground)
    playground.page.get_by_text("Copied.").wait_for()
    assert playground.page.evaluate("navigator.clipboard.readText()") == code


def test_the_address_is_copied_as_a_link(open_page):
    playground = open_page(permissions=["clipboard-read", "clipboard-write"])
    playground.page.get_by_role("button", name="Copy link", exact=True).click()
    playground.page.get_by_text("The link is copied.").wait_for()
    assert playground.page.evaluate("navigator.clipboard.readText()") == playground.page.url
