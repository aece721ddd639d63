"""Any OpenFOAM case directory as a solver: a template, what to vary, and what to read out."""
