"""The functions that are written for each op: an optimization of ``autograd/reference.py``."""
