"""The packages of ONNX.

Takes nothing. Returns them, or says how to install them. Imports nothing else.
"""

from __future__ import annotations

from types import ModuleType

__all__ = ["require_onnx"]


def require_onnx() -> ModuleType:
    """The package onnx; ImportError if it is not installed."""
    try:
        import onnx
        import onnx.checker
        import onnx.helper
        import onnx.numpy_helper
    except ImportError:
        raise ImportError("ONNX models need the package onnx: pip install 'rosenblatt[onnx]'") from None
    return onnx
