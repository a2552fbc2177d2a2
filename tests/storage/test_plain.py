"""Values as JSON writes them."""

import datetime
import json

import numpy as np

from rosenblatt.storage.plain import plain


def test_values_of_numpy_become_pythons_and_the_rest_text():
    day = datetime.date(2024, 2, 29)
    given = {1: np.arange(2), "a": (np.float32(0.5), np.bool_(True), None), "b": [np.nan, np.inf, day, "x"]}
    found = plain(given)
    assert found == {"1": [0, 1], "a": [0.5, True, None], "b": [None, None, "2024-02-29", "x"]}
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert [type(one) for one in (*found["1"], *found["a"])] == [int, int, float, bool, type(None)]
