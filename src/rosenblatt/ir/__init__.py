"""The compiler: typed flat programs, their derivatives, memory plans, and the form that the executor runs."""
