"""6. Save
=======

A file that holds no code, and predicts the same bits wherever it is loaded.
"""

import tempfile
from pathlib import Path

import numpy as np
from _subscribers import in_two, subscribers

import rosenblatt


def main() -> dict[str, float]:
    """Save, load, compare."""
    training, later = in_two(subscribers())
    model = rosenblatt.learn(training, "cancelled", groups="subscriber", preset="fast")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cancelled.safetensors"
        rosenblatt.save(model, path)
        size = path.stat().st_size
        loaded = rosenblatt.load(path)
    same = np.array_equal(model.predict_proba(later), loaded.predict_proba(later))
    print(f"{size / 1000:,.0f} kB; the same predictions: {same}")
    return {"bytes": float(size), "same": float(same)}


if __name__ == "__main__":
    main()
