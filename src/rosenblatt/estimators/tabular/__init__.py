"""Estimators for raw tables: their network, its training, and the average of several networks.

Takes a prepared table (`rosenblatt.tables.preparation`). Returns a calibrated ensemble. Never reads a file. The
estimators themselves are `rosenblatt.TabularClassifier` and `rosenblatt.TabularRegressor`.
"""
