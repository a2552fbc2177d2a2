"""The small form of `benchmarks.playground`: the engine leaves time to draw."""

from benchmarks.playground import engine_cost, engine_table


def test_a_small_network_trains_and_is_drawn_in_time():
    cost = engine_cost((8, 8), 0.2)
    assert cost.frame < 8
    assert cost.steps < 1
    assert cost.frames_a_second >= 25
    assert cost.steps_a_second >= 1000


def test_the_table_has_a_row_for_each_network():
    lines = engine_table(0.0)
    assert [line.split("|")[1].strip() for line in lines[2:]] == ["2-8-8-1", "2-32-32-1", "2-128-128-128-1"]
    assert len({line.count("|") for line in lines}) == 1
