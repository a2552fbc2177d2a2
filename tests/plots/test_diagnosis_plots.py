"""The picture of a diagnosis shows its numbers."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.datasets import make_moons

from rosenblatt import MLPClassifier, diagnose, plots


def test_a_diagnosis_is_drawn_as_it_is():
    found = diagnose(MLPClassifier((8,), max_iter=10), *make_moons(60, noise=0.2, random_state=0), cv=3)
    display = plots.plot_diagnosis(found)
    curve, by_rows = found.evidence.curve, found.evidence.learning_curve
    lines = {line.get_label(): line for line in display.ax_.get_lines()}
    assert np.array_equal(lines["training"].get_xydata(), np.column_stack([curve.epochs, curve.loss]))
    assert np.array_equal(lines["validation"].get_ydata(), curve.val_loss)
    assert display.ax_.get_title() == found.state
    right = display.axes_.flat[1]
    assert [t.get_text() for t in right.get_xticklabels()] == [str(n) for n in by_rows]
    assert list(right.containers[0][0].get_ydata()) == [error for error, _ in by_rows.values()]
    (bars,) = right.containers[0][2]
    assert [np.ptp(s[:, 1]) / 2 for s in bars.get_segments()] == pytest.approx([se for _, se in by_rows.values()])


def test_what_cannot_be_drawn_is_named():
    with pytest.raises(TypeError, match="got str; pass what diagnose"):
        plots.plot_diagnosis("overfit")
    found = diagnose(MLPClassifier((2,), max_iter=3), *make_moons(40, random_state=0), cv=2)
    with pytest.raises(ValueError, match="2 panels"):
        plots.plot_diagnosis(found, ax=plt.figure().gca())
