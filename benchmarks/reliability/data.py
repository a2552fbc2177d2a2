"""Rows that the parts train on: a few, so that an attempt takes milliseconds."""

from __future__ import annotations

import numpy as np

__all__ = ["DATA", "LABELS", "NUMBERS"]

DATA = np.random.default_rng(0).normal(size=(60, 3))
LABELS, NUMBERS = (DATA[:, 0] > 0).astype(int) + (DATA[:, 1] > 1), DATA @ [1.0, 2.0, 3.0]
