"""Estimators on raw tables: which network, how it is trained, how several are averaged.

Takes a prepared table (`rosenblatt.tables.preparation`). Returns a calibrated ensemble. Never reads a file; the
estimators themselves are `rosenblatt.TabularClassifier` and `rosenblatt.TabularRegressor`.
"""
