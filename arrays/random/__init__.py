"""PyTorch's random number generator on arrays."""
