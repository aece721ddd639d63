"""Sample to solution: the solvers, and the process session that each runs in."""
