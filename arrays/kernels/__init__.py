"""Array kernels: plain functions from arrays to arrays."""
