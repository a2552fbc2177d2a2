"""The packages of ONNX.

Takes nothing. Returns them, or says how to install them. Imports nothing else.
"""

from __future__ import annotations

from types import ModuleType

from rosenblatt._extras import needed

__all__ = ["require_onnx"]


def require_onnx() -> ModuleType:
    """The package onnx; ImportError if it is not installed."""
    with needed("ONNX models need the package", "onnx", extra="onnx"):
        import onnx
        import onnx.checker
        import onnx.helper
        import onnx.numpy_helper
    return onnx
