"""Explanations of a fitted tabular estimator: what it uses, and what it did."""
