"""Playing, and what changes a run: the controls of training, data, layers and weights."""

import pytest


def test_play_pause_step_reset(playground):
    start = playground.run
    assert start["step"] == 0
    playground.button("Play").click()
    playground.wait("runs[0].step > 100")
    playground.button("Pause").click()
    playground.settle()
    paused = playground.run
    playground.page.wait_for_timeout(300)
    assert playground.run == paused
    assert paused["train_loss"] < start["train_loss"]
    playground.button("Step").click()
    playground.wait(f"runs[0].step === {paused['step'] + 1}")
    playground.button("Reset").click()
    playground.wait("runs[0].step === 0")
    assert playground.run == start


def choose(playground, name, label):
    playground.page.get_by_role("combobox", name=name, exact=True).select_option(label=label)
    playground.settle()


def test_the_learning_rate_and_penalties_change_while_training_goes_on(playground):
    playground.train(100)
    before = playground.run
    choose(playground, "Learning rate", "0.3")
    choose(playground, "Regularization", "L2")
    choose(playground, "Regularization rate", "0.01")
    after = playground.run
    assert after["step"] == before["step"]
    assert after["settings"]["learning_rate"] == 0.3
    assert (after["settings"]["l1"], after["settings"]["l2"]) == (0, 0.01)
    playground.button("Step").click()
    playground.wait(f"runs[0].step === {before['step'] + 1}")


@pytest.mark.parametrize(
    ("name", "label", "setting", "value"),
    [
        ("Activation", "ReLU", "layers", "relu"),
        ("Optimizer", "Adam", "optimizer", "adam"),
        ("Schedule", "cosine", "schedule", "cosine"),
    ],
)
def test_other_choices_begin_anew(playground, name, label, setting, value):
    playground.train(100)
    choose(playground, name, label)
    assert playground.run["step"] == 0
    found = playground.settings[setting]
    assert {layer["activation"] for layer in found} == {value} if setting == "layers" else found == value
    playground.train(100)


@pytest.mark.parametrize("name", ["Noise", "Share to train on", "Batch size"])
def test_sliders_by_keyboard(playground, name):
    before = playground.settings
    slider = playground.page.get_by_role("slider", name=name)
    slider.focus()
    playground.page.keyboard.press("ArrowRight")
    playground.settle()
    after = playground.settings
    assert after != before
    assert {**after, "data": None, "batch_size": 0} == {**before, "data": None, "batch_size": 0}


def test_every_problem_loads_and_trains(playground):
    pictures = playground.page.locator(".data button[aria-pressed]")
    sources = set()
    for number in range(pictures.count()):
        pictures.nth(number).click()
        playground.settle()
        sources.add(playground.settings["data"]["source"])
        playground.button("Step").click()
        playground.wait("runs[0].step === 1")
    assert len(sources) == 10


def test_layers_and_neurons_come_and_go(playground):
    widths = lambda: [layer["units"] for layer in playground.settings["layers"]]  # noqa: E731
    for button, expected in [
        ("One neuron more in layer 1", [5, 2]),
        ("One neuron less in layer 2", [5, 1]),
        ("One hidden layer more", [5, 1, 1]),
        ("One hidden layer less", [5, 1]),
        ("One hidden layer less", [5]),
        ("One hidden layer less", []),
    ]:
        playground.button(button).click()
        playground.settle()
        assert widths() == expected
        playground.button("Step").click()
        playground.wait("runs[0].step === 1")
    assert playground.button("One hidden layer less").is_disabled()


def test_features_go_off_and_on(playground):
    playground.page.get_by_role("button", name="Feature").nth(2).click()
    playground.settle()
    assert playground.settings["features"] == ["x1", "x2", "x1_squared"]
    playground.page.get_by_role("button", name="Feature").nth(0).click()
    playground.settle()
    assert playground.settings["features"] == ["x2", "x1_squared"]
    playground.train(50)


def test_a_weight_is_edited_by_keyboard(playground):
    before = playground.run
    neuron = playground.page.get_by_role("button", name="show and edit its weights").first
    neuron.focus()
    playground.page.keyboard.press("Enter")
    editor = playground.page.get_by_role("dialog")
    field = editor.get_by_role("spinbutton").nth(1)
    field.focus()
    field.fill("2.5")
    playground.page.keyboard.press("Enter")
    playground.settle()
    after = playground.run
    assert after["step"] == before["step"]
    assert after["train_loss"] != before["train_loss"]
    assert float(field.input_value()) == 2.5
    playground.page.keyboard.press("Escape")
    editor.wait_for(state="hidden")


def test_what_is_shown_of_the_output_changes_the_picture_alone(playground):
    playground.train(100)
    before = playground.run
    canvas = playground.page.locator(".plane canvas").first
    pictures = {canvas.screenshot()}
    for name in ("Show test data", "Discretize output"):
        playground.page.get_by_label(name).check()
        playground.page.wait_for_timeout(200)
        pictures.add(canvas.screenshot())
    assert len(pictures) == 3
    assert playground.run == before


def test_good_settings_solve_the_spiral(playground):
    playground.page.get_by_role("button", name="Spiral", exact=False).first.click()
    playground.button("Good settings").click()
    playground.settle()
    playground.train(2000)
    assert playground.run["test_loss"] < 0.1
