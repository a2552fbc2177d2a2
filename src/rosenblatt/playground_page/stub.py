"""A stand-in for the engine: random weights, no training."""

from __future__ import annotations

import json

import numpy as np


class SettingsError(ValueError):
    """Settings that cannot work."""


class Settings:
    def __init__(self, given):
        self.given = given

    @classmethod
    def from_json(cls, given, table=None):
        if not isinstance(given.get("layers", []), list):
            raise SettingsError("layers must be a list")
        return cls(given)

    def to_json(self):
        return self.given


class PlaygroundTable:
    def __init__(self, table, name):
        self.table, self.name = table, name

    @classmethod
    def of(cls, table, name):
        return cls(table, name)

    def describe(self):
        columns = [{"name": n, "kind": "number", "missing": 0, "levels": 0} for n in self.table.columns]
        names = [*self.table.columns]
        suggested = {"columns": names[:2], "target": names[-1], "task": "classification"}
        return {
            "name": self.name,
            "rows": self.table.n_rows,
            "sampled": False,
            "note": "",
            "columns": columns,
            "suggested": suggested,
        }


class Run:
    def __init__(self, settings, table=None):
        self.settings, self.step, self.rng = settings, 0, np.random.default_rng(0)
        inputs = self.settings.given.get("features", ["x1", "x2"])
        self.sizes = [len(inputs), *(layer["units"] for layer in self.settings.given.get("layers", [])), 1]
        self.points = self.rng.uniform(-6, 6, (250, 2))

    def configured(self):
        y = (np.hypot(*self.points.T) < 4).astype(float)
        points = np.c_[self.points, y].round(3).tolist()
        network = {
            "inputs": self.settings.given.get("features", ["x1", "x2"]),
            "layers": self.sizes,
            "shown": self.sizes,
            "parameters": 100,
            "activations": ["tanh"] * (len(self.sizes) - 2) + ["logistic"],
        }
        data = {
            "axes": [{"name": "x1", "low": -6, "high": 6}, {"name": "x2", "low": -6, "high": 6}],
            "classes": ["0", "1"],
            "train": points[:125],
            "test": points[125:],
            "n_train": 125,
            "n_test": 125,
            "target_range": [0, 1],
            "note": "",
        }
        return {"settings": self.settings.to_json(), "network": network, "data": data}

    def advance(self, steps, seconds=0.1):
        self.step += steps
        return steps

    def change(self, changes):
        self.settings.given.update(changes)

    def edit(self, layer, input, unit, value):
        pass

    def frame(self, run, *, statistics=False, first=False):
        arrays = {}
        if first:
            arrays["map0"] = np.full((self.sizes[0], 32, 32), 128, np.uint8)
            arrays["range0"] = np.ones(self.sizes[0], "f4")
        for k, (n, m) in enumerate(zip(self.sizes, self.sizes[1:], strict=False), 1):
            arrays[f"weights{k}"] = self.rng.normal(size=(n, m)).astype("f4")
            arrays[f"biases{k}"] = self.rng.normal(size=m).astype("f4")
            if k < len(self.sizes) - 1:
                arrays[f"map{k}"] = self.rng.integers(0, 255, (m, 32, 32)).astype(np.uint8)
                arrays[f"range{k}"] = np.ones(m, "f4")
        g = np.linspace(-6, 6, 100)
        arrays["plane"] = (1 / (1 + np.exp(np.hypot(g[None], g[:, None]) - 4)))[None].astype("f4")
        header = {
            "type": "frame",
            "run": run,
            "step": self.step,
            "epoch": self.step / 12.5,
            "train_loss": 0.7 * 0.999**self.step,
            "test_loss": 0.72 * 0.999**self.step,
            "train_score": 0.9,
            "test_score": 0.88,
            "score_name": "accuracy",
            "learning_rate": 0.03,
            "steps_done": 1,
            "diverged": False,
            "finished": False,
        }
        kinds = {"float32": "f4", "uint8": "u1"}
        header["arrays"] = [
            {"name": n, "dtype": kinds[str(a.dtype)], "shape": list(a.shape)} for n, a in arrays.items()
        ]
        text = json.dumps(header).encode()
        text += b" " * (-(len(text) + 4) % 8)
        parts = [len(text).to_bytes(4, "little"), text]
        for a in arrays.values():
            b = a.tobytes()
            parts += [b, b"\0" * (-len(b) % 8)]
        return b"".join(parts)

    def script(self):
        return "print('stub')\n"

    def document(self):
        return {"settings": self.settings.to_json(), "step": self.step}

    @classmethod
    def from_document(cls, document, table=None):
        run = cls(Settings.from_json(document.get("settings", {}), table), table)
        run.step = document.get("step", 0)
        return run


def catalogue():
    def rows(*names):
        return [{"name": n, "title": n, "task": "classification", "help": n} for n in names]

    return {
        "sources": rows("circle", "xor", "gauss", "spiral", "plane", "multi_gauss"),
        "features": rows("x1", "x2", "x1_squared", "x2_squared", "x1_x2", "sin_x1", "sin_x2"),
        "activations": rows("relu", "tanh", "logistic", "identity"),
        "optimizers": rows("sgd", "adam"),
        "schedules": rows("constant"),
        "initializers": rows("default"),
        "losses": rows("default"),
        "controls": {"learning_rate": {"title": "Learning rate", "help": "How far.", "values": [0.01, 0.03, 0.1]}},
        "limits": {
            "layers": 32,
            "units": 512,
            "parameters": 1000000,
            "rows": 10000,
            "steps": 100000,
            "grid": 32,
            "plane": 100,
        },
        "good_settings": {},
    }


def lessons():
    return []
