"""The compiler: typed flat programs, their derivatives, their place in memory, and their form for the executor."""
