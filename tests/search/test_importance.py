"""What mattered in a search, and its picture."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from rosenblatt import MLPSearchCV, plots
from rosenblatt.search import hyperparameter_importance


@pytest.fixture(autouse=True)
def _no_figure_is_left():
    yield
    plt.close("all")


def results(n=60, seed=0):
    """Scores that depend much on the rate, a little on the solver, and not on alpha."""
    rng = np.random.default_rng(seed)
    rate, alpha = 10 ** rng.uniform(-4, 0, n), 10 ** rng.uniform(-6, 0, n)
    solver = rng.choice(["adam", "sgd"], n).astype(object)
    momentum = np.ma.MaskedArray(rng.uniform(size=n).astype(object), solver == "adam")
    score = -((np.log10(rate) + 2) ** 2) / 4 + 0.3 * (solver == "adam")
    epochs = np.where(np.arange(n) % 3, 2, 6)
    score += 5 * (epochs == 6)  # later stages score better, whatever the parameters
    score[3] = np.nan
    masked = {"learning_rate_init": rate, "alpha": alpha, "solver": solver}
    table = {f"param_{k}": np.ma.MaskedArray(np.array(v, dtype=object)) for k, v in masked.items()}
    return {**table, "param_momentum": momentum, "mean_test_score": score, "epochs": epochs}


@pytest.mark.long
def test_what_the_score_depends_on_is_found():
    found = hyperparameter_importance(results())
    assert next(iter(found)) == "learning_rate_init"
    assert found["learning_rate_init"] > 0.7
    assert found["solver"] + found["momentum"] > 3 * found["alpha"]
    assert sum(found.values()) == pytest.approx(1)
    assert found == hyperparameter_importance(results())


def test_too_few_candidates_are_refused():
    with pytest.raises(ValueError, match="7 candidates have a score; importances need 8 or more"):
        hyperparameter_importance({k: v[:8] for k, v in results().items()})


@pytest.mark.long
def test_the_picture_shows_scores_and_shares():
    search = MLPSearchCV()
    with pytest.raises(NotFittedError):
        plots.plot_search(search)
    search.cv_results_ = results()
    display = plots.plot_search(search)
    bars = [bar.get_width() for bar in display.axes_.flat[1].patches]
    assert bars == list(hyperparameter_importance(results()).values())
    course = display.ax_.lines
    assert sum(np.isfinite(line.get_ydata()).sum() for line in course[:2]) == 59
    assert course[2].get_ydata()[-1] == np.nanmax(results()["mean_test_score"])
    pair = display.axes_.flat[2]
    assert (pair.get_xlabel(), pair.get_xscale()) == ("learning_rate_init", "log")
    x, y = pair.collections[0].get_offsets().T
    table = results()
    second = list(display.importance)[1]
    seen = np.isfinite(table["mean_test_score"]) & ~np.ma.getmaskarray(table[f"param_{second}"])
    np.testing.assert_array_equal(x, table["param_learning_rate_init"].data[seen].astype(float))
    assert second in ("solver", "momentum")
    assert len(y) == seen.sum() > 20
    assert (set(np.round(y)) == {0.0, 1.0}) == (second == "solver")
    display.figure_.canvas.draw()
    with pytest.raises(ValueError, match="ax has 1 Axes, but the plot has 3 panels"):
        plots.plot_search(search, ax=plt.figure().gca())
    search.cv_results_ = {k: v[:4] for k, v in results().items()}
    assert plots.plot_search(search).importance == {}
