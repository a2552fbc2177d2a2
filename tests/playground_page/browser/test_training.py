"""Playing, and what changes a run."""



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
