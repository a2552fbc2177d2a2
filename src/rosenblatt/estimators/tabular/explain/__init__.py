"""What a fitted tabular estimator uses, and what it did, for people to read."""
