"""Default settings on real tables, beside the peers'."""
