"""Array kernels of the windowed ops: plain functions from arrays to arrays."""
