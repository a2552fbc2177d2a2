"""ONNX models: the graph, translated programs, networks, estimators, tables."""
