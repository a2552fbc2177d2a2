"""`MLPClassifier` and `MLPRegressor`: scikit-learn's networks, and what it refuses."""
