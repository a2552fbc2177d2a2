"""Fitted models as files of other programs: ONNX models and C sources.

Takes a fitted model. Returns a file that predicts what the model predicts, without Python. Never changes a model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rosenblatt._lazy import lazy_names

if TYPE_CHECKING:
    from rosenblatt.export.onnx.exporting import to_onnx as to_onnx
    from rosenblatt.export.onnx.registration import register_skl2onnx as register_skl2onnx

_NAMES = {"c.exporting": ("to_c",), "onnx.exporting": ("to_onnx",), "onnx.registration": ("register_skl2onnx",)}
__all__ = ["register_skl2onnx", "to_c", "to_onnx"]
__getattr__, __dir__ = lazy_names(__name__, _NAMES)
