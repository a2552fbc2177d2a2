"""What a model knows, how good it is, and what to check, as one object with several forms."""
