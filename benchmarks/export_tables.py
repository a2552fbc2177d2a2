"""Agreement of exported models on real tables: ``python -m benchmarks.export_tables`` (``--rows 3000 --epochs 16``).

For each table the fast preset is trained, written as an ONNX model with the preparation inside, and run by onnxruntime
and by ONNX's reference evaluator on the raw held-out rows. Printed are the labels that differ from `predict`, and the
largest difference from `predict_proba` or `predict`: relative to the number itself, and relative to the larger of the
number and the standard deviation of the probabilities or of the training targets. Networks predict standardized numbers
in float32, so that a prediction near zero in the target's own units has fewer digits. The tables are read from the
folder in ROSENBLATT_DATA, else from ``../shared/data``; without them the benchmark says so.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import tempfile
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

import rosenblatt
from benchmarks.tabular.tables import folder, load, split
from rosenblatt.export import to_onnx

REFERENCE_ROWS = 200
"""The reference evaluator is slow."""


def inputs_of(session: Any, frame: Any) -> dict[str, Any]:
    """The columns of a pandas frame as the inputs of a model, by their names."""
    found = {}
    for one in session.get_inputs():
        cells = frame[one.name]
        if one.type == "tensor(string)":
            cells = cells.astype(object).where(cells.notna(), "").astype(str).to_numpy(object)
        else:
            cells = cells.to_numpy(np.float64, na_value=np.nan)
        found[one.name] = cells.reshape(-1, 1)
    return found


def differences(model: Any, frame: Any, outputs: list[Any], spread: float) -> dict[str, float]:
    """How far outputs are from the predictions for the frame; `spread` is that of what was learned."""
    if hasattr(model, "classes_"):
        labels, expected, found = model.predict(frame), model.predict_proba(frame), outputs[1]
        n_labels = int((np.asarray(outputs[0]).astype(str) != labels.astype(str)).sum())
    else:
        expected, found, n_labels = model.predict(frame), outputs[0][:, 0], 0
    gap, size = np.abs(found - expected), np.abs(expected)
    with np.errstate(invalid="ignore", divide="ignore"):
        relative = np.nan_to_num(np.where(gap == 0, 0.0, gap / size), posinf=np.inf).max()
    return {
        "labels": n_labels,
        "relative": float(relative),
        "spread": float((gap / np.maximum(size, spread)).max()),
    }


def run_table(name: str, epochs: int | None, rows: int, file: pathlib.Path) -> dict[str, Any]:
    """Train on some rows, export, and compare on others."""
    import onnxruntime
    from onnx.reference import ReferenceEvaluator

    entry = entries()[name]
    frame, y = load(name)
    classify = entry["task"] != "regression"
    train, test = split(y, classify, 0, rows)
    cls = rosenblatt.TabularClassifier if classify else rosenblatt.TabularRegressor
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = cls("fast", max_iter=epochs).fit(frame.iloc[train], y[train])
        try:
            size = to_onnx(model, file, overwrite=True)
        except ValueError as error:
            return {"refused": str(error)}
        session, held_out = onnxruntime.InferenceSession(str(file)), frame.iloc[test]
        feed = inputs_of(session, held_out)
        spread = float(np.nanstd(model.out_of_fold_ if classify else y[train]))
        found = {"rows": len(test), "bytes": size} | differences(model, held_out, session.run(None, feed), spread)
        few = {key: cells[:REFERENCE_ROWS] for key, cells in feed.items()}
        outputs = ReferenceEvaluator(str(file)).run(None, few)
        reference = differences(model, held_out.iloc[:REFERENCE_ROWS], outputs, spread)
    return found | {f"reference_{key}": value for key, value in reference.items()}


def entries() -> Mapping[str, Any]:
    """What the manifest says of each table."""
    manifest = json.loads((folder() / "manifest.json").read_text())
    return {entry["name"]: entry for entry in manifest if entry["name"] != "mnist"}


def main() -> None:
    """Print one line for each table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="only these tables")
    parser.add_argument("--epochs", type=int, default=None, help="most epochs, instead of the preset's")
    parser.add_argument("--rows", type=int, default=3000, help="most training rows")
    given = parser.parse_args()
    if not folder().is_dir():
        print(f"no tables in {folder()}: nothing is compared; set ROSENBLATT_DATA to their folder")
        return
    runtimes = "  ".join(f"{name:>8} {'relative':>9} {'spread':>9}" for name in ("labels", "reference"))
    print(f"{'table':<22} {'rows':>6} {'KB':>6}  {runtimes}")
    with tempfile.TemporaryDirectory() as place:
        for name in given.names or sorted(entries()):
            found = run_table(name, given.epochs, given.rows, pathlib.Path(place) / "model.onnx")
            report(name, found)


def report(name: str, found: Mapping[str, Any]) -> None:
    """One line."""
    if "refused" in found:
        print(f"{name:<22} refused: {found['refused']}", flush=True)
        return
    columns = (
        f"{found[p + 'labels']:>8} {found[p + 'relative']:>9.1e} {found[p + 'spread']:>9.1e}"
        for p in ("", "reference_")
    )
    print(f"{name:<22} {found['rows']:>6} {found['bytes'] / 1000:>6.0f}  {'  '.join(columns)}", flush=True)


if __name__ == "__main__":
    main()
