"""Tensors: what people compute with. Ops by topic, the class, creation, random numbers, functions."""
