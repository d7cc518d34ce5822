"""Tools for testing gradients, for everyone: strategies, checks and their verdicts."""
