"""Work on several threads, processes and machines."""
