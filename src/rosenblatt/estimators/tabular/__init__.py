"""Estimators on raw tables: which network, how it is trained, how several are averaged.

Goes in: a prepared table (`rosenblatt.tables.preparation`). Comes out: a calibrated ensemble. The estimators themselves
are `rosenblatt.TabularClassifier` and `rosenblatt.TabularRegressor`.
"""
