"""Tensors from data, from numbers, from the memory of others."""
