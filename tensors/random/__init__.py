"""Random tensors, and the generator that they are drawn from."""
