"""Lessons, the user's own table, the chart, statistics, two runs side by side."""

import re

import pytest

N_LESSONS = 9
GOOD = "width,height,colour,kind\n" + "".join(
    f"{i % 7},{i % 11},{'red' if i % 3 else 'blue'},{'a' if (i % 7) + (i % 11) > 8 else 'b'}\n" for i in range(120)
)


def test_there_are_as_many_lessons_as_are_tested(playground):
    assert playground.page.locator("select[aria-label=Lesson] option").count() == 1 + N_LESSONS


@pytest.mark.parametrize("number", range(N_LESSONS))
def test_a_lesson_loads_and_runs(playground, number):
    page = playground.page
    page.get_by_role("combobox", name="Lesson", exact=True).select_option(index=1 + number)
    playground.settle()
    assert page.locator(".message.problem").count() == 0
    text = page.locator("section.lessons").inner_text()
    assert text.count(". ") >= 3
    assert "Watch:" in text
    playground.train(200)
    runs = playground.runs
    assert len({run["step"] for run in runs}) == 1
    assert all(run["train_loss"] is None or run["train_loss"] >= 0 for run in runs)


def test_lessons_follow_each_other(playground):
    page = playground.page
    page.get_by_role("button", name="Start", exact=True).click()
    first = page.locator("section.lessons h3").inner_text()
    page.get_by_role("button", name="Next", exact=True).click()
    assert page.locator("section.lessons h3").inner_text() != first
    page.get_by_role("button", name="Previous", exact=True).click()
    assert page.locator("section.lessons h3").inner_text() == first
    assert page.get_by_role("button", name="Previous", exact=True).is_disabled()


def choose_file(playground, name, content):
    playground.page.locator("section.table input[type=file]").set_input_files(
        {"name": name, "mimeType": "text/csv", "buffer": content if isinstance(content, bytes) else content.encode()}
    )


def test_a_table_of_the_user(playground):
    page = playground.page
    choose_file(playground, "things.csv", GOOD)
    playground.wait("runs[0].settings.data.source === 'table'")
    playground.settle()
    assert "things.csv: 120 rows, 4 columns" in page.locator("section.table").inner_text()
    data = playground.settings["data"]
    assert {*data["columns"]} == {"width", "height"}
    assert data["target"] in ("colour", "kind")
    page.get_by_role("combobox", name="Predict", exact=True).select_option("kind")
    page.get_by_role("combobox", name="Horizontal", exact=True).select_option("height")
    playground.wait("runs[0].settings.data.columns[0] === 'height'")
    page.get_by_role("combobox", name="Other columns", exact=True).select_option("inputs")
    playground.wait("runs[0].settings.data.others === 'inputs'")
    assert playground.settings["data"]["columns"] == ["height", "width"]
    playground.settle()
    before = playground.run["train_loss"]
    playground.train(300)
    assert playground.run["train_loss"] < before
    page.get_by_role("button", name="Forget the table", exact=True).click()
    playground.wait("runs[0].settings.data.source === 'circle'")
    page.get_by_role("button", name="Forget the table", exact=True).wait_for(state="detached")


def test_a_page_that_is_loaded_again_says_that_the_table_is_gone(playground):
    choose_file(playground, "things.csv", GOOD)
    playground.wait("runs[0].settings.data.source === 'table'")
    playground.settle()
    page = playground.page
    page.get_by_role("combobox", name="Predict", exact=True).select_option("colour")
    page.get_by_role("combobox", name="Learning rate", exact=True).select_option("0.3")
    playground.settle()
    before, address = playground.settings, page.url
    page.reload()
    playground.wait("connection === 'open' && it.runs[0]?.settings.data.source === 'circle'")
    playground.settle()
    assert "“colour”" in page.locator("div.message.problem").inner_text()
    playground.train(50)
    assert page.url == address
    choose_file(playground, "things.csv", GOOD)
    playground.wait("runs[0].settings.data.source === 'table'")
    playground.settle()
    assert (playground.settings, page.url) == (before, address)
    assert page.locator("div.message.problem").count() == 0


def test_a_table_dropped_on_the_page(playground):
    playground.page.evaluate(
        """text => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([text], "dropped.csv", { type: "text/csv" }));
          for (const type of ["dragover", "drop"])
            window.dispatchEvent(new DragEvent(type, { dataTransfer: transfer, bubbles: true, cancelable: true }));
        }""",
        GOOD,
    )
    playground.wait("runs[0].settings.data.source === 'table'")
    assert "dropped.csv" in playground.page.locator("section.table").inner_text()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("only\n" + "1\n2\n3\n" * 10, r"column"),
        ("name,town,sky\n" + "Anna,Chur,blue\nBeat,Bern,grey\nCla,Basel,red\n" * 10, r"columns of numbers"),
        ("a,b,c\n1,2,x\n", r"1 row"),
        ("", r"things\.csv is empty"),
        (b"\xff\xfe\x00nonsense" * 50, r"\w{3}"),
    ],
    ids=["one column", "text only", "one row", "empty", "no table"],
)
def test_a_table_that_cannot_be_used_is_refused_with_words(playground, content, message):
    playground.expected = "status of 4"
    before = playground.settings
    choose_file(playground, "things.csv", content)
    problem = playground.page.locator("section.table [role=alert]")
    problem.filter(has_text=re.compile(message)).wait_for(timeout=20_000)
    assert playground.settings == before
    playground.train(50)  # nothing is lost


def test_a_table_that_is_refused_leaves_the_one_before(playground):
    playground.expected = "status of 400"
    choose_file(playground, "things.csv", GOOD)
    playground.wait("runs[0].settings.data.source === 'table'")
    playground.settle()
    before = playground.settings
    choose_file(playground, "many.csv", "a,b,k\n" + "".join(f"{i % 7},{i % 11},k{i % 12}\n" for i in range(120)))
    problem = playground.page.locator("section.table [role=alert]")
    problem.filter(has_text="many.csv: ").filter(has_text="holds 12 classes").wait_for()
    text = playground.page.locator("section.table").inner_text()
    assert "things.csv: 120 rows" in text
    assert "Train on this table" not in text
    assert playground.settings == before
    playground.page.get_by_role("combobox", name="Predict", exact=True).select_option("colour")
    playground.wait("runs[0].settings.data.target === 'colour'")
    assert problem.inner_text() == ""


def test_columns_that_cannot_be_predicted_say_why(playground):
    rows = "".join(f"{i % 7},{i % 11},k{i % 12},{'ab'[i % 2]}\n" for i in range(120))
    choose_file(playground, "some.csv", "a,b,many,kind\n" + rows)
    playground.wait("runs[0].settings.data.source === 'table'")
    option = playground.page.get_by_role("combobox", name="Predict", exact=True).locator("option[value=many]")
    assert option.is_disabled()
    assert "12 classes" in option.inner_text()


def test_a_table_that_is_too_large_is_refused_before_it_is_sent(playground, tmp_path):
    large = tmp_path / "large.csv"
    with large.open("wb") as file:
        file.truncate(64 * 2**20 + 1)
    playground.page.locator("section.table input[type=file]").set_input_files(large)
    playground.page.locator("section.table [role=alert]").filter(has_text="at most 64 MB").wait_for()
    assert not any("/table?" in url for url in playground.requests)


def test_the_chart_is_read_by_keyboard_and_in_a_logarithm(playground):
    page = playground.page
    playground.train(400)
    chart = page.get_by_role("slider", name="Losses over steps")
    newest = chart.get_attribute("aria-valuetext")
    assert re.fullmatch(r"Step [\d,]+: training loss \d\S+, test loss \d\S+\.", newest)
    chart.focus()
    page.keyboard.press("Home")
    assert chart.get_attribute("aria-valuetext").startswith("Step 0: ")
    page.keyboard.press("End")
    assert chart.get_attribute("aria-valuetext") == newest
    page.get_by_label("Log scale").check()
    assert page.locator(".chart canvas").count() == 1


def test_statistics_by_layer(playground):
    page = playground.page
    page.get_by_label("Show by layer").check()
    rows = page.locator("section.statistics tbody tr")
    rows.first.wait_for()
    assert rows.count() == len(playground.settings["layers"]) + 1
    before = rows.nth(0).inner_text()
    playground.train(200)
    assert rows.nth(0).inner_text() != before
    assert re.search(r"\d of 4", rows.nth(0).inner_text())


def test_two_runs_side_by_side_play_in_step(playground):
    page = playground.page
    page.locator("section.runs button").first.click()
    playground.wait("runs.length === 2")
    playground.settle()
    first, second = playground.runs
    assert first == second
    page.get_by_role("combobox", name="Learning rate", exact=True).select_option(label="0.3")
    playground.settle()
    assert [run["settings"]["learning_rate"] for run in playground.runs] == [0.03, 0.3]
    assert "0.03" in page.locator("section.runs table").inner_text()
    playground.train(300)
    first, second = playground.runs
    assert first["step"] == second["step"]
    assert first["train_loss"] != second["train_loss"]
    assert "Run B, step" in page.locator(".said").inner_text()
    page.get_by_role("button", name="End run B", exact=True).click()
    playground.wait("runs.length === 1")
    playground.train(playground.run["step"] + 100)


def test_help_explains_every_control(playground):
    page = playground.page
    page.get_by_role("button", name="Help", exact=True).click()
    assert page.get_by_role("dialog").locator("dt").count() > 20
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")
    assert page.evaluate("document.activeElement.textContent").strip() == "Help"
