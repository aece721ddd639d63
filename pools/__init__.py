"""What travels between phases: space, samples, solutions, the training pool, the ledger."""
