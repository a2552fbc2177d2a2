"""Models of tables in ONNX, with the preparation of their columns inside."""
